from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyredis.backup.names import Archive, newest_first
from pyredis.backup.pruning import expired, is_whole, spare_last_good

from .conftest import DAY, MIDNIGHT


def made(*days: int, label: str = "a") -> list[Archive]:
    """Archives of so many days ago."""
    return newest_first(Archive(label, MIDNIGHT - day * DAY) for day in days)


def test_what_is_older_than_the_days_goes() -> None:
    found = made(*range(10))
    assert expired(found, 7, MIDNIGHT) == found[8:]
    assert expired(found, 7, MIDNIGHT + 1) == found[7:]
    assert expired(found, 1, MIDNIGHT) == found[2:]


def test_no_days_mean_for_ever() -> None:
    assert expired(made(0, 1000), 0, MIDNIGHT) == []


def test_the_newest_of_each_name_stays_however_old() -> None:
    one, other = made(100, 200), made(300, 400, label="b")
    assert expired(newest_first(one + other), 7, MIDNIGHT) == [one[1], other[1]]


def test_the_last_good_one_stays_if_all_newer_ones_are_bad() -> None:
    found = made(0, 1, 10, 11, 12)
    old = expired(found, 7, MIDNIGHT)
    assert spare_last_good(found, old, lambda archive: archive in found[3:]) == [found[2], found[4]]
    assert spare_last_good(found, old, lambda archive: archive is found[1]) == old
    assert spare_last_good(found, old, lambda archive: False) == old


def test_only_a_readable_archive_is_whole(make_archive: Callable[..., Path]) -> None:
    path = make_archive()
    assert is_whole(str(path))
    path.write_bytes(path.read_bytes()[:-9])
    assert not is_whole(str(path))
    assert not is_whole(str(path.with_name("nothing")))
