"""A master's part in elections: whom it votes for (cluster.c clusterSendFailoverAuthIfNeeded)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import FORCE_ACK, Packet
from .node import FAIL, MASTER, REPLICA, Node
from .slots import slots_in
from .state import SAVE_CONFIG, SYNC_CONFIG, ClusterState

if TYPE_CHECKING:
    from ..config.config import Config
    from .host import Host
    from .outbox import Outbox


class Voter:
    """At most one vote in each epoch, and none for replicas that know less than we do."""

    def __init__(self, state: ClusterState, config: Config, host: Host, outbox: Outbox) -> None:
        self._state = state
        self._config = config
        self._host = host
        self._outbox = outbox

    def consider(self, node: Node, request: Packet) -> None:
        """*node* wants to replace its master: vote for it, or say in the log why not."""
        state = self._state
        if state.myself.is_(REPLICA) or not state.myself.slots:
            return
        refusal = self._refusal(node, request)
        master = node.master
        if refusal is not None or master is None:
            state.log.warning(f"Failover auth denied to {node.name} ({node.human_name}): {refusal}")
            return
        state.last_vote_epoch = state.current_epoch
        master.voted_ms = self._host.now_ms()
        state.schedule(SAVE_CONFIG | SYNC_CONFIG)
        self._outbox.send_vote(node)
        state.log.notice(f"Failover auth granted to {node.name} ({node.human_name}) for epoch {state.current_epoch}")

    def _refusal(self, node: Node, request: Packet) -> str | None:
        state, master = self._state, node.master
        if request.current_epoch < state.current_epoch:
            return f"reqEpoch ({request.current_epoch}) < curEpoch({state.current_epoch})"
        if state.last_vote_epoch == state.current_epoch:
            return f"already voted for epoch {state.current_epoch}"
        if node.is_(MASTER):
            return "it is a master node"
        if master is None:
            return "I don't know its master"
        if not master.is_(FAIL) and not request.message_flags & FORCE_ACK:
            return "its master is up"
        pause = self._config.cluster_node_timeout * 2
        since = self._host.now_ms() - master.voted_ms
        if since < pause:
            return f"can't vote about this master before {pause - since} milliseconds"
        return self._newer_owner(request)

    def _newer_owner(self, request: Packet) -> str | None:
        """A slot it claims, but which somebody has by a later decision."""
        state = self._state
        newer = 0
        for owner in state.nodes.values():
            if owner.config_epoch > request.config_epoch:
                newer |= owner.slots
        slot = next(slots_in(request.slots & newer & ~state.unclaimed), None)
        if slot is None:
            return None
        owner_epoch = getattr(state.owners[slot], "config_epoch", 0)
        return f"slot {slot} epoch ({owner_epoch}) > reqEpoch ({request.config_epoch})"
