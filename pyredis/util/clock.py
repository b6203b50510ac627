"""Time as a thing one is given: the system's, or one that a test moves by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Both readings are plain attributes, so that asking for the time costs one call."""

    time_ns: Callable[[], int]
    """Wall clock: nanoseconds since 1970."""
    monotonic_ns: Callable[[], int]
    """Nanoseconds since some moment; never goes back."""


class SystemClock:
    """The machine's clocks, without a Python frame in between."""

    __slots__ = ("monotonic_ns", "time_ns")

    def __init__(self) -> None:
        self.time_ns: Callable[[], int] = time.time_ns
        self.monotonic_ns: Callable[[], int] = time.monotonic_ns


class ManualClock:
    """Time that stands still until ``advance`` or ``set_time`` moves it."""

    __slots__ = ("_monotonic", "_wall", "monotonic_ns", "time_ns")

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._wall = start_ns
        self._monotonic = 0
        self.time_ns: Callable[[], int] = self._read_wall
        self.monotonic_ns: Callable[[], int] = self._read_monotonic

    def _read_wall(self) -> int:
        return self._wall

    def _read_monotonic(self) -> int:
        return self._monotonic

    def advance(self, seconds: float = 0, *, ms: int = 0, ns: int = 0) -> None:
        """Move both readings forward by the sum of the arguments; ValueError if it is negative."""
        step = round(seconds * 1_000_000_000) + ms * 1_000_000 + ns
        if step < 0:
            raise ValueError("time does not run backwards: use set_time() to step the wall clock")
        self._wall += step
        self._monotonic += step

    def set_time(self, wall_ns: int) -> None:
        """Step the wall clock alone, either way, as an operator or NTP would."""
        self._wall = wall_ns
