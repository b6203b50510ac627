"""Saving by command: SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF, and what DEBUG does with files (rdb.c, aof.c, debug.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import (
    Failed,
    InvalidSyntax,
    LoadAofFailed,
    OtherChildActive,
    ReloadFailed,
    ReloadOptions,
    RewriteInProgress,
    RewriteRefused,
    SaveInProgress,
)
from ...persistence.children import AOF, RDB
from ...persistence.loading import LoadFailed, load_rdb
from ...persistence.service import run_slices
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, STALE
from ...resp.encode import OK, integer, simple
from .debug import debug, switch

if TYPE_CHECKING:
    from ...engine.client import Client
    from ...engine.server import Server
    from ...persistence.service import Persistence


@command("SAVE", arity=1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI)
def save(client: Client, argv: Argv) -> Reply:
    """SAVE"""
    persistence: Persistence = client.server.persistence
    if persistence.children.kind == RDB:
        raise SaveInProgress
    persistence.snapshots.saves += 1
    if not persistence.snapshots.save():
        raise Failed
    return OK


@command("BGSAVE", arity=-1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING)
def bgsave(client: Client, argv: Argv) -> Reply:
    """BGSAVE [SCHEDULE | BACKUP]"""
    if len(argv) == 2 and argv[1].upper() == b"BACKUP":
        return simple(client.server.backup.request())
    schedule = len(argv) > 1
    if schedule and (len(argv) > 2 or argv[1].upper() != b"SCHEDULE"):
        raise InvalidSyntax
    persistence: Persistence = client.server.persistence
    children, snapshots = persistence.children, persistence.snapshots
    if children.kind == RDB:
        raise SaveInProgress
    if children.active or client.in_exec:
        if not schedule and not client.in_exec:
            raise OtherChildActive
        snapshots.scheduled = True
        return simple(b"Background saving scheduled")
    if not snapshots.save_in_background():
        raise Failed
    return simple(b"Background saving started")


@command("LASTSAVE", arity=1, flags=LOADING | STALE | FAST, acl="admin dangerous", tips=("nondeterministic_output",))
def lastsave(client: Client, argv: Argv) -> Reply:
    """LASTSAVE"""
    return integer(client.server.persistence.snapshots.last_save)


@command("BGREWRITEAOF", arity=1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING)
def bgrewriteaof(client: Client, argv: Argv) -> Reply:
    """BGREWRITEAOF"""
    persistence: Persistence = client.server.persistence
    children, aof = persistence.children, persistence.aof
    if children.kind == AOF:
        raise RewriteInProgress
    if children.active or client.in_exec:
        aof.rewrite_scheduled = True
        aof.failures = 0
        return simple(b"Background append only file rewriting scheduled")
    if not aof.rewrite():
        raise RewriteRefused
    return simple(b"Background append only file rewriting started")


# --- DEBUG ----------------------------------------------------------------------------------------


def empty_data(server: Server) -> None:
    """Drop all keys without telling anybody but those who wait or watch."""
    for db in server.databases:
        server.watching.touched_all(db)
        db.flush()


@debug("RELOAD", 2, 5, "RELOAD [option ...]",
       "    Save the RDB on disk and reload it back to memory. Valid <option> values:",
       "    * MERGE: conflicting keys will be loaded from RDB.",
       "    * NOFLUSH: the existing database will not be removed before load, but",
       "      conflicting keys will generate an exception and kill the server.",
       "    * NOSAVE: the database will be loaded from an existing RDB file.")  # fmt: skip
def debug_reload(client: Client, argv: Argv) -> Reply:
    options = {word.upper() for word in argv[2:]}
    if options - {b"MERGE", b"NOFLUSH", b"NOSAVE"}:
        raise ReloadOptions
    server = client.server
    persistence: Persistence = server.persistence
    if b"NOSAVE" not in options and not persistence.snapshots.save():
        raise Failed
    if b"NOFLUSH" not in options:
        empty_data(server)
        server.drop_libraries()
    merge = b"MERGE" in options
    try:
        found = run_slices(load_rdb(server, persistence.snapshots.path, persistence.loading, replace=merge))
    except LoadFailed as failed:
        if failed.corrupt:
            persistence.exit()
        raise ReloadFailed from None
    if not found:
        raise ReloadFailed
    server.log.notice("DB reloaded by DEBUG RELOAD")
    return OK


@debug("LOADAOF", 2, None, "LOADAOF",
       "    Flush the AOF buffers on disk and reload the AOF in memory.")  # fmt: skip
def debug_loadaof(client: Client, argv: Argv) -> Reply:
    server = client.server
    aof = server.persistence.aof
    aof.writer.flush(force=True)
    empty_data(server)
    server.drop_libraries()
    try:
        aof.folder.open()
        aof.folder.delete_history()
        found = run_slices(aof.load())
    except LoadFailed:
        raise LoadAofFailed from None
    if not found:
        raise LoadAofFailed
    server.dirty = 0
    client.propagate_nothing()
    server.log.notice("Append Only File loaded by DEBUG LOADAOF")
    return OK


@debug("AOF-FLUSH-SLEEP", 3, None, "AOF-FLUSH-SLEEP <microsec>",
       "    Server will sleep before flushing the AOF, this is used for testing.")  # fmt: skip
def debug_aof_flush_sleep(client: Client, argv: Argv) -> Reply:
    client.server.persistence.aof.writer.flush_sleep_us = _microseconds(argv[2])
    return OK


def _microseconds(text: bytes) -> int:
    return int(text) if text.isdigit() else int(switch(text))
