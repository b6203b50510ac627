"""When the next backup is due: by the schedule, on request, or once more after a failure."""

from __future__ import annotations

from ..util.schedule import Schedule

FIRST_RETRY, LAST_RETRY = 60, 3600
"""Seconds after the first failure in a row, doubled with each, up to the second figure."""


class Retries:
    """Failures in a row, and when to try again."""

    def __init__(self) -> None:
        self.failures = self.at = 0

    def failed(self, now: int) -> None:
        self.failures += 1
        self.at = now + min(LAST_RETRY, FIRST_RETRY << min(self.failures - 1, 10))

    def succeeded(self) -> None:
        self.failures = self.at = 0

    def wait(self, now: int) -> bool:
        """Whether it is too early to try again.  A clock that was set back makes nobody wait longer."""
        return self.failures > 0 and now < self.at <= now + LAST_RETRY


class Agenda:
    """Due times follow from the last good backup, so what was missed while the machine was off is due at once.

    Times are unix seconds.
    """

    def __init__(self) -> None:
        self.schedule: Schedule | None = None
        self.last_good = 0
        """0 if there is no backup yet, which makes the first one due."""
        self.requested = False
        self.retries = Retries()
        self._asked = self._next = 0

    def plan(self, schedule: Schedule | None) -> None:
        """Follow another schedule (None: only requests)."""
        self.schedule = schedule
        self._next = 0

    def succeeded(self, created: int) -> None:
        """There is a good backup of the moment *created*."""
        self.last_good = created
        self.requested = False
        self.retries.succeeded()
        self._next = 0

    def failed(self, now: int) -> None:
        """An attempt failed: a request becomes one of the retries."""
        self.retries.failed(now)

    def next(self, now: int) -> int:
        """The next due time, in the past if a run was missed; 0 if there is none."""
        if self.schedule is None:
            return 0
        if not self._next or now < self._asked:  # the clock was set back
            self._next = self.schedule.next(min(self.last_good, now)) if self.last_good else now
        self._asked = now
        return self._next

    def due(self, now: int) -> bool:
        """Whether to begin now."""
        if self.retries.failures:
            return not self.retries.wait(now) and (self.requested or self.schedule is not None)
        return self.requested or (self.schedule is not None and now >= self.next(now))
