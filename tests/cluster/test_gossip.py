"""How nodes find, watch and forget each other."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pyredis.cluster.cron import PERIOD_MS
from pyredis.cluster.describe import nodes_text
from pyredis.cluster.messages import (
    EXT_HOSTNAME,
    EXT_HUMAN_NAME,
    EXTENDED,
    FAIL,
    MEET,
    PING,
    PUBLISH,
    Gossip,
    Packet,
    decode,
    shard_extension,
    text_extension,
)
from pyredis.cluster.node import FAIL as FAILED
from pyredis.cluster.node import HANDSHAKE, MASTER, NOADDR, NOFAILOVER, PFAIL, REPLICA

from .simulation import TIMEOUT_MS, Network, SimLink, SimNode, cluster_of


@pytest.fixture
def three():
    return cluster_of(3)


def pair() -> Network:
    network = Network()
    one, other = network.add(), network.add()
    assert one.member.meet(other.ip, 7000, 17000)
    return network


# --- meeting --------------------------------------------------------------------------------------


def test_two_nodes_meet_and_learn_their_addresses():
    network = pair()
    network.run_until(lambda: all(len(node.state.nodes) == 2 for node in network.nodes))
    network.run_until(lambda: not any(n.is_(HANDSHAKE) for node in network.nodes for n in node.state.nodes.values()))
    one, other = network.nodes
    assert (one.sees(other).ip, other.sees(one).ip) == (other.ip, one.ip)
    assert other.me.ip == other.ip
    assert one.sees(other).shard_id == other.me.shard_id
    network.run_until(lambda: one.me.ip == one.ip)


def test_the_first_packet_is_a_meet():
    network = pair()
    kinds = []
    network.tap = lambda sender, receiver, packet: kinds.append(packet[13])
    network.run(PERIOD_MS)
    assert kinds[0] == MEET


def test_gossip_introduces_everybody():
    network = Network()
    nodes = [network.add() for _ in range(6)]
    for left, right in pairwise(nodes):
        left.member.meet(right.ip, 7000, 17000)
    network.run_until(lambda: all(len(node.state.nodes) == 6 for node in nodes))


@pytest.mark.parametrize(
    ("ip", "port", "bus_port"), [("nowhere", 7000, 17000), ("10.0.0.2", 0, 17000), ("10.0.0.2", 7000, 65536)]
)
def test_addresses_that_make_no_sense(ip, port, bus_port):
    node = Network().add()
    assert not node.member.meet(ip, port, bus_port)
    assert len(node.state.nodes) == 1


def test_meeting_twice_is_one_handshake():
    network = pair()
    assert network.nodes[0].member.meet("10.0.0.2", 7000, 17000)
    assert len(network.nodes[0].state.nodes) == 2


def test_a_handshake_with_nobody_is_given_up():
    network = Network()
    node = network.add()
    assert node.member.meet("10.9.9.9", 7000, 17000)
    network.run(TIMEOUT_MS)
    assert len(node.state.nodes) == 2
    network.run(2 * PERIOD_MS)
    assert len(node.state.nodes) == 1


def test_equal_epochs_part():
    network = Network()
    nodes = [network.add() for _ in range(4)]
    for node in nodes[1:]:
        nodes[0].member.meet(node.ip, 7000, 17000)
    network.run_until(lambda: len({node.me.config_epoch for node in nodes}) == 4)
    network.run(5000)
    assert all(node.sees(other).config_epoch == other.me.config_epoch for node in nodes for other in nodes)


# --- names, flags, forgetting ---------------------------------------------------------------------


def test_names_and_flags_travel(three):
    one, other, _ = three.nodes
    one.config.cluster_announce_hostname = "one.example"
    one.config.cluster_announce_human_nodename = "one"
    one.config.cluster_replica_no_failover = True
    one.member.announcer.update_names()
    one.member.announcer.update_flags()
    three.run_until(lambda: other.sees(one).hostname == "one.example")
    assert other.sees(one).human_name == "one"
    assert other.sees(one).is_(NOFAILOVER)
    one.config.cluster_announce_hostname = ""
    three.run_until(lambda: not other.sees(one).hostname)


def test_a_forgotten_node_is_forgotten_by_all(three):
    one, other, third = three.nodes
    one.member.forget(one.sees(third))
    three.run_until(lambda: third.name not in other.state.nodes)
    three.run(30_000)
    assert third.name not in one.state.nodes
    assert third.name not in other.state.nodes


def test_nobody_forgets_itself_or_its_master():
    network = cluster_of(3, 1)
    master, other, replica = network.nodes[0], network.nodes[1], network.nodes[3]
    other.member.forget(other.sees(master))
    network.run(5000)
    assert master.name in master.state.nodes
    assert replica.me.master is replica.sees(master)


def test_reset_leaves_a_node_alone(three):
    one = three.nodes[0]
    old = one.name
    one.member.reset(hard=True)
    assert list(one.state.nodes) == [one.name] != [old]
    assert (one.me.slots, one.state.current_epoch, one.me.config_epoch) == (0, 0, 0)
    assert list(one.state.shards) == [one.me.shard_id]
    assert not one.host.emptied


def test_a_replica_that_is_reset_is_an_empty_master():
    network = cluster_of(3, 1)
    replica = network.nodes[3]
    name = replica.name
    replica.member.reset(hard=False)
    assert replica.is_master()
    assert replica.host.emptied
    assert not replica.host.following
    assert replica.name == name


# --- failing --------------------------------------------------------------------------------------


def test_a_dead_node_fails_and_returns(three):
    one, other, third = three.nodes
    third.alive = False
    three.run_until(lambda: one.sees(third).is_(FAILED))
    assert other.sees(third).is_(FAILED)
    assert not one.state.ok
    third.alive = True
    three.run_until(lambda: one.state.ok and other.state.ok and third.state.ok)
    assert not one.sees(third).is_(FAILED | PFAIL)


def test_a_minority_suspects_but_does_not_decide(three):
    one, other, third = three.nodes
    three.island = {one}
    three.run(4 * TIMEOUT_MS)
    assert one.sees(other).is_(PFAIL)
    assert one.sees(third).is_(PFAIL)
    assert not one.state.ok
    assert other.sees(one).is_(FAILED)
    three.island = set()
    three.run_until(lambda: all(node.state.ok for node in three.nodes))


def test_one_report_is_not_a_majority(three):
    one, other, third = three.nodes
    node = one.sees(third)
    node.flags |= PFAIL
    one.member.gossip.mark_failing(node)
    assert node.is_(PFAIL)
    node.fail_reports[one.sees(other)] = three.now_ms
    one.member.gossip.mark_failing(node)
    assert node.is_(FAILED)
    assert not node.is_(PFAIL)


def test_old_reports_do_not_count(three):
    one, other, third = three.nodes
    node = one.sees(third)
    node.fail_reports[one.sees(other)] = three.now_ms - 2 * TIMEOUT_MS
    assert one.member.gossip.reports(node) == 1
    node.fail_reports[one.sees(other)] -= 1
    assert one.member.gossip.reports(node) == 0


def test_a_node_that_moved_is_followed(three):
    one, other, third = three.nodes
    third.alive = False
    three.run_until(lambda: one.sees(third).is_(FAILED))
    three.move(third, "10.0.0.99")
    third.alive = True
    three.run_until(lambda: one.sees(third).ip == "10.0.0.99" == other.sees(third).ip)
    three.run_until(lambda: not one.sees(third).is_(FAILED))


def test_another_node_at_the_address_is_not_mistaken(three):
    one, other, third = three.nodes
    three.run(5000)
    one.sees(third).link.close()
    one.sees(third).ip = other.ip
    three.run(PERIOD_MS)
    assert one.sees(third).is_(NOADDR)
    assert (one.sees(third).ip, one.sees(third).bus_port) == ("", 0)
    assert f"PONG contains mismatching sender ID. About node {third.name} added" in one.log
    three.run_until(lambda: one.sees(third).ip == third.ip)


def test_meeting_a_node_that_is_known_changes_nothing(three):
    one, other, _ = three.nodes
    assert one.member.meet(other.ip, 7000, 17000)
    assert len(one.state.nodes) == 4
    three.run(PERIOD_MS)
    assert len(one.state.nodes) == 3
    assert f"Handshake: we already know node {other.name} (), updating the address if needed." in one.log


@pytest.mark.parametrize("tls", [False, True])
def test_gossip_tells_where_an_unreachable_node_is_now(three, tls):
    one, other, third = three.nodes
    one.config.tls_cluster = tls
    node = one.sees(third)
    node.flags |= PFAIL
    link = node.link
    entry = Gossip(third.name, 0, 0, "10.0.0.50", 1, 2, MASTER, 3)
    one.member.gossip.read(Packet(PING, other.name, gossip=[entry]), one.sees(other))
    assert (node.ip, node.bus_port) == ("10.0.0.50", 2)
    assert (node.tcp_port, node.tls_port) == ((3, 1) if tls else (1, 3))
    assert link.closed


def test_a_master_nobody_replaced_is_no_longer_failed_after_a_while(three):
    one, _, third = three.nodes
    node = one.sees(third)
    node.flags |= FAILED
    node.fail_ms = three.now_ms - 2 * TIMEOUT_MS
    one.member.gossip.clear_failure(node)
    assert node.is_(FAILED)
    node.fail_ms -= 1
    one.member.gossip.clear_failure(node)
    assert not node.is_(FAILED)
    assert "is reachable again and nobody is serving its slots after some time." in one.log


def test_others_pongs_count(three):
    one, other, third = three.nodes
    node = one.sees(third)
    node.pong_received_ms = node.ping_sent_ms = 0
    for seconds, expected in ((three.now_ms // 1000, three.now_ms // 1000 * 1000), (three.now_ms // 1000 + 5, None)):
        entry = Gossip(third.name, 0, seconds, third.ip, 7000, 17000, MASTER, 0)
        one.member.gossip.read(Packet(PING, other.name, gossip=[entry]), one.sees(other))
        assert node.pong_received_ms == (expected or three.now_ms // 1000 * 1000)


# --- single packets -------------------------------------------------------------------------------


def link_of(network, receiver, sender):
    """The link by which *receiver* hears *sender*."""
    return receiver.sees(sender).inbound_link


def test_unknown_nodes_are_not_believed(three):
    one, other, third = three.nodes
    link = link_of(three, one, other)
    link.node = None
    for packet in (Packet(FAIL, "f" * 40, name=third.name), Packet(PUBLISH, "f" * 40, channel=b"c")):
        assert one.member.received(link, packet.encode())
    assert not one.sees(third).is_(FAILED)
    assert not one.host.published
    assert "Ignoring FAIL message from unknown node" in one.log


def test_published_messages_reach_the_others(three):
    one, other, third = three.nodes
    one.member.publish(b"channel", b"message", sharded=False)
    three.settle()
    assert other.host.published == third.host.published == [(b"channel", b"message", False)]
    assert not one.host.published


def test_sharded_messages_stay_in_the_shard():
    network = cluster_of(3, 1)
    network.nodes[0].member.publish(b"c", b"m", sharded=True)
    network.settle()
    assert [node.host.published for node in network.nodes] == [[], [], [], [(b"c", b"m", True)], [], []]


def test_messages_are_counted(three):
    one, other, _ = three.nodes
    before = one.state.sent[PING], other.state.received[PUBLISH]
    one.member.publish(b"c", b"m", sharded=False)
    three.run(TIMEOUT_MS)
    assert one.state.sent[PING] > before[0]
    assert other.state.received[PUBLISH] == before[1] + 1
    assert one.state.sent[PUBLISH] == 2


def test_the_debug_filter_drops_a_kind(three):
    one, other, _ = three.nodes
    other.member.packets.drop_filter = PUBLISH
    one.member.publish(b"c", b"m", sharded=False)
    three.settle()
    assert not other.host.published
    assert "Dropping packet that matches debug drop filter" in other.log


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (Packet(FAIL, "a" * 40).encode() + b"x", "Received invalid fail packet of length 2297"),
        (Packet(77, "a" * 40).encode(), "Received unknown packet type: 77"),
        (Packet(PING, "a" * 40, extensions=[text_extension(9, "new")], message_flags=4).encode(), ""),
    ],
)
def test_odd_packets_are_survived(three, data, text):
    one, other, _ = three.nodes
    assert one.member.received(link_of(three, one, other), data)
    assert not text or text in one.log


def test_other_versions_are_ignored(three):
    one, other, _ = three.nodes
    data = bytearray(Packet(FAIL, other.name, name=three.nodes[2].name).encode())
    data[9] = 2
    assert one.member.received(link_of(three, one, other), bytes(data))
    assert not one.sees(three.nodes[2]).is_(FAILED)


def test_a_node_without_a_proper_name_is_not_taken_up():
    network = pair()
    one, other = network.nodes
    other.me.name = "UPPER" * 8
    network.run(PERIOD_MS)
    assert set(one.state.nodes) & {other.name} == set()


def test_pings_carry_extensions_and_gossip(three):
    seen = []
    three.tap = lambda sender, receiver, packet: seen.append(decode(packet))
    three.nodes[0].config.cluster_announce_hostname = "h"
    three.run(TIMEOUT_MS)
    pings = [packet for packet in seen if packet.kind == PING and packet.sender == three.nodes[0].name]
    assert {extension.kind for extension in pings[-1].extensions} == {EXT_HOSTNAME, 3}
    assert all(len(packet.gossip) == 1 for packet in pings)
    assert all(node.is_(MASTER) for node in three.nodes[0].state.nodes.values())


def test_congested_links_are_cut(three):
    one, other, _ = three.nodes
    one.config.cluster_link_sendbuf_limit = 1000
    link = one.sees(other).link
    link.queued_bytes = 1001
    three.run(PERIOD_MS)
    assert link.closed
    assert one.state.links_over_limit == 1
    assert one.sees(other).link is not None
    assert "due to exceeding send buffer memory limit." in one.log


# --- what no node would say -----------------------------------------------------------------------


def intruder(network: Network) -> tuple[SimNode, SimLink]:
    """The first node, and a link of somebody it does not know."""
    node = network.nodes[0]
    return node, SimLink(network, node, None, "10.0.9.9")


@pytest.mark.parametrize("kind", [PING, MEET, FAIL])
def test_nobody_is_believed_who_poses_as_ourselves(three, kind):
    node, link = intruder(three)
    other = three.nodes[1].name
    before = nodes_text(node.state)
    packet = Packet(kind, node.name, master=other, current_epoch=99, config_epoch=99, ip="10.0.9.9", name=other)
    node.member.received(link, packet.encode())
    assert nodes_text(node.state) == before
    assert node.state.current_epoch < 99


@pytest.mark.parametrize("name", ["a b", "a\nb", "a,b", 'a"b', "a#b"])
def test_names_and_addresses_that_nodes_conf_cannot_hold_are_ignored(three, name):
    node, other = three.nodes[:2]
    known = node.sees(other)
    for kind in (EXT_HOSTNAME, EXT_HUMAN_NAME):
        packet = Packet(
            PING, other.name, known.slots, config_epoch=known.config_epoch, ip=name, port=7000, bus_port=17000,
            flags=MASTER, message_flags=EXTENDED, extensions=[text_extension(kind, name)],
        )  # fmt: skip
        node.member.received(SimLink(three, node, None, known.ip), packet.encode())
    assert (known.hostname, known.human_name, known.ip) == ("", "", other.ip)


def test_replicas_keep_to_the_shard_of_their_master():
    network = cluster_of(1, 1)
    node, replica = network.nodes
    network.run_until(lambda: node.sees(replica).master is node.me)
    packet = Packet(
        PING, replica.name, master=node.name, port=7000, bus_port=17000, flags=REPLICA, message_flags=EXTENDED,
        extensions=[shard_extension("e" * 40)],
    )  # fmt: skip
    node.member.received(SimLink(network, node, None, replica.ip), packet.encode())
    assert node.sees(replica).shard_id == node.me.shard_id
