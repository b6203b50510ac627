"""Replies read back as Python objects, for scripts, functions and tests.

What Python has no type for is a subclass of what it is made of: ``Status`` and ``ErrorReply`` are
bytes, a ``Map`` is a list of pairs in the order sent.  Every kind of null is None, attributes are
dropped.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import hiredis

Reply: TypeAlias = "bool | int | float | bytes | list[Reply] | list[tuple[Reply, Reply]] | None"


class Status(bytes):
    """``+OK`` without its plus."""

    __slots__ = ()


class ErrorReply(bytes):
    """``-ERR ...`` without its dash: code and message."""

    __slots__ = ()


class BigNumber(bytes):
    """The digits of an integer of any size."""

    __slots__ = ()


class Verbatim(bytes):
    """A text with its three-letter ``format``, which is not part of the bytes."""

    format: bytes = b"txt"


class Map(list[tuple["Reply", "Reply"]]):
    """Keys with values, in the order sent."""

    __slots__ = ()


class Set(list["Reply"]):
    """Distinct elements, in the order sent."""

    __slots__ = ()


class Push(list["Reply"]):
    """A message that answers no command."""

    __slots__ = ()


_BULK, _INTEGER, _STATUS, _ARRAY, _ERROR = b"$:+*-"
_NULL, _TRUTH, _DOUBLE, _MAP, _SET, _PUSH, _ATTRIBUTES, _BIG, _VERBATIM, _BULK_ERROR = b"_#,%~>|(=!"

# What hiredis would not tell apart, or not read, in a long array; bulk strings that begin like that
# only take the longer way.
_NOT_FOR_HIREDIS = re.compile(rb"\n[+\-_#,%~>|(=!]")
_LONG = 256  # bytes of a reply from which setting up hiredis pays


def parse_reply(data: bytes) -> Reply:
    """The one reply that *data* is; ValueError if it is less or more.  0.3 us for a scalar."""
    kind = data[0] if data else 0
    if kind == _BULK:
        start = data.find(b"\n") + 1
        size = int(data[1:start])
        if size < 0 and start == len(data):
            return None
        if start + size + 2 == len(data):
            return data[start:-2]
    elif kind == _INTEGER and data.find(b"\n") == len(data) - 1:
        return int(data[1:-2])
    elif kind == _ARRAY and len(data) > _LONG and _NOT_FOR_HIREDIS.search(data) is None:
        reader = hiredis.Reader()
        reader.feed(data)
        try:
            array = reader.gets()
        except hiredis.HiredisError as error:
            raise ValueError(str(error)) from error
        if type(array) is list and not reader.has_data():
            return array
    reply, end = read_reply(data, 0)
    if end != len(data):
        raise ValueError("more than one reply")
    return reply


def parse_replies(data: bytes) -> list[Reply]:
    """All replies in *data*; ValueError if the last one is incomplete."""
    replies: list[Reply] = []
    pos = 0
    while pos < len(data):
        reply, pos = read_reply(data, pos)
        replies.append(reply)
    return replies


def read_reply(data: bytes, pos: int) -> tuple[Reply, int]:
    """The reply at *pos* and where the next one begins; ValueError if it is incomplete or malformed."""
    line_end = data.find(b"\r\n", pos)
    if line_end < 0:
        raise ValueError("incomplete reply")
    kind = data[pos]
    line = data[pos + 1 : line_end]
    pos = line_end + 2
    if kind == _BULK:
        return _bulk(data, pos, int(line))
    if kind == _INTEGER:
        return int(line), pos
    if kind == _ARRAY:
        count = int(line)
        return (None, pos) if count < 0 else _elements(data, pos, count)
    scalar = _LINES.get(kind)
    if scalar is not None:
        return scalar(line), pos
    return _rare(data, pos, kind, int(line))


def _rare(data: bytes, pos: int, kind: int, count: int) -> tuple[Reply, int]:
    if kind == _MAP:
        flat, pos = _elements(data, pos, 2 * count)
        return Map(zip(flat[::2], flat[1::2], strict=True)), pos
    if kind == _SET:
        flat, pos = _elements(data, pos, count)
        return Set(flat), pos
    if kind == _PUSH:
        flat, pos = _elements(data, pos, count)
        return Push(flat), pos
    if kind == _ATTRIBUTES:
        _, pos = _elements(data, pos, 2 * count)
        return read_reply(data, pos)
    if kind not in (_VERBATIM, _BULK_ERROR):
        raise ValueError(f"unknown type of reply: {chr(kind)!r}")
    text, pos = _bulk(data, pos, count)
    if text is None:
        raise ValueError("null is no text")
    if kind == _BULK_ERROR:
        return ErrorReply(text), pos
    verbatim = Verbatim(text[4:])
    verbatim.format = text[:3]
    return verbatim, pos


def _bulk(data: bytes, pos: int, size: int) -> tuple[bytes | None, int]:
    if size < 0:
        return None, pos
    stop = pos + size
    if data[stop : stop + 2] != b"\r\n":
        raise ValueError("incomplete reply")
    return data[pos:stop], stop + 2


def _elements(data: bytes, pos: int, count: int) -> tuple[list[Reply], int]:
    elements: list[Reply] = []
    add = elements.append
    find, end = data.find, len(data)
    for _ in range(count):
        # The loop spells out bulk strings: they are what long replies are made of.
        if pos < end and data[pos] == _BULK:
            start = find(b"\n", pos) + 1
            size = int(data[pos + 1 : start])
            if size < 0:
                add(None)
                pos = start
            else:
                pos = start + size
                add(data[start:pos])
                pos += 2
        else:
            element, pos = read_reply(data, pos)
            add(element)
    if pos > end:
        raise ValueError("incomplete reply")
    return elements, pos


def _truth(line: bytes) -> bool:
    if line not in (b"t", b"f"):
        raise ValueError("neither true nor false")
    return line == b"t"


def _null(line: bytes) -> None:
    if line:
        raise ValueError("null has no content")


_LINES: dict[int, Any] = {
    _STATUS: Status,
    _ERROR: ErrorReply,
    _NULL: _null,
    _TRUTH: _truth,
    _DOUBLE: float,
    _BIG: BigNumber,
}
