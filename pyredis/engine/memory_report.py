"""Where a server's memory goes: MEMORY STATS and MEMORY DOCTOR (object.c getMemoryOverheadData)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

from ..util.process import resident_bytes
from .describe import memory

if TYPE_CHECKING:
    from .server import Server

Stats: TypeAlias = "dict[str, int | float | dict[str, int]]"

LITTLE = 5 * 1024 * 1024
MUCH_FRAGMENTATION = 1.4
MANY_BYTES_PER_CLIENT = 200 * 1024
MANY_SCRIPTS = 1000


def overhead(server: Server) -> Stats:
    """What MEMORY STATS tells, in its order."""
    used, resident = server.used_memory(), resident_bytes()
    peak = server.peak_memory = max(server.peak_memory, used)
    startup = server.startup_memory
    buffers, scripts = server.buffer_memory(), server.script_memory()
    replicas = sum(memory(client) for client in server.clients.values() if client.replica is not None)
    others = sum(memory(client) for client in server.clients.values() if client.replica is None)
    parts: dict[str, int] = {
        "replication.backlog": buffers["mem_replication_backlog"],
        "clients.slaves": replicas,
        "clients.normal": others,
        "cluster.links": buffers["mem_cluster_links"],
        "aof.buffer": buffers["mem_aof_buffer"],
        "lua.caches": scripts["scripts_eval"],
        "functions.caches": scripts["functions_memory"],
    }
    tables: dict[str, dict[str, int]] = {
        f"db.{db.index}": {
            "overhead.hashtable.main": sys.getsizeof(db.data),
            "overhead.hashtable.expires": sys.getsizeof(db.expires),
            "overhead.hashtable.slot-to-keys": 0,
        }
        for db in server.databases
        if db.data
    }
    total = startup + sum(parts.values()) + sum(sum(table.values()) for table in tables.values())
    keys = sum(len(db.data) for db in server.databases)
    net = max(0, used - startup)
    dataset = max(0, used - total)
    fragmentation = resident / max(1, used)
    return {
        "peak.allocated": peak, "total.allocated": used, "startup.allocated": startup, **parts, **tables,
        "overhead.total": total, "keys.count": keys, "keys.bytes-per-key": net // keys if keys else 0,
        "dataset.bytes": dataset, "dataset.percentage": dataset * 100 / net if net else 0.0,
        "peak.percentage": used * 100 / peak if peak else 0.0,
        "allocator.allocated": used, "allocator.active": resident, "allocator.resident": resident,
        "allocator-fragmentation.ratio": fragmentation, "allocator-fragmentation.bytes": resident - used,
        "allocator-rss.ratio": 1.0, "allocator-rss.bytes": 0, "rss-overhead.ratio": 1.0, "rss-overhead.bytes": 0,
        "fragmentation": fragmentation, "fragmentation.bytes": resident - used,
    }  # fmt: skip


def diagnose(server: Server) -> str:
    """What an operator should know about this server's memory, in plain words."""
    used = server.used_memory()
    if used - server.startup_memory < LITTLE:
        return "This server holds next to no data: there is nothing yet to judge its memory by.\n"
    findings = []
    if server.peak_memory > used * 1.5:
        findings.append(
            "Peak: the server once used far more memory than now. Until the operating system gets it back, the "
            "resident size and the fragmentation ratio look worse than they are. MEMORY PURGE may help."
        )
    if resident_bytes() > used * MUCH_FRAGMENTATION:
        findings.append(
            "Fragmentation: the resident size is far above what is in use. Python's allocator frees whole arenas "
            "only; a restart with the same data packs it again."
        )
    clients = [client for client in server.clients.values() if client.replica is None]
    if clients and sum(map(memory, clients)) / len(clients) > MANY_BYTES_PER_CLIENT:
        findings.append(
            "Clients: their buffers take much memory. Look for those that do not read their replies in CLIENT LIST "
            "(omem), and set client-output-buffer-limit."
        )
    if server.script_memory()["cached_scripts"] > MANY_SCRIPTS:
        findings.append(
            "Scripts: very many are cached. Scripts should be few, with what varies in KEYS and ARGV; SCRIPT FLUSH "
            "forgets them."
        )
    if not findings:
        return "No problem with the memory of this server was found.\n"
    return "Findings about the memory of this server:\n\n" + "".join(f" * {text}\n\n" for text in findings)
