"""SCAN and its relatives: walks in small steps (db.c scanGenericCommand)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..datatypes.hashes import Hash
from ..datatypes.sets import Set
from ..datatypes.values import type_name
from ..datatypes.zsets import SortedSet
from ..errors import InvalidCursor, InvalidSyntax
from ..registry.arguments import Arguments
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, READONLY, RO, TOUCHES_ARBITRARY_KEYS
from ..registry.keyspecs import at
from ..resp.encode import array_of_bulks, bulk
from ..util.glob import Matcher
from ..util.glob import compile as compile_glob
from ..util.numbers import format_17g, format_double

if TYPE_CHECKING:
    from ..engine.client import Client

_STRTOUL: Final = re.compile(rb"([+-]?)([0-9]+)")
_ULONG: Final = 1 << 64
_NOTHING: Final = b"*2\r\n$1\r\n0\r\n*0\r\n"
UNORDERED: Final = ("nondeterministic_output",)


def _parse_cursor(text: bytes) -> int:
    """A cursor as C's strtoul reads it (parseScanCursorOrReply): signs pass, and so does nothing at all."""
    text = text.partition(b"\0")[0]
    if not text:
        return 0
    found = _STRTOUL.fullmatch(text)
    if found is None or len(text) > 4000:
        raise InvalidCursor
    cursor = int(found[2])
    if cursor >= _ULONG:
        raise InvalidCursor
    return -cursor % _ULONG if found[1] == b"-" else cursor


class _Options:
    """COUNT, MATCH and, for SCAN alone, TYPE."""

    __slots__ = ("count", "fits", "type")

    def __init__(self, argv: Argv, position: int, *, typed: bool = False) -> None:
        self.count = 10
        self.fits: Matcher | None = None
        self.type: bytes | None = None
        options = Arguments(argv, position)
        while options:
            match options.word():
                case b"COUNT":
                    self.count = options.integer()
                    if self.count < 1:
                        raise InvalidSyntax
                case b"MATCH":
                    pattern = options.raw()
                    self.fits = None if pattern == b"*" else compile_glob(pattern)
                case b"TYPE" if typed:
                    self.type = options.raw().lower()
                case _:
                    raise InvalidSyntax


def _reply(cursor: int, items: list[bytes]) -> bytes:
    return b"*2\r\n" + bulk(b"%d" % cursor) + array_of_bulks(items)


@command(
    "SCAN", arity=-2, flags=READONLY | TOUCHES_ARBITRARY_KEYS, acl="keyspace",
    tips=("nondeterministic_output", "request_policy:special", "response_policy:special"),
)  # fmt: skip
def scan(client: Client, argv: Argv) -> Reply:
    """SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]"""
    cursor = _parse_cursor(argv[1])
    options = _Options(argv, 2, typed=True)
    db = client.db
    cursor, keys = db.key_sampler().scan(cursor, options.count)
    if options.fits is not None:
        keys = list(filter(options.fits, keys))
    if options.type is not None:
        keys = [key for key in keys if _has_type(client, key, options.type)]
    elif db.expires:
        keys = [key for key in keys if db.peek(key) is not None]
    return _reply(cursor, keys)


def _has_type(client: Client, key: bytes, wanted: bytes) -> bool:
    """Whether *key* is there with the type *wanted*; counts as a hit or miss."""
    server = client.server
    value = client.db.peek(key)
    if value is None:
        server.keyspace_misses += 1
        return False
    server.keyspace_hits += 1
    return type_name(value) == wanted


# --- inside one value -----------------------------------------------------------------------------


@command("HSCAN", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS), acl="hash", tips=UNORDERED)
def hscan(client: Client, argv: Argv) -> Reply:
    """HSCAN key cursor [MATCH pattern] [COUNT count]"""
    cursor = _parse_cursor(argv[2])
    value = client.db.read(argv[1], Hash)
    if value is None:
        return _NOTHING
    cursor, fields = _walk(value, cursor, argv)
    pairs: list[bytes] = []
    for field in fields:
        pairs += field, value[field]
    return _reply(cursor, pairs)


@command("SSCAN", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS), acl="set", tips=UNORDERED)
def sscan(client: Client, argv: Argv) -> Reply:
    """SSCAN key cursor [MATCH pattern] [COUNT count]"""
    cursor = _parse_cursor(argv[2])
    value = client.db.read(argv[1], Set)
    if value is None:
        return _NOTHING
    return _reply(*_walk(value, cursor, argv))


@command("ZSCAN", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS), acl="sortedset", tips=UNORDERED)
def zscan(client: Client, argv: Argv) -> Reply:
    """ZSCAN key cursor [MATCH pattern] [COUNT count]"""
    cursor = _parse_cursor(argv[2])
    value = client.db.read(argv[1], SortedSet)
    if value is None:
        return _NOTHING
    cursor, members = _walk(value, cursor, argv)
    # Redis prints the scores of a listpack as they are stored, those of a skiplist with %.17Lg.
    spell = format_double if value.small else format_17g
    pairs: list[bytes] = []
    for member in members:
        pairs += member, spell(value.scores[member])
    return _reply(cursor, pairs)


def _walk(value: Hash | Set | SortedSet, cursor: int, argv: Argv) -> tuple[int, list[bytes]]:
    """The next cursor, and what is found from *cursor* on with the options of *argv*."""
    options = _Options(argv, 3)
    cursor, found = value.scan(cursor, options.count)
    return cursor, found if options.fits is None else list(filter(options.fits, found))
