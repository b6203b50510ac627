"""The follower's side: whom it follows, loading the snapshot, applying the stream, promotion (replication.c)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..engine.client import Client
from ..engine.dispatch import guarded, settle_turn
from ..persistence.loading import Slices
from ..registry.flags import GATE_READONLY, GATE_STALE
from ..resp.encode import bulks
from ..resp.strict import StrictParser
from .handshake import Handshake, Step

if TYPE_CHECKING:
    from ..engine.describe_server import Fields
    from ..engine.server import Server
    from .leader import Leader
    from .state import History

SECOND = 1_000_000_000
UNLIMITED = 1 << 62


class Follower:
    """Follows one leader, or none (``active``).  ``connect`` and ``load`` are plugged by ``link``."""

    def __init__(self, server: Server, history: History, leader: Leader) -> None:
        self._server = server
        self._history = history
        self._leader = leader
        self.active = False
        self.leader_address = ("", 0)
        self.failover_state = "no-failover"
        self.handshake: Handshake | None = None
        self.client: Client | None = None  # executes the leader's stream
        self.hang_up: Callable[[], None] | None = None
        self.send: Callable[[bytes], None] = lambda data: None
        self.connect: Callable[[str, int], None] = lambda host, port: None
        self.load: Callable[[str], Slices] | None = None
        self.run_load: Callable[[Slices, Callable[[bool], None]], None] = lambda slices, done: None
        self.can_resume = False  # the id and offset of the history are our leader's (a cached master)
        self.pending_stream: list[bytes] = []
        self.connecting = False
        self.down_since = 0
        self.last_io = 0
        self.transfer_size: int | None = None
        self.transfer_read = 0
        self._initial: tuple[str | None, int] = (None, -1)
        self._temporary = ""
        self._file: int = -1
        self._parser = StrictParser(max_bulk=UNLIMITED)
        self._unapplied: list[bytes] = []  # bytes of the stream beyond the offset
        self._applied = 0  # what the parser had consumed at the offset
        self._loading = False

    # --- what it is ------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """The stream runs."""
        return self.client is not None

    @property
    def offset(self) -> int:
        """How much of the stream has been applied; -1 without a link."""
        return self._history.offset if self.connected else -1

    @property
    def role_state(self) -> bytes:
        """The state ROLE shows."""
        if self.connected:
            return b"connected"
        if self.handshake is None:
            return b"connecting" if self.connecting else b"connect"
        if self.handshake.step in (Step.HEADER, Step.PAYLOAD) or self._loading:
            return b"sync"
        return b"handshake"

    @property
    def syncing(self) -> bool:
        """A snapshot is being received or loaded."""
        return self.role_state == b"sync"

    def update_gates(self) -> None:
        """Read-only and stale-data refusals follow role, link and configuration."""
        config = self._server.config
        self._server.restrict(GATE_READONLY, self.active and config.replica_read_only)
        self._server.restrict(GATE_STALE, self.active and not self.connected and not config.replica_serve_stale_data)

    # --- switching -------------------------------------------------------------------------------

    def follow(self, host: str, port: int) -> None:
        """REPLICAOF: become a follower of *host*:*port* (replicationSetMaster)."""
        server = self._server
        was_leader = not self.active
        self._drop_link()
        self.active = self._leader.is_follower = True
        self.leader_address = host, port
        server.config.replicaof = (host, port)
        server.role, server.log.role = b"replica", "S"
        server.keeps_expired = True
        self._cut_blocked()
        if was_leader:
            self.can_resume = self._history.backlog is not None
            self._history.selected = -1
        self.down_since = server.now
        self.update_gates()
        self._leader.refresh_good()
        self._begin()

    def promote(self) -> None:
        """REPLICAOF NO ONE: go on alone, with the data and the offset there is (replicationUnsetMaster)."""
        server, history = self._server, self._history
        self.active = self._leader.is_follower = False
        self.leader_address = "", 0
        server.config.replicaof = None
        self._drop_link()
        self.can_resume = False
        server.role, server.log.role = b"master", "M"
        server.keeps_expired = False
        history.shift_id()
        history.selected = -1
        self._disconnect_replicas()
        self.down_since = 0
        self.update_gates()
        self._leader.refresh_good()

    def _cut_blocked(self) -> None:
        for client in list(self._server.blocking.clients):
            if client.wait is not None and client.wait.kind in ("list", "zset", "stream"):
                client.transport.abort()
                self._server.forget(client)

    def _disconnect_replicas(self) -> None:
        for client in list(self._leader.replicas):
            client.transport.abort()
            self._server.forget(client)

    def _drop_link(self) -> None:
        hang_up, self.hang_up = self.hang_up, None
        self._forget_client()
        self._discard_transfer()
        self.handshake = None
        self.connecting = False
        if hang_up is not None:
            hang_up()

    def _begin(self) -> None:
        host, port = self.leader_address
        self._server.log.notice(f"Connecting to MASTER {host}:{port}")
        self.connecting = True
        self.last_io = self._server.now
        self.connect(host, port)
        self._server.log.notice("MASTER <-> REPLICA sync started")

    # --- the link --------------------------------------------------------------------------------

    def link_made(self, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        """The connection to the leader stands."""
        config = self._server.config
        self._server.log.notice("Non blocking connect for SYNC fired the event.")
        self.connecting = False
        self.send, self.hang_up = send, hang_up
        self.last_io = self._server.now
        port = config.replica_announce_port or (config.tls_port if config.tls_replication else 0) or config.port
        self.handshake = Handshake(
            self, user=config.masteruser, password=config.masterauth, port=port,
            address=config.replica_announce_ip.encode(),
        )  # fmt: skip
        self._flush()

    def link_failed(self, reason: str) -> None:
        """No connection could be made; the cron tries again."""
        self._server.log.warning(f"Error condition on socket for SYNC: {reason}")
        self.connecting = False

    def received(self, data: bytes) -> None:
        """Bytes from the leader."""
        self.last_io = self._server.clock.time_ns()
        self._server.stats.repl_input_bytes += len(data)
        if self._loading:
            self.pending_stream.append(data)
            return
        if self.handshake is None:
            return
        self.handshake.feed(data)
        self._flush()
        if self.handshake is not None and self.handshake.step is Step.FAILED and self.hang_up is not None:
            self._drop_link()

    def _flush(self) -> None:
        if self.handshake is not None and self.handshake.out:
            out, self.handshake.out = self.handshake.out, []
            self.send(b"".join(out))

    def link_lost(self) -> None:
        """The leader, or the network, closed the connection."""
        server = self._server
        if self.hang_up is None:
            return
        was_connected = self.connected
        self._drop_link()
        if not self.active:
            return
        if was_connected:
            server.log.warning("Connection with master lost.")
            server.log.notice("Caching the disconnected master state.")
            self.can_resume = True
        self.down_since = server.now
        self.update_gates()
        if was_connected:
            host, port = self.leader_address
            server.log.notice(f"Reconnecting to MASTER {host}:{port}")
            self._begin()

    def link_closed(self, client: Client) -> None:
        """Hook for clients that are gone: CLIENT KILL of the leader's link hangs up."""
        if client is self.client and self.hang_up is not None:
            self.hang_up()

    # --- handshake.Events ------------------------------------------------------------------------

    def log(self, warning: bool, text: str) -> None:
        (self._server.log.warning if warning else self._server.log.notice)(text)

    def psync_request(self) -> list[bytes]:
        history, log = self._history, self._server.log
        if self.can_resume:
            log.notice(f"Trying a partial resynchronization (request {history.id}:{history.offset + 1}).")
            return [b"PSYNC", history.id.encode(), b"%d" % (history.offset + 1)]
        log.notice("Partial resynchronization not possible (no cached master)")
        return [b"PSYNC", b"?", b"-1"]

    def refused(self) -> None:
        """Nothing depends on it outside of a failover."""

    def full(self, replication_id: str | None, offset: int) -> None:
        self._initial = replication_id, offset
        self.can_resume = False

    def resumed(self, replication_id: str | None) -> None:
        server, history = self._server, self._history
        if replication_id is not None and replication_id != history.id:
            server.log.notice(f"Master replication ID changed to {replication_id}")
            history.second_id, history.second_offset = history.id, history.offset + 1
            history.id = replication_id
            self._disconnect_replicas()
        if history.backlog is None:
            history.create_backlog(server.config.repl_backlog_size)
        self._attach_client()
        server.log.notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")

    def payload_begins(self, length: int | None) -> None:
        self.transfer_size, self.transfer_read = length, 0
        name = f"temp-{self._server.now // SECOND}.{os.getpid()}.rdb"
        self._temporary = self._server.config.path(name)
        self._file = os.open(self._temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)

    def payload(self, data: bytes) -> None:
        self.transfer_read += len(data)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self._server.log.warning(
                "Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA "
                f"synchronization: {error.strerror}"
            )
            self._drop_link()

    def payload_ends(self) -> None:
        """Replace the data by the snapshot; the stream waits meanwhile."""
        server = self._server
        os.fsync(self._file)
        os.close(self._file)
        self._file = -1
        self._disconnect_replicas()
        path = server.config.path(server.config.dbfilename)
        os.replace(self._temporary, path)
        self._temporary = ""
        server.log.notice("MASTER <-> REPLICA sync: Flushing old data")
        for db in server.databases:
            server.watching.touched_all(db)
            db.flush()
        for hook in server.flushed:
            hook(None)
        server.log.notice("MASTER <-> REPLICA sync: Loading DB in memory")
        self._loading = True
        assert self.load is not None
        self.run_load(self.load(path), self._loaded)

    def _loaded(self, succeeded: bool) -> None:
        server, history = self._server, self._history
        self._loading = False
        if not succeeded:
            server.log.warning("Failed trying to load the MASTER synchronization DB from disk, check server logs.")
            self._drop_link()
            self.update_gates()
            return
        if not self.active or self.hang_up is None:
            return
        replication_id, offset = self._initial
        history.offset = max(offset, 0)
        if replication_id is None:
            history.new_id()
        else:
            history.id = replication_id
        history.clear_second()
        history.create_backlog(server.config.repl_backlog_size)
        server.log.notice("MASTER <-> REPLICA sync: Finished with success")
        self._attach_client()
        self.send_ack()
        waiting, self.pending_stream = self.pending_stream, []
        for data in waiting:
            self.received(data)

    def stream(self, data: bytes) -> None:
        """Apply *data*, and pass it on to replicas of our own as it is."""
        if self._loading or self.client is None:
            self.pending_stream.append(data)
            return
        client, server, parser = self.client, self._server, self._parser
        self._unapplied.append(data)
        next_argv = parser.feed(data)
        applied = self._applied
        sees_expired, server.sees_expired = server.sees_expired, True
        try:
            while self.client is client and (argv := next_argv()) is not False:
                if argv:
                    execute_silently(client, argv)
                if client.transaction is None:  # inside MULTI nothing has been applied yet
                    applied = parser.consumed
        finally:
            server.sees_expired = sees_expired
        if self.client is client and applied > self._applied:
            stream = b"".join(self._unapplied)
            done, self._applied = applied - self._applied, applied
            self._unapplied = [stream[done:]] if done < len(stream) else []
            self._leader.send(stream[:done])
            self._history.selected = -1
        settle_turn(server)

    # --- the leader as a client ------------------------------------------------------------------

    def _attach_client(self) -> None:
        server = self._server
        client = Client(server, internal=True)
        client.is_master = True
        server.clients[client.id] = client
        self.client = client
        self._parser = StrictParser(max_bulk=UNLIMITED)
        self._unapplied, self._applied = [], 0
        self.down_since = 0
        self.update_gates()

    def _forget_client(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            self._server.forget(client)

    def _discard_transfer(self) -> None:
        self.pending_stream.clear()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._temporary:
            if os.path.exists(self._temporary):
                os.unlink(self._temporary)
            self._temporary = ""

    def send_ack(self) -> None:
        """REPLCONF ACK to the leader."""
        if self.connected:
            words = [b"REPLCONF", b"ACK", b"%d" % self._history.offset]
            if self._server.config.appendonly:
                words += [b"FACK", b"%d" % self._server.synced_offset()]
            self.send(b"*%d\r\n%b" % (len(words), bulks(words)))

    def cron(self) -> None:
        """Once a second: timeouts, another try, an ACK (replicationCron)."""
        if not self.active:
            return
        server = self._server
        silent = server.now - self.last_io > server.config.repl_timeout * SECOND
        if self.connected:
            if silent:
                server.log.warning("MASTER timeout: no data nor PING received...")
                if self.hang_up is not None:
                    self.hang_up()
            else:
                self.send_ack()
        elif self.handshake is None and not self.connecting:
            self._begin()
        elif silent:
            if self.syncing:
                server.log.warning(
                    "Timeout receiving bulk data from MASTER... If the problem persists try to set the "
                    "'repl-timeout' parameter in redis.conf to a larger value."
                )
            else:
                server.log.warning("Timeout connecting to the MASTER...")
            self._drop_link()

    def rdb_fields(self) -> tuple[int, bytes, int] | None:
        """What a snapshot says of the stream (rdbPopulateSaveInfo)."""
        if self.client is not None:
            return self.client.db.index, self._history.id.encode(), self._history.offset
        if self.can_resume:
            return 0, self._history.id.encode(), self._history.offset
        return None

    def describe(self) -> Fields:
        """The part of INFO replication that only a follower has."""
        if not self.active:
            return []
        server, history = self._server, self._history
        host, port = self.leader_address
        idle = (server.now - self.last_io) // SECOND if self.connected else -1
        fields: Fields = [
            ("master_host", host),
            ("master_port", port),
            ("master_link_status", "up" if self.connected else "down"),
            ("master_last_io_seconds_ago", idle),
            ("master_sync_in_progress", int(self.syncing)),
            ("slave_read_repl_offset", history.offset),
            ("slave_repl_offset", history.offset),
        ]
        if self.syncing:
            total, read = self.transfer_size or 0, self.transfer_read
            fields += [
                ("master_sync_total_bytes", total if self.transfer_size is not None else -1),
                ("master_sync_read_bytes", read),
                ("master_sync_left_bytes", total - read),
                ("master_sync_perc", f"{read / total * 100 if total else 0:.2f}"),
                ("master_sync_last_io_seconds_ago", (server.now - self.last_io) // SECOND),
            ]
        if not self.connected:
            down = (server.now - self.down_since) // SECOND if self.down_since else -1
            fields.append(("master_link_down_since_seconds", down))
        config = server.config
        return [
            *fields,
            ("slave_priority", config.replica_priority),
            ("slave_read_only", int(config.replica_read_only)),
            ("replica_announced", int(config.replica_announced)),
        ]


def execute_silently(client: Client, argv: list[bytes]) -> None:
    """Execute one command of the stream; its reply goes nowhere."""
    server = client.server
    server.now = server.clock.time_ns()
    outer, server.executing = server.executing, client
    try:
        guarded(client, server.commands.get(argv[0]), argv)
    finally:
        server.executing = outer
    client.out.clear()
