"""Listpacks: the compact sequence behind small collections and stream nodes (listpack.c).

Header of six bytes (total size, number of elements, little-endian), entries, 0xFF.  An entry is its
encoding with the data, then its own size written so that it can be read backwards.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from pyredis.persistence.rdb.codes import RdbError

HEADER_SIZE = 6
EMPTY_SIZE = 7
UNKNOWN_COUNT = 65535

_HEADER = struct.Struct("<IH")
_INT16 = struct.Struct("<h")
_INT32 = struct.Struct("<i")
_INT64 = struct.Struct("<q")
_LENGTH_32 = struct.Struct("<I")

_MIN_INT64, _MAX_INT64 = -(1 << 63), (1 << 63) - 1

_SMALL = [bytes((n, 1)) for n in range(128)]
_SMALL_TEXT = [b"%d" % n for n in range(128)]
_SMALL_BY_TEXT = dict(zip(_SMALL_TEXT, _SMALL, strict=True))


def backlen(size: int) -> bytes:
    """The trailing size of an entry of *size* bytes, one to five bytes, most significant group first."""
    if size <= 127:
        return bytes((size,))
    if size < 16383:
        return bytes((size >> 7, size & 127 | 128))
    if size < 2097151:
        return bytes((size >> 14, size >> 7 & 127 | 128, size & 127 | 128))
    if size < 268435455:
        return bytes((size >> 21, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127 | 128))
    return bytes((size >> 28, size >> 21 & 127 | 128, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127 | 128))


_CACHED_BACKLENS = 4200
_BACKLENS = [backlen(size) for size in range(_CACHED_BACKLENS)]
_SHORT_HEADS = [bytes((0x80 | size,)) for size in range(64)]
_SHORT_TAILS = [bytes((size + 1,)) for size in range(64)]


def parse_integer(text: bytes) -> int | None:
    """The 64-bit integer that *text* is the canonical decimal of, else None (lpStringToInt64)."""
    if text.isdigit():
        if len(text) > 19 or (text[0] == 48 and len(text) > 1):
            return None
        value = int(text)
        return value if value <= _MAX_INT64 else None
    if text[:1] == b"-" and len(text) <= 20:
        digits = text[1:]
        if not digits.isdigit() or digits[0] == 48:
            return None
        value = int(text)
        return value if value >= _MIN_INT64 else None
    return None


def encode_integer(value: int) -> bytes:
    """A whole entry for *value* (64 bits signed) in the smallest of the six integer encodings."""
    if 0 <= value <= 127:
        return _SMALL[value]
    if -4096 <= value <= 4095:
        value &= 0x1FFF
        return bytes((0xC0 | value >> 8, value & 255, 2))
    if -32768 <= value <= 32767:
        return b"\xf1%b\x03" % _INT16.pack(value)
    if -8388608 <= value <= 8388607:
        return b"\xf2%b\x04" % _INT32.pack(value)[:3]
    if -2147483648 <= value <= 2147483647:
        return b"\xf3%b\x05" % _INT32.pack(value)
    return b"\xf4%b\x09" % _INT64.pack(value)


def encode_entry(item: bytes | int) -> bytes:
    """A whole entry for one element: strings that look like integers are stored as such."""
    if isinstance(item, int):
        return encode_integer(item)
    size = len(item)
    if size <= 20 and size:
        small = _SMALL_BY_TEXT.get(item)
        if small is not None:
            return small
        if item[0] <= 57:
            value = parse_integer(item)
            if value is not None:
                return encode_integer(value)
    if size < 64:
        return b"%c%b%c" % (0x80 | size, item, size + 1)
    if size < 4096:
        return b"%c%c%b%b" % (0xE0 | size >> 8, size & 255, item, _BACKLENS[size + 2])
    return b"\xf0%b%b%b" % (_LENGTH_32.pack(size), item, backlen(size + 5))


def encode(texts: Iterable[bytes]) -> bytes:
    """The listpack of *texts*, byte for byte what appending them one by one gives in Redis.  O(bytes)"""
    heads, tails, other = _SHORT_HEADS, _SHORT_TAILS, encode_entry
    return join(
        [
            heads[len(text)] + text + tails[len(text)] if text >= b":" and len(text) < 64 else other(text)
            for text in texts
        ]
    )


def join(entries: Sequence[bytes]) -> bytes:
    """A listpack out of entries that are encoded already."""
    body = b"".join(entries)
    count = len(entries)
    header = _HEADER.pack(len(body) + EMPTY_SIZE, count if count < UNKNOWN_COUNT else UNKNOWN_COUNT)
    return b"%b%b\xff" % (header, body)


def decode(pack: bytes, failure: str) -> list[bytes]:
    """The elements of *pack* as strings.  Every byte is validated; RdbError(*failure*) if one is wrong."""
    items: list[bytes] = _decode(pack, failure, _SMALL_TEXT, True)
    return items


def decode_raw(pack: bytes, failure: str) -> list[bytes | int]:
    """As decode(), with integers left as int.  O(bytes)"""
    items: list[bytes | int] = _decode(pack, failure, range(128), False)
    return items


def _decode(pack: bytes, failure: str, small: Sequence[Any], as_text: bool) -> list[Any]:
    """*small*: what stands for the integers 0 to 127, by far the most frequent ones."""
    size = len(pack)
    if size < EMPTY_SIZE:
        raise RdbError(failure)
    total, count = _HEADER.unpack_from(pack)
    if total != size or pack[-1] != 0xFF:
        raise RdbError(failure)
    items: list[Any] = []
    append = items.append
    at = HEADER_SIZE
    try:
        while True:
            kind = pack[at]
            if kind < 0x80:
                append(small[kind])
                at += 2
                if pack[at - 1] != 1:
                    break
            elif kind < 0xC0:
                kind -= 0x7F
                end = at + kind
                if pack[end] != kind:
                    break
                append(pack[at + 1 : end])
                at = end + 1
            elif kind == 0xFF:
                if at == size - 1 and (count == len(items) or count == UNKNOWN_COUNT):
                    return items
                break
            else:
                item, end = _decode_long(pack, at, kind)
                trailer = _BACKLENS[end - at] if end - at < _CACHED_BACKLENS else backlen(end - at)
                at = end + len(trailer)
                if pack[end:at] != trailer:
                    break
                append(b"%d" % item if as_text and isinstance(item, int) else item)
    except (IndexError, struct.error):
        raise RdbError(failure) from None
    raise RdbError(failure)


def _decode_long(pack: bytes, at: int, kind: int) -> tuple[bytes | int, int]:
    """The element at *at* and where its data ends, for the less frequent encodings."""
    if kind < 0xE0:
        value = (kind & 0x1F) << 8 | pack[at + 1]
        return (value if value < 0x1000 else value - 0x2000), at + 2
    if kind < 0xF0:
        start = at + 2
        end = start + ((kind & 0x0F) << 8 | pack[at + 1])
        return pack[start:end], end
    if kind == 0xF0:
        start = at + 5
        end = start + _LENGTH_32.unpack_from(pack, at + 1)[0]
        return pack[start:end], end
    if kind == 0xF1:
        return _INT16.unpack_from(pack, at + 1)[0], at + 3
    if kind == 0xF2:
        return int.from_bytes(pack[at + 1 : at + 4], "little", signed=True), at + 4
    if kind == 0xF3:
        return _INT32.unpack_from(pack, at + 1)[0], at + 5
    if kind == 0xF4:
        return _INT64.unpack_from(pack, at + 1)[0], at + 9
    raise IndexError
