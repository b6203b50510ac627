"""Statistics: durations folded out of the hot path, instantaneous rates, peaks (server.c trackInstantaneousMetric)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..registry.command import Command
    from .server import Server

SAMPLES = 16
LONGEST = 1_000_000_000
"""The longest duration a histogram tells apart, in ns (LATENCY_HISTOGRAM_MAX_VALUE)."""
EXACT_SAMPLES = 512


class Rate:
    """A rate over the last ``SAMPLES`` readings of a counter."""

    __slots__ = ("_last_count", "_last_time", "_position", "_rates")

    def __init__(self, now_ms: int) -> None:
        self._last_time = now_ms
        self._last_count = 0
        self._rates = [0] * SAMPLES
        self._position = 0

    def read(self, count: int, now_ms: int) -> None:
        """The counter stands at *count* now."""
        elapsed = now_ms - self._last_time
        if elapsed > 0:
            self._rates[self._position] = max(0, count - self._last_count) * 1000 // elapsed
            self._position = (self._position + 1) % SAMPLES
            self._last_time, self._last_count = now_ms, count

    @property
    def per_second(self) -> int:
        return sum(self._rates) // SAMPLES


class Stats:
    """What one server counted since its start or CONFIG RESETSTAT.

    The hot path appends a command's duration to a list and no more; ``fold`` turns the lists into calls,
    totals and histograms.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.refresh_commands()
        self.reset()

    def reset(self) -> None:
        """CONFIG RESETSTAT."""
        server = self._server
        for command in self.all_commands():
            command.reset_stats()
        server.error_counts.clear()
        server.total_errors = 0
        server.keyspace_hits = server.keyspace_misses = 0
        server.expired_keys = server.evicted_keys = 0
        server.connections_received = server.rejected_connections = server.tls.failed_handshakes = 0
        self.commands_processed = 0
        self.closed_input_bytes = 0
        self.closed_output_bytes = 0
        self.repl_input_bytes = 0
        self.repl_output_bytes = 0
        self.input_base = -sum(client.input_bytes for client in server.clients.values())
        self.output_base = -sum(client.output_bytes for client in server.clients.values())
        self.evicted_clients = 0
        server.lazyfreed_objects = 0
        self.eviction_exceeded_ms = self.current_eviction_exceeded_ms = 0
        self.sync_full = self.sync_partial_ok = self.sync_partial_err = 0
        self.forks = 0
        self.latest_fork_us = 0
        self.reply_buffer_shrinks = self.reply_buffer_expands = 0
        self.unexpected_error_replies = 0
        self.dump_payload_sanitizations = 0
        self.command_ns = 0
        self.cron_ns = 0
        self.aof_ns = 0
        server.collector.reset()
        self.most_commands_per_cycle = 0
        self.acl_denied = {"auth": 0, "cmd": 0, "key": 0, "channel": 0}
        self._cpu_base = time.thread_time_ns()
        self._reads_base, self._cycles_base = server.reads, server.cycles
        now_ms = server.now // 1_000_000
        self.commands_rate = Rate(now_ms)
        self.input_rate = Rate(now_ms)
        self.output_rate = Rate(now_ms)
        self.input_repl_rate = Rate(now_ms)
        self.output_repl_rate = Rate(now_ms)
        self.cycles_rate = Rate(now_ms)
        self.busy_rate = Rate(now_ms)
        self._sampled = (0, 0)  # commands and cycles at the last sample

    def all_commands(self) -> list[Command]:
        """Every command and subcommand of the server, once."""
        return self._commands

    def refresh_commands(self) -> None:
        """The command table has changed (rename-command)."""
        seen: dict[int, Command] = {}
        for command in (*self._server.commands.values(), *self._server.concealed.values()):
            seen[id(command)] = command
            for sub in (command.subcommands or {}).values():
                seen[id(sub)] = sub
        self._commands = list(seen.values())

    def fold(self) -> None:
        """Empty the lists of durations into the totals.  O(commands since the last time)"""
        tracking = self._server.config.latency_tracking
        for command in self._commands:
            if not command.samples:
                continue
            durations = command.collect_samples()
            count, total = len(durations), sum(durations)
            command.calls += count
            command.total_ns += total
            self.commands_processed += count
            self.command_ns += total
            if tracking:
                add_to_histogram(command.histogram, durations)

    @property
    def input_bytes(self) -> int:
        """Bytes received from clients."""
        live = sum(client.input_bytes for client in self._server.clients.values())
        return self.input_base + self.closed_input_bytes + live

    @property
    def output_bytes(self) -> int:
        """Bytes sent to clients."""
        live = sum(client.output_bytes for client in self._server.clients.values())
        return self.output_base + self.closed_output_bytes + live

    @property
    def reads(self) -> int:
        """How often input was read; replies leave as often."""
        return self._server.reads - self._reads_base

    @property
    def cycles(self) -> int:
        """Turns of the event loop in which there was something to do."""
        return self.reads + self._server.cycles - self._cycles_base

    @property
    def busy_ns(self) -> int:
        """Time the event loop did not sleep: its thread's CPU time, or what commands took if they slept."""
        return max(time.thread_time_ns() - self._cpu_base, self.command_ns + self.cron_ns)

    @property
    def longest_command_us(self) -> int:
        """The longest duration in the histograms."""
        return max((max(command.histogram) for command in self._commands if command.histogram), default=0) // 1000

    @property
    def cycle_duration_us(self) -> int:
        """How long a turn of the loop takes at present."""
        return self.busy_rate.per_second // max(1, self.cycles_rate.per_second)

    def sample(self) -> None:
        """Take the readings behind the instantaneous metrics."""
        now_ms = self._server.now // 1_000_000
        self.commands_rate.read(self.commands_processed, now_ms)
        self.input_rate.read(self.input_bytes, now_ms)
        self.output_rate.read(self.output_bytes, now_ms)
        self.input_repl_rate.read(self.repl_input_bytes, now_ms)
        self.output_repl_rate.read(self.repl_output_bytes, now_ms)
        commands, cycles = self._sampled
        self._sampled = self.commands_processed, self.cycles
        self.most_commands_per_cycle = max(
            self.most_commands_per_cycle, -(-(self._sampled[0] - commands) // max(1, self._sampled[1] - cycles))
        )
        self.cycles_rate.read(self.cycles, now_ms)
        self.busy_rate.read(self.busy_ns // 1000, now_ms)


def add_to_histogram(histogram: dict[int, int], durations: list[int]) -> None:
    """Count *durations* (ns); of many, evenly chosen ones stand for their neighbours, so that counts stay true.

    All of them would cost a tenth of the time of a pipelined GET.
    """
    count = len(durations)
    step = max(1, count // EXACT_SAMPLES)
    for duration in durations[::step]:
        bucket = bucket_of(duration)
        histogram[bucket] = histogram.get(bucket, 0) + step
    surplus = -(-count // step) * step - count
    if surplus:
        histogram[bucket] -= surplus


def bucket_of(duration: int) -> int:
    """The histogram bucket of *duration* (ns), named by its upper end.

    Redis counts whole microseconds into an hdr_histogram of 2 significant digits in ns: 128 buckets to an
    octave.  Nothing counts as one nanosecond, and a second is the most.
    """
    value = min(max(duration // 1000 * 1000, 1), LONGEST)
    return value if value < 256 else _upper_end(value)


def _upper_end(value: int) -> int:
    """The highest value that shares a bucket with *value* (hdr_next_non_equivalent_value - 1)."""
    shift = max(0, value.bit_length() - 8)
    return (((value >> shift) + 1) << shift) - 1


def _lower_end(value: int) -> int:
    shift = max(0, value.bit_length() - 8)
    return value >> shift << shift


def percentiles(histogram: dict[int, int], wanted: Iterable[float]) -> list[tuple[float, float]]:
    """(percentile, microseconds) for each *wanted* percentile of *histogram* (hdr_value_at_percentile)."""
    buckets = sorted(histogram.items())
    total = sum(histogram.values())
    found = []
    for percentile in wanted:
        rank, seen, value = max(1, int(min(percentile, 100.0) / 100 * total + 0.5)), 0, 0
        for bucket, count in buckets:
            seen, value = seen + count, bucket
            if seen >= rank:
                break
        found.append((percentile, (value if percentile else _lower_end(value)) / 1000))
    return found


def cumulative(histogram: dict[int, int]) -> list[tuple[int, int]]:
    """(microseconds, how many took no longer) in powers of two from 1024 ns on, where the count grows.

    The steps are those of hdr_iter_log: each ends with the bucket that its power of two is in.
    """
    buckets = sorted(histogram.items())
    total = sum(histogram.values())
    steps: list[tuple[int, int]] = []
    level, seen, position = 1024, 0, 0
    while seen < total:
        end, before = _upper_end(level), seen
        while position < len(buckets) and buckets[position][0] <= end:
            seen += buckets[position][1]
            position += 1
        if seen > before:
            steps.append((end // 1000, seen))
        level *= 2
    return steps
