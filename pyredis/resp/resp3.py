"""RESP3: maps, sets, doubles, booleans and pushes as such.  The counterpart of ``resp2``."""

from __future__ import annotations

from collections.abc import Collection

from ..util.numbers import format_double
from .encode import array_header, array_of_bulks, bulks

version = 3
null = null_array = b"_\r\n"
true = b"#t\r\n"
false = b"#f\r\n"
empty_set = b"~0\r\n"
empty_map = b"%0\r\n"


def map_header(pairs: int) -> bytes:
    return b"%%%d\r\n" % pairs


def set_header(count: int) -> bytes:
    return b"~%d\r\n" % count


def push_header(count: int) -> bytes:
    return b">%d\r\n" % count


def attributes_of(replies: Collection[bytes]) -> bytes:
    return b"|%d\r\n%b" % (len(replies) // 2, b"".join(replies))


def map_of(replies: Collection[bytes]) -> bytes:
    return b"%%%d\r\n%b" % (len(replies) // 2, b"".join(replies))


keyed_of = map_of


def set_of(replies: Collection[bytes]) -> bytes:
    return b"~%d\r\n%b" % (len(replies), b"".join(replies))


def push_of(replies: Collection[bytes]) -> bytes:
    return b">%d\r\n%b" % (len(replies), b"".join(replies))


def map_of_bulks(values: Collection[bytes | bytearray]) -> bytes:
    flat = array_of_bulks(values)
    return b"%%%d%b" % (len(values) // 2, flat[flat.index(b"\r") :])


def set_of_bulks(values: Collection[bytes | bytearray]) -> bytes:
    return b"~" + array_of_bulks(values)[1:]


def pairs_of_bulks(values: Collection[bytes | bytearray]) -> bytes:
    flat = iter(values)
    return array_header(len(values) // 2) + b"".join([b"*2\r\n" + bulks(pair) for pair in zip(flat, flat, strict=True)])


def scored(entries: Collection[tuple[bytes, float]]) -> bytes:
    return array_header(len(entries)) + b"".join(
        [b"*2\r\n$%d\r\n%b\r\n,%b\r\n" % (len(member), member, format_double(score)) for member, score in entries]
    )


def double(x: float) -> bytes:
    return b",%b\r\n" % format_double(x)


def human_double(text: bytes) -> bytes:
    return b",%b\r\n" % text


def bool(value: object) -> bytes:
    return true if value else false


def bignum(digits: bytes) -> bytes:
    return b"(%b\r\n" % digits


def verbatim(text: bytes, ext: bytes = b"txt") -> bytes:
    return b"=%d\r\n%b:%b\r\n" % (len(text) + 4, ext[:3].ljust(3), text)
