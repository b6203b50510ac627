"""INFO, CLIENT LIST, COMMAND and CONFIG GET * field by field, against what 7.2.4 once said and a live 7.2.4."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyredis.engine.server import Server

from ..conftest import Peer
from .runner import Runner
from .wire import Connection, Node

ROOT = Path(__file__).resolve().parents[1]
OWN_FIELDS = {"server": ["server_name", "pyredis_version"]}
"""What INFO says about this server and no other."""
OWN_SECTIONS = {"python", "backup"}

CLIENT_FIELDS = [
    "id", "addr", "laddr", "fd", "name", "age", "idle", "flags", "db", "sub", "psub", "ssub", "multi", "qbuf",
    "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll", "omem", "tot-mem", "events", "cmd", "user",
    "redir", "resp", "lib-name", "lib-ver",
]  # fmt: skip


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """(field, value) in order, by section in lower case."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.split("\r\n"):
        if line.startswith("# "):
            fields = found.setdefault(line[2:].lower(), [])
        elif line:
            name, _, value = line.partition(":")
            fields.append((name, value))
    return found


def names(fields: list[tuple[str, str]]) -> list[str]:
    return [name for name, _ in fields]


def recorded_info() -> dict[str, list[str]]:
    lines = (Path(__file__).parent / "data" / "info-fields-7.2.4.txt").read_text(encoding="ascii").splitlines()
    found: dict[str, list[str]] = {}
    for line in filter(None, lines):
        if line.startswith("# "):
            fields = found.setdefault(line[2:].lower(), [])
        else:
            fields.append(line)
    return found


INFO_FIELDS = recorded_info()
FILLED_BY_USE = {"modules", "commandstats", "errorstats", "latencystats", "keyspace"}
"""Sections whose fields depend on what has been done."""


def bulk_text(reply: bytes) -> str:
    return reply.partition(b"\r\n")[2].removesuffix(b"\r\n").decode()


# --- against what was recorded ----------------------------------------------------------------------


@pytest.mark.parametrize("section", INFO_FIELDS)
def test_info_has_the_recorded_fields_in_their_order(server: Server, send: Peer, section: str) -> None:
    server.listener_descriptions = lambda: [(0, "name=tcp,bind=*,port=6379")]
    found = sections(bulk_text(send("INFO", section)))
    assert list(found) == [section]
    if section not in FILLED_BY_USE:
        assert names(found[section]) == INFO_FIELDS[section] + OWN_FIELDS.get(section, [])


def test_info_without_arguments_has_the_default_sections(send: Peer) -> None:
    found = sections(bulk_text(send("INFO")))
    assert list(found) == [name for name in INFO_FIELDS if name not in ("commandstats", "latencystats")]


def test_info_everything_has_all_sections_and_ours(send: Peer) -> None:
    found = sections(bulk_text(send("INFO", "everything")))
    assert [name for name in found if name not in OWN_SECTIONS] == list(INFO_FIELDS)
    assert "python" in found


def test_client_list_has_the_fields_in_their_order(send: Peer) -> None:
    for reply in (send("CLIENT", "INFO"), send("CLIENT", "LIST")):
        assert [part.partition("=")[0] for part in bulk_text(reply).split()] == CLIENT_FIELDS


def test_the_table_of_commands_is_complete(send: Peer) -> None:
    reference = json.loads((ROOT / "architecture" / "data" / "commands.json").read_text(encoding="utf-8"))
    top = {name for name in reference if "|" not in name}
    assert send("COMMAND", "COUNT") == b":%d\r\n" % len(top)
    listed = send("COMMAND", "LIST").split(b"\r\n")[2::2]
    assert {name.decode() for name in listed} == reference.keys()


# --- against a live 7.2.4 ---------------------------------------------------------------------------


@pytest.fixture
def both(runner: Runner) -> Iterator[list[Connection]]:
    if (runner.real.name, runner.real.version) != ("redis", (7, 2, 4)):
        pytest.skip(f"{runner.real.name} {'.'.join(map(str, runner.real.version))} has other fields")
    connections = [side.server.connect() for side in runner.sides]
    for connection in connections:
        for argv in ((b"SET", b"fields", b"1"), (b"GET", b"fields"), (b"NOSUCH",), (b"LPUSH", b"fields", b"1")):
            connection.call(*argv)
    yield connections
    for connection in connections:
        connection.call(b"DEL", b"fields")
        connection.close()


SHAPES = (
    ("integer", r"-?\d+"),
    ("decimal", r"-?\d+\.\d+"),
    ("percent", r"\d+\.\d+%"),
    ("size", r"\d+(\.\d+)?[BKMGT]"),
    ("digest", r"[0-9a-f]{40}"),
    ("pairs", r"[\w|.]+=[^,]*(,[\w|.]+=[^,]*)*"),
)


def shape(value: str) -> str:
    """What a value looks like to whoever parses it; a decimal is told by its digits after the point, too."""
    for name, pattern in SHAPES:
        if re.fullmatch(pattern, value):
            return f"{name} of {len(value.partition('.')[2])}" if name == "decimal" else name
    return "text"


def text(node: Node) -> str:
    kind, value = node
    assert kind == b"$"
    return str(value.decode())


LOOSE = {"redis_build_id", "redis_git_sha1"}
"""Fields of which the shape says nothing: letters and digits at random."""


def test_info_agrees_in_names_and_shapes(both: list[Connection]) -> None:
    real, ours = (sections(text(each.call(b"INFO", b"all"))) for each in both)
    assert [name for name in ours if name not in OWN_SECTIONS] == list(real)
    for section, expected in real.items():
        if section in ("commandstats", "latencystats"):
            continue  # each server was asked other things before
        found = [field for field in ours[section] if field[0] not in OWN_FIELDS.get(section, ())]
        assert names(found) == names(expected), section
        for (name, value), (_, wanted) in zip(found, expected, strict=True):
            assert name in LOOSE or shape(value) == shape(wanted), f"{name}: {value} instead of {wanted}"


def test_statistics_of_commands_agree_in_shape(both: list[Connection]) -> None:
    for section, field in ((b"commandstats", "cmdstat_get"), (b"latencystats", "latency_percentiles_usec_get")):
        real, ours = (dict(sections(text(each.call(b"INFO", section)))[section.decode()]) for each in both)
        split = [[part.partition("=")[0] for part in values[field].split(",")] for values in (real, ours)]
        assert split[0] == split[1]


def test_client_list_agrees(both: list[Connection]) -> None:
    lines = [text(each.call(b"CLIENT", b"INFO")).split() for each in both]
    real, ours = ([part.partition("=")[::2] for part in line] for line in lines)
    assert [name for name, _ in ours] == [name for name, _ in real] == CLIENT_FIELDS
    same = ("flags", "db", "sub", "psub", "ssub", "multi", "multi-mem", "events", "cmd", "user", "redir", "resp")
    assert [pair for pair in ours if pair[0] in same] == [pair for pair in real if pair[0] in same]


def test_configuration_agrees_in_names(both: list[Connection]) -> None:
    real, ours = ([value for _, value in each.call(b"CONFIG", b"GET", b"*")[1][::2]] for each in both)
    assert sorted(ours) == sorted(real)


def test_commands_agree_in_names(both: list[Connection]) -> None:
    real, ours = ({value for _, value in each.call(b"COMMAND", b"LIST")[1]} for each in both)
    assert ours == real
