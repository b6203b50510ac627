"""``python -m benchmarks.eviction``: how well a full server keeps what is asked for, and what that costs.

A cache that has room for a tenth of the keys serves a Zipf trace: GET, and SET where that found nothing.
The hit ratios of both servers, holding the same number of keys, stand beside those of an ideal LRU and of
random replacement, which are simulated.  ``--plot`` draws them (needs matplotlib).  ``--plateau`` inserts new keys
all the time instead, for each policy, and watches the resident size and the latency; ``--latency`` compares the
latency alone.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from .servers import OURS, Client, Server, cores, find_real

VALUE = b"v" * 100
BATCH = 50
WINDOW = 100_000  # requests
POLICIES = (
    "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
)  # fmt: skip


NONE, NONE_VOLATILE = "none", "none (volatile keys)"
"""No limit: what the policies are compared with, and those for volatile keys, which SET ... EX makes."""


def zipf_trace(requests: int, keys: int, exponent: float, seed: int) -> list[int]:
    """Key numbers; number k comes with a probability proportional to 1 / rank(k) ** *exponent*."""
    rng = random.Random(seed)
    weights = list(accumulate(1 / rank**exponent for rank in range(1, keys + 1)))
    names = list(range(keys))
    rng.shuffle(names)
    return rng.choices(names, cum_weights=weights, k=requests)


def windows(hits: Iterator[bool]) -> list[float]:
    """Hit ratio of each ``WINDOW`` requests."""
    ratios: list[float] = []
    count = found = 0
    for hit in hits:
        count += 1
        found += hit
        if count == WINDOW:
            ratios.append(found / count)
            count = found = 0
    return ratios


def ideal_lru(trace: list[int], room: int) -> Iterator[bool]:
    cache: OrderedDict[int, None] = OrderedDict()
    for key in trace:
        hit = key in cache
        if hit:
            cache.move_to_end(key)
        else:
            cache[key] = None
            if len(cache) > room:
                cache.popitem(last=False)
        yield hit


def at_random(trace: list[int], room: int) -> Iterator[bool]:
    rng = random.Random(1)
    places: dict[int, int] = {}
    held: list[int] = []
    for key in trace:
        hit = key in places
        if not hit:
            if len(held) < room:
                places[key] = len(held)
                held.append(key)
            else:
                at = rng.randrange(room)
                del places[held[at]]
                held[at] = key
                places[key] = at
        yield hit


def name(key: int) -> bytes:
    return b"key:%010d" % key


def info(client: Client, field: bytes) -> int:
    return int(client.send([("INFO", "everything")]).split(field + b":")[1].split(b"\r\n")[0])


def serve(server: Server, policy: str, trace: list[int], room: int) -> Iterator[bool]:
    """Run *trace* against *server*, whose limit is steered so that it holds *room* keys."""
    with Client(server.port) as client:
        client.send([("CONFIG", "SET", "maxmemory-policy", policy)])
        used = info(client, b"used_memory")
        client.send([("SET", name(10**9 + key), VALUE) for key in range(room)])
        full = info(client, b"used_memory")
        client.send([("FLUSHALL",)])
        each, limit = (full - used) / room, full
        for start in range(0, len(trace), BATCH):
            if start % 20_000 == 0:
                size = int(client.send([("DBSIZE",)])[1:])
                if start == 0 or size > room * 0.995:
                    limit += round((room - size) * each) if start else 0
                    client.send([("CONFIG", "SET", "maxmemory", limit)])
                elif start > 200_000:
                    limit += round((room - size) * each)
                    client.send([("CONFIG", "SET", "maxmemory", limit)])
            batch = trace[start : start + BATCH]
            replies = client.send([("GET", name(key)) for key in batch])
            missing: dict[int, None] = {}
            at = 0
            for key in batch:
                if replies.startswith(b"$-1", at):
                    yield key in missing
                    missing[key] = None
                    at += 5
                else:
                    yield True
                    at += len(VALUE) + 8
            if missing:
                client.send([("SET", name(key), VALUE) for key in missing])


def paced(hits: Iterator[bool], rate: int) -> Iterator[bool]:
    """*hits* at *rate* a second at the most: Redis does not tell accesses within one second from each other."""
    began = time.perf_counter()
    for count, hit in enumerate(hits):
        if rate and count % BATCH == 0:
            time.sleep(max(0.0, began + count / rate - time.perf_counter()))
        yield hit


def hit_ratios(args: argparse.Namespace) -> dict[str, Any]:
    trace = zipf_trace(args.requests, args.keys, args.exponent, 7)
    room = args.keys // 10
    lines = {"ideal LRU": windows(ideal_lru(trace, room)), "random": windows(at_random(trace, room))}
    core, _ = cores()
    real = args.real or find_real()
    commands: dict[str, tuple[str, ...]] = {"pyredis": OURS}
    if real is not None:
        commands["Redis"] = (real,)
    for label, command in commands.items():
        for policy in args.policies or ("allkeys-lru", "allkeys-lfu"):
            server = Server(label, command, core)
            try:
                began = time.perf_counter()
                lines[f"{label} {policy}"] = windows(paced(serve(server, policy, trace, room), args.rate))
                held = int(server.send(("DBSIZE",))[1:])
            finally:
                server.stop()
            print(
                f"{label} {policy}: {time.perf_counter() - began:.0f} s, {held} of {room} keys at the end", flush=True
            )
    for label, ratios in lines.items():
        settled = ratios[len(ratios) // 4 :]
        print(f"{label:24}{100 * sum(settled) / len(settled):6.2f} %")
    return {"requests": args.requests, "keys": args.keys, "room": room, "exponent": args.exponent, "lines": lines}


def draw(record: dict[str, Any], path: Path) -> None:
    """The hit ratios over the trace, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "eviction"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    styles = {"ideal LRU": ":k", "random": "--k"}
    for label, ratios in record["lines"].items():
        ends = [(at + 1) * WINDOW / 1e6 for at in range(len(ratios))]
        axes.plot(ends, [100 * ratio for ratio in ratios], styles.get(label, "-"), label=label, linewidth=1.4)
    axes.set_xlabel("million requests")
    axes.set_ylabel(f"hits in the last {WINDOW:,}, %")
    axes.set_title(f"Zipf({record['exponent']}) over {record['keys']:,} keys, room for {record['room']:,}")
    axes.legend(loc="lower right", fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def insert(client: Client, first: int, count: int, *, volatile: bool) -> list[float]:
    """Insert *count* new keys; seconds that each batch of ten took."""
    taken = []
    options = ("EX", 100_000) if volatile else ()
    for start in range(first, first + count, 10):
        commands = [("SET", name(key), VALUE, *options) for key in range(start, start + 10)]
        began = time.perf_counter()
        client.send(commands)
        taken.append(time.perf_counter() - began)
    return taken


def p99(samples: list[float]) -> float:
    return sorted(samples)[len(samples) * 99 // 100] * 1e6


def plateau(args: argparse.Namespace) -> dict[str, Any]:
    """Resident size while new keys come in, five times what fits, and the latency of batches of ten."""
    core, _ = cores()
    record: dict[str, Any] = {}
    for policy in args.policies or (NONE, NONE_VOLATILE, *POLICIES):
        server = Server("pyredis", OURS, core)
        try:
            with Client(server.port) as client:
                if policy not in (NONE, NONE_VOLATILE):
                    client.send([("CONFIG", "SET", "maxmemory", 32 << 20, "maxmemory-policy", policy)])
                total, step = args.inserts, args.inserts // 10
                sizes, slow = [], []
                for first in range(0, total, step):
                    slow.append(p99(insert(client, first, step, volatile="volatile" in policy)))
                    sizes.append(server.rss() / 2**20)
                keys = int(client.send([("DBSIZE",)])[1:])
        finally:
            server.stop()
        later = sizes[3:]
        record[policy] = {"rss": sizes, "p99": slow, "keys": keys}
        print(
            f"{policy:20} keys {keys:8}  RSS MB {' '.join(f'{size:.0f}' for size in sizes)}  "
            f"spread after the third {100 * (max(later) / min(later) - 1):.1f} %  "
            f"p99 us/10 {median(slow[3:]):.0f}, at worst {max(slow[3:]):.0f}",
            flush=True,
        )
    return record


def latencies(args: argparse.Namespace) -> dict[str, Any]:
    """Batches of ten inserts over the limit; of three runs the one that was disturbed least."""
    core, _ = cores()
    record: dict[str, Any] = {}
    policies = args.policies or (NONE, NONE_VOLATILE, *POLICIES)
    for policy in [policy for _ in range(3) for policy in policies]:
        server = Server("pyredis", OURS, core)
        volatile = "volatile" in policy
        try:
            with Client(server.port) as client:
                if policy not in (NONE, NONE_VOLATILE):
                    client.send([("CONFIG", "SET", "maxmemory", 12 << 20, "maxmemory-policy", policy)])
                insert(client, 0, 45_000, volatile=volatile)  # more than fit
                samples = insert(client, 45_000, 30_000, volatile=volatile)
        finally:
            server.stop()
        figures = {"p99": p99(samples), "median": median(samples) * 1e6}
        record[policy] = min(record.get(policy, figures), figures, key=lambda run: float(run["p99"]))
    for policy, figures in record.items():
        print(f"{policy:20} us/10: median {figures['median']:6.0f}  p99 {figures['p99']:6.0f}", flush=True)
    return record


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.eviction", description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000_000)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--exponent", type=float, default=1.0)
    parser.add_argument("--real", help="the real server (default: $PYREDIS_ORACLE, else from PATH)")
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--plot", type=Path, help="draw the hit ratios into this SVG file")
    parser.add_argument("--replot", type=Path, help="draw a record again instead of measuring")
    parser.add_argument("--plateau", action="store_true", help="measure resident size and latency instead")
    parser.add_argument("--latency", action="store_true", help="compare the latency of the policies instead")
    parser.add_argument("--policies", nargs="*", help="only these; hit ratios are of allkeys-lru and -lfu, else of all")
    parser.add_argument("--rate", type=int, default=0, help="requests per second of a trace, at the most")
    parser.add_argument("--inserts", type=int, default=600_000)
    args = parser.parse_args()
    measure: Callable[[argparse.Namespace], dict[str, Any]] = hit_ratios
    if args.plateau or args.latency:
        measure = plateau if args.plateau else latencies
    record = json.loads(args.replot.read_text()) if args.replot else measure(args)
    if args.json:
        args.json.write_text(json.dumps(record, indent=1) + "\n")
    if args.plot:
        draw(record, args.plot)


if __name__ == "__main__":
    main()
