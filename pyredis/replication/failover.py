"""FAILOVER: hand the role of the leader to a replica that has everything (replication.c updateFailoverStatus)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..engine.pausing import WRITES
from ..errors import (
    FailoverInProgress,
    FailoverOfReplica,
    FailoverTargetOffline,
    FailoverTargetUnknown,
    FailoverWithoutReplicas,
    ForcedFailoverIncomplete,
)
from .replica import Replica, Stage

if TYPE_CHECKING:
    from ..engine.server import Server
    from .follower import Follower
    from .leader import Leader

NONE: Final = "no-failover"
WAITING: Final = "waiting-for-sync"
IN_PROGRESS: Final = "failover-in-progress"
PURPOSE: Final = "failover"
FOR_EVER: Final = 1 << 50


class Failover:
    """At most one failover: writes pause, a replica catches up, we follow it and have it take over."""

    def __init__(self, server: Server, leader: Leader, follower: Follower) -> None:
        self._server = server
        self._leader = leader
        self._follower = follower
        self.state = NONE
        self._target: tuple[str, int] | None = None
        self._deadline = 0
        self._force = False
        follower.failing_over = lambda: self.state == IN_PROGRESS
        follower.failover_answered = self.answered
        leader.ping_suspended = lambda: bool(self._deadline and server.pausing.mode)

    @property
    def active(self) -> bool:
        return self.state != NONE

    def start(self, target: tuple[str, int] | None, timeout_ms: int, force: bool) -> None:
        """Begin; the caller has checked the arguments.  Raises CommandError if it is not possible."""
        server = self._server
        if self.active:
            raise FailoverInProgress
        if self._follower.active:
            raise FailoverOfReplica
        if not self._leader.replicas:
            raise FailoverWithoutReplicas
        if force and (not timeout_ms or target is None):
            raise ForcedFailoverIncomplete
        if target is not None:
            replica = self._find(target)
            if replica is None:
                raise FailoverTargetUnknown
            if replica.stage is not Stage.ONLINE:
                raise FailoverTargetOffline
            server.log.notice(f"FAILOVER requested to {target[0]}:{target[1]}.")
        else:
            server.log.notice("FAILOVER requested to any replica.")
        self._target, self._force = target, force
        self._deadline = server.clock.monotonic_ns() + timeout_ms * 1_000_000 if timeout_ms else 0
        self.state = WAITING
        server.pausing.pause(PURPOSE, WRITES, FOR_EVER)

    def abort(self, reason: str) -> None:
        """Go on as before; a leader that had stepped back already takes its role again (abortFailover)."""
        if not self.active:
            return
        name = "any replica" if self._target is None else f"{self._target[0]}:{self._target[1]}"
        self._server.log.notice(f"FAILOVER to {name} aborted: {reason}")
        if self.state == IN_PROGRESS:
            self._follower.promote()
        self._clear()

    def _clear(self) -> None:
        self.state = NONE
        self._deadline, self._force, self._target = 0, False, None
        self._server.pausing.unpause(PURPOSE)

    def answered(self, accepted: bool) -> bool:
        """The target has answered our PSYNC; false if the link is of no use any more."""
        if self.state != IN_PROGRESS:
            return True
        if accepted:
            self._clear()
        else:
            self.abort("Failover target rejected psync request")
        return accepted

    def cron(self) -> None:
        """Ten times a second while it is active."""
        if self.state != WAITING:
            return
        if self._deadline and self._deadline <= self._server.clock.monotonic_ns():
            if self._force and self._target is not None:
                host, port = self._target
                self._server.log.notice(f"FAILOVER to {host}:{port} time out exceeded, failing over.")
                self.state = IN_PROGRESS
                self._follower.follow(host, port)
            else:
                self.abort("Replica never caught up before timeout")
            return
        replica = self._find(self._target) if self._target is not None else self._caught_up()
        if replica is not None and self._is_caught_up(replica):
            host, port = self._target = (replica.ip, replica.port)
            self.state = IN_PROGRESS
            self._server.log.notice(f"Failover target {host}:{port} is synced, failing over.")
            self._follower.follow(host, port)

    def _is_caught_up(self, replica: Replica) -> bool:
        return replica.ack_offset == self._leader.history.offset

    def _caught_up(self) -> Replica | None:
        return next((each for each in self._leader.replicas.values() if self._is_caught_up(each)), None)

    def _find(self, address: tuple[str, int]) -> Replica | None:
        host, port = address
        replicas = self._leader.replicas.values()
        return next((each for each in replicas if each.ip.lower() == host.lower() and each.port == port), None)
