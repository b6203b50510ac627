"""Locales that every system has."""

from __future__ import annotations

from locale import LC_COLLATE, setlocale

import pytest

from pyredis.util.collation import collation, is_locale


@pytest.mark.parametrize("name", ["C", "POSIX", "C.UTF-8", "no_SUCH.locale"])
def test_texts_sort_by_bytes_up_to_a_nul(name: str) -> None:
    collate = collation(name)
    assert collate(b"abc\0def") == collate(bytearray(b"abc"))
    assert collate(b"B") < collate(b"a") < collate(b"\xff")


def test_the_environment_decides_if_there_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    collation.cache_clear()
    monkeypatch.setenv("LC_ALL", "C")
    assert collation("")(b"x") == b"x"


def test_the_process_keeps_its_locale() -> None:
    before = setlocale(LC_COLLATE)
    assert is_locale("C")
    assert not is_locale("no_SUCH.locale")
    assert setlocale(LC_COLLATE) == before
