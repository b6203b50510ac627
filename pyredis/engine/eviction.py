"""maxmemory: refusing writes or making room when the data set has grown too large (evict.c performEvictions).

The size of the data set is estimated: the number of keys times the mean footprint of some that are chosen
at random anew ten times a second.  Access times are not kept yet: the LRU and LFU policies choose at random
among the keys they may evict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..keyspace.events import EVICTED
from ..registry.flags import GATE_MEMORY
from ..util.footprint import footprint
from .dispatch import settle_turn

if TYPE_CHECKING:
    from ..keyspace.database import Database
    from .server import Server

ENTRY_BYTES = 104
"""A key's slot in the dict of its database."""
SAMPLED_KEYS = 16
SAMPLED_ELEMENTS = 5
WEIGHT = 0.25  # of a new reading against the running mean
TIME_LIMIT_NS = 5_000_000


class Eviction:
    """The memory limit of one server.  Costs nothing while ``maxmemory`` is 0."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._mean = 0.0  # bytes of a key with its value

    def apply(self) -> None:
        """Hook of maxmemory and maxmemory-policy."""
        server = self._server
        limited = server.config.maxmemory > 0
        server.restrict(GATE_MEMORY, limited)
        if limited:
            self._mean = 0.0
            self.measure()
            self.make_room()

    def measure(self) -> None:
        """Refresh the mean footprint.  O(SAMPLED_KEYS)"""
        server = self._server
        if not server.config.maxmemory:
            return
        total = count = 0
        for db in server.databases:
            for _ in range(min(SAMPLED_KEYS, len(db.data))):
                key = db.random_key()
                if key is not None:
                    total += _size(db, key)
                    count += 1
        if count:
            mean = total / count
            self._mean = mean if not self._mean else self._mean + WEIGHT * (mean - self._mean)

    def used(self) -> int:
        """Bytes in use: the empty server's and the data set's."""
        server = self._server
        return server.startup_memory + int(self._mean * sum(len(db.data) for db in server.databases))

    def make_room(self) -> bool:
        """Evict until the limit is kept; false if that is not possible."""
        server = self._server
        excess = self.used() - server.config.maxmemory
        if excess <= 0:
            return True
        policy = server.config.maxmemory_policy
        if policy == "noeviction" or server.loading or server.keeps_expired:
            return False
        started = server.clock.monotonic_ns()
        while excess > 0:
            victim = self._choose(policy)
            if victim is None:
                break
            excess -= self._evict(*victim)
            if server.clock.monotonic_ns() - started > TIME_LIMIT_NS:
                excess = 0  # the rest goes with the next commands
        settle_turn(server)
        return excess <= 0

    def _choose(self, policy: str) -> tuple[Database, bytes] | None:
        """The best of maxmemory-samples candidates of each database."""
        server = self._server
        best: tuple[Database, bytes] | None = None
        best_rank = 1 << 63
        for db in server.databases:
            sampler = None
            if policy.startswith("allkeys") and db.data:
                sampler = db.key_sampler()
            elif policy.startswith("volatile") and db.expires:
                sampler = db.expiring_sampler()
            if sampler is None:
                continue
            for _ in range(server.config.maxmemory_samples):
                key = sampler.choose(server.rng)
                if key is None:
                    break
                rank = db.expires[key] if policy == "volatile-ttl" else server.rng.getrandbits(32)
                if rank < best_rank:
                    best, best_rank = (db, key), rank
        return best

    def _evict(self, db: Database, key: bytes) -> int:
        server = self._server
        size = max(_size(db, key), int(self._mean), 1)
        db.remove(key)
        server.evicted_keys += 1
        db.changed(key, b"evicted", EVICTED, 0)
        if server.deletion_sink is not None:
            server.deletion_sink(db, key)
        return size


def _size(db: Database, key: bytes) -> int:
    return footprint(key, 1) + footprint(db.data[key], SAMPLED_ELEMENTS) + ENTRY_BYTES


def install(server: Server) -> None:
    """Plug the limit into *server*."""
    eviction = Eviction(server)
    server.make_room = eviction.make_room
    server.cron.every(100, lambda server: eviction.measure())
    for name in ("maxmemory", "maxmemory-policy"):
        server.config.on_change(name, eviction.apply)
    eviction.apply()
