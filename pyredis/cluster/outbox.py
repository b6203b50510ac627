"""What this node sends: headers, pings with gossip, and the other packets."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from .announce import announced_ports
from .messages import (
    AUTH_ACK,
    AUTH_REQUEST,
    EXT_HOSTNAME,
    EXT_HUMAN_NAME,
    EXTENDED,
    FAIL,
    FORCE_ACK,
    MEET,
    MFSTART,
    PAUSED,
    PING,
    PONG,
    PUBLISH,
    PUBLISHSHARD,
    UPDATE,
    Extension,
    Gossip,
    Packet,
    forgotten_extension,
    shard_extension,
    text_extension,
)
from .node import HANDSHAKE, MASTER, MYSELF, NOADDR, PFAIL, Link, Node
from .node import MEET as MEET_FLAG
from .state import ClusterState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config.config import Config
    from .host import Host
    from .manual_failover import ManualFailover

LEAST_GOSSIP: Final = 3


class Outbox:
    """Makes packets of the state and hands them to links."""

    def __init__(
        self, state: ClusterState, config: Config, host: Host, manual: ManualFailover, rng: random.Random
    ) -> None:
        self._state = state
        self._config = config
        self._host = host
        self._manual = manual
        self._rng = rng
        self._pings = 0

    def header(self, kind: int) -> Packet:
        """A packet of *kind* about ourselves; a replica shows its master's slots and epoch (clusterBuildMessageHdr)."""
        state, config = self._state, self._config
        myself = state.myself
        master = myself.master or myself
        ports = announced_ports(config)
        port, other = (ports.tls, ports.tcp) if config.tls_cluster else (ports.tcp, ports.tls)
        paused = myself.is_(MASTER) and self._manual.active
        return Packet(
            kind, myself.name, master.slots, myself.master.name if myself.master is not None else "",
            state.current_epoch, master.config_epoch, self._host.offset, config.cluster_announce_ip, port, other,
            ports.bus, myself.flags, 0 if state.ok else 1, PAUSED if paused else 0,
        )  # fmt: skip

    def send(self, link: Link | None, packet: Packet) -> None:
        """Queue *packet*, if there is a link."""
        if link is not None:
            self._state.sent[packet.kind] += 1
            link.send(packet.encode())

    def _broadcast(self, packet: Packet, nodes: Iterable[Node]) -> None:
        data = packet.encode()
        for node in nodes:
            if node.link is not None and not node.is_(MYSELF | HANDSHAKE):
                self._state.sent[packet.kind] += 1
                node.link.send(data)

    # --- pings -----------------------------------------------------------------------------------

    def send_ping(self, link: Link, kind: int) -> None:
        """PING, PONG or MEET with news of some other nodes and of all that seem to fail (clusterSendPing)."""
        state = self._state
        if kind == PING and not link.inbound and link.node is not None:
            link.node.ping_sent_ms = self._host.now_ms()
        packet = self.header(kind)
        packet.gossip = [self._gossip(node) for node in self._chosen()]
        packet.extensions = self._extensions()
        packet.message_flags |= EXTENDED
        if state.failing_nodes:
            packet.gossip += [self._gossip(node) for node in self._failing()]
        self.send(link, packet)

    def _chosen(self) -> list[Node]:
        """A tenth of the nodes, at least three, picked at random among those others can use."""
        state, nodes = self._state, list(self._state.nodes.values())
        self._pings += 1
        fresh = len(nodes) - 2
        wanted = min(max(len(nodes) // 10, LEAST_GOSSIP), fresh)
        chosen: list[Node] = []
        for _ in range(wanted * 3):
            if fresh <= 0 or len(chosen) >= wanted:
                break
            node = self._rng.choice(nodes)
            if node is state.myself or node.is_(PFAIL):
                continue
            if node.is_(HANDSHAKE | NOADDR) or (node.link is None and not node.slots):
                fresh -= 1
            elif node.last_in_gossip != self._pings:
                node.last_in_gossip = self._pings
                chosen.append(node)
                fresh -= 1
        return chosen

    def _failing(self) -> list[Node]:
        nodes = [node for node in self._state.nodes.values() if node.is_(PFAIL) and not node.is_(HANDSHAKE | NOADDR)]
        return nodes[: self._state.failing_nodes]

    def _gossip(self, node: Node) -> Gossip:
        tls = self._config.tls_cluster
        port, other = (node.tls_port, node.tcp_port) if tls else (node.tcp_port, node.tls_port)
        return Gossip(
            node.name, node.ping_sent_ms // 1000, node.pong_received_ms // 1000, node.ip, port, node.bus_port,
            node.flags, other,
        )  # fmt: skip

    def _extensions(self) -> list[Extension]:
        """Hostname, human name, forgotten nodes, shard (writePingExt)."""
        state = self._state
        myself, found = state.myself, []
        if myself.hostname:
            found.append(text_extension(EXT_HOSTNAME, myself.hostname))
        if myself.human_name:
            found.append(text_extension(EXT_HUMAN_NAME, myself.human_name))
        now = self._host.now_ms() // 1000
        found += [forgotten_extension(name, until - now) for name, until in state.blacklist.items() if until >= now]
        found.append(shard_extension(myself.shard_id))
        return found

    def broadcast_pong(self, *, local: bool = False) -> None:
        """Tell everybody, or only the replicas of our shard, how we are (clusterBroadcastPong)."""
        myself = self._state.myself
        for node in list(self._state.nodes.values()):
            if node.link is None or node is myself or node.is_(HANDSHAKE):
                continue
            if local and (node.master is None or node.master not in (myself, myself.master)):
                continue
            self.send_ping(node.link, PONG)

    # --- the others ------------------------------------------------------------------------------

    def send_fail(self, name: str) -> None:
        """Tell all that a majority holds that node to have failed."""
        packet = self.header(FAIL)
        packet.name = name
        self._broadcast(packet, self._state.nodes.values())

    def send_update(self, link: Link | None, node: Node) -> None:
        """Tell of *node*'s slots, without those it ceased to claim (clusterSendUpdate)."""
        packet = self.header(UPDATE)
        packet.name, packet.epoch = node.name, node.config_epoch
        packet.claimed = node.slots & ~self._state.unclaimed
        self.send(link, packet)

    def publish(self, channel: bytes, message: bytes, *, sharded: bool) -> None:
        """Pass a message on: to all, or to our shard (clusterPropagatePublish)."""
        state = self._state
        packet = self.header(PUBLISHSHARD if sharded else PUBLISH)
        packet.channel, packet.message = channel, message
        self._broadcast(packet, state.shards.get(state.myself.shard_id, []) if sharded else state.nodes.values())

    def request_votes(self) -> None:
        """FAILOVER_AUTH_REQUEST to all; only masters answer (clusterRequestFailoverAuth)."""
        packet = self.header(AUTH_REQUEST)
        if self._manual.active:
            packet.message_flags |= FORCE_ACK
        self._broadcast(packet, self._state.nodes.values())

    def send_vote(self, node: Node) -> None:
        """FAILOVER_AUTH_ACK."""
        self.send(node.link, self.header(AUTH_ACK))

    def send_mfstart(self, node: Node) -> None:
        """Ask our master to hold its clients."""
        self.send(node.link, self.header(MFSTART))

    def greet(self, link: Link, node: Node) -> None:
        """The first packet of a link that we made (clusterLinkConnectHandler).

        A ping that already waits for its pong keeps its time.
        """
        waiting_since = node.ping_sent_ms
        self.send_ping(link, MEET if node.is_(MEET_FLAG) else PING)
        if waiting_since:
            node.ping_sent_ms = waiting_since
        node.flags &= ~MEET_FLAG
