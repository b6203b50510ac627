"""MODULE: none can be loaded into a server in Python; asking is answered as Redis answers a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ModuleNotLoaded, ModuleUnknown
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, LOADING, NO_ASYNC_LOADING, NOSCRIPT, PROTECTED, STALE
from ...resp.encode import EMPTY_ARRAY
from ..help import help_reply

if TYPE_CHECKING:
    from ...engine.client import Client

CHANGING = ADMIN | NOSCRIPT | NO_ASYNC_LOADING | PROTECTED

HELP = (
    "LIST",
    "    Return a list of loaded modules.",
    "LOAD <path> [<arg> ...]",
    "    Load a module library from <path>, passing to it any optional arguments.",
    "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
    "    Load a module library from <path>, while passing it module configurations and optional arguments.",
    "UNLOAD <name>",
    "    Unload a module.",
)


@command("MODULE", arity=-2)
def module_(client: Client, argv: Argv) -> Reply:
    """MODULE subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("MODULE|HELP", arity=2, flags=LOADING | STALE)
def module_help(client: Client, argv: Argv) -> Reply:
    """MODULE HELP"""
    return help_reply("MODULE", HELP)


@command("MODULE|LIST", arity=2, flags=ADMIN | NOSCRIPT, tips=("nondeterministic_output_order",))
def module_list(client: Client, argv: Argv) -> Reply:
    """MODULE LIST"""
    return EMPTY_ARRAY


@command("MODULE|LOAD", arity=-3, flags=CHANGING)
def module_load(client: Client, argv: Argv) -> Reply:
    """MODULE LOAD path [arg [arg ...]]"""
    return _refuse(client, argv)


@command("MODULE|LOADEX", arity=-3, flags=CHANGING)
def module_loadex(client: Client, argv: Argv) -> Reply:
    """MODULE LOADEX path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]"""
    return _refuse(client, argv)


def _refuse(client: Client, argv: Argv) -> Reply:
    path = argv[2].decode("utf-8", "surrogateescape")
    client.server.log.warning(f"Module {path} failed to load: modules are C code, which this server cannot run")
    raise ModuleNotLoaded


@command("MODULE|UNLOAD", arity=3, flags=CHANGING)
def module_unload(client: Client, argv: Argv) -> Reply:
    """MODULE UNLOAD name"""
    name = argv[2].decode("utf-8", "surrogateescape")
    client.server.log.warning(f"Error unloading module {name}: no such module with that name")
    raise ModuleUnknown
