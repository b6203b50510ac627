"""Refusals before a command runs; of connections, transactions, rights and blocking."""

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


# --- connection -----------------------------------------------------------------------------------


class UnsupportedProtocol(CommandError):
    code, message = "NOPROTO", "unsupported protocol version"


class HelloBeforeAuth(CommandError):
    code = "NOAUTH"
    message = (
        "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
        "option can be used to authenticate the client and select the RESP protocol version at the same time"
    )


class WrongPassword(CommandError):
    code, message = "WRONGPASS", "invalid username-password pair or user is disabled."


class AuthWithoutPassword(CommandError):
    message = (
        "AUTH <password> called without any password configured for the default user. "
        "Are you sure your configuration is correct?"
    )


class CannotReset(CommandError):
    message = "can only reset normal client connections"


class InvalidClientName(CommandError):
    message = "Client names cannot contain spaces, newlines or special characters."


# --- CLIENT ---------------------------------------------------------------------------------------


class OverlappingPrefix(CommandError):
    """A BCAST prefix would report keys that another one reports, too."""

    def __init__(self, prefix: bytes, other: bytes, which: str) -> None:
        super().__init__(
            b"Prefix '%b' overlaps with %b '%b'. Prefixes for a single client must not overlap."
            % (prefix, which.encode(), other)
        )


class InvalidClientId(CommandError):
    message = "Invalid client ID"


class NoSuchClient(CommandError):
    message = "No such client"


class UnknownClientType(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unknown client type '%b'" % name)


class NoSuchUser(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"No such user '%b'" % name)
