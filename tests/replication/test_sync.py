"""The leader's decisions, byte for byte: who goes on, who starts anew, who shares a snapshot with whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.client import Client
from pyredis.engine.dispatch import run
from pyredis.replication.replica import Replica, Stage
from pyredis.replication.transfer import Transfer
from tests.conftest import encode_command

from .conftest import Node, Socket

Nodes = Callable[[int], Node]


class Plain:
    """Where a ``Socket`` puts what a replica is sent."""

    def __init__(self) -> None:
        self.to_follower = b""
        self.ended = False


class Asking:
    """A replica that speaks by hand."""

    def __init__(self, leader: Node, port: int = 7100) -> None:
        self.leader = leader
        self.wire = Plain()
        self.socket = Socket(self.wire, port)  # type: ignore[arg-type]
        self.client = self.socket.client = Client(leader.server, self.socket)
        leader.server.clients[self.client.id] = self.client

    def __call__(self, *words: str | bytes | int) -> bytes:
        run(self.client, encode_command(*words))
        self.leader.server.replication.leader.pump_all()
        self.socket.wake()
        return self.take()

    def take(self) -> bytes:
        data, self.wire.to_follower = self.wire.to_follower, b""
        return data

    @property
    def state(self) -> Replica:
        return self.leader.replication.leader.replicas[self.client]


@pytest.fixture
def leader(node: Nodes) -> Node:
    """A leader whose snapshots are started, and finished, by the test."""
    leader = node(7001)
    leader.replication.sync._start_transfer = lambda replicas, socket: made(leader, replicas, socket)
    leader.replication.sync._child = lambda: None if leader.replication.sync.transfer is None else "rdb"
    return leader


def made(leader: Node, replicas: list[Replica], socket: bool) -> Transfer:
    transfer = Transfer(leader.server, replicas)
    transfer.socket = socket
    return transfer


def attached(leader: Node, port: int = 7100) -> Asking:
    """A replica that has got its snapshot."""
    replica = Asking(leader, port)
    replica("REPLCONF", "listening-port", port, "capa", "eof", "capa", "psync2")
    replica("PSYNC", "?", -1)
    leader.replication.sync.transfer = None
    leader.replication.leader.put_online(replica.state, after_ack=False)
    replica.take()
    return replica


def history_id(leader: Node) -> str:
    return str(leader.replication.history.id)


def test_a_full_resynchronisation_names_id_and_offset(leader: Node) -> None:
    replica = Asking(leader)
    assert replica("REPLCONF", "listening-port", 7100) == b"+OK\r\n"
    reply = replica("PSYNC", "?", -1)
    assert reply == b"+FULLRESYNC %b 0\r\n" % history_id(leader).encode()
    assert replica.state.stage is Stage.WAIT_END
    assert leader.info("slave0") == "ip=127.0.0.1,port=7100,state=wait_bgsave,offset=0,lag=0"


def test_sync_gets_no_line(leader: Node) -> None:
    replica = Asking(leader)
    assert replica("SYNC") == b""
    assert replica.state.pre_psync


@pytest.mark.parametrize("psync2", [False, True])
def test_what_is_missing_comes_from_the_backlog(leader: Node, psync2: bool) -> None:
    attached(leader)
    before = leader.replication.history.offset
    leader("SET", "a", "1")
    leader("SET", "b", "2")
    replica = Asking(leader, 7101)
    if psync2:
        replica("REPLCONF", "capa", "psync2")
    reply = replica("PSYNC", history_id(leader).upper(), before + 1)
    line = b"+CONTINUE %b\r\n" % history_id(leader).encode() if psync2 else b"+CONTINUE\r\n"
    select = encode_command("SELECT", 0)
    assert reply == line + select + encode_command("SET", "a", "1") + encode_command("SET", "b", "2")
    assert replica.state.stage is Stage.ONLINE


def test_the_very_next_byte_may_be_asked_for_but_no_later_one(leader: Node) -> None:
    attached(leader)
    leader("SET", "a", "1")
    end = leader.replication.history.offset
    assert Asking(leader, 7101)("PSYNC", history_id(leader), end + 1).startswith(b"+CONTINUE")
    assert Asking(leader, 7102)("PSYNC", history_id(leader), end + 2).startswith(b"+FULLRESYNC")
    assert leader.logged("offset that is greater than the master replication offset") == 1


def test_the_second_id_is_valid_up_to_its_offset(leader: Node) -> None:
    attached(leader)
    leader("SET", "a", "1")
    history = leader.replication.history
    old, at = history.id, history.offset
    history.shift_id()
    leader("SET", "b", "1")
    assert Asking(leader, 7101)("PSYNC", old, at + 1).startswith(b"+CONTINUE")
    assert Asking(leader, 7102)("PSYNC", old, at + 2).startswith(b"+FULLRESYNC")
    assert leader.logged(f"Requested offset for second ID was {at + 2}, but I can reply up to {at + 1}") == 1


def test_another_history(leader: Node) -> None:
    attached(leader)
    assert Asking(leader, 7101)("PSYNC", "f" * 40, 1).startswith(b"+FULLRESYNC")
    assert leader.logged("Replication ID mismatch (Replica asked for '" + "f" * 40) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["PSYNC", "?", "x"], b"-ERR value is not an integer or out of range\r\n"),
        (["REPLCONF", "listening-port"], b"-ERR syntax error\r\n"),
        (["REPLCONF", "nonsense", "1"], b"-ERR Unrecognized REPLCONF option: nonsense\r\n"),
        (["REPLCONF", "rdb-only", "2"], b"-ERR value is out of range, must be between 0 and 1\r\n"),
        (["REPLCONF", "rdb-filter-only", "keys"], b"-ERR Unsupported rdb-filter-only option: keys\r\n"),
        (["REPLCONF", "ack", "1"], b""),
        (["REPLCONF", "getack", "*"], b""),
    ],
)
def test_refusals(leader: Node, words: list[str], error: bytes) -> None:
    assert Asking(leader)(*words) == error


def test_a_filtered_snapshot_needs_the_mark(leader: Node) -> None:
    replica = Asking(leader)
    replica("REPLCONF", "rdb-filter-only", "")
    assert replica("SYNC") == b"-ERR Filtered replica requires EOF capability\r\n"


def test_replicas_join_a_snapshot_under_way_and_get_the_same_stream(leader: Node) -> None:
    first, second = Asking(leader), Asking(leader, 7101)
    offset = first("PSYNC", "?", -1)
    leader("SET", "between", "1")
    assert second("PSYNC", "?", -1) == offset
    leader("SET", "later", "1")
    transfer = leader.replication.sync.transfer
    assert transfer is not None
    assert len(transfer.replicas) == 2
    for replica in (first, second):
        leader.replication.leader.put_online(replica.state, after_ack=False)
        replica.socket.wake()
    stream = first.take()
    assert encode_command("SET", "between", "1") in stream
    assert second.take() == stream


def test_a_snapshot_over_sockets_cannot_be_joined(leader: Node) -> None:
    leader.server.config.repl_diskless_sync = True
    first, second = Asking(leader), Asking(leader, 7101)
    for replica in (first, second):
        replica("REPLCONF", "capa", "eof")
        replica("PSYNC", "?", -1)
    assert (first.state.stage, second.state.stage) == (Stage.WAIT_END, Stage.WAIT_START)
    assert leader.logged("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC") == 1
    transfer = leader.replication.sync.transfer
    assert transfer is not None
    leader.replication.sync.transfer_ended(transfer, True)
    leader.replication.sync.start_pending()
    assert second.state.stage is Stage.WAIT_END
    assert first.state.wait_for_ack, "the mark ends the snapshot: nothing follows before the ACK"
    leader("SET", "k", "1")
    assert first.take() == b""
    first("REPLCONF", "ACK", 0)
    assert first.state.flowing


def test_diskless_snapshots_wait_for_company(leader: Node) -> None:
    config, sync = leader.server.config, leader.replication.sync
    config.repl_diskless_sync, config.repl_diskless_sync_delay = True, 5
    replica = Asking(leader)
    replica("REPLCONF", "capa", "eof")
    assert replica("PSYNC", "?", -1) == b""
    leader.network.clock.advance(seconds=4)
    leader.server.now = leader.network.clock.time_ns()
    sync.start_pending()
    assert replica.state.stage is Stage.WAIT_START
    leader.network.clock.advance(seconds=1)
    leader.server.now = leader.network.clock.time_ns()
    sync.start_pending()
    assert replica.state.stage is Stage.WAIT_END


def test_enough_replicas_need_not_wait(leader: Node) -> None:
    config, sync = leader.server.config, leader.replication.sync
    config.repl_diskless_sync, config.repl_diskless_sync_delay, config.repl_diskless_sync_max_replicas = True, 60, 2
    replicas = [Asking(leader, 7100), Asking(leader, 7101)]
    for replica in replicas:
        replica("REPLCONF", "capa", "eof")
        replica("PSYNC", "?", -1)
    sync.start_pending()
    assert [replica.state.stage for replica in replicas] == [Stage.WAIT_END] * 2


def test_a_failed_snapshot_sends_everybody_away(leader: Node) -> None:
    replica = Asking(leader)
    replica("PSYNC", "?", -1)
    transfer = leader.replication.sync.transfer
    assert transfer is not None
    leader.replication.sync.transfer_ended(transfer, False)
    assert replica.wire.ended
    assert leader.info("connected_slaves") == "0"
    assert leader.logged("SYNC failed. BGSAVE child returned an error") == 1


def test_those_that_wait_for_a_file_are_kept_from_hanging_up(leader: Node) -> None:
    replica = Asking(leader)
    replica("PSYNC", "?", -1)
    leader.replication.sync.cron()
    assert replica.take() == b"\n"


def test_a_replica_may_not_touch_keys(leader: Node) -> None:
    replica = attached(leader)
    assert replica("GET", "k") == b"", "it would take the reply for part of the stream"
    assert replica.wire.ended
    assert leader.logged("Replica generated a reply to command 'get', disconnecting it: id=") == 1


def test_an_unused_backlog_is_freed(leader: Node) -> None:
    replica = attached(leader)
    old = history_id(leader)
    leader("CONFIG", "SET", "repl-backlog-ttl", 10)
    replica.socket.abort()
    leader.network.clock.advance(seconds=12)
    leader.server.now = leader.network.clock.time_ns()
    leader.replication.leader.cron()
    assert leader.info("repl_backlog_active") == "0"
    assert history_id(leader) != old
