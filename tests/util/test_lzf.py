"""LZF, in Python alone and through the interface that may use a library."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.util.lzf import compress, compress_in_python, decompress, decompress_in_python

REPETITIVE = st.builds(lambda part, n, tail: part * n + tail, st.binary(max_size=20), st.integers(0, 400), st.binary())
FEW_LETTERS = st.text("ab", max_size=600).map(str.encode)


@given(REPETITIVE | FEW_LETTERS | st.binary(max_size=400))
def test_what_was_compressed_comes_back(data):
    for pack in (compress, lambda data: compress_in_python(data, len(data) - 4)):
        packed = pack(data)
        if packed is not None:
            assert len(packed) <= len(data) - 4
            assert decompress(packed, len(data)) == data
            assert decompress_in_python(packed, len(data)) == data


@pytest.mark.parametrize("data", [b"", b"a", b"aaaa", b"abcdefghijklmnopqrstuvwxyz", random.Random(1).randbytes(5000)])
def test_what_does_not_get_smaller_is_left_alone(data):
    assert compress(data) is None


def test_repetition_is_worth_it():
    assert len(compress(b"a" * 1000) or b"") < 30
    assert len(compress_in_python(b"a" * 1000, 996) or b"") < 30
    far = random.Random(2).randbytes(8000)
    assert compress_in_python(far + far, 12_000) is not None
    assert compress_in_python(far + b"x" * 300 + far[:4000], 9000) is None


@pytest.mark.parametrize(
    ("packed", "data"),
    [
        (b"\x04hello", b"hello"),
        (b"\x01aa\xe0W\x00\x01aa", b"a" * 100),
        (b"\x03abca\xe0\x87\x02\x01bc", b"abc" * 50),
        (b"\x02abc\x40\x02", b"abcabca"),
        (b"", b""),
    ],
)
def test_known_streams(packed, data):
    assert decompress(packed, len(data)) == data
    assert decompress_in_python(packed, len(data)) == data


@pytest.mark.parametrize(
    ("packed", "size"),
    [
        (b"\x04hell", 5),
        (b"\x04hello", 4),
        (b"\x04hello", 6),
        (b"\x20\x00", 3),
        (b"\x00a\x20\x05", 4),
        (b"\x00a\xe0", 10),
        (b"\x00a\xe0\x01", 10),
        (b"\x00a\x20", 4),
        (b"", 1),
    ],
)
def test_corrupt_streams_are_refused(packed, size):
    for unpack in (decompress, decompress_in_python):
        with pytest.raises(ValueError):
            unpack(packed, size)


@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_input_either_fits_or_is_refused(packed, size):
    try:
        data = decompress_in_python(packed, size)
    except ValueError:
        return
    assert len(data) == size
