"""Archives taken under write load, extracted, and served by a stock server: every key, its type, TTL and value.

``PYREDIS_BACKUP_ROUNDS`` is how many archives each server gets to see.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

from .conftest import REAL
from .servers import OURS, ROOT, Server, free_port
from .wire import Connection, Node

ROUNDS = int(os.environ.get("PYREDIS_BACKUP_ROUNDS", "1"))
OLDEST = (7, 2)
"""Of Redis, that reads RDB version 11."""
DATABASES = (0, 3, 15)
FAR = 4_000_000_000_000
LIBRARY = """#!lua name=lib
redis.register_function{function_name='seven', callback=function() return 7 end, flags={'no-writes'}}"""

State = dict[tuple[int, bytes], tuple[Any, ...]]


def words(*argv: bytes | str | int) -> tuple[bytes, ...]:
    return tuple(word if isinstance(word, bytes) else str(word).encode() for word in argv)


def data_set() -> Iterator[tuple[bytes, ...]]:
    """Commands that make keys of every type and encoding, with and without time to live, in several databases."""
    every_byte = bytes(range(256))
    for db in DATABASES:
        yield words("SELECT", db)
        yield words("SET", "int", 12345)
        yield words("SET", "negative", -1)
        yield words("SET", "short", "text")
        yield words("SET", b"binary\0\xff\r\n", every_byte * 4)
        yield words("SET", "long", b"compressible " * 5000)
        yield words("SET", "temporary", "v", "PXAT", FAR + db)
        yield words("SETBIT", "bits", 70001, 1)
        yield words("PFADD", "hll:sparse", *range(10))
        yield words("PFADD", "hll:dense", *range(5000))
        yield words("RPUSH", "list:small", "a", 1, -(2**40), every_byte)
        yield words("RPUSH", "list:big", *(b"item %d" % n * (n % 9 + 1) for n in range(3000)))
        yield words("SADD", "set:ints", *range(-50, 50))
        yield words("SADD", "set:listpack", "a", "b", 3)
        yield words("SADD", "set:big", *(b"member %d" % n for n in range(1000)))
        yield words("HSET", "hash:small", "f", "v", "n", 1)
        yield words("HSET", "hash:big", *(b"%d" % n for n in range(2000)))
        yield words("GEOADD", "geo", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")
        yield words("ZADD", "zset:small", "-inf", "low", 1.5, "mid", "+inf", "high")
        yield words("ZADD", "zset:big", *(word for n in range(500) for word in (n / 7, b"m%d" % n)))
        for n in range(300):
            yield words("XADD", "stream", f"{n + 1}-1", "field", n, "other", "x" * (n % 50))
        yield words("XDEL", "stream", "5-1", "300-1")
        yield words("XGROUP", "CREATE", "stream", "group", 0)
        yield words("XGROUP", "CREATE", "stream", "idle", "$", "ENTRIESREAD", 300)
        yield words("XREADGROUP", "GROUP", "group", "alice", "COUNT", 20, "STREAMS", "stream", ">")
        yield words("XREADGROUP", "GROUP", "group", "bob", "COUNT", 5, "STREAMS", "stream", ">")
        yield words("XACK", "stream", "group", "2-1", "3-1")
        for key in ("list:small", "set:ints", "hash:small", "zset:small", "stream"):
            yield words("COPY", key, f"{key}:temporary")
            yield words("PEXPIREAT", f"{key}:temporary", FAR + 1)
    yield words("SELECT", 0)
    yield words("FUNCTION", "LOAD", LIBRARY)


def call(connection: Connection, *argv: bytes | str | int) -> Any:
    kind, value = connection.call(*words(*argv))
    assert kind != b"-", (argv[:3], value)
    return value


def plain(node: Node) -> Any:
    """A frame without its type bytes."""
    value = node[1]
    return [plain(item) for item in value] if isinstance(value, list) else value


def state(connection: Connection) -> State:
    """Every key of every database: type, time of expiry, value."""
    found: State = {}
    for db in range(16):
        call(connection, "SELECT", db)
        for key in sorted(plain((b"*", call(connection, "KEYS", "*")))):
            kind = call(connection, "TYPE", key)
            expires = call(connection, "PEXPIRETIME", key)
            found[db, key] = (kind, expires, READERS[kind](connection, key))
    call(connection, "SELECT", 0)
    return found


def ask(connection: Connection, *argv: bytes | str | int) -> Any:
    return plain((b"*", value)) if isinstance(value := call(connection, *argv), list) else value


def fields(connection: Connection, key: bytes) -> list[tuple[bytes, bytes]]:
    flat = ask(connection, "HGETALL", key)
    return sorted(zip(flat[::2], flat[1::2], strict=True))


def stream(connection: Connection, key: bytes) -> Any:
    """All that XINFO tells, but how it is kept in memory."""
    told = ask(connection, "XINFO", "STREAM", key, "FULL", "COUNT", 0)
    return [(name, value) for name, value in zip(told[::2], told[1::2], strict=True) if b"radix" not in name]


READERS: dict[bytes, Callable[[Connection, bytes], Any]] = {
    b"string": lambda connection, key: ask(connection, "GET", key),
    b"list": lambda connection, key: ask(connection, "LRANGE", key, 0, -1),
    b"set": lambda connection, key: sorted(ask(connection, "SMEMBERS", key)),
    b"hash": fields,
    b"zset": lambda connection, key: ask(connection, "ZRANGE", key, 0, -1, "WITHSCORES"),
    b"stream": stream,
}


class Load(threading.Thread):
    """Writes without pause: transactions after each of which some keys agree, and keys that come and go."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.connection = server.connect()
        self.stopping = threading.Event()
        self.turns = 0

    def run(self) -> None:
        connection = self.connection
        while not self.stopping.is_set():
            self.turns += 1
            n = self.turns
            call(connection, "MULTI")
            call(connection, "INCR", "load:count")
            call(connection, "RPUSH", "load:list", n)
            call(connection, "SADD", "load:set", n)
            call(connection, "HSET", "load:hash", n, n)
            call(connection, "ZADD", "load:zset", n, n)
            call(connection, "XADD", "load:stream", f"{n}-0", "n", n)
            call(connection, "EXEC")
            call(connection, "SET", f"load:gone:{n % 50}", n, "PXAT", FAR + n)
            call(connection, "DEL", f"load:gone:{n * 7 % 50}")
            call(connection, "APPEND", "load:text", "x")

    def stop(self) -> None:
        self.stopping.set()
        self.join()
        self.connection.close()


@pytest.fixture(scope="module", params=["fork", "slices"])
def ours(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Path, State]]:
    """Our server with the data set, where it puts its archives, and what is in it."""
    options = ("--backup-dir", "archives", "--backup-schedule", "", "--appendonly", "yes")
    server = Server.start(OURS, *options, "--background-save", request.param)
    try:
        connection = server.connect()
        for command in data_set():
            call(connection, *command)
        before = state(connection)
        connection.close()
        yield server, Path(server.home, "archives"), before
    finally:
        server.stop()


def take(server: Server, archives: Path, folder: Path) -> int:
    """An archive of *server*, extracted into *folder*; the keys its manifest counts."""
    connection = server.connect()
    known = set(archives.glob("*.tar.gz"))
    call(connection, "BGSAVE", "BACKUP")
    assert until(lambda: b"backup_in_progress:0" in call(connection, "INFO", "backup"), 60)
    connection.close()
    (archive,) = set(archives.glob("*.tar.gz")) - known
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)
    found = re.search(rb'"keys": (\d+),\n  "function', (folder / "MANIFEST.json").read_bytes())
    assert found is not None
    return int(found[1])


@contextmanager
def started_in(folder: Path, command: tuple[str, ...], *options: str) -> Iterator[Connection]:
    """A server that is started in a copy of *folder*, knowing no directory but the one it is in."""
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.copytree(folder, copy)
    port = free_port()
    argv = [*command, "--port", str(port), "--bind", "127.0.0.1", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(folder.with_suffix(".log"), "wb") as log:
        process = subprocess.Popen(argv, cwd=copy, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
    server = Server(port, process)
    try:
        server.wait(30)
        connection = server.connect()
        yield connection
        connection.close()
    finally:
        server.stop()
        shutil.rmtree(copy)


def real(name: str) -> tuple[str, ...]:
    """The server *name* that can read RDB version 11; skips the test without one."""
    path = os.environ.get(name) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH and PYREDIS_ORACLE is not set")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", told)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        pytest.skip(f"{name} is older than Redis {OLDEST[0]}.{OLDEST[1]}, which cannot read RDB version 11")
    return (path,)


@pytest.mark.parametrize("name", REAL)
def test_a_stock_server_has_every_key_of_an_archive_taken_under_load(
    ours: tuple[Server, Path, State], tmp_path: Path, name: str
) -> None:
    server, archives, before = ours
    command = real(name)
    for turn in range(ROUNDS):
        load = Load(server)
        load.start()
        try:
            while load.turns < 50:
                assert load.is_alive()
            folder = tmp_path / f"extracted-{turn}"
            began = load.turns
            keys = take(server, archives, folder)
            assert load.turns > began
        finally:
            load.stop()
        states = []
        for program in (command, OURS):
            for options in ((), ("--appendonly", "yes")):
                with started_in(folder, program, *options) as connection:
                    states.append(state(connection))
                    assert call(connection, "FCALL_RO", "seven", 0) == b"7"
        assert all(one == states[0] for one in states)
        found = states[0]
        assert len(found) == keys
        assert {at: value for at, value in found.items() if not at[1].startswith(b"load:")} == before
        count = int(found[0, b"load:count"][2])
        assert count >= began - 1
        for key in (b"load:list", b"load:set", b"load:hash"):
            assert len(found[0, key][2]) == count
        assert len(found[0, b"load:zset"][2]) == 2 * count
        assert dict(found[0, b"load:stream"][2])[b"length"] == b"%d" % count
        connection = server.connect()
        for key in ask(connection, "KEYS", "load:*"):
            call(connection, "DEL", key)
        connection.close()
