"""The active side of expiry: looks for keys past their time that nobody asks for (expire.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .database import Database
    from .keyspace import Keyspace

KEYS_PER_LOOP: Final = 20
FAST_DURATION: Final = 1_000_000  # ns
SLOW_TIME_PERCENT: Final = 25  # of a turn of the cron
ACCEPTABLE_STALE: Final = 10  # percent of expired keys among those looked at
DATABASES_PER_CALL: Final = 16
LOOPS_PER_LOOK: Final = 16
"""How many loops pass between two looks at the clock."""
OWN_ALIVE: Final = 3
OWN_PER_LOOK: Final = 64
OWN_DURATION: Final = 1_000_000  # ns


class ExpireCycle:
    """Where the cycle stands, and its statistics for INFO."""

    __slots__ = (
        "cursors",
        "last_fast",
        "next_db",
        "own",
        "stale_fraction",
        "time_cap_reached",
        "time_used_ns",
        "timed_out",
    )

    def __init__(self, databases: int) -> None:
        self.cursors = [0] * databases
        self.next_db = 0
        self.timed_out = False  # the previous cycle ran out of time
        self.last_fast = -(1 << 62)
        self.stale_fraction = 0.0
        """Estimate of the expired keys among all with an expiry (stat_expired_stale_perc)."""
        self.time_cap_reached = 0
        self.time_used_ns = 0
        self.own: dict[bytes, int] = {}
        """On a replica: keys that got their expiry here, and a bit for each database they did so in."""


def active_cycle(server: Keyspace, fast: bool) -> None:
    """Delete some keys whose time has come (activeExpireCycle).

    The slow cycle belongs into every turn of the cron and takes at most a quarter of its period; the fast
    one before every wait for input, takes a millisecond at most, and only after a cycle that ran out of
    time.  ``active-expire-effort`` raises these limits.  What the deletions set going (their propagation,
    one by one and not as a transaction) is the caller's business.  A replica waits for what its leader
    deletes, and looks after the keys alone that it gave an expiry itself.
    """
    cycle = server.expire_cycle
    if server.keeps_expired:
        if cycle.own and not fast:
            _expire_own(server)
        return
    effort = server.config.active_expire_effort - 1
    acceptable = ACCEPTABLE_STALE - effort
    start = server.clock.monotonic_ns()
    if fast:
        limit = FAST_DURATION + FAST_DURATION // 4 * effort
        if not cycle.timed_out or start < cycle.last_fast + limit * 2:
            return
        cycle.last_fast = start
    else:
        limit = (SLOW_TIME_PERCENT + 2 * effort) * 10_000_000 // server.config.hz

    databases = server.databases
    count = len(databases) if cycle.timed_out else min(DATABASES_PER_CALL, len(databases))
    cycle.timed_out = False
    keys_per_loop = KEYS_PER_LOOP + KEYS_PER_LOOP // 4 * effort
    sampled = expired = loops = 0
    for _ in range(count):
        db = databases[cycle.next_db % len(databases)]
        cycle.next_db += 1
        if db.expires:
            _expire_next(server, db, keys_per_loop)
        while True:
            loops += 1
            if not db.expires:
                db.average_ttl = 0
                db.expire_sampler = None
                break
            seen, gone = _expire_random(server, db, keys_per_loop)
            sampled += seen
            expired += gone
            if loops % LOOPS_PER_LOOK == 0 and server.clock.monotonic_ns() - start > limit:
                cycle.timed_out = True
                cycle.time_cap_reached += 1
                break
            if gone * 100 // seen <= acceptable:
                break
        if cycle.timed_out:
            break

    cycle.time_used_ns += server.clock.monotonic_ns() - start
    fraction = expired / sampled if sampled else 0.0
    cycle.stale_fraction = fraction * 0.05 + cycle.stale_fraction * 0.95


def _expire_next(server: Keyspace, db: Database, count: int) -> None:
    """Delete what is expired of the next *count* keys: in the long run each key has its turn."""
    server.now = server.clock.time_ns()
    now, expires = server.now // 1_000_000, db.expires
    cursors = server.expire_cycle.cursors
    cursors[db.index], keys = db.expiring_sampler().scan(cursors[db.index], count)
    for key in keys:
        if expires[key] < now:
            db.delete_expired(key)


def _expire_random(server: Keyspace, db: Database, count: int) -> tuple[int, int]:
    """Delete what is expired of *count* random keys; how many were seen, and how many deleted.

    Random ones, because keys stand in the order in which they came, and the young ones of a list say
    nothing about the old ones.
    """
    server.now = server.clock.time_ns()
    now, expires, rng = server.now // 1_000_000, db.expires, server.rng
    choose = db.expiring_sampler().choose
    seen = gone = lives = total = 0
    for _ in range(min(count, len(expires))):
        key = choose(rng)
        if key is None:
            break
        seen += 1
        left = expires[key] - now
        if left < 0:
            db.delete_expired(key)
            gone += 1
        elif left > 0:
            total += left
            lives += 1
    if lives:
        average = total // lives
        if db.average_ttl == 0:
            db.average_ttl = average
        db.average_ttl = db.average_ttl // 50 * 49 + average // 50
    return seen, gone


# --- replicas that take writes of their own -------------------------------------------------------


def remember_own(server: Keyspace, index: int, key: bytes) -> None:
    """A replica's own write let *key* expire; the leader knows nothing of it (rememberSlaveKeyWithExpire)."""
    own = server.expire_cycle.own
    own[key] = own.get(key, 0) | 1 << index


def _expire_own(server: Keyspace) -> None:
    """Delete what is expired of the keys a replica set itself, each in its turn (expireSlaveKeys)."""
    own, databases = server.expire_cycle.own, server.databases
    now = server.now // 1_000_000
    start = server.clock.monotonic_ns()
    turns = alive = 0
    while own and alive <= OWN_ALIVE:
        key = next(iter(own))
        left = 0
        for index, bit in enumerate(f"{own.pop(key):b}"[::-1]):
            when = databases[index].expires.get(key) if bit == "1" else None
            if when is None:
                continue
            if when < now:
                databases[index].delete_expired(key)
            else:
                left |= 1 << index
                alive += 1
        if left:
            own[key] = left
        turns += 1
        if turns % OWN_PER_LOOK == 0 and server.clock.monotonic_ns() - start > OWN_DURATION:
            return
