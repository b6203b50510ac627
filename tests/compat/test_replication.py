"""A leader and a follower, one of them a real server, while the link between them is cut again and again."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from ..waiting import until
from .proxy import Proxy
from .replicas import call, delete_expired, differences, info, wait_until_level, wait_until_linked
from .servers import OURS, Server, version_of
from .traffic import SHORT_MS, Traffic, blocking_calls, drive
from .wire import Connection

SECONDS = float(os.environ.get("PYREDIS_CHAOS_SECONDS", "1.5"))
CUTS = int(os.environ.get("PYREDIS_CHAOS_CUTS", "3"))
SEED = int(os.environ.get("PYREDIS_CHAOS_SEED", "7"))
"""By hand: PYREDIS_CHAOS_SECONDS=60 PYREDIS_CHAOS_CUTS=10 pytest tests/compat/test_replication.py"""

OPTIONS = ("--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", "--repl-backlog-size", "64mb")

UNFIT_FOR_A_FOLLOWER = (b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"SELECT", b"PFCOUNT")
"""PFCOUNT notes its result inside the value, on a read-only follower as well."""

PAIRS = [
    ("redis-server", "pyredis"),
    ("valkey-server", "pyredis"),
    ("pyredis", "valkey-server"),
    ("PYREDIS_ORACLE", "pyredis"),
    ("pyredis", "PYREDIS_ORACLE"),
    ("pyredis", "pyredis"),
]
"""(leader, follower); Debian's Redis 7.0 cannot read the snapshots of 7.2, so it only leads."""


def program(name: str) -> tuple[str, ...]:
    if name == "pyredis":
        return OURS
    path = os.environ.get(name) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is neither on PATH nor in the environment")
    return (path,)


@dataclass
class Bench:
    """A leader, a follower of it, and the proxy between them."""

    leader: Server
    follower: Server
    proxy: Proxy
    rng: random.Random
    written: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def run(self, seconds: float, cuts: int) -> None:
        """Write, block and read for *seconds*, with *cuts* cuts in between."""
        stop = threading.Event()
        workers = [self._write, self._block, self._block, self._read]
        seeds = [self.rng.random() for _ in workers]
        threads = [
            threading.Thread(target=self._guard, args=(worker, random.Random(seed), stop))
            for worker, seed in zip(workers, seeds, strict=True)
        ]
        for thread in threads:
            thread.start()
        for number in range(cuts):
            time.sleep(seconds / (cuts + 1))
            stalled = self.rng.choice([0.0, 0.0, 0.1])
            self.proxy.cut(deaf=self.rng.choice([0.0, 0.0, 0.05, 0.3]), stalled=stalled)
            self._await_cut(number + 1)
        time.sleep(seconds / (cuts + 1))
        stop.set()
        for thread in threads:
            thread.join(20)
        if self.failures:
            raise self.failures[0]

    def _await_cut(self, count: int) -> None:
        """A cut that found no link, as the follower was just connecting, does not count."""

        def cut() -> bool:
            if self.proxy.cuts < count:
                self.proxy.cut()
            return self.proxy.cuts >= count

        assert until(cut, pause=0.15), "the follower does not come back"

    def _guard(
        self, worker: Callable[[random.Random, threading.Event], None], rng: random.Random, stop: threading.Event
    ) -> None:
        try:
            worker(rng, stop)
        except BaseException as error:
            self.failures.append(error)

    def _write(self, rng: random.Random, stop: threading.Event) -> None:
        traffic = Traffic(rng)
        with closing(self.leader.connect()) as connection:
            while not stop.is_set():
                self.written += drive(connection, traffic, 25)

    def _block(self, rng: random.Random, stop: threading.Event) -> None:
        calls = blocking_calls(rng)
        with closing(self.leader.connect()) as connection:
            while not stop.is_set():
                connection.call(*next(calls))

    def _read(self, rng: random.Random, stop: threading.Event) -> None:
        """Reads and refused writes must not disturb a follower."""
        traffic = Traffic(rng)
        with closing(self.follower.connect()) as connection:
            while not stop.is_set():
                for argv in traffic.batch(3):
                    if argv[0] not in UNFIT_FOR_A_FOLLOWER:
                        connection.call(*argv)
                time.sleep(0.02)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    names: tuple[str, str] = request.param
    programs = [program(name) for name in names]
    rng = random.Random(SEED)
    leader = Server.start(programs[0], *OPTIONS)
    try:
        follower = Server.start(programs[1], *OPTIONS)
        proxy = Proxy(leader.port, rng)
        try:
            with closing(follower.connect()) as connection:
                call(connection, b"REPLICAOF", b"127.0.0.1", b"%d" % proxy.port)
                wait_until_linked(connection)
            yield Bench(leader, follower, proxy, rng)
        finally:
            proxy.close()
            follower.stop()
    finally:
        leader.stop()


@pytest.mark.parametrize("bench", PAIRS, ids=lambda pair: f"{pair[0]}-leads-{pair[1]}", indirect=True)
def test_cuts_are_healed_and_nothing_is_lost(bench: Bench) -> None:
    with closing(bench.leader.connect()) as leader, closing(bench.follower.connect()) as follower:
        check(bench, leader, follower)


def check(bench: Bench, leader: Connection, follower: Connection) -> None:
    before = info(leader, b"stats")
    bench.run(SECONDS, CUTS)
    time.sleep(SHORT_MS / 1000 + 0.2)
    delete_expired(leader)
    wait_until_level(leader, follower)

    assert differences(leader, follower, same_version=version_of(leader)[1][:2] != (7, 0)) == []
    after = info(leader, b"stats")
    healed = int(after["sync_partial_ok"]) - int(before["sync_partial_ok"])
    assert bench.proxy.cuts >= CUTS
    assert healed >= CUTS
    assert after["sync_full"] == before["sync_full"] == "1"
    assert bench.written > 100 * SECONDS
