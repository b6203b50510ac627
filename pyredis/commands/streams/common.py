"""What all stream commands share: how entries are answered, and how changes of groups are noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.streams import Consumer, Entry, Group, Pending, Stream
from ...datatypes.streams.ids import MAX_SEQUENCE, format_id
from ...errors import NoKeyOrGroup
from ...keyspace.events import STREAM
from ...registry.command import Argv
from ...resp.encode import array_header, array_of_bulks, bulk

if TYPE_CHECKING:
    from ...engine.client import Client

_ONE_FIELD: Final = b"*2\r\n$%d\r\n%b\r\n*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
UNSTABLE: Final = ("nondeterministic_output",)


def now_ms(client: Client) -> int:
    """The running command's time in ms since the epoch."""
    return client.server.now // 1_000_000


def id_reply(entry_id: int) -> bytes:
    """An ID as a bulk string."""
    text = format_id(entry_id)
    return b"$%d\r\n%b\r\n" % (len(text), text)


def entry_reply(entry_id: int, pairs: list[bytes]) -> bytes:
    """An entry: its ID, and an array of fields and values in turn."""
    text = b"%d-%d" % (entry_id >> 64, entry_id & MAX_SEQUENCE)
    if len(pairs) == 2:
        field, value = pairs
        return _ONE_FIELD % (len(text), text, len(field), field, len(value), value)
    return b"*2\r\n$%d\r\n%b\r\n%b" % (len(text), text, array_of_bulks(pairs))


def entries_reply(entries: list[Entry]) -> bytes:
    """An array of entries.  1 us each"""
    return array_header(len(entries)) + b"".join([entry_reply(entry_id, pairs) for entry_id, pairs in entries])


def group_to_edit(client: Client, key: bytes, name: bytes) -> tuple[Stream, Group]:
    """The stream at *key* and its group *name*.  Raises NoKeyOrGroup, WrongType"""
    stream = client.db.edit(key, Stream)
    group = None if stream is None else stream.groups.get(name)
    if stream is None or group is None:
        raise NoKeyOrGroup(key, name)
    return stream, group


def find_consumer(client: Client, key: bytes, group: Group, name: bytes) -> tuple[Consumer, bool]:
    """The consumer *name*, and whether it had to be made.  Either way it has been seen now."""
    consumer = group.consumers.get(name)
    if consumer is not None:
        consumer.seen_time = now_ms(client)
        return consumer, False
    consumer = group.consumers[name] = Consumer(now_ms(client))
    client.server.dirty += 1
    client.db.event(key, b"xgroup-createconsumer", STREAM)
    return consumer, True


def group_changed(client: Client, argv: Argv, event: bytes | None, count: int = 1) -> None:
    """Note a change of a group: it counts and is propagated, but does not touch WATCH or tracking."""
    client.server.dirty += count
    if event is not None:
        client.db.event(argv[2], event, STREAM)
    client.propagate(*argv)


def propagate_claim(client: Client, key: bytes, name: bytes, group: Group, text: bytes, pending: Pending) -> None:
    """Propagate the delivery of an ID as an XCLAIM, which may be repeated (streamPropagateXCLAIM)."""
    if client.server.propagation.active:
        client.propagate(
            b"XCLAIM", key, name, pending.consumer, b"0", text, b"TIME", b"%d" % pending.delivered,
            b"RETRYCOUNT", b"%d" % pending.deliveries, b"FORCE", b"JUSTID", b"LASTID", format_id(group.last_id),
        )  # fmt: skip


def propagate_position(client: Client, key: bytes, name: bytes, group: Group) -> None:
    """Propagate how far a group has read (streamPropagateGroupID)."""
    client.propagate(
        b"XGROUP", b"SETID", key, name, format_id(group.last_id), b"ENTRIESREAD", b"%d" % group.entries_read
    )


def pending_reply(entry_id: int, pending: Pending, last: int) -> bytes:
    """A delivery as XPENDING and XINFO show it; *last* is its idle time or its time."""
    return b"*4\r\n%b%b:%d\r\n:%d\r\n" % (id_reply(entry_id), bulk(pending.consumer), last, pending.deliveries)
