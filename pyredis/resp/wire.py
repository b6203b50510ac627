"""What a client's protocol version decides: the common shape of ``resp2`` and ``resp3``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Wire(Protocol):
    """A protocol version.  Modules implement it, so ``client.wire.null`` is one dictionary look-up.

    Arguments called *replies* are encoded already.  A map is given as a flat list: key, value, key ...
    """

    @property
    def version(self) -> int:
        """2 or 3."""

    @property
    def null(self) -> bytes: ...

    @property
    def null_array(self) -> bytes: ...

    @property
    def true(self) -> bytes: ...

    @property
    def false(self) -> bytes: ...

    @property
    def empty_set(self) -> bytes: ...

    @property
    def empty_map(self) -> bytes: ...

    def map_header(self, pairs: int, /) -> bytes:
        """Announce *pairs* keys, each with its value."""

    def set_header(self, count: int, /) -> bytes:
        """Announce *count* distinct replies."""

    def push_header(self, count: int, /) -> bytes:
        """Announce an out-of-band message of *count* replies."""

    def attributes_of(self, replies: Collection[bytes], /) -> bytes:
        """Auxiliary keys and values before a reply; RESP2 has no way to send them."""

    def map_of(self, replies: Collection[bytes], /) -> bytes:
        """A map of *replies*."""

    def keyed_of(self, replies: Collection[bytes], /) -> bytes:
        """A map in RESP3, in RESP2 an array of pairs, as XREAD answers."""

    def set_of(self, replies: Collection[bytes], /) -> bytes:
        """A set of *replies*."""

    def push_of(self, replies: Collection[bytes], /) -> bytes:
        """An out-of-band message of *replies*."""

    def map_of_bulks(self, values: Collection[bytes | bytearray], /) -> bytes:
        """A map of bulk strings, as HGETALL answers."""

    def set_of_bulks(self, values: Collection[bytes | bytearray], /) -> bytes:
        """A set of bulk strings, as SMEMBERS answers."""

    def pairs_of_bulks(self, values: Collection[bytes | bytearray], /) -> bytes:
        """Bulk strings two by two, as HRANDFIELD WITHVALUES: flat in RESP2, nested arrays in RESP3."""

    def scored(self, entries: Collection[tuple[bytes, float]], /) -> bytes:
        """Members with scores, as ZRANGE WITHSCORES: flat in RESP2, nested arrays in RESP3."""

    def double(self, x: float, /) -> bytes:
        """A floating-point number in Redis's spelling."""

    def human_double(self, text: bytes, /) -> bytes:
        """A number already spelled out, as GEOPOS answers (addReplyHumanLongDouble)."""

    def bool(self, value: object, /) -> bytes:
        """The truth of *value*."""

    def bignum(self, digits: bytes, /) -> bytes:
        """An integer of any size."""

    def verbatim(self, text: bytes, ext: bytes = b"txt", /) -> bytes:
        """A text and its three-letter format."""
