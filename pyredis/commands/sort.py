"""SORT and SORT_RO (sort.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.hashes import Hash
from ..datatypes.lists import List
from ..datatypes.sets import Set
from ..datatypes.zsets import SortedSet
from ..errors import CommandError, InvalidSyntax, SortPatternDenied, SortPatternInCluster, UnsortableScore, WrongType
from ..keyspace.events import GENERIC
from ..keyspace.events import LIST as LIST_EVENTS
from ..registry.arguments import Arguments
from ..registry.command import Argv, Command, Reply, command
from ..registry.flags import ACCESS, DENYOOM, GATE_ACL, OW, READONLY, RO, UPDATE, WRITE
from ..registry.keyspecs import at, unknown
from ..resp.encode import array_of_optional_bulks, integer
from ..util.collation import collation
from ..util.numbers import parse_float

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database

SORTABLE: Final = (List, Set, SortedSet)
_SPACE: Final = b" \t\n\v\f\r"
_ARGUMENTS: Final = {b"LIMIT": 2, b"GET": 1, b"BY": 1}

BY_OR_GET: Final = unknown(
    RO | ACCESS,
    notes="For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the"
    " content of the key we sort",
)
STORE: Final = unknown(
    OW | UPDATE,
    notes="For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in"
    " the argument array",
)


class Pattern:
    """What BY and GET look up for an element: ``#`` itself, ``weight_*`` a string, ``*->name`` a field."""

    __slots__ = ("constant", "field", "itself", "prefix", "suffix")

    def __init__(self, text: bytes) -> None:
        searched = text.partition(b"\0")[0]
        star = searched.find(b"*")
        arrow = searched.find(b"->", star + 1)
        self.itself = searched == b"#"
        self.constant = star < 0
        """The same for every element: nothing to sort by, and nothing found by GET."""
        self.prefix = text[:star]
        self.field: bytes | None = None
        self.suffix = text[star + 1 :]
        if arrow >= 0 and arrow + 2 < len(searched):
            self.suffix, self.field = text[star + 1 : arrow], text[arrow + 2 :]

    def find(self, db: Database, element: bytes) -> bytes | bytearray | None:
        """What stands for *element*; None if there is nothing (lookupKeyByPattern)."""
        if self.itself:
            return element
        if self.constant:
            return None
        value = db.read_any(self.prefix + element + self.suffix)
        if self.field is None:
            return value if isinstance(value, (bytes, bytearray)) else None
        return value.get(self.field) if isinstance(value, Hash) else None


class Options:
    """The words after the key."""

    __slots__ = ("alpha", "by", "count", "descending", "gets", "start", "store", "unsorted")

    def __init__(self, client: Client, argv: Argv, *, readonly: bool) -> None:
        self.alpha = self.descending = self.unsorted = False
        self.by: Pattern | None = None
        self.gets: list[Pattern] = []
        self.start, self.count = 0, -1
        self.store: bytes | None = None
        options = Arguments(argv, 2)
        while options:
            match options.word():
                case b"ASC":
                    self.descending = False
                case b"DESC":
                    self.descending = True
                case b"ALPHA":
                    self.alpha = True
                case b"LIMIT" if options.left >= 2:
                    self.start, self.count = options.integer(), options.integer()
                case b"STORE" if not readonly:
                    self.store = options.raw()
                case b"BY":
                    self.by = Pattern(options.raw())
                    if self.by.constant:
                        self.unsorted = True
                    elif client.server.cluster is not None:
                        raise SortPatternInCluster("BY")
                    elif not _reads_every_key(client, argv):
                        raise SortPatternDenied("BY")
                case b"GET":
                    pattern = Pattern(options.raw())
                    if client.server.cluster is not None:
                        raise SortPatternInCluster("GET")
                    if not _reads_every_key(client, argv):
                        raise SortPatternDenied("GET")
                    self.gets.append(pattern)
                case _:
                    raise InvalidSyntax


def _reads_every_key(client: Client, argv: Argv) -> bool:
    """Whether *client*'s user may read every key: patterns can name any of them."""
    return not client.gate & GATE_ACL or client.server.acl.reads_every_key(client, argv)


def _sort_keys(command: Command, argv: Argv) -> list[tuple[int, int]]:
    """The sorted key, and the last one after STORE (db.c sortGetKeys)."""
    found = [(1, RO | ACCESS)]
    position, end = 2, len(argv)
    while position < end:
        word = argv[position].upper()
        if word == b"STORE" and position + 1 < end:
            found[1:] = [(position + 1, OW | UPDATE)]
        position += 1 + _ARGUMENTS.get(word, 0)
    return found


def _sort_ro_keys(command: Command, argv: Argv) -> list[tuple[int, int]]:
    return [(1, RO | ACCESS)]


@command(
    "SORT", arity=-2, flags=WRITE | DENYOOM, keys=(at(1, RO | ACCESS), BY_OR_GET, STORE),
    acl="set sortedset list dangerous", get_keys=_sort_keys,
)  # fmt: skip
def sort(client: Client, argv: Argv) -> Reply:
    """SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]"""
    options = Options(client, argv, readonly=False)
    chosen = _choose(client, argv[1], options)
    found = _dereference(client.db, chosen, options)
    if options.store is None:
        return array_of_optional_bulks(found, client.wire.null)
    _store(client, options.store, [bytes(value or b"") for value in found])
    return integer(len(found))


@command(
    "SORT_RO", arity=-2, flags=READONLY, keys=(at(1, RO | ACCESS), BY_OR_GET),
    acl="set sortedset list dangerous", get_keys=_sort_ro_keys,
)  # fmt: skip
def sort_ro(client: Client, argv: Argv) -> Reply:
    """SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]"""
    options = Options(client, argv, readonly=True)
    chosen = _choose(client, argv[1], options)
    return array_of_optional_bulks(_dereference(client.db, chosen, options), client.wire.null)


def _choose(client: Client, key: bytes, options: Options) -> list[bytes]:
    """The elements to answer with, in order."""
    value = client.db.read_any(key)
    if value is None:
        return []
    if not isinstance(value, SORTABLE):
        raise WrongType
    if isinstance(value, SortedSet):
        value.convert()
    elif isinstance(value, Set) and options.unsorted and (options.store is not None or client.script is not None):
        # Where the order of a set would reach replicas or scripts it has to be a defined one.
        options.unsorted, options.alpha, options.by = False, True, None
    size = len(value)
    start = min(max(options.start, 0), size)
    stop = size if options.count < 0 else min(start + options.count, size)
    if options.unsorted:
        return _native(value, start, stop, reverse=options.descending)
    elements = list(value.scores if isinstance(value, SortedSet) else value)
    if options.alpha:
        return _by_text(client, elements, options)[start:stop]
    return _by_number(client.db, elements, options)[start:stop]


def _native(value: List | Set | SortedSet, start: int, stop: int, *, reverse: bool) -> list[bytes]:
    """Elements by their place in *value*; a set has no other end to begin at."""
    if isinstance(value, Set):
        return list(value)[start:stop]
    if reverse:
        start, stop = len(value) - stop, len(value) - start
    if isinstance(value, SortedSet):
        elements = [member for _, member in value.slice(start, stop)]
    else:
        elements = value.slice(start, stop)
    return elements[::-1] if reverse else elements


def _by_number(db: Database, elements: list[bytes], options: Options) -> list[bytes]:
    """Elements by score, equal ones by their bytes; an element without a score has 0."""
    by = options.by
    scores = []
    for element in elements:
        text = element if by is None else by.find(db, element)
        scores.append(_parse_score(text or b""))
    ordered = sorted(zip(scores, elements, strict=True), reverse=options.descending)
    return [element for _, element in ordered]


def _parse_score(text: bytes | bytearray) -> float:
    """A number as C's strtod reads a whole string.  Raises UnsortableScore."""
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    try:
        return parse_float(text.lstrip(_SPACE))
    except CommandError:
        raise UnsortableScore from None


def _by_text(client: Client, elements: list[bytes], options: Options) -> list[bytes]:
    """Elements in the locale's order; in that of their bytes if they are stored."""
    by, db = options.by, client.db
    collate = bytes if options.store is not None else collation(client.server.config.locale_collate)
    if by is None:
        return sorted(elements, key=collate, reverse=options.descending)
    keyed = []
    for element in elements:
        text = by.find(db, element)
        keyed.append((b"", element) if text is None else (b"+" + collate(text), element))
    return [element for _, element in sorted(keyed, key=_first, reverse=options.descending)]


def _first(pair: tuple[bytes, bytes]) -> bytes:
    return pair[0]


def _dereference(db: Database, elements: list[bytes], options: Options) -> list[bytes | bytearray | None]:
    """What GET asks for of each element, else the elements."""
    if not options.gets:
        return list(elements)
    return [pattern.find(db, element) for element in elements for pattern in options.gets]


def _store(client: Client, key: bytes, values: list[bytes]) -> None:
    db = client.db
    if values:
        if key in db.expires:
            db.expire_for_write(key)
        db.store(key, List.of(values, client.server.thresholds, fill=-2))
        db.changed(key, b"sortstore", LIST_EVENTS, len(values))
    elif db.remove(key):
        db.changed(key, b"del", GENERIC)
