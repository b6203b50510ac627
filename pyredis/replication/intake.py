"""A snapshot on its way from the leader into the data set, through a file or straight into the parser.

Until everything has arrived, and what arrived has the checksum it claims, the data in use is not touched;
only a follower that loads directly because it is empty has nothing to lose.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ..keyspace.database import Database
from ..persistence.files import remove, sync_directory
from ..persistence.loading import DatasetSink, LoadFailed, load_delay, make_reader, report_loaded
from ..persistence.rdb.codes import RDB_VERSION, RdbError
from ..util.crc import crc64

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..persistence.service import Persistence

SYNC_EVERY = 8 << 20
"""The file is flushed after so many bytes, so that the end does not take long (REPL_MAX_WRITTEN_BEFORE_FSYNC)."""
MARK_SIZE = 40
_HELD_SIZE = 8
_CHECKSUM = struct.Struct("<Q")

Done = Callable[["tuple[int, bytes, int] | None", str | None], None]
"""Hears what the snapshot says of the stream, or why it could not be loaded."""


class IntakeFailed(Exception):
    """The snapshot is of no use; the text says why."""


class SwapSink(DatasetSink):
    """Into databases that are not in use yet; function libraries wait, too."""

    def __init__(self, server: Server, databases: list[Database]) -> None:
        super().__init__(server, databases=databases)
        self.libraries: list[bytes] = []

    def function(self, code: bytes) -> None:
        self.libraries.append(code)


class Load:
    """Parses a snapshot into the data set; ``finish`` or ``abort`` ends it.

    *swap*: into new databases that take the place of those in use at the end; *asynchronous*: which are read
    from meanwhile.
    """

    def __init__(self, server: Server, total: int, *, swap: bool, asynchronous: bool) -> None:
        self._server = server
        self._persistence: Persistence = server.persistence
        self._swap = [_like(db) for db in server.databases] if swap else None
        scope = self._persistence.loading.running(total, asynchronous=asynchronous)
        self._scope: AbstractContextManager[None] | None = scope
        scope.__enter__()
        if not swap:
            empty_data(server, lazily=server.config.replica_lazy_flush)
        self.sink = DatasetSink(server) if self._swap is None else SwapSink(server, self._swap)
        self.reader = make_reader(server, self.sink, keep_expired=True)

    def feed(self, data: bytes) -> float:
        """Parse *data*; seconds to pause (key-load-delay).  Raises IntakeFailed."""
        reader, loading = self.reader, self._persistence.loading
        before = reader.keys_loaded
        try:
            reader.feed(data)
        except RdbError as error:
            self.report(error.reason)
            raise IntakeFailed(error.reason) from None
        except LoadFailed:
            raise IntakeFailed("it does not fit this server") from None
        loading.loaded_bytes += len(data)
        loading.keys_loaded = reader.keys_loaded
        return load_delay(self._server, reader.keys_loaded - before)

    def finish(self) -> tuple[int, bytes, int] | None:
        """All has come; what the snapshot says of the stream.  Raises IntakeFailed."""
        server, log = self._server, self._server.log
        try:
            self.reader.finish()
        except RdbError as error:
            self.report(error.reason)
            raise IntakeFailed(error.reason) from None
        if self.reader.leftover:
            raise IntakeFailed("Replication stream EOF marker is broken")
        report_loaded(server, self.reader, self.sink)
        if self._swap is not None and isinstance(self.sink, SwapSink):
            log.notice("MASTER <-> REPLICA sync: Swapping active DB with loaded DB")
            empty_data(server, lazily=True)
            for db, loaded in zip(server.databases, self._swap, strict=True):
                db.exchange(loaded)
            for code in self.sink.libraries:
                refusal = server.load_library(code, False)
                if refusal is not None:
                    log.warning(f"Failed loading library, {refusal}")
            log.notice("MASTER <-> REPLICA sync: Discarding old DB in background")
        self._leave()
        for db in server.databases:
            server.blocking.signal_all(db)
        return self.sink.replication

    def report(self, reason: str, *, cut: bool = False) -> None:
        """Log where the snapshot ends too early, because the link was *cut*, or is damaged (rdbReportError)."""
        more = " from socket, assuming connection error, resuming operation." if cut else ""
        self._server.log.warning(
            f"Internal error in RDB reading offset {self.reader.offset}, function at rdb.c:0 -> {reason}. "
            f"Failure loading rdb format{more}"
        )

    def abort(self) -> None:
        """Forget what has been loaded so far."""
        if self._scope is None:
            return
        if self._swap is None:
            empty_data(self._server, lazily=self._server.config.replica_lazy_flush)
        else:
            self._server.log.notice("MASTER <-> REPLICA sync: Discarding temporary DB in background")
        self._leave()

    def _leave(self) -> None:
        scope, self._scope = self._scope, None
        if scope is not None:
            scope.__exit__(None, None, None)


def _like(db: Database) -> Database:
    """An empty database that may take the place of *db*: its keys are measured if those of *db* are."""
    fresh = Database(db.server, db.index)
    fresh.data = type(db.data)()
    return fresh


def empty_data(server: Server, *, lazily: bool) -> None:
    """Drop all keys and libraries without telling anybody but those that cache or watch keys (emptyData)."""
    for db in server.databases:
        server.watching.touched_all(db)
        db.flush(lazily=lazily)
    server.expire_cycle.own.clear()
    server.drop_libraries()
    for hook in server.flushed:
        hook(None)


class Intake:
    """Takes in the bytes of one snapshot; *done* hears of the outcome, once.

    *attach* is called right before the data in use goes; it may be later than the last byte, since loads
    pause to let others be served.
    """

    destination = ""

    def __init__(self, server: Server, attach: Callable[[], None], done: Done) -> None:
        self._server = server
        self._attach = attach
        self._done = done
        self._load: Load | None = None
        self._over = False

    def feed(self, data: bytes) -> None:
        """Take *data*.  Raises IntakeFailed."""

    def end(self) -> None:
        """All has come.  Raises IntakeFailed."""

    def abandon(self) -> None:
        """The link is gone, or somebody else is to be followed; *done* is not called."""
        self._over = True
        if self._load is not None:
            self._load.abort()
            self._load = None

    def _begin(self, total: int, *, swap: bool = False, asynchronous: bool = False) -> Load:
        log = self._server.log
        if not swap:
            self._attach()
            log.notice("MASTER <-> REPLICA sync: Flushing old data")
        log.notice("MASTER <-> REPLICA sync: Loading DB in memory")
        self._load = Load(self._server, total, swap=swap, asynchronous=asynchronous)
        return self._load

    def _finish(self) -> None:
        """Everything is parsed."""
        load = self._load
        assert load is not None
        try:
            info = load.finish()
        except IntakeFailed as failure:
            self._fail(str(failure))
            return
        self._load, self._over = None, True
        self._done(info, None)

    def _fail(self, reason: str) -> None:
        if not self._over:
            self.abandon()
            self._done(None, reason)

    def _later(self, seconds: float, step: Callable[[], None]) -> None:
        server = self._server
        server.timers.at(server.clock.monotonic_ns() + int(seconds * 1e9), lambda: None if self._over else step())


class FileIntake(Intake):
    """Writes the snapshot to a file, checks it, puts it in the place of the RDB file and loads it."""

    destination = "to disk"

    def __init__(self, server: Server, attach: Callable[[], None], done: Done) -> None:
        super().__init__(server, attach, done)
        name = f"temp-{server.now // 1_000_000_000}.{os.getpid()}.rdb"
        self._temporary = server.config.path(name)
        try:
            self._file = os.open(self._temporary, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o644)
        except OSError as error:
            raise IntakeFailed(
                f"Opening the temp file needed for MASTER <-> REPLICA synchronization: {error.strerror}"
            ) from None
        self._unsynced = 0
        self._size = 0
        self._start = b""
        self._tail = b""
        self._checksum = 0

    def feed(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            self._unsynced += len(data)
            if self._unsynced > SYNC_EVERY:
                self._unsynced = 0
                os.fsync(self._file)
        except OSError as error:
            raise IntakeFailed(
                "Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA "
                f"synchronization: {error.strerror}"
            ) from None
        self._size += len(data)
        if len(self._start) < MARK_SIZE:
            self._start = (self._start + data)[:MARK_SIZE]
        data = self._tail + data
        self._tail = data[-_HELD_SIZE:]
        self._checksum = crc64(data[:-_HELD_SIZE], self._checksum)

    def end(self) -> None:
        self._verify()
        server, persistence = self._server, self._server.persistence
        path = persistence.snapshots.path
        try:
            os.fsync(self._file)
        except OSError as error:
            raise IntakeFailed(
                f"Failed trying to sync the temp DB to disk in MASTER <-> REPLICA synchronization: {error.strerror}"
            ) from None
        self._stop_children()
        try:
            os.replace(self._temporary, path)
            self._temporary = ""
            sync_directory(path)
        except OSError as error:
            raise IntakeFailed(
                f"Failed trying to rename the temp DB into {server.config.dbfilename} in MASTER <-> REPLICA "
                f"synchronization: {error.strerror}"
            ) from None
        self._begin(self._size)
        os.lseek(self._file, 0, os.SEEK_SET)
        self._step()

    def _verify(self) -> None:
        """Refuse what cannot be a snapshot while the data in use is still there.  Raises IntakeFailed."""
        version = self._start[5:9]
        if self._start[:5] != b"REDIS" or not version.isdigit():
            raise IntakeFailed("the transfer is not an RDB file")
        if int(version) > RDB_VERSION:
            raise IntakeFailed(f"can't handle RDB format version {int(version)}")
        if int(version) < 5 or len(self._tail) < _HELD_SIZE or not self._server.config.rdbchecksum:
            return
        (stored,) = _CHECKSUM.unpack(self._tail)
        if stored and stored != self._checksum:
            raise IntakeFailed(
                f"wrong RDB checksum: expected {self._checksum:x} but got {stored:x}, the transfer is damaged"
            )

    def _stop_children(self) -> None:
        children, snapshots = self._server.persistence.children, self._server.persistence.snapshots
        if children.kind == "rdb":
            self._server.log.notice(
                "Replica is about to load the RDB file received from the master, but there is a pending RDB child "
                f"running. Killing process {children.pid} and removing its temp file to avoid any race"
            )
            snapshots.stop_background()

    def _step(self) -> None:
        load = self._load
        if load is None:
            return
        try:
            data = os.read(self._file, self._server.config.loading_process_events_interval_bytes)
            pause = load.feed(data) if data else 0.0
        except (IntakeFailed, OSError) as failure:
            self._fail(str(failure))
            return
        if data and not load.reader.done:
            self._later(pause, self._step)
        elif pause:
            self._later(pause, self._finish)
        else:
            self._finish()

    def _finish(self) -> None:
        self._close()
        super()._finish()
        self._forget_file()

    def _forget_file(self) -> None:
        config = self._server.config
        if config.rdb_del_sync_files and not config.save and not config.appendonly:
            self._server.log.notice(
                "Removing the RDB file obtained from the master. This replica has persistence disabled"
            )
            self._server.persistence.forget_synced_file()

    def abandon(self) -> None:
        super().abandon()
        self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._temporary:
            remove(self._temporary)
            self._temporary = ""


class DirectIntake(Intake):
    """Parses what comes in at once (repl-diskless-load on-empty-db and swapdb).

    *pause* and *resume* hold the link back while key-load-delay lets input pile up.
    """

    destination = "to parser"

    def __init__(
        self, server: Server, attach: Callable[[], None], done: Done, *, total: int, swap: bool, asynchronous: bool,
        pause: Callable[[], None], resume: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__(server, attach, done)
        self._swaps = swap
        self._hold_back, self._go_on = pause, resume
        self._queue = bytearray()
        self._ended = False
        self._waiting = False
        if server.persistence.children.kind == "rdb":
            server.persistence.snapshots.stop_background()
        self._begin(total, swap=swap, asynchronous=asynchronous)

    def feed(self, data: bytes) -> None:
        self._queue += data
        if not self._waiting:
            self._step()

    def report_short(self) -> None:
        """The link was cut: log how far it came."""
        if self._load is not None:
            self._load.report("Unexpected EOF reading RDB file", cut=True)

    def end(self) -> None:
        self._ended = True
        if not self._waiting:
            self._step()

    def _step(self) -> None:
        load = self._load
        if load is None:
            return
        size = self._server.config.loading_process_events_interval_bytes
        if self._waiting:
            self._waiting = False
            self._go_on()
        while self._queue:
            data = bytes(self._queue[:size])
            del self._queue[:size]
            try:
                pause = load.feed(data)
                if not self._queue:
                    load.reader.flush()
            except (IntakeFailed, RdbError) as failure:
                self._fail(str(failure))
                return
            if load.reader.done and load.reader.leftover:
                self._fail("Replication stream EOF marker is broken")
                return
            if pause:
                self._waiting = True
                self._hold_back()
                self._later(pause, self._step)
                return
        if self._ended:
            if self._swaps:
                self._attach()
            self._finish()
