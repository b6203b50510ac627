"""Requests at the speed of hiredis, with the rules of Redis.

hiredis reads replies, and its idea of a request is too generous: it takes integers, nulls and nested
arrays inside a command, waits for any length, and gives up for good at the first inline command.  So
what it makes of the input counts only where it is what Redis would make of it.  For chunks of commands
with few and short arguments one regular expression knows beforehand, in 40 ns per argument, less than
any search for the ways to be wrong; hiredis itself needs 25.  Other commands are compared with the input
afterwards, in 300 ns and 40 per argument.  Whatever is left goes to the parser in Python, which needs
200 per argument: inline commands, mistakes, and commands that several chunks bring.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import hiredis

from .strict import _ASTERISK, DEFAULT_MAX_BULK, Request, StrictParser

_LONGEST = 40  # bytes of a short argument: each one more costs 60 us at import
_SPELLED_OUT = 3  # commands of so many arguments match a fifth faster than by a counted repeat
_FEW = 5
# Before Python 3.11.5 a possessive repeat of a group with branches keeps what its last, failed turn had matched.
_POSSESSIVE = b"+" if re.match(rb"(?:a(?:bc|d))*+", b"ab").end() == 0 else b""  # type: ignore[union-attr]
_MOST_ARGUMENTS = 1024 * 1024


def _short_argument(byte: bytes) -> bytes:
    """A pattern for any bulk of at most ``_LONGEST`` bytes: its length picks the branch."""
    branches = [rb"0\r\n"]
    for tens in range(1, 10):
        sizes = [tens, *(size for size in range(10 * tens, 10 * tens + 10) if size <= _LONGEST)]
        tails = [b"%b\r\n%b{%d}+" % ((b"%d" % size)[1:], byte, size) for size in sizes]
        branches.append(b"%d(?:%b)" % (tens, b"|".join(tails)))
    return rb"\$(?:%b)\r\n" % b"|".join(branches)


def _few_short_arguments() -> re.Pattern[bytes]:
    """Any number of commands of at most ``_FEW`` short arguments."""
    argument = _short_argument(b".")
    commands = [
        b"%d\r\n%b" % (n, argument * n if n <= _SPELLED_OUT else b"(?:%b){%d}" % (argument, n) + _POSSESSIVE)
        for n in range(1, _FEW + 1)
    ]
    return re.compile(rb"(?:\*(?:%b))*" % b"|".join(commands) + _POSSESSIVE, re.DOTALL)


# Never None: no command at all matches too.
_match_few_short = cast("Callable[..., re.Match[bytes]]", _few_short_arguments().match)


_DOLLAR = 36
_HEADERS = tuple(b"*%d\r\n" % count for count in range(256))
# What a bulk of so many bytes takes on the wire, its header included.
_WIRE_SIZES = tuple(len(b"$%d\r\n" % size) + size + 2 for size in range(1024))


def _verified_end(data: bytes, pos: int, argv: Request, max_bulk: int) -> int:
    """Where the command *argv*, which hiredis found at *pos*, ends in *data*; 0 if Redis may not see it there.

    Every argument must be a bulk.  That of the first is known to begin behind the header, so a dollar there
    makes it one; its length tells where the second begins, and so on.
    """
    if type(argv) is not list or not 0 < len(argv) <= _MOST_ARGUMENTS:
        return 0
    count = len(argv)
    header = _HEADERS[count] if count < 256 else b"*%d\r\n" % count
    if not data.startswith(header, pos):
        return 0
    pos += len(header)
    for argument in argv:
        if data[pos] != _DOLLAR or argument is None:
            return 0
        size = len(argument)
        if size < 1024:
            pos += _WIRE_SIZES[size]
        elif size <= max_bulk:
            pos += len(b"$%d" % size) + size + 4
        else:
            return 0
    return pos


_find_big_count = re.compile(rb"\*[0-9]{7}").search
_find_big_header = re.compile(rb"\n[*~>%|][0-9]{7}").search
_LONGEST_COUNT = 8


def _is_harmless(data: bytes) -> bool:
    """Whether hiredis can be shown *data*: it makes room for as many elements as a header claims, 8 bytes each.

    Headers of 7 digits and more are left to the parser in Python, which believes none.  0.3 ns per byte, 2 where
    the types of RESP3 might occur.
    """
    if data[0] != _ASTERISK or data.find(b"\r", 0, _LONGEST_COUNT + 1) < 0:
        return False
    if b"~" in data or b">" in data or b"%" in data or b"|" in data:
        return _find_big_header(data) is None
    return _find_big_count(data) is None


class RequestParser(StrictParser):
    """``feed`` a chunk, then call what it returned until that returns False.

    In the common case this is hiredis's own ``gets``.  Whatever ``feed`` returned last delivers
    everything that is buffered, in order, so commands may be left for later calls.
    """

    __slots__ = ("_at", "_chunk", "_gets", "_reader", "_retry")

    def __init__(self, *, authenticated: bool = True, max_bulk: int = DEFAULT_MAX_BULK) -> None:
        super().__init__(authenticated=authenticated, max_bulk=max_bulk)
        self._renew_reader()
        self._retry = False
        self._chunk = b""  # what hiredis has been given to try, and where its next command begins
        self._at = 0

    def _renew_reader(self) -> None:
        self._reader = hiredis.Reader()
        self._gets = cast("Callable[[], Request]", self._reader.gets)

    @property
    def pending(self) -> int:
        """Bytes received but not yet part of an argument, up to 1 KB too many while hiredis has some."""
        reader = self._reader
        return super().pending + (reader.len() if reader.has_data() else 0)

    def feed(self, data: bytes) -> Callable[[], Request]:
        """Append *data*; the result is to be called until it returns False."""
        if self.idle and self.authenticated and not self._chunk:
            if _match_few_short(data).end() == len(data):
                self._reader.feed(data)
                return self._gets
            if not self._reader.has_data() and _is_harmless(data):
                self._reader.feed(data)
                self._chunk = data
                return self._next
        elif not self.idle:
            self._retry = True
        self._append(data)
        return self._next

    def _next(self) -> Request:
        """hiredis first: what it holds is older than what the parser in Python holds."""
        chunk = self._chunk
        if chunk:
            try:
                argv = self._gets()
            except Exception:  # TypeError for a map with an array as a key: it makes objects of what it reads
                argv = False
            end = _verified_end(chunk, self._at, argv, self.max_bulk)
            if end:
                self._at = end
                if end == len(chunk):
                    self._chunk, self._at = b"", 0
                return argv
            self._give_up()
        argv = self._gets()
        if argv is not False:
            return argv
        argv = self.next()
        if self._retry and not self._remaining:
            self._retry = False
            self._hand_over()
        return argv

    def _give_up(self) -> None:
        """The parser in Python goes on where hiredis found something unusual, or half a command."""
        rest = self._chunk[self._at :] + self._data[self._pos :]
        self._chunk, self._at = b"", 0
        self._renew_reader()
        self._data, self._pos = b"", 0
        self._append(rest)

    def _hand_over(self) -> None:
        """Back to hiredis after the end of a command that several chunks brought."""
        data, pos = self._data, self._pos
        if pos == len(data) or not self.authenticated:
            return
        rest = data[pos:]
        if _match_few_short(rest).end() != len(rest):
            if not _is_harmless(rest):
                return
            self._chunk = rest
        self._reader.feed(rest)
        self._settle(len(data))
