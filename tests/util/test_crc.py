"""Checksums, with the library and without."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyredis.util.crc import crc16, crc64, crc64_by_table

CHECK = b"123456789"
LOREM = (
    b"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et "
    b"dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex "
    b"ea commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu "
    b"fugiat nulla pariatur. Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt "
    b"mollit anim id est laborum.\0"
)


def test_known_values():
    assert crc64(CHECK) == crc64_by_table(CHECK) == 0xE9C6D914C4B8D9CA
    assert crc64(LOREM) == crc64_by_table(LOREM) == 0xC7794709E69683B3
    assert crc64(b"") == 0
    assert crc16(CHECK) == 0x31C3


def test_any_buffer_will_do():
    assert crc64(bytearray(CHECK)) == crc64(memoryview(CHECK)) == crc64(CHECK)


@given(st.binary(), st.binary())
def test_in_parts(head, tail):
    assert crc64(tail, crc64(head)) == crc64(head + tail) == crc64_by_table(tail, crc64_by_table(head))
    assert crc16(tail, crc16(head)) == crc16(head + tail)
