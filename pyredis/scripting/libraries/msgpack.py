"""Floating-point numbers for ``lua/cmsgpack.lua``."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

_FLOAT, _DOUBLE = struct.Struct(">f"), struct.Struct(">d")


def pack_double(number: float) -> bytes:
    """*number* in five bytes if that is exact, else in nine (mp_encode_double)."""
    try:
        short = _FLOAT.pack(number)
    except OverflowError:
        return b"\xcb" + _DOUBLE.pack(number)
    if _FLOAT.unpack(short)[0] == number:
        return b"\xca" + short
    return b"\xcb" + _DOUBLE.pack(number)


def msgpack_functions() -> dict[bytes, Callable[..., Any]]:
    """The functions under the names the Lua chunk knows."""
    return {
        b"pack_double": pack_double,
        b"unpack_float": lambda data: _FLOAT.unpack(data)[0],
        b"unpack_double": lambda data: _DOUBLE.unpack(data)[0],
    }
