"""Inputs that a fuzzer once found worth keeping: a zip per target, replayed with every run of the tests.

``python -m tests.fuzz TARGET --record`` writes them, from the inputs that led to new code, as many as ``SHARE`` takes.
"""

from __future__ import annotations

import zipfile
from hashlib import sha1
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
SHARE = 48 * 1024
"""Bytes of inputs per target."""
LONGEST = 4096
EPOCH = (1980, 1, 1, 0, 0, 0)


def archive(target: str) -> Path:
    return CORPUS / f"{target}.zip"


def load(target: str) -> list[bytes]:
    """The recorded inputs of *target*."""
    path = archive(target)
    if not path.exists():
        return []
    with zipfile.ZipFile(path) as file:
        return [file.read(name) for name in file.namelist()]


def record(target: str, found: Path) -> int:
    """Keep some of the inputs in the directory *found*, chosen by their digests; how many."""
    inputs = {sha1(data).hexdigest(): data for data in (path.read_bytes() for path in found.iterdir())}
    room, kept = SHARE, 0
    with zipfile.ZipFile(archive(target), "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in sorted(inputs.items()):
            if len(data) > min(LONGEST, room):
                continue
            room -= len(data)
            kept += 1
            file.writestr(zipfile.ZipInfo(name[:12], EPOCH), data, zipfile.ZIP_DEFLATED)
    return kept
