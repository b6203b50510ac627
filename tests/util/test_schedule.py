from __future__ import annotations

import builtins
import time
from typing import Any

import pytest

from pyredis.util.schedule import NEEDS_CRONITER, ScheduleError, parse_schedule

NOW = 1_700_000_000
"""Tuesday 2023-11-14 22:13:20 UTC"""


def utc(moment: int) -> str:
    return time.strftime("%a %Y-%m-%d %H:%M:%S", time.gmtime(moment))


@pytest.mark.parametrize(
    ("text", "previous", "following"),
    [
        ("@hourly", "Tue 2023-11-14 22:00:00", "Tue 2023-11-14 23:00:00"),
        ("@daily", "Tue 2023-11-14 00:00:00", "Wed 2023-11-15 00:00:00"),
        ("@midnight", "Tue 2023-11-14 00:00:00", "Wed 2023-11-15 00:00:00"),
        ("@weekly", "Sun 2023-11-12 00:00:00", "Sun 2023-11-19 00:00:00"),
    ],
)
def test_words_of_cron(text: str, previous: str, following: str) -> None:
    schedule = parse_schedule(text, seed=12345)
    assert (utc(schedule.previous(NOW)), utc(schedule.next(NOW))) == (previous, following)


@pytest.mark.parametrize(
    ("text", "previous", "following"),
    [
        ("0 3 * * *", "Tue 2023-11-14 03:00:00", "Wed 2023-11-15 03:00:00"),
        ("*/15 2-4 * * 1-5", "Tue 2023-11-14 04:45:00", "Wed 2023-11-15 02:00:00"),
        ("@monthly", "Wed 2023-11-01 00:00:00", "Fri 2023-12-01 00:00:00"),
        ("@YEARLY", "Sun 2023-01-01 00:00:00", "Mon 2024-01-01 00:00:00"),
    ],
)
def test_cron_expressions(text: str, previous: str, following: str) -> None:
    pytest.importorskip("croniter")
    schedule = parse_schedule(text)
    assert (utc(schedule.previous(NOW)), utc(schedule.next(NOW))) == (previous, following)


@pytest.mark.parametrize("text", ["@daily", "daily", "weekly", "0 3 * * *"])
def test_a_due_time_is_the_last_one_at_itself_and_never_the_next(text: str) -> None:
    if "*" in text:
        pytest.importorskip("croniter")
    schedule = parse_schedule(text, seed=777)
    due = schedule.next(NOW)
    assert schedule.previous(due) == due
    assert schedule.previous(due - 1) < due
    assert schedule.next(due) > due
    assert schedule.next(due - 1) == due


def test_the_minute_of_a_plain_word_follows_from_the_seed() -> None:
    minutes = {parse_schedule("daily", seed).next(NOW) % 86400 // 60 for seed in range(1440)}
    assert minutes == set(range(1440))
    assert parse_schedule("daily", 5).next(NOW) == parse_schedule("daily", 5 + 1440).next(NOW)


@pytest.mark.parametrize("text", ["", "sometimes", "* * * *", "61 * * * *", "0 0 30 2 *", "* * * * * *", "@reboot"])
def test_what_says_no_time_is_refused(text: str) -> None:
    pytest.importorskip("croniter")
    with pytest.raises(ScheduleError):
        parse_schedule(text)


def test_without_croniter_words_work_and_expressions_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "croniter":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert parse_schedule("@daily").next(0) == 86400
    with pytest.raises(ScheduleError) as refused:
        parse_schedule("0 3 * * *")
    assert str(refused.value) == NEEDS_CRONITER
