"""The sockets a server listens on: TCP (several addresses), TLS and UNIX."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ConfigRefused
from .connection import Connection

if TYPE_CHECKING:
    import ssl

    from ..engine.server import Server

_UNSUPPORTED = {
    errno.ENOPROTOOPT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPFNOSUPPORT, errno.EAFNOSUPPORT,
}  # fmt: skip


class ListenError(Exception):
    """A configured address cannot be listened on; the reason has been logged."""


class Listeners:
    """What the server listens on by kind: ``tcp``, ``tls``, ``unix``."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: dict[str, list[asyncio.Server]] = {}
        self.ports: dict[str, int] = {}

    async def open_all(self) -> None:
        """Open everything configured.  Raises ListenError."""
        config = self._server.config
        if config.port:
            await self.open_port("tcp", config.port)
        if config.unixsocket:
            await self._open_unix(config.unixsocket, config.unixsocketperm)
        if not self._open:
            self._server.log.warning("Configured to not listen anywhere, exiting.")
            raise ListenError

    async def open_port(self, kind: str, port: int, context: ssl.SSLContext | None = None) -> None:
        """Listen on *port* of every address of ``bind``; port -1 picks a free one.  Raises ListenError."""
        try:
            sockets = self.bind(port)
        except OSError:
            self._server.log.warning(f"Failed listening on port {port} ({kind}), aborting.")
            raise ListenError from None
        await self._serve(kind, sockets, context)

    def bind(self, port: int) -> list[socket.socket]:
        """Bound, not yet accepting sockets for *port* (server.c listenToPort).  Raises OSError."""
        sockets: list[socket.socket] = []
        for address in self._server.config.bind:
            optional = address.startswith("-")
            host = address.removeprefix("-")
            try:
                sockets.append(bind_tcp(host, port, self._server.config.tcp_backlog))
            except OSError as error:
                self._server.log.warning(
                    f"Warning: Could not create server TCP listening socket {host}:{port}: {bind_reason(error)}"
                )
                if (optional and error.errno == errno.EADDRNOTAVAIL) or error.errno in _UNSUPPORTED:
                    continue
                for bound in sockets:
                    bound.close()
                raise
        return sockets

    async def _serve(self, kind: str, sockets: list[socket.socket], context: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        backlog = self._server.config.tcp_backlog
        self._open[kind] = [
            await loop.create_server(self._protocol, sock=sock, ssl=context, backlog=backlog) for sock in sockets
        ]
        if sockets and sockets[0].family != socket.AF_UNIX:
            self.ports[kind] = sockets[0].getsockname()[1]

    def _protocol(self) -> Connection:
        return Connection(self._server)

    async def _open_unix(self, path: str, permissions: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(path)
            if permissions:
                os.chmod(path, permissions)
        except OSError as error:
            self._server.log.warning(f"Failed opening Unix socket: bind: {error.strerror}")
            raise ListenError from None
        await self._serve("unix", [sock], None)

    async def reopen(self, kind: str, sockets: list[socket.socket], context: ssl.SSLContext | None = None) -> None:
        """Replace the listening sockets of *kind*; connections stay."""
        self.close(kind)
        if sockets:
            await self._serve(kind, sockets, context)

    def rebind(self, kind: str, port: int, context: Callable[[], ssl.SSLContext | None] = lambda: None) -> None:
        """CONFIG SET port, bind: bind first, so that a failure leaves everything as it was."""
        if not port:
            self.close(kind)
            return
        same_port = self.ports.get(kind) == port
        if same_port:
            self.close(kind)
        try:
            sockets = self.bind(port)
        except OSError:
            raise ConfigRefused("Unable to listen on this port. Check server logs.") from None
        asyncio.get_running_loop().create_task(self.reopen(kind, sockets, context()))

    def close(self, kind: str) -> None:
        for listener in self._open.pop(kind, ()):
            listener.close()
        self.ports.pop(kind, None)

    def close_all(self) -> None:
        """Stop listening and remove the UNIX socket."""
        had_unix = "unix" in self._open
        for kind in list(self._open):
            self.close(kind)
        if had_unix:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._server.config.unixsocket)

    @property
    def kinds(self) -> list[str]:
        return list(self._open)


def bind_tcp(host: str, port: int, backlog: int) -> socket.socket:
    """A bound TCP socket; ``*`` is every IPv4 and ``::*`` every IPv6 address.  Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    host = {"*": "", "::*": "::"}.get(host, host)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            sock.bind((host, max(port, 0)))
        except socket.gaierror as error:
            raise OSError(errno.EADDRNOTAVAIL, "Name or service not known") from error
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def bind_reason(error: OSError) -> str:
    """*error* in the words of anet.c."""
    return f"bind: {error.strerror}"
