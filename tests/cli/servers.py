"""Server processes of our own for commands that talk to a server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from pyredis.cli.client import Client, ClientError
from pyredis.util.urls import ServerUrl
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class Node:
    """One process on a free loopback port, without persistence."""

    def __init__(self, home: Path, *options: str, password: str | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = ServerUrl(port=probe.getsockname()[1], password=password)
        home.mkdir()
        words = ["--port", str(self.url.port), "--dir", str(home), "--save", "", *options]
        if password is not None:
            words += ["--requirepass", password]
        self._log = open(home / "log", "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pyredis", *words],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self.client = self._connect()

    def _connect(self) -> Client:
        found: list[Client] = []

        def connected() -> bool:
            try:
                found.append(Client(self.url))
            except ClientError:
                if self.process.poll() is not None:
                    raise
            return bool(found)

        assert until(connected), "the server does not answer"
        return found[0]

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
        self._log.close()
