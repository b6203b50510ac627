"""The append-only file of a server: on or off, its files, rewriting it, and what INFO says of it (aof.c)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...effects.propagation import AOF as AOF_SINK
from ...errors import ConfigRefused
from ..children import AOF, KILLED_ON_PURPOSE, Children, Report
from ..files import NewFile, remove, sync_data
from ..loading import LoadFailed, Loading, Slices
from ..slices import SlicedSave
from ..snapshot import begin_rdb, forks
from .folder import Folder
from .loader import Outcome, Replayer
from .manifest import Manifest
from .rewrite import write_base
from .throttle import RewriteThrottle
from .writer import AofWriter

if TYPE_CHECKING:
    import asyncio

    from ...engine.server import Server

OFF, ON, WAITING = "off", "on", "waiting"
"""WAITING: switched on at run time; the first rewrite has to write what was there before."""


class AppendOnly:
    """The AOF's state.  ``writer`` is the file written now, ``folder`` has all of them."""

    def __init__(self, server: Server, children: Children, loading: Loading) -> None:
        self._server = server
        self._children = children
        self._loading = loading
        self.state = OFF
        self.folder = Folder(server)
        self.writer = AofWriter(server)
        self.writer.child_active = lambda: children.active
        self.base_size = 0
        """Size after the last rewrite, to which growth is compared (aof_rewrite_base_size)."""
        self.rewrite_scheduled = False
        self.rewrites = 0
        self.failures = 0
        """Rewrites that failed in a row."""
        self.last_rewrite_ok = True
        self.last_seconds = -1
        self.started_at = -1
        self._fed = False
        self._throttle = RewriteThrottle(server)
        self._temporary = ""
        self._rdb_base = True
        self._sliced: SlicedSave | None = None

    # --- wiring ----------------------------------------------------------------------------------

    @property
    def status_changed(self) -> Callable[[], None]:
        return self.writer.status_changed

    @status_changed.setter
    def status_changed(self, hook: Callable[[], None]) -> None:
        self.writer.status_changed = hook

    @property
    def exit(self) -> Callable[[], None]:
        return self.writer.exit

    @exit.setter
    def exit(self, hook: Callable[[], None]) -> None:
        self.writer.exit = hook

    @property
    def failure(self) -> str | None:
        """Why writes must be refused; None while all is well or the AOF is off."""
        return self.writer.failure if self.state != OFF else None

    @property
    def waits_for_rewrite(self) -> bool:
        return self.state == WAITING

    def _listen(self, on: bool) -> None:
        """Let writes come in, or not."""
        if on and not self._fed:
            self._server.attach_sink(AOF_SINK, self.writer.feed)
        elif not on and self._fed:
            self._server.detach_sink(self.writer.feed)
        self._fed = on

    # --- the start -------------------------------------------------------------------------------

    def load(self) -> Slices:
        """Load what the manifest lists; false if there is no AOF.  Raises LoadFailed."""
        self.folder.upgrade()
        replayer = Replayer(self._server, self.folder.directory, self._loading)
        outcome = yield from replayer.load(self.folder.manifest)
        if outcome in (Outcome.OK, Outcome.TRUNCATED):
            self.writer.total_size = replayer.total_size
            self.base_size = replayer.base_size
        return outcome is not Outcome.MISSING

    def start(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """After loading: open the increment, and a base if there is none.  Raises LoadFailed."""
        self.writer.use_loop(loop)
        server, log = self._server, self._server.log
        if server.config.appendonly:
            self.folder.make()
            manifest = self.folder.manifest
            opened_before = bool(manifest.increments)
            prefix = server.config.appendfilename
            if manifest.base is None and not opened_before:
                name = manifest.new_base(prefix, rdb=server.config.aof_use_rdb_preamble)
                if not write_base(
                    server, self.folder.path(name), server.config.path(f"temp-rewriteaof-{os.getpid()}.aof")
                ):
                    raise LoadFailed
                log.notice(f"Creating AOF base file {name} on server start")
            name = manifest.increments[-1].name if opened_before else manifest.new_increment(prefix)
            try:
                descriptor = os.open(self.folder.path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            except OSError as error:
                log.warning(f"Can't open the append-only file {name}: {error.strerror}")
                raise LoadFailed from None
            if not self.folder.persist(manifest):
                os.close(descriptor)
                raise LoadFailed
            self.writer.replace(descriptor, os.fstat(descriptor).st_size)
            log.notice(f"{'Opening' if opened_before else 'Creating'} AOF incr file {name} on server start")
            self.state = ON
            self._listen(True)
            self.writer.begin_stream(counts=True)
        else:
            self.writer.end_stream()
        self.folder.delete_history()

    # --- on and off at run time ------------------------------------------------------------------

    def apply_appendonly(self) -> None:
        """CONFIG SET appendonly.  Raises ConfigRefused."""
        wanted = self._server.config.appendonly
        if not wanted and self.state != OFF:
            self.turn_off()
        elif wanted and self.state == OFF and not self.turn_on():
            raise ConfigRefused("Unable to turn on AOF. Check server logs.")

    def apply_fsync(self) -> None:
        """CONFIG SET appendfsync: nothing of the old policy may stay pending."""
        if self.state != OFF:
            self.writer.flush(force=True)
        self.writer.apply_policy()

    def turn_off(self) -> None:
        """stopAppendOnly"""
        writer = self.writer
        writer.flush(force=True)
        if writer.descriptor >= 0:
            writer.sync_now()
        writer.close()
        self._listen(False)
        self.state = OFF
        self.rewrite_scheduled = False
        writer.end_stream()
        self.stop_rewrite()
        writer.status_changed()

    def turn_on(self) -> bool:
        """Begin with a rewrite; writes are kept from then on (startAppendOnly)."""
        log, children = self._server.log, self._children
        self.state = WAITING
        executing = self._server.executing
        if children.active and children.kind != AOF:
            self.rewrite_scheduled = True
            log.notice(
                "AOF was enabled but there is already another background operation. An AOF background was scheduled "
                "to start when possible."
            )
        elif executing is not None and executing.in_exec:
            self.rewrite_scheduled = True
            log.notice("AOF was enabled during a transaction. An AOF background was scheduled to start when possible.")
        else:
            if children.kind == AOF:
                log.notice(
                    "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF "
                    "and starting a rewrite now."
                )
                self.stop_rewrite()
            if not self.rewrite():
                self.state = OFF
                log.warning(
                    "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the "
                    "above logs for more info about the error."
                )
                return False
        self.writer.last_sync = self._server.unix_time()
        self.writer.forgive()
        return True

    # --- rewriting -------------------------------------------------------------------------------

    def rewrite(self) -> bool:
        """Start to write a new base in the background (rewriteAppendOnlyFileBackground)."""
        server, children = self._server, self._children
        if children.active:
            return False
        try:
            self.folder.make()
        except LoadFailed:
            self.last_rewrite_ok = False
            return False
        self.writer.forget_selected()
        self.writer.flush(force=True)
        if not self._open_increment():
            self.last_rewrite_ok = False
            return False
        if self.state == WAITING:
            self.writer.begin_stream(counts=False)
        self.rewrites += 1
        config = server.config

        self._rdb_base = config.aof_use_rdb_preamble or not forks(server)
        if not forks(server):
            return self._rewrite_in_slices()

        def work(report: Report) -> bool:
            temporary = config.path(f"temp-rewriteaof-bg-{os.getpid()}.aof")
            if not write_base(server, temporary, temporary, progress=report.progress):
                return False
            server.log.notice(f"Successfully created the temporary AOF base file {os.path.basename(temporary)}")
            return True

        try:
            pid = children.fork(AOF, work, self._rewritten)
        except OSError as error:
            self.last_rewrite_ok = False
            server.log.warning(f"Can't rewrite append only file in background: fork: {error.strerror}")
            return False
        self._temporary = config.path(f"temp-rewriteaof-bg-{pid}.aof")
        server.log.notice(f"Background append only file rewriting started by pid {pid}")
        self._rewrite_started()
        return True

    def _rewrite_started(self) -> None:
        self.rewrite_scheduled = False
        self.started_at = self._server.unix_time()
        if self.state == WAITING:
            self._listen(True)

    def _rewrite_in_slices(self) -> bool:
        """The rewrite without fork; its base is always RDB data."""
        server, children = self._server, self._children
        self._temporary = server.config.path(f"temp-rewriteaof-bg-{os.getpid()}.aof")
        try:
            file = NewFile(self._temporary, incremental=server.config.aof_rewrite_incremental_fsync)
        except OSError as error:
            server.log.warning(f"Opening the temp file for AOF rewrite: {error.strerror}")
            self.last_rewrite_ok = False
            return False

        def done(succeeded: bool) -> None:
            self._sliced = None
            self._rewritten(0 if succeeded else 1, 0)
            children.end()

        children.begin(AOF)
        server.log.notice("Background append only file rewriting started in slices")
        self._sliced = SlicedSave(server, file, begin_rdb(server, file.write, None, True), children.loop, done)
        self._rewrite_started()
        return True

    def _open_increment(self) -> bool:
        """Send writes to a new increment while the base is written (openNewIncrAofForAppend)."""
        if self.state == OFF:
            return True
        log, prefix = self._server.log, self._server.config.appendfilename
        manifest: Manifest | None = None
        if self.state == WAITING:
            name = self.folder.gathered
        else:
            manifest = self.folder.manifest.copy()
            name = manifest.new_increment(prefix)
        try:
            descriptor = os.open(self.folder.path(name), os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            log.warning(f"Can't open the append-only file {name}: {error.strerror}")
            return False
        if manifest is not None:
            if not self.folder.persist(manifest):
                os.close(descriptor)
                return False
            self.folder.manifest = manifest
        log.notice(f"Creating AOF incr file {name} on background rewrite")
        self.writer.replace(descriptor, 0)
        return True

    def _rewritten(self, status: int, by_signal: int) -> None:
        """The child has ended (backgroundRewriteDoneHandler)."""
        log = self._server.log
        temporary = self._temporary
        if by_signal:
            if by_signal != KILLED_ON_PURPOSE:
                self._failed()
            log.warning(f"Background AOF rewrite terminated by signal {by_signal}")
        elif status:
            self._failed()
            log.warning("Background AOF rewrite terminated with error")
        else:
            log.notice("Background AOF rewrite terminated with success")
            if self._put_base_in_place(temporary):
                self.last_rewrite_ok = True
                self.failures = 0
                log.notice("Background AOF rewrite finished successfully")
                if self.state == WAITING:
                    self.state = ON
                    self.writer.base_written()
            else:
                self._failed()
        remove(temporary)
        self._forget_waiting()
        self.last_seconds = self._server.unix_time() - self.started_at
        self.started_at = -1
        if self.state == WAITING:
            self.rewrite_scheduled = True

    def _failed(self) -> None:
        self.last_rewrite_ok = False
        self.failures += 1

    def _forget_waiting(self) -> None:
        """A rewrite that should have switched the AOF on has failed: what it gathered is no use."""
        if self.state != WAITING:
            return
        self._listen(False)
        self.writer.discard()
        name = self.folder.gathered
        self._server.log.notice(f"Removing the temp incr aof file {name} in the background")
        remove(self.folder.path(name))

    def _put_base_in_place(self, temporary: str) -> bool:
        """Name the new base and increment, and make the old files history: all of it or nothing."""
        config, log = self._server.config, self._server.log
        prefix = config.appendfilename
        manifest = self.folder.manifest.copy()
        base = manifest.new_base(prefix, rdb=self._rdb_base)
        if not self.folder.rename(temporary, base, "base"):
            return False
        log.notice(f"Successfully renamed the temporary AOF base file {os.path.basename(temporary)} into {base}")
        increment = None
        if self.state == WAITING:
            gathered = self.folder.gathered
            increment = manifest.new_increment(prefix)
            if not self.folder.rename(self.folder.path(gathered), increment, "incr"):
                remove(self.folder.path(base))
                return False
            log.notice(f"Successfully renamed the temporary AOF incr file {gathered} into {increment}")
        manifest.retire_increments(keep=0 if self.state == OFF else 1)
        if not self.folder.persist(manifest):
            remove(self.folder.path(base))
            if increment is not None:
                remove(self.folder.path(increment))
            return False
        self.folder.manifest = manifest
        if self.state != OFF:
            self.writer.total_size = os.stat(self.folder.path(base)).st_size + self.writer.size
            self.base_size = self.writer.total_size
        self.folder.delete_history()
        return True

    def stop_rewrite(self) -> None:
        """Kill a rewrite that is under way (killAppendOnlyChild)."""
        children = self._children
        if children.kind != AOF:
            return
        self._server.log.notice(f"Killing running AOF rewrite child: {children.pid}")
        if self._sliced is not None:
            self._sliced.cancel()
            self._sliced = None
            children.end()
        children.abandon()
        remove(self._temporary)
        self.started_at = -1

    def rewrite_limited(self) -> bool:
        """Whether rewrites fail so often that the next has to wait (aofRewriteLimited)."""
        return self._throttle.limited(self.failures)

    # --- periodically ----------------------------------------------------------------------------

    def check_growth(self) -> None:
        """Start a rewrite if the file has grown by so much (auto-aof-rewrite-percentage)."""
        config, size = self._server.config, self.writer.total_size
        percentage = config.auto_aof_rewrite_percentage
        if self.state != ON or not percentage or self._children.active or size <= config.auto_aof_rewrite_min_size:
            return
        growth = size * 100 // (self.base_size or 1) - 100
        if growth >= percentage and not self.rewrite_limited():
            self._server.log.notice(f"Starting automatic rewriting of AOF on {growth}% growth")
            self.rewrite()

    def cron(self) -> None:
        """Syncs that finished, writes and syncs that were put off."""
        if self.state == OFF:
            return
        writer = self.writer
        writer.take_in_sync()
        if writer.postponed_since or (writer.synced_size != writer.size and writer.write_error is None):
            writer.flush()

    def retry_after_error(self) -> None:
        """Once a second: perhaps the disk has room again."""
        if self.state != OFF and self.writer.write_error is not None:
            self.writer.flush()

    def close_at_exit(self) -> None:
        """Flush and sync before the program ends."""
        if self.state == OFF or self.writer.descriptor < 0:
            return
        log = self._server.log
        log.notice("Calling fsync() on the AOF file.")
        self.writer.flush(force=True)
        try:
            sync_data(self.writer.descriptor)
        except OSError as error:
            log.warning(f"Fail to fsync the AOF file: {error.strerror}.")

    def close(self) -> None:
        """Flush, and let go of file and thread."""
        self._listen(False)
        if self.writer.descriptor >= 0:
            self.writer.flush(force=True)
        self.writer.close()
        self.writer.syncer.drain()
        self.state = OFF

    # --- INFO ------------------------------------------------------------------------------------

    def describe(self, now: int) -> dict[str, object]:
        """The fields that are always there."""
        rewriting = self._children.kind == AOF
        return {
            "aof_enabled": int(self.state != OFF),
            "aof_rewrite_in_progress": int(rewriting),
            "aof_rewrite_scheduled": int(self.rewrite_scheduled),
            "aof_last_rewrite_time_sec": self.last_seconds,
            "aof_current_rewrite_time_sec": now - self.started_at if rewriting else -1,
            "aof_last_bgrewrite_status": "ok" if self.last_rewrite_ok else "err",
            "aof_rewrites": self.rewrites,
            "aof_rewrites_consecutive_failures": self.failures,
            "aof_last_write_status": "ok" if self.writer.failure is None else "err",
        }

    def describe_file(self) -> list[tuple[str, object]]:
        """The fields of an AOF that is on."""
        if not self._server.config.appendonly:
            return []
        return [
            ("aof_current_size", self.writer.total_size),
            ("aof_base_size", self.base_size),
            ("aof_pending_rewrite", int(self.rewrite_scheduled)),
            ("aof_buffer_length", self.writer.buffered),
            ("aof_pending_bio_fsync", self.writer.syncer.pending),
            ("aof_delayed_fsync", self.writer.delayed_syncs),
        ]
