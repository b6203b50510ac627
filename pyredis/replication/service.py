"""``server.replication``: both roles, plugged into the hooks of a server."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ..engine.describe_server import Fields
from ..persistence.children import RDB, Children
from ..persistence.rdb.writer import Writer
from ..persistence.snapshot import Snapshots, access_of, begin_rdb
from .follower import Follower
from .leader import Leader, Replica, Stage
from .state import History
from .transfer import Transfer

if TYPE_CHECKING:
    from ..engine.server import Server


class Replication:
    """History, leader and follower of *server*, and the snapshots that go to replicas."""

    def __init__(self, server: Server, children: Children, snapshots: Snapshots) -> None:
        self._server = server
        self._children = children
        self._snapshots = snapshots
        self.history = History(server.rng, server.replication_id)
        self.leader = Leader(server, self.history)
        self.follower = Follower(server, self.history, self.leader)
        self.leader.start_transfer = self.start_transfer
        self.leader.busy = lambda: children.active

    def install(self) -> None:
        """Plug everything in."""
        server = self._server
        server.close_hooks.append(self.leader.detach)
        server.close_hooks.append(self.follower.link_closed)
        server.cron.every(1000, lambda server: self.cron())
        server.describe_replication = self.describe
        server.stream_offset = server.replication_offset = lambda: self.history.offset
        server.shutdown.replicas_ready = self._replicas_ready
        server.shutdown.ask_replicas = self.leader.request_acks
        server.config.on_change("repl-backlog-size", self._resize_backlog)
        for name in ("min-replicas-to-write", "min-replicas-max-lag"):
            server.config.on_change(name, self.leader.refresh_good)
        for name in ("replica-read-only", "replica-serve-stale-data"):
            server.config.on_change(name, self.follower.update_gates)
        self._snapshots.replication_info = self._rdb_fields
        self.leader.refresh_good()

    def cron(self) -> None:
        """Once a second."""
        self.follower.cron()
        self.leader.cron()

    def _resize_backlog(self) -> None:
        if self.history.backlog is not None:
            self.history.backlog.resize(self._server.config.repl_backlog_size)

    def _replicas_ready(self) -> bool:
        offset = self.history.offset
        return all(replica.ack_offset == offset for replica in self.leader.replicas.values())

    def _rdb_fields(self) -> tuple[int, bytes, int] | None:
        """What a snapshot says of the stream, so that a restarted server can go on (rdbPopulateSaveInfo)."""
        history = self.history
        if self.follower.active:
            return self.follower.rdb_fields()
        if history.backlog is None:
            return None
        return max(history.selected, 0), history.id.encode(), history.offset

    # --- snapshots for replicas ------------------------------------------------------------------

    def start_transfer(self, replicas: list[Replica], socket: bool) -> Transfer | None:
        """Fork a child that writes a snapshot for *replicas*; None if that is not possible."""
        loop = asyncio.get_running_loop()
        transfer = Transfer(self._server, replicas, socket=socket)
        transfer.finished = self._sent
        try:
            if socket:
                self._start_diskless(transfer, replicas[0], loop)
            else:
                self._start_disk(transfer, loop)
        except OSError as error:
            self._server.log.warning(f"Can't save in background: fork: {error.strerror}")
            return None
        return transfer

    def _start_diskless(self, transfer: Transfer, replica: Replica, loop: asyncio.AbstractEventLoop) -> None:
        server = self._server
        reading, writing = os.pipe()
        data, functions = not replica.exclude_data, not replica.exclude_functions
        info = self._rdb_fields()

        def work(report: object) -> bool:
            with open(writing, "wb", buffering=1 << 16) as pipe:
                writer: Writer = begin_rdb(server, pipe.write, info, False, functions=functions)
                if data:
                    for db in server.databases:
                        writer.database(db.index, db.data, db.expires, access=access_of(server, db))
                writer.end()
            return True

        try:
            pid = self._children.fork(RDB, work, self._diskless_done, keep=(writing,))
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        transfer.abandoned = self._children.kill
        server.log.notice(f"Background RDB transfer started by pid {pid}")
        transfer.start(reading, loop, None)

    def _diskless_done(self, status: int, signal: int) -> None:
        log = self._server.log
        if not status and not signal:
            log.notice("Background RDB transfer terminated with success")
            return
        log.warning("Background transfer error" if not signal else f"Background transfer terminated by signal {signal}")
        transfer, self.leader.transfer = self.leader.transfer, None
        if transfer is not None:
            transfer.close()
            for replica in transfer.replicas:
                replica.client.transport.abort()

    def _start_disk(self, transfer: Transfer, loop: asyncio.AbstractEventLoop) -> None:
        def done(succeeded: bool) -> None:
            if not succeeded:
                self.leader.transfer = None
                for replica in transfer.replicas:
                    self._server.log.warning("SYNC failed. BGSAVE child returned an error")
                    replica.client.transport.abort()
                return
            descriptor = os.open(self._snapshots.path, os.O_RDONLY)
            for replica in transfer.replicas:
                replica.stage = Stage.SEND
            transfer.start(descriptor, loop, os.fstat(descriptor).st_size)

        if not self._snapshots.save_in_background():
            raise OSError("the snapshot could not be started")
        self._snapshots.completed.append(done)

    def _sent(self, transfer: Transfer) -> None:
        self.leader.transfer = None
        for replica in list(transfer.replicas):
            self.leader.put_online(replica, after_ack=transfer.socket)

    # --- INFO ------------------------------------------------------------------------------------

    def describe(self) -> Fields:
        """INFO replication."""
        server, history, leader = self._server, self.history, self.leader
        config = server.config
        fields: Fields = [("role", "slave" if self.follower.active else "master")]
        fields += self.follower.describe()
        fields.append(("connected_slaves", len(leader.replicas)))
        if config.min_replicas_to_write and config.min_replicas_max_lag:
            fields.append(("min_slaves_good_slaves", leader.good_replicas))
        for number, replica in enumerate(leader.replicas.values()):
            ip = (replica.address or replica.client.transport.peer.rpartition(b":")[0]).decode("latin-1")
            stage = replica.stage.value.strip() if replica.stage else ""
            lag = (server.now - replica.ack_time) // 1_000_000_000 if replica.stage is Stage.ONLINE else 0
            fields.append(
                (f"slave{number}", f"ip={ip},port={replica.port},state={stage},offset={replica.ack_offset},lag={lag}")
            )
        backlog = history.backlog
        return [
            *fields,
            ("master_failover_state", self.follower.failover_state),
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
    server.replication = Replication(server, server.persistence.children, server.persistence.snapshots)
    server.replication.install()
