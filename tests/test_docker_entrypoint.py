"""docker-entrypoint.sh: which program runs, with which options.  Without root, as a container with --user."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "docker-entrypoint.sh"

pytestmark = pytest.mark.skipif(
    shutil.which("sh") is None or not SCRIPT.exists(), reason="needs sh and docker-entrypoint.sh"
)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Stand-ins that print how they were called."""
    for name, body in (
        ("redis-server", 'echo "redis-server $*"; umask'),
        ("pyredis-server", 'echo "pyredis-server $*"; umask'),
        ("id", "echo 999"),
    ):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    (tmp_path / "plain.conf").write_text("port 7000\n")
    (tmp_path / "protected.conf").write_text("# ours\n Protected-Mode yes\n")
    return tmp_path


def run(programs: Path, *arguments: str) -> list[str]:
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", 'umask 0022; exec sh "$0" "$@"', str(SCRIPT), *arguments],
        cwd=programs, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ((), "redis-server --protected-mode no "),
        (("redis-server",), "redis-server --protected-mode no "),
        (("pyredis-server",), "pyredis-server --protected-mode no "),
        (("--requirepass", "pw"), "redis-server --protected-mode no --requirepass pw"),
        (("redis-server", "--requirepass", "pw"), "redis-server --protected-mode no --requirepass pw"),
        (("plain.conf", "--port", "1"), "redis-server plain.conf --protected-mode no --port 1"),
        (("protected.conf",), "redis-server protected.conf"),
        (("redis-server", "-"), "redis-server - --protected-mode no "),
        (("--protected-mode", "yes"), "redis-server --protected-mode yes"),
        (("--version",), "redis-server --version"),
    ],
)
def test_the_server_runs(programs: Path, arguments: tuple[str, ...], called: str) -> None:
    line, umask = run(programs, *arguments)
    assert line.rstrip() == called.rstrip()
    assert umask == "0077"


def test_anything_else_runs_as_it_is(programs: Path) -> None:
    assert run(programs, "sh", "-c", "echo hello; umask") == ["hello", "0022"]
