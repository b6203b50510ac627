"""What a key and its value take, told in constant time from a few of their parts.

Strings are right to the byte.  Of a container the number of elements is known and the size of up to
``SAMPLED`` of them is looked at, its first and its latest ones: those a change is most likely to have touched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from sys import getsizeof
from typing import Any, Final

from ..datatypes.hashes import Hash, PackedHash
from ..datatypes.lists import List
from ..datatypes.quicklist import Node
from ..datatypes.sampled import LISTPACK, SampledDict
from ..datatypes.sets import PackedSet, Set
from ..datatypes.streams import Stream
from ..datatypes.zsets import PackedSortedSet, SortedSet
from ..util.footprint import footprint

SLOT: Final = 40
"""A key's place in a dict, which is full to a third at least and to two thirds at most: 30 to 60 bytes."""
EXPIRY: Final = SLOT + 32
"""What an expiry adds to a key: a place in another dict, and a number."""
SAMPLED: Final = 16
_HALF: Final = SAMPLED // 2
HEADER: Final = 33  # of a bytes object
_ROUNDING: Final = 8  # half of the allocator's granularity
SMALL: Final = 512  # what the allocator serves from its pools
_REFERENCE: Final = 9  # in a list that keeps some room
_FLOAT: Final = 24
_NODE: Final = 64
_BLOCK: Final = 200


def string_size(value: bytes | bytearray) -> int:
    """Memory of a string, as the allocator rounds it."""
    size = getsizeof(value)
    return (size + 15) & -16 if size <= SMALL else (size + 23) & -16


def value_size(value: Any) -> int:
    """Memory of *value*.  O(1)"""
    kind = type(value)
    if kind is bytes:
        size = len(value) + HEADER
        return (size + 15) & -16 if size <= SMALL else (size + 23) & -16
    measure = _MEASURES.get(kind)
    return string_size(value) if measure is None else measure(value)


def entry_size(key: bytes, value: Any) -> int:
    """Memory of *key* in a database, with its *value*.  O(1)"""
    return string_size(key) + SLOT + value_size(value) + (0 if type(value) is bytes else SLOT)


def _elements(items: Collection[bytes]) -> int:
    """Memory of byte strings in a container that can be walked both ways."""
    count = len(items)
    if count <= SAMPLED:
        return sum(map(len, items)) + count * (HEADER + _ROUNDING)
    latest: Iterator[bytes] = islice(reversed(items), _HALF)  # type: ignore[call-overload]
    total = sum(map(len, islice(items, _HALF))) + sum(map(len, latest))
    return count * (total // SAMPLED + HEADER + _ROUNDING)


def _sampler(value: SampledDict[Any]) -> int:
    return 0 if value.sampler is None else len(value) * _REFERENCE


def _hash_size(value: Hash) -> int:
    """Names of a small hash's fields are shared with other hashes."""
    names = 0 if value.encoding == LISTPACK else _elements(value.keys())
    return getsizeof(value) + names + _elements(value.values()) + _sampler(value)


def _packed_size(value: PackedHash | PackedSet | PackedSortedSet) -> int:
    return getsizeof(value) + _ROUNDING


def _set_size(value: Set) -> int:
    return getsizeof(value) + _elements(value.keys()) + _sampler(value)


def _sorted_set_size(value: SortedSet) -> int:
    count = len(value.scores)
    return getsizeof(value.scores) + 240 + _elements(value.scores.keys()) + count * (_FLOAT + 2 * _REFERENCE)


def _list_size(value: List) -> int:
    long = value.long
    if long is None:
        return 200 + value.size + len(value.items) * (HEADER + _ROUNDING + _REFERENCE)
    nodes = long.nodes
    count = len(nodes)
    if count <= 4:
        return 200 + sum(map(_node_size, nodes))
    inner = (_node_size(nodes[1]) + _node_size(nodes[count >> 1]) + _node_size(nodes[-2])) // 3
    return 200 + _node_size(nodes[0]) + _node_size(nodes[-1]) + (count - 2) * inner


def _node_size(node: Node) -> int:
    items = node.items
    if items.__class__ is deque:
        return _NODE + 620 + node.size + node.count * (HEADER + _ROUNDING + _REFERENCE)
    return _NODE + len(items) + HEADER + _ROUNDING


def _stream_size(value: Stream) -> int:
    blocks = value.blocks()
    count = len(blocks)
    size = 400 + len(value.groups) * 500
    if value.groups:
        size += sum([len(group.pending) for group in value.groups.values()]) * 300
    if count <= 2:
        return size + sum([footprint(block, SAMPLED) for block in blocks])
    inner = footprint(blocks[0], 4) + footprint(blocks[count >> 1], 4)
    return size + footprint(blocks[-1], 4) + (count - 1) * inner // 2


_MEASURES: Final[dict[type, Any]] = {
    Hash: _hash_size,
    PackedHash: _packed_size,
    Set: _set_size,
    PackedSet: _packed_size,
    SortedSet: _sorted_set_size,
    PackedSortedSet: _packed_size,
    List: _list_size,
    Stream: _stream_size,
}
