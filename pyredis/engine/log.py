"""The server log: Redis's line format (server.c serverLogRaw), or a JSON object to a line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from traceback import format_exception
from typing import TextIO

from ..util.clock import Clock

DEBUG, VERBOSE, NOTICE, WARNING = range(4)
LEVELS = {"debug": DEBUG, "verbose": VERBOSE, "notice": NOTICE, "warning": WARNING, "nothing": 4}
LEVEL_NAMES = ("debug", "verbose", "notice", "warning")
MARKS = ".-*#"
ROLES = {"M": "master", "S": "replica", "C": "child"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Log:
    """Writes lines ``pid:role DD Mon YYYY HH:MM:SS.mmm * message``, each flushed at once.

    With ``structured`` every line is a JSON object: time (UTC), level, pid, role, message, and the traceback
    of a bug.
    """

    def __init__(self, clock: Clock, level: int = NOTICE, path: str = "", stream: TextIO | None = None) -> None:
        self._clock = clock
        self.level = level
        self.path = path
        self.role = "M"
        self.stream = stream
        self.pid = os.getpid()
        self.structured = False
        self.forward: Callable[[int, str], None] | None = None
        """Gets each line besides the file: the system log."""

    def write(self, level: int, message: str, traceback: str = "") -> None:
        """Log *message* at *level*; the file is opened anew for each line, so that it may be rotated."""
        if level < self.level:
            return
        self._append(self._line(level, message, traceback))
        if self.forward is not None:
            self.forward(level, message)

    def _line(self, level: int, message: str, traceback: str = "") -> str:
        now = self._clock.time_ns()
        if self.structured:
            return self._object(now, level, message, traceback)
        at = time.localtime(now // 1_000_000_000)
        return (
            f"{self.pid}:{self.role} {at.tm_mday:02} {MONTHS[at.tm_mon - 1]} {at.tm_year}"
            f" {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}.{now // 1_000_000 % 1000:03}"
            f" {MARKS[level]} {message}\n{traceback}"
        )

    def _object(self, now: int, level: int, message: str, traceback: str) -> str:
        at = time.gmtime(now // 1_000_000_000)
        fields = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', at)}.{now // 1_000_000 % 1000:03}Z",
            "level": LEVEL_NAMES[level],
            "pid": self.pid,
            "role": ROLES.get(self.role, self.role),
            "message": message,
        }
        if traceback:
            fields["traceback"] = traceback
        return json.dumps(fields) + "\n"

    def write_at_once(self, level: int, message: str) -> None:
        """``write`` for signal handlers: past the buffers, which may be in use just now."""
        if level >= self.level:
            self._append_at_once(self._line(level, message))

    def raw_at_once(self, text: str) -> None:
        """``raw`` for signal handlers."""
        self._append_at_once(self._line(WARNING, text.strip()) if self.structured else text)

    def _append_at_once(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        if self.path:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            os.write(descriptor, data)
            os.close(descriptor)
        else:
            os.write(1, data)

    def raw(self, text: str) -> None:
        """Append *text* as it is; where every line is an object, it is the message of one."""
        self._append(self._line(NOTICE, text.strip()) if self.structured else text)

    def _append(self, text: str) -> None:
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
        self.write(WARNING, message, "" if exc is None else "".join(format_exception(exc)))
