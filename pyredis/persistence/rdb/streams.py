"""The listpack of a stream node, and columns of entries (t_stream.c).

Count, deleted, number of master fields, the fields, 0; then for each entry flags, ms and seq relative to
the node's id, fields (unless SAMEFIELDS) and values, and the number of elements the entry takes.

IDs are integers, ms << 64 | seq.  A payload that is a list holds values for the master fields, a tuple holds
fields and values in turn: the columns of datatypes.streams.block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyredis.persistence.rdb import listpack
from pyredis.persistence.rdb.codes import RdbError

FLAG_DELETED = 1
FLAG_SAMEFIELDS = 2

Payload = list[bytes] | tuple[bytes, ...]

_MASK = (1 << 64) - 1
_SIGN = 1 << 63
_ZERO = listpack.encode_integer(0)
_FAILURE = "Stream listpack integrity check failed."


class Node(NamedTuple):
    """Entries of a node; bit n of *dead* is set if the n-th is deleted."""

    fields: list[bytes]
    ids: list[int]
    payloads: list[Payload]
    dead: int


def encode_node(base: int, node: Node) -> bytes:
    """The listpack of *node*, whose key is the id *base*.  O(bytes)"""
    fields, ids, payloads, dead = node
    encode_entry, encode_integer = listpack.encode_entry, listpack.encode_integer
    gone = dead.bit_count()
    parts = [encode_integer(len(ids) - gone), encode_integer(gone), encode_integer(len(fields))]
    parts += map(encode_entry, fields)
    parts.append(_ZERO)
    base_ms, base_seq = base >> 64, base & _MASK
    same_head = [encode_integer(FLAG_SAMEFIELDS), encode_integer(FLAG_SAMEFIELDS | FLAG_DELETED)]
    other_head = [encode_integer(0), encode_integer(FLAG_DELETED)]
    same_count = encode_integer(len(fields) + 3)
    for entry_id, payload in zip(ids, payloads, strict=True):
        deleted = dead & 1
        dead >>= 1
        same = payload.__class__ is list
        parts.append((same_head if same else other_head)[deleted])
        parts.append(encode_integer(_signed((entry_id >> 64) - base_ms)))
        parts.append(encode_integer(_signed((entry_id & _MASK) - base_seq)))
        if same:
            parts += map(encode_entry, payload)
            parts.append(same_count)
        else:
            parts.append(encode_integer(len(payload) // 2))
            parts += map(encode_entry, payload)
            parts.append(encode_integer(len(payload) + 4))
    return listpack.join(parts)


def decode_node(base: int, pack: bytes) -> Node:
    """The node saved under the id *base*, with every check of streamValidateListpackIntegrity.

    Ids have to ascend as well.  RdbError
    """
    items = listpack.decode_raw(pack, _FAILURE)
    if not items:
        raise RdbError("Empty listpack inside stream")
    try:
        live, deleted, width = _integer(items[0]), _integer(items[1]), _integer(items[2])
        if width < 0 or _integer(items[3 + width]) != 0:
            raise ValueError
        texts = [item if isinstance(item, bytes) else b"%d" % item for item in items]
        fields = texts[3 : 3 + width]
        ids, payloads, dead = _decode_entries(items, texts, 4 + width, base, width)
    except (ValueError, IndexError):
        raise RdbError(_FAILURE) from None
    if live + deleted != len(ids):
        raise RdbError(_FAILURE)
    return Node(fields, ids, payloads, dead)


def _decode_entries(
    items: Sequence[bytes | int], texts: list[bytes], at: int, base: int, width: int
) -> tuple[list[int], list[Payload], int]:
    base_ms, base_seq = base >> 64, base & _MASK
    ids: list[int] = []
    payloads: list[Payload] = []
    dead, bit, last, end = 0, 1, -1, len(items)
    while at < end:
        flags, ms, seq = items[at : at + 3]
        if not (flags.__class__ is ms.__class__ is seq.__class__ is int):
            flags, ms, seq = _integer(flags), _integer(ms), _integer(seq)
        at += 3
        if flags & FLAG_SAMEFIELDS:
            stop = at + width
            payloads.append(texts[at:stop])
            size = width + 3
        else:
            count = _integer(items[at])
            if count < 0:
                raise ValueError
            stop = at + 1 + 2 * count
            payloads.append(tuple(texts[at + 1 : stop]))
            size = 2 * count + 4
        if _integer(items[stop]) != size:
            raise ValueError
        at = stop + 1
        if flags & FLAG_DELETED:
            dead |= bit
        bit <<= 1
        entry_id = (base_ms + ms & _MASK) << 64 | (base_seq + seq & _MASK)
        if entry_id <= last:
            raise ValueError
        ids.append(entry_id)
        last = entry_id
    return ids, payloads, dead


def _integer(item: bytes | int) -> int:
    if isinstance(item, int):
        return item
    value = listpack.parse_integer(item)
    if value is None:
        raise ValueError
    return value


def _signed(delta: int) -> int:
    """A difference of two unsigned 64-bit numbers as the signed one that is stored; it wraps round."""
    delta &= _MASK
    return delta - (1 << 64) if delta & _SIGN else delta
