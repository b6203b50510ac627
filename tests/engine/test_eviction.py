"""maxmemory and its policies."""

from __future__ import annotations

import pytest

VALUE = "v" * 1000
POLICIES = ["lru", "lfu", "random"]


def limit_to(send, server, keys):
    """Room for *keys* more of about a kilobyte; what clients hold does not count."""
    for client in list(server.clients.values()):
        server.make_room.__self__.memory.clients.forget(client)
    server.clients.clear()
    send("CONFIG", "SET", "maxmemory", server.used_memory() + keys * 1150)


def fill(send, start, stop, *options):
    for number in range(start, stop):
        assert send("SET", f"k{number:05}", VALUE, *options) == b"+OK\r\n"


def present(server):
    return {int(key[1:]) for key in server.databases[0].data if key.startswith(b"k")}


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-ttl", "volatile-lru"])
def test_the_limit_is_kept(server, send, policy):
    send("CONFIG", "SET", "maxmemory-policy", policy)
    limit_to(send, server, 50)
    fill(send, 0, 300, "EX", 1000)
    assert server.used_memory() <= server.config.maxmemory + 1200  # what the last write added
    assert 30 <= len(present(server)) <= 55
    assert server.evicted_keys == 300 - len(present(server))
    server.databases[0].data._check()


def test_lru_keeps_what_is_used(server, send, advance):
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory-samples", 10)
    limit_to(send, server, 100)
    fill(send, 0, 90)
    advance(10)
    for number in range(20):
        send("GET", f"k{number:05}")
    advance(10)
    fill(send, 90, 150)
    assert len(present(server) & set(range(20))) >= 18
    assert len(present(server) & set(range(90, 150))) >= 55


def test_lfu_keeps_what_is_used_often(server, send):
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "maxmemory-samples", 10, "lfu-log-factor", 1)
    limit_to(send, server, 100)
    fill(send, 0, 90)
    for _ in range(30):
        for number in range(20):
            send("GET", f"k{number:05}")
    fill(send, 90, 300)
    assert present(server) >= set(range(20))


def test_the_nearest_expiry_goes_first(server, send):
    send("CONFIG", "SET", "maxmemory-policy", "volatile-ttl", "maxmemory-samples", 64)
    limit_to(send, server, 60)
    for number in range(50):
        send("SET", f"k{number:05}", VALUE, "EX", 1000 + number)
    fill(send, 50, 80)
    gone = 80 - len(present(server))
    assert gone > 10
    assert max(set(range(80)) - present(server)) <= gone + 8  # the pool holds 16
    assert present(server) >= set(range(50, 80))


def test_a_policy_without_access_times_does_without_the_tracker(server, send):
    send("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
    server.stats.commands_processed += 100_000
    server.accesses.turn(server)
    assert server.accesses.tracker is None
    limit_to(send, server, 20)
    fill(send, 0, 60, "EX", 1000)
    assert server.evicted_keys > 30
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    fill(send, 60, 100)
    assert len(present(server)) < 30


@pytest.mark.parametrize("kind", POLICIES)
def test_only_volatile_keys_go(server, send, kind):
    send("CONFIG", "SET", "maxmemory-policy", f"volatile-{kind}")
    limit_to(send, server, 60)
    fill(send, 0, 20)
    fill(send, 20, 120, "EX", 1000)
    assert present(server) >= set(range(20))
    assert server.evicted_keys > 40


def test_writes_are_refused_when_nothing_may_go(server, send):
    limit_to(send, server, 6)
    fill(send, 0, 5)
    while send("SET", "more", VALUE * 3) == b"+OK\r\n":
        assert send("APPEND", "k00000", VALUE).startswith((b":", b"-OOM"))
    assert send("SET", "x", "y") == b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    assert send("GET", "k00000").startswith(b"$")
    assert send("DEL", "more", "k00000", "k00001") == b":3\r\n"
    assert send("SET", "x", "y") == b"+OK\r\n"


def test_evicted_keys_are_propagated_and_announced(server, send, connect, propagated):
    listener = connect()
    listener("PSUBSCRIBE", "__keyevent*")
    send("CONFIG", "SET", "notify-keyspace-events", "Ee", "maxmemory-policy", "allkeys-random")
    fill(send, 0, 10)
    limit_to(send, server, 0)
    send("SET", "k00010", VALUE)
    send("CONFIG", "SET", "lazyfree-lazy-eviction", "yes")
    assert [argv[0] for argv in propagated[10:]] == [b"SET", b"DEL"]
    del propagated[:]
    fill(send, 11, 14)
    assert next(argv[0] for argv in propagated if argv[0] != b"SET") == b"UNLINK"
    assert b"__keyevent@0__:evicted" in listener.take()


def test_setting_the_limit_evicts_after_the_command(server, send, advance):
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory-eviction-tenacity", 100)
    fill(send, 0, 100)
    send("CONFIG", "SET", "maxmemory", server.used_memory() - 50_000)
    assert len(present(server)) == 100
    advance(0.001)
    assert 40 <= len(present(server)) <= 60


def test_policies_can_change_at_run_time(server, send):
    limit_to(send, server, 30)
    for policy in ("allkeys-lru", "allkeys-lfu", "volatile-ttl", "allkeys-random", "allkeys-lfu"):
        send("CONFIG", "SET", "maxmemory-policy", policy)
        fill(send, 0, 60, "EX", 100)
        assert server.used_memory() <= server.config.maxmemory + 1200


def test_patience_is_that_of_redis(server):
    eviction = server.make_room.__self__
    expected = {0: 0, 1: 50_000, 10: 500_000, 20: 2_022_778, 100: 1 << 62}
    for tenacity, nanoseconds in expected.items():
        server.config.maxmemory_eviction_tenacity = tenacity
        assert eviction._patience() == nanoseconds


def test_a_replica_leaves_eviction_to_its_leader(server, send):
    send("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    fill(send, 0, 10)
    limit_to(send, server, 0)
    server.keeps_expired = True
    fill(send, 10, 20)
    assert len(present(server)) == 20
    send("CONFIG", "SET", "replica-ignore-maxmemory", "no")
    assert send("SET", "x", "y").startswith(b"-OOM")


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random"])
def test_keys_that_are_not_volatile_any_more_stay(server, send, policy):
    send("CONFIG", "SET", "maxmemory-policy", policy)
    limit_to(send, server, 100)
    fill(send, 0, 105, "EX", 1000)
    # The first one may make room, of a key that is still volatile.
    kept = [number for number in sorted(present(server))[::3] if send("PERSIST", f"k{number:05}") == b":1\r\n"]
    assert len(kept) > 25
    fill(send, 200, 350, "EX", 1000)
    assert present(server) >= set(kept)
    assert server.evicted_keys > 100


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu"])
def test_candidates_are_ranked_by_what_is_known_of_them(server, send, advance, policy):
    send("SET", "before", VALUE)
    server.databases[0].access.clear()
    send("CONFIG", "SET", "maxmemory-policy", policy, "lfu-log-factor", 0, "lfu-decay-time", 1)
    server.databases[0].access.clear()
    db, ranks = server.databases[0], server.accesses.tracker.ranks
    advance(120)
    send("SET", "old", VALUE)
    advance(120)
    for _ in range(8):
        send("SET", "new", VALUE)
    never, before, old, new = ranks(db, [b"never there", b"before", b"old", b"new"], db.data)
    assert never is None
    assert before >= old > new
    assert [server.idle_ms(db, key) for key in (b"before", b"old")] == (
        [240_000, 120_000] if "lru" in policy else [0, 0]
    )
