"""The reasons for which a command is refused, queued or postponed, in the order of server.c processCommand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import (
    BusyScript,
    CommandError,
    ExecAbortedBecause,
    Loading,
    MasterDown,
    NoAuth,
    NoReplicas,
    NotInMulti,
    OutOfMemory,
    ProtectedCommand,
    ReadOnlyReplica,
    Redirection,
    ReplicaKeyspaceAccess,
    SubscribedMode,
    WrongArity,
)
from ..registry.flags import (
    DENYOOM,
    DIAGNOSTIC,
    GATE_ACL,
    GATE_AUTH,
    GATE_BUSY,
    GATE_CLUSTER,
    GATE_DISK,
    GATE_LOADING,
    GATE_MEMORY,
    GATE_MONITORED,
    GATE_MULTI,
    GATE_PAUSED,
    GATE_PROFILE,
    GATE_READONLY,
    GATE_REPLICA,
    GATE_REPLICAS,
    GATE_STALE,
    GATE_SUBSCRIBED,
    IMMEDIATE,
    LOADING,
    MAY_REPLICATE,
    NO_ASYNC_LOADING,
    NO_MULTI,
    PROTECTED,
    READONLY,
    RELAYS_QUEUE,
    RELAYS_SCRIPT,
    STALE,
    WRITE,
)
from ..resp.encode import QUEUED

if TYPE_CHECKING:
    from ..registry.command import Argv, Command
    from .client import Client

REFUSING: Final = (
    GATE_MEMORY | GATE_DISK | GATE_REPLICAS | GATE_READONLY | GATE_SUBSCRIBED | GATE_STALE | GATE_LOADING | GATE_BUSY
    | GATE_REPLICA
)  # fmt: skip
"""What ``_refuse`` looks at."""


def guard(client: Client, command: Command, argv: Argv) -> bool:
    """True if *command* may run now.  False: it was queued or postponed.  Raises what refuses it."""
    server = client.server
    if not command.least <= len(argv) <= command.most:
        raise WrongArity(command.name)
    if command.flags & PROTECTED and not server.allows_protected(client, command):
        raise ProtectedCommand(command.name)
    gate = (client.gate | server.gate) & command.gates
    if gate & GATE_AUTH:
        raise NoAuth
    if client.transaction is not None and command.flags & NO_MULTI:
        raise NotInMulti
    if gate & (GATE_ACL | GATE_PROFILE):
        server.acl.check_or_raise(client, command, argv)
    flags = command.flags
    if not client.internal:
        missing = ~flags
        if flags & (RELAYS_SCRIPT | RELAYS_QUEUE):
            flags, missing = _effective_flags(client, command, argv)
        if gate & GATE_CLUSTER:
            server.cluster.redirect(client, command, argv, flags)
        if gate & REFUSING:
            _refuse(client, command, gate, flags, missing)
        if gate & GATE_PAUSED and server.pausing.postpone(client, command, argv, flags):
            return False
    if gate & GATE_MULTI:
        assert client.transaction is not None
        if not client.dirty_cas:  # else it cannot succeed
            client.transaction.queue(command, argv, flags)
        client.out.append(QUEUED)
        return False
    if gate & GATE_MONITORED and command.flags & RELAYS_SCRIPT and not server.loading:
        server.monitoring.feed(client, argv)  # before the commands of the script; others follow when they have run
    return True


def rejection(client: Client, command: Command | None, error: CommandError) -> CommandError:
    """What to answer when *error* refused *command*: EXEC aborts, other commands spoil the transaction."""
    if command is not None and command.flags & RELAYS_QUEUE:  # even outside MULTI
        client.server.leave_multi(client)
        return error if isinstance(error, Redirection) else ExecAbortedBecause(error)
    if client.transaction is not None:
        client.transaction.aborted = True
    return error


def _effective_flags(client: Client, command: Command, argv: Argv) -> tuple[int, int]:
    """What running *command* amounts to: (flags, flags that something in it lacks)."""
    flags = command.flags
    if flags & RELAYS_SCRIPT:
        flags = client.server.script_flags(client, command, argv)
    missing = ~flags
    if flags & RELAYS_QUEUE and client.transaction is not None:
        flags |= client.transaction.flags
        missing |= client.transaction.missing
    return flags, missing


def _refuse(client: Client, command: Command, gate: int, flags: int, missing: int) -> None:
    server = client.server
    if gate & GATE_MEMORY:
        out_of_memory = not server.make_room()
        queued = client.transaction is not None and not command.flags & IMMEDIATE
        if out_of_memory and (flags & DENYOOM or queued):
            raise OutOfMemory
        server.was_out_of_memory = out_of_memory
    if gate & GATE_DISK and flags & (WRITE | DIAGNOSTIC):
        server.raise_disk_error()
    if gate & GATE_REPLICAS and flags & WRITE:
        raise NoReplicas
    if gate & GATE_READONLY and flags & WRITE:
        raise ReadOnlyReplica
    if gate & GATE_SUBSCRIBED:
        raise SubscribedMode(command.name)
    if gate & GATE_STALE and missing & STALE:
        raise MasterDown
    if gate & GATE_LOADING and (flags & NO_ASYNC_LOADING if server.async_loading else missing & LOADING):
        raise Loading
    if gate & GATE_BUSY:
        raise BusyScript(server.busy_text)
    if gate & GATE_REPLICA and flags & (WRITE | READONLY | MAY_REPLICATE):
        raise ReplicaKeyspaceAccess
