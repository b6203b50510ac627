"""Whether the cluster works, as far as this node can tell (cluster.c clusterUpdateState)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from .node import FAIL, MASTER, PFAIL, Node
from .slots import ALL

if TYPE_CHECKING:
    from .state import Journal, Settings

MAX_REJOIN_MS: Final = 5000
MIN_REJOIN_MS: Final = 500
WRITABLE_DELAY_MS: Final = 2000


class Health:
    """``cluster_state`` and the number of masters that count."""

    def __init__(self, settings: Settings, log: Journal, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._log = log
        self._now_ms = now_ms
        self.ok = False
        self.size = 1
        self._started_ms: int | None = None
        self._minority_ms = 0

    def update(self, nodes: Collection[Node], myself: Node) -> None:
        """Look at *nodes*; a restarted master waits before it calls the cluster sound, as does one of a minority."""
        now = self._now_ms()
        if self._started_ms is None:
            self._started_ms = now
        if myself.is_(MASTER) and not self.ok and now - self._started_ms < WRITABLE_DELAY_MS:
            return
        ok = not self._settings.cluster_require_full_coverage or self._covered(nodes)
        masters = [node for node in nodes if node.is_(MASTER) and node.slots]
        self.size = len(masters)
        if sum(not node.is_(FAIL | PFAIL) for node in masters) < self.size // 2 + 1:
            ok = False
            self._minority_ms = now
        if ok != self.ok:
            self._turn(ok, myself, now)

    @staticmethod
    def _covered(nodes: Collection[Node]) -> bool:
        covered = 0
        for node in nodes:
            if not node.is_(FAIL):
                covered |= node.slots
        return covered == ALL

    def _turn(self, ok: bool, myself: Node, now: int) -> None:
        delay = max(MIN_REJOIN_MS, min(self._settings.cluster_node_timeout, MAX_REJOIN_MS))
        if ok and myself.is_(MASTER) and now - self._minority_ms < delay:
            return
        if ok:
            self._log.notice("Cluster state changed: ok")
        else:
            self._log.warning("Cluster state changed: fail")
        self.ok = ok
