"""Python's garbage collector: kept from looking at the data set, and timed for INFO, the metrics and LATENCY.

A collection of everything stops a server that holds millions of containers for seconds, to find nothing: the
core makes no reference cycles.  So only what was made since the last look is ever collected, some milliseconds'
worth, and what survives that is frozen: the collector never sees it again.  MEMORY PURGE collects everything.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import Server


YOUNG = 20_000
"""Containers made between two collections of the youngest: 1 to 2 ms."""
MANY = 1_000_000


class Collector:
    """Times every collection while it is installed.

    A collection may begin at any allocation, so all that happens then is adding to numbers; ``report``,
    a periodic task, hands the worst pause since the last time to the latency monitor.
    """

    __slots__ = ("_began", "_governs", "_unreported_ns", "count", "last_ns", "longest_ns", "total_ns")

    def __init__(self) -> None:
        self._began = 0
        self._governs = False  # the process is ours alone
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

    def govern(self) -> None:
        """Set the policy of the process, which serves and does nothing else."""
        self._governs = True
        gc.freeze()
        gc.set_threshold(YOUNG, MANY, MANY)
        gc.enable()

    def turn(self, server: Server) -> None:
        """From the cron: look once more at what survived collections of the young, then never again."""
        if self._governs and gc.get_count()[1]:
            gc.collect(1)
            gc.freeze()

    def report(self, server: Server) -> None:
        """Tell LATENCY of the worst pause since the last time: the event ``gc``."""
        elapsed, self._unreported_ns = self._unreported_ns, 0
        if elapsed:
            server.latency.add("gc", elapsed)

    def reset(self) -> None:
        """CONFIG RESETSTAT."""
        self.count = self.total_ns = self.longest_ns = self.last_ns = 0
