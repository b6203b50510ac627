"""Commands on bits; the arithmetic is tested with datatypes.bits."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server
from pyredis.registry.flags import ACCESS, RO, RW, UPDATE
from tests.conftest import Peer

from .replies import SYNTAX

BAD_OFFSET = b"-ERR bit offset is not an integer or out of range\r\n"
BAD_BIT = b"-ERR bit is not an integer or out of range\r\n"
BAD_TYPE = b"-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n"
WRONG_TYPE = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"


def test_setbit_counts_only_changes(send: Peer, server: Server) -> None:
    assert send("SETBIT", "k", 7, 0) == b":0\r\n"
    assert server.dirty == 1
    assert send("SETBIT", "k", 7, 0) == b":0\r\n"
    assert server.dirty == 1
    assert send("SETBIT", "k", 7, 1) == b":0\r\n"
    assert send("SETBIT", "k", 7, 0) == b":1\r\n"
    assert server.dirty == 3
    assert send("GETBIT", "k", 7) == b":0\r\n"
    assert send("GETBIT", "none", 7) == b":0\r\n"


def test_setbit_makes_a_string_raw_even_without_a_change(send: Peer) -> None:
    send("SET", "k", "1")
    assert send("SETBIT", "k", 2, 1) == b":1\r\n"
    assert send("OBJECT", "ENCODING", "k") == b"$3\r\nraw\r\n"


@pytest.mark.parametrize(
    ("offset", "bit", "reply"),
    [
        (-1, 1, BAD_OFFSET),
        (8 * 512 * 1024 * 1024, 1, BAD_OFFSET),
        ("#1", 1, BAD_OFFSET),
        ("x", "x", BAD_OFFSET),
        (1, 2, BAD_BIT),
        (1, -1, BAD_BIT),
        (1, "x", BAD_BIT),
    ],
)
def test_setbit_refuses(send: Peer, offset: int | str, bit: int | str, reply: bytes) -> None:
    send("RPUSH", "l", "x")
    assert send("SETBIT", "l", offset, bit) == reply


def test_bitcount(send: Peer) -> None:
    send("SET", "k", "foobar")
    assert send("BITCOUNT", "k") == b":26\r\n"
    assert send("BITCOUNT", "k", 1, -2) == b":18\r\n"
    assert send("BITCOUNT", "k", 5, 30, "bit") == b":17\r\n"
    assert send("BITCOUNT", "k", 0, 0, "BYTE") == b":4\r\n"
    assert send("BITCOUNT", "none", "x") == b":0\r\n"
    assert send("BITCOUNT", "k", 1) == SYNTAX
    assert send("BITCOUNT", "k", 0, 1, "bits") == SYNTAX
    assert send("BITCOUNT", "k", -1, -2, "bits") == b":0\r\n"


def test_bitpos(send: Peer) -> None:
    send("SET", "k", b"\xff\xf0\x00")
    assert send("BITPOS", "k", 0) == b":12\r\n"
    assert send("BITPOS", "k", 1, 2) == b":-1\r\n"
    assert send("BITPOS", "k", 1, 7, 15, "BIT") == b":7\r\n"
    assert send("BITPOS", "none", 1) == b":-1\r\n"
    assert send("BITPOS", "none", 0) == b":0\r\n"
    assert send("BITPOS", "k", 2) == b"-ERR The bit argument must be 1 or 0.\r\n"
    assert send("BITPOS", "k", 1, 0, 1, "x") == SYNTAX
    assert send("BITPOS", "k", 1, 0, 1, "BIT", "x") == SYNTAX


class TestBitop:
    def test_stores_what_it_computes(self, send: Peer, server: Server) -> None:
        send("MSET", "a", b"\xff\x0f", "b", b"\x0f")
        assert send("BITOP", "and", "d", "a", "b") == b":2\r\n"
        assert send("GET", "d") == b"$2\r\n\x0f\x00\r\n"
        assert send("BITOP", "NOT", "d", "a") == b":2\r\n"
        assert send("GET", "d") == b"$2\r\n\x00\xf0\r\n"
        assert send("OBJECT", "ENCODING", "d") == b"$3\r\nraw\r\n"
        assert server.dirty == 4

    def test_nothing_deletes_the_target(self, send: Peer, server: Server) -> None:
        send("SET", "d", "x")
        assert send("BITOP", "OR", "d", "n1", "n2") == b":0\r\n"
        assert send("EXISTS", "d") == b":0\r\n"
        assert send("BITOP", "OR", "d", "n1", "n2") == b":0\r\n"
        assert server.dirty == 2

    def test_refusals(self, send: Peer) -> None:
        send("RPUSH", "l", "x")
        assert send("BITOP", "NAND", "d", "a") == SYNTAX
        assert send("BITOP", "NOT", "d", "a", "b") == (b"-ERR BITOP NOT must be called with a single source key.\r\n")
        assert send("BITOP", "OR", "d", "a", "l") == WRONG_TYPE


class TestBitfield:
    def test_operations_in_order(self, send: Peer, server: Server) -> None:
        reply = send("BITFIELD", "k", "SET", "u8", 0, 255, "GET", "u8", 0, "INCRBY", "u8", "#1", 10, "GET", "i4", 0)
        assert reply == b"*4\r\n:0\r\n:255\r\n:10\r\n:-1\r\n"
        assert server.dirty == 2

    def test_overflow_applies_to_what_follows(self, send: Peer) -> None:
        send("BITFIELD", "k", "SET", "u8", 0, 255)
        assert send("BITFIELD", "k", "OVERFLOW", "FAIL", "INCRBY", "u8", 0, 1) == b"*1\r\n$-1\r\n"
        assert send("BITFIELD", "k", "OVERFLOW", "SAT", "INCRBY", "u8", 0, 1) == b"*1\r\n:255\r\n"
        assert send("BITFIELD", "k", "INCRBY", "u8", 0, 1) == b"*1\r\n:0\r\n"

    def test_reading_makes_no_key(self, send: Peer, server: Server) -> None:
        assert send("BITFIELD", "k", "GET", "u8", 0) == b"*1\r\n:0\r\n"
        assert send("BITFIELD", "k") == b"*0\r\n"
        assert send("BITFIELD_RO", "k", "GET", "i64", 100) == b"*1\r\n:0\r\n"
        assert send("EXISTS", "k") == b":0\r\n"
        assert server.dirty == 0

    @pytest.mark.parametrize(
        ("words", "reply"),
        [
            (("GET", "u64", 0), BAD_TYPE),
            (("GET", "i65", 0), BAD_TYPE),
            (("GET", "x8", 0), BAD_TYPE),
            (("GET", "", 0), BAD_TYPE),
            (("GET", "u0", 0), BAD_TYPE),
            (("GET", "u8", "##1"), BAD_OFFSET),
            (("GET", "u8", -1), BAD_OFFSET),
            (("GET", "u8"), SYNTAX),
            (("SET", "u8", 0), SYNTAX),
            (("OVERFLOW",), SYNTAX),
            (("OVERFLOW", "MAYBE"), b"-ERR Invalid OVERFLOW type specified\r\n"),
            (("SET", "u8", 0, "x"), b"-ERR value is not an integer or out of range\r\n"),
        ],
    )
    def test_refusals(self, send: Peer, words: tuple[str | int, ...], reply: bytes) -> None:
        assert send("BITFIELD", "k", "SET", "u8", 0, 1, *words) == reply
        assert send("EXISTS", "k") == b":0\r\n"

    def test_read_only_variant(self, send: Peer) -> None:
        assert send("BITFIELD_RO", "k", "SET", "u8", 0, 1) == (b"-ERR BITFIELD_RO only supports the GET subcommand\r\n")
        send("RPUSH", "l", "x")
        assert send("BITFIELD", "l", "GET", "u8", 0) == WRONG_TYPE
        assert send("BITFIELD", "l", "SET", "u8", 0, 1) == WRONG_TYPE

    def test_key_flags_depend_on_the_operations(self, server: Server) -> None:
        command = server.commands[b"bitfield"]
        assert command.get_keys is not None
        reads = [b"BITFIELD", b"k", b"OVERFLOW", b"SAT", b"GET", b"u8", b"0"]
        assert command.get_keys(command, reads) == [(1, RO | ACCESS)]
        assert command.get_keys(command, [*reads, b"SET", b"u8", b"0", b"1"]) == [(1, RW | ACCESS | UPDATE)]
