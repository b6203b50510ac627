"""SCAN, HSCAN, SSCAN and ZSCAN."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from tests.conftest import Peer

from .replies import SYNTAX

EMPTY = b"*2\r\n$1\r\n0\r\n*0\r\n"
INVALID = b"-ERR invalid cursor\r\n"
Advance = Callable[[float], None]


def parse(reply: bytes) -> tuple[int, list[bytes]]:
    """Cursor and elements of a reply whose elements have no line breaks."""
    cursor, *items = re.findall(rb"\$\d+\r\n([^\r]*)\r\n", reply)
    return int(cursor), items


def walk(send: Peer, *words: str | int, options: tuple[str | int, ...] = ()) -> list[bytes]:
    cursor, found = parse(send(*words, 0, *options))
    while cursor:
        cursor, more = parse(send(*words, cursor, *options))
        found += more
    return found


@pytest.fixture
def many(send: Peer) -> list[bytes]:
    for n in range(1000):
        send("SET", f"key:{n}", n)
    return [b"key:%d" % n for n in range(1000)]


class TestScan:
    def test_finds_everything_once(self, send: Peer, many: list[bytes]) -> None:
        assert sorted(walk(send, "SCAN")) == sorted(many)
        assert sorted(walk(send, "SCAN", options=("COUNT", 7))) == sorted(many)
        assert len(parse(send("SCAN", 0, "COUNT", 5))[1]) == 5

    def test_match(self, send: Peer, many: list[bytes]) -> None:
        assert sorted(walk(send, "SCAN", options=("MATCH", "key:1??"))) == sorted(many[100:200])
        assert len(walk(send, "SCAN", options=("MATCH", "*"))) == 1000

    def test_type(self, send: Peer, many: list[bytes]) -> None:
        send("RPUSH", "list", "x")
        assert walk(send, "SCAN", options=("TYPE", "LIST")) == [b"list"]
        assert len(walk(send, "SCAN", options=("TYPE", "string"))) == 1000
        assert walk(send, "SCAN", options=("TYPE", "nope")) == []

    def test_keys_that_stay_are_found_while_others_come_and_go(self, send: Peer, many: list[bytes]) -> None:
        cursor, found = parse(send("SCAN", 0, "COUNT", 100))
        turn = 0
        while cursor:
            for n in range(turn * 40, turn * 40 + 40):
                send("DEL", f"key:{n}")
                send("SET", f"new:{n}", n)
            turn += 1
            cursor, more = parse(send("SCAN", cursor, "COUNT", 100))
            found += more
        assert set(many[400:]) <= set(found)

    def test_expired_keys_are_deleted_on_the_way(self, send: Peer, server: Server, advance: Advance) -> None:
        send("SET", "a", 1, "PX", 1)
        send("SET", "b", 1)
        advance(1)
        assert walk(send, "SCAN") == [b"b"]
        assert server.expired_keys == 1

    @pytest.mark.parametrize("cursor", ["x", " 1", "1 ", "0x1", "18446744073709551616", "+", "1.0"])
    def test_invalid_cursors(self, send: Peer, cursor: str) -> None:
        assert send("SCAN", cursor) == INVALID
        assert send("HSCAN", "none", cursor) == INVALID

    @pytest.mark.parametrize("cursor", ["", "-1", "+0", "18446744073709551615", "00"])
    def test_odd_but_valid_cursors(self, send: Peer, cursor: str) -> None:
        assert send("SCAN", cursor) == EMPTY

    @pytest.mark.parametrize(
        ("options", "reply"),
        [
            (("COUNT", 0), SYNTAX),
            (("COUNT", -1), SYNTAX),
            (("COUNT", "x"), b"-ERR value is not an integer or out of range\r\n"),
            (("COUNT",), SYNTAX),
            (("MATCH",), SYNTAX),
            (("NOVALUES",), SYNTAX),
        ],
    )
    def test_refusals(self, send: Peer, options: tuple[str | int, ...], reply: bytes) -> None:
        assert send("SCAN", 0, *options) == reply
        send("HSET", "h", "f", "v")
        assert send("HSCAN", "h", 0, *options) == reply
        assert send("HSCAN", "none", 0, *options) == EMPTY

    def test_type_is_for_keys_only(self, send: Peer) -> None:
        send("SADD", "s", "a")
        assert send("SSCAN", "s", 0, "TYPE", "set") == SYNTAX


class TestInsideValues:
    def test_small_ones_come_whole(self, send: Peer) -> None:
        send("HSET", "h", "f1", "v1", "f2", "v2")
        assert parse(send("HSCAN", "h", 0, "COUNT", 1)) == (0, [b"f1", b"v1", b"f2", b"v2"])
        assert parse(send("HSCAN", "h", 0, "MATCH", "*2")) == (0, [b"f2", b"v2"])
        send("SADD", "s", 2, 1, 3)
        assert parse(send("SSCAN", "s", 0, "COUNT", 1)) == (0, [b"1", b"2", b"3"])

    def test_large_ones_come_in_steps(self, send: Peer) -> None:
        for n in range(300):
            send("HSET", "h", f"f{n}", n)
            send("SADD", "s", f"m{n}")
            send("ZADD", "z", n, f"m{n}")
        pairs = walk(send, "HSCAN", "h")
        assert dict(zip(pairs[::2], pairs[1::2], strict=True)) == {b"f%d" % n: b"%d" % n for n in range(300)}
        assert sorted(walk(send, "SSCAN", "s", options=("COUNT", 20))) == sorted(b"m%d" % n for n in range(300))
        pairs = walk(send, "ZSCAN", "z")
        assert dict(zip(pairs[::2], pairs[1::2], strict=True)) == {b"m%d" % n: b"%d" % n for n in range(300)}

    def test_scores_are_spelled_by_encoding(self, send: Peer, server: Server) -> None:
        send("ZADD", "z", "0.1", "a")
        assert parse(send("ZSCAN", "z", 0)) == (0, [b"a", b"0.1"])
        send("ZADD", "z", 1, "x" * 65)
        assert parse(send("ZSCAN", "z", 0, "MATCH", "a"))[1] == [b"a", b"0.10000000000000001"]

    def test_wrong_type(self, send: Peer) -> None:
        send("SET", "k", "v")
        for name in ("HSCAN", "SSCAN", "ZSCAN"):
            assert send(name, "k", 0).startswith(b"-WRONGTYPE")
            assert send(name, "none", 0) == EMPTY
