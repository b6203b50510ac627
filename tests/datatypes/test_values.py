"""Types, encodings and copies of values."""

from __future__ import annotations

from pyredis.datatypes.hashes import Hash
from pyredis.datatypes.values import Spelled, duplicate, encoding, is_shared_integer, type_name


def test_strings() -> None:
    assert type_name(b"") == type_name(bytearray()) == type_name(Spelled(b"1")) == b"string"
    assert encoding(b"-5") == b"int"
    assert encoding(Spelled(b"-5")) == encoding(b"-05") == encoding(b"9" * 19) == b"embstr"
    assert encoding(Spelled(b"5" * 45)) == encoding(bytearray(b"5")) == b"raw"


def test_shared_integers() -> None:
    assert [is_shared_integer(value) for value in (b"0", b"9999", b"10000", b"-1", b"x")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert not is_shared_integer(bytearray(b"1"))
    assert not is_shared_integer(Hash())


def test_copies() -> None:
    text, buffer = Spelled(b"1"), bytearray(b"ab")
    assert duplicate(text) is text
    copy = duplicate(buffer)
    copy += b"c"
    assert (buffer, copy) == (b"ab", b"abc")
    assert duplicate(Hash()).encoding == b"listpack"
