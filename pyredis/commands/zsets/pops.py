"""Sorted sets: popping the lowest and highest members, if need be after waiting for some (t_zset.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...datatypes.zsets import SortedSet
from ...engine.blocking import block, parse_timeout
from ...errors import CountNotPositive, InvalidSyntax, NotPositive, NumkeysNotPositive
from ...keyspace.events import GENERIC, ZSET
from ...registry.arguments import Arguments, parse_at_least
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, BLOCKING, DELETE, FAST, RW, WRITE
from ...registry.keyspecs import at, counted
from ...resp.encode import EMPTY_ARRAY, array_header, bulk

if TYPE_CHECKING:
    from ...engine.client import Client


@command("ZPOPMIN", arity=-2, flags=WRITE | FAST, keys=at(1, RW | ACCESS | DELETE), acl="sortedset")
def zpopmin(client: Client, argv: Argv) -> Reply:
    """ZPOPMIN key [count]"""
    if len(argv) != 2:
        return _pop_count(client, argv, lowest=True)
    found = client.db.edit(argv[1], SortedSet)
    return EMPTY_ARRAY if found is None else b"*2\r\n" + _pop_one(client, argv[1], found, lowest=True)


@command("ZPOPMAX", arity=-2, flags=WRITE | FAST, keys=at(1, RW | ACCESS | DELETE), acl="sortedset")
def zpopmax(client: Client, argv: Argv) -> Reply:
    """ZPOPMAX key [count]"""
    if len(argv) != 2:
        return _pop_count(client, argv, lowest=False)
    found = client.db.edit(argv[1], SortedSet)
    return EMPTY_ARRAY if found is None else b"*2\r\n" + _pop_one(client, argv[1], found, lowest=False)


def _pop_count(client: Client, argv: Argv, *, lowest: bool) -> Reply:
    if len(argv) > 3:
        raise InvalidSyntax
    count = parse_at_least(argv[2], 0, NotPositive)
    found = client.db.edit(argv[1], SortedSet)
    if found is None or count == 0:
        return EMPTY_ARRAY
    return client.wire.scored(_pop_many(client, argv[1], found, count, lowest=lowest))


def _pop_one(client: Client, key: bytes, found: SortedSet, *, lowest: bool) -> bytes:
    """Pop an end of *found*, which is under *key*, and tell the others; member and score as replies."""
    if lowest:
        score, member = found.order.pop_first()
        event = b"zpopmin"
    else:
        score, member = found.order.pop_last()
        event = b"zpopmax"
    scores, db = found.scores, client.db
    del scores[member]
    if scores:
        db.changed(key, event, ZSET)
    else:
        db.remove(key)
        db.changed(key, event, ZSET)
        db.event(key, b"del", GENERIC)
    return b"$%d\r\n%b\r\n%b" % (len(member), member, client.wire.double(score))


def _pop_many(
    client: Client, key: bytes, found: SortedSet, count: int, *, lowest: bool
) -> list[tuple[bytes, float]]:  # fmt: skip
    """Pop up to *count* members from an end of *found*, and tell the others."""
    size = len(found)
    count = min(count, size)
    if lowest:
        entries = found.entries(0, count)
        found.delete(0, count)
    else:
        entries = found.entries(size - count, size)[::-1]
        found.delete(size - count, size)
    db = client.db
    if count == size:
        db.remove(key)
    db.changed(key, b"zpopmin" if lowest else b"zpopmax", ZSET, count)
    if count == size:
        db.event(key, b"del", GENERIC)
    return entries


# --- several keys ---------------------------------------------------------------------------------


@command("ZMPOP", arity=-4, flags=WRITE, keys=counted(1, RW | ACCESS | DELETE), acl="sortedset")
def zmpop(client: Client, argv: Argv) -> Reply:
    """ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]"""
    keys, lowest, count = _parse_mpop(argv, 1)
    return _pop_first(client, keys, count, lowest=lowest) or client.wire.null_array


def _parse_mpop(argv: Argv, numkeys_at: int) -> tuple[list[bytes], bool, int]:
    """Keys, whether to pop the lowest, and how many, out of ``numkeys key ... MIN | MAX [COUNT count]``."""
    numkeys = parse_at_least(argv[numkeys_at], 1, NumkeysNotPositive)
    first = numkeys_at + 1
    if first + numkeys >= len(argv):
        raise InvalidSyntax
    end = argv[first + numkeys].upper()
    if end not in (b"MIN", b"MAX"):
        raise InvalidSyntax
    count = 0
    options = Arguments(argv, first + numkeys + 1)
    while options:
        if count or options.word() != b"COUNT" or not options:
            raise InvalidSyntax
        count = parse_at_least(options.raw(), 1, CountNotPositive)
    return argv[first : first + numkeys], end == b"MIN", count or 1


def _pop_first(client: Client, keys: list[bytes], count: int, *, lowest: bool) -> bytes | None:
    """The reply of popping from the first sorted set under *keys* that exists; None if none does."""
    for key in keys:
        found = client.db.edit(key, SortedSet)
        if found is not None:
            entries = _pop_many(client, key, found, count, lowest=lowest)
            client.propagate(b"ZPOPMIN" if lowest else b"ZPOPMAX", key, b"%d" % len(entries))
            double = client.wire.double
            pairs = [b"*2\r\n" + bulk(member) + double(score) for member, score in entries]
            return b"*2\r\n" + bulk(key) + array_header(len(pairs)) + b"".join(pairs)
    return None


# --- waiting --------------------------------------------------------------------------------------


@command(
    "BZPOPMIN", arity=-3, flags=WRITE | BLOCKING | FAST, keys=at(1, RW | ACCESS | DELETE, last=-2), acl="sortedset"
)
def bzpopmin(client: Client, argv: Argv) -> Reply:
    """BZPOPMIN key [key ...] timeout"""
    return _pop_or_block(client, argv, lowest=True)


@command(
    "BZPOPMAX", arity=-3, flags=WRITE | BLOCKING | FAST, keys=at(1, RW | ACCESS | DELETE, last=-2), acl="sortedset"
)
def bzpopmax(client: Client, argv: Argv) -> Reply:
    """BZPOPMAX key [key ...] timeout"""
    return _pop_or_block(client, argv, lowest=False)


def _pop_or_block(client: Client, argv: Argv, *, lowest: bool) -> Reply:
    timeout = parse_timeout(argv[-1])
    keys = argv[1:-1]
    for key in keys:
        found = client.db.edit(key, SortedSet)
        if found is not None:
            popped = _pop_one(client, key, found, lowest=lowest)
            client.propagate(b"ZPOPMIN" if lowest else b"ZPOPMAX", key)
            return b"*3\r\n" + bulk(key) + popped
    return block(client, "zset", keys, SortedSet, timeout, client.wire.null_array)


@command("BZMPOP", arity=-5, flags=WRITE | BLOCKING, keys=counted(2, RW | ACCESS | DELETE), acl="sortedset")
def bzmpop(client: Client, argv: Argv) -> Reply:
    """BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]"""
    keys, lowest, count = _parse_mpop(argv, 2)
    timeout = parse_timeout(argv[1])
    reply = _pop_first(client, keys, count, lowest=lowest)
    return reply or block(client, "zset", keys, SortedSet, timeout, client.wire.null_array)
