"""The HTTP side of the metrics: what it takes, what it refuses, and where it listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from pyredis.errors import ConfigSetFailed
from pyredis.net.listeners import ListenError
from pyredis.net.metrics import MOST_CONNECTIONS, MOST_REQUEST_BYTES, Metrics
from tests.compat.servers import free_port


def exchange(server: Server, data: bytes) -> bytes:
    """What comes back for *data*, until the other side closes."""

    async def talk() -> bytes:
        port = free_port()
        server.config.set([(b"metrics-bind", b"127.0.0.1"), (b"metrics-port", b"%d" % port)])
        service = Metrics(server)
        service.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            writer.write_eof()
            reply = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return reply
        finally:
            service.stop()
            await asyncio.sleep(0)

    return asyncio.run(talk())


def get(path: str, *, method: str = "GET", version: str = "1.1", headers: str = "") -> bytes:
    return f"{method} {path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n".encode()


def test_metrics(server: Server) -> None:
    reply = exchange(server, get("/metrics", headers="Connection: close\r\n"))
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n" in head
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    assert b"\nredis_up 1\n" in body


def test_a_query_is_ignored(server: Server) -> None:
    assert exchange(server, get("/health?x=1", version="1.0")).endswith(b"\r\n\r\nok\n")


def test_head_has_no_body(server: Server) -> None:
    reply = exchange(server, get("/metrics", method="HEAD", version="1.0"))
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert reply.endswith(b"\r\n\r\n")


def test_requests_may_follow_each_other(server: Server) -> None:
    reply = exchange(server, get("/health") + get("/ready") + get("/health", version="1.0"))
    assert reply.count(b"HTTP/1.1 200 OK") == 3
    assert reply.count(b"Connection: keep-alive") == 2


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda server: setattr(server, "loading", True), b"loading the data set"),
        (lambda server: setattr(server.shutdown, "in_progress", True), b"shutting down"),
        (lambda server: setattr(server, "_role", b"replica"), b"no link to the master"),
    ],
)
def test_not_ready(server: Server, prepare: Callable[[Server], None], reason: bytes) -> None:
    prepare(server)
    reply = exchange(server, get("/ready", version="1.0"))
    assert reply.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert reply.endswith(reason + b"\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/", version="1.0"), b"404 Not Found"),
        (get("/metrics", method="DELETE", version="1.0"), b"405 Method Not Allowed"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/2\r\n\r\n", b"400 Bad Request"),
        (get("/metrics", headers="Bad : x\r\n"), b"400 Bad Request"),
        (get("/metrics", headers="Content-Length: 5\r\n") + b"12345", b"413 "),
        (get("/metrics", headers="Transfer-Encoding: chunked\r\n"), b"413 "),
        (b"GET /" + b"x" * MOST_REQUEST_BYTES + b" HTTP/1.1\r\n\r\n", b"431 "),
        (b"x" * (MOST_REQUEST_BYTES + 1), b"431 "),
    ],
)
def test_refused_requests(server: Server, request_: bytes, status: bytes) -> None:
    reply = exchange(server, request_)
    assert reply.startswith(b"HTTP/1.1 " + status)
    assert reply.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in reply


def test_the_port_can_change_and_close(server: Server) -> None:
    async def move() -> None:
        service = Metrics(server)
        service.start()
        first, second = free_port(), free_port()
        for port in (first, second):
            server.config.set([(b"metrics-bind", b"127.0.0.1"), (b"metrics-port", b"%d" % port)])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", first)
        server.config.set([(b"metrics-port", b"0")])
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", second)

    asyncio.run(move())


def test_a_port_in_use_is_refused(server: Server) -> None:
    async def collide() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = b"%d" % taken.getsockname()[1]
            service = Metrics(server)
            service.start()
            with pytest.raises(ConfigSetFailed):
                server.config.set([(b"metrics-bind", b"127.0.0.1"), (b"metrics-port", port)])
            assert server.config.metrics_port == 0
            service.stop()
            server.config.metrics_bind, server.config.metrics_port = ("127.0.0.1",), int(port)
            with pytest.raises(ListenError):
                Metrics(server).start()

    asyncio.run(collide())


def test_connections_are_limited(server: Server) -> None:
    async def crowd() -> None:
        port = free_port()
        server.config.set([(b"metrics-bind", b"127.0.0.1"), (b"metrics-port", b"%d" % port)])
        service = Metrics(server)
        service.start()
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        for reader, writer in streams:
            writer.write(get("/health"))
            await reader.readuntil(b"ok\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        for _, each in [*streams, (reader, writer)]:
            each.close()
        service.stop()

    asyncio.run(crowd())
