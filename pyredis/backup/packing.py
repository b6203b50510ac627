"""Archives out of snapshots: packed, read back, and only then given their name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from ..persistence.files import NewFile, remove, sync_directory
from .contents import AOF_DIRECTORY, AOF_MANIFEST, MANIFEST, RDB, Facts, File, aof_parts
from .names import Archive, temporary, temporary_snapshot
from .unpacking import unpack

if TYPE_CHECKING:
    import tarfile

COMPRESSION = 6
_PIECE = 1 << 18
_READ_ONLY_BY_OWNER = 0o600


class Cancelled(Exception):
    """The server stops: nobody waits for the archive any more."""


class Plan(NamedTuple):
    """An archive to be written by process *pid* into *directory*."""

    directory: str
    archive: Archive
    facts: Facts
    pid: int

    @property
    def path(self) -> str:
        return os.path.join(self.directory, self.archive.filename)

    @property
    def snapshot(self) -> str:
        """Where the snapshot is written before it is packed."""
        return temporary_snapshot(self.directory, self.pid, self.archive.label)

    @property
    def packed(self) -> str:
        """Where the archive is written before it gets its name."""
        return temporary(self.directory, self.pid, self.archive)


class SnapshotFile(NewFile):
    """The snapshot that goes into an archive; only its owner may read it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._sha256 = hashlib.sha256()
        self.error: OSError | None = None
        """What went wrong, for those who do not see the exception."""
        os.chmod(path, _READ_ONLY_BY_OWNER)

    def write(self, data: bytes) -> None:
        self._sha256.update(data)
        try:
            super().write(data)
        except OSError as error:
            self.error = error
            raise

    def finish(self) -> None:
        try:
            super().finish()
        except OSError as error:
            self.error = error
            raise

    @property
    def facts(self) -> File:
        """Its size and checksum so far."""
        return File(self.size, self._sha256.hexdigest())


def pack(plan: Plan, snapshot: File, progress: Callable[[float], object]) -> int:
    """Pack the snapshot of *plan*; the archive's size.  Raises OSError, BadArchive.

    *progress* hears which part of the work is done, from 0 to 1; what it raises stops the work.  The snapshot is
    removed; of a failure nothing remains.
    """
    packed = NewFile(plan.packed)
    try:
        os.chmod(plan.packed, _READ_ONLY_BY_OWNER)
        _write(packed, plan, snapshot, lambda done: progress(done * 0.8))
        packed.finish()
        unpack(plan.packed, progress=lambda done, total: progress(0.8 + 0.2 * done / max(1, total)))
        os.replace(plan.packed, plan.path)
    except BaseException:
        packed.discard()
        raise
    finally:
        remove(plan.snapshot)
    sync_directory(plan.path)
    return packed.size


def _write(out: NewFile, plan: Plan, snapshot: File, progress: Callable[[float], object]) -> None:
    import gzip  # the server's start must not wait for these
    import tarfile

    base, increment, text = aof_parts()
    nothing = File(0, hashlib.sha256().hexdigest())
    files = {
        RDB: snapshot,
        AOF_MANIFEST: File(len(text), hashlib.sha256(text).hexdigest()),
        base: snapshot,
        increment: nothing,
    }
    created = plan.facts.created
    total = 2 * max(1, snapshot.size)
    written = 0

    def copied(size: int) -> None:
        nonlocal written
        written += size
        progress(written / total)

    with (
        gzip.GzipFile("", "wb", COMPRESSION, cast(BinaryIO, out), mtime=created) as compressed,
        tarfile.TarFile(fileobj=compressed, mode="w", copybufsize=_PIECE) as tar,
    ):
        _add(tar, MANIFEST, created, plan.facts.manifest(plan.archive.label, files))
        _add_snapshot(tar, RDB, plan, snapshot, copied)
        directory = tarfile.TarInfo(AOF_DIRECTORY)
        directory.type, directory.mode, directory.mtime = tarfile.DIRTYPE, 0o755, created
        tar.addfile(directory)
        _add(tar, AOF_MANIFEST, created, text)
        _add_snapshot(tar, base, plan, snapshot, copied)
        _add(tar, increment, created, b"")


def _add(tar: tarfile.TarFile, name: str, created: int, data: bytes) -> None:
    import io

    entry = tar.tarinfo(name)
    entry.size, entry.mtime = len(data), created
    tar.addfile(entry, io.BytesIO(data))


def _add_snapshot(tar: tarfile.TarFile, name: str, plan: Plan, snapshot: File, copied: Callable[[int], object]) -> None:
    entry = tar.tarinfo(name)
    entry.size, entry.mtime = snapshot.size, plan.facts.created
    with open(plan.snapshot, "rb") as source:
        tar.addfile(entry, cast(BinaryIO, _Counted(source, copied)))


class _Counted:
    """A file whose readers are counted."""

    def __init__(self, source: BinaryIO, copied: Callable[[int], object]) -> None:
        self._source = source
        self._copied = copied

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._copied(len(data))
        return data
