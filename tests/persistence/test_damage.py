"""A server on a damaged file: it refuses with a reason, or it has exactly what was saved."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.keyspace.digest import dataset_digest
from pyredis.persistence.loading import LoadFailed

from ..conftest import Peer
from .rdb.samples import every_value, save

Launch = Callable[..., Peer]
ROUNDS = 1000

REASONS = (
    "Wrong RDB checksum",
    "Short read or OOM loading DB",
    "Wrong signature trying to load DB from file",
    "Can't handle RDB format version",
    "Internal error in RDB reading offset",
    "FATAL: Data file was created with a Redis server configured to handle more than 16 databases",
)


def damage(data: bytes, rng: random.Random) -> bytes:
    """*data* with one to eight bits turned, or cut off."""
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data))]
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def test_a_thousand_damaged_files(launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random("damage")
    values = {key: value for key, value in every_value().items() if len(save({key: value})) < 600}
    sound = save(values, dict.fromkeys(list(values)[::3], 4_102_444_800_000))
    path = tmp_path / "dump.rdb"
    path.write_bytes(sound)
    peer = launch()
    server = peer.server
    whole = dataset_digest(server)
    assert len(server.databases[0].data) == len(values) > 12
    said: list[str] = []
    monkeypatch.setattr(server.log, "warning", lambda text, **_: said.append(text))
    monkeypatch.setattr(server.log, "raw", said.append)
    refused = 0
    for _ in range(ROUNDS):
        damaged = damage(sound, rng)
        path.write_bytes(damaged)
        for db in server.databases:
            db.flush()
        said.clear()
        try:
            for _ in server.persistence.load():
                pass
        except LoadFailed:
            refused += 1
            assert any(text.startswith(REASONS) for text in said), said
            assert not any("Traceback" in text or "Bug" in text for text in said)
        else:
            assert damaged == sound or dataset_digest(server) == whole
        assert not server.loading
    assert refused >= ROUNDS - 5, "all but flips that undo each other"
