"""The class of all error replies, and those every family of commands raises."""

from __future__ import annotations


class CommandError(Exception):
    """An error reply.  ``code`` and ``message`` make up the line after the dash."""

    code = "ERR"
    message = "error"

    def __init__(self, message: str | bytes | None = None) -> None:
        super().__init__(message)
        if message is not None:
            self.message = message if isinstance(message, str) else message.decode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        """Code and message as one line, without the leading dash."""
        return f"{self.code} {self.message}" if self.code else self.message


def printed(text: bytes, most: int = 128) -> bytes:
    """*text* as C prints it with %s: up to a NUL, and *most* bytes."""
    return text[:most].partition(b"\0")[0]


class InternalError(CommandError):
    """A bug of ours, by the name of the exception."""

    def __init__(self, name: str) -> None:
        super().__init__(f"internal error: {name}")


# --- protocol -------------------------------------------------------------------------------------


class ProtocolError(CommandError):
    """A malformed request: answered once, then the connection closes."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Protocol error: {reason}")


# --- values and arguments -------------------------------------------------------------------------


class WrongType(CommandError):
    code, message = "WRONGTYPE", "Operation against a key holding the wrong kind of value"


class InvalidSyntax(CommandError):
    message = "syntax error"


class NotInteger(CommandError):
    message = "value is not an integer or out of range"


class NotFloat(CommandError):
    message = "value is not a valid float"


class NotFinite(CommandError):
    message = "increment would produce NaN or Infinity"


class NotPositive(CommandError):
    message = "value is out of range, must be positive"


class OutOfRange(CommandError):
    message = "value is out of range"


class Overflow(CommandError):
    message = "increment or decrement would overflow"


class NoSuchKey(CommandError):
    message = "no such key"


class IndexOutOfRange(CommandError):
    message = "index out of range"


class InvalidDbIndex(CommandError):
    message = "DB index is out of range"


class StringTooLong(CommandError):
    message = "string exceeds maximum allowed size (proto-max-bulk-len)"


class WrongArity(CommandError):
    """``wrong number of arguments for 'set' command``; *name* as in ``config|get``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"wrong number of arguments for '{name}' command")
