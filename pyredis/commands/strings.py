"""Strings: GET, SET and their relatives (t_string.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.bits import grow
from ..datatypes.values import Spelled
from ..errors import (
    DecrementOverflow,
    InvalidExpireTime,
    InvalidSyntax,
    OffsetOutOfRange,
    Overflow,
    StringTooLong,
    WrongArity,
)
from ..keyspace.events import GENERIC, STRING
from ..registry.command import Argv, Command, Reply, command
from ..registry.flags import (
    ACCESS,
    DELETE,
    DENYOOM,
    FAST,
    INSERT,
    OW,
    READONLY,
    RO,
    RW,
    UPDATE,
    VARIABLE_FLAGS,
    WRITE,
)
from ..registry.keyspecs import at
from ..resp.encode import EMPTY_BULK, OK, ONE, ZERO, array_of_bulks, array_of_optional_bulks, bulk, integer
from ..util.numbers import INT64_MAX, INT64_MIN, long_double_add, parse_int, parse_int_or_none

if TYPE_CHECKING:
    from ..engine.client import Client

UPDATING: Final = WRITE | DENYOOM | FAST
MULTI_SHARD: Final = ("request_policy:multi_shard",)
ALL_SUCCEEDED: Final = ("request_policy:multi_shard", "response_policy:all_succeeded")

# Milliseconds per unit, and whether the time counts from now.
_LIFETIMES: Final = {b"EX": (1000, True), b"PX": (1, True), b"EXAT": (1000, False), b"PXAT": (1, False)}
_ZERO: Final = 48  # ord("0")


# --- reading --------------------------------------------------------------------------------------


@command("GET", arity=2, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="string")
def get(client: Client, argv: Argv) -> Reply:
    """GET key"""
    db, key = client.db, argv[1]
    value = db.data.get(key)
    if type(value) is not bytes or key in db.expires:  # a frame less for the usual case
        value = db.read(key, bytes)
        if value is None:
            return client.wire.null
    else:
        db.server.keyspace_hits += 1
    return b"$%d\r\n%b\r\n" % (len(value), value)


@command("MGET", arity=-2, flags=READONLY | FAST, keys=at(1, RO | ACCESS, last=-1), acl="string", tips=MULTI_SHARD)
def mget(client: Client, argv: Argv) -> Reply:
    """MGET key [key ...]"""
    db = client.db
    get_value, expires = db.data.get, db.expires
    values: list[bytes | bytearray | None] = []
    add = values.append
    hits, missing = 0, False
    for key in argv[1:]:
        value = get_value(key)
        if value.__class__ is bytes and key not in expires:
            hits += 1
        else:
            value = db.read_any(key)
            if not isinstance(value, (bytes, bytearray)):
                value, missing = None, True
        add(value)
    client.server.keyspace_hits += hits
    if missing:
        return array_of_optional_bulks(values, client.wire.null)
    return array_of_bulks(values)  # type: ignore[arg-type]


@command("STRLEN", arity=2, flags=READONLY | FAST, keys=at(1, RO), acl="string")
def strlen(client: Client, argv: Argv) -> Reply:
    """STRLEN key"""
    value = client.db.read(argv[1], bytes)
    return ZERO if value is None else integer(len(value))


@command("GETRANGE", arity=4, flags=READONLY, keys=at(1, RO | ACCESS), acl="string")
@command("SUBSTR", arity=4, flags=READONLY, keys=at(1, RO | ACCESS), acl="string")
def getrange(client: Client, argv: Argv) -> Reply:
    """GETRANGE key start end"""
    start, end = parse_int(argv[2]), parse_int(argv[3])
    value = client.db.read(argv[1], bytes)
    if value is None or (start < 0 and end < 0 and start > end):
        return EMPTY_BULK
    size = len(value)
    if start < 0:
        start = max(start + size, 0)
    if end < 0:
        end = max(end + size, 0)
    return bulk(value[start : end + 1])


# --- SET and what amounts to it -------------------------------------------------------------------


def _set_keys(command: Command, argv: Argv) -> list[tuple[int, int]]:
    """SET reads the key only with GET (db.c setGetKeys)."""
    if any(option.upper() == b"GET" for option in argv[3:]):
        return [(1, RW | ACCESS | UPDATE)]
    return [(1, OW | UPDATE)]


@command(
    "SET", arity=-3, flags=WRITE | DENYOOM, acl="string", get_keys=_set_keys,
    keys=at(1, RW | ACCESS | UPDATE | VARIABLE_FLAGS, notes="RW and ACCESS due to the optional `GET` argument"),
)  # fmt: skip
def set_(client: Client, argv: Argv) -> Reply:
    """SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]"""
    if len(argv) > 3:
        return _set_with_options(client, argv)
    db, key = client.db, argv[1]
    server = client.server
    if db.sampler is None and not server.notify_flags and key not in db.expires:
        if not server.observers:  # nobody to tell: two frames less, a fifth of SET
            db.data[key] = argv[2]
            server.dirty += 1
            return OK
        if server.only_noting:  # three frames less for a leader
            db.data[key] = argv[2]
            server.dirty += 1
            server.unsettled = server.propagation.wrote = True
            return OK
    if key in db.expires:
        db.expire_for_write(key)
    db.store(key, argv[2])
    db.changed(key, b"set", STRING)
    return OK


def _set_with_options(client: Client, argv: Argv) -> Reply:
    lifetime = condition = b""
    answer_old = False
    time: bytes | None = None
    position, end = 3, len(argv)
    while position < end:
        option = argv[position].upper()
        position += 1
        if option in _LIFETIMES:
            if position == end or (lifetime and lifetime != option):
                raise InvalidSyntax
            lifetime, time = option, argv[position]
            position += 1
        elif option in (b"NX", b"XX"):
            if condition and condition != option:
                raise InvalidSyntax
            condition = option
        elif option == b"GET":
            answer_old = True
        elif option == b"KEEPTTL" and lifetime in (b"", b"KEEPTTL"):
            lifetime = option
        else:
            raise InvalidSyntax
    when = None if time is None else _deadline(client, time, lifetime, "set")

    db, key = client.db, argv[1]
    reply = OK
    if answer_old:
        old = db.read(key, bytes)
        reply = client.wire.null if old is None else bulk(old)
    exists = key in db.data and not (key in db.expires and db.expire_for_write(key))
    if condition and exists is (condition == b"NX"):
        return reply if answer_old else client.wire.null
    if when is not None:
        _store_until(client, key, argv[2], when, rewritten=lifetime != b"PXAT")
        return reply
    db.store(key, argv[2], keep_ttl=lifetime != b"")
    db.changed(key, b"set", STRING)
    if answer_old:
        client.propagate(*argv[:3], *(option for option in argv[3:] if option.upper() != b"GET"))
    return reply


def _deadline(client: Client, time: bytes, lifetime: bytes, name: str) -> int:
    """When a key set now will expire (getExpireMillisecondsOrReply).  Raises NotInteger, InvalidExpireTime."""
    unit, relative = _LIFETIMES[lifetime]
    when = parse_int(time) * unit
    if relative and when > 0:
        when += client.server.now // 1_000_000
    if not 0 < when <= INT64_MAX:
        raise InvalidExpireTime(name)
    return when


def _store_until(client: Client, key: bytes, value: bytes, when: int, *, rewritten: bool = True) -> None:
    """Set *key* to *value* until *when*; *rewritten*: propagated as SET ... PXAT."""
    db = client.db
    db.store(key, value, keep_ttl=True)
    db.changed(key, b"set", STRING)
    db.expire_at(key, when)
    if rewritten and client.server.propagation.active:
        client.propagate(b"SET", key, value, b"PXAT", b"%d" % when)
    if client.server.notify is not None:
        db.event(key, b"expire", GENERIC)


@command("SETEX", arity=4, flags=WRITE | DENYOOM, keys=at(1, OW | UPDATE), acl="string")
def setex(client: Client, argv: Argv) -> Reply:
    """SETEX key seconds value"""
    return _set_for(client, argv, b"EX", "setex")


@command("PSETEX", arity=4, flags=WRITE | DENYOOM, keys=at(1, OW | UPDATE), acl="string")
def psetex(client: Client, argv: Argv) -> Reply:
    """PSETEX key milliseconds value"""
    return _set_for(client, argv, b"PX", "psetex")


def _set_for(client: Client, argv: Argv, lifetime: bytes, name: str) -> Reply:
    when = _deadline(client, argv[2], lifetime, name)
    db, key = client.db, argv[1]
    if key in db.expires:
        db.expire_for_write(key)
    _store_until(client, key, argv[3], when)
    return OK


@command("SETNX", arity=3, flags=UPDATING, keys=at(1, OW | INSERT), acl="string")
def setnx(client: Client, argv: Argv) -> Reply:
    """SETNX key value"""
    db, key = client.db, argv[1]
    if db.edit_any(key) is not None:
        return ZERO
    db.add(key, argv[2])
    db.changed(key, b"set", STRING)
    return ONE


@command(
    "MSET", arity=-3, flags=WRITE | DENYOOM, keys=at(1, OW | UPDATE, last=-1, step=2), acl="string", tips=ALL_SUCCEEDED
)
def mset(client: Client, argv: Argv) -> Reply:
    """MSET key value [key value ...]"""
    if len(argv) % 2 == 0:
        raise WrongArity("mset")
    _set_all(client, argv)
    return OK


@command("MSETNX", arity=-3, flags=WRITE | DENYOOM, keys=at(1, OW | INSERT, last=-1, step=2), acl="string")
def msetnx(client: Client, argv: Argv) -> Reply:
    """MSETNX key value [key value ...]"""
    if len(argv) % 2 == 0:
        raise WrongArity("msetnx")
    edit = client.db.edit_any
    if any(edit(key) is not None for key in argv[1::2]):
        return ZERO
    _set_all(client, argv)
    return ONE


def _set_all(client: Client, argv: Argv) -> None:
    db = client.db
    server = db.server
    store, changed, expires = db.store, db.changed, db.expires
    if db.sampler is None and not server.observers and not server.notify_flags and not expires:
        data = db.data  # nobody to tell, as in SET
        for key, value in zip(argv[1::2], argv[2::2], strict=True):
            data[key] = value
        server.dirty += len(argv) // 2
        return
    for key, value in zip(argv[1::2], argv[2::2], strict=True):
        if key in expires:
            db.expire_for_write(key)
        store(key, value)
        changed(key, b"set", STRING)


# --- reading and changing at once -----------------------------------------------------------------


@command("GETSET", arity=3, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="string")
def getset(client: Client, argv: Argv) -> Reply:
    """GETSET key value"""
    db, key = client.db, argv[1]
    old = db.read(key, bytes)
    reply = client.wire.null if old is None else bulk(old)
    db.store(key, argv[2])
    db.changed(key, b"set", STRING)
    client.propagate(b"SET", key, argv[2])
    return reply


@command("GETDEL", arity=2, flags=WRITE | FAST, keys=at(1, RW | ACCESS | DELETE), acl="string")
def getdel(client: Client, argv: Argv) -> Reply:
    """GETDEL key"""
    db, key = client.db, argv[1]
    value = db.read(key, bytes)
    if value is None:
        return client.wire.null
    reply = bulk(value)
    db.remove(key)
    db.changed(key, b"del", GENERIC)
    client.propagate(b"DEL", key)
    return reply


@command(
    "GETEX", arity=-2, flags=WRITE | FAST, acl="string",
    keys=at(1, RW | ACCESS | UPDATE, notes="RW and UPDATE because it changes the TTL"),
)  # fmt: skip
def getex(client: Client, argv: Argv) -> Reply:
    """GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]"""
    lifetime, time = _parse_getex(argv)
    db, key = client.db, argv[1]
    value = db.read(key, bytes)
    if value is None:
        return client.wire.null
    when = None if time is None else _deadline(client, time, lifetime, "getex")
    reply = bulk(value)
    if when is not None:
        server = client.server
        absolute = not _LIFETIMES[lifetime][1]
        if absolute and when <= server.now // 1_000_000 and not server.keeps_expired:
            db.remove(key)
            db.changed(key, b"del", GENERIC)
            client.propagate(b"UNLINK" if server.config.lazyfree_lazy_expire else b"DEL", key)
        else:
            db.expire_at(key, when)
            db.changed(key, b"expire", GENERIC)
            client.propagate(b"PEXPIREAT", key, b"%d" % when)
    elif lifetime and db.persist(key):
        db.changed(key, b"persist", GENERIC)
        client.propagate(b"PERSIST", key)
    return reply


def _parse_getex(argv: Argv) -> tuple[bytes, bytes | None]:
    """The option that sets the lifetime, and its time."""
    lifetime, time = b"", None
    position, end = 2, len(argv)
    while position < end:
        option = argv[position].upper()
        position += 1
        if lifetime and lifetime != option:
            raise InvalidSyntax
        if option in _LIFETIMES and position < end:
            time = argv[position]
            position += 1
        elif option != b"PERSIST":
            raise InvalidSyntax
        lifetime = option
    return lifetime, time


# --- numbers --------------------------------------------------------------------------------------


def _increase(client: Client, key: bytes, amount: int = 1) -> bytes:
    db = client.db
    old = db.data.get(key)
    if old is not None and (old.__class__ is not bytes or key in db.expires):
        old = db.edit(key, bytes)
    if old is None:
        text = b"%d" % amount
        db.add(key, text)
    else:
        plain = len(old) < 19 and old.isdigit() and old[0] != _ZERO
        total = (int(old) if plain else parse_int(old)) + amount
        if not INT64_MIN <= total <= INT64_MAX:
            raise Overflow
        text = b"%d" % total
        db.data[key] = text
    if db.server.observers:
        db.changed(key, b"incrby", STRING)
    else:
        db.server.dirty += 1
    return b":%b\r\n" % text


@command("INCR", arity=2, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="string")
def incr(client: Client, argv: Argv) -> Reply:
    """INCR key"""
    return _increase(client, argv[1])


@command("DECR", arity=2, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="string")
def decr(client: Client, argv: Argv) -> Reply:
    """DECR key"""
    return _increase(client, argv[1], -1)


@command("INCRBY", arity=3, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="string")
def incrby(client: Client, argv: Argv) -> Reply:
    """INCRBY key increment"""
    return _increase(client, argv[1], parse_int(argv[2]))


@command("DECRBY", arity=3, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="string")
def decrby(client: Client, argv: Argv) -> Reply:
    """DECRBY key decrement"""
    amount = parse_int(argv[2])
    if amount == INT64_MIN:
        raise DecrementOverflow
    return _increase(client, argv[1], -amount)


@command("INCRBYFLOAT", arity=3, flags=UPDATING, keys=at(1, RW | ACCESS | UPDATE), acl="string")
def incrbyfloat(client: Client, argv: Argv) -> Reply:
    """INCRBYFLOAT key increment"""
    db, key = client.db, argv[1]
    old = db.edit(key, bytes)
    total = long_double_add(b"0" if old is None else old, argv[2])
    value = total if parse_int_or_none(total) is None else Spelled(total)
    if old is None:
        db.add(key, value)
    else:
        db.data[key] = value
    db.changed(key, b"incrbyfloat", STRING)
    client.propagate(b"SET", key, total, b"KEEPTTL")
    return bulk(total)


# --- editing in place -----------------------------------------------------------------------------


def check_length(client: Client, size: int) -> None:
    """Raise StringTooLong if a string of *size* bytes is longer than proto-max-bulk-len allows."""
    if size > client.server.config.proto_max_bulk_len and not client.internal:
        raise StringTooLong


@command("APPEND", arity=3, flags=UPDATING, keys=at(1, RW | INSERT), acl="string")
def append(client: Client, argv: Argv) -> Reply:
    """APPEND key value"""
    db, key, tail = client.db, argv[1], argv[2]
    value = db.edit(key, bytes)
    if value is None:
        db.add(key, tail)
        size = len(tail)
    else:
        size = len(value) + len(tail)
        check_length(client, size)
        if isinstance(value, bytearray):
            value += tail
        else:
            db.data[key] = bytearray(value + tail)
    db.changed(key, b"append", STRING)
    return integer(size)


@command("SETRANGE", arity=4, flags=WRITE | DENYOOM, keys=at(1, RW | UPDATE), acl="string")
def setrange(client: Client, argv: Argv) -> Reply:
    """SETRANGE key offset value"""
    offset, patch = parse_int(argv[2]), argv[3]
    if offset < 0:
        raise OffsetOutOfRange
    db, key = client.db, argv[1]
    value = db.edit(key, bytes)
    if not patch:
        return ZERO if value is None else integer(len(value))
    end = offset + len(patch)
    check_length(client, end)
    buffer = value if isinstance(value, bytearray) else bytearray(value or b"")
    grow(buffer, end)
    buffer[offset:end] = patch
    if value is None:
        db.add(key, buffer)
    elif buffer is not value:
        db.data[key] = buffer
    db.changed(key, b"setrange", STRING)
    return integer(len(buffer))
