"""Edits of compiled Lua functions, for the sake of the positions in error messages.

``return cjson.decode(text)`` is a tail call.  Of a C function, as in Redis, it leaves the script's frame
on the stack, and errors name its line.  Of a Lua function, as many library functions are here, it does
not.  So in scripts that do such a thing (``untail``) the bytecode of such calls is turned into that of
plain calls; calls of the script's own functions stay what they are, for they may recurse for ever.

And functions written in Lua that stand for C functions must have no lines (``strip``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

_SUSPICIOUS = re.compile(
    rb"\breturn\s*\(*\s*(?:(?:cjson|cmsgpack|redis|table|coroutine|string)\s*[.\[]"
    rb"|(?:next|pairs|rawget|rawset|setmetatable|getfenv|setfenv|loadstring|load"
    rb"|pcall|xpcall|collectgarbage|newproxy)\b)"
)

# Little-endian, 4-byte int, 8-byte size_t, 4-byte instructions, doubles: where lupa's wheels run.
_HEADER = b"\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00"
_GETGLOBAL, _GETTABLE, _CALL, _TAILCALL = 5, 6, 28, 29
_LIBRARIES = {b"cjson", b"cmsgpack", b"redis", b"table", b"coroutine", b"string"}
_CONSTANT = 1 << 8  # in an operand: a constant, not a register

_INT, _SIZE = struct.Struct("<i"), struct.Struct("<Q")
_NOTHING = bytes(12)  # no line numbers, no local variables, no names of upvalues


def untail(source: bytes, dump: Callable[[], bytes]) -> bytes | None:
    """Bytecode for a script that tail-calls library functions, None if *source* does not look like it.

    *dump* makes the bytecode of the compiled script.
    """
    if _SUSPICIOUS.search(source) is None:
        return None
    bytecode = dump()
    if not bytecode.startswith(_HEADER):
        return None
    editor = _Editor(bytecode)
    editor.function(len(_HEADER))
    return bytes(editor.code) if editor.patched else None


def strip(bytecode: bytes) -> bytes:
    """*bytecode* without debug information; unchanged if it is of a foreign kind."""
    if not bytecode.startswith(_HEADER):
        return bytecode
    editor = _Editor(bytecode)
    editor.function(len(_HEADER))
    code = editor.code
    for start, end in reversed(editor.debug_areas):
        code[start:end] = _NOTHING
    return bytes(code)


class _Editor:
    """Walks through dumped functions (ldump.c), patches tail calls, remembers debug information."""

    __slots__ = ("code", "debug_areas", "patched")

    def __init__(self, bytecode: bytes) -> None:
        self.code = bytearray(bytecode)
        self.patched = False
        self.debug_areas: list[tuple[int, int]] = []

    def function(self, pos: int) -> int:
        """Edit the function at *pos*; the position behind it."""
        pos = self.string(pos)[1] + 12  # source; first and last line, four bytes
        instructions = pos + 4
        count = self.number(pos)
        constants, pos = self.constants(instructions + 4 * count)
        self.patch(instructions, count, constants)
        inner, pos = self.number(pos), pos + 4
        for _ in range(inner):
            pos = self.function(pos)
        end = self.debug(pos)
        self.debug_areas.append((pos, end))
        return end

    def number(self, pos: int) -> int:
        value: int = _INT.unpack_from(self.code, pos)[0]
        return value

    def string(self, pos: int) -> tuple[bytes, int]:
        size: int = _SIZE.unpack_from(self.code, pos)[0]
        return bytes(self.code[pos + 8 : pos + 8 + size - 1]) if size else b"", pos + 8 + size

    def constants(self, pos: int) -> tuple[list[bytes | None], int]:
        """String constants, None for others."""
        count, pos = self.number(pos), pos + 4
        constants: list[bytes | None] = []
        for _ in range(count):
            kind = self.code[pos]
            pos += 1
            text = None
            if kind == 4:
                text, pos = self.string(pos)
            else:
                pos += {0: 0, 1: 1, 3: 8}[kind]
            constants.append(text)
        return constants, pos

    def debug(self, pos: int) -> int:
        """The end of line numbers, local variables and names of upvalues."""
        pos += 4 + 4 * self.number(pos)
        count, pos = self.number(pos), pos + 4
        for _ in range(count):
            pos = self.string(pos)[1] + 8
        count, pos = self.number(pos), pos + 4
        for _ in range(count):
            pos = self.string(pos)[1]
        return pos

    def patch(self, start: int, count: int, constants: list[bytes | None]) -> None:
        """Turn tail calls of library functions into calls that return all results."""
        words = list(struct.unpack_from(f"<{count}I", self.code, start))
        for index, word in enumerate(words):
            if word & 63 == _TAILCALL and _calls_library(words, index, constants):
                struct.pack_into("<I", self.code, start + 4 * index, word - _TAILCALL + _CALL)
                self.patched = True


def _calls_library(words: list[int], index: int, constants: list[bytes | None]) -> bool:
    """Whether the function that the call at *index* finds in its register came out of a global table."""
    register = words[index] >> 6 & 255
    for at in range(index - 1, -1, -1):
        word = words[at]
        if word >> 6 & 255 != register:
            continue
        operation = word & 63
        if operation == _GETGLOBAL:
            return True  # globals are read-only: no function of the script's
        if operation != _GETTABLE or not word >> 14 & _CONSTANT:
            return False
        before = words[at - 1] if at else 0
        return before & 63 == _GETGLOBAL and before >> 6 & 255 == word >> 23 and constants[before >> 14] in _LIBRARIES
    return False
