"""Servers that keep their files in a directory of the test's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyredis.app import build_server
from pyredis.config.config import Config
from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock

from ..conftest import Peer


@pytest.fixture
def launch(tmp_path: Path, clock: ManualClock) -> Iterator[Callable[..., Peer]]:
    """Starts a server on the files in ``tmp_path``, with directives as keywords; a client of it."""
    started: list[Server] = []

    def start(**directives: str) -> Peer:
        config = Config()
        config.dir = str(tmp_path)
        config.load(b"save", [b""])
        config.load(b"appendfsync", [b"no"])
        for name, value in directives.items():
            config.load(name.replace("_", "-").encode(), [value.encode()])
        server = build_server(config, clock=clock, rng=random.Random(1))
        server.log.level = 4
        started.append(server)
        server.persistence.load_now()
        return Peer(server)

    yield start
    for server in started:
        server.persistence.close()
