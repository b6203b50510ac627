"""The cluster as this node sees it (cluster.h clusterState), and every change of who owns what."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from .node import MASTER, MYSELF, Node
from .slots import SLOTS

# What is left to do before the replies of this turn leave (cluster.h CLUSTER_TODO_*).
HANDLE_FAILOVER: Final = 1 << 0
UPDATE_STATE: Final = 1 << 1
SAVE_CONFIG: Final = 1 << 2
SYNC_CONFIG: Final = 1 << 3
HANDLE_MANUAL_FAILOVER: Final = 1 << 4


class ClusterState:
    """Nodes, slots and epochs.  Knows neither sockets nor files nor clients."""

    def __init__(self, rng: random.Random, now_ms: Callable[[], int]) -> None:
        self._rng = rng
        self.now_ms = now_ms
        self.myself = Node(self.random_name(), self.random_name(), MYSELF | MASTER, now_ms())
        self.nodes: dict[str, Node] = {self.myself.name: self.myself}
        self.shards: dict[str, list[Node]] = {self.myself.shard_id: [self.myself]}
        self.current_epoch = 0
        self.last_vote_epoch = 0
        self.ok = False
        """``cluster_state``: whether queries are served."""
        self.size = 0
        """Masters with at least one slot."""
        self.owners: list[Node | None] = [None] * SLOTS
        self.migrating: dict[int, Node] = {}
        self.importing: dict[int, Node] = {}
        self.unclaimed = 0
        """Bitmap of slots whose owner no longer claims them in its pings (owner_not_claiming_slot)."""
        self.blacklist: dict[str, int] = {}
        """Names of forgotten nodes, with the time (ms) until which they are not taken up again."""
        self.todo = 0
        """What ``cron.before_sleep`` has to see to."""

    def random_name(self) -> str:
        """Forty hexadecimal digits."""
        return self._rng.randbytes(20).hex()
