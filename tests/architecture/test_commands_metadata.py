"""What the registry declares is what Redis 7.2.4 reports, for every command that exists here.

``data/commands.json`` holds COMMAND INFO of 7.2.4, subcommands under ``container|sub``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pyredis import registry
from pyredis.app import load_commands
from pyredis.registry.command import REGISTRY, Command
from pyredis.registry.flags import CATEGORIES, FLAG_NAMES, KEY_FLAG_NAMES
from pyredis.registry.keyspecs import KeySpec

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "commands.json").read_text(encoding="utf-8")
)
DOCS: dict[str, dict[str, Any]] = json.loads((Path(registry.__file__).parent / "docs.json").read_text(encoding="utf-8"))


def declared() -> dict[str, Command]:
    load_commands()
    commands: dict[str, Command] = {}
    for name, command in REGISTRY.items():
        commands[name] = command
        for sub in (command.subcommands or {}).values():
            commands[sub.name] = sub
    return commands


COMMANDS = declared()


def named(mask: int, names: tuple[tuple[int, bytes], ...]) -> list[str]:
    return [name.decode() for bit, name in names if mask & bit]


def as_reported(spec: KeySpec) -> dict[str, Any]:
    """A key spec in the shape COMMAND INFO gives it."""
    begin: dict[str, Any] = {}
    if spec.begin == "index":
        begin = {"index": spec.index}
    elif spec.begin == "keyword":
        begin = {"keyword": spec.keyword.decode(), "startfrom": spec.start_from}
    find: dict[str, Any] = {}
    if spec.find == "range":
        find = {"lastkey": spec.last, "keystep": spec.step, "limit": spec.limit}
    elif spec.find == "keynum":
        find = {"keynumidx": spec.count_at, "firstkey": spec.first, "keystep": spec.step}
    reported: dict[str, Any] = {
        "flags": named(spec.flags, KEY_FLAG_NAMES),
        "begin_search": {"type": spec.begin, "spec": begin},
        "find_keys": {"type": spec.find, "spec": find},
    }
    if spec.notes:
        reported["notes"] = spec.notes
    return reported


def test_every_declared_command_is_one_of_redis() -> None:
    assert COMMANDS.keys() - REFERENCE.keys() == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_declaration_is_that_of_redis(name: str) -> None:
    command, expected = COMMANDS[name], REFERENCE[name]
    found = {
        "arity": command.arity,
        "flags": named(command.flags, FLAG_NAMES),
        "acl_categories": sorted(f"@{name}" for name, bit in CATEGORIES.items() if command.categories & bit),
        "key_specs": [as_reported(spec) for spec in command.key_specs],
        "tips": list(command.tips),
    }
    wanted = {field: expected[field] for field in found}
    wanted["acl_categories"] = sorted(wanted["acl_categories"])
    assert found == wanted


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.subcommands])
def test_containers_are_complete(name: str) -> None:
    wanted = {full for full in REFERENCE if full.startswith(f"{name}|")}
    found = {sub.name for sub in (COMMANDS[name].subcommands or {}).values()}
    assert found == wanted


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    container, _, sub = name.partition("|")
    docs = DOCS[container]["subcommands"][name] if sub else DOCS[container]
    assert docs["summary"].endswith(".")
    assert {"since", "group"} <= docs.keys()


def test_documentation_names_no_other_command() -> None:
    documented = DOCS.keys() | {sub for docs in DOCS.values() for sub in docs.get("subcommands", {})}
    assert documented == REFERENCE.keys()
