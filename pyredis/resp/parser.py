"""Requests at the speed of hiredis, with the rules of Redis.

hiredis reads replies, and its idea of a request is too generous: it takes integers, nulls and nested
arrays inside a command, waits for any length, and gives up for good at the first inline command.  So
it is only shown whole commands that regular expressions have verified to the last byte.  For few and
short arguments one expression does that for a whole chunk in 40 ns per argument, less than any search
for the ways to be wrong; hiredis itself needs 50.  Long or many arguments take two matches more per
command.  The parser in Python, which gets everything else, needs 500 ns per argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import cast

import hiredis

from .strict import DEFAULT_MAX_BULK, Request, StrictParser

_LONGEST = 40  # bytes of a short argument: each one more costs 60 us at import
_SPELLED_OUT = 3  # commands of so many arguments match a fifth faster than by a counted repeat
_FEW = 5


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
        b"%d\r\n%b" % (n, argument * n if n <= _SPELLED_OUT else b"(?:%b){%d}+" % (argument, n))
        for n in range(1, _FEW + 1)
    ]
    return re.compile(rb"(?:\*(?:%b))*+" % b"|".join(commands), re.DOTALL)


# Never None: no command at all matches too.
_match_few_short = cast("Callable[..., re.Match[bytes]]", _few_short_arguments().match)


@cache
def _long_patterns() -> tuple[Callable[..., re.Match[bytes] | None], Callable[..., re.Match[bytes]]]:
    """Short arguments up to the header of any other one; the first pattern wants a command's start.

    These short arguments have no CR inside, so that counting line ends counts arguments.
    """
    some = rb"((?:%b)*+)(?:\$(0|[1-9][0-9]{0,8})\r\n)?" % _short_argument(rb"[^\r]")
    start = re.compile(rb"\*([1-9][0-9]{0,6})\r\n" + some)
    return start.match, cast("Callable[..., re.Match[bytes]]", re.compile(some).match)


def _verify(data: bytes, pos: int, max_bulk: int) -> int:
    """How far *data*, from the start of a command at *pos*, holds nothing but whole commands."""
    match_start, match_more = _long_patterns()
    end = len(data)
    while pos < end:
        found = match_start(data, pos)
        if found is None:
            break
        count, arguments, size = found.groups()
        missing = int(count) - arguments.count(b"\r\n") // 2
        at = found.end()
        while missing:
            if size is None or missing < 0:
                return pos
            length = int(size)
            at += length + 2
            if at > end or length > max_bulk:
                return pos
            missing -= 1
            if missing:
                found = match_more(data, at)
                arguments, size = found.groups()
                missing -= arguments.count(b"\r\n") // 2
                at = found.end()
            else:
                size = None
        if size is not None:  # the header of one argument too many
            break
        pos = _match_few_short(data, at).end() if at < end else at
    return pos


class RequestParser(StrictParser):
    """``feed`` a chunk, then call what it returned until that returns False.

    In the common case this is hiredis's own ``gets``.  Whatever ``feed`` returned last delivers
    everything that is buffered, in order, so commands may be left for later calls.
    """

    __slots__ = ("_gets", "_reader", "_retry")

    def __init__(self, *, authenticated: bool = True, max_bulk: int = DEFAULT_MAX_BULK) -> None:
        super().__init__(authenticated=authenticated, max_bulk=max_bulk)
        self._reader = hiredis.Reader()
        self._gets = cast("Callable[[], Request]", self._reader.gets)
        self._retry = False

    @property
    def pending(self) -> int:
        """Bytes received but not yet part of an argument, up to 1 KB too many while hiredis has some."""
        reader = self._reader
        return super().pending + (reader.len() if reader.has_data() else 0)

    def feed(self, data: bytes) -> Callable[[], Request]:
        """Append *data*; the result is to be called until it returns False."""
        if self.idle and self.authenticated:
            verified = _match_few_short(data).end()
            if verified != len(data):
                verified = _verify(data, verified, self.max_bulk)
            if verified == len(data):
                self._reader.feed(data)
                return self._gets
            if verified:
                self._reader.feed(data, 0, verified)
            self._append(data[verified:])
        else:
            self._append(data)
            self._retry = True
        return self._next

    def _next(self) -> Request:
        """hiredis first: what it holds is older than what the parser in Python holds."""
        argv = self._gets()
        if argv is not False:
            return argv
        argv = self.next()
        if self._retry and not self._remaining:
            self._retry = False
            self._hand_over()
        return argv

    def _hand_over(self) -> None:
        """Back to hiredis after the end of a command that several chunks brought."""
        data, pos = self._data, self._pos
        if pos == len(data) or not self.authenticated:
            return
        verified = _verify(data, _match_few_short(data, pos).end(), self.max_bulk)
        if verified > pos:
            self._reader.feed(data, pos, verified - pos)
            self._settle(verified)
