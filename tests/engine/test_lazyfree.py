"""Freeing large values a slice at a time."""

from __future__ import annotations

import pytest

MANY = 3000


FILLINGS = {
    "set": lambda send: send("SADD", "k", *(f"m{n}" for n in range(MANY))),
    "hash": lambda send: send("HSET", "k", *(f"m{n}" for n in range(MANY * 2))),
    "zset": lambda send: send("ZADD", "k", *(word for n in range(MANY) for word in (n, f"m{n}"))),
    "list": lambda send: send("RPUSH", "k", *("e" * 300 for n in range(MANY))),
    "stream": lambda send: [send("XADD", "k", "*", "f", n) for n in range(MANY * 3)],
}


def pending(send):
    info = send("INFO", "memory")
    return int(info.split(b"lazyfree_pending_objects:")[1].split(b"\r")[0])


def freed(send):
    info = send("INFO", "memory")
    return int(info.split(b"lazyfreed_objects:")[1].split(b"\r")[0])


@pytest.mark.parametrize("kind", FILLINGS)
def test_unlink_frees_in_slices(send, server, kind):
    server.config.stream_node_max_entries = server.thresholds.stream_node_max_entries = 10
    FILLINGS[kind](send)
    if kind == "set":
        send("SRANDMEMBER", "k", 5)
    assert send("UNLINK", "k") == b":1\r\n"
    assert send("EXISTS", "k") == b":0\r\n"
    assert pending(send) == 1
    turns = 0
    value = server.lazy_free._queue[0][0]
    while pending(send):
        server.lazy_free.run(-1)
        turns += 1
        assert turns < 5000
    assert turns > 3
    assert freed(send) == 1
    assert not server.lazy_free._stack
    if hasattr(value, "__len__") and kind in ("set", "hash", "zset"):
        assert len(value) == 0


def test_timers_do_the_slices(send, advance):
    FILLINGS["set"](send)
    send("UNLINK", "k")
    for _ in range(100):
        advance(0.01)
    assert (pending(send), freed(send)) == (0, 1)


@pytest.mark.parametrize(
    ("directive", "command"),
    [
        ("lazyfree-lazy-user-del", ("DEL", "k")),
        ("lazyfree-lazy-expire", ("PEXPIREAT", "k", 1)),
        ("lazyfree-lazy-server-del", ("SET", "k", "v")),
        ("lazyfree-lazy-server-del", ("RENAME", "other", "k")),
        ("lazyfree-lazy-server-del", ("SUNIONSTORE", "k", "other")),
        ("lazyfree-lazy-server-del", ("SINTERSTORE", "k", "nothing")),
        ("lazyfree-lazy-user-flush", ("FLUSHDB",)),
    ],
)
def test_directives(send, directive, command):
    for value, expected in (("no", False), ("yes", True)):
        send("FLUSHALL", "SYNC")
        send("SADD", "other", "a")
        send("CONFIG", "SET", directive, value)
        FILLINGS["set"](send)
        for number in range(100 if command[0] == "FLUSHDB" else 0):
            send("SET", f"s{number}", "v")
        send(*command)
        assert bool(pending(send)) is expected


def test_small_values_are_freed_at_once(send):
    send("SADD", "k", *range(60))
    send("RPUSH", "l", *range(1000))
    send("SET", "s", "v" * 100_000)
    send("UNLINK", "k", "l", "s")
    assert pending(send) == 0


def test_flushall_async_counts_keys(send, server, advance):
    for number in range(200):
        send("SADD", f"k{number}", *range(10))
    send("FLUSHALL", "ASYNC")
    assert pending(send) == 200
    assert send("DBSIZE") == b":0\r\n"
    server.lazy_free.run(1 << 62)
    assert (pending(send), freed(send)) == (0, 200)


def test_storing_the_same_value_again_frees_nothing(send, server):
    FILLINGS["set"](send)
    send("CONFIG", "SET", "lazyfree-lazy-server-del", "yes")
    db = server.databases[0]
    db.store(b"k", db.data[b"k"])
    assert pending(send) == 0
    assert send("SCARD", "k") == b":%d\r\n" % MANY
