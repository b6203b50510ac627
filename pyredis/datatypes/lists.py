"""Lists: one run of elements while short (encoding listpack), a quicklist when long (t_list.c, listType*)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import maxsize
from typing import TYPE_CHECKING

from .listpack import EMPTY_SIZE, entries_size, entry_size
from .quicklist import Quicklist, node_limits, size_limit_of, without

if TYPE_CHECKING:
    from .encodings import Thresholds

LISTPACK = b"listpack"
QUICKLIST = b"quicklist"


class List:
    """A sequence of byte strings.

    While ``long`` is None the elements are in ``items`` and the encoding is listpack; else they are in the
    quicklist ``long``.  ``size`` is what Redis's listpack of ``items`` would take: sizes, not only counts,
    decide when a list changes its form, so they are kept to the byte.
    """

    __slots__ = ("encoding", "items", "long", "size")

    type_name = b"list"

    def __init__(self) -> None:
        self.encoding = LISTPACK
        self.items: list[bytes] = []
        self.size = EMPTY_SIZE
        self.long: Quicklist | None = None

    @classmethod
    def of(cls, values: Iterable[bytes], thresholds: Thresholds, *, fill: int | None = None) -> List:
        """A list of *values* as a load from RDB builds it: encoding by what they amount to.  O(n)

        *fill* is for SORT, which cuts nodes at the default size whatever list-max-listpack-size says.
        """
        new = cls()
        long = Quicklist(thresholds.list_max_listpack_size if fill is None else fill)
        for value in values:
            long.push_tail(value, thresholds.list_packed_threshold)
        new._become_long(long)
        new.shrink(thresholds, share=1)
        return new

    @classmethod
    def of_nodes(cls, nodes: Iterable[tuple[bool, list[bytes]]], thresholds: Thresholds) -> List:
        """The list whose ``nodes()`` were saved.  O(n)"""
        new = cls()
        long = Quicklist(thresholds.list_max_listpack_size)
        for plain, items in nodes:
            if items:
                long.append_node(items, plain=plain)
        new._become_long(long)
        new.shrink(thresholds, share=1)
        return new

    # --- the ends --------------------------------------------------------------------------------

    def push_head(self, values: list[bytes], thresholds: Thresholds) -> int:
        """Put *values* in front one after the other; the new length.  O(values), O(n) while a listpack"""
        long = self.long
        if long is None:
            if self.fits(values, thresholds):
                items = self.items
                if len(values) == 1:
                    items.insert(0, values[0])
                else:
                    items[:0] = values[::-1]
                self.size += entries_size(values)
                return len(items)
            long = self.lengthen(thresholds)
        for value in values:
            long.push_head(value, thresholds.list_packed_threshold)
        return long.count

    def push_tail(self, values: list[bytes], thresholds: Thresholds) -> int:
        """Append *values*; the new length.  O(values)"""
        long = self.long
        if long is None:
            if self.fits(values, thresholds):
                self.items += values
                self.size += entries_size(values)
                return len(self.items)
            long = self.lengthen(thresholds)
        for value in values:
            long.push_tail(value, thresholds.list_packed_threshold)
        return long.count

    def pop(self, *, head: bool) -> bytes:
        """Remove and return an end of a list that has one; ``shrink`` is due.  O(1), O(n) while a listpack"""
        long = self.long
        if long is not None:
            return long.pop_head() if head else long.pop_tail()
        value = self.items.pop(0 if head else -1)
        size = len(value)
        self.size -= size + 2 if size < 64 and value >= b":" else entry_size(value)
        return value

    def pop_many(self, count: int, thresholds: Thresholds, *, head: bool) -> list[bytes]:
        """Remove up to *count* elements from one end and return them in the order of removal.  O(count)"""
        length = len(self)
        count = min(count, length)
        if head:
            values = self.slice(0, count)
            self.trim(count, 0, thresholds)
        else:
            values = self.slice(length - count, length)
            values.reverse()
            self.trim(0, count, thresholds)
        return values

    def trim(self, head: int, tail: int, thresholds: Thresholds) -> None:
        """Remove *head* elements in front and *tail* at the end, at most all.  O(removed)"""
        long = self.long
        if long is None:
            items = self.items
            removed = items[:head]
            del items[:head]
            if tail:
                removed += items[-tail:]
                del items[-tail:]
            self.size -= entries_size(removed)
            return
        if head:
            long.drop_head(head)
        if tail:
            long.drop_tail(tail)
        self.shrink(thresholds)

    # --- anywhere --------------------------------------------------------------------------------

    def get(self, index: int) -> bytes:
        """The element at *index*, 0 <= index < length.  O(nodes) at worst"""
        return self.items[index] if self.long is None else self.long.get(index)

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements from *start* up to *stop*, 0 <= start <= stop <= length.  O(stop - start)"""
        if self.long is None:
            return self.items[start:stop]
        return self.long.slice(start, stop) if start < stop else []

    def set(self, index: int, value: bytes, thresholds: Thresholds) -> None:
        """Replace the element at *index*, 0 <= index < length.  O(elements of a node)"""
        if self.long is None:
            self.size += entry_size(value) - entry_size(self.items[index])
            self.items[index] = value
        else:
            self.long.set(index, value, thresholds.list_packed_threshold)
            self.shrink(thresholds)

    def insert(self, pivot: bytes, value: bytes, thresholds: Thresholds, *, after: bool) -> bool:
        """Insert *value* beside the first element equal to *pivot*; false if there is none.  O(n)"""
        if self.long is None:
            if pivot not in self.items:
                return False
            self.items.insert(self.items.index(pivot) + after, value)
            self.size += entry_size(value)
            return True
        place = self.long.find(pivot)
        if place is None:
            return False
        self.long.insert(*place, value, thresholds.list_packed_threshold, after=after)
        return True

    def remove(self, value: bytes, most: int, thresholds: Thresholds, *, from_tail: bool) -> int:
        """Remove up to *most* elements equal to *value*, seen from one end; how many there were.  O(n)"""
        if self.long is not None:
            found = self.long.remove(value, most, from_tail=from_tail)
            if found:
                self.shrink(thresholds)
            return found
        items = self.items
        self.items = without(items, value, most, from_tail=from_tail)
        found = len(items) - len(self.items)
        if found:
            self.size -= found * entry_size(value)
        return found

    def positions(self, value: bytes, rank: int, most: int, scanned: int) -> list[int]:
        """Indexes of up to *most* elements equal to *value* from the *rank*-th match on.

        A negative rank searches from the tail.  Only *scanned* elements are looked at.  O(n)
        """
        matches: list[int] = []
        skip = abs(rank) - 1
        for first, chunk in self._chunks_with(value, scanned, from_tail=rank < 0):
            if rank > 0:
                within = chunk[: max(0, scanned - first)]
                found = [first + at for at, item in enumerate(within) if item == value]
            else:
                start = max(0, len(self) - scanned - first)
                found = [first + at for at in range(len(chunk) - 1, start - 1, -1) if chunk[at] == value]
            matches += found[skip:]
            skip = max(0, skip - len(found))
            if len(matches) >= most:
                return matches[:most]
        return matches

    def _chunks_with(self, value: bytes, scanned: int, *, from_tail: bool) -> Iterator[tuple[int, list[bytes]]]:
        """Runs of elements that may hold *value*, with the index of their first one; from an end on, *scanned* long."""
        if self.long is None:
            yield 0, self.items
            return
        seen, nodes, length = 0, self.long.nodes, self.long.count
        for node in reversed(nodes) if from_tail else nodes:
            if seen >= scanned:
                return
            if node.may_hold(value):
                yield (length - seen - node.count if from_tail else seen), list(node.view())
            seen += node.count

    # --- encodings -------------------------------------------------------------------------------

    def fits(self, values: list[bytes], thresholds: Thresholds) -> bool:
        """True if a listpack may take *values* as well (listTypeTryConvertListpack)."""
        size_limit, count_limit = node_limits(thresholds.list_max_listpack_size)
        return (
            self.size + sum(map(len, values)) <= size_limit and len(self.items) + len(values) <= count_limit
        )  # fmt: skip

    def lengthen(self, thresholds: Thresholds) -> Quicklist:
        """Turn a listpack into a quicklist of one node, or of none if it is empty.  O(n)"""
        long = Quicklist(thresholds.list_max_listpack_size)
        if self.items:
            long.append_node(self.items, plain=False)
        self._become_long(long)
        return long

    def grow(self, values: list[bytes], thresholds: Thresholds) -> None:
        """Change the form if *values* would not fit any more, whether or not they are added then."""
        if self.long is None and not self.fits(values, thresholds):
            self.lengthen(thresholds)

    def shrink(self, thresholds: Thresholds, *, share: int = 2) -> None:
        """Turn a quicklist of one small node into a listpack (listTypeTryConvertQuicklist).

        Small: not above the limit divided by *share*, so that a list does not go to and fro.
        """
        long = self.long
        if long is None or len(long.nodes) != 1 or long.nodes[0].plain:
            return
        fill = thresholds.list_max_listpack_size
        node = long.nodes[0]
        if node.size <= size_limit_of(fill) // share and node.count <= _count_limit(fill) // share:
            self.items = list(node.view())
            self.size = node.size
            self.long = None
            self.encoding = LISTPACK

    def _become_long(self, long: Quicklist) -> None:
        self.long = long
        self.items = []
        self.size = EMPTY_SIZE
        self.encoding = QUICKLIST

    # --- the whole -------------------------------------------------------------------------------

    def nodes(self) -> Iterator[tuple[bool, list[bytes]]]:
        """What a save to RDB writes: (plain, elements) for each node; a listpack is one node.  O(n)"""
        if self.long is None:
            yield False, self.items
        else:
            for node in self.long.nodes:
                yield node.plain, list(node.view())

    def copy(self) -> List:
        """An independent list in the same form.  O(n)"""
        other = List()
        other.encoding = self.encoding
        other.items = self.items.copy()
        other.size = self.size
        if self.long is not None:
            other.long = self.long.copy()
        return other

    def __bool__(self) -> bool:
        return bool(self.items) or (self.long is not None and self.long.count > 0)

    def __len__(self) -> int:
        return len(self.items) if self.long is None else self.long.count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.items) if self.long is None else iter(self.long)

    def _check(self) -> None:
        """Assert every invariant; for tests."""
        if self.long is None:
            assert self.encoding == LISTPACK
            assert self.size == EMPTY_SIZE + entries_size(self.items)
        else:
            assert self.encoding == QUICKLIST
            assert not self.items
            self.long._check()


def _count_limit(fill: int) -> int:
    """The count *fill* stands for, ``maxsize`` if it is a size class (quicklistNodeLimit)."""
    return maxsize if fill < 0 else fill or 1
