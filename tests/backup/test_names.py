from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyredis.backup.names import Archive, archives, leftovers, parse_name, temporary, temporary_snapshot, unused

from .conftest import MIDNIGHT


def test_a_name_says_who_and_when_in_utc() -> None:
    archive = Archive("redis-6379", MIDNIGHT + 61)
    assert archive.filename == "redis-6379-20231115T000101Z.tar.gz"
    assert parse_name(archive.filename) == archive


@pytest.mark.parametrize(
    "name",
    [
        "dump.rdb",
        "x.tar.gz",
        "-20231115T000101Z.tar.gz",
        ".x-20231115T000101Z.tar.gz",
        "x-20231115T000101Z.tar.gz.part",
        "x-20231115T000101.tar.gz",
        "a/x-20231115T000101Z.tar.gz",
    ],
)
def test_other_files_are_no_archives(name: str) -> None:
    assert parse_name(name) is None


def test_the_newest_comes_first_and_other_names_are_left_out(tmp_path: Path) -> None:
    for name in ("a-20231115T000000Z", "a-20231117T000000Z", "b-20231116T000000Z"):
        (tmp_path / f"{name}.tar.gz").write_bytes(b"12345")
    (tmp_path / "c-20231116T000000Z.tar.gz").mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert [a.filename[:12] for a in archives(str(tmp_path))] == ["a-20231117T0", "b-20231116T0", "a-20231115T0"]
    assert [(a.created, a.size) for a in archives(str(tmp_path), "b")] == [(MIDNIGHT + 86400, 5)]


def test_a_second_in_which_there_is_one_already_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / Archive("a", MIDNIGHT).filename).touch()
    (tmp_path / Archive("a", MIDNIGHT + 1).filename).touch()
    assert unused(str(tmp_path), "a", MIDNIGHT).created == MIDNIGHT + 2
    assert unused(str(tmp_path), "b", MIDNIGHT).created == MIDNIGHT


def test_files_of_processes_that_are_gone_are_leftovers(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    here, archive = str(tmp_path), Archive("a", MIDNIGHT)
    dead = [temporary(here, child, archive), temporary_snapshot(here, child, "a")]
    alive = [temporary(here, os.getpid(), archive), temporary_snapshot(here, os.getpid(), "a")]
    of_others = [temporary(here, child, Archive("b", MIDNIGHT)), temporary_snapshot(here, child, "b")]
    for path in (*dead, *alive, *of_others, here + "/.temp-backup-x"):
        Path(path).touch()
    assert sorted(leftovers(here, "a")) == sorted(dead)
    assert sorted(leftovers(here, "a", os.getpid())) == sorted(alive)
    assert sorted(leftovers(here, "b")) == sorted(of_others)
