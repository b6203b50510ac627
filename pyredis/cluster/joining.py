"""Makes a server a member of a cluster: its hooks, its cron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cron import PERIOD_MS
from .host import ServerHost
from .member import Member
from .state import ClusterState

if TYPE_CHECKING:
    from ..engine.server import Server


def join(server: Server, state: ClusterState) -> Member:
    """Let *server* take part as ``state.myself``; once only.  Its ``cluster`` must be there before anything happens.

    ``server.cluster`` owes ``key_count``, ``delete_keys``, ``empty`` and ``save`` (see ``host.Host``).
    """
    member = Member(state, server.config, ServerHost(server), server.rng)
    member.announcer.install()
    server.cron.every(PERIOD_MS, lambda server: member.cron.turn())
    hooks = server.before_sleep

    def before_sleep() -> None:
        hooks.remove(before_sleep)
        member.cron.before_sleep()

    def pending() -> None:
        if before_sleep not in hooks:
            hooks.append(before_sleep)

    state.pending = pending
    if state.todo:
        pending()
    leader = server.replication.leader
    suspended = leader.ping_suspended

    def ping_suspended() -> bool:
        """The stream must end where the replica was told (replicationCron)."""
        return bool(suspended() or (member.manual.active and server.pausing.mode))

    leader.ping_suspended = ping_suspended
    return member
