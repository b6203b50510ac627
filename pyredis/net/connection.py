"""One client connection: bytes in, ``dispatch.run``, bytes out.  Knows no command."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from ..engine.client import Client
from ..engine.dispatch import drain, end_turn, run
from .admission import refusal
from .limits import over_output_limit

if TYPE_CHECKING:
    from ..engine.server import Server

READ_PAUSE_BYTES = 1 << 20
"""A blocked client that keeps sending is not read from beyond this many unexecuted bytes."""


def flush_others(server: Server) -> None:
    """Send what commands left in the output of clients other than the one that ran them."""
    end_turn(server)
    while server.to_flush or server.resumable:
        drain(server)
        clients, server.to_flush = server.to_flush, []
        for client in clients:
            client.to_flush = False
            client.transport.wake()


class Connection(asyncio.Protocol):
    """Feeds a socket's bytes to ``run`` and writes the replies of each batch at once."""

    __slots__ = (
        "_closing",
        "_reading",
        "client",
        "fd",
        "is_local",
        "is_unix",
        "local",
        "peer",
        "server",
        "transport",
    )

    def __init__(self, server: Server) -> None:
        self.server = server
        self.peer = b""
        self.local = b""
        self.fd = -1
        self.is_local = True
        self.is_unix = False
        self._reading = True
        self._closing = False

    # --- the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        server = self.server
        self._describe_socket(transport.get_extra_info("socket"))
        denied = refusal(server, self.is_local)
        self.client = client = Client(server, self)
        if denied is not None:
            server.rejected_connections += 1
            client.out.append(denied)
            client.close()
            return
        server.connections_received += 1
        server.clients[client.id] = client
        server.client_opened(client)

    def data_received(self, data: bytes) -> None:
        client, server = self.client, self.server
        run(client, data)
        if server.group_commit is not None:  # replies leave after the AOF has reached the disk
            server.group_commit(client)
            return
        out = client.out
        if out:
            reply = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            client.output_bytes += len(reply)
            self.transport.write(reply)
            if server.output_limits is not None:
                self._check_output()
        if client.halted:
            self._pause_if_flooded()
        if server.to_flush or server.resumable or server.before_sleep:
            flush_others(server)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        server = self.server
        server.forget(self.client)
        self.client.closing = self.client.halted = True
        if server.to_flush or server.resumable:
            flush_others(server)

    # --- engine.client.Transport -----------------------------------------------------------------

    def wake(self) -> None:
        client = self.client
        out = client.out
        if out:
            reply = b"".join(out)
            out.clear()
            client.output_bytes += len(reply)
            if not self._closing:
                self.transport.write(reply)
                self._check_output()
        if not self._reading and not client.halted and not self._closing:
            self._reading = True
            self.transport.resume_reading()

    def close(self) -> None:
        if not self._closing:
            self.wake()
            self._closing = True
            asyncio.get_running_loop().call_soon(self._close)

    def _close(self) -> None:
        out = self.client.out
        if out:  # what the command that asked for the close still replied
            self.transport.write(b"".join(out))
            out.clear()
        self.transport.close()

    def abort(self) -> None:
        self._closing = True
        self.client.closing = self.client.halted = True
        self.transport.abort()

    def buffered(self) -> int:
        return self.transport.get_write_buffer_size()

    # --- limits ----------------------------------------------------------------------------------

    def _check_output(self) -> None:
        if over_output_limit(self.server, self.client, self.transport.get_write_buffer_size()):
            self.server.log.warning(
                f"Client {self.server.describe_client(self.client)} closed for overcoming of output buffer limits."
            )
            self.abort()

    def _pause_if_flooded(self) -> None:
        """Input of a client that may not run is kept, up to a point; then the peer has to wait."""
        pending = self.client.parser.pending
        if pending > self.server.config.client_query_buffer_limit:
            self.abort()
        elif self._reading and pending > READ_PAUSE_BYTES and not self._closing:
            self._reading = False
            self.transport.pause_reading()

    def _describe_socket(self, sock: socket.socket | None) -> None:
        if sock is None:
            return
        self.fd = sock.fileno()
        if sock.family == socket.AF_UNIX:
            self.is_unix = True
            path = self.server.config.unixsocket
            self.peer = self.local = b"%b:0" % path.encode()
            return
        peer, local = sock.getpeername(), sock.getsockname()
        self.peer, self.local = _address(peer), _address(local)
        self.is_local = peer[0].startswith("127.") or peer[0] in ("::1", "::ffff:127.0.0.1")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keepalive = self.server.config.tcp_keepalive
        if keepalive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, keepalive // 3))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def _address(name: tuple[str, int]) -> bytes:
    """``ip:port`` as Redis prints it: IPv6 in brackets (anet.c anetFormatAddr)."""
    host, port = name[0], name[1]
    return f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()
