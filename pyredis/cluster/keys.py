"""Which keys are in a slot (db.c slotToKey...).

Redis keeps a list per slot at all times.  Slots are counted only while they move, so here the lists are made when
somebody asks, in one pass over the keys, and followed by an observer from then on; a minute after the last
question they go.  Until then a write costs 1 us more, and a key 40 to 100 bytes.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..keyspace.events import GENERIC
from .slots import bitmap_of, key_slot

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..keyspace.database import Database

KEPT_NS: Final = 60_000_000_000
OBSERVER_ORDER: Final = 60


class KeyIndex:
    """Keys of database 0 by slot."""

    __slots__ = ("_data", "_server", "_slots", "_total", "_used")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._data: dict[bytes, Any] | None = None
        """The dict that was counted; FLUSHALL, SWAPDB and others replace the database's."""
        self._slots: dict[int, dict[bytes, None]] = {}
        self._total = 0
        self._used = 0

    def count(self, slot: int) -> int:
        """How many keys are in *slot*.  O(1), the first time O(n)"""
        return len(self._keys(slot))

    def some(self, slot: int, most: int) -> list[bytes]:
        """Up to *most* keys of *slot*, the latest first."""
        return list(islice(reversed(self._keys(slot)), most))

    def delete(self, slot: int) -> int:
        """Delete the keys of *slot*, here and in AOF and replicas (delKeysInSlot)."""
        server = self._server
        db = server.databases[0]
        name = b"UNLINK" if server.config.lazyfree_lazy_server_del else b"DEL"
        keys = list(reversed(self._keys(slot)))
        for key in keys:
            db.remove(key, lazily=server.config.lazyfree_lazy_server_del)
            db.changed(key, None, GENERIC)
            if server.deletion_sink is not None:
                server.propagation.add_deletion(db.index, [name, key])
                server.unsettled = True
        return len(keys)

    def used_slots(self) -> int:
        """Bitmap of the slots that have keys.  O(n)"""
        return bitmap_of(set(map(key_slot, self._server.databases[0].data)))

    def forget(self) -> None:
        """From the cron: let go of lists that nobody has asked for in a while."""
        if self._data is not None and self._server.now - self._used > KEPT_NS:
            self._data = None
            self._slots = {}
            self._server.unplug(self._touched)

    def _keys(self, slot: int) -> dict[bytes, None]:
        data = self._server.databases[0].data
        self._used = self._server.now
        if self._data is not data or self._total != len(data):  # a load, for one, tells no observer
            self._build(data)
        return self._slots.get(slot, {})

    def _build(self, data: dict[bytes, Any]) -> None:
        self._data, self._total = data, len(data)
        slots: dict[int, dict[bytes, None]] = {}
        for key in data:
            slots.setdefault(key_slot(key), {})[key] = None
        self._slots = slots
        self._server.plug(self._touched, OBSERVER_ORDER)

    def _touched(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        """Observer of changes."""
        if db.index:
            return
        slot = key_slot(key)
        keys = self._slots.get(slot)
        if key in db.data:
            if keys is None:
                keys = self._slots[slot] = {}
            elif key in keys:
                return
            keys[key] = None
            self._total += 1
        elif keys is not None and key in keys:
            del keys[key]
            self._total -= 1
