"""The sockets a server listens on: TCP (several addresses), TLS and UNIX."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from ..errors import ConfigRefused
from ..util.sockets import listen_all
from .connection import Connection
from .tls import accept_tls

if TYPE_CHECKING:
    from ..engine.server import Server

Factory = Callable[[], asyncio.Protocol]
NO_PORT: Final = "Unable to listen on this port. Check server logs."
NO_ADDRESS: Final = "Failed to bind to specified addresses."
ORDER: Final = ("tcp", "unix", "tls")
"""The numbers of the kinds in INFO."""


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
        self._factories: dict[str, Factory] = {
            "tcp": partial(Connection, server),
            "unix": partial(Connection, server),
            "tls": partial(accept_tls, server),
        }
        self.ports: dict[str, int] = {}

    def open_all(self) -> None:
        """Open everything configured, and follow CONFIG SET from then on.  Raises ListenError."""
        config = self._server.config
        self._prepare_tls()
        if config.port:
            self.open_port("tcp", config.port)
        if config.unixsocket:
            self._open_unix(config.unixsocket, config.unixsocketperm)
        if config.tls_port:
            self.open_port("tls", config.tls_port)
        if not self._open:
            self._server.log.warning("Configured to not listen anywhere, exiting.")
            raise ListenError
        config.on_change("bind", self._apply_bind)
        config.on_change("port", self._apply_port)
        config.on_change("tls-port", self._apply_tls_port)

    def _prepare_tls(self) -> None:
        tls = self._server.tls
        if tls.wanted:
            try:
                tls.configure()
            except ConfigRefused:
                self._server.log.warning("Failed to configure TLS. Check logs for more info.")
                raise ListenError from None

    # --- CONFIG SET ------------------------------------------------------------------------------

    def _apply_bind(self) -> None:
        """Both ports move, or none (config.c applyBind)."""
        config = self._server.config
        try:
            self.rebind("tcp", config.port, NO_ADDRESS)
            if config.tls_port:
                self.rebind("tls", config.tls_port, NO_ADDRESS)
        except ConfigRefused:
            self.close("tcp")
            self.close("tls")
            raise

    def _apply_port(self) -> None:
        self.rebind("tcp", self._server.config.port, NO_PORT)

    def _apply_tls_port(self) -> None:
        self._server.tls.ensure()
        self.rebind("tls", self._server.config.tls_port, NO_PORT)

    # --- opening and closing ---------------------------------------------------------------------

    def open_port(self, kind: str, port: int) -> None:
        """Listen on *port* of every address of ``bind``; port -1 picks a free one.  Raises ListenError."""
        try:
            self._serve(kind, self._bind(port))
        except OSError:
            self._server.log.warning(f"Failed listening on port {port} ({kind}), aborting.")
            raise ListenError from None

    def _bind(self, port: int) -> list[socket.socket]:
        """Listening sockets for *port* of every address of ``bind`` (server.c listenToPort).  Raises OSError."""
        config = self._server.config
        return listen_all(config.bind, port, config.tcp_backlog, self._server.log.warning)

    def _serve(self, kind: str, sockets: list[socket.socket]) -> None:
        backlog = self._server.config.tcp_backlog
        self._open[kind] = [_Listener(sock, self._factories[kind], backlog) for sock in sockets]
        if sockets and sockets[0].family != socket.AF_UNIX:
            self.ports[kind] = sockets[0].getsockname()[1]

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
        self._serve("unix", [sock])

    def rebind(self, kind: str, port: int, refusal: str) -> None:
        """Close, then listen anew (server.c changeListener).  Raises ConfigRefused with *refusal*."""
        self.close(kind)
        if not port:
            return
        try:
            self._serve(kind, self._bind(port))
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
        return [kind for kind in ORDER if kind in self._open]

    def acceptors(self) -> list[tuple[socket.socket, Factory]]:
        """The listening sockets, each with what makes the protocol of a new connection."""
        return [(listener.socket, self._factories[kind]) for kind in self._open for listener in self._open[kind]]

    def describe(self) -> list[tuple[int, str]]:
        """The ``listenerN`` lines of INFO server: numbers and texts."""
        config = self._server.config
        lines = []
        for kind in self.kinds:
            listeners = self._open[kind]
            if kind == "unix":
                addresses = [config.unixsocket]
            else:
                addresses = list(config.bind)
            binds = "".join(f",bind={address}" for address in addresses[: max(1, len(listeners))])
            configured = config.tls_port if kind == "tls" else config.port
            port = "" if kind == "unix" else f",port={self.ports.get(kind, configured)}"
            lines.append((ORDER.index(kind), f"name={kind}{binds}{port}"))
        return lines


class _Listener:
    """One listening socket, from the moment it listens."""

    __slots__ = ("_server", "_start", "socket")

    def __init__(self, sock: socket.socket, factory: Factory, backlog: int) -> None:
        self.socket = sock
        self._server: asyncio.AbstractServer | None = None
        self._start = asyncio.get_running_loop().create_task(self._accept(factory, backlog))

    async def _accept(self, factory: Factory, backlog: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(factory, sock=self.socket, backlog=backlog)

    def close(self) -> None:
        self._start.cancel()
        if self._server is not None:
            self._server.close()
        else:
            self.socket.close()
