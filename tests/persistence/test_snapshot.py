"""SAVE, BGSAVE, save points and what failure does to writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.engine.shutdown import NOSAVE, SAVE
from pyredis.persistence.loading import LoadFailed

from ..conftest import Peer

Launch = Callable[..., Peer]


def finish_child(peer: Peer) -> None:
    """Wait for the background child of *peer*'s server."""
    peer.server.persistence.children.wait()


def fill(peer: Peer) -> None:
    peer("SET", "s", "v")
    peer("RPUSH", "l", 1, 2, 3)
    peer("HSET", "h", "f", "v")
    peer("SADD", "set", "a", "b")
    peer("ZADD", "z", 1.5, "m")
    peer("SET", "t", "v", "PXAT", 1_800_000_000_000)
    peer("SET", "n", 1)


def digest(peer: Peer) -> bytes:
    peer.server.config.enable_debug_command = "yes"
    return peer("DEBUG", "DIGEST")


def test_a_saved_data_set_is_loaded_at_the_next_start(launch: Launch) -> None:
    first = launch()
    fill(first)
    assert first("SAVE") == b"+OK\r\n"
    assert first.server.dirty == 0
    second = launch()
    assert digest(second) == digest(first)
    assert second("PEXPIRETIME", "t") == b":1800000000000\r\n"


@pytest.mark.parametrize("maxmemory", ["0", "1gb"])
@pytest.mark.parametrize("mode", ["fork", "slices"])
def test_a_background_save_shows_the_moment_it_began(launch: Launch, mode: str, maxmemory: str, tmp_path: Path) -> None:
    peer = launch(background_save=mode, maxmemory=maxmemory)
    kind = type(peer.server.databases[0].data)
    fill(peer)
    before = digest(peer)
    assert peer("BGSAVE") == b"+Background saving started\r\n"
    assert peer("BGSAVE") == b"-ERR Background save already in progress\r\n"
    assert peer("SAVE") == b"-ERR Background save already in progress\r\n"
    peer("RPUSH", "l", 4)
    peer("LPUSH", "l", 0)
    peer("HSET", "h", "f", "w")
    peer("SADD", "set", "c")
    peer("ZADD", "z", 2, "m")
    peer("APPEND", "s", "tail")
    peer("DEL", "s")
    peer("SET", "new", 1)
    peer("PERSIST", "t")
    peer("INCR", "n")
    snapshots = peer.server.persistence.snapshots
    if mode == "slices":
        snapshots.sliced.finish()
    else:
        finish_child(peer)
    assert snapshots.last_ok
    assert not list(tmp_path.glob("temp-*"))
    assert digest(launch()) == before
    assert peer.server.dirty == 10
    assert type(peer.server.databases[0].data) is kind


def test_flushall_in_the_middle_of_a_sliced_save_voids_it(launch: Launch, tmp_path: Path) -> None:
    peer = launch(background_save="slices")
    fill(peer)
    peer("BGSAVE")
    assert peer("FLUSHALL") == b"+OK\r\n"
    assert peer.server.persistence.children.kind is None
    assert list(tmp_path.iterdir()) == []


def test_flushdb_in_the_middle_of_a_sliced_save_keeps_its_keys(launch: Launch) -> None:
    peer = launch(background_save="slices")
    fill(peer)
    before = digest(peer)
    peer("BGSAVE")
    peer("FLUSHDB")
    peer.server.persistence.snapshots.sliced.finish()
    assert digest(launch()) == before


def test_a_killed_child_leaves_the_old_file_and_no_temporary_one(launch: Launch, tmp_path: Path) -> None:
    peer = launch(rdb_key_save_delay="10000000")
    peer("SET", "k", "old")
    peer.server.config.rdb_key_save_delay = 0
    peer("SAVE")
    peer.server.config.rdb_key_save_delay = 10_000_000
    peer("SET", "k", "new")
    peer("BGSAVE")
    peer.server.persistence.children.kill()
    finish_child(peer)
    assert peer.server.persistence.snapshots.last_ok  # it was killed on purpose
    assert [path.name for path in tmp_path.iterdir()] == ["dump.rdb"]
    assert launch()("GET", "k") == b"$3\r\nold\r\n"


def test_a_failed_save_stops_writes_until_one_succeeds(launch: Launch, tmp_path: Path) -> None:
    peer = launch(enable_protected_configs="yes")
    peer("CONFIG", "SET", "save", "3600 1")
    (tmp_path / "dump.rdb").mkdir()
    (tmp_path / "dump.rdb" / "x").write_bytes(b"")
    peer("BGSAVE")
    finish_child(peer)
    assert peer("SET", "k", "v").startswith(b"-MISCONF Redis is configured to save RDB snapshots")
    assert peer("GET", "k") == b"$-1\r\n"
    peer("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    assert peer("SET", "k", "v") == b"+OK\r\n"
    peer("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes", "dbfilename", "dump2.rdb")
    assert peer("SAVE") == b"+OK\r\n"
    assert peer("SET", "k", "v") == b"+OK\r\n"


def test_a_save_point_saves(launch: Launch, clock: object, tmp_path: Path) -> None:
    peer = launch()
    peer("CONFIG", "SET", "save", "60 2")
    peer("SET", "a", 1)
    clock.advance(seconds=100)  # type: ignore[attr-defined]
    peer.server.persistence.cron()
    assert not peer.server.persistence.children.active
    peer("SET", "b", 1)
    peer.server.persistence.cron()
    finish_child(peer)
    assert (tmp_path / "dump.rdb").exists()


def test_shutdown_saves_as_it_is_told(launch: Launch, tmp_path: Path) -> None:
    peer = launch()
    peer("SET", "k", "v")
    peer.server.persistence.shut_down(NOSAVE)
    assert not (tmp_path / "dump.rdb").exists()
    peer.server.persistence.shut_down(SAVE)
    assert (tmp_path / "dump.rdb").exists()


def test_a_damaged_file_is_refused(launch: Launch, tmp_path: Path) -> None:
    peer = launch()
    fill(peer)
    peer("SAVE")
    path = tmp_path / "dump.rdb"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(LoadFailed):
        launch()


def test_reload_keeps_everything(launch: Launch) -> None:
    peer = launch(enable_debug_command="yes")
    fill(peer)
    before = digest(peer)
    assert peer("DEBUG", "RELOAD") == b"+OK\r\n"
    assert digest(peer) == before
    assert peer("DEBUG", "RELOAD", "x") == (
        b"-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.\r\n"
    )
