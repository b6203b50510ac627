"""Values out of their saved form, for every type code there has been (rdb.c rdbLoadObject)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from pyredis.persistence.rdb import codes, intset, legacy, listpack, values
from pyredis.persistence.rdb.codes import EmptyKey, NeedMore, RdbError
from pyredis.persistence.rdb.options import LoadOptions
from pyredis.persistence.rdb.quicklist import node_limits
from pyredis.persistence.rdb.stream_records import load_stream
from pyredis.persistence.rdb.strings import (
    DOUBLE,
    read_length,
    read_string,
    read_strings,
    read_text_double,
    too_short,
)

ReadValue: TypeAlias = Callable[[bytes, int, LoadOptions], tuple[Any, int]]
"""(buffer, position, options) -> (value, position after it).

Raises RdbError for damage, EmptyKey for a collection without elements; NeedMore, IndexError or
struct.error when the buffer ends too early.
"""


# --- strings and lists ----------------------------------------------------------------------------


def _load_string(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    return read_string(buffer, at)


def _load_list(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    items, at = read_strings(buffer, at, count)
    return values.make_list(items, _fits_one_node(items, options)), at


def _load_list_ziplist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    items = legacy.decode_ziplist(blob, "List ziplist integrity check failed.")
    if not items:
        raise EmptyKey(at)
    return values.make_list(items, False), at  # rdb.c leaves these a quicklist however short they are


def _load_quicklist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    nodes, at = _read_count(buffer, at)
    items: list[bytes] = []
    for _ in range(nodes):
        blob, at = read_string(buffer, at)
        if not blob:
            raise RdbError("Quicklist integrity check failed.")
        items += legacy.decode_ziplist(blob, "Ziplist integrity check failed.")
    if not items:
        raise EmptyKey(at)
    return values.make_list(items, nodes == 1 and _fits_one_node(items, options)), at


def _load_quicklist_2(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    items: list[bytes] = []
    nodes = size = 0
    plain = False
    for _ in range(count):
        container, at = read_length(buffer, at)
        if container not in (codes.NODE_PACKED, codes.NODE_PLAIN):
            raise RdbError("Quicklist integrity check failed.")
        blob, at = read_string(buffer, at)
        if not blob:
            raise RdbError("Quicklist integrity check failed.")
        if container == codes.NODE_PLAIN:
            items.append(blob)
            nodes, plain = nodes + 1, True
            continue
        decoded = listpack.decode(blob, "Listpack integrity check failed.")
        if decoded:
            items += decoded
            nodes, size = nodes + 1, len(blob)
    if not items:
        raise EmptyKey(at)
    compact = nodes == 1 and not plain and _within_node(size, len(items), options)
    return values.make_list(items, compact), at


def _fits_one_node(items: list[bytes], options: LoadOptions) -> bool:
    size_limit, count_limit = node_limits(options.thresholds.list_max_listpack_size)
    if len(items) > count_limit:
        return False
    size = listpack.EMPTY_SIZE
    for item in items:
        size += listpack.entry_size(item)
        if size > size_limit:
            return False
    return True


def _within_node(size: int, count: int, options: LoadOptions) -> bool:
    """Whether one node of this size is kept as a plain listpack (t_list.c listTypeTryConvertQuicklist)."""
    fill = options.thresholds.list_max_listpack_size
    size_limit, count_limit = node_limits(fill)
    return count <= count_limit and (fill >= 0 or size <= size_limit)


# --- sets -----------------------------------------------------------------------------------------


def _load_set(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    members, at = read_strings(buffer, at, count)
    if len(set(members)) != count:
        raise RdbError("Duplicate set members detected")
    limits = options.thresholds
    if count > limits.set_max_intset_entries:
        return values.make_set(members, values.HASHTABLE), at
    if all(listpack.parse_integer(member) is not None for member in members):
        return values.make_set(members, values.INTSET), at
    compact = count <= limits.set_max_listpack_entries and _longest(members) <= limits.set_max_listpack_value
    return values.make_set(members, values.LISTPACK if compact else values.HASHTABLE), at


def _load_set_intset(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    members = [b"%d" % n for n in intset.decode(blob, "Intset integrity check failed.", options.deep)]
    compact = len(members) <= options.thresholds.set_max_intset_entries
    return values.make_set(members, values.INTSET if compact else values.HASHTABLE), at


def _load_set_listpack(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    members = listpack.decode(blob, "Set listpack integrity check failed.")
    if not members:
        raise EmptyKey(at)
    if options.deep and len(set(members)) != len(members):
        raise RdbError("Set listpack integrity check failed.")
    compact = len(members) <= options.thresholds.set_max_listpack_entries
    return values.make_set(members, values.LISTPACK if compact else values.HASHTABLE), at


# --- hashes ---------------------------------------------------------------------------------------


def _load_hash(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    items, at = read_strings(buffer, at, 2 * count)
    fields = dict(zip(items[::2], items[1::2], strict=True))
    if len(fields) != count:
        raise RdbError("Duplicate hash fields detected")
    limits = options.thresholds
    compact = count <= limits.hash_max_listpack_entries and _longest(items) <= limits.hash_max_listpack_value
    return values.make_hash(fields, compact), at


def _load_hash_zipmap(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    items = legacy.decode_zipmap(blob, "Zipmap integrity check failed.")
    fields = dict(zip(items[::2], items[1::2], strict=True))
    if 2 * len(fields) != len(items):
        raise RdbError("Hash zipmap with dup elements, or big length")
    limits = options.thresholds
    compact = len(fields) <= limits.hash_max_listpack_entries
    return values.make_hash(fields, compact and _longest(items) <= limits.hash_max_listpack_value), at


def _load_hash_ziplist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Hash ziplist integrity check failed."
    blob, at = read_string(buffer, at)
    items = legacy.decode_ziplist(blob, failure)
    return _compact_hash(items, at, failure, True, options), at


def _load_hash_listpack(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Hash listpack integrity check failed."
    blob, at = read_string(buffer, at)
    items = listpack.decode(blob, failure)
    return _compact_hash(items, at, failure, options.deep, options), at


def _compact_hash(items: list[bytes], at: int, failure: str, deep: bool, options: LoadOptions) -> Any:
    if not items:
        raise EmptyKey(at)
    if len(items) & 1:
        raise RdbError(failure)
    count = len(items) // 2
    compact = count <= options.thresholds.hash_max_listpack_entries
    return values.make_hash(_distinct(items, items[1::2], deep, compact, failure, "Hash"), compact)


# --- sorted sets ----------------------------------------------------------------------------------


def _load_zset(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    scores: dict[bytes, float] = {}
    for _ in range(count):
        member, at = read_string(buffer, at)
        scores[member], at = read_text_double(buffer, at)
    return _make_loose_zset(scores, count, options), at


def _load_zset_2(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    scores: dict[bytes, float] = {}
    unpack = DOUBLE.unpack_from
    if at + 9 * count > len(buffer):
        raise too_short(at + 9 * count, at)
    for _ in range(count):
        size = buffer[at]
        if size < 64:
            start = at + 1
            at = start + size
            member = buffer[start:at]
        else:
            member, at = read_string(buffer, at)
        (scores[member],) = unpack(buffer, at)
        at += 8
    return _make_loose_zset(scores, count, options), at


def _make_loose_zset(scores: dict[bytes, float], count: int, options: LoadOptions) -> Any:
    if len(scores) != count:
        raise RdbError("Duplicate zset fields detected")
    if any(score != score for score in scores.values()):
        raise RdbError("Zset with NAN score detected")
    limits = options.thresholds
    compact = count <= limits.zset_max_listpack_entries and _longest(scores) <= limits.zset_max_listpack_value
    return values.make_zset(scores, compact)


def _load_zset_ziplist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Zset ziplist integrity check failed."
    blob, at = read_string(buffer, at)
    items = legacy.decode_ziplist(blob, failure)
    return _compact_zset(items, at, failure, True, options), at


def _load_zset_listpack(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Zset listpack integrity check failed."
    blob, at = read_string(buffer, at)
    items = listpack.decode(blob, failure)
    return _compact_zset(items, at, failure, options.deep, options), at


def _compact_zset(items: list[bytes], at: int, failure: str, deep: bool, options: LoadOptions) -> Any:
    if not items:
        raise EmptyKey(at)
    if len(items) & 1:
        raise RdbError(failure)
    try:
        scores = list(map(float, items[1::2]))
    except ValueError:
        raise RdbError(failure) from None
    if any(score != score for score in scores):
        raise RdbError("Zset with NAN score detected")
    compact = len(scores) <= options.thresholds.zset_max_listpack_entries
    return values.make_zset(_distinct(items, scores, deep, compact, failure, "Zset"), compact)


# --- shared ---------------------------------------------------------------------------------------


def _read_count(buffer: bytes, at: int) -> tuple[int, int]:
    count, at = read_length(buffer, at)
    if not count:
        raise EmptyKey(at)
    if at + count > len(buffer):  # at least a byte each: nothing is allocated for a count that lies
        raise too_short(at + count, at)
    return count, at


def _longest(texts: Any) -> int:
    return max(map(len, texts))


def _distinct(
    items: list[bytes], seconds: list[Any], deep: bool, compact: bool, failure: str, kind: str
) -> dict[bytes, Any]:
    """Pairs by their first half.  A repeated one counts the first time, where a scan would find it."""
    pairs = dict(zip(items[::2], seconds, strict=True))
    if len(pairs) != len(seconds):
        if deep:
            raise RdbError(failure)
        if not compact:
            raise RdbError(f"{kind} listpack with dup elements")
        pairs = dict(zip(items[-2::-2], seconds[::-1], strict=True))
        pairs = dict(reversed(pairs.items()))
    return pairs


def _load_module(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    module_id, at = read_length(buffer, at)
    if not options.skip_modules:
        name = codes.module_name(module_id)
        raise RdbError(f"The RDB file contains module data I can't load: no matching module type '{name}'")
    return b"module-dummy-value", skip_module_data(buffer, at)


def skip_module_data(buffer: bytes, at: int) -> int:
    """Where a module's annotated data that starts at *at* ends (rdbLoadCheckModuleValue)."""
    while True:
        opcode, at = read_length(buffer, at)
        if opcode == codes.MODULE_OPCODE_EOF:
            return at
        if opcode in (codes.MODULE_OPCODE_SINT, codes.MODULE_OPCODE_UINT):
            _, at = read_length(buffer, at)
        elif opcode == codes.MODULE_OPCODE_FLOAT:
            at += 4
        elif opcode == codes.MODULE_OPCODE_DOUBLE:
            at += 8
        elif opcode == codes.MODULE_OPCODE_STRING:
            _, at = read_string(buffer, at)


def _refuse_pre_release_module(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    raise RdbError("Pre-release module format not supported")


READERS: dict[int, ReadValue] = {
    codes.STRING: _load_string,
    codes.LIST: _load_list,
    codes.SET: _load_set,
    codes.ZSET: _load_zset,
    codes.HASH: _load_hash,
    codes.ZSET_2: _load_zset_2,
    codes.MODULE_PRE_GA: _refuse_pre_release_module,
    codes.MODULE_2: _load_module,
    codes.HASH_ZIPMAP: _load_hash_zipmap,
    codes.LIST_ZIPLIST: _load_list_ziplist,
    codes.SET_INTSET: _load_set_intset,
    codes.ZSET_ZIPLIST: _load_zset_ziplist,
    codes.HASH_ZIPLIST: _load_hash_ziplist,
    codes.LIST_QUICKLIST: _load_quicklist,
    codes.STREAM_LISTPACKS: load_stream,
    codes.HASH_LISTPACK: _load_hash_listpack,
    codes.ZSET_LISTPACK: _load_zset_listpack,
    codes.LIST_QUICKLIST_2: _load_quicklist_2,
    codes.STREAM_LISTPACKS_2: load_stream,
    codes.SET_LISTPACK: _load_set_listpack,
    codes.STREAM_LISTPACKS_3: load_stream,
}
"""Every type code of RDB versions 1 to 11."""

INCOMPLETE = (NeedMore, IndexError, struct.error)
"""What a reader raises when the buffer ends inside the value."""
