"""Names and thresholds of encodings, which clients can observe through OBJECT ENCODING."""

from __future__ import annotations


class Thresholds:
    """Limits of the compact encodings, named like the directives that set them.

    Counts are entries, values are bytes; ``list_max_listpack_size`` is negative for the size classes
    of redis.conf (-2: 8 KiB a node).
    """

    __slots__ = (
        "hash_max_listpack_entries", "hash_max_listpack_value", "hll_sparse_max_bytes", "list_compress_depth",
        "list_max_listpack_size", "list_packed_threshold", "set_max_intset_entries", "set_max_listpack_entries",
        "set_max_listpack_value", "stream_node_max_bytes", "stream_node_max_entries", "zset_max_listpack_entries",
        "zset_max_listpack_value",
    )  # fmt: skip

    def __init__(self) -> None:
        self.hash_max_listpack_entries = 512
        self.hash_max_listpack_value = 64
        self.set_max_intset_entries = 512
        self.set_max_listpack_entries = 128
        self.set_max_listpack_value = 64
        self.zset_max_listpack_entries = 128
        self.zset_max_listpack_value = 64
        self.list_max_listpack_size = -2
        self.list_compress_depth = 0
        self.list_packed_threshold = 1 << 30  # DEBUG QUICKLIST-PACKED-THRESHOLD: larger elements get their own node
        self.stream_node_max_bytes = 4096
        self.stream_node_max_entries = 100
        self.hll_sparse_max_bytes = 3000
