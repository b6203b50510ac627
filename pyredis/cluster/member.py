"""This server as a member of the cluster: the parts that talk, listen and decide, put together."""

from __future__ import annotations

import ipaddress
import random
from typing import TYPE_CHECKING

from .announce import Announcer, client_port
from .claims import Claims
from .cron import ClusterCron
from .failover import Election
from .gossip import GossipReader
from .manual_failover import ManualFailover
from .migration import Migration
from .node import HANDSHAKE, MASTER, MEET, NOADDR, Link, Node
from .outbox import Outbox
from .packets import PacketReader
from .state import SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE, ClusterState
from .voting import Voter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config.config import Config
    from .host import Host


class Member:
    """A node that is alive.  ``link_maker`` is plugged by ``bus``; without it nothing is sent."""

    def __init__(self, state: ClusterState, config: Config, host: Host, rng: random.Random) -> None:
        self.state = state
        self.config = config
        self.host = host
        self.link_maker: Callable[[Node], Link | None] | None = None
        """Begins to connect to a node; None if that cannot even be tried."""
        self.manual = ManualFailover(state, host)
        self.outbox = Outbox(state, config, host, self.manual, rng)
        self.gossip = GossipReader(state, config, host, self.outbox)
        self.claims = Claims(state, config, host, self.outbox, self.set_master)
        self.voter = Voter(state, config, host, self.outbox)
        self.election = Election(state, config, host, self.outbox, self.manual, rng)
        self.migration = Migration(state, config, host, self.set_master)
        self.announcer = Announcer(state, config)
        self.packets = PacketReader(self)
        self.cron = ClusterCron(self, rng)
        state.save_now = lambda: host.save(sync=True)

    # --- links -----------------------------------------------------------------------------------

    def connect(self, node: Node) -> bool:
        """Begin to connect to *node*; false if that cannot even be tried."""
        if self.link_maker is None:
            return True
        node.link = self.link_maker(node)
        return node.link is not None

    def linked(self, link: Link) -> None:
        """A link that we made stands: greet the other side."""
        if link.node is not None:
            self.outbox.greet(link, link.node)

    def received(self, link: Link, packet: bytes) -> bool:
        """A packet came; false if *link* is gone by now."""
        return self.packets.read(link, packet)

    def link_lost(self, link: Link) -> None:
        """*link* is closed: its node forgets it (freeClusterLink)."""
        node, link.node = link.node, None
        if node is None:
            return
        if node.link is link:
            node.link = None
        elif node.inbound_link is link:
            node.inbound_link = None

    def links(self) -> list[Link]:
        """All that belong to a node, as CLUSTER LINKS lists them."""
        pairs = [(node.link, node.inbound_link) for node in self.state.nodes.values()]
        return [link for pair in pairs for link in pair if link is not None]

    # --- commands --------------------------------------------------------------------------------

    def meet(self, ip: str, port: int, bus_port: int) -> bool:
        """Begin a handshake; false if the address makes no sense (clusterStartHandshake).

        One that is under way with that address already will do.
        """
        try:
            address = str(ipaddress.ip_address(ip))
        except ValueError:
            return False
        if not (0 < port < 1 << 16 and 0 < bus_port < 1 << 16):
            return False
        for node in self.state.nodes.values():
            known = (node.ip.lower(), client_port(node, self.config), node.bus_port)
            if node.is_(HANDSHAKE) and known == (address.lower(), port, bus_port):
                return True
        node = self.state.new_node(None, HANDSHAKE | MEET)
        node.ip, node.bus_port = address, bus_port
        if self.config.tls_cluster:
            node.tls_port = port
        else:
            node.tcp_port = port
        self.state.add_node(node)
        return True

    def forget(self, node: Node) -> None:
        """CLUSTER FORGET: *node* is no longer known, nor taken up again for a minute."""
        self.state.forget_for(node.name)
        self.state.remove_node(node)
        self.state.schedule(UPDATE_STATE | SAVE_CONFIG)

    def set_master(self, node: Node) -> None:
        """Be a replica of *node* (clusterSetMaster)."""
        self.state.follow(node)
        self.follow_address(node)
        self.manual.reset()

    def follow_address(self, node: Node) -> None:
        """Replicate from where *node* is now."""
        self.host.follow(node.ip, node.tls_port if self.config.tls_replication else node.tcp_port)

    def resume_replication(self) -> None:
        """A replica that replicates nobody, after a restart say, follows its master once it knows where that is."""
        master = self.state.myself.master
        if master is not None and not self.host.following and not master.is_(NOADDR):
            self.follow_address(master)

    def broadcast_pong(self, *, local: bool = False) -> None:
        """Tell all, or the replicas of our shard, how we are."""
        self.outbox.broadcast_pong(local=local)

    def publish(self, channel: bytes, message: bytes, *, sharded: bool) -> None:
        """PUBLISH and SPUBLISH to the other nodes."""
        self.outbox.publish(channel, message, sharded=sharded)

    def start_manual_failover(self, *, force: bool = False, takeover: bool = False) -> None:
        """CLUSTER FAILOVER on a replica whose master is known."""
        master = self.state.myself.master
        if master is None:
            return
        self.manual.begin()
        if takeover:
            self.state.log.notice("Taking over the master (user request).")
            self.state.bump_epoch_without_consensus()
            self.election.replace_master()
        elif force:
            self.manual.force()
        else:
            self.state.log.notice("Manual failover user request accepted.")
            self.outbox.send_mfstart(master)

    def reset(self, *, hard: bool) -> None:
        """CLUSTER RESET: alone again, as a master without slots (clusterReset)."""
        state, myself = self.state, self.state.myself
        if not myself.is_(MASTER):
            state.set_as_master(myself)
            self.host.promote()
            self.host.empty()
        state.close_all_slots()
        self.manual.reset()
        for node in list(state.nodes.values()):
            if node is myself:
                state.release_all(node)
            else:
                state.remove_node(node)
        state.shards.clear()
        state.blacklist.clear()
        if hard:
            self._become_new()
        state.join_shard(myself)
        state.schedule(SAVE_CONFIG | UPDATE_STATE | SYNC_CONFIG)

    def _become_new(self) -> None:
        state, myself = self.state, self.state.myself
        state.current_epoch = state.last_vote_epoch = myself.config_epoch = 0
        state.log.notice("configEpoch set to 0 via CLUSTER RESET HARD")
        del state.nodes[myself.name]
        myself.name, myself.shard_id = state.random_name(), state.random_name()
        state.add_node(myself)
        state.log.notice(f"Node hard reset, now I'm {myself.name}")

    def kill_links(self, node: Node, *, inbound: bool, outbound: bool) -> None:
        """DEBUG CLUSTERLINK KILL."""
        for link, wanted in ((node.inbound_link, inbound), (node.link, outbound)):
            if link is not None and wanted:
                link.close()
