"""Data sets from files into a server: its state meanwhile, and RDB files in slices between which it serves."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..registry.flags import GATE_LOADING
from .rdb.check import check_file
from .rdb.codes import RdbError, ShortRead
from .rdb.options import LoadOptions
from .rdb.reader import Reader, WrongChecksum
from .rdb.sink import Sink

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..keyspace.database import Database

Slices = Generator[float, None, bool]
"""A load in slices: each step yields the seconds to pause (key-load-delay), the result says if there was a file."""

EMPTY_KEYS_LOGGED = 10


class LoadFailed(Exception):
    """The data cannot be loaded, and the reason has been logged.

    *corrupt*: the file itself is damaged, which stops a running server, too.
    """

    def __init__(self, *, corrupt: bool = False) -> None:
        super().__init__(corrupt)
        self.corrupt = corrupt


class LibraryRefused(RdbError):
    """A function library of the file cannot be loaded."""


class Loading:
    """Whether a load is under way, and how far it is (server.c INFO, rdb.c startLoading)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.start_time = 0
        self.total_bytes = 0
        self.loaded_bytes = 0
        self.rdb_used_memory = 0
        self.keys_loaded = 0
        self.keys_expired = 0
        self.replication: tuple[int, bytes, int] | None = None
        """Selected database, replication id and offset in the file loaded last, if it has them."""

    @contextmanager
    def running(self, total: int, *, asynchronous: bool = False) -> Iterator[None]:
        """While inside, most commands are refused, nothing expires and nothing is propagated.

        *total*: bytes to load, 0 if unknown.  *asynchronous*: into databases that are not in use yet.
        """
        server = self._server
        propagation = server.propagation
        before = server.keeps_expired, server.sees_expired, propagation.targets
        server.loading = True
        server.async_loading = asynchronous
        server.restrict(GATE_LOADING)
        if not asynchronous:
            server.keeps_expired = server.sees_expired = True
            propagation.targets = 0
        self.start_time = server.unix_time()
        self.total_bytes, self.loaded_bytes, self.rdb_used_memory = total, 0, 0
        self.keys_loaded = self.keys_expired = 0
        try:
            yield
        finally:
            server.loading = server.async_loading = False
            server.restrict(GATE_LOADING, False)
            if not asynchronous:
                server.keeps_expired, server.sees_expired, propagation.targets = before
                propagation.pending.clear()
                propagation.wrote = propagation.explicit = False
            for db in server.databases:
                db.sampler = db.expire_sampler = None

    def progress(self) -> list[tuple[str, object]]:
        """What INFO adds while a load runs."""
        loaded, total, memory = self.loaded_bytes, self.total_bytes, self.rdb_used_memory
        percent, remaining = 0.0, 1
        if total:
            percent, remaining = loaded / total * 100, total - loaded
        elif memory:
            percent, remaining = min(loaded / memory * 100, 99.99), max(1, memory - loaded)
        elapsed = self._server.unix_time() - self.start_time
        return [
            ("loading_start_time", self.start_time),
            ("loading_total_bytes", total),
            ("loading_rdb_used_mem", memory),
            ("loading_loaded_bytes", loaded),
            ("loading_loaded_perc", f"{percent:.2f}"),
            ("loading_eta_seconds", elapsed * remaining // (loaded + 1) if elapsed else 1),
        ]


class DatasetSink(Sink):
    """Puts what a reader finds straight into *databases*, those of the server unless others are given."""

    def __init__(self, server: Server, *, replace: bool = False, databases: list[Database] | None = None) -> None:
        super().__init__()
        self._server = server
        self._replace = replace
        self._targets = server.databases if databases is None else databases
        self._db = self._targets[0]
        self.empty_keys = 0

    def select(self, index: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        if index >= len(self._targets):
            self._server.log.warning(
                "FATAL: Data file was created with a Redis server configured to handle more than "
                f"{len(self._targets)} databases. Exiting"
            )
            raise LoadFailed(corrupt=True)
        self._db = db = self._targets[index]
        db.sampler = db.expire_sampler = None
        return db.data, db.expires

    def aux(self, name: bytes, value: bytes) -> None:
        log, text = self._server.log, value.decode("utf-8", "backslashreplace")
        self.notes[name] = value
        match name:
            case b"redis-ver":
                log.notice(f"Loading RDB produced by version {text}")
            case b"ctime":
                age = self._server.unix_time() - _number(value)
                log.notice(f"RDB age {max(0, age)} seconds")
            case b"used-mem":
                log.notice(f"RDB memory usage when created {_number(value) / (1024 * 1024):.2f} Mb")
            case b"aof-preamble" if _number(value):
                log.notice("RDB has an AOF tail")
            case b"aof-base" if _number(value):
                log.notice("RDB is base AOF")
            case _ if name.startswith(b"%"):
                log.notice(f"RDB '{name.decode('utf-8', 'backslashreplace')}': {text}")

    def function(self, code: bytes) -> None:
        refusal = self._server.load_library(code, self._replace)
        if refusal is not None:
            self._server.log.warning(f"Failed loading library, {refusal}")
            raise LibraryRefused("Failed loading library")

    def access(self, key: bytes, value: Any, idle: int, frequency: int) -> None:
        self._server.restore_access(self._db, key, idle, frequency)

    def expired(self, key: bytes) -> None:
        self._server.expired_in_file(self._db.index, key)

    def empty(self, key: bytes) -> None:
        if self.empty_keys < EMPTY_KEYS_LOGGED:
            name = key.decode("utf-8", "backslashreplace")
            self._server.log.notice(f"rdbLoadObject skipping empty key: {name}")
        self.empty_keys += 1

    @property
    def replication(self) -> tuple[int, bytes, int] | None:
        """Selected database, replication id and offset, if the file has all three and they make sense."""
        notes = self.notes
        database, offset = _number(notes.get(b"repl-stream-db", b"-1")), _number(notes.get(b"repl-offset", b"-1"))
        replication_id = notes.get(b"repl-id", b"")
        if database < 0 or offset < 0 or len(replication_id) != 40:
            return None
        return database, replication_id, offset


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def load_options(server: Server, *, restoring: bool = False) -> LoadOptions:
    """How values are read from files, or from DUMP payloads (sanitize-dump-payload: clients means these)."""
    setting = server.config.sanitize_dump_payload
    return LoadOptions(server.thresholds, deep=setting == "yes" or (restoring and setting == "clients"))


def make_reader(server: Server, sink: DatasetSink, *, keep_expired: bool, replace: bool = False) -> Reader:
    """A reader of RDB data as this server's configuration wants it."""
    return Reader(
        sink,
        load_options(server),
        now=None if keep_expired else server.clock.time_ns() // 1_000_000,
        checksum=server.config.rdbchecksum and not server.skip_checksum_validation,
        replace=replace,
    )


def load_rdb(server: Server, path: str, state: Loading, *, replace: bool = False) -> Slices:
    """Load the RDB file at *path*; false if there is none.  Raises LoadFailed.

    *replace*: keys and libraries that exist are replaced (DEBUG RELOAD MERGE).
    """
    try:
        source = open(path, "rb", buffering=0)  # noqa: SIM115 - closed below
    except FileNotFoundError:
        return False
    except OSError as error:
        name = os.path.basename(path)
        server.log.warning(f"Fatal error: can't open the RDB file {name} for reading: {error.strerror}")
        raise LoadFailed from None
    with source:
        total = os.fstat(source.fileno()).st_size
        keep_expired = server.role != b"master"
        with state.running(total):
            sink = DatasetSink(server, replace=replace)
            reader = make_reader(server, sink, keep_expired=keep_expired, replace=replace)
            reader.total = total
            try:
                yield from feed(server, reader, source.fileno(), state)
                report_loaded(server, reader, sink)
            except RdbError as error:
                fail(server, error, state, path)
            state.replication = sink.replication
    return True


def feed(server: Server, reader: Reader, source: int, state: Loading) -> Slices:
    """Read descriptor *source* into *reader*, a slice at a time, up to the end of the RDB data.

    Afterwards ``reader.leftover`` may hold the beginning of what follows.  Raises RdbError.
    """
    size = server.config.loading_process_events_interval_bytes
    loaded = 0
    while not reader.done:
        data = os.read(source, size)
        if not data:
            reader.finish()
            break
        reader.feed(data)
        state.loaded_bytes += len(data)
        state.keys_loaded, state.keys_expired = reader.keys_loaded, reader.keys_expired
        yield load_delay(server, reader.keys_loaded - loaded)
        loaded = reader.keys_loaded
    state.keys_loaded, state.keys_expired = reader.keys_loaded, reader.keys_expired
    state.rdb_used_memory = 0
    server.stats.dump_payload_sanitizations += reader.options.sanitized
    return True


def load_delay(server: Server, keys: int) -> float:
    """Seconds that loading *keys* keys shall take longer for the sake of a test (key-load-delay, debugDelay)."""
    delay = server.config.key_load_delay
    if not delay:
        return 0.0
    return keys * delay / 1e6 if delay > 0 else keys / -delay / 1e6


def report_loaded(server: Server, reader: Reader, sink: DatasetSink) -> None:
    """The line that ends every successful load."""
    if reader.checksum_state == "disabled":
        server.log.notice("RDB file was saved with checksum disabled: no check performed.")
    skipped = f", empty keys skipped: {sink.empty_keys}" if sink.empty_keys else ""
    server.log.notice(
        f"Done loading RDB, keys loaded: {reader.keys_loaded}, keys expired: {reader.keys_expired}{skipped}."
    )


def fail(server: Server, error: RdbError, state: Loading, path: str) -> None:
    """Log what is wrong with the file at *path*, and what a checker says of it.  Raises LoadFailed (rdbReportError)."""
    log = server.log
    if isinstance(error, LibraryRefused):
        log.warning("Short read or OOM loading DB. Unrecoverable error, aborting now.")
        raise LoadFailed from None
    if error.reason.startswith(("Wrong signature", "Can't handle")):
        log.warning(error.reason)
        raise LoadFailed from None
    if isinstance(error, ShortRead):
        log.warning("Short read or OOM loading DB. Unrecoverable error, aborting now.")
    if isinstance(error, WrongChecksum):
        log.warning(f"Wrong RDB checksum expected: ({error.expected:x}) but got ({error.stored:x}). Aborting now.")
    log.warning(f"Internal error in RDB reading offset {max(0, error.offset)}, function at rdb.c:0 -> {error.reason}")
    check_file(path, lambda line: log.raw(line + "\n"), server.clock.time_ns() // 1_000_000)
    log.warning("Terminating server after rdb file reading failure.")
    raise LoadFailed(corrupt=True) from None
