"""Sorted sets against a plain dict, small and large, with runs short enough to be split and merged."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import inf
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyredis.datatypes import ranking
from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.ranking import Runs
from pyredis.datatypes.zsets import LexRange, ScoreRange, SortedSet

MEMBER = st.one_of(st.sampled_from([b"", b"a", b"b", b"ab", b"\xff", b"m" * 20]), st.binary(max_size=2))
SCORE = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, inf, -inf]), st.integers(-5, 5).map(float), st.floats(allow_nan=False)
)
SCORES = st.dictionaries(MEMBER, SCORE, max_size=40)
BOUND = st.one_of(st.none(), MEMBER)


@pytest.fixture(autouse=True, scope="module")
def short_runs() -> Iterator[None]:
    with patch.multiple(ranking, _LOAD=4, _MOST=8, _LEAST=2):
        yield


def limits(entries: int, value: int = 64) -> Thresholds:
    thresholds = Thresholds()
    thresholds.zset_max_listpack_entries = entries
    thresholds.zset_max_listpack_value = value
    return thresholds


def in_order(scores: dict[bytes, float]) -> list[tuple[float, bytes]]:
    return sorted((score, member) for member, score in scores.items())


class Steps:
    """Random operations, each done to a SortedSet and to a dict."""

    def __init__(self, data: st.DataObject, thresholds: Thresholds) -> None:
        self.data, self.thresholds = data, thresholds
        self.value, self.model = SortedSet(), dict[bytes, float]()

    def ranks(self) -> tuple[int, int]:
        size = len(self.model)
        return self.data.draw(st.integers(0, size)), self.data.draw(st.integers(0, size))

    def add(self) -> None:
        member, score = self.data.draw(MEMBER), self.data.draw(SCORE)
        known = self.value.small
        assert self.value.add(member, score, self.thresholds) == (member not in self.model)
        if self.model.get(member) != score:
            self.model[member] = score + 0.0 if self.value.small else score
        if not known:
            assert not self.value.small

    def fill(self) -> None:
        for member, score in self.data.draw(SCORES).items():
            self.value.add(member, score, self.thresholds)
            if self.model.get(member) != score:
                self.model[member] = score

    def remove(self) -> None:
        member = self.data.draw(st.sampled_from(sorted(self.model)) | MEMBER if self.model else MEMBER)
        assert self.value.remove(member) == (self.model.pop(member, None) is not None)

    def delete(self) -> None:
        start, stop = self.ranks()
        doomed = in_order(self.model)[start:stop]
        assert self.value.delete(start, stop) == len(doomed)
        for _, member in doomed:
            del self.model[member]

    def pop(self) -> None:
        if self.model:
            lowest = self.data.draw(st.booleans())
            pair = self.value.order.pop_first() if lowest else self.value.order.pop_last()
            assert pair == in_order(self.model)[0 if lowest else -1]
            del self.value.scores[pair[1]], self.model[pair[1]]

    def look(self) -> None:
        pairs = in_order(self.model)
        start, stop = self.ranks()
        assert self.value.slice(start, stop) == pairs[start:stop]
        assert self.value.entries(start, stop) == [(member, score) for score, member in pairs[start:stop]]
        assert self.value.members(start, stop) == [member for _, member in pairs[start:stop]]
        assert [self.value.rank(member) for _, member in pairs] == list(range(len(pairs)))
        assert self.value.rank(b"not there") is None

    def range(self) -> None:
        bounds = ScoreRange(*self.data.draw(st.tuples(SCORE, SCORE, st.booleans(), st.booleans())))
        offset, reverse = self.data.draw(st.integers(-1, 3)), self.data.draw(st.booleans())
        low, high, low_out, high_out = bounds
        found = [
            pair
            for pair in in_order(self.model)
            if (pair[0] > low if low_out else pair[0] >= low) and (pair[0] < high if high_out else pair[0] <= high)
        ]
        left = [] if offset < 0 else found[: len(found) - offset] if reverse else found[offset:]
        if offset > len(found):
            left = []
        assert self.value.slice(*self.value.ranks_by_score(bounds, offset, reverse=reverse)) == left

    def between(self) -> None:
        low, high = self.data.draw(SCORE), self.data.draw(SCORE)
        found = [pair for pair in in_order(self.model) if low <= pair[0] < high]
        scores, members = self.value.order.between(low, high)
        assert list(zip(scores, members, strict=True)) == found

    def copy(self) -> None:
        twin = self.value.copy()
        assert twin.encoding == self.value.encoding
        twin._check()
        twin.add(b"of the copy alone", 0.0, self.thresholds)
        assert b"of the copy alone" not in self.value

    def whole(self) -> None:
        assert list(self.value) == in_order(self.model)
        assert list(reversed(self.value)) == in_order(self.model)[::-1]


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_like_a_dict(data: st.DataObject) -> None:
    steps = Steps(data, limits(data.draw(st.sampled_from([0, 3, 1000]))))
    names = [name for name in vars(Steps) if not name.startswith("_") and name != "ranks"]
    for _ in range(data.draw(st.integers(1, 25))):
        getattr(steps, data.draw(st.sampled_from(names)))()
        steps.value._check()
        assert steps.value.scores == steps.model


@settings(max_examples=80, deadline=None)
@given(
    members=st.sets(MEMBER, min_size=1), bounds=st.tuples(BOUND, BOUND, st.booleans(), st.booleans(), st.booleans()),
    offset=st.integers(0, 2), reverse=st.booleans(), small=st.booleans(),
)  # fmt: skip
def test_ranges_by_member(
    members: set[bytes], bounds: tuple[bytes | None, bytes | None, bool, bool, bool], offset: int, reverse: bool,
    small: bool,
) -> None:  # fmt: skip
    value = SortedSet.of(dict.fromkeys(members, 2.5), small=small)
    chosen = LexRange(*bounds)
    low, high, low_out, high_out, nothing = chosen
    found = [
        member
        for member in sorted(members)
        if not nothing
        and (low is None or (member > low if low_out else member >= low))
        and (high is None or (member < high if high_out else member <= high))
    ]
    found = found[: max(0, len(found) - offset)] if reverse else found[offset:]
    assert value.members(*value.ranks_by_lex(chosen, offset, reverse=reverse)) == found


def test_ranges_by_member_over_different_scores() -> None:
    """A listpack is walked: out of order, the walk ends at the first member beyond the range."""
    value = SortedSet.of({b"a": 1, b"z": 2, b"b": 3, b"c": 4}, small=True)

    def walk(low: bytes, high: bytes, offset: int = 0, *, reverse: bool = False) -> list[bytes]:
        return value.members(*value.ranks_by_lex(LexRange(low, high), offset, reverse=reverse))

    assert walk(b"a", b"c") == [b"a"]
    assert walk(b"a", b"c", 2) == [b"b", b"c"]
    assert walk(b"a", b"c", 9) == []
    assert walk(b"a", b"c", -1) == []
    assert walk(b"b", b"c") == []
    assert walk(b"b", b"z") == [b"z", b"b", b"c"]
    assert walk(b"b", b"y", reverse=True) == [b"z", b"b", b"c"]
    assert walk(b"b", b"c", 1, reverse=True) == [b"z", b"b"]
    assert walk(b"x", b"z", reverse=True) == []
    assert walk(b"d", b"z", reverse=True) == []


def test_encodings() -> None:
    thresholds = limits(2, 3)
    value = SortedSet()
    value.add(b"abc", 1, thresholds)
    value.add(b"b", 1, thresholds)
    assert value.encoding == b"listpack"
    value.add(b"b", 5, thresholds)
    assert value.encoding == b"listpack"
    value.add(b"c", 1, thresholds)
    assert value.encoding == b"skiplist"
    value.remove(b"c")
    assert value.encoding == b"skiplist"
    assert not value.small

    value = SortedSet()
    value.add(b"long", 1, thresholds)
    assert value.encoding == b"skiplist"
    value = SortedSet()
    value.expect(2, thresholds)
    assert value.small
    value.expect(3, thresholds)
    assert not value.small
    assert SortedSet.sized_for(2, 3, thresholds).small
    assert not SortedSet.sized_for(3, 3, thresholds).small
    assert not SortedSet.sized_for(2, 4, thresholds).small
    assert SortedSet.from_scores({b"abc": 1, b"b": 2}, thresholds).small
    assert not SortedSet.from_scores({b"abcd": 1}, thresholds).small
    assert not SortedSet.from_scores({b"a": 1, b"b": 2, b"c": 3}, thresholds).small


def test_negative_zero() -> None:
    """Integral scores of a listpack are stored as integers, and there is no integer -0."""
    value = SortedSet()
    value.add(b"a", -0.0, limits(128))
    assert str(value.scores[b"a"]) == "0.0"
    value.convert()
    value.add(b"b", -0.0, limits(128))
    assert str(value.scores[b"b"]) == "-0.0"
    assert not value.add(b"b", 0.0, limits(128))
    assert str(value.scores[b"b"]) == "-0.0"
    value._check()
    assert str(SortedSet.of({b"a": -0.0}, small=True).scores[b"a"]) == "0.0"
    assert str(SortedSet.of({b"a": -0.0}, small=False).scores[b"a"]) == "-0.0"


@pytest.mark.parametrize("small", [True, False])
def test_random_members(small: bool) -> None:
    rng = random.Random(5)
    names = [b"m%02d" % number for number in range(30)]
    value = SortedSet.of({name: float(number) for number, name in enumerate(names)}, small=small)
    assert {value.choose(rng) for _ in range(500)} == set(names)
    assert set(value.choose_many(5, rng)) <= set(names)
    assert len(value.choose_many(100, rng)) == 100
    for count in (1, 5, 20, 29):
        chosen = value.choose_distinct(count, rng)
        assert len(set(chosen)) == len(chosen) == count
        assert not small or chosen == sorted(chosen)


def test_scan_meets_every_member_that_stays() -> None:
    thresholds = limits(0)
    value = SortedSet.from_scores({b"stays%d" % number: float(number) for number in range(50)}, thresholds)
    cursor, seen, step = 0, set[bytes](), 0
    while True:
        cursor, members = value.scan(cursor, 7)
        seen.update(members)
        if not cursor:
            break
        step += 1
        value.add(b"new%d" % step, 1.0, thresholds)
        value.remove(b"new%d" % (step - 1))
    assert {b"stays%d" % number for number in range(50)} <= seen
    small = SortedSet.of({b"b": 1.0, b"a": 2.0}, small=True)
    assert small.scan(0, 1) == (0, [b"b", b"a"])


def test_runs_stay_short_and_full() -> None:
    runs = Runs([], [])
    for number in range(100):
        runs.insert(float(number % 10), b"%03d" % number)
        runs._check()
    assert len(runs._members) >= 100 // 8
    for number in range(97):
        runs.remove(float(number % 10), b"%03d" % number)
        runs._check()
    assert runs._size == 3
    assert len(runs._members) <= 2
