"""RESP2: everything is a string, an integer or an array.  The counterpart of ``resp3``."""

from __future__ import annotations

from collections.abc import Collection

from ..util.numbers import format_double
from .encode import EMPTY_ARRAY, NULL_ARRAY, NULL_BULK, ONE, ZERO, array_of, array_of_bulks, bulk

version = 2
null = NULL_BULK
null_array = NULL_ARRAY
true = ONE
false = ZERO
empty_set = EMPTY_ARRAY
empty_map = EMPTY_ARRAY

map_of = set_of = push_of = array_of
map_of_bulks = set_of_bulks = pairs_of_bulks = array_of_bulks
bignum = human_double = bulk


def map_header(pairs: int) -> bytes:
    return b"*%d\r\n" % (2 * pairs)


def set_header(count: int) -> bytes:
    return b"*%d\r\n" % count


push_header = set_header


def attributes_of(replies: Collection[bytes]) -> bytes:
    return b""


def keyed_of(replies: Collection[bytes]) -> bytes:
    flat = iter(replies)
    return array_of([b"*2\r\n%b%b" % pair for pair in zip(flat, flat, strict=True)])


def scored(entries: Collection[tuple[bytes, float]]) -> bytes:
    flat: list[bytes] = []
    add = flat.append
    for member, score in entries:
        add(member)
        add(format_double(score))
    return array_of_bulks(flat)


def double(x: float) -> bytes:
    text = format_double(x)
    return b"$%d\r\n%b\r\n" % (len(text), text)


def bool(value: object) -> bytes:
    return ONE if value else ZERO


def verbatim(text: bytes, ext: bytes = b"txt") -> bytes:
    return bulk(text)
