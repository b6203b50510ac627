"""Values out of their saved form, for every type code there has been (rdb.c rdbLoadObject)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from pyredis.datatypes.hashes import Hash
from pyredis.datatypes.lists import List
from pyredis.datatypes.sampled import HASHTABLE, LISTPACK
from pyredis.datatypes.sets import INTSET, Set
from pyredis.datatypes.zsets import SortedSet
from pyredis.persistence.rdb import codes, intset, legacy, listpack
from pyredis.persistence.rdb.codes import EmptyKey, NeedMore, RdbError
from pyredis.persistence.rdb.options import LoadOptions
from pyredis.persistence.rdb.stream_codec import load_stream_1, load_stream_2, load_stream_3
from pyredis.persistence.rdb.strings import (
    DOUBLE,
    read_length,
    read_string,
    read_strings,
    read_text_double,
)
from pyredis.util.numbers import parse_int_or_none

ReadValue: TypeAlias = Callable[[bytes, int, LoadOptions], tuple[Any, int]]
"""(buffer, position, options) -> (value, position after it).

Raises RdbError for damage, EmptyKey for a collection without elements; NeedMore, IndexError or
struct.error when the buffer ends too early.
"""

_MOST_NAMES = 4096
_names: dict[bytes, bytes] = {}
"""Field names seen lately: small hashes that describe records share theirs."""


# --- strings and lists ----------------------------------------------------------------------------


def _load_string(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    return read_string(buffer, at)


def _load_list(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    items, at = read_strings(buffer, at, count)
    return List.of(items, options.thresholds), at


def _load_list_ziplist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    items = legacy.decode_ziplist(blob, "List ziplist integrity check failed.")
    if not items:
        raise EmptyKey(at)
    value = List()
    value.lengthen(options.thresholds)  # rdb.c leaves these a quicklist however short they are
    value.push_tail(items, options.thresholds)
    return value, at


def _load_quicklist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    nodes: list[tuple[bool, list[bytes]]] = []
    for _ in range(count):
        blob, at = read_string(buffer, at)
        if not blob:
            raise RdbError("Quicklist integrity check failed.")
        items = legacy.decode_ziplist(blob, "Ziplist integrity check failed.")
        if items:
            nodes.append((False, items))
    if not nodes:
        raise EmptyKey(at)
    return List.of_nodes(nodes, options.thresholds), at


def _load_quicklist_2(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    nodes: list[tuple[bool, list[bytes]]] = []
    for _ in range(count):
        container, at = read_length(buffer, at)
        if container not in (codes.NODE_PACKED, codes.NODE_PLAIN):
            raise RdbError("Quicklist integrity check failed.")
        blob, at = read_string(buffer, at)
        if not blob:
            raise RdbError("Quicklist integrity check failed.")
        if container == codes.NODE_PLAIN:
            nodes.append((True, [blob]))
            continue
        options.sanitized += options.deep
        items = listpack.decode(blob, "Listpack integrity check failed.")
        if items:
            nodes.append((False, items))
    if not nodes:
        raise EmptyKey(at)
    return List.of_nodes(nodes, options.thresholds), at


# --- sets -----------------------------------------------------------------------------------------


def _load_set(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    members, at = read_strings(buffer, at, count)
    if len(set(members)) != count:
        raise RdbError("Duplicate set members detected")
    limits = options.thresholds
    if count > limits.set_max_intset_entries:
        return Set.of(members, HASHTABLE), at
    if all(parse_int_or_none(member) is not None for member in members):
        return Set.small(members, INTSET), at
    compact = count <= limits.set_max_listpack_entries and max(map(len, members)) <= limits.set_max_listpack_value
    return (Set.small(members, LISTPACK) if compact else Set.of(members, HASHTABLE)), at


def _load_set_intset(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    options.sanitized += options.deep
    numbers = intset.decode(blob, "Intset integrity check failed.", options.deep)
    members = [b"%d" % number for number in numbers]
    if len(numbers) > options.thresholds.set_max_intset_entries:
        return Set.of(members, HASHTABLE), at
    return Set.small(list(dict.fromkeys(members)), INTSET), at


def _load_set_listpack(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    options.sanitized += options.deep
    members = listpack.decode(blob, "Set listpack integrity check failed.")
    if not members:
        raise EmptyKey(at)
    compact = len(members) <= options.thresholds.set_max_listpack_entries
    different = list(dict.fromkeys(members))
    if len(different) != len(members):
        _refuse_repeated(options.deep, compact, "Set listpack integrity check failed.", "Set")
    return (Set.small(different, LISTPACK) if compact else Set.of(different, HASHTABLE)), at


# --- hashes ---------------------------------------------------------------------------------------


def _load_hash(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    count, at = _read_count(buffer, at)
    items, at = read_strings(buffer, at, 2 * count)
    limits = options.thresholds
    compact = count <= limits.hash_max_listpack_entries and max(map(len, items)) <= limits.hash_max_listpack_value
    value = _make_hash(items, compact, options)
    if len(value) != count:
        raise RdbError("Hash with dup elements" if compact else "Duplicate hash fields detected")
    return value, at


def _load_hash_zipmap(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    blob, at = read_string(buffer, at)
    items = legacy.decode_zipmap(blob, "Zipmap integrity check failed.")
    count = len(items) // 2
    limits = options.thresholds
    compact = count <= limits.hash_max_listpack_entries and max(map(len, items)) <= limits.hash_max_listpack_value
    value = _make_hash(items, compact, options)
    if len(value) != count:
        raise RdbError("Hash zipmap with dup elements, or big length")
    return value, at


def _load_hash_ziplist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Hash ziplist integrity check failed."
    blob, at = read_string(buffer, at)
    items = legacy.decode_ziplist(blob, failure)
    return _make_compact_hash(items, at, failure, True, options), at


def _load_hash_listpack(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Hash listpack integrity check failed."
    blob, at = read_string(buffer, at)
    options.sanitized += options.deep
    items = listpack.decode(blob, failure)
    return _make_compact_hash(items, at, failure, options.deep, options), at


def _make_compact_hash(items: list[bytes], at: int, failure: str, deep: bool, options: LoadOptions) -> Hash:
    if not items:
        raise EmptyKey(at)
    if len(items) & 1:
        raise RdbError(failure)
    count = len(items) // 2
    compact = count <= options.thresholds.hash_max_listpack_entries
    value = _make_hash(items, compact, options)
    if len(value) != count:
        _refuse_repeated(deep, compact, failure, "Hash")
        value.clear()
        for field, text in zip(items[::2], items[1::2], strict=True):
            value.setdefault(field, text)  # the first is the one a scan of the listpack finds
    return value


def _make_hash(items: list[bytes], compact: bool, options: LoadOptions) -> Hash:
    if compact:
        packed = Hash.packed(items, options.thresholds)
        if packed is not None:
            return packed
    value = Hash()
    if compact:
        if len(_names) > _MOST_NAMES:
            _names.clear()
        share = _names.setdefault
        value.update(zip([share(field, field) for field in items[::2]], items[1::2], strict=True))
    else:
        value.encoding = HASHTABLE
        value.update(zip(items[::2], items[1::2], strict=True))
    return value


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
    unpack, limit = DOUBLE.unpack_from, len(buffer)
    for _ in range(count):
        size = buffer[at]
        if size < 64:
            start = at + 1
            at = start + size
            if at > limit:
                raise NeedMore(at, start)
            member = buffer[start:at]
        else:
            member, at = read_string(buffer, at)
        if at + 8 > limit:
            raise NeedMore(at + 8, at)
        (scores[member],) = unpack(buffer, at)
        at += 8
    return _make_loose_zset(scores, count, options), at


def _make_loose_zset(scores: dict[bytes, float], count: int, options: LoadOptions) -> SortedSet:
    if len(scores) != count:
        raise RdbError("Duplicate zset fields detected")
    _refuse_nan(scores.values())
    value = SortedSet.from_scores(scores, options.thresholds)
    value.pack()
    return value


def _load_zset_ziplist(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Zset ziplist integrity check failed."
    blob, at = read_string(buffer, at)
    items = legacy.decode_ziplist(blob, failure)
    return _make_compact_zset(items, at, failure, True, options), at


def _load_zset_listpack(buffer: bytes, at: int, options: LoadOptions) -> tuple[Any, int]:
    failure = "Zset listpack integrity check failed."
    blob, at = read_string(buffer, at)
    options.sanitized += options.deep
    items = listpack.decode(blob, failure)
    return _make_compact_zset(items, at, failure, options.deep, options), at


def _make_compact_zset(items: list[bytes], at: int, failure: str, deep: bool, options: LoadOptions) -> SortedSet:
    if not items:
        raise EmptyKey(at)
    if len(items) & 1:
        raise RdbError(failure)
    members = items[::2]
    try:
        numbers = list(map(float, items[1::2]))
    except ValueError:
        raise RdbError(failure) from None
    _refuse_nan(numbers)
    compact = len(members) <= options.thresholds.zset_max_listpack_entries
    scores = dict(zip(members, numbers, strict=True))
    if len(scores) != len(members):
        _refuse_repeated(deep, compact, failure, "Zset")
        scores = dict(zip(members[::-1], numbers[::-1], strict=True))
    value = SortedSet.of(scores, small=compact)
    value.pack()
    return value


def _refuse_nan(scores: Iterable[float]) -> None:
    if any(score != score for score in scores):
        raise RdbError("Zset with NAN score detected")


# --- shared ---------------------------------------------------------------------------------------


def _read_count(buffer: bytes, at: int) -> tuple[int, int]:
    count, at = read_length(buffer, at)
    if not count:
        raise EmptyKey(at)
    return count, at


def _refuse_repeated(deep: bool, compact: bool, failure: str, kind: str) -> None:
    """A field comes twice: Redis lives with that unless it verifies, or has to build a hashtable."""
    if deep:
        raise RdbError(failure)
    if not compact:
        raise RdbError(f"{kind} listpack with dup elements")


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
        if at > len(buffer):
            raise NeedMore(at, len(buffer))


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
    codes.STREAM_LISTPACKS: load_stream_1,
    codes.HASH_LISTPACK: _load_hash_listpack,
    codes.ZSET_LISTPACK: _load_zset_listpack,
    codes.LIST_QUICKLIST_2: _load_quicklist_2,
    codes.STREAM_LISTPACKS_2: load_stream_2,
    codes.SET_LISTPACK: _load_set_listpack,
    codes.STREAM_LISTPACKS_3: load_stream_3,
}
"""Every type code of RDB versions 1 to 11."""

INCOMPLETE = (NeedMore, IndexError, struct.error)
"""What a reader raises when the buffer ends inside the value."""
