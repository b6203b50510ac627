from __future__ import annotations

import pytest

from pyredis.cli.watch import Info, Progress, State, SyncWatch


def follower(**fields: object) -> Info:
    return {"role": "slave", "master_link_status": "down"} | {name: str(value) for name, value in fields.items()}


def receiving(read: int, total: int) -> Info:
    return follower(master_sync_in_progress=1, master_sync_total_bytes=total, master_sync_read_bytes=read)


def up(offset: int) -> Info:
    return follower(master_link_status="up", slave_repl_offset=offset, master_sync_in_progress=0)


def test_a_whole_synchronisation() -> None:
    watch = SyncWatch()
    looks = [
        (follower(master_link_down_since_seconds=3), 1000, 0.0),
        (receiving(0, 4 << 20), 1000, 1.0),
        (receiving(1 << 20, 4 << 20), 1000, 2.0),
        (follower(loading=1, loading_total_bytes=200, loading_loaded_bytes=50), 1000, 3.0),
        (up(600), 1000, 4.0),
        (up(900), 1200, 5.0),
        (up(1000), 1300, 6.0),
    ]
    assert [watch.look(*look).as_text() for look in looks] == [
        "connecting for 3 s",
        "waiting for the leader's snapshot",
        f"receiving [{'#' * 10}{'-' * 30}] 25%  1.00M of 4.00M  1.00M/s  0:03 left",
        f"loading   [{'#' * 10}{'-' * 30}] 25%  50B of 200B",
        "catching up, 400B behind",
        "catching up, 300B behind",
        "in sync at offset 1000, 300B behind",
    ]


@pytest.mark.parametrize("total", [0, -1])
def test_a_transfer_of_unknown_length_has_no_percentage(total: int) -> None:
    watch = SyncWatch()
    watch.look(receiving(0, total), None, 0.0)
    seen = watch.look(receiving(2048, total), None, 2.0)
    assert (seen.total, seen.percent, seen.seconds_left, seen.rate) == (None, None, None, 1024.0)
    assert seen.as_text() == "receiving 2.00K  1.00K/s"


def test_the_rate_is_the_mean_of_the_last_seconds() -> None:
    watch = SyncWatch()
    for second in range(11):
        seen = watch.look(receiving(second * second * 100, 100_000), None, float(second))
    assert seen.rate == (10_000 - 4_900) / 3


def test_a_transfer_that_begins_anew_is_counted() -> None:
    watch = SyncWatch()
    attempts = [
        watch.look(fields, None, float(now)).attempt
        for now, fields in enumerate(
            [receiving(5, 10), receiving(9, 10), receiving(1, 10), follower(), receiving(0, 10), receiving(4, 10)]
        )
    ]
    assert attempts == [1, 1, 2, 2, 3, 3]
    assert watch.look(receiving(5, 10), None, 9.0).as_text().endswith("(attempt 3)")


def test_between_receiving_and_loading_nothing_begins_anew() -> None:
    watch = SyncWatch()
    looks = [receiving(10, 10), follower(loading=1, loading_total_bytes=10), receiving(10, 10), up(1)]
    assert [watch.look(fields, None, float(now)).attempt for now, fields in enumerate(looks)] == [1, 1, 1, 1]


def test_without_the_leaders_offset_a_link_that_is_up_is_in_sync() -> None:
    seen = SyncWatch().look(up(77), None, 0.0)
    assert (seen.state, seen.lag, seen.as_text()) == (State.IN_SYNC, None, "in sync at offset 77")


def test_a_link_that_breaks_has_to_catch_up_anew() -> None:
    watch = SyncWatch()
    assert watch.look(up(10), 20, 0.0).state is State.CATCHING_UP
    assert watch.look(follower(), 50, 1.0).state is State.CONNECTING
    assert watch.look(up(20), 50, 2.0).state is State.CATCHING_UP
    assert watch.look(up(50), 60, 3.0).state is State.IN_SYNC


def test_a_leader_follows_nobody() -> None:
    seen = SyncWatch().look({"role": "master"}, None, 0.0)
    assert (seen.state, seen.as_text()) == (State.NOT_FOLLOWING, "follows nobody")


def test_json_has_the_same_keys_in_every_state() -> None:
    assert Progress(State.RECEIVING, 30, 120, 45.0, 7, None, 2, 1).as_dict() == {
        "state": "receiving",
        "bytes": 30,
        "total_bytes": 120,
        "percent": 25.0,
        "bytes_per_second": 45,
        "seconds_left": 2,
        "offset": 7,
        "lag_bytes": None,
        "link_down_seconds": 2,
        "attempt": 1,
    }
    assert list(Progress(State.CONNECTING).as_dict()) == list(Progress(State.IN_SYNC).as_dict())
