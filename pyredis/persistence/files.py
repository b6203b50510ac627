"""Files that are there whole or not at all: temporary name, sync, rename, sync of the directory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

SYNC_EVERY = 4 * 1024 * 1024
"""Bytes between two syncs of a file that is written in one go (REDIS_AUTOSYNC_BYTES)."""

sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Bring the contents of a descriptor to the disk, without waiting for times and the like (redis_fsync)."""


def sync_directory(path: str) -> None:
    """Bring the names in the directory of *path* to the disk; nothing where directories cannot be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> int:
    """Write *data*, over short writes; the bytes written before an error.  Raises OSError if it was none."""
    written = os.write(descriptor, data)
    if written == len(data):
        return written
    view = memoryview(data)
    while written < len(view):
        try:
            written += os.write(descriptor, view[written:])
        except OSError:
            return written
    return written


def remove(path: str) -> None:
    """Remove a file that may not be there."""
    with contextlib.suppress(OSError):
        os.unlink(path)


class NewFile:
    """A file under a temporary name that ``commit`` moves to its place; closing it before removes it.

    With *incremental* it is synced every few megabytes, so that the last sync does not have to wait for
    everything (rdb-save-incremental-fsync).
    """

    def __init__(self, temporary: str, *, incremental: bool = True) -> None:
        self.temporary = temporary
        self.size = 0
        self._unsynced = 0
        self._incremental = incremental
        self._descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)

    def write(self, data: bytes) -> None:
        """Append *data*.  Raises OSError."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size += len(data)
        self._unsynced += len(data)
        if self._incremental and self._unsynced >= SYNC_EVERY:
            sync_data(self._descriptor)
            self._unsynced = 0

    def finish(self) -> None:
        """Everything is written: sync and close.  Raises OSError."""
        os.fsync(self._descriptor)
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def discard(self) -> None:
        """Give up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        remove(self.temporary)
