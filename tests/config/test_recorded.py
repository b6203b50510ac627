"""Every answer that Redis 7.2.4 gave to ``cases.py`` is ours too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pyredis.config.arguments import parse_arguments
from pyredis.config.config import Config
from pyredis.config.file import ConfigFileError, ConfigFileUnreadable, Loader
from pyredis.config.rewrite import SIGNATURE, rewritten
from pyredis.errors import CommandError

from .cases import CONTROL, OURS

DATA = Path(__file__).parent / "data"


def facts(name: str) -> Any:
    return json.loads((DATA / f"{name}-7.2.4.json").read_text())


class Place:
    """A directory with the files of a case, and its name in place of ``{dir}``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "sub").mkdir()

    def to_bytes(self, text: str) -> bytes:
        return text.replace("{dir}", str(self.path)).encode("latin-1")

    def to_text(self, data: bytes) -> str:
        return data.decode("latin-1").replace(str(self.path), "{dir}")

    def config(self) -> Config:
        config = Config()
        config.dir = str(self.path)
        return config

    def write(self, name: str, text: str) -> str:
        path = self.path / name
        path.write_bytes(self.to_bytes(text))
        return str(path)

    def set(self, config: Config, pairs: list[tuple[str, str]]) -> str:
        try:
            config.set([(self.to_bytes(name), self.to_bytes(value)) for name, value in pairs])
        except CommandError as error:
            return self.to_text(b"-" + error.text.encode("utf-8", "surrogateescape"))
        return "+OK"

    def get(self, config: Config, *names: str) -> list[str]:
        return [self.to_text(text) for pair in config.get(map(self.to_bytes, names)) for text in pair]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path.resolve())


@pytest.fixture
def controlled(place: Place) -> Config:
    config = place.config()
    Loader(config).load(place.write("c.conf", CONTROL))
    return config


def test_names_and_defaults(place: Place) -> None:
    defaults = facts("defaults") | {"dir": "{dir}"}
    reply = place.get(place.config(), "*")
    assert dict(zip(reply[::2], reply[1::2], strict=True)) == defaults


def test_config_set(place: Place, controlled: Config) -> None:
    wrong = []
    for name, value, reply, after in facts("set")["single"]:
        ours = place.set(controlled, [(name, value)]), place.get(controlled, name)[1]
        if ours != (reply, after):
            wrong.append((name, value, reply, after, ours))
    assert wrong == []


def test_config_set_of_several(place: Place, controlled: Config) -> None:
    for pairs, reply, after in facts("set")["several"]:
        assert place.set(controlled, pairs) == reply
        assert [place.get(controlled, name) for name, _ in pairs] == after


@pytest.mark.parametrize(("patterns", "names"), facts("set")["patterns"])
def test_config_get(place: Place, patterns: list[str], names: list[str]) -> None:
    assert sorted(place.get(place.config(), *patterns)[::2]) == names


def start(place: Place, argv: list[str], stdin: str) -> tuple[Config, str | None]:
    config = place.config()
    arguments = parse_arguments([b"redis-server", *map(place.to_bytes, argv)], str(place.path))
    text = place.to_bytes(stdin) if arguments.from_stdin else b""
    try:
        Loader(config).load(arguments.config_file, text, arguments.options)
    except ConfigFileError as error:
        return config, place.to_text(error.report)
    except ConfigFileUnreadable as error:
        return config, place.to_text(str(error).encode())
    return config, None


@pytest.mark.parametrize("fact", facts("start"), ids=lambda fact: repr(fact["start"][0])[:60])
def test_start(place: Place, fact: dict[str, Any]) -> None:
    argv, stdin, files = fact["start"]
    for name, text in files.items():
        place.write(name, text)
    config, refusal = start(place, argv, stdin)
    assert refusal == fact.get("refused")
    if refusal is None:
        defaults = facts("defaults")
        reply = place.get(config, "*")
        values = dict(zip(reply[::2], reply[1::2], strict=True))
        assert {name: value for name, value in values.items() if defaults[name] != value} == fact["values"]
    else:
        assert fact["status"] == 1


@pytest.mark.parametrize("fact", facts("rewrite"))
def test_rewrite(place: Place, fact: dict[str, Any]) -> None:
    text, sets, force = fact["case"]
    place.write("i.conf", "")
    config = place.config()
    Loader(config).load(place.write("c.conf", text))
    assert all(place.set(config, [pair]) == "+OK" for pair in sets)
    users = map(place.to_bytes, fact["users"])
    ours = place.to_text(rewritten(config, place.to_bytes(text), users, force_all=force))
    kept, _, generated = ours.partition(SIGNATURE.decode() + "\n")
    assert kept == fact["kept"]
    lines = [line for line in generated.split("\n") if line.partition(" ")[0] not in OURS]
    assert sorted(lines) == fact["generated"]
