"""XREAD and XREADGROUP, with and without waiting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events
from .replies import NULL_ARRAY

Connect = Callable[[], Peer]
Advance = Callable[[float], None]
Propagated = list[list[bytes]]

NOW = 1_700_000_000_000
KEY = b"$1\r\ns\r\n"


def entry(number: int) -> bytes:
    return b"*2\r\n$3\r\n%d-0\r\n*2\r\n$1\r\nf\r\n$1\r\n%d\r\n" % (number, number)


def of_stream(*numbers: int, key: bytes = b"s") -> bytes:
    return b"*2\r\n$1\r\n%b\r\n*%d\r\n%b" % (key, len(numbers), b"".join(map(entry, numbers)))


def fill(send: Peer, *numbers: int, key: str = "s") -> None:
    for number in numbers:
        send("XADD", key, number, "f", number)


def claim(number: int, last: int, consumer: bytes = b"c") -> list[bytes]:
    return [
        b"XCLAIM", b"s", b"g", consumer, b"0", b"%d-0" % number, b"TIME", b"%d" % NOW,
        b"RETRYCOUNT", b"1", b"FORCE", b"JUSTID", b"LASTID", b"%d-0" % last,
    ]  # fmt: skip


# --- XREAD ----------------------------------------------------------------------------------------


def test_xread(send: Peer) -> None:
    fill(send, 1, 2, 3)
    fill(send, 7, key="t")
    assert send("XREAD", "STREAMS", "s", "1") == b"*1\r\n" + of_stream(2, 3)
    assert send("XREAD", "COUNT", "1", "STREAMS", "s", "t", "1", "0") == b"*2\r\n" + of_stream(2) + of_stream(
        7, key=b"t"
    )
    assert send("XREAD", "STREAMS", "s", "none", "3", "0") == NULL_ARRAY
    assert send("XREAD", "STREAMS", "s", "$") == NULL_ARRAY
    send("HELLO", "3")
    assert send("XREAD", "STREAMS", "s", "2") == b"%1\r\n" + KEY + b"*1\r\n" + entry(3)
    assert send("XREAD", "STREAMS", "s", "3") == b"_\r\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("STREAMS", "s"), b"Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."),
        (("COUNT", "1", "BLOCK", "0"), b"syntax error"),
        (("COUNT", "x", "STREAMS", "s", "0"), b"value is not an integer or out of range"),
        (("BLOCK", "x", "STREAMS", "s", "0"), b"timeout is not an integer or out of range"),
        (("BLOCK", "-1", "STREAMS", "s", "0"), b"timeout is negative"),
        (
            ("NOACK", "STREAMS", "s", "0"),
            b"The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
        ),
        (
            ("GROUP", "g", "c", "STREAMS", "s", "0"),
            b"The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
        ),
        (
            ("STREAMS", "s", ">"),
            b"The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> "
            b"option.",
        ),
        (("STREAMS", "s", "x"), b"Invalid stream ID specified as stream command argument"),
    ],
)  # fmt: skip
def test_xread_refuses(send: Peer, words: tuple[str, ...], error: bytes) -> None:
    if len(words) == 2:
        words += ("t", "0")
    assert send("XREAD", *words) == b"-ERR " + error + b"\r\n"


def test_xread_waits_for_what_comes_after_the_last_entry(send: Peer, connect: Connect) -> None:
    fill(send, 1)
    reader, other = connect(), connect()
    assert reader("XREAD", "BLOCK", "0", "STREAMS", "s", "$") == b""
    assert other("XREAD", "BLOCK", "0", "STREAMS", "none", "s", "$", "0-0") == b"*1\r\n" + of_stream(1)
    send("XDEL", "s", "1")
    assert reader.take() == b""
    fill(send, 2, 3)
    assert reader.take() == b"*1\r\n" + of_stream(2)


def test_xread_sees_all_of_a_transaction(send: Peer, connect: Connect) -> None:
    reader = connect()
    assert reader("XREAD", "BLOCK", "20000", "STREAMS", "s", "$") == b""
    send("MULTI")
    fill(send, 1, 2)
    send("EXEC")
    assert reader.take() == b"*1\r\n" + of_stream(1, 2)


def test_an_entry_that_is_gone_again_wakes_nobody(send: Peer, connect: Connect, advance: Advance) -> None:
    reader = connect()
    assert reader("XREAD", "BLOCK", "1500", "STREAMS", "s", "$") == b""
    send("MULTI")
    fill(send, 5)
    send("DEL", "s")
    send("EXEC")
    assert reader.take() == b""
    advance(1.0)
    assert reader.take() == b""
    advance(0.6)
    assert reader.take() == NULL_ARRAY


# --- XREADGROUP -----------------------------------------------------------------------------------


@pytest.fixture
def grouped(send: Peer) -> Peer:
    """A client with 1-0, 2-0 and 3-0 in ``s``, and a group ``g`` that has read nothing."""
    fill(send, 1, 2, 3)
    send("XGROUP", "CREATE", "s", "g", "0")
    return send


def read(send: Peer, *words: str | int, consumer: str = "c") -> bytes:
    return send("XREADGROUP", "GROUP", "g", consumer, *words)


def test_new_entries_become_pending(grouped: Peer, events: Events, propagated: Propagated, server: Server) -> None:
    dirty = server.dirty
    assert read(grouped, "COUNT", "2", "STREAMS", "s", ">") == b"*1\r\n" + of_stream(1, 2)
    assert server.dirty == dirty + 2
    assert events == [(b"xgroup-createconsumer", b"s")]
    assert propagated == [[b"MULTI"], claim(1, 1), claim(2, 2), [b"EXEC"]]
    assert read(grouped, "STREAMS", "s", ">", consumer="d") == b"*1\r\n" + of_stream(3)
    assert propagated[-1] == claim(3, 3, b"d")
    assert read(grouped, "STREAMS", "s", ">") == NULL_ARRAY
    assert grouped("XPENDING", "s", "g").startswith(b"*4\r\n:3\r\n$3\r\n1-0\r\n$3\r\n3-0\r\n")


def test_history_is_the_consumers_own(grouped: Peer, advance: Advance) -> None:
    read(grouped, "COUNT", "2", "STREAMS", "s", ">")
    read(grouped, "STREAMS", "s", ">", consumer="d")
    grouped("XDEL", "s", "1")
    advance(5.0)
    deleted = b"*2\r\n$3\r\n1-0\r\n" + NULL_ARRAY
    assert read(grouped, "STREAMS", "s", "0") == b"*1\r\n*2\r\n" + KEY + b"*2\r\n" + deleted + entry(2)
    assert read(grouped, "COUNT", "1", "BLOCK", "0", "STREAMS", "s", "0") == b"*1\r\n*2\r\n" + KEY + b"*1\r\n" + deleted
    assert read(grouped, "STREAMS", "s", "2") == b"*1\r\n*2\r\n" + KEY + b"*0\r\n"
    assert grouped("XPENDING", "s", "g", "-", "+", "9", "c") == (
        b"*2\r\n*4\r\n$3\r\n1-0\r\n$1\r\nc\r\n:5000\r\n:1\r\n*4\r\n$3\r\n2-0\r\n$1\r\nc\r\n:0\r\n:2\r\n"
    )


def test_noack_propagates_the_position(grouped: Peer, propagated: Propagated) -> None:
    assert read(grouped, "NOACK", "COUNT", "2", "STREAMS", "s", ">") == b"*1\r\n" + of_stream(1, 2)
    assert propagated == [
        [b"MULTI"],
        [b"XGROUP", b"CREATECONSUMER", b"s", b"g", b"c"],
        [b"XGROUP", b"SETID", b"s", b"g", b"2-0", b"ENTRIESREAD", b"2"],
        [b"EXEC"],
    ]
    assert grouped("XPENDING", "s", "g") == b"*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("GROUP", "g", "c", "COUNT", "1", "STREAMS", "s"),
            b"ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be "
            b"specified.",
        ),
        (("COUNT", "1", "NOACK", "STREAMS", "s", ">"), b"ERR Missing GROUP option for XREADGROUP"),
        (
            ("GROUP", "g", "c", "STREAMS", "s", "$"),
            b"ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this "
            b"consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just "
            b"return an empty result set.",
        ),
        (
            ("GROUP", "x", "c", "STREAMS", "s", ">"),
            b"NOGROUP No such key 's' or consumer group 'x' in XREADGROUP with GROUP option",
        ),
        (
            ("GROUP", "g", "c", "STREAMS", "none", ">"),
            b"NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option",
        ),
    ],
)  # fmt: skip
def test_xreadgroup_refuses(grouped: Peer, words: tuple[str, ...], error: bytes) -> None:
    if words[-2] == "STREAMS":
        words += ("t", ">")
    assert grouped("XREADGROUP", *words) == b"-" + error + b"\r\n"


def test_waiting_readers_are_served_in_order(grouped: Peer, connect: Connect, propagated: Propagated) -> None:
    read(grouped, "STREAMS", "s", ">")
    first, second = connect(), connect()
    assert read(first, "BLOCK", "0", "STREAMS", "s", ">", consumer="a") == b""
    assert read(second, "BLOCK", "0", "STREAMS", "s", ">", consumer="b") == b""
    propagated.clear()
    fill(grouped, 4)
    assert first.take() == b"*1\r\n" + of_stream(4)
    assert second.take() == b""
    assert propagated == [[b"XADD", b"s", b"4", b"f", b"4"], claim(4, 4, b"a")]
    fill(grouped, 5)
    assert second.take() == b"*1\r\n" + of_stream(5)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("DEL", "s"), b"-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n"),
        (
            ("XGROUP", "DESTROY", "s", "g"),
            b"-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n",
        ),
        (("SET", "s", "v"), b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"),
    ],
)  # fmt: skip
def test_waiting_readers_hear_that_the_group_is_gone(
    grouped: Peer, connect: Connect, command: tuple[str, ...], error: bytes
) -> None:
    read(grouped, "STREAMS", "s", ">")
    reader = connect()
    assert read(reader, "BLOCK", "0", "STREAMS", "s", ">") == b""
    grouped(*command)
    assert reader.take() == error


def test_nobody_waits_inside_exec(grouped: Peer) -> None:
    read(grouped, "STREAMS", "s", ">")
    grouped("MULTI")
    read(grouped, "BLOCK", "0", "STREAMS", "s", ">")
    grouped("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    assert grouped("EXEC") == b"*2\r\n" + NULL_ARRAY + NULL_ARRAY


def test_reading_counts_for_the_lag(grouped: Peer) -> None:
    def lag() -> bytes:
        return grouped("XINFO", "GROUPS", "s").split(b"\r\n")[-2]

    assert lag() == b":3"
    read(grouped, "COUNT", "1", "STREAMS", "s", ">")
    assert lag() == b":2"
    grouped("XDEL", "s", "2")
    assert lag() == b"$-1"
    read(grouped, "STREAMS", "s", ">")
    assert lag() == b":1"  # Redis goes on counting from what was read before the gap
