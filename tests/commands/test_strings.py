"""GET, SET and their relatives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from tests.conftest import START_NS, Peer

from .replies import NOT_INTEGER, NULL, OK, SYNTAX

NOW_MS = START_NS // 1_000_000
WRONG_TYPE = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
Advance = Callable[[float], None]


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


class TestSet:
    def test_plain(self, send: Peer) -> None:
        assert send("SET", "k", "v") == OK
        assert send("GET", "k") == bulk(b"v")
        assert send("GET", "none") == NULL

    def test_drops_the_expiry_and_the_old_type(self, send: Peer) -> None:
        send("RPUSH", "k", "a")
        send("EXPIRE", "k", 100)
        assert send("SET", "k", "v") == OK
        assert send("TTL", "k") == b":-1\r\n"

    def test_conditions(self, send: Peer) -> None:
        assert send("SET", "k", "1", "XX") == NULL
        assert send("SET", "k", "1", "nx") == OK
        assert send("SET", "k", "2", "NX") == NULL
        assert send("SET", "k", "3", "XX", "XX") == OK
        assert send("GET", "k") == bulk(b"3")

    @pytest.mark.parametrize(
        "options",
        [
            ("NX", "XX"),
            ("EX", "1", "PX", "1"),
            ("EX", "1", "KEEPTTL"),
            ("KEEPTTL", "PXAT", "1"),
            ("EX",),
            ("PERSIST",),
            ("nope",),
        ],
    )
    def test_syntax(self, send: Peer, options: tuple[str, ...]) -> None:
        assert send("SET", "k", "v", *options) == SYNTAX
        assert send("EXISTS", "k") == b":0\r\n"

    @pytest.mark.parametrize(
        ("option", "time"),
        [
            ("EX", "0"),
            ("EX", "-1"),
            ("EX", "9223372036854775807"),
            ("EX", "9223372036854775"),
            ("PX", "9223372036854775807"),
            ("EXAT", "9223372036854776"),
            ("PXAT", "0"),
        ],
    )
    def test_impossible_times(self, send: Peer, option: str, time: str) -> None:
        assert send("SET", "k", "v", option, time) == b"-ERR invalid expire time in 'set' command\r\n"
        assert send("SET", "k", "v", option, "1.5") == NOT_INTEGER

    def test_the_names_in_expire_errors(self, send: Peer) -> None:
        assert send("SETEX", "k", 0, "v") == b"-ERR invalid expire time in 'setex' command\r\n"
        assert send("PSETEX", "k", -1, "v") == b"-ERR invalid expire time in 'psetex' command\r\n"
        send("SET", "k", "v")
        assert send("GETEX", "k", "EX", 0) == b"-ERR invalid expire time in 'getex' command\r\n"

    def test_lifetimes(self, send: Peer) -> None:
        for option, time, when in [
            ("EX", 10, NOW_MS + 10_000),
            ("PX", 10, NOW_MS + 10),
            ("EXAT", NOW_MS // 1000 + 5, NOW_MS + 5000),
            ("PXAT", NOW_MS + 7, NOW_MS + 7),
        ]:
            send("SET", "k", "v", option, time)
            assert send("PEXPIRETIME", "k") == b":%d\r\n" % when
        send("SET", "k", "w", "KEEPTTL")
        assert send("PTTL", "k") == b":7\r\n"

    def test_get_answers_the_old_value(self, send: Peer) -> None:
        assert send("SET", "k", "1", "GET") == NULL
        assert send("SET", "k", "2", "GET", "NX") == bulk(b"1")
        assert send("SET", "k", "3", "EX", "5", "GET") == bulk(b"1")
        assert send("GET", "k") == bulk(b"3")
        send("RPUSH", "list", "a")
        assert send("SET", "list", "1", "GET") == WRONG_TYPE
        assert send("TYPE", "list") == b"+list\r\n"

    def test_propagation(self, send: Peer, propagated: list[list[bytes]]) -> None:
        send("set", "k", "v")
        send("SET", "k", "v", "NX")
        send("SET", "k", "v", "EX", 10, "XX")
        send("SET", "k", "v", "PXAT", NOW_MS + 5, "GET")
        send("SET", "k", "v", "KEEPTTL", "get")
        send("SETEX", "k", 1, "v")
        send("SETNX", "n", "v")
        assert propagated == [
            [b"set", b"k", b"v"],
            [b"SET", b"k", b"v", b"PXAT", b"%d" % (NOW_MS + 10_000)],
            [b"SET", b"k", b"v", b"PXAT", b"%d" % (NOW_MS + 5), b"GET"],
            [b"SET", b"k", b"v", b"KEEPTTL"],
            [b"SET", b"k", b"v", b"PXAT", b"%d" % (NOW_MS + 1000)],
            [b"SETNX", b"n", b"v"],
        ]

    def test_an_expired_key_is_deleted_first(
        self, send: Peer, server: Server, propagated: list[list[bytes]], advance: Advance
    ) -> None:
        send("SET", "k", "v", "PX", 1)
        advance(1)
        propagated.clear()
        assert send("SET", "k", "w", "XX") == NULL
        send("SET", "k", "w")
        assert server.expired_keys == 1
        assert propagated == [[b"DEL", b"k"], [b"SET", b"k", b"w"]]


class TestGetex:
    def test_without_options_nothing_changes(self, send: Peer, propagated: list[list[bytes]]) -> None:
        send("SET", "k", "v", "PX", 500)
        propagated.clear()
        assert send("GETEX", "k") == bulk(b"v")
        assert send("PTTL", "k") == b":500\r\n"
        assert propagated == []

    def test_options(self, send: Peer, propagated: list[list[bytes]]) -> None:
        send("SET", "k", "v")
        send("GETEX", "k", "EX", 10)
        send("GETEX", "k", "PERSIST")
        send("GETEX", "k", "PERSIST")
        send("GETEX", "k", "PXAT", NOW_MS + 10)
        assert send("GETEX", "k", "EXAT", 1) == bulk(b"v")
        assert propagated[1:] == [
            [b"PEXPIREAT", b"k", b"%d" % (NOW_MS + 10_000)],
            [b"PERSIST", b"k"],
            [b"PEXPIREAT", b"k", b"%d" % (NOW_MS + 10)],
            [b"DEL", b"k"],
        ]
        assert send("GETEX", "k", "EX", 0) == NULL

    @pytest.mark.parametrize(
        "options", [("EX", "1", "PERSIST"), ("PERSIST", "EX", "1"), ("KEEPTTL",), ("NX",), ("EX",)]
    )
    def test_syntax(self, send: Peer, options: tuple[str, ...]) -> None:
        assert send("GETEX", "k", *options) == SYNTAX

    def test_wrong_type(self, send: Peer) -> None:
        send("RPUSH", "list", "a")
        assert send("GETEX", "list", "EX", "x") == WRONG_TYPE
        assert send("GETDEL", "list") == WRONG_TYPE
        assert send("GETSET", "list", "x") == WRONG_TYPE


def test_getdel_and_getset(send: Peer, propagated: list[list[bytes]]) -> None:
    assert send("GETSET", "k", "1") == NULL
    assert send("GETSET", "k", "2") == bulk(b"1")
    assert send("GETDEL", "k") == bulk(b"2")
    assert send("GETDEL", "k") == NULL
    assert propagated == [[b"SET", b"k", b"1"], [b"SET", b"k", b"2"], [b"DEL", b"k"]]


class TestMany:
    def test_mget_has_nulls_for_what_is_no_string(self, send: Peer, server: Server, advance: Advance) -> None:
        send("MSET", "a", 1, "b", 2)
        send("APPEND", "b", 3)
        send("RPUSH", "l", "x")
        send("SET", "gone", "x", "PX", 1)
        advance(1)
        assert send("MGET", "a", "l", "b", "none", "gone") == b"*5\r\n$1\r\n1\r\n$-1\r\n$2\r\n23\r\n$-1\r\n$-1\r\n"
        assert (server.keyspace_hits, server.keyspace_misses) == (3, 2)

    def test_mset_counts_each_key(self, send: Peer, server: Server) -> None:
        assert send("MSET", "a", 1, "b", 2, "a", 3) == OK
        assert server.dirty == 3
        assert send("MSET", "a", 1, "b") == b"-ERR wrong number of arguments for 'mset' command\r\n"

    def test_msetnx_is_all_or_nothing(self, send: Peer) -> None:
        assert send("MSETNX", "a", 1, "b", 2) == b":1\r\n"
        assert send("MSETNX", "c", 1, "b", 2) == b":0\r\n"
        assert send("EXISTS", "c") == b":0\r\n"
        assert send("MSETNX", "a") == b"-ERR wrong number of arguments for 'msetnx' command\r\n"


class TestNumbers:
    def test_counting(self, send: Peer) -> None:
        assert send("INCR", "n") == b":1\r\n"
        assert send("INCRBY", "n", 9) == b":10\r\n"
        assert send("DECR", "n") == b":9\r\n"
        assert send("DECRBY", "n", 20) == b":-11\r\n"
        assert send("GET", "n") == bulk(b"-11")

    def test_the_expiry_stays(self, send: Peer) -> None:
        send("SET", "n", "5", "EX", 10)
        send("INCR", "n")
        assert send("TTL", "n") == b":10\r\n"

    @pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "01", "-0", "1.0", "9223372036854775808", "x"])
    def test_not_an_integer(self, send: Peer, text: str) -> None:
        send("SET", "n", text)
        assert send("INCR", "n") == NOT_INTEGER
        assert send("INCRBY", "m", text) == NOT_INTEGER

    def test_overflow(self, send: Peer) -> None:
        overflow = b"-ERR increment or decrement would overflow\r\n"
        send("SET", "n", 2**63 - 1)
        assert send("INCR", "n") == overflow
        send("SET", "n", -(2**63))
        assert send("DECR", "n") == overflow
        assert send("INCRBY", "n", -(2**63)) == overflow
        assert send("DECRBY", "n", -(2**63)) == b"-ERR decrement would overflow\r\n"
        assert send("DECRBY", "n", -(2**63) + 1) == b":-1\r\n"

    def test_in_place_values_count_too(self, send: Peer) -> None:
        send("SET", "n", 1)
        send("APPEND", "n", 2)
        assert send("INCR", "n") == b":13\r\n"
        assert send("OBJECT", "ENCODING", "n") == bulk(b"int")

    def test_floats(self, send: Peer, propagated: list[list[bytes]]) -> None:
        assert send("INCRBYFLOAT", "f", "10.50") == bulk(b"10.5")
        assert send("INCRBYFLOAT", "f", "0.1") == bulk(b"10.6")
        assert send("INCRBYFLOAT", "f", "-0.6") == bulk(b"10")
        assert propagated[-1] == [b"SET", b"f", b"10", b"KEEPTTL"]
        assert send("OBJECT", "ENCODING", "f") == bulk(b"embstr")
        assert send("INCRBYFLOAT", "f", "inf") == b"-ERR increment would produce NaN or Infinity\r\n"
        assert send("INCRBYFLOAT", "f", "x") == b"-ERR value is not a valid float\r\n"
        assert send("INCR", "f") == b":11\r\n"


class TestRanges:
    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (0, 3, b"This"),
            (-3, -1, b"ing"),
            (0, -1, b"This is a string"),
            (10, 100, b"string"),
            (-100, 3, b"This"),
            (5, 4, b""),
            (-1, -5, b""),
            (16, 20, b""),
            (0, -100, b"T"),
        ],
    )
    def test_getrange(self, send: Peer, start: int, end: int, expected: bytes) -> None:
        send("SET", "k", "This is a string")
        assert send("GETRANGE", "k", start, end) == bulk(expected)
        assert send("SUBSTR", "k", start, end) == bulk(expected)
        assert send("GETRANGE", "none", start, end) == bulk(b"")

    def test_setrange(self, send: Peer, server: Server) -> None:
        assert send("SETRANGE", "k", 0, "") == b":0\r\n"
        assert send("EXISTS", "k") == b":0\r\n"
        assert send("SETRANGE", "k", 3, "abc") == b":6\r\n"
        assert send("SETRANGE", "k", 1, "xy") == b":6\r\n"
        assert send("GET", "k") == bulk(b"\0xyabc")
        assert send("SETRANGE", "k", 0, "") == b":6\r\n"
        assert server.dirty == 2
        assert send("OBJECT", "ENCODING", "k") == bulk(b"raw")

    def test_setrange_refuses(self, send: Peer) -> None:
        too_long = b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
        assert send("SETRANGE", "k", -1, "x") == b"-ERR offset is out of range\r\n"
        assert send("SETRANGE", "k", 512 * 1024 * 1024, "x") == too_long
        send("RPUSH", "l", "x")
        assert send("SETRANGE", "l", 0, "") == WRONG_TYPE

    def test_append(self, send: Peer, server: Server) -> None:
        assert send("APPEND", "k", "5") == b":1\r\n"
        assert send("OBJECT", "ENCODING", "k") == bulk(b"int")
        assert send("APPEND", "k", "") == b":1\r\n"
        assert send("OBJECT", "ENCODING", "k") == bulk(b"raw")
        assert send("APPEND", "k", "67") == b":3\r\n"
        assert send("STRLEN", "k") == b":3\r\n"
        server.config.proto_max_bulk_len = 3
        too_long = b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
        assert send("APPEND", "k", "8") == too_long

    def test_big_values_are_edited_in_place(self, send: Peer, server: Server) -> None:
        send("SETRANGE", "k", 1_000_000, "x")
        value = server.databases[0].data[b"k"]
        send("APPEND", "k", "y")
        send("SETRANGE", "k", 10, "z")
        send("SETBIT", "k", 7, 1)
        assert server.databases[0].data[b"k"] is value
        assert len(value) == 1_000_002
        send("COPY", "k", "copy")
        assert server.databases[0].data[b"copy"] == value
        assert server.databases[0].data[b"copy"] is not value


class TestLcs:
    @pytest.fixture(autouse=True)
    def texts(self, send: Peer) -> None:
        send("MSET", "a", "ohmytext", "b", "mynewtext")

    def test_text_and_length(self, send: Peer) -> None:
        assert send("LCS", "a", "b") == bulk(b"mytext")
        assert send("LCS", "a", "b", "LEN") == b":6\r\n"
        assert send("LCS", "a", "none") == bulk(b"")

    def test_indexes(self, send: Peer) -> None:
        header = b"*4\r\n$7\r\nmatches\r\n"
        last = b"*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n"
        first = b"*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n"
        assert send("LCS", "a", "b", "IDX") == header + b"*2\r\n" + last + first + b"$3\r\nlen\r\n:6\r\n"
        assert (
            send("LCS", "a", "b", "IDX", "MINMATCHLEN", 4, "WITHMATCHLEN")
            == header + b"*1\r\n*3\r\n" + last[4:] + b":4\r\n$3\r\nlen\r\n:6\r\n"
        )

    def test_refusals(self, send: Peer, server: Server) -> None:
        send("RPUSH", "l", "x")
        assert send("LCS", "l", "b", "NOPE") == b"-ERR The specified keys must contain string values\r\n"
        assert send("LCS", "a", "b", "NOPE") == SYNTAX
        assert send("LCS", "a", "b", "IDX", "LEN") == (
            b"-ERR If you want both the length and indexes, please just use IDX.\r\n"
        )
        server.config.proto_max_bulk_len = 359
        assert send("LCS", "a", "b") == (
            b"-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n"
        )
