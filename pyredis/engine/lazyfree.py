"""Freeing what is large a bit at a time (lazyfree.c).

Redis has a thread for it.  Here that would not help, because the interpreter frees a container in one go and
lets nobody else run meanwhile.  So a large value is taken apart, from its ends, in slices of ``SLICE`` between
which clients are served.  Large is what ``effort`` finds worth more than ``THRESHOLD``, as in Redis.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ..datatypes.hashes import PackedHash
from ..datatypes.lists import List
from ..datatypes.sampled import HASHTABLE, SampledDict
from ..datatypes.sets import PackedSet
from ..datatypes.streams import Stream
from ..datatypes.zsets import PackedSortedSet, SortedSet

if TYPE_CHECKING:
    from ..keyspace.database import Database
    from .server import Server

THRESHOLD: Final = 64
SLICE: Final = 2_000_000  # ns
PAUSE: Final = 1_000_000  # ns between two slices
STEP: Final = 512
"""Elements dropped between two looks at the clock."""
_LEAVES: Final = frozenset(
    (bytes, bytearray, int, float, str, bool, type(None), tuple, PackedHash, PackedSet, PackedSortedSet)
)
ORDER: Final = 99  # among the observers


def effort(value: Any) -> int:
    """About how many allocations *value* consists of (lazyfreeGetFreeEffort).  O(1), O(groups) for a stream"""
    if isinstance(value, SampledDict):
        return len(value) if value.encoding == HASHTABLE else 1
    if isinstance(value, SortedSet):
        return len(value) if value.encoding == b"skiplist" else 1
    if isinstance(value, List):
        return 1 if value.long is None else len(value.long.nodes)
    if isinstance(value, Stream):
        return len(value.blocks()) + sum([1 + len(group.pending) for group in value.groups.values()])
    return len(value) if isinstance(value, dict) else 1


class LazyFree:
    """What is still to be freed on one server."""

    __slots__ = ("_objects", "_queue", "_scheduled", "_server", "_stack")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._queue: deque[tuple[Any, int]] = deque()  # values, and for how many objects each counts
        self._objects = 0
        self._stack: list[Any] = []
        """Of the value at hand: a container, parts of it, parts of these ..."""
        self._scheduled = False

    def pending(self) -> int:
        """lazyfree_pending_objects"""
        return self._objects

    def add(self, value: Any) -> None:
        """Free *value*, which nobody else refers to: now if that is quick.  A plain dict is a whole database."""
        if effort(value) <= THRESHOLD:
            return
        count = len(value) if not isinstance(value, SampledDict) and isinstance(value, dict) else 1
        self._objects += count
        self._queue.append((value, count))
        self._schedule(0)

    def _schedule(self, delay: int) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._server.timers.at(self._server.clock.monotonic_ns() + delay, self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self.run(SLICE)
        if self._queue:
            self._schedule(PAUSE)

    def run(self, duration: int) -> None:
        """Free for about *duration* ns."""
        now = self._server.clock.monotonic_ns
        deadline = now() + duration
        stack, queue = self._stack, self._queue
        while queue:
            if not stack:
                stack.append(queue[0][0])
            while stack:
                _take_apart(stack)
                if stack and now() > deadline:
                    return
            _, count = queue.popleft()
            self._objects -= count
            self._server.lazyfreed_objects += count
            if now() > deadline:
                return


def _take_apart(stack: list[Any]) -> None:
    """Drop some of what is left of the container on top of *stack*; parts that are large go on top of it."""
    top = stack[-1]
    if isinstance(top, dict):
        if isinstance(top, SampledDict) and top.sampler is not None:
            stack.append(top.sampler)
            top.sampler = None
            return
        take = top.popitem
        dropped = [take()[1] for _ in range(min(STEP, len(top)))]
    elif isinstance(top, list):
        dropped = top[-STEP:]
        del top[-STEP:]
    elif isinstance(top, deque):
        dropped = [top.pop() for _ in range(min(STEP, len(top)))]
    else:
        stack.pop()
        slots = [name for kind in type(top).__mro__ for name in getattr(kind, "__slots__", ())]
        stack += [part for name in slots if type(part := getattr(top, name, None)) not in _LEAVES]
        return
    if not top and stack[-1] is top:
        stack.pop()
    stack += [part for part in dropped if type(part) not in _LEAVES]


def _overwritten(db: Database, key: bytes, event: bytes | None, kind: int) -> None:
    """An observer that does nothing but keep SET from storing past ``Database.store``."""


def install(server: Server) -> None:
    """Plug lazy freeing into *server*."""
    server.lazy_free = lazy = LazyFree(server)
    server.free_later = lazy.add
    server.lazyfree_pending = lazy.pending

    def apply() -> None:
        server.frees_overwritten = server.config.lazyfree_lazy_server_del
        if server.frees_overwritten:
            server.plug(_overwritten, ORDER)
        else:
            server.unplug(_overwritten)

    server.config.on_change("lazyfree-lazy-server-del", apply)
    apply()
