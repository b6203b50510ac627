"""HyperLogLog (hyperloglog.c).  ``datatypes.hyperloglog`` has the representation."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

from ..datatypes import hyperloglog as hll
from ..errors import NoSuchHyperLogLog, NotSparse, SelfTestFailed, UnknownPfdebug
from ..keyspace.events import STRING
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, ADMIN, DENYOOM, FAST, INSERT, MAY_REPLICATE, READONLY, RO, RW, WRITE
from ..registry.keyspecs import at
from ..resp.encode import OK, ONE, ZERO, array_of_integers, bulk, integer, simple

if TYPE_CHECKING:
    from ..engine.client import Client

_TEST_ROUNDS: Final = 20
_TEST_ELEMENTS: Final = 10_000
_STANDARD_ERROR: Final = 1.04 / sqrt(hll.REGISTERS)


def _read(client: Client, key: bytes) -> bytes | bytearray | None:
    """The HyperLogLog at *key*, to be read.  Raises WrongType, NotHyperLogLog"""
    value: bytes | bytearray | None = client.db.read(key, bytes)
    if value is not None:
        hll.check(value)
    return value


def _edit(client: Client, key: bytes) -> bytearray | None:
    """The same, to be changed in place."""
    value: bytes | bytearray | None = client.db.edit(key, bytes)
    if value is None:
        return None
    hll.check(value)
    return _editable(client, key, value)


def _editable(client: Client, key: bytes, value: bytes | bytearray) -> bytearray:
    if isinstance(value, bytearray):
        return value
    buffer = client.db.data[key] = bytearray(value)
    return buffer


@command("PFADD", arity=-2, flags=WRITE | DENYOOM | FAST, keys=at(1, RW | INSERT), acl="hyperloglog")
def pfadd(client: Client, argv: Argv) -> Reply:
    """PFADD key [element [element ...]]"""
    db, key = client.db, argv[1]
    value = _edit(client, key)
    changed = 0
    if value is None:
        value = hll.new()
        db.add(key, value)
        changed = 1
    changed += hll.add(value, argv[2:], client.server.thresholds.hll_sparse_max_bytes)
    if not changed:
        return ZERO
    hll.invalidate(value)
    db.changed(key, b"pfadd", STRING, changed)
    return ONE


@command(
    "PFCOUNT", arity=-2, flags=READONLY | MAY_REPLICATE, acl="hyperloglog",
    keys=at(
        1, RW | ACCESS, last=-1,
        notes="RW because it may change the internal representation of the key, and propagate to replicas",
    ),
)  # fmt: skip
def pfcount(client: Client, argv: Argv) -> Reply:
    """PFCOUNT key [key ...]"""
    if len(argv) > 2:
        found = [value for key in argv[1:] if (value := _read(client, key)) is not None]
        return integer(hll.count_union(found))
    key = argv[1]
    value = _read(client, key)
    if value is None:
        return ZERO
    count = hll.cached_count(value)
    if count is None:
        count = hll.count(value)
        hll.store_count(_editable(client, key, value), count)
        client.db.changed(key, None, STRING)
    return integer(count)


@command(
    "PFMERGE", arity=-2, flags=WRITE | DENYOOM, acl="hyperloglog",
    keys=(at(1, RW | ACCESS | INSERT), at(2, RO | ACCESS, last=-1)),
)  # fmt: skip
def pfmerge(client: Client, argv: Argv) -> Reply:
    """PFMERGE destination [source [source ...]]"""
    db, key = client.db, argv[1]
    found = [value for name in argv[1:] if (value := _read(client, name)) is not None]
    greatest = hll.union(found)
    target = _edit(client, key)
    if target is None:
        target = hll.new()
        db.add(key, target)
    dense = any(value[4] == hll.DENSE for value in found)
    hll.merge(target, greatest, dense, client.server.thresholds.hll_sparse_max_bytes)
    db.changed(key, b"pfadd", STRING)
    return OK


@command(
    "PFDEBUG", arity=3, flags=WRITE | DENYOOM | ADMIN, keys=at(2, RW | ACCESS), acl="hyperloglog",
)  # fmt: skip
def pfdebug(client: Client, argv: Argv) -> Reply:
    """PFDEBUG GETREG | DECODE | ENCODING | TODENSE key"""
    value = _edit(client, argv[2])
    if value is None:
        raise NoSuchHyperLogLog
    match argv[1].upper():
        case b"GETREG":
            _make_dense(client, argv, value)
            return array_of_integers(hll.registers(value))
        case b"DECODE":
            if value[4] != hll.SPARSE:
                raise NotSparse
            return bulk(hll.decode(value))
        case b"ENCODING":
            return simple(hll.ENCODINGS[value[4]])
        case b"TODENSE":
            return ONE if _make_dense(client, argv, value) else ZERO
    raise UnknownPfdebug(argv[1])


def _make_dense(client: Client, argv: Argv, value: bytearray) -> bool:
    """Convert *value*, which followers are told of although it says the same as before."""
    converted = hll.to_dense(value)
    if converted:
        client.server.dirty += 1
        client.propagate(*argv)
    return converted


@command("PFSELFTEST", arity=1, flags=ADMIN, acl="hyperloglog")
def pfselftest(client: Client, argv: Argv) -> Reply:
    """PFSELFTEST: registers keep what is written to them, and estimates are as good as they should be.

    Redis's own adds ten million elements; this stops at ten thousand, 0.2 s.
    """
    rng = client.server.rng
    for _ in range(_TEST_ROUNDS):
        _test_registers(rng.randbytes(hll.REGISTERS))
    _test_estimates(rng.getrandbits(64), client.server.thresholds.hll_sparse_max_bytes)
    return OK


def _test_registers(noise: bytes) -> None:
    written = bytes([byte & 63 for byte in noise])
    value = hll.new()
    hll.merge(value, written, True, 0)
    for index, (register, expected) in enumerate(zip(hll.registers(value), written, strict=True)):
        if register != expected:
            raise SelfTestFailed(f"Register {index} should be {expected} but is {register}")


def _test_estimates(seed: int, sparse_max: int) -> None:
    dense, other = hll.new(), hll.new()
    hll.to_dense(dense)
    checkpoint = 1
    for number in range(1, _TEST_ELEMENTS + 1):
        element = [(number ^ seed).to_bytes(8, "little")]
        hll.add(dense, element, sparse_max)
        hll.add(other, element, sparse_max)
        if number != checkpoint:
            continue
        if number < sparse_max // 2 and other[4] != hll.SPARSE:
            raise SelfTestFailed("sparse encoding not used")
        count = hll.count(dense)
        if count != hll.count(other):
            raise SelfTestFailed("dense/sparse disagree")
        error, most = abs(number - count), 1 if number == 10 else ceil(_STANDARD_ERROR * 6 * number)
        if error > most:
            raise SelfTestFailed(f"Too big error. card:{number} abserr:{error}")
        checkpoint *= 10
