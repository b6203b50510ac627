"""Who may connect at all: maxclients and protected mode (networking.c acceptCommonHandler, clientAcceptHandler)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.server import Server

TOO_MANY_CLIENTS = b"-ERR max number of clients reached\r\n"
TOO_MANY_CONNECTIONS = b"-ERR max number of clients + cluster connections reached\r\n"
PROTECTED = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the "
    b"default user. In this mode connections are only accepted from the loopback interface. If you want to connect "
    b"from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode "
    b"sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the "
    b"same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. "
    b"Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by "
    b"editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the "
    b"server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' "
    b"option. 4) Set up an authentication password for the default user. NOTE: You only need to do one of the above "
    b"things in order for the server to start accepting connections from the outside.\r\n"
)


def is_full(server: Server) -> bool:
    """Whether there are as many clients, and connections of a cluster's bus, as ``maxclients`` allows."""
    others = server.cluster.connections if server.cluster is not None else 0
    return len(server.clients) + others >= server.config.maxclients


def full(server: Server) -> bytes:
    """What a connection is told that is one too many."""
    return TOO_MANY_CLIENTS if server.cluster is None else TOO_MANY_CONNECTIONS


def denied(server: Server, is_local: bool) -> bytes | None:
    """What protected mode tells a new connection that it does not admit; None if it does."""
    if not is_local and server.config.protected_mode and server.acl.default_user.nopass:
        return PROTECTED
    return None
