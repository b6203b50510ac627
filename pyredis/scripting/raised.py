"""Errors that functions written in Python raise into Lua."""

from __future__ import annotations


class LuaRaised(Exception):
    """Becomes a Lua value once a script catches it: a string or a table with a field ``err``."""

    def __init__(self, message: bytes, *, is_table: bool = False, counted: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_table = is_table
        self.counted = counted
        """Statistics know this error already (ignore_error_stats_update)."""


def error_table(text: bytes) -> LuaRaised:
    """``{err = "ERR text"}`` (luaPushError)."""
    return LuaRaised(b"ERR " + text, is_table=True)


def error_reply(line: bytes) -> LuaRaised:
    """The error reply ``CODE text`` of a command; without a space the code is ERR (luaPushErrorBuff)."""
    return LuaRaised(error_text(line), is_table=True, counted=True)


def error_text(line: bytes) -> bytes:
    """*line* with a code in front."""
    line = line.partition(b"\0")[0]
    if b" " not in line:
        return b"ERR " + line
    code, _, message = line.partition(b" ")
    return b"%b %b" % (code, message.strip(b"\r\n"))
