"""The periodic tasks of a server (server.c serverCron), called ``hz`` times a second from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import Server


class Cron:
    """Tasks by period.  A task is called with the server; one that fails is logged and stays."""

    __slots__ = ("_server", "_tasks", "loops", "paused")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tasks: list[tuple[Callable[[Server], None], int]] = []
        self.loops = 0
        self.paused = False  # DEBUG PAUSE-CRON

    def every(self, milliseconds: int, task: Callable[[Server], None]) -> None:
        """Call *task* at least every *milliseconds*; 0 for every turn (run_with_period)."""
        self._tasks.append((task, milliseconds))

    def turn(self) -> None:
        """One turn: everything whose period has come."""
        if self.paused:
            return
        server = self._server
        server.now = server.clock.time_ns()
        turn_ms = 1000 // server.config.hz
        for task, period in self._tasks:
            if period <= turn_ms or self.loops % (period // turn_ms) == 0:
                try:
                    task(server)
                except Exception as error:
                    server.log.warning(f"Bug: periodic task {task.__name__} raised {error!r}", exc=error)
        self.loops += 1
