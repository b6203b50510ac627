"""DUMP payloads: type, value, two bytes of RDB version, CRC64 (cluster.c createDumpPayload)."""

from __future__ import annotations

import struct
from typing import Any

from pyredis.persistence.rdb import codes
from pyredis.persistence.rdb.codes import EmptyKey, RdbError
from pyredis.persistence.rdb.loading import INCOMPLETE, READERS
from pyredis.persistence.rdb.options import LoadOptions, SaveOptions
from pyredis.persistence.rdb.saving import save_value
from pyredis.util.crc import crc64

_FOOTER = struct.Struct("<HQ")
_VERSION = struct.Struct("<H")
_CHECKSUM = struct.Struct("<Q")


def dump(value: Any, options: SaveOptions) -> bytes:
    """*value* as DUMP replies with it.  O(bytes)"""
    kind, payload = save_value(value, options)
    body = b"%c%b%b" % (kind, payload, _VERSION.pack(options.version))
    return body + _CHECKSUM.pack(crc64(body))


def verify(payload: bytes, *, checksum: bool = True) -> bool:
    """Whether the footer of *payload* is right: a version this server reads, and the checksum.

    RESTORE answers "DUMP payload version or checksum are wrong" otherwise.
    """
    if len(payload) < _FOOTER.size:
        return False
    version, stored = _FOOTER.unpack_from(payload, len(payload) - _FOOTER.size)
    if version > codes.RDB_VERSION:
        return False
    return not checksum or bool(stored == crc64(memoryview(payload)[:-8]))


def restore(payload: bytes, options: LoadOptions) -> Any:
    """The value in a verified *payload*.  RdbError for whatever is wrong: RESTORE says "Bad data format"."""
    reader = READERS.get(payload[0])
    if reader is None:
        raise RdbError(f"Unknown RDB encoding type {payload[0]}")
    try:
        value, end = reader(payload, 1, options)
    except EmptyKey:
        raise RdbError("empty key") from None
    except INCOMPLETE:
        raise RdbError("Unexpected end of the payload") from None
    if end > len(payload):
        raise RdbError("Unexpected end of the payload")
    return value
