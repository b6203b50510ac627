"""Idle times and frequencies of keys: when they are kept, and what counts as a use."""

from __future__ import annotations

import pytest

from pyredis.keyspace.access import Frequency


def idle(send, key="k"):
    return int(send("OBJECT", "IDLETIME", key)[1:])


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "volatile-ttl"])
def test_idle_time_counts_from_the_last_use(send, advance, policy):
    send("CONFIG", "SET", "maxmemory-policy", policy)
    send("SET", "k", "v")
    advance(10)
    assert idle(send) == 10
    send("GET", "k")
    assert idle(send) == 0
    advance(5)
    send("APPEND", "k", "x")
    advance(2)
    assert idle(send) == 2


@pytest.mark.parametrize(
    "command",
    [("EXISTS", "k"), ("TYPE", "k"), ("TTL", "k"), ("OBJECT", "ENCODING", "k"), ("MEMORY", "USAGE", "k"), ("GET", "x")],
)
def test_looking_is_no_use(send, advance, command):
    send("SET", "k", "v")
    advance(7)
    send(*command)
    assert idle(send) == 7


def test_every_key_of_a_command_is_used(send, advance):
    send("MSET", "a", "1", "b", "2", "c", "3")
    advance(9)
    send("MGET", "a", "b")
    assert [idle(send, key) for key in "abc"] == [0, 0, 9]


def test_use_in_scripts_and_transactions(send, advance):
    send("MSET", "a", "1", "b", "2")
    advance(9)
    send("EVAL", "return redis.call('get', KEYS[1])", 1, "a")
    send("MULTI")
    send("GET", "b")
    send("EXEC")
    assert [idle(send, key) for key in "ab"] == [0, 0]


def test_no_touch_leaves_access_times_but_touch_does_not(send, advance):
    send("SET", "k", "v")
    send("CLIENT", "NO-TOUCH", "ON")
    advance(30)
    send("GET", "k")
    send("MGET", "k")
    assert idle(send) == 30
    send("TOUCH", "k")
    assert idle(send) == 0
    send("CLIENT", "NO-TOUCH", "OFF")
    advance(3)
    send("GET", "k")
    assert idle(send) == 0


def test_restore_sets_the_idle_time_it_was_given(send, advance):
    send("SET", "k", "v")
    payload = send("DUMP", "k").split(b"\r\n", 1)[1][:-2]
    send("DEL", "k")
    send("RESTORE", "k", 0, payload, "IDLETIME", 1000)
    assert idle(send) == 1000
    send("GET", "k")
    assert idle(send) == 0


def test_a_key_made_anew_is_young(send, advance):
    send("SET", "k", "v")
    advance(10)
    send("DEL", "k")
    send("SET", "k", "v")
    assert idle(send) == 0


def test_frequency_starts_at_five_and_grows(send, server):
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    send("SET", "k", "v")
    assert send("OBJECT", "FREQ", "k") == b":5\r\n"
    send("CONFIG", "SET", "lfu-log-factor", 0)
    for _ in range(300):
        send("GET", "k")
    assert send("OBJECT", "FREQ", "k") == b":255\r\n"


def test_frequency_decays_by_one_per_period(send, advance):
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "lfu-log-factor", 0, "lfu-decay-time", 2)
    send("SET", "k", "v")
    for _ in range(15):
        send("GET", "k")
    assert send("OBJECT", "FREQ", "k") == b":20\r\n"
    advance(8 * 60)
    assert send("OBJECT", "FREQ", "k") == b":16\r\n"
    send("CONFIG", "SET", "lfu-decay-time", 0)
    assert send("OBJECT", "FREQ", "k") == b":20\r\n"


def test_the_counter_is_logarithmic(server):
    tracker = Frequency(server)
    db = server.databases[0]
    db.data[b"k"] = b"v"
    server.config.lfu_log_factor = 10
    for _ in range(1000):
        tracker.touch(db, b"k")
    assert 12 <= tracker.frequency(db, b"k") <= 25  # 18 in redis.conf's table


def test_frequency_and_idle_time_exclude_each_other(send):
    send("SET", "k", "v")
    assert send("OBJECT", "FREQ", "k").startswith(b"-ERR An LFU maxmemory policy is not selected")
    send("CONFIG", "SET", "maxmemory-policy", "volatile-lfu")
    assert send("OBJECT", "IDLETIME", "k").startswith(b"-ERR An LFU maxmemory policy is selected")


def test_handlers_are_bare_while_a_busy_server_is_not_asked(server, send):
    get = server.commands[b"get"]
    assert server.accesses.tracker is not None
    tracked = get.handler
    server.stats.commands_processed += 100_000
    server.accesses.turn(server)
    assert server.accesses.tracker is None
    assert get.handler is not tracked
    assert get.handler.__module__ == "pyredis.commands.strings"
    send("SET", "k", "v")
    assert server.databases[0].access == {}
    for _ in range(200):
        server.accesses.turn(server)
    assert server.accesses.tracker is not None


def test_a_busy_server_keeps_idle_times_once_asked(server, send, advance):
    send("SET", "k", "v")
    send("OBJECT", "IDLETIME", "k")
    server.stats.commands_processed += 100_000
    server.accesses.turn(server)
    advance(4)
    assert idle(send) == 4


def test_many_keys_nobody_asks_for_are_let_go(server, send):
    db = server.databases[0]
    db.access.update((b"%d" % number, 0) for number in range(60_000))
    server.accesses.turn(server)
    assert db.access == {}


def test_swapped_and_moved_databases_keep_their_access_times(send, advance):
    send("SET", "k", "v")
    send("OBJECT", "IDLETIME", "k")
    advance(6)
    send("SWAPDB", 0, 1)
    send("SELECT", 1)
    assert idle(send) == 6
