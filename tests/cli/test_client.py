from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.cli.client import Client, ClientError, Refused, parse_info
from pyredis.util.urls import ServerUrl


class Scripted:
    """A server that answers one connection with prepared bytes, whatever it is asked."""

    def __init__(self, family: int, address: tuple[str, int] | str, answers: list[bytes]) -> None:
        self.socket = socket.socket(family)
        self.socket.bind(address)
        self.socket.listen()
        self.received = b""
        self._answers = answers
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            for answer in self._answers:
                self.received += connection.recv(4096)
                connection.sendall(answer)
            while data := connection.recv(4096):
                self.received += data

    def close(self) -> None:
        self._thread.join(5)
        self.socket.close()


@pytest.fixture
def scripted() -> Callable[..., Scripted]:
    servers: list[Scripted] = []

    def start(*answers: bytes, path: str | None = None) -> Scripted:
        family, address = (socket.AF_UNIX, path) if path else (socket.AF_INET, ("127.0.0.1", 0))
        servers.append(Scripted(family, address, list(answers)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def url_of(server: Scripted, **parts: object) -> ServerUrl:
    return ServerUrl("127.0.0.1", server.socket.getsockname()[1], **parts)  # type: ignore[arg-type]


def test_logs_in_and_selects(scripted: Callable[..., Scripted]) -> None:
    server = scripted(b"+OK\r\n", b"+OK\r\n", b"*3\r\n$1\r\na\r\n:7\r\n$-1\r\n")
    with Client(url_of(server, user="ann", password="pw", db=3)) as client:
        assert client.call("LRANGE", b"k", 0, "x") == [b"a", 7, None]
    server.close()
    assert server.received == (
        b"*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$2\r\npw\r\n"
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"
        b"*4\r\n$6\r\nLRANGE\r\n$1\r\nk\r\n$1\r\n0\r\n$1\r\nx\r\n"
    )


def test_a_unix_socket(scripted: Callable[..., Scripted], tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    scripted(b"+PONG\r\n", path=path)
    with Client(ServerUrl(path=path)) as client:
        assert client.call("PING") == b"PONG"


def test_an_error_keeps_its_text_and_code(scripted: Callable[..., Scripted]) -> None:
    server = scripted(b"-WRONGPASS no such thing\r\n")
    with pytest.raises(Refused) as refused:
        Client(url_of(server, password="secret"))
    assert (str(refused.value), refused.value.code) == ("WRONGPASS no such thing", "WRONGPASS")


def test_what_goes_wrong_names_the_server_and_no_password(scripted: Callable[..., Scripted]) -> None:
    url = url_of(web := scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n"), password="secret")
    with pytest.raises(ClientError) as nonsense:
        Client(url)
    assert str(nonsense.value) == f"{url.endpoint} does not speak Redis's protocol"
    web.close()
    with pytest.raises(ClientError) as closed:
        Client(url)
    assert str(closed.value) == f"cannot connect to {url.endpoint}: Connection refused"


def test_a_server_that_says_nothing(scripted: Callable[..., Scripted]) -> None:
    server = scripted(b"")
    with Client(url_of(server), timeout=0.05) as client, pytest.raises(ClientError) as silent:
        client.call("PING")
    assert str(silent.value) == f"no answer from {client.url.endpoint}: timed out"


def test_info() -> None:
    assert parse_info(b"# Server\r\nredis_version:7.2.4\r\nos:a:b\r\n\r\n# X\r\n") == {
        "redis_version": "7.2.4",
        "os": "a:b",
    }
    assert parse_info(None) == {}
