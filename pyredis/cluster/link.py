"""One connection of the bus: bytes to packets, packets to bytes (cluster.h clusterLink)."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from .messages import PING, BadPacket, packet_kind, packet_length
from .node import Node

if TYPE_CHECKING:
    from .bus import Bus

PREFIX_BYTES: Final = 8
KNOWN_BYTES: Final = 14
"""So much of a packet tells its length and its kind."""
EMPTY_BYTES: Final = 48
"""What Redis reckons for an empty queue: a limit below cuts every link."""
BLOCK_BYTES: Final = 40
"""What it adds for each packet."""
RECEIVE_BYTES: Final = 1024


class BusLink(asyncio.Protocol):
    """A link, from the moment it is wanted to the moment it is closed; then nobody hears of it.

    What is sent waits for the end of the turn of the loop, as do replies: nodes.conf is written before.
    """

    def __init__(self, bus: Bus, node: Node | None, created_ms: int) -> None:
        self._bus = bus
        self.node = node
        self.inbound = node is None
        self.created_ms = created_ms
        self.attempt: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None
        """Also set by ``net.blocked``, which reads and writes while the loop cannot."""
        self._closed = False
        self._queue: list[bytes] = []
        self._queued = 0
        self._received = bytearray()
        self._scanned = 0
        """How much of it has been looked at for pings while nothing else could be done."""

    # --- the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        if self._closed:
            self.transport.abort()  # type: ignore[union-attr]
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._bus.link_made(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._bus.holding:
            self._answer_pings()
            return
        while not self._closed and len(self._received) >= PREFIX_BYTES:
            try:
                length = packet_length(self._received)
            except BadPacket as problem:
                self._bus.log.warning(f"{problem} from {self.peer}")
                self.close()
                return
            if len(self._received) < length:
                break
            packet = bytes(self._received[:length])
            del self._received[:length]
            if not self._bus.packet_came(self, packet):
                self.close()
        self._bus.flush_soon()

    def _answer_pings(self) -> None:
        """While a script keeps the loop waiting: say that we live, and leave all else for later."""
        while len(self._received) >= self._scanned + KNOWN_BYTES:
            head = bytes(self._received[self._scanned : self._scanned + KNOWN_BYTES])
            try:
                end = self._scanned + packet_length(head)
            except BadPacket:
                return
            if len(self._received) < end:
                return
            self._scanned = end
            if packet_kind(head)[1] == PING:
                self._bus.say_alive(self)

    def go_on(self) -> None:
        """Take in what came meanwhile."""
        self._scanned = 0
        self.data_received(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed:
            self._bus.log.debug(f"I/O error reading from node link: {exc or 'connection closed'}")
            self.close()
            self._bus.flush_soon()

    # --- node.Link -------------------------------------------------------------------------------

    def send(self, packet: bytes) -> None:
        if self._closed:
            return
        self._queue.append(packet)
        self._queued += len(packet) + BLOCK_BYTES
        self._bus.flush_soon()

    def flush(self) -> None:
        """Hand what waits to the socket, once there is one."""
        if self._queue and self.transport is not None and not self._closed:
            queue, self._queue, self._queued = self._queue, [], 0
            self.transport.write(b"".join(queue))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.clear()
        self._queued = 0
        self._received.clear()
        self._bus.link_closed(self)
        if self.transport is not None:
            self.transport.abort()
        elif self.attempt is not None:
            self.attempt.cancel()

    abort = close

    @property
    def queued_bytes(self) -> int:
        transport = self.transport
        sending = transport.get_write_buffer_size() if transport is not None and not self._closed else 0
        return EMPTY_BYTES + self._queued + sending

    @property
    def memory(self) -> int:
        """All it takes, in bytes, about as Redis counts."""
        return self.queued_bytes + max(RECEIVE_BYTES, len(self._received))

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def events(self) -> str:
        """What the loop waits for, as CLUSTER LINKS shows it: r for reading, w for writing."""
        if self.transport is None:
            return ""
        return "rw" if self.queued_bytes > EMPTY_BYTES else "r"

    @property
    def fd(self) -> int:
        """The socket's descriptor; -1 if there is none to be read."""
        if self.transport is None or self._closed or self.transport.is_closing():
            return -1
        sock = self.transport.get_extra_info("socket")
        return -1 if sock is None else int(sock.fileno())

    def _name(self, which: str) -> tuple[str, int]:
        name = None if self.transport is None else self.transport.get_extra_info(which)
        return (str(name[0]), int(name[1])) if isinstance(name, tuple) else ("", 0)

    @property
    def peer_ip(self) -> str:
        return self._name("peername")[0]

    @property
    def local_ip(self) -> str:
        return self._name("sockname")[0]

    @property
    def peer(self) -> str:
        """Its address and port, for the log."""
        return "{}:{}".format(*self._name("peername"))
