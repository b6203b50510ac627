"""SLOWLOG (slowlog.c)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ...errors import NegativeSlowlogCount, NotInteger, WrongSubcommandArguments
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, LOADING, STALE
from ...resp.encode import OK, array_header, array_of, array_of_bulks, bulk, integer
from ...util.numbers import parse_int
from ..help import help_reply

if TYPE_CHECKING:
    from ...engine.client import Client
    from ...engine.slowlog import SlowEntry

HELP = (
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
)


@command("SLOWLOG", arity=-2)
def slowlog_(client: Client, argv: Argv) -> Reply:
    """SLOWLOG subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("SLOWLOG|HELP", arity=2, flags=LOADING | STALE)
def slowlog_help(client: Client, argv: Argv) -> Reply:
    """SLOWLOG HELP"""
    return help_reply("SLOWLOG", HELP)


@command(
    "SLOWLOG|GET", arity=-2, flags=ADMIN | LOADING | STALE,
    tips=("request_policy:all_nodes", "nondeterministic_output"),
)  # fmt: skip
def slowlog_get(client: Client, argv: Argv) -> Reply:
    """SLOWLOG GET [count]"""
    if len(argv) > 3:
        raise WrongSubcommandArguments("SLOWLOG", argv[1])
    entries = client.server.slowlog.entries
    count = 10
    if len(argv) == 3:
        try:
            count = parse_int(argv[2])
        except NotInteger:
            raise NegativeSlowlogCount from None
        if count < -1:
            raise NegativeSlowlogCount
        if count == -1:
            count = len(entries)
    return array_of([_entry(entry) for entry in islice(entries, min(count, len(entries)))])


def _entry(entry: SlowEntry) -> bytes:
    return b"".join((
        array_header(6), integer(entry.id), integer(entry.when), integer(entry.duration), array_of_bulks(entry.argv),
        bulk(entry.peer), bulk(entry.name),
    ))  # fmt: skip


@command(
    "SLOWLOG|LEN", arity=2, flags=ADMIN | LOADING | STALE,
    tips=("request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"),
)  # fmt: skip
def slowlog_len(client: Client, argv: Argv) -> Reply:
    """SLOWLOG LEN"""
    return integer(len(client.server.slowlog.entries))


@command(
    "SLOWLOG|RESET", arity=2, flags=ADMIN | LOADING | STALE,
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)  # fmt: skip
def slowlog_reset(client: Client, argv: Argv) -> Reply:
    """SLOWLOG RESET"""
    client.server.slowlog.reset()
    return OK
