"""A server of ours, as a process, for the clients people use."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.compat.servers import Server


@pytest.fixture
def ours() -> Iterator[Server]:
    """A fresh server on a free port."""
    server = Server.start([sys.executable, "-m", "pyredis"])
    yield server
    server.stop()
