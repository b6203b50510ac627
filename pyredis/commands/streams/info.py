"""XINFO: streams, groups and consumers described (t_stream.c xinfoCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.streams import NEVER, UNKNOWN, Consumer, Entry, Group, Stream
from ...datatypes.streams.ids import MAX_ID
from ...errors import NoSuchGroup, NoSuchKey, WrongSubcommandArguments
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, LOADING, READONLY, RO, STALE
from ...registry.keyspecs import at
from ...resp.encode import array_of, bulk, integer
from ...util.numbers import parse_int
from ..help import help_reply
from .common import UNSTABLE, entries_reply, entry_reply, id_reply, now_ms, pending_reply

if TYPE_CHECKING:
    from ...engine.client import Client
    from ...resp.wire import Wire

_HELP: Final = (
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
)
_DEFAULT_COUNT: Final = 10


@command("XINFO|HELP", arity=2, flags=LOADING | STALE, acl="stream")
@command("XINFO", arity=-2)
def xinfo_help(client: Client, argv: Argv) -> Reply:
    """XINFO HELP"""
    return help_reply("XINFO", _HELP)


@command("XINFO|CONSUMERS", arity=4, flags=READONLY, keys=at(2, RO | ACCESS), acl="stream", tips=UNSTABLE)
def xinfo_consumers(client: Client, argv: Argv) -> Reply:
    """XINFO CONSUMERS key group"""
    group = _stream(client, argv).groups.get(argv[3])
    if group is None:
        raise NoSuchGroup(argv[2], argv[3])
    wire, now = client.wire, now_ms(client)
    return array_of(
        [
            _map(
                wire,
                (b"name", bulk(name)),
                (b"pending", integer(len(consumer.pending))),
                (b"idle", integer(max(now - consumer.seen_time, 0))),
                (b"inactive", integer(_since(now, consumer.active_time))),
            )
            for name, consumer in sorted(group.consumers.items())
        ]
    )


def _since(now: int, active_time: int) -> int:
    return active_time if active_time == NEVER else now - active_time


@command("XINFO|GROUPS", arity=3, flags=READONLY, keys=at(2, RO | ACCESS), acl="stream")
def xinfo_groups(client: Client, argv: Argv) -> Reply:
    """XINFO GROUPS key"""
    stream, wire = _stream(client, argv), client.wire
    return array_of(
        [
            _map(
                wire,
                (b"name", bulk(name)),
                (b"consumers", integer(len(group.consumers))),
                (b"pending", integer(len(group.pending))),
                (b"last-delivered-id", id_reply(group.last_id)),
                (b"entries-read", _entries_read(wire, group)),
                (b"lag", _lag(wire, stream, group)),
            )
            for name, group in sorted(stream.groups.items())
        ]
    )


@command("XINFO|STREAM", arity=-3, flags=READONLY, keys=at(2, RO | ACCESS), acl="stream")
def xinfo_stream(client: Client, argv: Argv) -> Reply:
    """XINFO STREAM key [FULL [COUNT count]]"""
    stream, wire = _stream(client, argv), client.wire
    fields = [
        (b"length", integer(stream.length)),
        (b"radix-tree-keys", integer(stream.tree_keys())),
        (b"radix-tree-nodes", integer(stream.tree_nodes())),
        (b"last-generated-id", id_reply(stream.last_id)),
        (b"max-deleted-entry-id", id_reply(stream.max_deleted_id)),
        (b"entries-added", _counter(stream.entries_added)),
        (b"recorded-first-entry-id", id_reply(stream.first_id)),
    ]
    if len(argv) == 3:
        fields += (
            (b"groups", integer(len(stream.groups))),
            (b"first-entry", _entry(wire, stream.range(0, MAX_ID, 1))),
            (b"last-entry", _entry(wire, stream.range(0, MAX_ID, 1, reverse=True))),
        )
        return _map(wire, *fields)
    count = _full_count(argv)
    groups = [_full_group(wire, stream, name, group, count) for name, group in sorted(stream.groups.items())]
    fields += ((b"entries", entries_reply(stream.range(0, MAX_ID, count))), (b"groups", array_of(groups)))
    return _map(wire, *fields)


def _full_count(argv: Argv) -> int:
    """The COUNT of ``FULL [COUNT count]`` from argv[3] on; 0 for all."""
    if len(argv) not in (4, 6) or argv[3].upper() != b"FULL":
        raise WrongSubcommandArguments("XINFO", argv[1])
    if len(argv) == 4:
        return _DEFAULT_COUNT
    if argv[4].upper() != b"COUNT":
        raise WrongSubcommandArguments("XINFO", argv[1])
    count = parse_int(argv[5])
    return count if count >= 0 else _DEFAULT_COUNT


def _full_group(wire: Wire, stream: Stream, name: bytes, group: Group, count: int) -> bytes:
    pending = []
    for entry_id, delivery in group.pending.since(0):
        pending.append(pending_reply(entry_id, delivery, delivery.delivered))
        if len(pending) == count:
            break
    consumers = [_full_consumer(wire, owner, entry, count) for owner, entry in sorted(group.consumers.items())]
    return _map(
        wire,
        (b"name", bulk(name)),
        (b"last-delivered-id", id_reply(group.last_id)),
        (b"entries-read", _entries_read(wire, group)),
        (b"lag", _lag(wire, stream, group)),
        (b"pel-count", integer(len(group.pending))),
        (b"pending", array_of(pending)),
        (b"consumers", array_of(consumers)),
    )


def _full_consumer(wire: Wire, name: bytes, consumer: Consumer, count: int) -> bytes:
    pending = []
    for entry_id, delivery in consumer.pending.since(0):
        pending.append(b"*3\r\n%b:%d\r\n:%d\r\n" % (id_reply(entry_id), delivery.delivered, delivery.deliveries))
        if len(pending) == count:
            break
    return _map(
        wire,
        (b"name", bulk(name)),
        (b"seen-time", integer(consumer.seen_time)),
        (b"active-time", integer(consumer.active_time)),
        (b"pel-count", integer(len(consumer.pending))),
        (b"pending", array_of(pending)),
    )


def _stream(client: Client, argv: Argv) -> Stream:
    stream = client.db.read(argv[2], Stream)
    if stream is None:
        raise NoSuchKey
    return stream


def _entry(wire: Wire, entries: list[Entry]) -> bytes:
    return entry_reply(*entries[0]) if entries else wire.null


def _counter(count: int) -> bytes:
    """A counter of 64 bits without a sign, which Redis prints with one."""
    return integer((count + (1 << 63)) % (1 << 64) - (1 << 63))


def _entries_read(wire: Wire, group: Group) -> bytes:
    return wire.null if group.entries_read == UNKNOWN else _counter(group.entries_read)


def _lag(wire: Wire, stream: Stream, group: Group) -> bytes:
    lag = stream.lag(group)
    return wire.null if lag is None else _counter(lag)


def _map(wire: Wire, *fields: tuple[bytes, bytes]) -> bytes:
    """A map of plain names to replies."""
    return wire.map_header(len(fields)) + b"".join([bulk(name) + reply for name, reply in fields])
