"""Replies to the byte, in both protocols."""

from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis import errors
from pyredis.resp import encode, resp2, resp3
from pyredis.resp.encode import (
    array_header,
    array_of,
    array_of_bulks,
    array_of_integers,
    array_of_optional_bulks,
    bulk,
    bulks,
    encode_error,
    integer,
    simple,
)

SIZES = [0, 1, 9, 10, 1023, 1024, 1025, 70_000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bulk(size, kind):
    reply = bulk(kind(b"x" * size))
    assert type(reply) is bytes
    assert reply == b"$%d\r\n" % size + b"x" * size + b"\r\n"


@pytest.mark.parametrize("n", [0, 1, 9999, 10_000, -1, -2, 2**63 - 1, -(2**63), True, False])
def test_integer(n):
    assert integer(n) == b":%d\r\n" % n


def test_scalars():
    assert simple(b"OK") == encode.OK == b"+OK\r\n"
    assert integer(0) == encode.ZERO
    assert integer(1) == encode.ONE
    assert integer(-1) == encode.MINUS_ONE
    assert integer(-2) == encode.MINUS_TWO
    assert bulk(b"") == encode.EMPTY_BULK
    assert encode.EMPTY_ARRAY == array_header(0) == array_of([]) == array_of_bulks([])


@pytest.mark.parametrize("n", [0, 255, 256, 100_000])
def test_array_header(n):
    assert array_header(n) == b"*%d\r\n" % n


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 600])
def test_array_of_bulks_of_any_length(count):
    values = [b"v" * (i % 40) for i in range(count)]
    expected = b"*%d\r\n" % count + b"".join(b"$%d\r\n%b\r\n" % (len(value), value) for value in values)
    assert array_of_bulks(values) == expected
    assert array_of_bulks(deque(map(bytearray, values))) == expected
    assert array_of(list(map(bulk, values))) == expected
    assert array_of_optional_bulks(values, b"$-1\r\n") == expected
    assert b"*%d\r\n" % count + bulks(values) == expected


@pytest.mark.parametrize("count", [3, 100])
def test_array_of_bulks_with_long_values(count):
    values = [b"x" * 5000, *[b"y"] * (count - 1)]
    assert array_of_bulks(values) == b"*%d\r\n" % count + bulks(values)


def test_other_arrays():
    assert array_of_optional_bulks([b"a", None], b"_\r\n") == b"*2\r\n$1\r\na\r\n_\r\n"
    assert array_of_integers([1, -1, 20_000]) == b"*3\r\n:1\r\n:-1\r\n:20000\r\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (errors.WrongType(), b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"),
        (errors.CommandError("a\r\nb\n\n"), b"-ERR a  b\r\n"),
        (errors.CommandError(b"\xff\xe9"), b"-ERR \xff\xe9\r\n"),
        (errors.ProtocolError("expected '$', got '\n'"), b"-ERR Protocol error: expected '$', got ' '\r\n"),
    ],
)
def test_an_error_is_one_line(error, line):
    assert encode_error(error) == line


def test_resp2():
    wire = resp2
    assert wire.version == 2
    assert (wire.null, wire.null_array, wire.true, wire.false) == (b"$-1\r\n", b"*-1\r\n", b":1\r\n", b":0\r\n")
    assert (wire.empty_set, wire.empty_map) == (b"*0\r\n", b"*0\r\n")
    assert wire.map_header(2) == b"*4\r\n"
    assert wire.set_header(2) == wire.push_header(2) == b"*2\r\n"
    assert wire.map_of([b":1\r\n", b":2\r\n"]) == b"*2\r\n:1\r\n:2\r\n"
    assert wire.set_of([b":1\r\n"]) == wire.push_of([b":1\r\n"]) == b"*1\r\n:1\r\n"
    assert wire.attributes_of([b"+k\r\n", b"+v\r\n"]) == b""
    pair = b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"
    assert wire.map_of_bulks([b"a", b"b"]) == wire.set_of_bulks([b"a", b"b"]) == pair
    assert wire.pairs_of_bulks([b"a", b"b"]) == pair
    assert wire.scored([(b"a", 1.5), (b"b", math.inf)]) == b"*4\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$3\r\ninf\r\n"
    assert wire.double(-0.0) == b"$2\r\n-0\r\n"
    assert wire.human_double(b"1.5") == b"$3\r\n1.5\r\n"
    assert wire.bool("") == b":0\r\n"
    assert wire.bool(7) == b":1\r\n"
    assert wire.bignum(b"123") == b"$3\r\n123\r\n"
    assert wire.verbatim(b"text", b"mkd") == b"$4\r\ntext\r\n"


def test_resp3():
    wire = resp3
    assert wire.version == 3
    assert (wire.null, wire.null_array, wire.true, wire.false) == (b"_\r\n", b"_\r\n", b"#t\r\n", b"#f\r\n")
    assert (wire.empty_set, wire.empty_map) == (b"~0\r\n", b"%0\r\n")
    assert (wire.map_header(2), wire.set_header(2), wire.push_header(2)) == (b"%2\r\n", b"~2\r\n", b">2\r\n")
    assert wire.map_of([b":1\r\n", b":2\r\n"]) == b"%1\r\n:1\r\n:2\r\n"
    assert wire.set_of([b":1\r\n"]) == b"~1\r\n:1\r\n"
    assert wire.push_of([b":1\r\n"]) == b">1\r\n:1\r\n"
    assert wire.attributes_of([b"+k\r\n", b"+v\r\n"]) == b"|1\r\n+k\r\n+v\r\n"
    assert wire.map_of_bulks([b"a", b"b"]) == b"%1\r\n$1\r\na\r\n$1\r\nb\r\n"
    assert wire.set_of_bulks([b"a"]) == b"~1\r\n$1\r\na\r\n"
    assert wire.pairs_of_bulks([b"a", b"b", b"c", b"d"]) == (
        b"*2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n"
    )
    assert wire.scored([(b"a", 1.5)]) == b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n"
    assert wire.double(math.nan) == b",nan\r\n"
    assert wire.human_double(b"1.5") == b",1.5\r\n"
    assert wire.bool(None) == b"#f\r\n"
    assert wire.bool([0]) == b"#t\r\n"
    assert wire.bignum(b"123") == b"(123\r\n"
    assert wire.verbatim(b"text") == b"=8\r\ntxt:text\r\n"
    assert wire.verbatim(b"", b"m") == b"=4\r\nm  :\r\n"


def test_both_protocols_offer_the_same_names():
    def names(module):
        defined_here = {name for name, value in vars(module).items() if not name.startswith("_")}
        return defined_here - set(vars(encode)) - {"format_double"}

    assert names(resp2) == names(resp3)


@given(st.lists(st.binary(max_size=20), max_size=40))
def test_maps_and_sets_only_differ_in_their_header(values):
    flat = values + values
    assert resp3.set_of_bulks(flat)[1:] == resp2.set_of_bulks(flat)[1:]
    assert resp3.map_of_bulks(flat) == b"%%%d\r\n%b" % (len(values), bulks(flat))


@pytest.mark.parametrize(
    "argv",
    [
        [b"PING"],
        [b"SET", b"key", b""],
        [b"SET", b"k" * 1024, b"v" * 5000],
        [b"SET", b"key", bytearray(b"in place")],
        [b"DEL", b"a" * 1023],
        [b"RPUSH", b"key", *[b"%d" % n for n in range(40)]],
        [b"HSET", b"key", b"field", b"v" * 70_000],
    ],
)
def test_a_command_is_an_array_of_bulk_strings(argv: list[bytes]) -> None:
    expected = b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in argv)
    assert encode.command(argv) == expected
