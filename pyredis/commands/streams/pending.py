"""XPENDING, XCLAIM and XAUTOCLAIM: what was delivered and not acknowledged (t_stream.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...datatypes.streams import Group, Pending, Stream
from ...datatypes.streams.ids import format_id, parse_end, parse_start, parse_strict_id
from ...errors import (
    ClaimCountNotPositive,
    ClaimCountTooHigh,
    InvalidClaimArgument,
    InvalidStreamId,
    InvalidSyntax,
    NoKeyOrGroup,
    UnknownClaimOption,
)
from ...registry.command import Argv, Reply, command
from ...registry.flags import ACCESS, DELETE, FAST, READONLY, RO, RW, UPDATE, WRITE
from ...registry.keyspecs import at
from ...resp.encode import EMPTY_ARRAY, array_header, array_of, bulk
from ...util.numbers import parse_int, parse_int_or_none
from .common import (
    UNSTABLE,
    entry_reply,
    find_consumer,
    group_to_edit,
    id_reply,
    now_ms,
    pending_reply,
    propagate_claim,
    propagate_position,
)

if TYPE_CHECKING:
    from ...engine.client import Client

_ATTEMPTS: Final = 10  # deliveries that XAUTOCLAIM looks at for each one it may claim
_MOST_CLAIMED: Final = ((1 << 63) - 1) // 16
_MOST_ALLOCATED: Final = (1 << 47) // 16  # Redis allocates 16 bytes for each, which no address space has room for


# --- XPENDING -------------------------------------------------------------------------------------


@command("XPENDING", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS), acl="stream", tips=UNSTABLE)
def xpending(client: Client, argv: Argv) -> Reply:
    """XPENDING key group [[IDLE min-idle-time] start end count [consumer]]"""
    if len(argv) == 3:
        return _summary(client, _group_to_read(client, argv))
    if not 6 <= len(argv) <= 9:
        raise InvalidSyntax
    position, min_idle = 3, 0
    if argv[3].upper() == b"IDLE":
        min_idle = parse_int(argv[4])
        if len(argv) < 8:
            raise InvalidSyntax
        position = 5
    count = max(parse_int(argv[position + 2]), 0)
    start, end = parse_start(argv[position]), parse_end(argv[position + 1])
    group = _group_to_read(client, argv)
    listed = group.pending
    if position + 3 < len(argv):
        consumer = group.consumers.get(argv[position + 3])
        if consumer is None:
            return EMPTY_ARRAY
        listed = consumer.pending
    now = now_ms(client)
    replies: list[bytes] = []
    for entry_id, pending in listed.since(start):
        if entry_id > end or len(replies) == count:
            break
        idle = now - pending.delivered
        if not min_idle or idle >= min_idle:
            replies.append(pending_reply(entry_id, pending, max(idle, 0)))
    return array_of(replies)


def _group_to_read(client: Client, argv: Argv) -> Group:
    stream = client.db.read(argv[1], Stream)
    group = None if stream is None else stream.groups.get(argv[2])
    if group is None:
        raise NoKeyOrGroup(argv[1], argv[2])
    return group


def _summary(client: Client, group: Group) -> bytes:
    pending, wire = group.pending, client.wire
    if not pending:
        return b"*4\r\n:0\r\n%b%b%b" % (wire.null, wire.null, wire.null_array)
    owners = [
        b"*2\r\n%b%b" % (bulk(name), bulk(b"%d" % len(group.consumers[name].pending)))
        for name in sorted(group.consumers)
        if len(group.consumers[name].pending)
    ]
    first, last = id_reply(pending.first()), id_reply(pending.last())
    return b"*4\r\n:%d\r\n%b%b%b" % (len(pending), first, last, array_of(owners))


# --- XCLAIM ---------------------------------------------------------------------------------------


class _Claim:
    """The options of XCLAIM."""

    __slots__ = ("delivered", "force", "justid", "last_id", "retries")

    def __init__(self, now: int) -> None:
        self.delivered = now
        self.retries = -1
        self.force = False
        self.justid = False
        self.last_id = 0


def _parse_claim(argv: Argv, position: int, now: int) -> _Claim:
    claim = _Claim(now)
    while position < len(argv):
        option = argv[position].upper()
        position += 1
        if option == b"FORCE":
            claim.force = True
        elif option == b"JUSTID":
            claim.justid = True
        elif option in (b"IDLE", b"TIME", b"RETRYCOUNT", b"LASTID") and position < len(argv):
            _parse_claim_value(claim, option, argv[position], now)
            position += 1
        else:
            raise UnknownClaimOption(argv[position - 1])
    if not 0 <= claim.delivered <= now:
        claim.delivered = now
    return claim


def _parse_claim_value(claim: _Claim, option: bytes, text: bytes, now: int) -> None:
    if option == b"LASTID":
        claim.last_id = parse_strict_id(text)
        return
    number = parse_int_or_none(text)
    if number is None:
        raise InvalidClaimArgument(f"{option.decode()} option argument", "XCLAIM")
    if option == b"RETRYCOUNT":
        claim.retries = number
    else:
        claim.delivered = now - number if option == b"IDLE" else number


@command("XCLAIM", arity=-6, flags=WRITE | FAST, keys=at(1, RW | UPDATE), acl="stream", tips=UNSTABLE)
def xclaim(client: Client, argv: Argv) -> Reply:
    """XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID]"""
    _, key, name, consumer_name = argv[:4]
    stream, group = group_to_edit(client, key, name)
    min_idle = parse_int_or_none(argv[4])
    if min_idle is None:
        raise InvalidClaimArgument("min-idle-time argument", "XCLAIM")
    ids: list[tuple[int, bytes]] = []
    try:
        for text in argv[5:]:
            ids.append((parse_strict_id(text), text))
    except InvalidStreamId:
        pass  # options begin here
    now = now_ms(client)
    claim = _parse_claim(argv, 5 + len(ids), now)
    moved = claim.last_id > group.last_id
    if moved:
        group.last_id = claim.last_id
    consumer, _ = find_consumer(client, key, group, consumer_name)
    server = client.server
    replies: list[bytes] = []
    for entry_id, text in ids:
        pending = group.pending.get(entry_id)
        pairs = stream.get(entry_id)
        if pairs is None:
            if pending is None:
                continue
            propagate_claim(client, key, name, group, text, pending)
            group.acknowledge(entry_id)
        else:
            if pending is None:
                if not claim.force:
                    continue
                pending = Pending(consumer_name, now)
                group.add(entry_id, pending)
            elif min_idle > 0 and now - pending.delivered < min_idle:
                continue
            group.give(entry_id, pending, consumer_name)
            pending.delivered = claim.delivered
            if claim.retries >= 0:
                pending.deliveries = claim.retries
            elif not claim.justid:
                pending.deliveries += 1
            replies.append(id_reply(entry_id) if claim.justid else entry_reply(entry_id, pairs))
            consumer.active_time = now
            propagate_claim(client, key, name, group, text, pending)
        moved = False  # the XCLAIM has told it
        server.dirty += 1
    if moved:
        propagate_position(client, key, name, group)
        server.dirty += 1
    return array_header(len(replies)) + b"".join(replies)


# --- XAUTOCLAIM -----------------------------------------------------------------------------------


def _parse_autoclaim(argv: Argv) -> tuple[int, bool]:
    """COUNT and JUSTID from argv[6] on."""
    count, justid = 100, False
    position = 6
    while position < len(argv):
        option = argv[position].upper()
        if option == b"COUNT" and position + 1 < len(argv):
            number = parse_int_or_none(argv[position + 1])
            if number is None or not 1 <= number <= _MOST_CLAIMED:
                raise ClaimCountNotPositive
            count = number
            position += 2
        elif option == b"JUSTID":
            justid = True
            position += 1
        else:
            raise InvalidSyntax
    return count, justid


@command("XAUTOCLAIM", arity=-6, flags=WRITE | FAST, keys=at(1, RW | DELETE), acl="stream", tips=UNSTABLE)
def xautoclaim(client: Client, argv: Argv) -> Reply:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]"""
    _, key, name, consumer_name = argv[:4]
    min_idle = parse_int_or_none(argv[4])
    if min_idle is None:
        raise InvalidClaimArgument("min-idle-time argument", "XAUTOCLAIM")
    start = parse_start(argv[5])
    count, justid = _parse_autoclaim(argv)
    stream, group = group_to_edit(client, key, name)
    if count >= _MOST_ALLOCATED:
        raise ClaimCountTooHigh
    consumer, _ = find_consumer(client, key, group, consumer_name)
    now, server = now_ms(client), client.server
    attempts, cursor = count * _ATTEMPTS, 0
    replies: list[bytes] = []
    deleted: list[bytes] = []
    for entry_id, pending in group.pending.since(start):
        if not attempts or not count:
            cursor = entry_id
            break
        attempts -= 1
        pairs = stream.get(entry_id)
        if pairs is None:
            propagate_claim(client, key, name, group, format_id(entry_id), pending)
            group.acknowledge(entry_id)
            deleted.append(id_reply(entry_id))
        elif min_idle > 0 and now - pending.delivered < min_idle:
            continue
        else:
            group.give(entry_id, pending, consumer_name)
            pending.delivered = now
            if not justid:
                pending.deliveries += 1
            replies.append(id_reply(entry_id) if justid else entry_reply(entry_id, pairs))
            consumer.active_time = now
            propagate_claim(client, key, name, group, format_id(entry_id), pending)
        count -= 1
        server.dirty += 1
    return b"*3\r\n%b%b%b" % (id_reply(cursor), array_of(replies), array_of(deleted))
