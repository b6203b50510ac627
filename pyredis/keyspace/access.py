"""When keys were last used, or how often: what the LRU and LFU policies choose by (evict.c, db.c updateLFU).

A database's ``access`` has one number for each key that was used since the tracking began.  The numbers are
shared objects, a fresh one for each tenth of a second, or for each minute and count: a key costs its place
in a dict, 45 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

    from .database import Database
    from .keyspace import Keyspace

RESOLUTION: Final = 100_000_000  # ns
MINUTE: Final = 60_000_000_000  # ns
FIRST_FREQUENCY: Final = 5
"""What a new key starts with, lest it go before it was used again (LFU_INIT_VAL)."""
MOST_FREQUENT: Final = 255
_MINUTES: Final = 0xFFFF
_COUNTER: Final = 0xFF


class Recency:
    """The moment of the last use of each key, in ms since the epoch; right to a tenth of a second."""

    __slots__ = ("_fresh_until", "_now", "_server", "since")

    def __init__(self, server: Keyspace) -> None:
        self._server = server
        self._fresh_until = 0
        self._now = 0
        self.since = server.now // 1_000_000
        """When the tracking began: a key without a number has not been used since."""

    def touch(self, db: Database, key: bytes) -> None:
        """The existing *key* is used now."""
        now = self._server.now
        if now >= self._fresh_until:
            self._fresh_until = now + RESOLUTION
            self._now = now // 1_000_000
        db.access[key] = self._now

    def ranks(self, db: Database, keys: list[bytes], source: Container[bytes]) -> list[int | None]:
        """How much each of *keys* deserves to go: its idle time in ms, None for those known not to be in *source*.

        With many keys each look into a table costs three cache misses, 0.4 us: so there is one per key, here.
        """
        now, find = self._server.now // 1_000_000, db.access.get
        unknown = now - self.since
        return [
            now - used if used is not None else unknown if key in source else None
            for key in keys
            for used in (find(key),)
        ]

    def idle_ms(self, db: Database, key: bytes) -> int:
        """The idle time of the existing *key* (estimateObjectIdleTime)."""
        return max(0, self._server.now // 1_000_000 - db.access.get(key, self.since))

    def frequency(self, db: Database, key: bytes) -> int:
        """Not known."""
        return 0

    def restore(self, db: Database, key: bytes, idle: int, frequency: int) -> None:
        """A key was loaded: *idle* in seconds, -1 if the source did not say."""
        if idle >= 0:
            db.access[key] = max(0, self._server.now // 1_000_000 - idle * 1000)
        else:
            self.touch(db, key)


class Frequency:
    """A logarithmic count of the uses of each key, which decays with time, and the minute it is as of.

    A number is ``minute << 8 | counter``, the minute modulo 65,536.
    """

    __slots__ = ("_cells", "_fresh_until", "_minute", "_server", "since")

    def __init__(self, server: Keyspace) -> None:
        self._server = server
        self._fresh_until = 0
        self._refresh(server.now)
        self.since = self._cells[FIRST_FREQUENCY]

    def _refresh(self, now: int) -> None:
        self._fresh_until = now - now % MINUTE + MINUTE
        self._minute = now // MINUTE & _MINUTES
        self._cells = [self._minute << 8 | counter for counter in range(MOST_FREQUENT + 1)]

    def touch(self, db: Database, key: bytes) -> None:
        """The existing *key* is used now (updateLFU); a new one starts at ``FIRST_FREQUENCY``."""
        server = self._server
        if server.now >= self._fresh_until:
            self._refresh(server.now)
        cell = db.access.get(key)
        if cell is None:
            counter = FIRST_FREQUENCY
        else:
            counter = self._decayed(cell)
            if counter < MOST_FREQUENT:
                surplus = max(0, counter - FIRST_FREQUENCY)
                if server.rng.random() * (surplus * server.config.lfu_log_factor + 1) < 1:
                    counter += 1
        db.access[key] = self._cells[counter]

    def _decayed(self, cell: int) -> int:
        """The counter of *cell* as of now (LFUDecrAndReturn)."""
        counter, period = cell & _COUNTER, self._server.config.lfu_decay_time
        elapsed = (self._minute - (cell >> 8)) & _MINUTES
        return max(0, counter - elapsed // period) if period and elapsed else counter

    def frequency(self, db: Database, key: bytes) -> int:
        """The counter of the existing *key*, 0 to 255."""
        if self._server.now >= self._fresh_until:
            self._refresh(self._server.now)
        return self._decayed(db.access.get(key, self.since))

    def ranks(self, db: Database, keys: list[bytes], source: Container[bytes]) -> list[int | None]:
        """How much each of *keys* deserves to go, None for those known not to be in *source*."""
        if self._server.now >= self._fresh_until:
            self._refresh(self._server.now)
        find, minute, decayed = db.access.get, self._minute, self._decayed
        ranks: list[int | None] = []
        for key in keys:
            cell = find(key)
            if cell is None:
                if key not in source:
                    ranks.append(None)
                    continue
                cell = self.since
            ranks.append(MOST_FREQUENT - (cell & _COUNTER if cell >> 8 == minute else decayed(cell)))
        return ranks

    def idle_ms(self, db: Database, key: bytes) -> int:
        """Not known."""
        return 0

    def restore(self, db: Database, key: bytes, idle: int, frequency: int) -> None:
        """A key was loaded: *frequency* is its counter, -1 if the source did not say."""
        if self._server.now >= self._fresh_until:
            self._refresh(self._server.now)
        db.access[key] = self._cells[frequency if frequency >= 0 else FIRST_FREQUENCY]
