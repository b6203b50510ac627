"""Requests read exactly as Redis reads them (networking.c: processInlineBuffer, processMultibulkBuffer).

Pure Python, one command per call, O(new bytes) per chunk.  ``parser.RequestParser`` adds hiredis for
the common case; this class alone is for those who must know how many bytes each command took.

What looks loose is Redis's looseness: the two bytes after a bulk string and the one after ``\\r`` are
not looked at, a NUL hides the line end behind it, and most mistakes are noticed only once the line
they are in is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from ..errors import ProtocolError
from ..util.numbers import parse_int_or_none
from ..util.quoting import split_args

Request = list[bytes] | None | Literal[False]
"""One argv; an empty list or None for input that asks nothing; False when more input is needed."""

DEFAULT_MAX_BULK = 512 * 1024 * 1024
_LONGEST_LINE = 64 * 1024  # PROTO_INLINE_MAX_SIZE
_INT_MAX = 2**31 - 1
_MOST_UNAUTHENTICATED_ARGS = 10
_LONGEST_UNAUTHENTICATED_BULK = 16384
_COALESCED = 16 * 1024

_ASTERISK: Final = 42
_DOLLAR: Final = 36
_COUNTS = {b"*%d\r\n" % n: n for n in range(1, 256)}
_SIZES = {b"$%d\r\n" % n: n for n in range(1024)}


class StrictParser:
    """Cuts a stream of bytes into commands.  ``feed`` it, then call ``next`` until it is False.

    ``authenticated`` and ``max_bulk`` (proto-max-bulk-len) are looked at with every header, so they
    may change between two commands of one chunk.  After a ProtocolError nothing more comes out.
    """

    __slots__ = (
        "_argv",
        "_data",
        "_missing",
        "_pieces",
        "_pos",
        "_remaining",
        "authenticated",
        "consumed",
        "failed",
        "idle",
        "largest",
        "max_bulk",
    )

    def __init__(self, *, authenticated: bool = True, max_bulk: int = DEFAULT_MAX_BULK) -> None:
        self.authenticated = authenticated
        self.max_bulk = max_bulk
        self.consumed = 0
        """Bytes of the complete commands returned so far."""
        self.failed = False
        self.idle = True
        """Nothing is buffered: the next byte begins a command."""
        self.largest = 0
        """The longest bulk that came in pieces; whoever watches peaks resets it."""
        self._data = b""
        self._pos = 0
        self._argv: list[bytes] = []
        self._remaining = 0  # arguments still to come of the command in argv
        self._missing = 0  # bytes still to come of the bulk in pieces, its CRLF included
        self._pieces: list[bytes | bytearray] = []

    @property
    def pending(self) -> int:
        """Bytes received but not yet part of an argument."""
        return len(self._data) - self._pos + sum(map(len, self._pieces))

    @property
    def unfinished(self) -> int:
        """Bytes received of the command that is not complete, if its lengths are written as usual.  O(arguments)"""
        size = self.pending
        if self._remaining:
            argv = self._argv
            size += len(b"*%d\r\n" % (len(argv) + self._remaining))
            size += sum([len(argument) + len(b"$%d\r\n\r\n" % len(argument)) for argument in argv])
        if self._missing:
            size += len(b"$%d\r\n" % (sum(map(len, self._pieces)) + self._missing - 2))
        return size

    @property
    def gathered(self) -> int:
        """Bytes of the complete arguments of a command that is not complete.  O(arguments)"""
        return sum(map(len, self._argv))

    def peek(self, count: int) -> bytes:
        """Up to *count* bytes from the start of what is pending."""
        return (b"".join(self._pieces) + self._data[self._pos : self._pos + count])[:count]

    def feed(self, data: bytes) -> Callable[[], Request]:
        """Append *data*; the result is to be called until it returns False."""
        self._append(data)
        return self.next

    def _append(self, data: bytes) -> None:
        if self.failed or not data:
            return
        self.idle = False
        self._data = self._data[self._pos :] + data if self._pos < len(self._data) else data
        self._pos = 0

    def next(self) -> Request:
        """The next command if it is complete, else False; raises ProtocolError."""
        data, pos = self._data, self._pos
        if not self._remaining:
            if pos == len(data):
                self._data, self._pos = b"", 0
                return False
            if data[pos] != _ASTERISK:
                return self._inline()
            line_end = data.find(b"\r", pos) + 2
            count = _COUNTS.get(data[pos:line_end])
            if count is None or (count > _MOST_UNAUTHENTICATED_ARGS and not self.authenticated):
                count = self._count(line_end)
                if count < 0:
                    return False
                if count == 0:
                    self._settle(line_end)
                    return []
            self.consumed += line_end - pos
            self._pos = pos = line_end
            self._remaining = count
            self._argv = []
        elif self._missing and not self._complete_bulk():
            return False
        return self._arguments()

    def _arguments(self) -> list[bytes] | Literal[False]:
        """Collect the arguments of the command whose header has been read."""
        data, pos, argv, remaining = self._data, self._pos, self._argv, self._remaining
        find, known, add, end = data.find, _SIZES.get, argv.append, len(data)
        while remaining:
            start = find(b"\r", pos) + 2
            size = known(data[pos:start])
            if size is None:
                self.consumed += pos - self._pos
                self._pos, self._remaining = pos, remaining
                size = self._size(start)
                if size < 0:
                    return False
            stop = start + size
            if stop + 2 > end:
                self._begin_bulk(start, stop + 2 - end, remaining)
                return False
            add(data[start:stop])
            pos = stop + 2
            remaining -= 1
        self._remaining = 0
        self._argv = []
        self._settle(pos)
        return argv

    def _settle(self, pos: int) -> None:
        """A command ended at *pos*."""
        self.consumed += pos - self._pos
        if pos == len(self._data):
            self.idle = True
            self._data, self._pos = b"", 0
        else:
            self._pos = pos

    def _begin_bulk(self, start: int, missing: int, remaining: int) -> None:
        """Set aside the incomplete bulk at *start*, so that it is not scanned or copied again."""
        self.consumed += len(self._data) - self._pos
        self._remaining = remaining
        self._missing = missing
        self.largest = max(self.largest, len(self._data) - start + missing)
        if start < len(self._data):
            self._pieces.append(self._data[start:])
        self._data, self._pos = b"", 0

    def _complete_bulk(self) -> bool:
        """Add what arrived to the bulk set aside; True when that completed it."""
        data, missing, pieces = self._data, self._missing, self._pieces
        if len(data) < missing:
            self._missing = missing - len(data)
            self.consumed += len(data)
            self._data = b""
            if len(data) >= _COALESCED:
                pieces.append(data)
            elif pieces and type(pieces[-1]) is bytearray:
                pieces[-1] += data
            elif data:
                pieces.append(bytearray(data))
            return False
        if missing > 1:
            pieces.append(data[: missing - 2])
        else:  # the first byte of the CRLF came with the piece before
            pieces[-1] = pieces[-1][:-1]
        self._argv.append(b"".join(pieces))
        self._pieces = []
        self._missing = 0
        self._remaining -= 1
        self.consumed += missing
        self._pos = missing
        return True

    def _count(self, line_end: int) -> int:
        """The number in an unusual ``*`` line up to *line_end*: -1 to wait for more, 0 to ignore."""
        text = self._header(line_end, "too big mbulk count string")
        if text is None:
            return -1
        count = parse_int_or_none(text)
        if count is None or count > _INT_MAX:
            raise self._error("invalid multibulk length")
        if count > _MOST_UNAUTHENTICATED_ARGS and not self.authenticated:
            raise self._error("unauthenticated multibulk length")
        return max(count, 0)

    def _size(self, line_end: int) -> int:
        """The number in an unusual ``$`` line up to *line_end*: -1 to wait for more."""
        text = self._header(line_end, "too big bulk count string")
        if text is None:
            return -1
        first = self._data[self._pos : self._pos + 1]
        if first != b"$":
            raise self._error(f"expected '$', got '{first.decode('utf-8', 'surrogateescape')}'")
        size = parse_int_or_none(text)
        if size is None or not 0 <= size <= self.max_bulk:
            raise self._error("invalid bulk length")
        if size > _LONGEST_UNAUTHENTICATED_BULK and not self.authenticated:
            raise self._error("unauthenticated bulk length")
        return size

    def _header(self, line_end: int, too_long: str) -> bytes | None:
        """The line before *line_end* (1 if there is none) without its type, None while incomplete."""
        data, pos = self._data, self._pos
        if line_end == 1 or data.find(b"\0", pos, line_end - 2) >= 0:
            if len(data) - pos > _LONGEST_LINE:
                raise self._error(too_long)
            return None
        if line_end > len(data):
            return None
        return data[pos + 1 : line_end - 2]

    def _inline(self) -> list[bytes] | Literal[False]:
        data, pos = self._data, self._pos
        newline = data.find(b"\n", pos)
        if newline < 0 or data.find(b"\0", pos, newline) >= 0:
            if len(data) - pos > _LONGEST_LINE:
                raise self._error("too big inline request")
            return False
        stop = newline - 1 if newline > pos and data[newline - 1] == 13 else newline
        argv = split_args(data[pos:stop])
        if argv is None:
            raise self._error("unbalanced quotes in request")
        self._settle(newline + 1)
        return argv

    def _error(self, reason: str) -> ProtocolError:
        self.failed = True
        self.idle = False
        self._data, self._pos = b"", 0
        self._argv, self._pieces = [], []
        self._remaining = self._missing = 0
        return ProtocolError(reason)
