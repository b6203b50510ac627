"""What can be asked of any value in the keyspace: its type, its encoding, a copy.

Strings are plain ``bytes`` or, once a command has edited them in place, ``bytearray``; every other value
is an object with ``type_name``, ``encoding`` and ``copy()``.
"""

from __future__ import annotations

from typing import Any, Final

from ..util.numbers import parse_int_or_none

EMBSTR_LIMIT: Final = 44
"""The longest string Redis keeps in one allocation with its header (OBJ_ENCODING_EMBSTR_SIZE_LIMIT)."""
SHARED_INTEGERS: Final = 10_000
"""Integers below are objects that all of Redis shares (OBJ_SHARED_INTEGERS)."""
SHARED_REFERENCES: Final = 2**31 - 1

_LONGEST_INTEGER = 20


class Spelled(bytes):
    """A string that spells an integer but is not encoded as one: what INCRBYFLOAT leaves behind."""

    __slots__ = ()


def type_name(value: Any) -> bytes:
    """The name TYPE answers with."""
    if isinstance(value, (bytes, bytearray)):
        return b"string"
    return value.type_name  # type: ignore[no-any-return]


def encoding(value: Any) -> bytes:
    """The name OBJECT ENCODING answers with."""
    if isinstance(value, bytes):
        size = len(value)
        if size <= _LONGEST_INTEGER and value.__class__ is bytes and parse_int_or_none(value) is not None:
            return b"int"
        return b"embstr" if size <= EMBSTR_LIMIT else b"raw"
    if isinstance(value, bytearray):
        return b"raw"
    return value.encoding  # type: ignore[no-any-return]


def duplicate(value: Any) -> Any:
    """A copy of *value* that can be changed by itself.  O(N); O(1) for an immutable string."""
    return value if isinstance(value, bytes) else value.copy()


def is_shared_integer(value: Any) -> bool:
    """Whether Redis would keep *value* as one of its shared integers."""
    return encoding(value) == b"int" and 0 <= int(value) < SHARED_INTEGERS
