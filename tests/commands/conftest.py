"""What the tests of command families need besides the fixtures of the core."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server
from pyredis.keyspace.database import Database
from pyredis.keyspace.events import ALL

Events = list[tuple[bytes, bytes]]


@pytest.fixture
def events(server: Server) -> Events:
    """The keyspace events as (event, key), as they come."""
    seen: Events = []

    def changed(db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        if event is not None:
            seen.append((event, key))

    server.plug(changed, 20)
    server.notify = lambda db, kind, event, key: seen.append((event, key))
    server.notify_flags = ALL
    return seen
