"""What a server appends to its AOF: commands gathered in a turn, written at its end, synced by policy (aof.c)."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..files import sync_data, write_all
from .syncing import Syncer

if TYPE_CHECKING:
    from ...engine.server import Server

LOG_ERRORS_EVERY = 30
"""Seconds between two lines about failed writes (AOF_WRITE_LOG_ERROR_RATE)."""
LONGEST_POSTPONEMENT = 2
"""Seconds a write waits for a sync that is under way."""

_FORMATS = [b"*%d\r\n" % count + b"$%d\r\n%b\r\n" * count for count in range(9)]
_OF_THREE = _FORMATS[3]


def encode(argv: list[bytes]) -> bytes:
    """*argv* as the AOF and replicas get it."""
    count = len(argv)
    if count < len(_FORMATS):
        words: list[int | bytes] = []
        for word in argv:
            words += (len(word), word)
        return _FORMATS[count] % tuple(words)
    return b"*%d\r\n" % count + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in argv])


class AofWriter:
    """The file that is written now.  ``feed`` is the propagation's sink, ``flush`` ends a turn."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._config = server.config
        self._parts: list[bytes] = []
        self._selected = -1
        self._timestamp = 0
        self.syncer = Syncer()
        self.descriptor = -1
        self.total_size = 0
        """Bytes of base and increments (aof_current_size)."""
        self.size = 0
        """Bytes of the increment that is written now."""
        self.synced_size = 0
        self.synced_offset = -1
        """Where the stream stood when what is on the disk was written; -1 without an AOF (fsynced_reploff)."""
        self.last_sync = 0  # unix s
        self.postponed_since = 0  # unix s, 0: not postponed
        self.delayed_syncs = 0
        self.write_error: OSError | None = None
        self.flush_sleep_us = 0  # DEBUG AOF-FLUSH-SLEEP
        self._error_logged = 0
        self.status_changed: Callable[[], None] = lambda: None
        self.exit: Callable[[], None] = lambda: None
        self.child_active: Callable[[], bool] = lambda: False
        self._sync_error: OSError | None = None
        self._counts = False
        self._reached = 0

    # --- gathering -------------------------------------------------------------------------------

    def feed(self, index: int, argv: list[bytes]) -> None:
        """Append a command for database *index* (feedAppendOnlyFile)."""
        parts = self._parts
        if self._config.aof_timestamp_enabled:
            now = self._server.now // 1_000_000_000
            if now > self._timestamp:
                self._timestamp = now
                parts.append(b"#TS:%d\r\n" % now)
        if index != self._selected and index != -1:
            self._selected = index
            parts.append(encode([b"SELECT", b"%d" % index]))
        if len(argv) == 3:
            one, two, three = argv
            parts.append(_OF_THREE % (len(one), one, len(two), two, len(three), three))
        else:
            parts.append(encode(argv))
        server = self._server
        if not server.finishing and server.finish_soon is not None:
            server.finishing = True
            server.finish_soon()

    def forget_selected(self) -> None:
        """Begin the next command with SELECT: it goes to a new file."""
        self._selected = -1

    def discard(self) -> None:
        """Forget what has not been written."""
        self._parts.clear()

    @property
    def buffered(self) -> int:
        """Bytes not written yet."""
        return sum(map(len, self._parts))

    def use_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Take in what the thread that syncs has done on *loop*."""
        if loop is not None:

            def tell() -> None:
                loop.call_soon_threadsafe(self.take_in_sync)

            self.syncer.finished = tell

    def apply_policy(self) -> None:
        """Write at the end of turns, before their replies leave; with appendfsync always also sync.

        One write, and one sync, serve all commands of a turn.
        """
        server = self._server
        enabled = self.descriptor >= 0
        if enabled and self.flush not in server.before_sleep:
            server.before_sleep.append(self.flush)
        elif not enabled and self.flush in server.before_sleep:
            server.before_sleep.remove(self.flush)

    # --- writing ---------------------------------------------------------------------------------

    def flush(self, *, force: bool = False) -> None:
        """Write what has gathered, and sync as the policy says (flushAppendOnlyFile)."""
        parts = self._parts
        policy = self._config.appendfsync
        if not parts:
            if self.synced_size != self.size and policy != "no" and self.descriptor >= 0:
                self._sync(policy)
            return
        if self.descriptor < 0:
            return
        busy = False
        if policy == "everysec":
            busy = self.syncer.busy
            if busy and not force and self._postpone():
                return
        began = self._server.latency.begin()
        if self.flush_sleep_us:
            time.sleep(self.flush_sleep_us / 1e6)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self.postponed_since = 0
        try:
            written = write_all(self.descriptor, data)
        except OSError as error:
            self._failed(error, 0, data)
            return
        if written != len(data):
            self._failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), written, data)
            return
        if began is not None:
            why = "pending-fsync" if busy else "active-child" if self.child_active() else "alone"
            self._server.latency.end(began, f"aof-write-{why}", "aof-write")
        parts.clear()
        self.size += written
        self.total_size += written
        if self.write_error is not None:
            self._server.log.notice("AOF write error looks solved, Redis can write again.")
            self.write_error = None
            self.status_changed()
        if policy != "no":
            self._sync(policy)

    def _postpone(self) -> bool:
        """While a sync is under way a write may block: put it off for up to two seconds."""
        now = self._server.unix_time()
        if not self.postponed_since:
            self.postponed_since = now
            return True
        if now - self.postponed_since < LONGEST_POSTPONEMENT:
            return True
        self.delayed_syncs += 1
        self._server.log.notice(
            "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for "
            "fsync to complete, this may slow down Redis."
        )
        return False

    def _failed(self, error: OSError, written: int, data: bytes) -> None:
        log = self._server.log
        now = self._server.unix_time()
        report = now - self._error_logged > LOG_ERRORS_EVERY
        if report:
            self._error_logged = now
            if written:
                log.warning(f"Short write while writing to the AOF file: (nwritten={written}, expected={len(data)})")
            else:
                log.warning(f"Error writing to the AOF file: {error.strerror}")
        if written:
            try:
                os.ftruncate(self.descriptor, self.size)
                written = 0
            except OSError as refused:
                if report:
                    log.warning(
                        "Could not remove short write from the append-only file.  Redis may refuse to load the AOF "
                        f"the next time it starts.  ftruncate: {refused.strerror}"
                    )
        if self._server.config.appendfsync == "always":
            log.warning("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...")
            self.exit()
            return
        self.size += written
        self.total_size += written
        self._parts[:] = [data[written:]]
        self.write_error = error
        self.status_changed()

    def _sync(self, policy: str) -> None:
        if self._config.no_appendfsync_on_rewrite and self.child_active():
            return
        if policy == "always":
            began = self._server.latency.begin()
            try:
                sync_data(self.descriptor)
            except OSError as error:
                self._server.log.warning(
                    "Can't persist AOF for fsync error when the AOF fsync policy is 'always': "
                    f"{error.strerror}. Exiting..."
                )
                self.exit()
                return
            self._server.latency.end(began, "aof-fsync-always")
            self.synced_size = self.size
            self.last_sync = self._server.unix_time()
            self._advance(self._server.replication_offset())
            return
        now = self._server.unix_time()
        if now > self.last_sync:
            if not self.syncer.busy:
                self.syncer.sync(self.descriptor, self._server.replication_offset())
                self.synced_size = self.size
            self.last_sync = now

    def sync_now(self) -> None:
        """Sync, whatever the policy; a failure is logged."""
        try:
            sync_data(self.descriptor)
        except OSError as error:
            self._server.log.warning(f"Fail to fsync the AOF file: {error.strerror}")
            return
        self.synced_size = self.size
        self.last_sync = self._server.unix_time()
        self._advance(self._server.replication_offset())

    def take_in_sync(self) -> None:
        """The thread has finished a sync."""
        error = self.syncer.error
        if (error is None) != (self._sync_error is None):
            self._sync_error = error
            self.status_changed()
        self._advance(max(self._reached, self.syncer.offset))

    def _advance(self, offset: int) -> None:
        """The stream is on the disk up to *offset*, which counts once the AOF has a base for it."""
        self._reached = offset
        if self._counts and self.synced_offset != offset:
            self.synced_offset = offset
            for hook in list(self._server.offset_synced):
                hook()

    def begin_stream(self, *, counts: bool) -> None:
        """What follows is another stream, or the AOF's first: only with its base does it count (fsynced_reploff)."""
        self._counts = counts
        self.synced_offset = 0
        self._reached = self.syncer.offset = self._server.replication_offset()

    def end_stream(self) -> None:
        """The AOF is off: nothing is kept any more."""
        self._counts = False
        self.synced_offset = -1

    def base_written(self) -> None:
        """The base is on the disk, and with it what has been synced since it was begun."""
        self._counts = True
        self._advance(self._reached)

    @property
    def failure(self) -> str | None:
        """Why writes must be refused."""
        error = self.write_error or self._sync_error
        return None if error is None else error.strerror

    def forgive(self) -> None:
        """Begin anew: errors of the file used before do not count."""
        log = self._server.log
        if self.syncer.error is not None or self._sync_error is not None:
            log.warning("AOF reopen, just ignore the AOF fsync error in bio job")
            self.syncer.error = self._sync_error = None
        if self.write_error is not None:
            log.warning("AOF reopen, just ignore the last error.")
            self.write_error = None
        self.status_changed()

    # --- files -----------------------------------------------------------------------------------

    def replace(self, descriptor: int, size: int) -> None:
        """Write to *descriptor*, which holds *size* bytes, from now on; the old file is synced and closed."""
        if self.descriptor >= 0:
            self.syncer.sync(self.descriptor, self._server.replication_offset(), close=True)
            self.last_sync = self._server.unix_time()
        self.descriptor = descriptor
        self.size = self.synced_size = size
        self.apply_policy()

    def close(self) -> None:
        """Close the file; the caller has flushed it."""
        if self.descriptor >= 0:
            self.syncer.drain()
            os.close(self.descriptor)
            self.descriptor = -1
        self._selected = -1
        self.size = self.synced_size = 0
        self._parts.clear()
        self.apply_policy()
