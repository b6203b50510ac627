"""Numbers as the C library reads them, where Redis's directives lean on it."""

from __future__ import annotations

import re

_DECIMAL = re.compile(rb"[ \t-\r]*([+-]?[0-9]+)")
_OCTAL = re.compile(rb"[ \t-\r]*([+-]?[0-7]+)")
_U64 = (1 << 64) - 1
_I64_MIN, _I64_MAX = -(1 << 63), (1 << 63) - 1


def as_signed(value: int) -> int:
    """*value* as a 64-bit two's complement number."""
    return ((value + (1 << 63)) & _U64) - (1 << 63)


def as_unsigned(value: int) -> int:
    """*value* modulo 2**64."""
    return value & _U64


def as_int(value: int) -> int:
    """*value* cut to a 32-bit int, as an assignment in C does."""
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def strtoll(word: bytes, base: int = 10, *, saturate: bool = True) -> int | None:
    """The whole of *word* as a 64-bit number of base 10 or 8; None if anything is left over.

    Nothing at all is 0, for strtoll(3) then stops at the terminator too.  Beyond the range the value
    saturates, or is refused.
    """
    if not word:
        return 0
    match = (_OCTAL if base == 8 else _DECIMAL).fullmatch(word)
    if match is None:
        return None
    value = int(match[1], base)
    if _I64_MIN <= value <= _I64_MAX:
        return value
    return max(_I64_MIN, min(value, _I64_MAX)) if saturate else None


def format_memory(value: int) -> bytes:
    """The shortest exact form of *value* bytes that parse_memory reads back (rewriteConfigFormatMemory)."""
    if value:
        for shift, unit in ((30, b"gb"), (20, b"mb"), (10, b"kb")):
            if not value & ((1 << shift) - 1):
                return b"%d%b" % (value >> shift, unit)
    return b"%d" % value
