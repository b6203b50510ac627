"""Streams as they are saved: nodes of delta-encoded entries in listpacks, then metadata and groups (t_stream.c).

A node's listpack: count, deleted, number of master fields, the fields, 0; then for each entry flags,
ms and seq relative to the node's id, fields (unless SAMEFIELDS) and values, and the number of elements
the entry takes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from pyredis.persistence.rdb import listpack
from pyredis.persistence.rdb.codes import RdbError

FLAG_DELETED = 1
FLAG_SAMEFIELDS = 2

StreamId = tuple[int, int]
"""(ms, seq), each 64 bits unsigned."""

_ID = struct.Struct(">QQ")
_MASK = (1 << 64) - 1
_SIGN = 1 << 63


class Entry(NamedTuple):
    """An entry of a node; a deleted one stays until its node is empty.  *fields* alternates names and values."""

    ms: int
    seq: int
    deleted: bool
    fields: Sequence[bytes]


class Node(NamedTuple):
    """A run of entries that share a reference id and reference field names."""

    ms: int
    seq: int
    master_fields: Sequence[bytes]
    entries: Sequence[Entry]


class Pending(NamedTuple):
    """An entry delivered and not acknowledged; *delivered* in unix ms."""

    id: StreamId
    delivered: int
    count: int


class Consumer(NamedTuple):
    """A consumer with the ids pending for it; *active* is -1 when it never got anything (unix ms)."""

    name: bytes
    seen: int
    active: int
    pending: Sequence[StreamId]


class Group(NamedTuple):
    """A consumer group; *entries_read* is -1 when unknown."""

    name: bytes
    last_id: StreamId
    entries_read: int
    pending: Sequence[Pending]
    consumers: Sequence[Consumer]


class StreamRecord(NamedTuple):
    """A whole stream, independent of how a value class keeps it."""

    nodes: Sequence[Node]
    length: int
    last_id: StreamId
    first_id: StreamId
    max_deleted_id: StreamId
    entries_added: int
    groups: Sequence[Group]


def encode_id(ms: int, seq: int) -> bytes:
    """The sixteen big-endian bytes that order like the id."""
    return _ID.pack(ms, seq)


def decode_id(raw: bytes) -> StreamId:
    """The id in sixteen big-endian bytes."""
    return _ID.unpack(raw)  # type: ignore[return-value]


def encode_node(node: Node) -> bytes:
    """The listpack of *node*.  O(bytes)"""
    base_ms, base_seq, master_fields, entries = node
    master = list(master_fields)
    encode_entry, encode_integer = listpack.encode_entry, listpack.encode_integer
    deleted = sum(entry.deleted for entry in entries)
    parts = [encode_integer(len(entries) - deleted), encode_integer(deleted), encode_integer(len(master))]
    parts += map(encode_entry, master)
    parts.append(encode_integer(0))
    for ms, seq, gone, fields in entries:
        same = list(fields[::2]) == master
        flags = (FLAG_SAMEFIELDS if same else 0) | (FLAG_DELETED if gone else 0)
        parts.append(encode_integer(flags))
        parts.append(encode_integer(_signed(ms - base_ms)))
        parts.append(encode_integer(_signed(seq - base_seq)))
        if same:
            parts += map(encode_entry, fields[1::2])
            parts.append(encode_integer(len(master) + 3))
        else:
            count = len(fields) // 2
            parts.append(encode_integer(count))
            parts += map(encode_entry, fields)
            parts.append(encode_integer(2 * count + 4))
    return listpack.join(parts)


def decode_node(key: bytes, pack: bytes) -> Node:
    """The node saved under *key*, with every check of streamValidateListpackIntegrity."""
    failure = "Stream listpack integrity check failed."
    if len(key) != 16:
        raise RdbError("Stream node key entry is not the size of a stream ID")
    base_ms, base_seq = _ID.unpack(key)
    items = listpack.decode_raw(pack, failure)
    if not items:
        raise RdbError("Empty listpack inside stream")
    try:
        count, deleted, width = _integer(items[0]), _integer(items[1]), _integer(items[2])
        if width < 0 or len(items) < 4 + width or _integer(items[3 + width]) != 0:
            raise ValueError
        texts = [item if type(item) is bytes else b"%d" % item for item in items]
        master = texts[3 : 3 + width]
        entries: list[Entry] = []
        at, end = 4 + width, len(items)
        while at < end:
            entry, at = _decode_entry(items, texts, at, base_ms, base_seq, master)
            entries.append(entry)
    except (ValueError, IndexError):
        raise RdbError(failure) from None
    if count + deleted != len(entries):
        raise RdbError(failure)
    return Node(base_ms, base_seq, master, entries)


def _decode_entry(
    items: list[bytes | int], texts: list[bytes], at: int, base_ms: int, base_seq: int, master: list[bytes]
) -> tuple[Entry, int]:
    flags, ms, seq = _integer(items[at]), _integer(items[at + 1]), _integer(items[at + 2])
    at += 3
    if flags & FLAG_SAMEFIELDS:
        width = len(master)
        values = texts[at : at + width]
        at += width
        size = width + 3
        fields: list[bytes] = [b""] * (2 * width)
        fields[::2] = master
        fields[1::2] = values
    else:
        width = _integer(items[at])
        if width < 0:
            raise ValueError
        fields = texts[at + 1 : at + 1 + 2 * width]
        at += 1 + 2 * width
        size = 2 * width + 4
    if _integer(items[at]) != size:
        raise ValueError
    deleted = bool(flags & FLAG_DELETED)
    return Entry((base_ms + ms) & _MASK, (base_seq + seq) & _MASK, deleted, fields), at + 1


def _integer(item: bytes | int) -> int:
    if type(item) is int:
        return item
    value = listpack.parse_integer(item)  # type: ignore[arg-type]
    if value is None:
        raise ValueError
    return value


def _signed(delta: int) -> int:
    delta &= _MASK
    return delta - (1 << 64) if delta & _SIGN else delta


def estimate_entries_read(stream: StreamRecord, group_id: StreamId) -> int:
    """What a group has read, for files that do not say (streamEstimateDistanceFromFirstEverEntry)."""
    if not stream.entries_added:
        return 0
    if not stream.length and group_id <= stream.last_id:
        return stream.entries_added
    if group_id == stream.last_id:
        return stream.entries_added
    if group_id > stream.last_id:
        return -1
    if stream.max_deleted_id == (0, 0) or stream.max_deleted_id < stream.first_id:
        if group_id < stream.first_id:
            return stream.entries_added - stream.length
        if group_id == stream.first_id:
            return stream.entries_added - stream.length + 1
    return -1
