"""What each packet that comes in changes (cluster.c clusterProcessPacket)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .announce import client_port, valid_address
from .messages import (
    AUTH_ACK,
    AUTH_REQUEST,
    FAIL,
    MEET,
    MFSTART,
    MODULE,
    PAUSED,
    PING,
    PONG,
    PUBLISH,
    PUBLISHSHARD,
    UPDATE,
    VERSION,
    BadPacket,
    Packet,
    decode,
    packet_kind,
)
from .node import FAIL as FAILED
from .node import HANDSHAKE, MASTER, MIGRATE_TO, MYSELF, NOADDR, NOFAILOVER, PFAIL, REPLICA, Link, Node
from .state import MESSAGE_TYPES, SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE, valid_name

if TYPE_CHECKING:
    from .member import Member

NO_FILTER: Final = -1


def _address_of(packet: Packet, link: Link) -> str:
    """Where the sender says it is, else where *link* comes from (nodeIp2String)."""
    return packet.ip if packet.ip and valid_address(packet.ip) else link.peer_ip


class PacketReader:
    """Everything that packets do to a member.  Whatever bytes come, nothing is raised."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._state = member.state
        self._config = member.config
        self._host = member.host
        self.drop_filter = NO_FILTER
        """DEBUG DROP-CLUSTER-PACKET-FILTER: the kind of packet to act as if it had not come."""

    def read(self, link: Link, data: bytes) -> bool:
        """Take in the packet *data*, a header long at least; false if *link* did not survive it."""
        state = self._state
        version, kind = packet_kind(data)
        if kind < len(MESSAGE_TYPES):
            state.received[kind] += 1
        if version != VERSION:
            return True
        if kind == self.drop_filter:
            state.log.warning("Dropping packet that matches debug drop filter")
            return True
        try:
            packet = decode(data)
        except BadPacket as problem:
            state.log.warning(str(problem))
            return True
        sender = self._identify(link, packet)
        if sender is not None:
            sender.data_received_ms = self._host.now_ms()
            if not sender.is_(HANDSHAKE | MYSELF):
                self._note_header(sender, packet)
        return self._act(link, packet, sender)

    def _act(self, link: Link, packet: Packet, sender: Node | None) -> bool:
        kind = packet.kind
        if kind in (PING, PONG, MEET):
            if kind != PONG:
                self._answer(link, packet, sender)
            return self._read_ping(link, packet, sender)
        if sender is self._state.myself:
            return True
        if kind == FAIL:
            self._read_fail(packet, sender)
        elif kind >= len(MESSAGE_TYPES):
            self._state.log.warning(f"Received unknown packet type: {kind}")
        elif sender is not None and kind != MODULE:
            self._read_other(link, packet, sender)
        return True

    def _read_other(self, link: Link, packet: Packet, sender: Node) -> None:
        member, kind = self._member, packet.kind
        if kind in (PUBLISH, PUBLISHSHARD):
            self._host.publish(packet.channel, packet.message, sharded=kind == PUBLISHSHARD)
        elif kind == AUTH_REQUEST:
            member.voter.consider(sender, packet)
        elif kind == AUTH_ACK:
            member.election.vote_from(sender, 0 if sender.is_(HANDSHAKE) else packet.current_epoch)
        elif kind == MFSTART and sender.master is self._state.myself:
            member.manual.requested_by(sender)
            member.outbox.send_ping(link, PING)
        elif kind == UPDATE:
            self._read_update(packet)

    # --- who speaks ------------------------------------------------------------------------------

    def _identify(self, link: Link, packet: Packet) -> Node | None:
        """The node that sent *packet*; an inbound link is its own from the first one on (getNodeFromLinkAndMsg)."""
        if link.node is not None and not link.node.is_(HANDSHAKE):
            return link.node
        sender = self._state.lookup(packet.sender)
        if sender is not None and link.node is None:
            if sender.inbound_link is not None:
                sender.inbound_link.close()
            sender.inbound_link = link
            link.node = sender
        return sender

    def _note_header(self, sender: Node, packet: Packet) -> None:
        """Epochs and offset; a paused master's offset is what its replica waits for in a manual failover."""
        state, manual = self._state, self._member.manual
        state.current_epoch = max(state.current_epoch, packet.current_epoch)
        if packet.config_epoch > sender.config_epoch:
            sender.config_epoch = packet.config_epoch
            state.schedule(SAVE_CONFIG | SYNC_CONFIG)
        sender.repl_offset = packet.offset
        sender.repl_offset_ms = self._host.now_ms()
        if manual.active and state.myself.master is sender and packet.message_flags & PAUSED:
            manual.master_paused_at(packet.offset)

    # --- PING, PONG, MEET ------------------------------------------------------------------------

    def _answer(self, link: Link, packet: Packet, sender: Node | None) -> None:
        """Learn our own address from MEET, take up who sent it, and reply."""
        state, myself = self._state, self._state.myself
        if (packet.kind == MEET or not myself.ip) and not self._config.cluster_announce_ip:
            ip = link.local_ip
            if ip and ip != myself.ip:
                myself.ip = ip
                state.log.notice(f"IP address for this node updated to {ip}")
                state.schedule(SAVE_CONFIG)
        if sender is None and packet.kind == MEET:
            node = state.new_node(None, HANDSHAKE)
            self._set_address(node, _address_of(packet, link), packet)
            state.add_node(node)
            state.schedule(SAVE_CONFIG)
            self._member.gossip.read(packet, None)
        self._member.outbox.send_ping(link, PONG)

    def _read_ping(self, link: Link, packet: Packet, sender: Node | None) -> bool:
        node = None if link.inbound else link.node
        if node is not None and not self._check_identity(link, node, packet, sender):
            return False
        if sender is self._state.myself:  # met by mistake, or somebody poses as ourselves: nobody else knows us better
            return True
        if sender is not None:
            sender.flags = sender.flags & ~NOFAILOVER | packet.flags & NOFAILOVER
            if packet.kind == PING and not sender.is_(HANDSHAKE):
                self._update_address(sender, link, packet)
        if node is not None and packet.kind == PONG:
            self._note_pong(node)
        if sender is not None:
            self._note_role(sender, packet)
            self._note_slots(sender, packet)
            self._member.gossip.read(packet, sender)
            self._member.gossip.read_extensions(packet, sender)
        return True

    def _check_identity(self, link: Link, node: Node, packet: Packet, sender: Node | None) -> bool:
        """The other end of our link to *node* says who it is; false if the link is gone."""
        state = self._state
        if node.is_(HANDSHAKE):
            return self._end_handshake(link, node, packet, sender)
        if node.name == packet.sender:
            return True
        state.log.debug(
            f"PONG contains mismatching sender ID. About node {node.name} added "
            f"{self._host.now_ms() - node.created_ms} ms ago, having flags {node.flags}"
        )
        node.flags |= NOADDR
        node.ip = ""
        node.tcp_port = node.tls_port = node.bus_port = 0
        link.close()
        state.schedule(SAVE_CONFIG)
        return False

    def _end_handshake(self, link: Link, node: Node, packet: Packet, sender: Node | None) -> bool:
        state = self._state
        if sender is not None:
            state.log.verbose(
                f"Handshake: we already know node {sender.name} ({sender.human_name}), updating the address if needed."
            )
            self._update_address(sender, link, packet)
            state.remove_node(node)
            return False
        if not valid_name(packet.sender):
            state.remove_node(node)
            return False
        state.rename_node(node, packet.sender)
        state.log.debug(f"Handshake with node {node.name} completed.")
        node.flags = node.flags & ~HANDSHAKE | packet.flags & (MASTER | REPLICA)
        state.schedule(SAVE_CONFIG)
        return True

    def _set_address(self, node: Node, ip: str, packet: Packet) -> None:
        node.ip, node.bus_port = ip, packet.bus_port
        node.tcp_port, node.tls_port = self._ports(packet)

    def _ports(self, packet: Packet) -> tuple[int, int]:
        """The sender's ports: TCP, TLS."""
        tls = self._config.tls_cluster
        return (packet.other_port, packet.port) if tls else (packet.port, packet.other_port)

    def _update_address(self, node: Node, link: Link, packet: Packet) -> None:
        """*node* speaks from elsewhere: connect there, and follow it there (nodeUpdateAddressIfNeeded)."""
        state = self._state
        ip = _address_of(packet, link)
        if link is node.link or not ip:
            return
        if (node.ip, node.bus_port, node.tcp_port, node.tls_port) == (ip, packet.bus_port, *self._ports(packet)):
            return
        self._set_address(node, ip, packet)
        if node.link is not None:
            node.link.close()
        node.flags &= ~NOADDR
        state.log.notice(
            f"Address updated for node {node.name} ({node.human_name}), now {ip}:{client_port(node, self._config)}"
        )
        if state.myself.master is node:
            self._member.follow_address(node)
        state.schedule(SAVE_CONFIG | UPDATE_STATE)

    def _note_pong(self, node: Node) -> None:
        node.pong_received_ms = self._host.now_ms()
        node.ping_sent_ms = 0
        if node.is_(PFAIL):
            node.flags &= ~PFAIL
            self._state.schedule(SAVE_CONFIG | UPDATE_STATE)
        elif node.is_(FAILED):
            self._member.gossip.clear_failure(node)

    def _note_role(self, sender: Node, packet: Packet) -> None:
        """Whether *sender* is a master, and if not, whose replica."""
        state = self._state
        if not packet.master:
            state.set_as_master(sender)
            return
        if sender.is_(MASTER):
            state.release_all(sender)
            sender.flags = sender.flags & ~(MASTER | MIGRATE_TO) | REPLICA
            state.schedule(SAVE_CONFIG | UPDATE_STATE)
        master = state.lookup(packet.master)
        if master is not None and sender.master is not master:
            if sender.master is not None:
                state.remove_replica(sender.master, sender)
            state.add_replica(master, sender)
            sender.master = master
            state.set_shard(sender, master.shard_id)
            state.schedule(SAVE_CONFIG)

    def _note_slots(self, sender: Node, packet: Packet) -> None:
        """Take in the slots *sender* claims, or correct it; then keep our epoch apart from its own."""
        state, claims = self._state, self._member.claims
        master = sender if sender.is_(MASTER) else sender.master
        epoch = 0 if sender.is_(HANDSHAKE) else packet.config_epoch
        if master is not None and master.slots != packet.slots:
            if sender.is_(MASTER):
                claims.take_in(sender, epoch, packet.slots)
            claims.correct(sender, epoch, packet.slots)
        if state.myself.is_(MASTER) and sender.is_(MASTER) and epoch == state.myself.config_epoch:
            state.resolve_epoch_collision(sender)

    # --- FAIL, UPDATE ----------------------------------------------------------------------------

    def _read_fail(self, packet: Packet, sender: Node | None) -> None:
        state = self._state
        if sender is None:
            state.log.notice(f"Ignoring FAIL message from unknown node {packet.sender} about {packet.name}")
            return
        failing = state.lookup(packet.name)
        if failing is None or failing.is_(FAILED | MYSELF):
            return
        state.log.notice(
            f"FAIL message received from {packet.sender} ({sender.human_name}) about {packet.name} "
            f"({failing.human_name})"
        )
        failing.flags = failing.flags & ~PFAIL | FAILED
        failing.fail_ms = self._host.now_ms()
        state.schedule(SAVE_CONFIG | UPDATE_STATE)

    def _read_update(self, packet: Packet) -> None:
        state = self._state
        node = state.lookup(packet.name)
        if node is None or node.config_epoch >= packet.epoch:
            return
        if node.is_(REPLICA):
            state.set_as_master(node)
        node.config_epoch = packet.epoch
        state.schedule(SAVE_CONFIG | SYNC_CONFIG)
        self._member.claims.take_in(node, packet.epoch, packet.claimed)
