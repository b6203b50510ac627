"""The stream as the leader writes it: together, when it is sent or asked for, and at a pace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.dispatch import run
from pyredis.engine.server import Server
from pyredis.replication.leader import PACE_NS, Leader
from pyredis.resp.encode import command, stream
from pyredis.util.clock import ManualClock
from tests.conftest import Peer, encode_command

from .conftest import Network, Node

Task = Callable[[], None]
Connect = Callable[[], Peer]


class Loop:
    """What is to run, and when."""

    def __init__(self, leader: Leader) -> None:
        self.soon: list[Task] = []
        self.later: list[tuple[float, Task]] = []
        leader.schedule = self.soon.append
        leader.schedule_later = lambda seconds, task: self.later.append((seconds, task))


def history_of(server: Server) -> str:
    """Everything the backlog of *server* holds, as text."""
    history = server.replication.history
    end = history.offset
    backlog = history.backlog
    return backlog.read(backlog.first_offset, end + 1).decode()  # type: ignore[no-any-return]


@pytest.fixture
def leading(server: Server) -> Leader:
    """A leader with a backlog, and nobody attached."""
    server.replication.history.create_backlog(1 << 20)
    server.replication.leader.listen()
    return server.replication.leader  # type: ignore[no-any-return]


@pytest.mark.parametrize("length", [0, 1, 1023, 1024, 70_000])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_commands_in_a_row(length: int, count: int) -> None:
    argv = [b"x" * length] * count
    assert stream([(None, 0, argv)] * 3, 0) == (command(argv) * 3, 0)


def test_select_stands_where_the_database_changes() -> None:
    entries = [(None, index, [b"%d" % index]) for index in (2, 2, -1, 0, -1, 2)]
    words = [argv.split() for argv in (b"SELECT 2", b"2", b"2", b"-1", b"SELECT 0", b"0", b"-1", b"SELECT 2", b"2")]
    assert stream(entries, -1) == (b"".join(map(command, words)), 2)
    assert stream(entries, 2) == (b"".join(map(command, words[1:])), 2)


def test_writes_wait_until_somebody_asks(server: Server, send: Peer, leading: Leader) -> None:
    Loop(leading)
    for number in range(3):
        send("SET", "k", number)
    assert len(leading.history.waiting) == 3
    before = history_of(server)
    assert [line for line in before.split("\r\n") if line in ("SELECT", "SET", "k", "0", "1", "2")] == [
        "SELECT", "0", "SET", "k", "0", "SET", "k", "1", "SET", "k", "2"
    ]  # fmt: skip
    assert not leading.history.waiting
    assert leading.history.offset == len(before)


def test_everyone_has_the_offset_of_his_last_write(send: Peer, connect: Connect, leading: Leader) -> None:
    other, reader = connect(), connect()
    send("SET", "k", "1")
    first = leading.history.offset
    other("SET", "k", "2")
    reader("GET", "k")
    second = leading.history.offset
    assert (send.client.write_offset, other.client.write_offset, reader.client.write_offset) == (first, second, 0)
    assert 0 < first < second


def test_wait_counts_what_still_waits(pair: tuple[Node, Node], network: Network) -> None:
    leader, follower = pair
    network.quiesce()
    run(leader.client, encode_command("SET", "k", "1") + encode_command("WAIT", 1, 1000))
    assert leader.take() == b"+OK\r\n"  # the follower cannot have it yet
    network.quiesce()
    assert leader.take() == b":1\r\n"
    replica = next(iter(leader.replication.leader.replicas.values()))
    assert replica.ack_offset == follower.replication.history.offset


def test_a_follower_adds_nothing_of_its_own(pair: tuple[Node, Node], network: Network) -> None:
    leader, follower = pair
    follower("CONFIG", "SET", "replica-read-only", "no")
    offset = follower.replication.history.offset
    assert follower("SET", "mine", "1") == b"+OK\r\n"
    assert follower.replication.history.offset == offset == leader.replication.history.offset


def test_what_was_written_before_the_role_changed_belongs_to_the_old_history(pair: tuple[Node, Node]) -> None:
    leader, _ = pair
    before = leader.replication.history.offset
    run(leader.client, encode_command("SET", "last", "word"))
    assert leader.replication.history.waiting
    leader("REPLICAOF", "127.0.0.1", 7099)
    assert not leader.replication.history.waiting
    assert leader.replication.history.offset > before


def test_the_pace(server: Server, send: Peer, leading: Leader, clock: ManualClock) -> None:
    loop = Loop(leading)
    send("SET", "k", "1")
    assert (len(loop.soon), len(loop.later)) == (1, 0)
    loop.soon.pop()()
    assert not leading.history.waiting
    clock.advance(seconds=PACE_NS / 4e9)
    for _ in range(3):
        send("SET", "k", "2")
    assert [seconds for seconds, _ in loop.later] == [pytest.approx(PACE_NS * 0.75 / 1e9)]
    assert (len(loop.soon), len(leading.history.waiting)) == (0, 3)
    clock.advance(seconds=PACE_NS / 1e9)
    loop.later.pop()[1]()
    assert not leading.history.waiting
    clock.advance(seconds=PACE_NS * 2 / 1e9)
    send("SET", "k", "3")
    assert (len(loop.soon), len(loop.later)) == (1, 0)


def test_a_clock_set_back_stops_nothing(server: Server, send: Peer, leading: Leader, clock: ManualClock) -> None:
    loop = Loop(leading)
    send("SET", "k", "1")
    loop.soon.pop()()
    clock.set_time(clock.time_ns() - 3600 * 10**9)
    send("SET", "k", "2")
    assert (len(loop.soon), len(loop.later)) == (1, 0)
