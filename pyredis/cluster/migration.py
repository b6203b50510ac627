"""Replicas move to masters that have lost all of theirs (cluster.c clusterHandleSlaveMigration)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .node import FAIL, HANDSHAKE, MASTER, MIGRATE_TO, MYSELF, NOADDR, PFAIL, REPLICA, Node
from .state import ClusterState

if TYPE_CHECKING:
    from ..config.config import Config
    from .host import Host

DELAY_MS: Final = 5000


def working_replicas(node: Node) -> int:
    """How many of *node*'s replicas have not failed (clusterCountNonFailingSlaves)."""
    return sum(not replica.is_(FAIL) for replica in node.replicas)


class Migration:
    """Whether this replica is the one to move, and to whom."""

    def __init__(self, state: ClusterState, config: Config, host: Host, set_master: Callable[[Node], None]) -> None:
        self._state = state
        self._config = config
        self._host = host
        self._set_master = set_master

    def consider(self) -> None:
        """Called by a replica's cron: migrate if some master is an orphan and ours has replicas to spare."""
        myself = self._state.myself
        masters = [node for node in self._others() if node.is_(MASTER) and not node.is_(FAIL)]
        most = max(map(working_replicas, masters), default=0)
        ours = working_replicas(myself.master) if myself.master in masters and myself.master is not None else 0
        orphans = any(node.slots and node.is_(MIGRATE_TO) and not working_replicas(node) for node in masters)
        if orphans and most >= 2 and ours == most and self._config.cluster_allow_replica_migration:
            self._migrate(most)

    def _others(self) -> list[Node]:
        return [node for node in self._state.nodes.values() if not node.is_(MYSELF | NOADDR | HANDSHAKE)]

    def _migrate(self, most: int) -> None:
        state = self._state
        master = state.myself.master
        if not state.ok or master is None:
            return
        if sum(not node.is_(FAIL | PFAIL) for node in master.replicas) <= self._config.cluster_migration_barrier:
            return
        target, candidate = self._look_around(most)
        if target is None or candidate is not state.myself:
            return
        if self._host.now_ms() - target.orphaned_ms > DELAY_MS:
            state.log.notice(f"Migrating to orphaned master {target.name}")
            self._set_master(target)

    def _look_around(self, most: int) -> tuple[Node | None, Node]:
        """The first orphan, and the replica with the smallest name among those of the richest masters."""
        target: Node | None = None
        candidate = self._state.myself
        for node in self._state.nodes.values():
            working = working_replicas(node) if node.is_(MASTER) else 0
            if working or node.is_(REPLICA | FAIL) or not node.is_(MIGRATE_TO):
                node.orphaned_ms = 0
            else:
                if target is None and node.slots:
                    target = node
                node.orphaned_ms = node.orphaned_ms or self._host.now_ms()
            if working == most:
                candidate = min(candidate, *node.replicas, key=lambda replica: replica.name)
        return target, candidate
