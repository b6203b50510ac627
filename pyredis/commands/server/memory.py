"""MEMORY: what takes how much of it (object.c memoryCommand)."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from ...engine.memory_report import diagnose, overhead
from ...errors import InvalidSyntax, PurgeFailed
from ...registry.command import Argv, Reply, command
from ...registry.flags import LOADING, LOOKS_ONLY, READONLY, RO, STALE
from ...registry.keyspecs import at
from ...resp.encode import OK, bulk, integer
from ...util.footprint import footprint
from ...util.numbers import parse_int
from ...util.process import trim_heap
from ..help import help_reply

if TYPE_CHECKING:
    from ...engine.client import Client

TIPS = ("nondeterministic_output", "request_policy:all_shards", "response_policy:special")
DEFAULT_SAMPLES = 5
ENTRY_BYTES = 104
"""What a key takes besides itself and its value: its part of a dict's table."""

HELP = (
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
)


@command("MEMORY", arity=-2)
def memory_(client: Client, argv: Argv) -> Reply:
    """MEMORY subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("MEMORY|HELP", arity=2, flags=LOADING | STALE)
def memory_help(client: Client, argv: Argv) -> Reply:
    """MEMORY HELP"""
    return help_reply("MEMORY", HELP)


@command("MEMORY|USAGE", arity=-3, flags=READONLY | LOOKS_ONLY, keys=at(2, RO))
def memory_usage(client: Client, argv: Argv) -> Reply:
    """MEMORY USAGE key [SAMPLES count]"""
    samples = DEFAULT_SAMPLES
    for position in range(3, len(argv), 2):
        if argv[position].upper() != b"SAMPLES" or position + 1 == len(argv):
            raise InvalidSyntax
        samples = parse_int(argv[position + 1])
        if samples < 0:
            raise InvalidSyntax
    key = argv[2]
    value = client.db.data.get(key)
    if value is None:
        return client.wire.null
    return integer(footprint(key, 1) + footprint(value, samples) + ENTRY_BYTES)


@command("MEMORY|STATS", arity=2, tips=TIPS)
def memory_stats(client: Client, argv: Argv) -> Reply:
    """MEMORY STATS"""
    wire = client.wire
    parts: list[bytes] = []
    stats = overhead(client.server)
    for name, value in stats.items():
        parts.append(bulk(name.encode()))
        if isinstance(value, dict):
            parts.append(wire.map_header(len(value)))
            parts += [bulk(field.encode()) + integer(size) for field, size in value.items()]
        else:
            parts.append(integer(value) if isinstance(value, int) else wire.double(value))
    return wire.map_header(len(stats)) + b"".join(parts)


@command("MEMORY|DOCTOR", arity=2, tips=TIPS)
def memory_doctor(client: Client, argv: Argv) -> Reply:
    """MEMORY DOCTOR"""
    return client.wire.verbatim(diagnose(client.server).encode(), b"txt")


@command("MEMORY|MALLOC-STATS", arity=2, tips=TIPS)
def memory_malloc_stats(client: Client, argv: Argv) -> Reply:
    """MEMORY MALLOC-STATS"""
    return bulk(b"Stats not supported for the current allocator")


@command("MEMORY|PURGE", arity=2, tips=("request_policy:all_shards", "response_policy:all_succeeded"))
def memory_purge(client: Client, argv: Argv) -> Reply:
    """MEMORY PURGE"""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    if not trim_heap():
        raise PurgeFailed
    return OK
