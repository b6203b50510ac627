"""The follower's side: whom it follows, the link and its failures, promotion (replication.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..registry.flags import GATE_READONLY, GATE_STALE
from .handshake import Handshake, Step
from .intake import DirectIntake, FileIntake, Intake, IntakeFailed
from .switching import AofSwitch, disconnect_blocked
from .upstream import Link, Upstream

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from .leader import Leader
    from .state import History

SECOND = 1_000_000_000
LONGEST_WAIT = 16
"""Seconds between two attempts when a leader refuses again and again what we have to say, or sends nonsense."""
LOAD_FAILED = "Failed trying to load the MASTER synchronization DB"


class Follower:
    """Follows one leader, or none (``active``).  ``connect`` is plugged by ``link``."""

    def __init__(self, server: Server, history: History, leader: Leader) -> None:
        self._server = server
        self._history = history
        self._leader = leader
        self.active = False
        self.leader_address = ("", 0)
        self.handshake: Handshake | None = None
        self.upstream: Upstream | None = None
        self.connect: Callable[[str, int], Link] | None = None
        self.can_resume = False
        """Id and offset of the history are those of a leader, which may let us go on (server.cached_master)."""
        self.selected = 0
        """The database its stream has selected, while it is not connected."""
        self.link: Link | None = None
        self.down_since = 0
        self.last_io = 0
        self.transfer_size = -1
        self.transfer_read = 0
        # Plugged by ``failover``.
        self.failing_over: Callable[[], bool] = lambda: False
        self.failover_answered: Callable[[bool], bool] = lambda accepted: True
        self._aof = AofSwitch(server)
        self._intake: Intake | None = None
        self._initial: tuple[str | None, int] = (None, -1)
        self._marked = False
        self._waiting_stream: list[bytes] = []
        self._failures = 0
        self._not_before = 0

    # --- what it is ------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """The stream runs."""
        return self.upstream is not None

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
            return b"connect" if self.link is None else b"connecting"
        if self.handshake.step in (Step.HEADER, Step.PAYLOAD) or self._intake is not None:
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
        if self.connected:
            self._cache_leader()
        self._drop_link()
        disconnect_blocked(self._server)
        self.assume(host, port)
        if was_leader:
            self.synthesize()
        server.log.notice(f"Connecting to MASTER {host}:{port}")
        self._begin()

    def assume(self, host: str, port: int) -> None:
        """Take the role; the cron connects."""
        server = self._server
        self.active = self._leader.is_follower = True
        self.leader_address = host, port
        server.config.replicaof = (host, port)
        server.role, server.log.role = b"replica", "S"
        server.keeps_expired = True
        self._failures = self._not_before = 0
        self.update_gates()
        self._leader.refresh_good()

    def synthesize(self, selected: int = 0) -> None:
        """Ask the next leader to go on from our own history (replicationCacheMasterUsingMyself)."""
        self._server.log.notice(
            "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be "
            "able to synchronize with the new master with just a partial transfer."
        )
        self.can_resume = True
        self.selected = selected
        self._history.selected = -1

    def promote(self) -> None:
        """REPLICAOF NO ONE: go on alone, with the data and the offset there is (replicationUnsetMaster)."""
        server, history = self._server, self._history
        if not self.active:
            return
        self.active = self._leader.is_follower = False
        self.leader_address = "", 0
        server.config.replicaof = None
        if self.connected:
            self._cache_leader()
        self._drop_link()
        self._discard_cached()
        history.shift_id()
        server.log.notice(
            f"Setting secondary replication ID to {history.second_id}, valid up to offset: "
            f"{history.second_offset}. New replication ID is {history.id}"
        )
        self._leader.disconnect_all()
        server.role, server.log.role = b"master", "M"
        server.keeps_expired = False
        history.selected = -1
        self._leader.alone_since = server.now
        self.down_since = 0
        self.update_gates()
        self._leader.listen()
        self._leader.refresh_good()
        self._aof.restart()

    # --- the link --------------------------------------------------------------------------------

    def _begin(self) -> None:
        host, port = self.leader_address
        if self.connect is None:
            return
        self.last_io = self._server.now
        self.link = self.connect(host, port)
        self._server.log.notice("MASTER <-> REPLICA sync started")

    def retry_soon(self) -> None:
        """What the leader refused may have been corrected: the next attempt need not wait."""
        self._failures = self._not_before = 0

    def _drop_link(self) -> None:
        """Hang up, and forget what was under way."""
        link, self.link = self.link, None
        upstream, self.upstream = self.upstream, None
        intake, self._intake = self._intake, None
        self.handshake = None
        self._waiting_stream.clear()
        if upstream is not None:
            upstream.close()
        if intake is not None:
            intake.abandon()
        if link is not None:
            link.close()

    def _cache_leader(self) -> None:
        """The stream ends for now (replicationCacheMaster)."""
        upstream = self.upstream
        if upstream is None:
            return
        self._server.log.notice("Caching the disconnected master state.")
        self.selected = upstream.client.db.index
        self.can_resume = True
        self.down_since = self._server.now

    def _discard_cached(self) -> None:
        if self.can_resume:
            self._server.log.notice("Discarding previously cached master state.")
            self.can_resume = False

    def _give_up(self, *, at_once: bool = False, patient: bool = False) -> None:
        """This attempt has failed; another follows *at_once*, within a second, or later each time (*patient*)."""
        self._drop_link()
        self.update_gates()
        if not self.active:
            return
        if patient:
            self._not_before = self._server.now + min(1 << self._failures, LONGEST_WAIT) * SECOND
            self._failures += 1
        elif at_once:
            host, port = self.leader_address
            self._server.log.notice(f"Reconnecting to MASTER {host}:{port} after failure")
            self._begin()

    def link_made(self, link: Link) -> None:
        """The connection to the leader stands."""
        if link is not self.link:
            link.close()
            return
        config = self._server.config
        self._server.log.notice("Non blocking connect for SYNC fired the event.")
        self.last_io = self._server.clock.time_ns()
        port = config.replica_announce_port or (config.tls_port if config.tls_replication else 0) or config.port
        self.handshake = Handshake(
            self, user=config.masteruser, password=config.masterauth, port=port,
            address=config.replica_announce_ip.encode(),
        )  # fmt: skip
        self._flush()

    def link_failed(self, link: Link, reason: str) -> None:
        """No connection could be made; the cron tries again."""
        if link is self.link:
            self._server.log.warning(f"Error condition on socket for SYNC: {reason}")
            self._give_up()

    def received(self, link: Link, data: bytes) -> None:
        """Bytes from the leader."""
        if link is not self.link or self.handshake is None:
            return
        self._server.now = self.last_io = self._server.clock.time_ns()
        self._server.stats.repl_input_bytes += len(data)
        self.handshake.feed(data)
        self._flush()
        if self.handshake is not None and self.handshake.step is Step.FAILED:
            self._give_up(patient=not self.handshake.transient)

    def _flush(self) -> None:
        if self.handshake is not None and self.handshake.out and self.link is not None:
            out, self.handshake.out = self.handshake.out, []
            self.link.send(b"".join(out))

    def link_lost(self, link: Link) -> None:
        """The leader, or the network, closed the connection."""
        if link is not self.link:
            return
        log = self._server.log
        if self.connected:
            log.notice("Connection with master lost.")
            self._hang_up()
        elif self.syncing:
            if isinstance(self._intake, DirectIntake):
                self._intake.report_short()
                log.warning(f"{LOAD_FAILED} from socket, check server logs.")
            else:
                log.warning("I/O error trying to sync with MASTER: connection lost")
            self._give_up(at_once=True)
        else:
            log.warning("Failed to read response from the server: Connection reset by peer")
            log.warning("Master did not respond to command during SYNC handshake")
            self._give_up()

    def _hang_up(self) -> None:
        """Leave the stream, and try at once to go on with it (replicationHandleMasterDisconnection)."""
        if self.upstream is None:
            return
        self._cache_leader()
        if self.upstream.client.parser.failed:  # what it said made no sense: begin anew
            self._discard_cached()
        self._drop_link()
        self.update_gates()
        if self.active:
            host, port = self.leader_address
            self._server.log.notice(f"Reconnecting to MASTER {host}:{port}")
            self._begin()

    def client_gone(self, client: Client) -> None:
        """Hook for clients that are gone: CLIENT KILL of the leader's link hangs up."""
        if self.upstream is not None and client is self.upstream.client:
            self._hang_up()

    # --- handshake.Events ------------------------------------------------------------------------

    def log(self, warning: bool, text: str) -> None:
        (self._server.log.warning if warning else self._server.log.notice)(text)

    def psync_request(self) -> list[bytes]:
        history, log = self._history, self._server.log
        if self.can_resume:
            log.notice(f"Trying a partial resynchronization (request {history.id}:{history.offset + 1}).")
            words = [b"PSYNC", history.id.encode(), b"%d" % (history.offset + 1)]
        else:
            log.notice("Partial resynchronization not possible (no cached master)")
            words = [b"PSYNC", b"?", b"-1"]
        return [*words, b"FAILOVER"] if self.failing_over() else words

    def psync_answered(self, accepted: bool) -> bool:
        return self.failover_answered(accepted)

    def full(self, replication_id: str | None, offset: int) -> None:
        self._initial = replication_id, offset
        self.transfer_size, self.transfer_read = -1, 0

    def resumed(self, replication_id: str | None) -> None:
        server, history = self._server, self._history
        if not self.can_resume:
            server.log.warning("The MASTER wants to continue a stream that was never begun")
            self._reject()
            return
        self.can_resume = False
        if replication_id is not None and replication_id != history.id:
            server.log.notice(f"Master replication ID changed to {replication_id}")
            history.continue_as(replication_id)
            self._leader.disconnect_all()
        self._attach_upstream(self.selected)
        if history.backlog is None:
            history.create_backlog(server.config.repl_backlog_size)
            self._leader.listen()
        server.log.notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")

    def payload_begins(self, length: int | None) -> None:
        server = self._server
        mode = server.config.repl_diskless_load
        swap = mode == "swapdb"
        try:
            if swap or (mode == "on-empty-db" and not any(db.data for db in server.databases)):
                self._announce_transfer(length, DirectIntake.destination)
                self._aof.stop()
                self._intake = DirectIntake(
                    server, self._attach_to_new_leader, self._loaded, total=length or 0, swap=swap,
                    asynchronous=swap and self._initial[0] == self._history.id,
                    pause=self._hold_back, resume=self._go_on,
                )  # fmt: skip
            else:
                self._announce_transfer(length, FileIntake.destination)
                self._intake = FileIntake(server, self._attach_to_new_leader, self._loaded)
        except IntakeFailed as failure:
            server.log.warning(str(failure))
            self._reject()

    def _announce_transfer(self, length: int | None, destination: str) -> None:
        self.transfer_size = length or 0
        what = "streamed RDB from master with EOF" if length is None else f"{length} bytes from master"
        self._server.log.notice(f"MASTER <-> REPLICA sync: receiving {what} {destination}")

    def payload(self, data: bytes) -> None:
        self.transfer_read += len(data)
        self._take_in(lambda intake: intake.feed(data))

    def payload_ends(self, *, marked: bool) -> None:
        self._marked = marked
        if isinstance(self._intake, FileIntake):
            self._aof.stop()
        self._take_in(lambda intake: intake.end())

    def _take_in(self, step: Callable[[Intake], None]) -> None:
        if self._intake is None:
            return
        try:
            step(self._intake)
        except IntakeFailed as failure:
            self._intake.abandon()
            self._loaded(None, str(failure))

    def _reject(self) -> None:
        if self.handshake is not None:
            self.handshake.fail()

    def _hold_back(self) -> None:
        if self.link is not None:
            self.link.pause()

    def _go_on(self) -> None:
        self.last_io = self._server.clock.time_ns()
        if self.link is not None:
            self.link.resume()

    def stream(self, data: bytes) -> None:
        if self.upstream is not None:
            self.upstream.feed(data)
        else:
            self._waiting_stream.append(data)

    # --- a snapshot has come ---------------------------------------------------------------------

    def _attach_to_new_leader(self) -> None:
        """Another data set takes the place of ours: what we were part of ends (replicationAttachToNewMaster)."""
        self._discard_cached()
        self._leader.disconnect_all()
        self._history.backlog = None

    def _loaded(self, info: tuple[int, bytes, int] | None, failure: str | None) -> None:
        """The snapshot is in place, or could not be used."""
        server, history = self._server, self._history
        intake, self._intake = self._intake, None
        if failure is not None:
            source = "socket" if isinstance(intake, DirectIntake) else "disk"
            server.log.warning(f"{LOAD_FAILED} from {source}, check server logs: {failure}")
            self._aof.restart()
            self._give_up(patient=True)
            return
        replication_id, offset = self._initial
        history.offset = max(offset, 0)
        if replication_id is None:
            history.new_id()
        else:
            history.id = replication_id
        history.clear_second()
        history.create_backlog(server.config.repl_backlog_size)
        self._leader.listen()
        if self.link is None:
            return
        server.dirty += 1
        self._failures = 0
        self._attach_upstream(info[0] if info is not None else 0)
        server.log.notice("MASTER <-> REPLICA sync: Finished with success")
        if self._marked:
            self.send_ack()
        self._aof.restart()
        waiting, self._waiting_stream = self._waiting_stream, []
        for data in waiting:
            self.stream(data)

    def _attach_upstream(self, selected: int) -> None:
        assert self.link is not None
        self.upstream = Upstream(self._server, self._history, self._leader, self.link, self._hang_up, selected)
        self.down_since = 0
        self._failures = 0
        self.update_gates()

    # --- once a second ---------------------------------------------------------------------------

    def send_ack(self) -> None:
        """REPLCONF ACK to the leader."""
        if self.upstream is not None:
            self.upstream.send_ack()

    def acknowledge_soon(self) -> None:
        """REPLCONF GETACK."""
        if self.upstream is not None:
            self.upstream.acknowledge_soon()

    def cron(self) -> None:
        """Timeouts, another try, an ACK (replicationCron)."""
        if not self.active:
            return
        server = self._server
        silent = server.now // SECOND - self.last_io // SECOND > server.config.repl_timeout
        if self.connected:
            if silent:
                server.log.warning("MASTER timeout: no data nor PING received...")
                self._hang_up()
            else:
                self.send_ack()
        elif self.link is None:
            if server.now >= self._not_before and self.connect is not None:
                host, port = self.leader_address
                server.log.notice(f"Connecting to MASTER {host}:{port}")
                self._begin()
        elif self._intake is not None and self.handshake is not None and self.handshake.step is Step.STREAM:
            self.link.send(b"\n")  # it is being loaded: let the leader know that we live
        elif silent:
            if self.syncing:
                server.log.warning(
                    "Timeout receiving bulk data from MASTER... If the problem persists try to set the "
                    "'repl-timeout' parameter in redis.conf to a larger value."
                )
            else:
                server.log.warning("Timeout connecting to the MASTER...")
            self._give_up(at_once=True)

    def rdb_fields(self) -> tuple[int, bytes, int] | None:
        """What a snapshot says of the stream (rdbPopulateSaveInfo)."""
        if self.upstream is not None:
            return self.upstream.client.db.index, self._history.id.encode(), self._history.offset
        if self.can_resume:
            return self.selected, self._history.id.encode(), self._history.offset
        return None
