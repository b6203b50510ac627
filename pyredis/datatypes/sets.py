"""Sets of byte strings, and their algebra (t_set.c, setType*)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Sequence
from itertools import islice
from marshal import dumps, loads
from random import Random
from typing import TYPE_CHECKING, Final

from ..util.numbers import parse_int_or_none
from .sampled import HASHTABLE, LISTPACK, SampledDict, unpacking
from .sampling import Sampler

if TYPE_CHECKING:
    from .encodings import Thresholds

INTSET = b"intset"

_MOST_INTSET_ENTRIES = 1 << 30
_LONGEST_INTEGER = 20
_FEW = 64

MOST_PACKED: Final = 64
"""Members of a packed set at most.  Unpacking takes 0.4 us and 40 ns per member."""
_LARGEST_PACKED: Final = 8192  # bytes
_MARSHAL: Final = 0  # the first version does not look for objects that come twice


class Set(SampledDict[None]):
    """Members, in ascending order while all are integers (intset), else in the order in which they came.

    A dict whose values do not matter.  An intset is put in order when somebody walks it, so use
    iteration, not ``keys()``.  ``add`` and its like keep the encoding as Redis would.  ``pack`` makes a
    ``PackedSet`` of a small one.
    """

    __slots__ = ("_packed", "_unsorted")

    _packed: bytes  # only while packed

    type_name = b"set"

    def __init__(self, encoding: bytes = INTSET) -> None:
        self.encoding = encoding
        self.sampler = None
        self._unsorted = False

    @classmethod
    def sized_for(cls, first: bytes, expected: int, thresholds: Thresholds) -> Set:
        """An empty set fit for *expected* members the first of which is *first* (setTypeCreate)."""
        if expected <= thresholds.set_max_intset_entries and parse_int_or_none(first) is not None:
            return cls(INTSET)
        return cls(LISTPACK if expected <= thresholds.set_max_listpack_entries else HASHTABLE)

    @classmethod
    def of(cls, members: Iterable[bytes], encoding: bytes) -> Set:
        """A set of *members* with a given encoding, which they must fit.  O(n)"""
        new = cls(encoding)
        new.update(dict.fromkeys(members))
        new._unsorted = encoding == INTSET
        return new

    @classmethod
    def small(cls, members: list[bytes], encoding: bytes) -> Set:
        """A set of different *members* with a compact encoding, which they must fit; packed if few enough.  O(n)"""
        if len(members) > MOST_PACKED:
            return cls.of(members, encoding)
        if encoding == INTSET:
            members = sorted(members, key=int)
        packed = dumps(members, _MARSHAL)
        if len(packed) > _LARGEST_PACKED:
            return cls.of(members, encoding)
        new = PackedSet(encoding)
        new._packed = packed
        return new

    # --- members ---------------------------------------------------------------------------------

    def add(self, member: bytes, thresholds: Thresholds) -> bool:
        """Add *member*; true if it is new (setTypeAddAux).  O(1)"""
        if member in self:
            return False
        if self.encoding != HASHTABLE:
            self._prepare(member, thresholds)
        self[member] = None
        if self.sampler is not None:
            self.sampler.add(member)
        return True

    def add_all(self, members: Sequence[bytes] | Set, thresholds: Thresholds) -> int:
        """Add *members* in this order; how many are new.  O(members)"""
        before = len(self)
        add = self.add
        for member in members:
            if self.encoding == HASHTABLE and self.sampler is None:
                self.update(dict.fromkeys(members))
                break
            add(member, thresholds)
        return len(self) - before

    def discard(self, member: bytes) -> bool:
        """Remove *member*; false if it is not there.  O(1)"""
        if member in self:
            del self[member]
            return True
        return False

    def pop_random(self, rng: Random) -> bytes:
        """Remove and return a random member of a set that has one.  O(1), O(n) the first time"""
        if self.sampler is None:
            if len(self) <= _FEW:
                member = next(islice(self, int(rng.random() * len(self)), None))
                del self[member]
                return member
            self.sampler = Sampler(self)
        member = self.sampler.take(rng)
        del self[member]
        return member

    def _prepare(self, member: bytes, thresholds: Thresholds) -> None:
        """Choose the encoding that takes the new *member* as well."""
        if self.encoding == INTSET:
            if parse_int_or_none(member) is not None:
                if len(self) >= min(thresholds.set_max_intset_entries, _MOST_INTSET_ENTRIES):
                    self._become(HASHTABLE)
                else:
                    self._unsorted = True
                return
            longest = thresholds.set_max_listpack_value
            if longest < _LONGEST_INTEGER and self and max(map(len, self)) > longest:
                self._become(HASHTABLE)
                return
        fits = len(self) < thresholds.set_max_listpack_entries and len(member) <= thresholds.set_max_listpack_value
        self._become(LISTPACK if fits else HASHTABLE)

    def _become(self, encoding: bytes) -> None:
        if self._unsorted:
            if encoding == LISTPACK:
                self._sort()
            self._unsorted = False
        self.encoding = encoding

    def expect(self, count: int, thresholds: Thresholds) -> None:
        """Convert if *count* members to come are too many for the encoding (setTypeMaybeConvert)."""
        if self.encoding == LISTPACK:
            if count > thresholds.set_max_listpack_entries:
                self._become(HASHTABLE)
        elif self.encoding == INTSET and count > thresholds.set_max_intset_entries:
            self._become(HASHTABLE)

    def become_intset(self, thresholds: Thresholds) -> None:
        """Make an intset of a set of integers, if they are not too many (maybeConvertToIntset)."""
        if self.encoding != INTSET and len(self) <= min(thresholds.set_max_intset_entries, _MOST_INTSET_ENTRIES):
            self.encoding = INTSET
            self._unsorted = True

    # --- the whole -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[bytes]:
        if self._unsorted:
            self._sort()
        return dict.__iter__(self)

    def _sort(self) -> None:
        members = sorted(self.keys(), key=int)
        self._unsorted = False
        self.clear()
        self.update(dict.fromkeys(members))

    def copy(self) -> Set:
        """An independent set in the same encoding.  O(n)"""
        return Set.of(self, self.encoding)

    def pack(self) -> bool:
        """Become a ``PackedSet``, if small and not one already; true if so.  O(n)"""
        if type(self) is not Set or self.encoding == HASHTABLE or not 0 < len(self) <= MOST_PACKED:
            return False
        packed = dumps(list(self), _MARSHAL)
        if len(packed) > _LARGEST_PACKED:
            return False
        self.clear()
        self.sampler = None
        self._packed = packed
        self.__class__ = PackedSet
        return True

    def _check(self) -> None:
        """Assert every invariant; for tests."""
        assert self.encoding in (INTSET, LISTPACK, HASHTABLE)
        if self.encoding == INTSET:
            numbers = [parse_int_or_none(member) for member in self]
            assert None not in numbers
            assert numbers == sorted(numbers, key=lambda number: number or 0)
        else:
            assert not self._unsorted


class PackedSet(Set):
    """A small set as one object: 150 bytes and 5 per member besides the data, where a dict takes 300 and 70.

    It reads like any ``Set``, only slower, and with the first change becomes a plain one, in place.
    """

    __slots__ = ()

    all_in_one = True
    """Nothing but the object itself has to be measured."""

    def unpack(self) -> None:
        """Become a plain ``Set``."""
        members = loads(self._packed)
        del self._packed
        self.__class__ = Set  # type: ignore[assignment]
        self._unsorted = False
        self.update(dict.fromkeys(members))

    def __len__(self) -> int:
        return len(loads(self._packed))

    def __iter__(self) -> Iterator[bytes]:
        return iter(loads(self._packed))

    def __reversed__(self) -> Iterator[bytes]:
        return reversed(list(self))

    def __contains__(self, member: object) -> bool:
        return member in loads(self._packed)

    def __eq__(self, other: object) -> bool:
        return dict.fromkeys(self) == other

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self._packed.__sizeof__()

    def keys(self) -> KeysView[bytes]:  # type: ignore[override]
        return dict.fromkeys(self).keys()

    def copy(self) -> PackedSet:
        """O(1)"""
        twin = PackedSet(self.encoding)
        twin._packed = self._packed
        return twin

    add = unpacking(Set.add)
    add_all = unpacking(Set.add_all)
    discard = unpacking(Set.discard)
    pop_random = unpacking(Set.pop_random)
    expect = unpacking(Set.expect)
    become_intset = unpacking(Set.become_intset)
    __setitem__ = unpacking(dict.__setitem__)
    __delitem__ = unpacking(dict.__delitem__)
    pop = unpacking(dict.pop)
    popitem = unpacking(dict.popitem)
    setdefault = unpacking(dict.setdefault)
    update = unpacking(dict.update)
    clear = unpacking(dict.clear)

    def _check(self) -> None:
        """Assert every invariant; for tests."""
        members = loads(self._packed)
        assert dict.__len__(self) == 0
        assert self.sampler is None
        assert 0 < len(set(members)) == len(members) <= MOST_PACKED
        plain = Set(self.encoding)
        plain.update(dict.fromkeys(members))
        plain._check()
        assert plain.encoding != HASHTABLE


# --- algebra --------------------------------------------------------------------------------------


def intersection(sets: list[Set], limit: int = 0) -> list[bytes]:
    """Members of all *sets*, in the order of the smallest; the first *limit* of them, 0 for all.  O(n * m)"""
    first, *others = sorted(sets, key=len)
    others = [other for other in others if other is not first]
    if limit:
        return list(islice((member for member in first if all(member in other for other in others)), limit))
    members = list(first)
    for other in others:
        members = [member for member in members if member in other]
    return members


def store_intersection(sets: list[Set], thresholds: Thresholds) -> Set:
    """The set SINTERSTORE stores; its encoding depends on that of the smallest of *sets*."""
    members = intersection(sets)
    result = Set(INTSET if min(sets, key=len).encoding == INTSET else LISTPACK)
    result.add_all(members, thresholds)
    if all(parse_int_or_none(member) is not None for member in members):
        result.become_intset(thresholds)
    return result


def union(sets: list[Set], thresholds: Thresholds) -> Set:
    """Members of any of *sets*, encoded as if added one by one.  O(n)"""
    result = Set()
    for operand in sets:
        result.add_all(operand, thresholds)
    return result


def difference(first: Set | None, others: list[Set], thresholds: Thresholds) -> Set:
    """Members of *first* that are in none of *others*; None is empty.  O(n * m) or O(sum of n)

    The way Redis chooses between its two algorithms shows in order and encoding of the result.
    """
    result = Set()
    if first is None or any(other is first for other in others):
        return result
    if len(first) * (1 + len(others)) // 2 <= len(first) + sum(map(len, others)):
        members = list(first)
        for other in others:
            members = [member for member in members if member not in other]
        result.add_all(members, thresholds)
        return result
    result.add_all(first, thresholds)
    for other in others:
        for member in other:
            result.pop(member, None)
        if not result:
            break
    return result
