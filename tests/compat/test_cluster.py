"""Clusters of real servers and ours: they accept each other as masters, as replicas, as voters and as heirs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from ..waiting import until
from .servers import OURS, Server, free_port
from .wire import Connection, Disconnected

REAL = ("PYREDIS_ORACLE",) if os.environ.get("PYREDIS_ORACLE") else ("redis-server", "valkey-server")
NODE_TIMEOUT_MS = 2000
OPTIONS = (
    "--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--repl-diskless-sync-delay", "0",
    "--cluster-announce-ip", "127.0.0.1",
)  # fmt: skip
SHARES = ((0, 5460), (5461, 10922), (10923, 16383))


class ClusterNode:
    """A process, and what it says."""

    def __init__(self, command: list[str]) -> None:
        self.bus_port = free_port()
        self.server = Server.start(command, *OPTIONS, "--cluster-port", str(self.bus_port))
        self.connection: Connection | None = self.server.connect()
        self.name = str(self.ask("CLUSTER", "MYID"))

    def ask(self, *words: object) -> object:
        """A reply as text, ``-`` before errors."""
        assert self.connection is not None
        kind, value = self.connection.call(*(str(word).encode() for word in words))
        text = value.decode("utf-8") if isinstance(value, bytes) else value
        return f"-{text}" if kind == b"-" else text

    @property
    def nodes(self) -> dict[str, list[str]]:
        """The lines of CLUSTER NODES by the name of the node."""
        lines = str(self.ask("CLUSTER", "NODES")).splitlines()
        return {line.split()[0]: line.split() for line in lines}

    def sees(self, other: ClusterNode, role: str) -> bool:
        """Whether *other* is a ``master`` or a ``slave`` to this node, and well."""
        line = self.nodes.get(other.name)
        return line is not None and set(line[2].split(",")) - {"myself"} == {role}

    @property
    def ok(self) -> bool:
        return "cluster_state:ok" in str(self.ask("CLUSTER", "INFO"))

    @property
    def follows(self) -> bool:
        return "master_link_status:up" in str(self.ask("INFO", "replication"))

    def stop(self) -> None:
        """Kill it."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.server.stop()


class Mixed:
    """Three masters, of which the middle one is ours, and two replicas, of the other kind than their masters."""

    def __init__(self, real: str) -> None:
        self.nodes: list[ClusterNode] = []
        for command in ([real], list(OURS), [real], list(OURS), [real]):
            self.nodes.append(ClusterNode(command))
        self.masters, self.replicas = self.nodes[:3], self.nodes[3:]

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        def holds() -> bool:
            try:
                return bool(condition())
            except (OSError, Disconnected):
                return False

        if not until(holds, seconds, pause=0.05):
            views = [str(node.ask("CLUSTER", "NODES")) for node in self.alive]
            pytest.fail("\n\n".join([what, *views]))

    @property
    def alive(self) -> list[ClusterNode]:
        return [node for node in self.nodes if node.connection is not None]

    def all_see(self, node: ClusterNode, role: str) -> bool:
        return all(other.sees(node, role) for other in self.alive)

    def build(self) -> None:
        """Everybody meets, slots and roles are given out."""
        first = self.nodes[0]
        for node in self.nodes[1:]:
            assert first.ask("CLUSTER", "MEET", "127.0.0.1", node.server.port, node.bus_port) == "OK"
        for node, (low, high) in zip(self.masters, SHARES, strict=True):
            assert node.ask("CLUSTER", "ADDSLOTSRANGE", low, high) == "OK"
        self.wait(lambda: all(self.all_see(node, "master") for node in self.nodes), "the nodes do not meet")
        for master, replica in zip(self.masters, self.replicas, strict=False):
            assert replica.ask("CLUSTER", "REPLICATE", master.name) == "OK"
        self.wait(lambda: all(self.all_see(node, "slave") for node in self.replicas), "no replicas")
        self.wait(lambda: all(node.follows for node in self.replicas), "the replicas do not follow")
        self.wait(lambda: all(node.ok for node in self.nodes), "the cluster does not work")

    def swap(self, master: ClusterNode, replica: ClusterNode) -> None:
        """A manual failover."""
        assert replica.ask("CLUSTER", "FAILOVER") == "OK"
        self.wait(lambda: self.all_see(replica, "master") and self.all_see(master, "slave"), "no failover")
        self.wait(lambda: master.follows, "the former master does not follow")
        self.wait(lambda: all(node.ok for node in self.alive), "the cluster does not recover")


@pytest.fixture(params=REAL)
def mixed(request: pytest.FixtureRequest) -> Iterator[Mixed]:
    name: str = request.param
    path = os.environ.get(name) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH and PYREDIS_ORACLE is not set")
    version = subprocess.run([path, "--version"], capture_output=True, check=True, text=True).stdout
    if (found := re.search(r"v=(\d+)\.(\d+)", version)) is None or (int(found[1]), int(found[2])) < (7, 2):
        pytest.skip(f"{name} is older than 7.2 and reads no snapshots of ours")
    cluster = Mixed(path)
    try:
        cluster.build()
        yield cluster
    finally:
        cluster.stop()


def test_real_servers_and_ours_are_one_cluster(mixed: Mixed) -> None:
    real, ours, other = mixed.masters
    heir_of_real, heir_of_ours = mixed.replicas  # ours, real

    # Both send clients to each other.
    assert ours.ask("SET", "foo", "1") == f"-MOVED 12182 127.0.0.1:{other.server.port}"
    assert other.ask("SET", "c", "1") == f"-MOVED 7365 127.0.0.1:{ours.server.port}"
    for node, key in ((real, "bar"), (ours, "c"), (other, "foo")):
        assert node.ask("SET", key, "1") == "OK"

    # A failover by hand loses nothing, and needs no full synchronization.
    mixed.swap(real, heir_of_real)
    assert heir_of_real.ask("GET", "bar") == "1"
    assert "sync_full:0" in str(heir_of_real.ask("INFO", "stats"))
    mixed.swap(heir_of_real, real)
    mixed.swap(ours, heir_of_ours)

    # Of two masters that die, the one of ours is replaced by a real server and the other way round.
    mixed.swap(heir_of_ours, ours)
    ours.stop()
    mixed.wait(lambda: mixed.all_see(heir_of_ours, "master"), "the real replica does not take over")
    mixed.wait(lambda: all(node.ok for node in mixed.alive), "the cluster does not recover")
    real.stop()
    mixed.wait(lambda: heir_of_real.sees(heir_of_real, "master"), "our replica does not take over")
    mixed.wait(lambda: all(node.ok for node in mixed.alive), "the cluster does not recover")
    assert heir_of_real.ask("GET", "bar") == "1"
    assert heir_of_ours.ask("GET", "c") == "1"
