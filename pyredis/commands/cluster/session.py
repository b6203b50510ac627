"""ASKING, READONLY, READWRITE: what a client is ready for (cluster.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...registry.command import Argv, Reply, command
from ...registry.flags import FAST, LOADING, SETS_ONE_SHOT, STALE
from ...resp.encode import OK
from .common import of

if TYPE_CHECKING:
    from ...engine.client import Client


@command("ASKING", arity=1, flags=FAST | SETS_ONE_SHOT, acl="connection")
def asking(client: Client, argv: Argv) -> Reply:
    """ASKING"""
    of(client)
    client.asking = client.one_shot = True
    client.update_careful()
    return OK


@command("READONLY", arity=1, flags=LOADING | STALE | FAST, acl="connection")
def readonly(client: Client, argv: Argv) -> Reply:
    """READONLY"""
    of(client)
    client.readonly = True
    return OK


@command("READWRITE", arity=1, flags=LOADING | STALE | FAST, acl="connection")
def readwrite(client: Client, argv: Argv) -> Reply:
    """READWRITE"""
    of(client)
    client.readonly = False
    return OK
