"""Lengths, strings, integers and doubles as an RDB file stores them (rdb.c, rdbSaveLen and around it).

Readers take a buffer and a position and return the value and the position after it.  A buffer that
ends too early makes them raise NeedMore, IndexError or struct.error: the caller knows whether more
bytes may still come.
"""

from __future__ import annotations

import struct

from pyredis.persistence.rdb.codes import NeedMore, RdbError
from pyredis.util import lzf

_BIG_32 = struct.Struct(">I")
_BIG_64 = struct.Struct(">Q")
_LITTLE_16 = struct.Struct("<h")
_LITTLE_32 = struct.Struct("<i")
_ENCODED_16 = struct.Struct("<Bh")
_ENCODED_32 = struct.Struct("<Bi")
DOUBLE = struct.Struct("<d")
SIGNED_64 = struct.Struct("<q")

SHORT_LENGTHS = [bytes((n,)) if n < 64 else bytes((0x40 | n >> 8, n & 255)) for n in range(1 << 14)]
"""Every length below 16384 as stored: one or two bytes."""

_INT8 = {b"%d" % n: bytes((0xC0, n & 255)) for n in range(-128, 128)}
_ENCODED_INT16, _ENCODED_INT32, _ENCODED_LZF = 1, 2, 3

_LONGEST = 1 << 40
"""No string of Redis comes near; a longer length is damage, not something to wait for."""

_LZF_EXPANSION = 88
"""Three bytes of back reference yield at most 264: a longer original is a lie, refused before allocation."""


def encode_length(length: int) -> bytes:
    """*length* (unsigned, 64 bits) in one, two, five or nine bytes."""
    if length < 0x4000:
        return SHORT_LENGTHS[length]
    if length <= 0xFFFFFFFF:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")


def encode_integer(text: bytes) -> bytes | None:
    """Two, three or five bytes for a canonical decimal that fits 32 bits, else None; *text* is not empty."""
    short = _INT8.get(text)
    if short is not None:
        return short
    first = text[0]
    if first == 45:
        digits = text[1:]
        if not digits.isdigit() or digits[0] == 48:
            return None
    elif first == 48 or not text.isdigit():
        return None
    value = int(text)
    if -32768 <= value <= 32767:
        return _ENCODED_16.pack(0xC1, value)
    if -2147483648 <= value <= 2147483647:
        return _ENCODED_32.pack(0xC2, value)
    return None


def encode_string(text: bytes | bytearray, compress: bool) -> bytes:
    """*text* with its length, as an integer, or LZF-compressed where that pays (rdbSaveRawString)."""
    size = len(text)
    if size <= 11:
        if size and (text.isdigit() or text[0] == 45):
            encoded = encode_integer(bytes(text))
            if encoded is not None:
                return encoded
    elif compress and size > 20:
        packed = lzf.compress(text)
        if packed is not None:
            return b"\xc3%b%b%b" % (encode_length(len(packed)), encode_length(size), packed)
    return encode_length(size) + text


def encode_opaque(text: bytes, compress: bool) -> bytes:
    """As encode_string() for a blob that cannot be a number: a listpack, a stream node."""
    size = len(text)
    if compress and size > 20:
        packed = lzf.compress(text)
        if packed is not None:
            return b"\xc3%b%b%b" % (encode_length(len(packed)), encode_length(size), packed)
    return encode_length(size) + text


def read_length(buffer: bytes, at: int) -> tuple[int, int]:
    """The length at *at*.  A special encoding's number is returned as if it were one, as rdbLoadLen does."""
    first = buffer[at]
    if first < 0x40 or first >= 0xC0:
        return first & 0x3F, at + 1
    if first < 0x80:
        return (first & 0x3F) << 8 | buffer[at + 1], at + 2
    if first == 0x80:
        return _BIG_32.unpack_from(buffer, at + 1)[0], at + 5
    if first == 0x81:
        return _BIG_64.unpack_from(buffer, at + 1)[0], at + 9
    raise RdbError("Unknown length encoding 2 in rdbLoadLen()")


def read_string(buffer: bytes, at: int) -> tuple[bytes, int]:
    """The string at *at*, whatever its encoding."""
    first = buffer[at]
    if first < 0x40:
        start = at + 1
        end = start + first
    elif first < 0xC0:
        size, start = read_length(buffer, at)
        end = start + size
    else:
        return _read_encoded(buffer, at, first & 0x3F)
    if end > len(buffer):
        raise too_short(end, start)
    return buffer[start:end], end


def _read_encoded(buffer: bytes, at: int, kind: int) -> tuple[bytes, int]:
    if kind == 0:
        value = buffer[at + 1]
        return b"%d" % (value if value < 128 else value - 256), at + 2
    if kind == _ENCODED_INT16:
        return b"%d" % _LITTLE_16.unpack_from(buffer, at + 1)[0], at + 3
    if kind == _ENCODED_INT32:
        return b"%d" % _LITTLE_32.unpack_from(buffer, at + 1)[0], at + 5
    if kind != _ENCODED_LZF:
        raise RdbError(f"Unknown RDB string encoding type {kind}")
    packed_size, start = read_length(buffer, at + 1)
    size, start = read_length(buffer, start)
    end = start + packed_size
    if end > len(buffer):
        raise too_short(end, start)
    if size > packed_size * _LZF_EXPANSION:
        raise RdbError("Invalid LZF compressed string")
    try:
        return lzf.decompress(buffer[start:end], size), end
    except ValueError:
        raise RdbError("Invalid LZF compressed string") from None


def read_strings(buffer: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """*count* strings in a row, the way lists, sets and hashes lie in a file."""
    strings: list[bytes] = []
    append = strings.append
    limit = len(buffer)
    while count:
        count -= 1
        size = buffer[at]
        if size < 64:
            start = at + 1
            at = start + size
            if at > limit:
                raise NeedMore(at, start)
            append(buffer[start:at])
        else:
            text, at = read_string(buffer, at)
            append(text)
    return strings, at


def too_short(need: int, start: int) -> Exception:
    """What to raise when a record reaches to *need*: NeedMore, or RdbError when nothing can be that long."""
    if need - start > _LONGEST:
        return RdbError(f"length of {need - start} bytes is out of range")
    return NeedMore(need, start)


def read_text_double(buffer: bytes, at: int) -> tuple[float, int]:
    """A double written as text after a byte for its length or for inf, -inf, nan (rdbLoadDoubleValue)."""
    size = buffer[at]
    at += 1
    if size >= 253:
        return (float("nan"), float("inf"), float("-inf"))[size - 253], at
    end = at + size
    if end > len(buffer):
        raise NeedMore(end, at)
    try:
        return float(buffer[at:end]), end
    except ValueError:
        raise RdbError("Invalid double value in sorted set") from None
