"""DUMP and RESTORE; the payloads themselves are tested with persistence.rdb."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server
from tests.conftest import START_NS, Peer

from .replies import OK

NOW_MS = START_NS // 1_000_000


def payload(send: Peer, key: str) -> bytes:
    return send("DUMP", key).partition(b"\r\n")[2][:-2]


@pytest.fixture
def dumped(send: Peer) -> bytes:
    send("SET", "k", "hello")
    return payload(send, "k")


def test_what_was_dumped_comes_back(send: Peer) -> None:
    send("SET", "s", "text")
    send("RPUSH", "l", "a", "b")
    send("HSET", "h", "f", "v")
    send("SADD", "e", 1, 2)
    send("ZADD", "z", 1.5, "m")
    for key in "slhez":
        data = payload(send, key)
        assert send("RESTORE", "copy", 0, data, "REPLACE") == OK
        assert payload(send, "copy") == data
        assert send("TYPE", "copy") == send("TYPE", key)
    assert send("DUMP", "none") == b"$-1\r\n"


def test_lifetimes(send: Peer, server: Server, dumped: bytes, propagated: list[list[bytes]]) -> None:
    assert send("RESTORE", "a", 5000, dumped) == OK
    assert send("PTTL", "a") == b":5000\r\n"
    assert send("RESTORE", "b", NOW_MS + 10, dumped, "absttl") == OK
    assert send("PTTL", "b") == b":10\r\n"
    assert send("RESTORE", "c", 0, dumped) == OK
    assert send("PTTL", "c") == b":-1\r\n"
    assert propagated == [
        [b"RESTORE", b"a", b"%d" % (NOW_MS + 5000), dumped, b"ABSTTL"],
        [b"RESTORE", b"b", b"%d" % (NOW_MS + 10), dumped, b"absttl"],
        [b"RESTORE", b"c", b"0", dumped],
    ]


def test_a_time_in_the_past(send: Peer, server: Server, dumped: bytes, propagated: list[list[bytes]]) -> None:
    assert send("RESTORE", "new", 1, dumped, "ABSTTL") == OK
    assert send("EXISTS", "new") == b":0\r\n"
    assert propagated == []
    assert send("RESTORE", "k", 1, dumped, "ABSTTL", "REPLACE") == OK
    assert send("EXISTS", "k") == b":0\r\n"
    assert propagated == [[b"DEL", b"k"]]


def test_refusals(send: Peer, dumped: bytes) -> None:
    assert send("RESTORE", "k", "x", "x") == b"-BUSYKEY Target key name already exists.\r\n"
    assert send("RESTORE", "n", "x", "x") == b"-ERR value is not an integer or out of range\r\n"
    assert send("RESTORE", "n", -1, "x") == b"-ERR Invalid TTL value, must be >= 0\r\n"
    wrong = b"-ERR DUMP payload version or checksum are wrong\r\n"
    assert send("RESTORE", "n", 0, "x") == wrong
    assert send("RESTORE", "n", 0, dumped[:-1] + b"x") == wrong
    assert send("RESTORE", "n", 0, dumped, "NOPE") == b"-ERR syntax error\r\n"
    assert send("RESTORE", "n", 0, dumped, "IDLETIME", 1, "FREQ", 1) == b"-ERR syntax error\r\n"
    assert send("RESTORE", "n", 0, dumped, "IDLETIME", -1) == b"-ERR Invalid IDLETIME value, must be >= 0\r\n"
    assert send("RESTORE", "n", 0, dumped, "FREQ", 256) == (b"-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n")


def test_bad_data_with_a_good_checksum(send: Peer, server: Server, dumped: bytes) -> None:
    server.skip_checksum_validation = True
    unknown_type = b"\x7f" + dumped[1:]
    assert send("RESTORE", "n", 0, unknown_type) == b"-ERR Bad data format\r\n"
    assert send("RESTORE", "k", 0, unknown_type, "REPLACE") == b"-ERR Bad data format\r\n"
    assert send("GET", "k") == b"$5\r\nhello\r\n"


def test_access_is_restored(send: Peer, server: Server, dumped: bytes) -> None:
    restored: list[tuple[bytes, int, int]] = []
    server.restore_access = lambda db, key, idle, frequency: restored.append((key, idle, frequency))
    send("RESTORE", "a", 0, dumped, "IDLETIME", 1000)
    send("RESTORE", "b", 0, dumped, "FREQ", 100)
    assert restored == [(b"a", 1000, -1), (b"b", -1, 100)]
