"""redis-benchmark as the load: what to run, and what it says."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from .servers import Server, pinned

MISSING = "redis-benchmark not found: put it on PATH or set PYREDIS_BENCHMARK"


def find_benchmark() -> str | None:
    named = os.environ.get("PYREDIS_BENCHMARK")
    return named or shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")


@dataclass(frozen=True)
class Test:
    """One measurement.  *command* is given to redis-benchmark as words, else its test of that name runs."""

    name: str
    command: tuple[str, ...] = ()
    fill: str = ""
    """A redis-benchmark test that fills the server first, not measured."""
    prepare: tuple[tuple[str, ...], ...] = ()
    share: float = 1.0
    """Requests of this test as a share of the usual number."""

    @property
    def arguments(self) -> list[str]:
        return list(self.command) or ["-t", self.name.lower()]


def _lrange(count: int, share: float) -> Test:
    return Test(f"LRANGE_{count}", ("LRANGE", "mylist", "0", str(count - 1)), fill="lpush", share=share)


CORE: tuple[Test, ...] = (
    Test("SET"),
    Test("GET", fill="set"),
    Test("INCR"),
    Test("LPUSH"),
    Test("RPUSH"),
    Test("LPOP", fill="lpush"),
    Test("RPOP", fill="rpush"),
    Test("SADD"),
    Test("HSET"),
    Test("SPOP", fill="sadd"),
    Test("ZADD"),
    Test("ZPOPMIN", fill="zadd"),
    Test("MSET", share=0.5),
    _lrange(600, 0.1),
)
"""The tests whose ratios count."""

CITIES = tuple(
    ("GEOADD", "cities", f"{2 + (number % 97) * 0.01:.4f}", f"{48 + (number % 89) * 0.01:.4f}", f"city:{number}")
    for number in range(1000)
)

MORE: tuple[Test, ...] = (
    Test("PING_INLINE"),
    Test("PING_MBULK"),
    _lrange(100, 0.3),
    _lrange(300, 0.15),
    _lrange(500, 0.1),
    Test("XADD", ("XADD", "mystream", "*", "myfield", "data")),
    Test(
        "EVALSHA",
        ("EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"),
        prepare=(("SCRIPT", "LOAD", "return 1"),),
    ),
    Test(
        "GEOSEARCH",
        ("GEOSEARCH", "cities", "FROMLONLAT", "2.35", "48.3", "BYRADIUS", "10", "km"),
        prepare=CITIES,
        share=0.1,
    ),
    Test("PFADD", ("PFADD", "hll", "element:__rand_int__")),
)

PASSES = ("SET", "GET", "LRANGE_600")
"""What a smoke run measures."""


@dataclass(frozen=True)
class Sample:
    """One run of redis-benchmark against one server."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """CPU time of the server per command."""


class Load:
    """Runs redis-benchmark on a core of its own."""

    def __init__(self, binary: str, core: int | None, clients: int, keyspace: int) -> None:
        self.binary, self.core, self.clients, self.keyspace = binary, core, clients, keyspace

    def _run(self, server: Server, arguments: Sequence[str], requests: int, pipeline: int) -> list[dict[str, str]]:
        argv = [self.binary, "-p", str(server.port), "-n", str(requests), "-c", str(self.clients), "--csv"]
        argv += ["-P", str(pipeline)]
        if self.keyspace:
            argv += ["-r", str(self.keyspace)]
        done = subprocess.run(
            [*argv, *arguments], capture_output=True, text=True, check=False, timeout=600, preexec_fn=pinned(self.core)
        )
        rows = list(csv.DictReader(line for line in done.stdout.splitlines() if line.startswith('"')))
        if done.returncode or not rows:
            raise RuntimeError(f"{' '.join(argv)} {' '.join(arguments)}: {done.stderr or done.stdout}")
        return rows

    def measure(self, server: Server, test: Test, requests: int, pipeline: int) -> Sample:
        """Empty the server, fill it for *test*, then measure."""
        requests = max(int(requests * test.share), self.clients * pipeline)
        server.send(["FLUSHALL"])
        if test.prepare:
            server.send(*test.prepare)
        if test.fill:
            self._run(server, ["-t", test.fill], max(requests, 1000), 16)
        before = server.cpu()
        row = self._run(server, test.arguments, requests, pipeline)[-1]
        used = server.cpu() - before
        return Sample(
            float(row["rps"]), float(row["p50_latency_ms"]), float(row["p99_latency_ms"]), used / requests * 1e6
        )
