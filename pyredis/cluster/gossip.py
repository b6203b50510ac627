"""What pings tell beyond their sender: other nodes' health and addresses, and the extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .announce import set_hostname, set_human_name, valid_address
from .messages import (
    EXT_FORGOTTEN_NODE,
    EXT_HOSTNAME,
    EXT_HUMAN_NAME,
    EXT_SHARD_ID,
    Extension,
    Gossip,
    Packet,
)
from .node import FAIL, MASTER, MYSELF, NOADDR, PFAIL, REPLICA, Node
from .state import SAVE_CONFIG, UPDATE_STATE, ClusterState, valid_name

if TYPE_CHECKING:
    from ..config.config import Config
    from .host import Host
    from .outbox import Outbox

REPORT_VALIDITY: Final = 2
"""For how many times the node timeout a report of a failure counts."""
UNDO_FACTOR: Final = 2
CLOCK_TOLERANCE_MS: Final = 500


class GossipReader:
    """Takes in the gossip of known senders, and decides when a node has failed."""

    def __init__(self, state: ClusterState, config: Config, host: Host, outbox: Outbox) -> None:
        self._state = state
        self._config = config
        self._host = host
        self._outbox = outbox

    def read(self, packet: Packet, sender: Node | None) -> None:
        """The gossip section of *packet* (clusterProcessGossipSection)."""
        for entry in packet.gossip:
            node = self._state.lookup(entry.name)
            if node is not None:
                if sender is not None and sender.is_(MASTER) and node is not self._state.myself:
                    self._note_health(node, sender, entry)
                self._note_pong(node, entry)
                self._note_address(node, entry)
            elif sender is not None:
                self._meet_stranger(entry)

    # --- nodes we know ---------------------------------------------------------------------------

    def _note_health(self, node: Node, sender: Node, entry: Gossip) -> None:
        log = self._state.log
        what = f"Node {sender.name} ({sender.human_name}) reported node {node.name} ({node.human_name})"
        if entry.flags & (FAIL | PFAIL):
            if sender not in node.fail_reports:
                log.verbose(f"{what} as not reachable.")
            node.fail_reports[sender] = self._host.now_ms()
            self.mark_failing(node)
        elif node.fail_reports.pop(sender, None) is not None:
            log.verbose(f"{what} is back online.")

    def reports(self, node: Node) -> int:
        """How many masters lately called *node* failing (clusterNodeFailureReportsCount)."""
        if not node.fail_reports:
            return 0
        oldest = self._host.now_ms() - self._config.cluster_node_timeout * REPORT_VALIDITY
        for reporter in [reporter for reporter, time in node.fail_reports.items() if time < oldest]:
            del node.fail_reports[reporter]
        return len(node.fail_reports)

    def mark_failing(self, node: Node) -> None:
        """From "I cannot reach it" to "it has failed", if most masters say so (markNodeAsFailingIfNeeded)."""
        state = self._state
        if not node.is_(PFAIL) or node.is_(FAIL):
            return
        if self.reports(node) + state.myself.is_(MASTER) < state.quorum:
            return
        state.log.notice(f"Marking node {node.name} ({node.human_name}) as failing (quorum reached).")
        node.flags = node.flags & ~PFAIL | FAIL
        node.fail_ms = self._host.now_ms()
        self._outbox.send_fail(node.name)
        state.schedule(UPDATE_STATE | SAVE_CONFIG)

    def clear_failure(self, node: Node) -> None:
        """A failed node answers: that is enough unless it may have been replaced (clearNodeFailureIfNeeded)."""
        if node.is_(REPLICA) or not node.slots:
            what = "replica" if node.is_(REPLICA) else "master without slots"
            reason = f"{what} is reachable again."
        elif self._host.now_ms() - node.fail_ms > self._config.cluster_node_timeout * UNDO_FACTOR:
            reason = " is reachable again and nobody is serving its slots after some time."
        else:
            return
        self._state.log.notice(f"Clear FAIL state for node {node.name} ({node.human_name}):{reason}")
        node.flags &= ~FAIL
        self._state.schedule(UPDATE_STATE | SAVE_CONFIG)

    def _note_pong(self, node: Node, entry: Gossip) -> None:
        """Others' pongs count as if they were ours, so that fewer pings are needed."""
        if entry.flags & (FAIL | PFAIL) or node.ping_sent_ms or self.reports(node):
            return
        pong = entry.pong_received * 1000
        if node.pong_received_ms < pong <= self._host.now_ms() + CLOCK_TOLERANCE_MS:
            node.pong_received_ms = pong

    def _note_address(self, node: Node, entry: Gossip) -> None:
        """A node that we cannot reach has moved, says one who can."""
        if not node.is_(FAIL | PFAIL) or entry.flags & (NOADDR | FAIL | PFAIL):
            return
        if not valid_address(entry.ip) or (node.ip.lower(), node.bus_port, *self._ports_of(node)) == (
            entry.ip.lower(), entry.bus_port, entry.port, entry.other_port
        ):  # fmt: skip
            return
        if node.link is not None:
            node.link.close()
        self._set_address(node, entry)
        node.flags &= ~NOADDR

    def _ports_of(self, node: Node) -> tuple[int, int]:
        return (node.tls_port, node.tcp_port) if self._config.tls_cluster else (node.tcp_port, node.tls_port)

    def _set_address(self, node: Node, entry: Gossip) -> None:
        node.ip, node.bus_port = entry.ip, entry.bus_port
        if self._config.tls_cluster:
            node.tls_port, node.tcp_port = entry.port, entry.other_port
        else:
            node.tcp_port, node.tls_port = entry.port, entry.other_port

    # --- others ----------------------------------------------------------------------------------

    def _meet_stranger(self, entry: Gossip) -> None:
        """A node we know tells of one that we do not: trust it, unless that was forgotten on purpose."""
        state = self._state
        if entry.flags & NOADDR or not (valid_name(entry.name) and valid_address(entry.ip)):
            return
        if state.is_forgotten(entry.name):
            return
        node = state.new_node(entry.name, entry.flags & ~MYSELF)
        self._set_address(node, entry)
        state.add_node(node)
        state.join_shard(node)

    # --- extensions ------------------------------------------------------------------------------

    def read_extensions(self, packet: Packet, sender: Node) -> None:
        """Names, shard and forgotten nodes; what is not said is taken back (clusterProcessPingExtensions)."""
        texts = {EXT_HOSTNAME: "", EXT_HUMAN_NAME: ""}
        shard_id = sender.shard_id
        for extension in packet.extensions:
            if extension.kind in texts:
                texts[extension.kind] = extension.text
            elif extension.kind == EXT_FORGOTTEN_NODE:
                self._forget(extension)
            elif extension.kind == EXT_SHARD_ID:
                shard_id = extension.text if valid_name(extension.text) else shard_id
            else:
                self._state.log.warning(f"Received unknown extension type {extension.kind}")
        if self._state.nodes.get(sender.name) is not sender:
            return
        set_hostname(self._state, sender, texts[EXT_HOSTNAME])
        set_human_name(self._state, sender, texts[EXT_HUMAN_NAME])
        self._state.set_shard(sender, shard_id if sender.master is None else sender.master.shard_id)

    def _forget(self, extension: Extension) -> None:
        state, forgotten = self._state, extension.forgotten
        node = state.lookup(forgotten[0]) if forgotten is not None else None
        if node is None or forgotten is None or node is state.myself or state.myself.master is node:
            return
        state.forget_for(node.name, min(forgotten[1], 1 << 32))
        state.remove_node(node)
        state.schedule(UPDATE_STATE | SAVE_CONFIG)
