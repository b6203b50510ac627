from __future__ import annotations

import pytest

from pyredis.config.arguments import Action, Arguments, absolute_path, parse_arguments


def parse(*words: str, program: str = "redis-server") -> Arguments:
    return parse_arguments([program.encode(), *(word.encode() for word in words)], "/here/there")


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("-v", Action.VERSION),
        ("--version", Action.VERSION),
        ("-h", Action.HELP),
        ("--help", Action.HELP),
        ("--test-memory", Action.TEST_MEMORY),
        ("--check-system", Action.CHECK_SYSTEM),
    ],
)
def test_actions(word: str, action: Action) -> None:
    assert parse(word, "1", "--sentinel") == Arguments(action, rest=[b"1", b"--sentinel"])
    assert parse("--hz", "5", word).action is Action.RUN


def test_nothing() -> None:
    assert parse() == Arguments(Action.RUN)


def test_sentinel() -> None:
    assert parse("s.conf", "--sentinel").action is Action.SENTINEL
    assert parse("s.conf", program="/usr/bin/redis-sentinel").action is Action.SENTINEL
    assert parse("s.conf", program="/redis-sentinel/redis-server").action is Action.RUN


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--port", "7777"], 'port "7777" '),
        (["--port 7777", "--hz", "5"], 'port 7777 \nhz "5" '),
        (["--save", "--hz", "5"], 'save ""\nhz "5" '),
        (["--hz", "5", "--save"], 'hz "5" \nsave ""'),
        (["--masteruser", "--hz", "--hz", "5"], 'masteruser "--hz" \nhz "5" '),
        (["c.conf", "hz", "5", "--port", "1"], '"hz" "5" \nport "1" '),
        (['--masterauth "a', "b"], 'masterauth "a "b" '),
    ],
)
def test_options(words: list[str], options: str) -> None:
    assert parse(*words).options == options.encode()


def test_the_file_is_named_from_the_root() -> None:
    assert parse("c.conf", "--hz", "5").config_file == "/here/there/c.conf"


@pytest.mark.parametrize(
    ("words", "from_stdin", "options"),
    [
        (["-"], True, ""),
        (["-", "--hz", "5"], True, 'hz "5" '),
        (["--hz", "5", "-"], True, 'hz "5" '),
        (["c.conf", "-"], True, ""),
        (["c.conf", "-", "--hz", "5"], False, '"-" \nhz "5" '),
        (["--hz", "-", "5"], False, 'hz "-" "5" '),
    ],
)
def test_standard_input(words: list[str], from_stdin: bool, options: str) -> None:
    arguments = parse(*words)
    assert (arguments.from_stdin, arguments.options) == (from_stdin, options.encode())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.conf", "/w/d/a.conf"),
        (" /a.conf\n", "/a.conf"),
        ("../a.conf", "/w/a.conf"),
        ("../../../a.conf", "/a.conf"),
        ("x/../a.conf", "/w/d/x/../a.conf"),
        ("", "/w/d/"),
    ],
)
def test_absolute_path(name: str, path: str) -> None:
    assert absolute_path(name, "/w/d") == path
