"""The active expire cycle, on a clock that every look moves forward."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from pyredis.keyspace.expiry import active_cycle
from pyredis.util.clock import ManualClock
from tests.conftest import Peer

Advance = Callable[[float], None]


class TickingClock(ManualClock):
    """Moves by *step_ns* whenever somebody reads the monotonic time."""

    def __init__(self) -> None:
        super().__init__()
        self.step_ns = 0
        self.monotonic_ns = self._tick

    def _tick(self) -> int:
        self.advance(ns=self.step_ns)
        return self._read_monotonic()


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


def fill(server: Server, count: int, lifetime_ms: int, index: int = 0) -> None:
    db = server.databases[index]
    for n in range(count):
        key = b"%d:%d" % (lifetime_ms, n)
        db.add(key, b"v")
        db.expire_at(key, server.now_ms + lifetime_ms)


def test_everything_past_its_time_goes(server: Server, clock: TickingClock) -> None:
    fill(server, 1000, 10)
    fill(server, 50, 60_000)
    clock.advance(ms=11)
    active_cycle(server, False)
    assert server.expired_keys > 900
    for _ in range(20):
        active_cycle(server, False)
    assert server.expired_keys == 1000
    assert len(server.databases[0].data) == len(server.databases[0].expires) == 50
    assert server.expire_cycle.time_cap_reached == 0


def test_a_key_lives_through_its_last_millisecond(server: Server, clock: TickingClock) -> None:
    fill(server, 3, 10)
    clock.advance(ms=10)
    active_cycle(server, False)
    assert server.expired_keys == 0


def test_where_little_is_stale_each_key_has_its_turn_all_the_same(server: Server, clock: TickingClock) -> None:
    fill(server, 3000, 60_000)
    fill(server, 100, 1)
    clock.advance(ms=2)
    active_cycle(server, False)
    assert 20 <= server.expired_keys < 40  # those next in turn, and random ones until these are mostly alive
    for _ in range(3100 // 20 + 1):
        active_cycle(server, False)
    assert server.expired_keys == 100


def test_the_time_limit(server: Server, clock: TickingClock) -> None:
    fill(server, 5000, 1)
    clock.advance(ms=2)
    clock.step_ns = 30_000_000  # each look takes longer than the 25 ms of a slow cycle at 10 Hz
    active_cycle(server, False)
    assert server.expired_keys == 20 + 16 * 20
    assert server.expire_cycle.time_cap_reached == 1
    assert server.expire_cycle.time_used_ns == 60_000_000
    assert server.expire_cycle.timed_out


def test_the_fast_cycle_runs_only_after_a_timeout_and_not_too_often(server: Server, clock: TickingClock) -> None:
    fill(server, 5000, 1)
    clock.advance(ms=2)
    active_cycle(server, True)
    assert server.expired_keys == 0
    clock.step_ns = 30_000_000
    active_cycle(server, False)
    clock.step_ns = 600_000
    active_cycle(server, True)
    first = server.expired_keys
    assert 340 < first <= 340 + 20 + 2 * 320  # a look every 16 loops, 1 ms at most
    clock.step_ns = 0
    active_cycle(server, True)
    assert server.expired_keys == first
    clock.advance(ms=2)
    active_cycle(server, True)
    assert server.expired_keys > first


def test_effort(server: Server, clock: TickingClock) -> None:
    server.config.active_expire_effort = 10
    fill(server, 5000, 1)
    clock.advance(ms=2)
    clock.step_ns = 30_000_000
    active_cycle(server, False)
    # 65 keys a loop, and 43 ms.
    assert server.expired_keys == 65 + 2 * 16 * 65


def test_all_databases_get_their_turn(server: Server, clock: TickingClock) -> None:
    for index in range(16):
        fill(server, 30, 1, index)
    clock.advance(ms=2)
    active_cycle(server, False)
    assert server.expired_keys == 16 * 30


def test_a_replica_waits_for_its_leader(server: Server, clock: TickingClock) -> None:
    fill(server, 30, 1)
    clock.advance(ms=2)
    server.keeps_expired = True
    active_cycle(server, False)
    assert server.expired_keys == 0


def test_a_replica_expires_what_it_wrote_itself(send: Peer, server: Server, clock: TickingClock) -> None:
    fill(server, 30, 1)
    server.keeps_expired = True
    server.config.replica_read_only = False
    send("MSET", "a", 1, "b", 2)
    send("PEXPIRE", "a", 1)
    send("PEXPIRE", "b", 1000)
    send("SELECT", 3)
    send("SET", "a", 1, "PX", 1)
    assert server.expire_cycle.own == {b"a": 0b1001, b"b": 0b1}
    clock.advance(ms=2)
    server.now = clock.time_ns()
    active_cycle(server, True)
    assert server.expired_keys == 0
    active_cycle(server, False)
    assert server.expired_keys == 2
    assert server.expire_cycle.own == {b"b": 0b1}
    send("FLUSHALL")
    assert server.expire_cycle.own == {}


def test_writing_to_an_expired_key_of_a_replica(send: Peer, server: Server, clock: TickingClock) -> None:
    for key in (b"a", b"b", b"c", b"d"):
        server.databases[0].add(key, b"5")
        server.databases[0].expire_at(key, server.now_ms + 1)
    clock.advance(ms=2)
    server.keeps_expired = True
    server.config.replica_read_only = False
    assert send("GET", "a") == b"$-1\r\n"
    assert server.expired_keys == 0
    assert send("INCR", "a") == b":1\r\n"
    assert send("SET", "b", "v", "KEEPTTL") == b"+OK\r\n"
    assert send("SETNX", "c", "v") == b":1\r\n"
    assert send("APPEND", "d", "v") == b":1\r\n"
    assert server.expired_keys == 4
    assert server.databases[0].expires == {}
    assert send("MGET", "a", "b") == b"*2\r\n$1\r\n1\r\n$1\r\nv\r\n"


def test_nothing_is_deleted_while_expiry_is_paused(send: Peer, server: Server, clock: TickingClock) -> None:
    send("SET", "k", "v", "PX", 1)
    clock.advance(ms=2)
    server.expires_paused = True
    assert send("GET", "k") == b"$-1\r\n"
    assert send("RANDOMKEY") == b"$1\r\nk\r\n"
    assert send("SETNX", "k", "w") == b":1\r\n"
    assert server.expired_keys == 0


def test_estimates(server: Server, clock: TickingClock) -> None:
    fill(server, 100, 100_000)
    active_cycle(server, False)
    assert server.databases[0].average_ttl == 100_000
    assert server.expire_cycle.stale_fraction == 0
    clock.advance(ms=50_000)
    active_cycle(server, False)
    assert server.databases[0].average_ttl == 99_000
    clock.advance(ms=50_001)
    active_cycle(server, False)
    assert server.expire_cycle.stale_fraction == pytest.approx(0.05)
    active_cycle(server, False)
    assert server.databases[0].average_ttl == 0
    assert server.expire_cycle.stale_fraction == pytest.approx(0.05 * 0.95)


def test_the_cron_expires_and_propagates_each_key_by_itself(
    send: Peer, server: Server, propagated: list[list[bytes]], advance: Advance
) -> None:
    send("MSET", "a", 1, "b", 2)
    send("PEXPIRE", "a", 1)
    send("PEXPIRE", "b", 1)
    propagated.clear()
    advance(0.002)
    server.cron.turn()
    assert server.databases[0].data == {}
    assert sorted(propagated) == [[b"DEL", b"a"], [b"DEL", b"b"]]


def test_the_fast_cycle_runs_only_while_the_slow_one_is_behind(server, send, clock, monkeypatch):
    plain = clock.monotonic_ns

    def hurried():
        clock.advance(seconds=0.005)
        return plain()

    for number in range(5000):
        send("SET", f"k{number}", "v", "PX", 10)
    clock.advance(seconds=1)
    monkeypatch.setattr(clock, "monotonic_ns", hurried)
    server.cron.turn()
    left = len(server.databases[0].data)
    assert server.expire_cycle.timed_out
    assert server.expire_more in server.before_sleep
    send("PING")
    assert 0 < len(server.databases[0].data) < left
    monkeypatch.setattr(clock, "monotonic_ns", plain)
    server.cron.turn()
    assert send("DBSIZE") == b":0\r\n"
    assert server.expire_more not in server.before_sleep
