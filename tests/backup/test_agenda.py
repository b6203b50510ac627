from __future__ import annotations

import pytest

from pyredis.backup.agenda import Agenda
from pyredis.util.schedule import parse_schedule

from .conftest import DAY, HOUR, MIDNIGHT

NOON = MIDNIGHT + 12 * HOUR


@pytest.fixture
def agenda() -> Agenda:
    made = Agenda()
    made.plan(parse_schedule("@daily"))
    return made


def test_without_a_backup_the_first_is_due_at_once(agenda: Agenda) -> None:
    assert agenda.due(NOON)


def test_the_next_is_due_at_the_next_due_time(agenda: Agenda) -> None:
    agenda.succeeded(NOON)
    assert agenda.next(NOON) == MIDNIGHT + DAY
    assert not agenda.due(MIDNIGHT + DAY - 1)
    assert agenda.due(MIDNIGHT + DAY)


def test_runs_that_were_missed_are_made_up_for_by_one(agenda: Agenda) -> None:
    agenda.last_good = MIDNIGHT - 5 * DAY
    assert agenda.due(NOON)
    agenda.succeeded(NOON)
    assert agenda.next(NOON) == MIDNIGHT + DAY


def test_nothing_is_missed_since_the_last_due_time(agenda: Agenda) -> None:
    agenda.last_good = MIDNIGHT + 1
    assert not agenda.due(NOON)


def test_failures_are_retried_later_and_later_up_to_an_hour(agenda: Agenda) -> None:
    now, waits = NOON, []
    for _ in range(9):
        agenda.failed(now)
        waits.append(agenda.retries.at - now)
        assert not agenda.due(agenda.retries.at - 1)
        now = agenda.retries.at
        assert agenda.due(now)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    agenda.succeeded(now)
    assert agenda.retries.failures == 0
    assert not agenda.due(now + HOUR)


def test_without_a_schedule_only_requests_count() -> None:
    agenda = Agenda()
    assert not agenda.due(NOON)
    assert agenda.next(NOON) == 0
    agenda.requested = True
    assert agenda.due(NOON)
    agenda.failed(NOON)
    assert not agenda.due(NOON + 59)
    assert agenda.due(NOON + 60)
    agenda.succeeded(NOON + 60)
    assert not agenda.due(NOON + DAY)


def test_a_clock_that_is_set_back_neither_floods_nor_starves(agenda: Agenda) -> None:
    agenda.succeeded(NOON + 30 * DAY)
    assert not agenda.due(NOON + 30 * DAY)
    assert not agenda.due(NOON)
    assert agenda.next(NOON) == MIDNIGHT + DAY
    assert agenda.due(MIDNIGHT + DAY)
    agenda.failed(NOON + 30 * DAY)
    assert agenda.due(NOON)
