"""Sorted sets: ZRANGE and whatever else works on consecutive members (t_zset.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf
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
_HEXADECIMAL: Final = re.compile(rb"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?")


# --- bounds ---------------------------------------------------------------------------------------


def _parse_score(text: bytes) -> float:
    """A bound as C's strtod reads a whole string: nothing at all is 0, and too much is infinite."""
    if text.isdigit() and len(text) < 20:
        return float(text)
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    text = text.lstrip(_SPACE)
    try:
        return parse_float(text)
    except NotFloat:  # or beyond what a double can hold
        if _DECIMAL.fullmatch(text):
            return float(text)
        if _HEXADECIMAL.fullmatch(text) is None:
            raise BoundNotFloat from None
    try:
        return float.fromhex(text.decode())
    except OverflowError:
        return -inf if text[0] == 45 else inf


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
    """The arguments of ZRANGE and its relatives: ``key min max [BYSCORE | BYLEX] [REV] ...``.

    *by* and *reverse* are fixed by the command's name, or left to the options: _AUTO and None.
    """

    __slots__ = ("bounds", "by", "count", "offset", "reverse", "scores")

    def __init__(self, argv: Argv, by: int, reverse: bool | None, *, key_at: int = 1, store: bool = False) -> None:
        """Raises whatever zrangeGenericCommand refuses, in its order."""
        self.scores = False
        self.offset, self.count = 0, -1
        options = Arguments(argv, key_at + 3)
        while options:
            option = options.word()
            if option == b"WITHSCORES" and not store:
                self.scores = True
            elif option == b"LIMIT" and options.left >= 2:
                self.offset, self.count = options.integer(), options.integer()
            elif option == b"REV" and reverse is None:
                reverse = True
            elif option == b"BYLEX" and by == _AUTO:
                by = _BY_LEX
            elif option == b"BYSCORE" and by == _AUTO:
                by = _BY_SCORE
            else:
                raise InvalidSyntax
        self.by = by = by or _BY_RANK
        self.reverse = bool(reverse)
        if self.count != -1 and by == _BY_RANK:
            raise LimitWithoutBy
        if self.scores and by == _BY_LEX:
            raise ScoresByLex
        low, high = argv[key_at + 1 : key_at + 3]
        if reverse and by != _BY_RANK:
            low, high = high, low
        self.bounds = _PARSERS[by](low, high)

    def select(self, found: SortedSet) -> tuple[int, int]:
        """The ranks asked for, the second one exclusive and possibly not above the first."""
        bounds, count = self.bounds, self.count
        if isinstance(bounds, ScoreRange):
            first, last = found.ranks_by_score(bounds, self.offset, reverse=self.reverse)
        elif isinstance(bounds, LexRange):
            first, last = found.ranks_by_lex(bounds, self.offset, reverse=self.reverse)
        else:
            size = len(found)
            first, last = _clip(*bounds, size)
            return (size - last, size - first) if self.reverse else (first, last)
        if 0 <= count < last - first:
            return (last - count, last) if self.reverse else (first, first + count)
        return first, last


def _parse_ranks(start: bytes, stop: bytes) -> tuple[int, int]:
    return parse_int(start), parse_int(stop)


_PARSERS: Final[dict[int, Callable[[bytes, bytes], tuple[int, int] | ScoreRange | LexRange]]] = {
    _BY_RANK: _parse_ranks,
    _BY_SCORE: parse_score_range,
    _BY_LEX: parse_lex_range,
}


def _answer(client: Client, key: bytes, query: _Query) -> Reply:
    """The members *query* asks for."""
    found = client.db.read(key, SortedSet)
    if found is None:
        return EMPTY_ARRAY
    first, last = query.select(found)
    if query.scores:
        entries = found.entries(first, last)
        return client.wire.scored(entries[::-1] if query.reverse else entries)
    members = found.members(first, last)
    return array_of_bulks(members[::-1] if query.reverse else members)


@command("ZRANGE", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset")
def zrange(client: Client, argv: Argv) -> Reply:
    """ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]"""
    if len(argv) == 4 or (len(argv) == 5 and argv[4].upper() == b"WITHSCORES"):
        return _answer_by_rank(client, argv, reverse=False)
    return _answer(client, argv[1], _Query(argv, _AUTO, None))


@command("ZREVRANGE", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset")
def zrevrange(client: Client, argv: Argv) -> Reply:
    """ZREVRANGE key start stop [WITHSCORES]"""
    if len(argv) == 4 or (len(argv) == 5 and argv[4].upper() == b"WITHSCORES"):
        return _answer_by_rank(client, argv, reverse=True)
    return _answer(client, argv[1], _Query(argv, _BY_RANK, True))


def _answer_by_rank(client: Client, argv: Argv, *, reverse: bool) -> Reply:
    """The commonest queries: ``key start stop``, perhaps with one more word, for the scores."""
    start, stop = parse_int(argv[2]), parse_int(argv[3])
    found = client.db.read(argv[1], SortedSet)
    if found is None:
        return EMPTY_ARRAY
    size = len(found.scores)
    start, stop = _clip(start, stop, size)
    if reverse:
        start, stop = size - stop, size - start
    if len(argv) == 5:
        entries = found.entries(start, stop)
        return client.wire.scored(entries[::-1] if reverse else entries)
    members = found.members(start, stop)
    return array_of_bulks(members[::-1] if reverse else members)


@command("ZRANGEBYSCORE", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset")
def zrangebyscore(client: Client, argv: Argv) -> Reply:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]"""
    return _answer(client, argv[1], _Query(argv, _BY_SCORE, False))


@command("ZREVRANGEBYSCORE", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset")
def zrevrangebyscore(client: Client, argv: Argv) -> Reply:
    """ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]"""
    return _answer(client, argv[1], _Query(argv, _BY_SCORE, True))


@command("ZRANGEBYLEX", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset")
def zrangebylex(client: Client, argv: Argv) -> Reply:
    """ZRANGEBYLEX key min max [LIMIT offset count]"""
    return _answer(client, argv[1], _Query(argv, _BY_LEX, False))


@command("ZREVRANGEBYLEX", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset")
def zrevrangebylex(client: Client, argv: Argv) -> Reply:
    """ZREVRANGEBYLEX key max min [LIMIT offset count]"""
    return _answer(client, argv[1], _Query(argv, _BY_LEX, True))


@command("ZCOUNT", arity=4, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="sortedset")
def zcount(client: Client, argv: Argv) -> Reply:
    """ZCOUNT key min max"""
    bounds = parse_score_range(argv[2], argv[3])
    found = client.db.read(argv[1], SortedSet)
    if found is None:
        return ZERO
    first, last = found.ranks_by_score(bounds)
    return integer(last - first)


@command("ZLEXCOUNT", arity=4, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="sortedset")
def zlexcount(client: Client, argv: Argv) -> Reply:
    """ZLEXCOUNT key min max"""
    bounds = parse_lex_range(argv[2], argv[3])
    found = client.db.read(argv[1], SortedSet)
    if found is None:
        return ZERO
    first, last = found.ranks_by_lex(bounds)
    return integer(last - first)


# --- storing --------------------------------------------------------------------------------------


def store(client: Client, key: bytes, result: SortedSet | None, event: bytes) -> Reply:
    """Put *result* under *key*, or delete what is there if it is empty; the reply is its size."""
    db = client.db
    if result:
        db.edit_any(key)
        db.store(key, result)
        db.unpacked.append(key)
        db.changed(key, event, ZSET)
        return integer(len(result))
    if db.remove(key, lazily=db.server.config.lazyfree_lazy_server_del):
        db.changed(key, b"del", GENERIC)
    return ZERO


@command("ZRANGESTORE", arity=-5, flags=WRITE | DENYOOM, keys=(at(1, OW | UPDATE), at(2, RO | ACCESS)), acl="sortedset")
def zrangestore(client: Client, argv: Argv) -> Reply:
    """ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]"""
    query = _Query(argv, _AUTO, None, key_at=2, store=True)
    found = client.db.read(argv[2], SortedSet)
    result = None
    if found is not None:
        scores = dict(found.entries(*query.select(found)))
        # How much a range by score or by member holds is not known beforehand: Redis takes no listpack then.
        if query.by == _BY_RANK:
            result = SortedSet.from_scores(scores, client.server.thresholds)
        else:
            result = SortedSet.of(scores, small=False)
    return store(client, argv[1], result, b"zrangestore")


# --- removing -------------------------------------------------------------------------------------


@command("ZREMRANGEBYRANK", arity=4, flags=WRITE, keys=at(1, RW | DELETE), acl="sortedset")
def zremrangebyrank(client: Client, argv: Argv) -> Reply:
    """ZREMRANGEBYRANK key start stop"""
    start, stop = parse_int(argv[2]), parse_int(argv[3])
    found = client.db.edit(argv[1], SortedSet)
    if found is None:
        return ZERO
    return _remove(client, argv[1], found, _clip(start, stop, len(found)), b"zremrangebyrank")


@command("ZREMRANGEBYSCORE", arity=4, flags=WRITE, keys=at(1, RW | DELETE), acl="sortedset")
def zremrangebyscore(client: Client, argv: Argv) -> Reply:
    """ZREMRANGEBYSCORE key min max"""
    bounds = parse_score_range(argv[2], argv[3])
    found = client.db.edit(argv[1], SortedSet)
    if found is None:
        return ZERO
    return _remove(client, argv[1], found, found.ranks_by_score(bounds), b"zremrangebyscore")


@command("ZREMRANGEBYLEX", arity=4, flags=WRITE, keys=at(1, RW | DELETE), acl="sortedset")
def zremrangebylex(client: Client, argv: Argv) -> Reply:
    """ZREMRANGEBYLEX key min max"""
    bounds = parse_lex_range(argv[2], argv[3])
    found = client.db.edit(argv[1], SortedSet)
    if found is None:
        return ZERO
    return _remove(client, argv[1], found, found.ranks_by_lex(bounds), b"zremrangebylex")


def _remove(client: Client, key: bytes, found: SortedSet, ranks: tuple[int, int], event: bytes) -> Reply:
    removed = found.delete(*ranks)
    if removed:
        db = client.db
        if not found.scores:
            db.remove(key)
        db.changed(key, event, ZSET, removed)
        if not found.scores:
            db.event(key, b"del", GENERIC)
    return integer(removed)
