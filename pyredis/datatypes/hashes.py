"""Hashes: fields with values (t_hash.c, hashType*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sampled import HASHTABLE, LISTPACK, SampledDict

if TYPE_CHECKING:
    from .encodings import Thresholds

_MOST_NAMES = 4096

_names: dict[bytes, bytes] = {}
"""Field names seen lately.  Hashes that describe records share theirs: 4 of 12 bytes of memory less."""


class Hash(SampledDict[bytes]):
    """Fields and values, in the order in which the fields came.

    A dict for every purpose but adding: ``put`` and ``expect`` keep the encoding as Redis would.
    A hashtable never becomes a listpack again.
    """

    __slots__ = ()

    type_name = b"hash"

    def __init__(self) -> None:
        self.encoding = LISTPACK
        self.sampler = None

    def put(self, field: bytes, value: bytes, thresholds: Thresholds) -> bool:
        """Set *field*; true if it is new (hashTypeSet).  O(1)"""
        if field in self:
            if self.encoding == LISTPACK and len(value) > thresholds.hash_max_listpack_value:
                self.encoding = HASHTABLE
            self[field] = value
            return False
        if self.encoding == LISTPACK:
            longest = thresholds.hash_max_listpack_value
            if len(field) > longest or len(value) > longest or len(self) >= thresholds.hash_max_listpack_entries:
                self.encoding = HASHTABLE
            else:
                known = _names.get(field)
                if known is not None:
                    field = known
                else:
                    if len(_names) >= _MOST_NAMES:
                        _names.clear()
                    _names[field] = field
        self[field] = value
        if self.sampler is not None:
            self.sampler.add(field)
        return True

    def expect(self, pairs: list[bytes], thresholds: Thresholds) -> None:
        """Convert if *pairs*, which will be put, are too many or too long (hashTypeTryConversion)."""
        if self.encoding == LISTPACK and (
            len(pairs) // 2 > thresholds.hash_max_listpack_entries
            or max(map(len, pairs)) > thresholds.hash_max_listpack_value
        ):
            self.encoding = HASHTABLE

    def flat(self) -> list[bytes]:
        """Field, value, field, value ...  O(n)"""
        flat: list[bytes] = [b""] * (2 * len(self))
        flat[::2] = self
        flat[1::2] = self.values()
        return flat

    def copy(self) -> Hash:
        """An independent hash in the same encoding.  O(n)"""
        other = Hash()
        other.update(self)
        other.encoding = self.encoding
        return other

    def _check(self) -> None:
        """Assert every invariant; for tests."""
        assert self.encoding in (LISTPACK, HASHTABLE)
        for field, value in self.items():
            assert field.__class__ is bytes
            assert value.__class__ is bytes
