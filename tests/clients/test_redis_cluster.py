"""redis-py's cluster client: it finds the nodes by CLUSTER SLOTS, follows MOVED and ASK, and reads from replicas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.cluster import ClusterNode, LoadBalancingStrategy, RedisCluster
from redis.exceptions import RedisClusterException, ResponseError

from tests.compat.clusters import Cluster, ours
from tests.waiting import until


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    """Three masters, and a replica of the first."""
    with ours(3, 1, "--repl-diskless-sync-delay", "0") as cluster:
        yield cluster


@pytest.fixture
def client(nodes: Cluster) -> Iterator[RedisCluster]:
    host, port = nodes.nodes[0].address
    client = RedisCluster(host=host, port=port, decode_responses=True)
    yield client
    client.close()


def test_keys_go_where_they_belong(nodes: Cluster, client: RedisCluster) -> None:
    for n in range(200):
        assert client.set(f"key{n}", n)
    assert [client.get(f"key{n}") for n in range(200)] == [str(n) for n in range(200)]
    assert client.mget_nonatomic([f"key{n}" for n in range(20)]) == [str(n) for n in range(20)]
    sizes = [nodes.call(number, "DBSIZE") for number in range(3)]
    assert sum(int(size) for size in sizes if isinstance(size, bytes)) == 200
    assert b"0" not in sizes
    assert client.dbsize(target_nodes=RedisCluster.PRIMARIES) == 200


def test_a_pipeline_is_split_by_node(client: RedisCluster) -> None:
    pipeline = client.pipeline()
    for n in range(50):
        pipeline.incr(f"counter{n}")
    assert pipeline.execute() == [1] * 50


def test_keys_of_one_request_hash_to_one_slot(client: RedisCluster) -> None:
    assert client.mset({"{tag}a": 1, "{tag}b": 2})
    assert client.mget("{tag}a", "{tag}b") == ["1", "2"]
    with pytest.raises(RedisClusterException):
        client.mset({"a": 1, "b": 2})
    assert client.eval("return redis.call('GET', KEYS[1]) + redis.call('GET', KEYS[2])", 2, "{tag}a", "{tag}b") == 3
    with pytest.raises(ResponseError, match=r"do not hash to the same slot|non local key"):
        client.eval("#!lua\nreturn redis.call('GET', 'other')", 1, "{tag}a")


def test_replicas_serve_reads(nodes: Cluster, client: RedisCluster) -> None:
    key = next(f"read{n}" for n in range(1000) if client.get_node_from_key(f"read{n}").port == nodes.nodes[0].port)
    client.set(key, "v")
    assert client.wait(1, 5000, target_nodes=client.get_node_from_key(key)) == 1
    host, port = nodes.nodes[1].address
    assert until(lambda: nodes.name(3) in repr(nodes.call(1, "CLUSTER", "SLOTS")))
    reader = RedisCluster(
        host=host, port=port, decode_responses=True, load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN
    )
    try:
        assert {reader.get(key) for _ in range(10)} == {"v"}
    finally:
        reader.close()
    assert b"cmdstat_get:calls=" in _stats(nodes, 3)


def _stats(nodes: Cluster, number: int) -> bytes:
    text = nodes.call(number, "INFO", "commandstats")
    assert isinstance(text, bytes)
    return text


def test_messages_reach_subscribers_on_any_node(nodes: Cluster, client: RedisCluster) -> None:
    subscriber = client.pubsub(node=_node(nodes, 1))
    subscriber.subscribe("news")
    assert until(lambda: subscriber.get_message(timeout=1))
    client.publish("news", "hello", target_nodes=_node(nodes, 2))  # type: ignore[no-untyped-call]
    messages: list[object] = []

    def came() -> bool:
        message = subscriber.get_message(timeout=1)
        if message:
            messages.append(message["data"])
        return "hello" in messages

    assert until(came)
    subscriber.close()


def test_shard_channels_live_where_their_slot_is(nodes: Cluster, client: RedisCluster) -> None:
    subscriber = client.pubsub()
    subscriber.ssubscribe("orders")
    owner = client.get_node_from_key("orders")
    assert until(lambda: client.pubsub_shardnumsub("orders", target_nodes=owner) == [("orders", 1)])
    assert client.spublish("orders", "one") == 1
    assert until(lambda: (subscriber.get_sharded_message() or {}).get("data") == "one")
    subscriber.close()


def test_a_slot_moves_under_a_client(nodes: Cluster, client: RedisCluster) -> None:
    """Half of its keys have gone: what is there is served there, with ASK; afterwards MOVED teaches the client."""
    slot = client.keyslot("{moving}")
    keys = [f"{{moving}}{n}" for n in range(20)]
    for key in keys:
        client.set(key, key)
    source = next(n for n in range(3) if nodes.nodes[n].port == client.get_node_from_key("{moving}").port)
    target = (source + 1) % 3
    host, port = nodes.nodes[target].address
    nodes.call(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", nodes.name(source))
    nodes.call(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", nodes.name(target))
    nodes.call(source, "MIGRATE", host, port, "", 0, 5000, "KEYS", *keys[:10])
    assert [client.get(key) for key in keys] == keys
    client.set("{moving}new", "v")
    assert nodes.call(target, "CLUSTER", "COUNTKEYSINSLOT", slot) == b"11"
    nodes.call(source, "MIGRATE", host, port, "", 0, 5000, "KEYS", *keys[10:])
    for number in (target, source, 3 - source - target):
        nodes.call(number, "CLUSTER", "SETSLOT", slot, "NODE", nodes.name(target))
    assert [client.get(key) for key in keys] == keys
    assert nodes.call(target, "CLUSTER", "COUNTKEYSINSLOT", slot) == b"21"
    assert client.get_node_from_key("{moving}").port == port


def _node(nodes: Cluster, number: int) -> ClusterNode:
    return ClusterNode(*nodes.nodes[number].address)
