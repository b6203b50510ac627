"""``server.backup``: backups when they are due, what follows them, and INFO about it."""

from __future__ import annotations

import os
import socket
import zlib
from typing import TYPE_CHECKING

from ..errors import BackupInProgress, BackupsOff
from ..util.schedule import Schedule, parse_schedule
from .agenda import Agenda
from .contents import facts_of
from .names import Archive, archives, leftovers, unused
from .occupancy import DirectoryLock
from .packing import Plan
from .pruning import expired, remove_all
from .taking import Outcome, Taking, reason
from .uploads import Job, Uploads

if TYPE_CHECKING:
    from ..engine.describe_server import Fields
    from ..engine.server import Server
    from ..persistence.service import Persistence

DIRECTIVES = ("backup-dir", "backup-name", "backup-schedule", "backup-url")


class Backups:
    """Plugged into the hooks of *server*; does nothing unless ``backup-dir`` is set."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._persistence: Persistence = server.persistence
        self._children = self._persistence.children
        self.agenda = Agenda()
        self.uploads = Uploads(server.log)
        self.taking: Taking | None = None
        self._began = 0
        self._lock = DirectoryLock()
        self._opened = False
        self.successes = self.failures = self.pruned = 0
        self.last: Archive | None = None
        self.last_seconds = -1
        self.last_error = ""

    def install(self) -> None:
        """Plug everything in."""
        server = self._server
        server.cron.every(0, lambda server: self.tick())
        server.shutdown.steps.insert(0, lambda flags: self.stop_taking())
        for name in DIRECTIVES:
            server.config.on_change(name, self._reopen)
        server.config.on_change("dir", self.hold_directory)

    def hold_directory(self) -> None:
        """Let ``pyredis backup restore`` see that a server lives in ``dir``."""
        directory = self._server.config.dir
        if not self._lock.take(directory):
            self._server.log.warning(f"Somebody is restoring a backup into {directory} right now")

    # --- configuration ---------------------------------------------------------------------------

    @property
    def directory(self) -> str:
        """``backup-dir`` as a path, empty if backups are off."""
        config = self._server.config
        return config.path(config.backup_dir) if config.backup_dir else ""

    @property
    def label(self) -> str:
        """``backup-name``, by default ``redis-PORT``: servers of one machine may share a directory."""
        config = self._server.config
        return config.backup_name or f"redis-{config.port or config.tls_port}"

    def _schedule(self) -> Schedule | None:
        text = self._server.config.backup_schedule
        seed = zlib.crc32(f"{socket.gethostname()} {self.label}".encode())
        return parse_schedule(text, seed) if text else None

    def _reopen(self) -> None:
        self._opened = False

    def _open(self, now: int) -> None:
        """Look what there is: a run that was missed follows from it, and so does an upload."""
        self._opened = True
        self.agenda.plan(self._schedule())
        directory, label = self.directory, self.label
        try:
            self._clear(directory, label)
            found = archives(directory, label)
        except FileNotFoundError:
            found = []
        except OSError as error:
            self._server.log.warning(f"Cannot look at the backups: {reason(error)}")
            found = []
        past = [archive for archive in found if archive.created <= now]  # a clock was wrong when others were made
        self.last = past[0] if past else None
        self.agenda.last_good = past[0].created if past else 0
        self.uploads.pending = bool(found)

    def _clear(self, directory: str, label: str) -> None:
        """Remove what processes left that were killed.  Raises OSError."""
        abandoned = leftovers(directory, label)
        if self.taking is None:  # one that crashed may have had the same pid
            abandoned += leftovers(directory, label, os.getpid())
        for path in abandoned:
            os.unlink(path)

    # --- taking ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Begin what is due."""
        server = self._server
        if not server.config.backup_dir or server.loading or server.shutdown.in_progress:
            return
        now = self._server.unix_time()
        if not self._opened:
            self._open(now)
        if self.taking is None and not self._children.active and self.agenda.due(now):
            self._begin(now)
        config = server.config
        job = Job(self.directory, self.label, config.backup_url, config.backup_retention_days)
        self.uploads.tick(job, now, self._children.loop)

    def request(self) -> bytes:
        """A backup as soon as possible (BGSAVE BACKUP); what to answer.  Raises BackupsOff, BackupInProgress."""
        if not self._server.config.backup_dir:
            raise BackupsOff
        if self.taking is not None:
            raise BackupInProgress
        self.agenda.requested = True
        self.agenda.retries.at = 0
        self.tick()
        return b"Background backup started" if self.taking is not None else b"Background backup scheduled"

    def _begin(self, now: int) -> None:
        self._began = self._server.clock.monotonic_ns()
        directory = self.directory
        try:
            os.makedirs(directory, 0o700, exist_ok=True)
            plan = Plan(directory, unused(directory, self.label, now), facts_of(self._server), os.getpid())
            replication = self._persistence.snapshots.replication_info()
            self.taking = Taking(self._server, self._children, plan, replication, self._ended)
        except OSError as error:
            self._failed(reason(error))

    def _ended(self, outcome: Outcome) -> None:
        self.taking = None
        self.last_seconds = (self._server.clock.monotonic_ns() - self._began) // 1_000_000_000
        if outcome.error:
            self._failed(outcome.error)
            return
        archive = outcome.plan.archive
        self.successes += 1
        self.last = Archive(archive.label, archive.created, outcome.size)
        self.last_error = ""
        self.agenda.succeeded(archive.created)
        self._server.log.notice(
            f"Backup {archive.filename} finished: {outcome.plan.facts.total} keys, {outcome.size} bytes"
        )
        self._prune(outcome.plan.directory, archive.label)
        self.uploads.pending = True

    def _failed(self, error: str) -> None:
        now = self._server.unix_time()
        self.failures += 1
        self.last_error = error
        self.agenda.failed(now)
        self._server.log.warning(f"Backup failed: {error}. Trying again in {self.agenda.retries.at - now} seconds")

    def _prune(self, directory: str, label: str) -> None:
        """Remove what is too old, now that there is a new one."""
        days = self._server.config.backup_retention_days
        try:
            self._clear(directory, label)
            removed = remove_all(directory, expired(archives(directory, label), days, self._server.unix_time()))
        except OSError as error:
            self._server.log.warning(f"Old backups could not be removed: {reason(error)}")
            return
        if removed:
            self.pruned += removed
            self._server.log.notice(f"Removed {removed} backups older than {days} days")

    # --- the end ---------------------------------------------------------------------------------

    def stop_taking(self) -> None:
        """Give up a backup that runs: after the next start it is made up for."""
        taking, self.taking = self.taking, None
        if taking is not None:
            self._server.log.warning("There is a backup under way. Giving it up!")
            taking.stop()

    def close(self) -> None:
        """Let go of everything at once."""
        self.stop_taking()
        self.uploads.close()
        self._lock.release()

    # --- INFO ------------------------------------------------------------------------------------

    def describe(self) -> Fields:
        """INFO backup."""
        if not self._server.config.backup_dir:
            return [("backup_enabled", 0)]
        now, children, last, uploads = self._server.unix_time(), self._children, self.last, self.uploads
        if not self._opened:
            self._open(now)
        running = self.taking is not None
        percent = children.keys_processed / children.keys_total * 100 if running and children.keys_total else 0.0
        retry = self.agenda.retries
        return [
            ("backup_enabled", 1),
            ("backup_name", self.label),
            ("backup_in_progress", int(running)),
            ("backup_pending", int(self.agenda.requested and not running)),
            ("backup_current_perc", f"{percent:.2f}"),
            ("backup_last_status", "err" if self.last_error else "ok" if last is not None else "none"),
            ("backup_last_time", last.created if last is not None else 0),
            ("backup_last_file", last.filename if last is not None else ""),
            ("backup_last_size", last.size if last is not None else 0),
            ("backup_last_duration_sec", self.last_seconds),
            ("backup_last_error", " ".join(self.last_error.split())),
            ("backup_next_time", retry.at if retry.failures else self.agenda.next(now)),
            ("backup_successes", self.successes),
            ("backup_failures", self.failures),
            ("backup_failures_in_a_row", retry.failures),
            ("backup_pruned", self.pruned),
            ("backup_upload_enabled", int(bool(self._server.config.backup_url))),
            ("backup_upload_in_progress", int(uploads.running)),
            ("backup_upload_status", uploads.status),
            ("backup_upload_last_time", uploads.last_time),
            ("backup_upload_last_error", " ".join(uploads.last_error.split())),
            ("backup_uploads", uploads.successes),
            ("backup_upload_failures", uploads.failures),
        ]


def install(server: Server) -> None:
    """Give *server* its ``backup``."""
    server.backup = Backups(server)
    server.backup.install()
