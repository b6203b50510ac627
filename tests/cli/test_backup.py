"""``pyredis backup``: its words, what it prints and its exit statuses."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyredis.backup.names import Archive
from pyredis.cli import main
from pyredis.cli.backup_now import Failed, ask
from pyredis.cli.progress import Bar

from ..backup.conftest import DAY, Machine, machine, make_archive

__all__ = ["machine", "make_archive"]

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``pyredis backup WORDS``; the status, and what was printed: parsed if it is JSON."""

    def run_it(*words: str | Path) -> tuple[int, Any]:
        status = main(["backup", *map(str, words)])
        said = capsys.readouterr()
        return status, json.loads(said.out) if "--json" in words else said.out + said.err

    return run_it


@pytest.fixture
def data(machine: Machine) -> Path:
    """The directory of a server that has been stopped."""
    machine.start(backup_dir="")
    machine.send("MSET", "a", 1, "b", 2)
    machine.send("SET", "c", 3, "EX", 1000)
    machine.send("SAVE")
    machine.stop()
    os.makedirs(machine.directory / "only")
    os.rename(machine.directory / "dump.rdb", machine.directory / "only" / "dump.rdb")
    return machine.directory / "only"


@pytest.fixture
def place(machine: Machine) -> Path:
    """A directory with two archives, of two keys each."""
    machine.clock.set_time((int(time.time()) - DAY - 60) * 1_000_000_000)
    machine.start()
    machine.send("MSET", "a", 1, "b", 2)
    machine.backup()
    machine.backup(DAY)
    machine.stop()
    return machine.archives_directory


def test_offline_from_the_files_of_a_server(run: Run, data: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    status, report = run("now", "--data", data, "--to", tmp_path / "archives", "--name", "mine", "--json")
    assert (status, report["keys"]) == (0, 2)  # the third has expired by now
    assert os.path.basename(report["file"]).startswith("mine-20")
    assert run("verify", report["file"])[0] == 0
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before


def test_offline_the_aof_is_preferred_and_left_alone(run: Run, machine: Machine, tmp_path: Path) -> None:
    machine.start(backup_dir="", appendonly="yes", appendfsync="always")
    machine.send("SET", "k", "v")
    machine.stop()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.aof*")}
    status, report = run("now", "--data", tmp_path, "--to", tmp_path / "archives", "--json")
    assert (status, report["keys"]) == (0, 1)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.aof*")} == before


def test_offline_refuses_what_it_cannot_do(run: Run, data: Path, machine: Machine, tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    assert run("now", "--data", data) == (1, "pyredis backup: --data needs --to DIR\n")
    assert run("now", "--data", tmp_path / "no", "--to", archives)[0] == 1
    (tmp_path / "empty").mkdir()
    assert "has neither dump.rdb nor" in run("now", "--data", tmp_path / "empty", "--to", archives)[1]
    machine.server.backup._lock.take(str(data))
    assert run("now", "--data", data, "--to", archives, "--json") == (
        1,
        {"error": f"{data} is in use by a pyredis server: let that take the backup, or stop it"},
    )
    assert run("now", "--data", data, "--to", archives, "--force")[0] == 0
    (data / "dump.rdb").write_bytes(b"REDIS0011 nonsense")
    status, text = run("now", "--data", data, "--to", tmp_path / "more", "--force")
    assert (status, os.path.exists(tmp_path / "more")) == (1, False)
    assert text.startswith("pyredis backup: ")


def test_list(run: Run, place: Path) -> None:
    status, text = run("list", place)
    assert status == 0
    lines = text.splitlines()
    assert [line.split()[0] for line in lines] == ["ARCHIVE", *sorted(os.listdir(place), reverse=True)]
    assert lines[1].endswith(" 2")
    (place / Archive("test", 1).filename).write_bytes(b"rubbish")
    status, rows = run("list", place, "--json")
    assert [row["keys"] for row in rows] == [2, 2, None]
    assert "damaged" in rows[2]["error"]
    assert rows[0]["size"] == (place / rows[0]["file"]).stat().st_size
    assert run("list", place, "--name", "other", "--json") == (0, [])
    assert run("list", place / "no")[0] == 1


def test_verify_loads_what_it_checks(run: Run, place: Path) -> None:
    names = sorted(os.listdir(place), reverse=True)
    status, text = run("verify", place)
    assert (status, text) == (0, "".join(f"ok      {name}: 2 keys in dump.rdb and the AOF\n" for name in names))
    broken = place / names[0]
    broken.write_bytes(broken.read_bytes()[:-20])
    status, reports = run("verify", place, "--json")
    assert status == 1
    assert [(report["archive"], report["ok"]) for report in reports] == [(names[0], False), (names[1], True)]
    assert "damaged" in reports[0]["error"]
    assert run("verify", place / names[1], "--quick")[0] == 0
    assert run("verify", place / "nothing.tar.gz")[0] == 1


def test_verify_finds_data_that_matches_its_manifest_and_cannot_be_loaded(
    run: Run, make_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.backup.conftest.write_snapshot", _write_nonsense)
    path = make_archive()
    assert run("verify", path, "--quick")[0] == 0
    status, reports = run("verify", path, "--json")
    assert status == 1
    assert reports[0]["error"].startswith("dump.rdb cannot be loaded: ")


def _write_nonsense(plan: Any) -> Any:
    from pyredis.backup.packing import SnapshotFile

    snapshot = SnapshotFile(plan.snapshot)
    snapshot.write(b"REDIS0011 nonsense")
    snapshot.finish()
    return snapshot.facts


def test_restore_the_newest_of_a_place(run: Run, place: Path, tmp_path: Path, machine: Machine) -> None:
    target = tmp_path / "target"
    status, text = run("restore", place, target)
    newest = max(os.listdir(place))
    assert status == 0
    assert text.startswith(f"Restored {newest} into {target}: 2 keys\n")
    status, text = run("restore", place, target)
    assert (status, text) == (1, f"pyredis backup: {target} is not empty\n")
    status, report = run("restore", place / newest, target, "--force", "--json")
    assert status == 0
    assert sorted(os.listdir(report["moved_aside"])) == ["appendonlydir", "dump.rdb"]
    restored = Machine(target, machine.clock).start(backup_dir="")
    assert restored.send("MGET", "a", "b") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    restored.stop()


def test_restore_refuses_a_damaged_archive(run: Run, place: Path, tmp_path: Path) -> None:
    path = place / max(os.listdir(place))
    path.write_bytes(path.read_bytes()[:300])
    assert run("restore", path, tmp_path / "target")[0] == 1
    assert os.listdir(tmp_path / "target") == []
    assert run("restore", tmp_path / "no", tmp_path / "target")[0] == 1
    (tmp_path / "empty").mkdir()
    assert "there are no archives" in run("restore", tmp_path / "empty", tmp_path / "target")[1]


def test_prune_spares_the_last_good_one(run: Run, tmp_path: Path, make_archive: Callable[..., Path]) -> None:
    now = int(time.time())
    place = tmp_path / "place"
    place.mkdir()
    names = [make_archive(now - days * DAY, directory=place).name for days in (0, 5, 10, 20)]
    status, report = run("prune", place, "--dry-run", "--json")
    assert report == {"deleted": names[2:], "kept": names[:2], "dry_run": True}
    for name in names[:2]:
        (place / name).write_bytes(b"rubbish")
    status, report = run("prune", place, "--json")
    assert (status, report["deleted"]) == (0, names[3:])
    assert sorted(os.listdir(place)) == sorted(names[:3])
    status, text = run("prune", place, "--days", 0)
    assert (status, text) == (0, "0 deleted, 3 kept\n")
    with pytest.raises(SystemExit) as stop:
        run("prune", place, "--days", "-1")
    assert stop.value.code == 2


def test_upload_and_use_what_is_there(run: Run, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec", reason="the package fsspec is missing")
    url = f"file://{tmp_path}/there"
    assert run("upload", place) == (1, "pyredis backup: there is no URL to upload to\n")
    monkeypatch.setenv("PYREDIS_BACKUP_URL", url)
    status, report = run("upload", place, "--json")
    assert (status, report["sent"]) == (0, sorted(os.listdir(place)))
    assert run("upload", place, url)[1] == f"{url} is up to date\n"
    status, rows = run("list", url, "--json")
    assert [row["file"] for row in rows] == report["sent"][::-1]
    assert run("verify", url)[0] == 0
    assert run("verify", f"{url}/{report['sent'][0]}")[0] == 0
    assert run("restore", url, tmp_path / "target")[0] == 0
    status, pruned = run("prune", url, "--days", "1", "--json")
    assert (status, len(pruned["kept"])) == (0, 1)
    assert run("list", "nonsense://x")[0] == 1


# --- by a running server --------------------------------------------------------------------------


class Link:
    """A client of a server in this process."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def info(self, section: str) -> dict[str, str]:
        return self.machine.info()

    def call(self, *words: str) -> bytes:
        reply = self.machine.send(*words)
        assert reply.startswith(b"+"), reply
        return reply[1:-2]


def test_a_running_server_is_asked_and_waited_for(machine: Machine) -> None:
    machine.start(backup_schedule="")
    machine.send("SET", "k", "v")
    seen: list[float] = []

    def sleep(seconds: float) -> None:
        machine.finish()

    report = ask(Link(machine), lambda done, total: seen.append(done), wait=True, sleep=sleep)  # type: ignore[arg-type]
    assert report == {"file": machine.files[0], "size": os.path.getsize(machine.path()), "seconds": 0}
    assert len(seen) == 1
    assert ask(Link(machine), lambda done, total: None, wait=False) == {  # type: ignore[arg-type]
        "status": "Background backup started"
    }
    machine.finish()


def test_a_failure_of_the_server_is_told(machine: Machine) -> None:
    machine.archives_directory.write_text("a file")
    machine.start(backup_schedule="")
    with pytest.raises(Failed, match="File exists"):
        ask(Link(machine), lambda done, total: None, wait=True)  # type: ignore[arg-type]


def test_a_server_of_another_make_has_no_backups() -> None:
    class Other:
        def info(self, section: str) -> dict[str, str]:
            return {}

    with pytest.raises(Failed, match="it is not pyredis"):
        ask(Other(), lambda done, total: None, wait=True)  # type: ignore[arg-type]


def test_no_server_is_an_error(run: Run) -> None:
    status, report = run("now", "--server", "redis://127.0.0.1:1", "--json")
    assert status == 1
    assert report["error"].startswith("cannot connect to 127.0.0.1:1")


def test_bars_are_for_terminals() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, quiet in ((Terminal(), True), (io.StringIO(), False)):
        with Bar("packing", quiet=quiet, stream=stream) as bar:
            bar(1, 2)
        assert stream.getvalue() == ""
    stream = Terminal()
    with Bar("packing", stream=stream) as bar:
        bar(1, 2)
    assert stream.getvalue() == f"\rpacking [{'#' * 20}{'-' * 20}] 50%\r\x1b[K"
