"""FAILOVER: who may be asked, what is paused, and what happens when the other side does not play along."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Network, Node

Nodes = Callable[[int], Node]
Pair = tuple[Node, Node]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["TO", "127.0.0.1"], "ERR syntax error"),
        (["TIMEOUT", "0"], "ERR FAILOVER timeout must be greater than 0"),
        (["TIMEOUT", "x"], "ERR value is not an integer or out of range"),
        (["TO", "127.0.0.1", "x"], "ERR value is not an integer or out of range"),
        (["FORCE", "FORCE"], "ERR syntax error"),
        (["ABORT", "TIMEOUT", "5"], "ERR syntax error"),
        (["ABORT"], "ERR No failover in progress."),
        (["FORCE"], "ERR FAILOVER with force option requires both a timeout and target HOST and IP."),
        (["TO", "127.0.0.1", 7002, "FORCE"], "ERR FAILOVER with force option requires both a timeout and target"),
        (["TO", "127.0.0.1", 7009], "ERR FAILOVER target HOST and PORT is not a replica."),
    ],
)
def test_refusals(pair: Pair, words: list[str | int], error: str) -> None:
    assert pair[0]("FAILOVER", *words).startswith(b"-" + error.encode())
    assert pair[0].info("master_failover_state") == "no-failover"


def test_it_takes_replicas_and_a_leader(pair: Pair, node: Nodes) -> None:
    assert node(7003)("FAILOVER") == b"-ERR FAILOVER requires connected replicas.\r\n"
    assert pair[1]("FAILOVER") == b"-ERR FAILOVER is not valid when server is a replica.\r\n"


def test_roles_change_without_a_full_synchronisation(network: Network, node: Nodes, pair: Pair) -> None:
    leader, follower = pair
    other = node(7003)
    other("REPLICAOF", "127.0.0.1", 7001)
    network.quiesce()
    leader("SET", "k", "1")
    assert leader("FAILOVER", "TO", "127.0.0.1", 7002) == b"+OK\r\n"
    assert leader.info("master_failover_state") == "waiting-for-sync"
    assert leader("FAILOVER") == b"-ERR FAILOVER already in progress.\r\n"
    assert leader("REPLICAOF", "NO", "ONE") == b"-ERR REPLICAOF not allowed while failing over.\r\n"
    assert leader("SET", "k", "2") == b"", "writes wait"
    network.advance(3)
    assert leader.take().startswith(b"-READONLY"), "the write that waited has to go elsewhere"
    assert leader.info("master_failover_state") == "no-failover"
    assert (leader.info("role"), follower.info("role")) == ("slave", "master")
    assert follower.info("sync_full") == "0"
    assert leader.info("sync_full") == "2"
    assert leader.logged("Failover target 127.0.0.1:7002 is synced, failing over.") == 1
    assert follower.logged("Failover request received for replid") == 1
    assert follower("SET", "k", "3") == b"+OK\r\n"
    network.quiesce()
    assert leader("GET", "k") == b"$1\r\n3\r\n"
    assert other("GET", "k") == b"$1\r\n3\r\n", "a replica of the former leader is one of a follower now"


def test_any_replica_that_has_everything(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("FAILOVER")
    network.advance(2)
    assert follower.info("role") == "master"


def test_it_waits_for_a_replica_that_lags_and_gives_up_in_time(network: Network, pair: Pair) -> None:
    leader, follower = pair
    leader("SET", "k", "1")
    follower.link.pause()
    leader("FAILOVER", "TIMEOUT", 3000)
    network.advance(2)
    assert leader.info("master_failover_state") == "waiting-for-sync"
    network.advance(3)
    assert leader.info("master_failover_state") == "no-failover"
    assert leader.logged("FAILOVER to any replica aborted: Replica never caught up before timeout") == 1
    assert leader("SET", "k", "2") == b"+OK\r\n"


def test_force_does_not_wait_longer(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower.link.pause()
    leader("SET", "k", "1")
    leader("FAILOVER", "TO", "127.0.0.1", 7002, "FORCE", "TIMEOUT", 1000)
    network.advance(3)
    assert leader.logged("FAILOVER to 127.0.0.1:7002 time out exceeded, failing over.") == 1
    assert (leader.info("role"), follower.info("role")) == ("slave", "master")


def test_abort_while_waiting(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower.link.pause()
    leader("SET", "k", "1")
    leader("FAILOVER")
    assert leader("FAILOVER", "ABORT") == b"+OK\r\n"
    assert leader.info("role") == "master"
    assert leader("SET", "k", "2") == b"+OK\r\n"


def test_abort_after_the_leader_has_stepped_back(network: Network, pair: Pair) -> None:
    leader, _ = pair
    network.advance(3)
    leader("FAILOVER", "TO", "127.0.0.1", 7002)
    target = network.nodes.pop(7002)  # it does not answer any more
    leader.replication.failover.cron()
    assert leader.info("master_failover_state") == "failover-in-progress"
    assert leader("FAILOVER", "ABORT") == b"+OK\r\n"
    assert leader.info("role") == "master"
    assert leader("SET", "k", "2") == b"+OK\r\n"
    assert target.port == 7002


def test_a_target_that_refuses(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower("ACL", "SETUSER", "default", "-psync")
    leader("FAILOVER", "TO", "127.0.0.1", 7002)
    network.advance(2)
    assert leader.logged("FAILOVER to 127.0.0.1:7002 aborted: Failover target rejected psync request") == 1
    assert leader.info("role") == "master"
    assert leader("SET", "k", "2") == b"+OK\r\n"


def test_psync_failover_is_for_replicas_with_the_same_history(network: Network, pair: Pair) -> None:
    leader, follower = pair
    assert leader("PSYNC", "x" * 40, 1, "FAILOVER") == b"-ERR PSYNC FAILOVER can't be sent to a master.\r\n"
    assert follower("PSYNC", "x" * 40, 1, "FAILOVER") == b"-ERR PSYNC FAILOVER replid must match my replid.\r\n"


def test_no_ping_moves_the_offset_while_a_failover_has_a_deadline(network: Network, pair: Pair) -> None:
    leader, follower = pair
    follower.link.pause()
    leader("SET", "k", "1")
    leader("CONFIG", "SET", "repl-ping-replica-period", 1)
    leader("FAILOVER", "TIMEOUT", 100_000)
    offset = leader.replication.history.offset
    network.advance(5)
    assert leader.replication.history.offset == offset
