"""The follower's socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ConfigRefused
from ..util.addresses import printed_address
from ..util.tlstransport import TlsTransport

if TYPE_CHECKING:
    from ..engine.server import Server
    from .follower import Follower


class LeaderLink(asyncio.Protocol):
    """One attempt to reach a leader, and the connection it led to.  After ``close`` nobody hears of it."""

    def __init__(self, follower: Follower, flush: Callable[[], None]) -> None:
        self._follower = follower
        self._flush = flush
        self._transport: asyncio.Transport | None = None
        self.attempt: asyncio.Task[None] | None = None
        self.closed = False

    # --- the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self.closed:
            self._transport.abort()  # type: ignore[union-attr]
            return
        self._follower.link_made(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        if not self.closed:
            self._follower.received(self, data)
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed:
            self._follower.link_lost(self)
            self._flush()

    def failed(self, reason: str) -> None:
        """The attempt came to nothing."""
        if not self.closed:
            self._follower.link_failed(self, reason)
            self._flush()

    # --- follower.Link ---------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self.closed:
            self._transport.write(data)

    def close(self) -> None:
        self.closed = True
        if self._transport is not None:
            self._transport.abort()
        elif self.attempt is not None:
            self.attempt.cancel()

    def pause(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    def _name(self, which: str) -> tuple[Any, ...]:
        name = None if self._transport is None else self._transport.get_extra_info(which)
        return name if isinstance(name, tuple) else ("", 0)

    @property
    def peer(self) -> bytes:
        return printed_address(self._name("peername"))

    @property
    def local(self) -> bytes:
        return printed_address(self._name("sockname"))

    @property
    def fd(self) -> int:
        sock = None if self._transport is None else self._transport.get_extra_info("socket")
        return -1 if sock is None else int(sock.fileno())


class Linker:
    """Connects a follower to its leader on *loop*; ``flush`` sends what commands of the stream caused."""

    def __init__(
        self, server: Server, follower: Follower, loop: asyncio.AbstractEventLoop, flush: Callable[[], None]
    ) -> None:
        self._server = server
        self._follower = follower
        self._loop = loop
        self._flush = flush
        follower.connect = self.connect

    def connect(self, host: str, port: int) -> LeaderLink:
        """Begin to connect; the follower hears of the outcome."""
        link = LeaderLink(self._follower, self._flush)
        link.attempt = self._loop.create_task(self._connect(link, host, port))
        return link

    def close(self) -> None:
        """Hang up, and connect no more."""
        self._follower.connect = None
        if self._follower.link is not None:
            self._follower.link.close()

    async def _connect(self, link: LeaderLink, host: str, port: int) -> None:
        config = self._server.config

        def protocol() -> asyncio.Protocol:
            if not config.tls_replication:
                return link
            return TlsTransport(
                link, self._server.tls.connecting(), server_side=False, hostname=host, failed=link.failed,
                timeout=config.repl_timeout,
            )  # fmt: skip

        try:
            source = config.bind_source_addr
            await self._loop.create_connection(protocol, host, port, local_addr=(source, 0) if source else None)
        except OSError as error:
            link.failed(error.strerror or str(error))
        except (ConfigRefused, ValueError) as error:  # no context; a name that cannot be a server's
            link.failed(str(error))
