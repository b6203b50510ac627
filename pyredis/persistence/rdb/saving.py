"""Values into their saved form, in the type codes Redis 7.2, 7.0 and 6 use (rdb.c rdbSaveObject)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from pyredis.datatypes.hashes import Hash, PackedHash
from pyredis.datatypes.lists import List
from pyredis.datatypes.sets import INTSET, PackedSet, Set
from pyredis.datatypes.streams import Stream
from pyredis.datatypes.values import Spelled
from pyredis.datatypes.zsets import PackedSortedSet, SortedSet
from pyredis.persistence.rdb import codes, intset, legacy, listpack
from pyredis.persistence.rdb.options import SaveOptions
from pyredis.persistence.rdb.stream_codec import save_stream
from pyredis.persistence.rdb.strings import DOUBLE, SHORT_LENGTHS, encode_length, encode_opaque, encode_string
from pyredis.util.numbers import format_double

SaveValue: TypeAlias = Callable[[Any, SaveOptions], tuple[int, bytes]]
"""(value, options) -> (type code, payload)."""

_LISTPACK = b"listpack"
_INTEGRAL = float(1 << 62)  # double2ll: scores in this range are saved as integers if they are


def save_value(value: Any, options: SaveOptions) -> tuple[int, bytes]:
    """The type code and payload of *value*.  O(bytes)"""
    return SAVERS[value.__class__](value, options)


def _save_string(text: bytes | bytearray, options: SaveOptions) -> tuple[int, bytes]:
    return codes.STRING, encode_string(text, options.compress)


def _save_list(value: List, options: SaveOptions) -> tuple[int, bytes]:
    compress = options.compress
    parts: list[bytes] = []
    nodes = 0
    if options.version < 10:
        for _, items in value.nodes():
            nodes += 1
            parts.append(encode_opaque(legacy.encode_ziplist(items), compress))
        return codes.LIST_QUICKLIST, encode_length(nodes) + b"".join(parts)
    for plain, items in value.nodes():
        nodes += 1
        if plain:
            parts += (b"\x01", encode_string(items[0], compress))
        else:
            parts += (b"\x02", encode_opaque(listpack.encode(items), compress))
    return codes.LIST_QUICKLIST_2, encode_length(nodes) + b"".join(parts)


def _save_set(value: Set, options: SaveOptions) -> tuple[int, bytes]:
    if value.encoding == INTSET:
        return codes.SET_INTSET, encode_opaque(intset.encode(list(map(int, value))), options.compress)
    if value.encoding == _LISTPACK and options.version >= 11:
        return codes.SET_LISTPACK, encode_opaque(listpack.encode(value), options.compress)
    return codes.SET, encode_length(len(value)) + _encode_strings(value, options.compress)


def _save_hash(value: Hash, options: SaveOptions) -> tuple[int, bytes]:
    flat = value.flat()
    if value.encoding != _LISTPACK:
        return codes.HASH, encode_length(len(value)) + _encode_strings(flat, options.compress)
    if options.version >= 10:
        return codes.HASH_LISTPACK, encode_opaque(listpack.encode(flat), options.compress)
    return codes.HASH_ZIPLIST, encode_opaque(legacy.encode_ziplist(flat), options.compress)


def _save_zset(value: SortedSet, options: SaveOptions) -> tuple[int, bytes]:
    compress = options.compress
    if not value.small:
        # From the greatest down: Redis then inserts each element at the head of its skiplist.
        pack = DOUBLE.pack
        parts = [encode_length(len(value))]
        for score, member in reversed(value):
            parts += (encode_string(member, compress), pack(score))
        return codes.ZSET_2, b"".join(parts)
    flat: list[bytes | int] = []
    for score, member in value:
        if -_INTEGRAL <= score <= _INTEGRAL and score.is_integer():
            flat += (member, int(score))
        else:
            flat += (member, format_double(score))
    if options.version >= 10:
        return codes.ZSET_LISTPACK, encode_opaque(listpack.join(list(map(listpack.encode_entry, flat))), compress)
    return codes.ZSET_ZIPLIST, encode_opaque(legacy.encode_ziplist(flat), compress)


def _encode_strings(texts: Iterable[bytes], compress: bool) -> bytes:
    parts: list[bytes] = []
    append = parts.append
    longest = 20 if compress else 0x3FFF
    for text in texts:
        size = len(text)
        if 11 < size <= longest:
            append(SHORT_LENGTHS[size])
            append(text)
        else:
            append(encode_string(text, compress))
    return b"".join(parts)


SAVERS: dict[type, SaveValue] = {
    bytes: _save_string,
    bytearray: _save_string,
    Spelled: _save_string,
    List: _save_list,
    Set: _save_set,
    PackedSet: _save_set,
    Hash: _save_hash,
    PackedHash: _save_hash,
    SortedSet: _save_zset,
    PackedSortedSet: _save_zset,
    Stream: save_stream,
}
