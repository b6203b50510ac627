"""Glob patterns as Redis matches them (stringmatchlen), odd cases included.

Every token but ``*`` stands for exactly one byte.  So between two stars the leftmost fit is as good
as any, which keeps a match within O(pattern * string) however many stars there are: the regular
expressions made here are atomic after each star and never backtrack past it.

The odd cases: nothing but the empty pattern matches the empty string, not even ``*``; ``[]`` fits no
byte and ``[^]`` any; an unclosed ``[`` runs to the end of the pattern; a range takes whatever stands
at its ends (``[a-]`` has the end ``]``), in either order, compared as signed chars; an escaped byte in
a class keeps its case even without regard to case; a last backslash is itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from operator import methodcaller

Matcher = Callable[[bytes], object]
"""Says whether a string fits by the truth of its result, which may be a ``re.Match``."""

_STAR, _ANY, _OPEN, _CLOSE, _NOT, _ESCAPE, _RANGE = b"*?[]^\\-"
_SPECIAL = re.compile(rb"[*?\[\\]")
_LONGEST_COMPILED = 1024  # sre takes about 2 us per byte to compile


def match(pattern: bytes, string: bytes, nocase: bool = False) -> bool:
    """Whether *string* as a whole fits *pattern*; *nocase* folds ASCII letters."""
    return bool(compile(pattern, nocase)(string))


def compile(pattern: bytes, nocase: bool = False) -> Matcher:
    """The fastest test for *pattern*: a C function wherever possible; recent ones are remembered."""
    if len(pattern) <= _LONGEST_COMPILED:
        return _compiled(pattern, nocase)
    return lambda string: _walk(pattern, string, nocase)


@lru_cache(maxsize=1024)
def _compiled(pattern: bytes, nocase: bool) -> Matcher:
    if not nocase:
        if _SPECIAL.search(pattern) is None:
            return pattern.__eq__
        if pattern == b"*":
            return bool
        if pattern.endswith(b"*") and _SPECIAL.search(pattern[:-1]) is None:
            return methodcaller("startswith", pattern[:-1])
        if pattern.startswith(b"*") and _SPECIAL.search(pattern[1:]) is None:
            return methodcaller("endswith", pattern[1:])
    elif not pattern.strip(b"*"):
        return bool if pattern else pattern.__eq__
    segments = _segments(pattern, nocase)
    if len(segments) == 1:
        return re.compile(segments[0], re.DOTALL).fullmatch
    first, *middle, last = segments
    if not first and not last:
        if not middle:
            return bool
        if len(middle) == 1:
            return re.compile(middle[0], re.DOTALL).search
    source = first + b"".join(b"(?>.*?%b)" % segment for segment in middle) + b".*" + last
    return re.compile(source, re.DOTALL).fullmatch


def _segments(pattern: bytes, nocase: bool) -> list[bytes]:
    """Regular expressions of the parts between stars; runs of stars count as one."""
    segments: list[bytes] = []
    atoms: list[bytes] = []
    i, end = 0, len(pattern)
    while i < end:
        byte = pattern[i]
        i += 1
        if byte == _STAR:
            if atoms or not segments:
                segments.append(b"".join(atoms))
                atoms = []
        elif byte == _ANY:
            atoms.append(b".")
        elif byte == _OPEN:
            accepted, i = _class(pattern, i, nocase)
            atoms.append(_class_source(accepted))
        else:
            if byte == _ESCAPE and i < end:
                byte = pattern[i]
                i += 1
            atoms.append(_class_source(_fold(byte)) if nocase else b"\\x%02x" % byte)
    segments.append(b"".join(atoms))
    return segments


def _class(pattern: bytes, i: int, nocase: bool) -> tuple[set[int], int]:
    """The bytes accepted by the class whose inside begins at *i*, and where the pattern goes on."""
    end = len(pattern)
    accepted: set[int] = set()
    negated = i < end and pattern[i] == _NOT
    if negated:
        i += 1
    while i < end:
        byte = pattern[i]
        if byte == _ESCAPE and end - i >= 2:
            i += 1
            accepted.add(pattern[i])
        elif byte == _CLOSE:
            i += 1
            break
        elif end - i >= 3 and pattern[i + 1] == _RANGE:
            accepted |= _range(byte, pattern[i + 2], nocase)
            i += 2
        elif nocase:
            accepted |= _fold(byte)
        else:
            accepted.add(byte)
        i += 1
    return (set(range(256)) - accepted if negated else accepted), i


def _range(first: int, last: int, nocase: bool) -> set[int]:
    low, high = sorted((_signed(first), _signed(last)))
    if nocase:  # the ends are folded after they were put in order, so [Z-a] becomes empty
        low, high = _lower(low), _lower(high)
        return {byte for byte in range(256) if low <= _lower(_signed(byte)) <= high}
    return {byte for byte in range(256) if low <= _signed(byte) <= high}


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _lower(char: int) -> int:
    return char + 32 if 65 <= char <= 90 else char


def _fold(byte: int) -> set[int]:
    folded = _lower(byte)
    return {folded, folded - 32} if 97 <= folded <= 122 else {byte}


def _class_source(accepted: set[int]) -> bytes:
    if len(accepted) == 256:
        return b"."
    if not accepted:
        return b"(?!)"
    if len(accepted) == 1:
        return b"\\x%02x" % min(accepted)
    return b"[%b]" % b"".join(b"\\x%02x" % byte for byte in sorted(accepted))


def _walk(pattern: bytes, string: bytes, nocase: bool) -> bool:
    """The match without compiling: its cost depends on *string* more than on a long *pattern*."""
    p, s, p_end, s_end = 0, 0, len(pattern), len(string)
    if not s_end:
        return not p_end
    retry_p = retry_s = -1
    while s < s_end:
        if p < p_end:
            byte = pattern[p]
            if byte == _STAR:
                p += 1
                retry_p, retry_s = p, s
                continue
            fits, p = _step(pattern, p, string[s], nocase)
            if fits:
                s += 1
                continue
        if retry_p < 0:
            return False
        if retry_p == p_end:
            return True
        retry_s += 1
        p, s = retry_p, retry_s
    return not pattern[p:].strip(b"*")


def _step(pattern: bytes, p: int, char: int, nocase: bool) -> tuple[bool, int]:
    """Whether *char* fits the token at *p*, and where the next token begins."""
    byte = pattern[p]
    p += 1
    if byte == _ANY:
        return True, p
    if byte == _OPEN:
        accepted, p = _class(pattern, p, nocase)
        return char in accepted, p
    if byte == _ESCAPE and p < len(pattern):
        byte = pattern[p]
        p += 1
    return (char in _fold(byte) if nocase else char == byte), p
