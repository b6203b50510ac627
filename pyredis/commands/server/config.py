"""CONFIG GET, SET, REWRITE and RESETSTAT (config.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...config.parameters import BY_NAME
from ...config.rewrite import rewrite
from ...errors import CommandError, InvalidSyntax
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, LOADING, NOSCRIPT, STALE
from ...resp.encode import OK, bulk
from ..help import help_reply

if TYPE_CHECKING:
    from ...engine.client import Client

ADMINISTRATIVE = ADMIN | NOSCRIPT | LOADING | STALE
EVERY_NODE = ("request_policy:all_nodes", "response_policy:all_succeeded")

HELP = (
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
)


@command("CONFIG", arity=-2)
def config_(client: Client, argv: Argv) -> Reply:
    """CONFIG subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("CONFIG|HELP", arity=2, flags=LOADING | STALE)
def config_help(client: Client, argv: Argv) -> Reply:
    """CONFIG HELP"""
    return help_reply("CONFIG", HELP)


@command("CONFIG|GET", arity=-3, flags=ADMINISTRATIVE)
def config_get(client: Client, argv: Argv) -> Reply:
    """CONFIG GET pattern [pattern ...]"""
    server = client.server
    found = server.config.get(argv[2:])
    readable = server.acl.readable_directives(client.user)
    if readable is not None:
        found = [(name, value) for name, value in found if BY_NAME[name.lower()].name in readable]
    return client.wire.map_header(len(found)) + b"".join([bulk(name) + bulk(value) for name, value in found])


@command("CONFIG|SET", arity=-4, flags=ADMINISTRATIVE, tips=EVERY_NODE)
def config_set(client: Client, argv: Argv) -> Reply:
    """CONFIG SET parameter value [parameter value ...]"""
    if len(argv) % 2:
        raise InvalidSyntax
    server = client.server
    pairs = list(zip(argv[2::2], argv[3::2], strict=True))
    client.redact(*(at + 1 for at in range(2, len(argv), 2) if server.config.is_sensitive(argv[at])))
    server.config.set(pairs, loading=server.loading, local=client.transport.is_local)
    return OK


@command("CONFIG|REWRITE", arity=2, flags=ADMINISTRATIVE, tips=EVERY_NODE)
def config_rewrite(client: Client, argv: Argv) -> Reply:
    """CONFIG REWRITE"""
    server = client.server
    try:
        rewrite(server.config, server.acl.config_lines())
    except CommandError as error:
        server.log.warning(f"CONFIG REWRITE failed: {error.message}")
        raise
    server.log.notice("CONFIG REWRITE executed with success.")
    return OK


@command("CONFIG|RESETSTAT", arity=2, flags=ADMINISTRATIVE, tips=EVERY_NODE)
def config_resetstat(client: Client, argv: Argv) -> Reply:
    """CONFIG RESETSTAT"""
    client.server.stats.reset()
    return OK
