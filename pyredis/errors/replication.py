"""Error replies of replication and FAILOVER."""

from __future__ import annotations

from .base import CommandError


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


class FailoverInProgress(CommandError):
    message = "FAILOVER already in progress."


class FailoverOfReplica(CommandError):
    message = "FAILOVER is not valid when server is a replica."


class FailoverWithoutReplicas(CommandError):
    message = "FAILOVER requires connected replicas."


class ForcedFailoverIncomplete(CommandError):
    message = "FAILOVER with force option requires both a timeout and target HOST and IP."


class FailoverTargetUnknown(CommandError):
    message = "FAILOVER target HOST and PORT is not a replica."


class FailoverTargetOffline(CommandError):
    message = "FAILOVER target replica is not online."


class NoFailover(CommandError):
    message = "No failover in progress."


class FailoverTimeoutNotPositive(CommandError):
    message = "FAILOVER timeout must be greater than 0"


class ReplicaofDuringFailover(CommandError):
    message = "REPLICAOF not allowed while failing over."


class PsyncFailoverToMaster(CommandError):
    message = "PSYNC FAILOVER can't be sent to a master."


class PsyncFailoverOfAnother(CommandError):
    message = "PSYNC FAILOVER replid must match my replid."


class NotForReplicas(CommandError):
    message = "Command is not valid when client is a replica."


class InvalidMasterPort(CommandError):
    message = "Invalid master port"


class NotZeroOrOne(CommandError):
    message = "value is out of range, must be between 0 and 1"


class NoRdbFilter(CommandError):
    message = "Missing rdb-filter-only values"


class UnknownRdbFilter(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unsupported rdb-filter-only option: %b" % name)


class UnknownReplconfOption(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unrecognized REPLCONF option: %b" % name)


class ReplicaAddressTooLong(CommandError):
    def __init__(self, size: int) -> None:
        super().__init__(f"REPLCONF ip-address provided by replica instance is too long: {size} bytes")
