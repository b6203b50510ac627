"""``server.replication``: both roles, plugged into the hooks of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.describe_server import Fields
from .failover import Failover
from .follower import Follower
from .leader import SECOND, Leader
from .replica import Replica, Stage
from .report import follower_fields
from .snapshots import ReplicaSnapshots
from .state import History
from .sync import Synchronizer

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..persistence.service import Persistence


class Replication:
    """History, leader and follower of *server*, and the snapshots that go to replicas."""

    def __init__(self, server: Server, persistence: Persistence) -> None:
        self._server = server
        self._persistence = persistence
        self.history = History(server.rng, server.replication_id)
        self.leader = Leader(server, self.history)
        self.follower = Follower(server, self.history, self.leader)
        self.failover = Failover(server, self.leader, self.follower)
        self._snapshots = ReplicaSnapshots(
            server, persistence, self._rdb_fields,
            lambda transfer, succeeded: self.sync.transfer_ended(transfer, succeeded), self._online,
        )  # fmt: skip
        self.sync = Synchronizer(server, self.leader, self._snapshots.start, lambda: persistence.children.kind)
        self._loops = 0
        self._starting = False

    def install(self) -> None:
        """Plug everything in."""
        server, config = self._server, self._server.config
        server.close_hooks.append(self.leader.detach)
        server.close_hooks.append(self.follower.client_gone)
        server.cron.every(100, lambda server: self.cron())
        server.describe_replication = self.describe
        server.backlog_bytes = lambda: 0 if self.history.backlog is None else self.history.backlog.memory
        server.stream_offset = server.replication_offset = lambda: self.history.offset
        server.expired_in_file = self._expired_in_file
        server.shutdown.replicas_ready = self._replicas_ready
        server.shutdown.ask_replicas = self.leader.request_acks
        server.shutdown.steps.insert(0, self._report_lagging)
        self.leader.poll_child = self._persistence.children.poll
        self._persistence.children.ended.append(self.sync.start_pending)
        config.on_change("repl-backlog-size", self._resize_backlog)
        config.on_change("appendonly", self._appendonly_changed)
        for name in ("min-replicas-to-write", "min-replicas-max-lag"):
            config.on_change(name, self.leader.refresh_good)
        for name in ("replica-read-only", "replica-serve-stale-data"):
            config.on_change(name, self.follower.update_gates)
        for name in ("masterauth", "masteruser", "tls-replication"):
            config.on_change(name, self.follower.retry_soon)
        self._persistence.snapshots.replication_info = self._rdb_fields
        self.leader.listen()
        self.leader.refresh_good()

    def _appendonly_changed(self) -> None:
        self.leader.listen()
        self.leader.tell_acknowledged()

    def cron(self) -> None:
        """Ten times a second during a failover, else once (server.c serverCron)."""
        self._loops += 1
        if not self.failover.active and self._loops % 10 != 1:
            return
        self.failover.cron()
        self.follower.cron()
        self.leader.cron()
        self.sync.cron()
        self._snapshots.forget_file(list(self.leader.replicas.values()))

    def _resize_backlog(self) -> None:
        if self.history.backlog is not None:
            self.history.backlog.size = self._server.config.repl_backlog_size
            self.leader.trim()

    # --- shutting down ---------------------------------------------------------------------------

    def _replicas_ready(self) -> bool:
        offset = self.history.offset
        return all(replica.ack_offset == offset for replica in self.leader.replicas.values())

    def _report_lagging(self, flags: int) -> None:
        """A step of shutting down: who has not got everything; what can be sent is sent (finishShutdown)."""
        server, offset = self._server, self.history.offset
        replicas = list(self.leader.replicas.values())
        lagging = [replica for replica in replicas if replica.ack_offset != offset]
        for replica in lagging:
            server.log.notice(
                f"Lagging replica {replica.name} reported offset {offset - replica.ack_offset} behind master, "
                f"lag={self._lag(replica)}, state={replica.stage.value.strip() if replica.stage else ''}."
            )
        if replicas:
            server.log.notice(
                f"{len(replicas) - len(lagging)} of {len(replicas)} replicas are in sync when shutting down."
            )
        self.leader.pump_all()

    # --- files -----------------------------------------------------------------------------------

    def _rdb_fields(self) -> tuple[int, bytes, int] | None:
        """What a snapshot says of the stream, so that a restarted server can go on (rdbPopulateSaveInfo)."""
        history = self.history
        if self.follower.active:
            return self.follower.rdb_fields()
        if history.backlog is None:
            return None
        return max(history.selected, 0), history.id.encode(), history.offset

    def prepare_load(self) -> None:
        """Before the data set is loaded at the start: keys that have expired meanwhile join the stream as DELs."""
        config = self._server.config
        self._starting = True
        if config.replicaof is not None:
            self.follower.assume(*config.replicaof)
        elif not config.appendonly:
            self.history.create_backlog(config.repl_backlog_size)

    def _expired_in_file(self, index: int, key: bytes) -> None:
        if self._starting and self.history.backlog is not None:
            self.leader.feed(index, [b"DEL", key])

    def loaded(self) -> None:
        """After the start: go on in the history that the RDB file names (loadDataFromDisk)."""
        server, history = self._server, self.history
        self._starting = False
        info = None if server.config.appendonly else self._persistence.loading.replication
        if info is None:
            history.backlog = None
        else:
            database, replication_id, offset = info
            if server.config.replicaof is not None:
                history.id, history.offset = replication_id.decode(), offset
                self.follower.synthesize(database)
            else:
                history.resume_at(replication_id.decode(), offset)
                self.leader.alone_since = server.now
        self.leader.listen()
        self.follower.cron()

    def _online(self, replica: Replica) -> None:
        self.leader.put_online(replica, after_ack=False)

    # --- INFO ------------------------------------------------------------------------------------

    def _lag(self, replica: Replica) -> int:
        seconds = self._server.now // SECOND - replica.ack_time // SECOND
        return seconds if replica.stage is Stage.ONLINE else 0

    def describe(self) -> Fields:
        """INFO replication."""
        history, leader = self.history, self.leader
        config = self._server.config
        fields: Fields = [("role", "slave" if self.follower.active else "master")]
        fields += follower_fields(self._server, self.follower, history)
        fields.append(("connected_slaves", len(leader.replicas)))
        if config.min_replicas_to_write and config.min_replicas_max_lag:
            fields.append(("min_slaves_good_slaves", leader.good_replicas))
        for number, replica in enumerate(leader.replicas.values()):
            stage = replica.stage.value.strip() if replica.stage else ""
            fields.append(
                (
                    f"slave{number}",
                    f"ip={replica.ip},port={replica.port},state={stage},offset={replica.ack_offset},"
                    f"lag={self._lag(replica)}",
                )
            )
        backlog = history.backlog
        return [
            *fields,
            ("master_failover_state", self.failover.state),
            ("master_replid", history.id),
            ("master_replid2", history.second_id),
            ("master_repl_offset", history.offset),
            ("second_repl_offset", history.second_offset),
            ("repl_backlog_active", int(backlog is not None)),
            ("repl_backlog_size", config.repl_backlog_size),
            ("repl_backlog_first_byte_offset", backlog.first_offset if backlog is not None else 0),
            ("repl_backlog_histlen", backlog.length if backlog is not None else 0),
        ]


def install(server: Server) -> None:
    """Give *server*, which has its persistence, a ``replication``."""
    server.replication = Replication(server, server.persistence)
    server.replication.install()
