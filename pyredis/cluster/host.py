"""What a member of a cluster asks of the server around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ..engine.pausing import WRITES

if TYPE_CHECKING:
    from ..engine.server import Server

SECOND: Final = 1_000_000_000
PURPOSE: Final = "cluster failover"


class Host(Protocol):
    """The server as the cluster sees it.  Tests put something simpler in its place."""

    def now_ms(self) -> int:
        """Wall-clock milliseconds."""

    @property
    def following(self) -> bool:
        """Whether replication knows a master (server.masterhost)."""

    @property
    def offset(self) -> int:
        """Where a master's stream stands, or how much of it a replica has."""

    def disconnected_ms(self) -> int:
        """For how long the master has not been heard of (data_age)."""

    def follow(self, ip: str, port: int) -> None:
        """Replicate that server."""

    def promote(self) -> None:
        """Replicate nobody."""

    def pause_writes(self, milliseconds: int) -> None:
        """Hold clients that write, for a manual failover."""

    def unpause(self) -> None:
        """Let them go on."""

    def publish(self, channel: bytes, message: bytes, *, sharded: bool) -> None:
        """Tell our own subscribers."""

    def key_count(self, slot: int) -> int:
        """How many keys are in *slot*."""

    def delete_keys(self, slot: int) -> None:
        """Delete them (delKeysInSlot)."""

    def empty(self) -> None:
        """Delete all keys."""

    def save(self, *, sync: bool) -> None:
        """Write nodes.conf (clusterSaveConfigOrDie)."""


class ServerHost:
    """A ``Host`` that is a real server; nodes.conf and the index of slots are plugged by ``service``."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def now_ms(self) -> int:
        return self._server.clock.time_ns() // 1_000_000

    @property
    def following(self) -> bool:
        return bool(self._server.replication.follower.active)

    @property
    def offset(self) -> int:
        replication = self._server.replication
        follower = replication.follower
        if follower.active and not (follower.connected or follower.can_resume):
            return 0
        return max(0, int(replication.history.offset))

    def disconnected_ms(self) -> int:
        follower = self._server.replication.follower
        since = follower.last_io if follower.connected else follower.down_since
        return int(self._server.clock.time_ns() // SECOND - since // SECOND) * 1000

    def follow(self, ip: str, port: int) -> None:
        self._server.replication.follower.follow(ip, port)

    def promote(self) -> None:
        self._server.replication.follower.promote()

    def pause_writes(self, milliseconds: int) -> None:
        self._server.pausing.pause(PURPOSE, WRITES, milliseconds)

    def unpause(self) -> None:
        self._server.pausing.unpause(PURPOSE)

    def publish(self, channel: bytes, message: bytes, *, sharded: bool) -> None:
        pubsub = self._server.pubsub
        (pubsub.publish_shard if sharded else pubsub.publish)(channel, message)

    def key_count(self, slot: int) -> int:
        return int(self._server.cluster.key_count(slot))

    def delete_keys(self, slot: int) -> None:
        self._server.cluster.delete_keys(slot)

    def empty(self) -> None:
        self._server.cluster.empty()

    def save(self, *, sync: bool) -> None:
        self._server.cluster.save(sync)
