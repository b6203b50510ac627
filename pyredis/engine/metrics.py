"""The state of a server in the text format of Prometheus, under the names that redis_exporter gives them.

Dashboards and alerts made for ``oliver006/redis_exporter`` work unchanged.  Where releases of the exporter
renamed a metric, both names are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from .info import SECTIONS
from .stats import cumulative, percentiles

if TYPE_CHECKING:
    from ..registry.command import Command
    from .server import Server

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

GAUGES: dict[str, str] = {
    "uptime_in_seconds": "uptime_in_seconds", "process_id": "process_id", "io_threads_active": "io_threads_active",
    "hz": "hz", "configured_hz": "configured_hz",
    "connected_clients": "connected_clients", "blocked_clients": "blocked_clients", "maxclients": "max_clients",
    "tracking_clients": "tracking_clients", "clients_in_timeout_table": "clients_in_timeout_table",
    "total_blocking_keys": "total_blocking_keys", "total_blocking_keys_on_nokey": "total_blocking_keys_on_nokey",
    "client_recent_max_output_buffer": "client_recent_max_output_buffer_bytes",
    "client_recent_max_input_buffer": "client_recent_max_input_buffer_bytes",
    "cluster_connections": "cluster_connections", "cluster_enabled": "cluster_enabled",
    "allocator_active": "allocator_active_bytes", "allocator_allocated": "allocator_allocated_bytes",
    "allocator_resident": "allocator_resident_bytes", "allocator_frag_ratio": "allocator_frag_ratio",
    "allocator_frag_bytes": "allocator_frag_bytes", "allocator_rss_ratio": "allocator_rss_ratio",
    "allocator_rss_bytes": "allocator_rss_bytes",
    "used_memory": "memory_used_bytes", "used_memory_rss": "memory_used_rss_bytes",
    "used_memory_peak": "memory_used_peak_bytes", "used_memory_lua": "memory_used_lua_bytes",
    "used_memory_vm_eval": "memory_used_vm_eval_bytes", "used_memory_scripts_eval": "memory_used_scripts_eval_bytes",
    "used_memory_overhead": "memory_used_overhead_bytes", "used_memory_startup": "memory_used_startup_bytes",
    "used_memory_dataset": "memory_used_dataset_bytes", "number_of_cached_scripts": "number_of_cached_scripts",
    "number_of_functions": "number_of_functions", "number_of_libraries": "number_of_libraries",
    "used_memory_vm_functions": "memory_used_vm_functions_bytes",
    "used_memory_scripts": "memory_used_scripts_bytes", "used_memory_functions": "memory_used_functions_bytes",
    "used_memory_vm_total": "memory_used_vm_total", "maxmemory": "memory_max_bytes",
    "mem_fragmentation_ratio": "mem_fragmentation_ratio", "mem_fragmentation_bytes": "mem_fragmentation_bytes",
    "mem_clients_slaves": "mem_clients_slaves", "mem_clients_normal": "mem_clients_normal",
    "mem_cluster_links": "mem_cluster_links_bytes", "mem_aof_buffer": "mem_aof_buffer_bytes",
    "mem_replication_backlog": "mem_replication_backlog_bytes",
    "mem_not_counted_for_evict": "mem_not_counted_for_eviction_bytes",
    "mem_total_replication_buffers": "mem_total_replication_buffers_bytes",
    "lazyfree_pending_objects": "lazyfree_pending_objects", "lazyfreed_objects": "lazyfreed_objects",
    "active_defrag_running": "active_defrag_running", "migrate_cached_sockets": "migrate_cached_sockets_total",
    "active_defrag_hits": "defrag_hits", "active_defrag_misses": "defrag_misses",
    "active_defrag_key_hits": "defrag_key_hits", "active_defrag_key_misses": "defrag_key_misses",
    "expired_stale_perc": "expired_stale_percentage",
    "loading": "loading_dump_file", "async_loading": "async_loading",
    "rdb_changes_since_last_save": "rdb_changes_since_last_save", "rdb_bgsave_in_progress": "rdb_bgsave_in_progress",
    "rdb_last_save_time": "rdb_last_save_timestamp_seconds", "rdb_last_bgsave_status": "rdb_last_bgsave_status",
    "rdb_last_bgsave_time_sec": "rdb_last_bgsave_duration_sec",
    "rdb_current_bgsave_time_sec": "rdb_current_bgsave_duration_sec", "rdb_saves": "rdb_saves_total",
    "rdb_last_cow_size": "rdb_last_cow_size_bytes", "rdb_last_load_keys_expired": "rdb_last_load_expired_keys",
    "rdb_last_load_keys_loaded": "rdb_last_load_loaded_keys", "aof_enabled": "aof_enabled",
    "aof_rewrite_in_progress": "aof_rewrite_in_progress", "aof_rewrite_scheduled": "aof_rewrite_scheduled",
    "aof_last_rewrite_time_sec": "aof_last_rewrite_duration_sec",
    "aof_current_rewrite_time_sec": "aof_current_rewrite_duration_sec", "aof_last_cow_size": "aof_last_cow_size_bytes",
    "aof_current_size": "aof_current_size_bytes", "aof_base_size": "aof_base_size_bytes",
    "aof_pending_rewrite": "aof_pending_rewrite", "aof_buffer_length": "aof_buffer_length",
    "aof_pending_bio_fsync": "aof_pending_bio_fsync", "aof_delayed_fsync": "aof_delayed_fsync",
    "aof_last_bgrewrite_status": "aof_last_bgrewrite_status", "aof_last_write_status": "aof_last_write_status",
    "module_fork_in_progress": "module_fork_in_progress", "module_fork_last_cow_size": "module_fork_last_cow_size",
    "current_eviction_exceeded_time": "current_eviction_exceeded_time_ms",
    "pubsub_channels": "pubsub_channels", "pubsub_patterns": "pubsub_patterns",
    "pubsubshard_channels": "pubsubshard_channels", "latest_fork_usec": "latest_fork_usec",
    "tracking_total_keys": "tracking_total_keys", "tracking_total_items": "tracking_total_items",
    "tracking_total_prefixes": "tracking_total_prefixes",
    "instantaneous_eventloop_cycles_per_sec": "instantaneous_eventloop_cycles_per_sec",
    "instantaneous_eventloop_duration_usec": "instantaneous_eventloop_duration_usec",
    "connected_slaves": "connected_slaves", "repl_backlog_size": "replication_backlog_bytes",
    "repl_backlog_active": "repl_backlog_is_active", "repl_backlog_first_byte_offset": "repl_backlog_first_byte_offset",
    "repl_backlog_histlen": "repl_backlog_history_bytes", "master_repl_offset": "master_repl_offset",
    "second_repl_offset": "second_repl_offset", "slave_expires_tracked_keys": "slave_expires_tracked_keys",
    "slave_priority": "slave_priority", "sync_full": "replica_resyncs_full",
    "sync_partial_ok": "replica_partial_resync_accepted", "sync_partial_err": "replica_partial_resync_denied",
    "expired_time_cap_reached_count": "expired_time_cap_reached_total",
}  # fmt: skip
"""INFO field to metric."""

COUNTERS: dict[str, str] = {
    "total_connections_received": "connections_received_total", "total_commands_processed": "commands_processed_total",
    "rejected_connections": "rejected_connections_total", "total_net_input_bytes": "net_input_bytes_total",
    "total_net_output_bytes": "net_output_bytes_total", "total_net_repl_input_bytes": "net_repl_input_bytes_total",
    "total_net_repl_output_bytes": "net_repl_output_bytes_total", "expired_keys": "expired_keys_total",
    "expire_cycle_cpu_milliseconds": "expire_cycle_cpu_time_ms_total", "evicted_keys": "evicted_keys_total",
    "evicted_clients": "evicted_clients_total", "total_eviction_exceeded_time": "eviction_exceeded_time_ms_total",
    "keyspace_hits": "keyspace_hits_total", "keyspace_misses": "keyspace_misses_total",
    "eventloop_cycles": "eventloop_cycles_total", "eventloop_duration_sum": "eventloop_duration_sum_usec_total",
    "eventloop_duration_cmd_sum": "eventloop_duration_cmd_sum_usec_total",
    "used_cpu_sys": "cpu_sys_seconds_total", "used_cpu_user": "cpu_user_seconds_total",
    "used_cpu_sys_children": "cpu_sys_children_seconds_total",
    "used_cpu_user_children": "cpu_user_children_seconds_total",
    "used_cpu_sys_main_thread": "cpu_sys_main_thread_seconds_total",
    "used_cpu_user_main_thread": "cpu_user_main_thread_seconds_total",
    "unexpected_error_replies": "unexpected_error_replies", "total_error_replies": "total_error_replies",
    "dump_payload_sanitizations": "dump_payload_sanitizations", "total_reads_processed": "total_reads_processed",
    "total_writes_processed": "total_writes_processed", "io_threaded_reads_processed": "io_threaded_reads_processed",
    "io_threaded_writes_processed": "io_threaded_writes_processed",
    "acl_access_denied_auth": "acl_access_denied_auth_total", "acl_access_denied_cmd": "acl_access_denied_cmd_total",
    "acl_access_denied_key": "acl_access_denied_key_total",
    "acl_access_denied_channel": "acl_access_denied_channel_total",
}  # fmt: skip

CLUSTER_GAUGES: dict[str, str] = {
    "cluster_stats_messages_sent": "cluster_messages_sent_total",
    "cluster_stats_messages_received": "cluster_messages_received_total",
}
"""Fields of CLUSTER INFO whose metrics have other names."""

DERIVED_FROM = ("server", "clients", "memory", "persistence", "stats", "replication", "cpu", "cluster")
INSTANCE_LABELS = (
    "role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id",
    "process_id", "master_replid",
)  # fmt: skip
CONFIGURED = ("io_threads", "maxclients", "maxmemory", "repl_backlog_size")
STATES = {"ok": 1, "err": 0, "fail": 0, "up": 1, "down": 0}


Labels: TypeAlias = Mapping[str, object]
NONE: Labels = {}


class Page:
    """Collects samples by metric; every metric has one TYPE line, followed by all of its samples."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, list[str]]] = {}

    def add(self, kind: str, name: str, value: object, labels: Labels = NONE, suffix: str = "") -> None:
        """A sample of metric *name*, a *kind* (gauge, counter, summary, histogram)."""
        family = f"redis_{name}"
        samples = self._families.setdefault(family, (kind, []))[1]
        inside = ",".join(f'{label}="{escaped(str(text))}"' for label, text in labels.items())
        samples.append(f"{family}{suffix}{{{inside}}} {value}" if inside else f"{family}{suffix} {value}")

    def text(self) -> str:
        """The page, metrics in alphabetical order."""
        parts = []
        for family, (kind, samples) in sorted(self._families.items()):
            parts.append(f"# TYPE {family} {kind}")
            parts += samples
        return "\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """*text* as the value of a label."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: object) -> int | float | None:
    """*value* of an INFO field as a number; None if it is none."""
    if isinstance(value, int | float):
        return value
    text = str(value)
    if text in STATES:
        return STATES[text]
    try:
        return float(text)
    except ValueError:
        return None


def exposition(server: Server) -> bytes:
    """All metrics of *server*.  O(commands that were ever called)"""
    server.now = server.clock.time_ns()
    fields = {name: value for section in DERIVED_FROM for name, value in SECTIONS[section][1](server)}
    page = Page()
    page.add("gauge", "up", 1)
    for names, kind in ((GAUGES, "gauge"), (COUNTERS, "counter")):
        for field, name in names.items():
            value = number(fields[field]) if field in fields else None
            if value is not None:
                page.add(kind, name, value)
    page.add("gauge", "start_time_seconds", server.start_time // 1_000_000_000)
    page.add("gauge", "latest_fork_seconds", server.stats.latest_fork_us / 1_000_000)
    page.add("gauge", "instance_info", 1, {label: fields.get(label, "") for label in INSTANCE_LABELS})
    _add_configuration(page, server)
    _add_databases(page, server)
    _add_replication(page, fields)
    if server.cluster is not None:
        _add_cluster(page, server.cluster.info())
    for command in server.stats.all_commands():
        _add_command(page, server, command)
    for code, count in server.error_counts.items():
        page.add("counter", "errors_total", count, {"err": code})
    if server.tls.wanted:
        page.add("counter", "tls_handshakes_failed_total", server.tls.failed_handshakes)
    _add_latency(page, server)
    _add_python(page, server)
    return page.text().encode("utf-8", "replace")


def _add_configuration(page: Page, server: Server) -> None:
    for name in CONFIGURED:
        page.add("gauge", f"config_{name}", getattr(server.config, name))
    for kind, limit in zip(
        ("normal", "slave", "pubsub"), server.config.client_output_buffer_limit, strict=False
    ):  # the kinds as CONFIG GET names them
        hard, soft, seconds = limit
        page.add("gauge", "config_client_output_buffer_limit_bytes", hard, {"class": kind, "limit": "hard"})
        page.add("gauge", "config_client_output_buffer_limit_bytes", soft, {"class": kind, "limit": "soft"})
        page.add(
            "gauge", "config_client_output_buffer_limit_overcome_seconds", seconds, {"class": kind, "limit": "soft"}
        )


def _add_databases(page: Page, server: Server) -> None:
    for db in server.databases:
        name = f"db{db.index}"
        page.add("gauge", "db_keys", len(db.data), {"db": name})
        page.add("gauge", "db_keys_expiring", len(db.expires), {"db": name})
        if db.data:
            page.add("gauge", "db_avg_ttl_seconds", db.average_ttl / 1000, {"db": name})


def _add_replication(page: Page, fields: dict[str, object]) -> None:
    """The links to the leader and to the replicas, as INFO describes them."""
    for field, value in fields.items():
        if field.startswith("slave") and field[5:].isdigit():
            parts = dict(part.split("=", 1) for part in str(value).split(","))
            labels = {"slave_ip": parts["ip"], "slave_port": parts["port"], "slave_state": parts["state"]}
            page.add("gauge", "connected_slave_offset_bytes", parts["offset"], labels)
            page.add("gauge", "connected_slave_lag_seconds", parts["lag"], labels)
    if fields.get("role") != "slave":
        return
    leader = {"master_host": fields["master_host"], "master_port": fields["master_port"]}
    page.add("gauge", "slave_info", 1, {**leader, "read_only": fields["slave_read_only"]})
    page.add("gauge", "master_link_up", int(fields["master_link_status"] == "up"), leader)
    for field in ("master_last_io_seconds_ago", "master_sync_in_progress", "slave_repl_offset"):
        if field in fields:
            page.add("gauge", field, number(fields[field]), leader)


def _add_cluster(page: Page, fields: list[tuple[str, object]]) -> None:
    """CLUSTER INFO."""
    for field, value in fields:
        if field.startswith("cluster_"):
            page.add("gauge", CLUSTER_GAUGES.get(field, field), number(value))


def _add_command(page: Page, server: Server, command: Command) -> None:
    if not (command.calls or command.rejected or command.failed):
        return
    each, microseconds = {"cmd": command.name}, command.total_ns // 1000
    page.add("counter", "commands_total", command.calls, each)
    page.add("counter", "commands_duration_seconds_total", microseconds / 1_000_000, each)
    page.add("counter", "commands_rejected_calls_total", command.rejected, each)
    page.add("counter", "commands_failed_calls_total", command.failed, each)
    if not (command.histogram and server.config.latency_tracking):
        return
    metric = "latency_percentiles_usec"
    for percentile, value in percentiles(command.histogram, server.config.latency_tracking_info_percentiles):
        page.add("summary", metric, value, {**each, "quantile": f"{percentile:g}"})
    page.add("summary", metric, microseconds, each, "_sum")
    page.add("summary", metric, command.calls, each, "_count")
    metric, total = "commands_latencies_usec", sum(command.histogram.values())
    for end, count in cumulative(command.histogram):
        page.add("histogram", metric, count, {**each, "le": end}, "_bucket")
    page.add("histogram", metric, total, {**each, "le": "+Inf"}, "_bucket")
    page.add("histogram", metric, microseconds, each, "_sum")
    page.add("histogram", metric, total, each, "_count")


def _add_latency(page: Page, server: Server) -> None:
    entries = server.slowlog.entries
    page.add("gauge", "slowlog_length", len(entries))
    page.add("gauge", "slowlog_last_id", entries[0].id if entries else 0)
    page.add("gauge", "last_slow_execution_duration_seconds", entries[0].duration / 1_000_000 if entries else 0)
    for event, spikes in server.latency.events.items():
        when, worst = spikes.samples[-1]
        page.add("gauge", "latency_spike_last", when, {"event_name": event})
        page.add("gauge", "latency_spike_duration_seconds", worst / 1000, {"event_name": event})


def _add_python(page: Page, server: Server) -> None:
    """What redis_exporter cannot know: the pauses of the garbage collector."""
    collector = server.collector
    page.add("counter", "python_gc_pauses_total", collector.count)
    page.add("counter", "python_gc_pause_seconds_total", collector.total_ns / 1e9)
    page.add("gauge", "python_gc_pause_max_seconds", collector.longest_ns / 1e9)
