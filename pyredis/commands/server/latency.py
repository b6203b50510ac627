"""LATENCY: spikes by event, and the distribution of every command's duration (latency.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...engine.latency import Spikes
from ...engine.stats import cumulative
from ...errors import NoLatencySamples
from ...registry.command import Argv, Command, Reply, command
from ...registry.flags import ADMIN, LOADING, NOSCRIPT, STALE
from ...resp.encode import EMPTY_ARRAY, array_header, array_of, bulk, integer
from ...util.sparkline import sparkline
from ..help import help_reply
from .introspection import look_up, top_level

if TYPE_CHECKING:
    from ...engine.client import Client

USUAL = ADMIN | NOSCRIPT | LOADING | STALE
TIPS = ("nondeterministic_output", "request_policy:all_nodes", "response_policy:special")
GRAPH_COLUMNS = 80

HELP = (
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
)

ADVICE = {
    "command": "SLOWLOG shows which commands were slow: avoid O(N) commands on big values, or work in smaller steps.",
    "fast-command": "Commands that do little were slow: something else used the CPU, or the machine swaps.",
    "expire-cycle": "Many keys expired at once, or big ones: spread expiry times, or set lazyfree-lazy-expire.",
    "eviction-cycle": "Eviction had much to do: raise maxmemory, or set lazyfree-lazy-eviction.",
    "fork": "Starting a background save takes long with so much memory: save less often, or from a replica.",
    "eviction-del": "A single evicted key took long to free: split big values, or set lazyfree-lazy-eviction.",
    "gc": "Python's garbage collector stopped the server: look for embedded code that makes many cyclic objects.",
    "aof-rename": "Renaming a file of the AOF took long: the old one is freed then, and the file system is slow at it.",
    "aof-write": "Writing to the AOF was slow: the disk is busy, or it is too slow for appendfsync always.",
    "aof-fsync-always": "The disk is too slow for appendfsync always.",
}


@command("LATENCY", arity=-2)
def latency_(client: Client, argv: Argv) -> Reply:
    """LATENCY subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("LATENCY|HELP", arity=2, flags=LOADING | STALE)
def latency_help(client: Client, argv: Argv) -> Reply:
    """LATENCY HELP"""
    return help_reply("LATENCY", HELP)


@command("LATENCY|HISTORY", arity=3, flags=USUAL, tips=TIPS)
def latency_history(client: Client, argv: Argv) -> Reply:
    """LATENCY HISTORY event"""
    spikes = client.server.latency.events.get(_name(argv[2]))
    if spikes is None:
        return EMPTY_ARRAY
    return array_of([array_header(2) + integer(when) + integer(worst) for when, worst in spikes.samples])


@command("LATENCY|LATEST", arity=2, flags=USUAL, tips=TIPS)
def latency_latest(client: Client, argv: Argv) -> Reply:
    """LATENCY LATEST"""
    return array_of(
        [
            array_header(4) + bulk(name.encode()) + b"".join(map(integer, (*spikes.samples[-1], spikes.highest)))
            for name, spikes in client.server.latency.events.items()
        ]
    )


@command("LATENCY|RESET", arity=-2, flags=USUAL, tips=("request_policy:all_nodes", "response_policy:agg_sum"))
def latency_reset(client: Client, argv: Argv) -> Reply:
    """LATENCY RESET [event [event ...]]"""
    return integer(client.server.latency.reset([_name(name) for name in argv[2:]]))


@command("LATENCY|GRAPH", arity=3, flags=USUAL, tips=TIPS)
def latency_graph(client: Client, argv: Argv) -> Reply:
    """LATENCY GRAPH event"""
    name = _name(argv[2])
    spikes = client.server.latency.events.get(name)
    if spikes is None:
        raise NoLatencySamples(argv[2])
    now = client.server.now // 1_000_000_000
    values = [worst for _, worst in spikes.samples]
    labels = [_ago(now - when) for when, _ in spikes.samples]
    text = (
        f"{name} - high {max(values)} ms, low {min(values)} ms (all time high {spikes.highest} ms)\n"
        + "-" * GRAPH_COLUMNS
        + "\n"
        + sparkline(values, labels, columns=GRAPH_COLUMNS, rows=4)
    )
    return client.wire.verbatim(text.encode(), b"txt")


def _ago(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@command("LATENCY|DOCTOR", arity=2, flags=USUAL, tips=TIPS)
def latency_doctor(client: Client, argv: Argv) -> Reply:
    """LATENCY DOCTOR"""
    server = client.server
    threshold, events = server.config.latency_monitor_threshold, server.latency.events
    if events:
        lines = [f"{len(events)} kinds of latency spikes have been seen:", ""]
        lines += [line for name, spikes in sorted(events.items()) for line in _diagnosis(name, spikes)]
    elif threshold:
        lines = [f"No latency spike of {threshold} ms or more has been seen so far."]
    else:
        lines = ["Latency monitoring is off: set latency-monitor-threshold to the milliseconds that are worth noting."]
    return client.wire.verbatim(("\n".join(lines) + "\n").encode(), b"txt")


def _diagnosis(name: str, spikes: Spikes) -> list[str]:
    """What the samples of one event say, and what to do."""
    samples = spikes.samples
    values = [worst for _, worst in samples]
    average = sum(values) / len(values)
    deviation = sum(abs(value - average) for value in values) / len(values)
    period = (samples[-1][0] - samples[0][0]) / len(samples)
    lines = [
        f"{name}: {len(values)} spikes (average {average:.0f} ms, mean deviation {deviation:.0f} ms, "
        f"{period:.2f} s apart). Worst of all: {spikes.highest} ms."
    ]
    advice = ADVICE.get(name)
    return [*lines, f"  {advice}"] if advice else lines


@command("LATENCY|HISTOGRAM", arity=-2, flags=USUAL, tips=TIPS)
def latency_histogram(client: Client, argv: Argv) -> Reply:
    """LATENCY HISTOGRAM [command [command ...]]"""
    client.server.stats.fold()
    if len(argv) == 2:
        parents = top_level(client)
    else:
        parents = [found for found in (look_up(client, name) for name in argv[2:]) if found is not None]
    measured = [each for parent in parents for each in (parent, *(parent.subcommands or {}).values()) if each.histogram]
    return client.wire.map_header(len(measured)) + b"".join([_distribution(client, each) for each in measured])


def _distribution(client: Client, each: Command) -> bytes:
    wire = client.wire
    steps = cumulative(each.histogram)
    return b"".join((
        bulk(each.wire_name), wire.map_header(2), bulk(b"calls"), integer(sum(each.histogram.values())),
        bulk(b"histogram_usec"), wire.map_header(len(steps)),
        *[integer(microseconds) + integer(count) for microseconds, count in steps],
    ))  # fmt: skip


def _name(event: bytes) -> str:
    return event.decode("latin-1")
