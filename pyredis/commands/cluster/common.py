"""CLUSTER itself, its HELP, and what its subcommands share (cluster.c clusterCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...cluster.node import Node
from ...cluster.slots import SLOTS
from ...cluster.state import valid_name
from ...errors import ClusterDisabled, InvalidSlot, UnknownNode
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, LOADING, NO_ASYNC_LOADING, STALE
from ...util.numbers import parse_int_or_none
from ..help import help_reply

if TYPE_CHECKING:
    from ...cluster.service import Cluster
    from ...engine.client import Client

CHANGES: Final = ADMIN | STALE | NO_ASYNC_LOADING
VARIES: Final = ("nondeterministic_output",)

HELP: Final = (
    "ADDSLOTS <slot> [<slot> ...]",
    "    Assign slots to current node.",
    "ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Assign slots which are between <start-slot> and <end-slot> to current node.",
    "BUMPEPOCH",
    "    Advance the cluster config epoch.",
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Return number of failure reports for <node-id>.",
    "COUNTKEYSINSLOT <slot>",
    "    Return the number of keys in <slot>.",
    "DELSLOTS <slot> [<slot> ...]",
    "    Delete slots information from current node.",
    "DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Delete slots information which are between <start-slot> and <end-slot> from current node.",
    "FAILOVER [FORCE|TAKEOVER]",
    "    Promote current replica node to being a master.",
    "FORGET <node-id>",
    "    Remove a node from the cluster.",
    "GETKEYSINSLOT <slot> <count>",
    "    Return key names stored by current node in a slot.",
    "FLUSHSLOTS",
    "    Delete current node own slots information.",
    "INFO",
    "    Return information about the cluster.",
    "KEYSLOT <key>",
    "    Return the hash slot for <key>.",
    "MEET <ip> <port> [<bus-port>]",
    "    Connect nodes into a working cluster.",
    "MYID",
    "    Return the node id.",
    "MYSHARDID",
    "    Return the node's shard id.",
    "NODES",
    "    Return cluster configuration seen by node. Output format:",
    "    <id> <ip:port@bus-port[,hostname]> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
    "REPLICATE <node-id>",
    "    Configure current node as replica to <node-id>.",
    "RESET [HARD|SOFT]",
    "    Reset current node (default: soft).",
    "SET-CONFIG-EPOCH <epoch>",
    "    Set config epoch of current node.",
    "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)",
    "    Set slot state.",
    "REPLICAS <node-id>",
    "    Return <node-id> replicas.",
    "SAVECONFIG",
    "    Force saving cluster configuration on disk.",
    "SLOTS",
    "    Return information about slots range mappings. Each range is made of:",
    "    start, end, master and replicas IP addresses, ports and ids",
    "SHARDS",
    "    Return information about slot range mappings and the nodes associated with them.",
    "LINKS",
    "    Return information about all network links between this node and its peers.",
    "    Output format is an array where each array element is a map containing attributes of a link",
)


def of(client: Client) -> Cluster:
    """The node that *client*'s server is.  Raises ClusterDisabled."""
    cluster: Cluster | None = client.server.cluster
    if cluster is None:
        raise ClusterDisabled
    return cluster


def parse_slot(text: bytes) -> int:
    """A slot's number.  Raises InvalidSlot (getSlotOrReply)."""
    slot = parse_int_or_none(text)
    if slot is None or not 0 <= slot < SLOTS:
        raise InvalidSlot
    return slot


def find_node(cluster: Cluster, name: bytes) -> Node | None:
    """The node called *name*."""
    text = name.decode("latin-1")
    return cluster.state.lookup(text) if valid_name(text) else None


def known_node(cluster: Cluster, name: bytes) -> Node:
    """The node called *name*.  Raises UnknownNode."""
    node = find_node(cluster, name)
    if node is None:
        raise UnknownNode(name)
    return node


@command("CLUSTER", arity=-2)
def cluster_(client: Client, argv: Argv) -> Reply:
    """CLUSTER subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("CLUSTER|HELP", arity=2, flags=LOADING | STALE)
def cluster_help(client: Client, argv: Argv) -> Reply:
    """CLUSTER HELP"""
    of(client)
    return help_reply("CLUSTER", HELP)
