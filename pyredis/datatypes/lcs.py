"""Longest common subsequences by bit-parallel dynamic programming (Hyyrö 2004).

The table of LCS lengths grows by 0 or 1 from one column to the next, so a row is one integer with a bit
per column.  A row costs a few big-integer operations instead of a step per cell: two strings of 10 kB take
20 ms and 13 MB, a bit per cell where Redis takes four bytes.
"""

from __future__ import annotations

Run = tuple[int, int, int]
"""Start in the first string, start in the second, length of a common run of bytes."""


def lcs_length(a: bytes, b: bytes) -> int:
    """Length of the longest common subsequence.  O(len(a) * len(b) / 64)"""
    if len(a) < len(b):
        a, b = b, a
    width = len(b)
    masks = _masks(a, b)
    everywhere = (1 << width) - 1
    falls = everywhere
    for byte in a:
        here = masks.get(byte)
        if here:
            matched = falls & here
            falls = (falls + matched | falls - matched) & everywhere
    return width - falls.bit_count()


def lcs_runs(a: bytes, b: bytes) -> list[Run]:
    """The common runs on the path through the table that Redis takes, last one first."""
    masks = _masks(a, b)
    everywhere = (1 << len(b)) - 1
    falls = everywhere
    rows = [falls]  # rows[i]: bit j is 0 where LCS(a[:i], b[:j+1]) exceeds LCS(a[:i], b[:j])
    add_row = rows.append
    for byte in a:
        here = masks.get(byte)
        if here:
            matched = falls & here
            falls = (falls + matched | falls - matched) & everywhere
        add_row(falls)

    runs = []
    i, j = len(a), len(b)
    while i and j:
        if a[i - 1] == b[j - 1]:
            length = 1
            limit = min(i, j)
            while length < limit and a[i - 1 - length] == b[j - 1 - length]:
                length += 1
            i -= length
            j -= length
            runs.append((i, j, length))
        elif rows[i] >> (j - 1) & 1:
            j = _next_column(a[i - 1], b, rows[i], j)
        else:
            i -= 1
    return runs


def _masks(a: bytes, b: bytes) -> dict[int, int]:
    """For each byte that *a* and *b* share the set of its positions in *b*."""
    backwards = b[::-1]
    masks = {}
    for byte in set(a).intersection(b):
        is_byte = b"0" * byte + b"1" + b"0" * (255 - byte)
        masks[byte] = int(backwards.translate(is_byte), 2)
    return masks


def _next_column(byte: int, b: bytes, row: int, j: int) -> int:
    """The nearest j before *j* where *byte* matches or the row steps up: until there the path goes left."""
    match = b.rfind(byte, 0, j - 1) + 1
    step = (~row & ((1 << (j - 1)) - 1)).bit_length()
    return max(match, step)
