"""A node of a cluster that is alone answers as the real one does: CLUSTER, refusals, redirections."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ..waiting import until
from .clusters import release
from .servers import MISSING, OURS, Server, find_oracle, free_port
from .wire import Connection, Node, show

PREPARING = [
    "CLUSTER HELP", "CLUSTER NODES", "CLUSTER SLOTS", "CLUSTER LINKS", "CLUSTER FOO", "CLUSTER MEET 127.0.0.1",
    "CLUSTER MEET host 1 2", "CLUSTER MEET 127.0.0.1 1 2 3", "CLUSTER MEET 127.0.0.1 x", "CLUSTER MEET 127.0.0.1 1 x",
    "CLUSTER RESET a", "CLUSTER RESET a b", "CLUSTER FAILOVER", "CLUSTER FAILOVER a", "CLUSTER FAILOVER a b",
    "CLUSTER ADDSLOTS", "CLUSTER ADDSLOTS 1 1", "CLUSTER ADDSLOTS 1 16384", "CLUSTER ADDSLOTS 1",
    "CLUSTER ADDSLOTS 1", "CLUSTER ADDSLOTSRANGE 5", "CLUSTER ADDSLOTSRANGE 5 6 7", "CLUSTER ADDSLOTSRANGE 6 5",
    "CLUSTER DELSLOTS 1 2", "CLUSTER DELSLOTSRANGE 1 2", "CLUSTER ADDSLOTSRANGE 5 6 6 7", "GET a",
    "CLUSTER SET-CONFIG-EPOCH x", "CLUSTER SET-CONFIG-EPOCH -5", "CLUSTER SET-CONFIG-EPOCH 3",
    "CLUSTER SET-CONFIG-EPOCH 3", "CLUSTER BUMPEPOCH", "CLUSTER COUNTKEYSINSLOT -1", "CLUSTER COUNTKEYSINSLOT x",
    "CLUSTER GETKEYSINSLOT 1 -1", "CLUSTER GETKEYSINSLOT 1 x", "CLUSTER SETSLOT 1 NODE a", "CLUSTER SETSLOT 1 STABLE",
    "CLUSTER SETSLOT 1 MIGRATING a", "CLUSTER SETSLOT 2 MIGRATING a", "CLUSTER SETSLOT 1 IMPORTING a",
    "CLUSTER SETSLOT 1 FOO a", "CLUSTER SETSLOT 99999 FOO a", "CLUSTER FORGET x", "CLUSTER REPLICATE x",
    "CLUSTER REPLICAS x", "CLUSTER SLAVES x", "CLUSTER KEYSLOT a{b}c{d}", "CLUSTER KEYSLOT a{}b",
    "CLUSTER COUNT-FAILURE-REPORTS x", "CLUSTER SAVECONFIG", "CLUSTER FLUSHSLOTS", "SSUBSCRIBE a", "SPUBLISH a x",
    "CLUSTER ADDSLOTSRANGE 0 16383",
]  # fmt: skip
SERVING = [
    "MSET a 1 b 2", "SET a 1", "SELECT 0", "SELECT 1", "SELECT x", "SELECT -1", "MOVE a 1", "MOVE a x", "SWAPDB a b",
    "COPY {a}1 {a}2 DB 1", "COPY {a}1 {a}2 DB 0", "COPY {a}1 {a}2 DB x", "REPLICAOF a b", "REPLICAOF NO ONE",
    "FAILOVER ABORT", "SORT l BY a*", "SORT l GET #", "SORT_RO l BY a* GET #", "SORT l BY a", "ASKING", "ASKING x",
    "READONLY", "READWRITE", "MULTI", "SET a 1", "SET b 1", "EXEC", "EXEC", "MULTI", "GET a", "EXEC",
    "MULTI", "MSET a 1 b 2", "EXEC", "EVAL return,1 2 a b", "EVAL return(redis.call('GET','a')) 0",
    "EVAL #!lua@return(redis.call('GET','a')) 0", "EVAL #!lua@redis.call('GET','a')return(redis.call('GET','b')) 0",
    "EVAL redis.call('GET','a')return(redis.call('GET','b')) 0", "EVAL #!lua,flags=no-cluster@return(1) 0",
    "FCALL f 1 a", "MIGRATE 127.0.0.1 1 _ 0 100 KEYS a b", "XREADGROUP GROUP g c STREAMS a b > >", "BLPOP a b 0",
    "LMPOP 2 a b LEFT", "SINTERCARD 2 a b", "PFMERGE a b", "GEORADIUS a 1 1 1 m STORE b", "ZUNIONSTORE a 1 b",
    "SUNSUBSCRIBE a b", "PUBLISH a x", "WATCH a b", "OBJECT ENCODING a", "CLUSTER GETKEYSINSLOT 15495 10",
    "CLUSTER COUNTKEYSINSLOT 15495", "CLUSTER FLUSHSLOTS", "CLUSTER RESET", "CLUSTER NODES", "CLUSTER SLOTS",
    "CLUSTER SHARDS", "CLUSTER INFO", "HELLO 3", "CLUSTER NODES", "CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER INFO",
    "FLUSHALL", "CLUSTER RESET HARD", "CLUSTER NODES",
]  # fmt: skip
"""A comma stands for a space within an argument, @ for a line's end, _ for an empty argument."""

VARYING = re.compile(rb"[0-9a-f]{40}|127\.0\.0\.1:\d+@\d+|:\d+@\d+|(?<=\$2\r\nid\r\n):\d+")


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[Connection, Connection]]:
    """A real node and one of ours."""
    oracle = find_oracle()
    if oracle is None:
        pytest.skip(MISSING)
    if release(oracle) != (7, 2):
        pytest.skip("the texts of 7.2 are compared")
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "500")
    servers = [Server.start(command, *options, "--cluster-port", str(free_port())) for command in ([oracle], OURS)]
    connections = [server.connect() for server in servers]
    yield connections[0], connections[1]
    for connection in connections:
        connection.close()
    for server in servers:
        server.stop()


def words(line: str) -> list[bytes]:
    return [b"" if word == "_" else word.replace(",", " ").replace("@", "\n").encode() for word in line.split()]


def plain(node: Node) -> Node:
    """*node* without what differs from node to node."""
    kind, value = node
    if isinstance(value, list):
        return kind, [plain(item) for item in value]
    if isinstance(value, bytes):
        return kind, b"PORT" if value.isdigit() and int(value) > 16384 else VARYING.sub(b"X", value)
    return node


def compare(nodes: tuple[Connection, Connection], lines: list[str]) -> None:
    for line in lines:
        real, ours = (plain(connection.call(*words(line))) for connection in nodes)
        if line.startswith("HELLO"):
            real[1][7] = ours[1][7] = None  # the client's id
        assert real == ours, f"{line}\nreal: {show(real)}\nours: {show(ours)}"


def test_replies(nodes: tuple[Connection, Connection]) -> None:
    compare(nodes, PREPARING)
    for connection in nodes:
        assert until(lambda connection=connection: connection.call(b"SET", b"a", b"1") == (b"+", b"OK"))
    compare(nodes, SERVING)
