"""What redis-check-aof does, as a library: verify AOF files, cut off a damaged or unwanted tail."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from enum import Enum
from typing import IO

from ..rdb.check import check as check_rdb
from .manifest import Manifest, ManifestError, read_manifest

_NUMBER = re.compile(rb"\s*[+-]?\d+")
_LONGEST_LINE = 128

Output = Callable[[str], object]


class CheckFailed(Exception):
    """The check ends here with status 1; everything has been said."""


class Verdict(Enum):
    """How one file was found."""

    VALID = "valid"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    TRUNCATED_TO_TIMESTAMP = "truncated to timestamp"


class _Damage(Exception):
    """Where in a file something is wrong, and what; no text where the file just ends."""

    def __init__(self, offset: int = 0, text: str = "") -> None:
        super().__init__(text)
        self.text = f"0x{offset:16x}: {text}" if text else ""


class AofCheck:
    """Checks a manifest with its files, or a single old-style file.

    *out* takes each line, *confirm* asks a question before a repair.  *timestamp* (unix s, 0: none) cuts the
    last file off where it gets newer.
    """

    def __init__(
        self,
        out: Output,
        *,
        fix: bool = False,
        timestamp: int = 0,
        confirm: Callable[[str], bool] = lambda question: False,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        self._out = out
        self._fix = fix
        self._timestamp = timestamp
        self._confirm = confirm
        self._progress = progress

    def run(self, path: str) -> int:
        """Check *path*; the exit status."""
        try:
            if _is_manifest(path):
                self._check_manifest(path)
            else:
                self._out("Start checking Old-Style AOF")
                verdict = self._check_file(path, path, last=True, preamble=_is_rdb(path))
                self._show(verdict, path, "AOF")
        except CheckFailed:
            return 1
        except OSError as error:
            self._out(f"Cannot open file {path}: {error.strerror}")
            return 1
        return 0

    def _check_manifest(self, path: str) -> None:
        self._out("Start checking Multi Part AOF")
        manifest = self._read_manifest(path)
        directory = os.path.dirname(path)
        parts = manifest.parts
        for part in parts:
            name = os.path.join(directory, part.name)
            if part is manifest.base:
                preamble = self._opened(name, _is_rdb)
                self._out(f"Start to check BASE AOF ({'RDB' if preamble else 'RESP'} format).")
                kind = "BASE AOF"
            else:
                if part is manifest.increments[0]:
                    self._out("Start to check INCR files.")
                preamble, kind = False, "INCR AOF"
            verdict = self._check_file(part.name, name, last=part is parts[-1], preamble=preamble)
            self._show(verdict, part.name, kind)
        self._out("All AOF files and manifest are valid")

    def _read_manifest(self, path: str) -> Manifest:
        try:
            return read_manifest(path)
        except ManifestError as error:
            for line in error.report():
                self._out(line)
            raise CheckFailed from None

    def _opened(self, path: str, question: Callable[[str], bool]) -> bool:
        try:
            return question(path)
        except OSError as error:
            self._out(f"Cannot open file {path}: {error.strerror}")
            raise CheckFailed from None

    def _show(self, verdict: Verdict, name: str, kind: str) -> None:
        match verdict:
            case Verdict.VALID:
                self._out(f"{kind} {name} is valid")
            case Verdict.EMPTY:
                self._out(f"{kind} {name} is empty")
            case Verdict.TRUNCATED_TO_TIMESTAMP:
                self._out(f"Successfully truncated AOF {name} to timestamp {self._timestamp}")
            case Verdict.TRUNCATED:
                self._out(f"Successfully truncated AOF {name}")

    def _check_file(self, name: str, path: str, *, last: bool, preamble: bool) -> Verdict:
        """Check one file (checkSingleAof).  Raises CheckFailed."""
        try:
            file = open(path, "r+b")  # noqa: SIM115 - closed below
        except OSError as error:
            self._out(f"Cannot open file {path}: {error.strerror}, aborting...")
            raise CheckFailed from None
        with file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                return Verdict.EMPTY
            if preamble:
                self._check_preamble(file)
            scan = _Scan(file, path, self._timestamp, last, self._out, self._progress)
            try:
                truncated = scan.run()
            except _Damage as damage:
                truncated = False
                text = damage.text
            else:
                text = ""
            if truncated:
                return Verdict.TRUNCATED_TO_TIMESTAMP
            if scan.format_error:
                self._out(f"AOF {name} format error")
            if text:
                self._out(text)
            return self._conclude(file, name, size, scan, last=last)

    def _check_preamble(self, file: IO[bytes]) -> None:
        end = check_rdb(file, self._out, time.time_ns() // 1_000_000)  # type: ignore[arg-type]
        if end is None:
            self._out("RDB preamble of AOF file is not sane, aborting.")
            raise CheckFailed
        self._out("RDB preamble is OK, proceeding with AOF tail...")
        file.seek(end)

    def _conclude(self, file: IO[bytes], name: str, size: int, scan: _Scan, *, last: bool) -> Verdict:
        valid = scan.valid
        excess = size - valid
        if not excess and self._timestamp:
            self._out(f"Truncate nothing in AOF {name} to timestamp {self._timestamp}")
            return Verdict.VALID
        self._out(
            f"AOF analyzed: filename={name}, size={size}, ok_up_to={valid}, ok_up_to_line={scan.line}, diff={excess}"
        )
        if excess <= 0:
            return Verdict.VALID
        if not self._fix:
            self._out(f"AOF {name} is not valid. Use the --fix option to try fixing it.")
            raise CheckFailed
        if not last:
            self._out(f"Failed to truncate AOF {name} because it is not the last file")
            raise CheckFailed
        self._out(f"This will shrink the AOF {name} from {size} bytes, with {excess} bytes, to {valid} bytes")
        if not self._confirm("Continue? [y/N]: "):
            self._out("Aborting...")
            raise CheckFailed
        try:
            file.truncate(valid)
            os.fsync(file.fileno())
        except OSError:
            self._out(f"Failed to truncate AOF {name}")
            raise CheckFailed from None
        return Verdict.TRUNCATED


class _Scan:
    """Reads a file command by command, from where it stands; ``valid`` is where the last whole unit ends."""

    def __init__(
        self,
        file: IO[bytes],
        path: str,
        timestamp: int,
        last: bool,
        out: Output,
        progress: Callable[[int], object] | None,
    ) -> None:
        self._file = file
        self._path = path
        self._timestamp = timestamp
        self._last = last
        self._out = out
        self._progress = progress
        self._offset = self._reading = file.tell()
        self.valid = self._offset
        self.line = 1
        self.format_error = False
        self._in_multi = False

    def run(self) -> bool:
        """True if the file was cut off at the timestamp.  Raises _Damage, CheckFailed."""
        commands = 0
        while True:
            if not self._in_multi:
                self.valid = self._offset
            line = self._file.readline()
            if not line:
                if self._in_multi:
                    raise _Damage(self._reading, "Reached EOF before reading EXEC for MULTI")
                return False
            if line.startswith(b"#"):
                self._reading = self._offset
                if self._annotation(line):
                    return True
                self._offset += len(line)
            elif line.startswith(b"*"):
                self._command(line)
            else:
                self.format_error = True
                return False
            commands += 1
            if self._progress is not None and not commands % 4096:
                self._progress(self._offset)

    def _annotation(self, line: bytes) -> bool:
        """True if *line* is a timestamp beyond the wanted one, and the file has been cut off before it."""
        if not self._timestamp or not line.startswith(b"#TS:"):
            return False
        if re.fullmatch(rb"#TS:\d+\r\n", line) is None:
            self._out("Invalid timestamp annotation")
            raise CheckFailed
        if int(line[4:-2]) <= self._timestamp:
            return False
        if not self._offset:
            self._out(f"AOF {self._path} has nothing before timestamp {self._timestamp}, aborting...")
            raise CheckFailed
        if not self._last:
            self._out(
                f"Failed to truncate AOF {self._path} to timestamp {self._timestamp} to offset {self._offset} "
                "because it is not the last file."
            )
            self._out(
                "If you insist, please delete all files after this file according to the manifest file and delete "
                "the corresponding records in manifest file manually. Then re-run redis-check-aof."
            )
            raise CheckFailed
        try:
            self._file.truncate(self._offset)
            os.fsync(self._file.fileno())
        except OSError:
            self._out(f"Failed to truncate AOF {self._path} to timestamp {self._timestamp}")
            raise CheckFailed from None
        return True

    def _command(self, line: bytes) -> None:
        count = self._number(line, b"*")
        for position in range(count):
            header = self._file.readline(_LONGEST_LINE)
            if not header:
                raise _Damage
            size = self._number(header, b"$")
            if size < 0:
                raise _Damage(
                    self._offset, f"Expected to read string of {size} bytes, which is not in the suitable range"
                )
            self._reading = self._offset
            text = self._file.read(size + 2)
            if len(text) != size + 2:
                raise _Damage(self._offset, f"Expected to read {size + 2} bytes, got {len(text)} bytes")
            self._newline(text[-2:])
            self._offset += len(text)
            if position == 0:
                self._follow(text[:-2].lower())

    def _follow(self, name: bytes) -> None:
        """Transactions must be whole."""
        if name == b"multi":
            if self._in_multi:
                raise _Damage(self._reading, f"Unexpected MULTI in AOF {self._path}")
            self._in_multi = True
        elif name == b"exec":
            if not self._in_multi:
                raise _Damage(self._reading, f"Unexpected EXEC in AOF {self._path}")
            self._in_multi = False

    def _number(self, line: bytes, prefix: bytes) -> int:
        self._reading = self._offset
        if not line.startswith(prefix):
            got = line[:1].decode("latin-1")
            raise _Damage(self._offset, f"Expected prefix '{prefix.decode()}', got: '{got}'")
        found = _NUMBER.match(line, 1)
        end = found.end() if found is not None else 1
        self._newline(line[end:])
        self._offset += len(line)
        return int(found[0]) if found is not None else 0

    def _newline(self, text: bytes) -> None:
        if text[:2] != b"\r\n":
            padded = text.ljust(2, b"\0")
            raise _Damage(self._offset, f"Expected \\r\\n, got: {padded[0]:02x}{padded[1]:02x}")
        self.line += 1


def _is_manifest(path: str) -> bool:
    with open(path, "rb") as file:
        return any(line.startswith(b"file") for line in file)


def _is_rdb(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(5) == b"REDIS" and os.fstat(file.fileno()).st_size >= 8
