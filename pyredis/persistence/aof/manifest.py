"""The list of files that make up an AOF: one base, increments in order, and history to be removed (aof.c)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ...util.quoting import needs_quotes, quote, split_args
from ..files import remove, sync_directory, write_all

LONGEST_LINE = 1024
BASE, HISTORY, INCREMENT = "b", "h", "i"


class ManifestError(Exception):
    """A manifest that cannot be used.  *line* is the line at fault and its number, if it got that far."""

    def __init__(self, reason: str, line: tuple[int, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line

    def report(self) -> list[str]:
        """What Redis logs."""
        lines = ["\n*** FATAL AOF MANIFEST FILE ERROR ***\n"]
        if self.line is not None:
            lines += [f"Reading the manifest file, at line {self.line[0]}\n", f">>> '{self.line[1]}'\n"]
        return [*lines, f"{self.reason}\n"]


@dataclass(frozen=True)
class Part:
    """One file of the AOF."""

    name: str
    sequence: int
    kind: str

    def line(self) -> str:
        name = os.fsencode(self.name)
        text = os.fsdecode(quote(name)) if needs_quotes(name) else self.name
        return f"file {text} seq {self.sequence} type {self.kind}\n"


@dataclass
class Manifest:
    """What the manifest file says.  Change a ``copy`` and put it in place only once it is written."""

    base: Part | None = None
    increments: list[Part] = field(default_factory=list)
    history: list[Part] = field(default_factory=list)
    base_sequence: int = 0
    increment_sequence: int = 0
    dirty: bool = False

    def copy(self) -> Manifest:
        return Manifest(
            self.base, self.increments[:], self.history[:], self.base_sequence, self.increment_sequence, self.dirty
        )

    @property
    def parts(self) -> list[Part]:
        """Base and increments, in the order to load them."""
        return ([] if self.base is None else [self.base]) + self.increments

    def new_base(self, prefix: str, *, rdb: bool) -> str:
        """Name a new base; the old one becomes history."""
        if self.base is not None:
            self.history.insert(0, Part(self.base.name, self.base.sequence, HISTORY))
        self.base_sequence += 1
        name = f"{prefix}.{self.base_sequence}.base.{'rdb' if rdb else 'aof'}"
        self.base = Part(name, self.base_sequence, BASE)
        self.dirty = True
        return name

    def new_increment(self, prefix: str) -> str:
        """Name a new increment, the last."""
        self.increment_sequence += 1
        name = f"{prefix}.{self.increment_sequence}.incr.aof"
        self.increments.append(Part(name, self.increment_sequence, INCREMENT))
        self.dirty = True
        return name

    def retire_increments(self, keep: int) -> None:
        """All increments but the last *keep* are in the new base: make them history."""
        if not self.increments:
            return
        rewritten = self.increments[: len(self.increments) - keep]
        self.increments = self.increments[len(rewritten) :]
        for part in reversed(rewritten):
            self.history.insert(0, Part(part.name, part.sequence, HISTORY))
        self.dirty = True

    def text(self) -> str:
        return "".join(part.line() for part in ([self.base] if self.base else []) + self.history + self.increments)

    def write(self, path: str) -> None:
        """Replace the file at *path*, for good.  Raises OSError."""
        directory, name = os.path.split(path)
        temporary = os.path.join(directory, f"temp-{name}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o644)
        try:
            data = os.fsencode(self.text())
            if write_all(descriptor, data) != len(data):
                raise OSError(28, os.strerror(28))
            os.fsync(descriptor)
        except OSError:
            os.close(descriptor)
            remove(temporary)
            raise
        os.close(descriptor)
        os.replace(temporary, path)
        sync_directory(path)
        self.dirty = False


def read_manifest(path: str) -> Manifest:
    """The manifest at *path*.  Raises ManifestError, OSError (aofLoadManifestFromFile)."""
    manifest = Manifest()
    with open(path, "rb") as file:
        data = file.read()
    if not data:
        raise ManifestError("Found an empty AOF manifest")
    greatest = 0
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        if raw.startswith(b"#"):
            continue
        if not raw.endswith(b"\n") or len(raw) > LONGEST_LINE:
            raise ManifestError("The AOF manifest file contains too long line", None)
        line = raw.strip(b" \t\r\n")
        part = _parse(number, line)
        shown = number, os.fsdecode(line)
        if part.kind == BASE:
            if manifest.base is not None:
                raise ManifestError("Found duplicate base file information", shown)
            manifest.base, manifest.base_sequence = part, part.sequence
        elif part.kind == HISTORY:
            manifest.history.append(part)
        elif part.kind == INCREMENT:
            if part.sequence <= greatest:
                raise ManifestError("Found a non-monotonic sequence number", shown)
            manifest.increments.append(part)
            manifest.increment_sequence = greatest = part.sequence
        else:
            raise ManifestError("Unknown AOF file type", shown)
    return manifest


def _parse(number: int, line: bytes) -> Part:
    shown = number, os.fsdecode(line)
    words = split_args(line) if line else None
    if words is None or len(words) < 6 or len(words) % 2:
        raise ManifestError("Invalid AOF manifest file format", shown)
    name, sequence, kind = "", 0, ""
    for key, value in zip(words[::2], words[1::2], strict=True):
        match key.lower():
            case b"file":
                name = os.fsdecode(value)
                if "/" in name or "\\" in name:
                    raise ManifestError("File can't be a path, just a filename", shown)
            case b"seq":
                digits = re.match(rb"\s*[+-]?\d+", value)
                sequence = int(digits[0]) if digits else 0
            case b"type":
                kind = value[:1].decode("latin-1")
    if not name or not sequence or not kind:
        raise ManifestError("Invalid AOF manifest file format", shown)
    return Part(name, sequence, kind)
