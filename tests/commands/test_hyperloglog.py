"""HyperLogLog commands."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .conftest import Events
from .replies import WRONGTYPE

Propagated = list[list[bytes]]

NOT_ONE = b"-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n"
CORRUPTED = b"-INVALIDOBJ Corrupted HLL object detected\r\n"


def test_pfadd(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    assert send("PFADD", "h") == b":1\r\n"
    assert send("PFADD", "h") == b":0\r\n"
    assert send("PFADD", "h", "a", "b", "a") == b":1\r\n"
    assert send("PFADD", "h", "b") == b":0\r\n"
    assert events == [(b"pfadd", b"h"), (b"pfadd", b"h")]
    assert propagated == [[b"PFADD", b"h"], [b"PFADD", b"h", b"a", b"b", b"a"]]
    assert server.dirty == 3
    assert send("GETRANGE", "h", "0", "3") == b"$4\r\nHYLL\r\n"
    assert send("TYPE", "h") == b"+string\r\n"


def test_pfcount_caches_what_it_counts(send: Peer, server: Server, events: Events, propagated: Propagated) -> None:
    send("PFADD", "h", "a", "b", "c")
    propagated.clear()
    events.clear()
    dirty = server.dirty
    assert send("PFCOUNT", "h") == send("PFCOUNT", "h") == b":3\r\n"
    assert (propagated, events, server.dirty) == ([[b"PFCOUNT", b"h"]], [], dirty + 1)
    assert send("GETRANGE", "h", "8", "15") == b"$8\r\n\x03\0\0\0\0\0\0\0\r\n"
    send("PFADD", "i", "c", "d")
    assert send("PFCOUNT", "h", "i", "none") == b":4\r\n"
    assert send("PFCOUNT", "none") == send("PFCOUNT", "none", "other") == b":0\r\n"


def test_a_value_stored_as_a_string_can_be_added_to(send: Peer) -> None:
    send("PFADD", "h", "a")
    image = send("GET", "h").split(b"\r\n", 1)[1][:-2]
    send("SET", "copy", image, "EX", "100")
    assert send("PFADD", "copy", "b") == b":1\r\n"
    assert send("PFCOUNT", "copy") == b":2\r\n"
    assert send("PFCOUNT", "h") == b":1\r\n"
    assert send("TTL", "copy") == b":100\r\n"


def test_pfmerge(send: Peer, events: Events) -> None:
    send("PFADD", "a", "1", "2")
    send("PFADD", "b", "2", "3")
    events.clear()
    assert send("PFMERGE", "d", "a", "b", "none") == b"+OK\r\n"
    assert send("PFCOUNT", "d") == b":3\r\n"
    assert send("PFMERGE", "a", "b") == b"+OK\r\n"
    assert send("PFCOUNT", "a") == b":3\r\n"
    assert send("PFMERGE", "e") == b"+OK\r\n"
    assert send("PFCOUNT", "e") == b":0\r\n"
    assert events == [(b"pfadd", key) for key in (b"d", b"a", b"e")]
    assert send("PFDEBUG", "ENCODING", "d") == b"+sparse\r\n"


def test_the_sparse_limit_is_the_directive(send: Peer) -> None:
    send("CONFIG", "SET", "hll-sparse-max-bytes", "30")
    for number in range(12):
        send("PFADD", "h", number)
    assert send("PFDEBUG", "ENCODING", "h") == b"+dense\r\n"
    assert send("STRLEN", "h") == b":12304\r\n"
    assert send("PFCOUNT", "h") == b":12\r\n"
    assert send("PFMERGE", "d", "h") == b"+OK\r\n"
    assert send("PFDEBUG", "ENCODING", "d") == b"+dense\r\n"


def test_pfdebug(send: Peer, propagated: Propagated) -> None:
    send("PFADD", "h", "a", "b", "c")
    propagated.clear()
    assert send("PFDEBUG", "DECODE", "h") == b"$44\r\nZ:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603\r\n"
    assert send("PFDEBUG", "TODENSE", "h") == b":1\r\n"
    assert send("PFDEBUG", "TODENSE", "h") == b":0\r\n"
    assert send("PFDEBUG", "DECODE", "h") == b"-ERR HLL encoding is not sparse\r\n"
    registers = send("PFDEBUG", "GETREG", "h").split(b"\r\n")
    assert registers[0] == b"*16384"
    assert registers[1 + 8436] == b":1"
    assert sum(line == b":0" for line in registers) == 16384 - 3
    assert propagated == [[b"PFDEBUG", b"TODENSE", b"h"]]
    assert send("PFDEBUG", "x", "h") == b"-ERR Unknown PFDEBUG subcommand 'x'\r\n"
    assert send("PFDEBUG", "GETREG", "none") == b"-ERR The specified key does not exist\r\n"


def test_pfselftest(send: Peer) -> None:
    assert send("PFSELFTEST") == b"+OK\r\n"


@pytest.mark.parametrize("value", ["x", "12345678901234567890", "HYLL", "HYLL\x02" + 20 * "\0", "hyll" + 20 * "\0"])
def test_other_strings(send: Peer, value: str) -> None:
    send("SET", "k", value)
    for words in (
        ("PFADD", "k", "a"),
        ("PFCOUNT", "k"),
        ("PFCOUNT", "k", "k"),
        ("PFMERGE", "k"),
        ("PFDEBUG", "DECODE", "k"),
    ):
        assert send(*words) == NOT_ONE
    send("DEL", "k")
    send("RPUSH", "k", "a")
    assert send("PFADD", "k", "a") == send("PFCOUNT", "k") == WRONGTYPE


def test_damaged_values(send: Peer) -> None:
    send("PFADD", "h", "a", "b", "c")
    send("APPEND", "h", "hello")
    assert send("PFCOUNT", "h") == send("PFCOUNT", "h", "none") == send("PFMERGE", "d", "h") == CORRUPTED
    assert send("PFDEBUG", "TODENSE", "h") == CORRUPTED
    assert send("EXISTS", "d") == b":0\r\n"
