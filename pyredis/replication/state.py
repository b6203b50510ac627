"""Which history of changes a server has, and how far it has come (server.replid, master_repl_offset)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ..resp.encode import stream
from .backlog import Backlog

if TYPE_CHECKING:
    from ..effects.propagation import Queue

NO_ID = "0" * 40


class History:
    """Replication ids, offsets and the backlog: shared by both roles, since a follower may become a leader.

    The second id is that of the former leader, valid up to ``second_offset`` (PSYNC2).
    """

    __slots__ = ("_offset", "_rng", "backlog", "grown", "id", "second_id", "second_offset", "selected", "waiting")

    def __init__(self, rng: random.Random, replication_id: str) -> None:
        self._rng = rng
        self.id = replication_id
        self.second_id = NO_ID
        self.second_offset = -1
        self.waiting: Queue = []
        """Commands that are to be part of the stream.  They are written into it together, when it is sent or when
        somebody asks for the offset: that takes a third of the time."""
        self.grown = False
        """The backlog has taken a new block since this was last cleared."""
        self._offset = 0
        self.backlog: Backlog | None = None
        self.selected = -1  # database that the stream has selected; -1 makes the next command select anew

    @property
    def offset(self) -> int:
        """How long the stream is (master_repl_offset)."""
        if self.waiting:
            self.take_in()
        return self._offset

    @offset.setter
    def offset(self, offset: int) -> None:
        if self.waiting:
            self.take_in()
        self._offset = offset

    def take_in(self) -> None:
        """Write what waits into the stream (replicationFeedSlaves).  O(bytes)"""
        waiting = self.waiting
        if self.backlog is None:
            self._offset += len(waiting)  # the AOF counts by it what has reached the disk
        else:
            data, self.selected = stream(waiting, self.selected)
            self._append(data)
        for client, _, _ in waiting:
            if client is not None:
                client.write_offset = self._offset
        waiting.clear()

    def _append(self, data: bytes) -> None:
        self._offset += len(data)
        if self.backlog is not None and self.backlog.append(data):
            self.grown = True

    def new_id(self) -> None:
        """Begin a history nobody else has (changeReplicationId)."""
        self.id = self._rng.randbytes(20).hex()

    def shift_id(self) -> None:
        """Begin a history that continues the present one (shiftReplicationId)."""
        self.continue_as("")
        self.new_id()

    def continue_as(self, replication_id: str) -> None:
        """The present history goes on under *replication_id*; the old id stays valid for what there is."""
        self.second_id, self.second_offset = self.id, self.offset + 1
        self.id = replication_id

    def clear_second(self) -> None:
        """Forget the former leader's id."""
        self.second_id, self.second_offset = NO_ID, -1

    def create_backlog(self, size: int) -> None:
        """Start to keep the stream (createReplicationBacklog)."""
        self.backlog = Backlog(size, self.offset)

    def append(self, data: bytes) -> None:
        """*data* is part of the stream as it is."""
        if self.waiting:
            self.take_in()
        self._append(data)

    def resume_at(self, replication_id: str, offset: int) -> None:
        """A leader restarted from a file that says so: replicas of then may go on (loadDataFromDisk)."""
        self.second_id, self.second_offset = replication_id, offset + 1
        self.offset += offset
        if self.backlog is not None:
            self.backlog.rebase(offset)
