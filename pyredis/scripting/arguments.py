"""What C functions of Lua's auxiliary library make of their arguments."""

from __future__ import annotations

from math import copysign
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runtime import Runtime

Args = tuple[Any, ...]

_INT64 = 2.0**63


def to_number(value: Any) -> float | None:
    """A number, or the number a string spells (lua_tonumber); None for anything else."""
    kind = value.__class__
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    if kind is bytes:
        return parse_number(value)
    return None


def parse_number(text: bytes) -> float | None:
    """The number that C's strtod reads from the whole of *text*, spaces around it aside."""
    text = text.strip(b" \t\n\v\f\r")
    try:
        return float(text) if b"_" not in text else None
    except ValueError:
        if b"x" not in text.lower() or b"_" in text:
            return None
    try:
        return float.fromhex(text.decode("ascii"))
    except (ValueError, OverflowError):
        return None


def check_number(runtime: Runtime, args: Args, n: int) -> float:
    """Argument *n* as a number (luaL_checknumber)."""
    number = to_number(args[n - 1]) if n <= len(args) else None
    if number is None:
        raise runtime.bad_type(n, b"number", args)
    return number


def check_integer(runtime: Runtime, args: Args, n: int) -> int:
    """Argument *n* cast to a 64-bit integer (luaL_checkinteger)."""
    number = check_number(runtime, args, n)
    return int(number) if -_INT64 <= number < _INT64 else -(2**63)


def check_int(runtime: Runtime, args: Args, n: int) -> int:
    """Argument *n* cast to a C int (luaL_checkint)."""
    return to_int32(check_integer(runtime, args, n))


def check_string(runtime: Runtime, args: Args, n: int) -> bytes:
    """Argument *n* as a string, which a number may stand for (luaL_checklstring)."""
    value: Any = args[n - 1] if n <= len(args) else None
    if isinstance(value, bytes):
        return value
    if value.__class__ is int or value.__class__ is float:
        return number_text(value)
    raise runtime.bad_type(n, b"string", args)


def number_text(number: float) -> bytes:
    """A number as Lua spells it."""
    if number != number and copysign(1.0, number) < 0:
        return b"-nan"
    return b"%.14g" % number


def to_int32(number: int) -> int:
    """The low 32 bits as a signed number."""
    return (number + 0x80000000 & 0xFFFFFFFF) - 0x80000000
