from __future__ import annotations

import pytest

from pyredis.config.ctext import as_int, as_signed, as_unsigned, format_memory, strtoll
from pyredis.util.numbers import parse_memory


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (b"", 0),
        (b"0", 0),
        (b"-12", -12),
        (b" \t+7", 7),
        (b"007", 7),
        (b"7 ", None),
        (b" ", None),
        (b"-", None),
        (b"1x", None),
        (b"9" * 30, 2**63 - 1),
        (b"-" + b"9" * 30, -(2**63)),
    ],
)
def test_strtoll(word: bytes, value: int | None) -> None:
    assert strtoll(word) == value


def test_strtoll_octal() -> None:
    assert strtoll(b"0777", 8, saturate=False) == 0o777
    assert strtoll(b"8", 8) is None
    assert strtoll(b"7" * 30, 8, saturate=False) is None


def test_casts() -> None:
    assert (as_signed(2**64 - 1), as_signed(2**63), as_signed(5)) == (-1, -(2**63), 5)
    assert (as_unsigned(-1), as_unsigned(2**64)) == (2**64 - 1, 0)
    assert (as_int(2**31), as_int(2**32 + 5), as_int(-1)) == (-(2**31), 5, -1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, b"0"), (1, b"1"), (1000, b"1000"), (1024, b"1kb"), (3 << 20, b"3mb"), (1536, b"1536"), (5 << 40, b"5120gb")],
)
def test_format_memory(value: int, text: bytes) -> None:
    assert format_memory(value) == text
    assert parse_memory(text) == value
