"""Server processes that are killed, and a disk that is soon full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ...compat.servers import OURS, Server

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server in *folder*, by default the test's own; the one before it is killed with SIGKILL."""
    running: list[Server] = []

    def begin(*options: str, folder: Path = tmp_path, command: tuple[str, ...] = OURS) -> Server:
        for server in running:
            server.stop()
        server = Server.start(command, "--dir", str(folder), *options)
        running.append(server)
        return server

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB, 3 MB of which ``ballast`` takes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root on Linux")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    try:
        (folder / "ballast").write_bytes(bytes(3 << 20))
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
