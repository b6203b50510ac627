"""All databases of a server, and what they share: time, counters and the observers of their changes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

from ..config.config import Config
from ..datatypes.encodings import Thresholds
from ..util.clock import Clock
from .database import Database
from .expiry import ExpireCycle

Observer: TypeAlias = "Callable[[Database, bytes, bytes | None, int], None]"
"""Called with (database, key, event or None, event class) for every change of a key."""


class Keyspace:
    """The databases and their common state.  ``engine.Server`` extends it; commands see one object.

    ``now`` is the wall clock in nanoseconds, taken once per command, so that a command, a script and
    a transaction each see one moment (server.c commandTimeSnapshot).
    """

    # What every command touches has a slot, which is faster than a large instance dict; the rest has a dict.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "clock",
        "config",
        "dirty",
        "keyspace_hits",
        "notify_flags",
        "now",
        "observers",
        "thresholds",
    )

    def __init__(self, config: Config, clock: Clock, rng: random.Random) -> None:
        self.config = config
        self.clock = clock
        self.rng = rng
        self.thresholds = Thresholds()
        self.now = clock.time_ns()
        self.dirty = 0
        self.keyspace_hits = 0
        self.keyspace_misses = 0
        self.expired_keys = 0
        self.evicted_keys = 0
        self.observers: list[Observer] = []
        self._observer_order: list[tuple[int, Observer]] = []
        self.notify: Callable[[Database, int, bytes, bytes], None] | None = None
        """Publishes a keyspace event; None while notify-keyspace-events is empty."""
        self.notify_flags = 0
        self.deletion_sink: Callable[[Database, bytes], None] | None = None
        """Propagates the DEL of an expired or evicted key; None while nobody listens."""
        self.free_later: Callable[[object], None] | None = None
        """Takes over a value, or the dict of a whole database, to free it a bit at a time."""
        self.frees_overwritten = False
        """lazyfree-lazy-server-del: what ``store`` replaces is freed later, too."""
        self.keeps_expired = False
        """True on a replica (and while loading): expired keys are hidden, not deleted."""
        self.sees_expired = False
        """True while the leader's stream is applied: even expired keys are visible (db.c keyIsExpired)."""
        self.expires_paused = False
        """True while CLIENT PAUSE or a failover holds writes back: expired keys are hidden then, too."""
        self.expire_cycle = ExpireCycle(config.databases)
        self.idle_ms: Callable[[Database, bytes], int] = lambda db, key: 0
        """How long ago an existing key was last accessed; plugged by what tracks it."""
        self.frequency: Callable[[Database, bytes], int] = lambda db, key: 0
        """The LFU counter of an existing key."""
        self.restore_access: Callable[[Database, bytes, int, int], None] = lambda db, key, idle, frequency: None
        """Sets the idle seconds or the LFU counter (-1: not known) of a key that was loaded or restored."""
        self.before_image: Callable[[Database, bytes], None] = lambda db, key: None
        """Called before a key changes, while a save without fork watches the databases."""
        self.before_flush: Callable[[Database], None] = lambda db: None
        self.databases = [Database(self, index) for index in range(config.databases)]

    def plug(self, observer: Observer, order: int) -> None:
        """Call *observer* for every change from now on; lower *order* first."""
        if not any(entry[1] == observer for entry in self._observer_order):
            self._observer_order.append((order, observer))
            self._observer_order.sort(key=lambda entry: entry[0])
            self._observers_changed()

    def unplug(self, observer: Observer) -> None:
        """Stop calling *observer*."""
        self._observer_order = [entry for entry in self._observer_order if entry[1] != observer]
        self._observers_changed()

    def _observers_changed(self) -> None:
        self.observers = [entry[1] for entry in self._observer_order]

    def swap(self, first: int, second: int) -> None:
        """Exchange the contents of two databases (db.c dbSwapDatabases): clients keep their index."""
        self.databases[first].exchange(self.databases[second])

    @property
    def now_ms(self) -> int:
        """The command's moment in milliseconds."""
        return self.now // 1_000_000
