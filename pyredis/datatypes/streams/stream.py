"""Streams: entries by ID in blocks, and the consumer groups that read them (t_stream.c)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

from ...errors import StreamEntryTooLarge
from .block import Block, Columns
from .groups import Group
from .ids import MAX_ID, MAX_SEQUENCE
from .radix import count_nodes

Entry = tuple[int, list[bytes]]
"""An ID, and fields and values in turn."""

UNKNOWN: Final = -1
"""A count of entries read that cannot be told."""

_LARGEST_NODE: Final = 1 << 30


class Stream:
    """Entries in the order of their IDs.

    Only the last block is open.  ``length`` counts entries that are not deleted, ``entries_added`` all there ever
    were; ``first_id`` is the first that is not deleted, 0 if there is none.  Adding is O(1), reads are O(log N + M).
    """

    __slots__ = (
        "_blocks", "_cached", "_columns", "_firsts", "entries_added", "first_id", "groups", "last_id", "length",
        "max_deleted_id",
    )  # fmt: skip

    type_name = b"stream"
    encoding = b"stream"

    def __init__(self) -> None:
        self.length = 0
        self.last_id = 0
        self.first_id = 0
        self.max_deleted_id = 0
        self.entries_added = 0
        self.groups: dict[bytes, Group] = {}
        self._blocks: list[Block] = []
        self._firsts: list[int] = []
        self._cached: Block | None = None  # the block unpacked last, and its columns
        self._columns: Columns = ([], [])

    def __len__(self) -> int:
        return self.length

    def copy(self) -> Stream:
        """A stream that can be changed by itself, consumer groups included.  O(N / 100)"""
        other = Stream()
        other.length = self.length
        other.last_id = self.last_id
        other.first_id = self.first_id
        other.max_deleted_id = self.max_deleted_id
        other.entries_added = self.entries_added
        other._blocks = [block.copy() for block in self._blocks]
        other._firsts = self._firsts.copy()
        other.groups = {name: group.copy() for name, group in self.groups.items()}
        return other

    # --- adding -----------------------------------------------------------------------------------

    def next_id(self, now: int) -> int:
        """The ID of an entry added at *now* (Unix time, ms); 0 if there is none left.  O(1)"""
        entry_id = now << 64
        last = self.last_id
        if entry_id > last and now > last >> 64:
            return entry_id
        return last + 1 if last < MAX_ID else 0

    def next_in(self, milliseconds: int) -> int:
        """The ID ``milliseconds-*`` stands for; one not after the last if there is none left.  O(1)"""
        last = self.last_id
        if last >> 64 != milliseconds:
            return milliseconds << 64
        return last if last & MAX_SEQUENCE == MAX_SEQUENCE else last + 1

    def append(self, entry_id: int, pairs: list[bytes], max_entries: int, max_bytes: int) -> None:
        """Add an entry, fields and values in turn, later than ``last_id``.  O(pairs)

        *max_entries* and *max_bytes* are ``stream-node-max-entries`` and ``-bytes``, 0 for no limit.
        Raises StreamEntryTooLarge.
        """
        total = sum(map(len, pairs))
        if total > _LARGEST_NODE:
            raise StreamEntryTooLarge
        blocks = self._blocks
        block = blocks[-1] if blocks else None
        if block is not None:
            if not 0 < max_bytes <= _LARGEST_NODE:
                max_bytes = _LARGEST_NODE
            if 0 < max_entries <= block.count or block.size() + total >= max_bytes:
                block.pack()
                block = None
        if block is None:
            block = Block(entry_id, pairs[::2])
            blocks.append(block)
            self._firsts.append(entry_id)
        block.append(entry_id, pairs)
        self.length += 1
        self.entries_added += 1
        self.last_id = entry_id
        if self.length == 1:
            self.first_id = entry_id

    def append_block(self, block: Block) -> None:
        """Add a block read from a file, later than all others."""
        self._blocks.append(block)
        self._firsts.append(block.first)

    # --- reading ----------------------------------------------------------------------------------

    def blocks(self) -> list[Block]:
        """All blocks in order, not to be changed."""
        return self._blocks

    def range(self, start: int, end: int, count: int = 0, *, reverse: bool = False) -> list[Entry]:
        """At most *count* (0: all) entries with *start* <= ID <= *end*, from *end* on if *reverse*.

        O(log N + M), 1 us an entry
        """
        found: list[Entry] = []
        append = found.append
        for block in self._between(start, end, reverse):
            ids, payloads = self._read(block)
            first = bisect_left(ids, start) if start > block.first else 0
            stop = bisect_right(ids, end, first) if end < block.last else len(ids)
            dead, pairs = block.dead, block.pairs
            for at in range(stop - 1, first - 1, -1) if reverse else range(first, stop):
                if dead and dead >> at & 1:
                    continue
                append((ids[at], pairs(payloads[at])))
                if len(found) == count:
                    return found
        return found

    def __iter__(self) -> Iterator[Entry]:
        """All entries in order; the stream must not change meanwhile."""
        for block in self._blocks:
            dead = block.dead
            ids, payloads = block.columns()
            for at, payload in enumerate(payloads):
                if not dead >> at & 1:
                    yield ids[at], block.pairs(payload)

    def __contains__(self, entry_id: int) -> bool:
        return self._find(entry_id)[1] >= 0

    def get(self, entry_id: int) -> list[bytes] | None:
        """Fields and values in turn of the entry with *entry_id*, None if there is none.  O(log N)"""
        position, at = self._find(entry_id)
        if at < 0:
            return None
        block = self._blocks[position]
        return block.pairs(self._read(block)[1][at])

    def last_live_id(self) -> int:
        """The last ID that is not deleted, 0 if there is none.  O(1) unless the last entries are deleted"""
        for block in reversed(self._blocks):
            dead = block.dead
            if not dead >> (block.count - 1):
                return block.last
            alive = ~dead & (1 << block.count) - 1
            if alive:
                return self._read(block)[0][alive.bit_length() - 1]
        return 0

    def first_kept_id(self) -> int:
        """The first ID in any block, deleted or not; the greatest possible one if there is none.  O(1)"""
        return self._firsts[0] if self._firsts else MAX_ID

    def _between(self, start: int, end: int, reverse: bool) -> Iterator[Block]:
        """The blocks that may hold IDs from *start* to *end*."""
        firsts, blocks = self._firsts, self._blocks
        low = max(bisect_right(firsts, start) - 1, 0)
        high = bisect_right(firsts, end)
        if reverse:
            return (blocks[at] for at in range(high - 1, low - 1, -1))
        return (blocks[at] for at in range(low, high))

    def _read(self, block: Block) -> Columns:
        """The block's columns; those of the block unpacked last are kept for the next read."""
        if block is self._blocks[-1]:
            return block.columns()  # it may be opened and appended to
        if block is not self._cached:
            self._columns = block.columns()
            self._cached = block
        return self._columns

    def _find(self, entry_id: int) -> tuple[int, int]:
        """Position of the block, and in it, of the entry with *entry_id*, -1 if there is none.  O(log N)"""
        position = bisect_right(self._firsts, entry_id) - 1
        if position < 0:
            return position, -1
        block = self._blocks[position]
        if entry_id > block.last:
            return position, -1
        ids = self._read(block)[0]
        at = bisect_left(ids, entry_id)
        if ids[at] != entry_id or block.dead >> at & 1:
            return position, -1
        return position, at

    # --- removing ---------------------------------------------------------------------------------

    def delete(self, entry_ids: list[int]) -> int:
        """Delete entries as XDEL does; how many there were.  O(log N) each"""
        deleted = 0
        first_gone = False
        for entry_id in entry_ids:
            position, at = self._find(entry_id)
            if at < 0:
                continue
            block = self._blocks[position]
            if block.live() == 1:
                self._drop(position, position + 1)
            else:
                block.dead |= 1 << at
            self.length -= 1
            deleted += 1
            first_gone |= entry_id == self.first_id
            self.max_deleted_id = max(self.max_deleted_id, entry_id)
        if deleted and (first_gone or not self.length):
            self._seek_first()
        return deleted

    def trim_to_length(self, length: int, approximate: bool, limit: int = 0) -> int:
        """Remove the first entries until *length* are left; how many were removed.

        Only whole blocks if *approximate*; at most *limit* entries (0: any number).  O(blocks removed)
        """
        deleted = gone = 0
        for block in self._blocks:
            excess = self.length - length
            live = block.live()
            if excess <= 0 or (limit and deleted + live > limit):
                break
            if excess < live:
                if not approximate:
                    block.kill(excess)
                    self.length -= excess
                    deleted += excess
                break
            gone += 1
            self.length -= live
            deleted += live
        return self._trimmed(gone, deleted)

    def trim_before(self, entry_id: int, approximate: bool, limit: int = 0) -> int:
        """Remove entries before *entry_id*, else like ``trim_to_length``.  O(blocks removed)"""
        deleted = gone = 0
        for block in self._blocks:
            live = block.live()
            if limit and deleted + live > limit:
                break
            if block.last >= entry_id:
                if not approximate and block.first < entry_id:
                    killed = block.kill_before(self._read(block)[0], entry_id)
                    self.length -= killed
                    deleted += killed
                break
            gone += 1
            self.length -= live
            deleted += live
        return self._trimmed(gone, deleted)

    def _trimmed(self, gone: int, deleted: int) -> int:
        if gone:
            self._drop(0, gone)
        if deleted or not self.length:
            self._seek_first()
        return deleted

    def _drop(self, start: int, stop: int) -> None:
        del self._blocks[start:stop]
        del self._firsts[start:stop]
        self._cached = None

    def _seek_first(self) -> None:
        """Set ``first_id``.  O(1) but for blocks of which all entries are deleted"""
        for block in self._blocks:
            dead = block.dead
            if not dead & 1:
                self.first_id = block.first
                return
            at = (~dead & (dead + 1)).bit_length() - 1
            if at < block.count:
                self.first_id = self._read(block)[0][at]
                return
        self.first_id = 0

    # --- groups -----------------------------------------------------------------------------------

    def has_tombstones(self, start: int) -> bool:
        """Whether an entry from *start* on may have been deleted (streamRangeHasTombstones)."""
        gap = self.max_deleted_id
        return bool(self.length) and gap != 0 and self.first_id <= gap and start <= gap

    def entries_before(self, entry_id: int) -> int:
        """How many entries were ever added up to *entry_id*, UNKNOWN if that cannot be told.

        Mirrors streamEstimateDistanceFromFirstEverEntry.
        """
        added, last = self.entries_added, self.last_id
        if not added:
            return 0
        if entry_id == last or (not self.length and entry_id < last):
            return added
        if entry_id > last:
            return UNKNOWN
        if self.max_deleted_id == 0 or self.max_deleted_id < self.first_id:
            if entry_id < self.first_id:
                return added - self.length
            if entry_id == self.first_id:
                return added - self.length + 1
        return UNKNOWN

    def lag(self, group: Group) -> int | None:
        """Entries *group* has yet to read, None if that cannot be told (streamReplyWithCGLag)."""
        if not self.entries_added:
            return 0
        if group.entries_read != UNKNOWN and not self.has_tombstones(group.last_id):
            return self.entries_added - group.entries_read
        read = self.entries_before(group.last_id)
        return None if read == UNKNOWN else self.entries_added - read

    def advance(self, group: Group, entry_id: int) -> None:
        """Note that *group* was given *entry_id*, which is later than its last."""
        if group.entries_read != UNKNOWN and not self.has_tombstones(entry_id):
            group.entries_read += 1
        elif self.entries_added:
            group.entries_read = self.entries_before(entry_id)
        group.last_id = entry_id

    # --- XINFO, DEBUG and tests ---------------------------------------------------------------------

    def tree_keys(self) -> int:
        """Keys of the radix tree in which Redis keeps the blocks."""
        return len(self._blocks)

    def tree_nodes(self) -> int:
        """Nodes of that tree.  O(blocks), 0.4 us each"""
        return count_nodes(self._firsts)

    def _check(self) -> None:
        live, last = 0, -1
        assert self._firsts == [block.first for block in self._blocks]
        for block in self._blocks:
            ids, payloads = block.columns()
            assert len(ids) == len(payloads) == block.count > 0
            assert ids == sorted(set(ids))
            assert last < ids[0] == block.first
            assert ids[-1] == block.last
            assert 0 <= block.dead < 1 << block.count
            assert block.live() >= 0  # a trim by ID may leave a block of which only deleted entries remain
            fresh = Block(block.first, block.fields)
            for entry_id, payload in zip(ids, payloads, strict=True):
                fresh.append(entry_id, block.pairs(payload))
            assert fresh.body == block.body
            last = block.last
            live += block.live()
        assert live == self.length
        assert last <= self.last_id
        first = next(iter(self), None)
        assert self.first_id == (first[0] if first else 0)
        for group in self.groups.values():
            group._check()
