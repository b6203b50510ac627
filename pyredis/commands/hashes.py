"""Hashes: HSET, HGET and their relatives (t_hash.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.hashes import Hash
from ..engine.buffers import most_replies
from ..errors import (
    HashValueNotFloat,
    HashValueNotInteger,
    IncrementNotFinite,
    InvalidSyntax,
    NotFloat,
    NotInRange,
    OutOfRange,
    Overflow,
    WrongArity,
)
from ..keyspace.events import GENERIC, HASH
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, DELETE, DENYOOM, FAST, INSERT, READONLY, RO, RW, UPDATE, WRITE
from ..registry.keyspecs import at
from ..resp.encode import EMPTY_ARRAY, OK, ONE, ZERO, array_of_bulks, array_of_optional_bulks, bulk, integer
from ..util.numbers import (
    INT64_MAX,
    INT64_MIN,
    add_long_doubles,
    format_long_double,
    is_finite,
    parse_int,
    parse_int_or_none,
    parse_long_double,
)

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database

UPDATING: Final = WRITE | DENYOOM | FAST
ANY_ORDER: Final = ("nondeterministic_output_order",)
RANDOM: Final = ("nondeterministic_output",)


# --- writing --------------------------------------------------------------------------------------


@command("HSET", arity=-4, flags=UPDATING, keys=at(1, RW | UPDATE), acl="hash")
def hset(client: Client, argv: Argv) -> Reply:
    """HSET key field value [field value ...]"""
    if len(argv) != 4:
        return integer(_put_all(client, argv, "hset"))
    _, key, field, value = argv
    db = client.db
    found = db.data.get(key)
    if type(found) is not Hash or key in db.expires:  # two frames less for the usual case
        found = db.edit(key, Hash)
        if found is None:
            found = _new(db, key)
    server = db.server
    reply = ONE if found.put(field, value, server.thresholds) else ZERO
    if server.observers:
        db.changed(key, b"hset", HASH)
    else:
        server.dirty += 1
    return reply


@command("HMSET", arity=-4, flags=UPDATING, keys=at(1, RW | UPDATE), acl="hash")
def hmset(client: Client, argv: Argv) -> Reply:
    """HMSET key field value [field value ...]"""
    _put_all(client, argv, "hmset")
    return OK


def _new(db: Database, key: bytes) -> Hash:
    """An empty hash under *key*, which does not exist; packed when it has not been used for a moment."""
    made = Hash()
    db.add(key, made)
    db.unpacked.append(key)
    return made


def _put_all(client: Client, argv: Argv, name: str) -> int:
    """Set the pairs from argv[2] on; how many fields are new."""
    if len(argv) % 2:
        raise WrongArity(name)
    db, key = client.db, argv[1]
    thresholds, pairs = client.server.thresholds, argv[2:]
    found = db.edit(key, Hash)
    if found is None:
        found = Hash.packed(pairs, thresholds)
        if found is not None:
            db.add(key, found)
            db.changed(key, b"hset", HASH, len(pairs) // 2)
            return len(pairs) // 2
        found = _new(db, key)
    put = found.put
    found.expect(pairs, thresholds)
    before = len(found)
    for at_field in range(0, len(pairs), 2):
        put(pairs[at_field], pairs[at_field + 1], thresholds)
    db.changed(key, b"hset", HASH, len(pairs) // 2)
    return len(found) - before


@command("HSETNX", arity=4, flags=UPDATING, keys=at(1, RW | INSERT), acl="hash")
def hsetnx(client: Client, argv: Argv) -> Reply:
    """HSETNX key field value"""
    _, key, field, value = argv
    db = client.db
    found = db.edit(key, Hash)
    if found is None:
        found = _new(db, key)
    elif field in found:
        return ZERO
    found.put(field, value, client.server.thresholds)
    db.changed(key, b"hset", HASH)
    return ONE


@command("HINCRBY", arity=4, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="hash")
def hincrby(client: Client, argv: Argv) -> Reply:
    """HINCRBY key field increment"""
    _, key, field, increment = argv
    db = client.db
    delta = parse_int(increment)
    found = db.edit(key, Hash)
    old = found.get(field) if found is not None else None
    number = parse_int_or_none(old) if old is not None else 0
    if number is None:
        raise HashValueNotInteger
    number += delta
    if not INT64_MIN <= number <= INT64_MAX:
        raise Overflow
    if found is None:
        found = _new(db, key)
    found.put(field, b"%d" % number, client.server.thresholds)
    db.changed(key, b"hincrby", HASH)
    return integer(number)


@command("HINCRBYFLOAT", arity=4, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="hash")
def hincrbyfloat(client: Client, argv: Argv) -> Reply:
    """HINCRBYFLOAT key field increment"""
    _, key, field, increment = argv
    db = client.db
    delta = parse_long_double(increment)
    if not is_finite(delta):
        raise IncrementNotFinite
    found = db.edit(key, Hash)
    old = found.get(field) if found is not None else None
    try:
        number = parse_long_double(old) if old is not None else (0, 0)
    except NotFloat:
        raise HashValueNotFloat from None
    text = format_long_double(add_long_doubles(number, delta))
    if found is None:
        found = _new(db, key)
    found.put(field, text, client.server.thresholds)
    db.changed(key, b"hincrbyfloat", HASH)
    client.propagate(b"HSET", key, field, text)
    return bulk(text)


@command("HDEL", arity=-3, flags=WRITE | FAST, keys=at(1, RW | DELETE), acl="hash")
def hdel(client: Client, argv: Argv) -> Reply:
    """HDEL key field [field ...]"""
    db, key = client.db, argv[1]
    found = db.edit(key, Hash)
    if found is None:
        return ZERO
    before = len(found)
    for field in argv[2:]:
        found.pop(field, None)
    deleted = before - len(found)
    if deleted:
        if not found:
            db.remove(key)
        db.changed(key, b"hdel", HASH, deleted)
        if not found:
            db.event(key, b"del", GENERIC)
    return integer(deleted)


# --- reading --------------------------------------------------------------------------------------


@command("HGET", arity=3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="hash")
def hget(client: Client, argv: Argv) -> Reply:
    """HGET key field"""
    found = client.db.read(argv[1], Hash)
    if found is None:
        return client.wire.null
    value = found.get(argv[2])
    return client.wire.null if value is None else b"$%d\r\n%b\r\n" % (len(value), value)


@command("HMGET", arity=-3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="hash")
def hmget(client: Client, argv: Argv) -> Reply:
    """HMGET key field [field ...]"""
    found = client.db.read(argv[1], Hash)
    null = client.wire.null
    if found is None:
        return array_of_optional_bulks([None] * (len(argv) - 2), null)
    return array_of_optional_bulks([found.get(field) for field in argv[2:]], null)


@command("HGETALL", arity=2, flags=READONLY, keys=at(1, RO | ACCESS), acl="hash", tips=ANY_ORDER)
def hgetall(client: Client, argv: Argv) -> Reply:
    """HGETALL key"""
    found = client.db.read_whole(argv[1], Hash)
    return client.wire.empty_map if found is None else client.wire.map_of_bulks(found.flat())


@command("HKEYS", arity=2, flags=READONLY, keys=at(1, RO | ACCESS), acl="hash", tips=ANY_ORDER)
def hkeys(client: Client, argv: Argv) -> Reply:
    """HKEYS key"""
    found = client.db.read_whole(argv[1], Hash)
    return EMPTY_ARRAY if found is None else array_of_bulks(found)


@command("HVALS", arity=2, flags=READONLY, keys=at(1, RO | ACCESS), acl="hash", tips=ANY_ORDER)
def hvals(client: Client, argv: Argv) -> Reply:
    """HVALS key"""
    found = client.db.read_whole(argv[1], Hash)
    return EMPTY_ARRAY if found is None else array_of_bulks(found.values())


@command("HLEN", arity=2, flags=READONLY | FAST, keys=at(1, RO), acl="hash")
def hlen(client: Client, argv: Argv) -> Reply:
    """HLEN key"""
    found = client.db.read_whole(argv[1], Hash)
    return ZERO if found is None else integer(len(found))


@command("HEXISTS", arity=3, flags=READONLY | FAST, keys=at(1, RO), acl="hash")
def hexists(client: Client, argv: Argv) -> Reply:
    """HEXISTS key field"""
    found = client.db.read(argv[1], Hash)
    return ONE if found is not None and argv[2] in found else ZERO


@command("HSTRLEN", arity=3, flags=READONLY | FAST, keys=at(1, RO), acl="hash")
def hstrlen(client: Client, argv: Argv) -> Reply:
    """HSTRLEN key field"""
    found = client.db.read(argv[1], Hash)
    return ZERO if found is None else integer(len(found.get(argv[2], b"")))


@command("HRANDFIELD", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS), acl="hash", tips=RANDOM)
def hrandfield(client: Client, argv: Argv) -> Reply:
    """HRANDFIELD key [count [WITHVALUES]]"""
    rng = client.server.rng
    if len(argv) == 2:
        found = client.db.read(argv[1], Hash)
        return client.wire.null if found is None else bulk(found.choose(rng))
    count = parse_int(argv[2])
    if count == INT64_MIN:
        raise NotInRange(-INT64_MAX, INT64_MAX)
    if len(argv) > 4 or (len(argv) == 4 and argv[3].upper() != b"WITHVALUES"):
        raise InvalidSyntax
    if len(argv) == 4 and abs(count) > INT64_MAX // 2:
        raise OutOfRange
    found = client.db.read(argv[1], Hash)
    if found is None or count == 0:
        return EMPTY_ARRAY
    if count < 0 or count == 1:
        fields = found.choose_many(most_replies(client, abs(count)), rng)
    elif count >= len(found):
        fields = list(found)
    else:
        fields = found.choose_distinct(count, rng)
    if len(argv) == 3:
        return array_of_bulks(fields)
    flat = [b""] * (2 * len(fields))
    flat[::2] = fields
    flat[1::2] = map(found.__getitem__, fields)
    return client.wire.pairs_of_bulks(flat)
