"""EVAL and the cache of scripts (eval.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import DebugInPipeline, ScriptDebugOption, ScriptFlushOption
from ..registry.command import Argv, Reply, command
from ..registry.flags import (
    ACCESS,
    ALLOW_BUSY,
    LOADING,
    MAY_REPLICATE,
    NO_MANDATORY_KEYS,
    NOSCRIPT,
    READONLY,
    RELAYS_SCRIPT,
    RO,
    RW,
    SKIP_MONITOR,
    STALE,
    UPDATE,
)
from ..registry.keyspecs import counted
from ..resp.encode import OK, array_of_integers, bulk
from ..scripting.service import FLAG_FINDERS, find_body_flags, find_sha_flags
from .help import help_reply

if TYPE_CHECKING:
    from ..engine.client import Client

SCRIPTS: Final = NOSCRIPT | SKIP_MONITOR | MAY_REPLICATE | NO_MANDATORY_KEYS | STALE | RELAYS_SCRIPT
READING_SCRIPTS: Final = NOSCRIPT | READONLY | SKIP_MONITOR | NO_MANDATORY_KEYS | STALE | RELAYS_SCRIPT
RW_NOTES: Final = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
RO_NOTES: Final = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"

HELP: Final = (
    "DEBUG (YES|SYNC|NO)",
    "    Set the debug mode for subsequent scripts executed.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Return information about the existence of the scripts in the script cache.",
    "FLUSH [ASYNC|SYNC]",
    "    Flush the Lua scripts cache. Very dangerous on replicas.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the scripts cache.",
    "    * SYNC: Synchronously flush the scripts cache.",
    "KILL",
    "    Kill the currently executing Lua script.",
    "LOAD <script>",
    "    Load a script into the scripts cache without executing it.",
)


@command("EVAL", arity=-3, flags=SCRIPTS, keys=counted(2, RW | ACCESS | UPDATE, notes=RW_NOTES), acl="scripting")
def eval_(client: Client, argv: Argv) -> Reply:
    """EVAL script numkeys [key ...] [arg ...]"""
    reply: Reply = client.server.scripting.eval(client, argv, False)
    return reply


@command("EVAL_RO", arity=-3, flags=READING_SCRIPTS, keys=counted(2, RO | ACCESS, notes=RO_NOTES), acl="scripting")
def eval_ro(client: Client, argv: Argv) -> Reply:
    """EVAL_RO script numkeys [key ...] [arg ...]"""
    reply: Reply = client.server.scripting.eval(client, argv, True)
    return reply


@command("EVALSHA", arity=-3, flags=SCRIPTS, keys=counted(2, RW | ACCESS | UPDATE), acl="scripting")
def evalsha(client: Client, argv: Argv) -> Reply:
    """EVALSHA sha1 numkeys [key ...] [arg ...]"""
    reply: bytes = client.server.scripting.evalsha(client, argv, False)
    return reply


@command("EVALSHA_RO", arity=-3, flags=READING_SCRIPTS, keys=counted(2, RO | ACCESS), acl="scripting")
def evalsha_ro(client: Client, argv: Argv) -> Reply:
    """EVALSHA_RO sha1 numkeys [key ...] [arg ...]"""
    reply: bytes = client.server.scripting.evalsha(client, argv, True)
    return reply


FLAG_FINDERS.update({
    eval_: find_body_flags, eval_ro: find_body_flags,
    evalsha: find_sha_flags, evalsha_ro: find_sha_flags,
})  # fmt: skip


@command("SCRIPT", arity=-2)
def script(client: Client, argv: Argv) -> Reply:
    """SCRIPT subcommand"""
    return help_reply("SCRIPT", HELP)


@command("SCRIPT|HELP", arity=2, flags=LOADING | STALE, acl="scripting")
def script_help(client: Client, argv: Argv) -> Reply:
    """SCRIPT HELP"""
    return help_reply("SCRIPT", HELP)


@command(
    "SCRIPT|LOAD", arity=3, flags=NOSCRIPT | STALE, acl="scripting",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)  # fmt: skip
def script_load(client: Client, argv: Argv) -> Reply:
    """SCRIPT LOAD script"""
    return bulk(client.server.scripting.load(argv[2]).name)


@command(
    "SCRIPT|EXISTS", arity=-3, flags=NOSCRIPT, acl="scripting",
    tips=("request_policy:all_shards", "response_policy:agg_logical_and"),
)  # fmt: skip
def script_exists(client: Client, argv: Argv) -> Reply:
    """SCRIPT EXISTS sha1 [sha1 ...]"""
    scripts = client.server.scripting.scripts
    return array_of_integers([sha.lower() in scripts for sha in argv[2:]])


@command(
    "SCRIPT|FLUSH", arity=-2, flags=NOSCRIPT, acl="scripting",
    tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
)  # fmt: skip
def script_flush(client: Client, argv: Argv) -> Reply:
    """SCRIPT FLUSH [ASYNC | SYNC]"""
    asynchronous = flush_mode(client, argv)
    if asynchronous is None or len(argv) > 3:
        raise ScriptFlushOption
    client.server.scripting.flush(asynchronous=asynchronous)
    return OK


def flush_mode(client: Client, argv: Argv) -> bool | None:
    """Whether to flush in the background; None if the word after FLUSH is neither ASYNC nor SYNC."""
    if len(argv) == 2:
        return bool(client.server.config.lazyfree_lazy_user_flush)
    return {b"SYNC": False, b"ASYNC": True}.get(argv[2].upper())


@command(
    "SCRIPT|KILL", arity=2, flags=NOSCRIPT | ALLOW_BUSY, acl="scripting",
    tips=("request_policy:all_shards", "response_policy:one_succeeded"),
)  # fmt: skip
def script_kill(client: Client, argv: Argv) -> Reply:
    """SCRIPT KILL"""
    client.server.scripting.session.kill(of_function=False)
    return OK


@command("SCRIPT|DEBUG", arity=3, flags=NOSCRIPT, acl="scripting")
def script_debug(client: Client, argv: Argv) -> Reply:
    """SCRIPT DEBUG YES | SYNC | NO"""
    if client.out:
        raise DebugInPipeline
    debugging = client.server.scripting.debugging
    match argv[2].upper():
        case b"NO":
            debugging.disable(client)
        case b"YES":
            debugging.enable(client, sync=False)
        case b"SYNC":
            debugging.enable(client, sync=True)
        case _:
            raise ScriptDebugOption
    return OK
