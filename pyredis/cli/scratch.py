"""Data sets loaded into a server that nobody can reach, to see whether and what they are."""

from __future__ import annotations

import io
from collections.abc import Callable

from ..app import build_server
from ..config.config import Config
from ..engine.log import WARNING, Log
from ..engine.server import Server
from ..persistence.loading import LoadFailed
from ..util.clock import Clock

MOST_DATABASES = 1024

Progress = Callable[[int, int], object]


class Unloadable(Exception):
    """A server would not start with these files; the message is what it logs first."""


def load_folder(directory: str, clock: Clock, *, aof: bool, progress: Progress | None = None) -> Server:
    """The data set in *directory*, from its AOF or from its dump.rdb, which stay as they are.

    *progress* hears of the bytes loaded, and how many there are.  Keys expire as *clock* says.  Raises Unloadable.
    """
    config = Config()
    config.dir, config.save, config.appendonly = directory, (), aof
    config.aof_load_truncated = False  # which would cut the file
    config.databases = MOST_DATABASES
    said = io.StringIO()
    server = build_server(config, clock=clock, log=Log(clock, WARNING, stream=said))
    persistence = server.persistence
    loading = persistence.loading
    try:
        persistence.aof.folder.open()
        slices = persistence.load()
        while True:
            try:
                next(slices)
            except StopIteration as end:
                found = bool(end.value)
                break
            if progress is not None:
                progress(loading.loaded_bytes, loading.total_bytes)
    except LoadFailed:
        raise Unloadable(_first_warning(said.getvalue())) from None
    finally:
        server.backup.close()
    if not found:
        raise Unloadable(f"there is no {'AOF' if aof else 'dump.rdb'}")
    if progress is not None:
        progress(1, 1)
    return server


def keys_of(server: Server) -> dict[int, int]:
    """Keys by database, empty ones left out."""
    return {db.index: len(db.data) for db in server.databases if db.data}


def _first_warning(text: str) -> str:
    """The message of the first line of a log, which a multi-line report may begin with an empty one."""
    for line in text.splitlines():
        message = line.partition(" # ")[2].strip()
        if message:
            return message
    return "it cannot be loaded"
