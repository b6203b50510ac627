"""A thread that brings AOF files to the disk, so that appendfsync everysec does not wait for it (bio.c)."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import NamedTuple

from ..files import sync_data


class Job(NamedTuple):
    """Sync *descriptor*, which holds the stream of writes up to *offset*; then perhaps close it."""

    descriptor: int
    offset: int
    close: bool


class Syncer:
    """One thread, started when it is first needed.  ``pending`` counts jobs that are not finished."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._submitted = self._finished = 0
        self._closing = self._closed = 0
        self.offset = 0
        """Up to where the stream of writes is known to be on the disk."""
        self.error: OSError | None = None
        """Why the last sync failed; None if it did not."""
        self.finished: Callable[[], None] = lambda: None
        """Called in the thread after each job."""

    @property
    def pending(self) -> int:
        return self._submitted - self._finished

    @property
    def busy(self) -> bool:
        """True while the file in use is being synced: writing to it may block meanwhile (aofFsyncInProgress)."""
        return self.pending > self._closing - self._closed

    def sync(self, descriptor: int, offset: int, *, close: bool = False) -> None:
        """Sync *descriptor* soon."""
        self._submitted += 1
        self._closing += close
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="aof-sync", daemon=True)
            self._thread.start()
        self._jobs.put(Job(descriptor, offset, close))

    def drain(self) -> None:
        """Wait until everything asked for is done, and end the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                sync_data(job.descriptor)
            except OSError as error:
                self.error = error
            else:
                self.error = None
                self.offset = job.offset
            if job.close:
                os.close(job.descriptor)
                self._closed += 1
            self._finished += 1
            self.finished()
