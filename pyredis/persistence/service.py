"""What keeps one server's data: loading at the start, snapshots, the append-only file, and INFO about them."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..engine.describe_server import Fields, persistence_fields
from ..engine.shutdown import FORCE, NOSAVE, SAVE, ShutdownRefused
from ..registry.flags import GATE_DISK
from .aof.log import AppendOnly
from .children import AOF, RDB, Children
from .files import remove
from .loading import LoadFailed, Loading, Slices, load_rdb
from .snapshot import Snapshots

if TYPE_CHECKING:
    from ..engine.server import Server

RDB_ERROR = (
    "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may "
    "modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
    "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
    "error."
)


class Persistence:
    """``server.persistence``: everything about files, plugged into the hooks of *server*."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.loading = Loading(server)
        self.children = Children(server)
        self.snapshots = Snapshots(server, self.children)
        self.aof = AppendOnly(server, self.children, self.loading)
        self.snapshots.status_changed = self.aof.status_changed = self.update_gate
        self.aof.exit = lambda: self.exit()
        self.exit: Callable[[], None] = lambda: os._exit(1)
        """The data cannot be kept as promised: stop.  ``app.py`` puts its own way in place."""

    def install(self) -> None:
        """Plug everything in."""
        server = self._server
        server.describe_persistence = self.describe
        server.synced_offset = lambda: self.aof.writer.synced_offset
        server.aof_buffer_bytes = lambda: self.aof.writer.buffered
        server.shutdown.steps.append(self.shut_down)
        server.flushed.append(self.snapshots.flushed)
        server.cron.every(0, lambda server: self.cron())
        server.cron.every(1000, lambda server: self.aof.retry_after_error())
        for name in ("save", "stop-writes-on-bgsave-error"):
            server.config.on_change(name, self.update_gate)
        server.config.on_change("appendonly", self.aof.apply_appendonly)
        server.config.on_change("aof-disable-auto-gc", self.aof.folder.delete_history)
        server.config.on_change("appendfsync", self.aof.apply_fsync)

    # --- the start -------------------------------------------------------------------------------

    async def start(self, stopped: Callable[[], bool]) -> None:
        """Load the data, while clients are told so, and begin to log writes (loadDataFromDisk).

        Gives up quietly once *stopped*.  Raises LoadFailed.
        """
        self.children.loop = asyncio.get_running_loop()
        self.aof.folder.open()
        slices = self.load()
        try:
            for pause in slices:
                await asyncio.sleep(pause)
                if stopped():
                    return
        finally:
            slices.close()
        self.aof.start(asyncio.get_running_loop())

    def load(self) -> Slices:
        """The data set from the AOF if there is to be one, else from the RDB file."""
        server = self._server
        began = time.monotonic()
        if server.config.appendonly:
            if (yield from self.aof.load()):
                server.log.notice(f"DB loaded from append only file: {time.monotonic() - began:.3f} seconds")
                return True
            return False
        try:
            found = yield from load_rdb(server, self.snapshots.path, self.loading)
        except LoadFailed as failed:
            if not failed.corrupt:
                server.log.warning("Fatal error loading the DB, check server logs. Exiting.")
            raise
        if found:
            server.log.notice(f"DB loaded from disk: {time.monotonic() - began:.3f} seconds")
        return found

    def load_now(self) -> bool:
        """``load`` without serving anybody meanwhile, for servers that have no event loop.  Raises LoadFailed."""
        self.aof.folder.open()
        found = run_slices(self.load())
        self.aof.start(None)
        return found

    # --- while it runs ---------------------------------------------------------------------------

    def cron(self) -> None:
        """From the periodic task: children that ended, saves that are due (serverCron)."""
        if self._server.loading:
            return
        children = self.children
        if not children.active and self.aof.rewrite_scheduled and not self.aof.rewrite_limited():
            self.aof.rewrite()
        if children.active:
            children.poll()
        else:
            self.snapshots.check_save_points()
            self.aof.check_growth()
        self.aof.cron()
        self.snapshots.start_scheduled()

    def update_gate(self) -> None:
        """Refuse writes while they could not be kept (writeCommandsDeniedByDiskError)."""
        server = self._server
        config = server.config
        if config.stop_writes_on_bgsave_error and config.save and not self.snapshots.last_ok:
            server.disk_error = RDB_ERROR
        elif self.aof.failure is not None:
            server.disk_error = f"Errors writing to the AOF file: {self.aof.failure}"
        else:
            server.disk_error = None
        server.restrict(GATE_DISK, server.disk_error is not None)

    def shut_down(self, flags: int) -> None:
        """A step of shutting down: children, AOF, the last snapshot (finishShutdown).  Raises ShutdownRefused."""
        server, log = self._server, self._server.log
        if self.children.kind == RDB:
            log.warning("There is a child saving an .rdb. Killing it!")
            self.snapshots.stop_background()
        if self.children.kind == AOF:
            if self.aof.waits_for_rewrite:
                if not flags & FORCE:
                    log.warning("Writing initial AOF, can't exit.")
                    server.shutdown.status("STATUS=Writing initial AOF, can't exit.\n")
                    raise ShutdownRefused
                log.warning("Writing initial AOF. Exit anyway.")
            log.warning("There is a child rewriting the AOF. Killing it!")
            self.aof.stop_rewrite()
        self.aof.close_at_exit()
        if flags & SAVE or (server.config.save and not flags & NOSAVE):
            log.notice("Saving the final RDB snapshot before exiting.")
            server.shutdown.status("STATUS=Saving the final RDB snapshot\n")
            with self._impatience():
                saved = self.snapshots.save()
            if not saved:
                if not flags & FORCE:
                    log.warning("Error trying to save the DB, can't exit.")
                    server.shutdown.status("STATUS=Error trying to save the DB, can't exit.\n")
                    raise ShutdownRefused
                log.warning("Error trying to save the DB. Exit anyway.")

    @contextmanager
    def _impatience(self) -> Iterator[None]:
        """While inside, SIGINT ends the program at once, and the unfinished file goes (sigShutdownHandler).

        The event loop does not run during the last save, so its own handler would come too late.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def insist(number: int, frame: object) -> None:
            self._server.log.warning("You insist... exiting now.")
            remove(self.snapshots.temporary(os.getpid()))
            os._exit(1)

        before = signal.signal(signal.SIGINT, insist)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def forget_synced_file(self) -> None:
        """Remove the RDB file that only a replication needed (rdb-del-sync-files, rdbRemoveSyncFile)."""
        config = self._server.config
        if config.rdb_del_sync_files and not config.save and not config.appendonly:
            remove(self.snapshots.path)

    def close(self) -> None:
        """Let go of children, files and threads at once; what is written stays."""
        self.snapshots.stop_background()
        if self.children.kind == AOF:
            self.aof.stop_rewrite()
        self.aof.close()

    # --- INFO ------------------------------------------------------------------------------------

    def describe(self) -> Fields:
        """INFO persistence."""
        server, children, snapshots, loading = self._server, self.children, self.snapshots, self.loading
        now = server.unix_time()
        fork_percent = children.keys_processed / children.keys_total * 100 if children.keys_total else 0.0
        age = (server.clock.monotonic_ns() - children.cow_updated) // 1_000_000_000 if children.cow_updated else 0
        values: dict[str, object] = {
            "loading": int(server.loading and not server.async_loading),
            "async_loading": int(server.async_loading),
            "current_cow_peak": children.cow_peak,
            "current_cow_size": children.cow_size,
            "current_cow_size_age": age,
            "current_fork_perc": f"{fork_percent:.2f}",
            "current_save_keys_processed": children.keys_processed,
            "current_save_keys_total": children.keys_total,
            "rdb_bgsave_in_progress": int(children.kind == RDB),
            "rdb_last_save_time": snapshots.last_save,
            "rdb_last_bgsave_status": "ok" if snapshots.last_ok else "err",
            "rdb_last_bgsave_time_sec": snapshots.last_seconds,
            "rdb_current_bgsave_time_sec": now - snapshots.started_at if children.kind == RDB else -1,
            "rdb_saves": snapshots.saves,
            "rdb_last_cow_size": children.last_cow[RDB],
            "rdb_last_load_keys_expired": loading.keys_expired,
            "rdb_last_load_keys_loaded": loading.keys_loaded,
            **self.aof.describe(now),
            "aof_last_cow_size": children.last_cow[AOF],
        }
        fields = [(name, values.get(name, value)) for name, value in persistence_fields(server)]
        fields += self.aof.describe_file()
        if server.loading:
            fields += loading.progress()
        return fields


def run_slices(slices: Slices) -> bool:
    """Run a load to its end without serving anybody meanwhile."""
    while True:
        try:
            pause = next(slices)
        except StopIteration as end:
            return bool(end.value)
        if pause:
            time.sleep(pause)


def install(server: Server) -> None:
    """Give *server* its ``persistence``."""
    server.persistence = Persistence(server)
    server.persistence.install()
