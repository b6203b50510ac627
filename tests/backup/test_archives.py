"""Packing and unpacking: what is in an archive, what damage is found, and what a full disk leaves behind."""

from __future__ import annotations

import errno
import gzip
import json
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.backup.contents import MANIFEST, RDB, BadArchive
from pyredis.backup.packing import pack
from pyredis.backup.unpacking import describe, unpack

from .conftest import EMPTY_RDB, MIDNIGHT, full, plan_for, tar_of, write_snapshot

BASE = "appendonlydir/appendonly.aof.1.base.rdb"
INCREMENT = "appendonlydir/appendonly.aof.1.incr.aof"
AOF_MANIFEST = "appendonlydir/appendonly.aof.manifest"


def test_an_archive_holds_the_same_snapshot_twice(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    path = make_archive()
    with tarfile.open(path) as tar:
        assert tar.getnames() == [MANIFEST, RDB, "appendonlydir", AOF_MANIFEST, BASE, INCREMENT]
        assert {entry.mtime for entry in tar} == {MIDNIGHT}
    unpack(str(path), str(tmp_path / "out"))
    assert (tmp_path / "out" / RDB).read_bytes() == (tmp_path / "out" / BASE).read_bytes() == EMPTY_RDB
    assert (tmp_path / "out" / INCREMENT).read_bytes() == b""
    assert (tmp_path / "out" / AOF_MANIFEST).read_text() == (
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_only_its_owner_may_read_it_and_nothing_else_remains(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    path = make_archive()
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [path.name]


def test_the_manifest_describes_it(make_archive: Callable[..., Path]) -> None:
    described = describe(str(make_archive()))
    assert described is not None
    assert described.created == MIDNIGHT
    assert described.fields["created"] == "2023-11-15T00:00:00Z"
    assert described.fields["name"] == "test"
    assert described.files.keys() == {RDB, AOF_MANIFEST, BASE, INCREMENT}


@pytest.mark.parametrize("call", ["write", "fsync", "fdatasync", "replace"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_archive: Callable[..., Path], call: str
) -> None:
    before = make_archive()
    plan = plan_for(tmp_path, MIDNIGHT + 60)
    snapshot = write_snapshot(plan, random.Random(1).randbytes(5 << 20))

    if call == "fdatasync":
        monkeypatch.setattr("pyredis.persistence.files.sync_data", full)
    else:
        monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError) as failed:
        pack(plan, snapshot, lambda part: None)
    assert failed.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [before.name]
    unpack(str(before))


def test_an_archive_that_was_not_written_as_meant_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_for(tmp_path)
    snapshot = write_snapshot(plan, bytes(1000))
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(byte ^ 1 for byte in bytes(data))))
    with pytest.raises(BadArchive):
        pack(plan, snapshot, lambda part: None)
    assert os.listdir(tmp_path) == []


def test_progress_rises_from_0_to_1(tmp_path: Path) -> None:
    plan = plan_for(tmp_path)
    parts: list[float] = []
    pack(plan, write_snapshot(plan, random.Random(1).randbytes(1 << 20)), parts.append)
    assert parts == sorted(parts)
    assert parts[0] < 0.5
    assert parts[-1] == 1.0


def test_every_truncation_is_found(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    data = make_archive().read_bytes()
    broken = tmp_path / "broken.tar.gz"
    for size in range(len(data)):
        broken.write_bytes(data[:size])
        with pytest.raises(BadArchive):
            unpack(str(broken))


def test_every_flipped_bit_that_matters_is_found(make_archive: Callable[..., Path], tmp_path: Path) -> None:
    """Some bits say nothing about the data, such as the time in gzip's header: those may flip unseen."""
    path = make_archive()
    data = path.read_bytes()
    plain = gzip.decompress(data)
    broken = tmp_path / "broken.tar.gz"
    random_ = random.Random(7)
    for _ in range(400):
        at = random_.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << random_.randrange(8)
        broken.write_bytes(changed)
        try:
            unpack(str(broken))
        except BadArchive:
            continue
        assert gzip.decompress(bytes(changed)) == plain


def repacked(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The archive at *path* with other files in it."""
    with tarfile.open(path) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]
    change(files)
    return tar_of(path, files)


def test_files_that_are_not_those_of_the_manifest_are_found(make_archive: Callable[..., Path]) -> None:
    def refusal(change: Callable[[dict[str, bytes]], object]) -> str:
        with pytest.raises(BadArchive) as bad:
            unpack(str(repacked(make_archive(), change)))
        return str(bad.value)

    assert refusal(lambda files: files.update({RDB: EMPTY_RDB[:-1] + b"\1"})).startswith("dump.rdb is not the file")
    assert refusal(lambda files: files.pop(BASE)) == f"{BASE} is missing"
    assert refusal(lambda files: files.update(more=b"")) == "more is not in MANIFEST.json"
    assert refusal(lambda files: files.update({MANIFEST: b"{}"})).startswith("MANIFEST.json cannot be read")
    assert refusal(lambda files: files.update({MANIFEST: b"nonsense"})).startswith("MANIFEST.json cannot be read")

    def from_the_future(files: dict[str, bytes]) -> None:
        files[MANIFEST] = json.dumps({**json.loads(files[MANIFEST]), "format": 2}).encode()

    assert refusal(from_the_future) == "MANIFEST.json is of format 2, which needs a newer pyredis"


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize(
    "evil",
    [
        entry("/etc/evil"),
        entry("../evil"),
        entry("appendonlydir/../../evil"),
        entry("..", tarfile.DIRTYPE),
        entry("link", tarfile.SYMTYPE, "/etc"),
        entry("link", tarfile.LNKTYPE, "dump.rdb"),
        entry("pipe", tarfile.FIFOTYPE),
        entry("dump.rdb"),
        entry("a\\evil"),
    ],
    ids=lambda evil: f"{evil.name} {evil.type}",
)
def test_nothing_is_written_outside_of_the_directory(tmp_path: Path, evil: tarfile.TarInfo) -> None:
    path = tar_of(tmp_path / "evil.tar.gz", {RDB: EMPTY_RDB}, evil)
    with pytest.raises(BadArchive):
        unpack(str(path), str(tmp_path / "out"))
    assert sorted(os.listdir(tmp_path)) == ["evil.tar.gz", "out"]


def test_archives_of_others_have_no_manifest(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "other.tar.gz", {f"./{RDB}": EMPTY_RDB})
    assert describe(str(path)) is None
    unpacked = unpack(str(path), str(tmp_path / "out"))
    assert unpacked.description is None
    assert unpacked.files.keys() == {RDB}


def test_an_archive_without_data_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="there is neither"):
        unpack(str(tar_of(tmp_path / "empty.tar.gz", {"readme": b""})))
    (tmp_path / "text.tar.gz").write_text("not an archive")
    with pytest.raises(BadArchive, match="damaged"):
        unpack(str(tmp_path / "text.tar.gz"))
