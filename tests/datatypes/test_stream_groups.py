"""Consumer groups: deliveries by ID, for the group and for each consumer."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.streams import NEVER, Consumer, Group, Pending, PendingList


def group_of(*names: bytes) -> Group:
    group = Group(0, 0)
    for name in names:
        group.consumers[name] = Consumer(0)
    return group


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 400)), max_size=400))
def test_a_pending_list_against_a_dict(actions: list[tuple[bool, int]]) -> None:
    pending, model = PendingList(), dict[int, Pending]()
    for add, entry_id in actions:
        if add:
            model[entry_id] = entry = Pending(b"c", entry_id)
            pending.add(entry_id, entry)
        elif model:
            entry_id = min(model, key=lambda known: abs(known - entry_id))
            del model[entry_id]
            pending.remove(entry_id)
        assert len(pending) == len(model)
        if model:
            assert (pending.first(), pending.last()) == (min(model), max(model))
    pending._check()
    for start in (0, 100, 401):
        assert list(pending.since(start)) == [(key, model[key]) for key in sorted(model) if key >= start]
    assert all(pending.get(key) is model.get(key) for key in range(401))


def test_acknowledged_ids_do_not_pile_up() -> None:
    pending = PendingList()
    pending.add(0, Pending(b"c", 0))
    for entry_id in range(1, 1000):
        pending.add(entry_id, Pending(b"c", 0))
        pending.remove(entry_id - 1)
    assert len(pending._ids) < 100
    pending.remove(999)
    assert pending._ids == []


def test_removing_what_is_being_looked_at() -> None:
    group = group_of(b"a")
    for entry_id in range(200):
        group.deliver(entry_id, b"a", 1)
    seen = []
    for entry_id, _ in group.pending.since(50):
        seen.append(entry_id)
        assert group.acknowledge(entry_id)
    assert seen == list(range(50, 200))
    assert [entry_id for entry_id, _ in group.pending.since(0)] == list(range(50))
    group._check()


def test_deliveries_change_hands() -> None:
    group = group_of(b"a", b"b")
    first = group.deliver(7, b"a", 1000)
    assert (first.consumer, first.delivered, first.deliveries) == (b"a", 1000, 1)
    first.deliveries = 5
    assert group.deliver(7, b"b", 2000) is first
    assert (first.consumer, first.delivered, first.deliveries) == (b"b", 2000, 1)
    assert (len(group.consumers[b"a"].pending), len(group.consumers[b"b"].pending)) == (0, 1)
    group.give(7, first, b"a")
    group.give(7, first, b"a")
    group._check()
    assert group.acknowledge(7)
    assert not group.acknowledge(7)
    group._check()


def test_a_consumer_goes_with_its_deliveries() -> None:
    group = group_of(b"a", b"b")
    for entry_id in range(6):
        group.deliver(entry_id, b"ab"[entry_id % 2 : entry_id % 2 + 1], 1)
    assert group.delete_consumer(b"a") == 3
    assert group.delete_consumer(b"a") == 0
    assert [entry_id for entry_id, _ in group.pending.since(0)] == [1, 3, 5]
    group._check()


def test_copies_are_independent() -> None:
    chance = random.Random(1)
    group = group_of(b"a", b"b", b"idle")
    group.last_id, group.entries_read = 99, 4
    for entry_id in range(50):
        group.deliver(entry_id, chance.choice((b"a", b"b")), entry_id).deliveries = chance.randint(1, 9)
    group.consumers[b"a"].active_time = 12
    twin = group.copy()
    twin._check()
    assert (twin.last_id, twin.entries_read) == (99, 4)
    assert (twin.consumers[b"a"].active_time, twin.consumers[b"idle"].active_time) == (12, NEVER)
    described = [
        [(entry_id, p.consumer, p.delivered, p.deliveries) for entry_id, p in each.pending.since(0)]
        for each in (group, twin)
    ]
    assert described[0] == described[1]
    twin.delete_consumer(b"a")
    group._check()
    assert len(group.pending) == 50
