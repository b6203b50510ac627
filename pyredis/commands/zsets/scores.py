"""Sorted sets: ZADD, ZSCORE and the other commands that name members (t_zset.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.zsets import SortedSet
from ...engine.buffers import most_replies
from ...errors import (
    GtLtOrNx,
    IncrOfMany,
    InvalidSyntax,
    NotInRange,
    NxAndXx,
    OutOfRange,
    ScoreNotNumber,
    WrongArity,
)
from ...keyspace.events import GENERIC, ZSET
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, DELETE, DENYOOM, FAST, READONLY, RO, RW, UPDATE, WRITE
from ...registry.keyspecs import at
from ...resp.encode import EMPTY_ARRAY, ONE, ZERO, array_of, array_of_bulks, bulk, integer
from ...util.numbers import INT64_MAX, INT64_MIN, parse_float, parse_int

if TYPE_CHECKING:
    from ...engine.client import Client

UPDATING: Final = WRITE | DENYOOM | FAST

_NX, _XX, _GT, _LT, _CH, _INCR = (1 << bit for bit in range(6))
_OPTIONS: Final = {b"NX": _NX, b"XX": _XX, b"GT": _GT, b"LT": _LT, b"CH": _CH, b"INCR": _INCR}


# --- writing --------------------------------------------------------------------------------------


@command("ZADD", arity=-4, flags=UPDATING, keys=at(1, RW | UPDATE), acl="sortedset")
def zadd(client: Client, argv: Argv) -> Reply:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]"""
    if len(argv) != 4:
        return _add(client, argv)
    _, key, text, member = argv
    score = float(text) if text.isdigit() and len(text) < 20 else _parse_score(text)
    db = client.db
    thresholds = db.server.thresholds
    found = db.data.get(key)
    if type(found) is not SortedSet or key in db.expires:  # a frame less for the usual case
        found = db.edit(key, SortedSet)
    if found is None:
        found = SortedSet()
        db.add(key, found)
        db.unpacked.append(key)
    else:
        old = found.scores.get(member)
        if old is not None:
            if not thresholds.zset_max_listpack_entries:
                found.convert()
            if old != score:
                found.move(member, old, score)
                db.changed(key, b"zadd", ZSET)
            return ZERO
    found.insert(member, score, thresholds)
    db.changed(key, b"zadd", ZSET)
    return ONE


def _parse_score(text: bytes) -> float:
    """The score of the first pair, if it is one and not an option with too little after it."""
    if text.upper() in _OPTIONS:
        raise InvalidSyntax
    return parse_float(text)


@command("ZINCRBY", arity=4, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="sortedset")
def zincrby(client: Client, argv: Argv) -> Reply:
    """ZINCRBY key increment member"""
    _, key, text, member = argv
    delta = float(text) if text.isdigit() and len(text) < 20 else _parse_score(text)
    db, thresholds = client.db, client.server.thresholds
    found = db.edit(key, SortedSet)
    if found is None:
        found = SortedSet()
        db.add(key, found)
        db.unpacked.append(key)
    elif not thresholds.zset_max_listpack_entries:
        found.convert()
    old = found.scores.get(member)
    if old is None:
        found.insert(member, delta, thresholds)
    else:
        delta += old
        if delta == old:
            return client.wire.double(delta)
        if delta != delta:
            raise ScoreNotNumber
        found.move(member, old, delta)
    db.changed(key, b"zincr", ZSET)
    return client.wire.double(delta)


def _add(client: Client, argv: Argv) -> Reply:
    """ZADD with several members or whatever options argv[2:] begins with (zaddGenericCommand)."""
    first, flags = 2, 0
    while first < len(argv) and (option := _OPTIONS.get(argv[first].upper())) is not None:
        flags |= option
        first += 1
    members = argv[first + 1 :: 2]
    _refuse(flags, len(argv) - first)
    scores = [parse_float(text) for text in argv[first::2]]

    db, key, thresholds = client.db, argv[1], client.server.thresholds
    found = db.edit(key, SortedSet)
    new = found is None
    if found is None:
        if flags & _XX:
            return client.wire.null if flags & _INCR else ZERO
        found = SortedSet.sized_for(len(members), len(members[0]), thresholds)
        db.add(key, found)
        db.unpacked.append(key)
    else:
        found.expect(len(members), thresholds)
    if flags & _INCR:
        return _increment(client, key, found, members[0], scores[0], flags)

    added = updated = 0
    get, insert, move = found.scores.get, found.insert, found.move
    for member, score in zip(members, scores, strict=True):
        old = get(member)
        if old is None:
            if not flags & _XX:
                insert(member, score, thresholds)
                added += 1
        elif old != score and not (flags & _NX or (flags & _GT and score < old) or (flags & _LT and score > old)):
            move(member, old, score)
            updated += 1
    if added or updated:
        if new and added > 1:
            found.pack()
        db.changed(key, b"zadd", ZSET, added + updated)
    return integer(added + updated if flags & _CH else added)


def _refuse(flags: int, words: int) -> None:
    """Raise for options that do not go together, or not with that many *words* after them."""
    if words % 2 or not words:
        raise InvalidSyntax
    if flags & _NX and flags & _XX:
        raise NxAndXx
    if (flags & _NX and flags & (_GT | _LT)) or (flags & _GT and flags & _LT):
        raise GtLtOrNx
    if flags & _INCR and words > 2:
        raise IncrOfMany


def _increment(client: Client, key: bytes, found: SortedSet, member: bytes, delta: float, flags: int) -> bytes:
    """Add *delta* to the score of *member* unless *flags* forbid it; the reply."""
    old = found.scores.get(member)
    if old is None:
        if flags & _XX:
            return client.wire.null
        found.insert(member, delta, client.server.thresholds)
        client.db.changed(key, b"zincr", ZSET)
        return client.wire.double(delta)
    if flags & _NX:
        return client.wire.null
    score = old + delta
    if score != score:
        raise ScoreNotNumber
    if (flags & _GT and score <= old) or (flags & _LT and score >= old):
        return client.wire.null
    if score != old:
        found.move(member, old, score)
        client.db.changed(key, b"zincr", ZSET)
    return client.wire.double(score)


@command("ZREM", arity=-3, flags=WRITE | FAST, keys=at(1, RW | DELETE), acl="sortedset")
def zrem(client: Client, argv: Argv) -> Reply:
    """ZREM key member [member ...]"""
    db, key = client.db, argv[1]
    found = db.edit(key, SortedSet)
    if found is None:
        return ZERO
    removed = 0
    for member in argv[2:]:
        removed += found.remove(member)
    if removed:
        if not found.scores:
            db.remove(key)
        db.changed(key, b"zrem", ZSET, removed)
        if not found.scores:
            db.event(key, b"del", GENERIC)
    return integer(removed)


# --- reading --------------------------------------------------------------------------------------


@command("ZCARD", arity=2, flags=READONLY | FAST, keys=at(1, RO), acl="sortedset")
def zcard(client: Client, argv: Argv) -> Reply:
    """ZCARD key"""
    found = client.db.read(argv[1], SortedSet)
    return ZERO if found is None else integer(len(found.scores))


@command("ZSCORE", arity=3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="sortedset")
def zscore(client: Client, argv: Argv) -> Reply:
    """ZSCORE key member"""
    found = client.db.read(argv[1], SortedSet)
    if found is None:
        return client.wire.null
    score = found.scores.get(argv[2])
    return client.wire.null if score is None else client.wire.double(score)


@command("ZMSCORE", arity=-3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="sortedset")
def zmscore(client: Client, argv: Argv) -> Reply:
    """ZMSCORE key member [member ...]"""
    found = client.db.read(argv[1], SortedSet)
    null, double = client.wire.null, client.wire.double
    if found is None:
        return array_of([null] * (len(argv) - 2))
    scores = [found.scores.get(member) for member in argv[2:]]
    return array_of([null if score is None else double(score) for score in scores])


@command("ZRANK", arity=-3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="sortedset")
def zrank(client: Client, argv: Argv) -> Reply:
    """ZRANK key member [WITHSCORE]"""
    return _rank(client, argv, "zrank", reverse=False)


@command("ZREVRANK", arity=-3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="sortedset")
def zrevrank(client: Client, argv: Argv) -> Reply:
    """ZREVRANK key member [WITHSCORE]"""
    return _rank(client, argv, "zrevrank", reverse=True)


def _rank(client: Client, argv: Argv, name: str, *, reverse: bool) -> Reply:
    if len(argv) > 4:
        raise WrongArity(name)
    if len(argv) == 4 and argv[3].upper() != b"WITHSCORE":
        raise InvalidSyntax
    found = client.db.read(argv[1], SortedSet)
    rank = None if found is None else found.rank(argv[2])
    if found is None or rank is None:
        return client.wire.null if len(argv) == 3 else client.wire.null_array
    if reverse:
        rank = len(found.scores) - 1 - rank
    if len(argv) == 3:
        return integer(rank)
    return array_of((integer(rank), client.wire.double(found.scores[argv[2]])))


@command(
    "ZRANDMEMBER", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset", tips=("nondeterministic_output",)
)
def zrandmember(client: Client, argv: Argv) -> Reply:
    """ZRANDMEMBER key [count [WITHSCORES]]"""
    rng = client.server.rng
    if len(argv) == 2:
        found = client.db.read(argv[1], SortedSet)
        return client.wire.null if found is None else bulk(found.choose(rng))
    count = parse_int(argv[2])
    if count == INT64_MIN:
        raise NotInRange(-INT64_MAX, INT64_MAX)
    if len(argv) > 4 or (len(argv) == 4 and argv[3].upper() != b"WITHSCORES"):
        raise InvalidSyntax
    if len(argv) == 4 and abs(count) > INT64_MAX // 2:
        raise OutOfRange
    found = client.db.read(argv[1], SortedSet)
    if found is None or count == 0:
        return EMPTY_ARRAY
    if count < 0 or count == 1:
        members = found.choose_many(most_replies(client, abs(count)), rng)
    elif count >= len(found.scores):
        members = found.members(0, len(found.scores))[::-1]
    else:
        members = found.choose_distinct(count, rng)
    if len(argv) == 3:
        return array_of_bulks(members)
    return client.wire.scored([(member, found.scores[member]) for member in members])
