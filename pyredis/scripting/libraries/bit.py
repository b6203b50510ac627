"""The table ``bit``: Lua BitOp 1.0.2, signed 32-bit operations."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..arguments import Args, to_int32, to_number

if TYPE_CHECKING:
    from ..runtime import Runtime

_MASK = 0xFFFFFFFF
_EXACT = 2**51
_MAGIC = 6755399441055744.0  # 2**52 + 2**51: adding it rounds to an integer in the low bits


def bit_functions(runtime: Runtime) -> dict[bytes, Callable[..., Any]]:
    """All functions of the library."""
    fold, shift = partial(_folder, runtime), partial(_shifter, runtime)
    return {
        b"tobit": lambda *args: to_int32(_bits(runtime, args, 1)),
        b"bnot": lambda *args: to_int32(~_bits(runtime, args, 1)),
        b"band": fold(int.__and__),
        b"bor": fold(int.__or__),
        b"bxor": fold(int.__xor__),
        b"lshift": shift(lambda b, n: b << n),
        b"rshift": shift(lambda b, n: b >> n),
        b"arshift": shift(lambda b, n: to_int32(b) >> n),
        b"rol": shift(lambda b, n: b << n | b >> 32 - n),
        b"ror": shift(lambda b, n: b << 32 - n | b >> n),
        b"bswap": lambda *args: to_int32(int.from_bytes(_bits(runtime, args, 1).to_bytes(4, "little"), "big")),
        b"tohex": lambda *args: _tohex(runtime, args),
    }


def _bits(runtime: Runtime, args: Args, n: int) -> int:
    """Argument *n* as 32 unsigned bits (barg)."""
    number = to_number(args[n - 1]) if n <= len(args) else None
    if number is None:
        raise runtime.bad_type(n, b"number", args)
    if -_EXACT <= number <= _EXACT:
        return round(number) & _MASK
    return int.from_bytes(struct.pack("<d", number + _MAGIC)[:4], "little")


def _folder(runtime: Runtime, operation: Callable[[int, int], int]) -> Callable[..., int]:
    def fold(*args: Any) -> int:
        bits = _bits(runtime, args, 1)
        for n in range(len(args), 1, -1):
            bits = operation(bits, _bits(runtime, args, n))
        return to_int32(bits)

    return fold


def _shifter(runtime: Runtime, operation: Callable[[int, int], int]) -> Callable[..., int]:
    def shift(*args: Any) -> int:
        bits = _bits(runtime, args, 1)
        return to_int32(operation(bits, _bits(runtime, args, 2) & 31))

    return shift


def _tohex(runtime: Runtime, args: Args) -> bytes:
    bits = _bits(runtime, args, 1)
    digits = to_int32(_bits(runtime, args, 2)) if len(args) > 1 else 8
    form = b"%08x" if digits >= 0 else b"%08X"
    count = min(abs(digits), 8)
    return (form % bits)[8 - count :]
