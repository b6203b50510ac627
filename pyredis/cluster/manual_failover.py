"""CLUSTER FAILOVER: a replica takes over from a master that works, without losing a write.

The replica asks (MFSTART); the master holds its clients and flags its packets as paused; the replica reads from one
where the stream ended, waits until it has come that far, and has itself elected with votes that must be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .node import Node
from .state import HANDLE_FAILOVER, HANDLE_MANUAL_FAILOVER, ClusterState

if TYPE_CHECKING:
    from .host import Host

TIMEOUT_MS: Final = 5000
PAUSE_FACTOR: Final = 2


class ManualFailover:
    """Both sides of it (the mf_ fields of clusterState)."""

    def __init__(self, state: ClusterState, host: Host) -> None:
        self._state = state
        self._host = host
        self.end_ms = 0
        """Until when it has to succeed; 0 while there is none."""
        self.replica: Node | None = None
        """Who asked us, if we are the master."""
        self.master_offset: int | None = None
        """Where the master's stream ended, once we, the replica, know it."""
        self.can_start = False

    @property
    def active(self) -> bool:
        return self.end_ms != 0

    def reset(self) -> None:
        """There is none, or no longer one; clients go on (resetManualFailover)."""
        if self.replica is not None:
            self._host.unpause()
        self.end_ms = 0
        self.replica = None
        self.master_offset = None
        self.can_start = False

    def begin(self) -> None:
        """We, a replica, want to take over: the time runs."""
        self.reset()
        self.end_ms = self._host.now_ms() + TIMEOUT_MS

    def force(self) -> None:
        """CLUSTER FAILOVER FORCE: do not wait for the master."""
        self._state.log.notice("Forced failover user request accepted.")
        self.can_start = True

    def requested_by(self, replica: Node) -> None:
        """Our *replica* asks us, the master: hold clients that write."""
        self.begin()
        self.replica = replica
        self._host.pause_writes(TIMEOUT_MS * PAUSE_FACTOR)
        self._state.log.notice(f"Manual failover requested by replica {replica.name} ({replica.human_name}).")

    def master_paused_at(self, offset: int) -> None:
        """The master's stream ends at *offset*; counts once."""
        if self.master_offset is not None:
            return
        self.master_offset = offset
        self._state.schedule(HANDLE_MANUAL_FAILOVER)
        self._state.log.notice(f"Received replication offset for paused master manual failover: {offset}")

    def check_timeout(self) -> None:
        """Give up when its time has passed."""
        if self.end_ms and self.end_ms < self._host.now_ms():
            self._state.log.warning("Manual failover timed out.")
            self.reset()

    def handle(self) -> None:
        """Go on as soon as we have the whole stream (clusterHandleManualFailover)."""
        if not self.active or self.can_start or self.master_offset is None:
            return
        if self.master_offset == self._host.offset:
            self.can_start = True
            self._state.log.notice("All master replication stream processed, manual failover can start.")
            self._state.schedule(HANDLE_FAILOVER)
        else:
            self._state.schedule(HANDLE_MANUAL_FAILOVER)
