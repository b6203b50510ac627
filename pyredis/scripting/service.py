"""Scripts and functions of one server: which there are, which one runs, and what it may do (script.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..acl.check import Denial, check
from ..effects.propagation import EVERYWHERE
from ..engine.client import Client
from ..engine.dispatch import call, collect
from ..errors import (
    BusyFunction,
    BusyScript,
    CommandError,
    MasterDown,
    NoReplicas,
    NoRunningScript,
    NoScript,
    ScriptCannotPersist,
    ScriptFailed,
    ScriptFromMaster,
    ScriptHasWritten,
    ScriptNotCompiled,
    ScriptNotReadOnly,
    ScriptNotStale,
    ScriptOnReadOnlyReplica,
    ScriptOutOfMemory,
    ScriptRecursion,
)
from ..registry.flags import (
    DENYOOM,
    GATE_ACL,
    GATE_BUSY,
    GATE_DISK,
    GATE_MEMORY,
    GATE_READONLY,
    GATE_REPLICAS,
    GATE_STALE,
    MAY_REPLICATE,
    STALE,
    WRITE,
)
from ..resp import resp2, resp3
from ..resp.encode import encode_error
from .access import CommandAccess
from .api import sha1hex
from .conversion import result_to_reply
from .functions import Function, FunctionsRuntime, Libraries
from .libraries.prng import Prng
from .outcome import failure_line
from .runtime import Runtime
from .shebang import ALLOW_OOM, ALLOW_STALE, COMPAT, NO_WRITES, script_flags

if TYPE_CHECKING:
    from ..engine.server import Server
    from ..registry.command import Argv, Command
    from ..resp.wire import Wire

LOAD_TIMEOUT_MS: Final = 500
KILLED: Final = b"ERR Script killed by user with SCRIPT KILL..."
SHUT_DOWN: Final = b"ERR The server is shutting down"
LOAD_TIMED_OUT: Final = b"ERR FUNCTION LOAD timeout"


class Script:
    """A script of the cache."""

    __slots__ = ("body", "flags", "sha")

    def __init__(self, sha: bytes, body: bytes, flags: int) -> None:
        self.sha = sha
        self.body = body
        self.flags = flags


class Run:
    """One run of a script or function."""

    __slots__ = ("allow_oom", "argv", "busy", "caller", "dirty", "killed", "name", "of_function", "read_only", "started")
