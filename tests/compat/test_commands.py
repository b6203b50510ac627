"""COMMAND, COMMAND INFO and COMMAND DOCS of every command, against a real 7.2.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .grammar import documentation
from .report import present
from .rules import deep_sorted
from .runner import Runner
from .wire import Connection, Node

TOP_LEVEL = sorted({name.partition("|")[0] for name in present()})


@pytest.fixture(params=[2, 3])
def connections(runner: Runner, request: pytest.FixtureRequest) -> Iterator[list[Connection]]:
    """One to each server, the real one first."""
    if (runner.real.name, runner.real.version) != ("redis", (7, 2, 4)):
        version = ".".join(map(str, runner.real.version))
        pytest.skip(f"commands are described differently by {runner.real.name} {version}")
    both = [side.server.connect() for side in runner.sides]
    for connection in both:
        connection.call(b"HELLO", b"%d" % request.param)
    yield both
    for connection in both:
        connection.close()


def pairs(node: Node) -> list[tuple[str, Node]]:
    """A map of either protocol as (name, value) in order."""
    items = node[1]
    return [(items[at][1].decode(), items[at + 1]) for at in range(0, len(items), 2)]


def facts(node: Node) -> list[tuple[str, Any]]:
    """A command's documentation without the summary, whose words are ours; subcommands in one order."""
    found: list[tuple[str, Any]] = []
    for name, value in pairs(node):
        if name == "subcommands":
            found.append((name, sorted((sub, facts(docs)) for sub, docs in pairs(value))))
        elif name != "summary":
            found.append((name, value))
    return found


def test_command_info_agrees(connections: list[Connection]) -> None:
    real, ours = connections
    for name in TOP_LEVEL:
        expected, found = (each.call(b"COMMAND", b"INFO", name.encode()) for each in (real, ours))
        assert deep_sorted(found) == deep_sorted(expected), name


def test_command_docs_agree(connections: list[Connection]) -> None:
    real, ours = connections
    for name in TOP_LEVEL:
        expected, found = (each.call(b"COMMAND", b"DOCS", name.encode()) for each in (real, ours))
        assert found[0] == expected[0]
        (given, docs), (real_given, real_docs) = pairs(found)[0], pairs(expected)[0]
        assert given == real_given
        assert facts(docs) == facts(real_docs), name


def test_the_documentation_covers_every_command() -> None:
    assert present() <= documentation().keys()
