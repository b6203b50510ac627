"""Reading archives: their files against their manifest, into a directory or only to look."""

from __future__ import annotations

import hashlib
import os
import posixpath
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from ..persistence.files import NewFile
from .contents import AOF_MANIFEST, MANIFEST, RDB, BadArchive, Description, File

if TYPE_CHECKING:
    import tarfile

_PIECE = 1 << 18
_LONGEST_MANIFEST = 1 << 20

Progress = Callable[[int, int], object]
"""Takes how many bytes of the archive have been read, and how many there are."""


class Unpacked:
    """What an archive turned out to hold."""

    def __init__(self) -> None:
        self.description: Description | None = None
        """None if it has no MANIFEST.json, as the archives of others."""
        self.files: dict[str, File] = {}


def unpack(path: str, directory: str | None = None, *, progress: Progress | None = None) -> Unpacked:
    """Read all of the archive at *path*; with *directory*, write its files there, synced.

    Raises BadArchive if it is damaged, is not what its manifest says, holds no data set or anything but plain files
    and directories below its root; OSError if something cannot be read or written.
    """
    found = Unpacked()
    with opened(path, progress) as (tar, drain):
        for entry in tar:
            name = posixpath.normpath(entry.name)
            if name.startswith(("/", "../")) or name == ".." or "\\" in name or "\0" in name:
                raise BadArchive(f"{entry.name!r} lies outside of the archive")
            if entry.isdir():
                continue
            source = tar.extractfile(entry) if entry.isreg() else None
            if source is None:
                raise BadArchive(f"{name!r} is neither a file nor a directory")
            if name in found.files:
                raise BadArchive(f"{name!r} is there twice")
            if name == MANIFEST:
                if entry.size > _LONGEST_MANIFEST:
                    raise BadArchive(f"{MANIFEST} is too long")
                found.description = Description(source.read())
                continue
            found.files[name] = _take(source, None if directory is None else os.path.join(directory, name))
        drain()
    _compare(found)
    return found


def describe(path: str) -> Description | None:
    """MANIFEST.json of the archive at *path*, which is its first file; None if there is none.  Raises BadArchive."""
    with opened(path) as (tar, _):
        entry = tar.next()
        if entry is None or posixpath.normpath(entry.name) != MANIFEST or entry.size > _LONGEST_MANIFEST:
            return None
        source = tar.extractfile(entry)
        return None if source is None else Description(source.read())


@contextmanager
def opened(path: str, progress: Progress | None = None) -> Iterator[tuple[tarfile.TarFile, Callable[[], None]]]:
    """The archive at *path* as a stream, and what reads the rest, so that the last checksum is looked at, too."""
    import gzip  # the server's start must not wait for these
    import tarfile

    with open(path, "rb") as raw:
        total = os.fstat(raw.fileno()).st_size
        with gzip.GzipFile(fileobj=_Watched(raw, total, progress)) as plain:

            def drain() -> None:
                while plain.read(_PIECE):
                    pass

            try:
                with tarfile.open(fileobj=plain, mode="r|") as tar:
                    yield tar, drain
            except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise BadArchive(f"the archive is damaged: {error}") from None


def _take(source: IO[bytes], path: str | None) -> File:
    """Read *source* to its end, into a new file at *path* if there is one."""
    digest, size = hashlib.sha256(), 0
    target = None
    if path is not None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        target = NewFile(path)
    try:
        while data := source.read(_PIECE):
            digest.update(data)
            size += len(data)
            if target is not None:
                target.write(data)
        if target is not None:
            target.finish()
    except BaseException:
        if target is not None:
            target.discard()
        raise
    return File(size, digest.hexdigest())


def _compare(found: Unpacked) -> None:
    if RDB not in found.files and AOF_MANIFEST not in found.files:
        raise BadArchive(f"there is neither {RDB} nor {AOF_MANIFEST} in it")
    if found.description is None:
        return
    promised = found.description.files
    for name in promised.keys() - found.files.keys():
        raise BadArchive(f"{name} is missing")
    for name, file in found.files.items():
        wanted = promised.get(name)
        if wanted is None:
            raise BadArchive(f"{name} is not in {MANIFEST}")
        if file != wanted:
            raise BadArchive(f"{name} is not the file that {MANIFEST} describes: its sha256 is {file.sha256}")


class _Watched:
    """A file that tells how far it has been read."""

    def __init__(self, raw: IO[bytes], total: int, progress: Progress | None) -> None:
        self._raw = raw
        self._total = total
        self._progress = progress
        self._done = 0
        self.seekable = raw.seekable
        self.tell = raw.tell
        self.seek = raw.seek

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._done += len(data)
        if self._progress is not None:
            self._progress(self._done, self._total)
        return data
