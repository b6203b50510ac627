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
    """What the server listens on by kind: ``tcp``, ``tls``, ``unix``.

    Opening and closing take effect at once, as CONFIG SET promises: the kernel queues connections from
    then on, and the loop accepts them in its next turn.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: dict[str, list[_Listener]] = {}
        self.ports: dict[str, int] = {}

    def open_all(self) -> None:
        """Open everything configured.  Raises ListenError."""
        config = self._server.config
        if config.port:
            self.open_port("tcp", config.port)
        if config.unixsocket:
            self._open_unix(config.unixsocket, config.unixsocketperm)
        if not self._open:
            self._server.log.warning("Configured to not listen anywhere, exiting.")
            raise ListenError

    def open_port(self, kind: str, port: int, context: ssl.SSLContext | None = None) -> None:
        """Listen on *port* of every address of ``bind``; port -1 picks a free one.  Raises ListenError."""
        try:
            self._serve(kind, self._bind(port), context)
        except OSError:
            self._server.log.warning(f"Failed listening on port {port} ({kind}), aborting.")
            raise ListenError from None

    def _bind(self, port: int) -> list[socket.socket]:
        """Listening sockets for *port* of every address of ``bind`` (server.c listenToPort).  Raises OSError."""
        sockets: list[socket.socket] = []
        for address in self._server.config.bind:
            optional = address.startswith("-")
            host = address.removeprefix("-")
            try:
                sockets.append(listen_tcp(host, port, self._server.config.tcp_backlog))
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

    def _serve(self, kind: str, sockets: list[socket.socket], context: ssl.SSLContext | None) -> None:
        backlog = self._server.config.tcp_backlog
        self._open[kind] = [_Listener(sock, self._protocol, context, backlog) for sock in sockets]
        if sockets and sockets[0].family != socket.AF_UNIX:
            self.ports[kind] = sockets[0].getsockname()[1]

    def _protocol(self) -> Connection:
        return Connection(self._server)

    def _open_unix(self, path: str, permissions: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(path)
            if permissions:
                os.chmod(path, permissions)
            sock.listen(self._server.config.tcp_backlog)
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            self._server.log.warning(f"Failed opening Unix socket: bind: {error.strerror}")
            raise ListenError from None
        self._serve("unix", [sock], None)

    def rebind(self, kind: str, port: int, refusal: str, context: ssl.SSLContext | None = None) -> None:
        """Close, then listen anew (server.c changeListener).  Raises ConfigRefused with *refusal*."""
        self.close(kind)
        if not port:
            return
        try:
            self._serve(kind, self._bind(port), context)
        except OSError:
            raise ConfigRefused(refusal) from None

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

    def plain_sockets(self) -> list[socket.socket]:
        """The listening sockets of connections without TLS."""
        return [listener.socket for kind, listeners in self._open.items() if kind != "tls" for listener in listeners]

    def describe(self) -> list[str]:
        """The ``listenerN`` lines of INFO server."""
        config = self._server.config
        lines = []
        for kind, listeners in self._open.items():
            if kind == "unix":
                addresses = [config.unixsocket]
            else:
                addresses = list(config.bind)
            binds = "".join(f",bind={address}" for address in addresses[: max(1, len(listeners))])
            port = "" if kind == "unix" else f",port={self.ports.get(kind, config.port)}"
            lines.append(f"name={kind}{binds}{port}")
        return lines


class _Listener:
    """One listening socket, from the moment it listens."""

    __slots__ = ("_server", "_start", "socket")

    def __init__(
        self, sock: socket.socket, protocol: Callable[[], Connection], context: ssl.SSLContext | None, backlog: int
    ) -> None:
        self.socket = sock
        self._server: asyncio.AbstractServer | None = None
        self._start = asyncio.get_running_loop().create_task(self._accept(protocol, context, backlog))

    async def _accept(self, protocol: Callable[[], Connection], context: ssl.SSLContext | None, backlog: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(protocol, sock=self.socket, ssl=context, backlog=backlog)

    def close(self) -> None:
        self._start.cancel()
        if self._server is not None:
            self._server.close()
        else:
            self.socket.close()


def listen_tcp(host: str, port: int, backlog: int) -> socket.socket:
    """A listening TCP socket; ``*`` is every IPv4 and ``::*`` every IPv6 address.  Raises OSError."""
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
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def bind_reason(error: OSError) -> str:
    """*error* in the words of anet.c."""
    return f"bind: {error.strerror}"
