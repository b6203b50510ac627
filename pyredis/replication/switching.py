"""What becoming a follower, and taking over another data set, does to the rest of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.blocking import finish
from ..errors import ForcedUnblock
from ..resp.encode import encode_error

if TYPE_CHECKING:
    from ..engine.server import Server

SECOND = 1_000_000_000
ATTEMPTS = 10


def disconnect_blocked(server: Server) -> None:
    """Let go of clients that wait for what may now never come (disconnectAllBlockedClients)."""
    for client in list(server.blocking.clients):
        wait = client.wait
        if wait is None or wait.kind == "shutdown":
            continue
        error = ForcedUnblock()
        server.count_error(error)
        if client.command is not None:
            client.command.failed += 1
        if wait.resume is not None:
            wait.resume()
        finish(client, wait, encode_error(error))
        client.close()


class AofSwitch:
    """Stops the AOF while the data set is replaced: afterwards a rewrite begins a new one."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def stop(self) -> None:
        """Write and log no more."""
        aof = self._server.persistence.aof
        if aof.state != "off":
            aof.turn_off()

    def restart(self, attempt: int = 1) -> None:
        """Log again what is written, if that is wanted (restartAOFAfterSYNC)."""
        server = self._server
        aof = server.persistence.aof
        if not server.config.appendonly or aof.state != "off" or aof.turn_on():
            return
        if attempt == ATTEMPTS:
            server.log.warning(
                "FATAL: this replica instance finished the synchronization with its master, but the AOF can't be "
                "turned on. Exiting now."
            )
            server.persistence.exit()
            return
        server.log.warning(
            "Failed enabling the AOF after successful master synchronization! Trying it again in one second."
        )
        server.timers.at(server.clock.monotonic_ns() + SECOND, lambda: self.restart(attempt + 1))
