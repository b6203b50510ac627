"""Random choice and resumable scans over the keys of a dict, which offers neither."""

from __future__ import annotations

import random
from collections.abc import Mapping


class Sampler:
    """A list of a dict's keys, appended to as keys are added, never compacted in place.

    Built only when somebody samples or scans, and thrown away at will: a list made anew holds the
    keys in the dict's order, in which every surviving key stands at its old position or before it.
    A scan walks from the end to the start, so it meets every key that is there throughout
    at least once, however many keys come, go, and however often the list is remade: the guarantee
    of SCAN, with the position as the cursor.

    Deleted keys stay as stale entries until they are half of the list; a key deleted and added again
    may stand twice.
    """

    __slots__ = ("_keys", "_source")

    def __init__(self, source: Mapping[bytes, object]) -> None:
        self._source = source
        self._keys = list(source)

    def add(self, key: bytes) -> None:
        """*key* has been, or is about to be, added to the dict.  Amortised O(1)"""
        keys = self._keys
        if len(keys) > 2 * len(self._source) + 64:
            self._keys = keys = list(self._source)
            if key in self._source:
                return
        keys.append(key)

    def choose(self, rng: random.Random) -> bytes | None:
        """A random key; None if there is none.  Expected O(1)"""
        source, keys = self._source, self._keys
        if not source:
            return None
        if len(keys) > 2 * len(source) + 64:
            self._keys = keys = list(source)
        random_unit, size = rng.random, len(keys)
        while True:
            key = keys[int(random_unit() * size)]
            if key in source:
                return key

    def take(self, rng: random.Random) -> bytes:
        """A random key, which the caller is about to delete from the dict and which is not empty.  Expected O(1)

        The last key of the list takes its place; moving keys towards the start does not disturb a scan.
        """
        source, keys = self._source, self._keys
        random_unit = rng.random
        while True:
            at = int(random_unit() * len(keys))
            key = keys[at]
            last = keys.pop()
            if at < len(keys):
                keys[at] = last
            if key in source:
                return key

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Up to *count* keys from *cursor* (0 starts), and the next cursor (0 at the end)."""
        keys, source = self._keys, self._source
        if len(keys) > 2 * len(source) + 64:
            self._keys = keys = list(source)
        end = len(keys) if cursor == 0 else min(cursor, len(keys))
        start = max(0, end - count)
        return start, [key for key in keys[start:end] if key in source]
