"""RDB files out of databases (rdb.c rdbSaveRio).

Pieces are joined to about a megabyte before they go out.  A million small string keys take about a second.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyredis import REDIS_VERSION
from pyredis.persistence.rdb import codes
from pyredis.persistence.rdb.options import SaveOptions
from pyredis.persistence.rdb.saving import save_value
from pyredis.persistence.rdb.strings import SHORT_LENGTHS, SIGNED_64, encode_length, encode_string
from pyredis.util.crc import crc64

_CHECKSUM = struct.Struct("<Q")
_BIG = 64 * 1024
_KEYS_PER_PIECE = 1024
"""Also how often progress is reported, as in rdbSaveDb."""

_OPCODE = {code: bytes((code,)) for code in range(256)}
_EXPIRE = _OPCODE[codes.EXPIRETIME_MS]


class Writer:
    """Writes one file, in order: ``begin``, ``function`` ..., ``database`` ..., ``end``.

    *write* takes each piece; what it raises passes through.  *checksum* false writes zero instead
    (rdbchecksum no).
    """

    def __init__(self, write: Callable[[bytes], object], options: SaveOptions, *, checksum: bool = True) -> None:
        self.write = write
        self.options = options
        self.checksum = checksum
        self.size = 0
        """Bytes written so far."""
        self.keys = 0
        self._crc = 0

    def put(self, piece: bytes) -> None:
        """Write a *piece* that is a whole number of records."""
        if self.checksum:
            self._crc = crc64(piece, self._crc)
        self.size += len(piece)
        self.write(piece)

    def begin(self, fields: Iterable[tuple[bytes, bytes | int]]) -> None:
        """The magic and the auxiliary *fields*: see standard_fields()."""
        parts = [b"REDIS%04d" % self.options.version]
        for name, value in fields:
            text = value if isinstance(value, bytes) else b"%d" % value
            compress = self.options.compress
            parts += (_OPCODE[codes.AUX], encode_string(name, compress), encode_string(text, compress))
        self.put(b"".join(parts))

    def function(self, code: bytes) -> None:
        """The source of a function library; left out of files for servers before 7.0, which have none."""
        if self.options.version >= 10:
            self.put(_OPCODE[codes.FUNCTION2] + encode_string(code, self.options.compress))

    def database(
        self,
        index: int,
        data: Mapping[bytes, Any],
        expires: Mapping[bytes, int],
        *,
        access: Callable[[bytes, Any], bytes] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        """All keys of a database, none if it is empty.  O(bytes)

        *access* gives what to write before a key (idle_opcode, frequency_opcode).  *progress* gets the number
        of keys written, every 1024 of them.
        """
        if not data:
            return
        head = (_OPCODE[codes.SELECTDB], encode_length(index), _OPCODE[codes.RESIZEDB])
        self.put(b"".join((*head, encode_length(len(data)), encode_length(len(expires)))))
        options = self.options
        compress = options.compress
        longest = 20 if compress else 63
        save, lengths, expire_of, pack_time = save_value, SHORT_LENGTHS, expires.get, SIGNED_64.pack
        parts: list[bytes] = []
        append = parts.append
        pieces = _KEYS_PER_PIECE
        for key, value in data.items():
            if expires:
                when = expire_of(key)
                if when is not None:
                    append(_EXPIRE + pack_time(when))
            if access is not None:
                append(access(key, value))
            size = len(key)
            if size > longest or (size < 12 and (key.isdigit() or key[:1] == b"-")):
                name = encode_string(key, compress)
            else:
                name = lengths[size] + key
            if value.__class__ is bytes:
                size = len(value)
                if size > longest or (size < 12 and (value.isdigit() or value[:1] == b"-")):
                    payload = encode_string(value, compress)
                else:
                    payload = lengths[size] + value
                append(b"\x00%b%b" % (name, payload))
            else:
                kind, payload = save(value, options)
                append(b"%c%b" % (kind, name))
                append(payload)
            pieces -= 1
            if not pieces or len(payload) > _BIG:
                self.keys += _KEYS_PER_PIECE - pieces
                pieces = _KEYS_PER_PIECE
                self.put(b"".join(parts))
                parts.clear()
                if progress is not None:
                    progress(self.keys)
        self.keys += _KEYS_PER_PIECE - pieces
        if parts:
            self.put(b"".join(parts))

    def end(self) -> None:
        """The end opcode and the checksum."""
        self.put(_OPCODE[codes.EOF])
        self.write(_CHECKSUM.pack(self._crc))
        self.size += 8


def idle_opcode(seconds: int) -> bytes:
    """What goes before a key under an LRU policy."""
    return _OPCODE[codes.IDLE] + encode_length(seconds)


def frequency_opcode(counter: int) -> bytes:
    """What goes before a key under an LFU policy; *counter* is 0 to 255."""
    return bytes((codes.FREQ, counter))


def standard_fields(
    created: int,
    used_memory: int,
    *,
    replication: tuple[int, bytes, int] | None = None,
    aof_base: bool = False,
    version: int = codes.RDB_VERSION,
) -> list[tuple[bytes, bytes | int]]:
    """The auxiliary fields Redis writes (rdbSaveInfoAuxFields).

    *created*: unix seconds.  *replication*: selected database, replication id, offset.
    """
    fields: list[tuple[bytes, bytes | int]] = [
        (b"redis-ver", REDIS_VERSION.encode()),
        (b"redis-bits", 64),
        (b"ctime", created),
        (b"used-mem", used_memory),
    ]
    if replication is not None:
        database, replication_id, offset = replication
        fields += [(b"repl-stream-db", database), (b"repl-id", replication_id), (b"repl-offset", offset)]
    fields.append((b"aof-base" if version >= 10 else b"aof-preamble", int(aof_base)))
    return fields
