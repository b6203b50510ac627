"""MIGRATE to a second server behind a real socket."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator

import pytest

from pyredis.app import build_server
from pyredis.config.config import Config
from pyredis.engine.server import Server
from pyredis.registry.flags import ACCESS, DELETE, RW
from pyredis.util.clock import ManualClock
from tests.conftest import Peer

from .replies import OK


class Target:
    """Serves one connection after the other with a second server; may be told to hang up or to keep silent."""

    def __init__(self, clock: ManualClock) -> None:
        self.peer = Peer(build_server(Config(), clock=clock, rng=random.Random(2)))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.silent = False
        self.hang_up_after: int | None = None
        self.requests: list[bytes] = []
        self.connections = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                while data := connection.recv(1 << 20):
                    self.requests.append(data)
                    if self.silent:
                        continue
                    reply = self.peer.raw(data)
                    if self.hang_up_after is not None:
                        lines = reply.splitlines(keepends=True)[: self.hang_up_after]
                        connection.sendall(b"".join(lines))
                        break
                    connection.sendall(reply)

    def stop(self) -> None:
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.thread.join(5)


@pytest.fixture
def target(clock: ManualClock, server: Server) -> Iterator[Target]:
    target = Target(clock)
    yield target
    server.clock.advance(seconds=60)  # type: ignore[attr-defined]
    server.now = server.clock.time_ns()
    for _ in range(20):
        server.cron.turn()
    target.stop()


def test_a_key_moves(send: Peer, target: Target, propagated: list[list[bytes]]) -> None:
    send("RPUSH", "l", "a", "b")
    send("PEXPIRE", "l", 5000)
    propagated.clear()
    assert send("MIGRATE", "127.0.0.1", target.port, "l", 9, 1000) == OK
    assert send("EXISTS", "l") == b":0\r\n"
    assert propagated == [[b"DEL", b"l"]]
    assert target.peer("SELECT", 9) == OK
    assert target.peer("LRANGE", "l", 0, -1) == b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"
    assert target.peer("PTTL", "l") == b":5000\r\n"


def test_several_keys_and_a_kept_connection(send: Peer, target: Target) -> None:
    send("MSET", "a", 1, "b", 2, "c", 3)
    address = ("127.0.0.1", target.port)
    assert send("MIGRATE", *address, "", 0, 1000, "COPY", "KEYS", "a", "none", "b") == OK
    assert send("EXISTS", "a", "b") == b":2\r\n"
    assert send("MIGRATE", *address, "a", 0, 1000, "REPLACE") == OK
    assert send("EXISTS", "a") == b":0\r\n"
    assert target.peer("MGET", "a", "b") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    assert target.connections == 1
    assert b"SELECT" in target.requests[0]
    assert b"SELECT" not in target.requests[1]


def test_errors_of_the_target(send: Peer, target: Target) -> None:
    target.peer("SET", "a", "theirs")
    send("MSET", "a", 1, "b", 2)
    reply = send("MIGRATE", "127.0.0.1", target.port, "", 0, 1000, "KEYS", "a", "b")
    assert reply == b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n"
    assert send("EXISTS", "a") == b":1\r\n"
    assert send("EXISTS", "b") == b":0\r\n"
    reply = send("MIGRATE", "127.0.0.1", target.port, "a", 99, 1000)
    assert reply == b"-ERR Target instance replied with error: ERR DB index is out of range\r\n"


def test_nothing_to_do(send: Peer) -> None:
    assert send("MIGRATE", "127.0.0.1", 1, "none", 0, 1000) == b"+NOKEY\r\n"


def test_no_target(send: Peer, target: Target) -> None:
    send("SET", "k", "v")
    failure = b"-IOERR error or timeout connecting to the client\r\n"
    target.stop()
    assert send("MIGRATE", "127.0.0.1", target.port, "k", 0, 1000) == failure
    assert send("MIGRATE", "127.0.0.1", "port", "k", 0, 1000) == failure
    assert send("EXISTS", "k") == b":1\r\n"


def test_a_silent_target(send: Peer, target: Target) -> None:
    target.silent = True
    send("SET", "k", "v")
    reply = send("MIGRATE", "127.0.0.1", target.port, "k", 0, 10)
    assert reply == b"-IOERR error or timeout reading to target instance\r\n"
    assert target.connections == 1


def test_a_target_that_hangs_up_is_tried_twice(send: Peer, target: Target) -> None:
    target.hang_up_after = 1  # the reply to SELECT
    send("SET", "k", "v")
    reply = send("MIGRATE", "127.0.0.1", target.port, "k", 0, 1000)
    assert reply == b"-IOERR error or timeout reading to target instance\r\n"
    assert target.connections == 2


def test_what_has_arrived_is_gone_here(send: Peer, target: Target, propagated: list[list[bytes]]) -> None:
    target.hang_up_after = 2
    send("MSET", "a", 1, "b", 2)
    propagated.clear()
    reply = send("MIGRATE", "127.0.0.1", target.port, "", 0, 1000, "KEYS", "a", "b")
    assert reply == b"-IOERR error or timeout reading to target instance\r\n"
    assert send("EXISTS", "a") == b":0\r\n"
    assert send("EXISTS", "b") == b":1\r\n"
    assert propagated == [[b"DEL", b"a"]]
    assert target.connections == 1


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("k", 0, 1000, "NOPE"), b"-ERR syntax error\r\n"),
        (("k", 0, 1000, "AUTH"), b"-ERR syntax error\r\n"),
        (("k", 0, 1000, "AUTH2", "u"), b"-ERR syntax error\r\n"),
        (("k", 0, "x"), b"-ERR value is not an integer or out of range\r\n"),
        (("k", "x", 1000), b"-ERR value is not an integer or out of range\r\n"),
        (
            ("k", 0, 1000, "KEYS", "a"),
            b"-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string\r\n",
        ),
    ],
)
def test_refusals(send: Peer, words: tuple[str | int, ...], reply: bytes) -> None:
    assert send("MIGRATE", "127.0.0.1", 1, *words) == reply


def test_keys(server: Server) -> None:
    command = server.commands[b"migrate"]
    assert command.get_keys is not None
    flags = RW | ACCESS | DELETE
    plain = [b"MIGRATE", b"h", b"1", b"k", b"0", b"1", b"COPY"]
    assert command.get_keys(command, plain) == [(3, flags)]
    many = [b"MIGRATE", b"h", b"1", b"", b"0", b"1", b"AUTH", b"keys", b"KEYS", b"a", b"b"]
    assert command.get_keys(command, many) == [(9, flags), (10, flags)]
