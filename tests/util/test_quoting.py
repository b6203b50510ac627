"""Splitting and quoting command lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.util.quoting import needs_quotes, quote, split_args


@pytest.mark.parametrize(
    ("line", "args"),
    [
        (b"", []),
        (b" \t\r\n ", []),
        (b"SET a b", [b"SET", b"a", b"b"]),
        (b"  a\tb\nc\rd ", [b"a", b"b", b"c", b"d"]),
        (b'a "b c" d', [b"a", b"b c", b"d"]),
        (b'"\\x41\\x00\\n\\r\\t\\b\\a\\\\\\"\\q"', [b'A\x00\n\r\t\b\a\\"q']),
        (b'"\\xZZ\\x4"', [b"xZZx4"]),
        (b"'it\\'s' '\\n\\\\ '", [b"it's", b"\\n\\\\ "]),
        (b"a'b c'", [b"ab c"]),
        (b'a"b" c', [b"ab", b"c"]),
        (b"\"\" ''", [b"", b""]),
        (b"'a\"b' \"c'd\"", [b'a"b', b"c'd"]),
        (b'\x0b\x0c"a"\x0bb\x0cc', [b"a", b"b\x0cc"]),
        (b"a\x0bb", [b"a\x0bb"]),
        (b"a b\x00c d", [b"a", b"b"]),
        (b"\xff\x80 \xc3\xa9", [b"\xff\x80", b"\xc3\xa9"]),
        (b"a\\ b", [b"a\\", b"b"]),
    ],
)
def test_split_args(line, args):
    assert split_args(line) == args


@pytest.mark.parametrize(
    "line", [b'"', b"'", b'"a', b"'a", b'"a"b', b"'a'b", b"""a"b"'c'""", b"'a\\'", b'"a\\"', b'"\x00"', b'a "\\']
)
def test_unbalanced_quotes(line):
    assert split_args(line) is None


@given(st.lists(st.binary()))
def test_quoted_arguments_come_back(args):
    assert split_args(b" ".join(quote(arg) for arg in args)) == args


@given(st.binary(max_size=40))
def test_any_line_is_split_or_refused(line):
    args = split_args(line)
    assert args is None or all(type(arg) is bytes for arg in args)


@given(st.binary(min_size=1, max_size=20))
def test_what_needs_no_quotes_is_one_word_without_them(text):
    if not needs_quotes(text) and b"'" not in text:
        assert split_args(text) == [text]


def test_quote():
    assert quote(b"") == b'""'
    assert quote(b'a "\\\n\r\t\a\b\x00\x7f\xe9~ ') == b'"a \\"\\\\\\n\\r\\t\\a\\b\\x00\\x7f\\xe9~ "'
    assert needs_quotes(b"a b")
    assert needs_quotes(b'"')
    assert not needs_quotes(b"plain-text_1")
