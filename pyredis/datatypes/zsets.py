"""Sorted sets: members ordered by (score, member) (t_zset.c)."""

from __future__ import annotations

from collections.abc import Iterator
from marshal import dumps, loads
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .ranking import Pair, Run, Runs
from .sampling import Sampler

if TYPE_CHECKING:
    from .encodings import Thresholds

MOST_PACKED: Final = 64
"""Members of a packed sorted set at most.  Unpacking takes 1 us and 60 ns per member."""
_LARGEST_PACKED: Final = 8192  # bytes
_MARSHAL: Final = 2  # the first version with binary floats


class ScoreRange(NamedTuple):
    """Scores from ``low`` to ``high``; each bound may be exclusive."""

    low: float
    high: float
    low_exclusive: bool = False
    high_exclusive: bool = False


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

    def reached(self, member: bytes) -> bool:
        """*member* is not below the range."""
        return self.low is None or (member > self.low if self.low_exclusive else member >= self.low)

    def passed(self, member: bytes) -> bool:
        """*member* is above the range."""
        return self.high is not None and (member >= self.high if self.high_exclusive else member > self.high)


class SortedSet:
    """Scores by member, and the order of all (score, member): a ``Run`` while small, ``Runs`` when large.

    A small one (encoding listpack) that was converted to a large one (skiplist) stays large.  Ranks
    count from the lowest score, 0 first.  Listpacks know no negative zero: it becomes 0 in a small set.
    """

    type_name = b"zset"
    __slots__ = ("_packed", "_sampler", "order", "scores")

    _packed: bytes  # instead of the other three while packed

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.order: Run | Runs = Run([], [])
        self._sampler: Sampler | None = None

    @classmethod
    def of(cls, scores: dict[bytes, float], *, small: bool) -> SortedSet:
        """A sorted set of *scores*, which is taken over, in a given encoding.  O(n log n)"""
        self = cls()
        if small and 0.0 in scores.values():
            scores = {member: score + 0.0 for member, score in scores.items()}
        self.scores = scores
        pairs = sorted(zip(scores.values(), scores, strict=True))
        make = Run if small else Runs
        self.order = make([score for score, _ in pairs], [member for _, member in pairs])
        return self

    @classmethod
    def from_scores(cls, scores: dict[bytes, float], thresholds: Thresholds) -> SortedSet:
        """The same in the encoding that size and members call for (zsetConvertToListpackIfNeeded)."""
        small = (
            len(scores) <= thresholds.zset_max_listpack_entries
            and max(map(len, scores), default=0) <= thresholds.zset_max_listpack_value
        )
        return cls.of(scores, small=small)

    @classmethod
    def sized_for(cls, expected: int, longest: int, thresholds: Thresholds) -> SortedSet:
        """An empty one fit for *expected* members of up to *longest* bytes (zsetTypeCreate)."""
        self = cls()
        if expected > thresholds.zset_max_listpack_entries or longest > thresholds.zset_max_listpack_value:
            self.order = Runs([], [])
        return self

    def __len__(self) -> int:
        return len(self.scores)

    def __contains__(self, member: object) -> bool:
        return member in self.scores

    def __iter__(self) -> Iterator[Pair]:
        """(score, member) in order."""
        return iter(self.order)

    def __reversed__(self) -> Iterator[Pair]:
        return reversed(self.order)

    @property
    def encoding(self) -> bytes:
        return b"listpack" if self.order.__class__ is Run else b"skiplist"

    @property
    def small(self) -> bool:
        """In the compact encoding."""
        return self.order.__class__ is Run

    def convert(self) -> None:
        """To the encoding for many or long members.  O(n)"""
        order = self.order
        if isinstance(order, Run):
            self.order = Runs(order.scores, order.members)

    def expect(self, count: int, thresholds: Thresholds) -> None:
        """Convert if *count* members, about to be added or changed, are too many (zsetTypeMaybeConvert)."""
        if count > thresholds.zset_max_listpack_entries:
            self.convert()

    def copy(self) -> SortedSet:
        """An independent copy in the same encoding.  O(n)"""
        twin = SortedSet()
        twin.scores = self.scores.copy()
        twin.order = self.order.copy()
        return twin

    def pack(self) -> bool:
        """Become a ``PackedSortedSet``, if small and not one already; true if so.  O(n)"""
        if type(self) is not SortedSet or not self.small or not 0 < len(self.scores) <= MOST_PACKED:
            return False
        order = self.order
        count = len(self.scores)
        packed = dumps((order.members_between(0, count), list(order.scores_between(0, count))), _MARSHAL)
        if len(packed) > _LARGEST_PACKED:
            return False
        self._packed = packed
        del self.order, self.scores, self._sampler
        self.__class__ = PackedSortedSet
        return True

    # --- changing --------------------------------------------------------------------------------

    def add(self, member: bytes, score: float, thresholds: Thresholds) -> bool:
        """Set *member*'s score; true if it is new.  O(log n)

        A member that has the score stays as it is: 0 does not become -0, which equals it.
        """
        old = self.scores.get(member)
        if old is None:
            self.insert(member, score, thresholds)
            return True
        if old != score:
            self.move(member, old, score)
        return False

    def insert(self, member: bytes, score: float, thresholds: Thresholds) -> None:
        """Put in *member*, which is not there.  O(log n)"""
        scores, order = self.scores, self.order
        if order.__class__ is Run:
            if len(scores) >= thresholds.zset_max_listpack_entries or len(member) > thresholds.zset_max_listpack_value:
                self.convert()
                order = self.order
            else:
                score += 0.0
        scores[member] = score
        order.insert(score, member)
        if self._sampler is not None:
            self._sampler.add(member)

    def move(self, member: bytes, old: float, score: float) -> None:
        """Change the score of *member* from *old* to another one.  O(log n)"""
        order = self.order
        if order.__class__ is Run:
            score += 0.0
        order.move(old, score, member)
        self.scores[member] = score

    def remove(self, member: bytes) -> bool:
        """Take *member* out; false if it was not there.  O(log n)"""
        score = self.scores.pop(member, None)
        if score is None:
            return False
        self.order.remove(score, member)
        return True

    def delete(self, start: int, stop: int) -> int:
        """Take out ranks *start* to *stop* (exclusive); how many.  O(log n + m)"""
        if start >= stop:
            return 0
        doomed = self.order.delete(start, stop)
        scores = self.scores
        for member in doomed:
            del scores[member]
        return len(doomed)

    # --- ranks -----------------------------------------------------------------------------------

    def rank(self, member: bytes) -> int | None:
        """Position of *member*; None if it is not there.  O(log n)"""
        score = self.scores.get(member)
        return None if score is None else self.order.rank(score, member)

    def ranks_by_score(self, bounds: ScoreRange, offset: int = 0, *, reverse: bool = False) -> tuple[int, int]:
        """First rank in *bounds*, and the one after the last, without *offset* members where a walk begins.

        A walk begins at the first one, or with *reverse* at the last.  Equal ranks: there is none.  O(log n)
        """
        low, high, low_exclusive, high_exclusive = bounds
        if low > high:
            return 0, 0
        first = self.order.score_rank(low, after=low_exclusive)
        last = self.order.score_rank(high, after=not high_exclusive)
        return _skip(first, last, offset, reverse=reverse)

    def ranks_by_lex(self, bounds: LexRange, offset: int = 0, *, reverse: bool = False) -> tuple[int, int]:
        """The same by member, in a set whose scores are all equal.  O(log n)

        With different scores the answer depends, as it does in Redis, on where the search passes.
        """
        if bounds.empty or not self.scores:
            return 0, 0
        order = self.order
        if isinstance(order, Run) and order.scores[0] != order.scores[-1]:
            return _walk(order.members, bounds, offset, reverse=reverse)
        first, last = 0, len(self.scores)
        if bounds.low is not None:
            first = order.member_rank(bounds.low, after=bounds.low_exclusive)
        if bounds.high is not None:
            last = order.member_rank(bounds.high, after=not bounds.high_exclusive)
        return _skip(first, last, offset, reverse=reverse)

    # --- members ---------------------------------------------------------------------------------

    def slice(self, start: int, stop: int) -> list[Pair]:
        """(score, member) of ranks *start* to *stop* (exclusive), both within the bounds.  O(log n + m)"""
        if start >= stop:
            return []
        order = self.order
        return list(zip(order.scores_between(start, stop), order.members_between(start, stop), strict=True))

    def entries(self, start: int, stop: int) -> list[tuple[bytes, float]]:
        """The same as (member, score), as replies have them."""
        if start >= stop:
            return []
        order = self.order
        return list(zip(order.members_between(start, stop), order.scores_between(start, stop), strict=True))

    def members(self, start: int, stop: int) -> list[bytes]:
        """Members of ranks *start* to *stop* (exclusive), both within the bounds.  O(log n + m)"""
        return self.order.members_between(start, stop) if start < stop else []

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Members from *cursor* on, and the next cursor; a small set comes whole (``Sampler.scan``)."""
        if self.small:
            return 0, self.members(0, len(self.scores))
        if self._sampler is None:
            self._sampler = Sampler(self.scores)
        return self._sampler.scan(cursor, count)

    def choose(self, rng: Random) -> bytes:
        """A random member of a set that has one.  O(log n)"""
        rank = int(rng.random() * len(self.scores))
        return self.order.members_between(rank, rank + 1)[0]

    def choose_many(self, count: int, rng: Random) -> list[bytes]:
        """*count* random members, the same one perhaps several times.  O(count log n), O(n) if that is less"""
        if count * 3 < len(self.scores):
            return [self.choose(rng) for _ in range(count)]
        return rng.choices(list(self.scores), k=count)

    def choose_distinct(self, count: int, rng: Random) -> list[bytes]:
        """*count* different members, no more than there are; in order if the set is small."""
        if self.small:
            members = self.members(0, len(self.scores))
            return [members[rank] for rank in sorted(rng.sample(range(len(members)), count))]
        if count * 3 > len(self.scores):
            return rng.sample(list(self.scores), count)
        ranks = rng.sample(range(len(self.scores)), count)
        return [self.order.members_between(rank, rank + 1)[0] for rank in ranks]

    def _check(self) -> None:
        """All invariants, for tests."""
        self.order._check()
        pairs = list(self.order)
        assert pairs == sorted(zip(self.scores.values(), self.scores, strict=True))
        assert [str(score) for score, _ in pairs] == [str(self.scores[member]) for _, member in pairs]
        if self.small:
            assert "-0.0" not in map(str, self.scores.values())


class PackedSortedSet(SortedSet):
    """A small sorted set as one object: 100 bytes and 15 per member besides the data, where others take 700 and 100.

    To walk all of it leaves it packed; whatever else is asked makes it a plain ``SortedSet`` first, in place.
    """

    __slots__ = ()

    all_in_one = True
    """Nothing but the object itself has to be measured."""

    def unpack(self) -> None:
        """Become a plain ``SortedSet``."""
        members, scores = loads(self._packed)
        del self._packed
        self.scores = dict(zip(members, scores, strict=True))
        self.order = Run(scores, members)
        self._sampler = None
        self.__class__ = SortedSet  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        """What only a plain one has."""
        if name not in ("order", "scores", "_sampler"):
            raise AttributeError(name)
        self.unpack()
        return getattr(self, name)

    def _pairs(self) -> list[Pair]:
        members, scores = loads(self._packed)
        return list(zip(scores, members, strict=True))

    def __len__(self) -> int:
        return len(self._pairs())

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs())

    def __reversed__(self) -> Iterator[Pair]:
        return reversed(self._pairs())

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self._packed.__sizeof__()

    @property
    def encoding(self) -> bytes:
        return b"listpack"

    @property
    def small(self) -> bool:
        return True

    def copy(self) -> SortedSet:
        """O(1)"""
        twin = PackedSortedSet.__new__(PackedSortedSet)
        twin._packed = self._packed
        return twin

    def _check(self) -> None:
        """All invariants, for tests."""
        pairs = self._pairs()
        assert 0 < len(pairs) == len({member for _, member in pairs}) <= MOST_PACKED
        assert pairs == sorted(pairs)
        assert "-0.0" not in [str(score) for score, _ in pairs]


def _skip(first: int, last: int, offset: int, *, reverse: bool) -> tuple[int, int]:
    """Leave out *offset* ranks where a walk begins; a negative one leaves nothing."""
    if reverse:
        last -= offset
    else:
        first += offset
    return (first, last) if first < last and offset >= 0 else (0, 0)


def _walk(members: list[bytes], bounds: LexRange, offset: int, *, reverse: bool) -> tuple[int, int]:
    """What walking a listpack in whatever order finds in *bounds*: it ends where the range does.

    The first member that is *offset* after the first in the range need not be in the range (genericZrangebylexCommand).
    """
    if offset < 0 or not bounds.reached(members[-1]) or bounds.passed(members[0]):
        return 0, 0
    if reverse:
        last = len(members)
        while bounds.passed(members[last - 1]):
            last -= 1
        if not bounds.reached(members[last - 1]):
            return 0, 0
        first = last = last - offset
        while first > 0 and bounds.reached(members[first - 1]):
            first -= 1
    else:
        first = 0
        while not bounds.reached(members[first]):
            first += 1
        if bounds.passed(members[first]):
            return 0, 0
        first = last = first + offset
        while last < len(members) and not bounds.passed(members[last]):
            last += 1
    return (first, last) if 0 <= first < last <= len(members) else (0, 0)
