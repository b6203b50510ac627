"""The digest of a data set, equal to the real server's for equal data (debug.c computeDatasetDigest)."""

from __future__ import annotations

from hashlib import sha1
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..datatypes.hashes import Hash, PackedHash
from ..datatypes.lists import List
from ..datatypes.sets import PackedSet, Set
from ..datatypes.streams import Stream
from ..datatypes.zsets import PackedSortedSet, SortedSet
from ..util.grisu import shortest
from ..util.numbers import format_double

if TYPE_CHECKING:
    from .database import Database
    from .keyspace import Keyspace

EMPTY = bytes(20)
TYPES = {List: 1, Set: 2, PackedSet: 2, SortedSet: 3, PackedSortedSet: 3, Hash: 4, PackedHash: 4, Stream: 6}


def xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(20, "big")


def add(digest: bytes, data: bytes | bytearray) -> bytes:
    """Add *data* so that order does not matter (xorDigest)."""
    return xor(digest, sha1(data).digest())


def mix(digest: bytes, data: bytes | bytearray) -> bytes:
    """Add *data* so that order matters (mixDigest)."""
    return sha1(add(digest, data)).digest()


def dataset_digest(server: Keyspace) -> bytes:
    """The 20 bytes of DEBUG DIGEST.  O(everything)"""
    final = EMPTY
    for db in server.databases:
        if db.data:
            final = mix(final, db.index.to_bytes(4, "big"))
            for key, value in db.data.items():
                final = add(final, value_digest(db, key, value, mix(EMPTY, key)))
    return final


def value_digest(db: Database, key: bytes, value: Any, digest: bytes = EMPTY) -> bytes:
    """*digest* with the value of *key* added (xorObjectDigest)."""
    digest = mix(digest, TYPES.get(value.__class__, 0).to_bytes(4, "big"))
    if isinstance(value, (bytes, bytearray)):
        digest = mix(digest, value)
    elif isinstance(value, List):
        for element in value:
            digest = mix(digest, element)
    elif isinstance(value, Set):
        for member in value:
            digest = add(digest, member)
    elif isinstance(value, SortedSet):
        for score, member in value:
            digest = add(digest, mix(mix(EMPTY, member), _score(score)))
    elif isinstance(value, Hash):
        for field, content in value.items():
            digest = add(digest, mix(mix(EMPTY, field), content))
    elif isinstance(value, Stream):
        for entry_id, fields in value:
            digest = mix(digest, b"%d.%d" % (entry_id >> 64, entry_id & 0xFFFFFFFFFFFFFFFF))
            for part in fields:
                digest = mix(digest, part)
    if key in db.expires:
        digest = add(digest, b"!!expire!!")
    return digest


def _score(score: float) -> bytes:
    """*score* as fpconv_dtoa writes it: large whole numbers with an exponent, unlike in replies."""
    return shortest(score) if score and isfinite(score) else format_double(score)
