"""The kinds of parameters: how words become a value, and how the value is printed and written back.

A kind knows no parameter name and holds no value.  Refusals are ConfigRefused with the reason as Redis
words it (config.c: the typeInterface functions of bool, string, sds, enum and numeric configs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

from ..errors import ConfigRefused
from ..util.numbers import parse_int_or_none, parse_memory
from ..util.quoting import quote
from .ctext import as_signed, as_unsigned, format_memory, strtoll

if TYPE_CHECKING:
    from .settings import Settings

T = TypeVar("T")

INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1
UINT_MAX = (1 << 32) - 1
LONG_MAX = (1 << 63) - 1
ULONG_MAX = (1 << 64) - 1

Written = list[tuple[bytes, bool]]
"""What follows the name in each line of the file, and whether the line is wanted even if it is new."""


class Kind(Generic[T]):
    """Words to value and back.  Immutable and shared between parameters."""

    several: ClassVar[bool] = False
    """Takes several words (MULTI_ARG_CONFIG): one quoted word is split again."""
    accumulates: ClassVar[bool] = False
    """Repeated lines of a configuration file add up instead of replacing each other."""
    always_applies: ClassVar[bool] = False
    """Hooks run although the value did not change."""

    @property
    def type(self) -> Any:
        """The type of the values, to hold the annotations of Settings against."""
        raise TypeError(f"{type(self).__name__} has no value type")

    def parse(self, words: Sequence[bytes], current: T) -> T:
        """The new value; *current* is for kinds that change only a part of it.  Raises ConfigRefused."""
        raise ConfigRefused("argument couldn't be parsed")

    def check(self, value: T, settings: Settings) -> None:
        """Refuse a value that only makes no sense together with the other settings."""

    def render(self, value: T) -> bytes:
        """The value as CONFIG GET prints it."""
        raise TypeError(f"{type(self).__name__} cannot be printed")

    def written(self, value: T, default: T) -> Written:
        """The lines of CONFIG REWRITE; none: the directive must not be in the file at all."""
        return [(self.render(value), value != default)]


class Bool(Kind[bool]):
    """yes or no.  *never* is the reason for which ``yes`` is refused, if it is."""

    def __init__(self, never: str | None = None) -> None:
        self._never = never

    @property
    def type(self) -> Any:
        return bool

    def parse(self, words: Sequence[bytes], current: bool) -> bool:
        value = _YES_NO.get(words[0].lower())
        if value is None:
            raise ConfigRefused("argument must be 'yes' or 'no'")
        if value and self._never is not None:
            raise ConfigRefused(self._never)
        return value

    def render(self, value: bool) -> bytes:
        return b"yes" if value else b"no"


_YES_NO = {b"yes": True, b"no": False}


class String(Kind[str]):
    """Text for file names, addresses and the like; ends at a NUL byte as in C.

    *unset*: an empty value means that the directive is absent (EMPTY_STRING_IS_NULL).
    """

    def __init__(self, *, unset: bool = False, valid: Callable[[str], None] | None = None) -> None:
        self._unset = unset
        self._valid = valid

    @property
    def type(self) -> Any:
        return str

    def parse(self, words: Sequence[bytes], current: str) -> str:
        value = words[0].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        if self._valid is not None:
            self._valid(value)
        return value

    def render(self, value: str) -> bytes:
        return value.encode("utf-8", "surrogateescape")

    def written(self, value: str, default: str) -> Written:
        if self._unset and not value:
            return []
        return [(quote(self.render(value)), value != default)]


class Secret(Kind[bytes]):
    """Binary-safe text (sds in Redis); empty means absent."""

    @property
    def type(self) -> Any:
        return bytes

    def parse(self, words: Sequence[bytes], current: bytes) -> bytes:
        return words[0]

    def render(self, value: bytes) -> bytes:
        return value

    def written(self, value: bytes, default: bytes) -> Written:
        return [(quote(value), value != default)] if value else []


class Enum(Kind[str]):
    """One of the words of a Literal in choices; *same* maps a synonym to the word it stands for."""

    def __init__(self, choices: Any, same: dict[str, str] | None = None) -> None:
        self._choices = choices
        words = get_args(choices)
        self._values: dict[bytes, str] = {word.encode(): (same or {}).get(word, word) for word in words}
        self._reason = f"argument(s) must be one of the following: {', '.join(words)}"

    @property
    def type(self) -> Any:
        return self._choices

    def parse(self, words: Sequence[bytes], current: str) -> str:
        value = self._values.get(words[0].lower()) if len(words) == 1 else None
        if value is None:
            raise ConfigRefused(self._reason)
        return value

    def render(self, value: str) -> bytes:
        return value.encode()


class Flags(Kind[frozenset[str]]):
    """Any of several words; *none* is the word that stands for no flag.

    *exclusive* is a pair that may not come together, with the reason.
    """

    several = True

    def __init__(self, choices: Any, none: str, exclusive: tuple[str, str, str]) -> None:
        self._choices = choices
        self._words: tuple[str, ...] = get_args(choices)
        self._none = none
        self._exclusive = exclusive
        self._reason = f"argument(s) must be one of the following: {', '.join(self._words)}"

    @property
    def type(self) -> Any:
        return frozenset.__class_getitem__(self._choices)

    def parse(self, words: Sequence[bytes], current: frozenset[str]) -> frozenset[str]:
        given = {word.decode("latin-1").lower() for word in words}
        if not given or not given.issubset(self._words):
            raise ConfigRefused(self._reason)
        first, second, reason = self._exclusive
        if first in given and second in given:
            raise ConfigRefused(reason)
        given.discard(self._none)
        return frozenset(given)

    def render(self, value: frozenset[str]) -> bytes:
        return " ".join(word for word in self._words if word in value).encode() or self._none.encode()


class Integer(Kind[int]):
    """A number between two bounds.

    *unsigned* compares as C's unsigned types do, so that -1 counts as huge; *within* are bounds to which
    an accepted value is cut instead of being refused.
    """

    def __init__(self, low: int, high: int, *, unsigned: bool = False, within: tuple[int, int] | None = None) -> None:
        self._low = low
        self._high = high
        self._unsigned = unsigned
        self._within = within

    @property
    def type(self) -> Any:
        return int

    def parse(self, words: Sequence[bytes], current: int) -> int:
        value = self._bounded(self._number(words[0]))
        if self._within is not None:
            value = min(max(value, self._within[0]), self._within[1])
        return value

    def _number(self, word: bytes) -> int:
        value = parse_int_or_none(word)
        if value is None:
            raise ConfigRefused("argument couldn't be parsed into an integer")
        return value

    def _bounded(self, value: int) -> int:
        if self._unsigned:
            value = as_unsigned(value)
        if not self._low <= value <= self._high:
            raise ConfigRefused(
                f"argument must be between {self._bound(self._low)} and {self._bound(self._high)} inclusive"
            )
        return value

    def _bound(self, value: int) -> str:
        return str(value)

    def render(self, value: int) -> bytes:
        return b"%d" % value


class Octal(Integer):
    """File permissions."""

    def _number(self, word: bytes) -> int:
        value = strtoll(word, 8, saturate=False)
        if value is None:
            raise ConfigRefused("argument couldn't be parsed as an octal number")
        return value

    def _bound(self, value: int) -> str:
        return f"{value:o}"

    def render(self, value: int) -> bytes:
        return b"%o" % value


class Memory(Integer):
    """Bytes, with a unit: 1kb, 1mb, 1gb are powers of 1024, 1k, 1m, 1g of 1000."""

    def _number(self, word: bytes) -> int:
        try:
            return as_signed(parse_memory(word))
        except ValueError:
            raise ConfigRefused("argument must be a memory value") from None

    def render(self, value: int) -> bytes:
        return b"%d" % value

    def written(self, value: int, default: int) -> Written:
        return [(format_memory(value), value != default)]


class MemoryOrPercent(Memory):
    """Bytes, or a share of another limit: percentages are kept as negative numbers."""

    def _number(self, word: bytes) -> int:
        percent = parse_int_or_none(word[:-1]) if word.endswith(b"%") else None
        if percent is None:
            try:
                return as_signed(parse_memory(word))
            except ValueError:
                raise ConfigRefused("argument must be a memory or percent value") from None
        if percent < 0:
            raise ConfigRefused("argument must be a memory or percent value")
        return -percent

    def _bounded(self, value: int) -> int:
        if value < 0:
            if value < self._low:
                raise ConfigRefused(f"percentage argument must be less or equal to {-self._low}")
            return value
        return super()._bounded(value)

    def render(self, value: int) -> bytes:
        return b"%d%%" % -value if value < 0 else b"%d" % value

    def written(self, value: int, default: int) -> Written:
        return [(self.render(value), True)] if value < 0 else super().written(value, default)
