"""The digits Redis prints for a double: Grisu2, as the fpconv library it links does.

Grisu2 always reads back as the same double, but for about one value in a thousand its digits are
not the shortest ones ``repr`` finds, so equality to the byte takes the same algorithm (Loitsch,
"Printing floating-point numbers quickly and accurately with integers").
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import frexp

_FIRST_POWER, _POWER_STEP, _POWERS = -348, 8, 87
_LEAST_EXPONENT, _MOST_EXPONENT = -60, -32
_HIDDEN_BIT = 1 << 52
_DENORMAL = -1074
_HALF = 1 << 63


@lru_cache(maxsize=4096)
def shortest(x: float) -> bytes:
    """*x*, finite and not zero, as fpconv_dtoa writes it (``0.1``, ``1e+21``, ``-1.5e-7``)."""
    digits, k = _digits(abs(x))
    return b"-" + _layout(digits, k) if x < 0 else _layout(digits, k)


def _digits(x: float) -> tuple[bytes, int]:
    """Decimal digits and power of ten of their last one."""
    fraction, e = frexp(x)
    m, e = int(fraction * (1 << 53)), e - 53
    if e < _DENORMAL:
        m, e = m >> _DENORMAL - e, _DENORMAL

    upper, upper_e = 2 * m + 1, e - 1
    shift = 64 - upper.bit_length()
    upper, upper_e = upper << shift, upper_e - shift
    lower_shift = 2 if m == _HIDDEN_BIT else 1
    lower = (m << lower_shift) - 1 << e - lower_shift - upper_e
    middle = m << 64 - m.bit_length()

    power, power_e, k = _cached_power(upper_e)
    middle = middle * power + _HALF >> 64
    upper = (upper * power + _HALF >> 64) - 1
    lower = (lower * power + _HALF >> 64) + 1
    return _generate(upper, upper - lower, upper - middle, -(upper_e + power_e + 64), x, -k)


def _generate(upper: int, delta: int, distance: int, point: int, x: float, k: int) -> tuple[bytes, int]:
    """The fewest leading digits of *upper* that stay within *delta* of it, moved towards *x*.

    The three are fixed-point numbers with *point* fractional bits.  The number of digits ``repr``
    needs is the first guess, almost always right.
    """
    needed = len(repr(x).partition("e")[0].replace(".", "").strip("0"))
    kappa = len(str(upper >> point)) - needed
    while _remainder(upper, delta, kappa + 1, point) is not None:
        kappa += 1
    while (rest := _remainder(upper, delta, kappa, point)) is None:
        kappa -= 1

    if kappa >= 0:
        unit = 10**kappa << point
        number = upper // unit
    else:
        scale = 10**-kappa
        unit = 1 << point
        number = upper * scale >> point
        delta, distance = delta * scale, distance * scale
    while (
        rest < distance
        and delta - rest >= unit
        and (rest + unit < distance or distance - rest > rest + unit - distance)
    ):
        number -= 1
        rest += unit
    return b"%d" % number, k + kappa


def _remainder(upper: int, delta: int, kappa: int, point: int) -> int | None:
    """What is left of *upper* below its digit for 10**kappa, scaled, or None if more than *delta*."""
    if kappa >= 0:
        rest = upper % (10**kappa << point)
        return rest if rest <= delta else None
    scale = 10**-kappa
    rest = upper * scale & (1 << point) - 1
    return rest if rest < delta * scale else None


def _layout(digits: bytes, k: int) -> bytes:
    """*digits* times 10**k: plain, with a point, or scientific, by fpconv's rules."""
    count = len(digits)
    exponent = k + count - 1
    if k >= 0 and exponent < count + 7:
        return digits + b"0" * k
    if k < 0 and (k > -7 or abs(exponent) < 4):
        whole = count + k
        if whole <= 0:
            return b"0." + b"0" * -whole + digits
        return b"%b.%b" % (digits[:whole], digits[whole:])
    mantissa = b"%b.%b" % (digits[:1], digits[1:]) if count > 1 else digits
    return b"%be%+d" % (mantissa, exponent)


@cache
def _cached_power(exponent: int) -> tuple[int, int, int]:
    """A power of ten that brings 2**exponent into range: mantissa, binary and decimal exponent."""
    # Truncated, as C converts to int: two powers may fit, and the first one tried wins.
    index = int((int(-(exponent + _POWERS) * 0.30102999566398114) - _FIRST_POWER) / _POWER_STEP)
    while True:
        k = _FIRST_POWER + index * _POWER_STEP
        mantissa, power_e = _power_of_ten(k)
        current = exponent + power_e + 64
        if current < _LEAST_EXPONENT:
            index += 1
        elif current > _MOST_EXPONENT:
            index -= 1
        else:
            return mantissa, power_e, k


def _power_of_ten(k: int) -> tuple[int, int]:
    """10**k as a rounded 64-bit mantissa and a binary exponent."""
    above, below = (10**k, 1) if k >= 0 else (1, 10**-k)
    e = above.bit_length() - below.bit_length() - 64
    while True:
        scaled, unit = (above, below << e) if e >= 0 else (above << -e, below)
        mantissa = (2 * scaled + unit) // (2 * unit)
        if mantissa.bit_length() == 64:
            return mantissa, e
        e += 1
