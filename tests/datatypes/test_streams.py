"""Streams against a plain list of entries; block boundaries recorded from Redis 7.2.4."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyredis.datatypes.streams import UNKNOWN, Entry, Group, Stream
from pyredis.datatypes.streams.block import Block
from pyredis.datatypes.streams.ids import MAX_ID, MAX_SEQUENCE, make_id
from pyredis.datatypes.streams.radix import count_nodes

BIG = 4096
FIELDS = ([b"f"], [b"a", b"b"], [b"n", b"f", b"12"])


def fill(stream: Stream, count: int, *, entries: int = 100, size: int = BIG) -> None:
    start = (stream.last_id >> 64) + 1
    for number in range(start, start + count):
        stream.append(make_id(number, 0), [b"f", b"%d" % number], entries, size)


def ids(entries: list[Entry]) -> list[int]:
    return [entry_id >> 64 for entry_id, _ in entries]


@dataclass
class Model:
    """Entries in a list, and what Redis remembers beside them."""

    entries: list[Entry] = field(default_factory=list)
    last_id: int = 0
    added: int = 0
    max_deleted: int = 0

    def delete(self, wanted: list[int]) -> int:
        gone = {entry_id for entry_id, _ in self.entries} & set(wanted)
        self.entries = [entry for entry in self.entries if entry[0] not in gone]
        self.max_deleted = max(gone | {self.max_deleted})
        return len(gone)

    def range(self, start: int, end: int, count: int, reverse: bool) -> list[Entry]:
        found = [entry for entry in self.entries if start <= entry[0] <= end]
        if reverse:
            found.reverse()
        return found[:count] if count else found


def compare(stream: Stream, model: Model) -> None:
    stream._check()
    assert list(stream) == model.entries
    assert stream.length == len(stream) == len(model.entries)
    assert stream.last_id == model.last_id
    assert stream.entries_added == model.added
    assert stream.max_deleted_id == model.max_deleted
    assert stream.last_live_id() == (model.entries[-1][0] if model.entries else 0)


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False), st.sampled_from([(100, BIG), (4, BIG), (0, 200), (3, 0)]))
def test_against_a_model(chance: random.Random, limits: tuple[int, int]) -> None:
    stream, model = Stream(), Model()
    for _ in range(chance.choice((10, 150))):
        action = chance.random()
        known = [entry[0] for entry in model.entries] or [make_id(1, 1)]
        if action < 0.8:
            entry_id = model.last_id + chance.choice((1, 2, 1 << 64, 300 << 64, (1 << 64) - 1))
            fields = chance.choice(FIELDS)
            pairs = [text for name in fields for text in (name, chance.randbytes(chance.choice((0, 3, 70))))]
            stream.append(entry_id, pairs, *limits)
            model.entries.append((entry_id, pairs))
            model.last_id = entry_id
            model.added += 1
        elif action < 0.9:
            wanted = [chance.choice(known) + chance.choice((0, 0, 1)) for _ in range(chance.randint(1, 6))]
            assert stream.delete(wanted) == model.delete(wanted)
        elif action < 0.95:
            length = chance.randint(0, len(known))
            excess = max(len(model.entries) - length, 0)
            assert stream.trim_to_length(length, False) == excess
            del model.entries[:excess]
        else:
            least = chance.choice(known) + chance.choice((-1, 0, 1))
            kept = [entry for entry in model.entries if entry[0] >= least]
            assert stream.trim_before(least, False) == len(model.entries) - len(kept)
            model.entries = kept
        start, end = (chance.choice([*known, 0, MAX_ID]) + chance.choice((0, 1, -1)) for _ in range(2))
        start, end = max(start, 0), min(max(end, 0), MAX_ID)
        count, reverse = chance.choice((0, 1, 5)), chance.random() < 0.5
        expected = model.range(start, end, count, reverse)
        assert stream.range(start, end, count, reverse=reverse) == expected
        there = dict(model.entries).get(start)
        assert stream.get(start) == there
        assert (start in stream) == (there is not None)
    compare(stream, model)
    twin = stream.copy()
    compare(twin, model)
    fill(twin, 150)
    twin.delete(ids(model.entries))
    compare(stream, model)


def test_next_id() -> None:
    stream = Stream()
    assert stream.next_id(5) == make_id(5, 0)
    stream.last_id = make_id(5, 3)
    assert stream.next_id(6) == make_id(6, 0)
    assert stream.next_id(5) == stream.next_id(4) == make_id(5, 4)
    assert stream.next_in(5) == make_id(5, 4)
    assert stream.next_in(7) == make_id(7, 0)
    stream.last_id = make_id(5, MAX_SEQUENCE)
    assert stream.next_id(5) == make_id(6, 0)
    assert stream.next_in(5) == stream.last_id
    stream.last_id = MAX_ID
    assert stream.next_id(5) == 0


@pytest.mark.parametrize(
    ("value", "entries", "size", "firsts"),
    [
        (b"x", 100, 4096, [1, 101, 201]),
        (b"x", 3, 4096, list(range(1, 301, 3))),
        (b"y" * 62, 100, 4096, [1, 57, 113, 169, 225, 281]),
        (b"y" * 63, 100, 1000, [1, 14, 27, 40, 53, 66, 79, 92]),
        (b"32768", 0, 300, [1, 22, 43, 64, 85]),
        (b"z" * 500, 0, 300, list(range(1, 11))),
        (b"q", 0, 0, [1]),
    ],
)
def test_where_blocks_begin(value: bytes, entries: int, size: int, firsts: list[int]) -> None:
    stream = Stream()
    while (stream.last_id >> 64) < firsts[-1]:
        stream.append(make_id((stream.last_id >> 64) + 1, 0), [b"field", value], entries, size)
    assert [block.first >> 64 for block in stream.blocks()] == firsts[: stream.tree_keys()]


def test_approximate_trimming_takes_whole_blocks() -> None:
    stream = Stream()
    fill(stream, 250)
    assert stream.trim_to_length(200, True) == 0
    assert stream.trim_to_length(150, True) == 100
    assert stream.trim_to_length(10, True, limit=99) == 0
    assert stream.trim_to_length(10, True, limit=100) == 100
    assert stream.trim_before(make_id(230, 0), True) == 0
    assert stream.trim_before(make_id(251, 0), True) == 50
    assert (stream.length, stream.first_id, stream.tree_keys()) == (0, 0, 0)
    assert stream.first_kept_id() == MAX_ID
    stream._check()


def test_a_trim_by_id_may_leave_a_block_of_deleted_entries() -> None:
    stream = Stream()
    fill(stream, 10)
    assert stream.delete([make_id(10, 0)]) == 1
    assert stream.trim_before(make_id(10, 0), False) == 9
    assert (stream.length, stream.tree_keys(), stream.first_id) == (0, 1, 0)
    assert stream.last_live_id() == 0
    assert stream.range(0, MAX_ID) == []
    assert stream.first_kept_id() == make_id(1, 0)
    fill(stream, 1)
    assert (stream.tree_keys(), stream.first_id) == (1, make_id(11, 0))
    stream._check()


def test_a_packed_block_that_became_the_last_is_opened_again() -> None:
    stream = Stream()
    fill(stream, 101)
    assert stream.delete([make_id(101, 0)]) == 1
    assert stream.get(make_id(100, 0)) == [b"f", b"100"]
    for number in (102, 103):
        stream.append(make_id(number, 0), [b"g", b"1"], 200, BIG)
    assert ids(stream.range(make_id(99, 0), MAX_ID)) == [99, 100, 102, 103]
    assert stream.tree_keys() == 1
    stream._check()


def test_blocks_from_a_file_are_read_when_needed() -> None:
    original = Stream()
    fill(original, 120)
    original.delete([make_id(2, 0)])
    loaded = Stream()
    for block in original.blocks():
        entry_ids, payloads = block.columns()
        size = block.size()
        copy = Block.load(block.first, block.last, block.fields, block.count, block.dead, size)
        assert copy.size() == size
        copy.loader = lambda columns=(entry_ids, payloads): (columns[0].copy(), columns[1].copy())
        loaded.append_block(copy)
    loaded.length, loaded.last_id, loaded.first_id = original.length, original.last_id, original.first_id
    fill(loaded, 1)
    assert loaded.blocks()[0].loader is not None
    assert ids(list(loaded)) == [1, *range(3, 122)]
    assert loaded.blocks()[0].loader is None
    loaded._check()


def test_lag_and_entries_read() -> None:
    stream = Stream()
    group = Group(0, 0)
    assert stream.lag(group) == 0
    fill(stream, 5)
    assert stream.lag(group) == 5
    stream.advance(group, make_id(1, 0))
    assert (group.entries_read, stream.lag(group)) == (1, 4)
    stream.delete([make_id(3, 0)])
    assert stream.lag(group) is None
    stream.advance(group, make_id(2, 0))
    assert group.entries_read == UNKNOWN
    stream.advance(group, make_id(4, 0))
    assert group.entries_read == UNKNOWN
    stream.advance(group, make_id(5, 0))
    assert (group.entries_read, stream.lag(group)) == (5, 0)


def test_entries_before() -> None:
    stream = Stream()
    assert stream.entries_before(MAX_ID) == 0
    fill(stream, 5)
    assert stream.trim_to_length(3, False) == 2
    assert [stream.entries_before(make_id(number, 0)) for number in (1, 3, 4, 5, 6)] == [2, 3, -1, 5, -1]
    stream.delete([make_id(4, 0)])
    assert [stream.entries_before(make_id(number, 0)) for number in (1, 3, 4, 5)] == [-1, -1, -1, 5]
    stream.trim_to_length(0, False)
    assert [stream.entries_before(make_id(number, 0)) for number in (1, 5, 6)] == [5, 5, -1]


class Node:
    """A radix tree as a nested dict, compressed only when it is counted."""

    def __init__(self, keys: set[bytes]) -> None:
        firsts = {key[:1] for key in keys if key}
        self.children = {byte: Node({key[1:] for key in keys if key[:1] == byte}) for byte in firsts}

    def count(self) -> int:
        if len(self.children) == 1:
            (node,) = self.children.values()
            while len(node.children) == 1:
                (node,) = node.children.values()
            return 1 + node.count()
        return 1 + sum(child.count() for child in self.children.values())


@given(st.sets(st.integers(0, MAX_ID) | st.integers(0, 1 << 20).map(lambda n: n << 64), max_size=60))
def test_radix_tree_nodes(keys: set[int]) -> None:
    expected = Node({key.to_bytes(16, "big") for key in keys}).count()
    assert count_nodes(sorted(keys)) == expected
