"""List commands that wait: at once, later, never; in which order; and what is propagated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .replies import NULL_ARRAY, SYNTAX, WRONGTYPE

Connect = Callable[[], Peer]
Advance = Callable[[float], None]
Propagated = list[list[bytes]]


def pair(key: bytes, value: bytes) -> bytes:
    return b"*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(value), value)


WAITING = [
    ("BLPOP", "l", "0"), ("BRPOP", "l", "0"), ("BLMPOP", "0", "1", "l", "LEFT"),
    ("BLMOVE", "l", "d", "LEFT", "RIGHT", "0"), ("BRPOPLPUSH", "l", "d", "0"),
]  # fmt: skip


def test_served_at_once(send: Peer, propagated: Propagated) -> None:
    send("RPUSH", "l", *"abcdefg")
    assert send("BLPOP", "k", "l", "0") == pair(b"l", b"a")
    assert send("BRPOP", "k", "l", "0") == pair(b"l", b"g")
    assert send("BLMPOP", "0", "2", "k", "l", "LEFT", "COUNT", "2") == b"*2\r\n$1\r\nl\r\n" + pair(b"b", b"c")
    assert send("BLMOVE", "l", "d", "LEFT", "RIGHT", "0") == b"$1\r\nd\r\n"
    assert send("BRPOPLPUSH", "l", "d", "0") == b"$1\r\nf\r\n"
    assert propagated[1:] == [
        [b"LPOP", b"l"],
        [b"RPOP", b"l"],
        [b"LPOP", b"l", b"2"],
        [b"LMOVE", b"l", b"d", b"LEFT", b"RIGHT"],
        [b"RPOPLPUSH", b"l", b"d"],
    ]


@pytest.mark.parametrize(
    ("words", "reply", "effect"),
    [
        (WAITING[0], pair(b"l", b"a"), [b"LPOP", b"l"]),
        (WAITING[1], pair(b"l", b"c"), [b"RPOP", b"l"]),
        (WAITING[2], b"*2\r\n$1\r\nl\r\n*1\r\n$1\r\na\r\n", [b"LPOP", b"l", b"1"]),
        (WAITING[3], b"$1\r\na\r\n", [b"LMOVE", b"l", b"d", b"LEFT", b"RIGHT"]),
        (WAITING[4], b"$1\r\nc\r\n", [b"RPOPLPUSH", b"l", b"d"]),
    ],
)
def test_served_later(
    send: Peer, connect: Connect, propagated: Propagated, words: tuple[str, ...], reply: bytes, effect: list[bytes]
) -> None:
    waiting = connect()
    assert waiting(*words) == b""
    assert send("RPUSH", "l", "a", "b", "c") == b":3\r\n"
    assert waiting.take() == reply
    assert propagated == [[b"RPUSH", b"l", b"a", b"b", b"c"], effect]


@pytest.mark.parametrize("words", WAITING)
def test_in_a_transaction_nothing_waits(send: Peer, words: tuple[str, ...]) -> None:
    send("MULTI")
    send(*words)
    null = b"$-1\r\n" if words[0] in ("BLMOVE", "BRPOPLPUSH") else NULL_ARRAY
    assert send("EXEC") == b"*1\r\n" + null


@pytest.mark.parametrize("words", WAITING)
def test_timeout(connect: Connect, advance: Advance, words: tuple[str, ...]) -> None:
    waiting = connect()
    position = 1 if words[0] == "BLMPOP" else -1
    timed = list(words)
    timed[position] = "0.5"
    waiting(*timed)
    advance(0.4)
    assert waiting.take() == b""
    advance(0.2)
    assert waiting.take() == NULL_ARRAY


def test_first_come_first_served(send: Peer, connect: Connect) -> None:
    first, second, third = connect(), connect(), connect()
    first("BLPOP", "l", "0")
    second("BRPOP", "k", "l", "0")
    third("BLPOP", "l", "0")
    send("RPUSH", "l", "a", "b")
    assert first.take() == pair(b"l", b"a")
    assert second.take() == pair(b"l", b"b")
    assert third.take() == b""
    send("LPUSH", "l", "c")
    assert third.take() == pair(b"l", b"c")


def test_the_first_key_in_the_command_wins(send: Peer, connect: Connect) -> None:
    waiting = connect()
    waiting("BLPOP", "a", "b", "0")
    send("MULTI")
    send("RPUSH", "b", "1")
    send("RPUSH", "a", "2")
    send("EXEC")
    assert waiting.take() == pair(b"a", b"2")


def test_a_moved_element_serves_the_next_in_line(send: Peer, connect: Connect, propagated: Propagated) -> None:
    mover, popper = connect(), connect()
    popper("BLPOP", "d", "0")
    mover("BLMOVE", "l", "d", "LEFT", "RIGHT", "0")
    send("RPUSH", "l", "a")
    assert mover.take() == b"$1\r\na\r\n"
    assert popper.take() == pair(b"d", b"a")
    assert propagated == [
        [b"RPUSH", b"l", b"a"], [b"LMOVE", b"l", b"d", b"LEFT", b"RIGHT"], [b"LPOP", b"d"],
    ]  # fmt: skip


def test_another_type_does_not_wake(send: Peer, connect: Connect) -> None:
    waiting = connect()
    waiting("BLPOP", "l", "0")
    send("SET", "l", "x")
    assert waiting.take() == b""
    send("DEL", "l")
    send("RPUSH", "l", "a")
    assert waiting.take() == pair(b"l", b"a")


def test_a_wrong_destination_is_reported_when_there_is_something_to_move(send: Peer, connect: Connect) -> None:
    waiting = connect()
    send("SET", "d", "x")
    assert waiting("BLMOVE", "l", "d", "LEFT", "LEFT", "0") == b""
    send("RPUSH", "l", "a")
    assert waiting.take() == WRONGTYPE
    assert send("LLEN", "l") == b":1\r\n"


def test_an_element_pushed_and_popped_in_one_transaction_wakes_nobody(send: Peer, connect: Connect) -> None:
    waiting = connect()
    waiting("BLPOP", "l", "0")
    for words in (("MULTI",), ("RPUSH", "l", "a"), ("LPOP", "l"), ("EXEC",)):
        send(*words)
    assert waiting.take() == b""
    assert waiting.client.wait is not None


def test_input_behind_a_blocking_command_waits(send: Peer, connect: Connect) -> None:
    waiting = connect()
    waiting("BLPOP", "l", "0")
    assert waiting("LLEN", "l") == b""
    send("RPUSH", "l", "a", "b")
    assert waiting.take() == pair(b"l", b"a") + b":1\r\n"


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("BLPOP", "l", "x"), b"-ERR timeout is not a float or out of range\r\n"),
        (("BRPOP", "l", "-1"), b"-ERR timeout is negative\r\n"),
        (("BLPOP", "l", "1e30"), b"-ERR timeout is out of range\r\n"),
        (("BLPOP", "s", "0"), WRONGTYPE),
        (("BLMPOP", "x", "0", "l", "LEFT"), b"-ERR numkeys should be greater than 0\r\n"),
        (("BLMPOP", "x", "1", "l", "UP"), SYNTAX),
        (("BLMPOP", "x", "1", "l", "LEFT", "COUNT", "0"), b"-ERR count should be greater than 0\r\n"),
        (("BLMPOP", "x", "1", "l", "LEFT"), b"-ERR timeout is not a float or out of range\r\n"),
        (("BLMOVE", "l", "d", "UP", "LEFT", "x"), SYNTAX),
        (("BLMOVE", "l", "d", "LEFT", "LEFT", "x"), b"-ERR timeout is not a float or out of range\r\n"),
        (("BLMOVE", "s", "d", "LEFT", "LEFT", "0"), WRONGTYPE),
        (("BRPOPLPUSH", "l", "d", "-1"), b"-ERR timeout is negative\r\n"),
    ],
)
def test_refusals(send: Peer, server: Server, words: tuple[str, ...], reply: bytes) -> None:
    send("SET", "s", "string")
    assert send(*words) == reply
    assert not server.blocking.clients
