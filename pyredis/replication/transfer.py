"""One snapshot on its way to replicas: over a pipe from the child, or from the file it wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .replica import Replica, Stage

if TYPE_CHECKING:
    from ..engine.server import Server

CHUNK = 1 << 16
HIGH_WATER = 1 << 18
"""A replica that has this many bytes unsent is not sent more."""


class Watcher(Protocol):
    """What a transfer needs of an event loop."""

    def add_reader(self, descriptor: int, callback: Callable[[], None]) -> object: ...

    def remove_reader(self, descriptor: int) -> object: ...


class Transfer:
    """The replicas of one snapshot.  ``socket``: it goes to them directly, not through a file."""

    socket = False

    def __init__(self, server: Server, replicas: list[Replica]) -> None:
        self._server = server
        self.replicas = list(replicas)

    def mate_for(self, replica: Replica) -> Replica | None:
        """One of the replicas whose snapshot and buffer do for *replica*, too."""
        for mate in self.replicas:
            if replica.rdb_only or not mate.rdb_only:
                capable = (replica.eof or not mate.eof) and (replica.psync2 or not mate.psync2)
                return mate if capable and mate.needs == replica.needs else None
        return None

    def drop(self, replica: Replica) -> None:
        """*replica* is gone."""
        self.replicas.remove(replica)

    def stuck(self, since: int) -> list[Replica]:
        """Replicas that hold everybody up and have taken nothing since *since* (ns)."""
        return []


class FileTransfer(Transfer):
    """Replicas wait for a file; each is sent it then at its own pace.  *kill* ends the child nobody waits for."""

    def __init__(self, server: Server, replicas: list[Replica], kill: Callable[[], None]) -> None:
        super().__init__(server, replicas)
        self._kill = kill

    def drop(self, replica: Replica) -> None:
        super().drop(replica)
        waiting = any(each.stage is Stage.WAIT_END for each in self.replicas)
        if replica.stage is Stage.WAIT_END and not waiting and not self._server.config.save:
            self._kill()

    def send(self, path: str, online: Callable[[Replica], None]) -> None:
        """The file is at *path*.  *online* hears of each replica that has all of it."""
        for replica in list(self.replicas):
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except OSError as error:
                self._server.log.warning(f"SYNC failed. Can't open/stat DB after BGSAVE: {error.strerror}")
                replica.client.transport.abort()
                self._server.forget(replica.client)
                continue
            FileSender(self._server, replica, descriptor, online).start()


class FileSender:
    """Sends one replica a file (sendBulkToSlave)."""

    def __init__(self, server: Server, replica: Replica, descriptor: int, online: Callable[[Replica], None]) -> None:
        self._server = server
        self._replica = replica
        self._descriptor = descriptor
        self._online = online
        self._left = os.fstat(descriptor).st_size

    def start(self) -> None:
        """Send the length and as much as the connection takes; ``replica.writable`` goes on."""
        replica = self._replica
        replica.stage = Stage.SEND
        replica.writable = self.pump
        replica.gone = self._close
        self._put(b"$%d\r\n" % self._left)
        self.pump()

    def _put(self, data: bytes) -> None:
        client = self._replica.client
        self._server.stats.repl_output_bytes += len(data)
        client.out.append(data)
        client.transport.wake()

    def pump(self) -> None:
        while self._descriptor >= 0 and self._left:
            if self._replica.client.transport.buffered() > HIGH_WATER:
                return
            data = os.read(self._descriptor, min(CHUNK, self._left))
            if not data:
                self._server.log.warning("Read error sending DB to replica: premature EOF")
                self._close()
                self._replica.client.transport.abort()
                self._server.forget(self._replica.client)
                return
            self._left -= len(data)
            self._put(data)
        if self._descriptor >= 0:
            self._close()
            self._online(self._replica)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class PipeTransfer(Transfer):
    """Forwards what a child writes to a pipe, at the pace of the slowest replica (rdbPipeReadHandler).

    The child may exit once ``release`` has been called, which says that the pipe is empty.
    """

    socket = True

    def __init__(
        self, server: Server, replicas: list[Replica], descriptor: int, watcher: Watcher, release: Callable[[], None],
        kill: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__(server, replicas)
        self._descriptor = descriptor
        self._watcher = watcher
        self._release = release
        self._kill = kill
        self._reading = False
        self._waits: dict[Replica, tuple[int, int]] = {}
        """Of those that hold it up: when they last took something, and how much was unsent then."""
        for replica in replicas:
            replica.writable = self._resume
        os.set_blocking(descriptor, False)
        self._read_on(True)

    def _read_on(self, on: bool) -> None:
        if on and not self._reading:
            self._watcher.add_reader(self._descriptor, self._read)
        elif self._reading and not on:
            self._watcher.remove_reader(self._descriptor)
        self._reading = on

    def _congested(self) -> bool:
        now = self._server.clock.time_ns()
        waits: dict[Replica, tuple[int, int]] = {}
        for replica in self.replicas:
            unsent = replica.client.transport.buffered()
            if unsent > HIGH_WATER:
                since, before = self._waits.get(replica, (now, unsent))
                waits[replica] = (since, before) if unsent == before else (now, unsent)
        self._waits = waits
        return bool(waits)

    def _read(self) -> None:
        if self._congested():
            self._read_on(False)
            return
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._server.log.notice(
                f"Diskless rdb transfer, done reading from pipe, {len(self.replicas)} replicas still up."
            )
            self.close()
            return
        for replica in list(self.replicas):
            self._server.stats.repl_output_bytes += len(data)
            replica.client.out.append(data)
            replica.client.transport.wake()

    def _resume(self) -> None:
        if self._descriptor >= 0 and not self._congested():
            self._read_on(True)

    def stuck(self, since: int) -> list[Replica]:
        if not self._congested() and self._descriptor >= 0:
            self._read_on(True)
        return [replica for replica, (last, _) in self._waits.items() if last < since]

    def drop(self, replica: Replica) -> None:
        super().drop(replica)
        if self._descriptor < 0:
            return
        if not self.replicas:
            self._server.log.warning("Diskless rdb transfer, last replica dropped, killing fork child.")
            self._kill()
            self.close()
        else:
            self._resume()

    def close(self) -> None:
        """Read no more, and let the child go."""
        if self._descriptor >= 0:
            self._read_on(False)
            os.close(self._descriptor)
            self._descriptor = -1
            self._release()
