"""Sizes of listpack entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.listpack import entries_size, entry_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (b"", 2),
        (b"a", 3),
        (b"0", 2),
        (b"127", 2),
        (b"128", 3),
        (b"-1", 3),
        (b"4095", 3),
        (b"-4096", 3),
        (b"4096", 4),
        (b"-4097", 4),
        (b"32767", 4),
        (b"-32768", 4),
        (b"32768", 5),
        (b"8388607", 5),
        (b"-8388608", 5),
        (b"8388608", 6),
        (b"2147483647", 6),
        (b"-2147483648", 6),
        (b"2147483648", 10),
        (b"9223372036854775807", 10),
        (b"-9223372036854775808", 10),
        (b"9223372036854775808", 21),
        (b"01", 4),
        (b"-0", 4),
        (b"+1", 4),
        (b"x" * 63, 65),
        (b"x" * 64, 67),
        (b"x" * 125, 128),
        (b"x" * 126, 130),
        (b"x" * 4095, 4099),
        (b"x" * 4096, 4103),
        (b"x" * 16377, 16384),
        (b"x" * 16378, 16386),
        (b"x" * 2097145, 2097153),
        (b"x" * 2097146, 2097155),
    ],
)
def test_entry_size(value: bytes, size: int) -> None:
    assert entry_size(value) == size


@given(st.lists(st.one_of(st.binary(max_size=80), st.integers().map(b"%d".__mod__))))
def test_entries_size_is_the_sum(values: list[bytes]) -> None:
    assert entries_size(values) == sum(map(entry_size, values))
