"""Error replies of persistence, replication, the cluster, shutdown and introspection."""

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


# --- cluster --------------------------------------------------------------------------------------


class ClusterDisabled(CommandError):
    message = "This instance has cluster support disabled"


# --- replication ----------------------------------------------------------------------------------


class NoMasterLink(CommandError):
    code = "NOMASTERLINK"


class SyncWithPendingOutput(CommandError):
    message = "SYNC and PSYNC are invalid with pending output"


class FilteredReplicaNeedsEof(CommandError):
    message = "Filtered replica requires EOF capability"


class BgsaveForSyncFailed(CommandError):
    message = "BGSAVE failed, replication can't continue"


class ReplicaCannotWait(CommandError):
    message = (
        "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is "
        "configured to be writable (which is not the default) writes to replicas are just local and are not "
        "propagated."
    )


class ReplicaCannotWaitAof(CommandError):
    message = (
        "WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local "
        "and are not propagated."
    )


class WaitAofWithoutAof(CommandError):
    message = "WAITAOF cannot be used when numlocal is set but appendonly is disabled."


# --- SLOWLOG, LATENCY, MODULE ---------------------------------------------------------------------


class NegativeSlowlogCount(CommandError):
    message = "count should be greater than or equal to -1"


class NoLatencySamples(CommandError):
    def __init__(self, event: bytes) -> None:
        super().__init__(b"No samples available for event '%b'" % printed(event))


class ModuleNotLoaded(CommandError):
    message = "Error loading the extension. Please check the server logs."


class ModuleUnknown(CommandError):
    message = "Error unloading module: no such module with that name"
