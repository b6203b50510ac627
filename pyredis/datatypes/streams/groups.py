"""Consumer groups: what was given to whom and is not acknowledged yet."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

NEVER: Final = -1
"""The time of what has not happened."""


class Pending:
    """One delivery that waits to be acknowledged (streamNACK)."""

    __slots__ = ("consumer", "delivered", "deliveries")

    def __init__(self, consumer: bytes, delivered: int, deliveries: int = 1) -> None:
        self.consumer = consumer  # its name: an object would close a cycle
        self.delivered = delivered  # Unix time, ms
        self.deliveries = deliveries


class PendingList:
    """Deliveries in the order of their IDs (a PEL).

    A dict beside a sorted list of IDs in which those acknowledged are left behind for a while, as entries are nearly
    always delivered in order and acknowledged from the front: adding and removing is O(1) then.
    """

    __slots__ = ("_ids", "_pending")

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}
        self._ids: list[int] = []

    def __len__(self) -> int:
        return len(self._pending)

    def get(self, entry_id: int) -> Pending | None:
        """The delivery of *entry_id*."""
        return self._pending.get(entry_id)

    def add(self, entry_id: int, pending: Pending) -> None:
        """Add or replace the delivery of *entry_id*.  O(1) behind the last, else O(N) of a memory move"""
        ids = self._ids
        self._pending[entry_id] = pending
        if not ids or entry_id > ids[-1]:
            ids.append(entry_id)
            if len(ids) > 64 + 2 * len(self._pending):
                self._tidy()
        elif ids[bisect_left(ids, entry_id)] != entry_id:
            insort(ids, entry_id)

    def remove(self, entry_id: int) -> None:
        """Remove the delivery of *entry_id*, which must be there.  O(1)"""
        del self._pending[entry_id]
        if not self._pending:
            self._ids.clear()

    def first(self) -> int:
        """The least ID; there must be one.  O(1) amortized"""
        ids, pending = self._ids, self._pending
        at = 0
        while ids[at] not in pending:
            at += 1
        if at:
            del ids[:at]
        return ids[0]

    def last(self) -> int:
        """The greatest ID; there must be one.  O(1) amortized"""
        ids, pending = self._ids, self._pending
        while ids[-1] not in pending:
            ids.pop()
        return ids[-1]

    def since(self, start: int) -> Iterator[tuple[int, Pending]]:
        """Deliveries from *start* on.  O(log N + M); the one yielded may be removed meanwhile"""
        if len(self._ids) > 64 + 2 * len(self._pending):
            self._tidy()
        ids, get = self._ids, self._pending.get
        at = bisect_left(ids, start) if start else 0
        while at < len(ids):
            entry_id = ids[at]
            pending = get(entry_id)
            if pending is not None:
                yield entry_id, pending
            at += 1

    def _tidy(self) -> None:
        pending = self._pending
        self._ids = [entry_id for entry_id in self._ids if entry_id in pending]

    def _check(self) -> None:
        assert self._ids == sorted(set(self._ids))
        assert set(self._pending) <= set(self._ids)


class Consumer:
    """A member of a group, its own deliveries included."""

    __slots__ = ("active_time", "pending", "seen_time")

    def __init__(self, now: int) -> None:
        self.seen_time = now  # Unix time, ms, of the last attempt to read or claim
        self.active_time = NEVER  # of the last success
        self.pending = PendingList()


class Group:
    """How far the consumers of a group have read, and what they have not acknowledged."""

    __slots__ = ("consumers", "entries_read", "last_id", "pending")

    def __init__(self, last_id: int, entries_read: int) -> None:
        self.last_id = last_id
        self.entries_read = entries_read  # UNKNOWN if it cannot be told
        self.pending = PendingList()
        self.consumers: dict[bytes, Consumer] = {}

    def copy(self) -> Group:
        """A group that can be changed by itself.  O(N)"""
        other = Group(self.last_id, self.entries_read)
        for name, consumer in self.consumers.items():
            twin = other.consumers[name] = Consumer(consumer.seen_time)
            twin.active_time = consumer.active_time
        for entry_id, pending in self.pending.since(0):
            other.add(entry_id, Pending(pending.consumer, pending.delivered, pending.deliveries))
        return other

    def add(self, entry_id: int, pending: Pending) -> None:
        """Add a delivery for an existing consumer of an ID that is not pending."""
        self.pending.add(entry_id, pending)
        self.consumers[pending.consumer].pending.add(entry_id, pending)

    def give(self, entry_id: int, pending: Pending, name: bytes) -> None:
        """Pass a delivery on to the existing consumer *name*."""
        if pending.consumer != name:
            self.consumers[pending.consumer].pending.remove(entry_id)
            pending.consumer = name
            self.consumers[name].pending.add(entry_id, pending)

    def deliver(self, entry_id: int, name: bytes, now: int) -> Pending:
        """Note that *entry_id* was read by the existing consumer *name*, whoever had it before."""
        pending = self.pending.get(entry_id)
        if pending is None:
            pending = Pending(name, now)
            self.add(entry_id, pending)
        else:
            self.give(entry_id, pending, name)
            pending.delivered = now
            pending.deliveries = 1
        return pending

    def acknowledge(self, entry_id: int) -> bool:
        """Forget the delivery of *entry_id*; false if it is not pending.  O(1)"""
        pending = self.pending.get(entry_id)
        if pending is None:
            return False
        self.pending.remove(entry_id)
        self.consumers[pending.consumer].pending.remove(entry_id)
        return True

    def delete_consumer(self, name: bytes) -> int:
        """Remove a consumer, if it exists, with its deliveries; how many there were."""
        consumer = self.consumers.pop(name, None)
        if consumer is None:
            return 0
        for entry_id, _ in consumer.pending.since(0):
            self.pending.remove(entry_id)
        return len(consumer.pending)

    def _check(self) -> None:
        self.pending._check()
        together = {}
        for name, consumer in self.consumers.items():
            consumer.pending._check()
            for entry_id, pending in consumer.pending.since(0):
                assert pending.consumer == name
                assert entry_id not in together
                together[entry_id] = pending
        assert together == dict(self.pending.since(0))
