"""The scripts and function libraries of one server (eval.c, functions.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..errors import (
    BadNumberOfKeys,
    CommandError,
    DebugWithSha,
    FunctionNotFound,
    MasterDown,
    NegativeKeysGiven,
    NoReplicas,
    NoScript,
    ScriptCannotPersist,
    ScriptFailed,
    ScriptNotCompiled,
    ScriptNotInCluster,
    ScriptNotReadOnly,
    ScriptNotStale,
    ScriptOnReadOnlyReplica,
    ScriptOutOfMemory,
    TooManyKeysGiven,
)
from ..registry.command import Handler
from ..registry.flags import (
    DENYOOM,
    GATE_DISK,
    GATE_MEMORY,
    GATE_READONLY,
    GATE_REPLICAS,
    GATE_STALE,
    MAY_REPLICATE,
    STALE,
    WRITE,
)
from ..resp.encode import bulk, encode_error
from ..util.numbers import parse_int, parse_int_or_none
from .api import sha1hex
from .conversion import result_to_reply
from .debugging import Debugging
from .functions import FunctionsRuntime, Libraries
from .libraries.prng import Prng
from .outcome import failure_line
from .runtime import Runtime
from .session import Session, Unit
from .shebang import ALLOW_OOM, ALLOW_STALE, COMPAT, NO_CLUSTER, NO_WRITES, script_flags

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.server import Server
    from ..registry.command import Argv, Command, Reply

LOAD_TIMEOUT_MS: Final = 500
SHA_LENGTH: Final = 40
_SCRIPT_OVERHEAD: Final = 200
"""Bytes a cached script takes besides its text, about."""
_ERROR: Final = ord("-")
_SMALL_COUNTS: Final = {b"%d" % n: n for n in range(64)}


class Scripting:
    """``server.scripting``.  The interpreters start with the first script and the first library."""

    __slots__ = (
        "_bodies_size", "_functions_runtime", "_prng", "_runtime", "_server", "debugging", "libraries", "scripts",
        "session",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server = server
        self.session = Session(server)
        self.scripts: dict[bytes, Unit] = {}
        """By lower-case SHA1."""
        self._bodies_size = 0
        self._prng = Prng()
        self._runtime: Runtime | None = None
        self._functions_runtime: FunctionsRuntime | None = None
        self.libraries = Libraries(self._start_functions)
        self.debugging = Debugging(server, self)

    def install(self) -> None:
        """Plug everything in."""
        server = self._server
        server.scripting = self
        server.script_flags = self.command_flags
        server.script_memory = self.memory
        server.library_sources = lambda: [library.code for library in self.libraries.by_name.values()]
        server.load_library = self._load_from_file
        server.drop_libraries = self.libraries.clear
        server.shutdown.steps.append(lambda flags: self.session.abandon())
        self.debugging.install()

    # --- the cache of EVAL ----------------------------------------------------------------------------

    def load(self, body: bytes) -> Unit:
        """The script of that text, compiled if it is new.  Raises ScriptNotCompiled and shebang errors."""
        sha = sha1hex(body)
        return self.scripts.get(sha) or self._compile(sha, body)

    def _compile(self, sha: bytes, body: bytes) -> Unit:
        flags, start = script_flags(body)
        runtime = self._runtime
        if runtime is None:
            runtime = self._runtime = Runtime(self.session, self._prng)
        problem = runtime.compile(sha, body[start:])
        if problem is not None:
            raise ScriptNotCompiled(problem)
        script = self.scripts[sha] = Unit(sha, flags, of_function=False)
        self._bodies_size += len(body) + _SCRIPT_OVERHEAD
        return script

    def flush(self, *, asynchronous: bool) -> None:
        """SCRIPT FLUSH."""
        self.scripts.clear()
        self._bodies_size = 0
        if self._runtime is not None:
            self._runtime.clear(collect=not asynchronous)

    # --- running ---------------------------------------------------------------------------------------

    def eval(self, client: Client, argv: Argv, read_only: bool) -> Reply:
        """EVAL and EVAL_RO."""
        debugging = self.debugging
        if debugging.modes and client.id in debugging.modes:
            return debugging.eval(client, argv, read_only)
        keys = _SMALL_COUNTS.get(argv[2])
        if keys is None or keys > len(argv) - 3:
            keys = _check_count(argv, parse_int(argv[2]))
        script = self.load(argv[1])
        assert self._runtime is not None
        return self._run(client, argv, script, self._runtime, script.name, keys, read_only)

    def eval_with(self, start: Callable[[Prng], Runtime], client: Client, argv: Argv, read_only: bool) -> bytes:
        """EVAL in an interpreter of its own, which *start* starts.  Raises CommandError."""
        keys = _check_count(argv, parse_int(argv[2]))
        flags, offset = script_flags(argv[1])
        sha = sha1hex(argv[1])
        runtime = start(self._prng)
        problem = runtime.compile(sha, argv[1][offset:])
        if problem is not None:
            raise ScriptNotCompiled(problem)
        return self._run(client, argv, Unit(sha, flags, of_function=False), runtime, sha, keys, read_only)

    def evalsha(self, client: Client, argv: Argv, read_only: bool) -> bytes:
        """EVALSHA and EVALSHA_RO."""
        if self.debugging.modes and client.id in self.debugging.modes:
            raise DebugWithSha
        script = self.scripts.get(argv[1])
        if script is None and len(argv[1]) != SHA_LENGTH:
            raise NoScript
        keys = _SMALL_COUNTS.get(argv[2])
        if keys is None or keys > len(argv) - 3:
            keys = _check_count(argv, parse_int(argv[2]))
        if script is None:
            script = self.scripts.get(argv[1].lower())
            if script is None:
                raise NoScript
        assert self._runtime is not None
        return self._run(client, argv, script, self._runtime, script.name, keys, read_only)

    def fcall(self, client: Client, argv: Argv, read_only: bool) -> bytes:
        """FCALL and FCALL_RO."""
        function = self.libraries.by_function.get(argv[1].lower())
        if function is None:
            raise FunctionNotFound
        keys = _SMALL_COUNTS.get(argv[2])
        if keys is None or keys > len(argv) - 3:
            keys = parse_int_or_none(argv[2])
            if keys is None:
                raise BadNumberOfKeys
            _check_count(argv, keys)
        runtime = self._functions_runtime or self._start_functions()
        return self._run(client, argv, function.unit, runtime, function.number, keys, read_only)

    def _run(
        self, client: Client, argv: Argv, unit: Unit, runtime: Runtime, key: bytes | int, keys: int, read_only: bool
    ) -> bytes:
        """Run what *runtime* knows as *key*; the reply."""
        if not unit.compat:
            self._check_flags(client, unit.flags, read_only)
        elif self._server.gate & GATE_STALE:
            raise MasterDown
        result = self.session.run(runtime, key, client, argv, keys, unit, read_only)
        kind = result.__class__
        if kind is bytes:
            return bulk(result)
        if kind is not tuple:
            return result_to_reply(result, client.wire, runtime.script_resp)
        return self._finish(argv, result, unit.name)

    def _finish(self, argv: Argv, result: tuple[Any, ...], name: bytes) -> bytes:
        """The reply for a table or an error."""
        if result[0]:
            reply: bytes = result[1]
            if reply[0] == _ERROR:
                self._server.resolve(None, argv).failed += 1
            return reply
        error = ScriptFailed(failure_line(result, name))
        if not result[1]:
            self._server.count_error(error)
        self._server.resolve(None, argv).failed += 1
        return encode_error(error)

    def _check_flags(self, client: Client, flags: int, read_only: bool) -> None:
        """Raise what forbids to run a script that declares *flags* (scriptPrepareForRun)."""
        server = self._server
        gate, obeyed = server.gate, client.internal or client.is_master
        if flags & NO_CLUSTER and server.cluster is not None:
            raise ScriptNotInCluster
        if gate & GATE_STALE and not flags & ALLOW_STALE:
            raise ScriptNotStale
        if not flags & NO_WRITES:
            if gate & GATE_READONLY and not obeyed:
                raise ScriptOnReadOnlyReplica
            if gate & GATE_DISK and not obeyed:
                raise ScriptCannotPersist
            if read_only:
                raise ScriptNotReadOnly
            if gate & GATE_REPLICAS:
                raise NoReplicas
        if gate & GATE_MEMORY and server.was_out_of_memory and not flags & (ALLOW_OOM | NO_WRITES):
            raise ScriptOutOfMemory

    def command_flags(self, client: Client, command: Command, argv: Argv) -> int:
        """The flags of *command* as the script that it runs makes them (scriptFlagsToCmdFlags)."""
        find = FLAG_FINDERS.get(command.handler)
        declared = find(self, argv[1]) if find is not None else None
        if declared is None or declared & COMPAT:
            return command.flags
        flags = command.flags & ~(STALE | DENYOOM | WRITE | MAY_REPLICATE)
        if not declared & (ALLOW_OOM | NO_WRITES):
            flags |= DENYOOM
        if not declared & NO_WRITES:
            flags |= WRITE
        if declared & ALLOW_STALE:
            flags |= STALE
        return flags

    # --- libraries ---------------------------------------------------------------------------------------

    def _start_functions(self) -> FunctionsRuntime:
        runtime = self._functions_runtime
        if runtime is None:
            runtime = self._functions_runtime = FunctionsRuntime(self.session, self._prng)
        return runtime

    def load_library(self, code: bytes, *, replace: bool, into: Libraries | None = None, timeout: bool = True) -> bytes:
        """Take in a library; its name.  Raises why it is refused."""
        session = self.session
        session.set_load_deadline(LOAD_TIMEOUT_MS if timeout else 0)
        try:
            return (into or self.libraries).load(code, replace=replace).name
        finally:
            session.set_load_deadline(0)

    def new_libraries(self) -> Libraries:
        """An empty set of libraries, which may be joined with or take the place of the present one."""
        return Libraries(self._start_functions)

    def _load_from_file(self, code: bytes, replace: bool) -> str | None:
        try:
            self.load_library(code, replace=replace, timeout=False)
        except CommandError as error:
            return error.message
        return None

    # --- INFO ----------------------------------------------------------------------------------------------

    def memory(self) -> dict[str, int]:
        """Sizes and numbers for INFO and MEMORY STATS."""
        libraries = self.libraries
        functions_size = sum(len(library.code) for library in libraries.by_name.values())
        return {
            "vm_eval": self._runtime.used_memory if self._runtime is not None else 0,
            "scripts_eval": self._bodies_size,
            "cached_scripts": len(self.scripts),
            "functions": len(libraries.by_function),
            "libraries": len(libraries.by_name),
            "vm_functions": self._functions_runtime.used_memory if self._functions_runtime is not None else 0,
            "functions_memory": functions_size + _SCRIPT_OVERHEAD * len(libraries.by_function),
        }


FLAG_FINDERS: dict[Handler, Callable[[Scripting, bytes], int | None]] = {}
"""By handler of a command that runs scripts: finds the flags of the one it names, None if there is none."""


def find_body_flags(scripting: Scripting, body: bytes) -> int | None:
    """For EVAL."""
    try:
        return script_flags(body)[0]
    except CommandError:
        return None


def find_sha_flags(scripting: Scripting, sha: bytes) -> int | None:
    """For EVALSHA."""
    script = scripting.scripts.get(sha.lower())
    return None if script is None else script.flags


def find_function_flags(scripting: Scripting, name: bytes) -> int | None:
    """For FCALL."""
    function = scripting.libraries.by_function.get(name.lower())
    return None if function is None else function.flags


def _check_count(argv: Argv, keys: int) -> int:
    if keys > len(argv) - 3:
        raise TooManyKeysGiven
    if keys < 0:
        raise NegativeKeysGiven
    return keys


def install(server: Server) -> Scripting:
    """Give *server* its scripts and functions."""
    scripting = Scripting(server)
    scripting.install()
    return scripting
