"""The page for Prometheus: its format, and the names and figures of redis_exporter."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pyredis.engine.metrics import COUNTERS, GAUGES, Page, exposition
from pyredis.engine.server import Server

from ..conftest import Peer

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?(?:e-?\d+)?)")
SUFFIXES = {"summary": ("", "_sum", "_count"), "histogram": ("_bucket", "_sum", "_count")}


def parse(text: str) -> tuple[dict[str, str], dict[str, float]]:
    """Types by family and values by metric with labels; fails on what Prometheus would not read."""
    types: dict[str, str] = {}
    samples: dict[str, float] = {}
    family, kind = "", ""
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in types, "the samples of a family stand together"
            assert kind in ("gauge", "counter", "summary", "histogram")
            types[family] = kind
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        assert found[1] in [family + suffix for suffix in SUFFIXES.get(kind, ("",))], line
        key = f"{found[1]}{{{found[2] or ''}}}"
        assert key not in samples, "no sample comes twice"
        samples[key] = float(found[3])
    return types, samples


@pytest.fixture
def scrape(server: Server) -> Callable[[], dict[str, float]]:
    return lambda: parse(exposition(server).decode())[1]


def test_every_metric_has_a_type_and_every_sample_is_well_formed(server: Server, send: Peer) -> None:
    send("SET", "k", "v")
    send("CONFIG", "GET", "x")
    send("NOSUCH")
    types, samples = parse(exposition(server).decode())
    assert types["redis_up"] == "gauge"
    assert types["redis_commands_total"] == "counter"
    assert types["redis_latency_percentiles_usec"] == "summary"
    assert types["redis_commands_latencies_usec"] == "histogram"
    assert samples["redis_up{}"] == 1


def test_no_metric_is_a_gauge_and_a_counter() -> None:
    assert not set(GAUGES.values()) & set(COUNTERS.values())
    assert not GAUGES.keys() & COUNTERS.keys()


def test_commands_and_errors_are_counted(send: Peer, scrape: Callable[[], dict[str, float]]) -> None:
    send("SET", "k", "v")
    send("GET", "k")
    send("GET", "gone")
    send("LPUSH", "k", "v")
    send("CONFIG", "GET", "port")
    send("GET")
    page = scrape()
    assert page['redis_commands_total{cmd="get"}'] == 2
    assert page['redis_commands_rejected_calls_total{cmd="get"}'] == 1
    assert page['redis_commands_failed_calls_total{cmd="lpush"}'] == 1
    assert page['redis_commands_total{cmd="config|get"}'] == 1
    assert page['redis_errors_total{err="WRONGTYPE"}'] == 1
    assert page["redis_commands_processed_total{}"] == 5
    assert page["redis_keyspace_hits_total{}"] == 1
    assert page["redis_keyspace_misses_total{}"] == 1
    assert page['redis_latency_percentiles_usec_count{cmd="get"}'] == 2


def test_histograms_end_with_all_calls(send: Peer, scrape: Callable[[], dict[str, float]]) -> None:
    for _ in range(3):
        send("PING")
    page = scrape()
    assert page['redis_commands_latencies_usec_bucket{cmd="ping",le="+Inf"}'] == 3
    assert page['redis_commands_latencies_usec_count{cmd="ping"}'] == 3


def test_keys_of_every_database(send: Peer, scrape: Callable[[], dict[str, float]]) -> None:
    send("SET", "a", "1", "EX", 100)
    send("SET", "b", "1")
    send("SELECT", 3)
    send("SET", "c", "1")
    page = scrape()
    assert page['redis_db_keys{db="db0"}'] == 2
    assert page['redis_db_keys_expiring{db="db0"}'] == 1
    assert page['redis_db_keys{db="db3"}'] == 1
    assert page['redis_db_keys{db="db15"}'] == 0


def test_slowlog(send: Peer, scrape: Callable[[], dict[str, float]]) -> None:
    send("CONFIG", "SET", "slowlog-log-slower-than", 0)
    send("PING")
    page = scrape()
    assert page["redis_slowlog_length{}"] == 2
    assert page["redis_slowlog_last_id{}"] == 1


def test_latency_events(server: Server, send: Peer, scrape: Callable[[], dict[str, float]]) -> None:
    send("CONFIG", "SET", "latency-monitor-threshold", 1)
    server.latency.add("fork", 25_000_000)
    page = scrape()
    assert page['redis_latency_spike_duration_seconds{event_name="fork"}'] == 0.025
    assert page['redis_latency_spike_last{event_name="fork"}'] == server.now // 1_000_000_000


def test_without_latency_tracking_there_are_no_percentiles(send: Peer, scrape: Callable[[], dict[str, float]]) -> None:
    send("CONFIG", "SET", "latency-tracking", "no")
    send("PING")
    assert not [name for name in scrape() if name.startswith("redis_latency_percentiles")]


def test_instance_is_described_by_labels(server: Server, scrape: Callable[[], dict[str, float]]) -> None:
    described = [name for name in scrape() if name.startswith("redis_instance_info{")]
    assert len(described) == 1
    assert f'run_id="{server.run_id}"' in described[0]
    assert 'role="master"' in described[0]


def test_replicas_are_listed_by_address(server: Server, scrape: Callable[[], dict[str, float]]) -> None:
    server.describe_replication = lambda: [
        ("role", "master"),
        ("connected_slaves", 1),
        ("slave0", "ip=10.0.0.2,port=6380,state=online,offset=42,lag=1"),
    ]
    page = scrape()
    labels = 'slave_ip="10.0.0.2",slave_port="6380",slave_state="online"'
    assert page[f"redis_connected_slave_offset_bytes{{{labels}}}"] == 42
    assert page[f"redis_connected_slave_lag_seconds{{{labels}}}"] == 1


def test_a_replica_tells_of_its_master(server: Server, scrape: Callable[[], dict[str, float]]) -> None:
    server.describe_replication = lambda: [
        ("role", "slave"),
        ("master_host", "10.0.0.1"),
        ("master_port", 6379),
        ("master_link_status", "up"),
        ("master_last_io_seconds_ago", 3),
        ("master_sync_in_progress", 0),
        ("slave_repl_offset", 7),
        ("slave_read_only", 1),
    ]
    page = scrape()
    labels = 'master_host="10.0.0.1",master_port="6379"'
    assert page[f"redis_master_link_up{{{labels}}}"] == 1
    assert page[f"redis_master_last_io_seconds_ago{{{labels}}}"] == 3
    assert page[f"redis_slave_repl_offset{{{labels}}}"] == 7
    assert page[f'redis_slave_info{{{labels},read_only="1"}}'] == 1


def test_labels_are_escaped() -> None:
    page = Page()
    page.add("counter", "errors_total", 1, {"err": 'a"b\\c\nd'})
    assert page.text() == '# TYPE redis_errors_total counter\nredis_errors_total{err="a\\"b\\\\c\\nd"} 1\n'
