"""Error replies of persistence, shutdown, DEBUG and introspection."""

from __future__ import annotations

from .base import CommandError, printed

# --- shutdown -------------------------------------------------------------------------------------


class ShutdownFailed(CommandError):
    message = "Errors trying to SHUTDOWN. Check logs."


class NoShutdown(CommandError):
    message = "No shutdown in progress."


class ShutdownDenied(CommandError):
    message = "SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client"


# --- persistence ----------------------------------------------------------------------------------


class SaveInProgress(CommandError):
    message = "Background save already in progress"


class RewriteInProgress(CommandError):
    message = "Background append only file rewriting already in progress"


class OtherChildActive(CommandError):
    message = (
        "Another child process is active (AOF?): can't BGSAVE right now. "
        "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
    )


class BackupsOff(CommandError):
    message = "Backups are off: set backup-dir"


class BackupInProgress(CommandError):
    message = "Background backup already in progress"


class RewriteRefused(CommandError):
    message = "Can't execute an AOF background rewriting. Please check the server logs for more information."


class Failed(CommandError):
    """shared.err: something failed, and the log says what."""

    code, message = "ERR", ""


class ReloadOptions(CommandError):
    message = "DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."


class ReloadFailed(CommandError):
    message = "Error trying to load the RDB dump, check server logs."


class LoadAofFailed(CommandError):
    message = "Error trying to load the AOF files, check server logs."


# --- DEBUG ----------------------------------------------------------------------------------------


class InvalidListpackThreshold(CommandError):
    message = "argument must be a memory value bigger than 1 and smaller than 4gb"


class NoSuchDatabase(CommandError):
    message = "Out of range database"


class NotAHashTable(CommandError):
    message = "The value stored at the specified key is not represented using an hash table"


class NeedsResp3(CommandError):
    message = "RESP2 is not supported by this command"


class UnknownProtocolType(CommandError):
    message = (
        "Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
    )


# --- SLOWLOG, LATENCY, MODULE, MONITOR, COMMAND, MEMORY -------------------------------------------


class NegativeSlowlogCount(CommandError):
    message = "count should be greater than or equal to -1"


class NoLatencySamples(CommandError):
    def __init__(self, event: bytes) -> None:
        super().__init__(b"No samples available for event '%b'" % printed(event))


class ModuleNotLoaded(CommandError):
    message = "Error loading the extension. Please check the server logs."


class ModuleUnknown(CommandError):
    message = "Error unloading module: no such module with that name"


class MonitorDenied(CommandError):
    message = "MONITOR isn't allowed for DENY BLOCKING client"


class NoSuchCommand(CommandError):
    message = "Invalid command specified"


class CommandWithoutKeys(CommandError):
    message = "The command has no key arguments"


class WrongNumberForCommand(CommandError):
    message = "Invalid number of arguments specified for command"


class WrongArgumentsForCommand(CommandError):
    message = "Invalid arguments specified for command"


class PurgeFailed(CommandError):
    message = "Error purging dirty pages"
