"""One client connection: bytes in, ``dispatch.run``, bytes out.  Knows no command."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from ..engine.buffers import REPLY_BUFFER
from ..engine.client import DETACHED, Client
from ..engine.dispatch import drain, end_turn, run
from ..util.addresses import printed_address
from ..util.quoting import quote
from .admission import denied, full, is_full
from .limits import OUTPUT_PAUSE_BYTES, READ_PAUSE_BYTES, over_output_limit

if TYPE_CHECKING:
    from ..engine.server import Server

INPUT_CHECK_BYTES = 1 << 18
"""How often the size of an incomplete command is compared with client-query-buffer-limit."""
CLOSE_NS = 15_000
"""Chunks that follow each other so soon came in one turn of the loop.  Only then is it worth a call at the turn's end,
which costs 3 us: a client that is alone waits for nothing."""


def finish_turn(server: Server) -> None:
    """Run the hooks of the turn's end (the AOF is written), then send what is in the output of clients.

    Under load once per turn of the loop, as in server.c beforeSleep: whoever reads the replies is woken up once for
    many of them, which spares a tenth of all work.
    """
    server.finishing = False
    end_turn(server)
    while server.to_flush or server.resumable:
        drain(server)
        clients, server.to_flush = server.to_flush, []
        for client in clients:
            client.to_flush = False
            client.transport.wake()


class Connection(asyncio.Protocol):
    """Feeds a socket's bytes to ``run``; the replies of each turn of the loop leave at its end.

    The transport tells when more than ``REPLY_BUFFER`` bytes wait to be sent; only then, and for replies
    that are bigger than that, are limits looked at.
    """

    __slots__ = (
        "_checked_input",
        "_closing",
        "_congested",
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
        self._congested = False
        self._checked_input = 0

    # --- the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        server = self.server
        if is_full(server):
            server.rejected_connections += 1
            self._closing = True
            self.transport.write(full(server))
            self.transport.close()
            return
        self._describe_socket(transport.get_extra_info("socket"))
        self.transport.set_write_buffer_limits(high=REPLY_BUFFER)
        self.client = client = Client(server, self)
        refusal = denied(server, self.is_local)
        if refusal is not None:
            server.rejected_connections += 1
            client.out.append(refusal)
            client.close()
            return
        server.connections_received += 1
        server.clients[client.id] = client
        server.client_opened(client)

    def data_received(self, data: bytes) -> None:
        client, server = self.client, self.server
        server.reads += 1
        before = server.now
        run(client, data)
        if client.halted or not client.parser.idle:
            self._check_input()
        if server.client_memory is not None:
            server.client_memory(client)
        if client.out:
            if client.to_flush:  # by an earlier chunk of this turn: let no more gather
                finish_turn(server)
                return
            client.to_flush = True
            server.to_flush.append(client)
        if server.finishing:
            return
        if server.finish_soon is not None and (server.before_sleep or client.last_interaction - before < CLOSE_NS):
            server.finishing = True
            server.finish_soon()
        else:
            finish_turn(server)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False
        self._update_reading()
        if self.client.replica is not None:  # which may have much more to come
            self.client.replica.writable()
        else:
            self.client.soft_limit_since = 0

    def connection_lost(self, exc: Exception | None) -> None:
        server = self.server
        self._closing = True
        if not hasattr(self, "client"):  # it was not admitted
            return
        server.forget(self.client)
        self.client.closing = self.client.halted = True
        if server.to_flush or server.resumable:
            finish_turn(server)
        self.client.transport = DETACHED  # else a cycle, which would be left to the garbage collector

    # --- engine.client.Transport -----------------------------------------------------------------

    @property
    def plain_descriptor(self) -> int:
        tls = self.transport.get_extra_info("ssl_object") or self.transport.get_extra_info("sslcontext")
        return -1 if tls is not None else self.fd

    def wake(self) -> None:
        client = self.client
        out = client.out
        if out and not self._closing and not self.transport.is_closing():  # a peer may go before the turn ends
            reply = b"".join(out)
            out.clear()
            size = len(reply)
            client.output_bytes += size
            if size > client.peak_output:
                client.peak_output = size
            if size > REPLY_BUFFER or self._congested:
                self._write_checked(reply)
            else:
                self.transport.write(reply)
        if not self._reading:
            self._update_reading()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._close)

    def _close(self) -> None:
        out = self.client.out
        if out and not self.transport.is_closing():  # what the command that asked for the close still replied
            end_turn(self.server)
            self.transport.write(b"".join(out))
        out.clear()
        self.server.forget(self.client)
        self.transport.close()

    def abort(self) -> None:
        self._closing = True
        self.client.closing = self.client.halted = True
        self.client.out.clear()
        self.server.forget(self.client)
        self.transport.abort()

    def buffered(self) -> int:
        return self.transport.get_write_buffer_size()

    # --- limits ----------------------------------------------------------------------------------

    def _write_checked(self, reply: bytes) -> None:
        """Write *reply* unless it makes too much output; then nothing of it leaves and the client goes."""
        pending = self.transport.get_write_buffer_size() + len(reply)
        if self.client.replica is not None:
            pending += self.client.replica.unsent()
        if over_output_limit(self.server, self.client, pending):
            self._drop()
            return
        self.transport.write(reply)
        if pending > OUTPUT_PAUSE_BYTES and self._reading:
            self._update_reading()
        if self.server.client_memory is not None:
            self.server.client_memory(self.client)

    def check_output(self) -> None:
        """From the cron: the soft limit holds without traffic, too."""
        if self._congested and not self._closing:
            pending = self.transport.get_write_buffer_size()
            if self.client.replica is not None:
                pending += self.client.replica.unsent()
            if over_output_limit(self.server, self.client, pending):
                self._drop()

    def _drop(self) -> None:
        self.server.log.warning(
            f"Client {self.server.describe_client(self.client)} scheduled to be closed ASAP for overcoming of "
            "output buffer limits."
        )
        self.abort()

    def _check_input(self) -> None:
        """Input of a client that may not run is kept, up to a point; so is a command that does not end."""
        client = self.client
        if client.halted:
            pending = client.parser.pending
            if self._reading and pending > READ_PAUSE_BYTES:
                self._update_reading()
        elif client.input_bytes - self._checked_input < INPUT_CHECK_BYTES:
            return
        else:
            self._checked_input = client.input_bytes
            pending = client.parser.pending + client.parser.gathered
        if pending > self.server.config.client_query_buffer_limit and not self._closing:
            start = quote(client.parser.peek(64)).decode("latin-1")
            self.server.log.warning(
                f"Closing client that reached max query buffer length: {self.server.describe_client(client)} "
                f"(qbuf initial bytes: {start})"
            )
            self.abort()

    def _update_reading(self) -> None:
        """Let the peer wait while it leaves too much output unread, or sends too much that cannot run yet."""
        if self._closing:
            return
        client = self.client
        flooded = client.halted and client.parser.pending > READ_PAUSE_BYTES
        wanted = not flooded and self.transport.get_write_buffer_size() <= OUTPUT_PAUSE_BYTES
        if wanted and not self._reading:
            self._reading = True
            self.transport.resume_reading()
        elif not wanted and self._reading:
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
        self.peer, self.local = printed_address(peer), printed_address(local)
        self.is_local = peer[0].startswith("127.") or peer[0] in ("::1", "::ffff:127.0.0.1")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keepalive = self.server.config.tcp_keepalive
        if keepalive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, keepalive // 3))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
