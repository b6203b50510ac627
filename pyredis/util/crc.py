"""The two checksums of Redis: CRC64 (RDB files, DUMP) and CRC16 (hash slots)."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable
from functools import cache

_POLYNOMIAL = 0x95AC9329AC4BC9B5  # Jones's 0xad93d23594c935a9 with its bits reversed


def crc64(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """CRC-64/REDIS of *data*; *crc* is the result for what came before, so it may be computed in parts."""
    return _implementation()(data, crc)


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16/XMODEM of *data*, as cluster slots use it; *crc* as in crc64."""
    return crc_hqx(data, crc)


@cache
def _implementation() -> Callable[[bytes | bytearray | memoryview, int], int]:
    """anycrc's C code (10 GB/s) where it is installed, else a table in Python (10 MB/s)."""
    try:
        import anycrc
    except ImportError:
        return crc64_by_table
    calculate: Callable[[bytes | bytearray | memoryview, int], int] = anycrc.Model("CRC64-REDIS").calc
    return calculate


def crc64_by_table(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """crc64 without any library."""
    table = _table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc


@cache
def _table() -> list[int]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL if crc & 1 else crc >> 1
        table.append(crc)
    return table
