"""Text to numbers and back, with Redis's strictness and Redis's spelling (util.c, object.c)."""

from __future__ import annotations

import re
from math import copysign, inf

from ..errors import NotFloat, NotInteger
from .grisu import shortest
from .longdouble import (
    LongDouble,
    add_long_doubles,
    format_long_double,
    is_finite,
    long_double_add,
    long_double_from_int,
    parse_long_double,
)

__all__ = [
    "INT64_MAX",
    "INT64_MIN",
    "LongDouble",
    "add_long_doubles",
    "format_17g",
    "format_double",
    "format_fixed",
    "format_human",
    "format_long_double",
    "human_bytes",
    "is_finite",
    "long_double_add",
    "long_double_from_int",
    "parse_float",
    "parse_int",
    "parse_int_or_none",
    "parse_long_double",
    "parse_memory",
    "parse_uint",
]

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1

_SMALL = {b"%d" % n: n for n in range(-99, 1000)}
_small = _SMALL.get
_ZERO = 48  # ord("0")

# Doubles of at most this magnitude are tried as integers (double2ll: LLONG_MAX/2 as a double).
_INTEGRAL = float(2**62)

_HEX_FLOAT = re.compile(rb"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?")
_STRTOULL = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")
_MEMORY = re.compile(rb"([0-9]{0,127})(|b|k|kb|m|mb|g|gb)", re.IGNORECASE)
_UNITS = {
    b"": 1,
    b"b": 1,
    b"k": 1000,
    b"kb": 1 << 10,
    b"m": 1000**2,
    b"mb": 1 << 20,
    b"g": 1000**3,
    b"gb": 1 << 30,
}


def parse_int_or_none(text: bytes | bytearray) -> int | None:
    """The signed 64-bit integer that *text* is the one canonical spelling of, else None (string2ll)."""
    length = len(text)
    if length < 4:
        try:
            return _small(text)  # type: ignore[arg-type]
        except TypeError:  # a bytearray has no hash
            return _small(bytes(text))
    if length < 19 and text.isdigit():
        return int(text) if text[0] != _ZERO else None
    if length > 20:
        return None
    digits = text[1:] if text[0] == 45 else text
    if not digits.isdigit() or digits[0] == _ZERO:
        return None
    value = int(text)
    return value if INT64_MIN <= value <= INT64_MAX else None


def parse_int(text: bytes | bytearray) -> int:
    """The signed 64-bit integer spelled by *text*: ``-0``, ``+1``, ``01``, `` 1`` raise NotInteger."""
    length = len(text)
    if 3 < length < 19 and text.isdigit() and text[0] != _ZERO:
        return int(text)
    value = parse_int_or_none(text)
    if value is None:
        raise NotInteger
    return value


def parse_uint(text: bytes | bytearray) -> int:
    """The unsigned 64-bit integer spelled by *text*, as loosely as string2ull; raises NotInteger.

    What parse_int refuses gets a second chance with C's strtoull: leading white space, signs and
    zeroes pass, a NUL ends the text, and a negative number too long for parse_int wraps around.
    """
    text = text.partition(b"\0")[0]
    value = parse_int_or_none(text)
    if value is not None:
        if value < 0:
            raise NotInteger
        return value
    found = _STRTOULL.fullmatch(text)
    if found is None or len(text) > 4000:
        raise NotInteger
    magnitude = int(found[2])
    if magnitude > UINT64_MAX:
        raise NotInteger
    return -magnitude & UINT64_MAX if found[1] == b"-" else magnitude


def parse_float(text: bytes | bytearray) -> float:
    """The double spelled by the whole of *text* (getDoubleFromObject); raises NotFloat.

    ``inf`` and C's hexadecimal floats pass; NaN, surrounding space, and what overflows to
    infinity or underflows to zero do not.
    """
    try:
        value = float(text)
    except ValueError:
        return _parse_hex_float(text)
    if text[0] <= 32 or text[-1] <= 32 or value != value or b"_" in text:
        raise NotFloat
    if (value == inf or value == -inf) and text[-1] not in b"fFyY":
        raise NotFloat
    if value == 0.0 and _mantissa_is_nonzero(text):
        raise NotFloat
    return value


def _mantissa_is_nonzero(text: bytes | bytearray) -> bool:
    return bool(text.lower().partition(b"e")[0].strip(b"+-.0"))


def _parse_hex_float(text: bytes | bytearray) -> float:
    if _HEX_FLOAT.fullmatch(text) is None:
        raise NotFloat
    try:
        value = float.fromhex(text.decode("ascii"))
    except (OverflowError, ValueError):
        raise NotFloat from None
    if value == 0.0 and text.lower().partition(b"p")[0].strip(b"+-.0x"):
        raise NotFloat
    return value


def format_double(x: float) -> bytes:
    """*x* as scores and doubles are answered (d2string): integers plain, else the shortest digits."""
    if -_INTEGRAL <= x <= _INTEGRAL:
        if x.is_integer():
            if x == 0.0 and copysign(1.0, x) < 0:
                return b"-0"
            return b"%d" % x
        return shortest(x)
    if x != x:
        return b"nan"
    if x == inf:
        return b"inf"
    if x == -inf:
        return b"-inf"
    return shortest(x)


def format_17g(x: float) -> bytes:
    """*x* as C's ``%.17g`` prints it."""
    return b"%.17g" % x


def format_human(x: float) -> bytes:
    """*x* as addReplyHumanLongDouble prints a double: ``%.17f`` without the trailing zeroes."""
    if x - x != 0.0:
        return format_double(x)
    text = (b"%.17f" % x).rstrip(b"0").rstrip(b".")
    return b"0" if text == b"-0" else text


def format_fixed(x: float, digits: int) -> bytes:
    """*x* with exactly *digits* (1 to 17) decimals, rounded as fixedpoint_d2string does."""
    scaled = round(x * 10.0**digits)
    text = b"%0*d" % (digits + 1, abs(scaled))
    return b"%b%b.%b" % (b"-" if scaled < 0 else b"", text[:-digits], text[-digits:])


def parse_memory(text: bytes) -> int:
    """Bytes in ``100mb``, ``1k`` (1000), ``1kb`` (1024) ... (memtoull); raises ValueError."""
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise ValueError("argument must be a memory value")
    digits, unit = found.groups()
    value = min(int(digits or b"0"), UINT64_MAX)
    return value * _UNITS[unit.lower()] & UINT64_MAX


def human_bytes(n: int) -> str:
    """*n* bytes with two decimals and a unit from B to P (bytesToHuman)."""
    if n < 1 << 10 or n >= 1 << 60:
        return f"{n}B"
    step = (n.bit_length() - 1) // 10
    return f"{n / (1 << 10 * step):.2f}{' KMGTP'[step]}"
