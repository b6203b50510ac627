"""The one forked child a server may have: it writes a snapshot, a new AOF base or a backup, and reports on the way.

The child never returns to the event loop: it works, reports and leaves by ``os._exit``.  The parent learns of
its end from the pipe and from the periodic task.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import struct
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeAlias

if TYPE_CHECKING:
    import asyncio

    from ..engine.server import Server

RDB, AOF, BACKUP = "rdb", "aof", "backup"
_REPORT_NAMES = {RDB: "RDB", AOF: "AOF rewrite", BACKUP: "backup"}

_MESSAGE = struct.Struct("<BQQ")  # final, keys, copied bytes
_COW_COST_FACTOR = 100
"""A reading of the copied memory may take a hundredth of the child's time (CHILD_COW_DUTY_CYCLE)."""
_REPORT_EVERY = 1.0
KILLED_ON_PURPOSE = getattr(signal, "SIGUSR1", signal.SIGTERM)
"""A child that dies of it has not failed."""
CAN_FORK = hasattr(os, "fork")

Done: TypeAlias = Callable[[int, int], None]
"""Takes the exit status and the signal, one of them 0."""


class Report:
    """The child's end of the pipe."""

    def __init__(self, descriptor: int, server: Server, name: str) -> None:
        self._descriptor = descriptor
        self._server = server
        self._name = name
        self._next = 0.0
        self._cow = self._peak = self._sum = self._readings = 0
        self._next_reading = 0.0

    def progress(self, keys: int) -> None:
        """*keys* keys are written; sent once a second."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _REPORT_EVERY
            self._send(False, keys)

    def finish(self) -> None:
        """The last message, with the final figure of copied memory."""
        self._send(True, 0)

    def _send(self, final: bool, keys: int) -> None:
        now = time.monotonic()
        if final or now >= self._next_reading:
            self._cow = private_dirty()
            self._next_reading = now + (time.monotonic() - now) * _COW_COST_FACTOR
            self._peak = max(self._peak, self._cow)
            self._sum += self._cow
            self._readings += 1
            if final or self._cow:
                log = self._server.log.notice if final else self._server.log.verbose
                log(
                    f"Fork CoW for {self._name}: current {self._cow >> 20} MB, peak {self._peak >> 20} MB, "
                    f"average {self._sum // self._readings >> 20} MB"
                )
        try:
            os.write(self._descriptor, _MESSAGE.pack(final, keys, self._cow))
        except BlockingIOError:
            return  # a parent that is busy misses a figure
        except OSError as error:
            self._server.log.warning(f"Child failed reporting info to parent, exiting. {error.strerror}")
            os._exit(1)


class Children:
    """What runs in the background, and the figures of it that INFO shows."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.loop: asyncio.AbstractEventLoop | None = None
        self.kind: str | None = None
        """RDB, AOF, BACKUP or None; set too while a snapshot is written without a child."""
        self.pid = -1
        self.keys_processed = self.keys_total = 0
        self.cow_size = self.cow_peak = 0
        self.cow_updated = 0  # monotonic ns
        self.last_cow = {RDB: 0, AOF: 0, BACKUP: 0}
        self.started: list[Callable[[], None]] = []
        """Called in a new child (oom-score-adj, title)."""
        self.ended: list[Callable[[], None]] = []
        """Called when whatever ran has ended: others may start."""
        self._pipe = -1
        self._done: Done | None = None
        self._collects_later = False

    @property
    def active(self) -> bool:
        """True while something is saved in the background."""
        return self.kind is not None

    def fork(self, kind: str, work: Callable[[Report], bool], done: Done, *, keep: tuple[int, ...] = ()) -> int:
        """Run *work* in a child, and *done* here afterwards; the child's pid.  Raises OSError.

        *work* says whether it succeeded.  *keep* are descriptors besides those of the log that it needs.
        """
        if self.active:
            raise FileExistsError(17, "File exists")
        server = self._server
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._stop_collecting()
        began = server.clock.monotonic_ns()
        old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, KILLED_ON_PURPOSE})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # our threads only sync files
                pid = os.fork()
            if not pid:
                self._be_child(kind, work, writing, old_mask, keep)
        except OSError:
            os.close(reading)
            os.close(writing)
            self._collect_again()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)
        os.close(writing)
        server.stats.forks += 1
        elapsed = server.clock.monotonic_ns() - began
        server.stats.latest_fork_us = elapsed // 1000
        server.latency.add("fork", elapsed)
        self.begin(kind)
        self.pid, self._pipe, self._done = pid, reading, done
        if self.loop is not None:
            self.loop.add_reader(reading, self.poll)
        return pid

    def begin(self, kind: str) -> None:
        """Something of *kind* starts to be saved, in a child or without."""
        self.kind = kind
        self.cow_size = self.cow_peak = self.cow_updated = self.keys_processed = 0
        self.keys_total = sum(len(db.data) for db in self._server.databases)

    def _be_child(
        self, kind: str, work: Callable[[Report], bool], pipe: int, mask: object, keep: tuple[int, ...]
    ) -> NoReturn:
        status = 1
        try:
            gc.disable()
            signal.set_wakeup_fd(-1)  # it is the parent's: a signal to the child must not wake it
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for number in (signal.SIGTERM, KILLED_ON_PURPOSE):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)  # type: ignore[arg-type]
            close_others({pipe, *keep})
            log = self._server.log
            log.pid, log.role = os.getpid(), "C"
            for hook in self.started:
                hook()
            report = Report(pipe, self._server, _REPORT_NAMES[kind])
            if work(report):
                report.finish()
                status = 0
        except BaseException as error:  # the child must not run the parent's code whatever happens
            with contextlib.suppress(BaseException):
                self._server.log.warning(f"Bug: the background child failed: {error!r}", exc=error)
        finally:
            os._exit(status)

    # --- the parent ------------------------------------------------------------------------------

    def poll(self) -> None:
        """Take in what the child reports, and its end."""
        if self.pid < 0:
            return
        self._receive()
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 1 << 8
        if pid:
            self._finish(status)

    def wait(self) -> None:
        """Wait for the end of the child, which was told to go."""
        if self.pid >= 0:
            _, status = os.waitpid(self.pid, 0)
            self._finish(status)

    def kill(self) -> None:
        """Tell the child to go; ``poll`` or ``wait`` will see it gone."""
        if self.pid >= 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, KILLED_ON_PURPOSE)

    def abandon(self) -> None:
        """Kill the child without a word to whoever started it."""
        if self.pid >= 0:
            self._done = None
            self.kill()
            self.wait()

    def _receive(self) -> None:
        ended = False
        while True:
            try:
                data = os.read(self._pipe, _MESSAGE.size)
            except BlockingIOError:
                break
            if len(data) < _MESSAGE.size:
                ended = True
                break
            final, keys, cow = _MESSAGE.unpack(data)
            self.cow_peak = max(self.cow_peak, cow)
            if final:
                self.last_cow[self.kind or RDB] = self.cow_peak
            else:
                self.cow_size, self.keys_processed = cow, keys
                self.cow_updated = self._server.clock.monotonic_ns()
        if ended and self.loop is not None:
            self.loop.remove_reader(self._pipe)

    def _finish(self, status: int) -> None:
        self._receive()
        if self.loop is not None:
            self.loop.remove_reader(self._pipe)
        os.close(self._pipe)
        done, self._done = self._done, None
        code, number = (0, os.WTERMSIG(status)) if os.WIFSIGNALED(status) else (os.WEXITSTATUS(status), 0)
        self._pipe = -1
        try:
            if done is not None:
                done(code, number)
        finally:
            self.end()

    def end(self) -> None:
        """Whatever ran in the background has ended."""
        self.kind, self.pid = None, -1
        self.cow_size = self.cow_peak = self.cow_updated = self.keys_processed = self.keys_total = 0
        self._collect_again()
        for hook in self.ended:
            hook()

    def _stop_collecting(self) -> None:
        """A collection here would write to every page the child shares, and so copy it."""
        if gc.isenabled():
            gc.disable()
            self._collects_later = True

    def _collect_again(self) -> None:
        if self._collects_later:
            self._collects_later = False
            gc.enable()


def close_others(keep: set[int]) -> None:
    """Close every descriptor but 0, 1, 2 and *keep*: sockets of the parent must close when it closes them."""
    try:
        limit = os.sysconf("SC_OPEN_MAX")
    except (ValueError, OSError):
        limit = 4096
    start = 3
    for descriptor in sorted(keep):
        if descriptor >= start:
            os.closerange(start, descriptor)
            start = descriptor + 1
    os.closerange(start, min(limit, 1 << 20))


def private_dirty() -> int:
    """Bytes of this process's memory that it shares with nobody (zmalloc_get_private_dirty)."""
    try:
        with open("/proc/self/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Private_Dirty:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
