"""Sections of INFO that upper layers take over; here for a server without them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..util.numbers import human_bytes
from ..util.process import resident_bytes, total_memory

if TYPE_CHECKING:
    from .server import Server

Fields = list[tuple[str, object]]


def memory_fields(server: Server) -> Fields:
    """INFO memory: used memory is what the operating system gave, the rest derived from it."""
    used = server.used_memory()
    resident = resident_bytes()
    peak = server.peak_memory = max(server.peak_memory, used)
    startup = server.startup_memory
    scripts = server.script_memory()
    dataset = max(0, used - startup)
    system, limit = total_memory(), server.config.maxmemory
    return [
        ("used_memory", used),
        ("used_memory_human", human_bytes(used)),
        ("used_memory_rss", resident),
        ("used_memory_rss_human", human_bytes(resident)),
        ("used_memory_peak", peak),
        ("used_memory_peak_human", human_bytes(peak)),
        ("used_memory_peak_perc", f"{used / peak * 100 if peak else 0:.2f}%"),
        ("used_memory_overhead", startup),
        ("used_memory_startup", startup),
        ("used_memory_dataset", dataset),
        ("used_memory_dataset_perc", f"{dataset / max(1, used - startup) * 100:.2f}%"),
        ("allocator_allocated", used),
        ("allocator_active", resident),
        ("allocator_resident", resident),
        ("total_system_memory", system),
        ("total_system_memory_human", human_bytes(system)),
        ("used_memory_lua", scripts["vm_eval"]),
        ("used_memory_vm_eval", scripts["vm_eval"]),
        ("used_memory_lua_human", human_bytes(scripts["vm_eval"])),
        ("used_memory_scripts_eval", scripts["scripts_eval"]),
        ("number_of_cached_scripts", scripts["cached_scripts"]),
        ("number_of_functions", scripts["functions"]),
        ("number_of_libraries", scripts["libraries"]),
        ("used_memory_vm_functions", scripts["vm_functions"]),
        ("used_memory_vm_total", scripts["vm_eval"] + scripts["vm_functions"]),
        ("used_memory_vm_total_human", human_bytes(scripts["vm_eval"] + scripts["vm_functions"])),
        ("used_memory_functions", scripts["functions_memory"]),
        ("used_memory_scripts", scripts["scripts_eval"] + scripts["functions_memory"]),
        ("used_memory_scripts_human", human_bytes(scripts["scripts_eval"] + scripts["functions_memory"])),
        ("maxmemory", limit),
        ("maxmemory_human", human_bytes(limit)),
        ("maxmemory_policy", server.config.maxmemory_policy),
        ("allocator_frag_ratio", f"{resident / max(1, used):.2f}"),
        ("allocator_frag_bytes", resident - used),
        ("allocator_rss_ratio", "1.00"),
        ("allocator_rss_bytes", 0),
        ("rss_overhead_ratio", "1.00"),
        ("rss_overhead_bytes", 0),
        ("mem_fragmentation_ratio", f"{resident / max(1, used):.2f}"),
        ("mem_fragmentation_bytes", resident - used),
        *server.buffer_memory().items(),
        ("mem_allocator", f"python-{sys.implementation.name}"),
        ("active_defrag_running", 0),
        ("lazyfree_pending_objects", server.lazyfree_pending()),
        ("lazyfreed_objects", server.lazyfreed_objects),
    ]


def persistence_fields(server: Server) -> Fields:
    """INFO persistence of a server that persists nothing."""
    return [
        ("loading", 0),
        ("async_loading", 0),
        ("current_cow_peak", 0),
        ("current_cow_size", 0),
        ("current_cow_size_age", 0),
        ("current_fork_perc", "0.00"),
        ("current_save_keys_processed", 0),
        ("current_save_keys_total", 0),
        ("rdb_changes_since_last_save", server.dirty),
        ("rdb_bgsave_in_progress", 0),
        ("rdb_last_save_time", server.start_time // 1_000_000_000),
        ("rdb_last_bgsave_status", "ok"),
        ("rdb_last_bgsave_time_sec", -1),
        ("rdb_current_bgsave_time_sec", -1),
        ("rdb_saves", 0),
        ("rdb_last_cow_size", 0),
        ("rdb_last_load_keys_expired", 0),
        ("rdb_last_load_keys_loaded", 0),
        ("aof_enabled", 0),
        ("aof_rewrite_in_progress", 0),
        ("aof_rewrite_scheduled", 0),
        ("aof_last_rewrite_time_sec", -1),
        ("aof_current_rewrite_time_sec", -1),
        ("aof_last_bgrewrite_status", "ok"),
        ("aof_rewrites", 0),
        ("aof_rewrites_consecutive_failures", 0),
        ("aof_last_write_status", "ok"),
        ("aof_last_cow_size", 0),
        ("module_fork_in_progress", 0),
        ("module_fork_last_cow_size", 0),
    ]


def replication_fields(server: Server) -> Fields:
    """INFO replication of a server that replicates with nobody."""
    return [
        ("role", "master"),
        ("connected_slaves", 0),
        ("master_failover_state", "no-failover"),
        ("master_replid", server.replication_id),
        ("master_replid2", "0" * 40),
        ("master_repl_offset", 0),
        ("second_repl_offset", -1),
        ("repl_backlog_active", 0),
        ("repl_backlog_size", server.config.repl_backlog_size),
        ("repl_backlog_first_byte_offset", 0),
        ("repl_backlog_histlen", 0),
    ]
