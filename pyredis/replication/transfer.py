"""One snapshot on its way to replicas: over a pipe from the child, or from the file it wrote."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.server import Server
    from .leader import Replica

CHUNK = 1 << 16
HIGH_WATER = 1 << 22
"""A replica that has this many bytes unsent holds the transfer up."""
RETRY_SECONDS = 0.01


class Transfer:
    """Feeds replicas from a descriptor as fast as the slowest takes it.

    With *socket* the length is unknown and the end marked by 40 random bytes; else it is sent first.
    """

    def __init__(self, server: Server, replicas: list[Replica], *, socket: bool) -> None:
        self._server = server
        self.replicas = list(replicas)
        self.socket = socket
        self.mark = server.rng.randbytes(20).hex().encode()
        self.finished: Callable[[Transfer], None] = lambda transfer: None
        self.abandoned: Callable[[], None] = lambda: None
        self._descriptor = -1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left: int | None = None

    def drop(self, replica: Replica) -> None:
        """*replica* is gone; without any left the transfer is pointless."""
        self.replicas.remove(replica)
        if not self.replicas:
            if self.socket:
                self._server.log.notice("Diskless rdb transfer, last replica dropped, killing fork child.")
            self.close()
            self.abandoned()

    def send(self, data: bytes) -> None:
        """Hand *data* to every replica that is left."""
        for replica in self.replicas:
            replica.client.deliver(data)
            replica.client.transport.wake()

    def start(self, descriptor: int, loop: asyncio.AbstractEventLoop, length: int | None) -> None:
        """Send what *descriptor* yields: *length* bytes of a file, or all of a pipe (None)."""
        self._descriptor, self._loop, self._left = descriptor, loop, length
        if length is None:
            self.send(b"$EOF:%b\r\n" % self.mark)
            os.set_blocking(descriptor, False)
            loop.add_reader(descriptor, self._read)
        else:
            self.send(b"$%d\r\n" % length)
            loop.call_soon(self._read)

    def _congested(self) -> bool:
        return any(replica.client.transport.buffered() > HIGH_WATER for replica in self.replicas)

    def _read(self) -> None:
        if self._descriptor < 0 or self._loop is None:
            return
        if self._congested():
            if self._left is None:
                self._loop.remove_reader(self._descriptor)
            self._loop.call_later(RETRY_SECONDS, self._resume)
            return
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        if data:
            self.send(data)
        if not data:
            self._end()
        elif self._left is not None:
            self._loop.call_soon(self._read)

    def _resume(self) -> None:
        if self._descriptor >= 0 and self._loop is not None:
            if self._left is None:
                self._loop.add_reader(self._descriptor, self._read)
            self._read()

    def _end(self) -> None:
        if self._left is None:
            self.send(self.mark)
            self._server.log.notice(
                f"Diskless rdb transfer, done reading from pipe, {len(self.replicas)} replicas still up."
            )
        self.close()
        self.finished(self)

    def close(self) -> None:
        """Stop reading."""
        if self._descriptor >= 0:
            if self._left is None and self._loop is not None:
                self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
