"""nodes.conf, as Redis writes and reads it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pyredis.app import build_server
from pyredis.cluster import ClusterError
from pyredis.cluster.node import FAIL, MASTER, MYSELF, PFAIL, REPLICA, Node
from pyredis.cluster.slots import key_slot
from pyredis.config.config import Config
from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock
from tests.conftest import Peer

A, B, C = "a" * 40, "b" * 40, "c" * 40
S, T = "5" * 40, "7" * 40

FILE = f"""\
{A} 127.0.0.1:7000@17000,,tls-port=0,shard-id={S} myself,master - 0 0 6 connected 0-5 7 9-16382 [5->-{B}] [8-<-{B}]
{B} 127.0.0.2:7001@17001,b.example,tls-port=7101,nodename=blue,shard-id={T} master,fail - 5 6 3 disconnected 8
{C} :0@0,,tls-port=0,shard-id={S} slave,noaddr {A} 0 9 0 disconnected
vars currentEpoch 7 lastVoteEpoch 4
"""


class Start:
    """Starts further nodes in one directory; keeps their log."""

    def __init__(self, config: Config, clock: ManualClock) -> None:
        self._config, self._clock = config, clock
        self.lines: list[str] = []

    def __call__(self) -> Server:
        server = build_server(self._config, clock=self._clock, rng=random.Random(2))
        server.log.write = lambda level, message, traceback="": self.lines.append(message)  # type: ignore[method-assign]
        server.cluster.prepare()
        return server


@pytest.fixture
def start(config: Config, clock: ManualClock) -> Start:
    return Start(config, clock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nodes.conf"


def test_a_new_node_begins_a_file(start: Start, path: Path) -> None:
    myself = start().cluster.state.myself
    assert start.lines == [f"No cluster configuration found, I'm {myself.name}"]
    assert path.read_text() == (
        f"{myself.name} :0@0,,tls-port=0,shard-id={myself.shard_id} myself,master - 0 0 0 connected\n"
        "vars currentEpoch 0 lastVoteEpoch 0\n"
    )


def test_what_stands_in_a_file_is_read(start: Start, path: Path, clock: ManualClock) -> None:
    path.write_text(FILE)
    state = start().cluster.state
    now = clock.time_ns() // 1_000_000
    a, b, c = (state.nodes[name] for name in (A, B, C))
    assert set(state.nodes) == {A, B, C}
    assert state.myself is a
    assert (a.flags & (MASTER | MYSELF), a.config_epoch, a.slot_count) == (MASTER | MYSELF, 6, 16381)
    assert (b.ip, b.tcp_port, b.tls_port, b.bus_port) == ("127.0.0.2", 7001, 7101, 17001)
    assert (b.hostname, b.human_name, b.flags, b.fail_ms) == ("b.example", "blue", MASTER | FAIL, now)
    assert (b.ping_sent_ms, b.pong_received_ms, b.slots) == (now, now, 1 << 8)
    assert (c.flags & REPLICA, c.master, a.replicas, c.config_epoch) == (REPLICA, a, [c], 0)
    assert state.shards == {S: [a, c], T: [b]}
    assert (state.migrating, state.importing) == ({5: b}, {8: b})
    assert (state.current_epoch, state.last_vote_epoch) == (7, 4)
    assert f"Node configuration loaded, I'm {A}" in start.lines


def test_what_is_written_is_read_again(start: Start, path: Path) -> None:
    path.write_text(FILE)
    server = start()
    state = server.cluster.state
    for node in state.nodes.values():
        node.ping_sent_ms = node.pong_received_ms = 0
    server.cluster.save(True)
    first = path.read_text()
    assert first.splitlines()[1] == (
        f"{B} 127.0.0.2:7001@17001,b.example,tls-port=7101,nodename=blue,shard-id={T} "
        "master,fail - 0 0 3 disconnected 8"
    )
    server.cluster.stop()
    start().cluster.save(False)
    assert path.read_text() == first


def test_handshakes_are_not_written(server: Server, path: Path) -> None:
    assert server.cluster.member.meet("10.0.0.9", 7000, 17000)
    server.cluster.save(False)
    assert "10.0.0.9" not in path.read_text()


def test_files_of_older_versions_are_read(start: Start, path: Path) -> None:
    path.write_text(
        f"{C} 10.0.0.3:7002 slave {A} 0 0 0 connected\n\n"
        f"{A} 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16383\n"
    )
    state = start().cluster.state
    a, c = state.nodes[A], state.nodes[C]
    assert (c.tcp_port, c.bus_port, c.master) == (7002, 17002, a)
    assert a.shard_id == c.shard_id
    assert set(state.shards[a.shard_id]) == {a, c}
    assert state.current_epoch == 1  # never less than that of a node


@pytest.mark.parametrize(
    "line",
    [
        "vars currentEpoch\n",
        f"{A} 127.0.0.1:7000@17000 myself,master - 0 0\n",
        f"{'A' * 40} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected\n",
        f"{A} 127.0.0.1 myself,master - 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000,,shard-id=5 myself,master - 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000,,colour=red myself,master - 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000,,nodename=a#b myself,master - 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000,,tls-port=123456 myself,master - 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000 myself,king - 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000 myself,slave bad 0 0 1 connected\n",
        f"{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16384\n",
        f"{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected [5->-short]\n",
        f"{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected [5]\n",
        f"{A} 127.0.0.1:7000@17000 master - 0 0 1 connected\n",
        f'{A} "127.0.0.1:7000@17000 myself,master - 0 0 1 connected\n',
    ],
)
def test_a_node_does_not_start_from_a_damaged_file(start: Start, path: Path, line: str) -> None:
    path.write_text(line)
    with pytest.raises(ClusterError):
        start()
    assert start.lines[-1] == f'Unrecoverable error: corrupted cluster config file "{line}".'


def test_unknown_variables_are_skipped(start: Start, path: Path) -> None:
    path.write_text(f"{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected\nvars colour 5 currentEpoch 3\n")
    assert start().cluster.state.current_epoch == 3
    assert "Skipping unknown cluster config variable 'colour'" in start.lines


def test_two_nodes_cannot_share_a_file(server: Server, start: Start) -> None:
    with pytest.raises(ClusterError):
        start()
    assert start.lines == [
        "Sorry, the cluster configuration file nodes.conf is already used by a different Redis Cluster node. "
        "Please make sure that different nodes use different cluster configuration files."
    ]
    server.cluster.stop()
    assert start().cluster.state.myself.name == server.cluster.state.myself.name


def test_a_port_without_room_for_the_bus_is_refused(start: Start, config: Config) -> None:
    config.port = 55536
    with pytest.raises(ClusterError):
        start()
    assert start.lines[-1].startswith("Redis port number too high.")


def test_changes_are_written_before_the_reply(server: Server, send: Peer, path: Path) -> None:
    assert send("CLUSTER", "ADDSLOTS", "1", "2", "3", "9") == b"+OK\r\n"
    assert path.read_text().splitlines()[0].endswith(" 1-3 9")
    assert server.before_sleep == []


def test_a_file_that_cannot_be_written_is_reported(server: Server, send: Peer, tmp_path: Path) -> None:
    server.config.cluster_config_file = "missing/nodes.conf"
    assert send("CLUSTER", "SAVECONFIG") == b"-ERR error saving the cluster node config: No such file or directory\r\n"
    stopped: list[bool] = []
    server.persistence.exit = lambda: stopped.append(True)
    server.cluster.save(False)
    assert stopped == [True]


def test_keys_without_owner_are_taken_charge_of(server: Server, other: Node, path: Path) -> None:
    state = server.cluster.state
    server.databases[0].data[b"k"] = b"v"
    theirs = next(b"%d" % n for n in range(10**6) if server.cluster.state.owners[key_slot(b"%d" % n)] is other)
    server.databases[0].data[theirs] = b"v"
    server.cluster.verify_data()
    assert state.owners[key_slot(b"k")] is state.myself
    assert state.importing == {key_slot(theirs): other}
    assert f"[{key_slot(theirs)}-<-{other.name}]" in path.read_text()


def test_a_suspected_node_is_written_as_such(server: Server, other: Node, path: Path) -> None:
    other.flags |= PFAIL
    server.cluster.save(False)
    assert f"{other.name} 10.0.0.2:7001@17001,,tls-port=0,shard-id={other.shard_id} master,fail? - " in path.read_text()


def test_a_replica_is_one_before_it_loads_its_data(start: Start, path: Path) -> None:
    path.write_text(
        f"{A} 10.0.0.1:7000@17000 master - 0 0 1 connected 0-16383\n{B} :7001@17001 myself,slave {A} 0 0 0 connected\n"
    )
    server = start()
    server.replication.prepare_load()
    assert server.replication.follower.leader_address == ("10.0.0.1", 7000)
    assert (server.role, server.keeps_expired) == (b"replica", True)
