from __future__ import annotations

import struct

import pytest

from pyredis.persistence.rdb.codes import NeedMore, RdbError
from pyredis.persistence.rdb.strings import (
    encode_length,
    encode_string,
    read_length,
    read_string,
    read_strings,
    read_text_double,
)


@pytest.mark.parametrize(
    ("length", "encoded"),
    [
        (0, "00"),
        (63, "3f"),
        (64, "4040"),
        (16383, "7fff"),
        (16384, "8000004000"),
        (0xFFFFFFFF, "80ffffffff"),
        (0x100000000, "810000000100000000"),
    ],
)
def test_lengths(length: int, encoded: str) -> None:
    assert encode_length(length).hex() == encoded
    assert read_length(bytes.fromhex(encoded), 0) == (length, len(encoded) // 2)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        (b"0", "c000"),
        (b"-1", "c0ff"),
        (b"127", "c07f"),
        (b"128", "c18000"),
        (b"-32768", "c10080"),
        (b"32768", "c200800000"),
        (b"-2147483648", "c200000080"),
        (b"2147483648", "0a" + b"2147483648".hex()),
        (b"01", "023031"),
        (b"-0", "022d30"),
        (b"-", "012d"),
        (b"+1", "022b31"),
        (b"", "00"),
    ],
)
def test_integers_are_stored_as_such_when_they_are_canonical(text: bytes, encoded: str) -> None:
    assert encode_string(text, True).hex() == encoded
    assert encode_string(bytearray(text), True).hex() == encoded
    assert read_string(bytes.fromhex(encoded), 0) == (text, len(encoded) // 2)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("size", [1, 20, 21, 63, 64, 1000, 20000])
def test_strings_come_back(size: int, compress: bool) -> None:
    text = (b"abcdefgh" * 2500)[:size]
    encoded = encode_string(text, compress)
    assert read_string(b"??" + encoded + b"!", 2) == (text, 2 + len(encoded))
    assert (encoded[0] == 0xC3) == (compress and size > 20)


def test_several_strings() -> None:
    texts = [b"a", b"", b"17", b"x" * 100, b"ab" * 300]
    encoded = b"".join(encode_string(text, True) for text in texts)
    assert read_strings(encoded, 0, len(texts)) == (texts, len(encoded))
    for end in range(len(encoded)):
        with pytest.raises((NeedMore, IndexError, struct.error)):
            read_strings(encoded[:end], 0, len(texts))


def test_short_buffers_tell_where_the_string_starts() -> None:
    with pytest.raises(NeedMore) as caught:
        read_string(b"\x05abc", 0)
    assert (caught.value.need, caught.value.start) == (6, 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xc4", "Unknown RDB string encoding type 4"),
        (b"\x82\0\0\0\0", "Unknown length encoding 2 in rdbLoadLen()"),
        (b"\x81" + b"\xff" * 8, "length of 18446744073709551615 bytes is out of range"),
        (b"\xc3\x03\x05\x20\xff\xff", "Invalid LZF compressed string"),
        (b"\xc3\x03\x81\x00\x00\x7f\xff\xff\xff\xff\xffabc", "Invalid LZF compressed string"),
    ],
)
def test_damage(data: bytes, reason: str) -> None:
    with pytest.raises(RdbError) as caught:
        read_string(data, 0)
    assert caught.value.reason == reason


def test_text_doubles() -> None:
    assert read_text_double(b"\x042.50", 0) == (2.5, 5)
    assert read_text_double(b"\xfe", 0) == (float("inf"), 1)
    assert read_text_double(b"\xff", 0) == (float("-inf"), 1)
    nan, _ = read_text_double(b"\xfd", 0)
    assert nan != nan
    with pytest.raises(RdbError):
        read_text_double(b"\x03abc", 0)
    with pytest.raises(NeedMore):
        read_text_double(b"\x051.5", 0)
