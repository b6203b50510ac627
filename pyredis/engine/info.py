"""The sections of INFO: everything a server knows about itself (server.c genRedisInfoString)."""

from __future__ import annotations

import gc
import os
import selectors
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from .. import REDIS_VERSION, __version__
from ..util.process import cpu_times
from . import dispatch
from .stats import percentiles

if TYPE_CHECKING:
    from .server import Server

Fields: TypeAlias = "list[tuple[str, object]]"


def operating_system() -> str:
    """What uname says, as INFO shows it."""
    import platform  # only asked for here, and slow to import

    return f"{platform.system()} {platform.release()} {platform.machine()}"


def server_fields(server: Server) -> Fields:
    config = server.config
    uptime = (server.now - server.start_time) // 1_000_000_000
    fields: Fields = [
        ("redis_version", REDIS_VERSION),
        ("redis_git_sha1", "00000000"),
        ("redis_git_dirty", 0),
        ("redis_build_id", "0"),
        ("redis_mode", "cluster" if config.cluster_enabled else "standalone"),
        ("os", operating_system()),
        ("arch_bits", 64 if sys.maxsize > 1 << 32 else 32),
        ("monotonic_clock", "POSIX clock_gettime"),
        ("multiplexing_api", selectors.DefaultSelector.__name__.removesuffix("Selector").lower()),
        ("atomicvar_api", "python-gil"),
        ("gcc_version", "0.0.0"),
        ("process_id", os.getpid()),
        ("process_supervised", server.supervised),
        ("run_id", server.run_id),
        ("tcp_port", config.port or config.tls_port),
        ("server_time_usec", server.now // 1000),
        ("uptime_in_seconds", uptime),
        ("uptime_in_days", uptime // 86400),
        ("hz", config.hz),
        ("configured_hz", config.hz),
        ("lru_clock", server.now // 1_000_000_000 & 0xFFFFFF),
        ("executable", os.path.abspath(sys.argv[0]) if sys.argv else ""),
        ("config_file", config.file or ""),
        ("io_threads_active", 0),
    ]
    if server.shutdown.in_progress:
        fields.append(("shutdown_in_milliseconds", server.shutdown.remaining_ms))
    fields += [(f"listener{at}", text) for at, text in server.listener_descriptions()]
    return [*fields, ("server_name", "pyredis"), ("pyredis_version", __version__)]


def client_fields(server: Server) -> Fields:
    blocked = [db.blocked for db in server.databases]
    return [
        ("connected_clients", sum(1 for client in server.clients.values() if client.replica is None)),
        ("cluster_connections", server.cluster.connections if server.cluster is not None else 0),
        ("maxclients", server.config.maxclients),
        ("client_recent_max_input_buffer", server.upkeep.biggest_input),
        ("client_recent_max_output_buffer", server.upkeep.biggest_output),
        ("blocked_clients", len(server.blocking.clients) + server.pausing.postponed),
        ("tracking_clients", len(server.tracking.clients)),
        ("clients_in_timeout_table", sum(1 for c in server.blocking.clients if c.wait is not None and c.wait.deadline)),
        ("total_blocking_keys", sum(map(len, blocked))),
        ("total_blocking_keys_on_nokey", sum(
            1 for keys in blocked for queue in keys.values()
            if any(client.wait is not None and client.wait.on_gone for client in queue)
        )),
    ]  # fmt: skip


def stats_fields(server: Server) -> Fields:
    stats, cycle, tracking = server.stats, server.expire_cycle, server.tracking
    stats.fold()
    return [
        ("total_connections_received", server.connections_received),
        ("total_commands_processed", stats.commands_processed),
        ("instantaneous_ops_per_sec", stats.commands_rate.per_second),
        ("total_net_input_bytes", stats.input_bytes),
        ("total_net_output_bytes", stats.output_bytes),
        ("total_net_repl_input_bytes", stats.repl_input_bytes),
        ("total_net_repl_output_bytes", stats.repl_output_bytes),
        ("instantaneous_input_kbps", f"{stats.input_rate.per_second / 1024:.2f}"),
        ("instantaneous_output_kbps", f"{stats.output_rate.per_second / 1024:.2f}"),
        ("instantaneous_input_repl_kbps", f"{stats.input_repl_rate.per_second / 1024:.2f}"),
        ("instantaneous_output_repl_kbps", f"{stats.output_repl_rate.per_second / 1024:.2f}"),
        ("rejected_connections", server.rejected_connections),
        ("sync_full", stats.sync_full),
        ("sync_partial_ok", stats.sync_partial_ok),
        ("sync_partial_err", stats.sync_partial_err),
        ("expired_keys", server.expired_keys),
        ("expired_stale_perc", f"{cycle.stale_fraction * 100:.2f}"),
        ("expired_time_cap_reached_count", cycle.time_cap_reached),
        ("expire_cycle_cpu_milliseconds", cycle.time_used_ns // 1_000_000),
        ("evicted_keys", server.evicted_keys),
        ("evicted_clients", stats.evicted_clients),
        ("total_eviction_exceeded_time", stats.eviction_exceeded_ms),
        ("current_eviction_exceeded_time", stats.current_eviction_exceeded_ms),
        ("keyspace_hits", server.keyspace_hits),
        ("keyspace_misses", server.keyspace_misses),
        ("pubsub_channels", len(server.pubsub.channels)),
        ("pubsub_patterns", len(server.pubsub.patterns)),
        ("pubsubshard_channels", len(server.pubsub.shard_channels)),
        ("latest_fork_usec", stats.latest_fork_us),
        ("total_forks", stats.forks),
        ("migrate_cached_sockets", len(server.extensions.get("migrate", ()))),
        ("slave_expires_tracked_keys", len(cycle.own)),
        ("active_defrag_hits", 0),
        ("active_defrag_misses", 0),
        ("active_defrag_key_hits", 0),
        ("active_defrag_key_misses", 0),
        ("total_active_defrag_time", 0),
        ("current_active_defrag_time", 0),
        ("tracking_total_keys", tracking.total_keys),
        ("tracking_total_items", tracking.total_items),
        ("tracking_total_prefixes", tracking.total_prefixes),
        ("unexpected_error_replies", stats.unexpected_error_replies),
        ("total_error_replies", server.total_errors),
        ("dump_payload_sanitizations", stats.dump_payload_sanitizations),
        ("total_reads_processed", stats.reads),
        ("total_writes_processed", stats.reads),
        ("io_threaded_reads_processed", 0),
        ("io_threaded_writes_processed", 0),
        ("reply_buffer_shrinks", stats.reply_buffer_shrinks),
        ("reply_buffer_expands", stats.reply_buffer_expands),
        ("eventloop_cycles", stats.cycles),
        ("eventloop_duration_sum", stats.busy_ns // 1000),
        ("eventloop_duration_cmd_sum", stats.command_ns // 1000),
        ("instantaneous_eventloop_cycles_per_sec", stats.cycles_rate.per_second),
        ("instantaneous_eventloop_duration_usec", stats.cycle_duration_us),
        *((f"acl_access_denied_{reason}", count) for reason, count in stats.acl_denied.items()),
    ]


def cpu_fields(server: Server) -> Fields:
    times = cpu_times()
    return [(f"used_cpu_{name}", f"{seconds:.6f}") for name, seconds in times.items()]


def command_fields(server: Server) -> Fields:
    server.stats.fold()
    return [
        (
            f"cmdstat_{each.name}",
            f"calls={each.calls},usec={each.total_ns // 1000},"
            f"usec_per_call={each.total_ns / 1000 / each.calls if each.calls else 0:.2f},"
            f"rejected_calls={each.rejected},failed_calls={each.failed}",
        )
        for each in server.stats.all_commands()
        if each.calls or each.rejected or each.failed
    ]


def error_fields(server: Server) -> Fields:
    return [(f"errorstat_{code}", f"count={count}") for code, count in sorted(server.error_counts.items())]


def latency_fields(server: Server) -> Fields:
    server.stats.fold()
    if not server.config.latency_tracking:
        return []
    wanted = server.config.latency_tracking_info_percentiles
    fields: Fields = []
    for each in server.stats.all_commands():
        if each.histogram:
            text = ",".join(f"p{p:g}={us:.3f}" for p, us in percentiles(each.histogram, wanted))
            fields.append((f"latency_percentiles_usec_{each.name}", text))
    return fields


def keyspace_fields(server: Server) -> Fields:
    return [
        (f"db{db.index}", f"keys={len(db.data)},expires={len(db.expires)},avg_ttl={db.average_ttl}")
        for db in server.databases
        if db.data
    ]


def debug_fields(server: Server) -> Fields:
    stats = server.stats
    stats.fold()
    return [
        ("eventloop_duration_aof_sum", stats.aof_ns // 1000),
        ("eventloop_duration_cron_sum", stats.cron_ns // 1000),
        ("eventloop_duration_max", stats.longest_command_us),
        ("eventloop_cmd_per_cycle_max", max(1, stats.most_commands_per_cycle)),
    ]


def python_fields(server: Server) -> Fields:
    """What no C program has: the interpreter, its loop and the pauses of its garbage collector."""
    collector, counts = server.collector, gc.get_stats()
    return [
        ("python_version", sys.version.partition(" ")[0]),
        ("python_implementation", sys.implementation.name),
        ("python_event_loop", server.event_loop_name),
        ("python_hot_path_compiled", int(not (dispatch.__file__ or "").endswith(".py"))),
        *((f"python_{name}", version_of(name)) for name in PACKAGES),
        ("gc_enabled", int(gc.isenabled())),
        ("gc_thresholds", ",".join(map(str, gc.get_threshold()))),
        *((f"gc_collections_gen{at}", count["collections"]) for at, count in enumerate(counts)),
        ("gc_uncollectable", sum(count["uncollectable"] for count in counts)),
        ("gc_pauses", collector.count),
        ("gc_pauses_usec", collector.total_ns // 1000),
        ("gc_pause_max_usec", collector.longest_ns // 1000),
        ("gc_pause_last_usec", collector.last_ns // 1000),
    ]


PACKAGES = ("uvloop", "hiredis", "sortedcontainers", "lupa", "anycrc")
"""Optional and required packages whose versions are worth knowing."""


def version_of(package: str) -> str:
    """The version of *package* if it is in use by now, else ``not-loaded``."""
    module = sys.modules.get(package)
    return "not-loaded" if module is None else str(getattr(module, "__version__", "unknown"))


SECTIONS: dict[str, tuple[str, Callable[[Server], Fields]]] = {
    "server": ("Server", server_fields),
    "clients": ("Clients", client_fields),
    "memory": ("Memory", lambda server: server.describe_memory()),
    "persistence": ("Persistence", lambda server: server.describe_persistence()),
    "stats": ("Stats", stats_fields),
    "replication": ("Replication", lambda server: server.describe_replication()),
    "cpu": ("CPU", cpu_fields),
    "module_list": ("Modules", lambda server: []),
    "commandstats": ("Commandstats", command_fields),
    "errorstats": ("Errorstats", error_fields),
    "latencystats": ("Latencystats", latency_fields),
    "cluster": ("Cluster", lambda server: [("cluster_enabled", int(server.config.cluster_enabled))]),
    "keyspace": ("Keyspace", keyspace_fields),
    "python": ("Python", python_fields),
    "backup": ("Backup", lambda server: server.backup.describe()),
    "debug": ("Debug", debug_fields),
}
ON_DEMAND = frozenset({"debug"})
"""Sections that only their own name brings."""
DEFAULT = ("server", "clients", "memory", "persistence", "stats", "replication", "cpu", "module_list", "errorstats",
           "cluster", "keyspace")  # fmt: skip


def render(server: Server, wanted: list[str]) -> bytes:
    """The text of the *wanted* sections (all, default, everything or names); the default ones for none."""
    if "all" in wanted or "everything" in wanted:
        names = [name for name in SECTIONS if name not in ON_DEMAND or name in wanted]
    else:
        chosen = set(wanted) | (set(DEFAULT) if "default" in wanted or not wanted else set())
        if "modules" in chosen:
            chosen.add("module_list")
        names = [name for name in SECTIONS if name in chosen]
    parts = []
    for name in names:
        title, fields = SECTIONS[name]
        lines = [f"# {title}", *(f"{field}:{value}" for field, value in fields(server))]
        parts.append("\r\n".join(lines) + "\r\n")
    return "\r\n".join(parts).encode("utf-8", "surrogateescape")
