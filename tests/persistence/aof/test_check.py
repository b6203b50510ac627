"""Checking AOF files: the words are those of redis-check-aof for the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyredis.persistence.aof.check import AofCheck

SET = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"
INCR = b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"


def check(path: Path, **options: object) -> tuple[int, list[str]]:
    lines: list[str] = []
    status = AofCheck(lines.append, **options).run(str(path))  # type: ignore[arg-type]
    return status, lines


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (SET + b"*3\r\n$3\r\nSET\r\n$1\r\na", "0x              2c: Expected to read 3 bytes, got 1 bytes"),
        (b"*1\r\n$5\r\nMULTI\r\n" + INCR, "0x              21: Reached EOF before reading EXEC for MULTI"),
        (b"*2\r\n+4\r\nINCR", "0x               4: Expected prefix '$', got: '+'"),
        (b"*2\r\n$4x\r\nINCR", "0x               4: Expected \\r\\n, got: 780d"),
        (b"*1\r\n$4\r\nEXEC\r\n", None),
        (SET + b"!xx\r\n", None),
    ],
)
def test_damage_is_named_and_located(tmp_path: Path, data: bytes, text: str | None) -> None:
    path = tmp_path / "a.aof"
    path.write_bytes(data)
    status, lines = check(path)
    assert status == 1
    if text is not None:
        assert lines[1].replace(" ", "") == text.replace(" ", "")
    assert lines[-1] == f"AOF {path} is not valid. Use the --fix option to try fixing it."


def test_fix_asks_and_cuts_off(tmp_path: Path) -> None:
    path = tmp_path / "a.aof"
    path.write_bytes(SET + b"*3\r\n")
    assert check(path, fix=True)[0] == 1
    assert check(path, fix=True, confirm=lambda question: True)[0] == 0
    assert path.read_bytes() == SET
    assert check(path)[1][-1] == f"AOF {path} is valid"


def test_truncation_to_a_timestamp(tmp_path: Path) -> None:
    path = tmp_path / "a.aof"
    path.write_bytes(b"#TS:100\r\n" + INCR + b"#TS:200\r\n" + INCR)
    assert check(path, timestamp=150) == (
        0,
        ["Start checking Old-Style AOF", f"Successfully truncated AOF {path} to timestamp 150"],
    )
    assert path.read_bytes() == b"#TS:100\r\n" + INCR
    assert check(path, timestamp=50)[0] == 1
