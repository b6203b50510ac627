from __future__ import annotations

from pathlib import Path

import pytest

from pyredis.config.config import Config
from pyredis.config.file import ConfigFileError, ConfigFileUnreadable, Loader
from pyredis.errors import ConfigRefused


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = Config()
    config.dir = str(tmp_path)
    return config


def report(number: int, line: str, reason: str) -> bytes:
    return (
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n"
        f"Reading the configuration file, at line {number}\n>>> '{line}'\n{reason}\n"
    ).encode()


def test_the_file_is_remembered(config: Config, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.conf").write_text("dir sub\ntimeout 4")
    Loader(config).load("a.conf")
    assert config.file == str(tmp_path / "a.conf")
    assert config.timeout == 4


def test_other_lines_gather(config: Config) -> None:
    Loader(config).load(options=b'user al on >p\nUSER bob\nrename-command GET ""\nRename-Command a b')
    assert config.user_lines == [[b"al", b"on", b">p"], [b"bob"]]
    assert config.renamed_commands == [(b"GET", b""), (b"a", b"b")]
    assert config.refusal() is None


def test_other_lines_are_judged(config: Config) -> None:
    def rename(old: bytes, new: bytes) -> None:
        raise ConfigRefused("No such command in rename-command")

    def declare(words: list[bytes]) -> None:
        raise ConfigRefused(f"Error in user declaration {words}")

    loader = Loader(config, rename_command=rename, declare_user=declare)
    with pytest.raises(ConfigFileError) as caught:
        loader.load(options=b"hz 5\nrename-command x y")
    assert caught.value.report == report(3, "rename-command x y", "No such command in rename-command")
    with pytest.raises(ConfigFileError) as caught:
        loader.load(options=b"user al on")
    assert caught.value.report == report(2, "user al on", "Error in user declaration [b'al', b'on']")


def test_modules_are_refused_later(config: Config) -> None:
    Loader(config).load(options=b"loadmodule /x.so a b")
    assert config.modules == [[b"/x.so", b"a", b"b"]]
    assert config.refusal() == "Can't load module from /x.so: server aborting"


def test_settings_of_modules_are_refused_later(config: Config) -> None:
    Loader(config).load(options=b"a.B c d")
    assert config.module_settings == [(b"a.b", b"c d")]
    assert config.refusal() == (
        "Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting"
    )


def test_a_file_that_includes_itself(config: Config, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("include a.conf")
    with pytest.raises(ConfigFileError) as caught:
        Loader(config).load("a.conf")
    assert caught.value.report == report(1, "include a.conf", "Too many levels of included files")


def test_an_unreadable_file(config: Config) -> None:
    with pytest.raises(ConfigFileUnreadable) as caught:
        Loader(config).load("none/a.conf")
    assert str(caught.value) == "Fatal error, can't open config file 'none/a.conf': No such file or directory"


def test_a_cluster_has_one_database(config: Config) -> None:
    warnings: list[str] = []
    config.warn = warnings.append
    Loader(config).load(options=b"cluster-enabled yes")
    assert config.databases == 1
    assert warnings == ["WARNING: Changing databases number from 16 to 1 since we are in cluster mode"]


def test_undecodable_bytes_are_reported_as_they_are(config: Config) -> None:
    with pytest.raises(ConfigFileError) as caught:
        Loader(config).load(options=b"hz \xff")
    assert b">>> 'hz \xff'\nargument couldn't be parsed into an integer\n" in caught.value.report


def test_text_ends_at_nul_within_a_line(config: Config, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_bytes(b"hz 5\0junk\n0\ntimeout 3\n")
    Loader(config).load("a.conf")
    assert (config.hz, config.timeout) == (50, 3)


def test_no_hook_runs(config: Config) -> None:
    seen: list[int] = []
    config.on_change("hz", lambda: seen.append(config.hz))
    Loader(config).load(options=b"hz 5")
    assert (config.hz, seen) == (5, [])
