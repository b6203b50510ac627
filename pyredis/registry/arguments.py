"""A cursor over a command's options."""

from __future__ import annotations

from ..errors import CommandError, InvalidSyntax, NotInRange
from ..util.numbers import parse_int, parse_int_or_none


class Arguments:
    """Walks argv from a position on; options are compared without case.

    >>> options = Arguments([b"SET", b"k", b"v", b"ex", b"10"], 3)
    >>> while options:
    ...     match options.word():
    ...         case b"EX": seconds = options.integer()
    ...         case _: raise InvalidSyntax
    """

    __slots__ = ("argv", "position")

    def __init__(self, argv: list[bytes], position: int) -> None:
        self.argv = argv
        self.position = position

    def __bool__(self) -> bool:
        return self.position < len(self.argv)

    @property
    def left(self) -> int:
        """How many words have not been taken."""
        return len(self.argv) - self.position

    def word(self) -> bytes:
        """The next word in upper case."""
        return self.raw().upper()

    def raw(self) -> bytes:
        """The next word as it stands.  Raises InvalidSyntax at the end."""
        if self.position >= len(self.argv):
            raise InvalidSyntax
        self.position += 1
        return self.argv[self.position - 1]

    def peek(self) -> bytes:
        """The next word in upper case, not taken; empty at the end."""
        return self.argv[self.position].upper() if self.position < len(self.argv) else b""

    def integer(self) -> int:
        """The next word as a signed 64-bit integer.  Raises NotInteger, InvalidSyntax at the end."""
        return parse_int(self.raw())


def parse_int32(text: bytes) -> int:
    """*text* as a C int (getIntFromObjectOrReply).  Raises NotInteger, NotInRange."""
    number = parse_int(text)
    if not -(1 << 31) <= number < 1 << 31:
        raise NotInRange(-(1 << 31), (1 << 31) - 1)
    return number


def parse_at_least(text: bytes, least: int, refusal: type[CommandError]) -> int:
    """*text* as a signed 64-bit integer not below *least*; raises *refusal* for whatever else it is."""
    number = parse_int_or_none(text)
    if number is None or number < least:
        raise refusal
    return number
