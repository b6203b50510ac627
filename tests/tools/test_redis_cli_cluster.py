"""redis-cli --cluster: making a cluster, moving slots with the keys in them, mending what is left half done."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from pyredis.cluster.slots import key_slot

from ..compat.clusters import SHORT_MS, Cluster, ours
from ..compat.servers import OURS, Server, free_port
from ..compat.wire import Connection

CLI = shutil.which("redis-cli")

pytestmark = pytest.mark.skipif(CLI is None, reason="redis-cli is not on PATH")

COVERED = "[OK] All 16384 slots covered."
AGREED = "[OK] All nodes agree about slots configuration."
KEYS = 300


def cli(*options: str, status: int = 0) -> str:
    """What redis-cli prints, without colours."""
    done = subprocess.run([str(CLI), *options], input=b"", capture_output=True, timeout=60, check=False)
    text = re.sub(r"\x1b\[[\d;]*m", "", done.stdout.decode() + done.stderr.decode())
    assert done.returncode == status, text
    return text


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with ours(3) as cluster:
        fill(cluster)
        yield cluster


def fill(cluster: Cluster) -> None:
    """Keys on every node, each where it belongs."""
    connections = [node.connect() for node in cluster.nodes]
    for n in range(KEYS):
        stored = [connection.call(b"SET", b"key%d" % n, b"%d" % n) for connection in connections]
        assert stored.count((b"+", b"OK")) == 1
    for connection in connections:
        connection.close()


def count_keys(cluster: Cluster) -> list[int]:
    return [int(_ask(cluster, number, b"DBSIZE")[1:]) for number in range(3)]


def test_a_cluster_is_made() -> None:
    servers = []
    try:
        for _ in range(3):
            options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            servers.append(Server.start(OURS, *options, "--cluster-node-timeout", str(SHORT_MS)))
        addresses = [f"127.0.0.1:{server.port}" for server in servers]
        made = cli("--cluster", "create", *addresses, "--cluster-yes")
        assert AGREED in made
        assert COVERED in made
        assert "3 masters" in cli("--cluster", "info", addresses[0])
    finally:
        for server in servers:
            server.stop()


def test_check(cluster: Cluster) -> None:
    text = cli("--cluster", "check", cluster.address(1))
    assert AGREED in text
    assert COVERED in text
    assert f"[OK] {KEYS} keys in 3 masters." in text


def test_clients_follow_redirections(cluster: Cluster) -> None:
    for n in range(5):
        assert cli("-c", "-p", str(cluster.nodes[0].port), "GET", f"key{n}") == f"{n}\n"


def test_resharding_takes_the_keys_along(cluster: Cluster) -> None:
    before = count_keys(cluster)
    text = cli(
        "--cluster", "reshard", cluster.address(0), "--cluster-from", cluster.name(0), "--cluster-to", cluster.name(2),
        "--cluster-slots", "200", "--cluster-yes",
    )  # fmt: skip
    assert text.count("Moving slot") >= 200
    after = count_keys(cluster)
    assert sum(after) == KEYS
    assert after[0] < before[0]
    assert after[1] == before[1]
    assert COVERED in cli("--cluster", "check", cluster.address(0))


def test_rebalancing(cluster: Cluster) -> None:
    assert "Moving" in cli("--cluster", "rebalance", cluster.address(0))
    assert sum(count_keys(cluster)) == KEYS
    assert "[OK] All 16384 slots covered." in cli("--cluster", "check", cluster.address(0))


def test_a_half_moved_slot_is_mended(cluster: Cluster) -> None:
    slot = 16000
    key = next(b"{%d}" % n for n in range(1 << 20) if key_slot(b"{%d}" % n) == slot)
    owner = next(number for number in range(3) if b"-MOVED" not in _ask(cluster, number, b"SET", key, b"v"))
    other = (owner + 1) % 3
    cluster.call(other, "CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.name(owner))
    cluster.call(owner, "CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.name(other))
    assert "[WARNING] The following slots are open: 16000." in cli("--cluster", "check", cluster.address(0), status=1)
    cli("--cluster", "fix", cluster.address(0))
    assert "open" not in cli("--cluster", "check", cluster.address(0)).replace("Check for open slots", "")
    assert cli("-c", "-p", str(cluster.nodes[0].port), "GET", key.decode()) == "v\n"


def _ask(cluster: Cluster, number: int, *argv: bytes) -> bytes:
    connection: Connection = cluster.nodes[number].connect()
    kind, value = connection.call(*argv)
    connection.close()
    return kind + bytes(value or b"")


def test_a_command_for_all_nodes(cluster: Cluster) -> None:
    text = cli("--cluster", "call", cluster.address(0), "PING")
    assert text.count("PONG") == 3
