"""CLIENT PAUSE, and the pauses a failover or a shutdown needs (networking.c pauseActions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..registry.flags import GATE_PAUSED, MAY_REPLICATE, WRITE

if TYPE_CHECKING:
    from ..registry.command import Argv, Command
    from .client import Client
    from .server import Server
    from .timers import Timer

WRITES = 1
ALL = 2


class Pausing:
    """Who is not served for now, why, and until when.  ``purposes`` hold (mode, end in monotonic ns)."""

    __slots__ = ("_postponed", "_purposes", "_server", "_timer")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._purposes: dict[str, tuple[int, int]] = {}
        self._postponed: dict[Client, None] = {}
        self._timer: Timer | None = None

    @property
    def mode(self) -> int:
        """0, WRITES or ALL."""
        return max((mode for mode, _ in self._purposes.values()), default=0)

    @property
    def remaining_ms(self) -> int:
        """Until the last pause ends."""
        now = self._server.clock.monotonic_ns()
        return max((max(0, end - now) // 1_000_000 for _, end in self._purposes.values()), default=0)

    def pause(self, purpose: str, mode: int, milliseconds: int) -> None:
        """Pause for *purpose*; a pause of the same purpose is only ever widened (pauseActionsByClient)."""
        end = self._server.clock.monotonic_ns() + milliseconds * 1_000_000
        old_mode, old_end = self._purposes.get(purpose, (0, 0))
        self._purposes[purpose] = max(mode, old_mode), max(end, old_end)
        self._update()

    def unpause(self, purpose: str) -> None:
        """End the pause of *purpose*; clients go on if it was the last."""
        if self._purposes.pop(purpose, None) is not None:
            self._update()

    def _expire(self) -> None:
        now = self._server.clock.monotonic_ns()
        self._purposes = {purpose: pause for purpose, pause in self._purposes.items() if pause[1] > now}
        self._update()

    def _update(self) -> None:
        server = self._server
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        mode = self.mode
        server.restrict(GATE_PAUSED, bool(mode))
        server.expires_paused = bool(mode)
        if self._purposes:
            self._timer = server.timers.at(min(end for _, end in self._purposes.values()), self._expire)
        waiting, self._postponed = self._postponed, {}
        for client in waiting:  # those that a narrower pause still concerns are postponed again
            client.postponed = False
            client.update_halted()
            server.resumable.append(client)
            client.transport.wake()

    def postpone(self, client: Client, command: Command, argv: Argv, flags: int) -> bool:
        """Keep *argv* for later if the pause concerns it; true if so (blockPostponeClient)."""
        mode = self.mode
        if client.replica is not None or not mode or (mode == WRITES and not flags & (WRITE | MAY_REPLICATE)):
            return False
        client.deferred = argv
        client.postponed = True
        client.update_halted()
        self._postponed[client] = None
        return True

    def hold(self, client: Client) -> None:
        """*client*, whose input somebody else keeps, is woken when the pause is over."""
        client.postponed = True
        client.update_halted()
        self._postponed[client] = None

    def forget(self, client: Client) -> None:
        """*client* is gone."""
        self._postponed.pop(client, None)

    @property
    def postponed(self) -> int:
        """How many clients wait for the pause to end."""
        return len(self._postponed)
