"""kill -9 at any moment: what was acknowledged is there again, and files are whole.

``PYREDIS_CRASH_ROUNDS`` makes it last longer.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from pathlib import Path

import pytest
import redis

from ...compat.servers import Server
from ...compat.wire import Connection, Disconnected, Malformed, encode
from ...waiting import until
from .conftest import Start

ROUNDS = int(os.environ.get("PYREDIS_CRASH_ROUNDS", "3"))
WRITERS = 4
KEYS = 500
NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the child in Linux's /proc")


class Writer(threading.Thread):
    """Increments a counter and sets keys, in pipelines, until the server is gone; notes every answer."""

    def __init__(self, server: Server, number: int, start: int) -> None:
        super().__init__(daemon=True)
        self.connection = server.connect()
        self.number = number
        self.acknowledged = [start]

    def run(self) -> None:
        number, connection = self.number, self.connection
        value = self.acknowledged[-1]
        try:
            while True:
                batch = [
                    (b"MULTI",),
                    (b"INCR", b"counter:%d" % number),
                    (b"SET", b"key:%d:%d" % (number, (value + 1) % KEYS), b"%d" % (value + 1)),
                    (b"EXEC",),
                ]
                connection.send(b"".join(map(encode, batch)))
                for _ in range(3):
                    connection.frame()
                kind, answers = connection.frame()
                if kind != b"*" or not isinstance(answers, list):
                    return
                value = int(answers[0][1])
                self.acknowledged.append(value)
        except (Disconnected, Malformed, OSError):
            return
        finally:
            connection.close()


def counters(server: Server) -> list[int]:
    """The counters, after every key was found to have been set with the one it belongs to, or not at all."""
    connection: Connection = server.connect()
    found = []
    for number in range(WRITERS):
        _, text = connection.call(b"GET", b"counter:%d" % number)
        value = int(text) if isinstance(text, bytes) else 0
        last = value % KEYS
        _, text = connection.call(b"GET", b"key:%d:%d" % (number, last))
        assert text == (b"%d" % value if value else None), "half a transaction"
        found.append(value)
    connection.close()
    return found


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_acknowledged_writes_survive(start: Start, policy: str) -> None:
    """With everysec, too: what has been written survives the process, if not a power cut."""
    rng = random.Random(f"kill {policy}")
    options = ("--appendonly", "yes", "--appendfsync", policy)
    # rewrites happen all the time, so that some of the kills hit them
    rewrites = ("--auto-aof-rewrite-min-size", "100kb", "--auto-aof-rewrite-percentage", "20")
    server = start(*options, *rewrites)
    values = counters(server)
    written = 0
    for _ in range(ROUNDS):
        writers = [Writer(server, number, value) for number, value in enumerate(values)]
        for writer in writers:
            writer.start()
        time.sleep(rng.uniform(0.3, 1.0))
        assert server.process is not None
        server.process.kill()
        for writer in writers:
            writer.join()
        server = start(*options, *rewrites)
        values = counters(server)
        for writer, value in zip(writers, values, strict=True):
            assert 0 <= value - writer.acknowledged[-1] <= 1
            written += len(writer.acknowledged) - 1
    assert written > 50 * ROUNDS


def fill(client: redis.Redis, prefix: str, count: int = 2000) -> None:
    client.mset({f"{prefix}:{number}": f"value {number}" for number in range(count)})


def until_reported(client: redis.Redis, field: str) -> None:
    assert until(lambda: client.info("persistence")[field])


@NEEDS_PROC
@pytest.mark.parametrize("victim", ["server", "child"])
def test_a_kill_during_bgsave_leaves_the_old_file(start: Start, tmp_path: Path, victim: str) -> None:
    server = start("--rdb-key-save-delay", "500")
    with redis.Redis(port=server.port) as client:
        client.config_set("rdb-key-save-delay", 0)
        fill(client, "old")
        client.save()
        before = (tmp_path / "dump.rdb").read_bytes()
        client.config_set("rdb-key-save-delay", 500)
        fill(client, "new")
        client.bgsave()
        until_reported(client, "rdb_bgsave_in_progress")
        child = child_of(server)
        kill_one(server, child, victim)
        if victim == "child":
            assert until(lambda: not client.info("persistence")["rdb_bgsave_in_progress"])
            assert client.info("persistence")["rdb_last_bgsave_status"] == "err"
            assert not list(tmp_path.glob("temp-*"))
    assert (tmp_path / "dump.rdb").read_bytes() == before
    again = start()
    with redis.Redis(port=again.port) as client:
        assert client.dbsize() == 2000
        assert client.get("old:1999") == b"value 1999"
    if victim == "server":
        end(child)


@NEEDS_PROC
@pytest.mark.parametrize("victim", ["server", "child"])
def test_a_kill_during_bgrewriteaof_leaves_the_old_files(start: Start, tmp_path: Path, victim: str) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    server = start(*options)
    with redis.Redis(port=server.port) as client:
        fill(client, "old")
        client.config_set("rdb-key-save-delay", 500)
        client.bgrewriteaof()
        until_reported(client, "aof_rewrite_in_progress")
        child = child_of(server)
        fill(client, "new")
        kill_one(server, child, victim)
        if victim == "child":
            assert until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
            assert client.info("persistence")["aof_last_bgrewrite_status"] == "err"
            assert not list(tmp_path.glob("temp-*"))
            fill(client, "later")
    again = start(*options)
    with redis.Redis(port=again.port) as client:
        assert client.dbsize() == (6000 if victim == "child" else 4000)
        assert client.get("new:1999") == b"value 1999"
    if victim == "server":
        end(child)


def child_of(server: Server) -> int:
    assert server.process is not None
    pid = server.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def kill_one(server: Server, child: int, victim: str) -> None:
    assert server.process is not None
    if victim == "server":
        server.process.kill()
        server.process.wait()
    else:
        end(child)


def end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 9)
