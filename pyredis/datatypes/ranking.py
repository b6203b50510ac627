"""Members in the order of (score, member): the two representations of a sorted set's order.

Scores and members stand in parallel sequences, not in pairs: a pair costs 56 bytes more per member and
takes three times as long to compare.  Scores that are equal are next to each other, so a bisection of
the scores, and among equal ones of the members, finds a place.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias, TypeVar

Pair: TypeAlias = "tuple[float, bytes]"
R = TypeVar("R", "list[bytes]", "array[float]")

_LOAD = 256  # length of a new run
_MOST = 2 * _LOAD
_LEAST = _LOAD // 4


def place(scores: Sequence[float], members: Sequence[bytes], score: float, member: bytes) -> int:
    """Where (*score*, *member*) is or belongs in two parallel sequences.  O(log n)"""
    at = bisect_left(scores, score)
    if at < len(scores) and scores[at] == score:
        return bisect_left(members, member, at, bisect_right(scores, score, at))
    return at


class Run:
    """The order of a small sorted set: one run.  Changes are O(n), by way of memmove."""

    __slots__ = ("members", "scores")

    def __init__(self, scores: list[float], members: list[bytes]) -> None:
        """Takes over two sequences that are in order."""
        self.scores = scores
        self.members = members

    def __iter__(self) -> Iterator[Pair]:
        return zip(self.scores, self.members, strict=True)

    def __reversed__(self) -> Iterator[Pair]:
        return zip(reversed(self.scores), reversed(self.members), strict=True)

    def insert(self, score: float, member: bytes) -> None:
        """Put in a pair that is not there."""
        at = place(self.scores, self.members, score, member)
        self.scores.insert(at, score)
        self.members.insert(at, member)

    def remove(self, score: float, member: bytes) -> None:
        """Take out a pair that is there."""
        at = place(self.scores, self.members, score, member)
        del self.scores[at], self.members[at]

    def move(self, old: float, score: float, member: bytes) -> None:
        """Change the score of a member that is there."""
        scores, members = self.scores, self.members
        at = place(scores, members, old, member)
        if (at == 0 or scores[at - 1] < score) and (at == len(scores) - 1 or score < scores[at + 1]):
            scores[at] = score
            return
        del scores[at], members[at]
        at = place(scores, members, score, member)
        scores.insert(at, score)
        members.insert(at, member)

    def rank(self, score: float, member: bytes) -> int:
        """How many pairs come before this one, which is there."""
        return place(self.scores, self.members, score, member)

    def score_rank(self, score: float, *, after: bool) -> int:
        """How many pairs come before those of *score*, or with *after* before those above it."""
        return (bisect_right if after else bisect_left)(self.scores, score)

    def member_rank(self, member: bytes, *, after: bool) -> int:
        """The same by member; makes sense if all scores are equal."""
        return (bisect_right if after else bisect_left)(self.members, member)

    def pop_first(self) -> Pair:
        """Take out the lowest pair of an order that is not empty."""
        return self.scores.pop(0), self.members.pop(0)

    def pop_last(self) -> Pair:
        """Take out the highest pair of an order that is not empty."""
        return self.scores.pop(), self.members.pop()

    def members_between(self, start: int, stop: int) -> list[bytes]:
        """Members of ranks *start* to *stop* (exclusive), both within the bounds."""
        return self.members[start:stop]

    def scores_between(self, start: int, stop: int) -> Sequence[float]:
        """Scores of ranks *start* to *stop* (exclusive), both within the bounds."""
        return self.scores[start:stop]

    def between(self, low: float, high: float) -> tuple[Sequence[float], list[bytes]]:
        """Scores and members with *low* <= score < *high*."""
        start = bisect_left(self.scores, low)
        stop = bisect_left(self.scores, high, start)
        return self.scores[start:stop], self.members[start:stop]

    def delete(self, start: int, stop: int) -> list[bytes]:
        """Take out ranks *start* to *stop* (exclusive); their members."""
        doomed = self.members[start:stop]
        del self.members[start:stop], self.scores[start:stop]
        return doomed

    def copy(self) -> Run:
        """An independent copy.  O(n)"""
        return Run(self.scores.copy(), self.members.copy())

    def _check(self) -> None:
        """All invariants, for tests."""
        pairs = list(self)
        assert pairs == sorted(set(pairs))


class Runs:
    """The order of a large sorted set: many runs.  Changes are O(log n + sqrt n) with tiny constants.

    The last pair of every run stands in ``_last_scores`` and ``_last_members``, which are bisected
    first; there is always a run, and only a lone one may be empty.  ``_ends`` has the rank at which each
    run ends, or nothing: None after a change, empty once somebody asked.
    """

    __slots__ = ("_ends", "_last_members", "_last_scores", "_members", "_scores", "_size")

    def __init__(self, scores: Sequence[float], members: list[bytes]) -> None:
        """Copies two sequences that are in order."""
        starts = range(0, len(members), _LOAD) or (0,)
        # Arrays: their scores lie side by side in memory, which halves the time to bisect a cold one.
        self._scores = [array("d", scores[start : start + _LOAD]) for start in starts]
        self._members = [members[start : start + _LOAD] for start in starts]
        self._last_scores = [run[-1] for run in self._scores if run] or [0.0]
        self._last_members = [run[-1] for run in self._members if run] or [b""]
        self._ends: list[int] | None = None
        self._size = len(members)

    def __iter__(self) -> Iterator[Pair]:
        for scores, members in zip(self._scores, self._members, strict=True):
            yield from zip(scores, members, strict=True)

    def __reversed__(self) -> Iterator[Pair]:
        for scores, members in zip(reversed(self._scores), reversed(self._members), strict=True):
            yield from zip(reversed(scores), reversed(members), strict=True)

    # --- single pairs ----------------------------------------------------------------------------

    def _locate(self, score: float, member: bytes) -> int:
        """The run that has the pair, or that it belongs into."""
        lasts = self._last_scores
        at = bisect_left(lasts, score)
        if at < len(lasts) and lasts[at] == score:
            at = bisect_left(self._last_members, member, at, bisect_right(lasts, score, at))
        return at if at < len(lasts) else at - 1

    def insert(self, score: float, member: bytes) -> None:
        """Put in a pair that is not there."""
        at = self._locate(score, member)
        scores, members = self._scores[at], self._members[at]
        within = place(scores, members, score, member)
        if within == len(members):
            self._last_scores[at] = score
            self._last_members[at] = member
        scores.insert(within, score)
        members.insert(within, member)
        self._size += 1
        self._ends = None
        if len(members) > _MOST:
            self._split(at)

    def _split(self, at: int) -> None:
        scores, members = self._scores[at], self._members[at]
        self._scores.insert(at + 1, scores[_LOAD:])
        self._members.insert(at + 1, members[_LOAD:])
        del scores[_LOAD:], members[_LOAD:]
        self._last_scores.insert(at, scores[-1])
        self._last_members.insert(at, members[-1])

    def remove(self, score: float, member: bytes) -> None:
        """Take out a pair that is there."""
        at = self._locate(score, member)
        scores, members = self._scores[at], self._members[at]
        within = place(scores, members, score, member)
        del scores[within], members[within]
        self._size -= 1
        self._ends = None
        if within == len(members) or len(members) < _LEAST:
            self._tidy(at)

    def move(self, old: float, score: float, member: bytes) -> None:
        """Change the score of a member that is there."""
        at = self._locate(old, member)
        scores, members = self._scores[at], self._members[at]
        within = place(scores, members, old, member)
        last = len(scores) - 1
        if 0 < within < last:
            if scores[within - 1] < score < scores[within + 1]:
                scores[within] = score
                return
            if scores[0] < score < scores[last]:
                del scores[within], members[within]
                within = place(scores, members, score, member)
                scores.insert(within, score)
                members.insert(within, member)
                return
        del scores[within], members[within]
        self._size -= 1
        if within == last or last < _LEAST:
            self._tidy(at)
        self.insert(score, member)

    def _tidy(self, at: int) -> None:
        """Run *at* lost pairs: merge it with a neighbour if it became short, know its last pair again."""
        if len(self._members[at]) < _LEAST and len(self._members) > 1:
            at = max(at - 1, 0)
            self._scores[at] += self._scores.pop(at + 1)
            self._members[at] += self._members.pop(at + 1)
            del self._last_scores[at], self._last_members[at]
            if len(self._members[at]) > _MOST:
                self._last_scores[at] = self._scores[at][-1]
                self._last_members[at] = self._members[at][-1]
                self._split(at)
                return
        if self._members[at]:
            self._last_scores[at] = self._scores[at][-1]
            self._last_members[at] = self._members[at][-1]

    def pop_first(self) -> Pair:
        """Take out the lowest pair of an order that is not empty."""
        members = self._members[0]
        pair = self._scores[0].pop(0), members.pop(0)
        self._size -= 1
        self._ends = None
        if len(members) < _LEAST:
            self._tidy(0)
        return pair

    def pop_last(self) -> Pair:
        """Take out the highest pair of an order that is not empty."""
        pair = self._scores[-1].pop(), self._members[-1].pop()
        self._size -= 1
        self._ends = None
        self._tidy(len(self._members) - 1)
        return pair

    # --- ranks -----------------------------------------------------------------------------------

    def _before(self, at: int) -> int:
        """How many pairs stand in the runs before *at*.  O(1), after a change O(at) at 15 ns each"""
        ends = self._ends
        if not ends:
            if ends is None:  # worth counting for the second who asks
                self._ends = []
                return sum(map(len, self._members[:at]))
            self._ends = ends = list(accumulate(map(len, self._members)))
        return ends[at - 1] if at else 0

    def _find(self, rank: int) -> tuple[int, int]:
        """The run that *rank* is in, and where in the run; the end of the last run for the rank after all."""
        if rank < len(self._members[0]):
            return 0, rank
        within = rank - self._size + len(self._members[-1])
        if within >= 0:
            return len(self._members) - 1, within
        ends = self._ends
        if not ends:
            self._ends = ends = list(accumulate(map(len, self._members)))
        at = bisect_right(ends, rank)
        return at, rank - ends[at - 1]

    def rank(self, score: float, member: bytes) -> int:
        """How many pairs come before this one, which is there."""
        at = self._locate(score, member)
        return self._before(at) + place(self._scores[at], self._members[at], score, member)

    def score_rank(self, score: float, *, after: bool) -> int:
        """How many pairs come before those of *score*, or with *after* before those above it."""
        bisect = bisect_right if after else bisect_left
        at = bisect(self._last_scores, score)
        if at == len(self._last_scores):
            at -= 1
        return self._before(at) + bisect(self._scores[at], score)

    def member_rank(self, member: bytes, *, after: bool) -> int:
        """The same by member; makes sense if all scores are equal."""
        bisect = bisect_right if after else bisect_left
        at = bisect(self._last_members, member)
        if at == len(self._last_members):
            at -= 1
        return self._before(at) + bisect(self._members[at], member)

    # --- ranges ----------------------------------------------------------------------------------

    def members_between(self, start: int, stop: int) -> list[bytes]:
        """Members of ranks *start* to *stop* (exclusive), both within the bounds."""
        return _gather(self._members, *self._find(start), stop - start)

    def scores_between(self, start: int, stop: int) -> Sequence[float]:
        """Scores of ranks *start* to *stop* (exclusive), both within the bounds."""
        return _gather(self._scores, *self._find(start), stop - start)

    def between(self, low: float, high: float) -> tuple[Sequence[float], list[bytes]]:
        """Scores and members with *low* <= score < *high*.  O(log n + m), without counting ranks"""
        lasts = self._last_scores
        first = bisect_left(lasts, low)
        if first == len(lasts):
            return (), []
        run = self._scores[first]
        start = bisect_left(run, low)
        if high <= lasts[first]:
            stop = bisect_left(run, high, start)
            return run[start:stop], self._members[first][start:stop]
        last = min(bisect_left(lasts, high, first), len(lasts) - 1)
        if first == last:
            return run[start:], self._members[first][start:]
        stop = bisect_left(self._scores[last], high)
        scores, members = self._scores[first][start:], self._members[first][start:]
        for at in range(first + 1, last):
            scores += self._scores[at]
            members += self._members[at]
        return scores + self._scores[last][:stop], members + self._members[last][:stop]

    def delete(self, start: int, stop: int) -> list[bytes]:
        """Take out ranks *start* to *stop* (exclusive); their members."""
        doomed = self.members_between(start, stop)
        first, begin = self._find(start)
        last, end = self._find(stop)
        self._size -= len(doomed)
        self._ends = None
        if first == last:
            del self._scores[first][begin:end], self._members[first][begin:end]
        else:
            del self._scores[first][begin:], self._members[first][begin:]
            del self._scores[last][:end], self._members[last][:end]
            gone = slice(first + 1, last)
            del self._scores[gone], self._members[gone], self._last_scores[gone], self._last_members[gone]
            self._tidy(first + 1)
        self._tidy(first)
        return doomed

    def copy(self) -> Runs:
        """An independent copy.  O(n)"""
        return Runs(_gather(self._scores, 0, 0, self._size), _gather(self._members, 0, 0, self._size))

    def _check(self) -> None:
        """All invariants, for tests."""
        assert self._scores
        assert len(self._scores) == len(self._members) == len(self._last_scores) == len(self._last_members)
        assert all(map(len, self._members)) or len(self._members) == 1
        assert all(len(members) <= _MOST for members in self._members)
        assert self._size == sum(map(len, self._members))
        if self._size:
            assert self._last_scores == [run[-1] for run in self._scores]
            assert self._last_members == [run[-1] for run in self._members]
        assert not self._ends or self._ends == list(accumulate(map(len, self._members)))
        pairs = list(self)
        assert pairs == sorted(set(pairs))


def _gather(runs: list[R], at: int, begin: int, wanted: int) -> R:
    """*wanted* elements from the place *begin* of the run *at* on."""
    found = runs[at][begin : begin + wanted]
    while len(found) < wanted:
        at += 1
        found += runs[at][: wanted - len(found)]
    return found
