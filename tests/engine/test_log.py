"""The log: Redis's lines, or JSON objects."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from pyredis.engine.log import NOTICE, VERBOSE, Log
from pyredis.util.clock import ManualClock

from ..conftest import START_NS


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(clock: ManualClock, stream: io.StringIO) -> Log:
    return Log(clock, NOTICE, stream=stream)


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_plain(log: Log, stream: io.StringIO) -> None:
    log.notice("hello")
    log.verbose("too quiet")
    pid, _, rest = stream.getvalue().partition(":")
    assert pid == str(os.getpid())
    assert rest.startswith("M ")
    assert rest.endswith(" * hello\n")
    assert stream.getvalue().count("\n") == 1


def test_a_line_is_an_object(log: Log, stream: io.StringIO) -> None:
    log.structured = True
    log.warning('said "no"\nand went \x00')
    log.role = "S"
    log.level = VERBOSE
    log.verbose("quiet")
    first, second = objects(stream.getvalue())
    assert first == {
        "time": "2023-11-14T22:13:20.000Z",
        "level": "warning",
        "pid": os.getpid(),
        "role": "master",
        "message": 'said "no"\nand went \x00',
    }
    assert START_NS == 1_700_000_000_000_000_000
    assert (second["level"], second["role"]) == ("verbose", "replica")


def test_tracebacks_stay_in_their_object(log: Log, stream: io.StringIO) -> None:
    log.structured = True
    log.warning("Bug", exc=ValueError("why"))
    (line,) = objects(stream.getvalue())
    assert line["message"] == "Bug"
    assert "ValueError: why" in str(line["traceback"])


def test_tracebacks_follow_a_plain_line(log: Log, stream: io.StringIO) -> None:
    log.warning("Bug", exc=ValueError("why"))
    assert stream.getvalue().endswith(" # Bug\nValueError: why\n")


def test_raw_text_becomes_a_message(log: Log, stream: io.StringIO) -> None:
    log.raw("as it is")
    log.structured = True
    log.raw("\n  a picture\n")
    text = stream.getvalue().removeprefix("as it is")
    assert [line["message"] for line in objects(text)] == ["a picture"]


def test_signal_handlers_write_objects_too(clock: ManualClock, tmp_path: Path) -> None:
    log = Log(clock, path=str(tmp_path / "log"))
    log.structured = True
    log.write_at_once(NOTICE, "stopping")
    log.raw_at_once("\ntrace\n")
    assert [line["message"] for line in objects((tmp_path / "log").read_text())] == ["stopping", "trace"]
