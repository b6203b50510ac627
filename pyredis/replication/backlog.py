"""The last part of the replication stream, from which replicas that lost their link catch up (replication.c)."""

from __future__ import annotations


class Backlog:
    """The last *size* bytes of the stream; the first byte ever is at offset 1."""

    __slots__ = ("_buffer", "_skipped", "first_offset", "size")

    def __init__(self, size: int, offset: int) -> None:
        self.size = size
        self.first_offset = offset + 1
        self._buffer = bytearray()
        self._skipped = 0  # bytes at the start that are no longer part of it

    @property
    def length(self) -> int:
        """How many bytes can be asked for (repl_backlog_histlen)."""
        return len(self._buffer) - self._skipped

    def append(self, data: bytes) -> None:
        """Add *data* at the end and let go of what no longer fits.  Amortised O(len(data))"""
        buffer = self._buffer
        buffer += data
        surplus = len(buffer) - self._skipped - self.size
        if surplus > 0:
            self._skipped += surplus
            self.first_offset += surplus
            if self._skipped > self.size:
                del buffer[: self._skipped]
                self._skipped = 0

    def resize(self, size: int) -> None:
        """CONFIG SET repl-backlog-size."""
        self.size = size
        self.append(b"")

    def since(self, offset: int) -> bytes | None:
        """Everything from *offset* on; None if that is not all here."""
        start = offset - self.first_offset
        if not 0 <= start <= self.length:
            return None
        return bytes(self._buffer[self._skipped + start :])
