"""An archive back into the directory of a server."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..persistence.files import sync_directory
from .contents import AOF_DIRECTORY, AOF_NAME, RDB
from .names import stamp
from .occupancy import DirectoryLock, occupant
from .unpacking import Progress, Unpacked, unpack

_FRESH = ".restore-"
_DATA = (RDB, AOF_DIRECTORY, AOF_NAME)
"""What a server would load: none of it may stay beside what is restored."""


class RestoreRefused(Exception):
    """The directory is not fit for it; the message says why."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: *aside* is where the former files are, None if there were none; *user* is who uses it still."""

    unpacked: Unpacked
    aside: str | None
    user: str | None


def restore(
    archive: str,
    directory: str,
    *,
    force: bool = False,
    progress: Progress | None = None,
    check: Callable[[str, Unpacked], object] | None = None,
    now: int | None = None,
) -> Restored:
    """Put the files of *archive* into *directory*, which is made if need be.

    Everything is unpacked, compared with the manifest, handed to *check* (which may raise) and synced beside its
    destination first; then it is moved.  With *force* also into a directory that is in use or not empty: what would be
    loaded there, and what has the name of a restored file, goes to ``before-restore-UTCSTAMP`` in it.

    Raises RestoreRefused, BadArchive, OSError, and what *check* raises; the directory is then as it was.
    """
    os.makedirs(directory, exist_ok=True)
    user = occupant(directory)
    if user is not None and not force:
        raise RestoreRefused(f"{directory} is in use by {user}: stop it first")
    if not force and any(name != "lost+found" and not name.startswith(_FRESH) for name in os.listdir(directory)):
        raise RestoreRefused(f"{directory} is not empty")
    lock = DirectoryLock()
    if not lock.take(directory, exclusive=True) and not force:
        raise RestoreRefused(f"{directory} is in use")
    moment = int(time.time()) if now is None else now
    for name in os.listdir(directory):
        if name.startswith(_FRESH):  # of one that was killed
            shutil.rmtree(os.path.join(directory, name))
    fresh = os.path.join(directory, f"{_FRESH}{os.getpid()}")
    os.mkdir(fresh, 0o700)
    try:
        unpacked = unpack(archive, fresh, progress=progress)
        if check is not None:
            check(fresh, unpacked)
        _settle_tree(fresh, directory)
        aside = _exchange(fresh, directory, moment)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        lock.release()
    return Restored(unpacked, aside, user)


def _settle_tree(fresh: str, directory: str) -> None:
    """Bring the names to the disk; if root restores, everything belongs to whom *directory* belongs to."""
    owner = os.stat(directory)
    give = os.name == "posix" and os.geteuid() == 0
    for parent, _, files in os.walk(fresh):
        if give:
            for path in (parent, *(os.path.join(parent, name) for name in files)):
                os.chown(path, owner.st_uid, owner.st_gid)
        sync_directory(os.path.join(parent, ""))


def _exchange(fresh: str, directory: str, moment: int) -> str | None:
    """Move what stands in the way aside and the new files in; the name of the directory with the old ones."""
    arriving = sorted(os.listdir(fresh))
    leaving = [name for name in dict.fromkeys((*arriving, *_DATA)) if os.path.lexists(os.path.join(directory, name))]
    aside = None
    moved: list[tuple[str, str]] = []
    try:
        if leaving:
            aside = _new_directory(directory, f"before-restore-{stamp(moment)}")
            for name in leaving:
                _move(os.path.join(directory, name), os.path.join(aside, name), moved)
            sync_directory(os.path.join(aside, ""))
        for name in arriving:
            _move(os.path.join(fresh, name), os.path.join(directory, name), moved)
        sync_directory(os.path.join(directory, ""))
    except OSError:
        for source, target in reversed(moved):
            os.rename(target, source)
        raise
    return aside


def _move(source: str, target: str, moved: list[tuple[str, str]]) -> None:
    os.rename(source, target)
    moved.append((source, target))


def _new_directory(parent: str, name: str) -> str:
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        path = os.path.join(parent, name + suffix)
        if not os.path.lexists(path):
            os.mkdir(path, 0o700)
            return path
    raise FileExistsError(17, os.strerror(17), os.path.join(parent, name))
