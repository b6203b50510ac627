"""Keys by slot: counted when somebody asks, and followed from then on."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pyredis.cluster.keys import KeyIndex
from pyredis.cluster.slots import bitmap_of, key_slot
from pyredis.engine.server import Server
from tests.conftest import Peer

pytestmark = pytest.mark.usefixtures("whole")


def naive(server: Server, slot: int) -> set[bytes]:
    return {key for key in server.databases[0].data if key_slot(key) == slot}


def test_counting_and_listing(send: Peer) -> None:
    slot = send("CLUSTER", "KEYSLOT", "{t}")[1:-2]
    for name in ("{t}1", "{t}2", "{t}3"):
        send("SET", name, "v")
    send("SET", "elsewhere", "v")
    assert send("CLUSTER", "COUNTKEYSINSLOT", slot) == b":3\r\n"
    assert send("CLUSTER", "GETKEYSINSLOT", slot, 2) == b"*2\r\n$4\r\n{t}3\r\n$4\r\n{t}2\r\n"
    assert send("CLUSTER", "GETKEYSINSLOT", slot, 0) == b"*0\r\n"
    send("DEL", "{t}3")
    send("SET", "{t}1", "w")
    send("SET", "{t}4", "v")
    assert send("CLUSTER", "GETKEYSINSLOT", slot, 10) == b"*3\r\n$4\r\n{t}4\r\n$4\r\n{t}2\r\n$4\r\n{t}1\r\n"


def test_the_index_follows_whatever_happens(server: Server, send: Peer, advance: Callable[[float], None]) -> None:
    index: KeyIndex = server.cluster.keys
    rng = random.Random(7)
    tags = [b"{%d}" % n for n in range(4)]
    for step in range(600):
        tag = rng.choice(tags)
        key, target = tag + b"%d" % rng.randrange(6), tag + b"%d" % rng.randrange(6)
        command: list[str | bytes | int] = rng.choice([
            ["SET", key, "v"], ["DEL", key], ["RENAME", key, target], ["RPUSH", b"l" + key, "v"], ["LPOP", b"l" + key],
            ["SET", key, "v", "PX", "5"], ["COPY", key, target], ["GETDEL", key], ["SUNIONSTORE", key, target],
        ])  # fmt: skip
        send(*command)
        if step % 50 == 0:
            advance(0.01)
        if step == 300:
            send("FLUSHALL")
        slot = key_slot(tag)
        assert set(index.some(slot, 100)) == naive(server, slot), (step, command)
        assert index.count(slot) == len(naive(server, slot))


def test_keys_that_no_observer_saw_are_found(server: Server, send: Peer) -> None:
    index: KeyIndex = server.cluster.keys
    assert index.count(key_slot(b"k")) == 0
    server.databases[0].data[b"k"] = b"v"  # as a load does
    assert index.some(key_slot(b"k"), 10) == [b"k"]
    send("FLUSHALL")
    assert index.count(key_slot(b"k")) == 0


def test_used_slots(server: Server, send: Peer) -> None:
    for key in ("a", "b", "{a}2"):
        send("SET", key, "v")
    assert server.cluster.keys.used_slots() == bitmap_of([key_slot(b"a"), key_slot(b"b")])


def test_nothing_observes_writes_until_somebody_asks_nor_a_minute_later(
    server: Server, advance: Callable[[float], None]
) -> None:
    index: KeyIndex = server.cluster.keys
    assert server.observers == []
    index.count(0)
    assert len(server.observers) == 1
    advance(59)
    index.forget()
    assert len(server.observers) == 1
    advance(2)
    index.forget()
    assert server.observers == []


def test_deleting_a_slot_goes_to_aof_and_replicas(
    server: Server, send: Peer, propagated: list[list[bytes]], connect: Callable[[], Peer]
) -> None:
    send("SET", "{t}1", "v")
    send("SET", "{t}2", "v")
    send("SET", "other", "v")
    watcher = connect()
    watcher("WATCH", "{t}1")
    del propagated[:]
    server.cluster.delete_keys(key_slot(b"t"))
    assert propagated == [[b"DEL", b"{t}2"], [b"DEL", b"{t}1"]]
    assert send("DBSIZE") == b":1\r\n"
    watcher("MULTI")
    assert watcher("EXEC") == b"*-1\r\n"


def test_questions_about_slots_are_checked(send: Peer) -> None:
    assert send("CLUSTER", "COUNTKEYSINSLOT", "16384") == b"-ERR Invalid slot\r\n"
    assert send("CLUSTER", "COUNTKEYSINSLOT", "x") == b"-ERR value is not an integer or out of range\r\n"
    assert send("CLUSTER", "GETKEYSINSLOT", "0", "-1") == b"-ERR Invalid slot or number of keys\r\n"
    assert send("CLUSTER", "GETKEYSINSLOT", "-1", "1") == b"-ERR Invalid slot or number of keys\r\n"


# --- shard channels -------------------------------------------------------------------------------


def test_channels_of_a_slot_that_goes_are_closed(server: Server, send: Peer, connect: Callable[[], Peer]) -> None:
    send("SSUBSCRIBE", "{t}1", "{t}2")
    third = connect()
    third("HELLO", "3")
    third("SSUBSCRIBE", "other")
    third.take()
    connect()("CLUSTER", "DELSLOTS", key_slot(b"t"))
    assert send.take() == (
        b"*3\r\n$12\r\nsunsubscribe\r\n$4\r\n{t}1\r\n:1\r\n*3\r\n$12\r\nsunsubscribe\r\n$4\r\n{t}2\r\n:0\r\n"
    )
    assert third.take() == b""
    connect()("CLUSTER", "DELSLOTS", key_slot(b"other"))
    assert third.take() == b">3\r\n$12\r\nsunsubscribe\r\n$5\r\nother\r\n:0\r\n"
    assert server.pubsub.shard_channels == {}
