"""EXPIRE, TTL and their relatives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from tests.conftest import START_NS, Peer

NOW_MS = START_NS // 1_000_000
Advance = Callable[[float], None]


@pytest.fixture
def key(send: Peer) -> str:
    send("SET", "k", "v")
    return "k"


@pytest.mark.parametrize(
    ("command", "time", "when"),
    [
        ("EXPIRE", 10, NOW_MS + 10_000),
        ("PEXPIRE", 10, NOW_MS + 10),
        ("EXPIREAT", NOW_MS // 1000 + 1, NOW_MS + 1000),
        ("PEXPIREAT", NOW_MS + 1, NOW_MS + 1),
    ],
)
def test_units(send: Peer, propagated: list[list[bytes]], key: str, command: str, time: int, when: int) -> None:
    assert send(command, key, time) == b":1\r\n"
    assert send("PEXPIRETIME", key) == b":%d\r\n" % when
    assert propagated[-1] == [b"PEXPIREAT", b"k", b"%d" % when]
    assert send(command, "none", time) == b":0\r\n"


@pytest.mark.parametrize("time", ["-1", "0"])
def test_a_time_in_the_past_deletes(
    send: Peer, server: Server, propagated: list[list[bytes]], key: str, time: str
) -> None:
    assert send("EXPIRE", key, time) == b":1\r\n"
    assert send("EXISTS", key) == b":0\r\n"
    assert propagated[-1] == [b"DEL", b"k"]
    assert server.dirty == 2
    assert server.expired_keys == 0
    server.config.lazyfree_lazy_expire = True
    send("SET", key, "v")
    send("PEXPIREAT", key, 1)
    assert propagated[-1] == [b"UNLINK", b"k"]


def test_a_replica_keeps_a_key_whose_time_is_past(send: Peer, server: Server, key: str) -> None:
    server.keeps_expired = True
    assert send("PEXPIREAT", key, 1) == b":1\r\n"
    assert server.databases[0].expires == {b"k": 1}
    assert send("EXISTS", key) == b":0\r\n"


@pytest.mark.parametrize(
    ("command", "time"),
    [
        ("EXPIRE", 2**63 - 1),
        ("EXPIRE", 9223372036854776),
        ("EXPIRE", -9223372036854776),
        ("EXPIRE", 9223372036854775),
        ("PEXPIRE", 2**63 - 1),
        ("EXPIREAT", 9223372036854776),
    ],
)
def test_overflow(send: Peer, key: str, command: str, time: int) -> None:
    expected = b"-ERR invalid expire time in '%b' command\r\n" % command.lower().encode()
    assert send(command, key, time) == expected
    assert send("TTL", key) == b":-1\r\n"


def test_not_an_integer(send: Peer, key: str) -> None:
    assert send("EXPIRE", key, "1.5") == b"-ERR value is not an integer or out of range\r\n"


class TestConditions:
    @pytest.mark.parametrize(
        ("current", "condition", "new", "done"),
        [
            (None, ("NX",), 10, True),
            (None, ("XX",), 10, False),
            (None, ("GT",), 10, False),
            (None, ("LT",), 10, True),
            (None, ("XX", "LT"), 10, False),
            (100, ("NX",), 10, False),
            (100, ("XX",), 10, True),
            (100, ("GT",), 100, False),
            (100, ("gt",), 101, True),
            (100, ("LT",), 100, False),
            (100, ("LT", "XX"), 99, True),
        ],
    )
    def test_each(self, send: Peer, key: str, current: int | None, condition: tuple[str], new: int, done: bool) -> None:
        if current is not None:
            send("EXPIRE", key, current)
        assert send("EXPIRE", key, new, *condition) == b":%d\r\n" % done
        expected = new if done else (-1 if current is None else current)
        assert send("TTL", key) == b":%d\r\n" % expected

    def test_they_are_propagated(self, send: Peer, propagated: list[list[bytes]], key: str) -> None:
        send("EXPIRE", key, 10, "NX")
        assert propagated[-1] == [b"PEXPIREAT", b"k", b"%d" % (NOW_MS + 10_000), b"NX"]

    def test_refusals(self, send: Peer, key: str) -> None:
        incompatible = b"-ERR NX and XX, GT or LT options at the same time are not compatible\r\n"
        assert send("EXPIRE", key, 1, "NX", "GT") == incompatible
        assert send("EXPIRE", key, "x", "NX", "XX") == incompatible
        assert send("EXPIRE", key, 1, "GT", "LT") == (b"-ERR GT and LT options at the same time are not compatible\r\n")
        assert send("EXPIRE", key, 1, "AB", "NX") == b"-ERR Unsupported option AB\r\n"


def test_persist(send: Peer, server: Server, key: str) -> None:
    send("EXPIRE", key, 10)
    assert send("PERSIST", key) == b":1\r\n"
    assert send("PERSIST", key) == b":0\r\n"
    assert send("PERSIST", "none") == b":0\r\n"
    assert server.dirty == 3


def test_asking(send: Peer, key: str) -> None:
    names = ("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME")
    assert [send(name, "none") for name in names] == [b":-2\r\n"] * 4
    assert [send(name, key) for name in names] == [b":-1\r\n"] * 4
    send("PEXPIRE", key, 1500)
    assert [send(name, key) for name in names] == [
        b":2\r\n",
        b":1500\r\n",
        b":%d\r\n" % ((NOW_MS + 2000) // 1000),
        b":%d\r\n" % (NOW_MS + 1500),
    ]
    send("PEXPIRE", key, 499)
    assert send("TTL", key) == b":0\r\n"


def test_a_key_lives_through_its_last_millisecond(send: Peer, server: Server, key: str, advance: Advance) -> None:
    send("PEXPIRE", key, 5)
    advance(0.005)
    assert send("PTTL", key) == b":0\r\n"
    advance(0.001)
    assert send("GET", key) == b"$-1\r\n"
    assert server.expired_keys == 1
    assert server.databases[0].expires == {}
