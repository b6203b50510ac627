"""The 80-bit arithmetic of INCRBYFLOAT and HINCRBYFLOAT, whose last digits clients can see.

Redis adds in the x87 format (64 bits of mantissa) and prints ``%.17Lf``.  Integers do the same
exactly: a value is ``(mantissa, exponent)`` standing for ``mantissa * 2**exponent``, rounded
half to even to 64 bits when parsed and after each sum; infinities are ``INF`` and ``-INF``.
"""

from __future__ import annotations

import re

from ..errors import NotFinite, NotFloat

LongDouble = tuple[int, int]

_INFINITE = 1 << 20
INF: LongDouble = (1, _INFINITE)
MINUS_INF: LongDouble = (-1, _INFINITE)

_BITS = 64
_LEAST_EXPONENT = -16445
_OVERFLOW_BITS = 16384  # 2**16384 is the first power of two that is too large
_MOST_CHARS = 5 * 1024
_DECIMALS = 17
_SCALE: int = 10**_DECIMALS
_CHUNK = 4000  # decimal digits per conversion: below the interpreter's limit for int and str
_CHUNK_POWER: int = 10**_CHUNK

_DECIMAL = re.compile(rb"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
_HEX = re.compile(rb"([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?")
_INFINITY = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)


def is_finite(x: LongDouble) -> bool:
    """False for the infinities."""
    return x[1] != _INFINITE


def long_double_from_int(n: int) -> LongDouble:
    """The value of a signed 64-bit integer, always exact."""
    return n, 0


def parse_long_double(text: bytes | bytearray) -> LongDouble:
    """The long double spelled by the whole of *text* (string2ld); raises NotFloat.

    Infinity passes; NaN, surrounding space, overflow and underflow to zero do not.
    """
    if not 0 < len(text) < _MOST_CHARS:
        raise NotFloat
    found = _DECIMAL.fullmatch(text)
    if found is not None:
        sign, whole, fraction, exponent = found.groups(b"")
        digits = whole + fraction
        if not digits:
            raise NotFloat
        value = _from_decimal(digits, _clamp(exponent) - len(fraction))
        return (-value[0], value[1]) if sign == b"-" else value
    found = _HEX.fullmatch(text)
    if found is not None:
        sign, whole, fraction, exponent = found.groups(b"")
        digits = whole + fraction
        if not digits:
            raise NotFloat
        value = _from_binary(int(digits, 16), _clamp(exponent) - 4 * len(fraction))
        return (-value[0], value[1]) if sign == b"-" else value
    found = _INFINITY.fullmatch(text)
    if found is None:
        raise NotFloat
    return MINUS_INF if found[1] == b"-" else INF


def _clamp(exponent: bytes) -> int:
    """An exponent, cut to a range far beyond what any text of legal length can make finite."""
    if not exponent:
        return 0
    digits = exponent.lstrip(b"+-0")
    value = int(digits or b"0") if len(digits) < 8 else 10_000_000
    return -value if exponent[:1] == b"-" else value


def _from_decimal(digits: bytes | bytearray, exponent: int) -> LongDouble:
    significant = digits.lstrip(b"0")
    if not significant:
        return 0, 0
    magnitude = len(significant) + exponent
    if not -5000 < magnitude < 5000:
        raise NotFloat
    number = _big_int(significant)
    scale: int = 10 ** abs(exponent)
    return _parsed(_round(number * scale, 1) if exponent >= 0 else _round(number, scale))


def _from_binary(number: int, exponent: int) -> LongDouble:
    if number == 0:
        return 0, 0
    magnitude = number.bit_length() + exponent
    if not -17000 < magnitude < 17000:
        raise NotFloat
    if exponent >= 0:
        return _parsed(_round(number << exponent, 1))
    return _parsed(_round(number, 1 << -exponent))


def _parsed(value: LongDouble) -> LongDouble:
    """Refuse what strtold reports as out of range: a number that became infinite or zero."""
    if value[0] == 0 or value[1] == _INFINITE:
        raise NotFloat
    return value


def _round(above: int, below: int) -> LongDouble:
    """The non-negative fraction *above*/*below* to the nearest long double, ties to even."""
    if below == 1 and above < 1 << _BITS:
        return above, 0
    e = max(above.bit_length() - below.bit_length() - _BITS, _LEAST_EXPONENT)
    while True:
        scaled, unit = (above, below << e) if e >= 0 else (above << -e, below)
        mantissa, rest = divmod(scaled, unit)
        if mantissa.bit_length() <= _BITS:
            break
        e += 1
    rest *= 2
    if rest > unit or (rest == unit and mantissa & 1):
        mantissa += 1
    return INF if mantissa.bit_length() + e > _OVERFLOW_BITS else (mantissa, e)


def add_long_doubles(a: LongDouble, b: LongDouble) -> LongDouble:
    """*a* + *b*, rounded; raises NotFinite when the sum is an infinity or not a number."""
    a_m, a_e = a
    b_m, b_e = b
    if a_e == _INFINITE or b_e == _INFINITE:
        raise NotFinite
    e = min(a_e, b_e)
    total = (a_m << a_e - e) + (b_m << b_e - e)
    magnitude = abs(total)
    rounded = _round(magnitude << e, 1) if e >= 0 else _round(magnitude, 1 << -e)
    if rounded[1] == _INFINITE:
        raise NotFinite
    return (-rounded[0], rounded[1]) if total < 0 else rounded


def format_long_double(x: LongDouble) -> bytes:
    """*x* with up to 17 decimals, no exponent, no trailing zeroes (ld2string, human mode)."""
    m, e = x
    if e == _INFINITE:
        return b"inf" if m > 0 else b"-inf"
    if e >= 0:
        return _big_text(m << e)
    scaled, unit = abs(m) * _SCALE, 1 << -e
    number, rest = divmod(scaled, unit)
    rest *= 2
    if rest > unit or (rest == unit and number & 1):
        number += 1
    whole, fraction = divmod(number, _SCALE)
    text = _big_text(whole)
    if fraction:
        text += (b".%017d" % fraction).rstrip(b"0")
    return b"-" + text if m < 0 and number else text


def long_double_add(a: bytes | bytearray, b: bytes | bytearray) -> bytes:
    """The sum of two texts as INCRBYFLOAT stores it; raises NotFloat or NotFinite."""
    return format_long_double(add_long_doubles(parse_long_double(a), parse_long_double(b)))


def _big_int(digits: bytes | bytearray) -> int:
    if len(digits) <= _CHUNK:
        return int(digits)
    return int(digits[:-_CHUNK]) * _CHUNK_POWER + int(digits[-_CHUNK:])


def _big_text(n: int) -> bytes:
    if -_CHUNK_POWER < n < _CHUNK_POWER:
        return b"%d" % n
    head, tail = divmod(abs(n), _CHUNK_POWER)
    return b"%b%d%0*d" % (b"-" if n < 0 else b"", head, _CHUNK, tail)
