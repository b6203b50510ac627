"""SYNC and PSYNC: who may go on where it was, who waits for which snapshot (replication.c syncCommand)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import BgsaveForSyncFailed, FilteredReplicaNeedsEof, SyncWithPendingOutput
from ..resp.encode import encode_error
from .leader import SECOND, Leader
from .replica import Replica, Stage
from .transfer import Transfer

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server

Starter = Callable[[list[Replica], bool], "Transfer | None"]
"""Begins a snapshot for replicas, over a pipe (true) or through the RDB file; None if it cannot."""


class Synchronizer:
    """Brings replicas into the stream.  At most one ``transfer`` is under way: the child is the limit."""

    def __init__(
        self, server: Server, leader: Leader, start_transfer: Starter, child: Callable[[], str | None]
    ) -> None:
        self._server = server
        self._leader = leader
        self._history = leader.history
        self._start_transfer = start_transfer
        self._child = child
        """What runs in the background: ``rdb``, ``aof`` or nothing."""
        self.transfer: Transfer | None = None
        leader.detached.append(self._replica_gone)

    def sync(self, client: Client, request: tuple[bytes, int] | None) -> None:
        """SYNC (*request* None) or PSYNC with an id and an offset.  Raises CommandError."""
        server, leader = self._server, self._leader
        replica = leader.state_of(client)
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
        elif not request[0].startswith(b"?"):
            server.stats.sync_partial_err += 1
        server.stats.sync_full += 1
        self._ensure_backlog()
        leader.attach(replica, Stage.WAIT_START)
        self._schedule(replica)

    def _ensure_backlog(self) -> None:
        history, server = self._history, self._server
        if history.backlog is not None or self._leader.replicas:
            return
        history.new_id()
        history.clear_second()
        history.create_backlog(server.config.repl_backlog_size)
        server.log.notice(
            f"Replication backlog created, my new replication IDs are '{history.id}' and '{history.second_id}'"
        )

    # --- partial ---------------------------------------------------------------------------------

    def _continue(self, replica: Replica, replication_id: bytes, offset: int) -> bool:
        """Go on at *offset* if this history has what the replica misses (masterTryPartialResynchronization)."""
        history, log = self._history, self._server.log
        refusal = self._refusal(replica, replication_id.decode("latin-1"), offset)
        if refusal is not None:
            log.notice(refusal)
            return False
        if history.backlog is None or not history.backlog.holds(offset):
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
        self._leader.attach(replica, Stage.ONLINE)
        client.out.append(b"+CONTINUE %b\r\n" % history.id.encode() if replica.psync2 else b"+CONTINUE\r\n")
        client.transport.wake()
        replica.cursor = offset
        missing = history.offset + 1 - offset
        self._leader.start_stream(replica)
        log.notice(
            f"Partial resynchronization request from {replica.name} accepted. Sending {missing} bytes "
            f"of backlog starting from offset {offset}."
        )
        self._leader.refresh_good()
        return True

    def _refusal(self, replica: Replica, asked: str, offset: int) -> str | None:
        """Why the history that the replica names is not ours; None if it is."""
        history = self._history
        wanted = asked.lower()
        if wanted == history.id or (wanted == history.second_id and offset <= history.second_offset):
            return None
        if asked.startswith("?"):
            return f"Full resync requested by replica {replica.name}"
        if wanted != history.second_id:
            return (
                "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for "
                f"'{asked}', my replication IDs are '{history.id}' and '{history.second_id}')"
            )
        return (
            f"Partial resynchronization not accepted: Requested offset for second ID was {offset}, "
            f"but I can reply up to {history.second_offset}"
        )

    # --- full ------------------------------------------------------------------------------------

    def _schedule(self, replica: Replica) -> None:
        """Join the snapshot under way, start one, or wait for the next."""
        log, transfer = self._server.log, self.transfer
        if self._child() == "rdb" and (transfer is None or not transfer.socket):
            mate = None if transfer is None else transfer.mate_for(replica)
            if mate is not None and transfer is not None:
                transfer.replicas.append(replica)
                self.announce_full(replica, mate.initial_offset)
                log.notice("Waiting for end of BGSAVE for SYNC")
            else:
                log.notice("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
        elif transfer is not None and transfer.socket:
            log.notice("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC")
        elif self._server.config.repl_diskless_sync and replica.eof and self._server.config.repl_diskless_sync_delay:
            log.notice("Delay next BGSAVE for diskless SYNC")
        elif self._child() is not None:
            log.notice("No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed")
        else:
            self._start([each for each in self._waiting() if each.needs == replica.needs])

    def _waiting(self) -> list[Replica]:
        return [each for each in self._leader.replicas.values() if each.stage is Stage.WAIT_START]

    def _start(self, replicas: list[Replica]) -> None:
        """Make a snapshot for *replicas*, which agree on what it holds (startBgsaveForReplication)."""
        server = self._server
        socket = (server.config.repl_diskless_sync or any(replicas[0].needs)) and all(each.eof for each in replicas)
        server.log.notice(f"Starting BGSAVE for SYNC with target: {'replicas sockets' if socket else 'disk'}")
        self.transfer = self._start_transfer(replicas, socket)
        if self.transfer is None:
            server.log.warning("BGSAVE for replication failed")
            for replica in replicas:
                client = replica.client
                self._leader.detach(client)
                client.deliver(encode_error(BgsaveForSyncFailed()))
                client.close()
            return
        for replica in replicas:
            self.announce_full(replica, self._history.offset)

    def announce_full(self, replica: Replica, offset: int) -> None:
        """+FULLRESYNC, from when on the stream is kept for *replica* (replicationSetupSlaveForFullResync)."""
        replica.initial_offset = offset
        replica.stage = Stage.WAIT_END
        self._history.selected = -1
        if not replica.rdb_only:
            replica.cursor = offset + 1
        if not replica.pre_psync:
            replica.client.out.append(b"+FULLRESYNC %b %d\r\n" % (self._history.id.encode(), offset))
            replica.client.transport.wake()

    def start_pending(self) -> None:
        """Snapshots for replicas that wait, once diskless-sync-delay is over (replicationStartPendingFork)."""
        if self.transfer is not None or self._child() is not None:
            return
        waiting = self._waiting()
        if not waiting:
            return
        config = self._server.config
        mates = [each for each in waiting if each.needs == waiting[0].needs]
        longest = self._server.now // SECOND - min(each.ack_time for each in mates) // SECOND
        enough = 0 < config.repl_diskless_sync_max_replicas <= len(mates)
        if not config.repl_diskless_sync or longest >= config.repl_diskless_sync_delay or enough:
            self._start(mates)

    def transfer_ended(self, transfer: Transfer, succeeded: bool) -> None:
        """Everything of *transfer* has been made: replicas go on by themselves, or have to ask again."""
        if self.transfer is transfer:
            self.transfer = None
        if not succeeded:
            for replica in list(transfer.replicas):
                self._server.log.warning("SYNC failed. BGSAVE child returned an error")
                self._leader.drop(replica.client)
        elif transfer.socket:
            for replica in list(transfer.replicas):
                self._server.log.notice(
                    f"Streamed RDB transfer with replica {replica.name} succeeded (socket). Waiting for REPLCONF ACK "
                    "from replica to enable streaming"
                )
                self._leader.put_online(replica, after_ack=True)

    def _replica_gone(self, replica: Replica) -> None:
        if self.transfer is not None and replica in self.transfer.replicas:
            self.transfer.drop(replica)

    # --- once a second ---------------------------------------------------------------------------

    def cron(self) -> None:
        """Keep those that wait from hanging up, let go of those that hang, start what was put off."""
        server = self._server
        streaming = self.transfer is not None and self.transfer.socket
        for replica in list(self._leader.replicas.values()):
            if replica.stage is Stage.WAIT_START or (replica.stage is Stage.WAIT_END and not streaming):
                replica.client.out.append(b"\n")
                replica.client.transport.wake()
        if self.transfer is not None:
            for replica in self.transfer.stuck(server.now - server.config.repl_timeout * SECOND):
                server.log.warning(f"Disconnecting timedout replica (full sync): {replica.name}")
                self._leader.drop(replica.client)
        self.start_pending()
