"""ACL and its subcommands (acl.c aclCommand)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ...acl.check import Denial, check
from ...acl.rules import has_spaces
from ...acl.users import Selector
from ...errors import (
    AclCommandNotFound,
    AclDefaultUser,
    AclGenpassRange,
    AclInvalidUserName,
    AclNoFile,
    AclUnknownCategory,
    AclUserNotFound,
    WrongArity,
    WrongSubcommandArguments,
)
from ...registry.command import REGISTRY, Argv, Reply, command
from ...registry.flags import ADMIN, CATEGORIES, CATEGORY_NAMES, LOADING, NOSCRIPT, STALE
from ...resp.encode import OK, array_header, array_of, array_of_bulks, bulk, integer
from ...util.numbers import parse_int
from ..help import help_reply
from .introspection import fields_of

if TYPE_CHECKING:
    from ...engine.client import Client

ADMINISTRATIVE = ADMIN | NOSCRIPT | LOADING | STALE
EVERYBODY = NOSCRIPT | LOADING | STALE
EVERY_NODE = ("request_policy:all_nodes", "response_policy:all_succeeded")

HELP = (
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Create or modify a user with the specified attributes.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
)


@command("ACL", arity=-2)
def acl_(client: Client, argv: Argv) -> Reply:
    """ACL subcommand"""
    raise AssertionError("reached through its subcommands only")


@command("ACL|HELP", arity=2, flags=LOADING | STALE)
def acl_help(client: Client, argv: Argv) -> Reply:
    """ACL HELP"""
    return help_reply("ACL", HELP)


@command("ACL|SETUSER", arity=-3, flags=ADMINISTRATIVE, tips=EVERY_NODE)
def acl_setuser(client: Client, argv: Argv) -> Reply:
    """ACL SETUSER username [rule [rule ...]]"""
    client.redact(*range(2, len(argv)))
    if has_spaces(argv[2]):
        raise AclInvalidUserName
    client.server.acl.set_rules(argv[2], argv[3:])
    return OK


@command("ACL|DELUSER", arity=-3, flags=ADMINISTRATIVE, tips=EVERY_NODE)
def acl_deluser(client: Client, argv: Argv) -> Reply:
    """ACL DELUSER username [username ...]"""
    if b"default" in argv[2:]:
        raise AclDefaultUser
    return integer(sum(client.server.acl.delete(name) for name in argv[2:]))


@command("ACL|GETUSER", arity=3, flags=ADMINISTRATIVE)
def acl_getuser(client: Client, argv: Argv) -> Reply:
    """ACL GETUSER username"""
    user = client.server.acl.users.get(argv[2])
    wire = client.wire
    if user is None:
        return wire.null
    flags = user.flags()
    extra = [_selector(selector) for selector in user.selectors[1:]]
    return b"".join((
        wire.map_header(6), bulk(b"flags"), wire.set_header(len(flags)), *map(bulk, flags),
        bulk(b"passwords"), array_of_bulks(list(user.passwords)), _selector(user.root),
        bulk(b"selectors"), array_of([wire.map_header(3) + text for text in extra]),
    ))  # fmt: skip


def _selector(selector: Selector) -> bytes:
    return b"".join((
        bulk(b"commands"), bulk(selector.describe_commands()), bulk(b"keys"), bulk(selector.describe_keys()),
        bulk(b"channels"), bulk(selector.describe_channels()),
    ))  # fmt: skip


@command("ACL|LIST", arity=2, flags=ADMINISTRATIVE)
def acl_list(client: Client, argv: Argv) -> Reply:
    """ACL LIST"""
    return array_of_bulks([b"user " + line for line in client.server.acl.lines()])


@command("ACL|USERS", arity=2, flags=ADMINISTRATIVE)
def acl_users(client: Client, argv: Argv) -> Reply:
    """ACL USERS"""
    return array_of_bulks(sorted(client.server.acl.users))


@command("ACL|WHOAMI", arity=2, flags=EVERYBODY)
def acl_whoami(client: Client, argv: Argv) -> Reply:
    """ACL WHOAMI"""
    return bulk(client.user.name)


@command("ACL|LOAD", arity=2, flags=ADMINISTRATIVE)
def acl_load(client: Client, argv: Argv) -> Reply:
    """ACL LOAD"""
    _require_file(client)
    client.server.acl.load()
    return OK


@command("ACL|SAVE", arity=2, flags=ADMINISTRATIVE, tips=EVERY_NODE)
def acl_save(client: Client, argv: Argv) -> Reply:
    """ACL SAVE"""
    _require_file(client)
    client.server.acl.save()
    return OK


def _require_file(client: Client) -> None:
    if not client.server.config.aclfile:
        raise AclNoFile


@command("ACL|CAT", arity=-2, flags=EVERYBODY)
def acl_cat(client: Client, argv: Argv) -> Reply:
    """ACL CAT [category]"""
    if len(argv) > 3:
        raise WrongSubcommandArguments("ACL", argv[1])
    if len(argv) == 2:
        return array_of_bulks([name.encode() for name in CATEGORY_NAMES])
    bit = CATEGORIES.get(argv[2].decode("latin-1").lower())
    if bit is None:
        raise AclUnknownCategory(argv[2])
    everything = [each for top in REGISTRY.values() for each in (top, *(top.subcommands or {}).values())]
    return array_of_bulks([each.wire_name for each in everything if each.categories & bit])


@command("ACL|GENPASS", arity=-2, flags=EVERYBODY)
def acl_genpass(client: Client, argv: Argv) -> Reply:
    """ACL GENPASS [bits]"""
    if len(argv) > 3:
        raise WrongSubcommandArguments("ACL", argv[1])
    bits = parse_int(argv[2]) if len(argv) == 3 else 256
    if not 0 < bits <= 4096:
        raise AclGenpassRange
    digits = (bits + 3) // 4
    return bulk(secrets.token_hex((digits + 1) // 2)[:digits].encode())


@command("ACL|LOG", arity=-2, flags=ADMINISTRATIVE)
def acl_log(client: Client, argv: Argv) -> Reply:
    """ACL LOG [count | RESET]"""
    if len(argv) > 3:
        raise WrongSubcommandArguments("ACL", argv[1])
    entries = client.server.acl.log.entries
    count = 10
    if len(argv) == 3:
        if argv[2].lower() == b"reset":
            entries.clear()
            return OK
        count = max(0, parse_int(argv[2]))
    now = client.server.now // 1_000_000
    wire = client.wire
    shown = list(entries)[:count]
    parts = [array_header(len(shown))]
    for entry in shown:
        parts.append(fields_of(
            wire,
            (b"count", integer(entry.count)),
            (b"reason", bulk(entry.reason.encode())),
            (b"context", bulk(entry.context.encode())),
            (b"object", bulk(entry.object)),
            (b"username", bulk(entry.username)),
            (b"age-seconds", wire.double((now - entry.updated) / 1000)),
            (b"client-info", bulk(entry.client_info)),
            (b"entry-id", integer(entry.entry_id)),
            (b"timestamp-created", integer(entry.created)),
            (b"timestamp-last-updated", integer(entry.updated)),
        ))  # fmt: skip
    return b"".join(parts)


@command("ACL|DRYRUN", arity=-4, flags=ADMINISTRATIVE)
def acl_dryrun(client: Client, argv: Argv) -> Reply:
    """ACL DRYRUN username command [arg [arg ...]]"""
    server = client.server
    user = server.acl.users.get(argv[2])
    if user is None:
        raise AclUserNotFound(argv[2])
    words = argv[3:]
    found = server.commands.get(words[0].lower())
    if found is not None and found.subcommands is not None and len(words) > 1:
        found = found.subcommands.get(words[1].lower())
    if found is None:
        raise AclCommandNotFound(argv[3])
    if not found.least <= len(words) <= found.most:
        raise WrongArity(found.name)
    denial, position = check(user, found, words)
    if denial is Denial.NONE:
        return OK
    return bulk(server.acl.explain(user, found, denial, words[position]))
