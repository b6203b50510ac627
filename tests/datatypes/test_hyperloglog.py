"""HyperLogLog: digests and counts recorded from Redis 7.2.4, and a model of plain registers."""

from __future__ import annotations

import random
from hashlib import sha1

import pytest

from pyredis.datatypes import hyperloglog as hll
from pyredis.errors import CorruptedHyperLogLog, NotHyperLogLog

SPARSE_MAX = 3000


def elements(start: int, stop: int) -> list[bytes]:
    return [b"element:%d" % number for number in range(start, stop)]


def digest(value: bytearray) -> str:
    return sha1(value).hexdigest()


def recount(value: bytearray) -> int:
    count = hll.count(value)
    hll.store_count(value, count)
    assert hll.cached_count(value) == count
    return count


def check_invariants(value: bytearray) -> None:
    hll.check(value)
    assert len(hll.registers(value)) == hll.REGISTERS
    if value[4] == hll.SPARSE:
        dense = bytearray(value)
        assert hll.to_dense(dense)
        assert hll.registers(dense) == hll.registers(value)
        assert hll.count(dense) == hll.count(value)


def test_strings_and_counts_are_those_of_redis() -> None:
    value = hll.new()
    done = 0
    for total, count, sha in (
        (1, 1, "946a3f384bd41aeac7fc2f5baa171a9779cbb61a"),
        (10, 10, "e3e04df1a81a6ff6519b7fbb700d7061cc170f4c"),
        (100, 99, "4d1b3bef5d497d64c4202942021f568e478230c6"),
        (500, 502, "54c23f2d1a0d61f405dfba4b94c77c52b6e7983f"),
        (1000, 997, "600cc26e1c0791fccdb3cde0fabfa0c84550674a"),
        (1700, 1706, "04977dcfe0ee256df4d1b896186ea08404aa7f08"),
        (3000, 3002, "a456ded68989065f6ee0edf2d4ef1d5cce15c63f"),
        (50000, 49716, "48c70a5c67691c6a38269f1fd447d2706f0a2923"),
    ):
        hll.add(value, elements(done, total), SPARSE_MAX)
        done = total
        assert (recount(value), digest(value)) == (count, sha)


def test_merge_writes_what_redis_writes() -> None:
    a, b, merged = hll.new(), hll.new(), hll.new()
    hll.add(a, elements(0, 400), SPARSE_MAX)
    hll.add(b, elements(300, 900), SPARSE_MAX)
    hll.merge(merged, hll.union([a, b]), False, SPARSE_MAX)
    assert hll.count_union([a, b]) == 897
    assert digest(merged) == "3a3ce4f211d5f61b8921e3f2302c058415380414"
    hll.add(b, elements(900, 3000), SPARSE_MAX)
    hll.merge(a, hll.union([a, b]), True, SPARSE_MAX)
    assert (recount(a), digest(a)) == (3002, "a456ded68989065f6ee0edf2d4ef1d5cce15c63f")


@pytest.mark.parametrize("sparse_max", [0, 60, 700, 3000, 16000])
def test_registers_against_a_model(sparse_max: int) -> None:
    chance = random.Random(sparse_max)
    value, model = hll.new(), bytearray(hll.REGISTERS)
    for _ in range(40):
        for element in [chance.randbytes(chance.randrange(24)) for _ in range(chance.choice((1, 10, 100)))]:
            code = hll.murmur64a(element)
            run = code >> 14 | 1 << 50
            index, length = code & 16383, (run & -run).bit_length()
            changed = hll.add(value, [element], sparse_max)
            assert changed == (length > model[index])
            model[index] = max(model[index], length)
        assert hll.registers(value) == model
        check_invariants(value)
        assert value[4] == hll.DENSE or len(value) <= max(sparse_max, 18)


@pytest.mark.parametrize("sparse_max", [100, 3000])
def test_union_and_merge_against_a_model(sparse_max: int) -> None:
    chance = random.Random(3)
    for _ in range(20):
        values = [hll.new() for _ in range(3)]
        for value in values:
            hll.add(value, [chance.randbytes(8) for _ in range(chance.choice((0, 5, 300, 2500)))], sparse_max)
        expected = bytes(map(max, *map(hll.registers, values)))
        assert hll.union(values) == expected
        target = values[0]
        hll.merge(target, expected, any(value[4] == hll.DENSE for value in values), sparse_max)
        assert hll.registers(target) == expected
        assert hll.cached_count(target) is None
        check_invariants(target)


def test_a_long_run_promotes_to_dense() -> None:
    value = hll.new()
    assert hll._sparse_set(value, 7, 33, SPARSE_MAX, hll.HEADER, 0)[0] == 1
    assert value[4] == hll.DENSE
    assert hll.registers(value)[7] == 33


def test_last_register_of_a_dense_value() -> None:
    value = hll.new()
    hll.to_dense(value)
    assert hll._dense_set(value, hll.REGISTERS - 1, 51) == 1
    assert hll._dense_set(value, hll.REGISTERS - 1, 50) == 0
    assert hll.registers(value) == bytes(hll.REGISTERS - 1) + b"\x33"


def test_decode() -> None:
    value = hll.new()
    assert hll.decode(value) == b"Z:16384"
    hll.add(value, [b"a", b"b", b"c"], SPARSE_MAX)
    assert hll.decode(value) == b"Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"


def test_an_empty_value_counts_nothing() -> None:
    value = hll.new()
    assert hll.cached_count(value) == 0
    assert hll.count(value) == 0
    assert hll.to_dense(value)
    assert not hll.to_dense(value)
    assert hll.count(value) == 0


@pytest.mark.parametrize(
    "value",
    [b"", b"HYLL", b"hYLL" + bytes(12), b"HYLL\x02" + bytes(11), b"HYLL\x00" + bytes(12287 + 11)],
)
def test_what_is_no_hyperloglog(value: bytes) -> None:
    with pytest.raises(NotHyperLogLog):
        hll.check(value)


@pytest.mark.parametrize("damage", [b"\x00", b"\x7f\xff", b"\x80", b"\x40"])
def test_damage_is_found(damage: bytes) -> None:
    value = hll.new()
    hll.add(value, elements(0, 200), SPARSE_MAX)
    value += damage
    hll.check(value)
    for read in (hll.count, hll.registers, hll.to_dense):
        with pytest.raises(CorruptedHyperLogLog):
            read(value)
    with pytest.raises(CorruptedHyperLogLog):
        hll.count_union([hll.new(), value])


def test_add_to_a_value_cut_short() -> None:
    value = hll.new()
    del value[-2:]
    with pytest.raises(CorruptedHyperLogLog):
        hll.add(value, [b"a"], SPARSE_MAX)
