"""When keys expire: EXPIRE, TTL and their relatives (expire.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import (
    IncompatibleExpireOptions,
    IncompatibleGtAndLt,
    InvalidExpireTime,
    UnsupportedExpireOption,
)
from ..keyspace.events import GENERIC
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, FAST, LOOKS_ONLY, READONLY, RO, RW, UPDATE, WRITE
from ..registry.keyspecs import at
from ..resp.encode import MINUS_ONE, MINUS_TWO, ONE, ZERO, integer
from ..util.numbers import INT64_MAX, INT64_MIN, parse_int

if TYPE_CHECKING:
    from ..engine.client import Client

_CONDITIONS: Final = frozenset((b"NX", b"XX", b"GT", b"LT"))
UNTIMED: Final = ("nondeterministic_output",)


@command("EXPIRE", arity=-3, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="keyspace")
def expire(client: Client, argv: Argv) -> Reply:
    """EXPIRE key seconds [NX | XX | GT | LT]"""
    return _expire(client, argv, 1000, client.server.now // 1_000_000, "expire")


@command("PEXPIRE", arity=-3, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="keyspace")
def pexpire(client: Client, argv: Argv) -> Reply:
    """PEXPIRE key milliseconds [NX | XX | GT | LT]"""
    return _expire(client, argv, 1, client.server.now // 1_000_000, "pexpire")


@command("EXPIREAT", arity=-3, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="keyspace")
def expireat(client: Client, argv: Argv) -> Reply:
    """EXPIREAT key unix-time-seconds [NX | XX | GT | LT]"""
    return _expire(client, argv, 1000, 0, "expireat")


@command("PEXPIREAT", arity=-3, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="keyspace")
def pexpireat(client: Client, argv: Argv) -> Reply:
    """PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]"""
    return _expire(client, argv, 1, 0, "pexpireat")


def _expire(client: Client, argv: Argv, unit: int, base: int, name: str) -> bytes:
    """Let a key expire at *base* + argv[2] * *unit* (ms); in the past means now."""
    conditions = _parse_conditions(argv) if len(argv) > 3 else None
    time = parse_int(argv[2])
    when = time * unit + base
    if when > INT64_MAX or time * unit < INT64_MIN:
        raise InvalidExpireTime(name)
    db, key, server = client.db, argv[1], client.server
    if db.edit_any(key) is None:
        return ZERO
    if conditions and not _holds(conditions, when, db.expires.get(key)):
        return ZERO
    if when <= server.now // 1_000_000 and not server.keeps_expired:
        db.remove(key, lazily=server.config.lazyfree_lazy_expire)
        db.changed(key, b"del", GENERIC)
        client.propagate(b"UNLINK" if server.config.lazyfree_lazy_expire else b"DEL", key)
        return ONE
    db.expire_at(key, when)
    db.changed(key, b"expire", GENERIC)
    if (base or unit != 1) and server.propagation.active:
        client.propagate(b"PEXPIREAT", key, b"%d" % when, *argv[3:])
    return ONE


def _parse_conditions(argv: Argv) -> set[bytes]:
    conditions = set()
    for option in argv[3:]:
        word = option.upper()
        if word not in _CONDITIONS:
            raise UnsupportedExpireOption(option)
        conditions.add(word)
    if b"NX" in conditions and len(conditions) > 1:
        raise IncompatibleExpireOptions
    if b"GT" in conditions and b"LT" in conditions:
        raise IncompatibleGtAndLt
    return conditions


def _holds(conditions: set[bytes], when: int, current: int | None) -> bool:
    """Whether the expiry may change from *current* to *when*; a key without one lives for ever."""
    if current is None:
        return b"XX" not in conditions and b"GT" not in conditions
    if b"NX" in conditions:
        return False
    if b"GT" in conditions:
        return when > current
    return b"LT" not in conditions or when < current


@command("PERSIST", arity=2, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="keyspace")
def persist(client: Client, argv: Argv) -> Reply:
    """PERSIST key"""
    db, key = client.db, argv[1]
    if db.edit_any(key) is None or not db.persist(key):
        return ZERO
    db.changed(key, b"persist", GENERIC)
    return ONE


# --- asking ---------------------------------------------------------------------------------------


@command("TTL", arity=2, flags=READONLY | FAST | LOOKS_ONLY, keys=at(1, RO | ACCESS), acl="keyspace", tips=UNTIMED)
def ttl(client: Client, argv: Argv) -> Reply:
    """TTL key"""
    return _lifetime(client, argv[1], client.server.now // 1_000_000, 1000)


@command("PTTL", arity=2, flags=READONLY | FAST | LOOKS_ONLY, keys=at(1, RO | ACCESS), acl="keyspace", tips=UNTIMED)
def pttl(client: Client, argv: Argv) -> Reply:
    """PTTL key"""
    return _lifetime(client, argv[1], client.server.now // 1_000_000, 1)


@command("EXPIRETIME", arity=2, flags=READONLY | FAST | LOOKS_ONLY, keys=at(1, RO | ACCESS), acl="keyspace")
def expiretime(client: Client, argv: Argv) -> Reply:
    """EXPIRETIME key"""
    return _lifetime(client, argv[1], 0, 1000)


@command("PEXPIRETIME", arity=2, flags=READONLY | FAST | LOOKS_ONLY, keys=at(1, RO | ACCESS), acl="keyspace")
def pexpiretime(client: Client, argv: Argv) -> Reply:
    """PEXPIRETIME key"""
    return _lifetime(client, argv[1], 0, 1)


def _lifetime(client: Client, key: bytes, since: int, unit: int) -> bytes:
    """The expiry as ms after *since*, in *unit*s of ms, rounded."""
    db = client.db
    if db.read_any(key) is None:
        return MINUS_TWO
    when = db.expires.get(key)
    if when is None:
        return MINUS_ONE
    left = max(when - since, 0)
    return integer(left if unit == 1 else (left + 500) // 1000)
