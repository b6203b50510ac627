"""Servers in one process, replicating over links that a test moves, cuts and damages.  Nothing sleeps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyredis.app import build_server
from pyredis.config.config import Config
from pyredis.engine.client import Client
from pyredis.engine.dispatch import drain, end_turn, run
from pyredis.engine.log import Log
from pyredis.util.clock import ManualClock
from tests.conftest import START_NS, encode_command


class Lines(Log):
    """A log that is a list."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.lines: list[str] = []

    def warning(self, text: str, *, exc: BaseException | None = None) -> None:
        if exc is not None:
            raise exc
        self.lines.append(text)

    def notice(self, text: str) -> None:
        self.lines.append(text)

    def verbose(self, text: str) -> None: ...

    def debug(self, text: str) -> None: ...


class Socket:
    """The leader's end of a link: the transport of the client that is a replica."""

    is_unix = False
    is_local = True
    fd = 1
    plain_descriptor = -1
    local = b"127.0.0.1:1"

    def __init__(self, link: Wire, port: int) -> None:
        self._link = link
        self.peer = b"127.0.0.1:%d" % port
        self.client: Client
        self.blocked = 0
        """Bytes the kernel is said not to have taken."""

    def wake(self) -> None:
        out = self.client.out
        if out:
            self._link.to_follower += b"".join(out)
            if self.blocked:
                self.blocked += sum(map(len, out))
            out.clear()

    def close(self) -> None:
        self.wake()
        self._link.ended = True

    def abort(self) -> None:
        self.client.out.clear()
        self._link.ended = True
        self.client.server.forget(self.client)

    def buffered(self) -> int:
        return self.blocked

    def check_output(self) -> None: ...


class Wire:
    """A connection from *follower* to *leader*, None when nobody listens; ``move`` lets bytes travel."""

    peer, local, fd = b"127.0.0.1:1", b"127.0.0.1:2", 3

    def __init__(self, follower: Node, leader: Node | None) -> None:
        self.follower, self.leader = follower, leader
        self.to_follower, self.to_leader = b"", b""
        self.made = self.ended = self.closed = self.paused = False
        self.step = 1 << 30
        """At most so many bytes arrive at once."""
        if leader is not None:
            self.socket = Socket(self, follower.port)
            self.client = Client(leader.server, self.socket)
            self.socket.client = self.client
            leader.server.clients[self.client.id] = self.client

    def send(self, data: bytes) -> None:
        self.to_leader += data

    def close(self) -> None:
        self.closed = True
        if self.leader is not None:
            self.leader.server.forget(self.client)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def move(self) -> bool:
        """One step of every kind; false if nothing happened."""
        follower = self.follower.server.replication.follower
        if self.closed:
            return False
        if not self.made:
            self.made = True
            if self.leader is None:
                follower.link_failed(self, "Connection refused")
            else:
                follower.link_made(self)
            return True
        moved = False
        if self.to_leader and self.leader is not None:
            data, self.to_leader = self.to_leader, b""
            run(self.client, data)
            self.leader.settle()
            self.socket.wake()
            moved = True
        if self.to_follower and not self.paused:
            data, self.to_follower = self.to_follower[: self.step], self.to_follower[self.step :]
            follower.received(self, data)
            moved = True
        if self.ended and not self.to_follower and not self.closed:
            follower.link_lost(self)
            moved = True
        return moved

    def cut(self) -> None:
        """The network fails: what was under way is lost."""
        self.to_follower = b""
        self.ended = True
        if self.leader is not None:
            self.leader.server.forget(self.client)


class Node:
    """One server, and a client of it."""

    def __init__(self, network: Network, port: int, directory: Path) -> None:
        self.network = network
        self.port = port
        self.log = Lines(network.clock)
        config = Config()
        config.port = port
        config.save = ()
        config.dir = str(directory)
        config.background_save = "slices"
        config.repl_diskless_sync = False
        config.repl_diskless_sync_delay = 0
        self.server = build_server(config, clock=network.clock, rng=random.Random(port), log=self.log)
        self.replication = self.server.replication
        self.replication.follower.connect = self._connect
        self.client = Client(self.server)
        self.server.clients[self.client.id] = self.client

    def _connect(self, host: str, port: int) -> Wire:
        wire = Wire(self, self.network.nodes.get(port))
        self.network.wires.append(wire)
        return wire

    @property
    def link(self) -> Wire:
        """The connection to its leader."""
        link = self.replication.follower.link
        assert isinstance(link, Wire)
        return link

    def __call__(self, *words: str | bytes | int | float) -> bytes:
        run(self.client, encode_command(*words))
        self.settle()
        return self.take()

    def take(self) -> bytes:
        """Replies that came later."""
        reply = b"".join(self.client.out)
        self.client.out.clear()
        return reply

    def settle(self) -> None:
        server = self.server
        end_turn(server)
        if server.persistence.snapshots.sliced is not None:
            server.persistence.snapshots.sliced.finish()
        server.timers.run_due(server.clock.monotonic_ns())
        drain(server)
        for client in server.to_flush:
            client.to_flush = False
            client.transport.wake()
        server.to_flush.clear()

    def info(self, field: str) -> str:
        """A field of INFO."""
        for line in self("INFO", "everything").decode().splitlines():
            if line.startswith(f"{field}:"):
                return line.partition(":")[2]
        raise KeyError(field)

    def data(self) -> dict[bytes, object]:
        """What database 0 holds."""
        return dict(self.server.databases[0].data)

    def logged(self, text: str) -> int:
        """How many log lines have *text*."""
        return sum(text in line for line in self.log.lines)


class Network:
    """Nodes by port, and everything that is under way between them."""

    def __init__(self, clock: ManualClock, directory: Path) -> None:
        self.clock = clock
        self._directory = directory
        self.nodes: dict[int, Node] = {}
        self.wires: list[Wire] = []

    def node(self, port: int) -> Node:
        directory = self._directory / str(port)
        directory.mkdir()
        self.nodes[port] = Node(self, port, directory)
        return self.nodes[port]

    def quiesce(self) -> None:
        """Move everything until nothing is left to move."""
        for _ in range(10_000):
            for node in self.nodes.values():
                node.settle()
            moved = [wire.move() for wire in list(self.wires)]
            if not any(moved):
                return
            self.wires = [wire for wire in self.wires if not wire.closed]
        raise AssertionError("the network never comes to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass, a second at a time, with everything periodic."""
        while seconds > 0:
            self.clock.advance(seconds=min(1, seconds))
            seconds -= 1
            for node in self.nodes.values():
                node.server.now = self.clock.time_ns()
                node.replication.failover.cron()
                node.replication.follower.cron()
                node.replication.leader.cron()
                node.replication.sync.cron()
            self.quiesce()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(ManualClock(START_NS), tmp_path)
    yield network
    for node in network.nodes.values():
        for wire in network.wires:
            wire.closed = True
        node.replication.follower.active = False


@pytest.fixture
def pair(network: Network) -> tuple[Node, Node]:
    """A leader with some data, and a follower in sync with it."""
    leader, follower = network.node(7001), network.node(7002)
    leader("MSET", "a", "1", "b", "2")
    follower("REPLICAOF", "127.0.0.1", 7001)
    network.quiesce()
    assert follower.info("master_link_status") == "up"
    return leader, follower


@pytest.fixture
def node(network: Network) -> Callable[[int], Node]:
    return network.node
