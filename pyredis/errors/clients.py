"""Error replies about connections: logging in, HELLO, CLIENT, tracking."""

from __future__ import annotations

from .base import CommandError

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


class ProtocolNotInteger(CommandError):
    message = "Protocol version is not an integer or out of range"


class UnknownHelloOption(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Syntax error in HELLO option '%b'" % name)


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


class ClientIdNotPositive(CommandError):
    message = "client-id should be greater than 0"


class UnknownUnblockReason(CommandError):
    message = "CLIENT UNBLOCK reason should be TIMEOUT or ERROR"


class UnknownPauseMode(CommandError):
    message = "CLIENT PAUSE mode must be WRITE or ALL"


class UnknownClientAttribute(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unrecognized option '%b'" % name)


class InvalidClientAttribute(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"%b cannot contain spaces, newlines or special characters." % name)


# --- CLIENT TRACKING, CLIENT CACHING --------------------------------------------------------------


class SecondRedirect(CommandError):
    message = "A client can only redirect to a single other client"


class NoRedirectTarget(CommandError):
    message = "The client ID you want redirect to does not exist"


class PrefixWithoutBcast(CommandError):
    message = "PREFIX option requires BCAST mode to be enabled"


class OptionsWithBcast(CommandError):
    message = "OPTIN and OPTOUT are not compatible with BCAST"


class OptinAndOptout(CommandError):
    message = "You can't specify both OPTIN mode and OPTOUT mode"


class CachingWithoutOptin(CommandError):
    message = "CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."


class CachingWithoutOptout(CommandError):
    message = "CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."


class SwitchOfBcast(CommandError):
    message = (
        "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling "
        "it with a different mode."
    )


class SwitchOfOptin(CommandError):
    message = (
        "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling "
        "it with a different mode."
    )


class CachingWithoutTracking(CommandError):
    message = "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
