"""The sockets of the bus: a listener on the port of clients plus 10000, and links to all other nodes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ConfigRefused
from ..util.sockets import listen_all
from ..util.tlstransport import TlsTransport
from .announce import bus_port
from .link import BusLink
from .messages import PONG
from .node import Node

if TYPE_CHECKING:
    from ..engine.server import Server
    from .member import Member


class BusError(Exception):
    """The bus cannot listen; the reason has been logged."""


class Bus:
    """Carries the packets of *member* on *loop*.

    ``open`` binds, before the data set is loaded; ``start`` accepts and connects, afterwards.  *end_turn* runs the
    hooks of the turn's end, of which one writes nodes.conf; packets leave after it.
    """

    def __init__(
        self, server: Server, member: Member, loop: asyncio.AbstractEventLoop, end_turn: Callable[[], None]
    ) -> None:
        self._server = server
        self._member = member
        self._loop = loop
        self._end_turn = end_turn
        self.log = server.log
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.AbstractServer] = []
        self._links: dict[BusLink, None] = {}
        self._flushing = False
        self.holding = False
        """A script keeps the loop waiting: packets wait, too, but pings are answered."""

    # --- beginning and end -----------------------------------------------------------------------

    def open(self) -> None:
        """Listen on every address of ``bind``.  Raises BusError."""
        config = self._server.config
        port = bus_port(config)
        try:
            self._sockets = listen_all(config.bind, port, config.tcp_backlog, self.log.warning)
        except OSError:
            self.log.warning(f"Failed listening on port {port} (cluster), aborting.")
            raise BusError from None

    async def start(self) -> None:
        """Take connections, and let the member make its own."""
        for sock in self._sockets:
            self._servers.append(await self._loop.create_server(self._accept, sock=sock))
        self._sockets.clear()
        self._member.link_maker = self.connect

    def close(self) -> None:
        """Hang up everything."""
        self._member.link_maker = None
        for server in self._servers:
            server.close()
        for sock in self._sockets:
            sock.close()
        self._servers.clear()
        self._sockets.clear()
        for link in list(self._links):
            link.close()

    @property
    def memory(self) -> int:
        """Bytes of all links' buffers (mem_cluster_links)."""
        return sum(link.memory for link in self._links)

    # --- links -----------------------------------------------------------------------------------

    def _new_link(self, node: Node | None) -> BusLink:
        link = BusLink(self, node, self._member.host.now_ms())
        self._links[link] = None
        return link

    def _accept(self) -> asyncio.Protocol:
        link = self._new_link(None)
        if not self._server.config.tls_cluster:
            return link

        def failed(reason: str) -> None:
            self.log.verbose(f"Error accepting cluster node connection: {reason}")

        context = self._server.tls.accepting()
        context.verify_mode = ssl.CERT_REQUIRED  # of nodes, whatever tls-auth-clients asks of clients
        return TlsTransport(link, context, server_side=True, failed=failed)

    def connect(self, node: Node) -> BusLink:
        """Begin to connect to *node*."""
        link = self._new_link(node)
        link.attempt = self._loop.create_task(self._connect(link, node))
        return link

    async def _connect(self, link: BusLink, node: Node) -> None:
        config = self._server.config

        def failed(reason: str) -> None:
            self._attempt_failed(link, node, reason)

        def protocol() -> asyncio.Protocol:
            if not config.tls_cluster:
                return link
            return TlsTransport(
                link, self._server.tls.connecting(), server_side=False, hostname=node.ip, failed=failed,
                timeout=max(1, config.cluster_node_timeout / 1000),
            )  # fmt: skip

        source = config.bind_source_addr
        try:
            await self._loop.create_connection(
                protocol, node.ip, node.bus_port, local_addr=(source, 0) if source else None
            )
        except OSError as error:
            failed(error.strerror or str(error))
        except (ConfigRefused, ValueError, OverflowError) as error:  # no context; an address that cannot be one
            failed(str(error))

    def _attempt_failed(self, link: BusLink, node: Node, reason: str) -> None:
        """Nobody there.  It counts as a ping without answer, so that the failure is noticed."""
        if link.is_closed:
            return
        self.log.verbose(f"Connection with Node {node.name} at {node.ip}:{node.bus_port} failed: {reason}")
        node.ping_sent_ms = node.ping_sent_ms or self._member.host.now_ms()
        link.close()

    # --- links call ------------------------------------------------------------------------------

    def link_made(self, link: BusLink) -> None:
        """The connection stands."""
        if link.inbound:
            self.log.verbose(f"Accepting cluster node connection from {link.peer}")
        else:
            self._member.linked(link)
        self.flush_soon()

    def packet_came(self, link: BusLink, packet: bytes) -> bool:
        """A whole packet; false if *link* is of no use any more."""
        return self._member.received(link, packet)

    def link_closed(self, link: BusLink) -> None:
        """It is no node's any more."""
        self._links.pop(link, None)
        self._member.link_lost(link)

    # --- while a script runs ---------------------------------------------------------------------

    def hold(self) -> list[tuple[BusLink, int]]:
        """From now on let packets wait, which may change what a script works on; open links and their descriptors."""
        self.holding = True
        return [(link, link.fd) for link in self._links if link.fd >= 0]

    def say_alive(self, link: BusLink) -> None:
        """Answer a ping, at once."""
        self._member.outbox.send_ping(link, PONG)
        link.flush()

    def release(self) -> None:
        """The script is over: take in what came."""
        if self.holding:
            self.holding = False
            for link in list(self._links):
                link.go_on()

    # --- the end of the turn ---------------------------------------------------------------------

    def flush_soon(self) -> None:
        """At the end of this turn of the loop, do what is scheduled, then send."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self._end_turn()
        for link in list(self._links):
            link.flush()
