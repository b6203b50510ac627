"""LATENCY: when did the server last keep its clients waiting, by what, and for how long (latency.c)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..registry.flags import FAST

if TYPE_CHECKING:
    from ..registry.command import Argv, Command
    from .client import Client
    from .server import Server

SAMPLES = 160


class Spikes:
    """The last samples of one event: [second since the epoch, worst milliseconds in it]."""

    __slots__ = ("highest", "samples")

    def __init__(self) -> None:
        self.samples: deque[list[int]] = deque(maxlen=SAMPLES)
        self.highest = 0

    def add(self, second: int, milliseconds: int) -> None:
        """Several samples of one second count as the worst of them."""
        self.highest = max(self.highest, milliseconds)
        samples = self.samples
        if samples and samples[-1][0] == second:
            samples[-1][1] = max(samples[-1][1], milliseconds)
        else:
            samples.append([second, milliseconds])


class LatencyMonitor:
    """The spikes of one server by event; nothing is kept while latency-monitor-threshold is 0."""

    __slots__ = ("_server", "events")

    def __init__(self, server: Server) -> None:
        self._server = server
        self.events: dict[str, Spikes] = {}

    def add(self, event: str, elapsed: int) -> None:
        """*event* has taken *elapsed* ns; kept if that is too long (latencyAddSampleIfNeeded)."""
        server = self._server
        threshold = server.config.latency_monitor_threshold
        milliseconds = elapsed // 1_000_000
        if threshold and milliseconds >= threshold:
            spikes = self.events.get(event)
            if spikes is None:
                spikes = self.events[event] = Spikes()
            spikes.add(server.now // 1_000_000_000, milliseconds)

    def begin(self) -> int | None:
        """The time to give to ``end``; None while nobody wants to know how long something takes."""
        server = self._server
        return server.clock.monotonic_ns() if server.config.latency_monitor_threshold else None

    def end(self, began: int | None, *events: str) -> None:
        """What is known as each of *events* began then, and ends now."""
        if began is not None:
            elapsed = self._server.clock.monotonic_ns() - began
            for event in events:
                self.add(event, elapsed)

    def observe(self, client: Client, command: Command, argv: Argv, elapsed: int) -> None:
        """*command* has taken *elapsed* ns."""
        self.add("fast-command" if command.flags & FAST else "command", elapsed)

    def reset(self, names: list[str]) -> int:
        """Forget the events called *names*, all without names; how many there were."""
        known = [name for name in names or list(self.events) if name in self.events]
        for name in known:
            self.events.pop(name, None)
        return len(known)
