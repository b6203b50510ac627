"""Replies read back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.resp import resp3
from pyredis.resp.encode import array_of, bulk, integer
from pyredis.resp.reply import (
    BigNumber,
    ErrorReply,
    Map,
    Push,
    Set,
    Status,
    Verbatim,
    parse_replies,
    parse_reply,
    read_reply,
)


@pytest.mark.parametrize(
    ("data", "kind", "reply"),
    [
        (b"$5\r\nhello\r\n", bytes, b"hello"),
        (b"$0\r\n\r\n", bytes, b""),
        (b"$4\r\n\r\n\r\n\r\n", bytes, b"\r\n\r\n"),
        (b"$-1\r\n", type(None), None),
        (b"*-1\r\n", type(None), None),
        (b"_\r\n", type(None), None),
        (b":-12\r\n", int, -12),
        (b"+OK\r\n", Status, b"OK"),
        (b"+\r\n", Status, b""),
        (b"-ERR no\r\n", ErrorReply, b"ERR no"),
        (b"!6\r\nERR a\n\r\n", ErrorReply, b"ERR a\n"),
        (b"#t\r\n", bool, True),
        (b"#f\r\n", bool, False),
        (b",1.5\r\n", float, 1.5),
        (b",-inf\r\n", float, -math.inf),
        (b"(12345678901234567890\r\n", BigNumber, b"12345678901234567890"),
        (b"=8\r\ntxt:text\r\n", Verbatim, b"text"),
        (b"*0\r\n", list, []),
        (b"*3\r\n$1\r\na\r\n:1\r\n$-1\r\n", list, [b"a", 1, None]),
        (b"%2\r\n+a\r\n:1\r\n+a\r\n*1\r\n:2\r\n", Map, [(b"a", 1), (b"a", [2])]),
        (b"~2\r\n:1\r\n:2\r\n", Set, [1, 2]),
        (b">2\r\n+x\r\n~0\r\n", Push, [b"x", []]),
        (b"|1\r\n+ttl\r\n:9\r\n:5\r\n", int, 5),
    ],
)
def test_one_reply(data, kind, reply):
    parsed = parse_reply(data)
    assert type(parsed) is kind
    assert parsed == reply
    assert read_reply(data, 0) == (reply, len(data))


def test_a_verbatim_text_keeps_its_format():
    verbatim = parse_reply(b"=7\r\nmkd:abc\r\n")
    assert isinstance(verbatim, Verbatim)
    assert verbatim.format == b"mkd"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"$5\r\nhell", b"$5\r\nhello", b"$5", b":1", b":x\r\n", b":\r\n", b"*2\r\n:1\r\n",
        b"*1\r\n$5\r\nabc\r\n", b"*1\r\n", b"#x\r\n", b",x\r\n", b"_x\r\n", b"?\r\n", b":1\r\n:2\r\n", b"=-1\r\n",
        b"*300\r\n" + b":1\r\n" * 299, b"*100\r\n" + b":1\r\n" * 101, b"*100\r\n" + b"x\r\n" * 100,
    ],
)  # fmt: skip
def test_less_or_more_than_one_reply_is_refused(data):
    with pytest.raises(ValueError):
        parse_reply(data)


def test_several_replies():
    assert parse_replies(b"+a\r\n:1\r\n*1\r\n$1\r\nx\r\n") == [b"a", 1, [b"x"]]
    assert parse_replies(b"") == []
    with pytest.raises(ValueError):
        parse_replies(b"+a\r\n$3\r\nab")


@pytest.mark.parametrize("elements", [[b"x" * 10] * 60, [b"+a"] * 60, [1, b"b", None, [b"c", [2]]] * 60])
def test_long_arrays_take_the_short_way_only_when_it_is_the_same(elements):
    parsed = parse_reply(encode(elements))
    assert parsed == elements
    assert [type(element) for element in parsed] == [type(element) for element in elements]


def test_statuses_in_a_long_array_stay_statuses():
    parsed = parse_reply(b"*100\r\n" + b"+OK\r\n$2\r\nOK\r\n" * 50)
    assert [type(element) for element in parsed] == [Status, bytes] * 50


def encode(value):
    match value:
        case bool():
            return resp3.bool(value)
        case bytes():
            return bulk(value)
        case int():
            return integer(value)
        case float():
            return resp3.double(value)
        case list():
            return array_of([encode(element) for element in value])
    return resp3.null


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=80),
    lambda inner: st.lists(inner, max_size=12),
)


@given(VALUES)
def test_what_was_encoded_comes_back(value):
    assert parse_reply(encode(value)) == value
