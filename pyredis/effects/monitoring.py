"""MONITOR: every command, as it is executed, to whoever asked (replication.c replicationFeedMonitors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry.flags import GATE_MONITORED
from ..util.quoting import quote

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server


class Monitoring:
    """The clients of one server that run MONITOR."""

    __slots__ = ("_server", "clients")

    def __init__(self, server: Server) -> None:
        self._server = server
        self.clients: dict[Client, None] = {}

    def add(self, client: Client) -> None:
        self.clients[client] = None
        self._server.restrict(GATE_MONITORED)

    def remove(self, client: Client) -> None:
        """*client* is gone, or was reset."""
        if self.clients.pop(client, self) is None and not self.clients:
            self._server.restrict(GATE_MONITORED, False)

    def feed(self, client: Client, argv: list[bytes]) -> None:
        """Tell the monitors that *client* runs *argv*; passwords are redacted by the caller."""
        now = self._server.clock.time_ns() // 1000
        source = b"lua" if client.script is not None else client.transport.peer
        if client.script is None and client.transport.is_unix:
            source = b"unix:" + self._server.config.unixsocket.encode()
        words = b" ".join([quote(argument) for argument in argv])
        line = b"+%d.%06d [%d %b] %b\r\n" % (
            now // 1_000_000,
            now % 1_000_000,
            client.db.index,
            source,
            words,
        )
        for monitor in self.clients:
            monitor.deliver(line)
