from __future__ import annotations

import pytest

from pyredis.util.progress import bar


@pytest.mark.parametrize(
    ("done", "total", "drawn"),
    [
        (0, 10, "[----------] 0%"),
        (55, 100, "[#####-----] 55%"),
        (99, 100, "[#########-] 99%"),
        (10, 10, "[##########] 100%"),
        (12, 10, "[##########] 100%"),
        (-1, 10, "[----------] 0%"),
        (0, 0, "[##########] 100%"),
    ],
)
def test_bar(done: int, total: int, drawn: str) -> None:
    assert bar(done, total, 10) == drawn
