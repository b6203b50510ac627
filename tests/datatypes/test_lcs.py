"""Longest common subsequences against the textbook table, which Redis builds."""

from __future__ import annotations

import random

from pyredis.datatypes.lcs import Run, lcs_length, lcs_runs


def from_table(a: bytes, b: bytes) -> tuple[int, list[Run]]:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if x == y else max(table[i - 1][j], table[i][j - 1])
    runs: list[Run] = []
    i, j, length = len(a), len(b), 0
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j, length = i - 1, j - 1, length + 1
            continue
        if length:
            runs.append((i, j, length))
            length = 0
        if table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    if length:
        runs.append((i, j, length))
    return table[len(a)][len(b)], runs


def test_against_the_table() -> None:
    rng = random.Random(3)
    for _ in range(2000):
        letters = rng.choice([1, 2, 3, 5, 20])
        a, b = (bytes(rng.randrange(letters) for _ in range(rng.randrange(15))) for _ in "ab")
        length, runs = from_table(a, b)
        assert lcs_length(a, b) == length
        assert lcs_runs(a, b) == runs
        assert sum(size for _, _, size in runs) == length


def test_very_different_lengths() -> None:
    assert lcs_runs(b"x", b"a" * 100_000 + b"x" + b"b" * 100_000) == [(0, 100_000, 1)]
    assert lcs_length(b"a" * 100_000 + b"x", b"x") == 1
