"""Listening sockets, and why there is none, in the words of anet.c."""

from __future__ import annotations

import errno
import socket


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
