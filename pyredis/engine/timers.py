"""Deadlines on the monotonic clock, driven from outside: by the event loop, or by a test."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timer:
    """One deadline; ``cancel`` makes it void."""

    __slots__ = ("callback", "when")

    def __init__(self, when: int, callback: Callable[[], None] | None) -> None:
        self.when = when
        self.callback = callback

    def cancel(self) -> None:
        self.callback = None

    def __lt__(self, other: Timer) -> bool:
        return self.when < other.when


class Timers:
    """A heap of deadlines in nanoseconds.  ``armed`` is called when the earliest one moves forward."""

    __slots__ = ("_heap", "armed")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self.armed: Callable[[int], None] | None = None

    def at(self, when: int, callback: Callable[[], None]) -> Timer:
        """Call *callback* at *when*.  O(log n)"""
        timer = Timer(when, callback)
        earliest = not self._heap or when < self._heap[0].when
        heapq.heappush(self._heap, timer)
        if earliest and self.armed is not None:
            self.armed(when)
        return timer

    def next(self) -> int | None:
        """The earliest deadline, None without any."""
        heap = self._heap
        while heap and heap[0].callback is None:
            heapq.heappop(heap)
        return heap[0].when if heap else None

    def run_due(self, now: int) -> None:
        """Call everything whose time has come."""
        while True:
            when = self.next()
            if when is None or when > now:
                return
            callback = heapq.heappop(self._heap).callback
            if callback is not None:
                callback()
