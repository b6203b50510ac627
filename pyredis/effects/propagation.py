"""What goes to the AOF and to the replicas (server.c alsoPropagate, propagatePendingCommands)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..engine.client import Client

AOF = 1
REPLICAS = 2
EVERYWHERE = AOF | REPLICAS

Sink: TypeAlias = "Callable[[int, list[bytes]], None]"
"""Takes (database index, argv); index -1 means: whichever is selected (MULTI, EXEC, global commands)."""

Queue: TypeAlias = "list[tuple[Client | None, int, list[bytes]]]"
"""Commands as a sink takes them, each with the client whose ``write_offset`` it moves."""

MULTI: list[bytes] = [b"MULTI"]
EXEC: list[bytes] = [b"EXEC"]


class Propagation:
    """Commands waiting to be handed to the sinks when the outermost command ends.

    A command that changed the data set goes out as it came in, unless its handler queued something
    else (``add``): effects are propagated, not requests.  Several commands of one unit (EXEC, a
    script, a write that expired a key) go out inside MULTI and EXEC.

    There is one sink that takes commands later: they are put into its ``queue``, and it is told when something is in
    there.
    """

    __slots__ = (
        "_queue_target", "_sinks", "active", "explicit", "pending", "queue", "sinks", "targets", "wake", "wrote",
    )  # fmt: skip

    def __init__(self) -> None:
        self.pending: list[tuple[int, list[bytes], int]] = []
        self.explicit = False  # the running command has said what it propagates
        self.wrote = False  # the running command has changed a key
        self.active = False  # there is a sink
        self.targets = EVERYWHERE  # redis.set_repl narrows it
        self.sinks: list[Sink] = []
        self.queue: Queue | None = None
        self.wake: Callable[[], None] = lambda: None
        """Called before something is put into an empty ``queue``."""
        self._sinks: list[tuple[int, Sink]] = []
        self._queue_target = 0

    def plug(self, target: int, sink: Sink) -> None:
        """Send what is meant for *target* (AOF or REPLICAS) to *sink* from now on."""
        self._sinks.append((target, sink))
        self._update()

    def unplug(self, sink: Sink) -> None:
        """Stop sending to *sink*."""
        self._sinks = [entry for entry in self._sinks if entry[1] != sink]
        self._update()

    def plug_queue(self, target: int, queue: Queue, wake: Callable[[], None]) -> None:
        """Put what is meant for *target* into *queue* from now on."""
        self._queue_target, self.queue, self.wake = target, queue, wake
        self._update()

    def unplug_queue(self) -> None:
        """Put nothing into the queue any more."""
        self.queue = None
        self._update()

    def _update(self) -> None:
        self.sinks = [sink for _, sink in self._sinks]
        self.active = bool(self._sinks) or self.queue is not None

    def add(self, index: int, argv: list[bytes], targets: int = EVERYWHERE) -> None:
        """Propagate *argv*, not the running command itself."""
        self.explicit = True
        if self.active:
            self.pending.append((index, argv, targets & self.targets))

    def add_deletion(self, index: int, argv: list[bytes]) -> None:
        """Propagate a deletion besides whatever the running command propagates."""
        if self.active:
            self.pending.append((index, argv, EVERYWHERE))

    def flush(self, *, atomic: bool = True) -> None:
        """Hand everything pending to the sinks, inside MULTI/EXEC if it is more than one command."""
        pending, self.pending = self.pending, []
        pending = [entry for entry in pending if entry[2]]
        if not pending:
            return
        wrapped = atomic and len(pending) > 1
        sinks = [*self._sinks, (self._queue_target, self.enqueue)] if self.queue is not None else self._sinks
        for target, sink in sinks:
            mine = [(index, argv) for index, argv, targets in pending if targets & target]
            if not mine:
                continue
            if wrapped:
                sink(-1, MULTI)
            for index, argv in mine:
                sink(index, argv)
            if wrapped:
                sink(-1, EXEC)

    def enqueue(self, index: int, argv: list[bytes]) -> None:
        """Put a command into the queue, which there is."""
        assert self.queue is not None
        if not self.queue:
            self.wake()
        self.queue.append((None, index, argv))
