"""TLS over any asyncio transport: the protocol of a socket, and the transport of whoever talks through it.

asyncio's own TLS binds a listener to one context for good, keeps quiet about handshakes that fail, and its
connections are nobody's until they succeed.  Here the context may change between two connections, each
failure has a reason, and a connection can be counted, and closed, from its first byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Final

HANDSHAKE_SECONDS: Final = 60.0
RECORD_BYTES: Final = 1 << 14
"""SSL_read returns one record at most: asked for so much, it leaves nothing behind in OpenSSL."""
PUSH_BYTES: Final = 1 << 18
"""Long output goes on its way in pieces of this size."""

SHAKING, OPEN, ENDING, CLOSED = range(4)
EOF_REASON: Final = "unexpected eof while reading"


class TlsTransport(asyncio.Protocol, asyncio.Transport):
    """One TLS connection between ``transport``, below, and *protocol*, above.

    As a server *protocol* is connected at once, and what it writes during the handshake waits; as a client it
    is connected when the handshake has succeeded.  *failed* hears once why a handshake did not; then the
    connection closes.  A handshake may take *timeout* seconds.
    """

    __slots__ = (
        "_failed", "_incoming", "_outgoing", "_paused", "_protocol", "_server_side", "_state", "_timeout", "_timer",
        "_tls", "_waiting", "transport",
    )  # fmt: skip

    def __init__(
        self,
        protocol: asyncio.Protocol,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        failed: Callable[[str], None],
        hostname: str | None = None,
        timeout: float = HANDSHAKE_SECONDS,
    ) -> None:
        super().__init__()
        self._protocol = protocol
        self._server_side = server_side
        self._failed = failed
        self._timeout = timeout
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side, server_hostname=hostname)
        self._waiting: list[bytes] = []
        self._state = SHAKING
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport

    # --- the transport below calls ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._timer = asyncio.get_running_loop().call_later(self._timeout, self._timed_out)
        if self._server_side:
            self._protocol.connection_made(self)
        else:
            self._shake()

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if self._state != OPEN:
            if self._state == CLOSED:
                return
            self._shake()
            if self._state != OPEN:
                return
        if not self._paused:
            self._pump()

    def eof_received(self) -> bool | None:
        if self._state == OPEN:
            return self._protocol.eof_received()
        self._fail(EOF_REASON)
        return False

    def pause_writing(self) -> None:
        if self._state == OPEN or self._server_side:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        if self._state == OPEN or self._server_side:
            self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        connected = self._server_side or self._state == OPEN
        self._fail(EOF_REASON if exc is None else str(exc))
        self._stop_timer()
        was_open, self._state = self._state == OPEN, CLOSED
        if connected or was_open:
            self._protocol.connection_lost(exc)

    # --- asyncio.Transport -----------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._state == OPEN:
            if not data:
                return
            try:
                sent = self._tls.write(data)
                if sent < len(data):
                    self._write_rest(memoryview(data)[sent:])
            except ssl.SSLError:
                self.abort()
                return
            self.transport.write(self._outgoing.read())
        elif self._state == SHAKING:
            self._waiting.append(bytes(data))

    def _write_rest(self, data: memoryview[Any]) -> None:
        while data:
            if self._outgoing.pending >= PUSH_BYTES:
                self.transport.write(self._outgoing.read())
            data = data[self._tls.write(data) :]

    def get_write_buffer_size(self) -> int:
        waiting = sum(map(len, self._waiting)) if self._waiting else 0
        return self.transport.get_write_buffer_size() + waiting

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.transport.set_write_buffer_limits(high, low)

    def pause_reading(self) -> None:
        self._paused = True
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        self.transport.resume_reading()
        if self._incoming.pending:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._state == OPEN and not self._paused:
            self._pump()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._tls if name == "ssl_object" else self.transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol  # type: ignore[assignment]

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self._state >= ENDING or self.transport.is_closing()

    def close(self) -> None:
        """Close when everything written has left; during a handshake it has to succeed first."""
        if self._state == OPEN:
            self._state = CLOSED
            with contextlib.suppress(ssl.SSLError):  # that the peer has not said goodbye yet
                self._tls.unwrap()
            self._push()
            self.transport.close()
        elif self._state == SHAKING:
            if self._waiting:
                self._state = ENDING
            else:
                self._state = CLOSED
                self.transport.close()

    def abort(self) -> None:
        self._state = CLOSED
        self.transport.abort()

    # --- TLS -------------------------------------------------------------------------------------

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._push()
            return
        except ssl.SSLError as error:
            self._push()  # the alert that says why
            self._fail(explain(error))
            return
        ending, self._state = self._state == ENDING, OPEN
        self._stop_timer()
        self._push()
        if not self._server_side:
            self._protocol.connection_made(self)
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.write(b"".join(waiting))
        if ending:
            self.close()

    def _pump(self) -> None:
        """Hand up everything that can be decrypted."""
        read, incoming, protocol = self._tls.read, self._incoming, self._protocol
        try:
            while True:
                data = read(RECORD_BYTES)
                if not data:
                    if not protocol.eof_received():
                        self.close()
                    break
                protocol.data_received(data)
                if not incoming.pending or self._paused or self._state != OPEN:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._push()
            self.abort()
            return
        if self._outgoing.pending:
            self._push()

    def _push(self) -> None:
        if self._outgoing.pending:
            self.transport.write(self._outgoing.read())

    def _fail(self, reason: str) -> None:
        """The handshake is over, without success."""
        if self._state not in (SHAKING, ENDING):
            return
        self._state = CLOSED
        self._stop_timer()
        self._waiting.clear()
        self._failed(reason)
        self.transport.close()

    def _timed_out(self) -> None:
        self._fail("handshake timed out")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def explain(error: ssl.SSLError) -> str:
    """Why, in OpenSSL's words: ``error:SSL routines::wrong version number``."""
    if isinstance(error, ssl.SSLEOFError):
        return EOF_REASON
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    return f"{error.library} routines::{error.reason.lower().replace('_', ' ')}" if error.reason else str(error)
