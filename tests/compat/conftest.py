"""The two servers, started once for all comparisons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .runner import Runner
from .servers import MISSING, OURS, Server, find_oracle


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    oracle = find_oracle()
    if oracle is None:
        pytest.skip(MISSING)
    real = Server.start([oracle])
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
