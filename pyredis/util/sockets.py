"""Listening sockets, and why there is none, in the words of anet.c."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterable

_UNSUPPORTED = {
    errno.ENOPROTOOPT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPFNOSUPPORT, errno.EAFNOSUPPORT,
}  # fmt: skip


def listen_all(addresses: Iterable[str], port: int, backlog: int, warn: Callable[[str], None]) -> list[socket.socket]:
    """Listening sockets for *port* of every address of ``bind`` (server.c listenToPort).

    An address with ``-`` in front may be missing; so may what the machine does not support.  *warn* hears of each
    failure.  Raises OSError; then none listens.
    """
    sockets: list[socket.socket] = []
    for address in addresses:
        optional, host = address.startswith("-"), address.removeprefix("-")
        try:
            sockets.append(listen_tcp(host, port, backlog))
        except OSError as error:
            warn(f"Warning: Could not create server TCP listening socket {host}:{port}: {bind_reason(error)}")
            if (optional and error.errno == errno.EADDRNOTAVAIL) or error.errno in _UNSUPPORTED:
                continue
            for bound in sockets:
                bound.close()
            raise
    return sockets


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
