"""The shared buffer of the stream, against a plain string that never forgets."""

from __future__ import annotations

import random

import pytest

from pyredis.replication.backlog import BLOCK, Backlog


def test_the_first_byte_ever_is_at_offset_1() -> None:
    backlog = Backlog(1 << 20, 0)
    assert (backlog.first_offset, backlog.length) == (1, 0)
    backlog.append(b"abc")
    assert (backlog.first_offset, backlog.next_offset, backlog.length) == (1, 4, 3)
    assert backlog.read(2, 100) == b"bc"


def test_holds_what_it_has_and_the_very_next_byte() -> None:
    backlog = Backlog(1 << 20, 100)
    backlog.append(b"abc")
    assert [backlog.holds(offset) for offset in (100, 101, 103, 104, 105)] == [False, True, True, True, False]


def test_reading_at_the_end_gives_nothing() -> None:
    backlog = Backlog(1 << 20, 0)
    assert backlog.read(1, 10) == b""
    backlog.append(b"x")
    assert backlog.read(2, 10) == b""


def test_append_tells_of_a_new_block() -> None:
    backlog = Backlog(1 << 20, 0)
    assert backlog.append(b"x")
    assert not backlog.append(b"y" * (BLOCK - 1))
    assert backlog.append(b"z")


def test_trimming_keeps_at_least_the_size_and_whole_blocks() -> None:
    backlog = Backlog(BLOCK, 0)
    for _ in range(10):
        backlog.append(b"x" * BLOCK)
        backlog.trim(None)
    assert BLOCK <= backlog.length <= 2 * BLOCK
    assert backlog.next_offset == 10 * BLOCK + 1


def test_what_a_slow_replica_needs_stays() -> None:
    backlog = Backlog(BLOCK, 0)
    for _ in range(10):
        backlog.append(b"x" * BLOCK)
        backlog.trim(5)
    assert backlog.first_offset == 1
    backlog.trim(BLOCK * 3 + 1)
    assert backlog.first_offset == BLOCK * 3 + 1


def test_memory_follows_what_is_kept() -> None:
    backlog = Backlog(BLOCK, 0)
    backlog.append(b"x" * BLOCK * 8)
    most = backlog.memory
    assert most >= 8 * BLOCK
    backlog.trim(None)
    assert backlog.memory <= most - 6 * BLOCK


def test_a_command_bigger_than_the_backlog_is_cut_into_blocks_that_can_go() -> None:
    backlog = Backlog(1 << 20, 0)
    backlog.append(b"x" * (10 << 20))
    backlog.trim(None)
    assert backlog.length <= (1 << 20) + (1 << 16)


def test_rebase_moves_all_offsets() -> None:
    backlog = Backlog(1 << 20, 0)
    backlog.append(b"abcdef")
    backlog.rebase(1000)
    assert (backlog.first_offset, backlog.next_offset) == (1001, 1007)
    assert backlog.read(1003, 2) == b"cd"


@pytest.mark.parametrize("seed", range(5))
def test_random_operations_against_a_string(seed: int) -> None:
    rng = random.Random(seed)
    start = rng.randrange(1000)
    backlog = Backlog(BLOCK * rng.randrange(1, 4), start)
    everything = b""
    for _ in range(300):
        data = rng.randbytes(rng.choice((1, 10, 1000, 30_000)))
        everything += data
        backlog.append(data)
        needed = rng.choice((None, None, rng.randrange(backlog.first_offset, backlog.next_offset)))
        backlog.trim(needed)
        assert backlog.next_offset == start + 1 + len(everything)
        assert needed is None or backlog.first_offset <= needed
        assert backlog.length >= min(len(everything), backlog.size)
        offset = rng.randrange(backlog.first_offset, backlog.next_offset + 1)
        limit = rng.choice((1, 100, 100_000))
        assert backlog.read(offset, limit) == everything[offset - start - 1 :][:limit]
