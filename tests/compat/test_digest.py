"""DEBUG DIGEST and DIGEST-VALUE of equal random data are those of the real server, for every type and encoding."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator

import pytest

from .servers import OURS, Server, version_of
from .wire import Connection

KEYS = [b"k%d" % number for number in range(6)]
SEEDS = range(12)


def value(rng: random.Random) -> bytes:
    """A short number, text, or bytes too long for a listpack."""
    match rng.randrange(5):
        case 0 | 1:
            return b"%d" % rng.randrange(-1000, 1000)
        case 2:
            return rng.randbytes(rng.randrange(100))
        case 3:
            return b"x" * rng.choice((60, 64, 65, 200))
        case _:
            return rng.choice((b"", b"a", b"b\0c", b"3.5", b"-0", b"99999999999999999999"))


def score(rng: random.Random, plain: bool) -> bytes:
    """A score; a *plain* one is digested alike before 7.2, too, which wrote 17 digits."""
    if plain:
        return b"%g" % (rng.randrange(-200, 200) / 4)
    return rng.choice((b"%d" % rng.randrange(-50, 50), b"%.17g" % rng.gauss(0, 1e6), b"inf", b"-inf", b"1e300", b"0.1"))


def many(rng: random.Random, width: int) -> list[bytes]:
    """A few elements, or more than a listpack holds."""
    count = rng.choice((1, 3, 10, 150))
    return [value(rng) for _ in range(count * width)]


def commands(rng: random.Random, plain: bool) -> Iterator[list[bytes]]:
    """Writes of every type, with what takes them from one encoding to another and back out of it."""
    for _ in range(60):
        key = rng.choice(KEYS)
        match rng.randrange(14):
            case 0:
                yield [b"SET", key, value(rng)]
            case 1:
                yield [b"APPEND", key, value(rng)]
            case 2 | 3:
                yield [rng.choice((b"RPUSH", b"LPUSH")), key, *many(rng, 1)]
            case 4:
                yield [b"SADD", key, *many(rng, 1)]
            case 5:
                yield [b"SADD", key, *(b"%d" % rng.randrange(1 << 40) for _ in range(rng.choice((3, 600))))]
            case 6 | 7:
                yield [b"HSET", key, *many(rng, 2)]
            case 8 | 9:
                yield [b"ZADD", key, *(part for member in many(rng, 1) for part in (score(rng, plain), member))]
            case 10:
                yield [b"XADD", key, b"%d-1" % rng.randrange(1, 1 << 40), *many(rng, 2)[:8]]
            case 11:
                yield [b"XGROUP", b"CREATE", key, b"g%d" % rng.randrange(2), b"0", b"MKSTREAM"]
            case 12:
                yield [rng.choice((b"LPOP", b"SPOP", b"ZPOPMIN")) if rng.random() < 0.3 else b"PERSIST", key]
            case 13:
                yield [b"EXPIRE", key, b"%d" % rng.randrange(1000, 9000)]
        if rng.random() < 0.1:
            yield [b"DEL", rng.choice(KEYS)]
        if rng.random() < 0.05:
            yield [b"SELECT", b"%d" % rng.randrange(3)]


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Server]]:
    path = os.environ.get("PYREDIS_ORACLE") or shutil.which("redis-server") or shutil.which("valkey-server")
    if path is None:
        pytest.skip("redis-server and valkey-server are not on PATH and PYREDIS_ORACLE is not set")
    started: list[Server] = []
    try:
        for command in ([path], OURS):
            started.append(Server.start(command, "--enable-debug-command", "yes"))
        yield started
    finally:
        for server in started:
            server.stop()


@pytest.fixture
def both(servers: list[Server]) -> Iterator[list[Connection]]:
    connections = [server.connect() for server in servers]
    for connection in connections:
        connection.call(b"FLUSHALL")
    yield connections
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_digests_of_random_data_agree(both: list[Connection], seed: int) -> None:
    name, version = version_of(both[0])
    plain = name == "redis" and version < (7, 2)
    writes = [argv for argv in commands(random.Random(seed), plain) if argv[0] != b"SPOP"]  # which is random
    for argv in writes:
        real, ours = (connection.call(*argv) for connection in both)
        assert ours == real, argv[:2]
    for database in range(3):
        for connection in both:
            connection.call(b"SELECT", b"%d" % database)
        real, ours = (connection.call(b"DEBUG", b"DIGEST-VALUE", *KEYS) for connection in both)
        assert ours == real
    real, ours = (connection.call(b"DEBUG", b"DIGEST") for connection in both)
    assert ours == real
    assert real[0] == b"+"
    assert real[1].strip(b"0")


def test_an_empty_server_has_no_digest(both: list[Connection]) -> None:
    assert [connection.call(b"DEBUG", b"DIGEST") for connection in both] == [(b"+", b"0" * 40)] * 2
