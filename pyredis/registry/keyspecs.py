"""Key specifications: where a command's keys are in its argv (server.c getKeysUsingKeySpecs)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..util.numbers import parse_int_or_none
from .flags import INCOMPLETE


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key spec.  ``begin`` is an index or a keyword; ``find`` a range or a key count in argv."""

    flags: int
    begin: str  # "index" | "keyword" | "unknown"
    index: int = 0
    keyword: bytes = b""
    start_from: int = 0
    find: str = "range"  # "range" | "keynum" | "unknown"
    last: int = 0
    step: int = 1
    limit: int = 0
    count_at: int = 0
    first: int = 0
    notes: str = ""

    def positions(self, argv: list[bytes]) -> list[int] | None:
        """Positions of this spec's keys in *argv*; None if *argv* does not fit the spec."""
        first = self._begin(argv)
        if first is None:
            return None
        if first < 0:
            return []
        if self.find == "range":
            last = first + self.last if self.last >= 0 else len(argv) + self.last
            if self.limit > 1 and self.last < 0:
                last = first + (len(argv) - first) // self.limit + self.last
            if self.last == 0:
                last = first
        else:
            at = first + self.count_at
            if at >= len(argv):
                return None
            number = parse_int_or_none(argv[at])
            if number is None or number < 0:
                return None
            first += self.first
            last = first + (number - 1) * self.step
        if last >= len(argv) or last < first or first >= len(argv):
            return None
        return list(range(first, last + 1, self.step))

    def _begin(self, argv: list[bytes]) -> int | None:
        """Start of the search; -1 where the keyword does not occur, None where the spec is unknown."""
        if self.begin == "index":
            return self.index
        if self.begin == "unknown" or self.find == "unknown":
            return None
        if self.start_from > 0:
            places = range(self.start_from, len(argv))
        else:
            places = range(len(argv) + self.start_from, 0, -1)
        keyword = self.keyword.lower()
        for place in places:
            if 0 <= place < len(argv) and argv[place].lower() == keyword:
                return place + 1 if place + 1 < len(argv) else -1
        return -1


def at(index: int, flags: int, *, last: int = 0, step: int = 1, notes: str = "") -> KeySpec:
    """Keys from argv[index]: one, or up to *last* (relative to the first; negative from argv's end)."""
    return KeySpec(flags, "index", index=index, last=last, step=step, notes=notes)


def counted(index: int, flags: int, *, step: int = 1, notes: str = "") -> KeySpec:
    """``numkeys key [key ...]`` with numkeys at argv[index]."""
    return KeySpec(flags, "index", index=index, find="keynum", first=1, step=step, notes=notes)


def after(
    keyword: str,
    flags: int,
    *,
    start_from: int,
    last: int = 0,
    step: int = 1,
    limit: int = 0,
    notes: str = "",
) -> KeySpec:
    """Keys that follow *keyword*, searched from argv[start_from] (negative: backwards from the end)."""
    return KeySpec(
        flags, "keyword", keyword=keyword.encode(), start_from=start_from,
        last=last, step=step, limit=limit, notes=notes,
    )  # fmt: skip


def unknown(flags: int, *, notes: str = "") -> KeySpec:
    """Keys whose place only the command itself can tell."""
    return KeySpec(flags, "unknown", find="unknown", notes=notes)


def incomplete(spec: KeySpec) -> KeySpec:
    """*spec*, marked as not finding every key."""
    return replace(spec, flags=spec.flags | INCOMPLETE)


def iter_keys(specs: tuple[KeySpec, ...], argv: list[bytes]) -> Iterator[tuple[int, int]]:
    """(position, flags) of each key the specs find; specs that do not fit are passed over."""
    for spec in specs:
        for position in spec.positions(argv) or ():
            yield position, spec.flags
