"""CLUSTER and what a node refuses: replies to the byte (cluster.c clusterCommand)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.cluster.node import BUS_PORT_OFFSET, FAIL, HANDSHAKE, MASTER, PFAIL, REPLICA, Link, Node
from pyredis.cluster.slots import ALL, bitmap_of
from pyredis.engine.metrics import exposition
from pyredis.engine.server import Server
from tests.conftest import Peer

from .conftest import OTHER

OK = b"+OK\r\n"


class StillLink:
    """A link on which nothing happens."""

    def __init__(self, node: Node, *, inbound: bool) -> None:
        self.node: Node | None = node
        self.inbound = inbound
        self.created_ms = 1234
        self.sent: list[bytes] = []
        self.queued_bytes = 48
        self.events = "rw"
        self.peer_ip = self.local_ip = "10.0.0.2"

    def send(self, packet: bytes) -> None:
        self.sent.append(packet)

    def close(self) -> None:
        assert self.node is not None
        if self.inbound:
            self.node.inbound_link = None
        else:
            self.node.link = None


@pytest.fixture
def replica(server: Server, other: Node) -> Node:
    """A replica of the other master."""
    state = server.cluster.state
    node: Node = state.new_node("c" * 40, REPLICA)
    node.ip, node.tcp_port, node.bus_port = "10.0.0.3", 7002, 17002
    node.shard_id, node.master = other.shard_id, other
    state.add_node(node)
    state.join_shard(node)
    state.add_replica(other, node)
    return node


def line(text: bytes, start: str) -> str:
    """The line of a bulk reply that begins with *start*."""
    return next(one for one in text.decode().splitlines() if one.startswith(start))


# --- slots ----------------------------------------------------------------------------------------


def test_slots_are_taken_and_given_up(server: Server, send: Peer) -> None:
    myself = server.cluster.state.myself
    assert send("CLUSTER", "ADDSLOTS", "3", "1", "2") == OK
    assert send("CLUSTER", "ADDSLOTSRANGE", "10", "12", "20", "20") == OK
    assert myself.slots == bitmap_of([1, 2, 3, 10, 11, 12, 20])
    assert send("CLUSTER", "DELSLOTS", "2") == OK
    assert send("CLUSTER", "DELSLOTSRANGE", "10", "11") == OK
    assert myself.slots == bitmap_of([1, 3, 12, 20])
    assert send("CLUSTER", "FLUSHSLOTS") == OK
    assert myself.slots == 0


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("ADDSLOTS", "16384"), b"-ERR Invalid or out of range slot\r\n"),
        (("ADDSLOTS", "1", "x"), b"-ERR Invalid or out of range slot\r\n"),
        (("ADDSLOTS", "1", "1"), b"-ERR Slot 1 specified multiple times\r\n"),
        (("ADDSLOTS", "1", "5"), b"-ERR Slot 5 is already busy\r\n"),
        (("DELSLOTS", "5", "6"), b"-ERR Slot 6 is already unassigned\r\n"),
        (("ADDSLOTSRANGE", "3", "2"), b"-ERR start slot number 3 is greater than end slot number 2\r\n"),
        (("ADDSLOTSRANGE", "1", "2", "3"), b"-ERR wrong number of arguments for 'cluster|addslotsrange' command\r\n"),
        (("ADDSLOTSRANGE", "1", "2", "2", "3"), b"-ERR Slot 2 specified multiple times\r\n"),
        (("DELSLOTSRANGE", "4", "5"), b"-ERR Slot 4 is already unassigned\r\n"),
    ],
)
def test_a_slot_that_makes_no_sense_changes_nothing(
    server: Server, send: Peer, words: tuple[str, ...], reply: bytes
) -> None:
    send("CLUSTER", "ADDSLOTS", "5")
    assert send("CLUSTER", *words) == reply
    assert server.cluster.state.myself.slots == 1 << 5


@pytest.mark.usefixtures("whole")
def test_slots_cannot_be_flushed_with_keys_in_them(send: Peer) -> None:
    send("SET", "k", "v")
    assert send("CLUSTER", "FLUSHSLOTS") == b"-ERR DB must be empty to perform CLUSTER FLUSHSLOTS.\r\n"


@pytest.mark.usefixtures("whole")
def test_a_slot_goes_to_another_node(server: Server, send: Peer, other: Node) -> None:
    state = server.cluster.state
    assert send("CLUSTER", "SETSLOT", "200", "MIGRATING", OTHER) == OK
    assert state.migrating == {200: other}
    assert line(send("CLUSTER", "NODES"), state.myself.name).endswith(f" 100-16383 [200->-{OTHER}]")
    assert send("CLUSTER", "SETSLOT", "200", "STABLE") == OK
    assert state.migrating == {}
    send("CLUSTER", "SETSLOT", "200", "MIGRATING", OTHER)
    assert send("CLUSTER", "SETSLOT", "200", "NODE", OTHER) == OK
    assert (state.owners[200], state.migrating) == (other, {})


@pytest.mark.usefixtures("whole")
def test_a_slot_comes_from_another_node(server: Server, send: Peer, other: Node) -> None:
    state = server.cluster.state
    other.config_epoch = 4
    assert send("CLUSTER", "SETSLOT", "5", "IMPORTING", OTHER) == OK
    assert line(send("CLUSTER", "NODES"), state.myself.name).endswith(f" 100-16383 [5-<-{OTHER}]")
    assert send("CLUSTER", "SETSLOT", "5", "NODE", state.myself.name) == OK
    assert (state.owners[5], state.importing) == (state.myself, {})
    assert state.myself.config_epoch == state.current_epoch == 1


@pytest.mark.usefixtures("whole", "replica")
def test_setslot_refuses(server: Server, send: Peer, other: Node) -> None:
    unknown, c = "f" * 40, "c" * 40
    for words, reply in (
        (("5", "MIGRATING", OTHER), b"I'm not the owner of hash slot 5"),
        (("500", "IMPORTING", OTHER), b"I'm already the owner of hash slot 500"),
        (("500", "MIGRATING", unknown), b"I don't know about node " + unknown.encode()),
        (("500", "MIGRATING", c), b"Target node is not a master"),
        (("500", "NODE", unknown), b"Unknown node " + unknown.encode()),
        (("500", "NODE", c), b"Target node is not a master"),
        (("500", "NODE"), b"Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"),
        (("500", "STABLE", "x"), b"Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"),
        (("x", "STABLE"), b"Invalid or out of range slot"),
    ):
        assert send("CLUSTER", "SETSLOT", *words) == b"-ERR %b\r\n" % reply
    slot = int(send("CLUSTER", "KEYSLOT", "k")[1:-2])
    send("SET", "k", "v")
    assert send("CLUSTER", "SETSLOT", slot, "NODE", OTHER) == (
        b"-ERR Can't assign hashslot %d to a different node while I still hold keys for this hash slot.\r\n" % slot
    )
    state = server.cluster.state
    state.release_all(state.myself)
    state.follow(other)
    assert send("CLUSTER", "SETSLOT", "5", "STABLE") == b"-ERR Please use SETSLOT only with masters.\r\n"


def test_the_last_slot_that_goes_makes_a_replica(server: Server, send: Peer, other: Node) -> None:
    send("CLUSTER", "ADDSLOTS", "500")
    send("CLUSTER", "SETSLOT", "500", "NODE", OTHER)
    myself = server.cluster.state.myself
    assert (myself.flags & REPLICA, myself.master) == (REPLICA, other)
    assert server.replication.follower.leader_address == ("10.0.0.2", 7001)


# --- nodes ----------------------------------------------------------------------------------------


def test_meeting_begins_a_handshake(server: Server, send: Peer) -> None:
    assert send("CLUSTER", "MEET", "10.0.0.9", "7000") == OK
    node = next(node for node in server.cluster.state.nodes.values() if node.is_(HANDSHAKE))
    assert (node.ip, node.tcp_port, node.bus_port) == ("10.0.0.9", 7000, 7000 + BUS_PORT_OFFSET)
    assert send("CLUSTER", "MEET", "10.0.0.9", "7000") == OK
    assert len(server.cluster.state.nodes) == 2
    for words, reply in (
        (("host.example", "7000"), b"Invalid node address specified: host.example:7000"),
        (("10.0.0.9", "60000"), b"Invalid node address specified: 10.0.0.9:60000"),
        (("10.0.0.9", "x"), b"Invalid base port specified: x"),
        (("10.0.0.9", "7000", "y"), b"Invalid bus port specified: y"),
        (
            ("10.0.0.9", "7000", "1", "2"),
            b"unknown subcommand or wrong number of arguments for 'MEET'. Try CLUSTER HELP.",
        ),
    ):
        assert send("CLUSTER", "MEET", *words) == b"-ERR %b\r\n" % reply


@pytest.mark.usefixtures("other")
def test_forgetting_lasts_a_minute(server: Server, send: Peer) -> None:
    myself = server.cluster.state.myself.name
    assert send("CLUSTER", "FORGET", myself) == b"-ERR I tried hard but I can't forget myself...\r\n"
    assert send("CLUSTER", "FORGET", "f" * 40) == b"-ERR Unknown node %b\r\n" % (b"f" * 40)
    assert send("CLUSTER", "FORGET", OTHER) == OK
    assert server.cluster.state.lookup(OTHER) is None
    assert send("CLUSTER", "FORGET", OTHER) == OK


def test_a_replica_cannot_forget_its_master(send: Peer, other: Node, become_replica: Callable[[Node], None]) -> None:
    become_replica(other)
    assert send("CLUSTER", "FORGET", OTHER) == b"-ERR Can't forget my master!\r\n"


@pytest.mark.usefixtures("other", "replica")
def test_becoming_a_replica(server: Server, send: Peer) -> None:
    state = server.cluster.state
    assert send("CLUSTER", "REPLICATE", state.myself.name) == b"-ERR Can't replicate myself\r\n"
    assert send("CLUSTER", "REPLICATE", "c" * 40) == b"-ERR I can only replicate a master, not a replica.\r\n"
    send("CLUSTER", "ADDSLOTS", "500")
    refusal = b"-ERR To set a master the node must be empty and without assigned slots.\r\n"
    assert send("CLUSTER", "REPLICATE", OTHER) == refusal
    send("CLUSTER", "FLUSHSLOTS")
    assert send("CLUSTER", "REPLICATE", OTHER) == OK
    assert line(send("CLUSTER", "NODES"), state.myself.name).split()[2:4] == ["myself,slave", OTHER]
    assert server.replication.follower.active
    assert state.myself.shard_id == state.nodes[OTHER].shard_id


def test_manual_failover_needs_a_master_that_is_there(
    server: Server, send: Peer, other: Node, become_replica: Callable[[Node], None]
) -> None:
    assert send("CLUSTER", "FAILOVER") == b"-ERR You should send CLUSTER FAILOVER to a replica\r\n"
    become_replica(other)
    down = b"-ERR Master is down or failed, please use CLUSTER FAILOVER FORCE\r\n"
    assert send("CLUSTER", "FAILOVER") == down
    link: Link = StillLink(other, inbound=False)
    other.link = link
    assert send("CLUSTER", "FAILOVER") == OK
    other.flags |= FAIL
    assert send("CLUSTER", "FAILOVER") == down
    assert send("CLUSTER", "FAILOVER", "NOW") == b"-ERR syntax error\r\n"
    assert send("CLUSTER", "FAILOVER", "TAKEOVER") == OK
    assert server.cluster.state.owners[5] is server.cluster.state.myself


def test_reset(server: Server, send: Peer, other: Node) -> None:
    state = server.cluster.state
    name = state.myself.name
    send("CLUSTER", "ADDSLOTS", "500")
    state.current_epoch = state.myself.config_epoch = 9
    assert send("CLUSTER", "RESET", "GENTLY") == b"-ERR syntax error\r\n"
    assert send("CLUSTER", "RESET") == OK
    assert list(state.nodes) == [name]
    assert (state.myself.slots, state.current_epoch) == (0, 9)
    assert send("CLUSTER", "RESET", "HARD") == OK
    assert state.current_epoch == 0
    assert list(state.nodes) == [state.myself.name] != [name]


@pytest.mark.usefixtures("whole")
def test_a_master_with_keys_is_not_reset(send: Peer) -> None:
    send("SET", "k", "v")
    assert send("CLUSTER", "RESET") == b"-ERR CLUSTER RESET can't be called with master nodes containing keys\r\n"


def test_epochs(server: Server, send: Peer) -> None:
    assert send("CLUSTER", "SET-CONFIG-EPOCH", "-1") == b"-ERR Invalid config epoch specified: -1\r\n"
    assert send("CLUSTER", "SET-CONFIG-EPOCH", "5") == OK
    assert send("CLUSTER", "SET-CONFIG-EPOCH", "6") == b"-ERR Node config epoch is already non-zero\r\n"
    assert server.cluster.state.current_epoch == 5
    assert send("CLUSTER", "BUMPEPOCH") == b"+STILL 5\r\n"
    server.cluster.state.current_epoch = 7
    assert send("CLUSTER", "BUMPEPOCH") == b"+BUMPED 8\r\n"


@pytest.mark.usefixtures("other")
def test_an_epoch_is_only_set_on_a_node_that_is_alone(send: Peer) -> None:
    assert send("CLUSTER", "SET-CONFIG-EPOCH", "5") == (
        b"-ERR The user can assign a config epoch only when the node does not know any other node.\r\n"
    )


# --- questions ------------------------------------------------------------------------------------


def test_nodes(server: Server, send: Peer, other: Node, replica: Node) -> None:
    myself = server.cluster.state.myself
    other.hostname, other.config_epoch, other.pong_received_ms = "b.example", 3, 77
    other.flags |= PFAIL
    text = (
        f"{myself.name} :6379@16379 myself,master - 0 0 0 connected\n"
        f"{OTHER} 10.0.0.2:7001@17001,b.example master,fail? - 0 77 3 disconnected 0-99\n"
        f"{replica.name} 10.0.0.3:7002@17002 slave {OTHER} 0 0 3 disconnected\n"
    ).encode()
    server.config.port = 6379
    assert send("CLUSTER", "NODES") == b"$%d\r\n%b\r\n" % (len(text), text)
    send("HELLO", "3")
    assert send("CLUSTER", "NODES") == b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text)
    one = text.splitlines()[2]
    assert send("CLUSTER", "REPLICAS", OTHER) == b"*1\r\n$%d\r\n%b\r\n" % (len(one), one)
    assert send("CLUSTER", "SLAVES", replica.name) == b"-ERR The specified node is not a master\r\n"


def entry(host: bytes, port: int, name: str, *more: bytes) -> bytes:
    head = b"*4\r\n$%d\r\n%b\r\n:%d\r\n$40\r\n%b\r\n*%d\r\n" % (len(host), host, port, name.encode(), len(more))
    return head + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in more)


def test_slots_lists_runs_with_the_replicas_that_have_data(
    server: Server, send: Peer, other: Node, replica: Node
) -> None:
    assert send("CLUSTER", "SLOTS") == b"*1\r\n*3\r\n:0\r\n:99\r\n" + entry(b"10.0.0.2", 7001, OTHER)
    replica.repl_offset = 5
    send("CLUSTER", "DELSLOTS", "50")
    master, other_entry = entry(b"10.0.0.2", 7001, OTHER), entry(b"10.0.0.3", 7002, replica.name)
    runs = ((0, 49), (51, 99))
    assert send("CLUSTER", "SLOTS") == b"*2\r\n" + b"".join(
        b"*4\r\n:%d\r\n:%d\r\n%b%b" % (first, last, master, other_entry) for first, last in runs
    )
    replica.flags |= FAIL
    assert replica.name.encode() not in send("CLUSTER", "SLOTS")


@pytest.mark.usefixtures("other")
def test_slots_name_the_preferred_endpoint_first(server: Server, send: Peer, other: Node) -> None:
    other.hostname = "b.example"
    head = b"*1\r\n*3\r\n:0\r\n:99\r\n"
    assert send("CLUSTER", "SLOTS") == head + entry(b"10.0.0.2", 7001, OTHER, b"hostname", b"b.example")
    server.config.cluster_preferred_endpoint_type = "hostname"
    assert send("CLUSTER", "SLOTS") == head + entry(b"b.example", 7001, OTHER, b"ip", b"10.0.0.2")
    server.config.cluster_preferred_endpoint_type = "unknown-endpoint"
    unknown = entry(b"", 7001, OTHER, b"ip", b"10.0.0.2", b"hostname", b"b.example").replace(b"$0\r\n\r\n", b"$-1\r\n")
    assert send("CLUSTER", "SLOTS") == head + unknown


def test_shards(server: Server, send: Peer, other: Node, replica: Node) -> None:
    send("CLUSTER", "FORGET", replica.name)
    other.tls_port, other.hostname, other.repl_offset = 7101, "b.example", 9
    reply = send("CLUSTER", "SHARDS")
    details = (
        b"*18\r\n$2\r\nid\r\n$40\r\n%b\r\n$4\r\nport\r\n:7001\r\n$8\r\ntls-port\r\n:7101\r\n$2\r\nip\r\n$8\r\n10.0.0.2\r\n"
        b"$8\r\nendpoint\r\n$8\r\n10.0.0.2\r\n$8\r\nhostname\r\n$9\r\nb.example\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
        b"$18\r\nreplication-offset\r\n:9\r\n$6\r\nhealth\r\n$6\r\nonline\r\n" % OTHER.encode()
    )
    assert reply.startswith(b"*2\r\n*4\r\n$5\r\nslots\r\n*0\r\n$5\r\nnodes\r\n*1\r\n*14\r\n$2\r\nid\r\n")
    assert reply.endswith(b"*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:99\r\n$5\r\nnodes\r\n*1\r\n" + details)


def test_health_in_shards(send: Peer, other: Node, replica: Node) -> None:
    def health() -> list[bytes]:
        words = send("CLUSTER", "SHARDS").split(b"\r\n")
        return [words[at + 2] for at, word in enumerate(words) if word == b"health"]

    assert health() == [b"online", b"online", b"loading"]
    replica.repl_offset = 1
    other.flags |= FAIL
    assert health() == [b"online", b"fail", b"online"]


def test_links(send: Peer, other: Node) -> None:
    assert send("CLUSTER", "LINKS") == b"*0\r\n"
    other.link, other.inbound_link = StillLink(other, inbound=False), StillLink(other, inbound=True)
    tail = (
        b"$4\r\nnode\r\n$40\r\n%b\r\n$11\r\ncreate-time\r\n:1234\r\n$6\r\nevents\r\n$2\r\nrw\r\n"
        b"$21\r\nsend-buffer-allocated\r\n:48\r\n$16\r\nsend-buffer-used\r\n:48\r\n" % OTHER.encode()
    )
    assert send("CLUSTER", "LINKS") == (
        b"*2\r\n*12\r\n$9\r\ndirection\r\n$2\r\nto\r\n%b*12\r\n$9\r\ndirection\r\n$4\r\nfrom\r\n%b" % (tail, tail)
    )


@pytest.mark.usefixtures("whole")
def test_info(server: Server, send: Peer, other: Node) -> None:
    state = server.cluster.state
    other.flags |= FAIL
    state.sent[0], state.sent[2], state.received[1] = 3, 1, 2
    text = (
        b"cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16284\r\ncluster_slots_pfail:0\r\n"
        b"cluster_slots_fail:100\r\ncluster_known_nodes:2\r\ncluster_size:1\r\ncluster_current_epoch:0\r\n"
        b"cluster_my_epoch:0\r\ncluster_stats_messages_ping_sent:3\r\ncluster_stats_messages_meet_sent:1\r\n"
        b"cluster_stats_messages_sent:4\r\ncluster_stats_messages_pong_received:2\r\n"
        b"cluster_stats_messages_received:2\r\ntotal_cluster_links_buffer_limit_exceeded:0\r\n"
    )
    assert send("CLUSTER", "INFO") == b"$%d\r\n%b\r\n" % (len(text), text)


def test_names(server: Server, send: Peer) -> None:
    myself = server.cluster.state.myself
    assert send("CLUSTER", "MYID") == b"$40\r\n%b\r\n" % myself.name.encode()
    assert send("CLUSTER", "MYSHARDID") == b"$40\r\n%b\r\n" % myself.shard_id.encode()
    assert send("CLUSTER", "KEYSLOT", "foo{bar}{zap}") == b":5061\r\n"
    assert send("CLUSTER", "COUNT-FAILURE-REPORTS", myself.name) == b":0\r\n"
    assert send("CLUSTER", "HELP").startswith(b"*58\r\n+CLUSTER <subcommand>")


def test_saveconfig(send: Peer, tmp_path: Path) -> None:
    (tmp_path / "nodes.conf").unlink()
    assert send("CLUSTER", "SAVECONFIG") == OK
    assert (tmp_path / "nodes.conf").read_bytes().endswith(b"vars currentEpoch 0 lastVoteEpoch 0\n")


# --- what a node does not do ----------------------------------------------------------------------


@pytest.mark.usefixtures("whole")
def test_one_database_and_no_replication_of_ones_own(send: Peer) -> None:
    assert send("SELECT", "0") == OK
    for words, reply in (
        (("SELECT", "1"), b"SELECT is not allowed in cluster mode"),
        (("MOVE", "k", "1"), b"MOVE is not allowed in cluster mode"),
        (("SWAPDB", "0", "1"), b"SWAPDB is not allowed in cluster mode"),
        (("REPLICAOF", "NO", "ONE"), b"REPLICAOF not allowed in cluster mode."),
        (("FAILOVER",), b"FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead."),
        (("SORT", "l", "BY", "w_*"), b"BY option of SORT denied in Cluster mode."),
        (("SORT", "l", "GET", "#"), b"GET option of SORT denied in Cluster mode."),
    ):
        assert send(*words) == b"-ERR %b\r\n" % reply
    assert send("SORT", "l", "BY", "nosort") == b"*0\r\n"
    assert send("COPY", "{k}1", "{k}2", "DB", "0") == b":0\r\n"


def test_published_messages_go_over_the_bus_and_not_to_replicas(
    send: Peer, other: Node, propagated: list[list[bytes]], whole: None
) -> None:
    link = StillLink(other, inbound=False)
    other.link = link
    send("PUBLISH", "c", "m")
    send("SPUBLISH", "{t}c", "m")
    assert propagated == []
    assert len(link.sent) == 1  # the shard channel concerns our own shard only
    assert other.flags & MASTER


def test_readonly_shows_in_client_list(send: Peer) -> None:
    send("READONLY")
    assert b" flags=r " in send("CLIENT", "LIST")
    send("RESET")
    assert b" flags=N " in send("CLIENT", "LIST")


def test_figures(send: Peer, other: Node, replica: Node) -> None:
    assert b"\r\ncluster_connections:4\r\n" in send("INFO", "clients")
    assert b"\r\ncluster_enabled:1\r\n" in send("INFO", "cluster")
    assert b"\r\nmem_cluster_links:0\r\n" in send("INFO", "memory")
    assert b"\r\nredis_mode:cluster\r\n" in send("INFO", "server")
    assert b"$4\r\nmode\r\n$7\r\ncluster\r\n" in send("HELLO")


@pytest.mark.usefixtures("whole")
def test_metrics(server: Server) -> None:
    server.cluster.state.sent[0] = 7
    page = exposition(server).decode()
    for line in (
        "redis_cluster_state 1",
        "redis_cluster_slots_ok 16384",
        "redis_cluster_known_nodes 1",
        "redis_cluster_stats_messages_ping_sent 7",
        "redis_cluster_messages_sent_total 7",
        "redis_cluster_connections 0",
    ):
        assert f"\n{line}\n" in page
    server.cluster.state.ok = False
    assert "\nredis_cluster_state 0\n" in exposition(server).decode()


def test_all_slots_in_few_words(server: Server, send: Peer) -> None:
    assert send("CLUSTER", "ADDSLOTSRANGE", "0", "16383") == OK
    assert server.cluster.state.myself.slots == ALL


def test_the_master_of_a_replica_is_not_written_into_the_configuration_file(
    server: Server, send: Peer, other: Node, tmp_path: Path
) -> None:
    server.config.file = str(tmp_path / "redis.conf")
    send("CLUSTER", "REPLICATE", OTHER)
    assert send("CONFIG", "REWRITE") == OK
    assert "cluster-enabled yes" in (tmp_path / "redis.conf").read_text()
    assert "replicaof" not in (tmp_path / "redis.conf").read_text()
