"""Encodings that Redis 7 only reads: ziplists (before 7.0) and zipmaps (before 2.6).

A ziplist: total size, offset of the last entry, number of entries, entries, 0xFF.  An entry: the
size of the one before, the encoding, the data (ziplist.c).  Ziplists are written too, for servers
that read nothing newer than RDB version 9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pyredis.persistence.rdb.codes import RdbError
from pyredis.persistence.rdb.listpack import parse_integer

_HEADER = struct.Struct("<IIH")
_HEADER_SIZE = 10
_UNKNOWN_COUNT = 65535
_END = 255
_BIG_PREVIOUS = 254

_INTEGER_SIZES = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
_INTEGER_LIMITS = ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8))

_ZIPMAP_BIG_LENGTH = 254


# --- ziplist --------------------------------------------------------------------------------------


def encode_ziplist(items: Iterable[bytes | int]) -> bytes:
    """The ziplist of *items*, byte for byte what appending them one by one gives in Redis 6.  O(bytes)"""
    parts: list[bytes] = []
    at = tail = _HEADER_SIZE
    previous = 0
    for item in items:
        prefix = bytes((previous,)) if previous < _BIG_PREVIOUS else b"\xfe" + previous.to_bytes(4, "little")
        entry = prefix + _ziplist_entry(item)
        parts.append(entry)
        previous, tail = len(entry), at
        at += previous
    count = min(len(parts), _UNKNOWN_COUNT)
    return b"%b%b\xff" % (_HEADER.pack(at + 1, tail, count), b"".join(parts))


def _ziplist_entry(item: bytes | int) -> bytes:
    value = item if isinstance(item, int) else parse_integer(item)
    if value is not None:
        if 0 <= value <= 12:
            return bytes((0xF1 + value,))
        for code, size in _INTEGER_LIMITS:
            if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
                return bytes((code,)) + value.to_bytes(size, "little", signed=True)
    assert isinstance(item, bytes)
    size = len(item)
    if size <= 0x3F:
        return bytes((size,)) + item
    if size <= 0x3FFF:
        return bytes((0x40 | size >> 8, size & 255)) + item
    return b"\x80" + size.to_bytes(4, "big") + item


def decode_ziplist(blob: bytes, failure: str) -> list[bytes]:
    """The elements of *blob*, with every check of ziplistValidateIntegrity; RdbError(*failure*) otherwise."""
    size = len(blob)
    if size < _HEADER_SIZE + 1:
        raise RdbError(failure)
    total, tail, count = _HEADER.unpack_from(blob)
    if total != size or blob[-1] != _END or tail > size - 1:
        raise RdbError(failure)
    items: list[bytes] = []
    at, last, previous = _HEADER_SIZE, -1, 0
    try:
        while blob[at] != _END:
            item, end = _read_ziplist_entry(blob, at, previous)
            if end > size - 1:
                raise RdbError(failure)
            items.append(item)
            last, previous, at = at, end - at, end
    except (IndexError, struct.error):
        raise RdbError(failure) from None
    if at != size - 1 or (last >= 0 and last != tail) or count not in (len(items), _UNKNOWN_COUNT):
        raise RdbError(failure)
    return items


def _read_ziplist_entry(blob: bytes, at: int, previous: int) -> tuple[bytes, int]:
    stated = blob[at]
    if stated < _BIG_PREVIOUS:
        at += 1
    else:
        stated = int.from_bytes(blob[at + 1 : at + 5], "little")
        at += 5
    if stated != previous:
        raise IndexError
    kind = blob[at]
    if kind < 0xC0:
        if kind < 0x40:
            start, size = at + 1, kind
        elif kind < 0x80:
            start, size = at + 2, (kind & 0x3F) << 8 | blob[at + 1]
        else:
            start, size = at + 5, int.from_bytes(blob[at + 1 : at + 5], "big")
        return blob[start : start + size], start + size
    at += 1
    width = _INTEGER_SIZES.get(kind)
    if width is not None:
        return b"%d" % int.from_bytes(blob[at : at + width], "little", signed=True), at + width
    if 0xF1 <= kind <= 0xFD:
        return b"%d" % (kind - 0xF1), at
    raise IndexError


# --- zipmap ---------------------------------------------------------------------------------------


def decode_zipmap(blob: bytes, failure: str) -> list[bytes]:
    """Field, value, field, value ... of *blob* (zipmapValidateIntegrity, deep)."""
    last = len(blob) - 1
    if last < 1 or blob[last] != _END:
        raise RdbError(failure)
    items: list[bytes] = []
    at = 1
    while blob[at] != _END:
        start, size = _zipmap_length(blob, at)
        end = start + size
        if start > last or end > last:
            raise RdbError(failure)
        items.append(blob[start:end])
        start, size = _zipmap_length(blob, end)
        if start > last:
            raise RdbError(failure)
        at = start + 1 + size + blob[start]
        if at > last:
            raise RdbError(failure)
        items.append(blob[start + 1 : start + 1 + size])
    count = len(items) // 2
    if not count or (blob[0] != _ZIPMAP_BIG_LENGTH and blob[0] != count):
        raise RdbError(failure)
    return items


def _zipmap_length(blob: bytes, at: int) -> tuple[int, int]:
    """Where the text of the entry at *at* starts, and its size."""
    first = blob[at]
    if first < _ZIPMAP_BIG_LENGTH:
        return at + 1, first
    return at + 5, int.from_bytes(blob[at + 1 : at + 5], "little")
