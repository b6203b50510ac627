"""Sets against Python's, and the encodings of members and results."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.sets import Set, difference, intersection, store_intersection, union

INTEGER = st.integers(-30, 30).map(b"%d".__mod__)
MEMBER = st.one_of(INTEGER, st.sampled_from([b"a", b"b", b"c", b"", b"01", b"-0", b"x" * 9]))
MEMBERS = st.lists(MEMBER, max_size=20)
INTEGERS = st.lists(INTEGER, max_size=20)


def limits(integers: int = 512, entries: int = 128, longest: int = 64) -> Thresholds:
    thresholds = Thresholds()
    thresholds.set_max_intset_entries = integers
    thresholds.set_max_listpack_entries = entries
    thresholds.set_max_listpack_value = longest
    return thresholds


LIMITS = st.builds(limits, st.integers(0, 12), st.integers(0, 12), st.integers(0, 10))


def filled(members: list[bytes], thresholds: Thresholds) -> Set:
    """The set SADD makes of *members*, given one by one."""
    made = Set.sized_for(members[0], 1, thresholds) if members else Set()
    for member in members:
        made.add(member, thresholds)
    return made


def numbered(count: int, prefix: bytes = b"") -> list[bytes]:
    return [b"%b%d" % (prefix, n) for n in range(count)]


@given(MEMBERS | INTEGERS, LIMITS)
def test_add_against_a_model(members: list[bytes], thresholds: Thresholds) -> None:
    value, model = Set(), set[bytes]()
    for member in members:
        assert value.add(member, thresholds) == (member not in model)
        model.add(member)
        value._check()
        assert set(value) == model
        assert len(value) == len(model)
    for member in members:
        assert value.discard(member) == (member in model)
        model.discard(member)
        assert set(value) == model


@given(MEMBERS | INTEGERS, LIMITS)
def test_add_all_is_add_for_each(members: list[bytes], thresholds: Thresholds) -> None:
    one_by_one, together = Set(), Set()
    added = sum(one_by_one.add(member, thresholds) for member in members)
    assert together.add_all(members, thresholds) == added
    together._check()
    assert together.encoding == one_by_one.encoding
    assert list(together) == list(one_by_one)


def test_an_intset_is_sorted() -> None:
    value = filled([b"10", b"-3", b"2"], limits())
    assert value.encoding == b"intset"
    assert list(value) == [b"-3", b"2", b"10"]
    value.add(b"0", limits())
    assert list(value) == [b"-3", b"0", b"2", b"10"]


def test_a_listpack_keeps_the_order_the_intset_had() -> None:
    value = filled([b"10", b"-3", b"2", b"x", b"1"], limits())
    assert value.encoding == b"listpack"
    assert list(value) == [b"-3", b"2", b"10", b"x", b"1"]


@pytest.mark.parametrize(
    ("members", "thresholds", "encoding"),
    [
        (numbered(512), limits(), b"intset"),
        (numbered(513), limits(), b"hashtable"),
        ([*numbered(127), b"x"], limits(), b"listpack"),
        ([*numbered(128), b"x"], limits(), b"hashtable"),
        ([b"x" * 64], limits(), b"listpack"),
        ([b"x" * 65], limits(), b"hashtable"),
        ([b"1", b"x" * 65], limits(), b"hashtable"),
        ([b"12345", b"x"], limits(longest=4), b"hashtable"),
        ([b"1", b"2"], limits(integers=1), b"hashtable"),
        ([b"1"], limits(integers=0), b"listpack"),
        ([b"1"], limits(integers=0, entries=0), b"hashtable"),
        ([*numbered(128, b"e"), b"x"], limits(), b"hashtable"),
    ],
)
def test_encoding(members: list[bytes], thresholds: Thresholds, encoding: bytes) -> None:
    assert filled(members, thresholds).encoding == encoding


@pytest.mark.parametrize(
    ("first", "expected", "encoding"),
    [
        (b"1", 512, b"intset"),
        (b"1", 513, b"hashtable"),
        (b"x", 128, b"listpack"),
        (b"x", 129, b"hashtable"),
    ],
)
def test_the_number_to_come_decides_the_first_encoding(first: bytes, expected: int, encoding: bytes) -> None:
    assert Set.sized_for(first, expected, limits()).encoding == encoding


def test_expect_converts_for_many_at_once() -> None:
    for members, count in (([b"x"], 129), ([b"1"], 513)):
        value = filled(members, limits())
        value.expect(count - 1, limits())
        assert value.encoding != b"hashtable"
        value.expect(count, limits())
        assert value.encoding == b"hashtable"


@pytest.mark.parametrize("count", [5, 400])
def test_pop_random_takes_every_member_once(count: int) -> None:
    value, rng = filled(numbered(count, b"m"), limits()), Random(5)
    popped = [value.pop_random(rng) for _ in range(count)]
    assert sorted(popped) == sorted(numbered(count, b"m"))
    assert popped != sorted(popped)
    assert not value


def test_pop_random_with_members_coming_and_going() -> None:
    value, rng = filled(numbered(500, b"m"), limits()), Random(5)
    value.pop_random(rng)
    for member in numbered(250, b"m"):
        value.discard(member)
    for member in numbered(100, b"n"):
        value.add(member, limits())
    for member in numbered(100, b"m"):
        value.add(member, limits())
    left = set(value)
    assert {value.pop_random(rng) for _ in range(len(left))} == left


def test_a_scan_meets_every_member_although_others_are_popped() -> None:
    value, rng = filled(numbered(2000, b"m"), limits()), Random(5)
    cursor, members = value.scan(0, 50)
    seen = set(members)
    while cursor:
        for _ in range(10):
            value.pop_random(rng)
        cursor, members = value.scan(cursor, 50)
        seen.update(members)
    assert seen >= set(value)


def test_copy_is_independent() -> None:
    value = filled([b"3", b"1"], limits())
    other = value.copy()
    other.add(b"x", limits())
    assert (value.encoding, list(value)) == (b"intset", [b"1", b"3"])
    assert (other.encoding, list(other)) == (b"listpack", [b"1", b"3", b"x"])


# --- algebra --------------------------------------------------------------------------------------

OPERANDS = st.lists(MEMBERS | INTEGERS, min_size=1, max_size=4)


@given(OPERANDS, LIMITS, st.integers(1, 5))
def test_algebra_against_pythons_sets(operands: list[list[bytes]], thresholds: Thresholds, limit: int) -> None:
    sets = [filled(members, thresholds) for members in operands]
    models = [set(members) for members in operands]
    common = set.intersection(*models)
    assert set(intersection(sets)) == common
    assert len(intersection(sets, limit)) == min(limit, len(common))
    for made, model in (
        (store_intersection(sets, thresholds), common),
        (union(sets, thresholds), set.union(*models)),
        (difference(sets[0], sets[1:], thresholds), models[0].difference(*models[1:])),
    ):
        made._check()
        assert set(made) == model


def test_intersection_has_the_order_of_the_smallest() -> None:
    big = filled([b"a", b"b", b"c", b"d"], limits())
    small = filled([b"c", b"x", b"a"], limits())
    assert intersection([big, small]) == [b"c", b"a"]


def test_an_intersection_of_integers_becomes_an_intset() -> None:
    sets = [filled([b"x", b"3", b"1"], limits()), filled([b"1", b"3", b"y", b"z"], limits())]
    stored = store_intersection(sets, limits())
    assert (stored.encoding, list(stored)) == (b"intset", [b"1", b"3"])


def test_a_union_is_encoded_as_members_come() -> None:
    numbers, words = filled([b"2", b"1"], limits()), filled([b"x", b"0"], limits())
    assert list(union([numbers, words], limits())) == [b"1", b"2", b"x", b"0"]
    assert list(union([words, numbers], limits())) == [b"x", b"0", b"1", b"2"]


def test_difference_with_itself_is_empty() -> None:
    value = filled([b"a"], limits())
    assert not difference(value, [value], limits())
    assert not difference(None, [value], limits())


def test_the_second_way_to_subtract_leaves_its_mark_on_the_encoding() -> None:
    first = filled([b"1", b"x", *numbered(40)], limits())
    small = [filled([b"x"], limits()) for _ in range(4)]
    assert difference(first, small, limits()).encoding == b"listpack"
    assert difference(first, small[:1], limits()).encoding == b"intset"
