"""A machine with a server that backs up daily, and what may happen to it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pyredis.backup.names import temporary_snapshot
from pyredis.backup.offsite import OffsiteError
from pyredis.backup.pruning import is_whole
from pyredis.backup.unpacking import describe, unpack
from pyredis.backup.uploads import Job, Sent
from pyredis.engine.shutdown import NOSAVE

from ..conftest import Peer
from .conftest import DAY, HOUR, MIDNIGHT, Machine, full

BOTH = pytest.mark.parametrize("mode", ["fork", "slices"])


def test_without_a_directory_there_are_no_backups(machine: Machine) -> None:
    machine.start(backup_dir="")
    machine.turn(30 * DAY)
    assert machine.server.backup.taking is None
    assert machine.info() == {"backup_enabled": "0"}
    assert machine.send("BGSAVE", "BACKUP") == b"-ERR Backups are off: set backup-dir\r\n"
    assert os.listdir(machine.directory) == []


@BOTH
def test_the_first_is_taken_at_once_and_the_next_when_due(machine: Machine, mode: str) -> None:
    machine.start(background_save=mode)
    machine.send("SET", "k", "v")
    machine.backup()
    assert machine.files == ["test-20231115T100000Z.tar.gz"]
    machine.turn(14 * HOUR - 1)
    assert machine.server.backup.taking is None
    machine.backup(1)
    assert machine.files == ["test-20231115T100000Z.tar.gz", "test-20231116T000000Z.tar.gz"]
    assert all(is_whole(machine.path(at)) for at in (0, 1))
    assert not machine.server.persistence.children.active


@BOTH
def test_an_archive_shows_one_moment_and_the_manifest_counts_it(machine: Machine, mode: str, tmp_path: Path) -> None:
    machine.start(background_save=mode)
    machine.send("MSET", "a", 1, "b", 2)
    machine.send("SET", "c", 3, "PX", 100_000)
    machine.send("SELECT", 9)
    machine.send("RPUSH", "list", "x")
    machine.turn()
    machine.send("RPUSH", "list", "y")
    machine.send("FLUSHALL")
    machine.finish()
    described = describe(machine.path())
    assert described is not None
    assert described.fields["databases"] == {"0": {"keys": 3, "expires": 1}, "9": {"keys": 1, "expires": 0}}
    assert described.fields["keys"] == 4
    assert described.fields["server"]["run_id"] == machine.server.run_id
    assert described.fields["replication"] == {"id": machine.server.replication_id, "offset": 0}
    for extra in ({}, {"appendonly": "yes"}):
        place = tmp_path / f"out{len(extra)}"
        unpack(machine.path(), str(place))
        restored = Machine(place, machine.clock).start(backup_dir="", **extra)
        assert restored.send("MGET", "a", "b", "c") == b"*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"
        assert restored.send("PTTL", "c") == b":100000\r\n"
        restored.send("SELECT", 9)
        assert restored.send("LRANGE", "list", 0, -1) == b"*1\r\n$1\r\nx\r\n"
        restored.stop()


def test_function_libraries_are_in_it(machine: Machine, tmp_path: Path) -> None:
    machine.start()
    code = "#!lua name=lib\nredis.register_function('f', function() return 7 end)"
    machine.send("FUNCTION", "LOAD", code)
    machine.backup()
    unpack(machine.path(), str(tmp_path / "out"))
    restored = Machine(tmp_path / "out", machine.clock).start(backup_dir="")
    assert restored.send("FCALL", "f", 0) == b":7\r\n"
    restored.stop()


# --- missed runs ----------------------------------------------------------------------------------


def test_a_run_that_was_missed_is_made_up_for_at_the_start(machine: Machine) -> None:
    machine.start()
    machine.backup()
    machine.stop()
    machine.clock.advance(5 * DAY)
    machine.start()
    machine.backup()
    assert machine.files == ["test-20231115T100000Z.tar.gz", "test-20231120T100000Z.tar.gz"]
    machine.turn(13 * HOUR)
    assert machine.server.backup.taking is None


def test_a_start_without_a_missed_run_takes_none(machine: Machine) -> None:
    machine.start()
    machine.backup()
    machine.stop()
    machine.clock.advance(3 * HOUR)
    machine.start()
    machine.turn()
    assert machine.server.backup.taking is None
    assert machine.info()["backup_last_file"] == "test-20231115T100000Z.tar.gz"
    assert machine.info()["backup_next_time"] == str(MIDNIGHT + DAY)


def test_an_archive_from_a_wrong_clock_does_not_stand_for_a_run(machine: Machine) -> None:
    machine.archives_directory.mkdir()
    (machine.archives_directory / "test-20991115T100000Z.tar.gz").touch()
    machine.start()
    machine.backup()
    assert "test-20231115T100000Z.tar.gz" in machine.files


def test_archives_of_other_servers_do_not_count(machine: Machine) -> None:
    machine.archives_directory.mkdir()
    (machine.archives_directory / "other-20231115T090000Z.tar.gz").touch()
    (machine.archives_directory / "other-20200101T000000Z.tar.gz").touch()
    machine.start()
    machine.backup()
    assert len(machine.files) == 3


# --- retention ------------------------------------------------------------------------------------


def test_seven_days_are_kept(machine: Machine) -> None:
    machine.start()
    machine.backup()
    for _ in range(12):
        machine.backup(DAY)
    kept = [(archive.created - MIDNIGHT) // DAY for archive in machine.archives()]
    assert kept == [12, 11, 10, 9, 8, 7, 6, 5]
    assert machine.info()["backup_pruned"] == "5"


def test_days_may_be_changed_and_0_keeps_everything(machine: Machine) -> None:
    machine.start(backup_retention_days="0")
    machine.backup()
    for _ in range(9):
        machine.backup(DAY)
    assert len(machine.files) == 10
    machine.send("CONFIG", "SET", "backup-retention-days", 2)
    machine.backup(DAY)
    assert len(machine.files) == 3


@BOTH
def test_a_failure_removes_nothing_however_old(machine: Machine, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    machine.start(background_save=mode)
    machine.backup()
    before = machine.files
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        machine.backup(30 * DAY)
        assert machine.info()["backup_last_status"] == "err"
        for _ in range(5):
            machine.backup(HOUR)
        assert machine.files == before
    machine.backup(HOUR)
    assert len(machine.files) == 1
    assert machine.files != before


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["write", "fsync"])
@BOTH
def test_a_full_disk_is_counted_retried_and_leaves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, mode: str, call: str
) -> None:
    machine.start(background_save=mode)
    machine.send("SET", "k", "v" * 100)
    machine.backup()
    before, real = machine.files, getattr(os, call)

    def full_for_files(descriptor: int, *data: object) -> object:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        return full() if "backup" in path else real(descriptor, *data)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full_for_files)
        machine.turn(DAY)
        if machine.server.backup.taking is not None:
            machine.finish()
    info = machine.info()
    assert machine.files == before
    assert (info["backup_failures"], info["backup_failures_in_a_row"]) == ("1", "1")
    assert info["backup_last_status"] == "err"
    assert info["backup_last_error"] == "No space left on device"
    assert "Backup failed: No space left on device. Trying again in 60 seconds\n" in machine.said.getvalue()
    assert info["backup_last_file"] == before[0]
    machine.turn(59)
    assert machine.server.backup.taking is None
    machine.backup(1)
    info = machine.info()
    assert (info["backup_failures"], info["backup_failures_in_a_row"]) == ("1", "0")
    assert (info["backup_last_status"], info["backup_last_error"]) == ("ok", "")
    assert len(machine.files) == 2
    assert machine.send("GET", "k").startswith(b"$100\r\n")


@pytest.mark.skipif(os.name == "nt", reason="needs fork")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
def test_a_killed_child_is_a_failure_and_leaves_nothing(machine: Machine, number: signal.Signals) -> None:
    machine.start(rdb_key_save_delay="10000000")
    machine.backup()
    machine.send("SET", "k", "v")
    machine.turn(DAY)
    os.kill(machine.server.persistence.children.pid, number)
    machine.finish()
    assert machine.files == ["test-20231115T100000Z.tar.gz"]
    assert machine.info()["backup_last_error"] == f"the child was terminated by signal {int(number)}"
    assert not machine.server.persistence.children.active
    machine.server.config.rdb_key_save_delay = 0
    machine.backup(60)
    assert len(machine.files) == 2


def test_a_directory_that_cannot_be_made_is_a_failure(machine: Machine) -> None:
    machine.archives_directory.write_text("a file")
    machine.start()
    machine.turn()
    assert machine.server.backup.taking is None
    assert machine.info()["backup_failures"] == "1"
    assert "exists" in machine.info()["backup_last_error"].lower()
    machine.archives_directory.unlink()
    machine.backup(60)
    assert machine.info()["backup_last_status"] == "ok"


def test_a_corrupted_newest_archive_does_not_cost_the_others(machine: Machine) -> None:
    machine.start()
    machine.backup()
    machine.backup(DAY)
    Path(machine.path()).write_bytes(b"rubbish")
    machine.backup(DAY)
    assert len(machine.files) == 3
    assert [is_whole(machine.path(at)) for at in range(3)] == [True, False, True]


def test_what_a_crashed_process_left_is_removed(machine: Machine) -> None:
    machine.archives_directory.mkdir()
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    for pid in (child, os.getpid()):
        Path(temporary_snapshot(str(machine.archives_directory), pid, "test")).touch()
    machine.start()
    machine.backup()
    assert machine.files == ["test-20231115T100000Z.tar.gz"]


def test_what_the_child_of_a_killed_server_leaves_later_is_removed_with_the_next_backup(machine: Machine) -> None:
    machine.archives_directory.mkdir()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    left = Path(temporary_snapshot(str(machine.archives_directory), child, "test"))
    left.touch()
    machine.start()
    machine.turn()
    assert left.exists()
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)
    machine.finish()
    assert machine.files == ["test-20231115T100000Z.tar.gz"]


@BOTH
def test_a_shutdown_gives_a_backup_up_and_the_next_start_makes_up_for_it(machine: Machine, mode: str) -> None:
    machine.start(background_save=mode, rdb_key_save_delay="10000000" if mode == "fork" else "0")
    machine.send("SET", "k", "v")
    machine.turn()
    assert machine.server.backup.taking is not None
    assert machine.server.shutdown.request(NOSAVE)
    assert machine.server.backup.taking is None
    assert not machine.server.persistence.children.active
    assert machine.files == []
    machine.stop()
    machine.start()
    machine.backup()
    assert len(machine.files) == 1


# --- on request -----------------------------------------------------------------------------------


def test_a_request_is_served_at_once(machine: Machine) -> None:
    machine.start(backup_schedule="")
    machine.turn(3 * DAY)
    assert machine.server.backup.taking is None
    assert machine.send("BGSAVE", "backup") == b"+Background backup started\r\n"
    assert machine.send("BGSAVE", "BACKUP") == b"-ERR Background backup already in progress\r\n"
    assert machine.send("BGSAVE").startswith(b"-ERR Another child process is active")
    assert machine.info()["backup_in_progress"] == "1"
    machine.finish()
    assert machine.info()["backup_in_progress"] == "0"
    assert machine.info()["backup_next_time"] == "0"
    assert len(machine.files) == 1


def test_a_request_waits_for_another_child(machine: Machine) -> None:
    machine.start(backup_schedule="", save="3600 1", rdb_key_save_delay="0")
    machine.send("SET", "k", "v")
    assert machine.send("BGSAVE") == b"+Background saving started\r\n"
    assert machine.send("BGSAVE", "BACKUP") == b"+Background backup scheduled\r\n"
    assert machine.info()["backup_pending"] == "1"
    machine.server.persistence.children.wait()
    machine.backup()
    assert machine.info()["backup_pending"] == "0"
    assert len(machine.files) == 1


def test_a_request_does_not_wait_for_the_next_retry(machine: Machine) -> None:
    machine.archives_directory.write_text("a file")
    machine.start()
    machine.turn()
    machine.archives_directory.unlink()
    assert machine.send("BGSAVE", "BACKUP") == b"+Background backup started\r\n"
    machine.finish()
    assert machine.info()["backup_failures_in_a_row"] == "0"


def test_other_words_after_bgsave_are_refused(send: Peer) -> None:
    assert send("BGSAVE", "BACKUPS") == b"-ERR syntax error\r\n"
    assert send("BGSAVE", "BACKUP", "NOW") == b"-ERR syntax error\r\n"


# --- configuration --------------------------------------------------------------------------------


def test_the_schedule_may_be_changed(machine: Machine) -> None:
    machine.start()
    machine.backup()
    assert machine.send("CONFIG", "SET", "backup-schedule", "@hourly") == b"+OK\r\n"
    machine.backup(HOUR)
    assert machine.send("CONFIG", "SET", "backup-schedule", "") == b"+OK\r\n"
    machine.turn(DAY)
    assert machine.server.backup.taking is None
    assert machine.send("CONFIG", "SET", "backup-schedule", "never") == (
        b"-ERR CONFIG SET failed (possibly related to argument 'backup-schedule') - a schedule is hourly, daily, "
        b"weekly, @daily and the like, or a cron expression of 5 fields\r\n"
    )


def test_where_data_goes_is_protected_and_the_url_is_a_secret(machine: Machine) -> None:
    machine.start()
    for name in ("backup-dir", "backup-url"):
        assert b"can't set protected config" in machine.send("CONFIG", "SET", name, "s3://b")
    assert machine.server.config.is_sensitive(b"backup-url")
    assert b"backup" not in machine.send("CONFIG", "GET", "*")
    assert (
        machine.send("CONFIG", "GET", "backup-retention-days") == b"*2\r\n$21\r\nbackup-retention-days\r\n$1\r\n7\r\n"
    )


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a b", "-x"])
def test_a_name_is_no_path(machine: Machine, name: str) -> None:
    machine.start()
    assert b"backup-name may only contain" in machine.send("CONFIG", "SET", "backup-name", name)


def test_servers_without_a_name_are_told_apart_by_their_ports(machine: Machine) -> None:
    machine.start(backup_name="", port="7001")
    machine.backup()
    assert machine.files == ["redis-7001-20231115T100000Z.tar.gz"]


# --- uploads --------------------------------------------------------------------------------------


def test_archives_are_sent_after_each_backup_and_again_after_a_failure(machine: Machine) -> None:
    machine.start(backup_url="s3://key:secret@bucket/path")
    jobs: list[Job] = []
    answers = [Sent(error="no route to host"), Sent(error="no route to host"), Sent(("a", "b")), Sent()]

    def transport(job: Job) -> Sent:
        jobs.append(job)
        return answers[len(jobs) - 1]

    machine.server.backup.uploads.transport = transport
    machine.backup()
    machine.turn(1)
    assert jobs == [Job(str(machine.archives_directory), "test", "s3://key:secret@bucket/path", 7)]
    info = machine.info()
    assert (info["backup_upload_status"], info["backup_upload_last_error"]) == ("err", "no route to host")
    assert info["backup_last_status"] == "ok"
    machine.turn(59)
    assert len(jobs) == 1
    machine.turn(1)
    assert len(jobs) == 2
    machine.turn(119)
    assert len(jobs) == 2
    machine.turn(1)
    assert len(jobs) == 3
    info = machine.info()
    assert (info["backup_upload_status"], info["backup_uploads"], info["backup_upload_failures"]) == ("ok", "1", "2")
    machine.turn(HOUR)
    assert len(jobs) == 3
    machine.backup(DAY)
    machine.turn()
    assert len(jobs) == 4
    assert "secret" not in machine.said.getvalue()


def test_an_upload_that_was_missed_is_made_up_for_at_the_start(machine: Machine) -> None:
    machine.start()
    machine.backup()
    machine.stop()
    machine.start(backup_url="memory://there")
    jobs: list[Job] = []
    machine.server.backup.uploads.transport = lambda job: jobs.append(job) or Sent()  # type: ignore[func-returns-value]
    machine.turn()
    assert len(jobs) == 1


def test_the_error_of_a_place_keeps_its_secrets() -> None:
    pytest.importorskip("fsspec")
    from pyredis.backup.offsite import Offsite

    with pytest.raises(OffsiteError) as failed:
        Offsite("nonsense://me:secret@there/x")
    assert "secret" not in str(failed.value)
