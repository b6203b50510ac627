"""DEBUG CLUSTERLINK and DROP-CLUSTER-PACKET-FILTER: breaking the bus on purpose (debug.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cluster.state import MESSAGE_TYPES
from ...errors import ClusterOnly, UnknownDirection, UnknownNode, WrongSubcommandArguments
from ...registry.command import Argv, Reply
from ...resp.encode import OK
from ...util.numbers import parse_int
from ..server.debug import debug

if TYPE_CHECKING:
    from ...engine.client import Client


@debug("DROP-CLUSTER-PACKET-FILTER", 3, None, "DROP-CLUSTER-PACKET-FILTER <packet-type>",
       "    Drop all packets that match the filtered type. Set to -1 allow all packets.")  # fmt: skip
def debug_drop_cluster_packet_filter(client: Client, argv: Argv) -> Reply:
    kind = parse_int(argv[2])
    if client.server.cluster is not None:
        client.server.cluster.member.packets.drop_filter = kind if kind in range(len(MESSAGE_TYPES)) else -1
    return OK


@debug("CLUSTERLINK", 5, None, "CLUSTERLINK KILL <to|from|all> <node-id>",
       "    Kills the link based on the direction to/from (both) with the provided node.")  # fmt: skip
def debug_clusterlink(client: Client, argv: Argv) -> Reply:
    cluster, direction = client.server.cluster, argv[3].lower()
    if argv[2].upper() != b"KILL":
        raise WrongSubcommandArguments("DEBUG", argv[1])
    if cluster is None:
        raise ClusterOnly
    node = cluster.state.lookup(argv[4].decode("latin-1"))
    if node is None:
        raise UnknownNode(argv[4])
    if direction not in (b"to", b"from", b"all"):
        raise UnknownDirection(argv[3])
    cluster.member.kill_links(node, inbound=direction != b"to", outbound=direction != b"from")
    return OK
