"""How long Python's garbage collector stops the server: for INFO, the metrics and LATENCY."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import Server


class Collector:
    """Times every collection while it is installed.

    A collection may begin at any allocation, so all that happens then is adding to numbers; ``report``,
    a periodic task, hands the worst pause since the last time to the latency monitor.
    """

    __slots__ = ("_began", "_unreported_ns", "count", "last_ns", "longest_ns", "total_ns")

    def __init__(self) -> None:
        self._began = 0
        self._unreported_ns = 0
        self.count = 0
        self.last_ns = 0
        self.longest_ns = 0
        self.total_ns = 0

    def install(self) -> None:
        """Listen to the collector of this process; once more is harmless."""
        if self._observe not in gc.callbacks:
            gc.callbacks.append(self._observe)

    def remove(self) -> None:
        """Stop listening."""
        if self._observe in gc.callbacks:
            gc.callbacks.remove(self._observe)

    def _observe(self, phase: str, details: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter_ns()
            return
        elapsed = self.last_ns = time.perf_counter_ns() - self._began
        self.count += 1
        self.total_ns += elapsed
        if elapsed > self.longest_ns:
            self.longest_ns = elapsed
        if elapsed > self._unreported_ns:
            self._unreported_ns = elapsed

    def report(self, server: Server) -> None:
        """Tell LATENCY of the worst pause since the last time: the event ``gc``."""
        elapsed, self._unreported_ns = self._unreported_ns, 0
        if elapsed:
            server.latency.add("gc", elapsed)

    def reset(self) -> None:
        """CONFIG RESETSTAT."""
        self.count = self.total_ns = self.longest_ns = self.last_ns = 0
