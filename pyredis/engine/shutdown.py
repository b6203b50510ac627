"""Shutting down: SHUTDOWN and the signals, with what has to be saved or waited for (server.c prepareForShutdown)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..effects.blocking import Wait
from ..errors import ShutdownFailed
from ..resp.encode import encode_error

if TYPE_CHECKING:
    from .client import Client
    from .server import Server

NOSAVE, SAVE, NOW, FORCE = 1, 2, 4, 8
FLAG_BITS = {"default": 0, "nosave": NOSAVE, "save": SAVE, "now": NOW, "force": FORCE}


class ShutdownRefused(Exception):
    """Raised by a step that makes shutting down unsafe; the reason has been logged."""


class Shutdown:
    """At most one shutdown at a time, which may have to wait for replicas, or fail.

    ``steps`` are called in order with the flags and raise ShutdownRefused to stop it; ``replicas_ready``
    and ``ask_replicas`` come from replication; ``finished`` stops the program.
    """

    __slots__ = (
        "_deadline", "_server", "_waiting", "ask_replicas", "finished", "flags", "in_progress", "on_cancel",
        "replicas_ready", "requested", "status", "steps",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server = server
        self.in_progress = False
        self.requested = False  # by a signal, for the next cron
        self.flags = 0
        self._deadline = 0
        self._waiting: list[Client] = []
        self.steps: list[Callable[[int], None]] = []
        self.replicas_ready: Callable[[], bool] = lambda: True
        self.ask_replicas: Callable[[], None] = lambda: None
        self.on_cancel: Callable[[], None] = lambda: None
        self.status: Callable[[str], None] = lambda text: None
        self.finished: Callable[[], None] = lambda: None

    @property
    def remaining_ms(self) -> int:
        """Until replicas are no longer waited for (shutdown_in_milliseconds)."""
        return max(0, self._deadline - self._server.clock.monotonic_ns()) // 1_000_000

    def request(self, flags: int, client: Client | None = None) -> bool:
        """Start shutting down; true once it is done.  *client* waits, and hears only of a failure."""
        server = self._server
        if client is not None:
            wait = Wait("shutdown", client.db, [], None, b"")
            server.blocking.add(client, wait)
            client.update_halted()
            self._waiting.append(client)
        if self.in_progress:
            return False
        if server.loading:
            flags = (flags & ~SAVE) | NOSAVE
        self.flags = flags
        server.log.notice("User requested shutdown...")
        self.status("STOPPING=1\n")
        if not flags & NOW and server.config.shutdown_timeout and not self.replicas_ready():
            self.in_progress = True
            self._deadline = server.clock.monotonic_ns() + server.config.shutdown_timeout * 1_000_000_000
            self.ask_replicas()
            server.pausing.pause("shutdown", 1, 1 << 50)
            server.log.notice("Waiting for replicas before shutting down.")
            return False
        return self.finish()

    def poll(self) -> None:
        """From the cron: a signal may have come, replicas may have caught up, patience may be over."""
        if self.requested and not self.in_progress:
            self.requested = False
            if not self.request(self.flags) and not self.in_progress:
                return
        elif self.in_progress and (self.replicas_ready() or not self.remaining_ms):
            self.finish()

    def finish(self) -> bool:
        """The steps; false if one refused, and the shutdown is off (server.c finishShutdown)."""
        server = self._server
        try:
            for step in self.steps:
                step(self.flags)
        except ShutdownRefused:
            server.log.warning("Errors trying to shut down the server. Check the logs for more information.")
            self.cancel()
            return False
        self.finished()
        server.log.warning("Redis is now ready to exit, bye bye...")
        return True

    def abort(self) -> bool:
        """SHUTDOWN ABORT; false if there is none to abort."""
        if not self.in_progress and not self.requested:
            return False
        self._server.log.notice("Shutdown manually aborted.")
        self.cancel()
        return True

    def cancel(self) -> None:
        """Go on as if nothing had been asked (server.c cancelShutdown)."""
        server = self._server
        self.in_progress = self.requested = False
        self.flags = 0
        self._deadline = 0
        server.pausing.unpause("shutdown")
        self.on_cancel()
        waiting, self._waiting = self._waiting, []
        for client in waiting:
            if client.wait is not None:
                server.blocking.discard(client)
                client.update_halted()
                client.deliver(encode_error(ShutdownFailed()))
                server.resumable.append(client)
                client.transport.wake()
