"""Whole databases: emptying, exchanging, counting (db.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import CommandError, InvalidDbIndex, InvalidFirstDb, InvalidSecondDb, InvalidSyntax, NotInCluster
from ..registry.arguments import parse_int32
from ..registry.command import Argv, Reply, command
from ..registry.flags import FAST, READONLY, WRITE
from ..resp.encode import OK, integer

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database

ALL_SHARDS: Final = ("request_policy:all_shards", "response_policy:all_succeeded")


@command(
    "DBSIZE", arity=1, flags=READONLY | FAST, acl="keyspace",
    tips=("request_policy:all_shards", "response_policy:agg_sum"),
)  # fmt: skip
def dbsize(client: Client, argv: Argv) -> Reply:
    """DBSIZE"""
    return integer(len(client.db.data))


@command("FLUSHDB", arity=-1, flags=WRITE, acl="keyspace dangerous", tips=ALL_SHARDS)
def flushdb(client: Client, argv: Argv) -> Reply:
    """FLUSHDB [ASYNC | SYNC]"""
    _flush(client, [client.db], client.db, lazily=_parse_flush(client, argv))
    client.propagate(*argv)
    return OK


@command("FLUSHALL", arity=-1, flags=WRITE, acl="keyspace dangerous", tips=ALL_SHARDS)
def flushall(client: Client, argv: Argv) -> Reply:
    """FLUSHALL [ASYNC | SYNC]"""
    _flush(client, client.server.databases, None, lazily=_parse_flush(client, argv))
    client.propagate(*argv)
    return OK


def _parse_flush(client: Client, argv: Argv) -> bool:
    """Whether to free later (db.c getFlushCommandFlags).  Raises InvalidSyntax."""
    if len(argv) == 1:
        return client.server.config.lazyfree_lazy_user_flush
    mode = argv[1].upper()
    if len(argv) > 2 or mode not in (b"ASYNC", b"SYNC"):
        raise InvalidSyntax
    return mode == b"ASYNC"


def _flush(client: Client, databases: list[Database], flushed: Database | None, *, lazily: bool) -> None:
    server = client.server
    for db in databases:
        server.watching.touched_all(db)
        server.blocking.signal_all(db)
        server.dirty += db.flush(lazily=lazily)
    if flushed is None:
        server.expire_cycle.own.clear()
    for hook in server.flushed:
        hook(flushed)


@command("SWAPDB", arity=3, flags=WRITE | FAST, acl="keyspace dangerous")
def swapdb(client: Client, argv: Argv) -> Reply:
    """SWAPDB index1 index2"""
    if client.server.cluster is not None:
        raise NotInCluster("SWAPDB")
    first = _parse_index(argv[1], InvalidFirstDb)
    second = _parse_index(argv[2], InvalidSecondDb)
    server = client.server
    count = len(server.databases)
    if not (0 <= first < count and 0 <= second < count):
        raise InvalidDbIndex
    if first != second:
        one, other = server.databases[first], server.databases[second]
        server.watching.touched_all(one, other)
        server.watching.touched_all(other, one)
        server.swap(first, second)
        server.blocking.signal_all(one)
        server.blocking.signal_all(other)
    server.dirty += 1
    client.propagate(*argv)
    return OK


def _parse_index(text: bytes, error: type[CommandError]) -> int:
    try:
        return parse_int32(text)
    except CommandError:
        raise error from None
