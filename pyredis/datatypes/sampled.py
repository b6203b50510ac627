"""What hashes and sets share: a dict one can choose from at random and walk with a cursor."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any, TypeVar

from .sampling import Sampler

V = TypeVar("V")

LISTPACK = b"listpack"
HASHTABLE = b"hashtable"

_FEW = 64  # so many keys are walked faster than a sampler is built


class SampledDict(dict[bytes, V]):
    """A dict that remembers its encoding and, once somebody chose at random, a list of its keys.

    Whoever adds a key tells ``sampler`` (if there is one); removals need not be told.
    """

    __slots__ = ("encoding", "sampler")

    encoding: bytes
    sampler: Sampler | None

    def choose(self, rng: Random) -> bytes:
        """A random key of a dict that has one.  O(1), O(n) the first time"""
        if self.sampler is None:
            if len(self) <= _FEW:
                return next(islice(self, int(rng.random() * len(self)), None))
            self.sampler = Sampler(self)
        key = self.sampler.choose(rng)
        assert key is not None
        return key

    def choose_many(self, count: int, rng: Random) -> list[bytes]:
        """*count* random keys, the same one perhaps several times.  O(count), O(n) if that is less"""
        if self.sampler is not None or count * 3 < len(self):
            return [self.choose(rng) for _ in range(count)]
        return rng.choices(list(self), k=count)

    def choose_distinct(self, count: int, rng: Random) -> list[bytes]:
        """*count* different keys, less than there are; in order unless a hashtable.  O(count), O(n) if small"""
        if self.encoding != HASHTABLE:
            keys = list(self)
            return [keys[at] for at in sorted(rng.sample(range(len(keys)), count))]
        if count * 3 > len(self):
            return rng.sample(list(self), count)
        chosen: dict[bytes, None] = {}
        while len(chosen) < count:
            chosen[self.choose(rng)] = None
        return list(chosen)

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The next cursor (0: done) and about *count* keys from *cursor* on; all at once unless a hashtable."""
        if self.encoding != HASHTABLE:
            return 0, list(self)
        if self.sampler is None:
            if len(self) <= count:
                return 0, list(self)
            self.sampler = Sampler(self)
        return self.sampler.scan(cursor, count)


def unpacking(method: Callable[..., Any]) -> Any:
    """A *method* that changes a dict of this kind, for one that is packed until then (``unpack``)."""

    def unpack_first(self: Any, *arguments: Any, **options: Any) -> Any:
        self.unpack()
        return method(self, *arguments, **options)

    return unpack_first
