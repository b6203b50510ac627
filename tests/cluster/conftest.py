"""A node of a cluster without sockets: ``send``, ``connect`` and the rest of the core's fixtures talk to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.app import build_server
from pyredis.cluster.node import MASTER, REPLICA, Node
from pyredis.cluster.slots import key_slot
from pyredis.config.config import Config
from pyredis.engine.server import Server
from pyredis.util.clock import ManualClock

OTHER = "b" * 40


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = Config()
    config.save = ()
    config.cluster_enabled = True
    config.databases = 1
    config.dir = str(tmp_path)
    return config


@pytest.fixture
def server(clock: ManualClock, config: Config) -> Server:
    """A node with a nodes.conf of its own that knows nobody and has no slot."""
    server = build_server(config, clock=clock, rng=random.Random(1))
    server.cluster.prepare()
    return server


@pytest.fixture
def turns(server: Server, clock: ManualClock) -> Callable[[float], None]:
    """Lets so many seconds pass with ten turns of the cron in each."""

    def pass_by(seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            clock.advance(seconds=0.1)
            server.now = clock.time_ns()
            server.cron.turn()

    return pass_by


@pytest.fixture
def whole(server: Server, turns: Callable[[float], None]) -> None:
    """The node serves all slots and calls the cluster sound."""
    state = server.cluster.state
    for slot in range(16384):
        state.assign(slot, state.myself)
    turns(3)
    assert state.ok


@pytest.fixture
def other(server: Server) -> Node:
    """Another master, with slots 0 to 99."""
    state = server.cluster.state
    node: Node = state.new_node(OTHER, MASTER)
    node.ip, node.tcp_port, node.bus_port = "10.0.0.2", 7001, 17001
    state.add_node(node)
    state.join_shard(node)
    for slot in range(100):
        state.unassign(slot)
        state.assign(slot, node)
    return node


@pytest.fixture
def become_replica(server: Server) -> Callable[[Node], None]:
    """Makes the node a replica of another one, as far as the table goes."""

    def become(master: Node) -> None:
        state = server.cluster.state
        state.release_all(state.myself)
        state.follow(master)
        assert state.myself.is_(REPLICA)

    return become


def key_in(low: int, high: int) -> bytes:
    """A key of a slot from *low* to *high*."""
    return next(b"key%d" % n for n in range(1 << 20) if low <= key_slot(b"key%d" % n) <= high)
