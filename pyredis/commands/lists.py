"""Lists: LPUSH, LRANGE and their relatives that do not block (t_list.c)."""

from __future__ import annotations

from sys import maxsize
from typing import TYPE_CHECKING, Final

from ..datatypes.lists import List
from ..errors import (
    CountNotPositive,
    IndexOutOfRange,
    InvalidSyntax,
    NegativeCount,
    NegativeMaxlen,
    NoSuchKey,
    NotInRange,
    NotPositive,
    NumkeysNotPositive,
    WrongArity,
    ZeroRank,
)
from ..keyspace.events import GENERIC, LIST
from ..registry.arguments import Arguments, parse_at_least
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, DELETE, DENYOOM, FAST, INSERT, READONLY, RO, RW, UPDATE, WRITE
from ..registry.keyspecs import at, counted
from ..resp.encode import (
    EMPTY_ARRAY,
    MINUS_ONE,
    OK,
    ZERO,
    array_of,
    array_of_bulks,
    array_of_integers,
    bulk,
    integer,
)
from ..util.numbers import INT64_MAX, INT64_MIN, parse_int

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..keyspace.database import Database

PUSHING: Final = WRITE | DENYOOM | FAST
MOVED_KEYS: Final = (at(1, RW | ACCESS | DELETE), at(2, RW | INSERT))


# --- pushing --------------------------------------------------------------------------------------


@command("LPUSH", arity=-3, flags=PUSHING, keys=at(1, RW | INSERT), acl="list")
def lpush(client: Client, argv: Argv) -> Reply:
    """LPUSH key element [element ...]"""
    db, key = client.db, argv[1]
    found = db.data.get(key)
    if type(found) is not List or key in db.expires:  # two frames less for the usual case
        found = db.edit(key, List)
        if found is None:
            found = List()
            db.add(key, found)
    server, long = db.server, found.long
    if long is not None and len(argv) == 3:
        long.push_head(argv[2], server.thresholds.list_packed_threshold)
        length = long.count
    else:
        length = found.push_head(argv[2:], server.thresholds)
    if server.observers:
        db.changed(key, b"lpush", LIST, len(argv) - 2)
    else:
        server.dirty += len(argv) - 2
    return b":%d\r\n" % length


@command("RPUSH", arity=-3, flags=PUSHING, keys=at(1, RW | INSERT), acl="list")
def rpush(client: Client, argv: Argv) -> Reply:
    """RPUSH key element [element ...]"""
    db, key = client.db, argv[1]
    found = db.data.get(key)
    if type(found) is not List or key in db.expires:  # two frames less for the usual case
        found = db.edit(key, List)
        if found is None:
            found = List()
            db.add(key, found)
    server, long = db.server, found.long
    if long is not None and len(argv) == 3:
        long.push_tail(argv[2], server.thresholds.list_packed_threshold)
        length = long.count
    else:
        length = found.push_tail(argv[2:], server.thresholds)
    if server.observers:
        db.changed(key, b"rpush", LIST, len(argv) - 2)
    else:
        server.dirty += len(argv) - 2
    return b":%d\r\n" % length


@command("LPUSHX", arity=-3, flags=PUSHING, keys=at(1, RW | INSERT), acl="list")
def lpushx(client: Client, argv: Argv) -> Reply:
    """LPUSHX key element [element ...]"""
    return ZERO if client.db.edit(argv[1], List) is None else lpush(client, argv)


@command("RPUSHX", arity=-3, flags=PUSHING, keys=at(1, RW | INSERT), acl="list")
def rpushx(client: Client, argv: Argv) -> Reply:
    """RPUSHX key element [element ...]"""
    return ZERO if client.db.edit(argv[1], List) is None else rpush(client, argv)


@command("LINSERT", arity=5, flags=WRITE | DENYOOM, keys=at(1, RW | INSERT), acl="list")
def linsert(client: Client, argv: Argv) -> Reply:
    """LINSERT key BEFORE | AFTER pivot element"""
    _, key, where, pivot, element = argv
    where = where.upper()
    if where not in (b"BEFORE", b"AFTER"):
        raise InvalidSyntax
    db, thresholds = client.db, client.server.thresholds
    found = db.edit(key, List)
    if found is None:
        return ZERO
    found.grow([element], thresholds)
    if not found.insert(pivot, element, thresholds, after=where == b"AFTER"):
        return MINUS_ONE
    db.changed(key, b"linsert", LIST)
    return integer(len(found))


@command("LSET", arity=4, flags=WRITE | DENYOOM, keys=at(1, RW | UPDATE), acl="list")
def lset(client: Client, argv: Argv) -> Reply:
    """LSET key index element"""
    _, key, text, element = argv
    db, thresholds = client.db, client.server.thresholds
    found = db.edit(key, List)
    if found is None:
        raise NoSuchKey
    index, length = _as_c_int(parse_int(text)), len(found)
    found.grow([element], thresholds)
    if not -length <= index < length:
        raise IndexOutOfRange
    found.set(index % length, element, thresholds)
    db.changed(key, b"lset", LIST)
    return OK


def _as_c_int(number: int) -> int:
    """*number* as listTypeReplaceAtIndex gets it: cut to 32 bits."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


# --- popping --------------------------------------------------------------------------------------


@command("LPOP", arity=-2, flags=WRITE | FAST, keys=at(1, RW | ACCESS | DELETE), acl="list")
def lpop(client: Client, argv: Argv) -> Reply:
    """LPOP key [count]"""
    if len(argv) != 2:
        return _pop_count(client, argv, "lpop", head=True)
    db, key = client.db, argv[1]
    found = db.data.get(key)
    if type(found) is not List or key in db.expires:
        found = db.edit(key, List)
        if found is None:
            return client.wire.null
    long = found.long
    if long is not None and len(long.nodes) > 2:  # so it neither becomes empty nor shrinks
        value = long.pop_head()
        if db.server.observers:
            db.changed(key, b"lpop", LIST)
        else:
            db.server.dirty += 1
    else:
        value = pop_one(client, db, key, found, head=True)
    return b"$%d\r\n%b\r\n" % (len(value), value)


@command("RPOP", arity=-2, flags=WRITE | FAST, keys=at(1, RW | ACCESS | DELETE), acl="list")
def rpop(client: Client, argv: Argv) -> Reply:
    """RPOP key [count]"""
    if len(argv) != 2:
        return _pop_count(client, argv, "rpop", head=False)
    db, key = client.db, argv[1]
    found = db.data.get(key)
    if type(found) is not List or key in db.expires:
        found = db.edit(key, List)
        if found is None:
            return client.wire.null
    long = found.long
    if long is not None and len(long.nodes) > 2:  # so it neither becomes empty nor shrinks
        value = long.pop_tail()
        if db.server.observers:
            db.changed(key, b"rpop", LIST)
        else:
            db.server.dirty += 1
    else:
        value = pop_one(client, db, key, found, head=False)
    return b"$%d\r\n%b\r\n" % (len(value), value)


def _pop_count(client: Client, argv: Argv, name: str, *, head: bool) -> Reply:
    if len(argv) > 3:
        raise WrongArity(name)
    count = parse_at_least(argv[2], 0, NotPositive)
    found = client.db.edit(argv[1], List)
    if found is None:
        return client.wire.null_array
    if count == 0:
        return EMPTY_ARRAY
    return array_of_bulks(pop_many(client, argv[1], found, count, head=head))


def pop_one(client: Client, db: Database, key: bytes, found: List, *, head: bool) -> bytes:
    """Pop an end of *found*, which is under *key* and not empty, and tell the others."""
    long = found.long
    if long is None:
        value = found.pop(head=head)
        emptied = not found.items
    else:
        value = long.pop_head() if head else long.pop_tail()
        emptied = not long.count
        if len(long.nodes) == 1:
            found.shrink(client.server.thresholds)
    event = b"lpop" if head else b"rpop"
    if emptied:
        db.remove(key)
        db.changed(key, event, LIST)
        db.event(key, b"del", GENERIC)
    else:
        db.changed(key, event, LIST)
    return value


def pop_many(client: Client, key: bytes, found: List, count: int, *, head: bool) -> list[bytes]:
    """Pop up to *count* elements from an end of *found*, which is under *key*, and tell the others."""
    values = found.pop_many(count, client.server.thresholds, head=head)
    _announce_removal(client.db, key, found, b"lpop" if head else b"rpop", len(values))
    return values


def _announce_removal(db: Database, key: bytes, found: List, event: bytes, count: int) -> None:
    """Elements of *found* are gone; so is the key if none is left (listElementsRemoved)."""
    if found:
        db.changed(key, event, LIST, count)
    else:
        db.remove(key)
        db.changed(key, event, LIST, count)
        db.event(key, b"del", GENERIC)


@command("LMPOP", arity=-4, flags=WRITE, keys=counted(1, RW | ACCESS | DELETE), acl="list")
def lmpop(client: Client, argv: Argv) -> Reply:
    """LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]"""
    keys, head, count = parse_mpop(argv, 1)
    return pop_first(client, keys, count, head=head) or client.wire.null_array


def parse_mpop(argv: Argv, numkeys_at: int) -> tuple[list[bytes], bool, int]:
    """Keys, whether to pop at the head, and how many, out of ``numkeys key ... LEFT | RIGHT [COUNT count]``."""
    numkeys = parse_at_least(argv[numkeys_at], 1, NumkeysNotPositive)
    first = numkeys_at + 1
    if first + numkeys >= len(argv):
        raise InvalidSyntax
    head = parse_end(argv[first + numkeys])
    count = 0
    options = Arguments(argv, first + numkeys + 1)
    while options:
        if count or options.word() != b"COUNT" or not options:
            raise InvalidSyntax
        count = parse_at_least(options.raw(), 1, CountNotPositive)
    return argv[first : first + numkeys], head, count or 1


def pop_first(client: Client, keys: list[bytes], count: int, *, head: bool) -> bytes | None:
    """The reply of popping from the first list under *keys* that exists; None if none does."""
    for key in keys:
        found = client.db.edit(key, List)
        if found is not None:
            values = pop_many(client, key, found, count, head=head)
            client.propagate(b"LPOP" if head else b"RPOP", key, b"%d" % len(values))
            return array_of([bulk(key), array_of_bulks(values)])
    return None


# --- moving ---------------------------------------------------------------------------------------


def parse_end(word: bytes) -> bool:
    """True for LEFT, false for RIGHT.  Raises InvalidSyntax"""
    word = word.upper()
    if word == b"LEFT":
        return True
    if word == b"RIGHT":
        return False
    raise InvalidSyntax


@command("LMOVE", arity=5, flags=WRITE | DENYOOM, keys=MOVED_KEYS, acl="list")
def lmove(client: Client, argv: Argv) -> Reply:
    """LMOVE source destination LEFT | RIGHT LEFT | RIGHT"""
    from_head, to_head = parse_end(argv[3]), parse_end(argv[4])
    value = move(client, argv[1], argv[2], from_head=from_head, to_head=to_head)
    return client.wire.null if value is None else bulk(value)


@command("RPOPLPUSH", arity=3, flags=WRITE | DENYOOM, keys=MOVED_KEYS, acl="list")
def rpoplpush(client: Client, argv: Argv) -> Reply:
    """RPOPLPUSH source destination"""
    value = move(client, argv[1], argv[2], from_head=False, to_head=True)
    return client.wire.null if value is None else bulk(value)


def move(client: Client, source_key: bytes, target_key: bytes, *, from_head: bool, to_head: bool) -> bytes | None:
    """Move an element from an end of one list to an end of another or the same; None if there is none."""
    db, thresholds = client.db, client.server.thresholds
    source = db.edit(source_key, List)
    if source is None:
        return None
    target = db.edit(target_key, List)
    value = source.pop(head=from_head)
    if target is None:
        target = List()
        db.add(target_key, target)
    if to_head:
        target.push_head([value], thresholds)
    else:
        target.push_tail([value], thresholds)
    db.changed(target_key, b"lpush" if to_head else b"rpush", LIST, 0)
    source.shrink(thresholds)
    _announce_removal(db, source_key, source, b"lpop" if from_head else b"rpop", 1)
    return value


# --- removing -------------------------------------------------------------------------------------


@command("LREM", arity=4, flags=WRITE, keys=at(1, RW | DELETE), acl="list")
def lrem(client: Client, argv: Argv) -> Reply:
    """LREM key count element"""
    _, key, text, element = argv
    count = parse_int(text)
    db = client.db
    found = db.edit(key, List)
    if found is None:
        return ZERO
    removed = found.remove(element, abs(count) or maxsize, client.server.thresholds, from_tail=count < 0)
    if removed:
        _announce_removal(db, key, found, b"lrem", removed)
    return integer(removed)


@command("LTRIM", arity=4, flags=WRITE, keys=at(1, RW | DELETE), acl="list")
def ltrim(client: Client, argv: Argv) -> Reply:
    """LTRIM key start stop"""
    key, start, stop = argv[1], parse_int(argv[2]), parse_int(argv[3])
    found = client.db.edit(key, List)
    if found is None:
        return OK
    length = len(found)
    start, stop = _clip(start, stop, length)
    head, tail = (start, length - stop) if start < stop else (length, 0)
    found.trim(head, tail, client.server.thresholds)
    if not head + tail:
        client.propagate_nothing()
    _announce_removal(client.db, key, found, b"ltrim", head + tail)
    return OK


# --- reading --------------------------------------------------------------------------------------


def _clip(start: int, stop: int, length: int) -> tuple[int, int]:
    """Inclusive indexes, negative ones from the end, as a half-open range; empty if start >= stop."""
    if start < 0:
        start = max(start + length, 0)
    if stop < 0:
        stop += length
    return start, min(stop + 1, length)


@command("LRANGE", arity=4, flags=READONLY, keys=at(1, RO | ACCESS), acl="list")
def lrange(client: Client, argv: Argv) -> Reply:
    """LRANGE key start stop"""
    start, stop = parse_int(argv[2]), parse_int(argv[3])
    found = client.db.read(argv[1], List)
    if found is None:
        return EMPTY_ARRAY
    start, stop = _clip(start, stop, len(found))
    return array_of_bulks(found.slice(start, stop)) if start < stop else EMPTY_ARRAY


@command("LLEN", arity=2, flags=READONLY | FAST, keys=at(1, RO), acl="list")
def llen(client: Client, argv: Argv) -> Reply:
    """LLEN key"""
    found = client.db.read(argv[1], List)
    return ZERO if found is None else integer(len(found))


@command("LINDEX", arity=3, flags=READONLY, keys=at(1, RO | ACCESS), acl="list")
def lindex(client: Client, argv: Argv) -> Reply:
    """LINDEX key index"""
    found = client.db.read(argv[1], List)
    if found is None:
        return client.wire.null
    index, length = parse_int(argv[2]), len(found)
    if not -length <= index < length:
        return client.wire.null
    return bulk(found.get(index % length))


@command("LPOS", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS), acl="list")
def lpos(client: Client, argv: Argv) -> Reply:
    """LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]"""
    rank, count, maxlen = 1, -1, 0
    options = Arguments(argv, 3)
    while options:
        option = options.word()
        if option == b"RANK":
            rank = options.integer()
            if rank == INT64_MIN:
                raise NotInRange(-INT64_MAX, INT64_MAX)
            if rank == 0:
                raise ZeroRank
        elif option == b"COUNT":
            count = parse_at_least(options.raw(), 0, NegativeCount)
        elif option == b"MAXLEN":
            maxlen = parse_at_least(options.raw(), 0, NegativeMaxlen)
        else:
            raise InvalidSyntax
    found = client.db.read(argv[1], List)
    if found is None:
        return client.wire.null if count < 0 else EMPTY_ARRAY
    most = (count or maxsize) if count >= 0 else 1
    matches = found.positions(argv[2], rank, most, maxlen or maxsize)
    if count >= 0:
        return array_of_integers(matches)
    return integer(matches[0]) if matches else client.wire.null
