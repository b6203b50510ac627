"""maxmemory: refusing writes, or making room by the policy that is configured (evict.c)."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any, Final

from ..keyspace.events import EVICTED
from ..registry.flags import GATE_MEMORY
from .dispatch import settle_turn
from .memory import STARTUP, Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..keyspace.database import Database
    from .server import Server

POOL_SIZE: Final = 16
KEYS_PER_LOOK: Final = 16
"""So many keys go between two looks at the clock."""
PATIENCE_NS: Final = 50_000
"""Per point of maxmemory-eviction-tenacity up to 10; beyond, each point is 15 % more."""


class Eviction:
    """The memory limit of one server.  Costs nothing while ``maxmemory`` is 0."""

    __slots__ = ("_exceeded_since", "_next_db", "_pool", "_scheduled", "_server", "memory")

    def __init__(self, server: Server, memory: Memory) -> None:
        self._server = server
        self.memory = memory
        self._pool: list[tuple[int, int, bytes]] = []
        """The best candidates met so far, the best last: (rank, database, key)."""
        self._next_db = 0
        self._scheduled = False
        self._exceeded_since = 0

    def apply(self) -> None:
        """Hook of maxmemory, which takes effect after the command that sets it."""
        server = self._server
        limited = server.config.maxmemory > 0
        server.restrict(GATE_MEMORY, limited)
        if limited is not self.memory.metered:
            self.memory.meter(limited)
        self.memory.watch_clients()
        if limited:
            self.memory.clients.refresh()
            if self.memory.limited() > server.config.maxmemory:
                self._go_on_soon()

    def apply_policy(self) -> None:
        """Hook of maxmemory-policy: what was a good candidate is none any more."""
        self._pool.clear()
        self.memory.turn(self._server)

    def make_room(self) -> bool:
        """Evict until the limit is kept; false if that is not possible (performEvictions).

        Takes as long as maxmemory-eviction-tenacity allows; what is left to do then follows soon.
        """
        server, memory = self._server, self.memory
        limit = server.config.maxmemory
        excess = memory.limited() - limit if limit else 0
        if excess <= 0:
            if self._exceeded_since:
                self._note_exceeded(server.clock.monotonic_ns(), over=False)
            return True
        if server.loading:
            return True
        if server.keeps_expired and server.config.replica_ignore_maxmemory:
            return True
        if server.keeps_expired or server.expires_paused:
            return False
        policy = server.config.maxmemory_policy
        if policy == "noeviction":
            return False
        return self._evict_until(limit, self._choose_random if policy.endswith("random") else self._choose_best)

    def _evict_until(self, limit: int, choose: Callable[[str], tuple[Database, bytes] | None]) -> bool:
        server, memory = self._server, self.memory
        policy = server.config.maxmemory_policy
        started = server.clock.monotonic_ns()
        gone, over = 0, True
        try:
            while over:
                victim = choose(policy)
                if victim is None:
                    break
                self._evict(*victim)
                gone += 1
                over = memory.limited() > limit
                if gone % KEYS_PER_LOOK == 0 and over and server.clock.monotonic_ns() - started > self._patience():
                    self._go_on_soon()
                    return True
        finally:
            if over or self._exceeded_since:
                self._note_exceeded(server.clock.monotonic_ns(), over=over)
            if gone and server.config.latency_monitor_threshold:
                server.latency.add("eviction-cycle", server.clock.monotonic_ns() - started)
            if server.unsettled:
                settle_turn(server)
        return not over

    def _patience(self) -> int:
        """How long to evict at once, in ns (evictionTimeLimitUs)."""
        tenacity = self._server.config.maxmemory_eviction_tenacity
        if tenacity <= 10:
            return PATIENCE_NS * tenacity
        return int(10 * PATIENCE_NS * 1.15 ** (tenacity - 10)) if tenacity < 100 else 1 << 62

    def _go_on_soon(self) -> None:
        """Go on when others have had their turn (startEvictionTimeProc)."""
        if not self._scheduled:
            self._scheduled = True
            self._server.timers.at(self._server.clock.monotonic_ns(), self._go_on)

    def _go_on(self) -> None:
        self._scheduled = False
        self.make_room()

    def _note_exceeded(self, now: int, *, over: bool) -> None:
        """Keep the figures of INFO on the time the limit was exceeded."""
        stats = self._server.stats
        if self._exceeded_since:
            stats.current_eviction_exceeded_ms = (now - self._exceeded_since) // 1_000_000
            if not over:
                stats.eviction_exceeded_ms += stats.current_eviction_exceeded_ms
                stats.current_eviction_exceeded_ms = 0
                self._exceeded_since = 0
        elif over:
            self._exceeded_since = now

    # --- choosing --------------------------------------------------------------------------------

    def _choose_random(self, policy: str) -> tuple[Database, bytes] | None:
        """A random key of the next database that has one."""
        databases = self._server.databases
        everything = policy.startswith("allkeys")
        for _ in databases:
            self._next_db = (self._next_db + 1) % len(databases)
            db = databases[self._next_db]
            sampler = db.key_sampler() if everything else db.expiring_sampler()
            key = sampler.choose(self._server.rng)
            if key is not None:
                return db, key
        return None

    def _choose_best(self, policy: str) -> tuple[Database, bytes] | None:
        """The best candidate of the pool that is still there, after samples of each database joined it."""
        databases, pool = self._server.databases, self._pool
        everything = policy.startswith("allkeys")
        while self._sample(policy, everything):
            while pool:
                _, index, key = pool.pop()
                db = databases[index]
                if key in (db.data if everything else db.expires):
                    return db, key
        return None

    def _sample(self, policy: str, everything: bool) -> bool:
        """Let some keys of each database compete for the pool; false if there are none (evictionPoolPopulate)."""
        server, pool = self._server, self._pool
        rng, samples = server.rng, server.config.maxmemory_samples
        ranks = _nearest_expiry if policy == "volatile-ttl" else server.accesses.tracker.ranks
        found = False
        for db in server.databases:
            source: dict[bytes, Any] = db.data if everything else db.expires
            if not source:
                continue
            found = True
            sampler = db.key_sampler() if everything else db.expiring_sampler()
            keys = sampler.guess(samples, rng)
            for key, worth in zip(keys, ranks(db, keys, source), strict=True):
                if worth is None:
                    continue
                if len(pool) >= POOL_SIZE:
                    if worth <= pool[0][0]:
                        continue
                    del pool[0]
                insort(pool, (worth, db.index, key))
        return found

    def _evict(self, db: Database, key: bytes) -> None:
        server = self._server
        lazily = server.config.lazyfree_lazy_eviction
        if server.config.latency_monitor_threshold:
            started = server.clock.monotonic_ns()
            db.remove(key, lazily=lazily)
            server.latency.add("eviction-del", server.clock.monotonic_ns() - started)
        else:
            db.remove(key, lazily=lazily)
        server.evicted_keys += 1
        db.changed(key, b"evicted", EVICTED, 0)
        if server.deletion_sink is not None:
            server.propagation.add_deletion(db.index, [b"UNLINK" if lazily else b"DEL", key])
            server.unsettled = True


def _nearest_expiry(db: Database, keys: list[bytes], source: dict[bytes, int]) -> list[int | None]:
    """What volatile-ttl ranks by; *source* are the expiry times."""
    find = source.get
    return [None if when is None else -when for key in keys for when in (find(key),)]


def install(server: Server) -> None:
    """Plug the accounts and the limits into *server*."""
    memory = Memory(server)
    eviction = Eviction(server, memory)
    server.make_room = eviction.make_room
    server.used_memory, server.buffer_memory = memory.used, memory.buffers
    server.startup_memory = server.peak_memory = STARTUP
    server.close_hooks.append(memory.clients.forget)
    server.cron.every(0, memory.clients.turn)
    server.cron.every(0, memory.turn)
    server.config.on_change("maxmemory", eviction.apply)
    server.config.on_change("maxmemory-policy", eviction.apply_policy)
    server.config.on_change("maxmemory-clients", memory.apply_clients_limit)
    eviction.apply()
