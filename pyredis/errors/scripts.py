"""Error replies of scripts and functions."""

from __future__ import annotations

from .base import CommandError
from .refusals import BusyScript


class ScriptFailed(CommandError):
    """A script ended with the error reply *line* (``CODE text``), or cannot be run at all."""

    def __init__(self, line: bytes) -> None:
        code, space, message = line.partition(b" ")
        super().__init__(message if space else line)
        self.code = code.decode("utf-8", "surrogateescape") if space and len(code) < 32 else "ERR"
        self._line = line.decode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        return self._line


class NoScript(CommandError):
    code, message = "NOSCRIPT", "No matching script. Please use EVAL."


class ScriptNotCompiled(CommandError):
    def __init__(self, problem: bytes) -> None:
        super().__init__(b"Error compiling script (new function): " + problem)


class TooManyKeysGiven(CommandError):
    message = "Number of keys can't be greater than number of args"


class NegativeKeysGiven(CommandError):
    message = "Number of keys can't be negative"


class BadNumberOfKeys(CommandError):
    message = "Bad number of keys provided"


class InvalidScriptShebang(CommandError):
    message = "Invalid script shebang"


class InvalidScriptEngine(CommandError):
    message = "Invalid engine in script shebang"


class UnexpectedScriptEngine(CommandError):
    def __init__(self, engine: bytes) -> None:
        super().__init__(b"Unexpected engine in script shebang: " + engine)


class UnexpectedScriptFlag(CommandError):
    def __init__(self, flag: bytes) -> None:
        super().__init__(b"Unexpected flag in script shebang: " + flag)


class UnknownScriptOption(CommandError):
    def __init__(self, option: bytes) -> None:
        super().__init__(b"Unknown lua shebang option: " + option)


class ScriptNotInCluster(CommandError):
    message = "Can not run script on cluster, 'no-cluster' flag is set."


class ScriptNotStale(CommandError):
    code = "MASTERDOWN"
    message = (
        "Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on "
        "the script."
    )


class ScriptOnReadOnlyReplica(CommandError):
    code, message = "READONLY", "Can not run script with write flag on readonly replica"


class ScriptCannotPersist(CommandError):
    code = "MISCONF"
    message = (
        "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts "
        "are blocked. Use 'no-writes' flag for read only scripts."
    )


class ScriptNotReadOnly(CommandError):
    message = "Can not execute a script with write flag using *_ro command."


class ScriptOutOfMemory(CommandError):
    code = "OOM"
    message = "allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"


class ScriptRecursion(CommandError):
    message = "A script is already running"


class NoRunningScript(CommandError):
    code, message = "NOTBUSY", "No scripts in execution right now."


class ScriptFromMaster(CommandError):
    code = "UNKILLABLE"
    message = "The busy script was sent by a master instance in the context of replication and cannot be killed."


class ScriptHasWritten(CommandError):
    code = "UNKILLABLE"
    message = (
        "Sorry the script already executed write commands against the dataset. You can either wait the script "
        "termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
    )


class BusyFunction(BusyScript):
    message = "Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."


class ScriptFlushOption(CommandError):
    message = "SCRIPT FLUSH only support SYNC|ASYNC option"


class ScriptDebugOption(CommandError):
    message = "Use SCRIPT DEBUG YES/SYNC/NO"


class DebugInPipeline(CommandError):
    message = "SCRIPT DEBUG must be called outside a pipeline"


class DebugWithSha(CommandError):
    message = "Please use EVAL instead of EVALSHA for debugging"


class CannotDebugHere(CommandError):
    """Our own: a TLS connection, or none at all."""

    message = "Debugging needs a connection without TLS"


class CannotForkDebugger(CommandError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"Fork() failed: can't run EVAL in debugging mode: {reason}")


class FunctionFlushOption(CommandError):
    message = "FUNCTION FLUSH only supports SYNC|ASYNC option"


class FunctionNotFound(CommandError):
    message = "Function not found"


class LibraryNotFound(CommandError):
    message = "Library not found"


class LibraryMetadataMissing(CommandError):
    message = "Missing library metadata"


class InvalidLibraryMetadata(CommandError):
    message = "Invalid library metadata"


class UnknownLibraryMetadata(CommandError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Invalid metadata value given: " + word)


class LibraryNameRepeated(CommandError):
    message = "Invalid metadata value, name argument was given multiple times"


class LibraryNameMissing(CommandError):
    message = "Library name was not given"


class InvalidLibraryName(CommandError):
    message = (
        "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
    )


class FunctionEngineMissing(CommandError):
    def __init__(self, engine: bytes) -> None:
        super().__init__(b"Engine '%b' not found" % engine)


class LibraryExists(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Library '%b' already exists" % name)


class LibraryExistsAlready(CommandError):
    """The same in FUNCTION RESTORE, without quotes."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"Library %b already exists" % name)


class FunctionExists(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Function %b already exists" % name)


class NoFunctionsRegistered(CommandError):
    message = "No functions registered"


class LibraryRejected(CommandError):
    """*problem*: what its compilation or its load run said."""


class FunctionCodeMissing(CommandError):
    message = "Function code is missing"


class UnknownFunctionOption(CommandError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Unknown option given: " + word)


class UnknownFunctionArgument(CommandError):
    def __init__(self, word: bytes) -> None:
        super().__init__(b"Unknown argument " + word)


class LibraryPatternMissing(CommandError):
    message = "library name argument was not given"


class WrongRestorePolicy(CommandError):
    message = "Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."


class NotAFunction(CommandError):
    message = "given type is not a function"


class EarlyFunctionFormat(CommandError):
    message = "Pre-GA function format not supported"


class BadLibraryPayload(CommandError):
    message = "Failed loading library payload"


class UnknownCommandInScript(CommandError):
    message = "Unknown Redis command called from script"


class WrongArityInScript(CommandError):
    message = "Wrong number of args calling Redis command from script"


class NotAllowedInScript(CommandError):
    message = "This Redis command is not allowed from script"


class StaleInScript(CommandError):
    message = "Can not execute the command on a stale replica"


class NoPermissionInScript(CommandError):
    def __init__(self, reason: CommandError) -> None:
        super().__init__(f"ACL failure in script: {reason.message}")


class WriteInReadOnlyScript(CommandError):
    message = "Write commands are not allowed from read-only scripts."
