"""Keyspace events over Pub/Sub (notify.c): who changed, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..keyspace.events import KEYEVENT, KEYSPACE

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..keyspace.database import Database

ORDER: Final = 20
"""Among the observers of a keyspace: after WATCH and tracking, before blocked clients and propagation."""


class Notifications:
    """Publishes the events that notify-keyspace-events selects.  Costs nothing while it selects none."""

    __slots__ = ("_server",)

    def __init__(self, server: Server) -> None:
        self._server = server

    def select(self, flags: int) -> None:
        """Publish the classes of events in *flags* from now on (``keyspace.events``); 0 for none."""
        server = self._server
        server.notify_flags = flags
        if flags:
            server.notify = self.notify
            server.plug(self.changed, ORDER)
        else:
            server.notify = None
            server.unplug(self.changed)

    def changed(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        """Observer of key changes."""
        if event is not None:
            self.notify(db, kind, event, key)

    def notify(self, db: Database, kind: int, event: bytes, key: bytes) -> None:
        """Publish *event* if its class is selected (notifyKeyspaceEvent)."""
        server = self._server
        flags = server.notify_flags
        if not flags & kind:
            return
        if flags & KEYSPACE:
            server.pubsub.publish(b"__keyspace@%d__:%b" % (db.index, key), event)
        if flags & KEYEVENT:
            server.pubsub.publish(b"__keyevent@%d__:%b" % (db.index, event), key)
