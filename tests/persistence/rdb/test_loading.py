"""Values out of every type code, the ancient ones built here byte by byte."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from pyredis.datatypes.encodings import Thresholds
from pyredis.persistence.rdb import codes, intset, legacy, listpack
from pyredis.persistence.rdb.codes import EmptyKey, RdbError
from pyredis.persistence.rdb.loading import READERS
from pyredis.persistence.rdb.options import LoadOptions
from pyredis.persistence.rdb.strings import encode_length, encode_opaque, encode_string

from .samples import picture
from .test_legacy import zipmap


def read(kind: int, payload: bytes, *, deep: bool = True, limits: Thresholds | None = None) -> Any:
    value, end = READERS[kind](b"!" + payload, 1, LoadOptions(limits or Thresholds(), deep=deep))
    assert end == 1 + len(payload)
    return value


def strings(*texts: bytes) -> bytes:
    return b"".join(encode_string(text, True) for text in texts)


def blob(data: bytes) -> bytes:
    return encode_opaque(data, True)


def pack(*texts: bytes) -> bytes:
    return blob(listpack.encode(texts))


def ziplist(*items: bytes | int) -> bytes:
    return blob(legacy.encode_ziplist(items))


def doubles(*pairs: tuple[bytes, float]) -> bytes:
    return b"".join(encode_string(member, True) + struct.pack("<d", score) for member, score in pairs)


ABC = [b"a", b"2", b"c"]

CASES = {
    "list": (codes.LIST, b"\x03" + strings(*ABC), (b"list", b"listpack", [(False, ABC)])),
    "list-ziplist": (codes.LIST_ZIPLIST, ziplist(*ABC), (b"list", b"quicklist", [(False, ABC)])),
    "quicklist": (codes.LIST_QUICKLIST, b"\x01" + ziplist(*ABC), (b"list", b"listpack", [(False, ABC)])),
    "quicklist-nodes": (
        codes.LIST_QUICKLIST,
        b"\x03" + ziplist(*ABC) + ziplist() + ziplist(b"d"),
        (b"list", b"quicklist", [(False, ABC), (False, [b"d"])]),
    ),
    "quicklist-2": (codes.LIST_QUICKLIST_2, b"\x01\x02" + pack(*ABC), (b"list", b"listpack", [(False, ABC)])),
    "quicklist-2-plain": (
        codes.LIST_QUICKLIST_2,
        b"\x02\x01" + strings(b"big") + b"\x02" + pack(*ABC),
        (b"list", b"quicklist", [(True, [b"big"]), (False, ABC)]),
    ),
    "set-of-integers": (codes.SET, b"\x02" + strings(b"2", b"1"), (b"set", b"intset", [b"1", b"2"])),
    "set": (codes.SET, b"\x02" + strings(b"2", b"a"), (b"set", b"listpack", [b"2", b"a"])),
    "set-long": (codes.SET, b"\x02" + strings(b"2", b"a" * 65), (b"set", b"hashtable", [b"2", b"a" * 65])),
    "intset": (codes.SET_INTSET, blob(intset.encode([-1, 70000])), (b"set", b"intset", [b"-1", b"70000"])),
    "set-listpack": (codes.SET_LISTPACK, pack(*ABC), (b"set", b"listpack", sorted(ABC))),
    "hash": (codes.HASH, b"\x01" + strings(b"f", b"1"), (b"hash", b"listpack", {b"f": b"1"})),
    "hash-long": (codes.HASH, b"\x01" + strings(b"f", b"1" * 65), (b"hash", b"hashtable", {b"f": b"1" * 65})),
    "hash-zipmap": (codes.HASH_ZIPMAP, blob(zipmap(b"f", b"v")), (b"hash", b"listpack", {b"f": b"v"})),
    "hash-zipmap-long": (
        codes.HASH_ZIPMAP,
        blob(zipmap(b"f", b"v" * 65)),
        (b"hash", b"hashtable", {b"f": b"v" * 65}),
    ),
    "hash-ziplist": (codes.HASH_ZIPLIST, ziplist(b"f", 7), (b"hash", b"listpack", {b"f": b"7"})),
    "hash-listpack": (codes.HASH_LISTPACK, pack(b"f", b"7"), (b"hash", b"listpack", {b"f": b"7"})),
    "zset-text": (
        codes.ZSET,
        b"\x03" + strings(b"a") + b"\x032.5" + strings(b"b") + b"\xfe" + strings(b"c") + b"\xff",
        (b"zset", b"listpack", [(float("-inf"), b"c"), (2.5, b"a"), (float("inf"), b"b")]),
    ),
    "zset-2": (
        codes.ZSET_2,
        b"\x02" + doubles((b"b", 2), (b"a", -0.5)),
        (b"zset", b"listpack", [(-0.5, b"a"), (2, b"b")]),
    ),
    "zset-2-long": (codes.ZSET_2, b"\x01" + doubles((b"b" * 65, 2)), (b"zset", b"skiplist", [(2, b"b" * 65)])),
    "zset-ziplist": (
        codes.ZSET_ZIPLIST,
        ziplist(b"a", 1, b"b", b"1e20"),
        (b"zset", b"listpack", [(1, b"a"), (1e20, b"b")]),
    ),
    "zset-listpack": (
        codes.ZSET_LISTPACK,
        pack(b"a", b"-inf", b"b", b"3"),
        (b"zset", b"listpack", [(float("-inf"), b"a"), (3, b"b")]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_type_codes(name: str) -> None:
    kind, payload, expected = CASES[name]
    assert picture(read(kind, payload)) == expected
    assert picture(read(kind, payload, deep=False)) == expected


@pytest.mark.parametrize(
    ("kind", "payload", "directive", "encoding"),
    [
        (codes.HASH_LISTPACK, pack(b"f", b"1", b"g", b"2"), "hash_max_listpack_entries", b"hashtable"),
        (codes.HASH_ZIPLIST, ziplist(b"f", b"1", b"g", b"2"), "hash_max_listpack_entries", b"hashtable"),
        (codes.HASH, b"\x02" + strings(b"f", b"1", b"g", b"2"), "hash_max_listpack_entries", b"hashtable"),
        (codes.SET_LISTPACK, pack(b"a", b"b"), "set_max_listpack_entries", b"hashtable"),
        (codes.SET_INTSET, blob(intset.encode([1, 2])), "set_max_intset_entries", b"hashtable"),
        (codes.SET, b"\x02" + strings(b"1", b"2"), "set_max_intset_entries", b"hashtable"),
        (codes.ZSET_LISTPACK, pack(b"a", b"1", b"b", b"2"), "zset_max_listpack_entries", b"skiplist"),
        (codes.ZSET_2, b"\x02" + doubles((b"a", 1), (b"b", 2)), "zset_max_listpack_entries", b"skiplist"),
        (codes.LIST_QUICKLIST_2, b"\x01\x02" + pack(b"a", b"b"), "list_max_listpack_size", b"quicklist"),
    ],
)
def test_encodings_follow_the_limits_of_this_server(kind: int, payload: bytes, directive: str, encoding: bytes) -> None:
    limits = Thresholds()
    setattr(limits, directive, 1)
    assert picture(read(kind, payload, limits=limits))[1] == encoding


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (codes.LIST, b"\x00"),
        (codes.SET, b"\xc0"),
        (codes.HASH, b"\x00"),
        (codes.ZSET, b"\x00"),
        (codes.ZSET_2, b"\x00"),
        (codes.LIST_ZIPLIST, ziplist()),
        (codes.LIST_QUICKLIST, b"\x01" + ziplist()),
        (codes.LIST_QUICKLIST_2, b"\x01\x02" + pack()),
        (codes.SET_LISTPACK, pack()),
        (codes.HASH_LISTPACK, pack()),
        (codes.HASH_ZIPLIST, ziplist()),
        (codes.ZSET_LISTPACK, pack()),
        (codes.ZSET_ZIPLIST, ziplist()),
    ],
)
def test_empty_collections(kind: int, payload: bytes) -> None:
    with pytest.raises(EmptyKey) as caught:
        read(kind, payload)
    assert caught.value.position == 1 + len(payload)


DAMAGE = {
    "Duplicate set members detected": (codes.SET, b"\x02" + strings(b"a", b"a")),
    "Hash with dup elements": (codes.HASH, b"\x02" + strings(b"f", b"1", b"f", b"2")),
    "Duplicate hash fields detected": (codes.HASH, b"\x02" + strings(b"f", b"1" * 65, b"f", b"2")),
    "Duplicate zset fields detected": (codes.ZSET_2, b"\x02" + doubles((b"a", 1), (b"a", 2))),
    "Zset with NAN score detected": (codes.ZSET_2, b"\x01" + doubles((b"a", float("nan")))),
    "Quicklist integrity check failed.": (codes.LIST_QUICKLIST_2, b"\x01\x03" + pack(b"a")),
    "Listpack integrity check failed.": (codes.LIST_QUICKLIST_2, b"\x01\x02" + blob(b"junk")),
    "Ziplist integrity check failed.": (codes.LIST_QUICKLIST, b"\x01" + blob(b"junk")),
    "List ziplist integrity check failed.": (codes.LIST_ZIPLIST, blob(b"junk")),
    "Zipmap integrity check failed.": (codes.HASH_ZIPMAP, blob(b"junk")),
    "Hash zipmap with dup elements, or big length": (codes.HASH_ZIPMAP, blob(zipmap(b"f", b"1", b"f", b"2"))),
    "Intset integrity check failed.": (codes.SET_INTSET, blob(b"junk")),
    "Set listpack integrity check failed.": (codes.SET_LISTPACK, pack(b"a", b"a")),
    "Hash listpack integrity check failed.": (codes.HASH_LISTPACK, pack(b"f", b"1", b"f", b"2")),
    "Hash ziplist integrity check failed.": (codes.HASH_ZIPLIST, ziplist(b"f", b"1", b"f", b"2")),
    "Zset listpack integrity check failed.": (codes.ZSET_LISTPACK, pack(b"a", b"1", b"b")),
    "Zset ziplist integrity check failed.": (codes.ZSET_ZIPLIST, ziplist(b"a", b"x")),
    "Pre-release module format not supported": (codes.MODULE_PRE_GA, b"\x00"),
}


@pytest.mark.parametrize("reason", DAMAGE)
def test_damage(reason: str) -> None:
    kind, payload = DAMAGE[reason]
    with pytest.raises(RdbError) as caught:
        read(kind, payload)
    assert caught.value.reason == reason


def test_repeated_fields_count_once_where_redis_lives_with_them() -> None:
    assert picture(read(codes.HASH_LISTPACK, pack(b"f", b"1", b"f", b"2"), deep=False))[2] == {b"f": b"1"}
    assert picture(read(codes.SET_LISTPACK, pack(b"a", b"a"), deep=False))[2] == [b"a"]
    assert picture(read(codes.ZSET_LISTPACK, pack(b"a", b"1", b"a", b"2"), deep=False))[2] == [(1, b"a")]


def test_repeated_fields_cannot_become_a_hashtable() -> None:
    limits = Thresholds()
    limits.hash_max_listpack_entries = 1
    with pytest.raises(RdbError) as caught:
        read(codes.HASH_LISTPACK, pack(b"f", b"1", b"f", b"2"), deep=False, limits=limits)
    assert caught.value.reason == "Hash listpack with dup elements"


def test_module_values_are_refused_or_skipped() -> None:
    module_id = 0x0123456789ABCDEF
    payload = (
        encode_length(module_id)
        + b"\x02\x05"
        + b"\x01\x07"
        + b"\x05\x03abc"
        + b"\x04"
        + bytes(8)
        + b"\x03"
        + bytes(4)
        + b"\x00"
    )
    with pytest.raises(RdbError) as caught:
        read(codes.MODULE_2, payload)
    name = codes.module_name(module_id)
    assert caught.value.reason == f"The RDB file contains module data I can't load: no matching module type '{name}'"
    assert len(name) == 9
    options = LoadOptions(Thresholds(), skip_modules=True)
    assert READERS[codes.MODULE_2](payload, 0, options) == (b"module-dummy-value", len(payload))


def test_sanitizations_are_counted() -> None:
    options = LoadOptions(Thresholds(), deep=True)
    READERS[codes.HASH_LISTPACK](pack(b"f", b"1"), 0, options)
    READERS[codes.LIST_QUICKLIST_2](b"\x02\x02" + pack(b"a") + b"\x02" + pack(b"b"), 0, options)
    assert options.sanitized == 3


STREAM_DAMAGE = {
    "Stream node key entry is not the size of a stream ID": b"\x01\x03abc" + pack(b"1"),
    "Stream listpack integrity check failed.": b"\x01\x10" + bytes(16) + blob(b"junk"),
    "Empty listpack inside stream": b"\x01\x10" + bytes(16) + pack(),
    "Stream length inconsistent with rax entries": b"\x00\x05\x00\x00",
    "Duplicated consumer group name g": b"\x00\x00\x00\x00\x02" + b"\x01g\x00\x00\x00\x00" * 2,
    "Duplicate stream consumer detected.": b"\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x02"
    + (b"\x01c" + bytes(8) + b"\x00") * 2,
    "Consumer entry not found in group global PEL": (
        b"\x00\x00\x00\x00\x01\x01g\x00\x00\x00\x01\x01c" + bytes(8) + b"\x01" + bytes(16)
    ),
    "Stream CG PEL entry without consumer": (b"\x00\x00\x00\x00\x01\x01g\x00\x00\x01" + bytes(24) + b"\x01\x00"),
    "Duplicated global PEL entry loading stream consumer group": (
        b"\x00\x00\x00\x00\x01\x01g\x00\x00\x02" + (bytes(24) + b"\x01") * 2 + b"\x00"
    ),
}


@pytest.mark.parametrize("reason", STREAM_DAMAGE)
def test_stream_damage(reason: str) -> None:
    with pytest.raises(RdbError) as caught:
        read(codes.STREAM_LISTPACKS, STREAM_DAMAGE[reason])
    assert caught.value.reason == reason


def test_old_streams_get_their_counters_estimated() -> None:
    node = listpack.encode([b"2", b"0", b"1", b"f", b"0", b"2", b"0", b"0", b"a", b"4", b"2", b"1", b"0", b"b", b"4"])
    key = (5).to_bytes(8, "big") + (1).to_bytes(8, "big")
    group = b"\x01g" + b"\x05\x01" + b"\x00" + b"\x01\x01c" + struct.pack("<q", 99) + b"\x00"
    stream = read(codes.STREAM_LISTPACKS, b"\x01\x10" + key + blob(node) + b"\x02\x06\x01" + b"\x01" + group)
    stream._check()
    assert list(stream) == [(5 << 64 | 1, [b"f", b"a"]), (6 << 64 | 1, [b"f", b"b"])]
    assert (stream.entries_added, stream.first_id, stream.max_deleted_id) == (2, 5 << 64 | 1, 0)
    assert stream.groups[b"g"].entries_read == 1
    assert stream.groups[b"g"].consumers[b"c"].active_time == 99
