"""The leader's side: the stream, who gets it, who has acknowledged how much of it (replication.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..effects.propagation import REPLICAS
from ..engine.buffers import over_output_limit
from ..registry.flags import GATE_REPLICA, GATE_REPLICAS
from .replica import Replica, Stage

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from .state import History

SECOND = 1_000_000_000
GETACK: list[bytes] = [b"REPLCONF", b"GETACK", b"*"]
HIGH_WATER = 1 << 18
"""A connection is handed no more of the stream than so many unsent bytes; the rest stays in the shared buffer."""
CHUNK = 1 << 16
PACE_NS = 2_000_000
"""Under load replicas are sent what has come in so long, not each turn's few commands: of the time that a follower
costs its leader, and itself, that spares a third.  Whoever waits for an acknowledgement is not kept waiting."""


class Leader:
    """The replicas of one server, and the stream they are sent."""

    def __init__(self, server: Server, history: History) -> None:
        self._server = server
        self.history = history
        self.replicas: dict[Client, Replica] = {}
        self._candidates: dict[Client, Replica] = {}  # clients that have sent REPLCONF
        self._is_follower = False
        self.good_replicas = 0
        self.alone_since = server.now
        self.schedule: Callable[[Callable[[], None]], object] = self._at_end_of_turn
        """Runs something once, soon; plugged with an event loop so that commands of several clients go together."""
        self.schedule_later: Callable[[float, Callable[[], None]], object] = lambda seconds, task: self.schedule(task)
        """Runs something once, so many seconds from now; plugged with an event loop."""
        self.detached: list[Callable[[Replica], None]] = []
        """Called when a replica is gone."""
        self.acknowledged: list[Callable[[], None]] = []
        """Called when a replica has acknowledged something."""
        self.poll_child: Callable[[], None] = lambda: None
        """See whether the child that makes a snapshot has ended: an ACK may come first."""
        self.ping_suspended: Callable[[], bool] = lambda: False
        self._loops = 0
        self._request_acks = False
        self._listening = False
        self._pumping = False
        self._pumped = 0

    def _at_end_of_turn(self, task: Callable[[], None]) -> None:
        hooks = self._server.before_sleep

        def once() -> None:
            hooks.remove(once)
            task()

        hooks.append(once)

    # --- the stream ------------------------------------------------------------------------------

    def feed(self, index: int, argv: list[bytes]) -> None:
        """*argv* goes into the stream, unless that is a leader's (replicationFeedSlaves)."""
        if not self._is_follower:
            self._pump_soon()
            self.history.waiting.append((None, index, argv))

    def send(self, data: bytes) -> None:
        """Append *data* to the stream as it is; replicas are sent it soon."""
        self._pump_soon()
        self.history.append(data)

    def _pump_soon(self) -> None:
        if self._pumping:
            return
        self._pumping = True
        wait = self._pumped + PACE_NS - self._server.now
        if 0 < wait <= PACE_NS:
            self.schedule_later(wait / SECOND, self.pump_all)
        else:
            self.schedule(self.pump_all)

    def pump_all(self) -> None:
        """Send every replica what it lacks, as far as its connection takes it."""
        history = self.history
        self._pumping, self._pumped = False, self._server.now
        if history.waiting:
            history.take_in()
        for replica in list(self.replicas.values()):
            if replica.flowing:
                self.pump(replica)
        if history.grown:  # somebody may be too far behind, and an old block may go
            history.grown = False
            self._check_limits()
            self.trim()

    def pump(self, replica: Replica) -> None:
        """Send *replica* what it lacks, as far as its connection takes it; ``writable`` goes on."""
        history, backlog, transport = self.history, self.history.backlog, replica.client.transport
        if backlog is None:
            return
        behind = history.offset + 1 - (replica.cursor or 0)
        while replica.flowing and replica.cursor is not None and replica.cursor <= history.offset:
            if transport.buffered() > HIGH_WATER:
                break
            data = backlog.read(replica.cursor, CHUNK)
            replica.cursor += len(data)
            self._server.stats.repl_output_bytes += len(data)
            replica.client.out.append(data)
            transport.wake()
        if behind > backlog.size:
            self.trim()

    def trim(self) -> None:
        """Let go of the part of the stream nobody needs."""
        if self.history.backlog is not None:
            cursors = [replica.cursor for replica in self.replicas.values() if replica.cursor is not None]
            self.history.backlog.trim(min(cursors, default=None))

    def _check_limits(self) -> None:
        """Let go of replicas that leave too much unread (closeClientOnOutputBufferLimitReached)."""
        server = self._server
        for client, replica in list(self.replicas.items()):
            pending = replica.unsent() + client.transport.buffered()
            if replica.cursor is not None and over_output_limit(server, client, pending):
                server.log.warning(
                    f"Client {server.describe_client(client)} scheduled to be closed ASAP for overcoming of "
                    "output buffer limits."
                )
                self.drop(client)

    # --- attaching -------------------------------------------------------------------------------

    def state_of(self, client: Client) -> Replica:
        """The state that REPLCONF fills in before SYNC."""
        if client.replica is not None:
            return client.replica  # type: ignore[no-any-return]
        return self._candidates.setdefault(client, Replica(client))

    def attach(self, replica: Replica, stage: Stage) -> None:
        """*replica* has asked for synchronization: it is one from now on."""
        client = replica.client
        self._candidates.pop(client, None)
        replica.stage = stage
        replica.ack_time = self._server.now
        replica.unsent = lambda: 0 if replica.cursor is None else self.history.offset + 1 - replica.cursor
        replica.writable = lambda: self.pump(replica)
        client.replica = replica
        client.restrict(GATE_REPLICA)
        self.replicas[client] = replica
        self.listen()

    def listen(self) -> None:
        """Take what is propagated, as long as there is a backlog, or an AOF whose progress the offset counts."""
        wanted = self.history.backlog is not None or bool(self.replicas) or self._server.config.appendonly
        wanted = wanted and not self._is_follower
        if wanted and not self._listening:
            self._server.attach_queue(REPLICAS, self.history.waiting, self._pump_soon)
        elif self._listening and not wanted:
            self._server.detach_queue()
        self._listening = wanted

    @property
    def is_follower(self) -> bool:
        """The stream is that of a leader: changes of our own are no part of it."""
        return self._is_follower

    @is_follower.setter
    def is_follower(self, is_follower: bool) -> None:
        if self.history.waiting:
            self.history.take_in()
        self._is_follower = is_follower
        self.listen()

    def start_stream(self, replica: Replica) -> None:
        """The snapshot has arrived: send what came since, and from now on everything (replicaStartCommandStream)."""
        replica.wait_for_ack = False
        replica.flowing = True
        replica.writable = lambda: self.pump(replica)
        self.pump(replica)

    def put_online(self, replica: Replica, *, after_ack: bool) -> None:
        """The snapshot has been sent: the stream follows, at the first ACK if that marks its end."""
        server = self._server
        if replica.rdb_only:
            replica.stage = Stage.RDB_SENT
            server.log.notice(f"RDB transfer completed, rdb only replica ({replica.name}) should be disconnected asap")
            replica.client.close()
            return
        replica.stage = Stage.ONLINE
        replica.ack_time = server.now
        replica.wait_for_ack = after_ack
        self.refresh_good()
        server.log.notice(f"Synchronization with replica {replica.name} succeeded")
        if not after_ack:
            self.start_stream(replica)

    def drop(self, client: Client) -> None:
        """Disconnect a replica at once."""
        client.transport.abort()
        self._server.forget(client)

    def disconnect_all(self) -> None:
        """Let every replica ask anew (disconnectSlaves)."""
        for client in list(self.replicas):
            self.drop(client)

    def detach(self, client: Client) -> None:
        """*client* is no longer a replica, or gone."""
        self._candidates.pop(client, None)
        replica = self.replicas.pop(client, None)
        if replica is None:
            return
        replica.flowing = False
        replica.cursor = None
        replica.writable = lambda: None
        replica.unsent = lambda: 0
        replica.gone()
        self._server.log.notice(f"Connection with replica {replica.name} lost.")
        if not self.replicas:
            self.alone_since = self._server.now
        for hook in self.detached:
            hook(replica)
        self.trim()
        self.listen()
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
        if replica.stage is Stage.WAIT_END:
            self.poll_child()
        if replica.wait_for_ack and replica.stage is Stage.ONLINE:
            self.start_stream(replica)
        self.tell_acknowledged()

    def tell_acknowledged(self) -> None:
        """Let those that wait look again."""
        for hook in list(self.acknowledged):
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
            self._at_end_of_turn(self._send_getack)

    def _send_getack(self) -> None:
        if self._server.pausing.mode:  # offsets must not move: the cron tries again
            return
        self._request_acks = False
        if self.replicas:
            self.feed(-1, GETACK)
            self.pump_all()

    def refresh_good(self) -> None:
        """Count replicas for min-replicas-to-write (refreshGoodSlavesCount)."""
        server = self._server
        config = server.config
        limited = bool(config.min_replicas_to_write and config.min_replicas_max_lag)
        if limited:
            oldest = server.now // SECOND - config.min_replicas_max_lag
            self.good_replicas = sum(
                each.stage is Stage.ONLINE and each.ack_time // SECOND >= oldest for each in self.replicas.values()
            )
        server.restrict(
            GATE_REPLICAS, limited and not self.is_follower and self.good_replicas < config.min_replicas_to_write
        )

    # --- once a second ---------------------------------------------------------------------------

    def cron(self) -> None:
        """PINGs, timeouts, limits, an unused backlog (replicationCron)."""
        server = self._server
        period = server.config.repl_ping_replica_period
        if self._loops % period == 0 and self.replicas and not self.is_follower and not self.ping_suspended():
            self.feed(-1, [b"PING"])
        self._loops += 1
        if self._request_acks:
            self._send_getack()
        self._drop_silent()
        self._check_limits()
        self._free_backlog()
        self.refresh_good()

    def _drop_silent(self) -> None:
        server = self._server
        oldest = server.now // SECOND - server.config.repl_timeout
        for client, replica in list(self.replicas.items()):
            if replica.stage is Stage.ONLINE and not replica.pre_psync and replica.heard_of // SECOND < oldest:
                server.log.warning(f"Disconnecting timedout replica (streaming sync): {replica.name}")
                self.drop(client)

    def _free_backlog(self) -> None:
        server, history = self._server, self.history
        limit = server.config.repl_backlog_ttl
        if self.replicas or not limit or history.backlog is None or self.is_follower:
            return
        if server.now // SECOND - self.alone_since // SECOND > limit:
            history.new_id()
            history.clear_second()
            history.backlog = None
            self.listen()
            server.log.notice(f"Replication backlog freed after {limit} seconds without connected replicas.")
