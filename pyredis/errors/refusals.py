"""Refusals before a command runs; of transactions, rights, subscriptions and blocking."""

from __future__ import annotations

from .base import CommandError

# --- refusals (server.c processCommand) -----------------------------------------------------------


class NoAuth(CommandError):
    code, message = "NOAUTH", "Authentication required."


class NoPermission(CommandError):
    code = "NOPERM"


class OutOfMemory(CommandError):
    code, message = "OOM", "command not allowed when used memory > 'maxmemory'."


class Loading(CommandError):
    code, message = "LOADING", "Redis is loading the dataset in memory"


class ReadOnlyReplica(CommandError):
    code, message = "READONLY", "You can't write against a read only replica."


class MasterDown(CommandError):
    code, message = "MASTERDOWN", "Link with MASTER is down and replica-serve-stale-data is set to 'no'."


class NoReplicas(CommandError):
    code, message = "NOREPLICAS", "Not enough good replicas to write."


class DiskError(CommandError):
    """MISCONF: the RDB or the AOF cannot be written and writes must stop."""

    code = "MISCONF"


class BusyScript(CommandError):
    code, message = "BUSY", "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."


class SubscribedMode(CommandError):
    """A RESP2 client in subscribed mode may only do a few things."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
            " are allowed in this context"
        )


class NotInMulti(CommandError):
    message = "Command not allowed inside a transaction"


# --- blocking -------------------------------------------------------------------------------------


class TimeoutNotFloat(CommandError):
    message = "timeout is not a float or out of range"


class TimeoutNotInteger(CommandError):
    message = "timeout is not an integer or out of range"


class TimeoutOutOfRange(CommandError):
    message = "timeout is out of range"


class NegativeTimeout(CommandError):
    message = "timeout is negative"


class Unblocked(CommandError):
    code, message = "UNBLOCKED", "client unblocked via CLIENT UNBLOCK"


class ForcedUnblock(CommandError):
    code = "UNBLOCKED"
    message = "force unblock from blocking operation, instance state changed (master -> replica?)"


# --- transactions ---------------------------------------------------------------------------------


class NestedMulti(CommandError):
    message = "MULTI calls can not be nested"


class DiscardWithoutMulti(CommandError):
    message = "DISCARD without MULTI"


class ExecWithoutMulti(CommandError):
    message = "EXEC without MULTI"


class WatchInsideMulti(CommandError):
    message = "WATCH inside MULTI is not allowed"


class ExecAborted(CommandError):
    code, message = "EXECABORT", "Transaction discarded because of previous errors."


# --- rights ---------------------------------------------------------------------------------------


class ProtectedCommand(CommandError):
    """DEBUG or MODULE without enable-debug-command or enable-module-command."""

    def __init__(self, name: str) -> None:
        name = name.partition("|")[0]
        super().__init__(
            f'{name.upper()} command not allowed. If the enable-{name}-command option is set to "local", '
            "you can run it from a local connection, otherwise you need to set this option in the "
            "configuration file, and then restart the server."
        )


class ReplicaKeyspaceAccess(CommandError):
    message = "Replica can't interact with the keyspace"


# --- pub/sub --------------------------------------------------------------------------------------


class SubscribeDenied(CommandError):
    """A client that expects one reply per command cannot subscribe."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} isn't allowed for a DENY BLOCKING client")
