"""Intsets: sorted integers of one width, behind small sets of integers (intset.c)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from pyredis.persistence.rdb.codes import RdbError

_HEADER = struct.Struct("<II")
_FORMATS = {2: "h", 4: "i", 8: "q"}


def encode(members: Sequence[int]) -> bytes:
    """The intset of *members*, distinct and in ascending order."""
    low, high = members[0], members[-1]
    if low >= -32768 and high <= 32767:
        width = 2
    elif low >= -2147483648 and high <= 2147483647:
        width = 4
    else:
        width = 8
    count = len(members)
    return struct.pack(f"<II{count}{_FORMATS[width]}", width, count, *members)


def decode(blob: bytes, failure: str, deep: bool = True) -> tuple[int, ...]:
    """The members of *blob* as stored; RdbError(*failure*) if it is damaged, or with *deep* out of order."""
    if len(blob) < 8:
        raise RdbError(failure)
    width, count = _HEADER.unpack_from(blob)
    if width not in _FORMATS or not count or 8 + count * width != len(blob):
        raise RdbError(failure)
    members = struct.unpack_from(f"<{count}{_FORMATS[width]}", blob, 8)
    if deep and any(map(int.__ge__, members, members[1:])):
        raise RdbError(failure)
    return members
