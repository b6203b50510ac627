"""XREAD and XREADGROUP, which can wait for entries (t_stream.c xreadCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.streams import Group, Stream
from ...datatypes.streams.ids import MAX_ID, format_id, parse_strict_id
from ...engine.blocking import block, parse_timeout
from ...errors import (
    BlockInScript,
    GroupOptionMissing,
    GroupOptionOfXread,
    InvalidSyntax,
    LastIdForGroup,
    NewIdWithoutGroup,
    NoGroupToRead,
    UnbalancedStreams,
)
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, BLOCKING, READONLY, RO, WRITE
from ...registry.keyspecs import after
from ...resp.encode import array_header, bulk
from ...util.numbers import parse_int
from .common import (
    entries_reply,
    entry_reply,
    find_consumer,
    id_reply,
    now_ms,
    propagate_claim,
    propagate_position,
)

if TYPE_CHECKING:
    from ...engine.client import Client

_NEW: Final = MAX_ID
"""The ID that ``>`` stands for; Redis takes the greatest ID itself for ``>``, too."""


class Options:
    """What stands before the IDs."""

    timeout = -1  # ms, 0 for ever, -1: do not block
    count = 0
    noack = False
    group: bytes | None = None
    consumer = b""
    keys: list[bytes]


def _parse(client: Client, argv: Argv, *, grouped: bool) -> Options:
    options = Options()
    options.keys = []
    position, last = 1, len(argv) - 1
    while position <= last:
        option = argv[position].upper()
        more = last - position
        if option == b"STREAMS" and more:
            if more & 1:
                raise UnbalancedStreams(*(("xreadgroup", ">") if grouped else ("xread", "$")))
            options.keys = argv[position + 1 : position + 1 + more // 2]
            break
        if option == b"BLOCK" and more:
            if client.script is not None:
                raise BlockInScript(argv[0])
            options.timeout = parse_timeout(argv[position + 1], milliseconds=True)
            position += 2
        elif option == b"COUNT" and more:
            options.count = max(parse_int(argv[position + 1]), 0)
            position += 2
        elif option == b"GROUP" and more >= 2:
            if not grouped:
                raise GroupOptionOfXread("GROUP")
            options.group, options.consumer = argv[position + 1 : position + 3]
            position += 3
        elif option == b"NOACK":
            if not grouped:
                raise GroupOptionOfXread("NOACK")
            options.noack = True
            position += 1
        else:
            raise InvalidSyntax
    if not options.keys:
        raise InvalidSyntax
    if grouped and options.group is None:
        raise GroupOptionMissing
    return options


# --- without a group ------------------------------------------------------------------------------


@command(
    "XREAD", arity=-4, flags=READONLY | BLOCKING, acl="stream",
    keys=after("STREAMS", RO | ACCESS, start_from=1, last=-1, limit=2),
)  # fmt: skip
def xread(client: Client, argv: Argv) -> Reply:
    """XREAD [COUNT count] [BLOCK ms] STREAMS key [key ...] id [id ...]"""
    options = _parse(client, argv, grouped=False)
    keys, count = options.keys, options.count
    wanted: list[tuple[bytes, Stream | None, int]] = []
    for position, key in enumerate(keys, len(argv) - len(keys)):
        stream = client.db.read(key, Stream)
        text = argv[position]
        if text == b"$":
            after_id = 0 if stream is None else stream.last_id
        elif text == b">":
            raise NewIdWithoutGroup
        else:
            after_id = parse_strict_id(text)
        wanted.append((key, stream, after_id))
    replies: list[bytes] = []
    for key, stream, after_id in wanted:
        if stream is not None and stream.length and stream.last_live_id() > after_id:
            replies += (bulk(key), entries_reply(stream.range(after_id + 1, MAX_ID, count)))
    if replies:
        return client.wire.keyed_of(replies)
    if options.timeout < 0:
        return client.wire.null_array
    for position, (_, _, after_id) in enumerate(wanted, len(argv) - len(keys)):
        if argv[position] == b"$":
            argv[position] = format_id(after_id)  # the command is run again when there is more
    return block(client, "stream", keys, Stream, options.timeout, client.wire.null_array)


# --- for a group ----------------------------------------------------------------------------------


@command(
    "XREADGROUP", arity=-7, flags=WRITE | BLOCKING, acl="stream",
    keys=after("STREAMS", RO | ACCESS, start_from=4, last=-1, limit=2),
)  # fmt: skip
def xreadgroup(client: Client, argv: Argv) -> Reply:
    """XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS key [key ...] id [id ...]"""
    options = _parse(client, argv, grouped=True)
    keys, name = options.keys, options.group
    assert name is not None
    wanted: list[tuple[bytes, Stream, Group, int]] = []
    for position, key in enumerate(keys, len(argv) - len(keys)):
        stream = client.db.read(key, Stream)
        group = None if stream is None else stream.groups.get(name)
        if stream is None or group is None:
            raise NoGroupToRead(key, name)
        text = argv[position]
        if text == b"$":
            raise LastIdForGroup
        wanted.append((key, stream, group, _NEW if text == b">" else parse_strict_id(text)))
    replies: list[bytes] = []
    for key, stream, group, after_id in wanted:
        _, made = find_consumer(client, key, group, options.consumer)
        if made and options.noack:
            client.propagate(b"XGROUP", b"CREATECONSUMER", key, name, options.consumer)
        if after_id != _NEW:
            reply = _history(client, stream, group, options, after_id + 1)
        elif stream.length and stream.last_live_id() > group.last_id:
            reply = _deliver(client, key, stream, group, options)
        else:
            continue
        client.server.dirty += 1
        replies += (bulk(key), reply)
    if replies:
        return client.wire.keyed_of(replies)
    if options.timeout < 0:
        return client.wire.null_array
    return block(client, "stream", keys, Stream, options.timeout, client.wire.null_array, on_gone=True)


def _deliver(client: Client, key: bytes, stream: Stream, group: Group, options: Options) -> bytes:
    """New entries, which become pending unless NOACK says otherwise."""
    name, consumer = options.group or b"", options.consumer
    now = now_ms(client)
    entries = stream.range(group.last_id + 1, MAX_ID, options.count)
    if options.noack:
        for entry_id, _ in entries:
            stream.advance(group, entry_id)
        propagate_position(client, key, name, group)
        return entries_reply(entries)
    propagates = client.server.propagation.active
    for entry_id, _ in entries:
        stream.advance(group, entry_id)
        pending = group.deliver(entry_id, consumer, now)
        if propagates:
            propagate_claim(client, key, name, group, format_id(entry_id), pending)
    group.consumers[consumer].active_time = now
    return entries_reply(entries)


def _history(client: Client, stream: Stream, group: Group, options: Options, start: int) -> bytes:
    """Entries that are pending for the consumer already; those deleted meanwhile have no fields."""
    count, now = options.count, now_ms(client)
    replies: list[bytes] = []
    for entry_id, pending in group.consumers[options.consumer].pending.since(start):
        pairs = stream.get(entry_id)
        if pairs is None:
            replies.append(b"*2\r\n" + id_reply(entry_id) + client.wire.null_array)
        else:
            replies.append(entry_reply(entry_id, pairs))
            pending.delivered = now
            pending.deliveries += 1
        if len(replies) == count:
            break
    return array_header(len(replies)) + b"".join(replies)
