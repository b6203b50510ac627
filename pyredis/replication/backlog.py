"""The replication stream kept in memory: one buffer for the backlog and for all replicas (replication.c replBufBlock).

Replicas are sent slices of it, each from where it stands, so a hundred slow replicas cost no more than the
slowest one; and what is kept for a slow one serves others that come back as well.
"""

from __future__ import annotations

from bisect import bisect_right

BLOCK = 16 * 1024
"""Bytes are kept in blocks of at least so many (PROTO_REPLY_CHUNK_BYTES)."""
_OVERHEAD = 88


class Backlog:
    """The last *size* bytes of the stream, and more while a replica needs more; the first byte ever is at offset 1."""

    __slots__ = ("_blocks", "_room", "_starts", "memory", "next_offset", "size")

    def __init__(self, size: int, offset: int) -> None:
        self.size = size
        self.next_offset = offset + 1
        self.memory = 0
        """Bytes allocated for it."""
        self._blocks: list[bytearray] = []
        self._starts: list[int] = []
        self._room = 0  # of the last block

    @property
    def first_offset(self) -> int:
        """The oldest byte that can be asked for."""
        return self._starts[0] if self._starts else self.next_offset

    @property
    def length(self) -> int:
        """How many bytes can be asked for (repl_backlog_histlen)."""
        return self.next_offset - self.first_offset

    def append(self, data: bytes) -> bool:
        """Add *data* at the end; true if that took a new block.  O(len(data))"""
        size = len(data)
        if size <= self._room:
            self._blocks[-1] += data
            self._room -= size
            self.next_offset += size
            return False
        at = self._room
        if at:
            self._blocks[-1] += data[:at]
            self.next_offset += at
        largest = max(self.size // 16, BLOCK)
        while at < size:
            capacity = min(max(size - at, BLOCK), largest)
            part = bytearray(data[at : at + capacity])
            self._starts.append(self.next_offset)
            self._blocks.append(part)
            self._room = capacity - len(part)
            self.memory += capacity + _OVERHEAD
            self.next_offset += len(part)
            at += len(part)
        return True

    def trim(self, needed: int | None) -> None:
        """Let go of blocks beyond ``size`` that hold nothing from offset *needed* on (None: nobody needs any)."""
        starts = self._starts
        count = 0
        while count < len(starts) - 1:
            end = starts[count + 1]
            if self.next_offset - end <= self.size or (needed is not None and needed < end):
                break
            self.memory -= max(end - starts[count], BLOCK) + _OVERHEAD
            count += 1
        if count:
            del starts[:count], self._blocks[:count]

    def holds(self, offset: int) -> bool:
        """Whether everything from *offset* on is here."""
        return self.first_offset <= offset <= self.next_offset

    def read(self, offset: int, limit: int) -> bytes:
        """Up to *limit* bytes from *offset*, which is held; empty at the end."""
        at = bisect_right(self._starts, offset) - 1
        if at < 0:
            return b""
        begin = offset - self._starts[at]
        parts = [bytes(self._blocks[at][begin : begin + limit])]
        limit -= len(parts[0])
        for block in self._blocks[at + 1 :] if limit else ():
            parts.append(bytes(block[:limit]))
            limit -= len(parts[-1])
            if not limit:
                break
        return b"".join(parts)

    def rebase(self, by: int) -> None:
        """Count offsets from *by* more (rebaseReplicationBuffer)."""
        self.next_offset += by
        self._starts = [start + by for start in self._starts]
