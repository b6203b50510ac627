"""Patterns, compared with a direct reading of stringmatchlen's rules."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyredis.util import glob
from pyredis.util.glob import compile, match


def model(pattern: bytes, string: bytes, nocase: bool) -> bool:
    """Plain recursion, exponential at worst; deliberately nothing like the module under test."""
    if not string:
        return not pattern
    return _model(pattern, string, nocase)


def _model(pattern: bytes, string: bytes, nocase: bool) -> bool:
    if not pattern:
        return not string
    if pattern[:1] == b"*":
        return _model(pattern[1:], string, nocase) or (bool(string) and _model(pattern, string[1:], nocase))
    if not string:
        return False
    char, head, rest = string[0], pattern[0], pattern[1:]
    if head == ord("?"):
        return _model(rest, string[1:], nocase)
    if head == ord("["):
        fits, rest = _model_class(rest, char, nocase)
        return fits and _model(rest, string[1:], nocase)
    if head == ord("\\") and rest:
        head, rest = rest[0], rest[1:]
    return lower(head, nocase) == lower(char, nocase) and _model(rest, string[1:], nocase)


def _model_class(rest: bytes, char: int, nocase: bool) -> tuple[bool, bytes]:
    negated = rest.startswith(b"^")
    rest = rest[negated:]
    found = False
    while rest and not rest.startswith(b"]"):
        if rest[0] == ord("\\") and len(rest) >= 2:
            found |= rest[1] == char
            rest = rest[2:]
        elif len(rest) >= 3 and rest[1] == ord("-"):
            low, high = sorted((signed(rest[0]), signed(rest[2])))
            found |= lower(low, nocase) <= lower(signed(char), nocase) <= lower(high, nocase)
            rest = rest[3:]
        else:
            found |= lower(rest[0], nocase) == lower(char, nocase)
            rest = rest[1:]
    return found != negated, rest[1:]


def signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def lower(char: int, nocase: bool) -> int:
    return char + 32 if nocase and 65 <= char <= 90 else char


PATTERNS = st.binary(max_size=9) | st.text("ab*?[]^-\\AZ\xff\0", max_size=9).map(lambda s: s.encode("latin-1"))
STRINGS = st.binary(max_size=7) | st.text("abABZz-]\\\xff\0", max_size=7).map(lambda s: s.encode("latin-1"))


@given(PATTERNS, STRINGS, st.booleans())
@example(b"*", b"", False)
@example(b"[a-]b", b"_", False)
@example(b"a*b*c*d", b"abcabcd", False)
def test_agrees_with_the_model(pattern, string, nocase):
    expected = model(pattern, string, nocase)
    assert match(pattern, string, nocase) == expected
    assert glob._walk(pattern, string, nocase) == expected


@given(st.text("ab*?", max_size=12).map(str.encode), st.text("ab", max_size=10).map(str.encode))
def test_stars_agree_with_the_model(pattern, string):
    expected = model(pattern, string, False)
    assert match(pattern, string) == expected
    assert glob._walk(pattern, string, False) == expected


@pytest.mark.parametrize(
    ("pattern", "string", "fits"),
    [
        (b"", b"", True),
        (b"", b"a", False),
        (b"*", b"", False),
        (b"**", b"", False),
        (b"*", b"a", True),
        (b"a*", b"a", True),
        (b"a**", b"a", True),
        (b"?", b"\n", True),
        (b"h[ae]llo", b"hallo", True),
        (b"h[^ae]llo", b"hallo", False),
        (b"h[c-a]llo", b"hbllo", True),
        (b"[]", b"]", False),
        (b"[^]", b"x", True),
        (b"[", b"[", False),
        (b"[^", b"x", True),
        (b"[abc", b"c", True),
        (b"[a\\]b]", b"]", True),
        (b"[a-", b"-", True),
        (b"[\x80-\x7f]", b"\x00", True),
        (b"[a-\xff]", b"A", True),
        (b"a\\", b"a\\", True),
        (b"\\*", b"*", True),
        (b"\\*", b"a", False),
        (b"user:*", b"user:", True),
        (b"*:name", b"user:1:name", True),
        (b"*er*", b"user", True),
        (b"a.c", b"abc", False),
    ],
)
def test_odd_cases(pattern, string, fits):
    assert match(pattern, string) is fits


def test_case_is_folded_before_ranges_but_not_for_escapes_in_a_class():
    assert match(b"HeLLo*", b"hEllO there", nocase=True)
    assert match(b"[A-C]", b"b", nocase=True)
    assert not match(b"[Z-a]", b"z", nocase=True)
    assert not match(b"[\\A]", b"a", nocase=True)
    assert match(b"\\A", b"a", nocase=True)
    assert match(b"*", b"x", nocase=True)
    assert not match(b"*", b"", nocase=True)


def test_simple_patterns_need_no_regular_expression():
    assert compile(b"*") is bool
    for pattern in (b"user:1", b"user:*", b"*:name"):
        assert not hasattr(compile(pattern), "__self__") or not hasattr(compile(pattern).__self__, "pattern")


@pytest.mark.parametrize(
    ("pattern", "string"),
    [
        (b"a*" * 30 + b"b", b"a" * 100),
        (b"*a" * 300 + b"b", b"a" * 5000),
        (b"a*" * 2000 + b"b", b"a" * 5000),
        (b"*?" * 400 + b"b", b"a" * 5000),
        (b"[a-z]*" * 200 + b"Z", b"a" * 5000),
    ],
)
def test_many_stars_take_bounded_time(pattern, string):
    started = time.process_time()
    assert not match(pattern, string)
    assert time.process_time() - started < 1.0


def test_long_patterns_are_not_compiled():
    pattern = b"x" * 5000 + b"*[yz]"
    assert match(pattern, b"x" * 5000 + b"abcy")
    assert not match(pattern, b"x" * 5000 + b"abc")
    assert match(pattern.upper(), b"x" * 5000 + b"abcz", nocase=True)
