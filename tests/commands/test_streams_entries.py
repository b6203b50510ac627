"""Adding, trimming, deleting and reading entries of streams."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, stream_at
from .replies import SYNTAX, WRONGTYPE

Propagated = list[list[bytes]]

NOW = 1_700_000_000_000  # where the clock of the tests stands, ms
INVALID_ID = b"-ERR Invalid stream ID specified as stream command argument\r\n"
ARITY = b"-ERR wrong number of arguments for 'xadd' command\r\n"
ONE = b"*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n"
TWO = b"*2\r\n$3\r\n2-0\r\n*4\r\n$1\r\nf\r\n$1\r\n2\r\n$1\r\ng\r\n$0\r\n\r\n"
THREE = b"*2\r\n$3\r\n3-0\r\n*2\r\n$1\r\nf\r\n$1\r\n3\r\n"


@pytest.fixture
def filled(send: Peer) -> Peer:
    """A client whose key ``s`` has the entries 1-0, 2-0 and 3-0."""
    send("XADD", "s", "1", "f", "1")
    send("XADD", "s", "2", "f", "2", "g", "")
    send("XADD", "s", "3", "f", "3")
    return send


# --- XADD -----------------------------------------------------------------------------------------


def test_xadd_makes_ids_from_the_clock(send: Peer, events: Events, propagated: Propagated) -> None:
    assert send("XADD", "s", "*", "f", "v") == b"$15\r\n%d-0\r\n" % NOW
    assert send("XADD", "s", "*", "f", "v") == b"$15\r\n%d-1\r\n" % NOW
    assert events == [(b"xadd", b"s"), (b"xadd", b"s")]
    assert propagated == [[b"XADD", b"s", b"%d-%d" % (NOW, n), b"f", b"v"] for n in (0, 1)]
    assert send("TYPE", "s") == b"+stream\r\n"
    assert send("OBJECT", "ENCODING", "s") == b"$6\r\nstream\r\n"


def test_xadd_never_goes_back_in_time(send: Peer) -> None:
    send("XADD", "s", NOW + 5, "f", "v")
    assert send("XADD", "s", "*", "f", "v") == b"$15\r\n%d-1\r\n" % (NOW + 5)


def test_xadd_with_an_id(send: Peer, propagated: Propagated) -> None:
    assert send("XADD", "s", "5-1", "f", "v") == b"$3\r\n5-1\r\n"
    assert send("XADD", "s", "5-*", "f", "v") == b"$3\r\n5-2\r\n"
    assert send("XADD", "s", "7-*", "f", "v") == b"$3\r\n7-0\r\n"
    assert [argv[2] for argv in propagated] == [b"5-1", b"5-2", b"7-0"]
    smaller = b"-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n"
    assert send("XADD", "s", "7-0", "f", "v") == send("XADD", "s", "6-*", "f", "v") == smaller
    assert send("XADD", "s", "-", "f", "v") == send("XADD", "s", "x", "f", "v") == INVALID_ID
    assert send("XLEN", "s") == b":3\r\n"


def test_xadd_refuses_before_it_makes_the_key(send: Peer) -> None:
    zero = b"-ERR The ID specified in XADD must be greater than 0-0\r\n"
    assert send("XADD", "s", "0", "f", "v") == send("XADD", "s", "0-0", "f", "v") == zero
    assert send("XADD", "s", "*", "f") == ARITY
    assert send("XADD", "s", "*", "f", "v", "g") == ARITY
    assert send("XADD", "s", "NOMKSTREAM", "*", "f", "v") == b"$-1\r\n"
    assert send("EXISTS", "s") == b":0\r\n"
    assert send("XADD", "s", "0-*", "f", "v") == b"$3\r\n0-1\r\n"
    assert send("XADD", "s", "NOMKSTREAM", "1-1", "f", "v") == b"$3\r\n1-1\r\n"


def test_xadd_at_the_end_of_all_ids(send: Peer) -> None:
    top = 2**64 - 1
    send("XADD", "s", f"{top}-{top - 1}", "f", "v")
    assert send("XADD", "s", "*", "f", "v") == b"$41\r\n%d-%d\r\n" % (top, top)
    exhausted = b"-ERR The stream has exhausted the last possible ID, unable to add more items\r\n"
    assert send("XADD", "s", "*", "f", "v") == exhausted
    send("XADD", "t", f"5-{top}", "f", "v")
    assert send("XADD", "t", "5-*", "f", "v").startswith(b"-ERR The ID specified in XADD is equal or smaller")


def test_xadd_trims(filled: Peer, events: Events, propagated: Propagated) -> None:
    assert filled("XADD", "s", "MAXLEN", "2", "4", "f", "4") == b"$3\r\n4-0\r\n"
    assert filled("XADD", "s", "MINID", "=", "4", "5", "f", "5") == b"$3\r\n5-0\r\n"
    assert filled("XADD", "s", "MAXLEN", "~", "1", "6-*", "f", "6") == b"$3\r\n6-0\r\n"
    assert events == [(b"xadd", b"s"), (b"xtrim", b"s")] * 2 + [(b"xadd", b"s")]
    assert propagated == [
        [b"XADD", b"s", b"MAXLEN", b"2", b"4", b"f", b"4"],
        [b"XADD", b"s", b"MINID", b"=", b"4", b"5", b"f", b"5"],
        [b"XADD", b"s", b"MAXLEN", b"=", b"3", b"6-0", b"f", b"6"],
    ]
    assert filled("XLEN", "s") == b":3\r\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("MAXLEN", "x", "*", "f", "v"), b"value is not an integer or out of range"),
        (("MAXLEN", "-1", "*", "f", "v"), b"The MAXLEN argument must be >= 0."),
        (("MAXLEN", "~", "1", "LIMIT", "-1", "*", "f", "v"), b"The LIMIT argument must be >= 0."),
        (
            ("MAXLEN", "1", "LIMIT", "1", "*", "f", "v"),
            b"syntax error, LIMIT cannot be used without the special ~ option",
        ),
        (("LIMIT", "1", "*", "f", "v"), b"syntax error, LIMIT cannot be used without specifying a trimming strategy"),
        (
            ("MAXLEN", "1", "MINID", "1", "*", "f", "v"),
            b"syntax error, MAXLEN and MINID options at the same time are not compatible",
        ),
        (("MINID", "-", "*", "f", "v"), b"Invalid stream ID specified as stream command argument"),
    ],
)  # fmt: skip
def test_options_of_xadd_that_are_refused(send: Peer, words: tuple[str, ...], error: bytes) -> None:
    assert send("XADD", "s", *words) == b"-ERR " + error + b"\r\n"
    assert send("EXISTS", "s") == b":0\r\n"


# --- XTRIM, XDEL, XSETID --------------------------------------------------------------------------


def test_xtrim(filled: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert filled("XTRIM", "s", "MAXLEN", "5") == b":0\r\n"
    assert filled("XTRIM", "s", "MAXLEN", "~", "1") == b":0\r\n"
    assert events == propagated == []
    assert filled("XTRIM", "s", "MINID", "2") == b":1\r\n"
    assert filled("XTRIM", "s", "MAXLEN", "~", "0", "LIMIT", "2") == b":2\r\n"
    assert events == [(b"xtrim", b"s"), (b"xtrim", b"s")]
    assert propagated == [
        [b"XTRIM", b"s", b"MINID", b"2"],
        [b"XTRIM", b"s", b"MAXLEN", b"=", b"0", b"LIMIT", b"2"],
    ]
    assert stream_at(server, b"s").length == 0
    assert filled("EXISTS", "s") == b":1\r\n"
    assert filled("XTRIM", "none", "MAXLEN", "1") == b":0\r\n"
    strategy = b"-ERR syntax error, XTRIM must be called with a trimming strategy\r\n"
    assert filled("XTRIM", "s", "LIMIT", "0") == strategy
    assert filled("XTRIM", "s", "MAXLEN", "1", "x") == SYNTAX


def test_an_approximate_trim_by_id_is_propagated_as_what_is_left(send: Peer, propagated: Propagated) -> None:
    send("CONFIG", "SET", "stream-node-max-entries", "2")
    for number in range(1, 6):
        send("XADD", "s", number, "f", "v")
    assert send("XTRIM", "s", "MINID", "~", "4") == b":2\r\n"
    assert propagated[-1] == [b"XTRIM", b"s", b"MINID", b"=", b"3-0"]
    assert send("XTRIM", "s", "MINID", "~", "9") == b":3\r\n"
    assert propagated[-1][-1] == b"18446744073709551615-18446744073709551615"


def test_xdel(filled: Peer, server: Server, events: Events) -> None:
    assert filled("XDEL", "s", "2", "x") == INVALID_ID
    assert filled("XLEN", "s") == b":3\r\n"
    assert filled("XDEL", "s", "1", "9", "2-0", "2") == b":2\r\n"
    assert filled("XDEL", "s", "2") == filled("XDEL", "none", "x") == b":0\r\n"
    assert events == [(b"xdel", b"s")]
    stream = stream_at(server, b"s")
    assert (stream.length, stream.first_id >> 64, stream.max_deleted_id >> 64) == (1, 3, 2)
    assert filled("XDEL", "s", "3") == b":1\r\n"
    assert filled("XRANGE", "s", "-", "+") == b"*0\r\n"
    assert filled("EXISTS", "s") == b":1\r\n"


def test_xsetid(filled: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert filled("XSETID", "s", "9-9", "ENTRIESADDED", "7", "MAXDELETEDID", "8-8") == b"+OK\r\n"
    stream = stream_at(server, b"s")
    assert (stream.last_id, stream.entries_added, stream.max_deleted_id) == (9 << 64 | 9, 7, 8 << 64 | 8)
    assert events == [(b"xsetid", b"s")]
    assert propagated == [[b"XSETID", b"s", b"9-9", b"ENTRIESADDED", b"7", b"MAXDELETEDID", b"8-8"]]
    for words, error in (
        (("7",), b"The ID specified in XSETID is smaller than current max_deleted_entry_id"),
        (("9", "ENTRIESADDED", "2"), b"The entries_added specified in XSETID is smaller than the target stream length"),
        (("9", "ENTRIESADDED", "-1"), b"entries_added must be positive"),
        (("9", "MAXDELETEDID", "9-1"), b"The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
        (("9", "ENTRIESADDED"), b"syntax error"),
    ):
        assert filled("XSETID", "s", *words) == b"-ERR " + error + b"\r\n"
    assert filled("XSETID", "none", "9") == b"-ERR no such key\r\n"
    filled("XADD", "t", "5", "f", "v")
    top = b"-ERR The ID specified in XSETID is smaller than the target stream top item\r\n"
    assert filled("XSETID", "t", "4") == top


def test_xsetid_does_not_touch_watched_keys(filled: Peer) -> None:
    filled("WATCH", "s")
    filled("XSETID", "s", "9")
    filled("MULTI")
    filled("PING")
    assert filled("EXEC") == b"*1\r\n+PONG\r\n"


# --- ranges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words", "entries"),
    [
        ("XRANGE", ("-", "+"), [ONE, TWO, THREE]),
        ("XRANGE", ("2", "2"), [TWO]),
        ("XRANGE", ("(1-0", "(3"), [TWO, THREE]),
        ("XRANGE", ("(1-0", "(3-0"), [TWO]),
        ("XRANGE", ("-", "+", "COUNT", "2"), [ONE, TWO]),
        ("XRANGE", ("-", "+", "COUNT", "9", "count", "1"), [ONE]),
        ("XRANGE", ("3-1", "+"), []),
        ("XREVRANGE", ("+", "-"), [THREE, TWO, ONE]),
        ("XREVRANGE", ("+", "2", "COUNT", "1"), [THREE]),
        ("XREVRANGE", ("(3-0", "-"), [TWO, ONE]),
    ],
)
def test_ranges(filled: Peer, command: str, words: tuple[str, ...], entries: list[bytes]) -> None:
    assert filled(command, "s", *words) == b"*%d\r\n%b" % (len(entries), b"".join(entries))


def test_ranges_that_are_refused(filled: Peer) -> None:
    assert filled("XRANGE", "s", "-", "+", "COUNT", "0") == b"*-1\r\n"
    assert filled("XRANGE", "s", "-", "+", "COUNT", "-5") == b"*-1\r\n"
    assert filled("XRANGE", "none", "-", "+", "COUNT", "0") == b"*0\r\n"
    assert filled("XRANGE", "s", "-", "+", "COUNT") == SYNTAX
    assert filled("XRANGE", "s", "(-", "+") == INVALID_ID
    assert filled("XRANGE", "s", "(18446744073709551615-18446744073709551615", "+") == (
        b"-ERR invalid start ID for the interval\r\n"
    )
    assert filled("XRANGE", "s", "-", "(0-0") == b"-ERR invalid end ID for the interval\r\n"


def test_all_of_them_want_streams(send: Peer) -> None:
    send("SET", "k", "v")
    for words in (
        ("XADD", "k", "*", "f", "v"),
        ("XLEN", "k"),
        ("XRANGE", "k", "-", "+"),
        ("XDEL", "k", "1"),
        ("XTRIM", "k", "MAXLEN", "1"),
        ("XSETID", "k", "1"),
        ("XREAD", "STREAMS", "k", "0"),
        ("XACK", "k", "g", "1"),
        ("XPENDING", "k", "g"),
        ("XINFO", "STREAM", "k"),
        ("XGROUP", "CREATE", "k", "g", "$"),
    ):
        assert send(*words) == WRONGTYPE
