"""A full disk: MISCONF as the real server, reads go on, and nothing that was acknowledged is lost.

Every scenario runs against a real server, too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import redis

from ...compat.servers import OURS
from ...waiting import until
from .conftest import Start

RDB_REFUSAL = (
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that "
    "may modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
    "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
    "error."
)
AOF_REFUSAL = "MISCONF Errors writing to the AOF file: No space left on device"
VALUE = os.urandom(16 << 10)


@pytest.fixture(params=["pyredis", "redis-server"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param == "pyredis":
        return OURS
    path = os.environ.get("PYREDIS_ORACLE") or shutil.which(request.param)
    if path is None:
        pytest.skip(f"{request.param} is not on PATH")
    return (path,)


def saved(client: redis.Redis, status: str) -> bool:
    info = client.info("persistence")
    return not info["rdb_bgsave_in_progress"] and info["rdb_last_bgsave_status"] == status


def error_of(client: redis.Redis, *argv: str | bytes) -> str | None:
    """The text of the error with which the server answers; None if it does not."""
    try:
        client.execute_command(*argv)
    except redis.ResponseError as error:
        return str(error)
    return None


def test_a_snapshot_that_does_not_fit(start: Start, small_disk: Path, command: tuple[str, ...]) -> None:
    server = start(folder=small_disk, command=command)
    with redis.Redis(port=server.port) as client:
        client.config_set("save", "3600 1000000")
        client.set("old", "kept")
        client.save()
        before = (small_disk / "dump.rdb").read_bytes()
        for number in range(128):
            client.set(f"key:{number}", VALUE)
        client.bgsave()
        assert until(lambda: saved(client, "err"))
        assert error_of(client, "SET", "probe", "x") == RDB_REFUSAL
        assert error_of(client, "SAVE") == ""  # a bare -ERR
        assert client.get("key:127") == VALUE
        assert (small_disk / "dump.rdb").read_bytes() == before
        assert not list(small_disk.glob("temp-*"))

        (small_disk / "ballast").unlink()
        client.bgsave()
        assert until(lambda: saved(client, "ok"))
        assert error_of(client, "SET", "probe", "x") is None
    again = start(folder=small_disk, command=command)
    with redis.Redis(port=again.port) as client:
        assert client.dbsize() == 129
        assert client.get("key:127") == VALUE


def fill(client: redis.Redis) -> tuple[list[int], str]:
    """Write until the server refuses; what it acknowledged, and its words."""
    acknowledged = []
    for number in range(1000):
        refusal = error_of(client, "SET", f"key:{number}", VALUE)
        if refusal is not None:
            return acknowledged, refusal
        acknowledged.append(number)
    raise AssertionError("the disk did not become full")


def test_an_aof_that_does_not_fit(start: Start, small_disk: Path, command: tuple[str, ...]) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "everysec")
    server = start(*options, folder=small_disk, command=command)
    with redis.Redis(port=server.port) as client:
        acknowledged, refusal = fill(client)
        assert refusal == AOF_REFUSAL
        assert len(acknowledged) > 50
        assert error_of(client, "INCR", "n") == AOF_REFUSAL
        assert client.info("persistence")["aof_last_write_status"] == "err"
        assert client.get(f"key:{acknowledged[-1]}") == VALUE

        (small_disk / "ballast").unlink()
        assert until(lambda: error_of(client, "SET", "after", "x") is None)
        assert client.info("persistence")["aof_last_write_status"] == "ok"
        assert until(lambda: client.info("persistence")["aof_buffer_length"] == 0)
    again = start(*options, folder=small_disk, command=command)
    with redis.Redis(port=again.port) as client:
        assert {f"key:{number}".encode() for number in acknowledged} | {b"after"} == set(client.keys("*"))
        assert all(client.get(f"key:{number}") == VALUE for number in acknowledged)


def test_an_aof_that_promised_to_be_on_the_disk(start: Start, small_disk: Path, command: tuple[str, ...]) -> None:
    """With appendfsync always the server stops sooner than break its word."""
    options = ("--appendonly", "yes", "--appendfsync", "always")
    server = start(*options, folder=small_disk, command=command)
    acknowledged: list[int] = []
    with redis.Redis(port=server.port, retry=None) as client:
        for number in range(1000):
            try:
                client.set(f"key:{number}", VALUE)
            except redis.ConnectionError:
                break
            acknowledged.append(number)
    assert until(lambda: not server.alive())
    assert server.process is not None
    assert server.process.returncode == 1
    assert len(acknowledged) > 50

    (small_disk / "ballast").unlink()
    again = start(*options, folder=small_disk, command=command)
    with redis.Redis(port=again.port) as client:
        assert {f"key:{number}".encode() for number in acknowledged} <= set(client.keys("*"))
        assert all(client.get(f"key:{number}") == VALUE for number in acknowledged)


def test_a_rewrite_that_does_not_fit(start: Start, small_disk: Path, command: tuple[str, ...]) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "everysec")
    server = start(*options, folder=small_disk, command=command)
    with redis.Redis(port=server.port) as client:
        for number in range(40):
            client.set(f"key:{number}", VALUE)
        client.bgrewriteaof()
        assert until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        assert client.info("persistence")["aof_last_bgrewrite_status"] == "err"
        assert error_of(client, "SET", "after", "x") is None
        assert until(lambda: client.info("persistence")["aof_buffer_length"] == 0)
    again = start(*options, folder=small_disk, command=command)
    with redis.Redis(port=again.port) as client:
        assert client.dbsize() == 41
