"""Where the two servers of a comparison come from."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..waiting import until
from .wire import Connection, Disconnected

ROOT = Path(__file__).resolve().parents[2]
OURS = (sys.executable, "-m", "pyredis")


def find_oracle() -> str | None:
    """The real server: ``$PYREDIS_ORACLE``, else ``redis-server``, else ``valkey-server`` on PATH."""
    named = os.environ.get("PYREDIS_ORACLE")
    if named:
        return named
    return shutil.which("redis-server") or shutil.which("valkey-server")


MISSING = "no real server: set PYREDIS_ORACLE, or put redis-server or valkey-server on PATH"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process of our own, or one that already listens."""

    def __init__(self, port: int, process: subprocess.Popen[bytes] | None = None, home: str = "") -> None:
        self.port = port
        self.process = process
        self.home = home

    @classmethod
    def start(cls, command: Sequence[str], *options: str) -> Server:
        """Start *command* on a free loopback port, without persistence, in a directory of its own."""
        port = free_port()
        home = tempfile.mkdtemp(prefix="compat-")
        argv = [*command, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", home, *options]
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
        with open(os.path.join(home, "log"), "wb") as log:
            process = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=home
            )
        server = cls(port, process, home)
        try:
            server.wait()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def log(self) -> str:
        path = Path(self.home, "log")
        return path.read_text(errors="replace") if self.home and path.exists() else ""

    def connect(self, timeout: float = 10.0) -> Connection:
        return Connection(self.address, timeout)

    def alive(self) -> bool:
        return self.process is None or self.process.poll() is None

    def wait(self, seconds: float = 20.0) -> None:
        """Until the server answers PING."""

        def answers() -> bool:
            if not self.alive():
                raise RuntimeError(f"the server did not start:\n{self.log}")
            try:
                connection = self.connect(2.0)
                answer = connection.call(b"PING")
                connection.close()
            except (OSError, Disconnected):
                return False
            return answer == (b"+", b"PONG")

        if not until(answers, seconds):
            raise RuntimeError(f"no PONG within {seconds:g} s:\n{self.log}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)


def version_of(connection: Connection) -> tuple[str, tuple[int, ...]]:
    """``("redis", (7, 2, 4))`` or ``("valkey", (8, 0, 1))``, as INFO says."""
    _, text = connection.call(b"INFO", b"server")
    if isinstance(text, bytes):
        for pattern, name in ((rb"valkey_version:([\d.]+)", "valkey"), (rb"redis_version:([\d.]+)", "redis")):
            if found := re.search(pattern, text):
                return name, tuple(map(int, found[1].split(b".")))
    return "redis", (7, 2, 4)
