"""MULTI, EXEC and the optimistic locks (multi.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.dispatch import execute, monitor
from ..engine.transactions import Transaction
from ..errors import (
    DiscardWithoutMulti,
    ExecAborted,
    ExecWithoutMulti,
    NestedMulti,
    NoPermission,
    RightsChanged,
    WatchInsideMulti,
)
from ..registry.command import Argv, Command, Reply, command
from ..registry.flags import (
    ALLOW_BUSY,
    FAST,
    GATE_ACL,
    GATE_MONITORED,
    GATE_MULTI,
    GATE_PROFILE,
    IMMEDIATE,
    LOADING,
    NOSCRIPT,
    RELAYS_QUEUE,
    RO,
    SKIP_SLOWLOG,
    STALE,
)
from ..registry.keyspecs import at
from ..resp.encode import OK, array_header, encode_error

if TYPE_CHECKING:
    from ..engine.client import Client


@command("MULTI", arity=1, flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY | IMMEDIATE, acl="transaction")
def multi(client: Client, argv: Argv) -> Reply:
    """MULTI"""
    if client.transaction is not None:
        raise NestedMulti
    client.transaction = Transaction()
    client.restrict(GATE_MULTI)
    return OK


@command("DISCARD", arity=1, flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY | IMMEDIATE, acl="transaction")
def discard(client: Client, argv: Argv) -> Reply:
    """DISCARD"""
    if client.transaction is None:
        raise DiscardWithoutMulti
    client.server.leave_multi(client)
    return OK


@command("EXEC", arity=1, flags=NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG | IMMEDIATE | RELAYS_QUEUE, acl="transaction")
def exec_(client: Client, argv: Argv) -> Reply:
    """EXEC"""
    transaction = client.transaction
    if transaction is None:
        raise ExecWithoutMulti
    server = client.server
    if server.watching.expired_since(client):
        client.dirty_cas = True
    failed, stale = transaction.aborted, client.dirty_cas
    client.server.leave_multi(client)
    if failed:
        raise ExecAborted
    if stale:
        return client.wire.null_array
    replies = [array_header(len(transaction.commands))]
    client.can_block, client.in_exec = False, True
    try:
        for queued, queued_argv in transaction.commands:
            replies.append(_run_queued(client, queued, queued_argv))
    finally:
        client.can_block, client.in_exec = True, False
    return b"".join(replies)


def _run_queued(client: Client, queued: Command, argv: Argv) -> bytes:
    """Run one queued command.  Its user's rights may have changed since it was queued."""
    server = client.server
    if client.gate & queued.gates & (GATE_ACL | GATE_PROFILE):
        try:
            server.acl.check_or_raise(client, queued, argv)
        except NoPermission as denied:
            error = RightsChanged(denied)
            server.count_error(error)
            return encode_error(error)
    client.command, client.argv = queued, argv
    reply = execute(client, queued, argv)
    if server.gate & GATE_MONITORED:
        monitor(client, queued, argv)
    client.redacted = ()
    return reply or b""


@command(
    "WATCH",
    arity=-2,
    flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY | IMMEDIATE,
    acl="transaction",
    keys=at(1, RO, last=-1),
)
def watch(client: Client, argv: Argv) -> Reply:
    """WATCH key [key ...]"""
    if client.transaction is not None:
        raise WatchInsideMulti
    if client.dirty_cas:  # the next EXEC fails anyway
        return OK
    for key in argv[1:]:
        client.server.watching.watch(client, client.db, key)
    return OK


@command("UNWATCH", arity=1, flags=NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY, acl="transaction")
def unwatch(client: Client, argv: Argv) -> Reply:
    """UNWATCH"""
    client.server.watching.unwatch(client)
    client.dirty_cas = False
    return OK
