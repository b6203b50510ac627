"""XGROUP and XACK: consumer groups and their members (t_stream.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.streams import UNKNOWN, Group, Stream
from ...datatypes.streams.ids import parse_id, parse_strict_id
from ...errors import (
    GroupExists,
    GroupNeedsKey,
    InvalidEntriesRead,
    NoSuchGroup,
    WrongSubcommandArguments,
)
from ...keyspace.events import STREAM
from ...registry.command import Argv, Reply, command
from ...registry.flags import DELETE, DENYOOM, FAST, INSERT, LOADING, RW, STALE, UPDATE, WRITE
from ...registry.keyspecs import at
from ...resp.encode import OK, ONE, ZERO, integer
from ...util.numbers import parse_int
from ..help import help_reply
from .common import find_consumer, group_changed

if TYPE_CHECKING:
    from ...engine.client import Client

_HELP: Final = (
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
)


@command("XGROUP|HELP", arity=2, flags=LOADING | STALE, acl="stream")
@command("XGROUP", arity=-2)
def xgroup_help(client: Client, argv: Argv) -> Reply:
    """XGROUP HELP"""
    return help_reply("XGROUP", _HELP)


@command("XGROUP|CREATE", arity=-5, flags=WRITE | DENYOOM, keys=at(2, RW | INSERT), acl="stream")
def xgroup_create(client: Client, argv: Argv) -> Reply:
    """XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]"""
    make, entries_read = _parse_options(argv, may_make=True)
    db, key, name = client.db, argv[2], argv[3]
    stream = db.edit(key, Stream)
    if stream is None and not make:
        raise GroupNeedsKey
    if len(argv) > 8:
        raise WrongSubcommandArguments("XGROUP", argv[1])
    if argv[4] == b"$":
        last_id = 0 if stream is None else stream.last_id
    else:
        last_id = parse_strict_id(argv[4])
    if stream is None:
        stream = Stream()
        db.add(key, stream)
        db.changed(key, None, STREAM, 0)
    if name in stream.groups:
        raise GroupExists
    stream.groups[name] = Group(last_id, entries_read)
    group_changed(client, argv, b"xgroup-create")
    return OK


@command("XGROUP|SETID", arity=-5, flags=WRITE, keys=at(2, RW | UPDATE), acl="stream")
def xgroup_setid(client: Client, argv: Argv) -> Reply:
    """XGROUP SETID key group id | $ [ENTRIESREAD entries-read]"""
    _, entries_read = _parse_options(argv, may_make=False)
    stream, group = _find_group(client, argv)
    if len(argv) not in (5, 7):
        raise WrongSubcommandArguments("XGROUP", argv[1])
    group.last_id = stream.last_id if argv[4] == b"$" else parse_id(argv[4])
    group.entries_read = entries_read
    group_changed(client, argv, b"xgroup-setid")
    return OK


@command("XGROUP|DESTROY", arity=4, flags=WRITE, keys=at(2, RW | DELETE), acl="stream")
def xgroup_destroy(client: Client, argv: Argv) -> Reply:
    """XGROUP DESTROY key group"""
    stream = _find_stream(client, argv)
    if stream.groups.pop(argv[3], None) is None:
        return ZERO
    group_changed(client, argv, b"xgroup-destroy")
    client.server.blocking.signal(client.db, argv[2])  # those who wait in the group get an error
    return ONE


@command("XGROUP|CREATECONSUMER", arity=5, flags=WRITE | DENYOOM, keys=at(2, RW | INSERT), acl="stream")
def xgroup_createconsumer(client: Client, argv: Argv) -> Reply:
    """XGROUP CREATECONSUMER key group consumer"""
    _, group = _find_group(client, argv)
    if argv[4] in group.consumers:
        return ZERO
    find_consumer(client, argv[2], group, argv[4])
    client.propagate(*argv)
    return ONE


@command("XGROUP|DELCONSUMER", arity=5, flags=WRITE, keys=at(2, RW | DELETE), acl="stream")
def xgroup_delconsumer(client: Client, argv: Argv) -> Reply:
    """XGROUP DELCONSUMER key group consumer"""
    _, group = _find_group(client, argv)
    if argv[4] not in group.consumers:
        return ZERO
    pending = group.delete_consumer(argv[4])
    group_changed(client, argv, b"xgroup-delconsumer")
    return integer(pending)


@command("XACK", arity=-4, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="stream")
def xack(client: Client, argv: Argv) -> Reply:
    """XACK key group id [id ...]"""
    stream = client.db.edit(argv[1], Stream)
    group = None if stream is None else stream.groups.get(argv[2])
    if group is None:
        return ZERO
    acknowledge = group.acknowledge
    count = sum([acknowledge(entry_id) for entry_id in [parse_strict_id(text) for text in argv[3:]]])
    if count:
        group_changed(client, argv, None, count)
    return integer(count)


def _parse_options(argv: Argv, *, may_make: bool) -> tuple[bool, int]:
    """MKSTREAM and ENTRIESREAD from argv[5] on."""
    make, entries_read = False, UNKNOWN
    position = 5
    while position < len(argv):
        option = argv[position].upper()
        if may_make and option == b"MKSTREAM":
            make = True
            position += 1
        elif option == b"ENTRIESREAD" and position + 1 < len(argv):
            entries_read = parse_int(argv[position + 1])
            if entries_read < 0 and entries_read != UNKNOWN:
                raise InvalidEntriesRead
            position += 2
        else:
            raise WrongSubcommandArguments("XGROUP", argv[1])
    return make, entries_read


def _find_stream(client: Client, argv: Argv) -> Stream:
    stream = client.db.edit(argv[2], Stream)
    if stream is None:
        raise GroupNeedsKey
    return stream


def _find_group(client: Client, argv: Argv) -> tuple[Stream, Group]:
    stream = _find_stream(client, argv)
    group = stream.groups.get(argv[3])
    if group is None:
        raise NoSuchGroup(argv[2], argv[3])
    return stream, group
