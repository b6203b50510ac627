"""FCALL and the libraries of functions (functions.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ..errors import (
    BadLibraryPayload,
    BusyScript,
    CommandError,
    EarlyFunctionFormat,
    FunctionFlushOption,
    LibraryPatternMissing,
    NotAFunction,
    UnknownFunctionArgument,
    UnknownFunctionOption,
    WrongDumpPayload,
    WrongRestorePolicy,
    WrongSubcommandArguments,
)
from ..persistence.rdb.codes import FUNCTION2, FUNCTION_PRE_GA, RDB_VERSION, RdbError
from ..persistence.rdb.dump import verify
from ..persistence.rdb.loading import INCOMPLETE
from ..persistence.rdb.strings import encode_string, read_string
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, ALLOW_BUSY, DENYOOM, LOADING, NOSCRIPT, RO, RW, STALE, UPDATE, WRITE
from ..registry.keyspecs import counted
from ..resp.encode import OK, array_of, array_of_bulks, bulk, integer, simple
from ..scripting.service import FLAG_FINDERS, find_function_flags
from ..scripting.shebang import ENGINE, FLAGS
from ..util.crc import crc64
from ..util.glob import match
from .help import help_reply
from .scripting import READING_SCRIPTS, RO_NOTES, RW_NOTES, SCRIPTS, flush_mode

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..scripting.functions import Function, Library
    from ..scripting.service import Scripting

EVERY_SHARD: Final = ("request_policy:all_shards", "response_policy:all_succeeded")
_FOOTER_SIZE: Final = 10

HELP: Final = (
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Create a new library with the given library name and code.",
    "DELETE <LIBRARY NAME>",
    "    Delete the given library.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    Return general information on all the libraries:",
    "    * Library name",
    "    * The engine used to run the Library",
    "    * Library description",
    "    * Functions list",
    "    * Library code (if WITHCODE is given)",
    "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
    "STATS",
    "    Return information about the current function running:",
    "    * Function name",
    "    * Command used to run the function",
    "    * Duration in MS that the function is running",
    "    If no function is running, return nil",
    "    In addition, returns a list of available engines.",
    "KILL",
    "    Kill the current running function.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all the libraries.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the libraries.",
    "    * SYNC: Synchronously flush the libraries.",
    "DUMP",
    "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE"
    " command",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
    "    control how to handle existing libraries (default APPEND):",
    "    * FLUSH: delete all existing libraries.",
    "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
    "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
    "      libraries with the new libraries (notice that even on this option there is a chance of failure",
    "      in case of functions name collision with another library).",
)


def _scripting(client: Client) -> Scripting:
    scripting: Scripting = client.server.scripting
    return scripting


def _changed(client: Client) -> None:
    """Libraries belong to the data: count the change and propagate the command."""
    server = client.server
    server.dirty += 1
    server.propagation.wrote = True
    server.unsettled = True


@command("FCALL", arity=-3, flags=SCRIPTS, keys=counted(2, RW | ACCESS | UPDATE, notes=RW_NOTES), acl="scripting")
def fcall(client: Client, argv: Argv) -> Reply:
    """FCALL function numkeys [key ...] [arg ...]"""
    return _scripting(client).fcall(client, argv, False)


@command("FCALL_RO", arity=-3, flags=READING_SCRIPTS, keys=counted(2, RO | ACCESS, notes=RO_NOTES), acl="scripting")
def fcall_ro(client: Client, argv: Argv) -> Reply:
    """FCALL_RO function numkeys [key ...] [arg ...]"""
    return _scripting(client).fcall(client, argv, True)


FLAG_FINDERS.update({fcall: find_function_flags, fcall_ro: find_function_flags})


@command("FUNCTION", arity=-2)
def function(client: Client, argv: Argv) -> Reply:
    """FUNCTION subcommand"""
    return help_reply("FUNCTION", HELP)


@command("FUNCTION|HELP", arity=2, flags=LOADING | STALE, acl="scripting")
def function_help(client: Client, argv: Argv) -> Reply:
    """FUNCTION HELP"""
    return help_reply("FUNCTION", HELP)


@command("FUNCTION|LOAD", arity=-3, flags=WRITE | DENYOOM | NOSCRIPT, acl="scripting", tips=EVERY_SHARD)
def function_load(client: Client, argv: Argv) -> Reply:
    """FUNCTION LOAD [REPLACE] code"""
    for word in argv[2:-1]:
        if word.upper() != b"REPLACE":
            raise UnknownFunctionOption(word)
    obeyed = client.internal or client.is_master
    name = _scripting(client).load_library(argv[-1], replace=len(argv) > 3, timeout=not obeyed)
    _changed(client)
    return bulk(name)


@command("FUNCTION|DELETE", arity=3, flags=WRITE | NOSCRIPT, acl="scripting", tips=EVERY_SHARD)
def function_delete(client: Client, argv: Argv) -> Reply:
    """FUNCTION DELETE library"""
    _scripting(client).libraries.delete(argv[2])
    _changed(client)
    return OK


@command("FUNCTION|FLUSH", arity=-2, flags=WRITE | NOSCRIPT, acl="scripting", tips=EVERY_SHARD)
def function_flush(client: Client, argv: Argv) -> Reply:
    """FUNCTION FLUSH [ASYNC | SYNC]"""
    if len(argv) > 3:
        raise WrongSubcommandArguments("FUNCTION", argv[1])
    if flush_mode(client, argv) is None:
        raise FunctionFlushOption
    _scripting(client).libraries.clear()
    _changed(client)
    return OK


@command(
    "FUNCTION|KILL", arity=2, flags=NOSCRIPT | ALLOW_BUSY, acl="scripting",
    tips=("request_policy:all_shards", "response_policy:one_succeeded"),
)  # fmt: skip
def function_kill(client: Client, argv: Argv) -> Reply:
    """FUNCTION KILL"""
    _scripting(client).session.kill(of_function=True)
    return OK


# --- what there is ------------------------------------------------------------------------------------


@command("FUNCTION|LIST", arity=-2, flags=NOSCRIPT, acl="scripting", tips=("nondeterministic_output_order",))
def function_list(client: Client, argv: Argv) -> Reply:
    """FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]"""
    with_code, pattern = False, None
    words = iter(argv[2:])
    for word in words:
        name = word.upper()
        if name == b"WITHCODE" and not with_code:
            with_code = True
        elif name == b"LIBRARYNAME" and pattern is None:
            pattern = next(words, None)
            if pattern is None:
                raise LibraryPatternMissing
        else:
            raise UnknownFunctionArgument(word)
    libraries = [
        library
        for library in _scripting(client).libraries.by_name.values()
        if pattern is None or match(pattern, library.name, nocase=True)
    ]
    return array_of([_describe_library(client, library, with_code) for library in libraries])


def _describe_library(client: Client, library: Library, with_code: bool) -> bytes:
    fields = [
        bulk(b"library_name"),
        bulk(library.name),
        bulk(b"engine"),
        bulk(ENGINE),
        bulk(b"functions"),
        array_of([_describe_function(client, function) for function in library.functions.values()]),
    ]
    if with_code:
        fields += (bulk(b"library_code"), bulk(library.code))
    return client.wire.map_of(fields)


def _describe_function(client: Client, function: Function) -> bytes:
    description = client.wire.null if function.description is None else bulk(function.description)
    flags = [simple(name) for name, flag in FLAGS.items() if function.flags & flag]
    return client.wire.map_of([
        bulk(b"name"), bulk(function.name),
        bulk(b"description"), description,
        bulk(b"flags"), client.wire.set_of(flags),
    ])  # fmt: skip


@command(
    "FUNCTION|STATS", arity=2, flags=NOSCRIPT | ALLOW_BUSY, acl="scripting",
    tips=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)  # fmt: skip
def function_stats(client: Client, argv: Argv) -> Reply:
    """FUNCTION STATS"""
    scripting, wire = _scripting(client), client.wire
    session, libraries = scripting.session, scripting.libraries
    if session.running and not session.unit.of_function:
        raise BusyScript
    running = wire.null
    if session.running:
        running = wire.map_of([
            bulk(b"name"), bulk(session.unit.name),
            bulk(b"command"), array_of_bulks(session.argv),
            bulk(b"duration_ms"), integer(session.duration_ms),
        ])  # fmt: skip
    functions = sum(len(library.functions) for library in libraries.by_name.values())
    counts = wire.map_of([
        bulk(b"libraries_count"), integer(len(libraries.by_name)),
        bulk(b"functions_count"), integer(functions),
    ])  # fmt: skip
    engines = wire.map_of([bulk(ENGINE), counts])
    return wire.map_of([bulk(b"running_script"), running, bulk(b"engines"), engines])


# --- payloads -------------------------------------------------------------------------------------------


@command("FUNCTION|DUMP", arity=2, flags=NOSCRIPT, acl="scripting")
def function_dump(client: Client, argv: Argv) -> Reply:
    """FUNCTION DUMP"""
    compress = client.server.config.rdbcompression
    libraries = _scripting(client).libraries.by_name.values()
    body = b"".join([b"%c%b" % (FUNCTION2, encode_string(library.code, compress)) for library in libraries])
    body += struct.pack("<H", RDB_VERSION)
    return bulk(body + struct.pack("<Q", crc64(body)))


def _sources(payload: bytes) -> list[bytes]:
    """The code of the libraries in a verified *payload*."""
    sources, at, end = [], 0, len(payload) - _FOOTER_SIZE
    while at < end:
        opcode = payload[at]
        if opcode == FUNCTION_PRE_GA:
            raise EarlyFunctionFormat
        if opcode != FUNCTION2:
            raise NotAFunction
        try:
            code, at = read_string(payload, at + 1)
        except (RdbError, *INCOMPLETE):
            raise BadLibraryPayload from None
        sources.append(code)
    return sources


@command("FUNCTION|RESTORE", arity=-3, flags=WRITE | DENYOOM | NOSCRIPT, acl="scripting", tips=EVERY_SHARD)
def function_restore(client: Client, argv: Argv) -> Reply:
    """FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]"""
    if len(argv) > 4:
        raise WrongSubcommandArguments("FUNCTION", argv[1])
    policy = argv[3].upper() if len(argv) > 3 else b"APPEND"
    if policy not in (b"FLUSH", b"APPEND", b"REPLACE"):
        raise WrongRestorePolicy
    if not verify(argv[2]):
        raise WrongDumpPayload
    scripting = _scripting(client)
    restored = scripting.new_libraries()
    try:
        for code in _sources(argv[2]):
            scripting.load_library(code, replace=False, into=restored, timeout=False)
        if policy == b"FLUSH":
            scripting.libraries.clear()
        scripting.libraries.join(restored, replace=policy == b"REPLACE")
    except CommandError:
        restored.clear()
        raise
    _changed(client)
    return OK
