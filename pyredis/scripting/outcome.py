"""What the client is told of a script that failed (luaCallFunction)."""

from __future__ import annotations

from typing import Any

from .arguments import number_text

_LONGEST_MESSAGE = 100


def failure_line(result: tuple[Any, ...], name: bytes) -> bytes:
    """The error reply, without its dash, for an error *result* of ``Runtime.run``; *name* as in SCRIPT KILL's log."""
    counted, message = result[1], result[2]
    if counted is None:  # not a table: raised without memory, or by the handler itself
        short = (message or b"execution failure").partition(b"\0")[0][:_LONGEST_MESSAGE]
        return b"ERR Error running script %b, %b" % (name, short)
    text = _text(message)
    line = b"ERR unknown error" if text is None else text
    if len(result) > 4:
        source, at = _text(result[3]), _text(result[4])
        if source is not None and at is not None:
            line = b"%b script: %b, on %b:%b." % (line, name, source, at)
    return line


def _text(value: Any) -> bytes | None:
    """A string, or a number as Lua spells it, up to its first NUL; None for anything else."""
    kind = value.__class__
    if kind is bytes:
        text: bytes = value
        return text.partition(b"\0")[0]
    if kind is int or kind is float:
        return number_text(value)
    return None
