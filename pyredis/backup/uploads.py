"""Copies of archives at ``backup-url``, sent by a process of their own.

A storage client is heavy: importing it, and its loop and threads, would stop the server's clients for moments.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .agenda import Retries
from .names import masked

if TYPE_CHECKING:
    import asyncio

    from ..engine.log import Log

URL_VARIABLE = "PYREDIS_BACKUP_URL"
"""Hands the URL to the process: everybody may read a command line."""
LONGEST = 12 * 3600
"""Seconds after which an upload is given up."""


class Job(NamedTuple):
    """What to send: all archives of *directory* called *label* that *url* lacks."""

    directory: str
    label: str
    url: str
    days: int


class Sent(NamedTuple):
    """What came of it; *error* is empty if all is there now."""

    files: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unpruned: str = ""
    error: str = ""


class UploadProcess:
    """Runs ``pyredis backup upload``."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: Job) -> Sent:
        """Do it, and wait for the end."""
        words = ["backup", "upload", job.directory, "--name", job.label, "--days", str(job.days), "--json"]
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, URL_VARIABLE: job.url, "PYTHONPATH": path}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pyredis.cli", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
            out, err = self._process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            self.kill()
            return Sent(error=f"no end after {LONGEST // 3600} hours")
        except OSError as error:
            return Sent(error=f"cannot start the upload: {error.strerror}")
        return read_report(out, err)

    def kill(self) -> None:
        """End it at once, if it runs."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


def read_report(out: bytes, err: bytes) -> Sent:
    """What the process printed."""
    try:
        said: dict[str, Any] = json.loads(out)
        files, removed = tuple(said.get("sent", ())), tuple(said.get("removed", ()))
        return Sent(files, removed, said.get("unpruned", ""), said.get("error", ""))
    except ValueError:
        lines = err.decode("utf-8", "replace").strip().splitlines()
        return Sent(error=lines[-1] if lines else "the upload said nothing")


class Uploads:
    """When archives are sent, and how that went."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.process = UploadProcess()
        self.transport: Callable[[Job], Sent] = self.process.run
        self.pending = False
        self.running = False
        self.retries = Retries()
        self.successes = self.failures = 0
        self.last_time = 0
        self.last_error = ""
        self._closed = False

    def tick(self, job: Job, now: int, loop: asyncio.AbstractEventLoop | None) -> None:
        """Begin if there is something to send and it is not too early to try again."""
        if not self.pending or self.running or not job.url or self.retries.wait(now):
            return
        self.running, self.pending = True, False
        if loop is None:
            self._ended(job, self.transport(job), now)
            return

        def run() -> None:
            sent = self.transport(job)
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is gone
                loop.call_soon_threadsafe(self._ended, job, sent, now)

        threading.Thread(target=run, name="pyredis-upload", daemon=True).start()

    def _ended(self, job: Job, sent: Sent, began: int) -> None:
        self.running = False
        if self._closed:
            return
        place = masked(job.url)
        if sent.error:
            self.failures += 1
            self.pending = True
            self.retries.failed(began)
            self.last_error = sent.error
            self._log.warning(
                f"Backups could not be sent to {place}: {sent.error}. "
                f"Trying again in {self.retries.at - began} seconds at the earliest"
            )
            return
        self.successes += 1
        self.retries.succeeded()
        self.last_time, self.last_error = began, ""
        for name in sent.files:
            self._log.notice(f"Backup {name} sent to {place}")
        if sent.removed:
            self._log.notice(f"Removed {len(sent.removed)} old backups from {place}")
        if sent.unpruned:
            self._log.warning(f"Old backups stay where they are: {sent.unpruned}")

    @property
    def status(self) -> str:
        """none, ok or err: how the last upload went."""
        if self.last_error:
            return "err"
        return "ok" if self.successes else "none"

    def close(self) -> None:
        """End an upload at once; what is missing is sent after the next start."""
        self._closed = True
        self.process.kill()
