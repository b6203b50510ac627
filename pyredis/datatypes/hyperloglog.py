"""HyperLogLog in Redis's own representation, a string mutated in place (``redis:src/hyperloglog.c``).

A header of 16 bytes (``HYLL``, encoding, 3 unused, the cached cardinality as a little-endian 64-bit integer
whose top bit says that it is stale); then 16384 registers of 6 bits each, either dense (12288 bytes, least
significant bit first) or sparse, as a run-length code of three opcodes:

    00xxxxxx            ZERO   x + 1 registers are 0
    01xxxxxx yyyyyyyy   XZERO  xy + 1 registers are 0
    1vvvvvxx            VAL    x + 1 registers are v + 1

Scans and counts run on whole byte strings (``translate``, ``re``, big integers), never register by register.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf, isqrt, sqrt
from typing import Final

from ..errors import CorruptedHyperLogLog, NotHyperLogLog

Buffer = bytes | bytearray

REGISTERS: Final = 16384
HEADER: Final = 16
DENSE_SIZE: Final = HEADER + REGISTERS * 6 // 8
DENSE: Final = 0
SPARSE: Final = 1
ENCODINGS: Final = (b"dense", b"sparse")

_INDEX: Final = REGISTERS - 1
_INDEX_BITS: Final = 14
_RUN_BITS: Final = 50
_RUN_GUARD: Final = 1 << _RUN_BITS
_SPARSE_LARGEST: Final = 32
_EMPTY: Final = b"HYLL" + bytes((SPARSE,)) + bytes(11) + b"\x7f\xff"
_ALPHA: Final = 0.721347520444481703680

_MULTIPLIER: Final = 0xC6A4A7935BD1E995
_SEED: Final = 0xADC83B19
_MASK: Final = (1 << 64) - 1
_STARTS: Final = tuple(_SEED ^ (length * _MULTIPLIER & _MASK) for length in range(64))

# Registers covered by each one-byte opcode; 0 for the first byte of an XZERO.
_SPANS: Final = bytes(op + 1 if op < 0x40 else 0 if op < 0x80 else (op & 3) + 1 for op in range(256))
_XZEROS: Final = re.compile(rb"[\x40-\x7f].?", re.DOTALL)
_WALKED: Final = 160  # below this many bytes a search walks opcode by opcode from the start

# Three bytes a, b, c hold four registers: a & 63, a >> 6 | b << 2, b >> 4 | c << 4, c >> 2.
_LOW6: Final = bytes(byte & 63 for byte in range(256))
_HIGH2: Final = bytes(byte >> 6 for byte in range(256))
_LOW4_UP2: Final = bytes((byte & 15) << 2 for byte in range(256))
_HIGH4: Final = bytes(byte >> 4 for byte in range(256))
_LOW2_UP4: Final = bytes((byte & 3) << 4 for byte in range(256))
_HIGH6: Final = bytes(byte >> 2 for byte in range(256))
_UP6: Final = bytes(byte << 6 & 255 for byte in range(256))
_UP4: Final = bytes(byte << 4 & 255 for byte in range(256))
_UP2: Final = bytes(byte << 2 & 255 for byte in range(256))
_TOP_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")


def murmur64a(data: Buffer) -> int:
    """MurmurHash64A with the seed of all HyperLogLogs.  O(N), 1 us for short elements"""
    size = len(data)
    from_bytes = int.from_bytes
    value = _STARTS[size] if size < 64 else _SEED ^ (size * _MULTIPLIER & _MASK)
    whole = size & ~7
    for at in range(0, whole, 8):
        word = from_bytes(data[at : at + 8], "little") * _MULTIPLIER & _MASK
        value = (value ^ ((word ^ word >> 47) * _MULTIPLIER & _MASK)) * _MULTIPLIER & _MASK
    if size != whole:
        value = (value ^ from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    value = (value ^ value >> 47) * _MULTIPLIER & _MASK
    return value ^ value >> 47


def new() -> bytearray:
    """An empty HyperLogLog, sparse."""
    return bytearray(_EMPTY)


def check(value: Buffer) -> None:
    """Refuse a string that is no HyperLogLog by its header and length.  O(1)

    Raises NotHyperLogLog.  Damage further inside is found by what reads the registers.
    """
    if (
        len(value) < HEADER
        or value[:4] != b"HYLL"
        or value[4] > SPARSE
        or (value[4] == DENSE and len(value) != DENSE_SIZE)
    ):
        raise NotHyperLogLog


def add(value: bytearray, elements: Iterable[bytes], sparse_max: int) -> int:
    """Add *elements* to a checked *value*; how many of them changed a register.

    *sparse_max* is ``hll-sparse-max-bytes``.  O(1) per element when dense, O(bytes) when sparse.
    Raises CorruptedHyperLogLog; the elements before the one that found the damage stay added.
    """
    changed = 0
    for element in elements:
        digest = murmur64a(element)
        index = digest & _INDEX
        run = digest >> _INDEX_BITS | _RUN_GUARD
        length = (run & -run).bit_length()
        if value[4]:
            changed += _sparse_set(value, index, length, sparse_max, HEADER, 0)[0]
        else:
            changed += _dense_set(value, index, length)
    if changed:
        invalidate(value)
    return changed


def invalidate(value: bytearray) -> None:
    """Mark the cached cardinality as stale."""
    value[15] |= 0x80


def cached_count(value: Buffer) -> int | None:
    """The cached cardinality, None if it is stale."""
    return None if value[15] & 0x80 else int.from_bytes(value[8:16], "little")


def store_count(value: bytearray, count: int) -> None:
    """Cache *count* as the cardinality."""
    value[8:16] = count.to_bytes(8, "little")


def count(value: Buffer) -> int:
    """The estimated cardinality, computed anew.  0.2 ms when dense.  Raises CorruptedHyperLogLog"""
    return _estimate(_dense_histogram(value) if value[4] == DENSE else _sparse_histogram(value))


def count_union(values: Sequence[Buffer]) -> int:
    """The estimated cardinality of the union of checked *values*.  Raises CorruptedHyperLogLog"""
    return _estimate(_histogram(union(values)))


def union(values: Sequence[Buffer]) -> bytes:
    """The greatest of each register over checked *values*, one byte each.  Raises CorruptedHyperLogLog"""
    greatest = 0
    for value in values:
        other = int.from_bytes(registers(value), "little")
        # A byte lane keeps its top bit after the subtraction where the left register is not the lesser.
        lanes = ((greatest | _TOP_BITS) - other) & _TOP_BITS
        lanes -= lanes >> 7
        greatest = other ^ ((other ^ greatest) & lanes)
    return greatest.to_bytes(REGISTERS, "little")


def merge(value: bytearray, greatest: bytes, dense: bool, sparse_max: int) -> None:
    """Raise *value*'s registers to *greatest*, the union of values of which *value* is one.

    The result is dense if *dense* or if it does not fit *sparse_max* bytes.  Raises CorruptedHyperLogLog
    """
    if value[4] == SPARSE and not dense:
        at, first = HEADER, 0
        for index, length in enumerate(greatest):
            if length:
                _, at, first = _sparse_set(value, index, length, sparse_max, at, first)
                if value[4] == DENSE:
                    break
    if dense or value[4] == DENSE:
        _replace(value, greatest)
    invalidate(value)


def to_dense(value: bytearray) -> bool:
    """Make a checked *value* dense; false if it was.  Raises CorruptedHyperLogLog"""
    if value[4] == DENSE:
        return False
    _replace(value, registers(value))
    return True


def registers(value: Buffer) -> bytes:
    """All registers of a checked *value*, one byte each.  Raises CorruptedHyperLogLog"""
    return _dense_registers(value) if value[4] == DENSE else _sparse_registers(value)


def decode(value: Buffer) -> bytes:
    """The opcodes of a checked sparse *value* as PFDEBUG DECODE shows them: ``z:5 v:1,2 Z:100``."""
    words = []
    at, end = HEADER, len(value)
    while at < end:
        op = value[at]
        if op & 0x80:
            words.append(b"v:%d,%d" % ((op >> 2 & 31) + 1, (op & 3) + 1))
        elif op & 0x40:
            words.append(b"Z:%d" % _xzero_span(value, at))
            at += 1
        else:
            words.append(b"z:%d" % (op + 1))
        at += 1
    return b" ".join(words)


# --- dense ----------------------------------------------------------------------------------------


def _dense_set(value: bytearray, index: int, length: int) -> int:
    """Raise one register to *length*; 1 if it was less.  O(1)"""
    bit = index * 6
    at, shift = HEADER + (bit >> 3), bit & 7
    if shift <= 2:
        byte = value[at]
        if byte >> shift & 63 >= length:
            return 0
        value[at] = byte & ~(63 << shift) | length << shift
        return 1
    pair = value[at] | value[at + 1] << 8
    if pair >> shift & 63 >= length:
        return 0
    pair = pair & ~(63 << shift) | length << shift
    value[at] = pair & 255
    value[at + 1] = pair >> 8
    return 1


def _dense_columns(value: Buffer) -> tuple[bytes, bytes, bytes, bytes]:
    """The registers 0, 4, 8 ..., 1, 5, 9 ..., 2, 6, 10 ... and 3, 7, 11 ..."""
    a, b, c = bytes(value[HEADER::3]), bytes(value[HEADER + 1 :: 3]), bytes(value[HEADER + 2 :: 3])
    return (
        a.translate(_LOW6),
        _or(a.translate(_HIGH2), b.translate(_LOW4_UP2)),
        _or(b.translate(_HIGH4), c.translate(_LOW2_UP4)),
        c.translate(_HIGH6),
    )


def _dense_registers(value: Buffer) -> bytes:
    result = bytearray(REGISTERS)
    result[0::4], result[1::4], result[2::4], result[3::4] = _dense_columns(value)
    return bytes(result)


def _dense_histogram(value: Buffer) -> list[int]:
    return _histogram(b"".join(_dense_columns(value)))


def _replace(value: bytearray, content: bytes) -> None:
    """Rewrite *value* as dense with the registers *content*, keeping the cached cardinality."""
    r0, r1, r2, r3 = content[0::4], content[1::4], content[2::4], content[3::4]
    packed = bytearray(DENSE_SIZE)
    packed[:HEADER] = value[:HEADER]
    packed[4] = DENSE
    packed[HEADER::3] = _or(r0, r1.translate(_UP6))
    packed[HEADER + 1 :: 3] = _or(r1.translate(_HIGH6), r2.translate(_UP4))
    packed[HEADER + 2 :: 3] = _or(r2.translate(_HIGH4), r3.translate(_UP2))
    value[:] = packed


def _or(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "little") | int.from_bytes(right, "little")).to_bytes(len(left), "little")


# --- sparse ---------------------------------------------------------------------------------------


def _sparse_set(
    value: bytearray, index: int, length: int, sparse_max: int, start: int, start_first: int
) -> tuple[int, int, int]:
    """Raise one register to *length* (hllSparseSet).

    The search begins at the opcode at *start*, whose first register is *start_first*.  Returns 1 if the
    register was less, and where the search for a greater index may begin.  What does not fit becomes dense.
    """
    if length > _SPARSE_LARGEST:
        to_dense(value)
        return _dense_set(value, index, length), HEADER, 0
    older, older_first, before, at, first, span = _locate(value, index, start, start_first)
    if older == before:
        # The opcode before a later one may end up at *before*, so a search must begin before that.
        older, older_first = HEADER, 0
    op = value[at]
    new_op = 0x80 | (length - 1) << 2
    if op & 0x80:
        if (op >> 2 & 31) + 1 >= length:
            return 0, older, older_first
        size = 1
    else:
        size = 2 if op & 0x40 else 1
    if span == 1 and size == 1:
        value[at] = new_op
    else:
        middle = _split(op, new_op, index - first, first + span - 1 - index)
        if len(middle) > size and len(value) + len(middle) - size > sparse_max:
            to_dense(value)
            return _dense_set(value, index, length), HEADER, 0
        value[at : at + size] = middle
    _join(value, before)
    value[15] |= 0x80
    return 1, older, older_first


def _split(op: int, new_op: int, left: int, right: int) -> bytes:
    """*new_op* with *left* registers before it and *right* after it that stay as *op* has them."""
    if not op & 0x80:
        return b"%b%c%b" % (_zeros(left), new_op, _zeros(right))
    kept = op & 0xFC
    if left:
        return bytes((kept | left - 1, new_op, kept | right - 1) if right else (kept | left - 1, new_op))
    return bytes((new_op, kept | right - 1))


def _locate(value: Buffer, index: int, start: int, start_first: int) -> tuple[int, int, int, int, int, int]:
    """The opcode that covers register *index*, searched from the opcode at *start* on.

    Returns where the one two before it begins and that one's first register; where the one before it begins;
    where it begins itself, its first register, and its span.  Raises CorruptedHyperLogLog
    """
    if len(value) - start > _WALKED:
        at, first = _skip(value, index, start, start_first)
        found = _walk(value, index, at, first)
        if at == start or found[3] != at:
            return found
    return _walk(value, index, start, start_first)


def _walk(value: Buffer, index: int, at: int, first: int) -> tuple[int, int, int, int, int, int]:
    """The same opcode by opcode; what comes before the first one looked at is taken to be itself."""
    end = len(value)
    older = before = at
    older_first = before_first = first
    while at < end:
        op = value[at]
        if op & 0xC0 == 0x40:
            span, size = _xzero_span(value, at), 2
        else:
            span, size = _SPANS[op], 1
        if index < first + span:
            return older, older_first, before, at, first, span
        older, older_first = before, before_first
        before, before_first = at, first
        at += size
        first += span
    raise CorruptedHyperLogLog


def _skip(value: Buffer, index: int, at: int, first: int) -> tuple[int, int]:
    """An opcode a little before the one that covers *index*: where it begins, and its first register.

    Registers fill evenly, so the place is guessed and the registers up to there are summed at C speed.
    """
    share = (len(value) - at) * (index - first) // (REGISTERS - first)
    margin = 4 + isqrt(share)
    while (size := share - margin) > 16:
        part = value[at : at + size]
        pairs = _XZEROS.findall(part)
        if pairs and len(pairs[-1]) == 1:
            size -= 1
            pairs.pop()
        covered = sum(part.translate(_SPANS))
        if pairs:
            joined = b"".join(pairs)
            highs, lows = joined[0::2], joined[1::2]
            covered += (sum(highs) - 0x40 * len(highs) << 8) + sum(lows) + len(lows)
            covered -= sum(lows.translate(_SPANS))
        if first + covered <= index:
            return at + size, first + covered
        margin += margin
    return at, first


def _join(value: bytearray, at: int) -> None:
    """Merge equal VALs among the five opcodes from *at* on."""
    end = len(value)
    for _ in range(5):
        if at >= end:
            return
        op = value[at]
        if not op & 0x80:
            at += 2 if op & 0x40 else 1
            continue
        if at + 1 < end:
            total = (op & 3) + (value[at + 1] & 3) + 2
            if value[at + 1] & 0xFC == op & 0xFC and total <= 4:
                value[at : at + 2] = bytes((op & 0xFC | total - 1,))
                end -= 1
                continue
        at += 1


def _zeros(span: int) -> bytes:
    """The opcode for *span* registers that are 0."""
    if span > 64:
        span -= 1
        return bytes((0x40 | span >> 8, span & 255))
    return bytes((span - 1,)) if span else b""


def _xzero_span(value: Buffer, at: int) -> int:
    """Registers covered by the XZERO at *at*; a missing second byte counts as 0."""
    return ((value[at] & 63) << 8 | (value[at + 1] if at + 1 < len(value) else 0)) + 1


def _sparse_histogram(value: Buffer) -> list[int]:
    """How many registers have each value.  Raises CorruptedHyperLogLog"""
    body = bytes(value[HEADER:])
    result = [0] * 64
    for pair in _XZEROS.findall(body):
        result[0] += ((pair[0] & 63) << 8 | (pair[1] if len(pair) > 1 else 0)) + 1
    for op, times in Counter(_XZEROS.sub(b"", body)).items():
        result[(op >> 2 & 31) + 1 if op & 0x80 else 0] += _SPANS[op] * times
    if sum(result) != REGISTERS:
        raise CorruptedHyperLogLog
    return result


def _sparse_registers(value: Buffer) -> bytes:
    """Raises CorruptedHyperLogLog"""
    parts = []
    at, end = HEADER, len(value)
    while at < end:
        op = value[at]
        if op & 0x80:
            parts.append(_RUNS[op & 0x7F])
        elif op & 0x40:
            parts.append(bytes(_xzero_span(value, at)))
            at += 1
        else:
            parts.append(bytes(op + 1))
        at += 1
    result = b"".join(parts)
    if len(result) != REGISTERS:
        raise CorruptedHyperLogLog
    return result


_RUNS: Final = tuple(bytes(((op >> 2) + 1,)) * ((op & 3) + 1) for op in range(128))


# --- estimate -------------------------------------------------------------------------------------


def _histogram(content: bytes) -> list[int]:
    """How many of the registers *content* have each value.  6 us per distinct value"""
    result = [0] * 64
    left = REGISTERS
    for length in range(64):
        result[length] = times = content.count(length)
        left -= times
        if not left:
            break
    return result


def _estimate(histogram: list[int]) -> int:
    """Otmar Ertl's estimator (arXiv:1702.01284), in Redis's order of operations."""
    m = float(REGISTERS)
    z = m * _tau((m - histogram[_RUN_BITS + 1]) / m)
    for length in range(_RUN_BITS, 0, -1):
        z += histogram[length]
        z *= 0.5
    z += m * _sigma(histogram[0] / m)
    exact = _ALPHA * m * m / z
    floor = int(exact)
    return floor + 1 if exact - floor >= 0.5 else floor


def _sigma(x: float) -> float:
    if x == 1.0:
        return inf
    y, z, last = 1.0, x, -1.0
    while last != z:
        x *= x
        last = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x == 0.0 or x == 1.0:
        return 0.0
    y, z, last = 1.0, 1.0 - x, -1.0
    while last != z:
        x = sqrt(x)
        last = z
        y *= 0.5
        z -= (1.0 - x) * (1.0 - x) * y
    return z / 3.0
