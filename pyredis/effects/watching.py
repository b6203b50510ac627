"""WATCH: which clients hear that a key changed (multi.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database
    from ..keyspace.keyspace import Keyspace


class Watching:
    """The watched keys of one server.  Costs nothing while no key is watched."""

    __slots__ = ("_count", "_server")

    def __init__(self, server: Keyspace) -> None:
        self._server = server
        self._count = 0  # watched (client, key) pairs

    @property
    def watching(self) -> int:
        return self._count

    def watch(self, client: Client, db: Database, key: bytes) -> None:
        """Make *client*'s next EXEC fail if *key* changes from now on.  O(1)"""
        if (db, key) in client.watched:
            return
        expired = key in db.expires and db.expires[key] < self._server.now_ms
        client.watched[db, key] = expired
        clients = db.watched.get(key)
        if clients is None:
            clients = db.watched[key] = {}
        clients[client] = None
        if self._count == 0:
            self._server.plug(self.touched, 0)
        self._count += 1

    def unwatch(self, client: Client) -> None:
        """Forget all keys *client* watches.  O(keys watched)"""
        for db, key in client.watched:
            clients = db.watched[key]
            del clients[client]
            if not clients:
                del db.watched[key]
        self._count -= len(client.watched)
        client.watched.clear()
        if self._count == 0:
            self._server.unplug(self.touched)

    def touched(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        """Observer of key changes (multi.c touchWatchedKey)."""
        clients = db.watched.get(key)
        if clients:
            for client in clients:
                if client.watched[db, key] and key not in db.data:
                    # The key had expired when it was watched: its deletion changes nothing.
                    client.watched[db, key] = False
                else:
                    client.dirty_cas = True

    def touched_all(self, db: Database, replaced: Database | None = None) -> None:
        """Every watched key of *db* that exists there or in *replaced* changes (touchAllWatchedKeysInDb)."""
        now = self._server.now_ms
        for key, clients in db.watched.items():
            existed = key in db.data
            arrives = replaced is not None and key in replaced.data
            if not existed and not arrives:
                continue
            arrives_expired = arrives and replaced is not None and replaced.expires.get(key, now + 1) <= now
            for client in clients:
                if client.watched[db, key]:  # it had expired when it was watched
                    if not arrives:
                        client.watched[db, key] = False
                        continue
                    if arrives_expired:
                        continue
                elif not existed and arrives_expired:
                    client.watched[db, key] = True
                    continue
                client.dirty_cas = True

    def expired_since(self, client: Client) -> bool:
        """True if a key *client* watches expired since it was watched (multi.c isWatchedKeyExpired)."""
        now = self._server.now_ms
        return any(not expired and db.expires.get(key, now) < now for (db, key), expired in client.watched.items())
