"""DEBUG: what Redis's own tests and careful operators need (debug.c).  Subcommands register themselves."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...config.rewrite import rewrite
from ...datatypes.values import encoding
from ...errors import (
    InvalidListpackThreshold,
    NeedsResp3,
    NoSuchDatabase,
    NoSuchKey,
    NotAHashTable,
    NotInteger,
    NotPositive,
    UnknownProtocolType,
    WrongSubcommandArguments,
)
from ...keyspace.digest import EMPTY, dataset_digest, value_digest
from ...registry.command import Argv, Handler, Reply, command
from ...registry.flags import ADMIN, LOADING, NOSCRIPT, PROTECTED, STALE
from ...resp.encode import CRLF, OK, array_header, bulk, integer, simple
from ...util.glob import match as match_glob
from ...util.numbers import parse_int, parse_memory
from ..help import help_reply

if TYPE_CHECKING:
    from ...engine.client import Client

SUBCOMMANDS: dict[bytes, tuple[Handler, int, int]] = {}
"""Handler, least and most number of words by upper-case name."""

HELP: list[str] = []

MATCH_ALPHABET = (b"*?[]^-ab\\" * 29)[:256]


def debug(name: str, least: int, most: int | None = None, *help_lines: str) -> Callable[[Handler], Handler]:
    """Declare DEBUG *name* for commands of *least* to *most* words."""

    def declare(handler: Handler) -> Handler:
        SUBCOMMANDS[name.encode()] = handler, least, most or least
        HELP.extend(help_lines)
        return handler

    return declare


@command("DEBUG", arity=-2, flags=ADMIN | NOSCRIPT | LOADING | STALE | PROTECTED)
def debug_(client: Client, argv: Argv) -> Reply:
    """DEBUG subcommand [arg ...]"""
    found = SUBCOMMANDS.get(argv[1].upper())
    if found is None or not found[1] <= len(argv) <= found[2]:
        raise WrongSubcommandArguments("DEBUG", argv[1])
    return found[0](client, argv)


@debug("HELP", 2)
def debug_help(client: Client, argv: Argv) -> Reply:
    return help_reply("DEBUG", tuple(HELP))


def switch(argument: bytes) -> bool:
    """atoi's idea of a switch: 0 and anything that is no number are off."""
    try:
        return parse_int(argument) != 0
    except NotInteger:
        return False


# --- the clock and the cron -----------------------------------------------------------------------


@debug("SLEEP", 3, None, "SLEEP <seconds>", "    Stop the server for <seconds>. Decimals allowed.")
def debug_sleep(client: Client, argv: Argv) -> Reply:
    try:
        seconds = float(argv[2])
    except ValueError:
        seconds = 0.0
    time.sleep(max(0.0, seconds))
    return OK


@debug("SET-ACTIVE-EXPIRE", 3, None, "SET-ACTIVE-EXPIRE <0|1>",
       "    Setting it to 0 disables expiring keys in background when they are not", "    accessed.")  # fmt: skip
def debug_set_active_expire(client: Client, argv: Argv) -> Reply:
    client.server.active_expire = switch(argv[2])
    return OK


@debug("PAUSE-CRON", 3, None, "PAUSE-CRON <0|1>", "    Stop periodic cron job processing.")
def debug_pause_cron(client: Client, argv: Argv) -> Reply:
    client.server.cron.paused = switch(argv[2])
    return OK


@debug("SET-DISABLE-DENY-SCRIPTS", 3, None, "SET-DISABLE-DENY-SCRIPTS <0|1>",
       "    Allow commands that scripts may not run.")  # fmt: skip
def debug_set_disable_deny_scripts(client: Client, argv: Argv) -> Reply:
    client.server.allow_denied_in_scripts = switch(argv[2])
    return OK


@debug("SET-SKIP-CHECKSUM-VALIDATION", 3, None, "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
       "    Enables or disables checksum checks for RDB files and RESTORE's payload.")  # fmt: skip
def debug_set_skip_checksum_validation(client: Client, argv: Argv) -> Reply:
    client.server.skip_checksum_validation = switch(argv[2])
    return OK


@debug("QUICKLIST-PACKED-THRESHOLD", 3, None, "QUICKLIST-PACKED-THRESHOLD <size>",
       "    Sets the threshold for elements to be inserted as plain vs packed nodes",
       "    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.")  # fmt: skip
def debug_quicklist_packed_threshold(client: Client, argv: Argv) -> Reply:
    try:
        size = parse_memory(argv[2])
    except ValueError:
        size = -1
    if not 0 <= size < 1 << 32:
        raise InvalidListpackThreshold
    client.server.thresholds.list_packed_threshold = size or 1 << 30
    return OK


@debug("REPLYBUFFER", 4, None, "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
       "    Sets the time (in milliseconds) to wait between client reply buffer peak resets.",
       "    In case NEVER is provided the last observed peak will never be reset",
       "    In case RESET is provided the peak reset time will be restored to the default value",
       "REPLYBUFFER RESIZING <0|1>",
       "    Enable or disable the reply buffer resize cron job")  # fmt: skip
def debug_replybuffer(client: Client, argv: Argv) -> Reply:
    server = client.server
    match argv[2].upper():
        case b"PEAK-RESET-TIME":
            match argv[3].upper():
                case b"NEVER":
                    server.reply_buffer_peak_reset_ms = -1
                case b"RESET":
                    server.reply_buffer_peak_reset_ms = 5000
                case _:
                    server.reply_buffer_peak_reset_ms = parse_int(argv[3])
        case b"RESIZING":
            server.reply_buffer_resizing = switch(argv[3])
        case _:
            raise WrongSubcommandArguments("DEBUG", argv[1])
    return OK


# --- data -----------------------------------------------------------------------------------------


@debug("OBJECT", 3, 4, "OBJECT <key>", "    Show low level info about `key` and associated value.")
def debug_object(client: Client, argv: Argv) -> Reply:
    db, key = client.db, argv[2]
    value = db.data.get(key)
    if value is None:
        raise NoSuchKey
    server = client.server
    idle = server.idle_ms(db, key)
    describe = getattr(value, "debug_nodes", None)
    extra = describe() if describe is not None else b""
    return simple(
        b"Value at:0x%x refcount:1 encoding:%b serializedlength:%d lru:%d lru_seconds_idle:%d%b"
        % (
            server.object_address(value),
            encoding(value),
            server.serialized_length(value),
            (server.now // 1_000_000 - idle) // 1000 & 0xFFFFFF,
            idle // 1000,
            extra,
        )
    )


@debug("POPULATE", 3, 5, "POPULATE <count> [<prefix>] [<size>]",
       "    Create <count> string keys named key:<num>. If <prefix> is specified then",
    "    it is used instead of the 'key' prefix. These are not propagated to",
       "    replicas. Cluster slots are not respected so keys not belonging to the",
    "    current node can be created in cluster mode.")  # fmt: skip
def debug_populate(client: Client, argv: Argv) -> Reply:
    count = _positive(argv[2])
    prefix = argv[3] if len(argv) > 3 else b"key"
    size = _positive(argv[4]) if len(argv) == 5 else 0
    db = client.db
    for number in range(count):
        key, value = b"%b:%d" % (prefix, number), b"value:%d" % number
        if db.edit_any(key) is None:
            db.add(key, value[:size].ljust(size, b"\0") if size else value)
            db.changed(key, None, 0, 0)
    client.propagate_nothing()
    return OK


def _positive(text: bytes) -> int:
    number = parse_int(text)
    if number < 0:
        raise NotPositive
    return number


@debug("DIGEST", 2, None, "DIGEST",
       "    Output a hex signature representing the current DB content.")  # fmt: skip
def debug_digest(client: Client, argv: Argv) -> Reply:
    return simple(dataset_digest(client.server).hex().encode())


@debug("DIGEST-VALUE", 2, 1 << 30, "DIGEST-VALUE <key> [<key> ...]",
       "    Output a hex signature of the values of all the specified keys.")  # fmt: skip
def debug_digest_value(client: Client, argv: Argv) -> Reply:
    db = client.db
    digests = [value_digest(db, key, db.data[key]) if key in db.data else EMPTY for key in argv[2:]]
    return array_header(len(digests)) + b"".join([simple(digest.hex().encode()) for digest in digests])


@debug("HTSTATS", 3, 4, "HTSTATS <dbid> [full]", "    Return hash table statistics of the specified Redis database.")
def debug_htstats(client: Client, argv: Argv) -> Reply:
    index = parse_int(argv[2])
    if not 0 <= index < len(client.server.databases):
        raise NoSuchDatabase
    db = client.server.databases[index]
    text = b"[Dictionary HT]\n%b[Expires HT]\n%b" % (_table(len(db.data)), _table(len(db.expires)))
    return client.wire.verbatim(text, b"txt")


@debug(
    "HTSTATS-KEY", 3, 4, "HTSTATS-KEY <key> [full]", "    Like HTSTATS but for the hash table stored at <key>'s value."
)
def debug_htstats_key(client: Client, argv: Argv) -> Reply:
    value = client.db.read_any(argv[2])
    if value is None:
        raise NoSuchKey
    if encoding(value) not in (b"hashtable", b"skiplist"):
        raise NotAHashTable
    return client.wire.verbatim(_table(len(value)), b"txt")


def _table(size: int) -> bytes:
    """Statistics of a hash table of *size* entries in the words of dict.c; ours never has a rehash under way."""
    if not size:
        return b"No stats available for empty dictionaries\n"
    slots = max(4, 1 << (size - 1).bit_length())
    return (
        b"Hash table 0 stats (main hash table):\n table size: %d\n number of elements: %d\n different slots: %d\n"
        b" max chain length: 1\n avg chain length (counted): 1.00\n avg chain length (computed): 1.00\n"
        b" Chain length distribution:\n" % (slots, size, size)
    )


# --- crashes --------------------------------------------------------------------------------------


@debug("SEGFAULT", 2, None, "SEGFAULT", "    Crash the server with sigsegv.")
def debug_segfault(client: Client, argv: Argv) -> Reply:
    client.server.crash(signal.SIGSEGV)
    return OK


@debug("PANIC", 2, None, "PANIC", "    Crash the server simulating a panic.")
def debug_panic(client: Client, argv: Argv) -> Reply:
    client.server.log.warning("------------------------------------------------")
    client.server.log.warning("!!! Software Failure. Press left mouse button to continue")
    client.server.log.warning("Guru Meditation: called by Unittest")
    client.server.crash(signal.SIGABRT)
    return OK


# --- replies and the log --------------------------------------------------------------------------


@debug("LOG", 3, None, "LOG <message>", "    Write <message> to the server log.")
def debug_log(client: Client, argv: Argv) -> Reply:
    client.server.log.warning("DEBUG LOG: " + argv[2].decode("utf-8", "surrogateescape"))
    return OK


@debug("ERROR", 3, None, "ERROR <string>",
       "    Return a Redis protocol error with <string> as message. Useful for clients",
    "    unit tests to simulate Redis errors.")  # fmt: skip
def debug_error(client: Client, argv: Argv) -> Reply:
    return b"-" + argv[2].translate(bytes.maketrans(b"\r\n", b"  ")) + CRLF


@debug(
    "LEAK", 3, None, "LEAK <string>", "    Create a memory leak of the input string: accepted, but nothing leaks here."
)
def debug_leak(client: Client, argv: Argv) -> Reply:
    return OK


@debug("PROTOCOL", 3, None, "PROTOCOL <type>",
       "    Reply with a test value of the specified type. <type> can be: string,",
       "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,", "    true, false.")  # fmt: skip
def debug_protocol(client: Client, argv: Argv) -> Reply:
    wire = client.wire
    numbers = integer(0) + integer(1) + integer(2)
    match argv[2].lower():
        case b"string":
            return bulk(b"Hello World")
        case b"integer":
            return integer(12345)
        case b"double":
            return wire.double(3.141)
        case b"bignum":
            return wire.bignum(b"1234567999999999999999999999999999999")
        case b"null":
            return wire.null
        case b"array":
            return array_header(3) + numbers
        case b"set":
            return wire.set_header(3) + numbers
        case b"map":
            return wire.map_header(3) + b"".join([integer(n) + wire.bool(n == 1) for n in range(3)])
        case b"attrib":
            attribute = b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n" if wire.version == 3 else b""
            return attribute + bulk(b"Some real reply following the attribute")
        case b"push":
            if wire.version == 2:
                raise NeedsResp3
            return b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n" + bulk(b"Some real reply following the push reply")
        case b"true":
            return wire.bool(True)
        case b"false":
            return wire.bool(False)
        case b"verbatim":
            return wire.verbatim(b"This is a verbatim\nstring", b"txt")
    raise UnknownProtocolType


@debug("CONFIG-REWRITE-FORCE-ALL", 2, None, "CONFIG-REWRITE-FORCE-ALL",
       "    Like CONFIG REWRITE but writes all configuration options, including",
       "    keywords not listed in original configuration file or default values.")  # fmt: skip
def debug_config_rewrite_force_all(client: Client, argv: Argv) -> Reply:
    server = client.server
    rewrite(server.config, server.acl.config_lines(), force_all=True)
    return OK


@debug("STRUCTSIZE", 2, None, "STRUCTSIZE", "    Return the size of different Redis core C structures.")
def debug_structsize(client: Client, argv: Argv) -> Reply:
    return bulk(b"bits:64 robj:16 dictentry:24 sdshdr5:1 sdshdr8:3 sdshdr16:5 sdshdr32:9 sdshdr64:17 ")


@debug("STRINGMATCH-TEST", 2, None, "STRINGMATCH-TEST", "    Run a fuzz tester against the stringmatchlen() function.")
def debug_stringmatch_test(client: Client, argv: Argv) -> Reply:
    rng = client.server.rng
    for _ in range(10_000):
        pattern, text = (rng.randbytes(rng.randrange(32)).translate(MATCH_ALPHABET) for _ in range(2))
        match_glob(pattern, text)
    return simple(b"Apparently Redis did not crash: test passed")
