"""Packed hashes: the same answers as plain ones, in a third of the memory."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.hashes import MOST_PACKED, Hash, PackedHash
from pyredis.util.footprint import footprint

WORDS = st.binary(max_size=3)
STEPS = st.lists(st.tuples(st.sampled_from(("put", "del", "pack", "get")), WORDS, WORDS), max_size=40)


def words(count: int) -> list[bytes]:
    return [word for n in range(count) for word in (b"field%d" % n, b"value%d" % n)]


def packed(count: int = 3) -> PackedHash:
    made = Hash.packed(words(count), Thresholds())
    assert made is not None
    return made


@given(STEPS)
def test_packing_at_any_time_changes_nothing(steps: list[tuple[str, bytes, bytes]]) -> None:
    value, model, thresholds = Hash(), dict[bytes, bytes](), Thresholds()
    for step, field, content in steps:
        if step == "put":
            assert value.put(field, content, thresholds) == (field not in model)
            model[field] = content
        elif step == "del":
            assert value.pop(field, None) == model.pop(field, None)
        elif step == "pack":
            value.pack()
            assert type(value) is (PackedHash if model else Hash)
        assert value.get(field) == model.get(field)
        assert (field in value) == (field in model)
        assert len(value) == len(model)
        assert bool(value) == bool(model)
        assert list(value) == list(model)
        assert list(reversed(value)) == list(reversed(model))
        assert list(value.items()) == list(model.items())
        assert list(value.keys()) == list(model)
        assert list(value.values()) == list(model.values())
        assert value.flat() == [word for pair in model.items() for word in pair]
        assert value == model
        assert dict(value) == model
        value._check()


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.put(b"x", b"1", Thresholds()),
        lambda value: value.expect([b"x", b"1"], Thresholds()),
        lambda value: value.__setitem__(b"x", b"1"),
        lambda value: value.__delitem__(b"field0"),
        lambda value: value.pop(b"field0"),
        lambda value: value.popitem(),
        lambda value: value.setdefault(b"x", b"1"),
        lambda value: value.update({b"x": b"1"}),
        lambda value: value.clear(),
    ],
)
def test_whatever_changes_one_unpacks_it_first(change: Callable[[Hash], object]) -> None:
    value, plain = packed(), Hash()
    plain.update(zip(words(3)[::2], words(3)[1::2], strict=True))
    change(value)
    change(plain)
    assert type(value) is Hash
    assert dict(value) == dict(plain)
    assert value.encoding == plain.encoding == b"listpack"
    value._check()


def test_reading_leaves_it_packed() -> None:
    value, rng = packed(10), Random(1)
    assert value[b"field7"] == b"value7"
    assert value.get(b"none") is None
    with pytest.raises(KeyError):
        value[b"none"]
    assert value.scan(0, 3) == (0, list(value))
    assert {value.choose(rng) for _ in range(200)} == set(value)
    assert len(set(value.choose_distinct(4, rng))) == 4
    assert len(value.choose_many(20, rng)) == 20
    assert type(value) is PackedHash


def test_a_copy_is_independent() -> None:
    value = packed()
    other = value.copy()
    other.put(b"field0", b"new", Thresholds())
    assert type(value) is PackedHash
    assert value[b"field0"] == b"value0"


def test_what_is_not_packed() -> None:
    thresholds = Thresholds()
    assert Hash.packed([b"a", b"1", b"a", b"2"], thresholds) is None
    assert Hash.packed([b"a", b"1" * 65], thresholds) is None
    assert Hash.packed([b"a" * 65, b"1"], thresholds) is None
    assert Hash.packed(words(MOST_PACKED + 1), thresholds) is None
    thresholds.hash_max_listpack_entries = 2
    assert Hash.packed(words(3), thresholds) is None
    large = Hash()
    large.expect(words(3), thresholds)
    large[b"a"] = b"1"
    assert not large.pack()
    assert not Hash().pack()
    bulky = Hash()
    bulky[b"a"] = bytes(10_000)
    assert not bulky.pack()


def test_names_are_shared_also_by_hashes_of_other_fields() -> None:
    first, second = packed(3), packed(4)
    names = list(first)
    assert all(mine is other for mine, other in zip(names, second, strict=False))
    first.unpack()
    second.unpack()
    assert all(mine is other for mine, other in zip(first, second, strict=False))
    assert all(mine is other for mine, other in zip(names, first, strict=True))


def test_it_takes_less_than_half_and_says_so() -> None:
    value = packed(10)
    small = getsizeof(value)
    assert small == footprint(value, 5)
    value.unpack()
    assert small < 330
    assert small * 2 < getsizeof(value) + sum(map(getsizeof, value.values()))
