"""Lists: the commands that wait for an element (t_list.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..datatypes.lists import List
from ..engine.blocking import block, parse_timeout
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, BLOCKING, DELETE, DENYOOM, RW, WRITE
from ..registry.keyspecs import at, counted
from ..resp.encode import array_of_bulks, bulk
from .lists import MOVED_KEYS, move, parse_end, parse_mpop, pop_first, pop_one

if TYPE_CHECKING:
    from ..engine.client import Client


@command("BLPOP", arity=-3, flags=WRITE | BLOCKING, keys=at(1, RW | ACCESS | DELETE, last=-2), acl="list")
def blpop(client: Client, argv: Argv) -> Reply:
    """BLPOP key [key ...] timeout"""
    return _pop_or_block(client, argv, head=True)


@command("BRPOP", arity=-3, flags=WRITE | BLOCKING, keys=at(1, RW | ACCESS | DELETE, last=-2), acl="list")
def brpop(client: Client, argv: Argv) -> Reply:
    """BRPOP key [key ...] timeout"""
    return _pop_or_block(client, argv, head=False)


def _pop_or_block(client: Client, argv: Argv, *, head: bool) -> Reply:
    timeout = parse_timeout(argv[-1])
    db, keys = client.db, argv[1:-1]
    for key in keys:
        found = db.edit(key, List)
        if found is not None:
            value = pop_one(client, db, key, found, head=head)
            client.propagate(b"LPOP" if head else b"RPOP", key)
            return array_of_bulks((key, value))
    return block(client, "list", keys, List, timeout, client.wire.null_array)


@command("BLMPOP", arity=-5, flags=WRITE | BLOCKING, keys=counted(2, RW | ACCESS | DELETE), acl="list")
def blmpop(client: Client, argv: Argv) -> Reply:
    """BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]"""
    keys, head, count = parse_mpop(argv, 2)
    timeout = parse_timeout(argv[1])
    reply = pop_first(client, keys, count, head=head)
    return reply or block(client, "list", keys, List, timeout, client.wire.null_array)


@command("BLMOVE", arity=6, flags=WRITE | DENYOOM | BLOCKING, keys=MOVED_KEYS, acl="list")
def blmove(client: Client, argv: Argv) -> Reply:
    """BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout"""
    from_head, to_head = parse_end(argv[3]), parse_end(argv[4])
    timeout = parse_timeout(argv[5])
    value = move(client, argv[1], argv[2], from_head=from_head, to_head=to_head)
    if value is None:
        return _wait_for_source(client, argv[1], timeout)
    client.propagate(b"LMOVE", *argv[1:5])
    return bulk(value)


@command("BRPOPLPUSH", arity=4, flags=WRITE | DENYOOM | BLOCKING, keys=MOVED_KEYS, acl="list")
def brpoplpush(client: Client, argv: Argv) -> Reply:
    """BRPOPLPUSH source destination timeout"""
    timeout = parse_timeout(argv[3])
    value = move(client, argv[1], argv[2], from_head=False, to_head=True)
    if value is None:
        return _wait_for_source(client, argv[1], timeout)
    client.propagate(b"RPOPLPUSH", argv[1], argv[2])
    return bulk(value)


def _wait_for_source(client: Client, key: bytes, timeout: int) -> Reply:
    """Block; where that is not possible the reply is null, while a timeout's is a null array."""
    if not client.can_block:
        return client.wire.null
    return block(client, "list", [key], List, timeout, client.wire.null_array)
