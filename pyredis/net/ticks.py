"""Drives a server's cron and timers from an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .connection import finish_turn

if TYPE_CHECKING:
    from ..engine.server import Server


class Ticks:
    """The cron at ``hz``, timers exactly when due: nothing polls, an idle server sleeps."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._cron: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def start(self) -> None:
        self._server.timers.armed = self._arm
        self._cron = self._loop.call_later(0.001, self._turn)  # as soon as in server.c initServer
        when = self._server.timers.next()
        if when is not None:
            self._arm(when)

    def stop(self) -> None:
        self._server.timers.armed = None
        for handle in (self._cron, self._timer):
            if handle is not None:
                handle.cancel()

    def _turn(self) -> None:
        server = self._server
        self._cron = self._loop.call_later(1 / server.config.hz, self._turn)
        server.cycles += 1
        started = server.clock.monotonic_ns()
        server.cron.turn()
        server.stats.cron_ns += server.clock.monotonic_ns() - started
        if server.to_flush or server.resumable or server.before_sleep:
            finish_turn(server)

    def _arm(self, when: int) -> None:
        if self._timer is not None:
            if self._armed_for <= when and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._armed_for = when
        delay = max(0, when - self._server.clock.monotonic_ns()) / 1e9
        self._timer = self._loop.call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        server = self._server
        server.cycles += 1
        server.now = server.clock.time_ns()
        server.timers.run_due(server.clock.monotonic_ns())
        if server.to_flush or server.resumable or server.before_sleep:
            finish_turn(server)
        when = server.timers.next()
        if when is not None and self._timer is None:
            self._arm(when)
