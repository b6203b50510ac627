"""``python -m benchmarks``: redis-benchmark against a real server and ours, in alternation.

Each server runs on one core, the load on another.  Every test is repeated in rounds, the two servers
taking turns; the table shows medians.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import load, memory, table
from .load import Load, Sample, Test
from .servers import OURS, Server, cores, find_real

RESULTS = Path(__file__).parent / "results"
RATED = frozenset(test.name for test in load.CORE) - {"LRANGE_600"}
"""The tests of the median."""


def parser() -> argparse.ArgumentParser:
    parsed = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    add = parsed.add_argument
    add("--tests", help="comma-separated names (default: the core tests)")
    add("--more", action="store_true", help="add LRANGE_100.., PING, XADD, EVALSHA, GEOSEARCH, PFADD")
    add("--pipelines", default="1,16", help="pipeline depths (default 1,16)")
    add("--rounds", type=int, default=3)
    add("--requests", type=int, default=100_000, help="requests per test at P=1; four times as many with pipelining")
    add("--clients", type=int, default=50)
    add("--keyspace", type=int, default=0, help="redis-benchmark's -r (default: one key, as redis-benchmark does)")
    add("--memory", action="store_true", help="also measure memory per key")
    add("--memory-scale", type=float, default=1.0, help="share of the usual number of keys")
    add("--no-speed", action="store_true", help="only --memory and the start")
    add("--smoke", action="store_true", help="a few seconds: does everything still run?")
    add("--real", default=find_real(), help="the real server (default: $PYREDIS_ORACLE, else from PATH)")
    add("--ours", default=shlex.join(OURS), help="command of the server under test")
    add("--json", type=Path, help="write the record here")
    add("--save", action="store_true", help="write the record to benchmarks/results/")
    return parsed


class Progress:
    """One line on stderr that says what runs and how much is left."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.started = total, 0, time.monotonic()
        self.tty = sys.stderr.isatty()

    def step(self, what: str) -> None:
        passed = time.monotonic() - self.started
        left = f", about {passed / self.done * (self.total - self.done):.0f} s left" if self.done else ""
        line = f"[{self.done + 1}/{self.total}] {what}{left}"
        print(f"\r{line:<78}" if self.tty else line, end="" if self.tty else "\n", file=sys.stderr, flush=True)
        self.done += 1

    def close(self) -> None:
        if self.tty:
            print(f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)


def chosen(options: argparse.Namespace) -> list[Test]:
    known = {test.name: test for test in (*load.CORE, *load.MORE)}
    if options.tests:
        names = [name.upper() for name in options.tests.split(",")]
    elif options.smoke:
        names = list(load.PASSES)
    else:
        names = [test.name for test in (*load.CORE, *(load.MORE if options.more else ()))]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"unknown tests {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names]


def median(samples: Sequence[Sample]) -> dict[str, float]:
    rows = [asdict(sample) for sample in samples]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def measure_speed(
    options: argparse.Namespace, binary: str, server_core: int | None, load_core: int | None
) -> list[Any]:
    """Medians of every test at every depth, the two servers in turns."""
    tests, depths = chosen(options), [int(depth) for depth in options.pipelines.split(",")]
    rounds = 1 if options.smoke else options.rounds
    requests = 2_000 if options.smoke else options.requests
    progress = Progress(rounds * len(tests) * len(depths) * 2)
    samples: dict[tuple[str, int, str], list[Sample]] = {}
    servers: list[Server] = []
    try:
        for name, command in (("real", [options.real]), ("ours", shlex.split(options.ours))):
            servers.append(Server(name, command, server_core))
        generator = Load(binary, load_core, options.clients, options.keyspace)
        for turn in range(rounds):
            for depth in depths:
                for test in tests:
                    for server in servers if turn % 2 == 0 else servers[::-1]:
                        progress.step(f"{test.name} P={depth} {server.name}, round {turn + 1} of {rounds}")
                        sample = generator.measure(server, test, requests * (4 if depth > 1 else 1), depth)
                        samples.setdefault((test.name, depth, server.name), []).append(sample)
    finally:
        progress.close()
        for server in servers:
            server.stop()
    return [
        {
            "test": test.name,
            "pipeline": depth,
            "real": median(samples[test.name, depth, "real"]),
            "ours": median(samples[test.name, depth, "ours"]),
        }
        for depth in depths
        for test in tests
    ]


def measure_memory(options: argparse.Namespace) -> list[Any]:
    progress = Progress(len(memory.FILLINGS) * 2)
    rows = []
    for filling in memory.FILLINGS:
        row: dict[str, Any] = {"what": filling.name}
        for name, command in (("real", [options.real]), ("ours", shlex.split(options.ours))):
            progress.step(f"memory: {filling.name}, {name}")
            server = Server(name, command, None)
            try:
                row[name] = memory.measure(server, filling, 0.02 if options.smoke else options.memory_scale)
            finally:
                server.stop()
        rows.append(row)
    progress.close()
    return rows


def measure_startup(options: argparse.Namespace, core: int | None) -> tuple[dict[str, float], dict[str, str]]:
    """Milliseconds to the first PONG (median), and the versions."""
    times: dict[str, float] = {}
    versions: dict[str, str] = {}
    for name, command in (("real", [options.real]), ("ours", shlex.split(options.ours))):
        taken = []
        for _ in range(2 if options.smoke else 9):
            server = Server(name, command, core)
            taken.append(server.seconds_to_pong * 1000)
            versions[name] = server.version()
            server.stop()
        times[name] = statistics.median(taken)
    return times, versions


def medians(speed: list[Any], field: str, upside_down: bool = False) -> dict[str, float]:
    result = {}
    for depth in dict.fromkeys(row["pipeline"] for row in speed):
        rows = [row for row in speed if row["pipeline"] == depth and row["test"] in RATED]
        if rows:
            one, other = ("real", "ours") if upside_down else ("ours", "real")
            ratios = [row[one][field] / row[other][field] for row in rows if row[other][field]]
            result[str(depth)] = statistics.median(ratios) if ratios else 0.0
    return result


def cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def main() -> int:
    options = parser().parse_args()
    binary = load.find_benchmark()
    missing = load.MISSING if binary is None and not options.no_speed else ""
    if options.real is None:
        missing = "no real server to compare with: set PYREDIS_ORACLE or put redis-server on PATH"
    if missing:
        print(f"{'skipped: ' if options.smoke else ''}{missing}", file=sys.stderr)
        return 0 if options.smoke else 2
    server_core, load_core = cores()
    if server_core is None:
        print("cannot pin processes to cores here; figures will scatter", file=sys.stderr)
    startup, versions = measure_startup(options, server_core)
    speed = [] if options.no_speed or binary is None else measure_speed(options, binary, server_core, load_core)
    record = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": {
            "cpu": cpu_model(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "pinned": server_core is not None,
        },
        "versions": versions,
        "clients": options.clients,
        "keyspace": options.keyspace,
        "requests": options.requests,
        "rounds": options.rounds,
        "speed": speed,
        "median_ratio": medians(speed, "rps"),
        "median_cpu_ratio": medians(speed, "cpu_us", upside_down=True),
        "memory": measure_memory(options) if options.memory else [],
        "startup_ms": startup,
    }
    print(table.text(record))
    written = json.dumps(record, indent=1) + "\n"
    if options.json:
        options.json.write_text(written)
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{record['date']}.json").write_text(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
