"""Hashes: fields with values (t_hash.c, hashType*)."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, ValuesView
from marshal import dumps, loads
from typing import TYPE_CHECKING, Any, Final

from .sampled import HASHTABLE, LISTPACK, SampledDict, unpacking

if TYPE_CHECKING:
    from .encodings import Thresholds

_MOST_NAMES = 4096

_names: dict[bytes, bytes] = {}
"""Field names seen lately.  Hashes that describe records share theirs: 4 of 12 bytes of memory less."""

MOST_PACKED: Final = 64
"""Fields of a packed hash at most.  Unpacking takes 0.4 us and 40 ns per field."""
_LARGEST_PACKED: Final = 8192  # bytes
_MOST_SHAPES: Final = 1024
_MARSHAL: Final = 0  # the first version does not look for objects that come twice, which takes as long as the rest

_shapes: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
"""The fields of hashes packed lately, each tuple of names once."""


class Hash(SampledDict[bytes]):
    """Fields and values, in the order in which the fields came.

    A dict for every purpose but adding: ``put`` and ``expect`` keep the encoding as Redis would.
    A hashtable never becomes a listpack again.  ``pack`` makes a ``PackedHash`` of a small one.
    """

    __slots__ = ("_packed", "_shape")

    _shape: tuple[bytes, ...]  # these two only while packed
    _packed: bytes

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

    @staticmethod
    def packed(pairs: list[bytes], thresholds: Thresholds) -> PackedHash | None:
        """A new packed hash of *pairs* (field, value, field ...), None if Redis or we would not pack them."""
        if len(pairs) > 2 * min(MOST_PACKED, thresholds.hash_max_listpack_entries):
            return None
        if max(map(len, pairs)) > thresholds.hash_max_listpack_value:
            return None
        shape = _shape_of(tuple(pairs[::2]))
        if shape is None:
            return None
        new = PackedHash.__new__(PackedHash)
        new.encoding = LISTPACK
        new.sampler = None
        new._shape = shape
        new._packed = dumps(pairs[1::2], _MARSHAL)
        return new

    def pack(self) -> bool:
        """Become a ``PackedHash``, if small and not one already; true if so."""
        if self.encoding != LISTPACK or not 0 < len(self) <= MOST_PACKED or type(self) is not Hash:
            return False
        packed = dumps(list(self.values()), _MARSHAL)
        shape = _shape_of(tuple(self))
        if len(packed) > _LARGEST_PACKED or shape is None:
            return False
        self.clear()
        self._shape, self._packed = shape, packed
        self.sampler = None
        self.__class__ = PackedHash
        return True

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


def _shape_of(fields: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
    """The one tuple for these *fields*, as far as it is remembered; None if one comes twice."""
    shape = _shapes.get(fields)
    if shape is None:
        if len(set(fields)) != len(fields):
            return None
        if len(_names) + len(fields) > _MOST_NAMES:
            _names.clear()
        if len(_shapes) >= _MOST_SHAPES:
            _shapes.clear()
        shape = tuple([_names.setdefault(field, field) for field in fields])
        _shapes[shape] = shape
    return shape


class PackedHash(Hash):
    """A small hash as two objects: its field names, shared with other hashes, and all its values in one.

    150 bytes and 5 per field besides the data, where a dict takes 400 and 40: ten fields of 7 bytes take a
    third.  It reads like any ``Hash``, only slower, and with the first change becomes a plain one, in place.
    """

    __slots__ = ()

    all_in_one = True
    """Nothing but the object itself has to be measured."""

    def unpack(self) -> None:
        """Become a plain ``Hash``."""
        pairs = zip(self._shape, loads(self._packed), strict=True)
        del self._shape, self._packed
        self.__class__ = Hash  # type: ignore[assignment]
        self.update(pairs)

    def _pairs(self) -> dict[bytes, bytes]:
        return dict(zip(self._shape, loads(self._packed), strict=True))

    def __len__(self) -> int:
        return len(self._shape)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._shape)

    def __reversed__(self) -> Iterator[bytes]:
        return reversed(self._shape)

    def __contains__(self, field: object) -> bool:
        return field in self._shape

    def __getitem__(self, field: bytes) -> bytes:
        return self._pairs()[field]

    def __eq__(self, other: object) -> bool:
        return self._pairs() == other

    def __sizeof__(self) -> int:
        """The values are part of it, the names belong to nobody in particular."""
        return super().__sizeof__() + self._packed.__sizeof__()

    def get(self, field: bytes, default: Any = None) -> Any:
        return self._pairs().get(field, default)

    def keys(self) -> Any:
        return self._pairs().keys()

    def values(self) -> ValuesView[bytes]:  # type: ignore[override]
        return self._pairs().values()

    def items(self) -> ItemsView[bytes, bytes]:  # type: ignore[override]
        return self._pairs().items()

    def flat(self) -> list[bytes]:
        flat: list[bytes] = [b""] * (2 * len(self._shape))
        flat[::2] = self._shape
        flat[1::2] = loads(self._packed)
        return flat

    def copy(self) -> PackedHash:
        """O(1)"""
        other = PackedHash()
        other._shape, other._packed = self._shape, self._packed
        return other

    put = unpacking(Hash.put)
    expect = unpacking(Hash.expect)
    __setitem__ = unpacking(dict.__setitem__)
    __delitem__ = unpacking(dict.__delitem__)
    pop = unpacking(dict.pop)
    popitem = unpacking(dict.popitem)
    setdefault = unpacking(dict.setdefault)
    update = unpacking(dict.update)
    clear = unpacking(dict.clear)

    def _check(self) -> None:
        """Assert every invariant; for tests."""
        assert self.encoding == LISTPACK
        assert dict.__len__(self) == 0
        assert 0 < len(set(self._shape)) == len(loads(self._packed)) <= MOST_PACKED
        assert all(value.__class__ is bytes for value in loads(self._packed))
