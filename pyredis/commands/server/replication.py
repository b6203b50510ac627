"""Commands of replication: SYNC and PSYNC, REPLCONF, REPLICAOF, ROLE, WAIT, WAITAOF, FAILOVER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...effects.blocking import Wait
from ...engine.blocking import finish, parse_timeout, start_wait
from ...errors import (
    FailoverInCluster,
    FailoverTimeoutNotPositive,
    InvalidMasterPort,
    InvalidSyntax,
    NoFailover,
    NoMasterLink,
    NoRdbFilter,
    NotForReplicas,
    NotInteger,
    NotPositive,
    NotZeroOrOne,
    PsyncFailoverOfAnother,
    PsyncFailoverToMaster,
    ReplicaAddressTooLong,
    ReplicaCannotWait,
    ReplicaCannotWaitAof,
    ReplicaofDuringFailover,
    ReplicaofInCluster,
    UnknownRdbFilter,
    UnknownReplconfOption,
    WaitAofWithoutAof,
)
from ...registry.command import Argv, Reply, command
from ...registry.flags import (
    ADMIN,
    ALLOW_BUSY,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NO_MULTI,
    NOSCRIPT,
    STALE,
)
from ...replication.replica import Stage
from ...resp.encode import OK, array_header, array_of, array_of_bulks, bulk, encode_error, integer
from ...util.numbers import parse_int, parse_int_or_none
from ...util.quoting import split_args
from .debug import debug

if TYPE_CHECKING:
    from ...engine.client import Client
    from ...engine.server import Server
    from ...replication.service import Replication

MIN_ACKS = ("request_policy:all_shards", "response_policy:agg_min")


def of(server: Server) -> Replication:
    """The replication of *server*."""
    return server.replication  # type: ignore[no-any-return]


# --- what replicas send ---------------------------------------------------------------------------


@command("SYNC", arity=1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI)
def sync(client: Client, argv: Argv) -> Reply:
    """SYNC"""
    if client.replica is not None or client in client.server.monitoring.clients:
        return None
    _refuse_sync(client)
    of(client.server).sync.sync(client, None)
    return None


@command("PSYNC", arity=-3, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI)
def psync(client: Client, argv: Argv) -> Reply:
    """PSYNC replicationid offset [FAILOVER]"""
    server = client.server
    if client.replica is not None or client in server.monitoring.clients:
        return None
    replication = of(server)
    if len(argv) > 3 and argv[3].lower() == b"failover":
        server.log.notice(f"Failover request received for replid {argv[1].decode('latin-1')}.")
        if not replication.follower.active:
            raise PsyncFailoverToMaster
        if argv[1].decode("latin-1").lower() != replication.history.id:
            raise PsyncFailoverOfAnother
        replication.follower.promote()
        server.log.notice(f"MASTER MODE enabled (failover request from '{server.describe_client(client)}')")
    _refuse_sync(client)
    offset = parse_int_or_none(argv[2])
    if offset is None:
        name = replication.leader.state_of(client).name
        server.log.warning(f"Replica {name} asks for synchronization but with a wrong offset")
        raise NotInteger
    replication.sync.sync(client, (argv[1], offset))
    return None


def _refuse_sync(client: Client) -> None:
    follower = of(client.server).follower
    if of(client.server).failover.active:
        raise NoMasterLink("Can't SYNC while failing over")
    if follower.active and not follower.connected:
        raise NoMasterLink("Can't SYNC while not connected with my master")


@command("REPLCONF", arity=-1, flags=ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY)
def replconf(client: Client, argv: Argv) -> Reply:
    """REPLCONF option value [option value ...]"""
    if len(argv) % 2 == 0:
        raise InvalidSyntax
    leader = of(client.server).leader
    for at in range(1, len(argv), 2):
        option, value = argv[at].lower(), argv[at + 1]
        match option:
            case b"listening-port":
                leader.state_of(client).port = parse_int(value)
            case b"ip-address":
                if len(value) > 255:
                    raise ReplicaAddressTooLong(len(value))
                leader.state_of(client).address = value
            case b"capa":
                if value.lower() == b"eof":
                    leader.state_of(client).eof = True
                elif value.lower() == b"psync2":
                    leader.state_of(client).psync2 = True
            case b"ack":
                _acknowledge(client, argv, at)
                return None
            case b"getack":
                of(client.server).follower.acknowledge_soon()
                return None
            case b"rdb-only":
                only = parse_int(value)
                if only not in (0, 1):
                    raise NotZeroOrOne
                leader.state_of(client).rdb_only = bool(only)
            case b"rdb-filter-only":
                _filter(client, value)
            case _:
                raise UnknownReplconfOption(argv[at])
    return OK


def _acknowledge(client: Client, argv: Argv, at: int) -> None:
    offset = parse_int_or_none(argv[at + 1])
    if offset is None:
        return
    aof_offset = None
    if len(argv) > at + 3 and argv[at + 2].lower() == b"fack":
        aof_offset = parse_int_or_none(argv[at + 3])
    of(client.server).leader.acknowledge(client, offset, aof_offset)


def _filter(client: Client, value: bytes) -> None:
    names = split_args(value)
    if names is None:
        raise NoRdbFilter
    replica = of(client.server).leader.state_of(client)
    replica.exclude_data = replica.exclude_functions = True
    for name in names:
        if name.lower() != b"functions":
            raise UnknownRdbFilter(name)
        replica.exclude_functions = False


# --- roles ----------------------------------------------------------------------------------------


@command("REPLICAOF", arity=3, flags=ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING)
@command("SLAVEOF", arity=3, flags=ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING)
def replicaof(client: Client, argv: Argv) -> Reply:
    """REPLICAOF host port | NO ONE"""
    server = client.server
    if server.cluster is not None:
        raise ReplicaofInCluster
    follower = of(server).follower
    if of(server).failover.active:
        raise ReplicaofDuringFailover
    if argv[1].lower() == b"no" and argv[2].lower() == b"one":
        if follower.active:
            follower.promote()
            server.log.notice(f"MASTER MODE enabled (user request from '{server.describe_client(client)}')")
        return OK
    if client.replica is not None:
        raise NotForReplicas
    port = parse_int_or_none(argv[2])
    if port is None or not 0 <= port <= 65535:
        raise InvalidMasterPort
    host = argv[1].decode("utf-8", "surrogateescape")
    if follower.active and (follower.leader_address[0].lower(), follower.leader_address[1]) == (host.lower(), port):
        server.log.notice(
            "REPLICAOF would result into synchronization with the master we are already connected with. "
            "No operation performed."
        )
        return b"+OK Already connected to specified master\r\n"
    follower.follow(host, port)
    server.log.notice(f"REPLICAOF {host}:{port} enabled (user request from '{server.describe_client(client)}')")
    return OK


@command("ROLE", arity=1, flags=NOSCRIPT | LOADING | STALE | FAST, acl="admin dangerous")
def role(client: Client, argv: Argv) -> Reply:
    """ROLE"""
    replication = of(client.server)
    follower = replication.follower
    if follower.active:
        host, port = follower.leader_address
        return array_header(5) + b"".join(
            (bulk(b"slave"), bulk(host.encode()), integer(port), bulk(follower.role_state), integer(follower.offset))
        )
    replicas = [
        array_of_bulks([
            replica.ip.encode("latin-1"),
            b"%d" % replica.port,
            b"%d" % replica.ack_offset,
        ])
        for replica in replication.leader.replicas.values()
        if replica.stage is Stage.ONLINE
    ]  # fmt: skip
    return array_header(3) + bulk(b"master") + integer(replication.history.offset) + array_of(replicas)


@command("FAILOVER", arity=-1, flags=ADMIN | NOSCRIPT | STALE)
def failover(client: Client, argv: Argv) -> Reply:
    """FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]"""
    if client.server.cluster is not None:
        raise FailoverInCluster
    service = of(client.server).failover
    if len(argv) == 2 and argv[1].lower() == b"abort":
        if not service.active:
            raise NoFailover
        service.abort("Failover manually aborted")
        return OK
    timeout, force = 0, False
    target: tuple[str, int] | None = None
    at = 1
    while at < len(argv):
        option = argv[at].lower()
        if option == b"timeout" and at + 1 < len(argv) and not timeout:
            timeout = parse_int(argv[at + 1])
            if timeout <= 0:
                raise FailoverTimeoutNotPositive
            at += 2
        elif option == b"to" and at + 2 < len(argv) and target is None:
            target = argv[at + 1].decode("utf-8", "surrogateescape"), parse_int(argv[at + 2])
            at += 3
        elif option == b"force" and not force:
            force = True
            at += 1
        else:
            raise InvalidSyntax
    service.start(target, timeout, force)
    return OK


@debug("CHANGE-REPL-ID", 2, None, "CHANGE-REPL-ID",
       "    Change the replication IDs of the instance.",
       "    Dangerous: should be used only for testing the replication subsystem.")  # fmt: skip
def debug_change_repl_id(client: Client, argv: Argv) -> Reply:
    server = client.server
    server.log.notice("Changing replication IDs after receiving DEBUG change-repl-id")
    of(server).history.new_id()
    of(server).history.clear_second()
    return OK


@debug("REPLICATE", 3, 1 << 30, "REPLICATE <command>", "    Replicates the provided command string to replicas.")
def debug_replicate(client: Client, argv: Argv) -> Reply:
    of(client.server).leader.feed(-1, argv[2:])
    return OK


# --- waiting for acknowledgements -----------------------------------------------------------------


def write_offset(client: Client) -> int:
    """How long the stream was after the last write of *client*."""
    client.server.stream_offset()  # what still waited to be written into the stream is counted
    return client.write_offset


@command("WAIT", arity=3, acl="connection", tips=MIN_ACKS)
def wait(client: Client, argv: Argv) -> Reply:
    """WAIT numreplicas timeout"""
    server = client.server
    replication = of(server)
    if replication.follower.active:
        raise ReplicaCannotWait
    wanted = parse_int(argv[1])
    timeout = parse_timeout(argv[2], milliseconds=True)
    offset, leader = write_offset(client), replication.leader
    acknowledged = leader.count_acks(offset)
    if acknowledged >= wanted or not client.can_block:
        return integer(acknowledged)
    waiting = Waiting(client, offset, wanted, 0)
    waiting.start("wait", timeout)
    return None


@command("WAITAOF", arity=4, flags=NOSCRIPT, acl="connection", tips=MIN_ACKS)
def waitaof(client: Client, argv: Argv) -> Reply:
    """WAITAOF numlocal numreplicas timeout"""
    local = parse_int(argv[1])
    if local not in (0, 1):
        raise NotZeroOrOne
    wanted = parse_int(argv[2])
    if wanted < 0:
        raise NotPositive
    timeout = parse_timeout(argv[3], milliseconds=True)
    server = client.server
    if of(server).follower.active:
        raise ReplicaCannotWaitAof
    if local and not server.config.appendonly:
        raise WaitAofWithoutAof
    waiting = Waiting(client, write_offset(client), wanted, local, aof=True)
    if waiting.satisfied() or not client.can_block:
        return waiting.reply()
    waiting.start("waitaof", timeout)
    return None


class Waiting:
    """A client that waits for replicas, and for its own server's disk, to have its last write."""

    __slots__ = ("_aof", "_client", "_local", "_offset", "_server", "_wait", "_wanted")

    def __init__(self, client: Client, offset: int, wanted: int, local: int, *, aof: bool = False) -> None:
        self._client, self._server = client, client.server
        self._offset, self._wanted, self._local, self._aof = offset, wanted, local, aof
        self._wait: Wait | None = None

    def _counts(self) -> tuple[int, int]:
        leader = of(self._server).leader
        if self._aof:
            synced = int(self._server.synced_offset() >= self._offset)
            return synced, leader.count_aof_acks(self._offset)
        return 0, leader.count_acks(self._offset)

    def satisfied(self) -> bool:
        local, replicas = self._counts()
        return local >= self._local and replicas >= self._wanted

    def reply(self) -> bytes:
        """What is acknowledged by now."""
        local, replicas = self._counts()
        return array_of([integer(local), integer(replicas)]) if self._aof else integer(replicas)

    def start(self, kind: str, timeout: int) -> None:
        """Block the client; a reply with the counts comes when they suffice, or at the timeout."""
        self._wait = Wait(kind, self._client.db, [], None, b"", resume=self._stop)
        self._wait.reply_at_timeout = self._give_up
        start_wait(self._client, self._wait, timeout)
        leader = of(self._server).leader
        leader.acknowledged.append(self.check)
        self._server.offset_synced.append(self.check)
        leader.request_acks()

    def _stop(self) -> None:
        leader = of(self._server).leader
        if self.check in leader.acknowledged:
            leader.acknowledged.remove(self.check)
            self._server.offset_synced.remove(self.check)

    def _give_up(self) -> bytes:
        self._stop()
        return self.reply()

    def check(self) -> None:
        """Something was acknowledged, or the AOF has been switched off."""
        if self._wait is None:
            return
        if self._local and not self._server.config.appendonly:
            self._stop()
            finish(self._client, self._wait, encode_error(WaitAofWithoutAof()))
        elif self.satisfied():
            self._stop()
            finish(self._client, self._wait, self.reply())
