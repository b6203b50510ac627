"""What the tests of command families need besides the fixtures of the core."""

from __future__ import annotations

import pytest

from pyredis.datatypes.streams import Stream
from pyredis.engine.server import Server
from pyredis.keyspace.database import Database
from pyredis.keyspace.events import ALL

Events = list[tuple[bytes, bytes]]


def encoding(server: Server, key: bytes) -> bytes:
    return server.databases[0].data[key].encoding  # type: ignore[no-any-return]


def stream_at(server: Server, key: bytes) -> Stream:
    """The stream of *key*, whose invariants hold."""
    value = server.databases[0].data[key]
    assert isinstance(value, Stream)
    value._check()
    return value


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
