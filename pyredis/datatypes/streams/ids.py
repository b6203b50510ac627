"""Stream entry IDs as single integers, ``milliseconds << 64 | sequence``, and as texts (t_stream.c).

One integer sorts, hashes and compares as the pair does, at half of its memory and in less time.
"""

from __future__ import annotations

from typing import Final

from ...errors import InvalidEndId, InvalidStartId, InvalidStreamId, NotInteger
from ...util.numbers import parse_uint

MAX_SEQUENCE: Final = (1 << 64) - 1
MIN_ID: Final = 0
MAX_ID: Final = (1 << 128) - 1

_LONGEST: Final = 127
_SURE_DIGITS: Final = 19  # that many digits fit 64 bits whatever they are


def format_id(entry_id: int) -> bytes:
    """``1526919030474-55``"""
    return b"%d-%d" % (entry_id >> 64, entry_id & MAX_SEQUENCE)


def make_id(milliseconds: int, sequence: int) -> int:
    """The ID made of two unsigned 64-bit integers."""
    return milliseconds << 64 | sequence


def parse_strict_id(text: bytes, missing_sequence: int = 0) -> int:
    """``ms`` or ``ms-seq``.  Raises InvalidStreamId"""
    first, dash, second = text.partition(b"-")
    if not dash:
        if first.isdigit() and len(first) <= _SURE_DIGITS:
            return int(first) << 64 | missing_sequence
    elif first.isdigit() and second.isdigit() and len(first) <= _SURE_DIGITS and len(second) <= _SURE_DIGITS:
        return int(first) << 64 | int(second)
    return _parse_odd(text, missing_sequence)


def parse_id(text: bytes, missing_sequence: int = 0) -> int:
    """The same, or ``-`` and ``+`` for the least and the greatest ID.  Raises InvalidStreamId"""
    if text == b"-":
        return MIN_ID
    if text == b"+":
        return MAX_ID
    return parse_strict_id(text, missing_sequence)


def parse_new_id(text: bytes) -> tuple[int, bool]:
    """The ID of XADD other than ``*``, and whether the sequence is given: it is not in ``ms-*``.

    Raises InvalidStreamId
    """
    if text[-2:] == b"-*" and text.find(b"-") == len(text) - 2:
        return parse_strict_id(text[:-2]), False
    return parse_strict_id(text), True


def parse_start(text: bytes) -> int:
    """The first ID inside an interval that begins at *text*, ``(`` making it exclusive.

    Raises InvalidStreamId, InvalidStartId
    """
    if len(text) > 1 and text[:1] == b"(":
        start = parse_strict_id(text[1:])
        if start == MAX_ID:
            raise InvalidStartId
        return start + 1
    return parse_id(text)


def parse_end(text: bytes) -> int:
    """The last ID inside an interval that ends at *text*, ``(`` making it exclusive.

    Raises InvalidStreamId, InvalidEndId
    """
    if len(text) > 1 and text[:1] == b"(":
        end = parse_strict_id(text[1:], MAX_SEQUENCE)
        if end == MIN_ID:
            raise InvalidEndId
        return end - 1
    return parse_id(text, MAX_SEQUENCE)


def _parse_odd(text: bytes, missing_sequence: int) -> int:
    """What is not plainly digits: strtoull accepts blanks, signs and leading zeros, and stops at a NUL."""
    if len(text) > _LONGEST:
        raise InvalidStreamId
    first, dash, second = text.partition(b"\0")[0].partition(b"-")
    if not first and not second:
        raise InvalidStreamId
    try:
        return parse_uint(first) << 64 | (parse_uint(second) if dash else missing_sequence)
    except NotInteger:
        raise InvalidStreamId from None
