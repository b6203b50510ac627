"""Lists against plain lists; forms, nodes and sizes against what listpacks and quicklists would be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyredis.datatypes import quicklist
from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.lists import List

ELEMENT = st.one_of(
    st.sampled_from([b"", b"a", b"b", b"7", b"-1", b"4096", b"9223372036854775807", b"01", b"x" * 70, b"y" * 5000]),
    st.binary(max_size=6),
)
ELEMENTS = st.lists(ELEMENT, max_size=12)
FILL = st.sampled_from([-5, -2, -1, 0, 1, 2, 3, 5, 40])


def limits(fill: int = -2, large: int = 1 << 30) -> Thresholds:
    thresholds = Thresholds()
    thresholds.list_max_listpack_size = fill
    thresholds.list_packed_threshold = large
    return thresholds


def pushed(values: list[bytes], thresholds: Thresholds) -> List:
    made = List()
    for value in values:
        made.push_tail([value], thresholds)
    return made


def numbered(count: int) -> list[bytes]:
    return [b"x%d" % n for n in range(count)]


def shape(value: List) -> list[int]:
    return [len(items) for _, items in value.nodes()]


class Steps:
    """Random operations, each done to a List and to a model."""

    def __init__(self, data: st.DataObject, thresholds: Thresholds) -> None:
        self.data, self.thresholds = data, thresholds
        self.value, self.model = List(), list[bytes]()

    def draw(self, strategy: st.SearchStrategy[int]) -> int:
        return self.data.draw(strategy)

    def element(self) -> bytes:
        return self.data.draw(st.sampled_from(self.model) | ELEMENT if self.model else ELEMENT)

    def push(self) -> None:
        values = self.data.draw(ELEMENTS)
        if self.data.draw(st.booleans()):
            self.value.push_head(values, self.thresholds)
            self.model[:0] = values[::-1]
        else:
            self.value.push_tail(values, self.thresholds)
            self.model += values

    def pop(self) -> None:
        if self.model:
            head = self.data.draw(st.booleans())
            assert self.value.pop(head=head) == self.model.pop(0 if head else -1)
            self.value.shrink(self.thresholds)

    def pop_many(self) -> None:
        count = self.draw(st.integers(1, 8))
        head = self.data.draw(st.booleans())
        expected = self.model[:count] if head else self.model[::-1][:count]
        assert self.value.pop_many(count, self.thresholds, head=head) == expected
        self.model = self.model[count:] if head else self.model[: max(0, len(self.model) - count)]

    def trim(self) -> None:
        head = self.draw(st.integers(0, len(self.model)))
        tail = self.draw(st.integers(0, len(self.model) - head))
        self.value.trim(head, tail, self.thresholds)
        self.model = self.model[head : len(self.model) - tail]

    def set(self) -> None:
        if self.model:
            index, element = self.draw(st.integers(0, len(self.model) - 1)), self.element()
            self.value.grow([element], self.thresholds)
            self.value.set(index, element, self.thresholds)
            self.model[index] = element

    def insert(self) -> None:
        pivot, element, after = self.element(), self.data.draw(ELEMENT), self.data.draw(st.booleans())
        self.value.grow([element], self.thresholds)
        assert self.value.insert(pivot, element, self.thresholds, after=after) == (pivot in self.model)
        if pivot in self.model:
            self.model.insert(self.model.index(pivot) + after, element)

    def remove(self) -> None:
        element, most, from_tail = self.element(), self.draw(st.integers(1, 4)), self.data.draw(st.booleans())
        matches = [at for at, item in enumerate(self.model) if item == element]
        gone = matches[-most:] if from_tail else matches[:most]
        assert self.value.remove(element, most, self.thresholds, from_tail=from_tail) == len(gone)
        self.model = [item for at, item in enumerate(self.model) if at not in gone]

    def look(self) -> None:
        start = self.draw(st.integers(0, len(self.model)))
        stop = self.draw(st.integers(start, len(self.model)))
        assert self.value.slice(start, stop) == self.model[start:stop]
        assert [self.value.get(at) for at in range(start, stop)] == self.model[start:stop]

    def find(self) -> None:
        element, most = self.element(), self.draw(st.integers(1, 4))
        rank = self.draw(st.sampled_from([-3, -2, -1, 1, 2, 3]))
        scanned = self.draw(st.integers(1, len(self.model) + 1))
        order = range(len(self.model)) if rank > 0 else range(len(self.model) - 1, -1, -1)
        matches = [at for at in list(order)[:scanned] if self.model[at] == element]
        assert self.value.positions(element, rank, most, scanned) == matches[abs(rank) - 1 :][:most]

    def check(self) -> None:
        self.value._check()
        assert list(self.value) == self.model
        assert len(self.value) == len(self.model)
        assert bool(self.value) == bool(self.model)


OPERATIONS = [
    Steps.push, Steps.push, Steps.push, Steps.pop, Steps.pop_many, Steps.trim, Steps.set, Steps.insert,
    Steps.remove, Steps.look, Steps.find,
]  # fmt: skip


@pytest.mark.parametrize("worth_packing", [1, 1000])
@settings(max_examples=120)
@given(data=st.data(), fill=FILL, large=st.sampled_from([1 << 30, 5, 60]))
def test_operations_against_a_model(data: st.DataObject, fill: int, large: int, worth_packing: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quicklist, "_WORTH_PACKING", worth_packing)
        steps = Steps(data, limits(fill, large))
        for operation in data.draw(st.lists(st.sampled_from(OPERATIONS), max_size=25)):
            operation(steps)
            steps.check()


def test_becomes_a_quicklist_by_size() -> None:
    thresholds = limits(-1)
    value = pushed([b"x" * 100] * 39, thresholds)
    assert value.encoding == b"listpack"
    assert value.size == 7 + 39 * 103
    value.push_tail([b"x" * 72], thresholds)
    assert value.encoding == b"listpack"
    value.push_tail([b""], thresholds)
    assert value.encoding == b"quicklist"


def test_becomes_a_quicklist_by_count() -> None:
    value = pushed(numbered(3), limits(3))
    assert value.encoding == b"listpack"
    value.push_head([b"y"], limits(3))
    assert value.encoding == b"quicklist"
    assert shape(value) == [1, 3]


def test_several_elements_are_judged_together() -> None:
    value = List()
    value.push_tail(numbered(4), limits(3))
    assert value.encoding == b"quicklist"
    assert shape(value) == [3, 1]


def test_shrinks_at_half_the_limit_and_one_node() -> None:
    thresholds = limits(4)
    value = pushed(numbered(8), thresholds)
    assert shape(value) == [4, 4]
    value.trim(3, 2, thresholds)
    assert (value.encoding, shape(value)) == (b"quicklist", [1, 2])
    value.trim(1, 0, thresholds)
    assert (value.encoding, shape(value)) == (b"listpack", [2])


def test_stays_a_quicklist_above_half_the_limit() -> None:
    thresholds = limits(4)
    value = pushed(numbered(7), thresholds)
    value.trim(4, 0, thresholds)
    assert (value.encoding, shape(value)) == (b"quicklist", [3])


def test_a_single_plain_node_stays_a_quicklist() -> None:
    thresholds = limits(2, large=10)
    value = pushed([b"a", b"b", b"c", b"x" * 10], thresholds)
    assert [plain for plain, _ in value.nodes()] == [False, False, True]
    value.trim(3, 0, thresholds)
    assert value.encoding == b"quicklist"


def test_insert_splits_and_joins_nodes() -> None:
    thresholds = limits(4)
    value = pushed(numbered(16), thresholds)
    for gone in (b"x8", b"x9", b"x10", b"x12", b"x13", b"x14"):
        value.remove(gone, 1, thresholds, from_tail=False)
    assert shape(value) == [4, 4, 1, 1]
    value.insert(b"x5", b"new", thresholds, after=True)
    assert shape(value) == [4, 2, 4, 1]
    value.insert(b"x3", b"new", thresholds, after=False)
    assert shape(value) == [4, 3, 4, 1]
    value._check()


def test_plain_node_splits_the_node_it_is_inserted_into() -> None:
    thresholds = limits(4, large=10)
    value = pushed(numbered(8), thresholds)
    value.set(5, b"x" * 10, thresholds)
    assert [(plain, len(items)) for plain, items in value.nodes()] == [(False, 4), (False, 1), (True, 1), (False, 2)]
    value.set(5, b"small", thresholds)
    assert [(plain, len(items)) for plain, items in value.nodes()] == [(False, 4), (False, 1), (False, 3)]
    value._check()


def test_interior_nodes_are_packed_and_read_all_the_same() -> None:
    values = numbered(20_000)
    value = pushed(values, limits())
    assert value.long is not None
    packed = [node.items.__class__ is bytes for node in value.long.nodes]
    assert packed == [False] * 2 + [True] * (len(packed) - 4) + [False] * 2
    assert list(value) == values
    assert value.get(10_000) == b"x10000"
    assert value.slice(700, 12_000) == values[700:12_000]
    assert value.positions(b"x15000", 1, 1, 1 << 60) == [15_000]
    value.set(10_000, b"changed", limits())
    value.set(4_000, b"changed", limits())
    assert value.remove(b"changed", 1, limits(), from_tail=True) == 1
    assert value.get(4_000) == b"changed"
    value._check()
    while len(value) > 10:
        value.pop(head=True)
    value.shrink(limits())
    assert list(value) == values[-10:]
    assert value.encoding == b"listpack"


def test_copy_is_independent() -> None:
    value = pushed(numbered(3000), limits(-1))
    other = value.copy()
    other.set(1500, b"changed", limits(-1))
    other.pop(head=True)
    value.pop(head=False)
    assert list(value) == numbered(2999)
    assert other.get(1499) == b"changed"
    assert other.encoding == value.encoding
    value._check()
    other._check()


@given(ELEMENTS, FILL)
def test_of_is_what_loading_makes(values: list[bytes], fill: int) -> None:
    value = List.of(values, limits(fill))
    value._check()
    assert list(value) == values
    again = List.of_nodes(value.nodes(), limits(fill))
    again._check()
    assert list(again) == values
    assert again.encoding == value.encoding


def test_a_loaded_list_is_a_listpack_up_to_the_whole_limit() -> None:
    assert List.of(numbered(4), limits(4)).encoding == b"listpack"
    assert List.of(numbered(5), limits(4)).encoding == b"quicklist"
