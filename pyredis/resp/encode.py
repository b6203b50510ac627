"""Replies that look the same in RESP2 and RESP3.  What differs is in ``resp2`` and ``resp3``.

Functions named ``..._of`` or taking *replies* are given replies already encoded; the others take
plain values.  The choice between the equivalent spellings was measured: heads looked up in a table
beat ``%d`` by a third, and joining one flat list beats formatting element by element by half.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..errors import CommandError

CRLF = b"\r\n"
OK = b"+OK\r\n"
QUEUED = b"+QUEUED\r\n"
PONG = b"+PONG\r\n"
NULL_BULK = b"$-1\r\n"
NULL_ARRAY = b"*-1\r\n"
EMPTY_BULK = b"$0\r\n\r\n"
EMPTY_ARRAY = b"*0\r\n"
ZERO = b":0\r\n"
ONE = b":1\r\n"
MINUS_ONE = b":-1\r\n"
MINUS_TWO = b":-2\r\n"

_INTEGERS = [b":%d\r\n" % n for n in range(10_000)]
_BULK_HEADS = [b"$%d\r\n" % n for n in range(1024)]
_NEXT_HEADS = [b"\r\n" + head for head in _BULK_HEADS]
_ARRAY_HEADS = [b"*%d\r\n" % n for n in range(256)]
_FEW = 32

_NEWLINES = bytes.maketrans(b"\r\n", b"  ")


def bulk(value: bytes | bytearray) -> bytes:
    """``$length`` and *value*."""
    size = len(value)
    if size < 1024:
        return _BULK_HEADS[size] + value + CRLF
    return b"".join((b"$%d\r\n" % size, value, CRLF))


def integer(n: int) -> bytes:
    """``:n``; true and false count as 1 and 0."""
    if 0 <= n < 10_000:
        return _INTEGERS[n]
    return b":%d\r\n" % n


def simple(status: bytes) -> bytes:
    """``+status``, which must not contain a line break."""
    return b"+%b\r\n" % status


def array_header(n: int) -> bytes:
    """``*n``, for *n* replies to follow."""
    if n < 256:
        return _ARRAY_HEADS[n]
    return b"*%d\r\n" % n


def array_of(replies: Collection[bytes]) -> bytes:
    """An array of *replies*."""
    return array_header(len(replies)) + b"".join(replies)


def array_of_bulks(values: Collection[bytes | bytearray]) -> bytes:
    """An array of bulk strings; the whole of LRANGE, KEYS, SMEMBERS in RESP2.  50 ns per value."""
    count = len(values)
    try:
        if count < _FEW:
            parts: list[bytes | bytearray] = [b"*%d" % count]
            add = parts.append
            for value in values:
                add(_NEXT_HEADS[len(value)])
                add(value)
            add(CRLF)
        else:
            parts = [CRLF] * (2 * count + 2)
            parts[0] = b"*%d" % count
            parts[1:-1:2] = [_NEXT_HEADS[len(value)] for value in values]
            parts[2::2] = values
    except IndexError:  # a value too long for the table of heads
        return b"*%d\r\n%b" % (count, bulks(values))
    return b"".join(parts)


def command(argv: Sequence[bytes]) -> bytes:
    """*argv* as a client would send it, for AOF, replicas and MIGRATE.  270 ns for three words, 450 for others."""
    if len(argv) == 3:  # SET, LPUSH, SADD, PEXPIREAT ...
        one, two, three = argv
        try:
            heads = _NEXT_HEADS[len(one)], _NEXT_HEADS[len(two)], _NEXT_HEADS[len(three)]
        except IndexError:  # a value too long for the table of heads
            return b"*3\r\n%b" % bulks(argv)
        return b"".join((b"*3", heads[0], one, heads[1], two, heads[2], three, CRLF))
    return array_of_bulks(argv)


def stream(entries: Sequence[tuple[object, int, Sequence[bytes]]], selected: int) -> tuple[bytes, int]:
    """The commands of *entries* (anything, database, argv) in a row, and the database selected at their end.

    SELECT stands before a command whose database is not *selected* by then; -1 fits any.  290 ns for three words, of
    which a frame of ``command`` would be another 80.
    """
    parts: list[bytes] = []
    heads = _NEXT_HEADS
    for _, index, argv in entries:
        if index != selected and index >= 0:
            parts.append(command((b"SELECT", b"%d" % index)))
            selected = index
        if len(argv) == 3:
            one, two, three = argv
            try:
                parts += (b"*3", heads[len(one)], one, heads[len(two)], two, heads[len(three)], three, CRLF)
            except IndexError:
                parts.append(command(argv))
        else:
            parts.append(array_of_bulks(argv))
    return b"".join(parts), selected


def array_of_optional_bulks(values: Collection[bytes | bytearray | None], null: bytes) -> bytes:
    """An array of bulk strings with *null* (``wire.null``) for None, as MGET and HMGET answer."""
    return array_header(len(values)) + b"".join([null if value is None else bulk(value) for value in values])


def array_of_integers(numbers: Collection[int]) -> bytes:
    """An array of integers."""
    return array_header(len(numbers)) + b"".join([b":%d\r\n" % n for n in numbers])


def bulks(values: Iterable[bytes | bytearray]) -> bytes:
    """Bulk strings one after the other, without a header; also how a command is written to AOF."""
    parts: list[bytes | bytearray] = []
    add = parts.append
    for value in values:
        add(b"$%d\r\n" % len(value))
        add(value)
        add(CRLF)
    return b"".join(parts)


def encode_error(error: CommandError) -> bytes:
    """``-CODE message`` on one line: outer line breaks go, inner ones become spaces."""
    line = error.text.encode("utf-8", "surrogateescape")
    return b"-%b\r\n" % line.strip(CRLF).translate(_NEWLINES)
