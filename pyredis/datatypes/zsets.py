"""Sorted sets: members ordered by (score, member) (t_zset.c)."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from math import inf, nextafter
from typing import Any, NamedTuple

from sortedcontainers import SortedList

from .encodings import Thresholds
from .sampling import Sampler

Pair = tuple[float, bytes]


class ScoreRange(NamedTuple):
    """Scores from ``low`` to ``high``; each bound may be exclusive."""

    low: float
    high: float
    low_exclusive: bool = False
    high_exclusive: bool = False

    def __contains__(self, score: object) -> bool:
        assert isinstance(score, float)
        above = score > self.low if self.low_exclusive else score >= self.low
        return above and (score < self.high if self.high_exclusive else score <= self.high)

    @property
    def empty(self) -> bool:
        """True if no score can be in it."""
        return self.low > self.high or (self.low == self.high and (self.low_exclusive or self.high_exclusive))


class LexRange(NamedTuple):
    """Members from ``low`` to ``high``; None is the bound beyond all members on its side."""

    low: bytes | None
    high: bytes | None
    low_exclusive: bool = False
    high_exclusive: bool = False
    nothing: bool = False
    """The bounds are the wrong way round: ``+`` as the lower or ``-`` as the upper one."""

    @property
    def empty(self) -> bool:
        """True if no member can be in it."""
        if self.nothing:
            return True
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_exclusive or self.high_exclusive))

    def __contains__(self, member: object) -> bool:
        assert isinstance(member, bytes)
        if self.nothing:
            return False
        if self.low is not None and (member <= self.low if self.low_exclusive else member < self.low):
            return False
        return self.high is None or (member < self.high if self.high_exclusive else member <= self.high)


class SortedSet:
    """Scores by member, and all (score, member) in order.

    Small ones (encoding listpack) keep the order in a plain list, which is smaller and faster up to some
    hundred members; large ones (skiplist) in a SortedList.  Once converted, never back.
    """

    type_name = b"zset"
    __slots__ = ("_sampler", "order", "scores")

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.order: Any = []  # list[Pair] or SortedList
        self._sampler: Sampler | None = None

    @classmethod
    def from_scores(cls, scores: dict[bytes, float], thresholds: Thresholds) -> SortedSet:
        """A sorted set of *scores*, taken over, in the encoding its size and members call for.  O(n log n)"""
        self = cls()
        self.scores = scores
        pairs = sorted(zip(scores.values(), scores, strict=True))
        longest = max(map(len, scores), default=0)
        if len(scores) > thresholds.zset_max_listpack_entries or longest > thresholds.zset_max_listpack_value:
            self.order = SortedList(pairs)
        else:
            self.order = pairs
        return self

    def __len__(self) -> int:
        return len(self.scores)

    def __contains__(self, member: object) -> bool:
        return member in self.scores

    def __iter__(self) -> Iterator[Pair]:
        """(score, member) in order."""
        return iter(self.order)

    @property
    def encoding(self) -> bytes:
        return b"listpack" if self.order.__class__ is list else b"skiplist"

    @property
    def small(self) -> bool:
        """In the compact encoding."""
        return self.order.__class__ is list

    def convert(self) -> None:
        """To the encoding for many or long members.  O(n)"""
        if self.order.__class__ is list:
            self.order = SortedList(self.order)

    def copy(self) -> SortedSet:
        """An independent copy in the same encoding.  O(n)"""
        twin = SortedSet()
        twin.scores = self.scores.copy()
        twin.order = self.order.copy()
        return twin

    # --- changing --------------------------------------------------------------------------------

    def add(self, member: bytes, score: float, thresholds: Thresholds) -> bool:
        """Set *member*'s score; true if it is new.  O(log n)"""
        scores, order = self.scores, self.order
        old = scores.get(member)
        if old is not None:
            if old == score:
                scores[member] = score  # 0 may become -0
                if score == 0:
                    self._replace_zero(old, score, member)
                return False
            scores[member] = score
            if order.__class__ is list:
                del order[bisect_left(order, (old, member))]
                insort(order, (score, member))
            else:
                order.remove((old, member))
                order.add((score, member))
            return False
        scores[member] = score
        if self._sampler is not None:
            self._sampler.add(member)
        if order.__class__ is list:
            insort(order, (score, member))
            if (
                len(scores) > thresholds.zset_max_listpack_entries
                or len(member) > thresholds.zset_max_listpack_value
            ):
                self.order = SortedList(order)
        else:
            order.add((score, member))
        return True

    def _replace_zero(self, old: float, score: float, member: bytes) -> None:
        """0 and -0 are equal, but print differently: the order has to hold the newer one."""
        if str(old) != str(score):
            order = self.order
            if order.__class__ is list:
                order[bisect_left(order, (score, member))] = (score, member)
            else:
                order.remove((old, member))
                order.add((score, member))

    def remove(self, member: bytes) -> bool:
        """Take *member* out; false if it was not there.  O(log n)"""
        score = self.scores.pop(member, None)
        if score is None:
            return False
        order = self.order
        if order.__class__ is list:
            del order[bisect_left(order, (score, member))]
        else:
            order.remove((score, member))
        return True

    def pop_lowest(self) -> Pair:
        """Take out and return the first (score, member).  O(log n)"""
        pair: Pair = self.order.pop(0)
        del self.scores[pair[1]]
        return pair

    def pop_highest(self) -> Pair:
        """Take out and return the last (score, member).  O(log n)"""
        pair: Pair = self.order.pop()
        del self.scores[pair[1]]
        return pair

    def delete(self, start: int, stop: int) -> int:
        """Take out ranks *start* to *stop* (exclusive); how many.  O(log n + m)"""
        doomed = self.order[start:stop]
        for _, member in doomed:
            del self.scores[member]
        del self.order[start:stop]
        return len(doomed)

    # --- looking ---------------------------------------------------------------------------------

    def rank(self, member: bytes) -> int | None:
        """Position from the lowest score, 0 first; None if *member* is not there.  O(log n)"""
        score = self.scores.get(member)
        if score is None:
            return None
        order = self.order
        if order.__class__ is list:
            return bisect_left(order, (score, member))
        return int(order.bisect_left((score, member)))

    def slice(self, start: int, stop: int) -> list[Pair]:
        """Ranks *start* to *stop* (exclusive), both within the bounds.  O(log n + m)"""
        return self.order[start:stop]

    def ranks_by_score(self, bounds: ScoreRange) -> tuple[int, int]:
        """First rank in *bounds*, and the one after the last.  O(log n)"""
        if bounds.empty:
            return 0, 0
        size = len(self.scores)
        low = nextafter(bounds.low, inf) if bounds.low_exclusive else bounds.low
        first = size if bounds.low_exclusive and bounds.low == inf else self._bisect((low,))
        if bounds.high_exclusive:
            last = self._bisect((bounds.high,))
        else:
            last = size if bounds.high == inf else self._bisect((nextafter(bounds.high, inf),))
        return (first, last) if first < last else (0, 0)

    def ranks_by_lex(self, bounds: LexRange) -> tuple[int, int]:
        """The same by member, in a set whose scores are all equal.  O(log n)

        With different scores the answer is as unspecified as it is in Redis.
        """
        if bounds.empty or not self.scores:
            return 0, 0
        members = _Members(self.order)
        first, last = 0, len(self.scores)
        if bounds.low is not None:
            first = (bisect_right if bounds.low_exclusive else bisect_left)(members, bounds.low)
        if bounds.high is not None:
            last = (bisect_left if bounds.high_exclusive else bisect_right)(members, bounds.high)
        return (first, last) if first < last else (0, 0)

    def _bisect(self, key: tuple[float]) -> int:
        order = self.order
        if order.__class__ is list:
            return bisect_left(order, key)
        return int(order.bisect_left(key))

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Members from *cursor* on, and the next cursor; a small set comes whole (``Sampler.scan``)."""
        if self.order.__class__ is list:
            return 0, [member for _, member in self.order]
        if self._sampler is None:
            self._sampler = Sampler(self.scores)
        return self._sampler.scan(cursor, count)

    def random(self, rng: random.Random) -> Pair:
        """A uniformly chosen (score, member).  O(log n)"""
        pair: Pair = self.order[int(rng.random() * len(self.scores))]
        return pair

    def _check(self) -> None:
        """All invariants, for tests."""
        assert sorted(zip(self.scores.values(), self.scores, strict=True)) == list(self.order)
        if self.order.__class__ is not list:
            self.order._check()


class _Members:
    """The members of an order as a sequence, for bisect."""

    __slots__ = ("_order",)

    def __init__(self, order: Any) -> None:
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> bytes:
        return self._order[index][1]
