"""The running script: what it may do, what it did, and what becomes of others meanwhile (script.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..acl.check import Denial, check
from ..effects.propagation import EVERYWHERE
from ..engine.client import Client
from ..engine.dispatch import call, collect
from ..errors import (
    BusyFunction,
    BusyScript,
    CommandError,
    NoPermissionInScript,
    NoReplicas,
    NoRunningScript,
    NotAllowedInScript,
    OutOfMemory,
    ReadOnlyReplica,
    ScriptFailed,
    ScriptFromMaster,
    ScriptHasWritten,
    ScriptRecursion,
    StaleInScript,
    UnknownCommandInScript,
    WriteInReadOnlyScript,
    WrongArityInScript,
)
from ..registry.flags import (
    DENYOOM,
    GATE_ACL,
    GATE_BUSY,
    GATE_CLUSTER,
    GATE_DISK,
    GATE_MEMORY,
    GATE_MONITORED,
    GATE_PROFILE,
    GATE_READONLY,
    GATE_REPLICAS,
    GATE_STALE,
    MAY_REPLICATE,
    NOSCRIPT,
    WRITE,
)
from ..resp import resp2, resp3
from ..resp.encode import encode_error
from .shebang import ALLOW_CROSS_SLOT, ALLOW_OOM, COMPAT, NO_WRITES

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..registry.command import Argv, Command
    from ..resp.wire import Wire
    from .runtime import Runtime

KILLED: Final = b"ERR Script killed by user with SCRIPT KILL..."
SHUT_DOWN: Final = b"ERR Script aborted because the server shuts down"
LOAD_TIMED_OUT: Final = b"ERR FUNCTION LOAD timeout"

_RIGHTS: Final = GATE_ACL | GATE_PROFILE
_REFUSING: Final = (
    _RIGHTS | GATE_STALE | GATE_READONLY | GATE_DISK | GATE_REPLICAS | GATE_MEMORY | GATE_MONITORED | GATE_CLUSTER
)


class Unit:
    """What can run: a script by its SHA1, or a function by its name."""

    __slots__ = ("allow_oom", "compat", "flags", "name", "of_function", "read_only")

    def __init__(self, name: bytes, flags: int, *, of_function: bool) -> None:
        self.name = name
        self.flags = flags
        self.of_function = of_function
        self.compat = bool(flags & COMPAT)
        self.read_only = bool(flags & NO_WRITES)
        self.allow_oom = bool(flags & ALLOW_OOM)


class Session:
    """The host of a server's interpreters.  At most one script runs at a time.

    Commands of scripts run on a client of their own, whose database, user and protocol are set anew for
    each script.
    """

    __slots__ = (
        "_abandoned", "_busy", "_commands", "_disturbed", "_killed", "_load_deadline", "_monotonic_ns", "_propagation",
        "_read_only", "_started", "argv", "caller", "client", "dirty", "refused", "server", "unit", "wire",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self.server = server
        self._commands = server.commands
        self._propagation = server.propagation
        self.client = Client(server, internal=True)
        self.client.can_block = False
        self.client.script = self
        self.wire: Wire = resp2
        self.caller: Client | None = None
        """Who called the running script; None while none runs."""
        self.argv: Argv = []
        """The command of the caller."""
        self.unit = Unit(b"", 0, of_function=False)
        """The running script or function, or the last one."""
        self.dirty = False
        """Whether it has written."""
        self.refused = False
        """Set when a command is refused, for the debugger."""
        self._read_only = False
        self._monotonic_ns = server.clock.monotonic_ns
        self._busy = self._killed = self._abandoned = self._disturbed = False
        self._started = 0
        self._load_deadline = 0

    # --- a run ----------------------------------------------------------------------------------------

    def run(
        self, runtime: Runtime, key: bytes | int, caller: Client, argv: Argv, keys: int, unit: Unit, read_only: bool
    ) -> Any:
        """Run *unit*, which *runtime* knows as *key*, for *caller*, whose command is *argv*."""
        if self.caller is not None:
            raise ScriptRecursion
        self.caller = caller
        self.wire = caller.wire
        self.argv = argv
        self.unit = unit
        self._read_only = read_only or unit.read_only
        self.dirty = False
        self._started = self._monotonic_ns()
        client = self.client
        client.db = caller.db
        client.wire = resp2
        client.user = caller.user
        client.gate = caller.gate & _RIGHTS
        client.tracking = caller.tracking
        client.in_exec = caller.in_exec
        try:
            return runtime.run(key, argv[3:], keys)
        finally:
            self.caller = None
            if self._disturbed:
                self._recover()

    def _recover(self) -> None:
        """Undo what is not usual for a script to do, or to happen to it (scriptResetRun)."""
        self._disturbed = self._killed = False
        self._propagation.targets = EVERYWHERE
        if self._busy:
            self._leave_busy()
        if self._abandoned:
            self._propagation.pending.clear()

    def set_load_deadline(self, milliseconds: int) -> None:
        """A library is about to load and may take that long; 0: as long as it likes, or it is over."""
        self._load_deadline = self.server.clock.monotonic_ns() + milliseconds * 1_000_000 if milliseconds else 0

    @property
    def running(self) -> bool:
        """Whether a script runs."""
        return self.caller is not None

    @property
    def duration_ms(self) -> int:
        """For how long the script has been running."""
        return (self._monotonic_ns() - self._started) // 1_000_000

    @property
    def busy_error(self) -> CommandError:
        """What clients are told while the script runs for too long."""
        return BusyFunction() if self.unit.of_function else BusyScript()

    # --- what the interpreter calls: see host.ScriptHost --------------------------------------------------

    def execute(self, argv: Argv) -> bytes:
        command = self._commands.get(argv[0])
        if command is None or command.subcommands is not None:
            command = self._find(argv)
            if command is None:
                return self._refuse(None, UnknownCommandInScript())
        if not command.least <= len(argv) <= command.most:
            return self._refuse(command, WrongArityInScript())
        client, flags = self.client, command.flags
        if flags & NOSCRIPT and not self.server.allow_denied_in_scripts:
            return self._refuse(command, NotAllowedInScript())
        if self._read_only or (self.server.gate | client.gate) & command.gates & _REFUSING:
            try:
                self._check(command, argv)
            except CommandError as error:
                return self._refuse(command, error)
        if flags & WRITE:
            self.dirty = True
        reply = call(client, command, argv)
        propagation = self._propagation
        if propagation.wrote or propagation.explicit:
            collect(client, argv)
        return reply if reply is not None else client.wire.null

    def set_resp(self, version: int) -> None:
        self.client.wire = resp3 if version == 3 else resp2

    def set_repl(self, flags: int) -> None:
        self._disturbed = True
        self._propagation.targets = flags

    def log(self, level: int, message: bytes) -> None:
        self.server.log.write(level, message.decode("utf-8", "surrogateescape"))

    def acl_check(self, argv: Argv) -> bool | None:
        command = self._find(argv)
        return None if command is None else check(self.client.user, command, argv)[0] is Denial.NONE

    def count_error(self, line: bytes) -> None:
        self.server.count_error(ScriptFailed(line[1:].rstrip(b"\r\n")))

    def report_bug(self, error: BaseException) -> bytes:
        self.server.log.warning(f"Bug: a function for scripts raised {error!r}", exc=error)
        return b"ERR internal error: %b" % type(error).__name__.encode()

    def checkpoint(self) -> bytes | None:
        if self.caller is None:
            expired = self._load_deadline and self.server.clock.monotonic_ns() > self._load_deadline
            return LOAD_TIMED_OUT if expired else None
        if not self._busy:
            threshold = self.server.config.busy_reply_threshold
            if not threshold or self.duration_ms < threshold:
                return None
            self._enter_busy()
        self._serve_others()
        if self._abandoned:
            return SHUT_DOWN
        if not self._killed:
            return None
        self.server.log.notice("Lua script killed by user with SCRIPT KILL.")
        return KILLED

    # --- refusals -------------------------------------------------------------------------------------------

    def _find(self, argv: Argv) -> Command | None:
        """The command or subcommand in any case; None if there is none (lookupCommand)."""
        command = self._commands.get(argv[0].lower())
        if command is None or command.subcommands is None or len(argv) == 1:
            return command
        return command.subcommands.get(argv[1].lower())

    def _refuse(self, command: Command | None, error: CommandError) -> bytes:
        self.refused = True
        if command is not None:
            command.rejected += 1
        self.server.count_error(error)
        return encode_error(error)

    def _check(self, command: Command, argv: Argv) -> None:
        """Raise what forbids *command* in this script, in the order of scriptCall."""
        server, client = self.server, self.client
        gate = (server.gate | client.gate) & command.gates
        if gate & GATE_STALE:
            raise StaleInScript
        if gate & _RIGHTS:
            try:
                server.acl.check_or_raise(client, command, argv)
            except CommandError as error:
                raise NoPermissionInScript(error) from None
        if self._read_only and command.flags & (WRITE | MAY_REPLICATE):
            raise WriteInReadOnlyScript
        if not self.dirty:
            self._check_state(command, gate)
        if gate & GATE_CLUSTER and self.caller is not None and not self.obeyed:
            crosses = bool(self.unit.flags & (COMPAT | ALLOW_CROSS_SLOT))
            server.cluster.routing.check_in_script(client, self.caller, command, argv, crosses=crosses)
        if gate & GATE_MONITORED:
            server.monitoring.feed(client, argv)

    def _check_state(self, command: Command, gate: int) -> None:
        """What cannot stop a script any more once it has written."""
        server, obeyed = self.server, self.obeyed
        if command.flags & WRITE:
            if gate & GATE_READONLY and not obeyed:
                raise ReadOnlyReplica
            if gate & GATE_DISK:
                server.raise_disk_error()
            if gate & GATE_REPLICAS:
                raise NoReplicas
        full = gate & GATE_MEMORY and server.was_out_of_memory
        if full and command.flags & DENYOOM and not obeyed and not self.unit.allow_oom:
            raise OutOfMemory

    @property
    def obeyed(self) -> bool:
        """Whether the script comes from where commands are not refused: a leader, the AOF."""
        caller = self.caller
        return caller is not None and (caller.internal or caller.is_master)

    # --- running for too long ---------------------------------------------------------------------------

    def _enter_busy(self) -> None:
        kill = "FUNCTION KILL" if self.unit.of_function else "SCRIPT KILL"
        name = self.unit.name.decode("utf-8", "surrogateescape")
        self.server.log.warning(
            f"Slow script detected: still in execution after {self.duration_ms} milliseconds. "
            f"You can try killing the script using the {kill} command. Script name is: {name}."
        )
        self._busy = self._disturbed = True
        self.server.busy_text = self.busy_error.message
        self.server.restrict(GATE_BUSY)

    def _leave_busy(self) -> None:
        self._busy = False
        self.server.busy_text = None
        self.server.restrict(GATE_BUSY, False)
        if self.server.blocked_service is not None:
            self.server.blocked_service.stop()

    def _serve_others(self) -> None:
        """Let other clients be answered; nothing they do may end what the script has begun."""
        server, propagation = self.server, self._propagation
        if server.blocked_service is None:
            return
        saved = (server.now, server.unsettled, server.serving, server.pushes)
        pending, wrote, explicit = propagation.pending, propagation.wrote, propagation.explicit
        targets = propagation.targets
        server.unsettled, server.serving, server.pushes = False, True, []
        propagation.pending, propagation.wrote, propagation.explicit = [], False, False
        propagation.targets = EVERYWHERE
        try:
            server.blocked_service.serve(self.caller)
        finally:
            server.now, server.unsettled, server.serving, server.pushes = saved
            propagation.pending, propagation.wrote, propagation.explicit = pending, wrote, explicit
            propagation.targets = targets

    def kill(self, *, of_function: bool) -> None:
        """SCRIPT KILL or FUNCTION KILL; raises why it is not possible (scriptKill)."""
        if self.caller is None:
            raise NoRunningScript
        if self.obeyed:
            raise ScriptFromMaster
        if self.dirty:
            raise ScriptHasWritten
        if self.unit.of_function != of_function:
            raise self.busy_error
        self._killed = True

    def abandon(self) -> None:
        """The server stops: end the running script at its next checkpoint, even one that has written."""
        self._abandoned = self._disturbed = self.caller is not None
