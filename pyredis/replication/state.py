"""Which history of changes a server has, and how far it has come (server.replid, master_repl_offset)."""

from __future__ import annotations

import random

from .backlog import Backlog

NO_ID = "0" * 40


class History:
    """Replication ids, offsets and the backlog: shared by both roles, since a follower may become a leader.

    The second id is that of the former leader, valid up to ``second_offset`` (PSYNC2).
    """

    __slots__ = ("_rng", "backlog", "id", "offset", "second_id", "second_offset", "selected")

    def __init__(self, rng: random.Random, replication_id: str) -> None:
        self._rng = rng
        self.id = replication_id
        self.second_id = NO_ID
        self.offset = 0
        self.second_offset = -1
        self.backlog: Backlog | None = None
        self.selected = -1  # database that the stream has selected; -1 makes the next command select anew

    def new_id(self) -> None:
        """Begin a history nobody else has (changeReplicationId)."""
        self.id = self._rng.randbytes(20).hex()

    def shift_id(self) -> None:
        """Begin a history that continues the present one (shiftReplicationId)."""
        self.second_id, self.second_offset = self.id, self.offset + 1
        self.new_id()

    def clear_second(self) -> None:
        """Forget the former leader's id."""
        self.second_id, self.second_offset = NO_ID, -1

    def create_backlog(self, size: int) -> None:
        """Start to keep the stream (createReplicationBacklog)."""
        self.backlog = Backlog(size, self.offset)

    def append(self, data: bytes) -> None:
        """*data* is part of the stream."""
        self.offset += len(data)
        if self.backlog is not None:
            self.backlog.append(data)
