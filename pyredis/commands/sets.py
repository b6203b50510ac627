"""Sets: SADD, SINTER and their relatives (t_set.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.sampled import LISTPACK
from ..datatypes.sets import INTSET, Set, difference, intersection, store_intersection, union
from ..engine.buffers import most_replies
from ..errors import InvalidSyntax, NegativeLimit, NotInRange, NotPositive, NumkeysNotPositive, TooManyKeys
from ..keyspace.events import GENERIC, SET
from ..registry.arguments import Arguments, parse_at_least
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, DELETE, DENYOOM, FAST, INSERT, OW, READONLY, RO, RW, UPDATE, WRITE
from ..registry.keyspecs import at, counted
from ..resp.encode import EMPTY_ARRAY, ONE, ZERO, array_of, array_of_bulks, bulk, integer
from ..util.numbers import INT64_MAX, INT64_MIN, parse_int

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database

ANY_ORDER: Final = ("nondeterministic_output_order",)
RANDOM: Final = ("nondeterministic_output",)

_MOST_PER_SREM: Final = 1024  # members in one of the SREM a SPOP propagates
_FEW_LEFT: Final = 5  # SPOP_MOVE_STRATEGY_MUL


# --- members --------------------------------------------------------------------------------------


@command("SADD", arity=-3, flags=WRITE | DENYOOM | FAST, keys=at(1, RW | INSERT), acl="set")
def sadd(client: Client, argv: Argv) -> Reply:
    """SADD key member [member ...]"""
    db, key, first = client.db, argv[1], argv[2]
    found = db.data.get(key)
    if type(found) is not Set or key in db.expires:  # a frame less for the usual case
        found = db.edit(key, Set)
    count = len(argv) - 2
    if count == 1 and found is not None and first in found:
        return ZERO
    thresholds = client.server.thresholds
    if found is None:
        found = Set.sized_for(first, count, thresholds)
        db.add(key, found)
        db.unpacked.append(key)
    if count == 1:
        found.add(first, thresholds)
        db.changed(key, b"sadd", SET)
        return ONE
    is_new = not found
    found.expect(count, thresholds)
    added = found.add_all(argv[2:], thresholds)
    if is_new:
        found.pack()
    if added:
        db.changed(key, b"sadd", SET, added)
    return integer(added)


@command("SREM", arity=-3, flags=WRITE | FAST, keys=at(1, RW | DELETE), acl="set")
def srem(client: Client, argv: Argv) -> Reply:
    """SREM key member [member ...]"""
    db, key = client.db, argv[1]
    found = db.edit(key, Set)
    if found is None:
        return ZERO
    removed = 0
    for member in argv[2:]:
        removed += found.discard(member)
    if removed:
        if not found:
            db.remove(key)
        db.changed(key, b"srem", SET, removed)
        if not found:
            db.event(key, b"del", GENERIC)
    return integer(removed)


@command("SMOVE", arity=4, flags=WRITE | FAST, keys=(at(1, RW | ACCESS | DELETE), at(2, RW | INSERT)), acl="set")
def smove(client: Client, argv: Argv) -> Reply:
    """SMOVE source destination member"""
    _, source_key, target_key, member = argv
    db, thresholds = client.db, client.server.thresholds
    source = db.edit(source_key, Set)
    if source is None:
        return ZERO
    target = db.edit(target_key, Set)
    if source is target:
        return ONE if member in source else ZERO
    if not source.discard(member):
        return ZERO
    if not source:
        db.remove(source_key)
    db.changed(source_key, b"srem", SET)
    if not source:
        db.event(source_key, b"del", GENERIC)
    if target is None:
        target = Set.sized_for(member, 1, thresholds)
        db.add(target_key, target)
        db.unpacked.append(target_key)
    if target.add(member, thresholds):
        db.changed(target_key, b"sadd", SET)
    return ONE


@command("SISMEMBER", arity=3, flags=READONLY | FAST, keys=at(1, RO), acl="set")
def sismember(client: Client, argv: Argv) -> Reply:
    """SISMEMBER key member"""
    found = client.db.read(argv[1], Set)
    return ONE if found is not None and argv[2] in found else ZERO


@command("SMISMEMBER", arity=-3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="set")
def smismember(client: Client, argv: Argv) -> Reply:
    """SMISMEMBER key member [member ...]"""
    found = client.db.read(argv[1], Set)
    if found is None:
        return array_of([ZERO] * (len(argv) - 2))
    return array_of([ONE if member in found else ZERO for member in argv[2:]])


@command("SCARD", arity=2, flags=READONLY | FAST, keys=at(1, RO), acl="set")
def scard(client: Client, argv: Argv) -> Reply:
    """SCARD key"""
    found = client.db.read_whole(argv[1], Set)
    return ZERO if found is None else integer(len(found))


@command("SMEMBERS", arity=2, flags=READONLY, keys=at(1, RO | ACCESS), acl="set", tips=ANY_ORDER)
def smembers(client: Client, argv: Argv) -> Reply:
    """SMEMBERS key"""
    found = client.db.read_whole(argv[1], Set)
    return client.wire.empty_set if found is None else client.wire.set_of_bulks(found)


# --- random members -------------------------------------------------------------------------------


@command("SRANDMEMBER", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS), acl="set", tips=RANDOM)
def srandmember(client: Client, argv: Argv) -> Reply:
    """SRANDMEMBER key [count]"""
    rng = client.server.rng
    if len(argv) == 2:
        found = client.db.read(argv[1], Set)
        return client.wire.null if found is None else bulk(found.choose(rng))
    if len(argv) > 3:
        raise InvalidSyntax
    count = parse_int(argv[2])
    if count == INT64_MIN:
        raise NotInRange(-INT64_MAX, INT64_MAX)
    found = client.db.read(argv[1], Set)
    if found is None or count == 0:
        return EMPTY_ARRAY
    if count < 0 or count == 1:
        return array_of_bulks(found.choose_many(most_replies(client, abs(count)), rng))
    if count >= len(found):
        return array_of_bulks(found)
    return array_of_bulks(found.choose_distinct(count, rng))


@command("SPOP", arity=-2, flags=WRITE | FAST, keys=at(1, RW | ACCESS | DELETE), acl="set", tips=RANDOM)
def spop(client: Client, argv: Argv) -> Reply:
    """SPOP key [count]"""
    if len(argv) != 2:
        return _spop_many(client, argv)
    db, key = client.db, argv[1]
    found = db.edit(key, Set)
    if found is None:
        return client.wire.null
    server = client.server
    member = found.pop_random(server.rng)
    if server.propagation.active:
        client.propagate(b"SREM", key, member)
    if found:
        db.changed(key, b"spop", SET)
    else:
        db.remove(key)
        db.changed(key, b"spop", SET)
        db.event(key, b"del", GENERIC)
    return bulk(member)


def _spop_many(client: Client, argv: Argv) -> Reply:
    if len(argv) > 3:
        raise InvalidSyntax
    count = parse_at_least(argv[2], 0, NotPositive)
    db, key, server = client.db, argv[1], client.server
    found = db.edit(key, Set)
    if found is None or count == 0:
        return client.wire.empty_set
    if count >= len(found):
        members = list(union([found], server.thresholds))
        db.remove(key)
        db.changed(key, b"spop", SET, len(members))
        db.event(key, b"del", GENERIC)
        client.propagate(b"UNLINK" if server.config.lazyfree_lazy_server_del else b"DEL", key)
        return client.wire.set_of_bulks(members)
    if (len(found) - count) * _FEW_LEFT > count:
        members = _take_some(client, found, count)
    else:
        members = _leave_some(client, key, found, count)
    db.changed(key, b"spop", SET, count)
    for start in range(0, count, _MOST_PER_SREM):
        client.propagate(b"SREM", key, *members[start : start + _MOST_PER_SREM])
    return client.wire.set_of_bulks(members)


def _take_some(client: Client, found: Set, count: int) -> list[bytes]:
    """Remove *count* random members, in the order of a listpack if it is one."""
    rng = client.server.rng
    if found.encoding != LISTPACK:
        return [found.pop_random(rng) for _ in range(count)]
    members = found.choose_distinct(count, rng)
    for member in members:
        del found[member]
    return members


def _leave_some(client: Client, key: bytes, found: Set, count: int) -> list[bytes]:
    """Replace the set by a new one of all but *count* random members; those *count*.

    The new set finds its encoding anew: a hashtable of which little is left becomes a listpack.
    """
    left = Set(INTSET if found.encoding == INTSET else LISTPACK)
    left.add_all(found.choose_distinct(len(found) - count, client.server.rng), client.server.thresholds)
    client.db.store(key, left, keep_ttl=True)
    return [member for member in found if member not in left]


# --- algebra --------------------------------------------------------------------------------------


def _read_all(client: Client, keys: list[bytes]) -> list[Set | None]:
    """The sets under *keys*, each checked for its type before any is used."""
    read = client.db.read
    return [read(key, Set) for key in keys]


def _store(db: Database, key: bytes, result: Set | None, event: bytes) -> Reply:
    """Put *result* under *key*, or delete what is there if it is empty."""
    if result:
        result.pack()
        db.store(key, result)
        db.changed(key, event, SET)
        return integer(len(result))
    if db.remove(key, lazily=db.server.config.lazyfree_lazy_server_del):
        db.changed(key, b"del", GENERIC)
    return ZERO


def _all_or_none(client: Client, keys: list[bytes]) -> list[Set] | None:
    """The sets under *keys*; None if one does not exist, so that the intersection is empty."""
    found = _read_all(client, keys)
    sets = [operand for operand in found if operand is not None]
    return sets if len(sets) == len(found) else None


@command("SINTER", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS, last=-1), acl="set", tips=ANY_ORDER)
def sinter(client: Client, argv: Argv) -> Reply:
    """SINTER key [key ...]"""
    sets = _all_or_none(client, argv[1:])
    return client.wire.empty_set if sets is None else client.wire.set_of_bulks(intersection(sets))


@command("SINTERCARD", arity=-3, flags=READONLY, keys=counted(1, RO | ACCESS), acl="set")
def sintercard(client: Client, argv: Argv) -> Reply:
    """SINTERCARD numkeys key [key ...] [LIMIT limit]"""
    count = parse_at_least(argv[1], 1, NumkeysNotPositive)
    if count > len(argv) - 2:
        raise TooManyKeys
    limit = 0
    options = Arguments(argv, 2 + count)
    while options:
        if options.word() != b"LIMIT" or not options:
            raise InvalidSyntax
        limit = parse_at_least(options.raw(), 0, NegativeLimit)
    sets = _all_or_none(client, argv[2 : 2 + count])
    return ZERO if sets is None else integer(len(intersection(sets, limit)))


@command(
    "SINTERSTORE", arity=-3, flags=WRITE | DENYOOM, acl="set", keys=(at(1, RW | UPDATE), at(2, RO | ACCESS, last=-1))
)
def sinterstore(client: Client, argv: Argv) -> Reply:
    """SINTERSTORE destination key [key ...]"""
    sets = _all_or_none(client, argv[2:])
    result = store_intersection(sets, client.server.thresholds) if sets is not None else None
    return _store(client.db, argv[1], result, b"sinterstore")


@command("SUNION", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS, last=-1), acl="set", tips=ANY_ORDER)
def sunion(client: Client, argv: Argv) -> Reply:
    """SUNION key [key ...]"""
    return client.wire.set_of_bulks(_union(client, argv[1:]))


@command(
    "SUNIONSTORE", arity=-3, flags=WRITE | DENYOOM, acl="set", keys=(at(1, OW | UPDATE), at(2, RO | ACCESS, last=-1))
)
def sunionstore(client: Client, argv: Argv) -> Reply:
    """SUNIONSTORE destination key [key ...]"""
    return _store(client.db, argv[1], _union(client, argv[2:]), b"sunionstore")


def _union(client: Client, keys: list[bytes]) -> Set:
    sets = [operand for operand in _read_all(client, keys) if operand is not None]
    return union(sets, client.server.thresholds)


@command("SDIFF", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS, last=-1), acl="set", tips=ANY_ORDER)
def sdiff(client: Client, argv: Argv) -> Reply:
    """SDIFF key [key ...]"""
    return client.wire.set_of_bulks(_difference(client, argv[1:]))


@command(
    "SDIFFSTORE", arity=-3, flags=WRITE | DENYOOM, acl="set", keys=(at(1, OW | UPDATE), at(2, RO | ACCESS, last=-1))
)
def sdiffstore(client: Client, argv: Argv) -> Reply:
    """SDIFFSTORE destination key [key ...]"""
    return _store(client.db, argv[1], _difference(client, argv[2:]), b"sdiffstore")


def _difference(client: Client, keys: list[bytes]) -> Set:
    first, *others = _read_all(client, keys)
    return difference(first, [other for other in others if other is not None], client.server.thresholds)
