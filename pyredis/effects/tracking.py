"""Client-side caching: who may hold which key, and who is told that it changed (tracking.c)."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from ..errors import OverlappingPrefix
from ..resp.encode import array_of_bulks, bulk

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from ..keyspace.database import Database

CHANNEL = b"__redis__:invalidate"


class TrackingState:
    """What CLIENT TRACKING ON set for one client."""

    __slots__ = (
        "bcast",
        "broken_redirect",
        "caching",
        "client",
        "noloop",
        "optin",
        "optout",
        "prefixes",
        "redirect",
    )

    def __init__(self, client: Client) -> None:
        self.client = client
        self.redirect = 0
        self.bcast = self.optin = self.optout = self.noloop = False
        self.caching = False  # CLIENT CACHING was given for the next command
        self.broken_redirect = False
        self.prefixes: dict[bytes, None] = {}


class _Prefix:
    """Clients that hear of every key with one prefix, and the keys of this turn: key -> last writer."""

    __slots__ = ("clients", "keys")

    def __init__(self) -> None:
        self.clients: dict[Client, None] = {}
        self.keys: dict[bytes, Client | None] = {}


class Tracking:
    """The invalidation table of one server.  Costs nothing while no client tracks."""

    __slots__ = ("_keys", "_limit_misses", "_prefixes", "_server", "clients", "total_items")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._keys: dict[bytes, dict[int, None]] = {}  # key -> ids of clients that may cache it
        self._prefixes: dict[bytes, _Prefix] = {}
        self._limit_misses = 0
        self.clients: dict[Client, None] = {}
        self.total_items = 0

    @property
    def total_keys(self) -> int:
        return len(self._keys)

    @property
    def total_prefixes(self) -> int:
        return len(self._prefixes)

    # --- switching -------------------------------------------------------------------------------

    def enable(
        self, client: Client, *, redirect: int, bcast: bool, optin: bool, optout: bool, noloop: bool,
        prefixes: list[bytes],
    ) -> None:  # fmt: skip
        """CLIENT TRACKING ON, the options already checked against each other."""
        state = client.tracking
        if state is None:
            state = client.tracking = TrackingState(client)
            self.clients[client] = None
        state.redirect, state.broken_redirect = redirect, False
        state.bcast, state.optin, state.optout, state.noloop = bcast, optin, optout, noloop
        if bcast:
            for prefix in prefixes or [b""]:
                self._prefixes.setdefault(prefix, _Prefix()).clients[client] = None
                state.prefixes[prefix] = None
        server = self._server
        server.plug(self.touched, 10)
        if self._flushed not in server.flushed:
            server.flushed.append(self._flushed)
            server.before_sleep.append(self.broadcast)

    def disable(self, client: Client) -> None:
        """CLIENT TRACKING OFF, or the client is gone.  Its entries in the table go when met."""
        state = client.tracking
        if state is None or state.client is not client:
            return
        for name in state.prefixes:
            prefix = self._prefixes[name]
            del prefix.clients[client]
            if not prefix.clients:
                del self._prefixes[name]
        client.tracking = None
        del self.clients[client]
        if not self.clients and not self._keys:
            self._unplug()

    def _unplug(self) -> None:
        server = self._server
        server.unplug(self.touched)
        if self._flushed in server.flushed:
            server.flushed.remove(self._flushed)
            server.before_sleep.remove(self.broadcast)

    @staticmethod
    def check_prefixes(client: Client, prefixes: list[bytes]) -> None:
        """Raise OverlappingPrefix if two prefixes would report the same key twice."""
        existing = client.tracking.prefixes if client.tracking is not None else {}
        for at, prefix in enumerate(prefixes):
            for other in sorted(existing):
                if prefix.startswith(other) or other.startswith(prefix):
                    raise OverlappingPrefix(prefix, other, "an existing prefix")
            for other in prefixes[at + 1 :]:
                if prefix.startswith(other) or other.startswith(prefix):
                    raise OverlappingPrefix(prefix, other, "another provided prefix")

    # --- remembering -----------------------------------------------------------------------------

    def remember(self, state: TrackingState, keys: list[bytes]) -> None:
        """*state*'s client has just been served *keys* (trackingRememberKeys)."""
        if state.bcast or (state.optin and not state.caching) or (state.optout and state.caching):
            return
        client_id = state.client.id
        for key in keys:
            ids = self._keys.setdefault(key, {})
            if client_id not in ids:
                ids[client_id] = None
                self.total_items += 1

    def limit(self) -> None:
        """Forget random keys while there are more than tracking-table-max-keys (trackingLimitUsedSlots)."""
        allowed = self._server.config.tracking_table_max_keys
        if not allowed or len(self._keys) <= allowed:
            self._limit_misses = 0
            return
        for _ in range(100 * (self._limit_misses + 1)):
            if not self._keys:
                break
            self._invalidate(next(iter(self._keys)))
            if len(self._keys) <= allowed:
                self._limit_misses = 0
                return
        self._limit_misses += 1

    # --- invalidating ----------------------------------------------------------------------------

    def touched(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        """Observer of key changes (trackingInvalidateKey)."""
        for name, prefix in self._prefixes.items():
            if key.startswith(name):
                prefix.keys[key] = self._server.executing
        if key in self._keys:
            self._invalidate(key)

    def _invalidate(self, key: bytes) -> None:
        server = self._server
        ids = self._keys.pop(key)
        self.total_items -= len(ids)
        for client_id in sorted(ids):
            client = server.clients.get(client_id)
            if client is None or client.tracking is None or client.tracking.bcast:
                continue
            if client.tracking.noloop and client is server.executing:
                continue
            self._send(client, b"*1\r\n" + bulk(key))

    def broadcast(self) -> None:
        """Tell BCAST clients of the keys that changed since the last time, before the loop sleeps."""
        self.limit()
        for _, prefix in sorted(self._prefixes.items(), key=itemgetter(0)):
            keys, prefix.keys = prefix.keys, {}
            if not keys:
                continue
            everything = array_of_bulks(sorted(keys))
            for client in prefix.clients:
                if client.tracking.noloop:
                    mine = sorted(key for key, writer in keys.items() if writer is not client)
                    if mine:
                        self._send(client, array_of_bulks(mine))
                else:
                    self._send(client, everything)

    def _flushed(self, db: Database | None) -> None:
        """A database was emptied: everybody forgets everything (trackingInvalidateKeysOnFlush)."""
        for client in list(self.clients):
            self._send(client, None)
        self._keys.clear()
        self.total_items = 0

    def _send(self, client: Client, keys: bytes | None) -> None:
        """Send *keys*, an encoded array, or None for all keys (sendTrackingMessage)."""
        redirect = client.tracking.redirect
        target = self._server.clients.get(redirect) if redirect else client
        if target is None:
            client.tracking.broken_redirect = True
            if client.wire.version == 3:
                client.push(b">2\r\n$21\r\ntracking-redir-broken\r\n:%d\r\n" % redirect)
            return
        body = target.wire.null if keys is None else keys
        if target.wire.version == 3:
            target.push(b">2\r\n$10\r\ninvalidate\r\n" + body)
        elif redirect and (target.channels or target.patterns or target.shard_channels):
            target.push(b"*3\r\n$7\r\nmessage\r\n" + bulk(CHANNEL) + body)
