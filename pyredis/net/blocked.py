"""Serving clients while a script keeps the event loop waiting (networking.c processEventsWhileBlocked).

The loop cannot be entered again, so its sockets are read and written behind its back: from the first call
of ``serve`` to ``stop`` each connection has a transport that goes straight to its descriptor.  Data that
the loop's own transport has not sent yet stays first.  Connections with TLS keep their layer, and only what is
below it changes.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..engine.buffers import REPLY_BUFFER
from ..util.tlstransport import TlsTransport
from .connection import Connection, finish_turn
from .tls import Dropped

if TYPE_CHECKING:
    from ..cluster.link import BusLink
    from ..engine.client import Client
    from ..engine.server import Server
    from .listeners import Factory

    Carrier = Connection | TlsTransport | Dropped | BusLink
    """Whoever reads from a socket and holds its transport."""

CHUNK = 1 << 16


class BlockedService:
    """``server.blocked_service``.  *listening* names the sockets on which to accept connections, and as what."""

    def __init__(self, server: Server, listening: Callable[[], list[tuple[socket.socket, Factory]]]) -> None:
        self._server = server
        self._listening = listening
        self._selector: selectors.BaseSelector | None = None
        self._transports: dict[int, DirectTransport] = {}
        self._adoptions: set[asyncio.Task[None]] = set()

    def serve(self, excluded: Client) -> None:
        """Answer what has come in; *excluded* is the client whose script runs."""
        selector = self._selector
        if selector is None:
            selector = self._start(excluded)
        for key, _ in selector.select(0):
            key.data()
        finish_turn(self._server)

    def _start(self, excluded: Client) -> selectors.BaseSelector:
        self._selector = selector = selectors.DefaultSelector()
        for sock, factory in self._listening():
            selector.register(sock, selectors.EVENT_READ, partial(self._accept, sock, factory))
        for client in self._server.clients.values():
            connection = client.transport
            if client is excluded or not isinstance(connection, Connection) or client.closing:
                continue
            transport = connection.transport
            if not transport.is_closing() and connection.fd >= 0:
                carrier = transport if isinstance(transport, TlsTransport) else connection
                self._divert(carrier, connection.fd, carrier.transport, None)
        self._divert_bus()
        return selector

    def _divert_bus(self) -> None:
        """The other nodes of a cluster have to hear that this one lives."""
        cluster = self._server.cluster
        if cluster is None or cluster.bus is None:
            return
        for link, fd in cluster.bus.hold():
            carrier = link.transport if isinstance(link.transport, TlsTransport) else link
            self._divert(carrier, fd, carrier.transport, None)

    def _divert(
        self, carrier: Carrier, fd: int, behind: asyncio.Transport | None, sock: socket.socket | None
    ) -> DirectTransport:
        direct = DirectTransport(self, carrier, fd, behind, sock)
        self._transports[fd] = direct
        carrier.transport = direct
        self.watch(direct)
        return direct

    def _accept(self, listener: socket.socket, factory: Factory) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:  # gone already, or no descriptor left
            return
        sock.setblocking(False)
        carrier = cast("Carrier", factory())
        carrier.connection_made(self._divert(carrier, sock.fileno(), None, sock))

    def watch(self, direct: DirectTransport) -> None:
        """Wait for input of *direct*."""
        if self._selector is not None and direct.fd not in self._selector.get_map():
            self._selector.register(direct.fd, selectors.EVENT_READ, direct.read)

    def unwatch(self, direct: DirectTransport) -> None:
        """Leave input of *direct* to the kernel."""
        if self._selector is not None and direct.fd in self._selector.get_map():
            self._selector.unregister(direct.fd)

    def stop(self) -> None:
        """Give all connections back to the loop."""
        selector, self._selector = self._selector, None
        if selector is None:
            return
        selector.close()
        transports, self._transports = self._transports, {}
        for direct in transports.values():
            if direct.behind is not None:
                direct.hand_over(direct.behind)
            elif not direct.aborted:
                task = asyncio.get_running_loop().create_task(self._adopt(direct))
                self._adoptions.add(task)
                task.add_done_callback(self._adoptions.discard)
        cluster = self._server.cluster
        if cluster is not None and cluster.bus is not None:
            asyncio.get_running_loop().call_soon(cluster.bus.release)

    async def _adopt(self, direct: DirectTransport) -> None:
        """Make the loop's own connection of one that was accepted behind its back."""
        sock = direct.sock
        assert sock is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: Adopter(direct), sock)
        except OSError as error:  # the peer has gone
            sock.close()
            direct.carrier.connection_lost(error)


class Adopter(asyncio.Protocol):
    """Takes the place of a connection's protocol until the loop has made a transport for it."""

    def __init__(self, direct: DirectTransport) -> None:
        self._direct = direct

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        direct, transport = self._direct, cast("asyncio.Transport", transport)
        transport.set_protocol(direct.carrier)
        transport.set_write_buffer_limits(high=REPLY_BUFFER)
        direct.hand_over(transport)


class DirectTransport(asyncio.Transport):
    """What a connection writes to meanwhile.  *behind* is the loop's transport, if there is one yet."""

    def __init__(
        self,
        service: BlockedService,
        carrier: Carrier,
        fd: int,
        behind: asyncio.Transport | None,
        sock: socket.socket | None,
    ) -> None:
        super().__init__()
        self.carrier = carrier
        self.fd = fd
        self.behind = behind
        self.sock = sock
        self.aborted = False
        self._service = service
        self._pending = bytearray()
        self._closing = False

    def read(self) -> None:
        """The descriptor is readable."""
        try:
            data = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.carrier.data_received(data)
        else:
            self._service.unwatch(self)
            self.carrier.abort()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self.aborted:
            return
        if not self.get_write_buffer_size():
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                pass
            except OSError:  # reading will tell
                return
        self._pending += data

    def hand_over(self, transport: asyncio.Transport) -> None:
        """The loop's *transport* serves the connection from now on."""
        self.carrier.transport = transport
        if self.aborted:
            transport.abort()
            return
        if self._pending:
            transport.write(bytes(self._pending))
        if self._closing:
            transport.close()

    def get_write_buffer_size(self) -> int:
        behind = self.behind.get_write_buffer_size() if self.behind is not None else 0
        return behind + len(self._pending)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if self.behind is not None:
            self.behind.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if self.behind is not None:
            return self.behind.get_extra_info(name, default)
        return self.sock if name == "socket" else default

    def pause_reading(self) -> None:
        self._service.unwatch(self)
        if self.behind is not None:
            self.behind.pause_reading()

    def resume_reading(self) -> None:
        self._service.watch(self)
        if self.behind is not None:
            self.behind.resume_reading()

    def is_closing(self) -> bool:
        return self._closing or self.aborted

    def close(self) -> None:
        self._closing = True
        self._service.unwatch(self)

    def abort(self) -> None:
        self.aborted = True
        self._service.unwatch(self)
        if self.behind is not None:
            self.behind.abort()
        elif self.sock is not None:
            self.sock.close()
            asyncio.get_running_loop().call_soon(self.carrier.connection_lost, None)
