"""What clients hold in memory, kept per client, and whom to disconnect when it is too much (networking.c evictClients).

A client is looked at when it sends something, when much is sent to it, and in turn from the cron; the first two
only while ``maxmemory`` or ``maxmemory-clients`` is set.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from .buffers import output_bytes
from .describe import client_type, describe, memory

if TYPE_CHECKING:
    from .client import Client
    from .server import Server

LEAST_LIMIT: Final = 128 * 1024
"""A lower limit would not let anybody talk to the server."""
AT_ONCE: Final = 200
"""Clients looked at per turn of the cron."""


class ClientMemory:
    """Bytes held by each client of one server; replicas apart from the others."""

    __slots__ = ("_others", "_replicas", "_server", "_waiting", "of_others")

    def __init__(self, server: Server) -> None:
        self._server = server
        self.of_others = 0
        """All clients but replicas, as last looked at."""
        self._others: dict[Client, int] = {}
        self._replicas: dict[Client, int] = {}
        self._waiting: deque[Client] = deque()

    def of_replicas(self) -> int:
        """Output that replicas have not taken."""
        return sum(self._replicas.values())

    def look_at(self, client: Client) -> None:
        """*client* may hold more or less than before."""
        if client.id not in self._server.clients:
            return
        if client.replica is not None:
            self.of_others -= self._others.pop(client, 0)
            self._replicas[client] = output_bytes(client)
        else:
            size = memory(client)
            self.of_others += size - self._others.get(client, 0)
            self._others[client] = size

    def refresh(self) -> None:
        """Look at every client.  O(clients)"""
        for client in self._server.clients.values():
            self.look_at(client)

    def turn(self, server: Server) -> None:
        """From the cron: look at some clients, each in its turn."""
        for _ in range(min(AT_ONCE, len(server.clients))):
            if not self._waiting:
                self._waiting.extend(server.clients.values())
            self.look_at(self._waiting.popleft())
        self.evict()

    def forget(self, client: Client) -> None:
        self.of_others -= self._others.pop(client, 0)
        self._replicas.pop(client, None)

    def limit(self) -> int:
        """``maxmemory-clients`` in bytes, 0 for none (getClientEvictionLimit)."""
        config = self._server.config
        limit = config.maxmemory_clients
        if limit < 0:
            limit = config.maxmemory * -limit // 100
        return max(limit, LEAST_LIMIT) if limit else 0

    def evict(self) -> None:
        """Disconnect clients, the largest first, until the rest keeps the limit."""
        limit = self.limit()
        if not limit:
            return
        if self.of_others < limit:
            return
        server = self._server
        for client in sorted(self._others, key=self._others.__getitem__, reverse=True):
            if client.no_evict or client.closing or client_type(client) == "master":
                continue
            server.log.notice(f"Evicting client: {describe(client).decode('utf-8', 'surrogateescape')}")
            server.stats.evicted_clients += 1
            client.transport.abort()
            server.forget(client)
            self.forget(client)
            if self.of_others < limit:
                return
        server.log.warning("Over client maxmemory after evicting all evictable clients")
