"""Bitmaps: strings as arrays of bits (bitops.c).  ``datatypes.bits`` has the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..datatypes import bits
from ..datatypes.bits import Operation, Overflow
from ..errors import (
    BitfieldReadOnly,
    BitopNotOfMany,
    InvalidBit,
    InvalidBitArgument,
    InvalidBitfieldOverflow,
    InvalidBitfieldType,
    InvalidBitOffset,
    InvalidSyntax,
)
from ..keyspace.events import GENERIC, STRING
from ..registry.command import Argv, Command, Reply, command
from ..registry.flags import ACCESS, DENYOOM, FAST, OW, READONLY, RO, RW, UPDATE, VARIABLE_FLAGS, WRITE
from ..registry.keyspecs import at
from ..resp.encode import MINUS_ONE, ONE, ZERO, array_of, integer
from ..util.numbers import parse_int, parse_int_or_none

if TYPE_CHECKING:
    from ..engine.client import Client

_OPERATIONS: Final[dict[bytes, Operation]] = {b"AND": "and", b"OR": "or", b"XOR": "xor", b"NOT": "not"}
_OVERFLOWS: Final[dict[bytes, Overflow]] = {b"WRAP": "wrap", b"SAT": "sat", b"FAIL": "fail"}
_SIGNED_WIDEST, _UNSIGNED_WIDEST = 64, 63


def _parse_offset(client: Client, text: bytes, width: int = 0) -> int:
    """A bit offset; ``#n`` counts fields of *width* bits, where that is not 0 (getBitOffsetFromArgument)."""
    counted = width > 0 and text[:1] == b"#"
    offset = parse_int_or_none(text[1:] if counted else text)
    if offset is None or offset < 0:
        raise InvalidBitOffset
    if counted:
        offset *= width
    if offset >> 3 >= client.server.config.proto_max_bulk_len and (not client.internal or offset >= 1 << 63):
        raise InvalidBitOffset
    return offset


def _parse_range_unit(argv: Argv, position: int) -> bool:
    """Whether the range counts bits: BIT or BYTE at *position*, BYTE if there is nothing."""
    if len(argv) <= position:
        return False
    unit = argv[position].upper()
    if unit not in (b"BIT", b"BYTE"):
        raise InvalidSyntax
    return unit == b"BIT"


def _open_bits(client: Client, key: bytes, last_bit: int) -> tuple[bytearray, bool]:
    """The string at *key*, made editable and long enough for *last_bit*; whether that changed it."""
    db = client.db
    value = db.edit(key, bytes)
    size = (last_bit >> 3) + 1
    if value is None:
        buffer = bytearray(size)
        db.add(key, buffer)
        return buffer, True
    if isinstance(value, bytearray):
        buffer = value
    else:
        buffer = db.data[key] = bytearray(value)
    return buffer, bits.grow(buffer, size)


@command("SETBIT", arity=4, flags=WRITE | DENYOOM, keys=at(1, RW | ACCESS | UPDATE), acl="bitmap")
def setbit(client: Client, argv: Argv) -> Reply:
    """SETBIT key offset value"""
    offset = _parse_offset(client, argv[2])
    bit = parse_int_or_none(argv[3])
    if bit != 0 and bit != 1:
        raise InvalidBit
    key = argv[1]
    buffer, changed = _open_bits(client, key, offset)
    old = bits.set_bit(buffer, offset, bit)
    if changed or old != bit:
        client.db.changed(key, b"setbit", STRING)
    return ONE if old else ZERO


@command("GETBIT", arity=3, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="bitmap")
def getbit(client: Client, argv: Argv) -> Reply:
    """GETBIT key offset"""
    offset = _parse_offset(client, argv[2])
    value = client.db.read(argv[1], bytes)
    return ONE if value is not None and bits.get_bit(value, offset) else ZERO


@command("BITCOUNT", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS), acl="bitmap")
def bitcount(client: Client, argv: Argv) -> Reply:
    """BITCOUNT key [start end [BYTE | BIT]]"""
    value = client.db.read(argv[1], bytes)
    if value is None:
        return ZERO
    words = len(argv)
    if words == 2:
        return integer(bits.popcount(value))
    if words not in (4, 5):
        raise InvalidSyntax
    start, end = parse_int(argv[2]), parse_int(argv[3])
    if start < 0 and end < 0 and start > end:  # before the unit is even looked at
        return ZERO
    return integer(bits.bitcount(value, start, end, _parse_range_unit(argv, 4)))


@command("BITPOS", arity=-3, flags=READONLY, keys=at(1, RO | ACCESS), acl="bitmap")
def bitpos(client: Client, argv: Argv) -> Reply:
    """BITPOS key bit [start [end [BYTE | BIT]]]"""
    bit = parse_int(argv[2])
    if bit != 0 and bit != 1:
        raise InvalidBitArgument
    value = client.db.read(argv[1], bytes)
    if value is None:
        return MINUS_ONE if bit else ZERO
    words = len(argv)
    if words > 6:
        raise InvalidSyntax
    start = parse_int(argv[3]) if words > 3 else 0
    by_bit = _parse_range_unit(argv, 5)
    end = parse_int(argv[4]) if words > 4 else None
    return integer(bits.bitpos(value, bit, start, end, by_bit))


@command("BITOP", arity=-4, flags=WRITE | DENYOOM, keys=(at(2, OW | UPDATE), at(3, RO | ACCESS, last=-1)), acl="bitmap")
def bitop(client: Client, argv: Argv) -> Reply:
    """BITOP AND | OR | XOR | NOT destkey key [key ...]"""
    operation = _OPERATIONS.get(argv[1].upper())
    if operation is None:
        raise InvalidSyntax
    if operation == "not" and len(argv) != 4:
        raise BitopNotOfMany
    db, target = client.db, argv[2]
    operands = [db.read(key, bytes) or b"" for key in argv[3:]]
    result = bits.combine(operation, list(operands))
    if result:
        if target in db.expires:
            db.expire_for_write(target)
        db.store(target, bytearray(result))
        db.changed(target, b"set", STRING)
    elif db.remove(target):
        db.changed(target, b"del", GENERIC)
    return integer(len(result))


# --- BITFIELD -------------------------------------------------------------------------------------


class Operator(NamedTuple):
    """One GET, SET or INCRBY of a BITFIELD."""

    word: bytes
    offset: int
    width: int
    signed: bool
    operand: int
    overflow: Overflow


def _parse_type(text: bytes) -> tuple[int, bool]:
    """``i16`` or ``u8`` as width in bits and signedness."""
    signed = text[:1] == b"i"
    width = parse_int_or_none(text[1:]) if signed or text[:1] == b"u" else None
    if width is None or not 1 <= width <= (_SIGNED_WIDEST if signed else _UNSIGNED_WIDEST):
        raise InvalidBitfieldType
    return width, signed


def _parse_operators(client: Client, argv: Argv) -> list[Operator]:
    operators = []
    overflow: Overflow = "wrap"
    position, end = 2, len(argv)
    while position < end:
        word = argv[position].upper()
        left = end - position - 1
        if word == b"OVERFLOW" and left >= 1:
            chosen = _OVERFLOWS.get(argv[position + 1].upper())
            if chosen is None:
                raise InvalidBitfieldOverflow
            overflow = chosen
            position += 2
            continue
        if not (word == b"GET" and left >= 2) and not (word in (b"SET", b"INCRBY") and left >= 3):
            raise InvalidSyntax
        width, signed = _parse_type(argv[position + 1])
        offset = _parse_offset(client, argv[position + 2], width)
        operand = 0 if word == b"GET" else parse_int(argv[position + 3])
        operators.append(Operator(word, offset, width, signed, operand, overflow))
        position += 3 if word == b"GET" else 4
    return operators


def _bitfield_keys(command: Command, argv: Argv) -> list[tuple[int, int]]:
    """BITFIELD with nothing but GET only reads (db.c bitfieldGetKeys)."""
    position, end = 2, len(argv)
    while position < end:
        word = argv[position].upper()
        left = end - position - 1
        if word == b"GET" and left >= 2:
            position += 3
        elif word == b"OVERFLOW" and left >= 1:
            position += 2
        else:
            return [(1, RW | ACCESS | UPDATE)]
    return [(1, RO | ACCESS)]


@command(
    "BITFIELD", arity=-2, flags=WRITE | DENYOOM, acl="bitmap", get_keys=_bitfield_keys,
    keys=at(
        1, RW | ACCESS | UPDATE | VARIABLE_FLAGS,
        notes="This command allows both access and modification of the key",
    ),
)  # fmt: skip
def bitfield(client: Client, argv: Argv) -> Reply:
    """BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY ...] ..."""
    operators = _parse_operators(client, argv)
    writes = [operator for operator in operators if operator.word != b"GET"]
    if not writes:
        return _read_fields(client, argv[1], operators)
    key = argv[1]
    last_bit = max(operator.offset + operator.width - 1 for operator in writes)
    buffer, grown = _open_bits(client, key, last_bit)
    changes = 0
    replies = []
    for word, offset, width, signed, operand, overflow in operators:
        old = bits.get_field(buffer, offset, width, signed)
        if word == b"GET":
            replies.append(integer(old))
            continue
        adding = word == b"INCRBY"
        new = bits.fit(old if adding else operand, operand if adding else 0, width, signed, overflow)
        if new is None:
            replies.append(client.wire.null)
            continue
        replies.append(integer(new if adding else old))
        bits.set_field(buffer, offset, width, new)
        if grown or new != old:
            changes += 1
    if changes:
        client.db.changed(key, b"setbit", STRING, changes)
    return array_of(replies)


@command("BITFIELD_RO", arity=-2, flags=READONLY | FAST, keys=at(1, RO | ACCESS), acl="bitmap")
def bitfield_ro(client: Client, argv: Argv) -> Reply:
    """BITFIELD_RO key [GET type offset [GET type offset ...]]"""
    operators = _parse_operators(client, argv)
    if any(operator.word != b"GET" for operator in operators):
        raise BitfieldReadOnly
    return _read_fields(client, argv[1], operators)


def _read_fields(client: Client, key: bytes, operators: list[Operator]) -> bytes:
    value = client.db.read(key, bytes) or b""
    get_field = bits.get_field
    return array_of([integer(get_field(value, o.offset, o.width, o.signed)) for o in operators])
