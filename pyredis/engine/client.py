"""The state of one client.  No behaviour that touches a socket: bytes go to ``out``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..errors import InvalidClientName
from ..registry.flags import GATE_ARGV, GATE_AUTH
from ..resp import resp2
from ..resp.parser import RequestParser
from .buffers import REPLY_BUFFER

if TYPE_CHECKING:
    from ..effects.blocking import Wait
    from ..keyspace.database import Database
    from ..registry.command import Argv, Command
    from ..resp.wire import Wire
    from .server import Server
    from .transactions import Transaction


class Transport(Protocol):
    """What a client needs of its connection; ``net.connection`` has the real one, tests a fake."""

    def close(self) -> None:
        """Close once everything in ``client.out`` has been sent."""

    def abort(self) -> None:
        """Close now."""

    def wake(self) -> None:
        """There may be something to do: output to send, or input that waited."""

    @property
    def plain_descriptor(self) -> int:
        """The descriptor, for reading and writing past the transport; -1 where that is not possible."""

    def buffered(self) -> int:
        """Bytes accepted for sending that the kernel has not taken yet."""

    def check_output(self) -> None:
        """Close if output has been too much for too long; called from the cron."""

    peer: bytes
    local: bytes
    fd: int
    is_unix: bool
    is_local: bool
    """Connected over a UNIX socket or the loopback interface."""


class Detached:
    """The transport of a client without a connection: AOF replay, scripts, tests."""

    peer = b""
    local = b""
    fd = plain_descriptor = -1
    is_local = True
    is_unix = False

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def wake(self) -> None: ...

    def check_output(self) -> None: ...

    def buffered(self) -> int:
        return 0


DETACHED = Detached()

REPLY_ON, REPLY_OFF, REPLY_SKIP = range(3)


class Client:
    """One connection's state, whoever is at the other end."""

    __slots__ = (
        "argv",
        "asking",
        "authenticated",
        "buffers_checked",
        "can_block",
        "channels",
        "closing",
        "command",
        "created",
        "db",
        "deferred",
        "dirty_cas",
        "gate",
        "halted",
        "id",
        "in_exec",
        "input_bytes",
        "internal",
        "is_master",
        "last_interaction",
        "lib_name",
        "lib_ver",
        "name",
        "no_evict",
        "no_touch",
        "one_shot",
        "out",
        "output_bytes",
        "parser",
        "patterns",
        "peak_output",
        "peak_reset",
        "postponed",
        "query_buffer",
        "readonly",
        "redacted",
        "replica",
        "reply_buffer_size",
        "reply_mode",
        "script",
        "server",
        "shard_channels",
        "slot",
        "soft_limit_since",
        "to_flush",
        "tracking",
        "transaction",
        "transport",
        "user",
        "wait",
        "watched",
        "wire",
        "write_offset",
    )  # fmt: skip

    def __init__(self, server: Server, transport: Transport = DETACHED, *, internal: bool = False) -> None:
        self.server = server
        self.transport = transport
        self.id = server.next_client_id()
        self.db: Database = server.databases[0]
        self.wire: Wire = resp2
        self.parser = RequestParser(max_bulk=server.config.proto_max_bulk_len)
        self.out: list[bytes] = []
        self.to_flush = False
        self.internal = internal
        """A client of our own making (replay, scripts, the leader's link): refusals do not apply to it."""

        self.is_master = False
        """The link to our own leader: its commands are obeyed, whatever would refuse them otherwise."""
        # These three matter in a cluster only.
        self.readonly = False  # READONLY
        self.asking = False  # ASKING, which holds for the next command
        self.slot = -1  # that of the running command's keys

        # Refusals that concern this client alone: a bit mask of registry.flags.GATE_*.
        self.gate = 0
        self.user: Any = server.acl.default_user
        self.authenticated = True
        if not internal:
            server.acl.set_user(self, self.user)
            if server.acl.auth_required:
                self.set_authenticated(False)

        self.name = b""
        self.lib_name = b""
        self.lib_ver = b""
        self.created = server.now
        self.last_interaction = server.now
        self.command: Command | None = None
        self.argv: list[bytes] = []  # of the blocked or running command
        self.redacted: tuple[int, ...] = ()
        self.input_bytes = 0
        self.output_bytes = 0
        # What engine.buffers makes of Redis's buffers; sizes in bytes, moments as ``server.now``.
        self.query_buffer = 0
        self.buffers_checked = server.now
        self.reply_buffer_size = REPLY_BUFFER
        self.peak_output = REPLY_BUFFER  # the biggest batch of replies
        self.peak_reset = server.now
        self.soft_limit_since = 0  # ns, 0 while under the soft output limit

        # Why input is not being executed: blocked, postponed or closing.  ``halted`` is their union.
        self.halted = False
        self.wait: Wait | None = None
        self.postponed = False
        self.deferred: Argv | None = None  # the command that waits for a pause to end
        self.closing = False
        self.can_block = True  # false inside EXEC and scripts (CLIENT_DENY_BLOCKING)

        self.transaction: Transaction | None = None
        self.watched: dict[tuple[Database, bytes], bool] = {}
        self.dirty_cas = False
        self.in_exec = False

        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.shard_channels: dict[bytes, None] = {}

        self.reply_mode = REPLY_ON
        self.one_shot = False  # something was set that holds for the next command only
        self.no_evict = False
        self.no_touch = False
        self.tracking: Any = None
        self.write_offset = 0  # of the replication stream, after this client's last write
        self.replica: Any = None  # replication state of a client that is our replica
        self.script: Any = None  # the script that runs on behalf of this client

    def restrict(self, gate: int, on: bool = True) -> None:
        """Set or clear gate bits."""
        self.server.unsettled = True  # has dispatch.run look at the gates again
        if on:
            self.gate |= gate
        else:
            self.gate &= ~gate

    def set_authenticated(self, authenticated: bool) -> None:
        """Lift or impose what applies before AUTH, the parser's smaller limits included."""
        self.authenticated = authenticated
        self.parser.authenticated = authenticated
        self.restrict(GATE_AUTH, not authenticated)

    def update_halted(self) -> None:
        self.halted = self.wait is not None or self.postponed or self.closing

    def update_careful(self) -> None:
        """Whether this client's commands take the guarded path: replies suppressed, keys tracked."""
        self.restrict(GATE_ARGV, self.reply_mode != REPLY_ON or self.one_shot or self.tracking is not None)

    def deliver(self, data: bytes) -> None:
        """Append *data* to the output although this client has not asked for it just now."""
        if not self.closing:
            self.out.append(data)
            if not self.to_flush:
                self.to_flush = True
                self.server.to_flush.append(self)

    def push(self, data: bytes) -> None:
        """Deliver an out-of-band message: after the reply if this client's command is running."""
        if self.server.executing is self:
            self.server.pushes.append((self, data))
            self.server.unsettled = True
        else:
            self.deliver(data)

    def propagate(self, *argv: bytes) -> None:
        """Propagate *argv* instead of the running command; several calls propagate several commands."""
        server = self.server
        if server.propagation.active:
            server.propagation.add(self.db.index, list(argv))
            server.unsettled = True

    def propagate_nothing(self) -> None:
        """Keep what the running command changed from the AOF and the replicas."""
        self.server.propagation.explicit = True
        self.server.unsettled = True

    def redact(self, *positions: int) -> None:
        """Keep arguments of the running command out of SLOWLOG and MONITOR."""
        self.redacted = positions

    def validate_name(self, name: bytes) -> None:
        """Raise InvalidClientName unless *name* is printable without spaces (networking.c validateClientAttr)."""
        if any(not 33 <= byte <= 126 for byte in name):
            raise InvalidClientName

    def reset(self) -> None:
        """Back to the state of a new connection (networking.c clearClientConnectionState)."""
        server = self.server
        if self.transaction is not None:
            server.leave_multi(self)
        server.watching.unwatch(self)
        server.tracking.disable(self)
        server.monitoring.remove(self)
        self.dirty_cas = False
        server.pubsub.unsubscribe_all(self)
        for hook in server.reset_hooks:
            hook(self)
        self.db = server.databases[0]
        self.wire = resp2
        self.name = b""
        self.reply_mode = REPLY_ON
        self.one_shot = self.readonly = self.asking = False
        self.update_careful()
        self.no_evict = self.no_touch = False
        server.acl.set_user(self, server.acl.default_user)
        self.set_authenticated(not server.acl.auth_required)

    def close(self) -> None:
        """Stop executing input; close the connection once the output has gone."""
        if not self.closing:
            self.closing = True
            self.halted = True
            self.transport.close()

    def __repr__(self) -> str:
        return f"<Client {self.id}>"
