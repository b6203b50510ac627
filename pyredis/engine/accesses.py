"""Binds the tracking of accesses to the commands of a server.

While it is bound, each command with keys has a handler that notes them after the command's own; while it is
not, nothing is left of it.  Policies by LRU and LFU bind it for as long as they are configured.

The others want it for OBJECT IDLETIME alone, where Redis knows the answer for free.  For them it is bound
while it is cheap: until somebody asks, a server with much to do or with many keys lets go of it, and answers
with the time since it has taken it up again, which is too little rather than too much.  Once somebody has
asked (OBJECT IDLETIME, RESTORE IDLETIME, CLIENT NO-TOUCH) it stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..keyspace.access import Frequency, Recency
from ..registry.command import keys_of
from ..registry.flags import ALWAYS_TOUCHES, LOOKS_ONLY, RELAYS_SCRIPT

if TYPE_CHECKING:
    from ..keyspace.database import Database
    from ..registry.command import Argv, Command, Handler, Reply
    from .client import Client
    from .server import Server

BUSY: Final = 300
"""Commands in a tenth of a second with which a server that nobody asked stops tracking."""
CALM: Final = 100
"""Tenths of a second without that many before it starts again."""
MOST_KEYS: Final = 50_000
"""Accesses that a server whom nobody asked keeps."""


class Accesses:
    """Which tracker is bound on one server, if any."""

    __slots__ = ("_asked", "_bare", "_calm", "_seen", "_server", "tracker")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._bare: list[tuple[Command, Handler]] = []
        self._asked = False
        self._calm = 0
        self._seen = 0
        self.tracker: Recency | Frequency | None = None

    def apply(self) -> None:
        """Hook of maxmemory-policy."""
        frequent = self._server.config.maxmemory_policy.endswith("lfu")
        if self.tracker is None or (type(self.tracker) is Frequency) is not frequent:
            self._unbind()
            self._bind(Frequency(self._server) if frequent else Recency(self._server))

    def ask(self) -> None:
        """Somebody wants to know idle times: from now on they are kept, whatever it takes."""
        self._asked = True
        if self.tracker is None:
            self._bind(Recency(self._server))

    def turn(self, server: Server) -> None:
        """From the cron: is tracking for nobody in particular still, or again, cheap?"""
        handled, self._seen = server.stats.commands_processed - self._seen, server.stats.commands_processed
        self._calm = 0 if handled >= BUSY else self._calm + 1
        if self._asked or server.config.maxmemory_policy.endswith(("lru", "lfu")):
            return
        if self.tracker is not None:
            if handled >= BUSY or sum([len(db.access) for db in server.databases]) > MOST_KEYS:
                self._unbind()
        elif self._calm >= CALM:
            self._bind(Recency(server))

    def _bind(self, tracker: Recency | Frequency) -> None:
        server = self._server
        self.tracker = tracker
        server.idle_ms, server.frequency, server.restore_access = tracker.idle_ms, tracker.frequency, self._restore
        for command in server.stats.all_commands():
            if command.key_specs and not command.flags & (LOOKS_ONLY | RELAYS_SCRIPT):
                self._bare.append((command, command.handler))
                command.handler = _noting(server, tracker, command, command.handler)

    def _unbind(self) -> None:
        server = self._server
        for command, handler in self._bare:
            command.handler = handler
        self._bare.clear()
        self.tracker = None
        server.idle_ms = lambda db, key: 0
        for db in server.databases:
            db.access = {}

    def _restore(self, db: Database, key: bytes, idle: int, frequency: int) -> None:
        if idle >= 0:
            self.ask()
        if self.tracker is not None:
            self.tracker.restore(db, key, idle, frequency)


def _noting(server: Server, tracker: Recency | Frequency, command: Command, handler: Handler) -> Handler:
    """*handler*, and after it a note of the accesses to what its keys hold now."""
    touch = tracker.touch
    always = bool(command.flags & ALWAYS_TOUCHES)

    def note_one(client: Client, argv: Argv) -> Reply:
        reply = handler(client, argv)
        db, key = client.db, argv[1]
        if key in db.data and not client.no_touch:
            touch(db, key)
        return reply

    def note_all(client: Client, argv: Argv) -> Reply:
        reply = handler(client, argv)
        if always or not client.no_touch:
            db = client.db
            for position, _ in keys_of(command, argv):
                if argv[position] in db.data:
                    touch(db, argv[position])
        return reply

    specs = command.key_specs
    single = len(specs) == 1 and specs[0].begin == "index" and specs[0].find == "range" and specs[0].last == 0
    return note_one if single and specs[0].index == 1 else note_all


def install(server: Server) -> None:
    """Plug the tracking into *server*."""
    server.accesses = accesses = Accesses(server)
    server.config.on_change("maxmemory-policy", accesses.apply)
    server.cron.every(100, accesses.turn)
    accesses.apply()
