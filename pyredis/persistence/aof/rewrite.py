"""A new base of the AOF: RDB data, or the shortest commands that build the data set (aof.c)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...datatypes.hashes import Hash
from ...datatypes.lists import List
from ...datatypes.sets import Set
from ...datatypes.streams import Stream
from ...datatypes.streams.ids import format_id
from ...datatypes.zsets import SortedSet
from ...util.numbers import format_double
from ..files import NewFile, remove
from ..snapshot import write_rdb
from .writer import encode

if TYPE_CHECKING:
    from ...engine.server import Server

ITEMS_PER_COMMAND = 64
"""AOF_REWRITE_ITEMS_PER_CMD"""
_PIECE = 1 << 20
_KEYS_BETWEEN_REPORTS = 1024


def write_base(server: Server, path: str, temporary: str, *, progress: Callable[[int], object] | None = None) -> bool:
    """Write the data set to *path*, under the name *temporary* first; false if it failed, and the log says why."""
    log, config = server.log, server.config
    try:
        file = NewFile(temporary, incremental=config.aof_rewrite_incremental_fsync)
    except OSError as error:
        log.warning(f"Opening the temp file for AOF rewrite in rewriteAppendOnlyFile(): {error.strerror}")
        return False
    try:
        if config.aof_use_rdb_preamble:
            write_rdb(server, file.write, aof_base=True, progress=progress)
        else:
            write_commands(server, file.write, progress=progress)
        file.finish()
    except OSError as error:
        log.warning(f"Write error writing append only file on disk: {error.strerror}")
        file.discard()
        return False
    except BaseException:
        file.discard()
        raise
    if path != temporary:
        try:
            os.replace(temporary, path)
        except OSError as error:
            log.warning(f"Error moving temp append only file on the final destination: {error.strerror}")
            remove(temporary)
            return False
    return True


def write_commands(
    server: Server, write: Callable[[bytes], object], *, progress: Callable[[int], object] | None = None
) -> None:
    """The data set as commands (rewriteAppendOnlyFileRio)."""
    parts: list[bytes] = []
    size = keys = 0
    delay = server.config.rdb_key_save_delay
    seconds = delay / 1e6 if delay > 0 else -1 / delay / 1e6 if delay else 0.0
    if server.config.aof_timestamp_enabled:
        parts.append(b"#TS:%d\r\n" % server.unix_time())
    parts += [encode([b"FUNCTION", b"LOAD", code]) for code in server.library_sources()]
    for db in server.databases:
        if not db.data:
            continue
        parts.append(encode([b"SELECT", b"%d" % db.index]))
        expires = db.expires
        for key, value in db.data.items():
            for argv in commands_for(key, value):
                text = encode(argv)
                parts.append(text)
                size += len(text)
            when = expires.get(key)
            if when is not None:
                parts.append(encode([b"PEXPIREAT", key, b"%d" % when]))
            keys += 1
            if size >= _PIECE or not keys % _KEYS_BETWEEN_REPORTS:
                write(b"".join(parts))
                parts.clear()
                size = 0
                if progress is not None:
                    progress(keys)
            if delay:
                time.sleep(seconds)
    write(b"".join(parts))


def commands_for(key: bytes, value: Any) -> Iterator[list[bytes]]:
    """Commands that build *value* under *key*."""
    if isinstance(value, (bytes, bytearray)):
        yield [b"SET", key, bytes(value)]
    elif isinstance(value, List):
        yield from _in_chunks(b"RPUSH", key, ((item,) for _, items in value.nodes() for item in items))
    elif isinstance(value, Set):
        yield from _in_chunks(b"SADD", key, ((member,) for member in value))
    elif isinstance(value, Hash):
        yield from _in_chunks(b"HMSET", key, value.items())
    elif isinstance(value, SortedSet):
        yield from _in_chunks(b"ZADD", key, ((format_double(score), member) for score, member in value))
    elif isinstance(value, Stream):
        yield from _stream_commands(key, value)
    else:
        raise TypeError(f"no commands build a {type(value).__name__}")


def _in_chunks(name: bytes, key: bytes, items: Iterable[tuple[bytes, ...]]) -> Iterator[list[bytes]]:
    argv = [name, key]
    count = 0
    for item in items:
        argv += item
        count += 1
        if count == ITEMS_PER_COMMAND:
            yield argv
            argv = [name, key]
            count = 0
    if count:
        yield argv


def _stream_commands(key: bytes, stream: Stream) -> Iterator[list[bytes]]:
    for entry_id, pairs in stream:
        yield [b"XADD", key, format_id(entry_id), *pairs]
    if not stream.length:
        yield [b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"]
    yield [
        b"XSETID", key, format_id(stream.last_id), b"ENTRIESADDED", b"%d" % stream.entries_added,
        b"MAXDELETEDID", format_id(stream.max_deleted_id),
    ]  # fmt: skip
    for name, group in sorted(stream.groups.items()):
        yield [
            b"XGROUP", b"CREATE", key, name, format_id(group.last_id), b"ENTRIESREAD", b"%d" % group.entries_read,
        ]  # fmt: skip
        for consumer_name, consumer in sorted(group.consumers.items()):
            if not len(consumer.pending):
                yield [b"XGROUP", b"CREATECONSUMER", key, name, consumer_name]
            for entry_id, pending in consumer.pending.since(0):
                yield [
                    b"XCLAIM", key, name, consumer_name, b"0", format_id(entry_id), b"TIME", b"%d" % pending.delivered,
                    b"RETRYCOUNT", b"%d" % pending.deliveries, b"JUSTID", b"FORCE",
                ]  # fmt: skip
