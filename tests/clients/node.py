"""Packages of npm for the tests that run clients in JavaScript; installed once and kept in the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_INSTALL_SECONDS = 180


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "pyredis-tests" / "node"


def require_packages(*packages: str) -> Path:
    """A directory whose ``node_modules`` has *packages* (``name@version``); skips the test where there is no npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    directory = cache_directory() / "+".join(sorted(packages)).replace("/", "_")
    if not (directory / "complete").exists():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text('{"private": true}')
        command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *packages]
        try:
            subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"npm could not install {' '.join(packages)}: {error}")
        (directory / "complete").touch()
    return directory


def run_script(directory: Path, script: Path, *arguments: str, timeout: float = 60) -> str:
    """What *script* prints when node runs it with the packages of *directory*."""
    environment = {**os.environ, "NODE_PATH": str(directory / "node_modules")}
    done = subprocess.run(
        ["node", str(script), *arguments], env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
