"""Adding, trimming, deleting and reading entries by ID (t_stream.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.streams import Stream
from ...datatypes.streams.ids import (
    MAX_ID,
    format_id,
    parse_end,
    parse_new_id,
    parse_start,
    parse_strict_id,
)
from ...errors import (
    EntriesAddedBelowLength,
    InvalidSyntax,
    NegativeEntriesAdded,
    NegativeTrimLength,
    NegativeTrimLimit,
    NoSuchKey,
    StreamExhausted,
    StreamIdBelowDeletedId,
    StreamIdBelowGivenDeletedId,
    StreamIdBelowTop,
    StreamIdNotGreater,
    TrimLimitWhenExact,
    TrimLimitWithoutStrategy,
    TrimStrategiesCombined,
    TrimStrategyMissing,
    WrongArity,
    ZeroStreamId,
)
from ...keyspace.events import STREAM
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, DELETE, DENYOOM, FAST, READONLY, RO, RW, UPDATE, WRITE
from ...registry.keyspecs import at
from ...resp.encode import EMPTY_ARRAY, OK, ZERO, integer
from ...util.numbers import parse_int
from .common import UNSTABLE, entries_reply

if TYPE_CHECKING:
    from ...engine.client import Client

_UNTRIMMED_NODES: Final = 100  # blocks that an approximate trim removes at most, unless told otherwise
_MOST_UNLIMITED: Final = 10_000
_MOST_TRIMMED: Final = 1_000_000


class Trim:
    """The options of XADD and XTRIM before the ID."""

    strategy = False  # there is one: by_id or by length
    by_id = False
    threshold = 0
    argument = 0  # where in argv the threshold is
    approximate = False
    limit = 0
    given_limit = False
    make = True  # XADD may make the stream

    def apply(self, stream: Stream) -> int:
        """Trim *stream*; how many entries were removed."""
        if self.by_id:
            return stream.trim_before(self.threshold, self.approximate, self.limit)
        return stream.trim_to_length(self.threshold, self.approximate, self.limit)

    def exact(self, stream: Stream, argv: Argv) -> None:
        """Rewrite *argv* to what an approximate trim has come to, so that a replica does the same."""
        argv[self.argument - 1] = b"="
        argv[self.argument] = format_id(stream.first_kept_id()) if self.by_id else b"%d" % stream.length


def _parse_trim(client: Client, argv: Argv, *, adding: bool) -> tuple[Trim, int]:
    """Options from argv[2] on, and the position of the ID (streamParseAddOrTrimArgsOrReply)."""
    trim = Trim()
    position, last = 2, len(argv) - 1
    while position <= last:
        text = argv[position]
        if adding and text == b"*":
            break
        option = text.upper()
        if option == b"MAXLEN" and position < last:
            position = _parse_strategy(trim, argv, position, by_id=False)
        elif option == b"MINID" and position < last:
            position = _parse_strategy(trim, argv, position, by_id=True)
        elif option == b"LIMIT" and position < last:
            position += 1
            trim.limit = parse_int(argv[position])
            if trim.limit < 0:
                raise NegativeTrimLimit
            trim.given_limit = True
        elif adding and option == b"NOMKSTREAM":
            trim.make = False
        elif adding:
            parse_new_id(text)
            break
        else:
            raise InvalidSyntax
        position += 1
    _settle_limit(client, trim, adding=adding)
    return trim, position


def _parse_strategy(trim: Trim, argv: Argv, position: int, *, by_id: bool) -> int:
    if trim.strategy:
        raise TrimStrategiesCombined
    position += 1
    text = argv[position]
    if (text == b"~" or text == b"=") and position + 1 < len(argv):
        trim.approximate = text == b"~"
        position += 1
    if by_id:
        trim.threshold = parse_strict_id(argv[position])
    else:
        trim.threshold = parse_int(argv[position])
        if trim.threshold < 0:
            raise NegativeTrimLength
    trim.strategy, trim.by_id, trim.argument = True, by_id, position
    return position


def _settle_limit(client: Client, trim: Trim, *, adding: bool) -> None:
    if trim.limit and not trim.strategy:
        raise TrimLimitWithoutStrategy
    if not adding and not trim.strategy:
        raise TrimStrategyMissing
    if client.internal:
        trim.limit = 0  # what a leader or the AOF says has been limited already
    elif trim.given_limit:
        if not trim.approximate:
            raise TrimLimitWhenExact
    elif trim.approximate:
        limit = _UNTRIMMED_NODES * client.server.thresholds.stream_node_max_entries
        trim.limit = min(limit, _MOST_TRIMMED) if limit > 0 else _MOST_UNLIMITED


# --- writing --------------------------------------------------------------------------------------


@command(
    "XADD", arity=-5, flags=WRITE | DENYOOM | FAST, acl="stream", tips=UNSTABLE,
    keys=at(1, RW | UPDATE, notes="UPDATE instead of INSERT because of the optional trimming feature"),
)  # fmt: skip
def xadd(client: Client, argv: Argv) -> Reply:
    """XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value [...]"""
    if argv[2] == b"*":
        trim, position = None, 2
    else:
        trim, position = _parse_trim(client, argv, adding=True)
    words = len(argv) - position - 1
    if words < 2 or words & 1:
        raise WrongArity("xadd")
    wanted, exact = (0, False) if argv[position] == b"*" else parse_new_id(argv[position])
    if exact and not wanted:
        raise ZeroStreamId
    server, db, key = client.server, client.db, argv[1]
    stream = db.edit(key, Stream)
    found = stream
    if stream is None:
        if trim is not None and not trim.make:
            return client.wire.null
        stream = Stream()
    elif stream.last_id == MAX_ID:
        raise StreamExhausted
    if argv[position] == b"*":
        entry_id = stream.next_id(server.now // 1_000_000)
    else:
        entry_id = wanted if exact else stream.next_in(wanted >> 64)
        if entry_id <= stream.last_id:
            raise StreamIdNotGreater
    limits = server.thresholds
    stream.append(entry_id, argv[position + 1 :], limits.stream_node_max_entries, limits.stream_node_max_bytes)
    if found is None:
        db.add(key, stream)
    db.changed(key, b"xadd", STREAM)
    text = format_id(entry_id)
    if trim is not None and trim.strategy and trim.apply(stream):
        db.event(key, b"xtrim", STREAM)
    if server.propagation.active and (not exact or (trim is not None and trim.approximate)):
        words_out = argv.copy()
        words_out[position] = text
        if trim is not None and trim.approximate:
            trim.exact(stream, words_out)
        client.propagate(*words_out)
    return b"$%d\r\n%b\r\n" % (len(text), text)


@command("XTRIM", arity=-4, flags=WRITE, keys=at(1, RW | DELETE), acl="stream", tips=UNSTABLE)
def xtrim(client: Client, argv: Argv) -> Reply:
    """XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]"""
    trim, _ = _parse_trim(client, argv, adding=False)
    db, key = client.db, argv[1]
    stream = db.edit(key, Stream)
    if stream is None:
        return ZERO
    deleted = trim.apply(stream)
    if deleted:
        db.changed(key, b"xtrim", STREAM, deleted)
        if trim.approximate and client.server.propagation.active:
            words = argv.copy()
            trim.exact(stream, words)
            client.propagate(*words)
    return integer(deleted)


@command("XDEL", arity=-3, flags=WRITE | FAST, keys=at(1, RW | DELETE), acl="stream")
def xdel(client: Client, argv: Argv) -> Reply:
    """XDEL key id [id ...]"""
    db, key = client.db, argv[1]
    stream = db.edit(key, Stream)
    if stream is None:
        return ZERO
    deleted = stream.delete([parse_strict_id(text) for text in argv[2:]])
    if deleted:
        db.changed(key, b"xdel", STREAM, deleted)
    return integer(deleted)


@command("XSETID", arity=-3, flags=WRITE | DENYOOM | FAST, keys=at(1, RW | UPDATE), acl="stream")
def xsetid(client: Client, argv: Argv) -> Reply:
    """XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]"""
    last_id = parse_strict_id(argv[2])
    added = -1
    deleted_id = 0
    for position in range(3, len(argv), 2):
        option = argv[position].upper()
        if position + 1 == len(argv) or option not in (b"ENTRIESADDED", b"MAXDELETEDID"):
            raise InvalidSyntax
        if option == b"ENTRIESADDED":
            added = parse_int(argv[position + 1])
            if added < 0:
                raise NegativeEntriesAdded
        else:
            deleted_id = parse_strict_id(argv[position + 1])
            if last_id < deleted_id:
                raise StreamIdBelowGivenDeletedId
    stream = client.db.edit(argv[1], Stream)
    if stream is None:
        raise NoSuchKey
    if last_id < stream.max_deleted_id:
        raise StreamIdBelowDeletedId
    if stream.length:
        if last_id < stream.last_live_id():
            raise StreamIdBelowTop
        if 0 <= added < stream.length:
            raise EntriesAddedBelowLength
    stream.last_id = last_id
    if added >= 0:
        stream.entries_added = added
    if deleted_id:
        stream.max_deleted_id = deleted_id
    client.server.dirty += 1
    client.db.event(argv[1], b"xsetid", STREAM)
    client.propagate(*argv)
    return OK


# --- reading --------------------------------------------------------------------------------------


@command("XLEN", arity=2, flags=READONLY | FAST, keys=at(1, RO), acl="stream")
def xlen(client: Client, argv: Argv) -> Reply:
    """XLEN key"""
    stream = client.db.read(argv[1], Stream)
    return ZERO if stream is None else integer(stream.length)


@command("XRANGE", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="stream")
def xrange(client: Client, argv: Argv) -> Reply:
    """XRANGE key start end [COUNT count]"""
    return _range(client, argv, argv[2], argv[3], reverse=False)


@command("XREVRANGE", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="stream")
def xrevrange(client: Client, argv: Argv) -> Reply:
    """XREVRANGE key end start [COUNT count]"""
    return _range(client, argv, argv[3], argv[2], reverse=True)


def _range(client: Client, argv: Argv, first: bytes, last: bytes, *, reverse: bool) -> Reply:
    start, end = parse_start(first), parse_end(last)
    count = -1
    for position in range(4, len(argv), 2):
        if position + 1 == len(argv) or argv[position].upper() != b"COUNT":
            raise InvalidSyntax
        count = max(parse_int(argv[position + 1]), 0)
    stream = client.db.read(argv[1], Stream)
    if stream is None:
        return EMPTY_ARRAY
    if count == 0:
        return client.wire.null_array
    return entries_reply(stream.range(start, end, max(count, 0), reverse=reverse))
