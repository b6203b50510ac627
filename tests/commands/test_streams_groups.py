"""Consumer groups: XGROUP, XACK, XPENDING, XCLAIM, XAUTOCLAIM and XINFO."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events, stream_at
from .replies import SYNTAX

Advance = Callable[[float], None]
Propagated = list[list[bytes]]

NOW = 1_700_000_000_000
NOGROUP = b"-NOGROUP No such consumer group 'x' for key name 's'\r\n"
NO_KEY_OR_GROUP = b"-NOGROUP No such key 's' or consumer group 'x'\r\n"
NEEDS_KEY = (
    b"-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
    b"option to create an empty stream automatically.\r\n"
)


@pytest.fixture
def grouped(send: Peer) -> Peer:
    """A client with 1-0 to 4-0 in ``s``; 1-0 and 2-0 are pending for ``a``, 3-0 for ``b``, of the group ``g``."""
    for number in range(1, 5):
        send("XADD", "s", number, "f", number)
    send("XGROUP", "CREATE", "s", "g", "0")
    send("XREADGROUP", "GROUP", "g", "a", "COUNT", "2", "STREAMS", "s", ">")
    send("XREADGROUP", "GROUP", "g", "b", "COUNT", "1", "STREAMS", "s", ">")
    return send


def owned(server: Server) -> dict[int, tuple[bytes, int, int]]:
    """Who has which entry, since when (ms before now), how often delivered."""
    pending = stream_at(server, b"s").groups[b"g"].pending.since(0)
    now = server.now // 1_000_000
    return {entry_id >> 64: (each.consumer, now - each.delivered, each.deliveries) for entry_id, each in pending}


def ids(*numbers: int) -> bytes:
    return b"*%d\r\n%b" % (len(numbers), b"".join([b"$3\r\n%d-0\r\n" % number for number in numbers]))


def entries(*numbers: int) -> bytes:
    each = [b"*2\r\n$3\r\n%d-0\r\n*2\r\n$1\r\nf\r\n$1\r\n%d\r\n" % (number, number) for number in numbers]
    return b"*%d\r\n%b" % (len(numbers), b"".join(each))


# --- XGROUP ---------------------------------------------------------------------------------------


def test_create_makes_the_stream_if_asked(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert send("XGROUP", "CREATE", "s", "g", "$") == NEEDS_KEY
    assert send("XGROUP", "CREATE", "s", "g", "x", "MKSTREAM").startswith(b"-ERR Invalid stream ID")
    assert propagated == events == []
    assert send("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM", "ENTRIESREAD", "5") == b"+OK\r\n"
    assert events == [(b"xgroup-create", b"s")]
    assert propagated == [[b"XGROUP", b"CREATE", b"s", b"g", b"$", b"MKSTREAM", b"ENTRIESREAD", b"5"]]
    group = stream_at(server, b"s").groups[b"g"]
    assert (group.last_id, group.entries_read) == (0, 5)
    assert send("XGROUP", "CREATE", "s", "g", "0") == b"-BUSYGROUP Consumer Group name already exists\r\n"


@pytest.mark.parametrize("words", [("ENTRIESREAD",), ("MKSTREAM", "x"), ("MKSTREAM",) * 4])
def test_create_with_wrong_words(grouped: Peer, words: tuple[str, ...]) -> None:
    assert grouped("XGROUP", "CREATE", "s", "h", "0", *words) == (
        b"-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.\r\n"
    )


def test_setid(grouped: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert grouped("XGROUP", "SETID", "s", "g", "2", "ENTRIESREAD", "2") == b"+OK\r\n"
    assert events == [(b"xgroup-setid", b"s")]
    assert propagated == [[b"XGROUP", b"SETID", b"s", b"g", b"2", b"ENTRIESREAD", b"2"]]
    assert grouped("XREADGROUP", "GROUP", "g", "b", "COUNT", "1", "STREAMS", "s", ">") == (
        b"*1\r\n*2\r\n$1\r\ns\r\n" + entries(3)
    )
    assert owned(server)[3] == (b"b", 0, 1)
    assert grouped("XGROUP", "SETID", "s", "g", "$") == b"+OK\r\n"
    group = stream_at(server, b"s").groups[b"g"]
    assert (group.last_id >> 64, group.entries_read) == (4, -1)
    assert grouped("XGROUP", "SETID", "s", "x", "0") == NOGROUP
    assert grouped("XGROUP", "SETID", "none", "x", "0") == NEEDS_KEY
    assert grouped("XGROUP", "SETID", "s", "g", "0", "ENTRIESREAD", "-2") == (
        b"-ERR value for ENTRIESREAD must be positive or -1\r\n"
    )


def test_consumers_come_and_go(grouped: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert grouped("XGROUP", "CREATECONSUMER", "s", "g", "c") == b":1\r\n"
    assert grouped("XGROUP", "CREATECONSUMER", "s", "g", "c") == b":0\r\n"
    assert grouped("XGROUP", "CREATECONSUMER", "s", "x", "c") == NOGROUP
    assert grouped("XGROUP", "DELCONSUMER", "s", "g", "a") == b":2\r\n"
    assert grouped("XGROUP", "DELCONSUMER", "s", "g", "a") == b":0\r\n"
    assert grouped("XGROUP", "DELCONSUMER", "s", "x", "a") == NOGROUP
    assert events == [(b"xgroup-createconsumer", b"s"), (b"xgroup-delconsumer", b"s")]
    assert [argv[1] for argv in propagated] == [b"CREATECONSUMER", b"DELCONSUMER"]
    assert owned(server) == {3: (b"b", 0, 1)}


def test_destroy(grouped: Peer, events: Events, propagated: Propagated) -> None:
    assert grouped("XGROUP", "DESTROY", "s", "x") == b":0\r\n"
    assert grouped("XGROUP", "DESTROY", "s", "g") == b":1\r\n"
    assert grouped("XGROUP", "DESTROY", "none", "g") == NEEDS_KEY
    assert events == [(b"xgroup-destroy", b"s")]
    assert propagated == [[b"XGROUP", b"DESTROY", b"s", b"g"]]
    assert grouped("XINFO", "GROUPS", "s") == b"*0\r\n"


def test_help(send: Peer) -> None:
    assert send("XGROUP", "HELP").startswith(b"*17\r\n+XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    assert send("XINFO", "HELP").startswith(b"*9\r\n+XINFO <subcommand>")
    assert send("XGROUP", "x") == b"-ERR unknown subcommand 'x'. Try XGROUP HELP.\r\n"


# --- XACK, XPENDING -------------------------------------------------------------------------------


def test_xack(grouped: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    dirty = server.dirty
    assert grouped("XACK", "s", "g", "1", "x").startswith(b"-ERR Invalid stream ID")
    assert grouped("XACK", "s", "g", "1", "3-0", "1", "4") == b":2\r\n"
    assert (
        grouped("XACK", "s", "g", "1") == grouped("XACK", "s", "x", "!") == grouped("XACK", "t", "g", "!") == b":0\r\n"
    )
    assert (owned(server), server.dirty - dirty) == ({2: (b"a", 0, 1)}, 2)
    assert events == []
    assert propagated == [[b"XACK", b"s", b"g", b"1", b"3-0", b"1", b"4"]]


def test_xpending_summary(grouped: Peer) -> None:
    assert grouped("XPENDING", "s", "g") == (
        b"*4\r\n:3\r\n$3\r\n1-0\r\n$3\r\n3-0\r\n*2\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n*2\r\n$1\r\nb\r\n$1\r\n1\r\n"
    )
    assert grouped("XPENDING", "s", "x") == NO_KEY_OR_GROUP


def test_xpending_ranges(grouped: Peer, advance: Advance) -> None:
    advance(2.0)
    grouped("XCLAIM", "s", "g", "b", "0", "2")
    one, two, three = (
        b"*4\r\n$3\r\n%d-0\r\n$1\r\n%b\r\n:%d\r\n:%d\r\n" % row
        for row in ((1, b"a", 2000, 1), (2, b"b", 0, 2), (3, b"b", 2000, 1))
    )
    assert grouped("XPENDING", "s", "g", "-", "+", "9") == b"*3\r\n" + one + two + three
    assert grouped("XPENDING", "s", "g", "(1", "2", "9") == b"*1\r\n" + two
    assert grouped("XPENDING", "s", "g", "-", "+", "1", "b") == b"*1\r\n" + two
    assert grouped("XPENDING", "s", "g", "IDLE", "1000", "-", "+", "9", "b") == b"*1\r\n" + three
    assert grouped("XPENDING", "s", "g", "-", "+", "0") == b"*0\r\n"
    assert grouped("XPENDING", "s", "g", "-", "+", "9", "nobody") == b"*0\r\n"
    assert grouped("XPENDING", "s", "g", "-", "+") == SYNTAX
    assert grouped("XPENDING", "s", "g", "IDLE", "1", "-", "+") == SYNTAX


# --- claiming -------------------------------------------------------------------------------------


def test_xclaim(grouped: Peer, server: Server, events: Events, propagated: Propagated, advance: Advance) -> None:
    advance(1.0)
    assert grouped("XCLAIM", "s", "g", "c", "2000", "1") == b"*0\r\n"
    assert propagated == []
    assert events == [(b"xgroup-createconsumer", b"s")]
    assert grouped("XCLAIM", "s", "g", "c", "1000", "1", "3", "4") == entries(1, 3)
    assert owned(server) == {1: (b"c", 0, 2), 2: (b"a", 1000, 1), 3: (b"c", 0, 2)}
    claim = [
        b"XCLAIM", b"s", b"g", b"c", b"0", b"1", b"TIME", b"%d" % (NOW + 1000),
        b"RETRYCOUNT", b"2", b"FORCE", b"JUSTID", b"LASTID", b"3-0",
    ]  # fmt: skip
    assert propagated[1] == claim
    assert [argv[0] for argv in propagated] == [b"MULTI", b"XCLAIM", b"XCLAIM", b"EXEC"]


def test_xclaim_options(grouped: Peer, server: Server, propagated: Propagated) -> None:
    assert grouped("XCLAIM", "s", "g", "c", "0", "2", "JUSTID", "IDLE", "500", "RETRYCOUNT", "7") == ids(2)
    assert owned(server)[2] == (b"c", 500, 7)
    assert grouped("XCLAIM", "s", "g", "c", "0", "2", "TIME", NOW - 9, "JUSTID") == ids(2)
    assert owned(server)[2] == (b"c", 9, 7)
    assert grouped("XCLAIM", "s", "g", "c", "0", "2", "TIME", NOW + 9) == entries(2)
    assert owned(server)[2] == (b"c", 0, 8)
    assert grouped("XCLAIM", "s", "g", "c", "0", "4", "FORCE", "JUSTID") == ids(4)
    assert owned(server)[4] == (b"c", 0, 1)
    propagated.clear()
    assert grouped("XCLAIM", "s", "g", "c", "0", "9", "LASTID", "4") == b"*0\r\n"
    assert propagated == [[b"XGROUP", b"SETID", b"s", b"g", b"4-0", b"ENTRIESREAD", b"3"]]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("x", "1"), b"ERR Invalid min-idle-time argument for XCLAIM"),
        (("0", "1", "IDLE", "x"), b"ERR Invalid IDLE option argument for XCLAIM"),
        (("0", "1", "TIME", "x"), b"ERR Invalid TIME option argument for XCLAIM"),
        (("0", "1", "RETRYCOUNT", "x"), b"ERR Invalid RETRYCOUNT option argument for XCLAIM"),
        (("0", "1", "LASTID", "x"), b"ERR Invalid stream ID specified as stream command argument"),
        (("0", "1", "x"), b"ERR Unrecognized XCLAIM option 'x'"),
    ],
)
def test_xclaim_refuses(grouped: Peer, server: Server, words: tuple[str, ...], error: bytes) -> None:
    before = owned(server)
    assert grouped("XCLAIM", "s", "g", "b", *words) == b"-" + error + b"\r\n"
    assert grouped("XCLAIM", "s", "x", "b", *words) == NO_KEY_OR_GROUP
    assert owned(server) == before


def test_claiming_forgets_what_was_deleted(grouped: Peer, server: Server, propagated: Propagated) -> None:
    grouped("XDEL", "s", "1", "3")
    propagated.clear()
    assert grouped("XCLAIM", "s", "g", "b", "99999", "1") == b"*0\r\n"
    assert propagated[0][3:6] == [b"a", b"0", b"1"]
    assert grouped("XAUTOCLAIM", "s", "g", "b", "0", "-") == b"*3\r\n$3\r\n0-0\r\n" + entries(2) + ids(3)
    assert owned(server) == {2: (b"b", 0, 2)}


def test_xautoclaim_walks(grouped: Peer, server: Server, advance: Advance) -> None:
    advance(1.0)
    assert grouped("XAUTOCLAIM", "s", "g", "c", "1000", "-", "COUNT", "1") == (
        b"*3\r\n$3\r\n2-0\r\n" + entries(1) + b"*0\r\n"
    )
    assert grouped("XAUTOCLAIM", "s", "g", "c", "1000", "2", "COUNT", "1", "JUSTID") == (
        b"*3\r\n$3\r\n3-0\r\n" + ids(2) + b"*0\r\n"
    )
    assert grouped("XAUTOCLAIM", "s", "g", "c", "1000", "(2", "COUNT", "5") == (
        b"*3\r\n$3\r\n0-0\r\n" + entries(3) + b"*0\r\n"
    )
    assert owned(server) == {1: (b"c", 0, 2), 2: (b"c", 0, 1), 3: (b"c", 0, 2)}


def test_xautoclaim_looks_at_ten_times_as_many_as_it_may_claim(send: Peer) -> None:
    for number in range(1, 13):
        send("XADD", "s", number, "f", "v")
    send("XGROUP", "CREATE", "s", "g", "0")
    send("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
    assert send("XAUTOCLAIM", "s", "g", "b", "1000", "-", "COUNT", "1") == b"*3\r\n$4\r\n11-0\r\n*0\r\n*0\r\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("x", "-"), b"ERR Invalid min-idle-time argument for XAUTOCLAIM"),
        (("0", "x"), b"ERR Invalid stream ID specified as stream command argument"),
        (("0", "-", "COUNT", "0"), b"ERR COUNT must be > 0"),
        (("0", "-", "COUNT", "9223372036854775807"), b"ERR COUNT must be > 0"),
        (("0", "-", "COUNT"), b"ERR syntax error"),
        (
            ("0", "-", "COUNT", str(2**50)),
            b"ERR Insufficient memory, failed allocating transient memory, COUNT too high.",
        ),
    ],
)  # fmt: skip
def test_xautoclaim_refuses(grouped: Peer, words: tuple[str, ...], error: bytes) -> None:
    assert grouped("XAUTOCLAIM", "s", "g", "b", *words) == b"-" + error + b"\r\n"


# --- XINFO ----------------------------------------------------------------------------------------


def test_xinfo_consumers(grouped: Peer, advance: Advance) -> None:
    advance(1.5)
    grouped("XGROUP", "CREATECONSUMER", "s", "g", "c")
    advance(0.5)

    def row(name: bytes, pending: int, idle: int, inactive: int) -> bytes:
        return b"$4\r\nname\r\n$1\r\n%b\r\n$7\r\npending\r\n:%d\r\n$4\r\nidle\r\n:%d\r\n$8\r\ninactive\r\n:%d\r\n" % (
            name, pending, idle, inactive,
        )  # fmt: skip

    rows = [row(b"a", 2, 2000, 2000), row(b"b", 1, 2000, 2000), row(b"c", 0, 500, -1)]
    assert grouped("XINFO", "CONSUMERS", "s", "g") == b"*3\r\n" + b"".join([b"*8\r\n" + each for each in rows])
    assert grouped("XINFO", "CONSUMERS", "s", "x") == NOGROUP
    assert grouped("XINFO", "CONSUMERS", "none", "x") == b"-ERR no such key\r\n"
    grouped("HELLO", "3")
    assert grouped("XINFO", "CONSUMERS", "s", "g") == b"*3\r\n" + b"".join([b"%4\r\n" + each for each in rows])


def test_xinfo_groups(grouped: Peer) -> None:
    assert grouped("XINFO", "GROUPS", "s") == (
        b"*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:2\r\n$7\r\npending\r\n:3\r\n"
        b"$17\r\nlast-delivered-id\r\n$3\r\n3-0\r\n$12\r\nentries-read\r\n:3\r\n$3\r\nlag\r\n:1\r\n"
    )


def test_xinfo_stream(grouped: Peer) -> None:
    grouped("XDEL", "s", "2")
    start = (
        b"$6\r\nlength\r\n:3\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\nradix-tree-nodes\r\n:2\r\n"
        b"$17\r\nlast-generated-id\r\n$3\r\n4-0\r\n$20\r\nmax-deleted-entry-id\r\n$3\r\n2-0\r\n"
        b"$13\r\nentries-added\r\n:4\r\n$23\r\nrecorded-first-entry-id\r\n$3\r\n1-0\r\n"
    )
    assert grouped("XINFO", "STREAM", "s") == b"".join(
        (
            b"*20\r\n" + start + b"$6\r\ngroups\r\n:1\r\n$11\r\nfirst-entry\r\n",
            entries(1)[4:] + b"$10\r\nlast-entry\r\n" + entries(4)[4:],
        )
    )
    full = grouped("XINFO", "STREAM", "s", "FULL", "COUNT", "1")
    assert full == (
        b"*18\r\n"
        + start
        + b"$7\r\nentries\r\n"
        + entries(1)
        + b"$6\r\ngroups\r\n*1\r\n*14\r\n$4\r\nname\r\n$1\r\ng\r\n"
        b"$17\r\nlast-delivered-id\r\n$3\r\n3-0\r\n$12\r\nentries-read\r\n:3\r\n$3\r\nlag\r\n:1\r\n"
        b"$9\r\npel-count\r\n:3\r\n$7\r\npending\r\n*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\na\r\n:%d\r\n:1\r\n"
        b"$9\r\nconsumers\r\n*2\r\n%b%b"
        % (
            NOW,
            *[
                b"*10\r\n$4\r\nname\r\n$1\r\n%b\r\n$9\r\nseen-time\r\n:%d\r\n$11\r\nactive-time\r\n:%d\r\n"
                b"$9\r\npel-count\r\n:%d\r\n$7\r\npending\r\n*1\r\n*3\r\n$3\r\n%b\r\n:%d\r\n:1\r\n"
                % (name, NOW, NOW, count, first, NOW)
                for name, count, first in ((b"a", 2, b"1-0"), (b"b", 1, b"3-0"))
            ],
        )
    )
    wrong = b"-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.\r\n"
    for words in (("x",), ("FULL", "COUNT"), ("FULL", "x", "1")):
        assert grouped("XINFO", "STREAM", "s", *words) == wrong


def test_an_empty_stream_described(send: Peer) -> None:
    send("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    assert send("XINFO", "STREAM", "s").endswith(b"$11\r\nfirst-entry\r\n$-1\r\n$10\r\nlast-entry\r\n$-1\r\n")
    assert send("XINFO", "STREAM", "s", "FULL", "COUNT", "0").startswith(b"*18\r\n$6\r\nlength\r\n:0\r\n")
