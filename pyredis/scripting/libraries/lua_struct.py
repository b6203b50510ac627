"""The table ``struct``: Roberto Ierusalimschy's library as Redis bundles it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import copysign, inf
from typing import TYPE_CHECKING, Any

from ..arguments import Args, check_integer, check_number, check_string, to_number

if TYPE_CHECKING:
    from ..runtime import Runtime

_MOST_INT = 2**31 - 1
_MOST_SIZE = 32
_MAX_ALIGN = 8
_MOST_RESULTS = 7990
_UINT64 = 2**64 - 1

_SIZES = {
    b"b": 1, b"B": 1, b"h": 2, b"H": 2, b"l": 8, b"L": 8, b"T": 8, b"f": 4, b"d": 8, b"x": 1,
}  # fmt: skip
_INTEGERS = b"bBhHlLTiI"
_DIGITS = b"0123456789"


class Format:
    """A format string being read: endianness, alignment, and one option after the other."""

    __slots__ = ("align", "big", "end", "pos", "runtime", "text")

    def __init__(self, runtime: Runtime, text: bytes) -> None:
        self.runtime = runtime
        self.text = text
        self.pos = 0
        self.end = (text + b"\0").index(b"\0")
        self.big = False
        self.align = 1

    def next(self) -> tuple[bytes, int] | None:
        """The next option and the size that comes with it (optsize); None at the end."""
        if self.pos == self.end:
            return None
        option = self.text[self.pos : self.pos + 1]
        self.pos += 1
        if option == b"c":
            return option, self.number(1)
        if option in b"iI":
            size = self.number(4)
            if size > _MOST_SIZE:
                raise self.runtime.library_error(b"integral size %d is larger than limit of %d" % (size, _MOST_SIZE))
            return option, size
        return option, _SIZES.get(option, 0)

    def number(self, default: int) -> int:
        """The digits at the current position (getnum)."""
        start = self.pos
        number = 0
        while self.pos < self.end and self.text[self.pos] in _DIGITS:
            number = 10 * number + self.text[self.pos] - 48
            if number > _MOST_INT:
                raise self.runtime.library_error(b"integral size overflow")
            self.pos += 1
        return number if self.pos > start else default

    def padding(self, offset: int, option: bytes, size: int) -> int:
        """Bytes to skip at *offset* so that the option is aligned (gettoalign)."""
        if size == 0 or option == b"c":
            return 0
        size = min(size, self.align)
        return (size - (offset & (size - 1))) & (size - 1)

    def control(self, option: bytes) -> None:
        """Obey an option that stands for no data (controloptions)."""
        if option == b">":
            self.big = True
        elif option == b"<":
            self.big = False
        elif option == b"!":
            align = self.number(_MAX_ALIGN)
            if align <= 0 or align & (align - 1):
                raise self.runtime.library_error(b"alignment %d is not a power of 2" % align)
            self.align = align
        elif option != b" ":
            raise self.runtime.bad_argument(1, b"invalid format option '%b'" % option)


def struct_functions(runtime: Runtime) -> dict[bytes, Callable[..., Any]]:
    """All functions of the library."""
    return {
        b"pack": lambda *args: _pack(runtime, args),
        b"unpack": lambda *args: _unpack(runtime, args),
        b"size": lambda *args: _size(runtime, args),
    }


def _pack(runtime: Runtime, args: Args) -> bytes:
    form = Format(runtime, check_string(runtime, args, 1))
    args = (*args, None)  # the library puts a nil behind the arguments, and finds it there
    out = bytearray()
    arg = 2
    while (item := form.next()) is not None:
        option, size = item
        out += bytes(form.padding(len(out), option, size))
        if option in _INTEGERS:
            value = _to_uint64(check_number(runtime, args, arg)) & (1 << 8 * size) - 1
            out += value.to_bytes(size, "big" if form.big else "little")
        elif option == b"x":
            out.append(0)
        elif option in b"fd":
            out += _pack_float(check_number(runtime, args, arg), option, form.big)
        elif option in b"cs":
            text = check_string(runtime, args, arg)
            if len(text) < size:
                raise runtime.bad_argument(arg + 1, b"string too short")
            out += text[:size] if size else text
            if option == b"s":
                out.append(0)
        else:
            form.control(option)
            continue
        if option != b"x":
            arg += 1
    return bytes(out)


def _pack_float(number: float, option: bytes, big: bool) -> bytes:
    form = (">" if big else "<") + option.decode()
    try:
        return struct.pack(form, number)
    except OverflowError:
        return struct.pack(form, copysign(inf, number))


def _to_uint64(number: float) -> int:
    """*number* cast to a C long if negative, else to an unsigned long, as x86-64 does it."""
    if number != number:
        return 1 << 63
    if number < 0:
        return int(max(number, -(2.0**63))) & _UINT64
    return int(number) if number < 2.0**64 else 0


def _unpack(runtime: Runtime, args: Args) -> tuple[Any, ...]:
    form = Format(runtime, check_string(runtime, args, 1))
    data = check_string(runtime, args, 2)
    pos = check_integer(runtime, args, 3) if len(args) > 2 and args[2] is not None else 1
    if pos == 0:
        raise runtime.bad_argument(3, b"offset must be 1 or greater")
    pos = (pos & _UINT64) - 1
    results: list[Any] = []
    while (item := form.next()) is not None:
        option, size = item
        pos += form.padding(pos, option, size)
        _check_length(runtime, data, pos, size)
        if len(results) > _MOST_RESULTS:
            raise runtime.library_error(b"stack overflow (too many results)")
        if option in _INTEGERS:
            results.append(_integer(data[pos : pos + size], form.big, option.islower()))
        elif option in b"fd":
            results.append(struct.unpack_from((">" if form.big else "<") + option.decode(), data, pos)[0])
        elif option == b"c":
            if size == 0:
                size = _previous_size(runtime, results)
                _check_length(runtime, data, pos, size)
            results.append(data[pos : pos + size])
        elif option == b"s":
            end = data.find(b"\0", pos)
            if end < 0:
                raise runtime.library_error(b"unfinished string in data")
            results.append(data[pos:end])
            size = end + 1 - pos
        elif option != b"x":
            form.control(option)
        pos += size
    return (*results, pos + 1 if pos < 2**63 - 1 else pos + 1 - 2**64)


def _check_length(runtime: Runtime, data: bytes, pos: int, size: int) -> None:
    if size > len(data) or pos > len(data) - size:
        raise runtime.bad_argument(2, b"data string too short")


def _previous_size(runtime: Runtime, results: list[Any]) -> int:
    """What ``c0`` takes as its size: the result before it, which is none any more."""
    number = to_number(results[-1]) if results else None
    if number is None:
        raise runtime.library_error(b"format 'c0' needs a previous size")
    results.pop()
    return _to_uint64(number)


def _integer(data: bytes, big: bool, signed: bool) -> float:
    """An integer of any size, of which 64 bits count (getinteger)."""
    size = len(data)
    value = int.from_bytes(data, "big" if big else "little") & _UINT64
    if signed:
        mask = -1 << (8 * size - 1 & 63) & _UINT64  # the shift x86-64 makes of 64 bits and more
        if value & mask:
            value |= mask
        return value - (1 << 64) if value >> 63 else value
    return value if value >> 63 == 0 else float(value)


def _size(runtime: Runtime, args: Args) -> int:
    form = Format(runtime, check_string(runtime, args, 1))
    pos = 0
    while (item := form.next()) is not None:
        option, size = item
        pos += form.padding(pos, option, size)
        if option == b"s":
            raise runtime.bad_argument(1, b"option 's' has no fixed size")
        if option == b"c" and size == 0:
            raise runtime.bad_argument(1, b"option 'c0' has no fixed size")
        if not option.isalnum():
            form.control(option)
        pos += size
    return pos
