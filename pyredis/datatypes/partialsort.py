"""Redis's partial quicksort, for its order of what compares equal (pqsort.c, Bentley and McIlroy's qsort)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def smallest(items: list[T], key: Callable[[T], float], count: int) -> list[T]:
    """The *count* items with the least keys, in order, fewer than there are.  O(n log n)

    Among equal keys it depends on the algorithm which ones these are, so where there are any, Redis's own runs.
    """
    keyed = [(key(item), item) for item in items]
    if len({value for value, _ in keyed}) < len(keyed):
        _sort(keyed, 0, len(keyed), count - 1)
        return [item for _, item in keyed[:count]]
    keyed.sort(key=_first)
    return [item for _, item in keyed[:count]]


def _first(pair: tuple[float, T]) -> float:
    return pair[0]


def _sort(pairs: list[tuple[float, T]], base: int, size: int, last: int) -> None:
    """Sort ``pairs[base : base + size]`` as far as it concerns the indices up to *last*."""
    while size >= 7:
        middle = _pivot(pairs, base, size)
        pairs[base], pairs[middle] = pairs[middle], pairs[base]
        less, greater = _partition(pairs, base, size)
        if less > 1 and base <= last:
            _sort(pairs, base, less, last)
        base, size = base + size - greater, greater
        if size <= 1 or base > last:
            return
    for end in range(base + 1, base + size):
        at = end
        while at > base and pairs[at - 1][0] > pairs[at][0]:
            pairs[at - 1], pairs[at] = pairs[at], pairs[at - 1]
            at -= 1


def _pivot(pairs: list[tuple[float, T]], base: int, size: int) -> int:
    middle = base + size // 2
    if size == 7:
        return middle
    low, high = base, base + size - 1
    if size > 40:
        step = size // 8
        low = _median(pairs, low, low + step, low + 2 * step)
        middle = _median(pairs, middle - step, middle, middle + step)
        high = _median(pairs, high - 2 * step, high - step, high)
    return _median(pairs, low, middle, high)


def _median(pairs: list[tuple[float, T]], a: int, b: int, c: int) -> int:
    x, y, z = pairs[a][0], pairs[b][0], pairs[c][0]
    if x < y:
        return b if y < z else c if x < z else a
    return b if y > z else a if x < z else c


def _partition(pairs: list[tuple[float, T]], base: int, size: int) -> tuple[int, int]:
    """Divide by the pivot at *base*; how many are less, at the start, and how many greater, at the end."""
    pivot = pairs[base][0]
    equal_low = low = base + 1
    high = equal_high = end = base + size - 1
    while True:
        while low <= high and pairs[low][0] <= pivot:
            if pairs[low][0] == pivot:
                pairs[equal_low], pairs[low] = pairs[low], pairs[equal_low]
                equal_low += 1
            low += 1
        while low <= high and pairs[high][0] >= pivot:
            if pairs[high][0] == pivot:
                pairs[high], pairs[equal_high] = pairs[equal_high], pairs[high]
                equal_high -= 1
            high -= 1
        if low > high:
            break
        pairs[low], pairs[high] = pairs[high], pairs[low]
        low += 1
        high -= 1
    _swap(pairs, base, low, min(equal_low - base, low - equal_low))
    _swap(pairs, low, end + 1, min(equal_high - high, end - equal_high))
    return low - equal_low, equal_high - high


def _swap(pairs: list[tuple[float, T]], start: int, stop: int, count: int) -> None:
    """Exchange the first *count* pairs from *start* on with the last before *stop*."""
    other = stop - count
    pairs[start : start + count], pairs[other:stop] = pairs[other:stop], pairs[start : start + count]
