"""What goes to the AOF and to the replicas (server.c alsoPropagate, propagatePendingCommands)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

AOF = 1
REPLICAS = 2
EVERYWHERE = AOF | REPLICAS

Sink: TypeAlias = "Callable[[int, list[bytes]], None]"
"""Takes (database index, argv); index -1 means: whichever is selected (MULTI, EXEC, global commands)."""

MULTI: list[bytes] = [b"MULTI"]
EXEC: list[bytes] = [b"EXEC"]


class Propagation:
    """Commands waiting to be handed to the sinks when the outermost command ends.

    A command that changed the data set goes out as it came in, unless its handler queued something
    else (``add``): effects are propagated, not requests.  Several commands of one unit (EXEC, a
    script, a write that expired a key) go out inside MULTI and EXEC.
    """

    __slots__ = ("_sinks", "active", "explicit", "pending", "settled", "targets", "wrote")

    def __init__(self) -> None:
        self.pending: list[tuple[int, list[bytes], int]] = []
        self.explicit = False  # the running command has said what it propagates
        self.wrote = False  # the running command has changed a key
        self.active = False  # there is a sink
        self.targets = EVERYWHERE  # redis.set_repl narrows it
        self._sinks: list[tuple[int, Sink]] = []

    def plug(self, target: int, sink: Sink) -> None:
        """Send what is meant for *target* (AOF or REPLICAS) to *sink* from now on."""
        self._sinks.append((target, sink))
        self.active = True

    def unplug(self, sink: Sink) -> None:
        """Stop sending to *sink*."""
        self._sinks = [entry for entry in self._sinks if entry[1] != sink]
        self.active = bool(self._sinks)

    def add(self, index: int, argv: list[bytes], targets: int = EVERYWHERE) -> None:
        """Propagate *argv*, not the running command itself."""
        self.explicit = True
        if self.active:
            self.pending.append((index, argv, targets & self.targets))

    def add_deletion(self, index: int, argv: list[bytes]) -> None:
        """Propagate a deletion besides whatever the running command propagates."""
        if self.active:
            self.pending.append((index, argv, EVERYWHERE))

    def send(self, index: int, argv: list[bytes]) -> None:
        """Hand over one command that stands alone: ``add`` and ``flush`` in a single frame."""
        targets = self.targets
        for target, sink in self._sinks:
            if targets & target:
                sink(index, argv)

    def flush(self, *, atomic: bool = True) -> None:
        """Hand everything pending to the sinks, inside MULTI/EXEC if it is more than one command."""
        pending, self.pending = self.pending, []
        pending = [entry for entry in pending if entry[2]]
        if not pending:
            return
        wrapped = atomic and len(pending) > 1
        for target, sink in self._sinks:
            mine = [(index, argv) for index, argv, targets in pending if targets & target]
            if not mine:
                continue
            if wrapped:
                sink(-1, MULTI)
            for index, argv in mine:
                sink(index, argv)
            if wrapped:
                sink(-1, EXEC)
