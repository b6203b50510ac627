"""Hashes: encodings, and a dict for the rest."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.hashes import Hash

PAIRS = st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=30)


def limits(entries: int = 128, longest: int = 64) -> Thresholds:
    thresholds = Thresholds()
    thresholds.hash_max_listpack_entries = entries
    thresholds.hash_max_listpack_value = longest
    return thresholds


def filled(count: int, thresholds: Thresholds) -> Hash:
    made = Hash()
    for n in range(count):
        made.put(b"f%d" % n, b"v%d" % n, thresholds)
    return made


@given(PAIRS, st.integers(0, 12), st.integers(0, 8))
def test_put_against_a_model(pairs: list[tuple[bytes, bytes]], entries: int, longest: int) -> None:
    thresholds = limits(entries, longest)
    value, model, encoding = Hash(), dict[bytes, bytes](), b"listpack"
    for field, content in pairs:
        assert value.put(field, content, thresholds) == (field not in model)
        model[field] = content
        if len(model) > entries or max(len(field), len(content)) > longest:
            encoding = b"hashtable"
        assert value.encoding == encoding
        value._check()
    assert list(value.items()) == list(model.items())
    assert value.flat() == [word for pair in model.items() for word in pair]


def test_does_not_become_a_listpack_again() -> None:
    value = filled(3, limits(entries=2))
    del value[b"f0"], value[b"f1"]
    value.put(b"f2", b"new", limits(entries=2))
    assert value.encoding == b"hashtable"


def test_a_long_value_for_an_old_field_converts() -> None:
    value = filled(2, limits(longest=4))
    value.put(b"f1", b"long value", limits(longest=4))
    assert value.encoding == b"hashtable"


def test_expect_looks_at_number_and_length() -> None:
    value = Hash()
    value.expect([b"a", b"1", b"b", b"2"], limits(entries=2, longest=4))
    assert value.encoding == b"listpack"
    value.expect([b"a", b"12345"], limits(entries=2, longest=4))
    assert value.encoding == b"hashtable"
    value = Hash()
    value.expect([b"a", b"1"] * 3, limits(entries=2))
    assert value.encoding == b"hashtable"


def test_copy_is_independent() -> None:
    value = filled(3, limits(entries=2))
    other = value.copy()
    other.put(b"x", b"y", limits())
    assert len(value) == 3
    assert other.encoding == b"hashtable"


def test_field_names_are_shared() -> None:
    first, second = Hash(), Hash()
    first.put(b"".join([b"na", b"me"]), b"1", limits())
    second.put(b"".join([b"na", b"me"]), b"2", limits())
    assert next(iter(first)) is next(iter(second))


def test_choice_and_scan_of_a_small_one() -> None:
    value, rng = filled(10, limits()), Random(3)
    assert value.scan(0, 3) == (0, list(value))
    assert {value.choose(rng) for _ in range(200)} == set(value)
    fields = value.choose_distinct(4, rng)
    assert fields == sorted(fields)
    assert len(set(fields)) == 4
    assert value.sampler is None


def test_choice_and_scan_of_a_big_one() -> None:
    value, rng = filled(1000, limits()), Random(3)
    assert value.encoding == b"hashtable"
    cursor, fields = value.scan(0, 10)
    seen = set(fields)
    value.put(b"new", b"", limits())
    del value[b"f500"]
    while cursor:
        cursor, fields = value.scan(cursor, 10)
        seen.update(fields)
    assert seen >= set(value) - {b"new"}
    assert b"f500" not in {value.choose(rng) for _ in range(3000)}
    for count in (5, 600):
        chosen = value.choose_distinct(count, rng)
        assert len(set(chosen)) == count
        assert value.keys() >= set(chosen)
    assert len(value.choose_many(5000, rng)) == 5000
