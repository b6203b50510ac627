from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.persistence.rdb import legacy
from pyredis.persistence.rdb.codes import RdbError


def zipmap(*pairs: bytes, free: int = 0, count: int | None = None) -> bytes:
    """A zipmap as Redis before 2.6 wrote it."""

    def length(text: bytes) -> bytes:
        return bytes((len(text),)) if len(text) < 254 else b"\xfe" + len(text).to_bytes(4, "little")

    body = b""
    for field, value in zip(pairs[::2], pairs[1::2], strict=True):
        body += length(field) + field + length(value) + bytes((free,)) + value + b"?" * free
    size = len(pairs) // 2 if count is None else count
    return bytes((min(size, 254),)) + body + b"\xff"


def test_ziplist_of_everything_is_what_redis_6_wrote() -> None:
    # ZADD z 1 a 2.5 b, as DUMP of a ziplist shows it
    assert legacy.encode_ziplist([b"a", 1, b"b", b"2.5"]).hex() == ("1800000012000000040000016103f20201620303322e35ff")


@pytest.mark.parametrize("value", [0, 12, 13, -1, 127, -128, 128, -32768, 8388607, -8388608, 2**31, -(2**63)])
def test_integers(value: int) -> None:
    blob = legacy.encode_ziplist([value, b"%d" % value, b"x"])
    assert legacy.decode_ziplist(blob, "bad") == [b"%d" % value, b"%d" % value, b"x"]


@given(st.lists(st.binary(max_size=300)))
def test_round_trip(items: list[bytes]) -> None:
    assert legacy.decode_ziplist(legacy.encode_ziplist(items), "bad") == items


def test_long_entries_have_a_long_header_and_a_long_next_one() -> None:
    items = [b"a" * 63, b"b" * 64, b"c" * 16383, b"d" * 16384, b"e"]
    assert legacy.decode_ziplist(legacy.encode_ziplist(items), "bad") == items


def test_ziplist_damage() -> None:
    rng = random.Random(3)
    blob = legacy.encode_ziplist([b"abc", b"12", b"-70000", b"x" * 300, b"y", b"-3"])
    reasons = set()
    for _ in range(2000):
        damaged = bytearray(blob)
        if rng.random() < 0.3:
            damaged = damaged[: rng.randrange(len(damaged))]
        else:
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        try:
            legacy.decode_ziplist(bytes(damaged), "Ziplist integrity check failed.")
        except RdbError as error:
            reasons.add(error.reason)
    assert reasons == {"Ziplist integrity check failed."}


@pytest.mark.parametrize(("at", "value"), [(0, 0), (4, 0), (8, 9), (-1, 0), (10, 1), (11, 0xC1)])
def test_every_header_field_is_verified(at: int, value: int) -> None:
    blob = bytearray(legacy.encode_ziplist([b"a", b"b"]))
    blob[at] = value
    with pytest.raises(RdbError):
        legacy.decode_ziplist(bytes(blob), "bad")


def test_zipmap() -> None:
    pairs = [b"foo", b"bar", b"long", b"v" * 300]
    assert legacy.decode_zipmap(zipmap(*pairs), "bad") == pairs
    assert legacy.decode_zipmap(zipmap(*pairs, free=3), "bad") == pairs
    assert legacy.decode_zipmap(zipmap(*pairs, count=254), "bad") == pairs


@pytest.mark.parametrize(
    "blob",
    [b"", b"\xff", b"\x00\xff", b"\x01\xff", zipmap(b"a", b"b", count=2), b"\x01\x05a\xff", b"\x01\x01a\x09\x00b\xff"],
)
def test_zipmap_damage(blob: bytes) -> None:
    with pytest.raises(RdbError):
        legacy.decode_zipmap(blob, "bad")
