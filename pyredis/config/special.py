"""The parameters with a form of their own (config.c: createSpecialConfig), a kind each."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigRefused, NotFloat
from ..util.numbers import parse_float, parse_memory
from ..util.quoting import quote
from ..util.schedule import ScheduleError, parse_schedule
from .ctext import as_int, format_memory, strtoll
from .kinds import Kind, String, Written
from .title import expand

if TYPE_CHECKING:
    from .settings import Settings

MAX_BIND_ADDRESSES = 16


class SavePoint(NamedTuple):
    """Save after *seconds* if there were at least *changes*."""

    seconds: int
    changes: int


class OutputLimit(NamedTuple):
    """Bytes at which a client is closed at once, or after *seconds* above the soft limit; 0: never."""

    hard: int
    soft: int
    seconds: int


class OutputLimits(NamedTuple):
    """By class of client; monitors and blocked clients are normal ones."""

    normal: OutputLimit
    replica: OutputLimit
    pubsub: OutputLimit


class Save(Kind[tuple[SavePoint, ...]]):
    several = accumulates = always_applies = True

    @property
    def type(self) -> Any:
        return tuple[SavePoint, ...]

    def parse(self, words: Sequence[bytes], current: tuple[SavePoint, ...]) -> tuple[SavePoint, ...]:
        if len(words) == 1 and not words[0]:
            return ()
        numbers = [strtoll(word) for word in words]
        seconds, changes = numbers[::2], numbers[1::2]
        if len(seconds) != len(changes):
            raise ConfigRefused("Invalid save parameters")
        points = []
        for second, change in zip(seconds, changes, strict=True):
            if second is None or second < 1 or change is None or change < 0:
                raise ConfigRefused("Invalid save parameters")
            points.append(SavePoint(second, as_int(change)))
        return tuple(points)

    def render(self, value: tuple[SavePoint, ...]) -> bytes:
        return b" ".join(b"%d %d" % point for point in value)

    def written(self, value: tuple[SavePoint, ...], default: tuple[SavePoint, ...]) -> Written:
        return [(b"%d %d" % point, True) for point in value] or [(b'""', True)]


class ClientOutputBufferLimits(Kind[OutputLimits]):
    """``class hard soft seconds``, once or more; classes that are not named keep their limits."""

    several = always_applies = True

    @property
    def type(self) -> Any:
        return OutputLimits

    def parse(self, words: Sequence[bytes], current: OutputLimits) -> OutputLimits:
        if len(words) % 4:
            raise ConfigRefused("Wrong number of arguments in buffer limit configuration.")
        limits = {}
        for at in range(0, len(words), 4):
            name = _CLIENT_CLASSES.get(words[at].lower())
            if name is None:
                raise ConfigRefused("Invalid client class specified in buffer limit configuration.")
            limits[name] = _output_limit(*words[at + 1 : at + 4])
        return current._replace(**limits)

    def render(self, value: OutputLimits) -> bytes:
        return b" ".join(b"%b %d %d %d" % (name, *limit) for name, limit in zip(_CLASS_NAMES, value, strict=True))

    def written(self, value: OutputLimits, default: OutputLimits) -> Written:
        lines = []
        for name, limit, usual in zip(_FILE_CLASS_NAMES, value, default, strict=True):
            sizes = format_memory(limit.hard), format_memory(limit.soft)
            lines.append((b"%b %b %b %d" % (name, *sizes, limit.seconds), limit != usual))
        return lines


def _output_limit(hard: bytes, soft: bytes, seconds: bytes) -> OutputLimit:
    time = strtoll(seconds)
    try:
        if time is None or as_int(time) < 0:
            raise ValueError(seconds)
        return OutputLimit(parse_memory(hard), parse_memory(soft), as_int(time))
    except ValueError:
        raise ConfigRefused("Error in hard, soft or soft_seconds setting in buffer limit configuration.") from None


_CLIENT_CLASSES = {b"normal": "normal", b"slave": "replica", b"replica": "replica", b"pubsub": "pubsub"}
_CLASS_NAMES = (b"normal", b"slave", b"pubsub")
_FILE_CLASS_NAMES = (b"normal", b"replica", b"pubsub")


class OomScoreAdjValues(Kind[tuple[int, int, int]]):
    """Scores of a master, a replica and a background child."""

    several = True

    @property
    def type(self) -> Any:
        return tuple[int, int, int]

    def parse(self, words: Sequence[bytes], current: tuple[int, int, int]) -> tuple[int, int, int]:
        if len(words) != 3:
            raise ConfigRefused("wrong number of arguments")
        values = []
        for word in words:
            value = strtoll(word)
            if value is None or not -2000 <= value <= 2000:
                raise ConfigRefused("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
            values.append(value)
        return values[0], values[1], values[2]

    def render(self, value: tuple[int, int, int]) -> bytes:
        return b"%d %d %d" % value


class KeyspaceEvents(Kind[int]):
    """Letters of event classes as the bit mask of server.h NOTIFY_*."""

    always_applies = True

    @property
    def type(self) -> Any:
        return int

    def parse(self, words: Sequence[bytes], current: int) -> int:
        value = 0
        for letter in words[0].partition(b"\0")[0]:
            bits = _EVENT_BITS.get(letter)
            if bits is None:
                raise ConfigRefused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
            value |= bits
        return value

    def render(self, value: int) -> bytes:
        classes = b"A" if value & _ALL_EVENTS == _ALL_EVENTS else _letters(value, b"g$lshzxetdn")
        return classes + _letters(value, b"KEm")

    def written(self, value: int, default: int) -> Written:
        return [(quote(self.render(value)), value != default)]


_EVENT_BITS = {letter: 1 << bit for bit, letter in enumerate(b"KEg$lshzxetm.dn") if letter != ord(".")}
_ALL_EVENTS = sum(_EVENT_BITS[letter] for letter in b"g$lshzxetd")
_EVENT_BITS[ord("A")] = _ALL_EVENTS


def _letters(value: int, letters: bytes) -> bytes:
    return bytes(letter for letter in letters if value & _EVENT_BITS[letter])


class Bind(Kind[tuple[str, ...]]):
    """Addresses to listen on; ``*`` stands for all, a leading ``-`` tolerates a missing one."""

    several = always_applies = True

    @property
    def type(self) -> Any:
        return tuple[str, ...]

    def parse(self, words: Sequence[bytes], current: tuple[str, ...]) -> tuple[str, ...]:
        if len(words) > MAX_BIND_ADDRESSES:
            raise ConfigRefused("Too many bind addresses specified.")
        if len(words) == 1 and not words[0]:
            return ()
        return tuple(word.partition(b"\0")[0].decode("utf-8", "surrogateescape") for word in words)

    def render(self, value: tuple[str, ...]) -> bytes:
        return " ".join(value).encode("utf-8", "surrogateescape")

    def written(self, value: tuple[str, ...], default: tuple[str, ...]) -> Written:
        return [] if value == default else [(self.render(value) or b'""', True)]


class ReplicaOf(Kind[tuple[str, int] | None]):
    """Host and port of the master, or None."""

    several = always_applies = True

    @property
    def type(self) -> Any:
        return tuple[str, int] | None

    def parse(self, words: Sequence[bytes], current: tuple[str, int] | None) -> tuple[str, int] | None:
        if len(words) != 2:
            raise ConfigRefused("wrong number of arguments")
        host, port = words
        if host.lower() == b"no" and port.lower() == b"one":
            return None
        number = strtoll(port)
        if number is None or not 0 <= as_int(number) <= 65535:
            raise ConfigRefused("Invalid master port")
        return host.decode("utf-8", "surrogateescape"), as_int(number)

    def render(self, value: tuple[str, int] | None) -> bytes:
        return b"" if value is None else b"%b %d" % (value[0].encode("utf-8", "surrogateescape"), value[1])

    def written(self, value: tuple[str, int] | None, default: tuple[str, int] | None) -> Written:
        return [] if value is None else [(self.render(value), True)]


class Percentiles(Kind[tuple[float, ...]]):
    several = always_applies = True

    @property
    def type(self) -> Any:
        return tuple[float, ...]

    def parse(self, words: Sequence[bytes], current: tuple[float, ...]) -> tuple[float, ...]:
        if len(words) == 1 and not words[0]:
            return ()
        values = []
        for word in words:
            try:
                value = parse_float(word)
            except NotFloat:
                raise ConfigRefused("Invalid latency-tracking-info-percentiles parameters") from None
            if not 0.0 <= value <= 100.0:
                raise ConfigRefused("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
            values.append(value)
        return tuple(values)

    def render(self, value: tuple[float, ...]) -> bytes:
        return b" ".join((b"%f" % percentile).rstrip(b"0").rstrip(b".") for percentile in value)

    def written(self, value: tuple[float, ...], default: tuple[float, ...]) -> Written:
        return [(self.render(value) or b'""', True)]


class Directory(Kind[str]):
    """The directory that relative file names start from, as an absolute path without links.

    Redis changes its working directory; several servers of one process cannot, so the value is
    checked as chdir(2) would and kept.
    """

    always_applies = True

    @property
    def type(self) -> Any:
        return str

    def parse(self, words: Sequence[bytes], current: str) -> str:
        given = os.fsdecode(words[0].partition(b"\0")[0])
        if not given:
            raise ConfigRefused("No such file or directory")
        path = os.path.join(current, given)
        try:
            os.stat(os.path.join(path, "."))
        except OSError as error:
            raise ConfigRefused(error.strerror) from error
        return os.path.realpath(path)

    def render(self, value: str) -> bytes:
        return os.fsencode(value)

    def written(self, value: str, default: str) -> Written:
        return [(quote(self.render(value)), True)]


class ProcessTitle(String):
    """A template of the process's title that is not empty once its variables are filled in."""

    def check(self, value: str, settings: Settings) -> None:
        if not expand(value, settings, ""):
            raise ConfigRefused("template format is invalid or contains unknown variables")


def base_name(name: str, what: str, *, empty: bool = False) -> String:
    """The kind of directive *name*: a plain file name, *what* being filename or dirname."""

    def valid(value: str) -> None:
        if not value and not empty:
            raise ConfigRefused(f"{name} can't be empty")
        if "/" in value or "\\" in value:
            raise ConfigRefused(f"{name} can't be a path, just a {what}")

    return String(valid=valid)


def valid_hostname(value: str) -> None:
    if len(value.encode("utf-8", "surrogateescape")) >= 256:
        raise ConfigRefused("Hostnames must be less than 256 characters")
    if _NOT_HOSTNAME.search(value):
        raise ConfigRefused("Hostnames may only contain alphanumeric characters, hyphens or dots")


def valid_node_name(value: str) -> None:
    if _NOT_NODE_NAME.search(value):
        raise ConfigRefused("Announced human node name contained invalid character")


def valid_schedule(value: str) -> None:
    if value:
        try:
            parse_schedule(value)
        except ScheduleError as error:
            raise ConfigRefused(str(error)) from None


def valid_backup_name(value: str) -> None:
    if not _BACKUP_NAME.fullmatch(value):
        raise ConfigRefused("backup-name may only contain letters, digits, dots, hyphens and underscores")


def valid_backup_url(value: str) -> None:
    if value and "://" not in value:
        raise ConfigRefused("backup-url must be a URL such as s3://bucket/path")


_BACKUP_NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*)?")
_NOT_HOSTNAME = re.compile(r"[^A-Za-z0-9.-]")
_NOT_NODE_NAME = re.compile(r"[!#$%&()*+:;<>?@\[\]^{|}~]")
