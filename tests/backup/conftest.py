"""Servers that back up into a directory of the test's own, at a time that the test moves."""

from __future__ import annotations

import errno
import io
import os
import random
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyredis.app import build_server
from pyredis.backup.contents import Facts, File
from pyredis.backup.names import Archive, archives
from pyredis.backup.packing import Plan, SnapshotFile, pack
from pyredis.config.config import Config
from pyredis.engine.log import Log
from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock

from ..conftest import Peer

HOUR, DAY = 3600, 86400
MIDNIGHT = 1_700_006_400
"""2023-11-15 00:00 UTC"""
EMPTY_RDB = b"REDIS0011\xff" + bytes(8)
"""No key, and no checksum."""


def full(*arguments: object) -> int:
    """In place of a call that writes: the disk is full."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Machine:
    """One machine: its clock, its disk, and the server on it, which may be switched off and on."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        self.directory = directory
        self.archives_directory = directory / "backups"
        self.clock = clock
        self.said = io.StringIO()
        self.server: Server
        self.send: Peer

    def start(self, **directives: str) -> Machine:
        """Start a server with *directives* besides those of a daily backup at midnight."""
        config = Config()
        config.dir = str(self.directory)
        defaults = {"save": "", "backup_dir": "backups", "backup_schedule": "@daily", "backup_name": "test"}
        for name, value in {**defaults, **directives}.items():
            config.load(name.replace("_", "-").encode(), [value.encode()])
        self.server = build_server(
            config, clock=self.clock, rng=random.Random(1), log=Log(self.clock, 0, "", self.said)
        )
        self.server.persistence.load_now()
        self.send = Peer(self.server)
        return self

    def stop(self) -> None:
        """Switch it off."""
        self.server.backup.close()
        self.server.persistence.close()

    def turn(self, seconds: float = 0) -> None:
        """Let time pass, and the server do what is due."""
        self.clock.advance(seconds)
        self.server.cron.turn()

    def finish(self) -> None:
        """Wait for the end of the backup that runs."""
        taking = self.server.backup.taking
        assert taking is not None
        self.server.persistence.children.wait()
        taking.finish_slices()
        assert self.server.backup.taking is None

    def backup(self, seconds: float = 0) -> None:
        """Let time pass, until a backup has been taken."""
        self.turn(seconds)
        self.finish()

    def info(self) -> dict[str, str]:
        """INFO backup."""
        lines = self.send("INFO", "backup").decode().split("\r\n")
        return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}

    def archives(self) -> list[Archive]:
        """Newest first."""
        return archives(str(self.archives_directory))

    @property
    def files(self) -> list[str]:
        """Names in the directory of the archives."""
        return sorted(os.listdir(self.archives_directory))

    def path(self, at: int = 0) -> str:
        """Where the newest archive lies, or the one after *at* others."""
        return str(self.archives_directory / self.archives()[at].filename)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, ManualClock((MIDNIGHT + 10 * HOUR) * 1_000_000_000))
    yield made
    if hasattr(made, "server"):
        made.stop()


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """Writes an archive without keys into a directory; its path."""

    def make(created: int = MIDNIGHT, *, label: str = "test", directory: Path | None = None) -> Path:
        plan = plan_for(directory or tmp_path, created, label)
        pack(plan, write_snapshot(plan), lambda part: None)
        return Path(plan.path)

    return make


def plan_for(directory: Path, created: int = MIDNIGHT, label: str = "test") -> Plan:
    facts = Facts(created, {}, 0, 11, "0" * 40, 0, "master", "1" * 40, 6379)
    return Plan(str(directory), Archive(label, created), facts, os.getpid())


def write_snapshot(plan: Plan, data: bytes = EMPTY_RDB) -> File:
    snapshot = SnapshotFile(plan.snapshot)
    snapshot.write(data)
    snapshot.finish()
    return snapshot.facts


def tar_of(path: Path, files: dict[str, bytes], *entries: tarfile.TarInfo) -> Path:
    """A tar.gz of *files* and *entries*."""
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for entry in entries:
            tar.addfile(entry)
    return path
