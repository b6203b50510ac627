"""A cursor over a command's options."""

from __future__ import annotations

from ..errors import InvalidSyntax
from ..util.numbers import parse_int


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
