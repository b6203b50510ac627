"""CLUSTER NODES, SLOTS, SHARDS, LINKS, INFO and other questions (cluster.c clusterCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cluster.describe import Topology, asks_for_tls, info_text, links_reply, node_text, nodes_text, text
from ...cluster.node import REPLICA
from ...errors import NodeNotMaster
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, LOADING, STALE
from ...resp.encode import array_of_bulks, bulk, integer
from .common import VARIES, known_node, of

if TYPE_CHECKING:
    from ...engine.client import Client


def topology(client: Client) -> Topology:
    cluster = of(client)
    return Topology(client.server, cluster.state, client.wire, lambda: cluster.host.offset)


@command("CLUSTER|NODES", arity=2, flags=STALE, tips=VARIES)
def nodes(client: Client, argv: Argv) -> Reply:
    """CLUSTER NODES"""
    state = of(client).state
    return client.wire.verbatim(text(nodes_text(state, tls=asks_for_tls(client.server))))


@command("CLUSTER|SLOTS", arity=2, flags=LOADING | STALE, tips=VARIES)
def slots(client: Client, argv: Argv) -> Reply:
    """CLUSTER SLOTS"""
    return topology(client).slots()


@command("CLUSTER|SHARDS", arity=2, flags=LOADING | STALE, tips=VARIES)
def shards(client: Client, argv: Argv) -> Reply:
    """CLUSTER SHARDS"""
    return topology(client).shards()


@command("CLUSTER|LINKS", arity=2, flags=STALE, tips=VARIES)
def links(client: Client, argv: Argv) -> Reply:
    """CLUSTER LINKS"""
    return links_reply(of(client).state, client.wire)


@command("CLUSTER|INFO", arity=2, flags=STALE, tips=VARIES)
def info(client: Client, argv: Argv) -> Reply:
    """CLUSTER INFO"""
    return client.wire.verbatim(info_text(of(client).state).encode())


@command("CLUSTER|MYID", arity=2, flags=STALE)
def myid(client: Client, argv: Argv) -> Reply:
    """CLUSTER MYID"""
    return bulk(text(of(client).state.myself.name))


@command("CLUSTER|MYSHARDID", arity=2, flags=STALE, tips=VARIES)
def myshardid(client: Client, argv: Argv) -> Reply:
    """CLUSTER MYSHARDID"""
    return bulk(text(of(client).state.myself.shard_id))


@command("CLUSTER|REPLICAS", arity=3, flags=ADMIN | STALE, tips=VARIES)
@command("CLUSTER|SLAVES", arity=3, flags=ADMIN | STALE, tips=VARIES)
def replicas(client: Client, argv: Argv) -> Reply:
    """CLUSTER REPLICAS node-id"""
    cluster = of(client)
    node = known_node(cluster, argv[2])
    if node.is_(REPLICA):
        raise NodeNotMaster
    tls = asks_for_tls(client.server)
    return array_of_bulks([text(node_text(replica, cluster.state, tls=tls)) for replica in node.replicas])


@command("CLUSTER|COUNT-FAILURE-REPORTS", arity=3, flags=ADMIN | STALE, tips=VARIES)
def count_failure_reports(client: Client, argv: Argv) -> Reply:
    """CLUSTER COUNT-FAILURE-REPORTS node-id"""
    cluster = of(client)
    return integer(cluster.member.gossip.reports(known_node(cluster, argv[2])))
