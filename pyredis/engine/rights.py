"""Puts a profile of rights (acl.profiles) in force: rights-profile, and the users of operator and replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..acl.profiles import Rights
from ..registry.flags import GATE_PROFILE

if TYPE_CHECKING:
    from .server import Server


def install(server: Server) -> None:
    """Limit the default user and follow the directives; all commands have to be declared by now."""
    config = server.config
    if config.rights_profile != "none":
        server.acl.rights = Rights.of(config.rights_profile)
        for command in list(server.commands.values()):
            for each in (command, *(command.subcommands or {}).values()):
                if each.name in server.acl.rights.denied:
                    each.gates |= GATE_PROFILE
        if server.acl.rights.hides:
            server.concealed = server.acl.rights.conceal(server.commands)
            server.stats.refresh_commands()
    server.acl.apply_profile()
    config.on_change("operator-password", server.acl.follow_passwords)
    config.on_change("replication-password", server.acl.follow_passwords)
