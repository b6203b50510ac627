"""Sorted sets: union, intersection and difference, of plain sets too (t_zset.c)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from ...datatypes.sets import Set
from ...datatypes.zsets import SortedSet
from ...errors import CommandError, InvalidSyntax, NegativeLimit, NoInputKeys, WeightNotFloat, WrongType
from ...registry.arguments import Arguments, parse_at_least
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, DENYOOM, OW, READONLY, RO, UPDATE, WRITE
from ...registry.keyspecs import at, counted
from ...resp.encode import array_of_bulks, integer
from ...util.numbers import parse_float, parse_int
from .ranges import store

if TYPE_CHECKING:
    from ...engine.client import Client

READING: Final = counted(1, RO | ACCESS)
STORING: Final = (at(1, OW | UPDATE), counted(2, RO | ACCESS))

Scores: TypeAlias = dict[bytes, float]
Aggregate: TypeAlias = Callable[[float, float], float]


# --- aggregation ----------------------------------------------------------------------------------


def _sum(total: float, score: float) -> float:
    """Infinities that cancel out make 0 (zunionInterAggregate)."""
    total += score
    return total if total == total else 0.0


def _min(least: float, score: float) -> float:
    return score if score < least else least


def _max(most: float, score: float) -> float:
    return score if score > most else most


_AGGREGATES: Final[dict[bytes, Aggregate]] = {b"SUM": _sum, b"MIN": _min, b"MAX": _max}


# --- operands -------------------------------------------------------------------------------------


class _Operand:
    """A set to work on, and the weight of its scores; the members of a plain set have the score 1."""

    __slots__ = ("members", "value", "weight")

    def __init__(self, value: SortedSet | Set | None) -> None:
        self.value = value
        self.weight = 1.0
        self.members: Collection[bytes]
        """Quick to search."""
        if value is None:
            self.members = ()
        else:
            self.members = value if isinstance(value, Set) else value.scores

    def scores(self) -> Scores:
        """Each member's score, without the weight; not to be changed."""
        return self.value.scores if isinstance(self.value, SortedSet) else dict.fromkeys(self.members, 1.0)

    def weighed(self) -> Scores:
        """Each score times the weight; zero times infinity is 0."""
        scores, weight = self.scores(), self.weight
        if weight == 1.0:
            return scores
        weighed = {member: score * weight for member, score in scores.items()}
        return {member: score if score == score else 0.0 for member, score in weighed.items()}


def _size(operand: _Operand) -> int:
    return len(operand.members)


def _read(client: Client, key: bytes) -> _Operand:
    value = client.db.read_any(key)
    if value is not None and not isinstance(value, (SortedSet, Set)):
        raise WrongType
    return _Operand(value)


class _Request:
    """The operands and options of one command (zunionInterDiffGenericCommand)."""

    __slots__ = ("aggregate", "limit", "operands", "scores")

    def __init__(self, client: Client, argv: Argv, numkeys_at: int, name: str, allowed: tuple[bytes, ...]) -> None:
        """Raises what Redis would refuse: the keys first, then the options, of which *allowed* are known."""
        count = parse_int(argv[numkeys_at])
        if count < 1:
            raise NoInputKeys(name)
        first = numkeys_at + 1
        if count > len(argv) - first:
            raise InvalidSyntax
        self.operands = [_read(client, key) for key in argv[first : first + count]]
        self.aggregate: Aggregate = _sum
        self.limit = 0
        self.scores = False
        options = Arguments(argv, first + count)
        while options:
            option = options.word()
            if option not in allowed:
                raise InvalidSyntax
            if option == b"WEIGHTS" and options.left >= count:
                for operand in self.operands:
                    operand.weight = _parse_weight(options.raw())
            elif option == b"AGGREGATE" and options:
                aggregate = _AGGREGATES.get(options.word())
                if aggregate is None:
                    raise InvalidSyntax
                self.aggregate = aggregate
            elif option == b"WITHSCORES":
                self.scores = True
            elif option == b"LIMIT" and options:
                self.limit = parse_at_least(options.raw(), 0, NegativeLimit)
            else:
                raise InvalidSyntax


def _parse_weight(text: bytes) -> float:
    try:
        return parse_float(text)
    except CommandError:
        raise WeightNotFloat from None


# --- the operations -------------------------------------------------------------------------------


def _union(request: _Request) -> Scores:
    """Aggregated from the smallest operand to the largest, which shows in sums of fractions.  O(sum of n)"""
    smallest, *others = sorted(request.operands, key=_size)
    result = smallest.weighed().copy()
    aggregate = request.aggregate
    for operand in others:
        if not result:
            result = operand.weighed().copy()
            continue
        get = result.get
        for member, score in operand.weighed().items():
            old = get(member)
            result[member] = score if old is None else aggregate(old, score)
    return result


def _intersection(request: _Request) -> Scores:
    """The same for members that all operands have.  O(smallest n * m)"""
    smallest, *others = sorted(request.operands, key=_size)
    result = smallest.weighed().copy()
    aggregate = request.aggregate
    for operand in others:
        value, weight = operand.value, operand.weight
        if isinstance(value, SortedSet):
            scores = value.scores
            common = [member for member in result if member in scores]
            result = {member: aggregate(result[member], scores[member] * weight) for member in common}
        else:
            common = [member for member in result if member in operand.members]
            result = {member: aggregate(result[member], weight) for member in common}
    return result


def _count_intersection(request: _Request) -> int:
    """How many members all operands have, up to the limit."""
    smallest, *others = sorted(request.operands, key=_size)
    members = iter(smallest.members)
    for operand in others:
        members = filter(operand.members.__contains__, members)
    return sum(1 for _ in islice(members, request.limit or None))


def _difference(request: _Request) -> Scores:
    """Members of the first operand that no other has.  O(n * m)"""
    first, *others = request.operands
    result = first.scores().copy()
    for operand in others:
        members = operand.members
        result = {member: score for member, score in result.items() if member not in members}
    return result


# --- commands -------------------------------------------------------------------------------------


def _answer(client: Client, request: _Request, scores: Scores) -> Reply:
    result = SortedSet.of(scores, small=False)
    if request.scores:
        return client.wire.scored(result.entries(0, len(scores)))
    return array_of_bulks(result.members(0, len(scores)))


def _store(client: Client, key: bytes, scores: Scores, event: bytes) -> Reply:
    return store(client, key, SortedSet.from_scores(scores, client.server.thresholds), event)


_AGGREGATING: Final = (b"WEIGHTS", b"AGGREGATE")


@command("ZUNION", arity=-3, flags=READONLY, keys=READING, acl="sortedset")
def zunion(client: Client, argv: Argv) -> Reply:
    """ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]"""
    request = _Request(client, argv, 1, "zunion", (*_AGGREGATING, b"WITHSCORES"))
    return _answer(client, request, _union(request))


@command("ZUNIONSTORE", arity=-4, flags=WRITE | DENYOOM, keys=STORING, acl="sortedset")
def zunionstore(client: Client, argv: Argv) -> Reply:
    """ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]"""
    request = _Request(client, argv, 2, "zunionstore", _AGGREGATING)
    return _store(client, argv[1], _union(request), b"zunionstore")


@command("ZINTER", arity=-3, flags=READONLY, keys=READING, acl="sortedset")
def zinter(client: Client, argv: Argv) -> Reply:
    """ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]"""
    request = _Request(client, argv, 1, "zinter", (*_AGGREGATING, b"WITHSCORES"))
    return _answer(client, request, _intersection(request))


@command("ZINTERSTORE", arity=-4, flags=WRITE | DENYOOM, keys=STORING, acl="sortedset")
def zinterstore(client: Client, argv: Argv) -> Reply:
    """ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]"""
    request = _Request(client, argv, 2, "zinterstore", _AGGREGATING)
    return _store(client, argv[1], _intersection(request), b"zinterstore")


@command("ZINTERCARD", arity=-3, flags=READONLY, keys=READING, acl="sortedset")
def zintercard(client: Client, argv: Argv) -> Reply:
    """ZINTERCARD numkeys key [key ...] [LIMIT limit]"""
    request = _Request(client, argv, 1, "zintercard", (b"LIMIT",))
    return integer(_count_intersection(request))


@command("ZDIFF", arity=-3, flags=READONLY, keys=READING, acl="sortedset")
def zdiff(client: Client, argv: Argv) -> Reply:
    """ZDIFF numkeys key [key ...] [WITHSCORES]"""
    request = _Request(client, argv, 1, "zdiff", (b"WITHSCORES",))
    return _answer(client, request, _difference(request))


@command("ZDIFFSTORE", arity=-4, flags=WRITE | DENYOOM, keys=STORING, acl="sortedset")
def zdiffstore(client: Client, argv: Argv) -> Reply:
    """ZDIFFSTORE destination numkeys key [key ...]"""
    request = _Request(client, argv, 2, "zdiffstore", ())
    return _store(client, argv[1], _difference(request), b"zdiffstore")
