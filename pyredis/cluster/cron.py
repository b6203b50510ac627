"""Ten times a second: links, pings, who cannot be reached, elections (cluster.c clusterCron)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from .messages import PING
from .node import FAIL, HANDSHAKE, MASTER, MYSELF, NOADDR, PFAIL, Link, Node
from .state import HANDLE_FAILOVER, HANDLE_MANUAL_FAILOVER, SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE

if TYPE_CHECKING:
    from .member import Member

PERIOD_MS: Final = 100
LEAST_HANDSHAKE_MS: Final = 1000
SAMPLED: Final = 5


class ClusterCron:
    """What happens by itself."""

    def __init__(self, member: Member, rng: random.Random) -> None:
        self._member = member
        self._state = member.state
        self._config = member.config
        self._host = member.host
        self._rng = rng
        self._turns = 0

    def turn(self) -> None:
        """One round over all nodes."""
        member, state = self._member, self._state
        self._turns += 1
        member.announcer.update_names()
        self._tend_links()
        if self._turns % 10 == 0:
            self._ping_someone()
        changed = False
        for node in list(state.nodes.values()):
            if not node.is_(MYSELF | NOADDR | HANDSHAKE):
                changed |= self._watch(node)
        member.resume_replication()
        member.manual.check_timeout()
        if not state.myself.is_(MASTER):
            member.manual.handle()
            member.election.handle()
            member.migration.consider()
        if changed or not state.ok:
            state.update()

    # --- links -----------------------------------------------------------------------------------

    def _tend_links(self) -> None:
        """Cut what is congested, connect what is not, drop handshakes that came to nothing."""
        state = self._state
        state.failing_nodes = 0
        patience = max(self._config.cluster_node_timeout, LEAST_HANDSHAKE_MS)
        for node in list(state.nodes.values()):
            self._limit(node.link)
            self._limit(node.inbound_link)
            if node.is_(MYSELF | NOADDR):
                continue
            state.failing_nodes += node.is_(PFAIL)
            if node.is_(HANDSHAKE) and self._host.now_ms() - node.created_ms > patience:
                state.remove_node(node)
            elif node.link is None:
                self._connect(node)

    def _limit(self, link: Link | None) -> None:
        limit = self._config.cluster_link_sendbuf_limit
        if link is None or not limit or link.queued_bytes <= limit:
            return
        name = link.node.name if link.node is not None else ""
        self._state.log.warning(
            f"Freeing cluster link({'from' if link.inbound else 'to'} node {name}, used memory: {link.queued_bytes}) "
            "due to exceeding send buffer memory limit."
        )
        link.close()
        self._state.links_over_limit += 1

    def _connect(self, node: Node) -> None:
        """Begin to; a node that cannot even be tried counts as pinged, so that its failure is noticed."""
        if self._member.connect(node) or node.ping_sent_ms:
            return
        node.ping_sent_ms = self._host.now_ms()

    # --- pings -----------------------------------------------------------------------------------

    def _ping_someone(self) -> None:
        """Of a few random nodes, the one that has been silent for longest."""
        nodes = list(self._state.nodes.values())
        sampled = [self._rng.choice(nodes) for _ in range(SAMPLED)]
        idle = [
            node
            for node in sampled
            if node.link is not None and not node.ping_sent_ms and not node.is_(MYSELF | HANDSHAKE)
        ]
        if idle:
            self._ping(min(idle, key=lambda node: node.pong_received_ms))

    def _ping(self, node: Node) -> None:
        if node.link is not None:
            self._member.outbox.send_ping(node.link, PING)

    def _watch(self, node: Node) -> bool:
        """Ping *node* if it is time; true if it now counts as unreachable."""
        now, timeout = self._host.now_ms(), self._config.cluster_node_timeout
        silence = min(now - node.ping_sent_ms, now - node.data_received_ms)
        link = node.link
        if link is not None and node.ping_sent_ms and now - link.created_ms > timeout and silence > timeout // 2:
            link.close()
        if node.link is not None:
            interval = self._config.cluster_ping_interval or timeout // 2
            due = node.ping_sent_ms == 0 and now - node.pong_received_ms > interval
            if due or (self._member.manual.active and self._member.manual.replica is node):
                self._ping(node)
                return False
        if node.ping_sent_ms == 0 or silence <= timeout or node.is_(PFAIL | FAIL):
            return False
        self._state.log.debug(f"*** NODE {node.name} possibly failing")
        node.flags |= PFAIL
        return True

    # --- the end of a turn of the loop -----------------------------------------------------------

    def before_sleep(self) -> None:
        """What has to be done before replies and packets leave (clusterBeforeSleep)."""
        state, member = self._state, self._member
        todo, state.todo = state.todo, 0
        if todo & HANDLE_MANUAL_FAILOVER:
            if not state.myself.is_(MASTER):
                member.manual.handle()
                member.election.handle()
        elif todo & HANDLE_FAILOVER:
            member.election.handle()
        if todo & UPDATE_STATE:
            state.update()
        if todo & SAVE_CONFIG:
            self._host.save(sync=bool(todo & SYNC_CONFIG))
