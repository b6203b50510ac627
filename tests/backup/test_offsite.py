"""Archives at a second place, through fsspec's file system in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyredis.backup.names import masked
from pyredis.backup.offsite import Offsite, OffsiteError, upload
from pyredis.backup.uploads import Sent, read_report

from .conftest import DAY, MIDNIGHT

fsspec = pytest.importorskip("fsspec", reason="the package fsspec is missing")


@pytest.fixture(params=["memory://backups", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield request.param if "memory" in request.param else f"file://{tmp_path}/there"
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def here(make_archive: Callable[..., Path], tmp_path: Path) -> Path:
    directory = tmp_path / "here"
    directory.mkdir()
    for days in range(3):
        make_archive(MIDNIGHT - days * DAY, directory=directory)
    make_archive(MIDNIGHT, label="other", directory=directory)
    return directory


def names(place: Offsite) -> list[str]:
    return [archive.filename for archive in place.archives()]


def test_what_is_missing_there_is_sent_oldest_first(here: Path, url: str) -> None:
    place = Offsite(url)
    assert place.archives() == []
    done = upload(str(here), "test", place, 7, MIDNIGHT)
    assert done.sent == [f"test-202311{day}T000000Z.tar.gz" for day in (13, 14, 15)]
    assert names(place) == done.sent[::-1]
    assert upload(str(here), "test", place, 7, MIDNIGHT).sent == []


def test_what_arrives_is_what_was_sent(here: Path, url: str, tmp_path: Path) -> None:
    place = Offsite(url)
    upload(str(here), "test", place, 7, MIDNIGHT)
    name = names(place)[0]
    place.fetch(name, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (here / name).read_bytes()
    Offsite(f"{url}/{name}").fetch_this(str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == (here / name).read_bytes()
    assert not [path for path in place._fs.ls(place._path, detail=False) if path.endswith(".part")]


def test_an_archive_that_arrived_only_in_part_is_sent_again(here: Path, url: str) -> None:
    place = Offsite(url)
    upload(str(here), "test", place, 7, MIDNIGHT)
    name = names(place)[1]
    with place._fs.open(f"{place._path}/{name}", "wb") as file:
        file.write(b"half")
    assert upload(str(here), "test", place, 7, MIDNIGHT).sent == [name]


def test_old_ones_are_removed_there_but_never_the_last(here: Path, url: str) -> None:
    place = Offsite(url)
    upload(str(here), "test", place, 7, MIDNIGHT)
    upload(str(here), "other", place, 7, MIDNIGHT)
    done = upload(str(here), "test", place, 1, MIDNIGHT + DAY)
    assert done.removed == ["test-20231114T000000Z.tar.gz", "test-20231113T000000Z.tar.gz"]
    assert done.sent == []
    upload(str(here), "test", place, 1, MIDNIGHT + 100 * DAY)
    assert names(place) == ["test-20231115T000000Z.tar.gz", "other-20231115T000000Z.tar.gz"]


def test_a_place_that_forbids_deleting_is_no_failure(
    here: Path, monkeypatch: pytest.MonkeyPatch, make_archive: Callable[..., Path]
) -> None:
    place = Offsite("memory://locked")
    upload(str(here), "test", place, 7, MIDNIGHT)

    remove = place._fs.rm_file

    def forbidden(path: str) -> None:
        if path.endswith(".tar.gz"):
            raise PermissionError("Access Denied")
        remove(path)

    monkeypatch.setattr(place._fs, "rm_file", forbidden)
    make_archive(MIDNIGHT + 30 * DAY, directory=here)
    done = upload(str(here), "test", place, 7, MIDNIGHT + 30 * DAY)
    assert len(done.sent) == 1
    assert done.unpruned == "cannot delete from memory://locked: Access Denied"
    place._fs.store.clear()


def test_a_place_that_cannot_be_written_says_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Offsite("memory://full")

    def full(*arguments: object) -> None:
        raise OSError("quota exceeded")

    monkeypatch.setattr(place._fs, "put_file", full)
    with pytest.raises(OffsiteError, match="cannot write to memory://full: quota exceeded"):
        upload(str(here), "test", place, 7, MIDNIGHT)
    place._fs.store.clear()


def test_secrets_are_masked() -> None:
    assert masked("sftp://me:secret@host/x") == "sftp://***@host/x"
    assert masked("s3://bucket/a@b") == "s3://bucket/a@b"


def test_what_the_upload_process_says() -> None:
    assert read_report(b'{"sent": ["a"], "removed": [], "unpruned": ""}', b"") == Sent(("a",))
    assert read_report(b'{"error": "no"}', b"") == Sent(error="no")
    assert read_report(b"", b"Traceback ...\nImportError: x\n") == Sent(error="ImportError: x")
    assert read_report(b"", b"") == Sent(error="the upload said nothing")
