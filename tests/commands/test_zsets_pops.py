"""Popping from sorted sets: at once, from the first of several keys, after waiting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events
from .replies import NULL_ARRAY, NUMKEYS, SYNTAX, WRONGTYPE

Connect = Callable[[], Peer]
Advance = Callable[[float], None]
Propagated = list[list[bytes]]

NOT_POSITIVE = b"-ERR value is out of range, must be positive\r\n"
COUNT = b"-ERR count should be greater than 0\r\n"
A1 = b"$1\r\na\r\n$1\r\n1\r\n"
B2 = b"$1\r\nb\r\n$1\r\n2\r\n"
C3 = b"$1\r\nc\r\n$1\r\n3\r\n"


@pytest.fixture
def filled(send: Peer) -> Peer:
    """A client whose key ``z`` has a, b and c with the scores 1, 2 and 3."""
    send("ZADD", "z", "1", "a", "2", "b", "3", "c")
    return send


# --- one key --------------------------------------------------------------------------------------


@pytest.mark.parametrize("entries", [128, 0])
def test_pop_one(send: Peer, server: Server, events: Events, propagated: Propagated, entries: int) -> None:
    server.thresholds.zset_max_listpack_entries = entries
    send("ZADD", "z", "1", "a", "2", "b", "3", "c")
    assert send("ZPOPMIN", "z") == b"*2\r\n" + A1
    assert send("ZPOPMAX", "z") == b"*2\r\n" + C3
    assert send("ZPOPMAX", "z") == b"*2\r\n" + B2
    assert send("ZPOPMIN", "z") == send("ZPOPMAX", "z") == b"*0\r\n"
    assert events[1:] == [(b"zpopmin", b"z"), (b"zpopmax", b"z"), (b"zpopmax", b"z"), (b"del", b"z")]
    assert propagated[1:] == [[b"ZPOPMIN", b"z"], [b"ZPOPMAX", b"z"], [b"ZPOPMAX", b"z"]]
    assert server.dirty == 6


@pytest.mark.parametrize("entries", [128, 0])
def test_pop_count(send: Peer, server: Server, events: Events, entries: int) -> None:
    server.thresholds.zset_max_listpack_entries = entries
    send("ZADD", "z", "1", "a", "2", "b", "3", "c")
    assert send("ZPOPMIN", "z", "0") == b"*0\r\n"
    assert send("ZPOPMIN", "z", "2") == b"*4\r\n" + A1 + B2
    assert send("ZPOPMAX", "z", "5") == b"*2\r\n" + C3
    assert send("ZPOPMAX", "z", "5") == b"*0\r\n"
    assert events[1:] == [(b"zpopmin", b"z"), (b"zpopmax", b"z"), (b"del", b"z")]
    assert server.dirty == 6
    send("ZADD", "z", "1", "a", "2", "b", "3", "c")
    assert send("ZPOPMAX", "z", "2") == b"*4\r\n" + C3 + B2


def test_pop_resp3(filled: Peer) -> None:
    filled("HELLO", "3")
    assert filled("ZPOPMIN", "z") == b"*2\r\n$1\r\na\r\n,1\r\n"
    assert filled("ZPOPMIN", "z", "1") == b"*1\r\n*2\r\n$1\r\nb\r\n,2\r\n"
    assert filled("ZPOPMIN", "missing", "1") == b"*0\r\n"
    assert filled("ZMPOP", "1", "z", "MIN") == b"*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\nc\r\n,3\r\n"
    assert filled("ZMPOP", "1", "z", "MIN") == b"_\r\n"
    filled("ZADD", "z", "1", "a")
    assert filled("BZPOPMAX", "z", "0") == b"*3\r\n$1\r\nz\r\n$1\r\na\r\n,1\r\n"


def test_pop_refusals(send: Peer) -> None:
    send("SET", "x", "string")
    assert send("ZPOPMIN", "x") == send("ZPOPMIN", "x", "0") == WRONGTYPE
    assert send("ZPOPMIN", "x", "1", "2") == SYNTAX
    assert send("ZPOPMAX", "x", "-1") == NOT_POSITIVE
    assert send("ZPOPMAX", "x", "many") == NOT_POSITIVE


# --- several keys ---------------------------------------------------------------------------------


def test_zmpop(filled: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    dirty = server.dirty
    assert filled("ZMPOP", "2", "missing", "z", "MAX") == b"*2\r\n$1\r\nz\r\n*1\r\n*2\r\n" + C3
    assert filled("ZMPOP", "1", "z", "min", "count", "9") == b"*2\r\n$1\r\nz\r\n*2\r\n*2\r\n" + A1 + b"*2\r\n" + B2
    assert filled("ZMPOP", "1", "z", "MIN") == NULL_ARRAY
    assert events == [(b"zpopmax", b"z"), (b"zpopmin", b"z"), (b"del", b"z")]
    assert propagated == [[b"ZPOPMAX", b"z", b"1"], [b"ZPOPMIN", b"z", b"2"]]
    assert server.dirty == dirty + 3


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("0", "z", "MIN"), NUMKEYS),
        (("x", "z", "MIN"), NUMKEYS),
        (("2", "z", "MIN"), SYNTAX),
        (("1", "z", "LEFT"), SYNTAX),
        (("1", "z", "MIN", "COUNT"), SYNTAX),
        (("1", "z", "MIN", "COUNT", "0"), COUNT),
        (("1", "z", "MIN", "COUNT", "x"), COUNT),
        (("1", "z", "MIN", "COUNT", "1", "COUNT", "1"), SYNTAX),
        (("1", "z", "MIN", "MAX"), SYNTAX),
        (("2", "x", "z", "MIN"), WRONGTYPE),
    ],
)
def test_mpop_refusals(filled: Peer, words: tuple[str, ...], error: bytes) -> None:
    filled("SET", "x", "string")
    assert filled("ZMPOP", *words) == error
    assert filled("BZMPOP", "0", *words) == error


def test_keys_are_looked_at_in_order(filled: Peer) -> None:
    filled("SET", "x", "string")
    assert filled("BZPOPMIN", "z", "x", "0") == b"*3\r\n$1\r\nz\r\n" + A1
    assert filled("BZPOPMIN", "x", "z", "0") == WRONGTYPE


# --- waiting --------------------------------------------------------------------------------------

WAITING = [
    ("BZPOPMIN", "k", "z", "0"),
    ("BZPOPMAX", "k", "z", "0"),
    ("BZMPOP", "0", "2", "k", "z", "MIN", "COUNT", "2"),
]
SERVED = [
    (WAITING[0], b"*3\r\n$1\r\nz\r\n" + A1, [b"ZPOPMIN", b"z"]),
    (WAITING[1], b"*3\r\n$1\r\nz\r\n" + C3, [b"ZPOPMAX", b"z"]),
    (WAITING[2], b"*2\r\n$1\r\nz\r\n*2\r\n*2\r\n" + A1 + b"*2\r\n" + B2, [b"ZPOPMIN", b"z", b"2"]),
]


@pytest.mark.parametrize(("words", "reply", "effect"), SERVED)
def test_served_at_once(
    filled: Peer, propagated: Propagated, words: tuple[str, ...], reply: bytes, effect: list[bytes]
) -> None:
    assert filled(*words) == reply
    assert propagated == [effect]


@pytest.mark.parametrize(("words", "reply", "effect"), SERVED)
def test_served_later(
    send: Peer, connect: Connect, propagated: Propagated, words: tuple[str, ...], reply: bytes, effect: list[bytes]
) -> None:
    waiting = connect()
    assert waiting(*words) == b""
    send("SADD", "z", "not in a sorted set")
    assert waiting.take() == b""
    send("DEL", "z")
    assert send("ZADD", "z", "1", "a", "2", "b", "3", "c") == b":3\r\n"
    assert waiting.take() == reply
    assert propagated[2:] == [[b"ZADD", b"z", b"1", b"a", b"2", b"b", b"3", b"c"], effect]


def test_a_key_of_another_type_ends_the_wait_for_the_next(send: Peer, connect: Connect) -> None:
    waiting = connect()
    waiting("BZPOPMIN", "k", "z", "0")
    send("SADD", "k", "not in a sorted set")
    assert waiting.take() == b""
    send("ZADD", "z", "1", "a")
    assert waiting.take() == WRONGTYPE


@pytest.mark.parametrize("words", WAITING)
def test_in_a_transaction_nothing_waits(send: Peer, words: tuple[str, ...]) -> None:
    send("MULTI")
    send(*words)
    assert send("EXEC") == b"*1\r\n" + NULL_ARRAY


@pytest.mark.parametrize("words", WAITING)
def test_timeout(connect: Connect, advance: Advance, words: tuple[str, ...]) -> None:
    waiting = connect()
    timed = list(words)
    timed[1 if words[0] == "BZMPOP" else -1] = "0.5"
    waiting(*timed)
    advance(0.4)
    assert waiting.take() == b""
    advance(0.2)
    assert waiting.take() == NULL_ARRAY


@pytest.mark.parametrize(
    "words",
    [("ZADD", "z", "1", "a"), ("ZINCRBY", "z", "1", "a"), ("ZUNIONSTORE", "z", "1", "other"), ("RENAME", "other", "z"),
     ("ZRANGESTORE", "z", "other", "0", "-1"), ("COPY", "other", "z")],
)  # fmt: skip
def test_whatever_makes_the_key_serves(send: Peer, connect: Connect, words: tuple[str, ...]) -> None:
    send("ZADD", "other", "1", "a")
    waiting = connect()
    waiting("BZPOPMIN", "z", "0")
    send(*words)
    assert waiting.take() == b"*3\r\n$1\r\nz\r\n" + A1


def test_first_come_first_served(send: Peer, connect: Connect) -> None:
    first, second, third = connect(), connect(), connect()
    first("BZPOPMIN", "z", "0")
    second("BZMPOP", "0", "1", "z", "MAX")
    third("BZPOPMIN", "z", "0")
    send("ZADD", "z", "1", "a", "2", "b")
    assert first.take() == b"*3\r\n$1\r\nz\r\n" + A1
    assert second.take() == b"*2\r\n$1\r\nz\r\n*1\r\n*2\r\n" + B2
    assert third.take() == b""


def test_timeouts_refused(send: Peer) -> None:
    assert send("BZPOPMIN", "z", "soon") == b"-ERR timeout is not a float or out of range\r\n"
    assert send("BZPOPMAX", "z", "-1") == b"-ERR timeout is negative\r\n"
    assert send("BZMPOP", "soon", "1", "z", "UP") == SYNTAX
    assert send("BZMPOP", "soon", "1", "z", "MIN") == b"-ERR timeout is not a float or out of range\r\n"
