"""Bitmaps: bit 0 is the most significant bit of the first byte (``redis:src/bitops.c``).

Everything works on a plain ``bytes`` or ``bytearray``; big integers do the counting and combining, in chunks
that stay in the processor's cache (about 2 ms per MB for BITCOUNT, 1.5 ms per MB and operand for BITOP).
"""

from __future__ import annotations

from operator import and_, or_, xor
from typing import Final, Literal

Buffer = bytes | bytearray
Operation = Literal["and", "or", "xor", "not"]
Overflow = Literal["wrap", "sat", "fail"]

_CHUNK: Final = 65536
_ZEROS: Final = bytes(_CHUNK)
_ONES: Final = b"\xff" * _CHUNK
_INVERTED: Final = bytes(range(255, -1, -1))
_FUNCTIONS: Final = {"and": and_, "or": or_, "xor": xor}
_INT64: Final = 1 << 64
_INT64_SIGN: Final = 1 << 63


def get_bit(data: Buffer, offset: int) -> int:
    """The bit at *offset*; 0 beyond the end.  O(1)"""
    byte = offset >> 3
    return data[byte] >> (7 - (offset & 7)) & 1 if byte < len(data) else 0


def grow(data: bytearray, length: int) -> bool:
    """Pad *data* with zero bytes up to *length*; true if it grew.  O(bytes added), amortized"""
    missing = length - len(data)
    if missing <= 0:
        return False
    data.extend(bytes(missing))
    return True


def set_bit(data: bytearray, offset: int, bit: int) -> int:
    """Set the bit at *offset*, growing *data* as needed; the old bit.  O(1) when nothing grows"""
    byte = offset >> 3
    if byte >= len(data):
        grow(data, byte + 1)
    mask = 0x80 >> (offset & 7)
    value = data[byte]
    if bit:
        data[byte] = value | mask
    else:
        data[byte] = value & ~mask
    return 1 if value & mask else 0


def popcount(data: Buffer, start: int = 0, stop: int | None = None) -> int:
    """Set bits among the bytes ``data[start:stop]`` (0 <= start).  O(N)"""
    if stop is None or stop > len(data):
        stop = len(data)
    from_bytes = int.from_bytes
    if stop - start <= _CHUNK:
        return from_bytes(data[start:stop], "little").bit_count()
    return sum(from_bytes(data[at : min(at + _CHUNK, stop)], "little").bit_count() for at in range(start, stop, _CHUNK))


def popcount_bits(data: Buffer, start: int, stop: int) -> int:
    """Set bits among the bits *start* up to, not including, *stop* (0 <= start, stop <= 8 * len).  O(N)"""
    if start >= stop:
        return 0
    first, last = start >> 3, (stop - 1) >> 3
    count = popcount(data, first, last + 1)
    before, after = start & 7, -stop & 7
    if before:
        count -= (data[first] >> (8 - before)).bit_count()
    if after:
        count -= (data[last] & ((1 << after) - 1)).bit_count()
    return count


def find_bit(data: Buffer, bit: int, start: int, stop: int) -> int:
    """Position of the first *bit* among the bits *start* up to, not including, *stop*; -1 if there is none.

    ``0 <= start`` and ``stop <= 8 * len(data)``.  O(N), at memcmp speed over bytes that cannot match.
    """
    if start >= stop:
        return -1
    at, end = start >> 3, (stop + 7) >> 3
    skipped = _ZEROS if bit else _ONES
    lead = start & 7
    while at < end:
        chunk = data[at : min(at + _CHUNK, end)]
        size = len(chunk)
        if lead or (chunk != skipped if size == _CHUNK else chunk != skipped[:size]):
            number = int.from_bytes(chunk, "big")
            width = 8 * size
            if not bit:
                number ^= (1 << width) - 1
            if lead:
                number &= (1 << (width - lead)) - 1
                lead = 0
            if number:
                position = 8 * at + width - number.bit_length()
                return position if position < stop else -1
        at += size
    return -1


def byte_range(length: int, start: int, end: int) -> tuple[int, int]:
    """Inclusive, possibly negative *start* and *end* made into a half-open range inside ``0..length``.

    As BITCOUNT and BITPOS do it for bytes and for bits; an empty range has start >= stop.
    """
    if start < 0:
        start = max(start + length, 0)
    if end < 0:
        end = max(end + length, 0)
    return start, min(end, length - 1) + 1


def bitcount(data: Buffer, start: int, end: int, by_bit: bool) -> int:
    """BITCOUNT with a range: inclusive, negative from the end, in bytes or bits.  O(N)"""
    if start < 0 and end < 0 and start > end:
        return 0
    if by_bit:
        return popcount_bits(data, *byte_range(8 * len(data), start, end))
    start, stop = byte_range(len(data), start, end)
    return popcount(data, start, stop) if start < stop else 0


def bitpos(data: Buffer, bit: int, start: int = 0, end: int | None = None, by_bit: bool = False) -> int:
    """BITPOS: the first *bit* in the inclusive range *start*..*end* (negative from the end).  O(N)

    Without *end* a value is taken as followed by zeros for ever, so a search for 0 in a range that is not
    empty always finds one.  -1 if there is none.
    """
    length = len(data)
    if by_bit:
        length *= 8
    start, stop = byte_range(length, start, length - 1 if end is None else end)
    if start >= stop:
        return -1
    if not by_bit:
        start, stop = 8 * start, 8 * stop
    position = find_bit(data, bit, start, stop)
    return stop if position < 0 and end is None and not bit else position


def combine(operation: Operation, operands: list[Buffer]) -> bytes:
    """BITOP: *operands* combined byte by byte, shorter ones followed by zeros ("not" takes one).  O(N)"""
    if operation == "not":
        return bytes(operands[0].translate(_INVERTED))
    length = max(map(len, operands))
    function = _FUNCTIONS[operation]
    from_bytes = int.from_bytes
    if length <= _CHUNK:
        total = from_bytes(operands[0], "little")
        for operand in operands[1:]:
            total = function(total, from_bytes(operand, "little"))
        return total.to_bytes(length, "little")
    chunks = []
    for at in range(0, length, _CHUNK):
        end = min(at + _CHUNK, length)
        total = from_bytes(operands[0][at:end], "little")
        for operand in operands[1:]:
            total = function(total, from_bytes(operand[at:end], "little"))
        chunks.append(total.to_bytes(end - at, "little"))
    return b"".join(chunks)


def get_field(data: Buffer, offset: int, bits: int, signed: bool) -> int:
    """The integer of *bits* bits at bit *offset*; bits beyond the end are 0.  O(1)"""
    first = offset >> 3
    stop = (offset + bits + 7) >> 3
    number = int.from_bytes(data[first:stop], "big")
    if stop > len(data):
        number <<= 8 * (stop - max(first, len(data)))
    number = number >> (8 * stop - offset - bits) & ((1 << bits) - 1)
    if signed and number >> (bits - 1):
        number -= 1 << bits
    return number


def set_field(data: bytearray, offset: int, bits: int, value: int) -> None:
    """Store the low *bits* bits of *value* at bit *offset*, growing *data* as needed.  O(1)"""
    first = offset >> 3
    stop = (offset + bits + 7) >> 3
    if stop > len(data):
        grow(data, stop)
    shift = 8 * stop - offset - bits
    mask = ((1 << bits) - 1) << shift
    number = int.from_bytes(data[first:stop], "big") & ~mask | (value << shift) & mask
    data[first:stop] = number.to_bytes(stop - first, "big")


def fit(value: int, increment: int, bits: int, signed: bool, overflow: Overflow) -> int | None:
    """``value + increment`` as an integer of *bits* bits; None if it does not fit and *overflow* is "fail".

    BITFIELD SET is the case ``increment == 0``, where *value* may be any signed 64-bit integer.
    """
    total = value + increment
    if signed:
        half = 1 << (bits - 1)
        if -half <= total < half:
            return total
        if overflow == "wrap":
            return (total + half & 2 * half - 1) - half
        if overflow == "fail":
            return None
        return half - 1 if total >= half or _headroom_overflows(value, half) else -half
    limit = (1 << bits) - 1
    if 0 <= total <= limit:
        return total
    if overflow == "wrap":
        return total & limit
    if overflow == "fail":
        return None
    # A negative SET value is an enormous unsigned one; only an INCRBY can go below zero.
    return 0 if increment < 0 else limit


def _headroom_overflows(value: int, half: int) -> bool:
    """checkSignedBitfieldOverflow takes maximum - value in 64 bits: near -2**63 it turns negative."""
    headroom = (half - 1 - value) % _INT64
    return half < _INT64_SIGN and headroom >= _INT64_SIGN
