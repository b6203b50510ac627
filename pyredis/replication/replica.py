"""What a leader knows of one of its replicas."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.client import Client


class Stage(Enum):
    """How far a replica has come; stripped, the values are those INFO shows."""

    WAIT_START = "wait_bgsave"
    WAIT_END = "wait_bgsave "
    SEND = "send_bulk"
    ONLINE = "online"
    RDB_SENT = "rdb_transmitted"


class Replica:
    """One replica, from its first REPLCONF on."""

    __slots__ = (
        "ack_offset", "ack_time", "address", "aof_offset", "client", "cursor", "eof", "exclude_data",
        "exclude_functions", "flowing", "gone", "initial_offset", "port", "pre_psync", "psync2", "rdb_only", "stage",
        "unsent", "wait_for_ack", "writable",
    )  # fmt: skip

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stage: Stage | None = None  # None until SYNC or PSYNC
        self.port = 0
        self.address = b""
        self.eof = self.psync2 = False
        self.rdb_only = self.exclude_data = self.exclude_functions = False
        self.pre_psync = False
        self.ack_offset = self.aof_offset = 0
        self.ack_time = 0
        self.initial_offset = 0
        self.cursor: int | None = None
        """Offset of the next byte of the stream it has to be sent; None while it needs none of it."""
        self.flowing = False
        """It is sent the stream as it grows."""
        self.wait_for_ack = False
        self.writable: Callable[[], None] = lambda: None
        """Called by the connection when its output has been sent."""
        self.gone: Callable[[], None] = lambda: None
        """Called when it is disconnected."""
        self.unsent: Callable[[], int] = lambda: 0
        """Bytes of the stream that wait for it."""

    def answered(self, reply: bytes) -> None:
        """A command of the replica would have a reply: hang up (networking.c logInvalidUseAndFreeClientAsync)."""
        client = self.client
        name = "<unknown>" if client.command is None else client.command.name.lower()
        server = client.server
        if reply.startswith(b"-"):
            error = reply[1:].partition(b"\r\n")[0].decode("utf-8", "backslashreplace")
            server.log.warning(
                f"== CRITICAL == This master is sending an error to its replica: '-{error}' after processing the "
                f"command '{name}'"
            )
        server.log.warning(
            f"Replica generated a reply to command '{name}', disconnecting it: {server.describe_client(client)}"
        )
        client.close()

    @property
    def ip(self) -> str:
        """The address it announced, else the one it comes from."""
        return (self.address or self.client.transport.peer.rpartition(b":")[0]).decode("latin-1")

    @property
    def name(self) -> str:
        """``ip:port`` for the log (replicationGetSlaveName)."""
        return f"{self.ip}:{self.port or '<unknown-replica-port>'}"

    @property
    def heard_of(self) -> int:
        """When it last sent anything, ns: newlines while it loads count, too."""
        return max(self.ack_time, self.client.last_interaction)

    @property
    def waits_for_snapshot(self) -> bool:
        return self.stage in (Stage.WAIT_START, Stage.WAIT_END, Stage.SEND)

    @property
    def needs(self) -> tuple[bool, bool]:
        """What has to be left out of its snapshot; replicas of one snapshot agree on it."""
        return self.exclude_data, self.exclude_functions
