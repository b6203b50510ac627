"""COMMAND and its subcommands: what the registry knows, as replies (server.c commandCommand and after)."""

from __future__ import annotations

from functools import cache
from pkgutil import get_data
from typing import TYPE_CHECKING, Any

from ...errors import CommandWithoutKeys, InvalidSyntax, NoSuchCommand, WrongArgumentsForCommand, WrongNumberForCommand
from ...registry.command import Argv, Command, Reply, command, keys_of
from ...registry.flags import (
    CATEGORIES,
    CATEGORY_NAMES,
    FLAG_NAMES,
    KEY_FLAG_NAMES,
    LOADING,
    NO_MANDATORY_KEYS,
    NOT_KEY,
    STALE,
)
from ...registry.keyspecs import KeySpec
from ...resp.encode import array_header, array_of, array_of_bulks, bulk, integer, simple
from ...util.glob import match
from ..help import help_reply

if TYPE_CHECKING:
    from ...engine.client import Client
    from ...resp.wire import Wire

UNORDERED = ("nondeterministic_output_order",)

HELP = (
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
)


@cache
def documentation() -> dict[str, Any]:
    """The prose and the argument grammar of every command, by full name; read when first asked for."""
    import json  # 3 ms that a start need not wait for

    return json.loads(get_data("pyredis.registry", "docs.json") or b"{}")  # type: ignore[no-any-return]


def top_level(client: Client) -> list[Command]:
    """The server's commands, each once."""
    return list({command.id: command for command in client.server.commands.values()}.values())


def look_up(client: Client, name: bytes) -> Command | None:
    """A command by full name, ``config|get`` included (lookupCommandBySds)."""
    container, bar, sub = name.lower().partition(b"|")
    found = client.server.commands.get(container)
    if not bar or found is None:
        return found
    return (found.subcommands or {}).get(sub)


@command("COMMAND", arity=-1, flags=LOADING | STALE, acl="connection", tips=UNORDERED)
def command_(client: Client, argv: Argv) -> Reply:
    """COMMAND"""
    return array_of([info_of(each, client.wire) for each in top_level(client)])


@command("COMMAND|COUNT", arity=2, flags=LOADING | STALE, acl="connection")
def command_count(client: Client, argv: Argv) -> Reply:
    """COMMAND COUNT"""
    return integer(len(top_level(client)))


@command("COMMAND|INFO", arity=-2, flags=LOADING | STALE, acl="connection", tips=UNORDERED)
def command_info(client: Client, argv: Argv) -> Reply:
    """COMMAND INFO [command-name [command-name ...]]"""
    wire = client.wire
    if len(argv) == 2:
        return command_(client, argv)
    chosen = [look_up(client, name) for name in argv[2:]]
    return array_of([wire.null if each is None else info_of(each, wire) for each in chosen])


@command("COMMAND|DOCS", arity=-2, flags=LOADING | STALE, acl="connection", tips=UNORDERED)
def command_docs(client: Client, argv: Argv) -> Reply:
    """COMMAND DOCS [command-name [command-name ...]]"""
    if len(argv) == 2:
        chosen = top_level(client)
    else:
        chosen = [each for each in (look_up(client, name) for name in argv[2:]) if each is not None]
    docs = [bulk(each.wire_name) + docs_of(_documented(each), client.wire) for each in chosen]
    return client.wire.map_header(len(docs)) + b"".join(docs)


@command("COMMAND|LIST", arity=-2, flags=LOADING | STALE, acl="connection", tips=UNORDERED)
def command_list(client: Client, argv: Argv) -> Reply:
    """COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]"""
    everything = [each for parent in top_level(client) for each in (parent, *(parent.subcommands or {}).values())]
    if len(argv) == 2:
        return array_of_bulks([each.wire_name for each in everything])
    if len(argv) != 5 or argv[2].upper() != b"FILTERBY":
        raise InvalidSyntax
    value = argv[4]
    match argv[3].upper():
        case b"MODULE":
            names = []
        case b"ACLCAT":
            bit = CATEGORIES.get(value.decode("latin-1").lower(), 0)
            names = [each.wire_name for each in everything if each.categories & bit]
        case b"PATTERN":
            names = [each.wire_name for each in everything if match(value, each.wire_name, True)]
        case _:
            raise InvalidSyntax
    return array_of_bulks(names)


@command("COMMAND|GETKEYS", arity=-3, flags=LOADING | STALE, acl="connection")
def command_getkeys(client: Client, argv: Argv) -> Reply:
    """COMMAND GETKEYS command [arg [arg ...]]"""
    return array_of_bulks([argv[2 + position] for position, _ in _keys(client, argv[2:])])


@command("COMMAND|GETKEYSANDFLAGS", arity=-3, flags=LOADING | STALE, acl="connection")
def command_getkeysandflags(client: Client, argv: Argv) -> Reply:
    """COMMAND GETKEYSANDFLAGS command [arg [arg ...]]"""
    keys = _keys(client, argv[2:])
    return array_of(
        [
            array_header(2) + bulk(argv[2 + position]) + _flags(flags, KEY_FLAG_NAMES, client.wire)
            for position, flags in keys
        ]
    )


@command("COMMAND|HELP", arity=2, flags=LOADING | STALE, acl="connection")
def command_help(client: Client, argv: Argv) -> Reply:
    """COMMAND HELP"""
    return help_reply("COMMAND", HELP)


def _keys(client: Client, argv: Argv) -> list[tuple[int, int]]:
    """The keys of the command in *argv*, which need not be well-formed (getKeysSubcommandImpl)."""
    found = client.server.commands.get(argv[0].lower())
    if found is not None and found.subcommands is not None and len(argv) > 1:
        found = found.subcommands.get(argv[1].lower())
    if found is None:
        raise NoSuchCommand
    if found.get_keys is None and not any(not spec.flags & NOT_KEY for spec in found.key_specs):
        raise CommandWithoutKeys
    if not found.least <= len(argv) <= found.most:
        raise WrongNumberForCommand
    keys = keys_of(found, argv)
    if not keys and not found.flags & NO_MANDATORY_KEYS:
        raise WrongArgumentsForCommand
    return keys


# --- COMMAND INFO ---------------------------------------------------------------------------------


def info_of(each: Command, wire: Wire) -> bytes:
    """The ten elements of one command."""
    first, last, step = legacy_range(each.key_specs)
    subcommands = [info_of(sub, wire) for sub in (each.subcommands or {}).values()]
    categories = [simple(b"@" + name.encode()) for name in CATEGORY_NAMES if each.categories & CATEGORIES[name]]
    return b"".join((
        array_header(10), bulk(each.wire_name), integer(each.arity), _flags(each.flags, FLAG_NAMES, wire),
        integer(first), integer(last), integer(step),
        wire.set_header(len(categories)), *categories,
        wire.set_header(len(each.tips)), *[bulk(tip.encode()) for tip in each.tips],
        wire.set_header(len(each.key_specs)), *[_key_spec(spec, wire) for spec in each.key_specs],
        array_of(subcommands) if subcommands else wire.set_header(0),  # addReplyCommandSubCommands
    ))  # fmt: skip


def legacy_range(specs: tuple[KeySpec, ...]) -> tuple[int, int, int]:
    """First key, last key and step in the old form (server.c populateCommandLegacyRangeSpec)."""
    if len(specs) == 1 and specs[0].begin == "index" and specs[0].find == "range":
        return specs[0].index, _last(specs[0]), specs[0].step
    first, last = 0, 0
    for spec in specs:
        if spec.begin != "index" or spec.find != "range" or spec.step != 1 or (last and last != spec.index - 1):
            continue
        first = min(first or spec.index, spec.index)
        end = _last(spec)
        last = max(last, end) if (last < 0) == (end < 0) else min(last, end)
    return (first, last, 1) if first else (0, 0, 0)


def _last(spec: KeySpec) -> int:
    """The position of the last key, negative if counted from the end."""
    return spec.last if spec.last < 0 else spec.index + spec.last


def _flags(flags: int, names: tuple[tuple[int, bytes], ...], wire: Wire) -> bytes:
    found = [simple(name) for bit, name in names if flags & bit]
    return wire.set_header(len(found)) + b"".join(found)


def fields_of(wire: Wire, *fields: tuple[bytes, bytes]) -> bytes:
    """A map from plain names to replies."""
    return wire.map_header(len(fields)) + b"".join([bulk(name) + reply for name, reply in fields])


def _key_spec(spec: KeySpec, wire: Wire) -> bytes:
    match spec.begin:
        case "index":
            begin = fields_of(wire, (b"index", integer(spec.index)))
        case "keyword":
            begin = fields_of(wire, (b"keyword", bulk(spec.keyword)), (b"startfrom", integer(spec.start_from)))
        case _:
            begin = wire.map_header(0)
    match spec.find:
        case "range":
            find = fields_of(
                wire,
                (b"lastkey", integer(spec.last)),
                (b"keystep", integer(spec.step)),
                (b"limit", integer(spec.limit)),
            )
        case "keynum":
            find = fields_of(
                wire,
                (b"keynumidx", integer(spec.count_at)),
                (b"firstkey", integer(spec.first)),
                (b"keystep", integer(spec.step)),
            )
        case _:
            find = wire.map_header(0)
    parts = [
        (b"flags", _flags(spec.flags, KEY_FLAG_NAMES, wire)),
        (b"begin_search", fields_of(wire, (b"type", bulk(spec.begin.encode())), (b"spec", begin))),
        (b"find_keys", fields_of(wire, (b"type", bulk(spec.find.encode())), (b"spec", find))),
    ]
    if spec.notes:
        parts.insert(0, (b"notes", bulk(spec.notes.encode())))
    return fields_of(wire, *parts)


# --- COMMAND DOCS ---------------------------------------------------------------------------------

DOC_FIELDS = (
    "summary", "since", "group", "complexity", "doc_flags", "deprecated_since", "replaced_by", "history",
    "arguments", "subcommands",
)  # fmt: skip
ARGUMENT_FIELDS = (
    "name", "type", "display_text", "key_spec_index", "token", "summary", "since", "deprecated_since", "flags",
    "arguments",
)  # fmt: skip


def _documented(each: Command) -> dict[str, Any]:
    if each.parent is not None:
        return documentation()[each.parent.name]["subcommands"][each.name]  # type: ignore[no-any-return]
    return documentation()[each.name]  # type: ignore[no-any-return]


def docs_of(entry: dict[str, Any], wire: Wire) -> bytes:
    """One command's documentation as a map."""
    return fields_of(
        wire, *[(name.encode(), _doc_field(name, entry[name], wire)) for name in DOC_FIELDS if name in entry]
    )


def _doc_field(name: str, value: Any, wire: Wire) -> bytes:
    match name:
        case "subcommands":
            parts = [bulk(sub.encode()) + docs_of(entry, wire) for sub, entry in value.items()]
            return wire.map_header(len(parts)) + b"".join(parts)
        case "arguments":
            return array_of([fields_of(wire, *_argument(argument, wire)) for argument in value])
        case "history":
            return wire.set_header(len(value)) + b"".join(
                [array_of_bulks([since.encode(), change.encode()]) for since, change in value]
            )
        case "doc_flags" | "flags":
            return wire.set_header(len(value)) + b"".join([simple(flag.encode()) for flag in value])
        case "key_spec_index":
            return integer(value)
    return bulk(value.encode())


def _argument(argument: dict[str, Any], wire: Wire) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), _doc_field(name, argument[name], wire)) for name in ARGUMENT_FIELDS if name in argument]
