"""Lists cut into nodes the way quicklist.c cuts them, so that a saved list is what Redis would save."""

from __future__ import annotations

from collections.abc import Iterable

from pyredis.persistence.rdb.listpack import EMPTY_SIZE, encode_entry, join

Node = tuple[bool, bytes]
"""(packed, blob): a listpack of several elements, or one element as it is."""

LARGE_ELEMENT = 1 << 30
"""Elements from this size on get a node of their own (packed_threshold)."""

_SIZE_LIMITS = (4096, 8192, 16384, 32768, 65536)
_SAFE_SIZE = 8192
_ESTIMATED_OVERHEAD = 8
_UNLIMITED = 1 << 62


def node_limits(fill: int) -> tuple[int, int]:
    """The largest size and count of a node under list-max-listpack-size *fill* (quicklistNodeExceedsLimit)."""
    if fill >= 0:
        return _SAFE_SIZE, fill or 1
    return _SIZE_LIMITS[min(-fill, len(_SIZE_LIMITS)) - 1], _UNLIMITED


def pack_nodes(items: Iterable[bytes], fill: int, large: int = LARGE_ELEMENT) -> list[Node]:
    """The nodes of a list built by pushing *items* at its tail.  O(bytes)

    *large*: size from which an element becomes a plain node (DEBUG QUICKLIST-PACKED-THRESHOLD).
    """
    size_limit, count_limit = node_limits(fill)
    size_limit -= _ESTIMATED_OVERHEAD
    nodes: list[Node] = []
    entries: list[bytes] = []
    node_size = EMPTY_SIZE
    for item in items:
        size = len(item)
        if size >= large:
            if entries:
                nodes.append((True, join(entries)))
                entries, node_size = [], EMPTY_SIZE
            nodes.append((False, item))
            continue
        if entries and (node_size + size > size_limit or len(entries) >= count_limit):
            nodes.append((True, join(entries)))
            entries, node_size = [], EMPTY_SIZE
        entry = encode_entry(item)
        entries.append(entry)
        node_size += len(entry)
    if entries:
        nodes.append((True, join(entries)))
    return nodes
