"""Clocks: the system's, and one moved by hand."""

from __future__ import annotations

import time

import pytest

from pyredis.util.clock import ManualClock, SystemClock


def test_the_system_clock_is_the_time_module_itself():
    clock = SystemClock()
    assert clock.time_ns is time.time_ns
    assert clock.monotonic_ns is time.monotonic_ns


def test_a_manual_clock_stands_still_until_moved():
    clock = ManualClock(start_ns=1_000)
    assert clock.time_ns() == clock.time_ns() == 1_000
    assert clock.monotonic_ns() == 0
    clock.advance(1.5)
    assert clock.time_ns() == 1_500_001_000
    assert clock.monotonic_ns() == 1_500_000_000
    clock.advance(ms=2, ns=3)
    assert clock.monotonic_ns() == 1_502_000_003


def test_only_the_wall_clock_can_step_back():
    clock = ManualClock(start_ns=1_000)
    with pytest.raises(ValueError):
        clock.advance(-1)
    clock.set_time(500)
    assert clock.time_ns() == 500
    assert clock.monotonic_ns() == 0
