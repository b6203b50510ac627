"""The leader's side: replicas, their full and partial synchronisation, the stream (replication.c)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from ..effects.propagation import REPLICAS
from ..errors import BgsaveForSyncFailed, FilteredReplicaNeedsEof, SyncWithPendingOutput
from ..registry.flags import GATE_REPLICA, GATE_REPLICAS
from ..resp.encode import bulks, encode_error
from .transfer import Transfer

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from .state import History

SECOND = 1_000_000_000
GETACK: list[bytes] = [b"REPLCONF", b"GETACK", b"*"]


class Stage(Enum):
    """How far a replica has come; the values are those INFO shows."""

    WAIT_START = "wait_bgsave"
    WAIT_END = "wait_bgsave "
    SEND = "send_bulk"
    ONLINE = "online"
    RDB_SENT = "rdb_transmitted"


class Replica:
    """What the leader knows of one replica."""

    __slots__ = (
        "ack_offset", "ack_time", "address", "aof_offset", "client", "eof", "exclude_data", "exclude_functions",
        "initial_offset", "pending", "port", "pre_psync", "psync2", "rdb_only", "stage", "wait_for_ack",
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
        self.wait_for_ack = False
        self.pending: list[bytes] = []  # the stream since the snapshot, until the replica has it

    @property
    def name(self) -> str:
        """``ip:port`` for the log (replicationGetSlaveName)."""
        ip = self.address or self.client.transport.peer.rpartition(b":")[0]
        return f"{ip.decode('latin-1')}:{self.port or '<unknown-replica-port>'}"

    @property
    def needs(self) -> tuple[bool, bool]:
        """What has to be left out of its snapshot; replicas of one snapshot agree on it."""
        return self.exclude_data, self.exclude_functions


class Leader:
    """The replicas of one server, and what they are sent.  ``start_transfer`` makes a snapshot for them."""

    def __init__(self, server: Server, history: History) -> None:
        self._server = server
        self.history = history
        self.replicas: dict[Client, Replica] = {}
        self._candidates: dict[Client, Replica] = {}  # clients that have sent REPLCONF
        self.transfer: Transfer | None = None
        self.start_transfer: Callable[[list[Replica], bool], Transfer | None] = lambda replicas, socket: None
        """Begins a snapshot for replicas, over their sockets or through a file; plugged by ``link``."""
        self.busy: Callable[[], bool] = lambda: False
        """Whether another child keeps a snapshot from being made."""
        self.is_follower = False
        self.good_replicas = 0
        self._loops = 0
        self._alone_since = server.now
        self._request_acks = False
        self._listening = False
        self.acknowledged: list[Callable[[], None]] = []

    # --- the stream ------------------------------------------------------------------------------

    def feed(self, index: int, argv: list[bytes]) -> None:
        """Sink of the propagation: *argv* goes into the stream (replicationFeedSlaves)."""
        if self.is_follower:
            return
        history = self.history
        if history.backlog is None:
            history.offset += 1
            return
        data = b"*%d\r\n%b" % (len(argv), bulks(argv))
        if index >= 0 and history.selected != index:
            number = b"%d" % index
            data = b"*2\r\n$6\r\nSELECT\r\n$%d\r\n%b\r\n%b" % (len(number), number, data)
            history.selected = index
        self.send(data)

    def send(self, data: bytes) -> None:
        """Append *data* to the stream and hand it to every replica that follows it."""
        self.history.append(data)
        self._server.stats.repl_output_bytes += len(data) * len(self.replicas)
        for client, replica in self.replicas.items():
            if replica.stage is Stage.ONLINE and not replica.wait_for_ack:
                client.deliver(data)
            elif replica.stage is not None and replica.stage is not Stage.WAIT_START and not replica.rdb_only:
                replica.pending.append(data)

    # --- attaching -------------------------------------------------------------------------------

    def state_of(self, client: Client) -> Replica:
        """The state that REPLCONF fills in before SYNC."""
        if client.replica is not None:
            return client.replica  # type: ignore[no-any-return]
        return self._candidates.setdefault(client, Replica(client))

    def sync(self, client: Client, request: tuple[bytes, int] | None) -> None:
        """SYNC (*request* None) or PSYNC with an id and an offset (syncCommand)."""
        server, history = self._server, self.history
        replica = self.state_of(client)
        if client.out or client.transport.buffered():
            raise SyncWithPendingOutput
        if any(replica.needs) and not replica.eof:
            raise FilteredReplicaNeedsEof
        server.log.notice(f"Replica {replica.name} asks for synchronization")
        if request is None:
            replica.pre_psync = True
        elif self._continue(replica, *request):
            server.stats.sync_partial_ok += 1
            return
        elif request[0] != b"?":
            server.stats.sync_partial_err += 1
        server.stats.sync_full += 1
        replica.stage = Stage.WAIT_START
        self._attach(client, replica)
        if history.backlog is None:
            history.new_id()
            history.clear_second()
            history.create_backlog(server.config.repl_backlog_size)
            server.log.notice(
                f"Replication backlog created, my new replication IDs are '{history.id}' and '{history.second_id}'"
            )
        self._schedule(replica)

    def _attach(self, client: Client, replica: Replica) -> None:
        self._candidates.pop(client, None)
        client.replica = replica
        client.restrict(GATE_REPLICA)
        replica.ack_time = self._server.now
        self._listen(True)
        self.replicas[client] = replica

    def _listen(self, on: bool) -> None:
        """Take what is propagated, as long as there are replicas or a backlog."""
        if on and not self._listening:
            self._server.attach_sink(REPLICAS, self.feed)
        elif self._listening and not on:
            self._server.detach_sink(self.feed)
        self._listening = on

    def _schedule(self, replica: Replica) -> None:
        log, transfer = self._server.log, self.transfer
        if transfer is not None and not transfer.socket:
            mate = next((each for each in transfer.replicas if replica.rdb_only or not each.rdb_only), None)
            if mate is not None and (replica.eof or not mate.eof) and mate.needs == replica.needs:
                replica.pending = list(mate.pending)
                transfer.replicas.append(replica)
                self.announce_full(replica, mate.initial_offset)
                log.notice("Waiting for end of BGSAVE for SYNC")
            else:
                log.notice("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
        elif transfer is not None:
            log.notice("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC")
        elif self._server.config.repl_diskless_sync and replica.eof and self._server.config.repl_diskless_sync_delay:
            log.notice("Delay next BGSAVE for diskless SYNC")
        elif self.busy():
            log.notice("No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed")
        else:
            self._start([replica])

    def _continue(self, replica: Replica, replication_id: bytes, offset: int) -> bool:
        """Partial synchronisation if this history has what the replica misses (masterTryPartialResync)."""
        history, log = self.history, self._server.log
        asked = replication_id.decode("latin-1").lower()
        if asked != history.id and (asked != history.second_id or offset > history.second_offset):
            if asked == "?":
                log.notice(f"Full resync requested by replica {replica.name}")
            elif asked != history.second_id:
                log.notice(
                    "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for "
                    f"'{asked}', my replication IDs are '{history.id}' and '{history.second_id}')"
                )
            else:
                log.notice(
                    f"Partial resynchronization not accepted: Requested offset for second ID was {offset}, "
                    f"but I can reply up to {history.second_offset}"
                )
            return False
        missing = history.backlog.since(offset) if history.backlog is not None else None
        if missing is None:
            log.notice(
                f"Unable to partial resync with replica {replica.name} for lack of backlog "
                f"(Replica request was: {offset})."
            )
            if offset > history.offset:
                log.warning(
                    f"Warning: replica {replica.name} tried to PSYNC with an offset that is greater than "
                    "the master replication offset."
                )
            return False
        client = replica.client
        replica.stage = Stage.ONLINE
        self._attach(client, replica)
        client.deliver(b"+CONTINUE %b\r\n" % history.id.encode() if replica.psync2 else b"+CONTINUE\r\n")
        if missing:
            client.deliver(missing)
        log.notice(
            f"Partial resynchronization request from {replica.name} accepted. Sending {len(missing)} bytes "
            f"of backlog starting from offset {offset}."
        )
        self.refresh_good()
        return True

    def _start(self, replicas: list[Replica]) -> None:
        """Make a snapshot for *replicas*, which agree on what it holds (startBgsaveForReplication)."""
        server = self._server
        socket = (server.config.repl_diskless_sync or any(replicas[0].needs)) and all(each.eof for each in replicas)
        server.log.notice(f"Starting BGSAVE for SYNC with target: {'replicas sockets' if socket else 'disk'}")
        for replica in replicas:
            self.announce_full(replica, self.history.offset)
        self.transfer = self.start_transfer(replicas, socket)
        if self.transfer is None:
            server.log.warning("BGSAVE for replication failed")
            for replica in replicas:
                self.detach(replica.client)
                replica.client.deliver(encode_error(BgsaveForSyncFailed()))
                replica.client.close()

    def announce_full(self, replica: Replica, offset: int) -> None:
        """+FULLRESYNC, from when on the stream is kept for *replica* (replicationSetupSlaveForFullResync)."""
        replica.initial_offset = offset
        replica.stage = Stage.WAIT_END
        self.history.selected = -1
        if not replica.pre_psync:
            replica.client.deliver(b"+FULLRESYNC %b %d\r\n" % (self.history.id.encode(), offset))
            replica.client.transport.wake()

    def put_online(self, replica: Replica, *, after_ack: bool) -> None:
        """The snapshot has been sent: the stream follows, at the first ACK if that marks its end."""
        if replica.rdb_only:
            replica.stage = Stage.RDB_SENT
            self._server.log.notice(
                f"RDB transfer completed, rdb only replica ({replica.name}) should be disconnected asap"
            )
            return
        replica.stage = Stage.ONLINE
        replica.ack_time = self._server.now
        replica.wait_for_ack = after_ack
        self.refresh_good()
        self._server.log.notice(f"Synchronization with replica {replica.name} succeeded")
        if not after_ack:
            self._start_stream(replica)

    def _start_stream(self, replica: Replica) -> None:
        replica.wait_for_ack = False
        pending, replica.pending = replica.pending, []
        for data in pending:
            replica.client.deliver(data)

    def detach(self, client: Client) -> None:
        """*client* is no longer a replica, or gone."""
        self._candidates.pop(client, None)
        replica = self.replicas.pop(client, None)
        if replica is None:
            return
        if self.transfer is not None and replica in self.transfer.replicas:
            self.transfer.drop(replica)
        self._server.log.notice(f"Connection with replica {replica.name} lost.")
        if not self.replicas:
            self._alone_since = self._server.now
            if self.history.backlog is None:
                self._listen(False)
        self.refresh_good()

    # --- acknowledgements ------------------------------------------------------------------------

    def acknowledge(self, client: Client, offset: int, aof_offset: int | None) -> None:
        """REPLCONF ACK."""
        replica = client.replica
        if replica is None:
            return
        replica.ack_offset = max(replica.ack_offset, offset)
        if aof_offset is not None:
            replica.aof_offset = max(replica.aof_offset, aof_offset)
        replica.ack_time = self._server.now
        if replica.wait_for_ack and replica.stage is Stage.ONLINE:
            self._start_stream(replica)
        for hook in self.acknowledged:
            hook()

    def count_acks(self, offset: int) -> int:
        """Replicas that have everything up to *offset*."""
        return sum(each.stage is Stage.ONLINE and each.ack_offset >= offset for each in self.replicas.values())

    def count_aof_acks(self, offset: int) -> int:
        """Replicas that have everything up to *offset* in their AOF."""
        return sum(each.stage is Stage.ONLINE and each.aof_offset >= offset for each in self.replicas.values())

    def request_acks(self) -> None:
        """Ask for ACKs at the end of the turn (replicationRequestAckFromSlaves)."""
        if not self._request_acks:
            self._request_acks = True
            self._server.before_sleep.append(self._send_getack)

    def _send_getack(self) -> None:
        self._server.before_sleep.remove(self._send_getack)
        self._request_acks = False
        if self.replicas:
            self.feed(-1, GETACK)

    def refresh_good(self) -> None:
        """Count replicas for min-replicas-to-write (refreshGoodSlavesCount)."""
        server = self._server
        config = server.config
        limited = bool(config.min_replicas_to_write and config.min_replicas_max_lag)
        if limited:
            oldest = server.now - (config.min_replicas_max_lag + 1) * SECOND
            self.good_replicas = sum(
                each.stage is Stage.ONLINE and each.ack_time > oldest for each in self.replicas.values()
            )
        server.restrict(
            GATE_REPLICAS, limited and not self.is_follower and self.good_replicas < config.min_replicas_to_write
        )

    # --- once a second ---------------------------------------------------------------------------

    def cron(self) -> None:
        """PINGs, timeouts, snapshots that were put off, an unused backlog (replicationCron)."""
        server = self._server
        if self._loops % server.config.repl_ping_replica_period == 0 and self.replicas and not self.is_follower:
            self.feed(-1, [b"PING"])
        self._loops += 1
        self._keep_waiting_alive()
        self._drop_silent()
        self._free_backlog()
        self._start_pending()
        self.refresh_good()

    def _keep_waiting_alive(self) -> None:
        for replica in self.replicas.values():
            before_file = replica.stage is Stage.WAIT_END and not (self.transfer is not None and self.transfer.socket)
            if replica.stage is Stage.WAIT_START or before_file:
                replica.client.deliver(b"\n")

    def _drop_silent(self) -> None:
        server = self._server
        oldest = server.now - server.config.repl_timeout * SECOND
        for client, replica in list(self.replicas.items()):
            if replica.stage is Stage.ONLINE and not replica.pre_psync and replica.ack_time < oldest:
                server.log.warning(f"Disconnecting timedout replica (streaming sync): {replica.name}")
                client.transport.abort()
                server.forget(client)

    def _free_backlog(self) -> None:
        server, history = self._server, self.history
        limit = server.config.repl_backlog_ttl
        if self.replicas or not limit or history.backlog is None or self.is_follower:
            return
        if server.now - self._alone_since > limit * SECOND:
            history.new_id()
            history.clear_second()
            history.backlog = None
            self._listen(False)
            server.log.notice(f"Replication backlog freed after {limit} seconds without connected replicas.")

    def _start_pending(self) -> None:
        """Snapshots for replicas that wait, once diskless-sync-delay is over (replicationStartPendingFork)."""
        if self.transfer is not None or self.busy():
            return
        waiting = [each for each in self.replicas.values() if each.stage is Stage.WAIT_START]
        if not waiting:
            return
        config = self._server.config
        needs = waiting[0].needs
        mates = [each for each in waiting if each.needs == needs]
        longest = max(self._server.now - each.ack_time for each in mates)
        enough = config.repl_diskless_sync_max_replicas and len(mates) >= config.repl_diskless_sync_max_replicas
        if config.repl_diskless_sync and longest < config.repl_diskless_sync_delay * SECOND and not enough:
            return
        self._start(mates)
