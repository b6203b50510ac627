"""The cluster in words: CLUSTER NODES and INFO as texts, SLOTS, SHARDS and LINKS as replies (cluster.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..resp.encode import array_of, array_of_integers, bulk, integer
from .node import FAIL, FLAG_NAMES, MYSELF, REPLICA, Link, Node
from .slots import ranges_in
from .state import MESSAGE_TYPES, ClusterState

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config.config import Config
    from ..engine.server import Server
    from ..resp.wire import Wire

UNKNOWN_HOST: Final = "?"


def text(string: str) -> bytes:
    """*string* as it goes out."""
    return string.encode("utf-8", "surrogateescape")


# --- where a node is ------------------------------------------------------------------------------


def endpoint(node: Node, config: Config) -> str:
    """The name or address by which clients shall reach *node* (getPreferredEndpoint)."""
    match config.cluster_preferred_endpoint_type:
        case "hostname":
            return node.hostname or UNKNOWN_HOST
        case "unknown-endpoint":
            return ""
        case _:
            return node.ip


def asks_for_tls(server: Server) -> bool:
    """Whether who asks is connected by TLS; without a connection ``tls-cluster`` decides (shouldReturnTlsInfo)."""
    client = server.executing
    if client is None or client.transport.fd < 0:
        return server.config.tls_cluster
    return client.transport.plain_descriptor < 0


def port_for(node: Node, server: Server) -> int:
    """*node*'s port for who asks."""
    return node.tls_port if asks_for_tls(server) else node.tcp_port


# --- CLUSTER NODES and nodes.conf -----------------------------------------------------------------


def nodes_text(state: ClusterState, *, without: int = 0, tls: bool = False, aux: bool = False) -> str:
    """A line for each node that has none of the flags *without*; *aux*: with what nodes.conf has in addition."""
    return "".join([
        f"{node_text(node, state, tls=tls, aux=aux)}\n" for node in state.nodes.values() if not node.is_(without)
    ])  # fmt: skip


def node_text(node: Node, state: ClusterState, *, tls: bool = False, aux: bool = False) -> str:
    """The line of one node, without its newline (clusterGenNodeDescription)."""
    master = node.master
    epoch = master.config_epoch if node.is_(REPLICA) and master is not None else node.config_epoch
    words = [
        node.name,
        f"{node.ip}:{node.tls_port if tls else node.tcp_port}@{node.bus_port}{_names(node, tls=tls, aux=aux)}",
        flags_text(node.flags),
        "-" if master is None else master.name,
        str(node.ping_sent_ms),
        str(node.pong_received_ms),
        str(epoch),
        "connected" if node.link is not None or node.is_(MYSELF) else "disconnected",
    ]
    words += [str(first) if first == last else f"{first}-{last}" for first, last in ranges_in(node.slots)]
    if node.is_(MYSELF):
        words += _open_slots(state)
    return " ".join(words)


def _names(node: Node, *, tls: bool, aux: bool) -> str:
    if not aux:
        return f",{node.hostname}" if node.hostname else ""
    human_name = f",nodename={node.human_name}" if node.human_name else ""
    port = f",tcp-port={node.tcp_port}" if tls else f",tls-port={node.tls_port}"
    shard = f",shard-id={node.shard_id}" if node.shard_id else ""
    return f",{node.hostname}{port}{human_name}{shard}"


def flags_text(flags: int) -> str:
    """``myself,master``; ``noflags`` for none."""
    return ",".join([name for flag, name in FLAG_NAMES if flags & flag]) or "noflags"


def _open_slots(state: ClusterState) -> list[str]:
    """The slots on the move: ``[93->-name]`` leaves for that node, ``[93-<-name]`` comes from it."""
    return [
        f"[{slot}->-{state.migrating[slot].name}]"
        if slot in state.migrating
        else f"[{slot}-<-{state.importing[slot].name}]"
        for slot in sorted(state.migrating.keys() | state.importing.keys())
    ]


# --- CLUSTER INFO ---------------------------------------------------------------------------------


def info_text(state: ClusterState) -> str:
    """The reply of CLUSTER INFO (genClusterInfoString)."""
    return "".join([f"{name}:{value}\r\n" for name, value in info_fields(state)])


def info_fields(state: ClusterState) -> list[tuple[str, object]]:
    """The fields of CLUSTER INFO, in their order."""
    counts, myself = state.counts(), state.myself
    epoch = myself.master.config_epoch if myself.is_(REPLICA) and myself.master is not None else myself.config_epoch
    fields: list[tuple[str, object]] = [
        ("cluster_state", "ok" if state.ok else "fail"),
        ("cluster_slots_assigned", counts.assigned),
        ("cluster_slots_ok", counts.ok),
        ("cluster_slots_pfail", counts.pfail),
        ("cluster_slots_fail", counts.fail),
        ("cluster_known_nodes", len(state.nodes)),
        ("cluster_size", state.size),
        ("cluster_current_epoch", state.current_epoch),
        ("cluster_my_epoch", epoch),
    ]
    for direction, numbers in (("sent", state.sent), ("received", state.received)):
        for name, number in zip(MESSAGE_TYPES, numbers, strict=True):
            if number:
                fields.append((f"cluster_stats_messages_{name}_{direction}", number))
        fields.append((f"cluster_stats_messages_{direction}", sum(numbers)))
    fields.append(("total_cluster_links_buffer_limit_exceeded", state.links_over_limit))
    return fields


# --- CLUSTER SLOTS --------------------------------------------------------------------------------


class Topology:
    """SLOTS and SHARDS for one client.  *offset* tells how much of the replication stream this node has."""

    def __init__(self, server: Server, state: ClusterState, wire: Wire, offset: Callable[[], int]) -> None:
        self._state = state
        self._config = server.config
        self._wire = wire
        self._tls = asks_for_tls(server)
        self._offset = offset

    def slots(self) -> bytes:
        """Runs of slots, each with its master and the replicas that are of use (clusterReplyMultiBulkSlots)."""
        runs = [
            (first, last, node)
            for node in self._state.nodes.values()
            for first, last in ranges_in(node.slots)
        ]  # fmt: skip
        runs.sort(key=lambda run: run[0])
        described: dict[Node, list[bytes]] = {}
        entries = []
        for first, last, node in runs:
            nodes = described.get(node)
            if nodes is None:
                servers = [node, *filter(self._available, node.replicas)]
                nodes = described[node] = [self._networking(server) for server in servers]
            entries.append(array_of([integer(first), integer(last), *nodes]))
        return array_of(entries)

    def _available(self, replica: Node) -> bool:
        """Whether *replica* has data and is not known to have failed (isReplicaAvailable)."""
        return not replica.is_(FAIL) and self._offset_of(replica) != 0

    def _offset_of(self, node: Node) -> int:
        return self._offset() if node.is_(MYSELF) else node.repl_offset

    def _networking(self, node: Node) -> bytes:
        """Endpoint, port, id, and the other ways to name it (addNodeToNodeReply)."""
        kind = self._config.cluster_preferred_endpoint_type
        preferred = self._wire.null if kind == "unknown-endpoint" else bulk(text(endpoint(node, self._config)))
        others = []
        if kind != "ip":
            others += [bulk(b"ip"), bulk(text(node.ip))]
        if kind != "hostname" and node.hostname:
            others += [bulk(b"hostname"), bulk(text(node.hostname))]
        port = node.tls_port if self._tls else node.tcp_port
        return array_of([preferred, integer(port), bulk(text(node.name)), self._wire.map_of(others)])

    # --- CLUSTER SHARDS --------------------------------------------------------------------------

    def shards(self) -> bytes:
        """The shards with their slots and all their nodes (clusterReplyShards)."""
        return array_of([self._shard(nodes) for nodes in self._state.shards.values()])

    def _shard(self, nodes: list[Node]) -> bytes:
        master = nodes[0]
        while master.master is not None:
            master = master.master
        bounds = [bound for run in ranges_in(master.slots) for bound in run]
        return self._wire.map_of([
            bulk(b"slots"), array_of_integers(bounds),
            bulk(b"nodes"), array_of([self._details(node) for node in nodes]),
        ])  # fmt: skip

    def _details(self, node: Node) -> bytes:
        """One node of a shard (addNodeDetailsToShardReply)."""
        offset = self._offset_of(node)
        fields: list[tuple[bytes, bytes]] = [(b"id", bulk(text(node.name)))]
        if node.tcp_port:
            fields.append((b"port", integer(node.tcp_port)))
        if node.tls_port:
            fields.append((b"tls-port", integer(node.tls_port)))
        fields.append((b"ip", bulk(text(node.ip))))
        fields.append((b"endpoint", bulk(text(endpoint(node, self._config)))))
        if node.hostname:
            fields.append((b"hostname", bulk(text(node.hostname))))
        replica = node.is_(REPLICA)
        health = b"fail" if node.is_(FAIL) else b"loading" if replica and not offset else b"online"
        fields.append((b"role", bulk(b"replica" if replica else b"master")))
        fields.append((b"replication-offset", integer(offset)))
        fields.append((b"health", bulk(health)))
        return self._wire.map_of([part for name, value in fields for part in (bulk(name), value)])


# --- CLUSTER LINKS --------------------------------------------------------------------------------


def links_reply(state: ClusterState, wire: Wire) -> bytes:
    """Every connection of the bus whose node is known."""
    return array_of([
        _link_reply(link, node, wire)
        for node in state.nodes.values()
        for link in (node.link, node.inbound_link)
        if link is not None
    ])  # fmt: skip


def _link_reply(link: Link, node: Node, wire: Wire) -> bytes:
    queued = link.queued_bytes
    return wire.map_of([
        bulk(b"direction"), bulk(b"from" if link.inbound else b"to"),
        bulk(b"node"), bulk(text(node.name)),
        bulk(b"create-time"), integer(link.created_ms),
        bulk(b"events"), bulk(text(link.events)),
        bulk(b"send-buffer-allocated"), integer(queued),
        bulk(b"send-buffer-used"), integer(queued),
    ])  # fmt: skip
