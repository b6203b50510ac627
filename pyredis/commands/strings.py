"""Strings: GET, SET and their relatives (t_string.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidSyntax
from ..keyspace.events import GENERIC, STRING
from ..registry.arguments import Arguments
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, DENYOOM, FAST, READONLY, RO, RW, UPDATE, VARIABLE_FLAGS, WRITE
from ..registry.keyspecs import at
from ..resp.encode import OK, bulk

if TYPE_CHECKING:
    from ..engine.client import Client


@command("GET", arity=2, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="string")
def get(client: Client, argv: Argv) -> Reply:
    """GET key"""
    value = client.db.read(argv[1], bytes)
    return client.wire.null if value is None else b"$%d\r\n%b\r\n" % (len(value), value)


@command(
    "SET", arity=-3, flags=WRITE | DENYOOM, acl="string",
    keys=at(1, RW | ACCESS | UPDATE | VARIABLE_FLAGS, notes="RW and ACCESS due to the optional `GET` argument"),
)  # fmt: skip
def set_(client: Client, argv: Argv) -> Reply:
    """SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]"""
    if len(argv) > 3:
        return _set_with_options(client, argv)
    db, key = client.db, argv[1]
    db.store(key, argv[2])
    db.changed(key, b"set", STRING)
    return OK
