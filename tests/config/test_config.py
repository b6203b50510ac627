from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.config.config import Config
from pyredis.config.special import OutputLimit, SavePoint
from pyredis.errors import CommandError, ConfigRefused, ConfigSetFailed, Loading


@pytest.fixture
def config() -> Config:
    return Config()


def failure(call: Callable[[], object]) -> str:
    with pytest.raises(CommandError) as caught:
        call()
    return caught.value.text


def test_values_have_python_types(config: Config) -> None:
    config.set(
        [
            (b"maxmemory", b"1gb"),
            (b"appendfsync", b"ALWAYS"),
            (b"save", b"900 1 60 2"),
            (b"bind", b"127.0.0.1 -::1"),
            (b"shutdown-on-sigint", b"now save"),
            (b"masterauth", b"\xff\x00"),
            (b"client-output-buffer-limit", b"replica 1kb 2 3"),
            (b"latency-tracking-info-percentiles", b"50 99.9"),
        ]
    )
    assert config.maxmemory == 1 << 30
    assert config.appendfsync == "always"
    assert config.save == (SavePoint(900, 1), SavePoint(60, 2))
    assert config.bind == ("127.0.0.1", "-::1")
    assert config.shutdown_on_sigint == {"save", "now"}
    assert config.masterauth == b"\xff\x00"
    assert config.client_output_buffer_limit.replica == OutputLimit(1024, 2, 3)
    assert config.client_output_buffer_limit.normal == OutputLimit(0, 0, 0)
    assert config.latency_tracking_info_percentiles == (50.0, 99.9)


def test_text_keeps_undecodable_bytes(config: Config) -> None:
    config.set([(b"replica-announce-ip", b"caf\xc3\xa9\xff")])
    assert config.replica_announce_ip == "caf\u00e9\udcff"
    assert config.get([b"replica-announce-ip"]) == [(b"replica-announce-ip", b"caf\xc3\xa9\xff")]


# --- hooks ----------------------------------------------------------------------------------------


def test_a_hook_runs_on_a_change_only(config: Config) -> None:
    seen: list[int] = []
    config.on_change("timeout", lambda: seen.append(config.timeout))
    config.set([(b"timeout", b"5")])
    config.set([(b"timeout", b"5")])
    config.set([(b"timeout", b"6"), (b"hz", b"20")])
    assert seen == [5, 6]


@pytest.mark.parametrize("name", ["bind", "tls-cert-file", "save", "notify-keyspace-events"])
def test_some_hooks_run_without_a_change(config: Config, name: str) -> None:
    seen: list[str] = []
    config.on_change(name, lambda: seen.append(name))
    config.set(config.get([name.encode()]))
    assert seen == [name]


def test_a_hook_of_an_alias_is_that_of_the_parameter(config: Config) -> None:
    seen: list[int] = []
    config.on_change("slave-priority", lambda: seen.append(config.replica_priority))
    config.set([(b"replica-priority", b"7")])
    config.set([(b"slave-priority", b"8")])
    assert seen == [7, 8]


def test_a_shared_hook_runs_once(config: Config) -> None:
    seen: list[tuple[int, int]] = []

    def hook() -> None:
        seen.append((config.port, config.tls_port))

    config.on_change("port", hook)
    config.on_change("tls-port", hook)
    config.set([(b"tls-port", b"1"), (b"port", b"2")])
    assert seen == [(2, 1)]


def test_a_failing_hook_takes_everything_back(config: Config) -> None:
    applied: list[tuple[str, int]] = []
    warnings: list[str] = []
    config.warn = warnings.append

    def listen() -> None:
        applied.append(("port", config.port))
        if config.port == 1:
            raise ConfigRefused("Unable to listen on this port. Check server logs.")

    config.on_change("maxmemory", lambda: applied.append(("maxmemory", config.maxmemory)))
    config.on_change("port", listen)
    config.on_change("hz", lambda: applied.append(("hz", config.hz)))
    before = config.snapshot()
    text = failure(lambda: config.set([(b"maxmemory", b"10"), (b"Port", b"1"), (b"hz", b"50")]))
    assert text == (
        "ERR CONFIG SET failed (possibly related to argument 'port') - "
        "Unable to listen on this port. Check server logs."
    )
    assert config.snapshot() == before
    assert applied == [("maxmemory", 10), ("port", 1), ("maxmemory", 0), ("port", 6379), ("hz", 10)]
    assert warnings == [
        "Failed applying new configuration. Possibly related to new port setting. Restoring previous settings."
    ]


def test_a_hook_that_fails_again_is_reported(config: Config) -> None:
    warnings: list[str] = []
    config.warn = warnings.append

    def refuse() -> None:
        raise ConfigRefused("no")

    config.on_change("port", refuse)
    with pytest.raises(ConfigSetFailed):
        config.set([(b"port", b"1")])
    assert warnings[1:] == ["Failed applying restored failed CONFIG SET command: no"]


def test_nothing_is_applied_if_a_value_is_refused(config: Config) -> None:
    seen: list[int] = []
    config.on_change("timeout", lambda: seen.append(config.timeout))
    before = config.snapshot()
    with pytest.raises(ConfigSetFailed):
        config.set([(b"timeout", b"5"), (b"maxmemory", b"x")])
    assert (seen, config.snapshot()) == ([], before)


# --- protection -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "local", "allowed"),
    [("no", True, False), ("yes", False, True), ("local", True, True), ("local", False, False)],
)
def test_protected(config: Config, setting: str, local: bool, allowed: bool) -> None:
    config.load(b"enable-protected-configs", [setting.encode()])
    pair = (b"dbfilename", b"other.rdb")
    if allowed:
        config.set([pair], local=local)
        assert config.dbfilename == "other.rdb"
    else:
        assert failure(lambda: config.set([pair], local=local)) == (
            "ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config"
        )


def test_immutable(config: Config) -> None:
    assert failure(lambda: config.set([(b"DAEMONIZE", b"yes")])) == (
        "ERR CONFIG SET failed (possibly related to argument 'DAEMONIZE') - can't set immutable config"
    )


def test_while_loading(config: Config) -> None:
    with pytest.raises(Loading):
        config.set([(b"appendonly", b"yes")], loading=True)
    config.set([(b"timeout", b"5")], loading=True)
    assert not config.appendonly


def test_sensitive() -> None:
    names = [b"RequirePass", b"masterauth", b"masteruser", b"maxmemory", b"nosuch"]
    assert [Config.is_sensitive(name) for name in names] == [True, True, True, False, False]


# --- our own --------------------------------------------------------------------------------------


def test_our_directives_are_hidden(config: Config) -> None:
    assert config.get([b"*-version", b"event*"]) == []
    assert config.get([b"rdb-version", b"event-loop"]) == [(b"rdb-version", b"11"), (b"event-loop", b"auto")]


def test_python_cannot_defragment(config: Config) -> None:
    config.set([(b"activedefrag", b"no")])
    assert "Active defragmentation cannot be enabled" in failure(lambda: config.set([(b"activedefrag", b"yes")]))


def test_dir_does_not_move_the_process(config: Config, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    here = Path.cwd()
    config.load(b"dir", [str(tmp_path / "link").encode()])
    assert config.dir == str(tmp_path.resolve() / "real")
    assert config.path("dump.rdb") == f"{config.dir}/dump.rdb"
    assert config.path("/x") == "/x"
    assert Path.cwd() == here


def test_snapshot_and_restore(config: Config) -> None:
    seen: list[int] = []
    config.on_change("timeout", lambda: seen.append(config.timeout))
    before = config.snapshot()
    config.set([(b"timeout", b"5"), (b"maxmemory", b"7")])
    config.restore(before)
    config.restore(before)
    assert config.snapshot() == before
    assert seen == [5, 0]
