"""Signals: shutting down when told to, and what to leave in the log when crashing (server.c, debug.c).

Handlers are Python's own, not the event loop's: they run between two bytecodes, so also while a command
or a script keeps the loop busy.  Only the main thread may install them.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from types import FrameType
from typing import IO, TYPE_CHECKING

from .. import REDIS_VERSION
from ..engine.log import WARNING
from ..engine.shutdown import FLAG_BITS

if TYPE_CHECKING:
    from ..engine.server import Server


class Signals:
    """The signal handlers of the one server that a process is about."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._crash_file: IO[str] | None = None

    def install(self) -> None:
        """Take over SIGTERM, SIGINT and, with crash-log-enabled, what a crash raises."""
        signal.signal(signal.SIGTERM, self._shut_down)
        signal.signal(signal.SIGINT, self._shut_down)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        config = self._server.config
        if config.crash_log_enabled:
            path = self._server.log.path
            self._crash_file = open(path or os.dup(1), "a", encoding="utf-8")  # noqa: SIM115 - it outlives this call
            faulthandler.enable(self._crash_file)
            signal.signal(signal.SIGABRT, self._crash)
        self._server.crash = self.crash
        config.on_change("watchdog-period", self.feed_watchdog)
        self._server.cron.every(0, lambda server: self.feed_watchdog())

    def feed_watchdog(self) -> None:
        """``watchdog-period``: unless called again in time, the stack of what is running is logged."""
        period = self._server.config.watchdog_period
        if period and self._crash_file is not None:
            faulthandler.dump_traceback_later(max(period, 200) / 1000, file=self._crash_file)
        elif self._crash_file is not None:
            faulthandler.cancel_dump_traceback_later()

    def _shut_down(self, number: int, frame: FrameType | None) -> None:
        """As configured, in the next turn of the cron; a second SIGINT exits at once (sigShutdownHandler)."""
        server = self._server
        shutdown = server.shutdown
        if (shutdown.requested or shutdown.in_progress) and number == signal.SIGINT:
            server.log.write_at_once(WARNING, "You insist... exiting now.")
            os._exit(1)
        name = signal.Signals(number).name
        if server.loading:
            server.log.write_at_once(WARNING, "Received shutdown signal during loading, scheduling shutdown.")
        else:
            server.log.write_at_once(WARNING, f"Received {name} scheduling shutdown...")
        config = server.config
        names = config.shutdown_on_sigint if number == signal.SIGINT else config.shutdown_on_sigterm
        shutdown.flags = 0
        for flag in names:
            shutdown.flags |= FLAG_BITS[flag]
        shutdown.requested = True

    def crash(self, number: int) -> None:
        """Go down by signal *number*, as if it had come from outside (DEBUG SEGFAULT)."""
        self._crash(number, sys._getframe(1))

    def _crash(self, number: int, frame: FrameType | None) -> None:
        self._report_crash(number, frame)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _report_crash(self, number: int, frame: FrameType | None) -> None:
        """What Redis's crash report begins with, and the stack of *frame*."""
        log = self._server.log
        log.write_at_once(WARNING, "=== REDIS BUG REPORT START: ===")
        log.write_at_once(WARNING, f"Redis {REDIS_VERSION} crashed by signal: {number}, si_code: 0")
        log.write_at_once(WARNING, f"Killed by PID: {os.getpid()}")
        stack = "".join(traceback.format_stack(frame))
        log.raw_at_once(f"\n------ STACK TRACE ------\n{stack}\n------ END ------\n")
