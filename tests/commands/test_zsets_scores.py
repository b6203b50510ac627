"""Sorted-set commands that name members: replies, errors and their order, encodings, events, propagation."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, encoding
from .replies import SYNTAX, WRONGTYPE

NOT_FLOAT = b"-ERR value is not a valid float\r\n"
NX_XX = b"-ERR XX and NX options at the same time are not compatible\r\n"
GT_LT_NX = b"-ERR GT, LT, and/or NX options at the same time are not compatible\r\n"
INCR_OF_MANY = b"-ERR INCR option supports a single increment-element pair\r\n"
NOT_A_NUMBER = b"-ERR resulting score is not a number (NaN)\r\n"

Propagated = list[list[bytes]]


# --- ZADD -----------------------------------------------------------------------------------------


def test_zadd_single(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert send("ZADD", "z", "1", "a") == b":1\r\n"
    assert send("ZADD", "z", "1", "a") == b":0\r\n"
    assert send("ZADD", "z", "1.0", "a") == b":0\r\n"
    assert send("ZADD", "z", "-inf", "a") == b":0\r\n"
    assert send("ZSCORE", "z", "a") == b"$4\r\n-inf\r\n"
    assert events == [(b"zadd", b"z")] * 2
    assert server.dirty == 2
    assert propagated == [[b"ZADD", b"z", b"1", b"a"], [b"ZADD", b"z", b"-inf", b"a"]]


def test_zadd_many(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert send("ZADD", "z", "1", "a", "2", "b", "3", "a") == b":2\r\n"
    assert send("ZADD", "z", "3", "a", "2", "b") == b":0\r\n"
    assert send("ZADD", "z", "CH", "4", "a", "2", "b", "1", "c") == b":2\r\n"
    assert (
        send("ZRANGE", "z", "0", "-1", "WITHSCORES")
        == b"*6\r\n$1\r\nc\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n4\r\n"
    )
    assert events == [(b"zadd", b"z")] * 2
    assert server.dirty == 3 + 2
    assert len(propagated) == 2


@pytest.mark.parametrize(
    ("options", "reply", "score"),
    [
        (("NX",), b":0\r\n", b"5"),
        (("XX",), b":0\r\n", b"7"),
        (("XX", "CH"), b":1\r\n", b"7"),
        (("GT", "CH"), b":1\r\n", b"7"),
        (("LT", "CH"), b":0\r\n", b"5"),
        (("lt", "xx", "ch"), b":0\r\n", b"5"),
        (("INCR",), b"$2\r\n12\r\n", b"12"),
        (("INCR", "NX"), b"$-1\r\n", b"5"),
        (("INCR", "XX", "GT"), b"$2\r\n12\r\n", b"12"),
        (("INCR", "LT"), b"$-1\r\n", b"5"),
    ],
)
def test_zadd_options_on_a_member(send: Peer, options: tuple[str, ...], reply: bytes, score: bytes) -> None:
    send("ZADD", "z", "5", "m")
    assert send("ZADD", "z", *options, "7", "m") == reply
    assert send("ZSCORE", "z", "m") == b"$%d\r\n%b\r\n" % (len(score), score)


@pytest.mark.parametrize(
    ("options", "reply", "there"),
    [
        (("NX",), b":1\r\n", True), (("GT",), b":1\r\n", True), (("LT", "CH"), b":1\r\n", True),
        (("XX",), b":0\r\n", False), (("XX", "INCR"), b"$-1\r\n", False), (("NX", "INCR"), b"$1\r\n7\r\n", True),
        (("GT", "INCR"), b"$1\r\n7\r\n", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["z", "missing"])
def test_zadd_options_on_a_new_member(
    send: Peer, server: Server, key: str, options: tuple[str, ...], reply: bytes, there: bool
) -> None:
    send("ZADD", "z", "5", "other")
    assert send("ZADD", key, *options, "7", "m") == reply
    assert send("ZSCORE", key, "m") == (b"$1\r\n7\r\n" if there else b"$-1\r\n")
    assert there or b"missing" not in server.databases[0]


def test_zadd_equal_scores_with_gt_and_lt(send: Peer, server: Server) -> None:
    send("ZADD", "z", "5", "m")
    dirty = server.dirty
    assert send("ZADD", "z", "GT", "CH", "5", "m") == b":0\r\n"
    assert send("ZADD", "z", "INCR", "0", "m") == b"$1\r\n5\r\n"
    assert send("ZADD", "z", "INCR", "GT", "0", "m") == b"$-1\r\n"
    assert server.dirty == dirty


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("x", "m"), NOT_FLOAT),
        (("nan", "m"), NOT_FLOAT),
        (("", "m"), NOT_FLOAT),
        ((" 1", "m"), NOT_FLOAT),
        (("1" * 400, "m"), NOT_FLOAT),
        (("nx", "m"), SYNTAX),
        (("1", "m", "2"), SYNTAX),
        (("NX", "XX"), SYNTAX),
        (("NX", "XX", "1"), SYNTAX),
        (("NX", "XX", "x", "m"), NX_XX),
        (("NX", "GT", "x", "m"), GT_LT_NX),
        (("NX", "LT", "1", "m"), GT_LT_NX),
        (("GT", "LT", "1", "m"), GT_LT_NX),
        (("NX", "XX", "GT", "1", "m"), NX_XX),
        (("INCR", "x", "m", "2", "n"), INCR_OF_MANY),
        (("1", "m", "x", "n"), NOT_FLOAT),
        (("1", "NX", "2", "m", "XX", "n"), NOT_FLOAT),
        (("INCR", "-inf", "infinite"), NOT_A_NUMBER),
        (("XX", "LT", "INCR", "-inf", "infinite"), NOT_A_NUMBER),
    ],
)
def test_zadd_refusals(send: Peer, server: Server, words: tuple[str, ...], error: bytes) -> None:
    send("ZADD", "z", "inf", "infinite")
    dirty = server.dirty
    assert send("ZADD", "z", *words) == error
    assert server.dirty == dirty
    assert send("ZCARD", "z") == b":1\r\n"


def test_zadd_refuses_before_it_looks(send: Peer) -> None:
    send("SET", "x", "string")
    assert send("ZADD", "x", "y", "m") == NOT_FLOAT
    assert send("ZADD", "x", "1", "m") == WRONGTYPE
    assert send("ZADD", "x", "XX", "1", "m") == WRONGTYPE
    assert send("ZINCRBY", "x", "y", "m") == NOT_FLOAT
    assert send("ZINCRBY", "x", "1", "m") == WRONGTYPE


def test_zadd_scores(send: Peer) -> None:
    for text, score in (
        ("0x1p4", b"16"),
        ("1e3", b"1000"),
        ("+5", b"5"),
        ("0.1", b"0.1"),
        ("inf", b"inf"),
        ("007", b"7"),
    ):
        send("ZADD", "z", text, "m")
        assert send("ZSCORE", "z", "m") == b"$%d\r\n%b\r\n" % (len(score), score)


def test_zadd_encodings(send: Peer, server: Server) -> None:
    send("ZADD", "z", *(word for number in range(128) for word in (number, f"m{number}")))
    assert encoding(server, b"z") == b"listpack"
    send("ZADD", "z", "1", "one more")
    assert encoding(server, b"z") == b"skiplist"
    send("ZADD", "long", "1", "x" * 65)
    assert encoding(server, b"long") == b"skiplist"
    send("ZADD", "many", *["1", "same"] * 129)
    assert encoding(server, b"many") == b"skiplist"
    send("ZADD", "first", "1", "x" * 65, "1", "y")
    assert encoding(server, b"first") == b"skiplist"
    send("ZADD", "grown", "1", "m")
    send("ZADD", "grown", *["1", "m"] * 129)
    assert encoding(server, b"grown") == b"skiplist"
    send("ZADD", "z2", "1", "m")
    send("ZADD", "z3", "1", "m")
    server.thresholds.zset_max_listpack_entries = 0
    assert send("ZADD", "z2", "1", "m") == b":0\r\n"
    assert send("ZINCRBY", "z3", "0", "m") == b"$1\r\n1\r\n"
    assert encoding(server, b"z2") == encoding(server, b"z3") == b"skiplist"


def test_negative_zero(send: Peer) -> None:
    assert send("ZINCRBY", "small", "-0", "m") == b"$2\r\n-0\r\n"
    assert send("ZSCORE", "small", "m") == b"$1\r\n0\r\n"
    send("ZADD", "large", "-0", "x" * 65)
    assert send("ZSCORE", "large", "x" * 65) == b"$2\r\n-0\r\n"
    assert send("ZADD", "large", "CH", "0", "x" * 65) == b":0\r\n"
    assert send("ZSCORE", "large", "x" * 65) == b"$2\r\n-0\r\n"


# --- ZINCRBY, ZREM --------------------------------------------------------------------------------


def test_zincrby(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert send("ZINCRBY", "z", "1.5", "m") == b"$3\r\n1.5\r\n"
    assert send("ZINCRBY", "z", "-3", "m") == b"$4\r\n-1.5\r\n"
    assert send("ZINCRBY", "z", "0", "m") == b"$4\r\n-1.5\r\n"
    assert send("ZINCRBY", "z", "+inf", "m") == b"$3\r\ninf\r\n"
    assert send("ZINCRBY", "z", "-inf", "m") == NOT_A_NUMBER
    assert send("ZINCRBY", "z", "nx", "m") == SYNTAX
    assert send("ZADD", "z", "INCR", "1", "n") == b"$1\r\n1\r\n"
    assert events == [(b"zincr", b"z")] * 4
    assert server.dirty == 4
    assert propagated[0] == [b"ZINCRBY", b"z", b"1.5", b"m"]
    assert propagated[3] == [b"ZADD", b"z", b"INCR", b"1", b"n"]
    send("HELLO", "3")
    assert send("ZINCRBY", "z", "1", "n") == b",2\r\n"
    assert send("ZADD", "z", "XX", "INCR", "1", "nobody") == b"_\r\n"


def test_zincrby_keeps_the_order(send: Peer) -> None:
    send("ZADD", "z", "1", "a", "2", "b", "3", "c")
    send("ZINCRBY", "z", "1.5", "a")
    assert send("ZRANGE", "z", "0", "-1") == b"*3\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nc\r\n"
    send("ZINCRBY", "z", "0.25", "a")
    assert send("ZRANGE", "z", "0", "-1") == b"*3\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nc\r\n"
    send("ZINCRBY", "z", "-1", "c")
    assert send("ZRANGE", "z", "0", "-1") == b"*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n"


def test_zrem(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    send("ZADD", "z", "1", "a", "2", "b", "3", "c")
    dirty = server.dirty
    assert send("ZREM", "z", "nobody") == b":0\r\n"
    assert send("ZREM", "z", "a", "nobody", "b", "a") == b":2\r\n"
    assert server.dirty == dirty + 2
    assert send("ZREM", "z", "c", "d") == b":1\r\n"
    assert b"z" not in server.databases[0]
    assert events[1:] == [(b"zrem", b"z"), (b"zrem", b"z"), (b"del", b"z")]
    assert propagated[1:] == [[b"ZREM", b"z", b"a", b"nobody", b"b", b"a"], [b"ZREM", b"z", b"c", b"d"]]
    assert send("ZREM", "z", "a") == b":0\r\n"


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("ZREM", "x", "m"), ("ZCARD", "x"), ("ZSCORE", "x", "m"), ("ZMSCORE", "x", "m"), ("ZRANK", "x", "m"),
        ("ZREVRANK", "x", "m", "WITHSCORE"), ("ZRANDMEMBER", "x"), ("ZRANDMEMBER", "x", "0"),
    ],
)  # fmt: skip
def test_wrong_type(send: Peer, words: tuple[str, ...]) -> None:
    send("SADD", "x", "m")
    assert send(*words) == WRONGTYPE


def test_scores(send: Peer) -> None:
    send("ZADD", "z", "1.5", "a", "2", "b")
    assert send("ZCARD", "z") == b":2\r\n"
    assert send("ZCARD", "missing") == b":0\r\n"
    assert send("ZSCORE", "z", "a") == b"$3\r\n1.5\r\n"
    assert send("ZSCORE", "z", "c") == send("ZSCORE", "missing", "c") == b"$-1\r\n"
    assert send("ZMSCORE", "z", "a", "c", "b") == b"*3\r\n$3\r\n1.5\r\n$-1\r\n$1\r\n2\r\n"
    assert send("ZMSCORE", "missing", "a", "c") == b"*2\r\n$-1\r\n$-1\r\n"
    send("HELLO", "3")
    assert send("ZSCORE", "z", "a") == b",1.5\r\n"
    assert send("ZSCORE", "z", "c") == b"_\r\n"
    assert send("ZMSCORE", "z", "a", "c", "b") == b"*3\r\n,1.5\r\n_\r\n,2\r\n"


@pytest.mark.parametrize("entries", [128, 0])
def test_ranks(send: Peer, server: Server, entries: int) -> None:
    server.thresholds.zset_max_listpack_entries = entries
    send("ZADD", "z", "1.5", "a", "2", "b", "2", "c")
    assert [send("ZRANK", "z", member) for member in "abc"] == [b":0\r\n", b":1\r\n", b":2\r\n"]
    assert [send("ZREVRANK", "z", member) for member in "abc"] == [b":2\r\n", b":1\r\n", b":0\r\n"]
    assert send("ZRANK", "z", "b", "withscore") == b"*2\r\n:1\r\n$1\r\n2\r\n"
    assert send("ZREVRANK", "z", "a", "WITHSCORE") == b"*2\r\n:2\r\n$3\r\n1.5\r\n"
    assert send("ZRANK", "z", "d") == send("ZRANK", "missing", "d") == b"$-1\r\n"
    assert send("ZRANK", "z", "d", "WITHSCORE") == send("ZREVRANK", "missing", "d", "WITHSCORE") == b"*-1\r\n"
    assert send("ZRANK", "z", "a", "WITHSCORES") == SYNTAX
    assert send("ZRANK", "z", "a", "b", "c") == b"-ERR wrong number of arguments for 'zrank' command\r\n"
    assert send("ZREVRANK", "z", "a", "b", "c") == b"-ERR wrong number of arguments for 'zrevrank' command\r\n"
    send("HELLO", "3")
    assert send("ZRANK", "z", "a", "WITHSCORE") == b"*2\r\n:0\r\n,1.5\r\n"
    assert send("ZRANK", "z", "d", "WITHSCORE") == b"_\r\n"


@pytest.mark.parametrize("entries", [128, 0])
def test_zrandmember(send: Peer, server: Server, entries: int) -> None:
    server.thresholds.zset_max_listpack_entries = entries
    assert send("ZRANDMEMBER", "z") == b"$-1\r\n"
    assert send("ZRANDMEMBER", "z", "3") == send("ZRANDMEMBER", "z", "-3", "WITHSCORES") == b"*0\r\n"
    send("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d")
    assert send("ZRANDMEMBER", "z") in {b"$1\r\n%b\r\n" % name for name in (b"a", b"b", b"c", b"d")}
    assert send("ZRANDMEMBER", "z", "0") == b"*0\r\n"
    assert send("ZRANDMEMBER", "z", "-7").startswith(b"*7\r\n")
    assert len(set(send("ZRANDMEMBER", "z", "3").split(b"\r\n")[2::2])) == 3
    assert send("ZRANDMEMBER", "z", "9") == b"*4\r\n$1\r\nd\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n"
    assert send("ZRANDMEMBER", "z", "4", "withscores").startswith(b"*8\r\n$1\r\nd\r\n$1\r\n4\r\n")
    send("HELLO", "3")
    assert send("ZRANDMEMBER", "z", "4", "WITHSCORES").startswith(b"*4\r\n*2\r\n$1\r\nd\r\n,4\r\n*2\r\n")


def test_zrandmember_refusals(send: Peer) -> None:
    assert send("ZRANDMEMBER", "z", "x", "y") == b"-ERR value is not an integer or out of range\r\n"
    least, most = -(2**63), 2**63 - 1
    bounds = b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n"
    assert send("ZRANDMEMBER", "z", least) == bounds
    assert send("ZRANDMEMBER", "z", "1", "SCORES") == SYNTAX
    assert send("ZRANDMEMBER", "z", "1", "WITHSCORES", "x") == SYNTAX
    assert send("ZRANDMEMBER", "z", most, "WITHSCORES") == b"-ERR value is out of range\r\n"
    assert send("ZRANDMEMBER", "z", most) == b"*0\r\n"


def test_zscan(send: Peer, server: Server) -> None:
    send("ZADD", "z", "2.5", "b", "1", "a")
    assert send("ZSCAN", "z", "0") == b"*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n"
    server.thresholds.zset_max_listpack_entries = 0
    send("ZADD", "big", *(word for number in range(100) for word in (number, f"m{number}")))
    cursor, seen = b"0", set[bytes]()
    while True:
        words = send("ZSCAN", "big", cursor, "COUNT", "9").split(b"\r\n")
        cursor = words[2]
        seen.update(words[5:-1:4])
        if cursor == b"0":
            break
    assert seen == {b"m%d" % number for number in range(100)}


def test_an_expired_sorted_set_is_gone(send: Peer, server: Server, advance: object) -> None:
    send("ZADD", "z", "5", "m")
    send("PEXPIRE", "z", "10")
    advance(1)  # type: ignore[operator]
    assert send("ZSCORE", "z", "m") == b"$-1\r\n"
    assert send("ZINCRBY", "z", "1", "m") == b"$1\r\n1\r\n"
    assert send("TTL", "z") == b":-1\r\n"
