"""What archives are called: ``NAME-20260131T030000Z.tar.gz``, the time being UTC."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from typing import NamedTuple

SUFFIX = ".tar.gz"
TEMPORARY = ".temp-backup-"
_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")
_STAMP = "%Y%m%dT%H%M%SZ"
_ARCHIVE = re.compile(
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z" + re.escape(SUFFIX)
)
_SNAPSHOT = ".rdb"
_TEMPORARY = re.compile(re.escape(TEMPORARY) + r"(\d+)-(.+)")


class Archive(NamedTuple):
    """An archive by its name: *label* is NAME, *created* is unix seconds."""

    label: str
    created: int
    size: int = -1

    @property
    def filename(self) -> str:
        """``NAME-UTCSTAMP.tar.gz``"""
        return f"{self.label}-{stamp(self.created)}{SUFFIX}"


def is_url(text: str) -> bool:
    """Whether *text* names another place than a file or directory of this machine."""
    return "://" in text


def masked(url: str) -> str:
    """*url* without user and password, for messages."""
    return _CREDENTIALS.sub("***@", url)


def stamp(moment: int) -> str:
    """*moment* as in names of files."""
    return time.strftime(_STAMP, time.gmtime(moment))


def parse_name(filename: str) -> Archive | None:
    """The archive *filename* names, None for any other file."""
    found = _ARCHIVE.fullmatch(filename)
    if found is None:
        return None
    import calendar  # imports datetime and locale

    fields = [int(digits) for digits in found.groups()[1:]]
    return Archive(found["name"], calendar.timegm((*fields, 0, 0, 0)))


def archives(directory: str, label: str | None = None) -> list[Archive]:
    """The archives in *directory*, newest first; only those called *label* if it is given.  Raises OSError."""
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            archive = parse_name(entry.name)
            if archive is not None and entry.is_file() and label in (None, archive.label):
                found.append(Archive(archive.label, archive.created, entry.stat().st_size))
    return newest_first(found)


def newest_first(found: Iterable[Archive]) -> list[Archive]:
    return sorted(found, key=lambda archive: (archive.created, archive.label), reverse=True)


def unused(directory: str, label: str, moment: int) -> Archive:
    """An archive of *moment*, or of the first second after it whose name is free in *directory*."""
    while True:
        archive = Archive(label, moment)
        if not os.path.lexists(os.path.join(directory, archive.filename)):
            return archive
        moment += 1


def temporary(directory: str, pid: int, archive: Archive) -> str:
    """The file that process *pid* writes *archive* to before it gets its name."""
    return os.path.join(directory, f"{TEMPORARY}{pid}-{archive.filename}")


def temporary_snapshot(directory: str, pid: int, label: str) -> str:
    """The file that process *pid* writes the snapshot to that it will pack."""
    return os.path.join(directory, f"{TEMPORARY}{pid}-{label}{_SNAPSHOT}")


def leftovers(directory: str, label: str, pid: int | None = None) -> list[str]:
    """Temporary files for archives called *label*, of process *pid* or of processes that are gone.  Raises OSError."""
    found = []
    for entry in os.listdir(directory):
        match = _TEMPORARY.fullmatch(entry)
        if match is None:
            continue
        archive = parse_name(match[2])
        if label != (match[2].removesuffix(_SNAPSHOT) if archive is None else archive.label):
            continue
        owner = int(match[1])
        if owner == pid or (pid is None and not _alive(owner)):
            found.append(os.path.join(directory, entry))
    return found


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
