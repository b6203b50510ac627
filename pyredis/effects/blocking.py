"""Who waits for which key, in which order, and which keys have become ready (blocked.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database
    from ..keyspace.keyspace import Keyspace


class Wait:
    """What one client waits for.

    ``accepts`` is the type a key must have to be worth a try; with ``on_gone`` the client is also woken
    when the key disappears or changes type (XREADGROUP).  ``resume`` takes over for waits that are not
    for keys (WAIT, CLIENT PAUSE, modules of ours): it is called when the wait ends for another reason.
    """

    __slots__ = (
        "accepts",
        "db",
        "deadline",
        "keys",
        "kind",
        "on_gone",
        "reply_at_timeout",
        "resume",
        "started",
        "timeout_reply",
        "timer",
    )

    def __init__(
        self, kind: str, db: Database, keys: list[bytes], accepts: type | None, timeout_reply: bytes,
        *, on_gone: bool = False, resume: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.kind = kind  # "list", "zset", "stream", "wait", "waitaof", "shutdown", "module"
        self.db = db
        self.keys = list(dict.fromkeys(keys))
        self.accepts = accepts
        self.timeout_reply = timeout_reply
        self.on_gone = on_gone
        self.resume = resume
        self.deadline = 0  # ns of the monotonic clock, 0 for none
        self.started = 0
        self.timer: object | None = None
        self.reply_at_timeout: Callable[[], bytes] | None = None
        """Makes the timeout's reply when it is due, instead of ``timeout_reply``."""


class Blocking:
    """The blocked clients of one server by database and key.  Costs nothing while nobody waits."""

    __slots__ = ("_ready", "_server", "_waiting", "clients", "ready")

    def __init__(self, server: Keyspace) -> None:
        self._server = server
        self._waiting = 0
        self.clients: dict[Client, None] = {}  # all blocked clients, for whatever reason
        self.ready: list[tuple[Database, bytes]] = []
        self._ready: set[tuple[Database, bytes]] = set()

    def add(self, client: Client, wait: Wait) -> None:
        """Queue *client* behind those that already wait for its keys.  O(keys)"""
        client.wait = wait
        self.clients[client] = None
        for key in wait.keys:
            queue = wait.db.blocked.get(key)
            if queue is None:
                queue = wait.db.blocked[key] = {}
            queue[client] = None
        if wait.keys:
            if not self._waiting:
                self._server.plug(self.touched, 40)
            self._waiting += 1

    def discard(self, client: Client) -> None:
        """Take *client* out of all queues.  O(keys)"""
        wait = client.wait
        if wait is None:
            return
        client.wait = None
        del self.clients[client]
        for key in wait.keys:
            queue = wait.db.blocked[key]
            del queue[client]
            if not queue:
                del wait.db.blocked[key]
        if wait.keys:
            self._waiting -= 1
            if not self._waiting:
                self._server.unplug(self.touched)

    def cancel(self, client: Client) -> None:
        """Take a client that is gone out of its wait: no reply, no further input."""
        wait = client.wait
        if wait is not None:
            if wait.timer is not None:
                wait.timer.cancel()  # type: ignore[attr-defined]
            self.discard(client)
            if wait.resume is not None:
                wait.resume()

    def touched(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        """Observer of key changes (blocked.c signalKeyAsReady)."""
        if key in db.blocked:
            self.signal(db, key)

    def signal(self, db: Database, key: bytes) -> None:
        """*key* may now serve those that wait for it."""
        if key in db.blocked and (db, key) not in self._ready:
            self._ready.add((db, key))
            self.ready.append((db, key))
            self._server.unsettled = True  # type: ignore[attr-defined]

    def signal_all(self, db: Database) -> None:
        """Any waited-for key of *db* may have changed: SWAPDB, FLUSHALL (scanDatabaseForReadyKeys)."""
        for key in list(db.blocked):
            self.signal(db, key)

    def take_ready(self) -> list[tuple[Database, bytes]]:
        """The keys that became ready, in that order; the list starts anew."""
        ready, self.ready = self.ready, []
        self._ready.clear()
        return ready
