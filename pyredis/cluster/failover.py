"""A replica's part in elections: when it stands, what it waits for, how it takes over (clusterHandleSlaveFailover)."""

from __future__ import annotations

import random
from enum import Enum
from typing import TYPE_CHECKING, Final

from .node import FAIL, MASTER, NOFAILOVER, Node
from .slots import slots_in
from .state import HANDLE_FAILOVER, SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE, ClusterState

if TYPE_CHECKING:
    from ..config.config import Config
    from .host import Host
    from .manual_failover import ManualFailover
    from .outbox import Outbox

LEAST_TIMEOUT_MS: Final = 2000
DELAY_MS: Final = 500
"""Lets the news of the failure get around; as much again at random, so that few replicas stand at once."""
RANK_MS: Final = 1000
RELOG_SECONDS: Final = 10
QUIET_MS: Final = 5000


class Obstacle(Enum):
    """Why a replica cannot take over now."""

    NONE = ""
    DATA_AGE = (
        "Disconnected from master for longer than allowed. "
        "Please check the 'cluster-replica-validity-factor' configuration option."
    )
    WAITING_DELAY = "Waiting the delay before I can start a new failover."
    EXPIRED = "Failover attempt expired."
    WAITING_VOTES = "Waiting for votes, but majority still not reached."


class Election:
    """The candidacy of this replica (the failover_auth_ fields of clusterState)."""

    def __init__(
        self, state: ClusterState, config: Config, host: Host, outbox: Outbox, manual: ManualFailover,
        rng: random.Random,
    ) -> None:  # fmt: skip
        self._state = state
        self._config = config
        self._host = host
        self._outbox = outbox
        self._manual = manual
        self._rng = rng
        self.time_ms = 0
        """When the last one began, or the next one will."""
        self.votes = 0
        self.sent = False
        """Whether votes have been asked for."""
        self.rank = 0
        self.epoch = 0
        self.obstacle = Obstacle.NONE
        self._logged_at = 0

    # --- standing --------------------------------------------------------------------------------

    def handle(self) -> None:
        """Go one step further, if our master has failed or a manual failover wants it."""
        state = self._state
        state.todo &= ~HANDLE_FAILOVER
        master = state.myself.master
        if master is None or not self._wanted(master):
            self.obstacle = Obstacle.NONE
            return
        if not self._manual_start and self._data_too_old():
            self._log_obstacle(Obstacle.DATA_AGE)
            return
        now = self._host.now_ms()
        age = now - self.time_ms
        timeout = max(LEAST_TIMEOUT_MS, self._config.cluster_node_timeout * 2)
        if age > timeout * 2:
            self._schedule(now)
            return
        if not self.sent and not self._manual.active:
            self._follow_rank()
        if now < self.time_ms:
            self._log_obstacle(Obstacle.WAITING_DELAY)
        elif age > timeout:
            self._log_obstacle(Obstacle.EXPIRED)
        elif not self.sent:
            self._ask()
        elif self.votes >= state.quorum:
            self._win()
        else:
            self._log_obstacle(Obstacle.WAITING_VOTES)

    @property
    def _manual_start(self) -> bool:
        return self._manual.active and self._manual.can_start

    def _wanted(self, master: Node) -> bool:
        if self._state.myself.is_(MASTER) or not master.slots:
            return False
        return self._manual_start or (master.is_(FAIL) and not self._config.cluster_replica_no_failover)

    def _data_too_old(self) -> bool:
        config = self._config
        age, timeout = self._host.disconnected_ms(), config.cluster_node_timeout
        if age > timeout:
            age -= timeout
        factor = config.cluster_replica_validity_factor
        return factor != 0 and age > config.repl_ping_replica_period * 1000 + timeout * factor

    def _schedule(self, now: int) -> None:
        """Stand in a while; replicas with more data go first.  Tell the others how much we have."""
        self.votes, self.sent = 0, False
        self.rank = self.current_rank()
        self.time_ms = now + DELAY_MS + self._rng.randrange(DELAY_MS) + self.rank * RANK_MS
        if self._manual.active:
            self.time_ms, self.rank = now, 0
            self._state.schedule(HANDLE_FAILOVER)
        self._state.log.notice(
            f"Start of election delayed for {self.time_ms - now} milliseconds "
            f"(rank #{self.rank}, offset {self._host.offset})."
        )
        self._outbox.broadcast_pong(local=True)

    def current_rank(self) -> int:
        """How many other replicas of our master have more data (clusterGetSlaveRank)."""
        myself, offset = self._state.myself, self._host.offset
        return sum(
            node is not myself and not node.is_(NOFAILOVER) and node.repl_offset > offset for node in myself.family()
        )

    def _follow_rank(self) -> None:
        rank = self.current_rank()
        if rank > self.rank:
            delay = (rank - self.rank) * RANK_MS
            self.time_ms += delay
            self.rank = rank
            self._state.log.notice(f"Replica rank updated to #{rank}, added {delay} milliseconds of delay.")

    def _ask(self) -> None:
        state = self._state
        state.current_epoch += 1
        self.epoch = state.current_epoch
        state.log.notice(f"Starting a failover election for epoch {self.epoch}.")
        self._outbox.request_votes()
        self.sent = True
        state.schedule(SAVE_CONFIG | UPDATE_STATE | SYNC_CONFIG)

    def vote_from(self, sender: Node, current_epoch: int) -> None:
        """A master with slots voted for us, in our epoch or later."""
        if sender.is_(MASTER) and sender.slots and current_epoch >= self.epoch:
            self.votes += 1
            self._state.schedule(HANDLE_FAILOVER)

    # --- winning ---------------------------------------------------------------------------------

    def _win(self) -> None:
        state = self._state
        state.log.notice("Failover election won: I'm the new master.")
        if state.myself.config_epoch < self.epoch:
            state.myself.config_epoch = self.epoch
            state.log.notice(f"configEpoch set to {self.epoch} after successful failover")
        self.replace_master()

    def replace_master(self) -> None:
        """Take our master's slots; our epoch is new already (clusterFailoverReplaceYourMaster)."""
        state = self._state
        master = state.myself.master
        if master is None or state.myself.is_(MASTER):
            return
        state.set_as_master(state.myself)
        self._host.promote()
        for slot in list(slots_in(master.slots)):
            state.unassign(slot)
            state.assign(slot, state.myself)
        state.update()
        state.save_now()
        self._outbox.broadcast_pong()
        self._manual.reset()

    # --- the log ---------------------------------------------------------------------------------

    def _log_obstacle(self, obstacle: Obstacle) -> None:
        """Say why nothing happens: when that changes, and every ten seconds (clusterLogCantFailover)."""
        state = self._state
        now = self._host.now_ms()
        if obstacle is self.obstacle and now // 1000 - self._logged_at < RELOG_SECONDS:
            return
        self.obstacle = obstacle
        master = state.myself.master
        quiet = self._config.cluster_node_timeout + QUIET_MS
        if master is not None and master.is_(FAIL) and now - master.fail_ms < quiet:
            return
        self._logged_at = now // 1000
        state.log.notice(f"Currently unable to failover: {obstacle.value}")
        if obstacle in (Obstacle.WAITING_VOTES, Obstacle.EXPIRED):
            state.log.notice(f"Needed quorum: {state.quorum}. Number of votes received so far: {self.votes}")
