"""The users of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import WrongPassword
from ..registry.flags import GATE_ACL

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.keyspace import Keyspace
    from ..registry.command import Argv, Command


class User:
    """A user and what it may do."""

    __slots__ = ("name", "nopass", "unrestricted")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.unrestricted = True
        self.nopass = True


class AclStore:
    """All users by name; ``default_user`` is who a new connection is."""

    def __init__(self, server: Keyspace) -> None:
        self._server = server
        self.users: dict[bytes, Any] = {}
        self.default_user = User(b"default")

    def config_lines(self) -> list[bytes]:
        """Users as CONFIG REWRITE puts them into the configuration file, each beginning with its name."""
        return []

    def set_user(self, client: Client, user: User) -> None:
        """Let *client* act as *user* from now on."""
        client.user = user
        client.restrict(GATE_ACL, not user.unrestricted)

    def authenticate(self, client: Client, name: bytes, password: bytes) -> None:
        """Log *client* in.  Raises WrongPassword."""
        user = self.users.get(name)
        if user is None or not user.nopass:
            raise WrongPassword
        self.set_user(client, user)
        client.set_authenticated(True)

    def reads_every_key(self, client: Client, argv: Argv) -> bool:
        """Whether *client*'s user may run *argv* and read any key at all, which SORT's patterns need."""
        return bool(client.user.unrestricted)

    def check_or_raise(self, client: Client, command: Command, argv: Argv) -> None:
        """Raise NoPermission if *client*'s user may not run *argv*."""
