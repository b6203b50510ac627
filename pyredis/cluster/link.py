"""One connection of the bus: bytes to packets, packets to bytes (cluster.h clusterLink)."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from .messages import BadPacket, packet_length
from .node import Node

if TYPE_CHECKING:
    from .bus import Bus

PREFIX_BYTES: Final = 8
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
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self._queue: list[bytes] = []
        self._queued = 0
        self._received = bytearray()

    # --- the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self._closed:
            self._transport.abort()  # type: ignore[union-attr]
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._bus.link_made(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
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
        if self._queue and self._transport is not None and not self._closed:
            queue, self._queue, self._queued = self._queue, [], 0
            self._transport.write(b"".join(queue))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.clear()
        self._queued = 0
        self._received.clear()
        self._bus.link_closed(self)
        if self._transport is not None:
            self._transport.abort()
        elif self.attempt is not None:
            self.attempt.cancel()

    @property
    def queued_bytes(self) -> int:
        transport = self._transport
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
        if self._transport is None:
            return ""
        return "rw" if self.queued_bytes > EMPTY_BYTES else "r"

    def _name(self, which: str) -> tuple[str, int]:
        name = None if self._transport is None else self._transport.get_extra_info(which)
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
