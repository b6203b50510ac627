"""Leader and follower in one process: full and partial synchronisation, cuts, chains, promotion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Network, Node

Nodes = Callable[[int], Node]
Pair = tuple[Node, Node]


def same(*nodes: Node) -> bool:
    """Whether all have the same data (in all databases), id and offset."""
    first = nodes[0]
    return all(
        node("DEBUG", "DIGEST") == first("DEBUG", "DIGEST")
        and node.replication.history.offset == first.replication.history.offset
        and node.replication.history.id == first.replication.history.id
        for node in nodes
    )


def test_a_full_synchronisation(pair: Pair) -> None:
    leader, follower = pair
    assert same(leader, follower)
    assert follower.data() == {b"a": b"1", b"b": b"2"}
    assert leader.info("slave0").startswith("ip=127.0.0.1,port=7002,state=online,offset=")
    assert leader.info("sync_full") == "1"
    assert follower("SET", "x", "1").startswith(b"-READONLY")


def test_roles(pair: Pair, network: Network) -> None:
    leader, follower = pair
    leader("SET", "x", "1")
    network.advance(1)
    offset = leader.replication.history.offset
    assert follower("ROLE") == b"*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:7001\r\n$9\r\nconnected\r\n:%d\r\n" % offset
    assert leader("ROLE").startswith(b"*3\r\n$6\r\nmaster\r\n:%d\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n7002" % offset)


def test_writes_arrive_as_effects(pair: Pair, network: Network) -> None:
    leader, follower = pair
    leader("SADD", "s", *range(20))
    leader("SPOP", "s", 5)
    leader("INCRBYFLOAT", "f", "0.1")
    leader("XADD", "st", "*", "k", "v")
    leader("SET", "t", "1", "EX", 100)
    leader("EVAL", "redis.call('SET', 'l', ARGV[1]) redis.call('INCR', 'n')", 0, "v")
    leader("MULTI")
    leader("LPUSH", "q", "1", "2")
    leader("RPOPLPUSH", "q", "r")
    leader("EXEC")
    leader("SELECT", 3)
    leader("SET", "elsewhere", "1")
    network.quiesce()
    assert same(leader, follower)
    assert follower.server.databases[3].data == {b"elsewhere": b"1"}
    assert follower.server.databases[0].expires == leader.server.databases[0].expires


def test_expired_keys_go_when_the_leader_says_so(pair: Pair, network: Network) -> None:
    leader, follower = pair
    leader("SET", "k", "v", "PX", 1000)
    network.quiesce()
    network.clock.advance(seconds=2)
    assert follower("GET", "k") == b"$-1\r\n"
    assert b"k" in follower.data()
    assert leader("GET", "k") == b"$-1\r\n"
    network.quiesce()
    assert b"k" not in follower.data()


@pytest.mark.parametrize("step", [1, 5, 1 << 20])
def test_the_stream_in_pieces_of_any_size(pair: Pair, network: Network, step: int) -> None:
    leader, follower = pair
    follower.link.step = step
    for number in range(20):
        leader("MULTI")
        leader("SET", f"k{number}", "v" * number)
        leader("INCR", "n")
        leader("EXEC")
    network.quiesce()
    assert same(leader, follower)


def test_a_cut_at_any_byte_is_healed_by_a_partial_resynchronisation(pair: Pair, network: Network) -> None:
    leader, follower = pair

    def write(number: int) -> None:
        leader("SET", "k", "v" * (number % 9))
        leader("MULTI")
        leader("INCR", "n")
        leader("SELECT", number % 3)
        leader("APPEND", "log", str(number))
        leader("EXEC")
        leader("SELECT", 0)

    before = leader.replication.history.offset
    write(0)
    length = leader.replication.history.offset - before
    network.quiesce()
    for cut in range(0, length + 20, 3):
        write(cut)
        leader.settle()
        link = follower.link
        link.to_follower = link.to_follower[:cut]
        link.move()
        link.cut()
        network.quiesce()
        network.advance(1)
        assert same(leader, follower), cut
        assert follower.server.databases[1].data == leader.server.databases[1].data
    assert leader.info("sync_full") == "1"
    assert leader.info("sync_partial_ok") == str(len(range(0, length + 20, 3)))


def test_half_a_transaction_is_not_part_of_the_history(pair: Pair, network: Network) -> None:
    leader, follower = pair
    before = follower.replication.history.offset
    leader("MULTI")
    leader("SET", "x", "1")
    leader("SET", "y", "2")
    leader("EXEC")
    leader.settle()
    link = follower.link
    link.to_follower = link.to_follower[:-3]
    link.move()
    assert follower.replication.history.offset in (before, before + len(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"))
    assert b"x" not in follower.data()
    assert int(follower.info("slave_read_repl_offset")) > int(follower.info("slave_repl_offset"))


def test_without_the_backlog_everything_is_sent_again(pair: Pair, network: Network) -> None:
    leader, follower = pair
    errors = int(leader.info("sync_partial_err"))
    follower.link.cut()
    leader("CONFIG", "SET", "repl-backlog-size", 16384)
    for _ in range(40):
        leader("SET", "k", "x" * 4096)
    network.quiesce()
    network.advance(1)
    assert same(leader, follower)
    assert (leader.info("sync_full"), leader.info("sync_partial_err")) == ("2", str(errors + 1))
    assert leader.logged("for lack of backlog") == 1


def test_promotion_keeps_the_history(network: Network, node: Nodes, pair: Pair) -> None:
    """PSYNC2: the former leader and another follower go on with the promoted one by its second id."""
    leader, follower = pair
    other = node(7003)
    other("REPLICAOF", "127.0.0.1", 7001)
    network.quiesce()
    leader("SET", "before", "1")
    network.quiesce()
    old_id, offset = leader.replication.history.id, leader.replication.history.offset
    follower("REPLICAOF", "NO", "ONE")
    assert follower.info("role") == "master"
    assert (follower.info("master_replid2"), follower.info("second_repl_offset")) == (old_id, str(offset + 1))
    follower("SET", "after", "1")
    leader("REPLICAOF", "127.0.0.1", 7002)
    other("REPLICAOF", "127.0.0.1", 7002)
    network.quiesce()
    assert same(follower, leader, other)
    assert follower.info("sync_partial_ok") == "2"
    assert follower.info("sync_full") == "0"


def test_a_leader_that_went_on_alone_has_to_forget_it(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower("REPLICAOF", "NO", "ONE")
    leader("SET", "lost", "1")
    leader("REPLICAOF", "127.0.0.1", 7002)
    network.quiesce()
    assert same(follower, leader)
    assert b"lost" not in leader.data()
    assert follower.info("sync_full") == "1"


def test_a_chain(network: Network, node: Nodes, pair: Pair) -> None:
    leader, middle = pair
    last = node(7003)
    last("REPLICAOF", "127.0.0.1", 7002)
    network.quiesce()
    for number in range(10):
        leader("SET", f"k{number}", "v")
    network.quiesce()
    assert same(leader, middle, last)
    middle.link.cut()
    leader("SET", "x", "1")
    network.quiesce()
    network.advance(1)
    assert same(leader, middle, last)
    assert middle.info("sync_full") == "1", "the last one kept its link"


def test_the_end_of_a_chain_hears_of_a_new_id(network: Network, node: Nodes, pair: Pair) -> None:
    middle = pair[1]
    last = node(7003)
    last("REPLICAOF", "127.0.0.1", 7002)
    network.quiesce()
    middle("REPLICAOF", "NO", "ONE")
    network.quiesce()
    network.advance(1)
    assert last.replication.history.id == middle.replication.history.id
    assert (middle.info("sync_full"), middle.info("sync_partial_ok")) == ("1", "1")


def test_following_another_leader_right_away(network: Network, node: Nodes, pair: Pair) -> None:
    """What a connection that was given up still brings is nobody's business."""
    follower = pair[1]
    other = node(7003)
    other("SET", "other", "1")
    follower("REPLICAOF", "127.0.0.1", 7003)
    follower("REPLICAOF", "127.0.0.1", 7001)
    follower("REPLICAOF", "127.0.0.1", 7003)
    network.quiesce()
    assert same(other, follower)
    assert follower.data() == {b"other": b"1"}


def test_the_same_leader_again_is_no_change(pair: Pair) -> None:
    assert pair[1]("REPLICAOF", "127.0.0.1", 7001) == b"+OK Already connected to specified master\r\n"


def test_a_restarted_follower_goes_on(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("SELECT", 2)
    leader("SET", "k", "1")
    network.quiesce()
    assert follower.server.persistence.snapshots.save()
    follower.link.cut()
    leader("SET", "k", "2")
    again = Node(network, 7002, follower.server.config.path(""))  # type: ignore[arg-type]
    again.server.config.replicaof = ("127.0.0.1", 7001)
    again.replication.prepare_load()
    again.server.persistence.load_now()
    again.replication.loaded()
    network.nodes[7002] = again
    network.wires = [wire for wire in network.wires if wire.follower is again]
    network.quiesce()
    assert again.server.databases[2].data == {b"k": b"2"}
    assert (leader.info("sync_full"), leader.info("sync_partial_ok")) == ("1", "1")


def test_a_restarted_leader_is_recognised(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("SET", "k", "1", "PX", 1500)
    leader("SET", "stays", "1")
    network.quiesce()
    assert leader.server.persistence.snapshots.save()
    network.clock.advance(seconds=2)  # the key expires while nobody serves
    again = Node(network, 7001, leader.server.config.path(""))  # type: ignore[arg-type]
    again.replication.prepare_load()
    again.server.persistence.load_now()
    again.replication.loaded()
    network.nodes[7001] = again
    follower.link.cut()
    network.quiesce()
    network.advance(1)
    assert same(again, follower)
    assert b"k" not in follower.data()
    assert (again.info("sync_full"), again.info("sync_partial_ok")) == ("0", "1")


def test_an_ack_lets_wait_return(network: Network, pair: Pair) -> None:
    leader, _ = pair
    leader("SET", "k", "1")
    assert leader("WAIT", 1, 1000) == b""
    network.quiesce()
    assert leader.take() == b":1\r\n"
    assert leader("WAIT", 2, 500) == b""
    network.clock.advance(seconds=1)
    network.quiesce()
    assert leader.take() == b":1\r\n"


def test_min_replicas_to_write(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("CONFIG", "SET", "min-replicas-to-write", 1)
    assert leader("SET", "k", "1") == b"+OK\r\n"
    follower.link.cut()
    assert leader("SET", "k", "1").startswith(b"-NOREPLICAS")


def test_a_paused_follower_receives_but_does_not_apply(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower("CLIENT", "PAUSE", 5000)
    leader("SET", "k", "1")
    network.quiesce()
    history = follower.replication.history.offset
    assert b"k" not in follower.data()
    assert follower.replication.follower.upstream.read_offset > history
    follower.server.pausing.unpause("client")
    network.clock.advance(seconds=6)
    network.quiesce()
    assert b"k" in follower.data()
    assert same(leader, follower)
