"""What one node of the cluster knows of another (cluster.h clusterNode)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME_LENGTH: Final = 40
BUS_PORT_OFFSET: Final = 10000

# Flags travel over the bus and stand in nodes.conf: the bits are Redis's.
MASTER: Final = 1 << 0
REPLICA: Final = 1 << 1
PFAIL: Final = 1 << 2
FAIL: Final = 1 << 3
MYSELF: Final = 1 << 4
HANDSHAKE: Final = 1 << 5
NOADDR: Final = 1 << 6
MEET: Final = 1 << 7
MIGRATE_TO: Final = 1 << 8
NOFAILOVER: Final = 1 << 9

FLAG_NAMES: Final = (
    (MYSELF, "myself"),
    (MASTER, "master"),
    (REPLICA, "slave"),
    (PFAIL, "fail?"),
    (FAIL, "fail"),
    (HANDSHAKE, "handshake"),
    (NOADDR, "noaddr"),
    (NOFAILOVER, "nofailover"),
)
"""In the order of CLUSTER NODES."""


class Link(Protocol):
    """A connection of the bus to or from a node, as the core sees it (cluster.h clusterLink)."""

    created_ms: int
    node: Node | None
    inbound: bool

    def send(self, packet: bytes) -> None:
        """Queue *packet*."""

    def close(self) -> None:
        """Hang up; the node forgets the link."""

    @property
    def queued_bytes(self) -> int:
        """What waits to be sent."""

    @property
    def events(self) -> str:
        """What it waits for: ``r`` for reading, ``w`` for writing."""

    @property
    def peer_ip(self) -> str:
        """The other side's address."""

    @property
    def local_ip(self) -> str:
        """Our address as seen from here."""


class Node:
    """A node: its address, role, slots and health.  Times are wall-clock milliseconds, 0 for never."""

    __slots__ = (
        "bus_port", "config_epoch", "created_ms", "data_received_ms", "fail_ms", "fail_reports", "flags", "hostname",
        "human_name", "inbound_link", "ip", "last_in_gossip", "link", "master", "name", "orphaned_ms", "ping_sent_ms",
        "pong_received_ms", "repl_offset", "repl_offset_ms", "replicas", "shard_id", "slots", "tcp_port", "tls_port",
        "voted_ms",
    )  # fmt: skip

    def __init__(self, name: str, shard_id: str, flags: int, now_ms: int) -> None:
        self.name = name
        self.shard_id = shard_id
        self.flags = flags
        self.created_ms = now_ms
        self.config_epoch = 0
        self.slots = 0
        """Bitmap of the slots it serves: bit n for slot n.  Changed by ``ClusterState`` only."""
        self.replicas: list[Node] = []
        self.master: Node | None = None
        """Whom it replicates; None also for a replica whose master we do not know."""
        self.ping_sent_ms = 0
        """When the ping went out that waits for its pong."""
        self.pong_received_ms = 0
        self.data_received_ms = 0
        self.fail_ms = 0
        self.voted_ms = 0
        """When we last voted for a replica of this master."""
        self.repl_offset = 0
        self.repl_offset_ms = 0
        self.orphaned_ms = 0
        """Since when this master has no working replica."""
        self.last_in_gossip = 0
        self.ip = ""
        self.hostname = ""
        self.human_name = ""
        self.tcp_port = 0
        self.tls_port = 0
        self.bus_port = 0
        self.link: Link | None = None
        """Ours to it."""
        self.inbound_link: Link | None = None
        """Its to us."""
        self.fail_reports: dict[Node, int] = {}
        """Masters that call it failing, with the time of their last word."""

    def is_(self, flags: int) -> bool:
        """Whether any of *flags* is set."""
        return bool(self.flags & flags)

    @property
    def slot_count(self) -> int:
        return self.slots.bit_count()

    def family(self) -> Iterator[Node]:
        """The replicas of its master, or of itself."""
        yield from (self.master or self).replicas

    def __repr__(self) -> str:
        names = ",".join(name for flag, name in FLAG_NAMES if self.flags & flag)
        return f"<Node {self.name[:8]} {names}>"
