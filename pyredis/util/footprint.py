"""How much memory a value takes, estimated by looking at some of its parts."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any

_LEAVES = (int, float, str, bytes, bytearray, bool, type(None), type)
_CONTAINERS = (list, tuple, set, frozenset, deque)


def footprint(value: Any, samples: int) -> int:
    """Bytes taken by *value* and all it refers to; of each container *samples* items are looked at, 0 for all.

    An estimate: what several values share is counted for each.  O(samples) per container met.
    """
    return _measure(value, samples, set())


def _measure(value: Any, samples: int, seen: set[int]) -> int:
    size = sys.getsizeof(value)
    if isinstance(value, _LEAVES) or getattr(value, "all_in_one", False):
        return size
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, dict):
        return (
            size
            + _extrapolate(value, len(value), samples, seen)
            + _extrapolate(value.values(), len(value), samples, seen)
        )
    if isinstance(value, _CONTAINERS):
        return size + _extrapolate(value, len(value), samples, seen)
    if callable(value):
        return size
    attributes = [getattr(value, name) for name in _slots(type(value)) if hasattr(value, name)]
    attributes += getattr(value, "__dict__", {}).values()
    return size + sum([_measure(attribute, samples, seen) for attribute in attributes])


def _extrapolate(items: Iterable[Any], count: int, samples: int, seen: set[int]) -> int:
    """The size of all *count* items, from the first *samples* of them."""
    looked_at = min(count, samples) if samples else count
    if not looked_at:
        return 0
    return sum([_measure(item, samples, seen) for item in islice(items, looked_at)]) * count // looked_at


def _slots(kind: type) -> list[str]:
    names: list[str] = []
    for each in kind.__mro__:
        slots = each.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
    return names
