"""The follower's socket, and its loads in slices on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..persistence.loading import LoadFailed, Slices, load_rdb

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..persistence.loading import Loading
    from .follower import Follower


class LeaderLink(asyncio.Protocol):
    """Carries bytes between a leader and ``Follower``."""

    def __init__(self, follower: Follower, flush: Callable[[], None]) -> None:
        self._follower = follower
        self._flush = flush

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._follower.link_made(self._transport.write, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._follower.received(data)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._follower.link_lost()
        self._flush()


class Linker:
    """Connects a follower to its leader on *loop*; ``flush`` sends what commands of the stream caused."""

    def __init__(
        self, server: Server, follower: Follower, loading: Loading, loop: asyncio.AbstractEventLoop,
        flush: Callable[[], None],
    ) -> None:  # fmt: skip
        self._server = server
        self._follower = follower
        self._config = server.config
        self._loop = loop
        self._flush = flush
        self._tasks: set[asyncio.Task[None]] = set()
        follower.connect = self.connect
        follower.load = lambda path: load_rdb(server, path, loading)
        follower.run_load = self.run_load

    def _spawn(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def connect(self, host: str, port: int) -> None:
        """Begin to connect; the follower hears of the outcome."""
        self._spawn(self._loop.create_task(self._connect(host, port)))

    async def _connect(self, host: str, port: int) -> None:
        follower = self._follower
        try:
            source = self._config.bind_source_addr
            await self._loop.create_connection(
                lambda: LeaderLink(follower, self._flush), host, port, local_addr=(source, 0) if source else None
            )
        except OSError as error:
            if follower.active and follower.leader_address == (host, port):
                follower.link_failed(error.strerror or str(error))

    def run_load(self, slices: Slices, done: Callable[[bool], None]) -> None:
        """Run a load between other work; *done* hears whether it succeeded."""
        self._spawn(self._loop.create_task(self._run_load(slices, done)))

    async def _run_load(self, slices: Slices, done: Callable[[bool], None]) -> None:
        succeeded = True
        try:
            for pause in slices:
                await asyncio.sleep(pause)
        except LoadFailed:
            succeeded = False
        done(succeeded)
        self._flush()
