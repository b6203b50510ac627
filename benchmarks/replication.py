"""``python -m benchmarks.replication``: what a follower costs its leader, beside a real server.

In each round a leader is started and SET measured, first alone (later its backlog would be written even without a
follower), then with one follower; afterwards the time until that has everything tells whether it keeps up.  The system
places the three processes on its cores, unless ``--pin`` is given.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from .load import MISSING, Load, Test, find_benchmark
from .servers import OURS, Server, cores, find_real

SHARE = 0.8
"""Of its throughput, what SET is to keep with one follower."""
WAIT = 30
"""Seconds a follower may take to attach, or to catch up."""


@dataclass(frozen=True)
class Figures:
    """Medians over the rounds."""

    alone_rps: float
    followed_rps: float
    kept: float
    """Median share of the throughput kept, round by round."""
    leader_us: tuple[float, float]
    """CPU time of the leader per command: alone, followed."""
    follower_us: float
    behind_s: float
    """Seconds until the follower had everything, after the last reply."""


def field(server: Server, name: str) -> str:
    """A field of INFO replication."""
    text = server.send(["INFO", "replication"]).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line).get(name, "")


def wait_until_equal(leader: Server, follower: Server) -> float:
    """Seconds until *follower* has applied what *leader* has produced."""
    began = time.perf_counter()
    while time.perf_counter() - began < WAIT:
        produced = field(leader, "master_repl_offset")
        up = field(follower, "master_link_status") == "up"
        if up and int(field(follower, "slave_repl_offset")) >= int(produced):
            return time.perf_counter() - began
        time.sleep(0.005)
    raise RuntimeError(f"{follower.name}: the follower did not catch up within {WAIT} s")


def measure(name: str, command: Sequence[str], load: Load, options: argparse.Namespace) -> Figures:
    own, other = cores() if options.pin else (None, None)
    test = Test("SET")
    more = ("--repl-diskless-sync-delay", "0")
    alone, followed, kept, behind, follower_us = [], [], [], [], []
    for number in range(options.rounds):
        print(f"{name}: round {number + 1} of {options.rounds}", flush=True)
        with ExitStack() as stack:
            leader, follower = (Server(name, [*command, *more], core) for core in (own, other))
            stack.callback(leader.stop)
            stack.callback(follower.stop)
            load.measure(leader, test, options.requests // 4, options.pipeline)  # warms up
            alone.append(load.measure(leader, test, options.requests, options.pipeline))
            follower.send(["REPLICAOF", "127.0.0.1", leader.port])
            wait_until_equal(leader, follower)
            before = follower.cpu()
            followed.append(load.measure(leader, test, options.requests, options.pipeline))
            behind.append(wait_until_equal(leader, follower))
            follower_us.append((follower.cpu() - before) / options.requests * 1e6)
            kept.append(followed[-1].rps / alone[-1].rps)
    return Figures(
        statistics.median(sample.rps for sample in alone),
        statistics.median(sample.rps for sample in followed),
        statistics.median(kept),
        (statistics.median(each.cpu_us for each in alone), statistics.median(each.cpu_us for each in followed)),
        statistics.median(follower_us),
        statistics.median(behind),
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replication", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--requests", type=int, default=200_000)
    add("--pipeline", "-P", type=int, default=1)
    add("--clients", type=int, default=50)
    add("--rounds", type=int, default=5)
    add("--keyspace", type=int, default=10_000)
    add("--real", default=find_real(), help="the real server (default: $PYREDIS_ORACLE, else from PATH)")
    add("--ours", default=shlex.join(OURS), help="command of the server under test")
    add("--pin", action="store_true", help="give the leader a core of its own; the follower shares that of the load")
    add("--json", metavar="FILE", help="write all figures there")
    options = parser.parse_args(argv)
    binary = find_benchmark()
    if binary is None:
        parser.error(MISSING)
    load = Load(binary, cores()[1] if options.pin else None, options.clients, options.keyspace)
    programs = [("pyredis", shlex.split(options.ours))]
    if options.real is not None:
        programs.insert(0, ("real", [options.real]))
    results = {name: measure(name, command, load, options) for name, command in programs}
    for name, figures in results.items():
        print(
            f"{name:8} alone {figures.alone_rps:7.0f}/s, followed {figures.followed_rps:7.0f}/s, keeps "
            f"{figures.kept:.2f}; CPU per SET: leader {figures.leader_us[0]:.1f} to {figures.leader_us[1]:.1f} us, "
            f"follower {figures.follower_us:.1f} us; {figures.behind_s * 1000:.0f} ms behind at the end"
        )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({name: asdict(figures) for name, figures in results.items()}, file, indent=1)
    kept = results["pyredis"].kept
    met = kept >= SHARE
    print(f"SET with one follower keeps {kept:.2f} of its throughput, at least {SHARE:g}: {'yes' if met else 'NO'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
