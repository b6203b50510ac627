"""When something is due regularly: a word such as ``daily``, or a cron expression.  Unix seconds, days are UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400
_FIRST_SUNDAY = 3 * DAY  # 1970 began on a Thursday

_PERIODS = {
    "hourly": (HOUR, 0),
    "daily": (DAY, 0),
    "midnight": (DAY, 0),
    "weekly": (7 * DAY, _FIRST_SUNDAY),
}
_CRON_WORDS = frozenset({"@monthly", "@yearly", "@annually"})
_FIELDS = 5
NEEDS_CRONITER = "cron expressions need the package croniter: pip install 'pyredis-server[backup]'"


class ScheduleError(ValueError):
    """A text that says no time, or one that needs a package that is not there."""


class Schedule(NamedTuple):
    """``previous``: the last due time at or before a moment.  ``next``: the first one after it."""

    previous: Callable[[int], int]
    next: Callable[[int], int]


def parse_schedule(text: str, seed: int = 0) -> Schedule:
    """What *text* says.  Raises ScheduleError.

    ``hourly``, ``daily``, ``weekly``: once in that time, at a minute that follows from *seed*, so that many servers do
    not all begin at once.  ``@hourly``, ``@daily``, ``@midnight``, ``@weekly``: when cron takes them to be, at minute 0
    (of hour 0, of Sunday).  Five fields, ``@monthly``, ``@yearly``: as cron reads them, through croniter.
    """
    text = text.strip().lower()
    word = text.removeprefix("@")
    if word in _PERIODS and text != "midnight":
        period, offset = _PERIODS[word]
        if word == text:
            offset = seed % (period // MINUTE) * MINUTE
        return _periodic(period, offset)
    if text not in _CRON_WORDS and len(text.split()) != _FIELDS:
        raise ScheduleError(
            "a schedule is hourly, daily, weekly, @daily and the like, or a cron expression of 5 fields"
        )
    return _cron(text)


def _periodic(period: int, offset: int) -> Schedule:
    def previous(now: int) -> int:
        return (now - offset) // period * period + offset

    return Schedule(previous, lambda now: previous(now) + period)


def _cron(expression: str) -> Schedule:
    try:
        from croniter import croniter  # an extra, and slow to import
    except ImportError:
        raise ScheduleError(NEEDS_CRONITER) from None

    def previous(now: int) -> int:
        return int(croniter(expression, now + 1).get_prev(float))

    def following(now: int) -> int:
        return int(croniter(expression, now).get_next(float))

    try:
        following(0)
    except ValueError as error:  # of croniter: no expression, or no such day
        raise ScheduleError(f"not a cron expression: {error}") from None
    return Schedule(previous, following)
