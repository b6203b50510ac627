"""What goes wrong: the data is kept, the log says why, the next attempt comes in due time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.replication.leader import HIGH_WATER

from .conftest import Network, Node, Wire

Nodes = Callable[[int], Node]
Pair = tuple[Node, Node]


def attempts(node: Node) -> int:
    return node.logged("MASTER <-> REPLICA sync started")


def test_nobody_listens(network: Network, node: Nodes) -> None:
    follower = node(7002)
    follower("SET", "mine", "1")
    follower("REPLICAOF", "127.0.0.1", 9999)
    network.quiesce()
    assert follower.info("master_link_status") == "down"
    assert follower.logged("Error condition on socket for SYNC: Connection refused") == 1
    assert follower("GET", "mine") == b"$1\r\n1\r\n"
    before = attempts(follower)
    network.advance(5)
    assert attempts(follower) == before + 5, "once a second, so that a leader that comes back is found at once"


def test_a_wrong_password_is_tried_less_and_less_often(network: Network, node: Nodes, pair: Pair) -> None:
    leader, _ = pair
    leader("CONFIG", "SET", "requirepass", "secret")
    follower = node(7003)
    follower("SET", "mine", "1")
    follower("CONFIG", "SET", "masterauth", "wrong")
    follower("REPLICAOF", "127.0.0.1", 7001)
    network.quiesce()
    network.advance(60)
    assert 5 <= attempts(follower) <= 9
    assert follower.logged("Unable to AUTH to MASTER: -WRONGPASS") == attempts(follower)
    assert follower.info("master_link_status") == "down"
    assert follower("GET", "mine") == b"$1\r\n1\r\n"
    follower("CONFIG", "SET", "masterauth", "secret")
    network.advance(2)
    assert follower.info("master_link_status") == "up", "a new password is tried at once"


def test_a_user_without_a_password_in_the_way(network: Network, node: Nodes, pair: Pair) -> None:
    leader, _ = pair
    leader("ACL", "SETUSER", "repl", "on", ">pw", "+psync", "+replconf", "+ping")
    leader("ACL", "SETUSER", "default", "off")
    follower = node(7003)
    follower("CONFIG", "SET", "masteruser", "repl", "masterauth", "pw")
    follower("REPLICAOF", "127.0.0.1", 7001)
    network.quiesce()
    assert follower.info("master_link_status") == "up"


def begin(network: Network, node: Nodes, load: str = "disabled") -> tuple[Node, Wire]:
    """A follower with data of its own that has introduced itself to a leader the test plays."""
    leader, follower = node(7001), node(7002)
    follower("SET", "mine", "1")
    follower.server.config.repl_diskless_load = load  # type: ignore[assignment]
    follower("REPLICAOF", "127.0.0.1", 7001)
    link = follower.link
    link.leader = None
    follower.replication.follower.link_made(link)
    link.made = True
    link.to_follower = b"+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC %b 100\r\n" % (b"ab" * 20)
    link.move()
    network.nodes.pop(7001)
    assert leader.port == 7001
    return follower, link


def snapshot(node: Node) -> bytes:
    """An RDB file with one key."""
    node("SET", "theirs", "1")
    assert node.server.persistence.snapshots.save()
    with open(node.server.persistence.snapshots.path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("load", ["disabled", "swapdb"])
def test_a_truncated_transfer(network: Network, node: Nodes, load: str) -> None:
    data = snapshot(node(7005))
    follower, link = begin(network, node, load)
    link.to_follower = b"$%d\r\n" % len(data) + data[:-20]
    link.move()
    assert follower.info("master_sync_in_progress") == "1"
    assert follower.info("master_sync_read_bytes") == str(len(data) - 20)
    assert follower.info("master_sync_left_bytes") == "20"
    link.cut()
    network.quiesce()
    line = (
        "I/O error trying to sync with MASTER: connection lost" if load == "disabled" else "assuming connection error"
    )
    assert follower.logged(line) == 1
    assert follower.logged("Reconnecting to MASTER 127.0.0.1:7001 after failure") == 1
    assert follower.data() == {b"mine": b"1"}
    assert follower.info("master_link_status") == "down"
    assert not follower.server.loading


@pytest.mark.parametrize("load", ["disabled", "swapdb"])
@pytest.mark.parametrize("damage", ["byte", "magic", "version", "not rdb"])
def test_a_damaged_transfer(network: Network, node: Nodes, load: str, damage: str) -> None:
    data = snapshot(node(7005))
    match damage:
        case "byte":
            at = data.index(b"theirs")
            data = data[:at] + b"T" + data[at + 1 :]
        case "magic":
            data = b"VALKEY" + data[6:]
        case "version":
            data = b"REDIS0099" + data[9:]
        case _:
            data = b"HTTP/1.1 200 OK\r\n" * 10
    follower, link = begin(network, node, load)
    before = attempts(follower)
    link.to_follower = b"$%d\r\n" % len(data) + data
    network.quiesce()
    assert follower.logged("Failed trying to load the MASTER synchronization DB from") == 1
    assert follower.data() == {b"mine": b"1"}
    assert not follower.server.loading
    assert follower.info("master_link_status") == "down"
    network.advance(30)
    assert attempts(follower) > before


@pytest.mark.parametrize("load", ["disabled", "swapdb", "on-empty-db"])
@pytest.mark.parametrize("marked", [False, True])
def test_a_good_transfer(network: Network, node: Nodes, load: str, marked: bool) -> None:
    data = snapshot(node(7005))
    follower, link = begin(network, node, load)
    if load == "on-empty-db":
        follower.server.databases[0].flush()
    mark = b"k" * 40
    link.step = 7
    link.to_follower = b"$EOF:%b\r\n%b%b" % (mark, data, mark) if marked else b"$%d\r\n%b" % (len(data), data)
    network.quiesce()
    assert follower.data() == {b"theirs": b"1"}
    assert follower.info("master_link_status") == "up"
    assert follower.info("master_repl_offset") == "100"
    assert (b"\r\nACK\r\n" in link.to_leader) is marked, "an ACK asks for the stream where a mark ended the snapshot"
    assert follower.logged("to disk" if load == "disabled" else "to parser") == 1


def test_a_wrong_mark(network: Network, node: Nodes) -> None:
    data = snapshot(node(7005))
    follower, link = begin(network, node, "swapdb")
    link.to_follower = b"$EOF:%b\r\n%b%b" % (b"k" * 40, data, b"x" * 80)
    network.quiesce()
    assert follower.logged("EOF marker is broken") == 1
    assert follower.data() == {b"mine": b"1"}


def test_a_leader_that_continues_what_never_began(network: Network, node: Nodes) -> None:
    node(7001)
    follower = node(7002)
    follower("REPLICAOF", "127.0.0.1", 7001)
    follower.replication.follower.can_resume = False
    link = follower.link
    link.leader = None
    follower.replication.follower.link_made(link)
    link.to_follower = b"+PONG\r\n+OK\r\n+OK\r\n+CONTINUE\r\n*1\r\n$4\r\nPING\r\n"
    link.made = True
    link.move()
    assert link.closed
    assert follower.logged("wants to continue a stream that was never begun") == 1


def test_nonsense_in_the_stream_begins_everything_anew(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower.link.to_follower = b"*1\r\n:5\r\n"
    network.quiesce()
    network.advance(2)
    assert follower.logged("Protocol error from the MASTER") == 1
    assert leader.info("sync_full") == "2"
    assert follower.info("master_link_status") == "up"


def test_a_silent_leader(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower("CONFIG", "SET", "repl-timeout", 10)
    leader("CONFIG", "SET", "repl-ping-replica-period", 100)
    leader.replication.leader._loops = 1
    network.nodes.pop(7001)
    network.advance(12)
    assert follower.logged("MASTER timeout: no data nor PING received...") == 1
    assert follower.info("master_link_status") == "down"


def test_a_silent_replica(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("CONFIG", "SET", "repl-timeout", 10)
    follower.link.closed = True
    network.advance(12)
    assert leader.logged("Disconnecting timedout replica (streaming sync): 127.0.0.1:7002") == 1
    assert leader.info("connected_slaves") == "0"


def test_a_replica_that_reads_nothing_costs_the_shared_buffer_only(network: Network, node: Nodes, pair: Pair) -> None:
    """It is not handed more than fits its connection, and goes when the limit is reached."""
    leader, follower = pair
    other = node(7003)
    other("REPLICAOF", "127.0.0.1", 7001)
    network.quiesce()
    leader("CONFIG", "SET", "repl-backlog-size", 1 << 20)
    leader("CONFIG", "SET", "client-output-buffer-limit", "replica 4mb 0 0")
    stopped = follower.link
    stopped.socket.blocked = 1
    handed = len(stopped.to_follower)
    for _ in range(30):
        leader("SET", "k", "x" * 100_000)
    other.settle()
    assert len(stopped.to_follower) - handed <= HIGH_WATER + (1 << 17)
    assert leader.info("connected_slaves") == "2"
    for _ in range(30):
        leader("SET", "k", "x" * 100_000)
    assert leader.info("connected_slaves") == "1"
    assert leader.logged("scheduled to be closed ASAP for overcoming of output buffer limits") == 1
    assert leader.replication.history.backlog.memory < 3 << 20
    other.link.move()


def test_the_soft_limit_counts_what_waits_in_the_shared_buffer(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("CONFIG", "SET", "client-output-buffer-limit", "replica 0 1mb 5")
    follower.link.socket.blocked = 1
    leader("SET", "k", "x" * (2 << 20))
    leader.replication.leader.cron()
    assert leader.info("connected_slaves") == "1"
    network.clock.advance(seconds=7)
    leader.server.now = network.clock.time_ns()
    leader.replication.leader.cron()
    assert leader.info("connected_slaves") == "0"


def test_promotion_during_a_transfer_keeps_the_data(network: Network, node: Nodes) -> None:
    data = snapshot(node(7005))
    follower, link = begin(network, node, "swapdb")
    link.to_follower = b"$%d\r\n" % len(data) + data[:60]
    link.move()
    follower.replication.follower.promote()
    assert link.closed
    assert follower.data() == {b"mine": b"1"}
    assert follower("SET", "x", "1") == b"+OK\r\n"
    assert not follower.server.keeps_expired
