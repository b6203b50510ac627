"""Histograms as Redis's, rates, and what CONFIG RESETSTAT leaves."""

from __future__ import annotations

import pytest

from pyredis.engine.server import Server
from pyredis.engine.stats import LONGEST, Rate, bucket_of, cumulative, percentiles
from tests.conftest import Peer

US = 1000


@pytest.mark.parametrize(
    ("duration", "end"),
    [(0, 1), (999, 1), (2 * US, 2007), (105 * US, 105_471), (5100 * US, 5_111_807), (5 * LONGEST, 1_002_438_655)],
)
def test_buckets_end_where_those_of_redis_do(duration: int, end: int) -> None:
    assert bucket_of(duration) == end


def test_percentiles_are_bucket_ends_in_microseconds() -> None:
    histogram = {bucket_of(US): 98, bucket_of(100 * US): 1, bucket_of(1000 * US): 1}
    assert percentiles(histogram, [0.0, 50.0, 99.0, 100.0]) == [
        (0.0, 1.0),
        (50.0, 1.003),
        (99.0, 100.351),
        (100.0, 1003.519),
    ]


def test_cumulative_steps_are_powers_of_two_with_the_bucket_they_are_in() -> None:
    histogram = {bucket_of(US): 2, bucket_of(2 * US): 1, bucket_of(5100 * US): 1}
    assert cumulative(histogram) == [(1, 2), (2, 3), (8454, 4)]
    assert cumulative({}) == []


def test_a_rate_is_the_mean_of_sixteen_readings() -> None:
    rate = Rate(0)
    for turn in range(1, 17):
        rate.read(turn * 10, turn * 100)
    assert rate.per_second == 100
    rate.read(0, 1700)  # the counter was reset
    assert rate.per_second == 93


class TestCounting:
    def test_a_command_that_was_refused_was_not_called(self, send: Peer, server: Server) -> None:
        send("SET", "k")
        send("SET", "k", "v")
        send("INCR", "k")
        server.stats.fold()
        assert (server.commands[b"set"].calls, server.commands[b"set"].rejected) == (1, 1)
        assert (server.commands[b"incr"].calls, server.commands[b"incr"].failed) == (1, 1)

    def test_a_wrong_number_of_arguments_inside_the_handler_is_a_failure(self, send: Peer, server: Server) -> None:
        send("PING", "a", "b")
        server.stats.fold()
        assert (server.commands[b"ping"].calls, server.commands[b"ping"].failed) == (1, 1)

    def test_unblocking_with_an_error_fails_the_command(self, send: Peer, server: Server) -> None:
        from pyredis.engine.blocking import unblock

        send("BLPOP", "l", 0)
        server.stats.fold()
        assert server.commands[b"blpop"].calls == 0
        assert unblock(send.client, with_error=True)
        server.stats.fold()
        assert (server.commands[b"blpop"].calls, server.commands[b"blpop"].failed) == (1, 1)

    def test_resetstat_forgets_counts_and_cycles(self, send: Peer, server: Server) -> None:
        send("NOPE")
        server.reads += 5
        server.cycles += 5
        send("CONFIG", "RESETSTAT")
        assert server.total_errors == 0
        assert server.stats.cycles == 0
        assert server.error_counts == {}
        info = send("INFO", "commandstats")
        assert b"cmdstat_config|resetstat:calls=1" in info

    def test_cycles_are_reads_and_turns(self, server: Server) -> None:
        server.reads += 3
        server.cycles += 2
        assert (server.stats.reads, server.stats.cycles) == (3, 5)


def test_debug_section_only_by_name(send: Peer) -> None:
    assert b"eventloop_duration_aof_sum" not in send("INFO", "everything")
    assert b"# Debug\r\neventloop_duration_aof_sum:" in send("INFO", "debug")
