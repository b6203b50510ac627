"""The order of texts in a locale (strcoll)."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from locale import LC_COLLATE, Error, setlocale, strxfrm

Collate = Callable[[bytes | bytearray], bytes]
"""Turns a text, which ends at its first NUL, into bytes that sort as the locale sorts the texts."""


def is_locale(name: str) -> bool:
    """Whether the system knows the locale *name*; empty stands for the environment's."""
    own = setlocale(LC_COLLATE)
    try:
        setlocale(LC_COLLATE, name)
    except Error:
        return False
    setlocale(LC_COLLATE, own)
    return True


@lru_cache(maxsize=8)
def collation(name: str) -> Collate:
    """The order of the locale *name*, that of bytes if there is no such locale.

    The process's own locale is left alone but for the moment of a transformation.
    """
    name = name or _environment()
    if name.partition(".")[0] in ("C", "POSIX") or not is_locale(name):
        return _bytes

    def collate(text: bytes | bytearray) -> bytes:
        own = setlocale(LC_COLLATE)
        setlocale(LC_COLLATE, name)
        try:
            key = strxfrm(_bytes(text).decode("utf-8", "replace"))
        finally:
            setlocale(LC_COLLATE, own)
        return key.encode("utf-32-be", "surrogatepass")

    return collate


def _bytes(text: bytes | bytearray) -> bytes:
    return bytes(text.partition(b"\0")[0])


def _environment() -> str:
    for variable in ("LC_ALL", "LC_COLLATE", "LANG"):
        name = os.environ.get(variable)
        if name:
            return name
    return "C"
