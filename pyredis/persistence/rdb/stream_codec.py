"""Whole streams, with groups and pending entries, in all three saved forms (rdb.c)."""

from __future__ import annotations

import struct
from typing import Any

from pyredis.datatypes.streams import Consumer, Group, Pending, Stream
from pyredis.datatypes.streams.block import Block
from pyredis.datatypes.streams.ids import MAX_ID
from pyredis.persistence.rdb import codes
from pyredis.persistence.rdb.codes import RdbError
from pyredis.persistence.rdb.options import LoadOptions, SaveOptions
from pyredis.persistence.rdb.streams import Node, decode_node, encode_node
from pyredis.persistence.rdb.strings import (
    SIGNED_64,
    encode_length,
    encode_opaque,
    encode_string,
    read_length,
    read_string,
)

_ID = struct.Struct(">QQ")
_MASK = (1 << 64) - 1
_INVALID = "Stream listpack integrity check failed."


# --- loading --------------------------------------------------------------------------------------


def load_stream_1(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    """The form of Redis 5 and 6: no first id, no counters, no active time."""
    return _load(buffer, at, options, 1)


def load_stream_2(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    """The form of Redis 7.0."""
    return _load(buffer, at, options, 2)


def load_stream_3(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    """The form of Redis 7.2."""
    return _load(buffer, at, options, 3)


def _load(buffer: bytes, at: int, options: LoadOptions, form: int) -> tuple[Any, int]:
    stream = Stream()
    nodes, at = _read_nodes(buffer, at, options)
    for block in nodes:
        stream.append_block(block)
        stream.length += block.live()
    length, at = read_length(buffer, at)
    if length and not nodes:
        raise RdbError("Stream length inconsistent with rax entries")
    stream.last_id, at = _read_id(buffer, at)
    if nodes:
        stream.last_id = max(stream.last_id, nodes[-1].last)
        stream.first_id = stream.range(0, MAX_ID, 1)[0][0]
    if form >= 2:
        _, at = _read_id(buffer, at)  # the first id: it is at hand
        stream.max_deleted_id, at = _read_id(buffer, at)
        stream.entries_added, at = read_length(buffer, at)
    else:
        stream.entries_added = stream.length
    count, at = read_length(buffer, at)
    for _ in range(count):
        name, at = read_string(buffer, at)
        group, at = _read_group(buffer, at, stream, form)
        if name in stream.groups:
            raise RdbError(f"Duplicated consumer group name {name.decode('utf-8', 'backslashreplace')}")
        stream.groups[name] = group
    return stream, at


def _read_nodes(buffer: bytes, at: int, options: LoadOptions) -> tuple[list[Block], int]:
    """All blocks in order.  One of which every entry is deleted is dropped, as Redis would have."""
    count, at = read_length(buffer, at)
    found: dict[bytes, bytes] = {}
    for _ in range(count):
        key, at = read_string(buffer, at)
        pack, at = read_string(buffer, at)
        if len(key) != _ID.size:
            raise RdbError("Stream node key entry is not the size of a stream ID")
        if key in found:
            raise RdbError("Listpack re-added with existing key")
        found[key] = pack
        options.sanitized += options.deep
    blocks: list[Block] = []
    last = -1
    for key in sorted(found):
        pack = found[key]
        node = decode_node(int.from_bytes(key, "big"), pack)
        if not node.ids:
            continue
        if node.ids[0] <= last:
            raise RdbError(_INVALID)
        last = node.ids[-1]
        if node.dead.bit_count() < len(node.ids):
            blocks.append(_make_block(node, len(pack)))
    return blocks, at


def _make_block(node: Node, size: int) -> Block:
    fields, ids, payloads, dead = node
    block = Block.load(ids[0], ids[-1], fields, len(ids), dead, size)
    block.loader = lambda: (ids, payloads)
    block.columns()
    return block


def _read_id(buffer: bytes, at: int) -> tuple[int, int]:
    ms, at = read_length(buffer, at)
    seq, at = read_length(buffer, at)
    return ms << 64 | seq, at


def _read_group(buffer: bytes, at: int, stream: Stream, form: int) -> tuple[Group, int]:
    last_id, at = _read_id(buffer, at)
    if form >= 2:
        entries_read, at = read_length(buffer, at)
        if entries_read >> 63:
            entries_read -= 1 << 64
    else:
        entries_read = stream.entries_before(last_id)
    group = Group(last_id, entries_read)
    unowned, at = _read_pending(buffer, at)
    owned: dict[int, bytes] = {}
    count, at = read_length(buffer, at)
    for _ in range(count):
        name, at = read_string(buffer, at)
        if name in group.consumers:
            raise RdbError("Duplicate stream consumer detected.")
        group.consumers[name], at = _read_consumer(buffer, at, form)
        ids, at = _read_raw_ids(buffer, at)
        if not unowned.keys() >= set(ids):
            raise RdbError("Consumer entry not found in group global PEL")
        if len(set(ids)) != len(ids) or not owned.keys().isdisjoint(ids):
            raise RdbError("Duplicated consumer PEL entry  loading a stream consumer group")
        owned.update(dict.fromkeys(ids, name))
    if len(owned) != len(unowned):
        raise RdbError("Stream CG PEL entry without consumer")
    for entry_id in sorted(owned):
        delivered, deliveries = unowned[entry_id]
        group.add(entry_id, Pending(owned[entry_id], delivered, deliveries))
    return group, at


def _read_pending(buffer: bytes, at: int) -> tuple[dict[int, tuple[int, int]], int]:
    """When and how often each pending entry was delivered; to whom is said by the consumers."""
    count, at = read_length(buffer, at)
    pending: dict[int, tuple[int, int]] = {}
    for _ in range(count):
        ms, seq = _ID.unpack_from(buffer, at)
        (delivered,) = SIGNED_64.unpack_from(buffer, at + 16)
        deliveries, at = read_length(buffer, at + 24)
        entry_id = ms << 64 | seq
        if entry_id in pending:
            raise RdbError("Duplicated global PEL entry loading stream consumer group")
        pending[entry_id] = delivered, deliveries
    return pending, at


def _read_consumer(buffer: bytes, at: int, form: int) -> tuple[Consumer, int]:
    (seen,) = SIGNED_64.unpack_from(buffer, at)
    at += 8
    consumer = Consumer(seen)
    consumer.active_time = seen
    if form >= 3:
        (consumer.active_time,) = SIGNED_64.unpack_from(buffer, at)
        at += 8
    return consumer, at


def _read_raw_ids(buffer: bytes, at: int) -> tuple[list[int], int]:
    count, at = read_length(buffer, at)
    ids: list[int] = []
    for _ in range(count):
        ms, seq = _ID.unpack_from(buffer, at)
        ids.append(ms << 64 | seq)
        at += 16
    return ids, at


# --- saving ---------------------------------------------------------------------------------------


def save_stream(stream: Stream, options: SaveOptions) -> tuple[int, bytes]:
    """A stream in the form of the version that is to read it.  O(bytes)"""
    compress, version = options.compress, options.version
    blocks = stream.blocks()
    parts = [encode_length(len(blocks))]
    for block in blocks:
        ids, payloads = block.columns()
        pack = encode_node(block.first, Node(block.fields, ids, payloads, block.dead))
        parts += (b"\x10", _raw_id(block.first), encode_opaque(pack, compress))
    parts += (encode_length(stream.length), _spread_id(stream.last_id))
    if version >= 10:
        parts += (_spread_id(stream.first_id), _spread_id(stream.max_deleted_id))
        parts.append(encode_length(stream.entries_added))
    parts.append(encode_length(len(stream.groups)))
    for name in sorted(stream.groups):
        parts.append(encode_string(name, compress))
        _save_group(stream.groups[name], options, parts)
    if version >= 11:
        return codes.STREAM_LISTPACKS_3, b"".join(parts)
    return codes.STREAM_LISTPACKS_2 if version == 10 else codes.STREAM_LISTPACKS, b"".join(parts)


def _save_group(group: Group, options: SaveOptions, parts: list[bytes]) -> None:
    pack_time = SIGNED_64.pack
    parts.append(_spread_id(group.last_id))
    if options.version >= 10:
        parts.append(encode_length(group.entries_read & _MASK))
    parts.append(encode_length(len(group.pending)))
    for entry_id, pending in group.pending.since(0):
        parts += (_raw_id(entry_id), pack_time(pending.delivered), encode_length(pending.deliveries))
    parts.append(encode_length(len(group.consumers)))
    for name in sorted(group.consumers):
        consumer = group.consumers[name]
        parts += (encode_string(name, options.compress), pack_time(consumer.seen_time))
        if options.version >= 11:
            parts.append(pack_time(consumer.active_time))
        parts.append(encode_length(len(consumer.pending)))
        parts += [_raw_id(entry_id) for entry_id, _ in consumer.pending.since(0)]


def _raw_id(entry_id: int) -> bytes:
    return entry_id.to_bytes(16, "big")


def _spread_id(entry_id: int) -> bytes:
    return encode_length(entry_id >> 64) + encode_length(entry_id & _MASK)
