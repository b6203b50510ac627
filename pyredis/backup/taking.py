"""One backup of a running server: by a forked child, or in slices and a thread where there is no fork."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..persistence.children import BACKUP, Children, Report
from ..persistence.files import remove
from ..persistence.slices import SlicedSave
from ..persistence.snapshot import begin_rdb, forks, write_rdb
from .contents import BadArchive
from .names import leftovers
from .packing import Cancelled, Plan, SnapshotFile, pack

if TYPE_CHECKING:
    from ..engine.server import Server

NICENESS = 10
"""Compressing takes a core for a while: clients come first."""
_SNAPSHOT_SHARE = 0.4
"""The part of the time that goes into the snapshot; the rest into packing it."""
_LONGEST_MESSAGE = 4096

Replication = tuple[int, bytes, int] | None


class Outcome(NamedTuple):
    """The end of a backup: *error* is empty if there is an archive now, of *size* bytes."""

    plan: Plan
    size: int = 0
    error: str = ""


Done = Callable[[Outcome], None]


def reason(error: Exception) -> str:
    """*error* for people: what the system calls it, or what we do."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


def take(
    server: Server, plan: Plan, replication: Replication, progress: Callable[[float], object] = lambda part: None
) -> int:
    """Write the archive of *plan* now; its size.  Raises OSError, BadArchive, and what *progress* raises."""
    total = max(1, plan.facts.total)
    snapshot = SnapshotFile(plan.snapshot)
    try:
        write_rdb(
            server,
            snapshot.write,
            replication=replication,
            progress=lambda keys: progress(_SNAPSHOT_SHARE * keys / total),
        )
        snapshot.finish()
    except BaseException:
        snapshot.discard()
        raise
    return pack(plan, snapshot.facts, lambda part: progress(_SNAPSHOT_SHARE + (1 - _SNAPSHOT_SHARE) * part))


class Taking:
    """A backup that runs in the background; *done* hears of its end unless ``stop`` comes first.

    Raises OSError if it cannot begin.
    """

    def __init__(self, server: Server, children: Children, plan: Plan, replication: Replication, done: Done) -> None:
        self._server = server
        self._children = children
        self._plan = plan
        self._replication = replication
        self._done = done
        self._pipe = -1
        self._file: SnapshotFile | None = None
        self._sliced: SlicedSave | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        if forks(server):
            self._fork()
        else:
            self._start_slices()

    def stop(self) -> None:
        """Give up at once; nothing remains of it, and nobody hears of it."""
        self._stopped = True
        if self._pipe >= 0:
            pid = self._children.pid
            self._children.abandon()
            os.close(self._pipe)
            self._clean_up(pid)
            return
        if self._sliced is not None:
            self._sliced.cancel()
        if self._thread is not None:
            self._thread.join()
        self._children.end()

    # --- by a child ------------------------------------------------------------------------------

    def _fork(self) -> None:
        reading, writing = os.pipe()
        try:
            pid = self._children.fork(
                BACKUP, lambda report: self._in_child(report, writing), self._child_ended, keep=(writing,)
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._pipe = reading
        self._plan = self._plan._replace(pid=pid)
        self._server.log.notice(f"Backup started by pid {pid}")

    def _in_child(self, report: Report, pipe: int) -> bool:
        os.nice(NICENESS)
        total = self._plan.facts.total

        def progress(part: float) -> None:
            report.progress(int(part * total))

        try:
            size = take(self._server, self._plan._replace(pid=os.getpid()), self._replication, progress)
        except (OSError, BadArchive) as error:
            os.write(pipe, json.dumps({"error": reason(error)}).encode()[:_LONGEST_MESSAGE])
            return False
        os.write(pipe, json.dumps({"size": size}).encode())
        return True

    def _child_ended(self, status: int, by_signal: int) -> None:
        with open(self._pipe, "rb") as pipe:  # the child was its only other end
            message = pipe.read(_LONGEST_MESSAGE)
        self._pipe = -1
        self._clean_up(self._plan.pid)
        if by_signal:
            self._done(Outcome(self._plan, error=f"the child was terminated by signal {by_signal}"))
            return
        said: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            said = json.loads(message)
        if status:
            self._done(Outcome(self._plan, error=said.get("error") or "the child failed, its log lines say why"))
        else:
            self._done(Outcome(self._plan, size=said.get("size", 0)))

    def _clean_up(self, pid: int) -> None:
        """Remove what a child left that was killed."""
        with contextlib.suppress(OSError):
            for path in leftovers(self._plan.directory, self._plan.archive.label, pid):
                remove(path)

    # --- without ---------------------------------------------------------------------------------

    def _start_slices(self) -> None:
        server, children = self._server, self._children
        file = SnapshotFile(self._plan.snapshot)
        try:
            writer = begin_rdb(server, file.write, self._replication, False)
        except OSError:
            file.discard()
            raise
        children.begin(BACKUP)
        self._file = file
        server.log.notice("Backup started in slices")
        self._sliced = SlicedSave(server, file, writer, children.loop, self._snapshot_done)

    def finish_slices(self) -> None:
        """Write the rest of the snapshot now, for servers that have no event loop."""
        if self._sliced is not None:
            self._sliced.finish()

    def _snapshot_done(self, succeeded: bool) -> None:
        self._sliced = None
        loop = self._children.loop
        if not succeeded:
            error = self._file.error if self._file is not None else None
            self._end(Outcome(self._plan, error=reason(error or OSError("the snapshot could not be written"))))
        elif loop is None:
            self._end(self._pack())
        else:

            def run() -> None:
                outcome = self._pack()
                with contextlib.suppress(RuntimeError):  # the loop is closed: the server is gone
                    loop.call_soon_threadsafe(self._end, outcome)

            self._thread = threading.Thread(target=run, name="pyredis-backup", daemon=True)
            self._thread.start()

    def _pack(self) -> Outcome:
        assert self._file is not None
        try:
            return Outcome(self._plan, size=pack(self._plan, self._file.facts, self._check_stop))
        except (OSError, BadArchive, Cancelled) as error:
            return Outcome(self._plan, error=reason(error))

    def _check_stop(self, part: float) -> None:
        if self._stopped:
            raise Cancelled("the server stops")
        children = self._children
        children.keys_processed = int(part * children.keys_total)

    def _end(self, outcome: Outcome) -> None:
        if self._stopped:
            return
        try:
            self._done(outcome)
        finally:
            self._children.end()
