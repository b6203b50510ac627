"""The server log: Redis's line format (server.c serverLogRaw)."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TextIO

from ..util.clock import Clock

DEBUG, VERBOSE, NOTICE, WARNING = range(4)
LEVELS = {"debug": DEBUG, "verbose": VERBOSE, "notice": NOTICE, "warning": WARNING, "nothing": 4}
MARKS = ".-*#"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Log:
    """Writes lines ``pid:role DD Mon YYYY HH:MM:SS.mmm * message``, each flushed at once."""

    def __init__(self, clock: Clock, level: int = NOTICE, path: str = "", stream: TextIO | None = None) -> None:
        self._clock = clock
        self.level = level
        self.path = path
        self.role = "M"
        self.stream = stream
        self.pid = os.getpid()

    def write(self, level: int, message: str) -> None:
        """Log *message* at *level*; the file is opened anew for each line, so that it may be rotated."""
        if level < self.level:
            return
        now = self._clock.time_ns()
        at = time.localtime(now // 1_000_000_000)
        line = (
            f"{self.pid}:{self.role} {at.tm_mday:02} {MONTHS[at.tm_mon - 1]} {at.tm_year}"
            f" {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}.{now // 1_000_000 % 1000:03}"
            f" {MARKS[level]} {message}\n"
        )
        self.raw(line)

    def raw(self, text: str) -> None:
        """Append *text* as it is."""
        if self.path:
            with open(self.path, "a", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
        else:
            stream = self.stream or sys.stdout
            stream.write(text)
            stream.flush()

    def debug(self, message: str) -> None:
        self.write(DEBUG, message)

    def verbose(self, message: str) -> None:
        self.write(VERBOSE, message)

    def notice(self, message: str) -> None:
        self.write(NOTICE, message)

    def warning(self, message: str, exc: BaseException | None = None) -> None:
        """Log a warning; with *exc* its traceback, too."""
        self.write(WARNING, message)
        if exc is not None and self.level <= WARNING:
            self.raw("".join(traceback.format_exception(exc)))
