"""Sorted sets: ZRANGE and whatever else works on consecutive members (t_zset.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...datatypes.zsets import LexRange, ScoreRange, SortedSet
from ...errors import BoundNotFloat, InvalidLexBound, InvalidSyntax, LimitWithoutBy, NotFloat, ScoresByLex
from ...keyspace.events import GENERIC, ZSET
from ...registry.arguments import Arguments
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, DELETE, DENYOOM, FAST, OW, READONLY, RO, RW, UPDATE, WRITE
from ...registry.keyspecs import at
from ...resp.encode import EMPTY_ARRAY, ZERO, array_of_bulks, integer
from ...util.numbers import parse_float, parse_int

if TYPE_CHECKING:
    from ...engine.client import Client

_AUTO, _BY_RANK, _BY_SCORE, _BY_LEX = range(4)

_SPACE: Final = b" \t\n\v\f\r"
_DECIMAL: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


# --- bounds ---------------------------------------------------------------------------------------


def _parse_score(text: bytes) -> float:
    """A bound as C's strtod reads a whole string: nothing at all is 0, and too much is infinite."""
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    text = text.lstrip(_SPACE)
    try:
        return parse_float(text)
    except NotFloat:
        if _DECIMAL.fullmatch(text) is None:
            raise BoundNotFloat from None
        return float(text)


def parse_score_range(low: bytes, high: bytes) -> ScoreRange:
    """``1``, ``(1``, ``-inf``, ... (zslParseRange).  Raises BoundNotFloat."""
    low_exclusive, high_exclusive = low[:1] == b"(", high[:1] == b"("
    least = _parse_score(low[1:] if low_exclusive else low)
    most = _parse_score(high[1:] if high_exclusive else high)
    return ScoreRange(least, most, low_exclusive, high_exclusive)


def parse_lex_range(low: bytes, high: bytes) -> LexRange:
    """``[a``, ``(a``, ``-``, ``+`` (zslParseLexRange).  Raises InvalidLexBound."""
    for text in (low, high):
        kind, rest = text[:1], text[1:2]
        if kind not in (b"(", b"[") and (kind not in (b"-", b"+") or rest not in (b"", b"\0")):
            raise InvalidLexBound
    nothing = low[:1] == b"+" or high[:1] == b"-"
    return LexRange(
        None if low[:1] == b"-" else low[1:], None if high[:1] == b"+" else high[1:],
        low[:1] == b"(", high[:1] == b"(", nothing,
    )  # fmt: skip


def _clip(start: int, stop: int, size: int) -> tuple[int, int]:
    """Inclusive ranks, negative ones from the end, as a half-open range; empty if start >= stop."""
    if start < 0:
        start = max(start + size, 0)
    if stop < 0:
        stop += size
    return start, min(stop + 1, size)


# --- reading --------------------------------------------------------------------------------------


class _Query:
    """The arguments of ZRANGE and its relatives: ``key min max [BYSCORE | BYLEX] [REV] ...`` (zrangeGenericCommand)."""

    __slots__ = ("bounds", "by", "count", "key", "offset", "reverse", "scores")

    def __init__(self, argv: Argv, key_at: int, by: int, reverse: bool | None, *, store: bool = False) -> None:
        self.key = argv[key_at]
        self.scores = store
        self.offset, self.count = 0, -1
        fixed, directed = by, reverse is not None
        options = Arguments(argv, key_at + 3)
        while options:
            option = options.word()
            if option == b"WITHSCORES" and not store:
                self.scores = True
            elif option == b"LIMIT" and options.left >= 2:
                self.offset, self.count = options.integer(), options.integer()
            elif option == b"REV" and not directed:
                reverse = True
            elif option == b"BYLEX" and not fixed:
                by = _BY_LEX
            elif option == b"BYSCORE" and not fixed:
                by = _BY_SCORE
            else:
                raise InvalidSyntax
        self.by = by = by or _BY_RANK
        self.reverse = bool(reverse)
        if self.count != -1 and by == _BY_RANK:
            raise LimitWithoutBy
        if self.scores and by == _BY_LEX and not store:
            raise ScoresByLex
        low, high = argv[key_at + 1 : key_at + 3]
        self.bounds: tuple[int, int] | ScoreRange | LexRange
        if by == _BY_RANK:
            self.bounds = parse_int(low), parse_int(high)
            return
        if reverse:
            low, high = high, low
        self.bounds = parse_score_range(low, high) if by == _BY_SCORE else parse_lex_range(low, high)

    def select(self, found: SortedSet) -> tuple[int, int]:
        """First rank of what is asked for, and the one after the last; counted from the end if reversed."""
        bounds = self.bounds
        size = len(found)
        if isinstance(bounds, LexRange):
            first, last = found.ranks_by_lex(bounds)
        elif isinstance(bounds, ScoreRange):
            first, last = found.ranks_by_score(bounds)
        else:
            first, last = _clip(*bounds, size)
            ...
