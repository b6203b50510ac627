"""Packed sets: the same answers as plain ones, in less than half of the memory."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.sets import INTSET, MOST_PACKED, PackedSet, Set
from pyredis.util.footprint import footprint

WORDS = st.one_of(st.binary(max_size=2), st.integers(-5, 30).map(lambda number: b"%d" % number))
STEPS = st.lists(st.tuples(st.sampled_from(("add", "discard", "pack", "ask")), WORDS), max_size=40)


def packed(count: int = 3) -> PackedSet:
    made = Set.small([b"member%d" % number for number in range(count)], b"listpack")
    assert isinstance(made, PackedSet)
    return made


@given(STEPS)
def test_packing_at_any_time_changes_nothing(steps: list[tuple[str, bytes]]) -> None:
    value, plain, thresholds = Set(), Set(), Thresholds()
    for step, member in steps:
        if step == "add":
            assert value.add(member, thresholds) == plain.add(member, thresholds)
        elif step == "discard":
            assert value.discard(member) == plain.discard(member)
        elif step == "pack":
            value.pack()
            assert type(value) is (PackedSet if plain else Set)
        assert (member in value) == (member in plain)
        assert len(value) == len(plain)
        assert bool(value) == bool(plain)
        assert value.encoding == plain.encoding
        assert list(value) == list(plain)
        assert list(reversed(value)) == list(plain)[::-1]
        assert set(value.keys()) == set(plain)
        assert dict.fromkeys(value) == dict.fromkeys(plain) == value
        value._check()


CHANGES: list[Callable[[Set], object]] = [
    lambda value: value.add(b"new", Thresholds()),
    lambda value: value.add_all([b"new", b"newer"], Thresholds()),
    lambda value: value.discard(b"member1"),
    lambda value: value.pop_random(Random(1)),
    lambda value: value.expect(1000, Thresholds()),
    lambda value: value.pop(b"member1", None),
    lambda value: value.popitem(),
    lambda value: value.__delitem__(b"member0"),
    lambda value: value.__setitem__(b"new", None),
    lambda value: value.setdefault(b"new", None),
    lambda value: value.update({b"new": None}),
    lambda value: value.clear(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_unpacks_it(change: Callable[[Set], object]) -> None:
    value, plain = packed(), Set.of(packed(), b"listpack")
    assert change(value) == change(plain)
    assert type(value) is Set
    assert (list(value), value.encoding) == (list(plain), plain.encoding)
    value._check()


def test_a_copy_is_independent() -> None:
    value = packed()
    twin = value.copy()
    assert type(twin) is PackedSet
    twin.add(b"new", Thresholds())
    assert len(value) == 3
    assert len(twin) == 4


def test_integers_stand_in_their_order() -> None:
    made = Set.small([b"30", b"-1", b"4"], INTSET)
    assert list(made) == [b"-1", b"4", b"30"]
    made.add(b"0", Thresholds())
    assert list(made) == [b"-1", b"0", b"4", b"30"]


@pytest.mark.parametrize("members", [[b"%d" % n for n in range(MOST_PACKED + 1)], [b"x" * 5000, b"y" * 5000]])
def test_what_is_large_stays_plain(members: list[bytes]) -> None:
    assert type(Set.small(members, b"listpack")) is Set
    assert not Set.of(members, b"listpack").pack()


def test_choosing_needs_no_unpacking() -> None:
    value = packed(10)
    assert set(value.choose_many(200, Random(1))) == set(value)
    assert sorted(value.choose_distinct(9, Random(1))) == value.choose_distinct(9, Random(1))
    assert value.scan(0, 3) == (0, list(value))
    assert type(value) is PackedSet


def test_it_takes_less_than_half() -> None:
    assert footprint(packed(10), 10) == getsizeof(packed(10)) < footprint(Set.of(packed(10), b"listpack"), 10) / 2
