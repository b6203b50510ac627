from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.backup.contents import BadArchive
from pyredis.backup.occupancy import DirectoryLock, occupant
from pyredis.backup.restoring import RestoreRefused, restore

from .conftest import EMPTY_RDB, MIDNIGHT, Machine, full

NAMES = ["appendonlydir", "dump.rdb"]


@pytest.fixture
def archive(make_archive: Callable[..., Path], tmp_path: Path) -> str:
    (tmp_path / "archives").mkdir()
    return str(make_archive(directory=tmp_path / "archives"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data"


def tree(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_into_a_new_or_empty_directory(archive: str, target: Path) -> None:
    restored = restore(archive, str(target))
    assert restored.aside is None
    assert sorted(os.listdir(target)) == NAMES
    assert (target / "dump.rdb").read_bytes() == EMPTY_RDB
    (target.parent / "other" / "lost+found").mkdir(parents=True)
    restore(archive, str(target.parent / "other"))


def test_what_a_killed_restore_left_is_no_obstacle(archive: str, target: Path) -> None:
    (target / ".restore-1").mkdir(parents=True)
    (target / ".restore-1" / "dump.rdb").write_bytes(b"unpacked, not moved")
    restore(archive, str(target))
    assert sorted(os.listdir(target)) == NAMES


def test_not_into_one_that_holds_something(archive: str, target: Path) -> None:
    target.mkdir()
    (target / "dump.rdb").write_bytes(b"precious")
    before = tree(target)
    with pytest.raises(RestoreRefused, match="is not empty"):
        restore(archive, str(target))
    assert tree(target) == before


def test_force_keeps_what_was_there(archive: str, target: Path) -> None:
    (target / "appendonlydir").mkdir(parents=True)
    old = {
        "dump.rdb": b"old snapshot",
        "appendonly.aof": b"older still",
        "appendonlydir/appendonly.aof.7.incr.aof": b"old commands",
    }
    for name, data in {**old, "redis.conf": b"port 1"}.items():
        (target / name).write_bytes(data)
    restored = restore(archive, str(target), force=True, now=MIDNIGHT)
    assert restored.aside == str(target / "before-restore-20231115T000000Z")
    assert tree(Path(restored.aside)) == old
    assert sorted(os.listdir(target)) == ["appendonlydir", "before-restore-20231115T000000Z", "dump.rdb", "redis.conf"]
    assert (target / "dump.rdb").read_bytes() == EMPTY_RDB
    assert "appendonly.aof.7.incr.aof" not in os.listdir(target / "appendonlydir")
    again = restore(archive, str(target), force=True, now=MIDNIGHT)
    assert again.aside == str(target / "before-restore-20231115T000000Z-2")
    assert tree(Path(restored.aside)) == old


@pytest.mark.parametrize("force", [False, True])
def test_a_damaged_archive_changes_nothing(archive: str, target: Path, force: bool) -> None:
    target.mkdir()
    if force:
        (target / "dump.rdb").write_bytes(b"precious")
    data = Path(archive).read_bytes()
    Path(archive).write_bytes(data[: len(data) // 2])
    before = tree(target)
    with pytest.raises(BadArchive):
        restore(archive, str(target), force=force)
    assert tree(target) == before
    assert os.listdir(target) == list(before)


def test_data_that_cannot_be_loaded_changes_nothing(archive: str, target: Path) -> None:
    def check(directory: str, unpacked: object) -> None:
        assert sorted(os.listdir(directory)) == NAMES
        raise BadArchive("no")

    with pytest.raises(BadArchive):
        restore(archive, str(target), check=check)
    assert os.listdir(target) == []


@pytest.mark.parametrize("failing", range(4))
def test_an_error_while_moving_puts_everything_back(
    archive: str, target: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    (target / "appendonlydir").mkdir(parents=True)
    (target / "dump.rdb").write_bytes(b"precious")
    (target / "appendonlydir" / "x").write_bytes(b"precious too")
    before, real, calls = tree(target), os.rename, 0

    def rename(source: str, destination: str) -> None:
        nonlocal calls
        calls += 1
        if calls == failing + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, destination)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(OSError, match="Input/output error"):
        restore(archive, str(target), force=True)
    assert tree(target) == before


def test_a_full_disk_changes_nothing(archive: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.mkdir()
    (target / "dump.rdb").write_bytes(b"precious")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        restore(archive, str(target), force=True)
    monkeypatch.undo()
    assert tree(target) == {"dump.rdb": b"precious"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_root_restores_belongs_to_the_owner_of_the_directory(archive: str, target: Path) -> None:
    target.mkdir()
    os.chown(target, 12345, 23456)
    restore(archive, str(target))
    for path in (target / "dump.rdb", target / "appendonlydir", target / "appendonlydir/appendonly.aof.manifest"):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


# --- who lives there ------------------------------------------------------------------------------


def test_a_directory_that_a_server_uses_is_refused(machine: Machine, archive: str) -> None:
    machine.start(backup_dir="")
    directory = str(machine.directory)
    assert occupant(directory) is None
    machine.server.backup.hold_directory()
    assert occupant(directory) == "a pyredis server"
    with pytest.raises(RestoreRefused, match="in use by a pyredis server"):
        restore(archive, directory)
    machine.stop()
    assert occupant(directory) is None


def test_several_servers_may_share_a_directory(tmp_path: Path) -> None:
    one, other, restorer = DirectoryLock(), DirectoryLock(), DirectoryLock()
    assert one.take(str(tmp_path))
    assert other.take(str(tmp_path))
    assert not restorer.take(str(tmp_path), exclusive=True)
    one.release()
    other.release()
    assert restorer.take(str(tmp_path), exclusive=True)
    assert not one.take(str(tmp_path))
    restorer.release()


def test_with_config_set_dir_the_lock_moves_along(machine: Machine, tmp_path: Path) -> None:
    machine.start(backup_dir="", enable_protected_configs="yes")
    machine.server.backup.hold_directory()
    (tmp_path / "new").mkdir()
    assert machine.send("CONFIG", "SET", "dir", str(tmp_path / "new")) == b"+OK\r\n"
    assert occupant(str(tmp_path)) is None
    assert occupant(str(tmp_path / "new")) == "a pyredis server"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_redis_is_known_by_where_it_works(tmp_path: Path) -> None:
    program = (
        "import ctypes, sys, time; ctypes.CDLL(None).prctl(15, b'redis-server'); print(flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert occupant(str(tmp_path)) == f"redis-server (pid {process.pid})"
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert occupant(str(tmp_path)) is None


def test_force_restores_under_a_server_and_says_who(machine: Machine, archive: str) -> None:
    machine.start(backup_dir="")
    machine.server.backup.hold_directory()
    restored = restore(archive, str(machine.directory), force=True, now=int(time.time()))
    assert restored.user == "a pyredis server"
