"""ZRANGE and its relatives: by rank, score and member; counting, removing, storing."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock

from ..conftest import Peer
from .conftest import Events, encoding
from .replies import NOT_INTEGER, SYNTAX, WRONGTYPE, array

NOT_FLOAT = b"-ERR min or max is not a float\r\n"
NOT_LEX = b"-ERR min or max not valid string range item\r\n"
LIMIT_WITHOUT_BY = b"-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX\r\n"
SCORES_BY_LEX = b"-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n"

Propagated = list[list[bytes]]


@pytest.fixture(params=[128, 0], ids=["listpack", "skiplist"])
def scored(request: pytest.FixtureRequest, send: Peer, server: Server) -> Peer:
    """A client whose key ``z`` has a to e with the scores 1 to 5, in either encoding."""
    server.thresholds.zset_max_listpack_entries = request.param
    send("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d", "5", "e")
    return send


@pytest.fixture(params=[128, 0], ids=["listpack", "skiplist"])
def named(request: pytest.FixtureRequest, send: Peer, server: Server) -> Peer:
    """The same with equal scores."""
    server.thresholds.zset_max_listpack_entries = request.param
    send("ZADD", "z", *(word for name in "abcde" for word in ("0", name)))
    return send


BY_RANK = [
    ("0 -1", "a b c d e"), ("1 2", "b c"), ("-2 -1", "d e"), ("-99 1", "a b"), ("3 99", "d e"), ("3 2", ""),
    ("5 9", ""), ("-3 -4", ""), ("0 -99", ""),
]  # fmt: skip


@pytest.mark.parametrize(("bounds", "found"), BY_RANK)
def test_by_rank(scored: Peer, bounds: str, found: str) -> None:
    assert scored("ZRANGE", "z", *bounds.split()) == array(found)
    start, stop = bounds.split()
    mirror = array(found.translate(str.maketrans("abcde", "edcba")))
    assert scored("ZREVRANGE", "z", start, stop) == mirror
    assert scored("ZRANGE", "z", start, stop, "rev") == mirror


def test_with_scores(scored: Peer) -> None:
    assert scored("ZRANGE", "z", "0", "1", "WITHSCORES") == array("a 1 b 2")
    assert scored("ZREVRANGE", "z", "0", "1", "withscores") == array("e 5 d 4")
    assert scored("ZRANGEBYSCORE", "z", "4", "9", "WITHSCORES") == array("d 4 e 5")
    assert scored("ZREVRANGEBYSCORE", "z", "9", "4", "WITHSCORES") == array("e 5 d 4")
    assert scored("ZRANGE", "z", "7", "8", "WITHSCORES") == array("")
    scored("HELLO", "3")
    assert scored("ZRANGE", "z", "0", "0", "WITHSCORES") == b"*1\r\n*2\r\n$1\r\na\r\n,1\r\n"


BY_SCORE = [
    ("-inf +inf", "a b c d e"), ("2 4", "b c d"), ("(2 4", "c d"), ("2 (4", "b c"), ("(2 (3", ""), ("3 3", "c"),
    ("(3 3", ""), ("4 2", ""), ("2.5 3.5", "c"), ("6 inf", ""), ("(inf inf", ""), ("-inf (1", ""), ("0x2 0X3", "b c"),
    ("1e400 1e401", ""),
    ("-1e400 2", "a b"), ("1e-400 1", "a"), ("-0x1p9999 0x1p9999", "a b c d e"),
]  # fmt: skip


@pytest.mark.parametrize(("bounds", "found"), BY_SCORE)
def test_by_score(scored: Peer, bounds: str, found: str) -> None:
    low, high = bounds.split()
    backwards = array(" ".join(found.split()[::-1]))
    assert scored("ZRANGEBYSCORE", "z", low, high) == array(found)
    assert scored("ZRANGE", "z", low, high, "BYSCORE") == array(found)
    assert scored("ZREVRANGEBYSCORE", "z", high, low) == backwards
    assert scored("ZRANGE", "z", high, low, "REV", "BYSCORE") == backwards
    assert scored("ZCOUNT", "z", low, high) == b":%d\r\n" % len(found.split())


def test_score_bounds_are_read_like_strtod(scored: Peer) -> None:
    assert scored("ZRANGEBYSCORE", "z", "", " \t2") == array("a b")
    assert scored("ZRANGEBYSCORE", "z", "(", b"1\0x") == array("a")
    for wrong in ("x", "nan", "1 ", "(1x", "((1", " ", "1_0", "0x", "1e", "--1"):
        assert scored("ZRANGEBYSCORE", "z", wrong, "2") == NOT_FLOAT
        assert scored("ZRANGEBYSCORE", "z", "1", wrong) == NOT_FLOAT


BY_LEX = [
    ("- +", "a b c d e"), ("[b [d", "b c d"), ("(b [d", "c d"), ("[b (d", "b c"), ("(b (c", ""), ("[c [c", "c"),
    ("(c [c", ""), ("[d [b", ""), ("+ -", ""), ("- -", ""), ("+ +", ""), ("+ [c", ""), ("[c -", ""), ("- (b", "a"),
    ("[aa (bb", "b"), ("( [b", "a b"), ("[ [", ""),
]  # fmt: skip


@pytest.mark.parametrize(("bounds", "found"), BY_LEX)
def test_by_lex(named: Peer, bounds: str, found: str) -> None:
    low, high = bounds.split()
    backwards = array(" ".join(found.split()[::-1]))
    assert named("ZRANGEBYLEX", "z", low, high) == array(found)
    assert named("ZRANGE", "z", low, high, "BYLEX") == array(found)
    assert named("ZREVRANGEBYLEX", "z", high, low) == backwards
    assert named("ZRANGE", "z", high, low, "REV", "BYLEX") == backwards
    assert named("ZLEXCOUNT", "z", low, high) == b":%d\r\n" % len(found.split())


@pytest.mark.parametrize("wrong", ["", "a", "-a", "++", "1", "\0"])
def test_lex_bounds(named: Peer, wrong: str) -> None:
    assert named("ZRANGEBYLEX", "z", wrong, "+") == NOT_LEX
    assert named("ZLEXCOUNT", "z", "-", wrong) == NOT_LEX
    assert named("ZREMRANGEBYLEX", "z", "-", wrong) == NOT_LEX


LIMITS = [
    ("0 2", "a b", "e d"), ("1 2", "b c", "d c"), ("4 9", "e", "a"), ("5 1", "", ""), ("0 0", "", ""),
    ("1 -1", "b c d e", "d c b a"), ("1 -7", "b c d e", "d c b a"), ("-1 2", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "forwards", "backwards"), LIMITS)
def test_limit(scored: Peer, named: Peer, limit: str, forwards: str, backwards: str) -> None:
    words = limit.split()
    assert scored("ZRANGEBYSCORE", "z", "0", "9", "LIMIT", *words) == array(forwards)
    assert scored("ZREVRANGEBYSCORE", "z", "9", "0", "limit", *words) == array(backwards)
    assert named("ZRANGEBYLEX", "z", "-", "+", "LIMIT", *words) == array(forwards)
    assert named("ZRANGE", "z", "+", "-", "LIMIT", *words, "REV", "BYLEX") == array(backwards)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("ZRANGE", "x", "0", "1", "WHAT"), SYNTAX),
        (("ZRANGE", "x", "0", "1", "LIMIT", "1"), SYNTAX),
        (("ZRANGE", "x", "0", "1", "LIMIT", "a", "1"), NOT_INTEGER),
        (("ZRANGE", "x", "0", "1", "BYSCORE", "BYLEX"), SYNTAX),
        (("ZRANGE", "x", "0", "1", "REV", "REV"), SYNTAX),
        (("ZRANGE", "x", "0", "1", "LIMIT", "0", "1"), LIMIT_WITHOUT_BY),
        (("ZRANGE", "x", "a", "1", "LIMIT", "0", "-1"), NOT_INTEGER),
        (("ZRANGE", "x", "0", "1", "BYLEX", "WITHSCORES"), SCORES_BY_LEX),
        (("ZRANGE", "x", "a", "1"), NOT_INTEGER),
        (("ZRANGE", "x", "a", "1", "BYSCORE"), NOT_FLOAT),
        (("ZRANGE", "x", "a", "1", "BYLEX"), NOT_LEX),
        (("ZREVRANGE", "x", "0", "1", "REV"), SYNTAX),
        (("ZREVRANGE", "x", "0", "1", "LIMIT", "0", "1"), LIMIT_WITHOUT_BY),
        (("ZRANGEBYSCORE", "x", "0", "1", "BYSCORE"), SYNTAX),
        (("ZRANGEBYLEX", "x", "-", "+", "WITHSCORES"), SCORES_BY_LEX),
        (("ZRANGESTORE", "d", "x", "0", "1", "WITHSCORES"), SYNTAX),
        (("ZCOUNT", "x", "a", "b"), NOT_FLOAT),
        (("ZREMRANGEBYRANK", "x", "a", "b"), NOT_INTEGER),
        (("ZREMRANGEBYSCORE", "x", "a", "b"), NOT_FLOAT),
    ],
)
def test_refused_before_the_key_is_looked_at(send: Peer, words: tuple[str, ...], error: bytes) -> None:
    send("SET", "x", "string")
    assert send(*words) == error


@pytest.mark.parametrize(
    "words",
    [
        ("ZRANGE", "x", "0", "1"), ("ZRANGE", "x", "0", "1", "REV"), ("ZRANGEBYSCORE", "x", "0", "1"),
        ("ZCOUNT", "x", "0", "1"), ("ZLEXCOUNT", "x", "-", "+"), ("ZRANGESTORE", "d", "x", "0", "1"),
        ("ZREMRANGEBYRANK", "x", "0", "1"),
        ("ZREMRANGEBYSCORE", "x", "0", "1"), ("ZREMRANGEBYLEX", "x", "-", "+"),
    ],
)  # fmt: skip
def test_wrong_type(send: Peer, words: tuple[str, ...]) -> None:
    send("SET", "x", "string")
    assert send(*words) == WRONGTYPE


def test_missing_key(send: Peer) -> None:
    assert send("ZRANGE", "z", "0", "-1") == send("ZRANGE", "z", "0", "-1", "WITHSCORES") == b"*0\r\n"
    assert send("ZRANGEBYSCORE", "z", "0", "1") == send("ZREVRANGEBYLEX", "z", "+", "-") == b"*0\r\n"
    assert send("ZCOUNT", "z", "0", "1") == send("ZLEXCOUNT", "z", "-", "+") == b":0\r\n"
    assert send("ZREMRANGEBYRANK", "z", "0", "1") == send("ZREMRANGEBYLEX", "z", "-", "+") == b":0\r\n"
    assert send("ZRANGESTORE", "d", "z", "0", "1") == send("ZREMRANGEBYSCORE", "z", "0", "1") == b":0\r\n"


# --- removing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "left", "event"),
    [
        (("ZREMRANGEBYRANK", "z", "1", "-2"), "a e", b"zremrangebyrank"),
        (("ZREMRANGEBYSCORE", "z", "(1", "(5"), "a e", b"zremrangebyscore"),
        (("ZREMRANGEBYSCORE", "z", "4", "inf"), "a b c", b"zremrangebyscore"),
    ],
)
def test_remove_ranges(
    scored: Peer,
    server: Server,
    events: Events,
    propagated: Propagated,
    words: tuple[str, ...],
    left: str,
    event: bytes,
) -> None:
    dirty, gone = server.dirty, 5 - len(left.split())
    assert scored(*words) == b":%d\r\n" % gone
    assert scored("ZRANGE", "z", "0", "-1") == array(left)
    assert events == [(event, b"z")]
    assert server.dirty == dirty + gone
    assert propagated == [[word.encode() for word in words]]


def test_remove_by_lex(named: Peer, events: Events) -> None:
    assert named("ZREMRANGEBYLEX", "z", "(a", "[d") == b":3\r\n"
    assert named("ZRANGE", "z", "0", "-1") == array("a e")
    assert events == [(b"zremrangebylex", b"z")]


@pytest.mark.parametrize(
    "words",
    [("ZREMRANGEBYRANK", "z", "0", "-1"), ("ZREMRANGEBYSCORE", "z", "1", "5"), ("ZREMRANGEBYLEX", "z", "-", "+")],
)
def test_remove_all(scored: Peer, server: Server, events: Events, words: tuple[str, ...]) -> None:
    assert scored(*words) == b":5\r\n"
    assert b"z" not in server.databases[0]
    assert events == [(words[0].lower().encode(), b"z"), (b"del", b"z")]


@pytest.mark.parametrize(
    "words",
    [("ZREMRANGEBYRANK", "z", "7", "9"), ("ZREMRANGEBYSCORE", "z", "(2", "(3"), ("ZREMRANGEBYLEX", "z", "[x", "+")],
)
def test_remove_nothing(
    scored: Peer, server: Server, events: Events, propagated: Propagated, words: tuple[str, ...]
) -> None:
    dirty = server.dirty
    assert scored(*words) == b":0\r\n"
    assert (server.dirty, events, propagated) == (dirty, [], [])


# --- ZRANGESTORE ----------------------------------------------------------------------------------


def test_zrangestore(scored: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    scored("SET", "d", "string", "EX", "100")
    dirty = server.dirty
    del events[:], propagated[:]
    assert scored("ZRANGESTORE", "d", "z", "1", "2") == b":2\r\n"
    assert scored("ZRANGE", "d", "0", "-1", "WITHSCORES") == array("b 2 c 3")
    assert scored("TTL", "d") == b":-1\r\n"
    assert scored("ZRANGESTORE", "d", "z", "(5", "-inf", "BYSCORE", "REV", "LIMIT", "1", "2") == b":2\r\n"
    assert scored("ZRANGE", "d", "0", "-1") == array("b c")
    assert scored("ZRANGESTORE", "d", "z", "8", "9") == b":0\r\n"
    assert b"d" not in server.databases[0]
    assert scored("ZRANGESTORE", "d", "z", "8", "9") == b":0\r\n"
    assert events == [(b"zrangestore", b"d"), (b"zrangestore", b"d"), (b"del", b"d")]
    assert server.dirty == dirty + 3
    assert len(propagated) == 3


def test_zrangestore_onto_its_source(scored: Peer) -> None:
    assert scored("ZRANGESTORE", "z", "z", "[b", "(d", "BYLEX") == b":2\r\n"
    assert scored("ZRANGE", "z", "0", "-1") == array("b c")


def test_zrangestore_encodings(send: Peer, server: Server) -> None:
    send("ZADD", "z", "1", "a", "1", "x" * 65)
    send("ZRANGESTORE", "d", "z", "0", "0")
    assert encoding(server, b"d") == b"listpack"
    send("ZRANGESTORE", "d", "z", "0", "1")
    assert encoding(server, b"d") == b"skiplist"
    send("ZRANGESTORE", "d", "z", "1", "1", "BYSCORE", "LIMIT", "0", "1")
    assert encoding(server, b"d") == b"skiplist"
    send("ZRANGESTORE", "d", "z", "-", "(b", "BYLEX")
    assert encoding(server, b"d") == b"skiplist"
    server.thresholds.zset_max_listpack_entries = 0
    send("ZRANGESTORE", "d", "z", "0", "0")
    assert encoding(server, b"d") == b"skiplist"


def test_zrangestore_over_an_expired_key(
    send: Peer, clock: ManualClock, events: Events, propagated: Propagated
) -> None:  # fmt: skip
    send("ZADD", "z", "1", "a")
    send("SET", "d", "string", "PX", "10")
    del events[:], propagated[:]
    clock.advance(seconds=1)
    assert send("ZRANGESTORE", "d", "z", "0", "-1") == b":1\r\n"
    assert events == [(b"expired", b"d"), (b"zrangestore", b"d")]
    assert propagated == [
        [b"MULTI"], [b"DEL", b"d"], [b"ZRANGESTORE", b"d", b"z", b"0", b"-1"], [b"EXEC"],
    ]  # fmt: skip
    assert send("PTTL", "d") == b":-1\r\n"
