"""The state of one server.  Several live in one process; nothing here is global."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from ..acl.store import AclStore
from ..config.config import Config
from ..effects.blocking import Blocking
from ..effects.monitoring import Monitoring
from ..effects.notifications import Notifications
from ..effects.propagation import Propagation, Queue, Sink
from ..effects.pubsub import PubSub
from ..effects.tracking import Tracking
from ..effects.watching import Watching
from ..errors import CommandError, DiskError, InternalError, UnknownCommand, UnknownSubcommand, WrongArity
from ..keyspace.events import EVICTED, EXPIRED
from ..keyspace.keyspace import Keyspace
from ..registry.command import Command, bind_all
from ..registry.flags import GATE_ALWAYS, GATE_MULTI
from ..util.clock import Clock
from ..util.process import resident_bytes
from .collector import Collector
from .cron import Cron
from .describe import describe
from .describe_server import Fields, memory_fields, persistence_fields, replication_fields
from .latency import LatencyMonitor
from .log import Log
from .pausing import Pausing
from .shutdown import Shutdown
from .slowlog import SlowLog
from .stats import Stats
from .timers import Timers
from .tls import Tls
from .upkeep import Upkeep

if TYPE_CHECKING:
    from ..keyspace.database import Database
    from ..registry.command import Argv
    from .client import Client


NO_SCRIPTS = {
    "vm_eval": 0, "scripts_eval": 0, "cached_scripts": 0, "functions": 0, "libraries": 0, "vm_functions": 0,
    "functions_memory": 0,
}  # fmt: skip
NO_BUFFERS = {
    "mem_not_counted_for_evict": 0, "mem_replication_backlog": 0, "mem_total_replication_buffers": 0,
    "mem_clients_slaves": 0, "mem_clients_normal": 0, "mem_cluster_links": 0, "mem_aof_buffer": 0,
}  # fmt: skip


class Server(Keyspace):
    """Keyspace, clients, configuration, counters.  Upper layers plug themselves into its hooks."""

    __slots__ = (
        "before_sleep",
        "commands",
        "cycles",
        "executing",
        "finish_soon",
        "finishing",
        "gate",
        "only_noting",
        "reads",
        "resumable",
        "slow_ns",
        "to_flush",
        "unsettled",
    )

    def __init__(self, config: Config, clock: Clock, rng: random.Random, log: Log | None = None) -> None:
        super().__init__(config, clock, rng)
        self.log = log or Log(clock)
        self.run_id = rng.randbytes(20).hex()
        self.start_time = self.now
        self.role_hooks: list[Callable[[], None]] = []
        """Called when this server has become a leader or a follower."""
        self._role = b"master"
        self.commands: dict[bytes, Command] = bind_all()
        self.concealed: dict[bytes, Command] = {}
        """Commands that a profile of rights has taken out of ``commands``, for those who may run them all the same."""
        self.acl = AclStore(self)
        self.gate = GATE_ALWAYS
        self.only_noting = False
        """Changes are noted to be propagated, and nobody else observes them: SET then does so by itself."""
        self.unsettled = False
        """Set by whatever needs ``dispatch.settle`` after the running command."""
        self.busy_text: str | None = None
        self.loading = False

        self.error_counts: dict[str, int] = {}
        self.total_errors = 0
        self.clients: dict[int, Client] = {}
        self._last_client_id = 0
        self.executing: Client | None = None
        self.rerunning: Client | None = None
        self.rerun_blocked = False
        self.serving = False
        self.to_flush: list[Client] = []
        self.pushes: list[tuple[Client, bytes]] = []
        self.resumable: list[Client] = []

        self.connections_received = 0
        self.rejected_connections = 0
        self.reads = 0
        """Chunks of input that were executed."""
        self.cycles = 0
        """Turns of the loop for other things: the cron, timers."""
        self.collector = Collector()
        self.tls = Tls(config, self.log)
        self.stats = Stats(self)
        self.slowlog = SlowLog(self)
        self.http_warned = -(1 << 62)
        """When somebody was last told that HTTP came in."""
        self.latency = LatencyMonitor(self)
        self.upkeep = Upkeep()
        self.shutdown = Shutdown(self)
        self.notifications = Notifications(self)
        self.listeners: Any = None
        self.timers = Timers()
        self.cron = Cron(self)
        self.blocking = Blocking(self)
        self.watching = Watching(self)
        self.tracking = Tracking(self)
        self.monitoring = Monitoring(self)
        self.pausing = Pausing(self)
        self.propagation = Propagation()
        self.after_command: list[Callable[[Client], None]] = []
        self.slow_ns = 1 << 62
        """Commands that take longer are reported to ``slow_observers``."""
        self.slow_observers: list[Callable[[Client, Command, Argv, int], None]] = [
            self.latency.observe,
            self.slowlog.observe,
        ]
        # Plugged by upper layers; the defaults are those of a server without them.
        self.make_room: Callable[[], bool] = lambda: True
        self.script_flags: Callable[[Client, Command, Argv], int] = lambda client, command, argv: command.flags
        self.was_out_of_memory = False
        self.async_loading = False
        self.disk_error: str | None = None
        self.pubsub = PubSub()
        self.before_sleep: list[Callable[[], None]] = []
        """Called at the end of each turn of the loop in which something was executed."""
        self.expires_paused = False
        self.flushed: list[Callable[[Database | None], None]] = []
        """Called after FLUSHDB (that database) and FLUSHALL (None)."""
        self.client_opened: Callable[[Client], None] = lambda client: None
        self.close_hooks: list[Callable[[Client], None]] = []
        """Called when a client is gone, to take it out of whatever it was part of."""
        self.reset_hooks: list[Callable[[Client], None]] = []
        """Called by RESET, before the client gets its defaults back."""
        self.finishing = False
        """The end of this turn of the loop is scheduled: the hooks above, then replies leave."""
        self.finish_soon: Callable[[], object] | None = None
        """Schedules it; plugged with an event loop.  Without one every chunk of input is a turn."""
        self.active_expire = True  # DEBUG SET-ACTIVE-EXPIRE
        self.allow_denied_in_scripts = False  # DEBUG SET-DISABLE-DENY-SCRIPTS
        self.skip_checksum_validation = False
        self.reply_buffer_resizing = True
        self.reply_buffer_peak_reset_ms = 5000
        self.serialized_length: Callable[[Any], int] = lambda value: 0
        self.object_address: Callable[[Any], int] = id
        self.event_loop_name = "none"
        self.supervised = "no"
        self.listener_descriptions: Callable[[], list[tuple[int, str]]] = list
        self.replication_id = rng.randbytes(20).hex()
        self.lazyfree_pending: Callable[[], int] = lambda: 0
        self.lazyfreed_objects = 0
        self.used_memory: Callable[[], int] = resident_bytes
        self.startup_memory = self.peak_memory = resident_bytes()
        self.script_memory: Callable[[], dict[str, int]] = lambda: dict(NO_SCRIPTS)
        self.backlog_bytes: Callable[[], int] = lambda: 0
        """What the backlog of replication holds."""
        self.aof_buffer_bytes: Callable[[], int] = lambda: 0
        """Writes that have not reached the AOF yet."""
        self.buffer_memory: Callable[[], dict[str, int]] = lambda: dict(NO_BUFFERS)
        self.describe_memory: Callable[[], Fields] = lambda: memory_fields(self)
        self.describe_persistence: Callable[[], Fields] = lambda: persistence_fields(self)
        self.describe_replication: Callable[[], Fields] = lambda: replication_fields(self)
        self.extensions: dict[str, Any] = {}
        self.expire_more: Callable[[], None] = lambda: None
        """The fast cycle of active expiry; in ``before_sleep`` while it is needed."""
        self.accesses: Any = None  # engine.accesses.Accesses
        self.lazy_free: Any = None  # engine.lazyfree.LazyFree
        self.client_memory: Callable[[Client], None] | None = None
        """Told of a client whose buffers may have grown, while something limits them."""
        self.persistence: Any = None  # persistence.service.Persistence
        self.backup: Any = None  # backup.service.Backups
        self.scripting: Any = None  # scripting.service.Scripting
        self.blocked_service: Any = None
        """Serves other clients while a script blocks the loop; plugged by ``net`` (net.blocked)."""
        self.replication: Any = None
        self.cluster: Any = None
        """The node of a cluster that this server is (cluster.service.Cluster)."""
        self.stream_offset: Callable[[], int] = lambda: 0
        """How long the replication stream is by now."""
        self.library_sources: Callable[[], list[bytes]] = list
        """The code of every function library, for snapshots."""
        self.load_library: Callable[[bytes, bool], str | None] = lambda code, replace: None
        """Take in a library from a file; why it is refused, or None."""
        self.drop_libraries: Callable[[], None] = lambda: None
        self.replication_offset: Callable[[], int] = lambda: 0
        """Where the stream of writes stands."""
        self.synced_offset: Callable[[], int] = lambda: 0
        """Up to where of it the AOF is on the disk."""
        self.offset_synced: list[Callable[[], None]] = []
        """Called when ``synced_offset`` has grown."""
        self.expired_in_file: Callable[[int, bytes], None] = lambda index, key: None
        """Told of a key (of database index) that a load left out because its time has passed."""
        self.crash: Callable[[int], None] = lambda number: None
        """Ends the process as a signal would, after a report; plugged by ``net``."""

    @property
    def role(self) -> bytes:
        """``master`` or ``replica``, as HELLO says it."""
        return self._role

    @role.setter
    def role(self, role: bytes) -> None:
        self._role = role
        for hook in self.role_hooks:
            hook()

    def forget(self, client: Client) -> None:
        """Take *client* out of waits, watched keys, subscriptions and the rest; twice is harmless."""
        if self.clients.pop(client.id, None) is None:
            return
        self.stats.closed_input_bytes += client.input_bytes
        self.stats.closed_output_bytes += client.output_bytes
        self.watching.unwatch(client)
        self.tracking.disable(client)
        self.monitoring.remove(client)
        self.pausing.forget(client)
        self.pubsub.unsubscribe_all(client)
        self.blocking.cancel(client)
        for hook in self.close_hooks:
            hook(client)

    @staticmethod
    def describe_client(client: Client) -> str:
        """*client* as CLIENT LIST has it, for the log."""
        return describe(client).decode("utf-8", "surrogateescape")

    def unix_time(self) -> int:
        """Seconds since 1970, as files and INFO tell the time."""
        return self.clock.time_ns() // 1_000_000_000

    def restrict(self, gate: int, on: bool = True) -> None:
        """Set or clear gate bits that concern every client."""
        self.unsettled = True  # has dispatch.run look at the gates again
        if on:
            self.gate |= gate
        else:
            self.gate &= ~gate

    def attach_sink(self, target: int, sink: Sink) -> None:
        """Propagate what is meant for *target* (``effects.propagation`` AOF, REPLICAS) to *sink*."""
        self.propagation.plug(target, sink)
        self._note_writes()

    def detach_sink(self, sink: Sink) -> None:
        self.propagation.unplug(sink)
        self._note_writes()

    def attach_queue(self, target: int, queue: Queue, wake: Callable[[], None]) -> None:
        """Put what is meant for *target* into *queue*, and call *wake* when there is something in it."""
        self.propagation.plug_queue(target, queue, wake)
        self._note_writes()

    def detach_queue(self) -> None:
        self.propagation.unplug_queue()
        self._note_writes()

    def _note_writes(self) -> None:
        """Watch changes as long as they go anywhere."""
        if self.propagation.active:
            self.plug(self._note_write, 50)
            self.deletion_sink = self._propagate_deletion
        else:
            self.unplug(self._note_write)
            self.deletion_sink = None

    def _observers_changed(self) -> None:
        super()._observers_changed()
        self.only_noting = self.observers == [self._note_write]

    def _note_write(self, db: Database, key: bytes, event: bytes | None, kind: int) -> None:
        if kind not in (EXPIRED, EVICTED):
            self.propagation.wrote = True
        self.unsettled = True

    def _propagate_deletion(self, db: Database, key: bytes) -> None:
        name = b"UNLINK" if self.config.lazyfree_lazy_expire else b"DEL"
        self.propagation.add_deletion(db.index, [name, key])
        self.unsettled = True

    def next_client_id(self) -> int:
        self._last_client_id += 1
        return self._last_client_id

    def resolve(self, command: Command | None, argv: Argv, client: Client | None = None) -> Command:
        """The command or subcommand *argv* names, in any case.  Raises Redis's texts for unknown ones."""
        if command is None:
            command = self.commands.get(argv[0].lower()) or self._find_concealed(argv[0], argv, client)
            if command is None:
                raise UnknownCommand(argv)
        if command.subcommands is not None and len(argv) > 1:
            sub = command.subcommands.get(argv[1].lower())
            if sub is None:
                sub = self._find_concealed(b"%b|%b" % (command.wire_name, argv[1]), argv, client)
            if sub is None:
                raise UnknownSubcommand(command.name, argv[1])
            return sub
        if command.subcommands is not None and len(argv) < command.least:
            raise WrongArity(command.name)
        return command

    def _find_concealed(self, name: bytes, argv: Argv, client: Client | None) -> Command | None:
        """The concealed command of that name, if *client* may run it, or a subcommand of it that *argv* names."""
        found = self.concealed.get(name.lower()) if self.concealed else None
        if found is None or client is None:
            return None
        sub = found.subcommands.get(argv[1].lower()) if found.subcommands is not None and len(argv) > 1 else None
        return found if self.acl.may(client, sub or found) else None

    def rename_command(self, old: bytes, new: bytes) -> None:
        """``rename-command``: *old* is known as *new* only, or not at all if that is empty."""
        command = self.commands.pop(old.lower())
        self.commands.pop(old.upper())
        if new:
            self.commands[new.lower()] = command
            self.commands[new.upper()] = command
        self.stats.refresh_commands()

    def leave_multi(self, client: Client) -> None:
        """Forget *client*'s queue and the keys it watches (multi.c discardTransaction)."""
        client.transaction = None
        client.restrict(GATE_MULTI, False)
        client.dirty_cas = False
        self.watching.unwatch(client)

    def allows_protected(self, client: Client, command: Command) -> bool:
        """enable-debug-command and enable-module-command: yes, or local for local clients."""
        container = command.name.partition("|")[0]
        setting = getattr(self.config, f"enable_{container}_command")
        return setting == "yes" or (setting == "local" and client.transport.is_local)

    def count_error(self, error: CommandError) -> None:
        """Count *error* for errorstats."""
        self.total_errors += 1
        self.error_counts[error.code] = self.error_counts.get(error.code, 0) + 1

    def apply_slow_thresholds(self) -> None:
        """Set ``slow_ns`` to the least duration SLOWLOG or LATENCY want to hear of."""
        thresholds = []
        if self.config.slowlog_log_slower_than >= 0:
            thresholds.append(self.config.slowlog_log_slower_than * 1000 - 1)
        if self.config.latency_monitor_threshold:
            thresholds.append(self.config.latency_monitor_threshold * 1_000_000 - 1)
        self.slow_ns = min(thresholds, default=1 << 62)

    def report_slow(self, client: Client, command: Command, argv: Argv, elapsed: int) -> None:
        """*command* took longer than ``slow_ns``."""
        for observer in self.slow_observers:
            observer(client, command, argv, elapsed)

    def report_bug(self, client: Client, command: Command, error: Exception) -> CommandError:
        """Log an exception no command should raise; the error to answer with."""
        self.log.warning(f"Bug: {command.name} raised {error!r}", exc=error)
        return InternalError(type(error).__name__)

    def raise_disk_error(self) -> NoReturn:
        raise DiskError(self.disk_error)
