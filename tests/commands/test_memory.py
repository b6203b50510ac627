"""MEMORY, MODULE and LOLWUT."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server
from tests.conftest import Peer

from .replies import SYNTAX


def test_usage_grows_with_the_value(send: Peer) -> None:
    send("SET", "small", "x")
    send("SET", "big", "x" * 10_000)
    small, big = (int(send("MEMORY", "USAGE", key)[1:]) for key in ("small", "big"))
    assert 0 < small < 300
    assert 10_000 < big < 11_000
    assert send("MEMORY", "USAGE", "none") == b"$-1\r\n"


@pytest.mark.parametrize("fill", ["RPUSH", "SADD", "HSET", "ZADD", "XADD"])
def test_usage_of_every_type(send: Peer, fill: str) -> None:
    for n in range(200):
        member = f"{n}" + "x" * 50
        words = {"HSET": [f"{n}", member], "ZADD": [f"{n}", member], "XADD": [f"{n + 1}-0", "f", member]}
        send(fill, "k", *words.get(fill, [member]))
    everything = int(send("MEMORY", "USAGE", "k", "SAMPLES", 0)[1:])
    assert everything > 200 * 50
    assert int(send("MEMORY", "USAGE", "k", "SAMPLES", 5)[1:]) == pytest.approx(everything, rel=0.2)


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("SAMPLES", -1), SYNTAX),
        (("SAMPLES",), SYNTAX),
        (("SAMPLE", 1), SYNTAX),
        (("SAMPLES", "x"), b"-ERR value is not an integer or out of range\r\n"),
    ],
)
def test_usage_refuses(send: Peer, words: tuple[str | int, ...], reply: bytes) -> None:
    assert send("MEMORY", "USAGE", "k", *words) == reply


def test_stats_and_doctor(send: Peer, server: Server) -> None:
    send("SELECT", 3)
    send("SET", "k", "v")
    stats = send("MEMORY", "STATS")
    assert stats.startswith(b"*56\r\n$14\r\npeak.allocated\r\n:")
    assert b"$4\r\ndb.3\r\n*6\r\n$23\r\noverhead.hashtable.main\r\n:" in stats
    server.used_memory = lambda: server.startup_memory + (1 << 30)
    assert b"No problem" in send("MEMORY", "DOCTOR")
    server.peak_memory = 1 << 40
    assert b"Peak:" in send("MEMORY", "DOCTOR")


def test_purge(send: Peer) -> None:
    assert send("MEMORY", "PURGE") == b"+OK\r\n"


def test_modules_are_refused_as_redis_refuses_a_broken_one(send: Peer, server: Server) -> None:
    assert send("MODULE", "LIST") == b"*0\r\n"
    assert send("MODULE", "LOAD", "x.so").startswith(b"-ERR MODULE command not allowed.")
    server.config.enable_module_command = "yes"
    reply = b"-ERR Error loading the extension. Please check the server logs.\r\n"
    assert send("MODULE", "LOAD", "x.so") == reply
    assert send("MODULE", "LOADEX", "x.so", "ARGS", "a") == reply
    assert send("MODULE", "UNLOAD", "x") == b"-ERR Error unloading module: no such module with that name\r\n"


def test_lolwut_ends_with_the_version(send: Peer) -> None:
    assert send("LOLWUT").endswith(b"Redis ver. 7.2.4\n\r\n")
    assert send("LOLWUT", "VERSION", 5, 1, 2).endswith(b"Redis ver. 7.2.4\n\r\n")
    assert send("LOLWUT", "VERSION", "x") == b"-ERR value is not an integer or out of range\r\n"
