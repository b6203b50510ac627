"""Random choice and resumable scans over the keys of a dict, which offers neither."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

_SLACK: Final = 64
_EXACT_CHOICE: Final = 512
"""Up to so many keys a choice is uniform whatever happened before: making the list anew takes 3 us."""
_EXACT_SCAN: Final = 65_536
"""Up to so many keys a scan begins with a list made anew, and no key comes twice: at most 1 ms."""


class Sampler:
    """A list of a dict's keys, appended to as keys are added.

    Built only when somebody samples or scans, and thrown away at will: a list made anew holds the
    keys in the dict's order, in which every surviving key stands at its old position or before it.
    A scan walks from the end to the start, so it meets every key that is there throughout
    at least once, however many keys come, go, and however often the list is remade: the guarantee
    of SCAN, with the position as the cursor.  (Once ``take`` has changed the order the list is remade
    from itself, for the same reason.)

    Deleted keys stay as stale entries, and a key deleted and added again stands twice, until such
    entries are an eighth of the list.
    """

    __slots__ = ("_keys", "_reordered", "_source")

    def __init__(self, source: Mapping[bytes, object]) -> None:
        self._source = source
        self._keys = list(source)
        self._reordered = False

    def add(self, key: bytes) -> None:
        """*key* has been, or is about to be, added to the dict.  Amortised O(1)"""
        keys, size = self._keys, len(self._source)
        if len(keys) > size + (size >> 3) + _SLACK:
            keys = self._remake()
            if key in self._source and not self._reordered:
                return
        keys.append(key)

    def choose(self, rng: random.Random) -> bytes | None:
        """A random key; None if there is none.  Expected O(1)"""
        source = self._source
        if not source:
            return None
        keys = self._tidied(_EXACT_CHOICE)
        random_unit, size = rng.random, len(keys)
        while True:
            key = keys[int(random_unit() * size)]
            if key in source:
                return key

    def guess(self, count: int, rng: random.Random) -> list[bytes]:
        """*count* random keys, the same one perhaps several times, of which an eighth may not be there any more."""
        keys = self._tidied(_EXACT_CHOICE)
        random_unit, size = rng.random, len(keys)
        return [keys[int(random_unit() * size)] for _ in range(count)] if size else []

    def take(self, rng: random.Random) -> bytes:
        """A random key, which the caller is about to delete from the dict and which is not empty.  Expected O(1)

        The last key of the list takes its place; moving keys towards the start does not disturb a scan.
        """
        source, keys = self._source, self._tidied(_EXACT_CHOICE)
        self._reordered = True
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
        keys, source = self._tidied(0 if cursor else _EXACT_SCAN), self._source
        end = len(keys) if cursor == 0 else min(cursor, len(keys))
        start = max(0, end - count)
        return start, [key for key in dict.fromkeys(keys[start:end]) if key in source]

    def _tidied(self, exact: int) -> list[bytes]:
        """The list: without useless entries if it has no more than *exact*, with few of them otherwise."""
        keys, size = self._keys, len(self._source)
        if len(keys) != size and (len(keys) <= exact or len(keys) > size + (size >> 3) + _SLACK):
            return self._remake()
        return keys

    def _remake(self) -> list[bytes]:
        source = self._source
        if self._reordered:
            self._keys = list(filter(source.__contains__, dict.fromkeys(self._keys)))
        else:
            self._keys = list(source)
        return self._keys
