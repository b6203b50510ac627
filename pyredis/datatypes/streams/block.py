"""A node of a stream: up to about a hundred consecutive entries, packed once it is full.

Redis keeps each node as a listpack.  Which entry begins a new node depends on the bytes of that listpack, and
shows in approximate trimming and XINFO, so a block keeps count of them.  What it holds is two columns, distances
from the first ID and payloads, which ``marshal`` packs and unpacks ten times as fast as Python code could read a
listpack.  A packed entry with one field takes 15 bytes and its value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from marshal import dumps, loads
from typing import Final

from ..listpack import EMPTY_SIZE, entries_size, integer_size
from .ids import MAX_SEQUENCE

Payload = list[bytes] | tuple[bytes, ...]
"""A list holds the values of an entry whose fields are the block's; a tuple holds fields and values in turn."""
Columns = tuple[list[int], list[Payload]]
"""IDs and payloads of all entries, deleted ones included."""

_SMALL_HEADER: Final = EMPTY_SIZE + 4  # with both counts below 128
_FLAGS_AND_COUNT: Final = 4
_INT64: Final = 1 << 64
_INT64_SIGN: Final = 1 << 63


class Block:
    """Entries in the order of their IDs, of which some may be deleted.

    A block is open (columns at hand, entries can be appended), packed, or waits for ``loader`` to make columns of
    what a file held.  Appending opens it; it stays open until ``pack``.
    """

    __slots__ = ("_columns", "_packed", "_radix", "body", "count", "dead", "fields", "first", "last", "loader")

    def __init__(self, first: int, fields: list[bytes]) -> None:
        self.first = first
        self.last = first
        self.fields = fields  # of the first entry that ever was in here
        self.count = 0  # entries, deleted ones included
        self.dead = 0  # a bit for each deleted entry
        self.body = entries_size(fields) + integer_size(len(fields)) + 2  # bytes of the listpack but for its counts
        self._columns: Columns | None = ([], [])
        self._packed = b""
        self._radix = 1
        self.loader: Callable[[], Columns] | None = None

    @classmethod
    def load(cls, first: int, last: int, fields: list[bytes], count: int, dead: int, size: int) -> Block:
        """A block read from a file, *size* bytes as a listpack; ``loader`` is to be set to what reads it."""
        block = cls(first, fields)
        block.last, block.count, block.dead = last, count, dead
        block.body = 0
        block.body = size - block.size()
        block._columns = None
        return block

    def copy(self) -> Block:
        """A block that can be changed by itself.  O(1); O(N) if open"""
        block = Block.load(self.first, self.last, self.fields, self.count, self.dead, self.size())
        if self._columns is not None:
            block._columns = (self._columns[0].copy(), self._columns[1].copy())
        block._packed, block._radix, block.loader = self._packed, self._radix, self.loader
        return block

    def live(self) -> int:
        """Entries that are not deleted.  O(1)"""
        return self.count - self.dead.bit_count() if self.dead else self.count

    def size(self) -> int:
        """Bytes that Redis's listpack would take.  O(1)"""
        if self.count < 128:
            return _SMALL_HEADER + self.body
        dead = self.dead.bit_count()
        return EMPTY_SIZE + self.body + integer_size(self.count - dead) + integer_size(dead)

    def append(self, entry_id: int, pairs: list[bytes]) -> None:
        """Add an entry of fields and values in turn, later than all others.  O(pairs)"""
        columns = self._columns
        if columns is None:
            columns = self._columns = self.columns()
        first = self.first
        if entry_id == first:
            size = _FLAGS_AND_COUNT + 4
        else:
            size = (
                _distance_size((entry_id >> 64) - (first >> 64))
                + _distance_size((entry_id & MAX_SEQUENCE) - (first & MAX_SEQUENCE))
                + _FLAGS_AND_COUNT
            )
        if pairs[::2] == self.fields:
            payload: Payload = pairs[1::2]
            elements = len(payload) + 3
        else:
            payload = tuple(pairs)
            elements = len(payload) + 4
            size += integer_size(len(payload) >> 1)
        size += entries_size(payload)
        if elements > 127:
            size += integer_size(elements) - 2
        columns[0].append(entry_id)
        columns[1].append(payload)
        self.body += size
        self.count += 1
        self.last = entry_id

    def columns(self) -> Columns:
        """IDs and payloads of all entries, deleted ones included; not to be changed.

        O(1) if open, else O(N), 0.1 us an entry
        """
        if self._columns is not None:
            return self._columns
        if self.loader is not None:
            self._columns = self.loader()
            self.loader = None
            columns = self._columns
            self.pack()
            return columns
        distances, payloads = loads(self._packed)
        radix = self._radix
        start = self.first & ~MAX_SEQUENCE
        if radix == 1:
            return [start + (distance << 64) for distance in distances], payloads
        return [start + (distance // radix << 64) + distance % radix for distance in distances], payloads

    def pack(self) -> None:
        """Close the block.  O(N), 0.3 us an entry"""
        if self._columns is None:
            return
        ids, payloads = self._columns
        start = self.first >> 64
        radix = max([entry_id & MAX_SEQUENCE for entry_id in ids]) + 1
        if radix == 1:
            distances = [(entry_id >> 64) - start for entry_id in ids]
        else:
            distances = [((entry_id >> 64) - start) * radix + (entry_id & MAX_SEQUENCE) for entry_id in ids]
        self._packed, self._radix, self._columns = dumps((distances, payloads)), radix, None

    def pairs(self, payload: Payload) -> list[bytes]:
        """Fields and values in turn of an entry.  O(fields)"""
        if payload.__class__ is tuple:
            return list(payload)
        fields = self.fields
        if len(fields) == 1:
            return [fields[0], payload[0]]
        pairs = fields * 2
        pairs[::2] = fields
        pairs[1::2] = payload
        return pairs

    def kill(self, count: int) -> None:
        """Delete the first *count* entries that are not deleted yet.  O(1) if the deleted ones are the first"""
        dead = self.dead
        if dead & (dead + 1) == 0:
            self.dead = (dead + 1 << count) - 1
            return
        for _ in range(count):
            dead |= dead + 1
        self.dead = dead

    def kill_before(self, ids: list[int], entry_id: int) -> int:
        """Delete all entries before *entry_id*; how many were not deleted yet.  *ids*: the first column"""
        before = self.dead.bit_count()
        self.dead |= (1 << bisect_left(ids, entry_id)) - 1
        return self.dead.bit_count() - before


def _distance_size(distance: int) -> int:
    """Bytes of a difference of two unsigned 64-bit integers, which wraps round, as an entry."""
    if 0 <= distance <= 127:
        return 2
    return integer_size((distance + _INT64_SIGN) % _INT64 - _INT64_SIGN)
