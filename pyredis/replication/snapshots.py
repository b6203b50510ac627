"""Making the snapshots that replicas are sent: by a child into a pipe, or through the RDB file (rdb.c)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..persistence.children import CAN_FORK, RDB, Children
from ..persistence.snapshot import access_of, begin_rdb, forks
from .replica import Replica
from .transfer import FileTransfer, PipeTransfer, Transfer

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..persistence.service import Persistence
    from ..persistence.snapshot import Snapshots

RdbFields = Callable[[], "tuple[int, bytes, int] | None"]
"""Selected database, replication id and offset: what a snapshot says of the stream."""


class ReplicaSnapshots:
    """Starts transfers.  *ended* hears whether a transfer succeeded, *online* of replicas that have a whole file."""

    def __init__(
        self, server: Server, persistence: Persistence, rdb_fields: RdbFields,
        ended: Callable[[Transfer, bool], None], online: Callable[[Replica], None],
    ) -> None:  # fmt: skip
        self._server = server
        self._persistence = persistence
        self._children: Children = persistence.children
        self._snapshots: Snapshots = persistence.snapshots
        self._rdb_fields = rdb_fields
        self._ended = ended
        self._online = online
        self.made_file = False
        """The RDB file is there because replicas needed it."""

    def start(self, replicas: list[Replica], socket: bool) -> Transfer | None:
        """Begin a snapshot for *replicas*; None if that is not possible, and the log says why."""
        log = self._server.log
        if self._rdb_fields() is None:
            log.warning(
                "BGSAVE for replication: replication information not available, can't generate the RDB file right "
                "now. Try later."
            )
            return None
        if not (socket and CAN_FORK and forks(self._server)):
            return self._start_file(replicas)
        try:
            return self._start_pipe(replicas)
        except OSError as error:
            log.warning(f"Can't save in background: fork: {error.strerror}")
            return None

    def _start_pipe(self, replicas: list[Replica]) -> Transfer:
        server, children = self._server, self._children
        loop = children.loop
        if loop is None:
            raise OSError(0, "no event loop")
        reading, writing = os.pipe()
        waiting, releasing = os.pipe()
        mark = server.rng.randbytes(20).hex().encode()
        info = self._rdb_fields()
        replica = replicas[0]

        def work(report: object) -> bool:
            with open(writing, "wb", buffering=1 << 16) as pipe:
                pipe.write(b"$EOF:%b\r\n" % mark)
                pipe.flush()  # the data may take its time
                self._write(replica, info, pipe.write)
                pipe.write(mark)
            os.read(waiting, 1)  # nothing comes: it ends when the parent has read everything, or is gone
            return True

        transfer: list[PipeTransfer] = []

        def done(status: int, signal: int) -> None:
            self._log_end(status, signal)
            self._snapshots.started_at = -1
            transfer[0].close()
            self._ended(transfer[0], not status and not signal)

        try:
            pid = children.fork(RDB, work, done, keep=(writing, waiting))
        except OSError:
            os.close(reading)
            os.close(releasing)
            raise
        finally:
            os.close(writing)
            os.close(waiting)
        server.log.notice(f"Background RDB transfer started by pid {pid}")
        self._snapshots.started_at = server.unix_time()
        transfer.append(PipeTransfer(server, replicas, reading, loop, lambda: os.close(releasing), children.kill))
        return transfer[0]

    def _write(self, replica: Replica, info: tuple[int, bytes, int] | None, write: Callable[[bytes], object]) -> None:
        server = self._server
        writer = begin_rdb(server, write, info, False, functions=not replica.exclude_functions)
        if not replica.exclude_data:
            for db in server.databases:
                writer.database(db.index, db.data, db.expires, access=access_of(server, db))
        writer.end()

    def _log_end(self, status: int, signal: int) -> None:
        log = self._server.log
        if signal:
            log.warning(f"Background transfer terminated by signal {signal}")
        elif status:
            log.warning("Background transfer error")
        else:
            log.notice("Background RDB transfer terminated with success")

    def _start_file(self, replicas: list[Replica]) -> Transfer | None:
        transfer = FileTransfer(self._server, replicas, self._children.kill)

        def done(succeeded: bool) -> None:
            if succeeded:
                transfer.send(self._snapshots.path, self._online)
            self._ended(transfer, succeeded)

        if not self._snapshots.save_in_background():
            return None
        self._snapshots.completed.append(done)
        self.made_file = self._server.config.rdb_del_sync_files
        return transfer

    def forget_file(self, replicas: list[Replica]) -> None:
        """Remove a file that only replicas needed, and none does any more (removeRDBUsedToSyncReplicas)."""
        config = self._server.config
        if not config.rdb_del_sync_files:
            self.made_file = False
        elif (
            self.made_file
            and not config.save
            and not config.appendonly
            and not any(replica.waits_for_snapshot for replica in replicas)
            and os.path.lexists(self._snapshots.path)
        ):
            self.made_file = False
            self._server.log.notice("Removing the RDB file used to feed replicas in a persistence-less instance")
            self._persistence.forget_synced_file()
