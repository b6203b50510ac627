"""Archives at a second place, which fsspec reaches: ``s3://bucket/path``, ``sftp://host/path``, ``file:///mnt/x``."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .names import Archive, archives, masked, newest_first, parse_name
from .pruning import expired

_ATOMIC = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"})
"""Protocols of object stores: an object is there whole or not at all."""

Progress = Callable[[int, int], object]


class OffsiteError(Exception):
    """The other place cannot be used; the message says why, without credentials."""


@dataclass(slots=True)
class Uploaded:
    """What ``upload`` did.  *unpruned* says why old archives could not be removed there."""

    sent: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unpruned: str = ""


class Offsite:
    """A directory, bucket or prefix.  Every method raises OffsiteError for whatever goes wrong there."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            import fsspec  # an extra, and slow to import
        except ImportError:
            raise OffsiteError("backup-url needs the package fsspec: pip install 'pyredis-server[backup]'") from None
        with self._explained("open"):
            self._fs, self._path = fsspec.core.url_to_fs(url)
        protocol = self._fs.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        self._atomic = bool(names & _ATOMIC)

    def archives(self, label: str | None = None) -> list[Archive]:
        """What is there, newest first."""
        with self._explained("list"):
            if not self._fs.exists(self._path):
                return []
            entries = self._fs.ls(self._path, detail=True, refresh=True)
        found = []
        for entry in entries:
            archive = parse_name(posixpath.basename(str(entry["name"])))
            if archive is not None and label in (None, archive.label):
                found.append(Archive(archive.label, archive.created, int(entry.get("size") or 0)))
        return newest_first(found)

    def send(self, path: str) -> None:
        """Copy the file *path* there; what is seen there under its name is whole."""
        name = os.path.basename(path)
        target = posixpath.join(self._path, name)
        with self._explained("write to"):
            if self._atomic:
                self._fs.put_file(path, target)
            else:
                self._fs.makedirs(self._path, exist_ok=True)
                part = posixpath.join(self._path, f".{name}.part")
                self._fs.put_file(path, part)
                self._fs.mv(part, target)
            size = self._fs.info(target)["size"]
        if size != os.path.getsize(path):
            raise OffsiteError(f"{masked(self.url)} holds {size} bytes of {name} after the upload")

    def fetch(self, filename: str, path: str) -> None:
        """Copy archive *filename* from there to *path*."""
        with self._explained("read from"):
            self._fs.get_file(posixpath.join(self._path, filename), path)

    def fetch_this(self, path: str) -> None:
        """Copy what the URL itself names to *path*."""
        with self._explained("read"):
            self._fs.get_file(self._path, path)

    def remove(self, filename: str) -> None:
        """Delete archive *filename* there."""
        with self._explained("delete from"):
            self._fs.rm_file(posixpath.join(self._path, filename))

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each backend has errors of its own
            reason = masked(str(error).partition("\n")[0]) or type(error).__name__
            raise OffsiteError(f"cannot {what} {masked(self.url)}: {reason}") from error


def upload(
    directory: str, label: str, place: Offsite, days: int, now: int, progress: Progress | None = None
) -> Uploaded:
    """Send the archives of *directory* called *label* that *place* lacks, and remove those there older than *days*.

    Archives that the next pruning would remove are not sent.  Raises OffsiteError, OSError.
    """
    here = archives(directory, label)
    there = {archive.filename: archive.size for archive in place.archives(label)}
    old = set(expired(here, days, now))
    missing = [a for a in reversed(here) if a not in old and there.get(a.filename) != a.size]
    done = Uploaded()
    total, sent = sum(archive.size for archive in missing), 0
    for archive in missing:
        place.send(os.path.join(directory, archive.filename))
        done.sent.append(archive.filename)
        sent += archive.size
        if progress is not None:
            progress(sent, total)
    try:
        for archive in expired(place.archives(label), days, now):
            place.remove(archive.filename)
            done.removed.append(archive.filename)
    except OffsiteError as error:
        done.unpruned = str(error)
    return done
