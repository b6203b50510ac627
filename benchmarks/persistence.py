"""``python -m benchmarks.persistence``: what saving, loading and logging cost, beside a real server.

Of a data set of small strings (DEBUG POPULATE): the time of SAVE and of loading the file; the latency of a
steady rate of requests, idle and during BGSAVE; the throughput that the AOF costs unpipelined SETs.
"""

from __future__ import annotations

import argparse
import random
import select
import shlex
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .load import MISSING, find_benchmark
from .servers import OURS, Server, encode, find_real

CONNECTIONS = 20
LATEST = 0.001
"""Seconds the generator sleeps at most."""


@dataclass(frozen=True)
class Limits:
    """What the figures are held against."""

    save: float = 4.0
    load: float = 4.0
    latency: float = 5.0
    aof: float = 0.20


def timed(server: Server, *argv: str) -> float:
    began = time.perf_counter()
    reply = server.send(argv)
    elapsed = time.perf_counter() - began
    if not reply.startswith(b"+OK"):
        raise RuntimeError(f"{server.name}: {' '.join(argv)}: {reply!r}")
    return elapsed


def saves_and_loads(server: Server, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of SAVE, and of loading what it wrote into an empty server."""
    saved, loaded = [], []
    for _ in range(rounds):
        saved.append(timed(server, "SAVE"))
        server.send(["FLUSHALL"])
        loaded.append(timed(server, "DEBUG", "RELOAD", "NOSAVE"))
    return saved, loaded


class Steady:
    """*rate* requests a second, four GETs for each SET; latencies count from when a request was due."""

    def __init__(self, server: Server, rate: int, keys: int) -> None:
        self.rate, self.keys = rate, keys
        self.sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CONNECTIONS)]
        self.waiting: dict[int, list[tuple[float, int]]] = {}
        self.poll = select.poll()
        self.by_descriptor = {connection.fileno(): connection for connection in self.sockets}
        for connection in self.sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.waiting[connection.fileno()] = []
            self.poll.register(connection, select.POLLIN)

    def run(self, seconds: float, more: Callable[[], bool] = lambda: False) -> list[float]:
        """Latencies of all requests of *seconds*, and for as long after them as *more* says."""
        latencies: list[float] = []
        rng = random.Random(1)
        began = time.perf_counter()
        sent = 0
        while True:
            now = time.perf_counter()
            if now - began >= seconds and not more():
                return latencies
            while (due := began + sent / self.rate) <= now:
                self._send(sent, due, b"key:%d" % rng.randrange(self.keys))
                sent += 1
            for descriptor, _ in self.poll.poll(max(0.0, min(due - time.perf_counter(), LATEST)) * 1000):
                self._receive(descriptor, latencies)

    def _send(self, number: int, due: float, key: bytes) -> None:
        connection = self.sockets[number % CONNECTIONS]
        writes = number % 5 == 0
        connection.send(encode((b"SET", key, b"x" * 8) if writes else (b"GET", key)))
        self.waiting[connection.fileno()].append((due, 1 if writes else 2))

    def _receive(self, descriptor: int, latencies: list[float]) -> None:
        lines = self.by_descriptor[descriptor].recv(1 << 16).count(b"\r\n")
        now = time.perf_counter()
        queue = self.waiting[descriptor]
        while queue and lines >= queue[0][1]:
            due, expected = queue.pop(0)
            lines -= expected
            latencies.append(now - due)

    def close(self) -> None:
        for connection in self.sockets:
            connection.close()


def p99(latencies: Sequence[float]) -> float:
    return sorted(latencies)[int(len(latencies) * 0.99)]


def during_bgsave(server: Server, rate: int, keys: int, seconds: float) -> tuple[float, float]:
    """The 99th percentile idle, and while a background save runs."""
    steady = Steady(server, rate, keys)
    looked = [0.0, 1.0]

    def saving() -> bool:
        if time.monotonic() - looked[0] > 0.1:
            looked[:] = time.monotonic(), b"rdb_bgsave_in_progress:1" in server.send(["INFO", "persistence"])
        return bool(looked[1])

    try:
        idle = p99(steady.run(seconds))
        started = time.monotonic()

        def begin_and_watch() -> bool:
            if looked[0] < started:
                looked[0] = time.monotonic()
                server.send(["BGSAVE"])
            return saving()

        return idle, p99(steady.run(0.0, begin_and_watch))
    finally:
        steady.close()


def set_rate(binary: str, server: Server, requests: int) -> float:
    argv = [binary, "-p", str(server.port), "-t", "set", "-c", "50", "-n", str(requests), "-r", "100000", "--csv"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return float(done.stdout.strip().splitlines()[-1].split(",")[1].strip('"'))


def cost_of_aof(name: str, command: Sequence[str], requests: int, rounds: int) -> float:
    """The share of throughput that everysec takes, the median over pairs of runs."""
    binary = find_benchmark()
    if binary is None:
        raise SystemExit(MISSING)
    without = Server(name, command, None)
    logged = Server(name, [*command, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"], None)
    try:
        shares = []
        for number in range(rounds):
            pair = {}
            for server in (without, logged) if number % 2 else (logged, without):
                pair[server.name, server is logged] = set_rate(binary, server, requests)
            shares.append(1 - pair[name, True] / pair[name, False])
        return statistics.median(shares)
    finally:
        without.stop()
        logged.stop()


def measure(name: str, command: Sequence[str], options: argparse.Namespace) -> dict[str, float]:
    server = Server(name, [*command, "--enable-debug-command", "yes"], None)
    try:
        timed(server, "DEBUG", "POPULATE", str(options.keys))
        saved, loaded = saves_and_loads(server, options.rounds)
        pairs = [during_bgsave(server, options.rate, options.keys, options.seconds) for _ in range(options.rounds)]
    finally:
        server.stop()
    return {
        "SAVE, s": statistics.median(saved),
        "load, s": statistics.median(loaded),
        "p99 idle, ms": statistics.median(idle for idle, _ in pairs) * 1000,
        "p99 during BGSAVE, ms": statistics.median(busy for _, busy in pairs) * 1000,
        "AOF everysec, share of SET": cost_of_aof(name, command, options.requests, 2 * options.rounds + 1),
    }


def verdicts(real: dict[str, float], ours: dict[str, float], limits: Limits) -> list[tuple[str, float, float]]:
    """What is limited, its value, its limit."""
    return [
        ("SAVE, times the real server's", ours["SAVE, s"] / real["SAVE, s"], limits.save),
        ("load, times the real server's", ours["load, s"] / real["load, s"], limits.load),
        ("p99 during BGSAVE, times idle", ours["p99 during BGSAVE, ms"] / ours["p99 idle, ms"], limits.latency),
        ("AOF everysec, share of SET", ours["AOF everysec, share of SET"], limits.aof),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.persistence", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--keys", type=int, default=1_000_000)
    add("--rate", type=int, default=5_000, help="requests per second while the latency is measured")
    add("--seconds", type=float, default=4.0, help="how long the idle server is measured")
    add("--requests", type=int, default=60_000, help="SETs per measurement of the AOF")
    add("--rounds", type=int, default=3)
    add("--real", default=find_real(), help="the real server (default: $PYREDIS_ORACLE, else from PATH)")
    add("--ours", default=shlex.join(OURS), help="command of the server under test")
    options = parser.parse_args(argv)
    if options.real is None:
        parser.error("no real server: set PYREDIS_ORACLE, or put redis-server on PATH")
    real, ours = (
        measure(name, command, options)
        for name, command in (("real", [options.real]), ("pyredis", shlex.split(options.ours)))
    )
    for figure, value in real.items():
        print(f"{figure:32} real {value:8.3f}   pyredis {ours[figure]:8.3f}")
    results = verdicts(real, ours, Limits())
    for what, value, limit in results:
        print(f"{what:32} {value:8.3f}   at most {limit:g}: {'yes' if value <= limit else 'NO'}")
    return 0 if all(value <= limit for _, value, limit in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
