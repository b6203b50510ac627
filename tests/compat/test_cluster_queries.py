"""Random requests to a node with slots of its own, of others, and on the move: the real one and ours say the same."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from pyredis.cluster.slots import key_slot

from .clusters import SLOTS, Cluster, ours, release
from .servers import MISSING, find_oracle
from .wire import Connection, Node, show

STEPS = 2500
STEPS_BETWEEN_MOVES = 150
TEMPLATES = [
    "GET x", "SET x v", "SET x w", "DEL a b", "MSET a 1 b 2", "MGET a b", "EXISTS a b a", "RENAME a b",
    "COPY a b REPLACE", "APPEND x z", "TYPE x", "OBJECT ENCODING x", "EXPIRE x 100", "DUMP x", "LPUSH x e",
    "SMOVE a b m", "TOUCH a b", "LMPOP 2 a b LEFT", "RPOPLPUSH a b", "SINTERSTORE a b b", "ZUNIONSTORE a 1 b",
    "XREAD STREAMS a b 0 0", "PFMERGE a b", "BITOP AND a b", "GEORADIUS a 1 1 1 m STORE b", "SORT x",
    "SORT a STORE b", "SORT a BY w*", "LCS a b", "RESTORE x 0 bad", "RESTORE-ASKING x 0 bad", "MOVE x 1", "SELECT 1",
    "PING", "NOSUCH x", "GET", "DBSIZE", "ASKING", "ASKING", "ASKING", "READONLY", "READWRITE", "MULTI", "EXEC",
    "EXEC", "DISCARD", "WATCH a b", "UNWATCH", "SPUBLISH x m", "PUBLISH x m", "EVAL return(1) 0",
    "EVAL return(1) 1 x", "EVAL return(1) 2 a b", "EVAL return(redis.call('GET',ARGV[1])) 0 x",
    "EVAL return(redis.call('GET',ARGV[1])) 1 a b", "EVAL #!lua@return(redis.call('GET',ARGV[1])) 1 a b",
    "EVAL #!lua,flags=no-writes@return(redis.call('GET',KEYS[1])) 1 a",
    "EVAL #!lua@redis.call('GET',ARGV[1])return(redis.call('GET',ARGV[2])) 0 a b",
    "EVAL #!lua,flags=allow-cross-slot-keys@redis.call('GET',ARGV[1])return(redis.call('GET',ARGV[2])) 0 a b",
    "EVAL return(redis.pcall('SET',KEYS[1],'s')) 1 a", "EVAL_RO return(redis.call('GET',KEYS[1])) 1 a", "FCALL f 1 x",
]  # fmt: skip
"""x is any key; a and b are often of one slot.  A comma stands for a space within an argument, @ for a line's end."""

VARYING = re.compile(rb"127\.0\.0\.1:\d+|[0-9a-f]{40}")


@pytest.fixture(scope="module")
def clusters() -> Iterator[tuple[Cluster, Cluster]]:
    """Two masters each: a real cluster, and one of ours."""
    oracle = find_oracle()
    if oracle is None:
        pytest.skip(MISSING)
    if release(oracle) != (7, 2):
        pytest.skip("the texts of 7.2 are compared")
    with Cluster([[oracle]] * 2, 2) as real, ours(2) as own:
        yield real, own


def tags(low: int, high: int, count: int) -> list[bytes]:
    """Hash tags of slots between *low* and *high*."""
    found = (b"{t%d}" % number for number in range(1 << 16) if low <= key_slot(b"t%d" % number) <= high)
    return [next(found) for _ in range(count)]


class Requests:
    """Makes random ones of the templates."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.mine = tags(0, SLOTS // 2 - 1, 3)
        self.theirs = tags(SLOTS // 2, SLOTS - 1, 3)

    def key(self, tag: bytes | None = None) -> bytes:
        tag = tag or self.rng.choice(self.mine + self.theirs)
        return tag + b"%d" % self.rng.randrange(3)

    def next(self) -> list[bytes]:
        tag = self.rng.choice([*self.mine, *self.theirs]) if self.rng.random() < 0.7 else None
        keys = {"x": self.key(), "a": self.key(tag), "b": self.key(tag)}
        words = self.rng.choice(TEMPLATES).split()
        return [keys.get(word) or word.replace(",", " ").replace("@", "\n").encode() for word in words]

    def move(self, cluster: Cluster, choice: int) -> list[tuple[object, ...]]:
        """What opens or closes a slot on the first node."""
        other = cluster.name(1)
        leaving, coming = key_slot(self.mine[0]), key_slot(self.theirs[0])
        return [
            ("CLUSTER", "SETSLOT", leaving, *(("MIGRATING", other) if choice & 1 else ("STABLE",))),
            ("CLUSTER", "SETSLOT", coming, *(("IMPORTING", other) if choice & 2 else ("STABLE",))),
            ("CONFIG", "SET", "cluster-allow-reads-when-down", "yes" if choice & 4 else "no"),
            ("CLUSTER", "DELSLOTS" if choice & 8 else "ADDSLOTS", SLOTS // 2 - 1),
        ]


def plain(node: Node) -> Node:
    """*node* without the ports and ids of nodes."""
    kind, value = node
    if isinstance(value, list):
        return kind, [plain(item) for item in value]
    return (kind, VARYING.sub(b"X", value)) if isinstance(value, bytes) else node


def call(connection: Connection, *argv: object) -> Node:
    words = [word if isinstance(word, bytes) else str(word).encode() for word in argv]
    return plain(connection.call(*words))


@pytest.mark.parametrize("seed", [1, 2])
def test_random_requests(clusters: tuple[Cluster, Cluster], seed: int) -> None:
    connections = [cluster.nodes[0].connect() for cluster in clusters]
    requests = Requests(seed)
    past: list[list[bytes]] = []
    for step in range(STEPS):
        if step % STEPS_BETWEEN_MOVES == 0:
            choice = requests.rng.randrange(16)
            for cluster, connection in zip(clusters, connections, strict=True):
                call(connection, "DISCARD")
                for argv in requests.move(cluster, choice):
                    call(connection, *argv)
        past.append(requests.next())
        real, own = (call(connection, *past[-1]) for connection in connections)
        assert real == own, f"{past[-8:]}\nreal: {show(real)}\nours: {show(own)}"
    for connection in connections:
        call(connection, "DISCARD")
        call(connection, "FLUSHALL")
        connection.close()
