"""The leader's stream as its follower executes it: offsets, acknowledgements, errors, what is passed on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import encode_command

from .conftest import Network, Node

Nodes = Callable[[int], Node]
Pair = tuple[Node, Node]


@pytest.fixture
def follower(network: Network, pair: Pair) -> Node:
    """A follower whose leader the test plays from now on."""
    leader, follower = pair
    link = follower.link
    leader.server.forget(link.client)
    link.leader = None
    link.to_leader = b""
    network.advance(1)
    link.to_leader = b""
    return follower


def deliver(follower: Node, data: bytes, step: int = 1 << 30) -> int:
    """*data* comes from the leader; how far the offset moved."""
    before = follower.replication.history.offset
    for at in range(0, len(data), step):
        follower.replication.follower.received(follower.link, data[at : at + step])
        follower.settle()
    return int(follower.replication.history.offset) - before


def test_the_offset_moves_by_whole_commands(follower: Node) -> None:
    command = encode_command("SET", "k", "x" * 100)
    assert deliver(follower, command[:-1]) == 0
    assert deliver(follower, command[-1:]) == len(command)
    assert deliver(follower, command + command[:50]) == len(command)
    assert deliver(follower, command[50:] + command) == 2 * len(command)


@pytest.mark.parametrize("step", [1, 100, 4096, 65_536])
def test_a_value_bigger_than_any_chunk(follower: Node, step: int) -> None:
    value = b"y" * 50_000
    stream = encode_command("SET", "big", value) + encode_command("SET", "after", "1")
    assert deliver(follower, stream, step) == len(stream)
    assert follower.data()[b"big"] == value


def test_the_offset_stays_in_front_of_a_transaction(follower: Node) -> None:
    ping, multi = encode_command("PING"), encode_command("MULTI")
    body = encode_command("SET", "x", "1") + encode_command("NOSUCH")
    rest = encode_command("SET", "y", "2") + encode_command("EXEC")
    follower.server.config.propagation_error_behavior = "ignore"  # type: ignore[assignment]
    assert deliver(follower, ping + multi + body) == len(ping)
    assert deliver(follower, rest[:10]) == 0
    assert deliver(follower, rest[10:]) == len(multi + body + rest)


def test_getack_is_answered_with_everything_that_came_with_it(follower: Node) -> None:
    command, getack = encode_command("SET", "k", "1"), encode_command("REPLCONF", "GETACK", "*")
    before = follower.replication.history.offset
    deliver(follower, command + getack + command)
    assert follower.link.to_leader == encode_command("REPLCONF", "ACK", before + 2 * len(command) + len(getack))


def test_an_error_is_a_sign_of_divergence(follower: Node) -> None:
    follower.server.config.propagation_error_behavior = "ignore"  # type: ignore[assignment]
    deliver(follower, encode_command("SET", "k", "text"))
    deliver(follower, encode_command("INCR", "k") + encode_command("NOSUCH", "1"))
    text = "== CRITICAL == This replica is sending an error to its master: '-"
    assert (
        follower.logged(f"{text}ERR value is not an integer or out of range' after processing the command 'incr'") == 1
    )
    assert follower.logged(f"{text}ERR unknown command 'NOSUCH'") == 1
    assert follower.logged("Latest backlog is: ") == 2
    assert follower.info("unexpected_error_replies") == "2"
    assert follower.info("master_link_status") == "up"


@pytest.mark.parametrize(("behaviour", "crashes"), [("ignore", 0), ("panic", 1), ("panic-on-replicas", 1)])
def test_which_may_be_fatal(follower: Node, behaviour: str, crashes: int) -> None:
    seen: list[int] = []
    follower.server.crash = seen.append
    follower.server.config.propagation_error_behavior = behaviour  # type: ignore[assignment]
    deliver(follower, encode_command("NOSUCH"))
    assert len(seen) == crashes


def test_commands_of_the_leader_are_obeyed_whatever_would_refuse_them(follower: Node) -> None:
    server = follower.server
    server.config.set([(b"min-replicas-to-write", b"3"), (b"replica-serve-stale-data", b"no")])
    server.disk_error = "no room"
    deliver(follower, encode_command("SET", "k", "1"))
    assert follower.data()[b"k"] == b"1"


def test_what_goes_on_is_what_came(network: Network, node: Nodes, follower: Node) -> None:
    last = node(7003)
    last("REPLICAOF", "127.0.0.1", 7002)
    network.quiesce()
    stream = b"*3\r\n$3\r\nsEt\r\n$1\r\nk\r\n$2\r\n01\r\n*1\r\n$4\r\nping\r\n"
    deliver(follower, stream)
    backlog = follower.replication.history.backlog
    assert backlog.read(backlog.next_offset - len(stream), 1000) == stream  # type: ignore[union-attr]
    network.quiesce()
    assert last.data()[b"k"] == b"01"


def test_the_selected_database_outlives_the_link(follower: Node) -> None:
    deliver(follower, encode_command("SELECT", 5) + encode_command("SET", "k", "1"))
    assert follower.replication.follower.rdb_fields()[0] == 5  # type: ignore[index]
    follower.link.cut()
    follower.link.move()
    assert follower.replication.follower.rdb_fields()[0] == 5  # type: ignore[index]


def test_expired_keys_are_there_for_the_leader(network: Network, follower: Node) -> None:
    deliver(follower, encode_command("SET", "k", "5", "PXAT", network.clock.time_ns() // 1_000_000 + 1000))
    network.clock.advance(seconds=2)
    assert follower("GET", "k") == b"$-1\r\n"
    deliver(follower, encode_command("INCR", "k"))
    assert follower.data()[b"k"] == b"6"


def test_killing_the_link_is_no_end(follower: Node) -> None:
    link = follower.link
    assert follower("CLIENT", "KILL", "TYPE", "master") == b":1\r\n"
    assert link.closed
    assert follower.link is not link
    assert follower.replication.follower.can_resume
