"""Small commands about the server: TIME, MONITOR, SHUTDOWN, ROLE of a lone server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...engine.shutdown import FORCE, NOSAVE, NOW, SAVE
from ...errors import BusyScript, InvalidSyntax, MonitorDenied, NoShutdown, ShutdownDenied
from ...registry.command import Argv, Reply, command
from ...registry.flags import (
    ADMIN,
    ALLOW_BUSY,
    FAST,
    LOADING,
    NO_MULTI,
    NOSCRIPT,
    STALE,
)
from ...resp.encode import OK, array_of_bulks

if TYPE_CHECKING:
    from ...engine.client import Client

SHUTDOWN_FLAGS = {b"NOSAVE": NOSAVE, b"SAVE": SAVE, b"NOW": NOW, b"FORCE": FORCE}


@command("TIME", arity=1, flags=LOADING | STALE | FAST, tips=("nondeterministic_output",))
def time(client: Client, argv: Argv) -> Reply:
    """TIME"""
    seconds, nanoseconds = divmod(client.server.now, 1_000_000_000)
    return array_of_bulks([b"%d" % seconds, b"%d" % (nanoseconds // 1000)])


@command("MONITOR", arity=1, flags=ADMIN | NOSCRIPT | LOADING | STALE)
def monitor(client: Client, argv: Argv) -> Reply:
    """MONITOR"""
    if not client.can_block:
        raise MonitorDenied
    if client.replica is None:
        client.server.monitoring.add(client)
    return OK


@command("SHUTDOWN", arity=-1, flags=ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY)
def shutdown(client: Client, argv: Argv) -> Reply:
    """SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]"""
    flags, abort = 0, False
    for word in argv[1:]:
        if word.upper() == b"ABORT":
            abort = True
        elif word.upper() in SHUTDOWN_FLAGS:
            flags |= SHUTDOWN_FLAGS[word.upper()]
        else:
            raise InvalidSyntax
    if (abort and flags) or (flags & NOSAVE and flags & SAVE):
        raise InvalidSyntax
    server = client.server
    if abort:
        if not server.shutdown.abort():
            raise NoShutdown
        return OK
    if not flags & NOW and not client.can_block:
        raise ShutdownDenied
    if not flags & NOSAVE and server.busy_text is not None:
        raise BusyScript(server.busy_text)
    server.shutdown.request(flags, client)
    return None
