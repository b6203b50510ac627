"""Union, intersection and difference of sorted and plain sets."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, encoding
from .replies import NOT_INTEGER, SYNTAX, WRONGTYPE, array

NOT_FLOAT = b"-ERR weight value is not a float\r\n"

Propagated = list[list[bytes]]


@pytest.fixture
def filled(send: Peer) -> Peer:
    """x: a 1, b 2, c 3; y: b 10, c 20, d 30; the plain set s: c d; i: the infinities."""
    send("ZADD", "x", "1", "a", "2", "b", "3", "c")
    send("ZADD", "y", "10", "b", "20", "c", "30", "d")
    send("SADD", "s", "c", "d")
    send("ZADD", "i", "inf", "b", "-inf", "c")
    return send


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ZUNION 2 x y", "a 1 b 12 c 23 d 30"),
        ("ZUNION 2 x y WEIGHTS 2 0.5", "a 2 b 9 d 15 c 16"),
        ("ZUNION 2 x y AGGREGATE MIN", "a 1 b 2 c 3 d 30"),
        ("ZUNION 2 x y aggregate max weights 1 -1", "d -30 a 1 b 2 c 3"),
        ("ZUNION 3 x missing s", "a 1 d 1 b 2 c 4"),
        ("ZUNION 2 x x", "a 2 b 4 c 6"),
        ("ZUNION 1 s WEIGHTS 3", "c 3 d 3"),
        ("ZUNION 1 missing", ""),
        ("ZUNION 2 i i WEIGHTS 1 -1", "b 0 c 0"),
        ("ZUNION 1 i WEIGHTS 0", "b 0 c 0"),
        ("ZUNION 2 i x AGGREGATE MAX", "a 1 c 3 b inf"),
        ("ZINTER 2 x y", "b 12 c 23"),
        ("ZINTER 2 x y WEIGHTS 10 1 AGGREGATE MIN", "b 10 c 20"),
        ("ZINTER 3 x y s", "c 24"),
        ("ZINTER 2 s s WEIGHTS 2 3", "c 5 d 5"),
        ("ZINTER 2 x x AGGREGATE MAX", "a 1 b 2 c 3"),
        ("ZINTER 2 x missing", ""),
        ("ZINTER 2 i x WEIGHTS 0 1", "b 2 c 3"),
        ("ZINTER 2 i s WEIGHTS 0 2", "c 2"),
        ("ZDIFF 2 x y", "a 1"),
        ("ZDIFF 2 x s", "a 1 b 2"),
        ("ZDIFF 2 s x", "d 1"),
        ("ZDIFF 1 x", "a 1 b 2 c 3"),
        ("ZDIFF 3 x missing x", ""),
        ("ZDIFF 2 missing x", ""),
        ("ZDIFF 4 y missing s missing", "b 10"),
    ],
)
def test_results(filled: Peer, words: str, found: str) -> None:
    asked = words.split()
    assert filled(*asked, "WITHSCORES") == array(found)
    assert filled(*asked) == array(" ".join(found.split()[::2]))
    name, *rest = asked
    assert filled(f"{name}STORE", "d", *rest) == b":%d\r\n" % (len(found.split()) // 2)
    assert filled("ZRANGE", "d", "0", "-1", "WITHSCORES") == array(found)


def test_resp3(filled: Peer) -> None:
    filled("HELLO", "3")
    assert filled("ZINTER", "2", "x", "y", "WITHSCORES") == b"*2\r\n*2\r\n$1\r\nb\r\n,12\r\n*2\r\n$1\r\nc\r\n,23\r\n"
    assert filled("ZINTER", "2", "x", "y") == array("b c")


def test_sums_begin_with_the_smallest_set(send: Peer) -> None:
    """Sums of fractions depend on the order, which is that of the sizes."""
    send("ZADD", "large", "0.1", "m", "1", "p", "1", "q")
    send("ZADD", "middle", "0.7", "m", "1", "p")
    send("ZADD", "small", "0.2", "m")
    total = b"%d\r\n%b\r\n" % (len(repr(0.2 + 0.7 + 0.1)), repr(0.2 + 0.7 + 0.1).encode())
    for name in ("ZUNION", "ZINTER"):
        assert b"$1\r\nm\r\n$" + total in send(name, "3", "large", "middle", "small", "WITHSCORES")


def test_an_infinite_score_of_weight_zero_resets_an_intersection(send: Peer) -> None:
    """inf * 0 is not a number, which a sum turns to 0, what came before included (zunionInterAggregate)."""
    send("ZADD", "one", "5", "m")
    send("ZADD", "two", "inf", "m", "1", "n")
    assert send("ZINTER", "2", "one", "two", "WEIGHTS", "1", "0", "WITHSCORES") == array("m 0")
    assert send("ZINTER", "2", "one", "two", "WEIGHTS", "1", "0", "AGGREGATE", "MIN", "WITHSCORES") == array("m 5")
    assert send("ZUNION", "2", "one", "two", "WEIGHTS", "1", "0", "WITHSCORES") == array("n 0 m 5")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("2 x y", 2), ("2 x y LIMIT 1", 1), ("2 x y limit 0", 2), ("2 x y LIMIT 9", 2), ("3 x y s", 1),
        ("2 x missing", 0), ("1 x", 3), ("2 x x LIMIT 2 LIMIT 1", 1), ("1 s", 2),
    ],
)  # fmt: skip
def test_zintercard(filled: Peer, words: str, count: int) -> None:
    assert filled("ZINTERCARD", *words.split()) == b":%d\r\n" % count


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("ZUNION x x", NOT_INTEGER),
        ("ZUNION 0 x", b"-ERR at least 1 input key is needed for 'zunion' command\r\n"),
        ("ZUNIONSTORE d -1 x", b"-ERR at least 1 input key is needed for 'zunionstore' command\r\n"),
        ("ZINTERCARD 0 x", b"-ERR at least 1 input key is needed for 'zintercard' command\r\n"),
        ("ZUNION 2 x", SYNTAX),
        ("ZUNION 9 t", SYNTAX),
        ("ZUNION 2 x t WHAT", WRONGTYPE),
        ("ZUNIONSTORE t 2 x y WHAT", SYNTAX),
        ("ZUNION 2 x y WEIGHTS 1", SYNTAX),
        ("ZUNION 2 x y WEIGHTS 1 z", NOT_FLOAT),
        ("ZUNION 2 x y WEIGHTS nan 1", NOT_FLOAT),
        ("ZUNION 2 x y WEIGHTS 1 2 3", SYNTAX),
        ("ZUNION 2 x y AGGREGATE", SYNTAX),
        ("ZUNION 2 x y AGGREGATE avg", SYNTAX),
        ("ZUNIONSTORE d 2 x y WITHSCORES", SYNTAX),
        ("ZDIFF 2 x y WEIGHTS 1 2", SYNTAX),
        ("ZDIFF 2 x y AGGREGATE SUM", SYNTAX),
        ("ZDIFFSTORE d 2 x y WITHSCORES", SYNTAX),
        ("ZINTERCARD 2 x y WITHSCORES", SYNTAX),
        ("ZINTERCARD 2 x y LIMIT", SYNTAX),
        ("ZINTERCARD 2 x y LIMIT -1", b"-ERR LIMIT can't be negative\r\n"),
        ("ZINTERCARD 2 x y LIMIT z", b"-ERR LIMIT can't be negative\r\n"),
        ("ZUNION 2 x y LIMIT 1", SYNTAX),
    ],
)
def test_refusals(filled: Peer, words: str, error: bytes) -> None:
    filled("SET", "t", "text")
    assert filled(*words.split()) == error


@pytest.mark.parametrize("name", ["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"])
def test_storing(filled: Peer, server: Server, events: Events, propagated: Propagated, name: str) -> None:
    filled("SET", "d", "text", "EX", "100")
    del events[:], propagated[:]
    dirty = server.dirty
    assert filled(name, "d", "2", "x", "s") == {"ZUNIONSTORE": b":4\r\n", "ZINTERSTORE": b":1\r\n"}.get(name, b":2\r\n")
    assert filled("TTL", "d") == b":-1\r\n"
    assert filled(name, "d", "2", "missing", "nothing") == b":0\r\n"
    assert b"d" not in server.databases[0]
    assert filled(name, "d", "2", "missing", "nothing") == b":0\r\n"
    assert events == [(name.lower().encode(), b"d"), (b"del", b"d")]
    assert server.dirty == dirty + 2
    assert propagated == [
        [name.encode(), b"d", b"2", b"x", b"s"],
        [name.encode(), b"d", b"2", b"missing", b"nothing"],
    ]


@pytest.mark.parametrize("name", ["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"])
def test_the_result_is_a_value_of_its_own(filled: Peer, name: str) -> None:
    filled(name, "d", "1", "x")
    filled("ZADD", "d", "9", "new")
    assert filled("ZRANGE", "x", "0", "-1") == array("a b c")
    assert filled(name, "x", "1", "x") == b":3\r\n"
    assert filled("ZRANGE", "d", "0", "-1") == array("a b c new")


def test_encodings(filled: Peer, server: Server) -> None:
    filled("ZADD", "long", "1", "x" * 65, "1", "a")
    filled("ZUNIONSTORE", "d", "2", "x", "long")
    assert encoding(server, b"d") == b"skiplist"
    filled("ZINTERSTORE", "d", "2", "x", "long")
    assert encoding(server, b"d") == b"listpack"
    filled("ZDIFFSTORE", "d", "2", "long", "x")
    assert encoding(server, b"d") == b"skiplist"
    server.thresholds.zset_max_listpack_entries = 4
    filled("ZUNIONSTORE", "d", "2", "x", "y")
    assert encoding(server, b"d") == b"listpack"
    filled("ZUNIONSTORE", "d", "2", "x", "long")
    server.thresholds.zset_max_listpack_entries = 3
    filled("ZUNIONSTORE", "d", "2", "x", "y")
    assert encoding(server, b"d") == b"skiplist"


def test_negative_zero(filled: Peer) -> None:
    filled("ZADD", "zero", "0", "m")
    assert filled("ZUNION", "1", "zero", "WEIGHTS", "-1", "WITHSCORES") == array("m -0")
    filled("ZUNIONSTORE", "d", "1", "zero", "WEIGHTS", "-1")
    assert filled("ZSCORE", "d", "m") == b"$1\r\n0\r\n"
