"""Hostile clients against a server process: its memory stays bounded, and others are served."""

from __future__ import annotations

import random
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.compat.servers import OURS, Server
from tests.fuzz.seeds import seeds
from tests.fuzz.test_fuzz import mutated

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
MB = 1 << 20
PING = b"*1\r\n$4\r\nPING\r\n"


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server.start(OURS, "--rights-profile", "managed")
    yield started
    started.stop()


def resident(server: Server) -> int:
    assert server.process is not None
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


def dial(server: Server) -> socket.socket:
    client = socket.create_connection(server.address, 10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def assert_sound(server: Server) -> None:
    """It answers another client at once, and has logged no bug."""
    with closing(dial(server)) as other:
        other.sendall(PING)
        assert other.recv(100) == b"+PONG\r\n"
    assert "Bug:" not in server.log
    assert "Traceback" not in server.log


def test_a_long_pipeline_whose_replies_nobody_reads(server: Server) -> None:
    before = resident(server)
    with closing(dial(server)) as one:
        one.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\n" + b"v" * 1000 + b"\r\n")
        assert one.recv(100) == b"+OK\r\n"
        one.setblocking(False)
        pipeline = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * 1000
        deadline, taken = time.monotonic() + 3, 0
        while taken < 1_000_000 * 20 and time.monotonic() < deadline:  # a gigabyte of replies if all were made
            with suppress(BlockingIOError):
                taken += one.send(pipeline)
            assert resident(server) < before + 100 * MB
        assert_sound(server)


def test_half_open_and_flooding_connections(server: Server) -> None:
    rng = random.Random(8)
    for _ in range(300):
        with closing(dial(server)) as client:
            client.sendall(rng.choice((b"*3\r\n$3\r\nSET\r\n$1\r\nk", b"*1000000\r\n", b"PI", b"\xff")))
    half_open = [dial(server) for _ in range(50)]
    for client in half_open:
        client.sendall(b"*2\r\n$4\r\nECHO\r\n$1000000\r\nx")
        client.shutdown(socket.SHUT_WR)
    assert_sound(server)
    for client in half_open:
        client.close()


def test_slow_clients_do_not_hold_up_others(server: Server) -> None:
    slow = [dial(server) for _ in range(100)]
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n":
        for client in slow:
            client.send(bytes((byte,)))
    assert [client.recv(100) for client in slow] == [b"+OK\r\n"] * 100
    assert_sound(server)
    for client in slow:
        client.close()


def test_mutated_streams(server: Server) -> None:
    rng = random.Random(7)
    streams = [seed[1:] for seed in seeds("protocol")]
    before = resident(server)
    storm(server, rng, streams, 300)
    assert resident(server) < before + 150 * MB
    assert_sound(server)


def storm(server: Server, rng: random.Random, streams: list[bytes], count: int) -> None:
    """*count* connections that send a damaged stream each and go away, some without reading."""
    for _ in range(count):
        with closing(dial(server)) as client, suppress(OSError):
            client.sendall(mutated(rng.choice(streams), rng.choice(streams), rng))
            if rng.random() < 0.5:
                client.settimeout(0.005)
                client.recv(1 << 16)


@pytest.mark.parametrize(
    "words",
    [
        ("KEYS", "a*" * 500 + "b"),
        ("KEYS", "*?" * 2500 + "b"),
        ("SCAN", "0", "MATCH", "*[a]" * 2000 + "b"),
        ("CONFIG", "GET", "*a*" * 5000),
        ("COMMAND", "LIST", "FILTERBY", "PATTERN", "*e" * 10000),
    ],
)
def test_patterns_of_many_stars_take_bounded_time(server: Server, words: tuple[str, ...]) -> None:
    with closing(server.connect(5.0)) as client:
        client.call(b"SET", b"a" * 5000, b"1")
        began = time.monotonic()
        client.call(*(word.encode() for word in words))
        assert time.monotonic() - began < 2
