"""Keys of whatever type: deleting, renaming, copying, choosing (db.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.values import duplicate, type_name
from ..errors import CopyInCluster, InvalidDbIndex, InvalidSyntax, NoSuchKey, NotInCluster, SameKey
from ..keyspace.events import GENERIC
from ..registry.arguments import Arguments, parse_int32
from ..registry.command import Argv, Reply, command
from ..registry.flags import (
    ACCESS,
    ALWAYS_TOUCHES,
    DELETE,
    DENYOOM,
    FAST,
    INSERT,
    LOOKS_ONLY,
    OW,
    READONLY,
    RM,
    RO,
    RW,
    TOUCHES_ARBITRARY_KEYS,
    UPDATE,
    WRITE,
)
from ..registry.keyspecs import at
from ..resp.encode import OK, ONE, ZERO, array_of_bulks, bulk, integer, simple
from ..util.glob import compile as compile_glob

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database

SUMMED: Final = ("request_policy:multi_shard", "response_policy:agg_sum")
_TRIES: Final = 100


# --- deleting -------------------------------------------------------------------------------------


@command("DEL", arity=-2, flags=WRITE, keys=at(1, RM | DELETE, last=-1), acl="keyspace", tips=SUMMED)
def del_(client: Client, argv: Argv) -> Reply:
    """DEL key [key ...]"""
    return _delete(client, argv, lazily=client.server.config.lazyfree_lazy_user_del)


@command("UNLINK", arity=-2, flags=WRITE | FAST, keys=at(1, RM | DELETE, last=-1), acl="keyspace", tips=SUMMED)
def unlink(client: Client, argv: Argv) -> Reply:
    """UNLINK key [key ...]"""
    return _delete(client, argv, lazily=True)


def _delete(client: Client, argv: Argv, *, lazily: bool) -> bytes:
    db = client.db
    expires = db.expires
    deleted = 0
    for key in argv[1:]:
        if key in expires:
            db.expire_if_due(key)
        if db.remove(key, lazily=lazily):
            db.changed(key, b"del", GENERIC)
            deleted += 1
    return integer(deleted)


# --- looking --------------------------------------------------------------------------------------


@command(
    "EXISTS", arity=-2, flags=READONLY | FAST | LOOKS_ONLY, keys=at(1, RO, last=-1), acl="keyspace", tips=SUMMED
)  # fmt: skip
def exists(client: Client, argv: Argv) -> Reply:
    """EXISTS key [key ...]"""
    read = client.db.read_any
    count = 0
    for key in argv[1:]:
        if read(key) is not None:
            count += 1
    return integer(count)


@command(
    "TOUCH", arity=-2, flags=READONLY | FAST | ALWAYS_TOUCHES, keys=at(1, RO, last=-1), acl="keyspace", tips=SUMMED
)  # fmt: skip
def touch(client: Client, argv: Argv) -> Reply:
    """TOUCH key [key ...]"""
    read = client.db.read_any
    return integer(sum([read(key) is not None for key in argv[1:]]))


@command("TYPE", arity=2, flags=READONLY | FAST | LOOKS_ONLY, keys=at(1, RO), acl="keyspace")
def type_(client: Client, argv: Argv) -> Reply:
    """TYPE key"""
    value = client.db.read_any(argv[1])
    return b"+none\r\n" if value is None else simple(type_name(value))


@command(
    "KEYS", arity=2, flags=READONLY, acl="keyspace dangerous",
    tips=("request_policy:all_shards", "nondeterministic_output_order"),
)  # fmt: skip
def keys(client: Client, argv: Argv) -> Reply:
    """KEYS pattern"""
    db, pattern = client.db, argv[1]
    found = list(db.data) if pattern == b"*" else list(filter(compile_glob(pattern), db.data))
    if db.expires and not client.server.sees_expired:
        now, when = client.server.now // 1_000_000, db.expires.get
        found = [key for key in found if when(key, now) >= now]
    return array_of_bulks(found)


@command(
    "RANDOMKEY", arity=1, flags=READONLY | TOUCHES_ARBITRARY_KEYS, acl="keyspace",
    tips=("request_policy:all_shards", "response_policy:special", "nondeterministic_output"),
)  # fmt: skip
def randomkey(client: Client, argv: Argv) -> Reply:
    """RANDOMKEY"""
    db = client.db
    # Where expired keys are only hidden there may be nothing else, and no end to the search.
    hidden = client.server.keeps_expired or client.server.expires_paused
    tries = _TRIES if hidden and len(db.data) == len(db.expires) else -1
    while (key := db.random_key()) is not None:
        tries -= 1
        if key not in db.expires or tries == 0 or not db.expire_if_due(key):
            return bulk(key)
    return client.wire.null


# --- under another name ---------------------------------------------------------------------------


def _transfer(key: bytes, source: Database, new_key: bytes, target: Database) -> None:
    """Move a value and its expiry to *new_key*, which does not exist."""
    when = source.ttl(key)
    target.add(new_key, source.take(key))
    if when is not None:
        target.expire_at(new_key, when)


@command("RENAME", arity=3, flags=WRITE, keys=(at(1, RW | ACCESS | DELETE), at(2, OW | UPDATE)), acl="keyspace")
def rename(client: Client, argv: Argv) -> Reply:
    """RENAME key newkey"""
    _rename(client, argv[1], argv[2], replace=True)
    return OK


@command(
    "RENAMENX", arity=3, flags=WRITE | FAST, acl="keyspace", keys=(at(1, RW | ACCESS | DELETE), at(2, OW | INSERT))
)
def renamenx(client: Client, argv: Argv) -> Reply:
    """RENAMENX key newkey"""
    return ONE if _rename(client, argv[1], argv[2], replace=False) else ZERO


def _rename(client: Client, key: bytes, new_key: bytes, *, replace: bool) -> bool:
    db = client.db
    if db.edit_any(key) is None:
        raise NoSuchKey
    if key == new_key:
        return False
    if db.edit_any(new_key) is not None:
        if not replace:
            return False
        db.remove(new_key, lazily=client.server.config.lazyfree_lazy_server_del)
    _transfer(key, db, new_key, db)
    db.changed(key, b"rename_from", GENERIC, 0)
    db.changed(new_key, b"rename_to", GENERIC)
    return True


def _database(client: Client, text: bytes) -> Database:
    index = parse_int32(text)
    databases = client.server.databases
    if not 0 <= index < len(databases):
        raise InvalidDbIndex
    return databases[index]


@command("MOVE", arity=3, flags=WRITE | FAST, keys=at(1, RW | ACCESS | UPDATE), acl="keyspace")
def move(client: Client, argv: Argv) -> Reply:
    """MOVE key db"""
    if client.server.cluster is not None:
        raise NotInCluster("MOVE")
    source, target, key = client.db, _database(client, argv[2]), argv[1]
    if source is target:
        raise SameKey
    if source.edit_any(key) is None or target.edit_any(key) is not None:
        return ZERO
    _transfer(key, source, key, target)
    source.changed(key, b"move_from", GENERIC, 0)
    target.changed(key, b"move_to", GENERIC)
    return ONE


@command("COPY", arity=-3, flags=WRITE | DENYOOM, keys=(at(1, RO | ACCESS), at(2, OW | UPDATE)), acl="keyspace")
def copy(client: Client, argv: Argv) -> Reply:
    """COPY source destination [DB destination-db] [REPLACE]"""
    source = target = client.db
    key, new_key = argv[1], argv[2]
    replace = False
    options = Arguments(argv, 3)
    while options:
        match options.word():
            case b"REPLACE":
                replace = True
            case b"DB":
                target = _database(client, options.raw())
            case _:
                raise InvalidSyntax
    if target.index and client.server.cluster is not None:
        raise CopyInCluster
    if source is target and key == new_key:
        raise SameKey
    value = source.read_any(key)
    if value is None:
        return ZERO
    if target.edit_any(new_key) is not None:
        if not replace:
            return ZERO
        target.remove(new_key)
    target.add(new_key, duplicate(value))
    when = source.ttl(key)
    if when is not None:
        target.expire_at(new_key, when)
    target.changed(new_key, b"copy_to", GENERIC)
    return ONE
