"""List commands that do not block: replies, encodings, events, propagation."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, encoding
from .replies import NOT_INTEGER, NUMKEYS, SYNTAX, WRONGTYPE

POSITIVE = b"-ERR value is out of range, must be positive\r\n"
COUNT = b"-ERR count should be greater than 0\r\n"


def array(*values: str) -> bytes:
    return b"*%d\r\n" % len(values) + b"".join(b"$%d\r\n%b\r\n" % (len(v), v.encode()) for v in values)


def content(send: Peer, key: str = "l") -> list[bytes]:
    return send("LRANGE", key, "0", "-1").split(b"\r\n")[2::2]


def test_push_and_pop(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    assert send("RPUSH", "l", "a", "b") == b":2\r\n"
    assert send("LPUSH", "l", "c", "d") == b":4\r\n"
    assert content(send) == [b"d", b"c", b"a", b"b"]
    assert send("LPOP", "l") == b"$1\r\nd\r\n"
    assert send("RPOP", "l") == b"$1\r\nb\r\n"
    assert events == [(b"rpush", b"l"), (b"lpush", b"l"), (b"lpop", b"l"), (b"rpop", b"l")]
    assert propagated[2:] == [[b"LPOP", b"l"], [b"RPOP", b"l"]]
    assert server.dirty == 6


def test_pushx_needs_the_key(send: Peer) -> None:
    assert send("LPUSHX", "l", "a") == send("RPUSHX", "l", "a") == b":0\r\n"
    send("RPUSH", "l", "a")
    assert send("LPUSHX", "l", "b", "c") == b":3\r\n"
    assert send("RPUSHX", "l", "d") == b":4\r\n"
    assert content(send) == [b"c", b"b", b"a", b"d"]


def test_pop_with_count(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    send("RPUSH", "l", "a", "b", "c", "d", "e")
    assert send("LPOP", "l", "2") == array("a", "b")
    assert send("RPOP", "l", "2") == array("e", "d")
    assert send("LPOP", "l", "0") == b"*0\r\n"
    assert send("RPOP", "l", "9") == array("c")
    assert events[1:] == [(b"lpop", b"l"), (b"rpop", b"l"), (b"rpop", b"l"), (b"del", b"l")]
    assert propagated[1:] == [[b"LPOP", b"l", b"2"], [b"RPOP", b"l", b"2"], [b"RPOP", b"l", b"9"]]
    assert server.dirty == 10
    assert b"l" not in server.databases[0]


def test_pop_of_nothing(send: Peer) -> None:
    assert send("LPOP", "l") == b"$-1\r\n"
    assert send("LPOP", "l", "0") == send("RPOP", "l", "1") == b"*-1\r\n"
    assert send("LPOP", "l", "-1") == send("RPOP", "l", "x") == POSITIVE
    assert send("LPOP", "l", "1", "2") == b"-ERR wrong number of arguments for 'lpop' command\r\n"
    assert send("RPOP", "l", "1", "2") == b"-ERR wrong number of arguments for 'rpop' command\r\n"


@pytest.mark.parametrize("command", ["LPOP", "RPOP"])
def test_popping_the_last_one_removes_the_key(send: Peer, server: Server, events: Events, command: str) -> None:
    server.thresholds.list_max_listpack_size = 1
    send("RPUSH", "l", "a", "b")
    assert encoding(server, b"l") == b"quicklist"
    send(command, "l")
    send(command, "l")
    assert b"l" not in server.databases[0]
    assert events[-1] == (b"del", b"l")


@pytest.mark.parametrize(
    "words",
    [
        ("LPUSH", "x", "a"), ("RPUSH", "x", "a"), ("LPUSHX", "x", "a"), ("RPUSHX", "x", "a"), ("LPOP", "x"),
        ("RPOP", "x", "1"), ("LINSERT", "x", "BEFORE", "a", "b"), ("LSET", "x", "y", "a"), ("LREM", "x", "0", "a"),
        ("LTRIM", "x", "0", "1"), ("LRANGE", "x", "0", "1"), ("LLEN", "x"), ("LINDEX", "x", "y"), ("LPOS", "x", "a"),
        ("LMOVE", "x", "l", "LEFT", "LEFT"), ("LMOVE", "l", "x", "LEFT", "LEFT"), ("RPOPLPUSH", "l", "x"),
        ("LMPOP", "2", "nokey", "x", "LEFT"),
    ],
)  # fmt: skip
def test_wrong_type(send: Peer, words: tuple[str, ...]) -> None:
    send("SET", "x", "string")
    send("RPUSH", "l", "a")
    assert send(*words) == WRONGTYPE
    assert content(send) == [b"a"]


def test_encoding_follows_the_threshold(send: Peer, server: Server) -> None:
    server.thresholds.list_max_listpack_size = 4
    send("RPUSH", "l", "a", "b", "c", "d")
    assert encoding(server, b"l") == b"listpack"
    send("LPUSH", "l", "e")
    assert encoding(server, b"l") == b"quicklist"
    send("RPOP", "l")
    send("RPOP", "l", "2")
    assert encoding(server, b"l") == b"quicklist"
    send("LPOP", "l")
    assert encoding(server, b"l") == b"listpack"


def test_a_failed_insert_or_set_converts_all_the_same(send: Peer, server: Server) -> None:
    send("RPUSH", "l", "a")
    assert send("LINSERT", "l", "AFTER", "nothing", "x" * 8192) == b":-1\r\n"
    assert encoding(server, b"l") == b"quicklist"
    send("RPUSH", "m", "a")
    assert send("LSET", "m", "5", "x" * 8192) == b"-ERR index out of range\r\n"
    assert encoding(server, b"m") == b"quicklist"


def test_rotating_a_list_does_not_convert_it(send: Peer, server: Server) -> None:
    server.thresholds.list_max_listpack_size = 6
    send("RPUSH", "l", *"abcdefg")
    send("RPOP", "l", "3")
    assert encoding(server, b"l") == b"quicklist"
    send("LMOVE", "l", "l", "LEFT", "RIGHT")
    assert encoding(server, b"l") == b"quicklist"
    assert content(send) == [b"b", b"c", b"d", b"a"]


# --- in the middle --------------------------------------------------------------------------------


def test_linsert(send: Peer, server: Server, events: Events) -> None:
    assert send("LINSERT", "l", "BEFORE", "a", "x") == b":0\r\n"
    assert send("LINSERT", "l", "BESIDE", "a", "x") == SYNTAX
    send("RPUSH", "l", "a", "b", "a")
    assert send("LINSERT", "l", "before", "a", "x") == b":4\r\n"
    assert send("LINSERT", "l", "After", "a", "y") == b":5\r\n"
    assert send("LINSERT", "l", "AFTER", "nothing", "z") == b":-1\r\n"
    assert content(send) == [b"x", b"a", b"y", b"b", b"a"]
    assert events[1:] == [(b"linsert", b"l")] * 2
    assert server.dirty == 5


def test_lset(send: Peer, server: Server, events: Events) -> None:
    assert send("LSET", "l", "0", "x") == b"-ERR no such key\r\n"
    send("RPUSH", "l", "a", "b", "c")
    assert send("LSET", "l", "0", "x") == send("LSET", "l", "-1", "z") == b"+OK\r\n"
    assert send("LSET", "l", "3", "y") == send("LSET", "l", "-4", "y") == b"-ERR index out of range\r\n"
    assert send("LSET", "l", "x", "y") == NOT_INTEGER
    assert content(send) == [b"x", b"b", b"z"]
    assert send("LSET", "l", 1 << 32, "wrapped") == b"+OK\r\n"
    assert send("LINDEX", "l", "0") == b"$7\r\nwrapped\r\n"
    assert events[1:] == [(b"lset", b"l")] * 3
    assert server.dirty == 6


def test_lindex_and_llen(send: Peer) -> None:
    assert send("LINDEX", "l", "0") == b"$-1\r\n"
    assert send("LLEN", "l") == b":0\r\n"
    send("RPUSH", "l", "a", "b", "c")
    assert send("LINDEX", "l", "1") == send("LINDEX", "l", "-2") == b"$1\r\nb\r\n"
    assert send("LINDEX", "l", "3") == send("LINDEX", "l", "-4") == b"$-1\r\n"
    assert send("LINDEX", "l", "x") == NOT_INTEGER
    assert send("LLEN", "l") == b":3\r\n"


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (0, -1, "abcde"), (0, 100, "abcde"), (-100, 100, "abcde"), (1, 3, "bcd"), (-2, -1, "de"), (3, 1, ""),
        (5, 9, ""), (-3, 2, "c"), (0, -6, ""), (4, 4, "e"), (0, 0, "a"),
    ],
)  # fmt: skip
def test_lrange_and_ltrim(send: Peer, server: Server, events: Events, start: int, stop: int, expected: str) -> None:
    assert send("LTRIM", "l", start, stop) == b"+OK\r\n"
    send("RPUSH", "l", *"abcde")
    assert send("LRANGE", "l", start, stop) == array(*expected)
    dirty = server.dirty
    assert send("LTRIM", "l", start, stop) == b"+OK\r\n"
    assert send("LRANGE", "l", "0", "-1") == array(*expected)
    assert server.dirty == dirty + 5 - len(expected)
    assert events[1:] == [(b"ltrim", b"l")] + [(b"del", b"l")] * (not expected)


def test_ltrim_that_removes_nothing_is_not_propagated(send: Peer, propagated: list[list[bytes]]) -> None:
    send("RPUSH", "l", "a", "b")
    send("LTRIM", "l", "0", "-1")
    assert len(propagated) == 1
    send("LTRIM", "l", "1", "-1")
    assert propagated[1:] == [[b"LTRIM", b"l", b"1", b"-1"]]


def test_ranges_want_integers(send: Peer) -> None:
    assert send("LRANGE", "l", "x", "1") == send("LTRIM", "l", "1", "x") == NOT_INTEGER
    assert send("LRANGE", "l", "0", "1") == b"*0\r\n"


def test_lrem(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    assert send("LREM", "l", "0", "a") == b":0\r\n"
    assert send("LREM", "l", "x", "a") == NOT_INTEGER
    send("RPUSH", "l", *"abacad")
    assert send("LREM", "l", "1", "a") == b":1\r\n"
    assert content(send) == [b"b", b"a", b"c", b"a", b"d"]
    assert send("LREM", "l", "-1", "a") == b":1\r\n"
    assert content(send) == [b"b", b"a", b"c", b"d"]
    assert send("LREM", "l", "0", "x") == b":0\r\n"
    assert send("LREM", "l", "-9", "a") == b":1\r\n"
    for name in "bcd":
        send("LREM", "l", "0", name)
    assert events[1:] == [(b"lrem", b"l")] * 6 + [(b"del", b"l")]
    assert server.dirty == 12
    assert len(propagated) == 7


def test_lpos(send: Peer) -> None:
    assert send("LPOS", "l", "a") == b"$-1\r\n"
    assert send("LPOS", "l", "a", "COUNT", "1") == b"*0\r\n"
    send("RPUSH", "l", *"abcabca")
    assert send("LPOS", "l", "a") == b":0\r\n"
    assert send("LPOS", "l", "x") == b"$-1\r\n"
    assert send("LPOS", "l", "a", "RANK", "2") == b":3\r\n"
    assert send("LPOS", "l", "a", "rank", "-1") == b":6\r\n"
    assert send("LPOS", "l", "a", "RANK", "-2", "COUNT", "0") == b"*2\r\n:3\r\n:0\r\n"
    assert send("LPOS", "l", "a", "COUNT", "2") == b"*2\r\n:0\r\n:3\r\n"
    assert send("LPOS", "l", "a", "COUNT", "0", "MAXLEN", "4") == b"*2\r\n:0\r\n:3\r\n"
    assert send("LPOS", "l", "a", "COUNT", "0", "MAXLEN", "4", "RANK", "-1") == b"*2\r\n:6\r\n:3\r\n"
    assert send("LPOS", "l", "c", "MAXLEN", "2") == b"$-1\r\n"
    assert send("LPOS", "l", "x", "COUNT", "0") == b"*0\r\n"


def test_lpos_arguments(send: Peer) -> None:
    assert send("LPOS", "l", "a", "RANK", "0") == (
        b"-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
        b"or use negative to start from the end of the list\r\n"
    )
    assert send("LPOS", "l", "a", "RANK", "x") == NOT_INTEGER
    assert send("LPOS", "l", "a", "RANK", "-9223372036854775808") == (
        b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n"
    )
    assert send("LPOS", "l", "a", "COUNT", "-1") == b"-ERR COUNT can't be negative\r\n"
    assert send("LPOS", "l", "a", "MAXLEN", "-1") == b"-ERR MAXLEN can't be negative\r\n"
    assert send("LPOS", "l", "a", "COUNT") == send("LPOS", "l", "a", "FIRST") == SYNTAX


# --- moving ---------------------------------------------------------------------------------------


def test_lmove(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    send("RPUSH", "l", "a", "b", "c")
    assert send("LMOVE", "l", "m", "LEFT", "RIGHT") == b"$1\r\na\r\n"
    assert send("LMOVE", "l", "m", "right", "left") == b"$1\r\nc\r\n"
    assert send("RPOPLPUSH", "l", "m") == b"$1\r\nb\r\n"
    assert content(send, "m") == [b"b", b"c", b"a"]
    assert events[1:] == [
        (b"rpush", b"m"), (b"lpop", b"l"), (b"lpush", b"m"), (b"rpop", b"l"), (b"lpush", b"m"), (b"rpop", b"l"),
        (b"del", b"l"),
    ]  # fmt: skip
    assert server.dirty == 6
    assert propagated[1:] == [
        [b"LMOVE", b"l", b"m", b"LEFT", b"RIGHT"],
        [b"LMOVE", b"l", b"m", b"right", b"left"],
        [b"RPOPLPUSH", b"l", b"m"],
    ]


def test_lmove_within_one_list(send: Peer) -> None:
    send("RPUSH", "l", "a", "b", "c")
    send("LMOVE", "l", "l", "LEFT", "RIGHT")
    assert content(send) == [b"b", b"c", b"a"]
    send("RPUSH", "one", "a")
    assert send("RPOPLPUSH", "one", "one") == b"$1\r\na\r\n"
    assert content(send, "one") == [b"a"]


def test_lmove_of_nothing(send: Peer) -> None:
    send("SET", "x", "string")
    assert send("LMOVE", "l", "x", "LEFT", "LEFT") == b"$-1\r\n"
    assert send("LMOVE", "l", "x", "UP", "LEFT") == send("LMOVE", "l", "x", "LEFT", "UP") == SYNTAX


def test_lmpop(send: Peer, server: Server, events: Events, propagated: list[list[bytes]]) -> None:
    assert send("LMPOP", "2", "k", "l", "LEFT") == b"*-1\r\n"
    send("RPUSH", "l", "a", "b", "c", "d")
    assert send("LMPOP", "2", "k", "l", "LEFT") == b"*2\r\n$1\r\nl\r\n" + array("a")
    assert send("LMPOP", "2", "k", "l", "RIGHT", "COUNT", "2") == b"*2\r\n$1\r\nl\r\n" + array("d", "c")
    assert send("LMPOP", "2", "k", "l", "left", "count", "9") == b"*2\r\n$1\r\nl\r\n" + array("b")
    assert propagated[1:] == [[b"LPOP", b"l", b"1"], [b"RPOP", b"l", b"2"], [b"LPOP", b"l", b"1"]]
    assert events[1:] == [(b"lpop", b"l"), (b"rpop", b"l"), (b"lpop", b"l"), (b"del", b"l")]
    assert server.dirty == 8


def test_lmpop_arguments(send: Peer) -> None:
    assert send("LMPOP", "0", "l", "LEFT") == send("LMPOP", "x", "l", "LEFT") == NUMKEYS
    assert send("LMPOP", "2", "l", "LEFT") == send("LMPOP", "1", "l", "UP") == SYNTAX
    assert send("LMPOP", "9223372036854775807", "l", "LEFT") == SYNTAX
    assert send("LMPOP", "1", "l", "LEFT", "COUNT") == SYNTAX
    assert send("LMPOP", "1", "l", "LEFT", "COUNT", "0") == send("LMPOP", "1", "l", "LEFT", "COUNT", "x") == COUNT
    assert send("LMPOP", "1", "l", "LEFT", "COUNT", "1", "COUNT", "1") == SYNTAX
