"""What redis-check-rdb does, as a library: verify a file, report where it is wrong, list what it holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.values import encoding, type_name
from pyredis.persistence.rdb import codes
from pyredis.persistence.rdb.codes import RdbError, ShortRead
from pyredis.persistence.rdb.loading import INCOMPLETE, READERS
from pyredis.persistence.rdb.options import LoadOptions
from pyredis.persistence.rdb.reader import CHUNK, Reader, WrongChecksum, load
from pyredis.persistence.rdb.sink import Sink
from pyredis.persistence.rdb.strings import read_string

_OPCODE_STATES = {
    codes.EXPIRETIME: "read-expire",
    codes.EXPIRETIME_MS: "read-expire",
    codes.SELECTDB: "read-len",
    codes.RESIZEDB: "read-len",
    codes.AUX: "read-aux",
    codes.MODULE_AUX: "read-module-aux",
    codes.FUNCTION2: "read-functions",
}
_SAMPLE = 1 << 20


class _Keys(dict[bytes, Any]):
    """Takes what a reader stores and keeps only what the listener makes of it."""

    def __init__(self, listener: Callable[[bytes, Any], object]) -> None:
        super().__init__()
        self.listener = listener

    def __setitem__(self, key: bytes, value: Any) -> None:
        self.listener(key, value)


class _Report(Sink):
    """Prints a line per field and database, and counts keys, as redis-check-rdb does."""

    def __init__(self, out: Callable[[str], object], now: int) -> None:
        super().__init__()
        self.out = out
        self.now = now
        self.reader: Reader | None = None
        self.keys = 0
        self.expires = 0
        self.already_expired = 0
        self._dicts = (_Keys(self._count_key), _Keys(self._count_expire))

    def _count_key(self, key: bytes, value: Any) -> None:
        self.keys += 1

    def _count_expire(self, key: bytes, when: int) -> None:
        self.expires += 1
        self.already_expired += when < self.now

    def select(self, index: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        if self.reader is not None:
            self.info(f"Selecting DB ID {index}")
        return self._dicts

    def aux(self, name: bytes, value: bytes) -> None:
        self.info(f"AUX FIELD {printable(name)} = '{printable(value)}'")

    def function(self, code: bytes) -> None:
        """Libraries are not compiled here."""

    def module_aux(self, name: str) -> None:
        self.info(f"MODULE AUX for: {name}")

    def empty(self, key: bytes) -> None:
        raise RdbError("Unexpected EOF reading RDB file")

    def info(self, text: str) -> None:
        offset = self.reader.position if self.reader is not None else 0
        self.out(f"[offset {offset}] {text}")

    def show_counts(self) -> None:
        self.out(f"[info] {self.keys} keys read")
        self.out(f"[info] {self.expires} expires")
        self.out(f"[info] {self.already_expired} already expired")


def check_file(
    path: str | os.PathLike[str],
    out: Callable[[str], object],
    now: int,
    *,
    progress: Callable[[int], object] | None = None,
) -> int:
    """Check the file at *path*; lines go to *out*, the result is the exit status.  *now*: unix ms."""
    out(f"[offset 0] Checking RDB file {os.fspath(path)}")
    try:
        source = open(path, "rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError:
        return 1
    with source:
        return 0 if check(source, out, now, progress=progress) is not None else 1


def check(
    source: BinaryIO,
    out: Callable[[str], object],
    now: int,
    *,
    progress: Callable[[int], object] | None = None,
) -> int | None:
    """Check the RDB data *source* (seekable) begins with: the size of it, or None if it is damaged.

    The tail of an AOF may follow.
    """
    start = source.tell()
    report = _Report(out, now)
    reader = Reader(report, LoadOptions(Thresholds(), deep=True, skip_modules=True))
    report.reader = reader
    size = source.seek(0, os.SEEK_END) - start
    source.seek(start)
    reader.total = size
    try:
        load(source, reader, chunk=CHUNK, progress=progress)
    except RdbError as error:
        _Failure(source, start, reader, error).print(report)
        return None
    reader.position = reader.offset
    if reader.checksum_state == "disabled":
        report.info("RDB file was saved with checksum disabled: no check performed.")
    elif reader.checksum_state == "ok":
        report.info("Checksum OK")
    report.info("\\o/ RDB looks OK! \\o/")
    report.show_counts()
    return reader.offset


class _Failure:
    """Finds out, by reading the record at fault once more, what a checker was doing when it gave up."""

    def __init__(self, source: BinaryIO, start: int, reader: Reader, error: RdbError) -> None:
        self.offset = error.offset
        self.text = error.reason
        self.doing = "start"
        self.key: bytes | None = None
        self.kind = 0 if not reader.keys_loaded else -1  # the original's counter of types starts at 0
        if isinstance(error, WrongChecksum):
            self.doing = "check-sum"
        elif reader.version:
            source.seek(start + error.record)
            self._diagnose(source, error.record, reader.options, isinstance(error, ShortRead))

    def _diagnose(self, source: BinaryIO, record: int, options: LoadOptions, short: bool) -> None:
        buffer = source.read(_SAMPLE)
        self.doing = "read-type"
        if not buffer:
            return
        kind = buffer[0]
        if kind >= codes.FUNCTION2:
            self.doing = _OPCODE_STATES.get(kind, "read-type")
            if kind == codes.EOF:
                self.doing = "check-sum"
            return
        if kind not in READERS:
            self.text = f"Invalid object type: {kind}"
            self.offset = record + 1
            return
        self.kind = kind
        self.doing = "read-key"
        try:
            key, at = read_string(buffer, 1)
        except (*INCOMPLETE, RdbError):
            return
        self.key = key
        self.doing = "read-object-value"
        if not short:
            buffer += source.read()
            end = _first_bad_prefix(buffer, at, kind, options)
            if self.text != ShortRead().reason:
                self.text = f"Internal error in RDB reading offset 0 -> {self.text}"
            self.offset = record + end

    def print(self, report: _Report) -> None:
        report.keys += self.key is not None
        out = report.out
        out("--- RDB ERROR DETECTED ---")
        out(f"[offset {self.offset}] {self.text}")
        out(f"[additional info] While doing: {self.doing}")
        if self.key is not None:
            out(f"[additional info] Reading key '{printable(self.key)}'")
        if self.kind != -1:
            out(f"[additional info] Reading type {self.kind} ({codes.TYPE_NAMES.get(self.kind, 'unknown')})")
        report.show_counts()


def _first_bad_prefix(buffer: bytes, at: int, kind: int, options: LoadOptions) -> int:
    """How much of *buffer* has to be read to see that the value at *at* is wrong.  O(size log size)"""
    low, high = at, len(buffer)
    while low < high:
        middle = (low + high) // 2
        try:
            _, end = READERS[kind](buffer[:middle], at, options)
            complete = end <= middle
        except INCOMPLETE:
            complete = False
        except (RdbError, codes.EmptyKey):
            complete = True
        if complete:
            high = middle
        else:
            low = middle + 1
    return low


def printable(text: bytes) -> str:
    """*text* as printf's %s shows it, undecodable bytes escaped."""
    return text.partition(b"\0")[0].decode("utf-8", "backslashreplace")


class _Listing(Sink):
    """Describes each thing as it is read."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        super().__init__()
        self.found = found
        self.index = 0
        self.totals: dict[str, dict[str, int]] = {}
        self._dicts = (_Keys(self._add_key), _Keys(self._add_expire))

    def select(self, index: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        self.index = index
        return self._dicts

    def _add_key(self, key: bytes, value: Any) -> None:
        total = self.totals.setdefault(str(self.index), {"keys": 0, "expires": 0})
        total["keys"] += 1
        kind = type_name(value).decode()
        described: dict[str, Any] = {"kind": "key", "db": self.index, "key": readable(key), "type": kind}
        described |= {"encoding": encoding(value).decode(), "length": len(value), "expires_at": None}
        self.found.append(described)

    def _add_expire(self, key: bytes, when: int) -> None:
        self.totals[str(self.index)]["expires"] += 1
        self.found[-1]["expires_at"] = when

    def aux(self, name: bytes, value: bytes) -> None:
        self.found.append({"kind": "field", "name": readable(name), "value": readable(value)})

    def function(self, code: bytes) -> None:
        self.found.append({"kind": "library", "code": readable(code)})

    def module_aux(self, name: str) -> None:
        self.found.append({"kind": "module", "name": name})


def readable(text: bytes) -> str:
    """*text* for JSON: bytes that are not UTF-8 as \\xhh."""
    return text.decode("utf-8", "backslashreplace")


def listing(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """What a file contains, one JSON-ready dict at a time: fields, libraries, keys, and a summary at the end.

    Keys come with database, type, encoding, elements and expiry (unix ms).  Raises RdbError, OSError.
    """
    found: list[dict[str, Any]] = []
    sink = _Listing(found)
    reader = Reader(sink, LoadOptions(Thresholds(), deep=True, skip_modules=True))
    with open(path, "rb", buffering=0) as source:
        reader.total = os.fstat(source.fileno()).st_size
        while not reader.done:
            data = source.read(CHUNK)
            if data:
                reader.feed(data)
            else:
                reader.finish()
            yield from found
            found.clear()
    summary: dict[str, Any] = {"kind": "summary", "version": reader.version, "checksum": reader.checksum_state}
    yield summary | {"bytes": reader.offset, "databases": sink.totals}
