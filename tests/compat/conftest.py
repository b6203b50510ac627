"""The two servers of a comparison, started once for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from .runner import Runner
from .servers import OURS, Server

REAL = ("PYREDIS_ORACLE",) if os.environ.get("PYREDIS_ORACLE") else ("redis-server", "valkey-server")
"""The real servers: the one that is named, else both that distributions carry."""


@pytest.fixture(scope="session", params=REAL)
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    name: str = request.param
    path = os.environ.get(name) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH and PYREDIS_ORACLE is not set")
    real = Server.start([path])
    try:
        ours = Server.start(OURS)
        try:
            both = Runner(real, ours)
            yield both
            both.close()
        finally:
            ours.stop()
    finally:
        real.stop()
