"""Accepting connections with TLS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..util.tlstransport import HANDSHAKE_SECONDS, TlsTransport
from .admission import is_full
from .connection import Connection

if TYPE_CHECKING:
    from ..engine.server import Server


def accept_tls(server: Server) -> asyncio.Protocol:
    """The protocol of a new socket.  It is a client, and counted as one, before its handshake is done."""
    if is_full(server):
        server.rejected_connections += 1
        return Dropped()
    connection = Connection(server)

    def failed(reason: str) -> None:
        server.tls.failed_handshakes += 1
        peer, local = connection.peer.decode("latin-1"), connection.local.decode("latin-1")
        server.log.warning(f"Error accepting a client connection: {reason} (addr={peer} laddr={local})")

    timeout = min(server.config.timeout or HANDSHAKE_SECONDS, HANDSHAKE_SECONDS)
    return TlsTransport(connection, server.tls.accepting(), server_side=True, failed=failed, timeout=timeout)


class Dropped(asyncio.Protocol):
    """A connection there is no room for; before a handshake it cannot be told so (acceptCommonHandler)."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()
