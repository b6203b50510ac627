"""RDB files and streams into a sink (rdb.c rdbLoadRio).

The reader is fed chunks of any size and never blocks: a record that a chunk cuts off is parsed again
when enough has come.  So memory is bounded by a chunk plus the largest record, whatever lengths the
data claims.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import BinaryIO

from pyredis.persistence.rdb import codes
from pyredis.persistence.rdb.codes import EmptyKey, NeedMore, RdbError, ShortRead
from pyredis.persistence.rdb.loading import INCOMPLETE, READERS, skip_module_data
from pyredis.persistence.rdb.options import LoadOptions
from pyredis.persistence.rdb.sink import Sink
from pyredis.persistence.rdb.strings import read_length, read_string
from pyredis.util.crc import crc64

_TIME_MS = struct.Struct("<q")
_TIME = struct.Struct("<i")
_CHECKSUM = struct.Struct("<Q")
_MAGIC_SIZE = 9
_FIRST_CHECKSUM_VERSION = 5

CHUNK = 2 * 1024 * 1024
"""loading-process-events-interval-bytes by default: the server breathes after so many bytes."""


class Reader:
    """Parses one RDB file that arrives in pieces.

    *now*: unix ms; keys that expired before it are left out (None: keep them, as a replica and an AOF base
    must).  *total*: size of the source in bytes if it is known, so that a lying length fails at once.
    *replace*: a key that is there already is replaced (DEBUG RELOAD NOFLUSH) instead of being an error.
    After the end ``done`` is true and ``leftover`` holds what followed (the tail of an AOF).
    """

    def __init__(
        self,
        sink: Sink,
        options: LoadOptions,
        *,
        now: int | None = None,
        total: int | None = None,
        checksum: bool = True,
        replace: bool = False,
    ) -> None:
        self.sink = sink
        self.options = options
        self.now = now
        self.total = total
        self.checksum = checksum
        self.replace = replace
        self.done = False
        self.leftover = b""
        self.version = 0
        self.keys_loaded = 0
        self.keys_expired = 0
        self.keys_empty = 0
        self.checksum_state = "absent"
        """``ok``, ``disabled`` (saved without), ``skipped`` (not verified) or ``absent`` (version < 5)."""
        self.offset = 0
        """Bytes parsed so far, up to the end of the last whole record of the last chunk."""
        self.position = 0
        """Where the field or database number that the sink is being told about ends in the file."""
        self._crc = 0
        self._held: list[bytes] = []
        self._held_size = 0
        self._wanted = _MAGIC_SIZE
        self._cut_off = 0
        self._index = 0
        self._data, self._expires = sink.select(0)
        self._expire: int | None = None
        self._idle = self._frequency = -1

    # --- input -----------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Parse *data* as far as it goes.  Raises RdbError with the offset of the record at fault."""
        if self.done:
            self.leftover += data
            return
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size < self._wanted:
            return
        buffer = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._parse(buffer, 0 if self.version else self._read_magic(buffer))

    def flush(self) -> None:
        """Parse what is held now, without waiting for as much as the next record was guessed to need.

        To be called when a source without known size pauses, as a link does after the last byte.
        """
        if not self.done and self._held_size >= _MAGIC_SIZE:
            self._wanted = 0
            self.feed(b"")

    def finish(self) -> None:
        """The source has ended.  Raises ShortRead unless the file was complete."""
        self.flush()
        if not self.done:
            raise self._short()

    def _hold(self, buffer: bytes, record: int, need: int, start: int) -> None:
        """Keep *buffer* from *record* on until it reaches to *need*, and holds twice as much.

        The doubling keeps the cost of a large record that is parsed again and again linear.
        """
        self._cut_off = self.offset + min(start, len(buffer))
        self._consume(buffer, record)
        rest = buffer[record:]
        self._held, self._held_size = [rest], len(rest)
        self._wanted = max(need - record, 2 * len(rest), 1)
        if self.total is not None:
            remaining = self.total - self.offset
            if need - record > remaining:
                raise self._short()
            self._wanted = min(self._wanted, remaining)

    def _short(self) -> ShortRead:
        error = ShortRead(offset=self._cut_off)
        error.record = self.offset
        return error

    def _consume(self, buffer: bytes, end: int) -> None:
        self.offset += end
        if self.checksum:
            self._crc = crc64(memoryview(buffer)[:end], self._crc)

    # --- records ---------------------------------------------------------------------------------

    def _read_magic(self, buffer: bytes) -> int:
        if buffer[:5] != b"REDIS":
            raise RdbError("Wrong signature trying to load DB from file", _MAGIC_SIZE)
        digits = buffer[5:9]
        version = int(digits) if digits.isdigit() else 0
        if not 1 <= version <= codes.RDB_VERSION:
            raise RdbError(f"Can't handle RDB format version {version}", _MAGIC_SIZE)
        self.version = version
        return _MAGIC_SIZE

    def _parse(self, buffer: bytes, at: int) -> None:
        limit = len(buffer)
        data, expires = self._data, self._expires
        expire, now, options = self._expire, self.now, self.options
        readers, time_at = READERS, _TIME_MS.unpack_from
        expire_opcode, function_opcode = codes.EXPIRETIME_MS, codes.FUNCTION2
        loaded = 0
        record = at
        try:
            while True:
                record = at
                kind = buffer[at]
                if kind == expire_opcode:
                    (expire,) = time_at(buffer, at + 1)
                    at += 9
                    continue
                if kind >= function_opcode:
                    self._expire = expire
                    at = self._read_opcode(kind, buffer, at)
                    if self.done:
                        break
                    data, expires, expire = self._data, self._expires, self._expire
                    continue
                size = buffer[at + 1]
                if size < 64:
                    at += 2
                    key = buffer[at : at + size]
                    at += size
                else:
                    key, at = read_string(buffer, at + 1)
                if not kind:
                    size = buffer[at]
                    if size < 64:
                        at += 1
                        value = buffer[at : at + size]
                        at += size
                        if at > limit:
                            raise NeedMore(at, at - size)
                    else:
                        value, at = read_string(buffer, at)
                elif kind in readers:
                    if at > limit:
                        raise NeedMore(at, at - size)
                    try:
                        value, at = readers[kind](buffer, at, options)
                    except EmptyKey as empty:
                        at = empty.position
                        self._skip_empty(key)
                        expire = None
                        continue
                else:
                    raise RdbError(f"Unknown RDB encoding type {kind}")
                if expire is not None and now is not None and expire < now:
                    self.keys_expired += 1
                    self._idle = self._frequency = -1
                    expire = None
                    self.sink.expired(key)
                    continue
                if key in data:
                    self._replace_key(key, expires)
                data[key] = value
                loaded += 1
                if expire is not None:
                    expires[key] = expire
                    expire = None
                if self._idle >= 0 or self._frequency >= 0:
                    self.sink.access(key, value, self._idle, self._frequency)
                    self._idle = self._frequency = -1
        except INCOMPLETE as short:
            self._expire = expire
            if isinstance(short, NeedMore):
                self._hold(buffer, record, short.need, short.start)
            else:
                self._hold(buffer, record, limit + 1, limit)
        except RdbError as error:
            if error.record < 0:
                error.record = self.offset + record
            if error.offset < 0:
                error.offset = error.record
            raise
        finally:
            self.keys_loaded += loaded

    def _skip_empty(self, key: bytes) -> None:
        self.keys_empty += 1
        self._idle = self._frequency = -1
        self.sink.empty(key)

    def _replace_key(self, key: bytes, expires: dict[bytes, int]) -> None:
        if not self.replace:
            name = key.decode("utf-8", "backslashreplace")
            raise RdbError(f"RDB has duplicated key '{name}' in DB {self._index}")
        expires.pop(key, None)

    # --- opcodes ---------------------------------------------------------------------------------

    def _read_opcode(self, kind: int, buffer: bytes, at: int) -> int:
        """Act on the opcode at *at*; the position after it."""
        at += 1
        if kind == codes.EXPIRETIME:
            self._expire = _TIME.unpack_from(buffer, at)[0] * 1000
            return at + 4
        if kind == codes.FREQ:
            self._frequency = buffer[at]
            return at + 1
        if kind == codes.IDLE:
            self._idle, at = read_length(buffer, at)
            return at
        if kind == codes.EOF:
            self._read_end(buffer, at)
            return at
        if kind == codes.SELECTDB:
            index, at = read_length(buffer, at)
            self.position = self.offset + at
            self._data, self._expires = self.sink.select(index)
            self._index = index
            return at
        if kind == codes.RESIZEDB:
            keys, at = read_length(buffer, at)
            expires, at = read_length(buffer, at)
            self.sink.resize(keys, expires)
            return at
        if kind == codes.AUX:
            name, at = read_string(buffer, at)
            value, at = read_string(buffer, at)
            self.position = self.offset + at
            self.sink.aux(name, value)
            return at
        if kind == codes.FUNCTION2:
            code, at = read_string(buffer, at)
            self.sink.function(code)
            return at
        if kind == codes.MODULE_AUX:
            return self._read_module_aux(buffer, at)
        raise RdbError("Pre-release function format not supported.")

    def _read_module_aux(self, buffer: bytes, at: int) -> int:
        module_id, at = read_length(buffer, at)
        opcode, at = read_length(buffer, at)
        _, at = read_length(buffer, at)
        if opcode != codes.MODULE_OPCODE_UINT:
            raise RdbError("bad when_opcode")
        if not self.options.skip_modules:
            name = codes.module_name(module_id)
            raise RdbError(f"The RDB file contains AUX module data I can't load: no matching module '{name}'")
        self.sink.module_aux(codes.module_name(module_id))
        return skip_module_data(buffer, at)

    def _read_end(self, buffer: bytes, at: int) -> None:
        end = at
        stored = 0
        if self.version >= _FIRST_CHECKSUM_VERSION:
            end = at + 8
            if end > len(buffer):
                raise NeedMore(end, at)
            (stored,) = _CHECKSUM.unpack_from(buffer, at)
        self._consume(buffer, at)
        if self.version >= _FIRST_CHECKSUM_VERSION:
            self._verify(stored)
        self.offset += end - at
        self.leftover = buffer[end:]
        self._held, self._held_size = [], 0
        self.done = True

    def _verify(self, stored: int) -> None:
        if not self.checksum:
            self.checksum_state = "skipped"
        elif not stored:
            self.checksum_state = "disabled"
        elif stored != self._crc:
            raise WrongChecksum(self._crc, stored, self.offset + 8)
        else:
            self.checksum_state = "ok"


class WrongChecksum(RdbError):
    """The file is not what was written: ``expected`` was computed, ``stored`` is in the file."""

    def __init__(self, expected: int, stored: int, offset: int = -1) -> None:
        super().__init__("RDB CRC error", offset)
        self.expected = expected
        self.stored = stored


def load(
    source: BinaryIO, reader: Reader, *, chunk: int = CHUNK, progress: Callable[[int], object] | None = None
) -> None:
    """Feed *reader* all of *source*; *progress* gets the bytes read after every *chunk* of them."""
    chunk = chunk if chunk > 0 else CHUNK
    read = 0
    while not reader.done:
        data = source.read(chunk)
        if not data:
            reader.finish()
            return
        reader.feed(data)
        read += len(data)
        if progress is not None:
            progress(read)


def load_file(
    path: str | os.PathLike[str],
    reader: Reader,
    *,
    chunk: int = CHUNK,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Load the file at *path*, whose size becomes the reader's ``total``."""
    with open(path, "rb", buffering=0) as source:
        reader.total = os.fstat(source.fileno()).st_size
        load(source, reader, chunk=chunk, progress=progress)
