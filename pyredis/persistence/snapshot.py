"""RDB snapshots of a server: SAVE, BGSAVE, save points, and what follows their success or failure (rdb.c)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .children import CAN_FORK, KILLED_ON_PURPOSE, RDB, Children, Done, Report
from .files import NewFile, remove, sync_directory
from .rdb.options import SaveOptions
from .rdb.writer import Writer, frequency_opcode, idle_opcode, standard_fields
from .slices import SlicedSave

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..keyspace.database import Database

RETRY_SECONDS = 5
"""How long after a failed background save the next is tried (CONFIG_BGSAVE_RETRY_DELAY)."""


def save_options(server: Server) -> SaveOptions:
    """How values are written to files and DUMP payloads."""
    config = server.config
    return SaveOptions(version=config.rdb_version, compress=config.rdbcompression)


def begin_rdb(
    server: Server,
    write: Callable[[bytes], object],
    replication: tuple[int, bytes, int] | None,
    aof_base: bool,
    *,
    functions: bool = True,
) -> Writer:
    """A writer that has written what comes before the databases."""
    options = save_options(server)
    writer = Writer(write, options, checksum=server.config.rdbchecksum)
    created = server.unix_time()
    writer.begin(
        standard_fields(
            created, server.used_memory(), replication=replication, aof_base=aof_base, version=options.version
        )
    )
    if functions:
        for code in server.library_sources():
            writer.function(code)
    return writer


def write_rdb(
    server: Server,
    write: Callable[[bytes], object],
    *,
    replication: tuple[int, bytes, int] | None = None,
    aof_base: bool = False,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write all of *server*'s data as an RDB file; *progress* hears of the keys written (rdbSaveRio)."""
    writer = begin_rdb(server, write, replication, aof_base)
    for db in server.databases:
        writer.database(db.index, db.data, db.expires, access=access_of(server, db), progress=progress)
    writer.end()


def access_of(server: Server, db: Database) -> Callable[[bytes, Any], bytes] | None:
    """What to write before each key of *db*: its idle time or frequency where the policy keeps one."""
    policy = server.config.maxmemory_policy

    def idle(key: bytes, value: Any) -> bytes:
        return idle_opcode(server.idle_ms(db, key) // 1000)

    def frequency(key: bytes, value: Any) -> bytes:
        return frequency_opcode(server.frequency(db, key))

    access = idle if policy.endswith("-lru") else frequency if policy.endswith("-lfu") else None
    delay = server.config.rdb_key_save_delay
    return delayed(access, delay) if delay else access


def delayed(access: Callable[[bytes, Any], bytes] | None, delay: int) -> Callable[[bytes, Any], bytes]:
    """*access* that takes *delay* us longer, or one us every -*delay* keys (rdb-key-save-delay, debugDelay)."""
    seconds = delay / 1e6 if delay > 0 else 1 / -delay / 1e6

    def slow(key: bytes, value: Any) -> bytes:
        time.sleep(seconds)
        return b"" if access is None else access(key, value)

    return slow


def forks(server: Server) -> bool:
    """Whether background saves of *server* are made by a forked child (background-save)."""
    mode = server.config.background_save
    return mode == "fork" or (mode == "auto" and CAN_FORK)


class Snapshots:
    """When the data was saved last, whether that went well, and the saving itself."""

    def __init__(self, server: Server, children: Children) -> None:
        self._server = server
        self._children = children
        self.last_save = server.start_time // 1_000_000_000
        self.last_try = 0
        self.last_ok = True
        self.scheduled = False
        self.saves = 0
        self.last_seconds = -1
        self.started_at = -1
        self.status_changed: Callable[[], None] = lambda: None
        self.replication_info: Callable[[], tuple[int, bytes, int] | None] = lambda: None
        """Selected database, replication id and offset to write, where they mean something (rdbPopulateSaveInfo)."""
        self.sliced: SlicedSave | None = None
        self.completed: list[Callable[[bool], None]] = []
        """Called once each when the background save that runs has ended, with whether it went well."""
        self._dirty_before = 0

    @property
    def path(self) -> str:
        """Where ``dbfilename`` lies."""
        return self._server.config.path(self._server.config.dbfilename)

    @property
    def in_progress(self) -> bool:
        return self._children.kind == RDB

    def temporary(self, pid: int) -> str:
        """The file that process *pid* writes before it gets its name."""
        return self._server.config.path(f"temp-{pid}.rdb")

    def save(self) -> bool:
        """Save now; false if it failed, and the log says why (rdbSave)."""
        if not self.write_file(self.path):
            return False
        server = self._server
        server.dirty = 0
        self.last_save = self._server.unix_time()
        self._set_ok(True)
        return True

    def write_file(self, path: str, report: Report | None = None) -> bool:
        """Write a snapshot to *path*, which is replaced only when the new file is safe on the disk."""
        server = self._server
        temporary = self.temporary(os.getpid())
        file = self.open_temporary(temporary)
        if file is None:
            return False
        try:
            write_rdb(
                server,
                file.write,
                replication=self.replication_info(),
                progress=None if report is None else report.progress,
            )
            file.finish()
        except OSError as error:
            server.log.warning(f"Write error while saving DB to the disk(rdbSaveRio): {error.strerror}")
            file.discard()
            return False
        except BaseException:
            file.discard()
            raise
        return self.put_in_place(temporary, path)

    def open_temporary(self, temporary: str) -> NewFile | None:
        """The file to write a snapshot to; None if it cannot be made, and the log says why."""
        config = self._server.config
        try:
            return NewFile(temporary, incremental=config.rdb_save_incremental_fsync)
        except OSError as error:
            self._server.log.warning(
                f"Failed opening the temp RDB file {os.path.basename(temporary)} (in server root dir {config.dir}) "
                f"for saving: {error.strerror}"
            )
            return None

    def put_in_place(self, temporary: str, path: str) -> bool:
        """Rename the finished file *temporary* to *path*, for good."""
        log = self._server.log
        try:
            os.replace(temporary, path)
        except OSError as error:
            log.warning(
                f"Error moving temp DB file {os.path.basename(temporary)} on the final destination "
                f"{os.path.basename(path)} (in server root dir {self._server.config.dir}): {error.strerror}"
            )
            remove(temporary)
            return False
        try:
            sync_directory(path)
        except OSError as error:
            log.warning(f"Failed to fsync directory while saving DB: {error.strerror}")
            return False
        log.notice("DB saved on disk")
        return True

    # --- in the background -----------------------------------------------------------------------

    def save_in_background(self) -> bool:
        """Start a background save; false if it could not be started, and the log says why."""
        server = self._server
        if self._children.active:
            return False
        self.saves += 1
        self._dirty_before = server.dirty
        self.last_try = self._server.unix_time()
        if not forks(server):
            return self._start_slices()
        path = self.path
        try:
            pid = self._children.fork(RDB, lambda report: self.write_file(path, report), self._ended)
        except OSError as error:
            self._set_ok(False)
            server.log.warning(f"Can't save in background: fork: {error.strerror}")
            return False
        server.log.notice(f"Background saving started by pid {pid}")
        self.started_at = self._server.unix_time()
        return True

    def start_for_replicas(self, done: Done) -> None:
        """A background save that replicas wait for; *done* hears of its end.  Raises OSError."""
        self.saves += 1
        self._dirty_before = self._server.dirty
        self.last_try = self._server.unix_time()
        path = self.path
        pid = self._children.fork(RDB, lambda report: self.write_file(path, report), done)
        self._server.log.notice(f"Background saving started by pid {pid}")
        self.started_at = self._server.unix_time()

    def finished_for_replicas(self, status: int, by_signal: int) -> None:
        """What *done* of ``start_for_replicas`` calls first."""
        self._ended(status, by_signal)

    def _start_slices(self) -> bool:
        temporary, path = self.temporary(os.getpid()), self.path
        file = self.open_temporary(temporary)
        if file is None:
            self._set_ok(False)
            return False

        def done(succeeded: bool) -> None:
            self.sliced = None
            self._ended(0 if succeeded and self.put_in_place(temporary, path) else 1, 0)
            self._children.end()

        self._children.begin(RDB)
        self.started_at = self._server.unix_time()
        self._server.log.notice("Background saving started in slices")
        writer = begin_rdb(self._server, file.write, self.replication_info(), False)
        self.sliced = SlicedSave(self._server, file, writer, self._children.loop, done)
        return True

    def _ended(self, status: int, by_signal: int) -> None:
        """The end of a background save (backgroundSaveDoneHandlerDisk)."""
        server = self._server
        if by_signal:
            server.log.warning(f"Background saving terminated by signal {by_signal}")
            remove(self.temporary(self._children.pid))
            if by_signal != KILLED_ON_PURPOSE:
                self._set_ok(False)
        elif status:
            server.log.warning("Background saving error")
            self._set_ok(False)
        else:
            server.log.notice("Background saving terminated with success")
            server.dirty -= self._dirty_before
            self.last_save = self._server.unix_time()
            self._set_ok(True)
        self.last_seconds = self._server.unix_time() - self.started_at
        self.started_at = -1
        completed, self.completed = self.completed, []
        for hook in completed:
            hook(not status and not by_signal)

    def flushed(self, db: Database | None) -> None:
        """FLUSHALL: what is being saved is void, and so is the file (flushAllDataAndResetRDB)."""
        if db is not None:
            return
        if self.in_progress:
            if self.sliced is not None:
                self.sliced.cancel()
                self.sliced = None
                self._ended(0, KILLED_ON_PURPOSE)
                self._children.end()
            else:
                self._children.kill()
        if self._server.config.save and not self._server.loading:
            self.save()

    def stop_background(self) -> None:
        """Kill a background save for good, nobody hears of it (killRDBChild)."""
        if not self.in_progress:
            return
        if self.sliced is not None:
            self.sliced.cancel()
            self.sliced = None
            self._children.end()
            return
        pid = self._children.pid
        self._children.abandon()
        remove(self.temporary(pid))
        self.started_at = -1

    # --- periodically ----------------------------------------------------------------------------

    def may_retry(self) -> bool:
        """Whether the last background save went well, or failed long enough ago."""
        return self.last_ok or self._server.unix_time() - self.last_try > RETRY_SECONDS

    def check_save_points(self) -> None:
        """Start a background save if a save point has been reached."""
        server = self._server
        now = self._server.unix_time()
        for seconds, changes in server.config.save:
            if server.dirty >= changes and now - self.last_save > seconds and self.may_retry():
                server.log.notice(f"{changes} changes in {seconds} seconds. Saving...")
                self.save_in_background()
                return

    def start_scheduled(self) -> None:
        """Start the background save that had to wait for another child."""
        if self.scheduled and not self._children.active and self.may_retry() and self.save_in_background():
            self.scheduled = False

    def _set_ok(self, ok: bool) -> None:
        self.last_ok = ok
        self.status_changed()
