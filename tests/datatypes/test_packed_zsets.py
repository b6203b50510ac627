"""Packed sorted sets: the same answers as plain ones, in a fifth of the memory."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from sys import getsizeof
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.zsets import MOST_PACKED, PackedSortedSet, ScoreRange, SortedSet
from pyredis.util.footprint import footprint

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "remove", "pack")), st.binary(max_size=2), st.floats(allow_nan=False) | st.just(-0.0)
    ),
    max_size=40,
)


def filled(count: int) -> SortedSet:
    return SortedSet.from_scores({b"member%d" % n: n * 7 % 5 / 2 for n in range(count)}, Thresholds())


def packed(count: int = 10) -> SortedSet:
    value = filled(count)
    assert value.pack()
    assert type(value) is PackedSortedSet
    return value


@given(STEPS)
def test_packing_at_any_time_changes_nothing(steps: list[tuple[str, bytes, float]]) -> None:
    value, plain, thresholds = SortedSet(), SortedSet(), Thresholds()
    for step, member, score in steps:
        if step == "add":
            assert value.add(member, score, thresholds) == plain.add(member, score, thresholds)
        elif step == "remove":
            assert value.remove(member) == plain.remove(member)
        else:
            value.pack()
            assert type(value) is (PackedSortedSet if len(plain) else SortedSet)
        value._check()
        assert len(value) == len(plain)
        assert list(map(str, value)) == list(map(str, plain))
        assert list(reversed(value)) == list(reversed(plain))
        assert value.encoding == plain.encoding


@pytest.mark.parametrize(
    "ask",
    [
        lambda value: value.scores,
        lambda value: list(value.order),
        lambda value: value.rank(b"member3"),
        lambda value: b"member3" in value,
        lambda value: value.slice(2, 5),
        lambda value: value.entries(2, 5),
        lambda value: value.members(2, 5),
        lambda value: value.scan(0, 2),
        lambda value: value.choose(Random(1)),
        lambda value: value.choose_many(3, Random(1)),
        lambda value: value.choose_distinct(3, Random(1)),
        lambda value: value.ranks_by_score(ScoreRange(0.5, 1.5)),
        lambda value: value.delete(2, 5),
        lambda value: value.add(b"new", 1.0, Thresholds()),
        lambda value: value.remove(b"member3"),
        lambda value: value.convert(),
        lambda value: value.expect(1000, Thresholds()),
    ],
)
def test_what_needs_more_than_a_walk_unpacks_it(ask: Callable[[Any], object]) -> None:
    value, plain = packed(), filled(10)
    assert ask(value) == ask(plain)
    assert type(value) is SortedSet
    assert list(value) == list(plain)
    assert value.encoding == plain.encoding
    value._check()


def test_a_walk_leaves_it_packed_and_a_copy_is_independent() -> None:
    value = packed()
    assert list(value) == list(filled(10))
    assert len(value) == 10
    assert value.small
    other = value.copy()
    other.remove(b"member3")
    assert type(value) is PackedSortedSet
    assert len(value) == 10
    with pytest.raises(AttributeError, match="nonsense"):
        value.nonsense  # type: ignore[attr-defined]  # noqa: B018
    assert type(value) is PackedSortedSet


def test_what_is_not_packed() -> None:
    assert not SortedSet().pack()
    assert not filled(MOST_PACKED + 1).pack()
    assert not packed().pack()
    large = filled(10)
    large.convert()
    assert not large.pack()
    thresholds = Thresholds()
    thresholds.zset_max_listpack_value = 10_000
    bulky = SortedSet.from_scores({bytes(9000): 1.0}, thresholds)
    assert bulky.small
    assert not bulky.pack()


def test_it_takes_less_than_a_third_and_says_so() -> None:
    value = packed()
    small = getsizeof(value)
    assert small == footprint(value, 5)
    value.unpack()  # type: ignore[attr-defined]
    assert small < 350
    assert small * 3 < footprint(value, 0)
