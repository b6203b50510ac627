"""Bitmaps against strings of "0" and "1"."""

from __future__ import annotations

import random
from functools import reduce
from operator import and_, or_, xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes import bits

FEW = st.binary(max_size=12)
INDEX = st.integers(-110, 110)
HUGE = bits._CHUNK * 2 + 77


def text(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def ends(length: int, start: int, end: int) -> tuple[int, int]:
    start = max(start + length, 0) if start < 0 else start
    end = max(end + length, 0) if end < 0 else end
    return start, min(end, length - 1) + 1


@given(FEW, st.integers(0, 120))
def test_get_bit(data: bytes, offset: int) -> None:
    assert bits.get_bit(data, offset) == int(text(data).ljust(128, "0")[offset])


@given(FEW, st.integers(0, 120), st.integers(0, 1))
def test_set_bit_grows_and_returns_the_old_bit(data: bytes, offset: int, bit: int) -> None:
    value = bytearray(data)
    model = text(data).ljust((offset // 8 + 1) * 8, "0")
    assert bits.set_bit(value, offset, bit) == int(model[offset])
    assert text(value) == model[:offset] + str(bit) + model[offset + 1 :]


@given(FEW, INDEX, INDEX, st.booleans())
def test_bitcount(data: bytes, start: int, end: int, by_bit: bool) -> None:
    if start < 0 and end < 0 and start > end:
        expected = 0
    else:
        scale = 1 if by_bit else 8
        first, stop = ends(len(data) * 8 // scale, start, end)
        expected = text(data)[first * scale : stop * scale].count("1")
    assert bits.bitcount(data, start, end, by_bit) == expected


@given(FEW, st.integers(0, 1), INDEX, st.none() | INDEX, st.booleans())
def test_bitpos(data: bytes, bit: int, start: int, end: int | None, by_bit: bool) -> None:
    scale = 1 if by_bit else 8
    length = len(data) * 8 // scale
    first, stop = ends(length, start, length - 1 if end is None else end)
    expected = -1
    if first < stop:
        expected = text(data).find(str(bit), first * scale, stop * scale)
        if expected < 0 and not bit and end is None:
            expected = len(data) * 8
    assert bits.bitpos(data, bit, start, end, by_bit) == expected


@pytest.mark.parametrize("bit", [0, 1])
@pytest.mark.parametrize("place", [0, 1, 7, 8, 65536 * 8 - 1, 65536 * 8, HUGE * 8 - 1])
def test_long_values(bit: int, place: int) -> None:
    data = bytearray((b"\0" if bit else b"\xff") * HUGE)
    bits.set_bit(data, place, bit)
    total = HUGE * 8
    assert bits.popcount(data) == (1 if bit else total - 1)
    assert bits.bitpos(data, bit) == place
    assert bits.bitpos(data, bit, place, place, by_bit=True) == place
    assert bits.bitpos(data, bit, place + 1, total, by_bit=True) == -1
    assert bits.bitpos(data, bit, 0, place - 1, by_bit=True) == (-1 if place else place)
    assert bits.popcount_bits(data, place, place + 1) == bit
    assert bits.popcount_bits(data, 0, place) == (0 if bit else place)


@given(st.lists(FEW, min_size=1, max_size=4), st.sampled_from(["and", "or", "xor"]))
def test_combine(operands: list[bytes], operation: bits.Operation) -> None:
    function = {"and": and_, "or": or_, "xor": xor}[operation]
    length = max(map(len, operands))
    padded = [operand.ljust(length, b"\0") for operand in operands]
    expected = bytes(reduce(function, column) for column in zip(*padded, strict=True))
    assert bits.combine(operation, list(operands)) == expected


def test_combine_long_operands_of_different_length() -> None:
    chance = random.Random(7)
    a, b, c = (chance.randbytes(n) for n in (HUGE, 65536, 3))
    for operation, function in (("and", and_), ("or", or_), ("xor", xor)):
        padded = (a, b.ljust(HUGE, b"\0"), c.ljust(HUGE, b"\0"))
        expected = bytes(reduce(function, column) for column in zip(*padded, strict=True))
        assert bits.combine(operation, [c, a, bytearray(b)]) == expected
    assert bits.combine("not", [bytearray(a)]) == bytes(255 - byte for byte in a)


@given(FEW, st.integers(0, 110), st.integers(1, 64), st.booleans())
def test_get_field(data: bytes, offset: int, width: int, signed: bool) -> None:
    field = text(data).ljust(200, "0")[offset : offset + width]
    expected = int(field, 2) - (1 << width if signed and field[0] == "1" else 0)
    assert bits.get_field(data, offset, width, signed) == expected


@given(FEW, st.integers(0, 110), st.integers(1, 64), st.integers(-(2**63), 2**63 - 1))
def test_set_field(data: bytes, offset: int, width: int, value: int) -> None:
    target = bytearray(data)
    bits.set_field(target, offset, width, value)
    model = text(data).ljust((offset + width + 7) // 8 * 8, "0")
    field = f"{value % (1 << width):0{width}b}"
    assert text(target) == model[:offset] + field + model[offset + width :]


@pytest.mark.parametrize(
    ("value", "increment", "width", "signed", "wrap", "sat"),
    [
        (100, 27, 8, True, 127, 127),
        (100, 28, 8, True, -128, 127),
        (-100, -29, 8, True, 127, -128),
        (255, 1, 8, False, 0, 255),
        (0, -1, 8, False, 255, 0),
        (-1, 0, 8, False, 255, 255),
        (2**63 - 1, 1, 64, True, -(2**63), 2**63 - 1),
        (-(2**63), -1, 64, True, 2**63 - 1, -(2**63)),
        (2**63 - 1, 2**63 - 1, 63, False, 2**63 - 2, 2**63 - 1),
        (-(2**63), 0, 8, True, 0, 127),
        (-(2**63) + 128, 0, 8, True, -128, -128),
    ],
)
def test_fit(value: int, increment: int, width: int, signed: bool, wrap: int, sat: int) -> None:
    assert bits.fit(value, increment, width, signed, "wrap") == wrap
    assert bits.fit(value, increment, width, signed, "sat") == sat
    fits = wrap == sat == value + increment
    assert bits.fit(value, increment, width, signed, "fail") == (wrap if fits else None)
