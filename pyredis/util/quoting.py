"""Command lines with quotes: inline commands, redis.conf, MONITOR (sds.c)."""

from __future__ import annotations

import re

# A space ends a token; what isspace() knows besides these two only separates them.
_TOKEN_END = b" \n\r\t\0"
_SPACES = b" \t\n\v\f\r"
_PLAIN = re.compile(rb"[^\"'\v\f\0]*")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_DOUBLE = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE = re.compile(rb"'((?:[^'\\]|\\'|\\(?!'))*)'", re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_UNPRINTABLE = re.compile(rb"[^ !#-\[\]-~]")


def split_args(line: bytes) -> list[bytes] | None:
    r"""The arguments of *line*, or None if a quote is not closed or not followed by a space.

    ``"a\n\x41"`` knows escapes, ``'it\'s'`` only that of the quote itself; quotes may begin
    inside a word (sdssplitargs).  A NUL ends the line.
    """
    if _PLAIN.fullmatch(line) is not None:
        return line.split()
    line = line.partition(b"\0")[0]
    args: list[bytes] = []
    i, end = 0, len(line)
    while True:
        while i < end and line[i] in _SPACES:
            i += 1
        if i == end:
            return args
        found = _token(line, i)
        if found is None:
            return None
        token, i = found
        args.append(token)


def _token(line: bytes, i: int) -> tuple[bytes, int] | None:
    """The argument that starts at *i*, and where the search for the next one goes on."""
    token = b""
    end = len(line)
    start = i
    while i < end:
        byte = line[i]
        if byte in _TOKEN_END:
            break
        if byte not in b"\"'":
            i += 1
            continue
        token += line[start:i]
        quoted = (_DOUBLE if byte == 34 else _SINGLE).match(line, i)
        if quoted is None:
            return None
        i = quoted.end()
        if i < end and line[i] not in _SPACES:
            return None
        return token + (_unescape(quoted[1]) if byte == 34 else quoted[1].replace(b"\\'", b"'")), i
    return token + line[start:i], i


def _unescape(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return _ESCAPE.sub(_escaped, text)


def _escaped(found: re.Match[bytes]) -> bytes:
    char: bytes = found[1]
    if len(char) == 3:
        return bytes((int(char[1:], 16),))
    return _ESCAPES.get(char, char)


def quote(text: bytes) -> bytes:
    r"""*text* in double quotes with ``\n``, ``\x00`` ... for what cannot be printed (sdscatrepr)."""
    return b'"%b"' % _UNPRINTABLE.sub(_escape, text)


def needs_quotes(text: bytes) -> bool:
    """Whether *text* must be quoted to be read back as one word (sdsneedsrepr)."""
    return b" " in text or _UNPRINTABLE.search(text) is not None


_NAMED = {
    b"\n": b"\\n",
    b"\r": b"\\r",
    b"\t": b"\\t",
    b"\a": b"\\a",
    b"\b": b"\\b",
    b'"': b'\\"',
    b"\\": b"\\\\",
}


def _escape(found: re.Match[bytes]) -> bytes:
    char: bytes = found[0]
    return _NAMED.get(char) or b"\\x%02x" % char[0]
