from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.persistence.rdb import listpack
from pyredis.persistence.rdb.codes import RdbError


@pytest.mark.parametrize(
    ("item", "entry"),
    [
        (b"0", "0001"),
        (b"127", "7f01"),
        (b"128", "c08002"),
        (b"-1", "dfff02"),
        (b"-4096", "d00002"),
        (b"4095", "cfff02"),
        (b"4096", "f1001003"),
        (b"-32768", "f1008003"),
        (b"32768", "f200800004"),
        (b"-8388608", "f200008004"),
        (b"8388608", "f30000800005"),
        (b"-2147483648", "f30000008005"),
        (b"2147483648", "f4000000800000000009"),
        (b"-9223372036854775808", "f4000000000000008009"),
        (b"9223372036854775808", "93" + b"9223372036854775808".hex() + "14"),
        (b"", "8001"),
        (b"007", "83" + b"007".hex() + "04"),
        (b"a" * 63, "bf" + "61" * 63 + "40"),
        (b"a" * 64, "e040" + "61" * 64 + "42"),
        (b"a" * 125, "e07d" + "61" * 125 + "7f"),
        (b"a" * 126, "e07e" + "61" * 126 + "0180"),
        (b"a" * 4095, "efff" + "61" * 4095 + "2081"),
        (b"a" * 4096, "f000100000" + "61" * 4096 + "2085"),
    ],
)
def test_entries_are_encoded_as_redis_does(item: bytes, entry: str) -> None:
    assert listpack.encode_entry(item).hex() == entry
    assert listpack.decode(listpack.encode([item]), "bad") == [item]


@pytest.mark.parametrize("size", [127, 128, 16382, 16383, 2097150, 2097151, 268435454, 268435455])
def test_backlen_reads_backwards(size: int) -> None:
    value = 0
    for shift, byte in enumerate(reversed(listpack.backlen(size))):
        value |= (byte & 127) << (7 * shift)
    assert value == size


def test_header_and_terminator() -> None:
    assert listpack.encode([]).hex() == "070000000000ff"
    assert listpack.encode([b"a"]).hex() == "0a0000000100816102ff"


def test_more_elements_than_the_header_can_count() -> None:
    items = [b"%d" % (n % 100) for n in range(70000)]
    pack = listpack.encode(items)
    assert pack[4:6] == b"\xff\xff"
    assert listpack.decode(pack, "bad") == items


def test_integers_stay_integers_when_asked() -> None:
    pack = listpack.join([listpack.encode_entry(item) for item in (1, b"x", -70000)])
    assert listpack.decode_raw(pack, "bad") == [1, b"x", -70000]
    assert listpack.decode(pack, "bad") == [b"1", b"x", b"-70000"]


@given(st.lists(st.one_of(st.binary(max_size=200), st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n))))
def test_round_trip(items: list[bytes]) -> None:
    assert listpack.decode(listpack.encode(items), "bad") == items


def test_damage_is_refused_or_yields_elements() -> None:
    rng = random.Random(7)
    pack = listpack.encode([b"abc", b"12", b"-70000", b"x" * 100, b"5000000000", b"y" * 5000, b"-300"])
    reasons = []
    for _ in range(3000):
        damaged = bytearray(pack)
        if rng.random() < 0.3:
            damaged = damaged[: rng.randrange(len(damaged))]
        else:
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        try:
            listpack.decode(bytes(damaged), "Listpack integrity check failed.")
        except RdbError as error:
            reasons.append(error.reason)
    assert len(reasons) > 800
    assert set(reasons) == {"Listpack integrity check failed."}


@pytest.mark.parametrize(
    "text", [b"", b"-", b"-0", b"01", b"+1", b"1 ", b"9223372036854775808", b"-9223372036854775809"]
)
def test_what_is_no_integer(text: bytes) -> None:
    assert listpack.parse_integer(text) is None


def test_what_is_an_integer() -> None:
    for text in (b"0", b"-1", b"9223372036854775807", b"-9223372036854775808"):
        assert listpack.parse_integer(text) == int(text)
