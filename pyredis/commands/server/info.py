"""INFO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...engine.info import render
from ...registry.command import Argv, Reply, command
from ...registry.flags import LOADING, STALE

if TYPE_CHECKING:
    from ...engine.client import Client


@command(
    "INFO", arity=-1, flags=LOADING | STALE, acl="dangerous",
    tips=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)  # fmt: skip
def info(client: Client, argv: Argv) -> Reply:
    """INFO [section [section ...]]"""
    wanted = [word.decode("latin-1").lower() for word in argv[1:]]
    return client.wire.verbatim(render(client.server, wanted), b"txt")
