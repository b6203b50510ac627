"""Archives that have been kept long enough."""

from __future__ import annotations

import os
from collections.abc import Callable

from .contents import BadArchive
from .names import Archive
from .unpacking import unpack

DAY = 86400


def expired(found: list[Archive], days: int, now: int) -> list[Archive]:
    """Those of *found* (newest first) that are older than *days*, 0 meaning that all are kept.

    The newest archive of each name is never among them, however old it is.
    """
    if not days:
        return []
    seen: set[str] = set()
    old = []
    for archive in found:
        if archive.label in seen and now - archive.created > days * DAY:
            old.append(archive)
        seen.add(archive.label)
    return old


def spare_last_good(found: list[Archive], old: list[Archive], is_good: Callable[[Archive], bool]) -> list[Archive]:
    """*old* without the newest good archive of each name, if all newer ones of *found* turn out to be bad."""
    spared = set()
    doomed = set(old)
    for label in {archive.label for archive in old}:
        for archive in found:
            if archive.label == label and is_good(archive):
                if archive in doomed:
                    spared.add(archive)
                break
    return [archive for archive in old if archive not in spared]


def is_whole(path: str) -> bool:
    """Whether the archive at *path* can be read and is what its manifest says."""
    try:
        unpack(path)
    except (BadArchive, OSError):
        return False
    return True


def remove_all(directory: str, doomed: list[Archive]) -> int:
    """Delete *doomed*; how many there were.  Raises OSError."""
    for archive in doomed:
        os.unlink(os.path.join(directory, archive.filename))
    return len(doomed)
