"""The append-only file from the first write to the next start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.persistence.aof.manifest import ManifestError, read_manifest
from pyredis.persistence.loading import LoadFailed

from ...conftest import Peer

Launch = Callable[..., Peer]
INCREMENT = "appendonlydir/appendonly.aof.1.incr.aof"


def test_writes_come_back_at_the_next_start(launch: Launch, tmp_path: Path) -> None:
    peer = launch(appendonly="yes")
    peer("SET", "a", 1)
    peer("SELECT", 3)
    peer("MULTI")
    peer("INCR", "a")
    peer("INCR", "a")
    peer("EXEC")
    assert (tmp_path / INCREMENT).read_bytes() == (
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
        b"*1\r\n$5\r\nMULTI\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"
        b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n"
    )
    second = launch(appendonly="yes")
    assert second("GET", "a") == b"$1\r\n1\r\n"
    second("SELECT", 3)
    assert second("GET", "a") == b"$1\r\n2\r\n"


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("mode", ["fork", "slices"])
def test_a_rewrite_puts_a_new_base_in_place(launch: Launch, tmp_path: Path, preamble: str, mode: str) -> None:
    peer = launch(appendonly="yes", aof_use_rdb_preamble=preamble, background_save=mode)
    peer("SET", "a", 1)
    peer("RPUSH", "l", *range(100))
    assert peer("BGREWRITEAOF") == b"+Background append only file rewriting started\r\n"
    peer("INCR", "a")
    persistence = peer.server.persistence
    if mode == "slices":
        persistence.aof._sliced.finish()
    else:
        persistence.children.wait()
    suffix = "rdb" if preamble == "yes" or mode == "slices" else "aof"
    names = sorted(path.name for path in (tmp_path / "appendonlydir").iterdir())
    assert names == [f"appendonly.aof.2.base.{suffix}", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]
    second = launch(appendonly="yes")
    assert second("GET", "a") == b"$1\r\n2\r\n"
    assert second("LLEN", "l") == b":100\r\n"


def test_switched_on_at_run_time_it_begins_with_a_rewrite(launch: Launch) -> None:
    peer = launch()
    peer("SET", "a", 1)
    assert peer("CONFIG", "SET", "appendonly", "yes") == b"+OK\r\n"
    peer("INCR", "a")
    peer.server.persistence.children.wait()
    peer("INCR", "a")
    assert launch(appendonly="yes")("GET", "a") == b"$1\r\n3\r\n"
    assert peer("CONFIG", "SET", "appendonly", "no") == b"+OK\r\n"
    peer("INCR", "a")
    assert launch(appendonly="yes")("GET", "a") == b"$1\r\n3\r\n"


def test_a_torn_tail_is_cut_off(launch: Launch, tmp_path: Path) -> None:
    launch(appendonly="yes")("SET", "a", 1)
    path = tmp_path / INCREMENT
    whole = path.read_bytes()
    path.write_bytes(whole + b"*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$4\r\nIN")
    with pytest.raises(LoadFailed):
        launch(appendonly="yes", aof_load_truncated="no")
    assert launch(appendonly="yes")("GET", "a") == b"$1\r\n1\r\n"
    assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", [b"!!!\r\n", b"*1\r\n$3\r\nbla\r\n", b"*1\r\n+3\r\nabc\r\n", b"*0\r\n"])
def test_damage_in_the_middle_is_refused(launch: Launch, tmp_path: Path, damage: bytes) -> None:
    launch(appendonly="yes")("SET", "a", 1)
    path = tmp_path / INCREMENT
    path.write_bytes(damage + path.read_bytes())
    with pytest.raises(LoadFailed):
        launch(appendonly="yes")


def test_the_single_file_of_older_servers_is_taken_in(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "appendonly.aof").write_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n7\r\n")
    assert launch(appendonly="yes")("GET", "a") == b"$1\r\n7\r\n"
    assert read_manifest(str(tmp_path / "appendonlydir/appendonly.aof.manifest")).text() == (
        "file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )


def test_expired_keys_live_while_the_file_is_loaded(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "appendonly.aof").write_bytes(
        b"*5\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n7\r\n$4\r\nPXAT\r\n$4\r\n1000\r\n"
        b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$7\r\nPERSIST\r\n$1\r\na\r\n"
    )
    assert launch(appendonly="yes")("GET", "a") == b"$1\r\n8\r\n"


def test_a_failed_write_stops_writes_until_the_disk_has_room(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = launch(appendonly="yes")
    writer = peer.server.persistence.aof.writer

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pyredis.persistence.aof.writer.write_all", full)
        assert peer("SET", "a", 1) == b"+OK\r\n"
        assert peer("SET", "a", 2) == b"-MISCONF Errors writing to the AOF file: No space left on device\r\n"
        assert peer("GET", "a") == b"$1\r\n1\r\n"
    writer.flush()
    assert peer("SET", "a", 3) == b"+OK\r\n"
    assert launch(appendonly="yes")("GET", "a") == b"$1\r\n3\r\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Found an empty AOF manifest"),
        ("file a seq 1 type b\nfile c seq 2 type b\n", "Found duplicate base file information"),
        ("file a seq 2 type i\nfile c seq 1 type i\n", "Found a non-monotonic sequence number"),
        ("file a seq 1 type x\n", "Unknown AOF file type"),
        ("file a seq 1\n", "Invalid AOF manifest file format"),
        ("file a/b seq 1 type b\n", "File can't be a path, just a filename"),
        ("file a seq 1 type b", "The AOF manifest file contains too long line"),
    ],
)
def test_bad_manifests(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "m"
    path.write_text(text)
    with pytest.raises(ManifestError, match=reason):
        read_manifest(str(path))
