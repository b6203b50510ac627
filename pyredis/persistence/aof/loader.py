"""Replaying AOF files through the dispatcher, in slices between which the server answers (aof.c)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator
from enum import Enum
from typing import TYPE_CHECKING

from ...engine.client import Client
from ...errors import CommandError
from ...registry.flags import RELAYS_QUEUE
from ..loading import DatasetSink, LoadFailed, Loading, fail, feed, load_delay, make_reader, report_loaded
from ..rdb.codes import RdbError

if TYPE_CHECKING:
    from ...engine.server import Server
    from ...registry.command import Argv
    from .manifest import Manifest


class Outcome(Enum):
    """How loading went when it did not fail."""

    OK = "ok"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    MISSING = "missing"


Replay = Generator[float, None, Outcome]

_TOLD_APART = 1024
_INTEGER = re.compile(rb"\s*([+-]?\d+)")
_COUNTS = {b"*%d\r\n" % n: n for n in range(1, 64)}
_SIZES = {b"$%d\r\n" % n: n for n in range(1024)}


class FormatError(Exception):
    """Bytes that no AOF has at this place."""


class NeedMore(Exception):
    """The buffer ends inside a command that reaches at least to position *need*."""

    def __init__(self, need: int) -> None:
        super().__init__(need)
        self.need = need


def parse_command(buffer: bytes, at: int) -> tuple[Argv, int]:
    """The command at *at* and where it ends; an empty one for an annotation.  Raises FormatError, NeedMore."""
    if at >= len(buffer):
        raise NeedMore(at + 1)
    line_end = buffer.find(b"\n", at) + 1
    count = _COUNTS.get(buffer[at:line_end]) if line_end else None
    if count is None:
        first = buffer[at : at + 1]
        if first not in (b"*", b"#"):
            raise FormatError
        if not line_end:
            raise NeedMore(len(buffer) + 1)
        if first == b"#":
            return [], line_end
        count = _integer(buffer[at + 1 : line_end])
        if count < 1:
            raise FormatError
    at = line_end
    argv: list[bytes] = []
    find, known, limit = buffer.find, _SIZES.get, len(buffer)
    for _ in range(count):
        line_end = find(b"\n", at) + 1
        size = known(buffer[at:line_end]) if line_end else None
        if size is None:
            if at < limit and buffer[at] != 36:
                raise FormatError
            if not line_end:
                raise NeedMore(limit + 1)
            size = _integer(buffer[at + 1 : line_end])
            if size < 0:
                raise FormatError
        end = line_end + size
        if end + 2 > limit:
            raise NeedMore(end + 2)
        argv.append(buffer[line_end:end])
        at = end + 2
    return argv, at


def _integer(text: bytes) -> int:
    found = _INTEGER.match(text)
    return int(found[1]) if found else 0


class Replayer:
    """Loads the files of one manifest in *directory*."""

    def __init__(self, server: Server, directory: str, state: Loading) -> None:
        self._server = server
        self._directory = directory
        self._state = state
        self.base_size = 0
        self.total_size = 0

    def load(self, manifest: Manifest) -> Replay:
        """Everything the manifest lists.  Raises LoadFailed (loadAppendOnlyFiles)."""
        log = self._server.log
        parts = manifest.parts
        if not parts:
            return Outcome.MISSING
        sizes = [self._size(part.name) for part in parts]
        total = sum(sizes)
        if not total:
            return Outcome.EMPTY
        outcome = Outcome.OK
        with self._state.running(total):
            for part in parts:
                last = part is parts[-1]
                began = time.monotonic()
                outcome = yield from self._load_file(
                    part.name, old_style=part.name == self._server.config.appendfilename
                )
                kind = "base" if part is manifest.base else "incr"
                if outcome is Outcome.TRUNCATED and not last:
                    log.warning("Fatal error: the truncated file is not the last file")
                    raise LoadFailed
                if outcome is not Outcome.EMPTY:
                    log.notice(f"DB loaded from {kind} file {part.name}: {time.monotonic() - began:.3f} seconds")
                elif kind == "incr":
                    outcome = Outcome.OK
        self.total_size = total
        self.base_size = sizes[0] if manifest.base is not None else 0
        return outcome

    def _size(self, name: str) -> int:
        try:
            return os.stat(os.path.join(self._directory, name)).st_size
        except OSError as error:
            self._server.log.warning(f"Unable to obtain the AOF file {name} length. stat: {error.strerror}")
            raise LoadFailed from None

    def _load_file(self, name: str, *, old_style: bool) -> Replay:
        log = self._server.log
        try:
            descriptor = os.open(os.path.join(self._directory, name), os.O_RDWR)
        except FileNotFoundError as error:
            log.warning(f"The append log file {name} doesn't exist: {error.strerror}")
            raise LoadFailed from None
        except OSError as error:
            log.warning(f"Fatal error: can't open the append log file {name} for reading: {error.strerror}")
            raise LoadFailed from None
        try:
            if not os.fstat(descriptor).st_size:
                return Outcome.EMPTY
            is_rdb = os.read(descriptor, 5) == b"REDIS"
            os.lseek(descriptor, 0, os.SEEK_SET)
            leftover, offset = b"", 0
            if is_rdb:
                leftover, offset = yield from self._load_rdb(descriptor, name, old_style)
            return (yield from self._replay(descriptor, name, leftover, offset))
        finally:
            os.close(descriptor)

    def _load_rdb(self, descriptor: int, name: str, old_style: bool) -> Generator[float, None, tuple[bytes, int]]:
        """The RDB data a file begins with; what was read beyond it, and where it ends."""
        server = self._server
        server.log.notice(
            "Reading RDB preamble from AOF file..." if old_style else "Reading RDB base file on AOF loading..."
        )
        sink = DatasetSink(server)
        reader = make_reader(server, sink, keep_expired=True)
        reader.total = os.fstat(descriptor).st_size
        try:
            yield from feed(server, reader, descriptor, self._state)
        except RdbError as error:
            try:
                fail(server, error, self._state, os.path.join(self._directory, name))
            except LoadFailed:
                what = "RDB preamble of the AOF file" if old_style else "RDB base file"
                server.log.warning(f"Error reading the {what} {name}, AOF loading aborted")
                raise
        report_loaded(server, reader, sink)
        if old_style:
            server.log.notice("Reading the remaining AOF tail...")
        return reader.leftover, reader.offset

    def _replay(self, descriptor: int, name: str, buffer: bytes, offset: int) -> Replay:
        """The commands of *descriptor*, of which *buffer* has been read; it begins at *offset* of the file."""
        server, state = self._server, self._state
        client = Client(server, internal=True)
        client.can_block = False
        chunk = server.config.loading_process_events_interval_bytes
        valid = before_multi = offset
        at, need = 0, 1
        outer, server.executing = server.executing, client
        try:
            while True:
                while len(buffer) < need:
                    data = os.read(descriptor, max(chunk, need - len(buffer)))
                    if not data:
                        break
                    buffer = buffer[at:] + data
                    offset += at
                    need -= at
                    at = 0
                    state.loaded_bytes += len(data)
                if len(buffer) < need:
                    break
                server.now = server.clock.time_ns()
                commands = 0
                try:
                    while commands < _TOLD_APART:
                        argv, end = parse_command(buffer, at)
                        at = end
                        if not argv:
                            continue
                        commands += 1
                        inside = client.transaction is not None
                        self._execute(client, argv, name)
                        if client.transaction is not None and not inside:
                            before_multi = valid
                        valid = offset + at
                    need = at + 1
                except NeedMore as short:
                    need = short.need
                except FormatError:
                    server.log.warning(
                        f"Bad file format reading the append only file {name}: make a backup of your AOF file, then "
                        "use ./redis-check-aof --fix <filename.manifest>"
                    )
                    raise LoadFailed from None
                server.propagation.pending.clear()
                server.propagation.wrote = server.propagation.explicit = False
                client.out.clear()
                yield load_delay(server, commands)
        finally:
            server.executing = outer
            server.watching.unwatch(client)
        return self._finish(
            client, descriptor, name, truncated=at < len(buffer), valid=valid, before_multi=before_multi
        )

    def _execute(self, client: Client, argv: Argv, name: str) -> None:
        server = self._server
        command = server.commands.get(argv[0])
        if command is None or command.subcommands is not None:
            try:
                command = server.resolve(command, argv)
            except CommandError:
                shown = argv[0].decode("utf-8", "backslashreplace")
                server.log.warning(f"Unknown command '{shown}' reading the append only file {name}")
                raise LoadFailed from None
        if not command.least <= len(argv) <= command.most:
            raise FormatError
        if client.transaction is not None and not command.flags & RELAYS_QUEUE:
            client.transaction.queue(command, argv, command.flags)
            return
        client.command, client.argv = command, argv
        try:
            command.handler(client, argv)
        except CommandError as error:
            server.log.debug(f"{command.name} failed while the AOF was loaded: {error.text}")

    def _finish(
        self, client: Client, descriptor: int, name: str, *, truncated: bool, valid: int, before_multi: int
    ) -> Outcome:
        """The end of a file: all of it was loaded, or its tail has to go."""
        log = self._server.log
        if client.transaction is not None:
            log.warning(f"Revert incomplete MULTI/EXEC transaction in AOF file {name}")
            valid = before_multi
            truncated = True
        if not truncated:
            return Outcome.OK
        if self._server.config.aof_load_truncated:
            log.warning(f"!!! Warning: short read while loading the AOF file {name}!!!")
            log.warning(f"!!! Truncating the AOF {name} at offset {valid} !!!")
            try:
                os.ftruncate(descriptor, valid)
            except OSError as error:
                log.warning(f"Error truncating the AOF file {name}: {error.strerror}")
            else:
                log.warning(f"AOF {name} loaded anyway because aof-load-truncated is enabled")
                return Outcome.TRUNCATED
        log.warning(
            f"Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your AOF file, "
            "then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the "
            "'aof-load-truncated' configuration option to yes and restart the server."
        )
        raise LoadFailed
