"""Snapshots without fork: written a slice at a time, and still of one moment.

The databases change class while such a save runs.  Whatever is about to change a key that has not been
written yet writes it first, as it is: a before-image.  So the file shows the moment at which the save began,
keys in another order.  A key costs a set lookup more to change, its first change also its serialisation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..keyspace.database import Database
from .files import NewFile
from .rdb import codes
from .rdb.saving import save_value
from .rdb.strings import SIGNED_64, encode_length, encode_string

if TYPE_CHECKING:
    import asyncio

    from ..engine.server import Server
    from .rdb.writer import Writer

KEYS_PER_SLICE = 512
PAUSE = 0.001
"""Seconds between two slices: at most half of the time goes into the save."""


class WatchedDatabase(Database):
    """A database that hands each key to its ``server.before_image`` before the key changes."""

    __slots__ = ()

    def edit(self, key: bytes, kind: type[Any]) -> Any:
        self.server.before_image(self, key)
        return super().edit(key, kind)

    def edit_any(self, key: bytes) -> Any:
        self.server.before_image(self, key)
        return super().edit_any(key)

    def expire_at(self, key: bytes, when: int) -> None:
        self.server.before_image(self, key)
        super().expire_at(key, when)

    def persist(self, key: bytes) -> bool:
        self.server.before_image(self, key)
        return super().persist(key)

    def store(self, key: bytes, value: Any, *, keep_ttl: bool = False) -> None:
        self.server.before_image(self, key)
        super().store(key, value, keep_ttl=keep_ttl)

    def add(self, key: bytes, value: Any) -> None:
        self.server.before_image(self, key)
        super().add(key, value)

    def remove(self, key: bytes, *, lazily: bool = False) -> bool:
        self.server.before_image(self, key)
        return super().remove(key, lazily=lazily)

    def take(self, key: bytes) -> Any:
        self.server.before_image(self, key)
        return super().take(key)

    def flush(self, *, lazily: bool = False) -> int:
        self.server.before_flush(self)
        return super().flush(lazily=lazily)

    def exchange(self, other: Database) -> None:
        self.server.before_flush(self)
        self.server.before_flush(other)
        super().exchange(other)


def watched(db: Database) -> type[dict[bytes, Any]]:
    """The class of *db*'s dict, but for ``get``: commands that are called most look a value up there to change it."""
    kind: type[dict[bytes, Any]] = type(db.data)

    class Watched(kind):  # type: ignore[valid-type, misc]
        __slots__ = ()

        def get(self, key: bytes, default: Any = None) -> Any:
            db.server.before_image(db, key)
            return kind.get(self, key, default)

    return Watched


class _Remaining:
    """One database as it was at the start; ``done`` are the keys that are written.

    The dicts are copies, so whoever replaces a value is harmless; only changes within a value need a before-image.
    """

    __slots__ = ("done", "expires", "keys", "values")

    def __init__(self, db: Database) -> None:
        self.values = dict(db.data)
        self.expires = dict(db.expires)
        self.keys = iter(self.values)
        self.done: set[bytes] = set()


class SlicedSave:
    """One save under way, into *file*, by *writer*, which has written what comes before the databases.

    *done* hears whether it succeeded; the file is closed then, still under its temporary name.
    """

    def __init__(
        self,
        server: Server,
        file: NewFile,
        writer: Writer,
        loop: asyncio.AbstractEventLoop | None,
        done: Callable[[bool], None],
    ) -> None:
        self._server = server
        self._loop = loop
        self._done = done
        self._file: NewFile | None = file
        self._writer = writer
        self._current = -1
        self._error: OSError | None = None
        self._kinds: set[type] = set()
        self._remaining = {db.index: _Remaining(db) for db in server.databases if db.data}
        self._steps = self._run()
        server.before_image, server.before_flush = self._before_image, self._before_flush
        for db in server.databases:
            self._watch(db)
        if loop is not None:
            loop.call_soon(self._step)

    def _watch(self, db: Database) -> None:
        db.__class__ = WatchedDatabase
        kind = watched(db)
        self._kinds.add(kind)
        if type(db.data) is dict:
            db.data = kind(db.data)
        else:
            db.data.__class__ = kind
        db.sampler = None  # it holds the dict

    def finish(self) -> None:
        """Write all the rest now."""
        while self._file is not None:
            self._step()

    def cancel(self) -> None:
        """Give up; *done* is not called."""
        self._release()
        if self._file is not None:
            self._file.discard()
            self._file = None

    def _step(self) -> None:
        if self._file is None:
            return
        try:
            next(self._steps)
        except StopIteration:
            self._end()
        except OSError as error:
            self._fail(error)
        else:
            if self._error is not None:
                self._fail(self._error)
            elif self._loop is not None:
                self._loop.call_later(PAUSE, self._step)

    def _run(self) -> Iterator[None]:
        for index, remaining in self._remaining.items():
            self._select(index)
            done = remaining.done
            while True:
                count = 0
                parts: list[bytes] = []
                for key in remaining.keys:
                    if key not in done:
                        done.add(key)
                        parts.append(self._record(remaining, key))
                        count += 1
                        if count == KEYS_PER_SLICE:
                            break
                self._writer.put(b"".join(parts))
                if count < KEYS_PER_SLICE:
                    break
                yield
                self._select(index)

    def _select(self, index: int) -> None:
        """Records that follow are of database *index*."""
        if self._current == index:
            return
        self._current = index
        self._writer.put(bytes((codes.SELECTDB,)) + encode_length(index))

    def _record(self, remaining: _Remaining, key: bytes) -> bytes:
        options = self._writer.options
        kind, payload = save_value(remaining.values[key], options)
        when = remaining.expires.get(key)
        time = b"" if when is None else bytes((codes.EXPIRETIME_MS,)) + SIGNED_64.pack(when)
        return b"%b%c%b%b" % (time, kind, encode_string(key, options.compress), payload)

    def _before_image(self, db: Database, key: bytes) -> None:
        remaining = self._remaining.get(db.index)
        if remaining is None or key in remaining.done:
            return
        remaining.done.add(key)
        if key in remaining.values and self._error is None:
            try:
                self._select(db.index)
                self._writer.put(self._record(remaining, key))
            except OSError as error:
                self._error = error

    def _before_flush(self, db: Database) -> None:
        remaining = self._remaining.get(db.index)
        if remaining is not None:
            for key in remaining.keys:
                self._before_image(db, key)

    def _end(self) -> None:
        file = self._file
        assert file is not None
        try:
            self._writer.end()
            file.finish()
        except OSError as error:
            self._fail(error)
            return
        self._release()
        self._file = None
        self._done(True)

    def _fail(self, error: OSError) -> None:
        self._server.log.warning(f"Write error while saving DB to the disk(rdbSaveRio): {error.strerror}")
        self.cancel()
        self._done(False)

    def _release(self) -> None:
        for db in self._server.databases:
            db.__class__ = Database
            kind = type(db.data)
            if kind not in self._kinds:
                continue
            if kind.__base__ is dict:
                db.data = dict(db.data)
            else:
                db.data.__class__ = kind.__base__  # type: ignore[assignment]
            db.sampler = None
        self._remaining = {}
