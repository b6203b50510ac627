"""``pyredis follow`` and ``promote`` against processes; what they show, and their exit statuses."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyredis.cli import main
from pyredis.cli.replication import Report
from pyredis.cli.watch import Progress, State

from ..certificates import MISSING, OPENSSL, Authority
from .servers import Node


@pytest.fixture(scope="module")
def leader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("cli") / "leader", "--repl-diskless-sync-delay", "0", password="p@ss:word")
    node.client.call("SET", "key", "value")
    yield node
    node.close()


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("cli") / "follower", password="secret")
    yield node
    node.close()


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "secret")


def where(node: Node) -> list[str]:
    """--server without its password, which the environment has."""
    return ["--server", f"redis://127.0.0.1:{node.url.port}"]


def test_follow_until_in_sync_then_drain_and_promote(
    leader: Node, follower: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["follow", leader.url.reveal(), "--wait", "--timeout", "20", *where(follower)]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == f"redis://default:***@{follower.url.endpoint}/0 follows redis://default:***@{leader.url.endpoint}/0"
    assert last.startswith("in sync at offset ")
    assert follower.client.call("GET", "key") == b"value"
    assert follower.client.call("CONFIG", "GET", "masterauth") == [b"masterauth", b"p@ss:word"]
    with pytest.raises(Exception, match="READONLY"):
        follower.client.call("SET", "key", "other")

    assert main(["follow", leader.url.reveal(), "--wait", "--json", *where(follower)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["following", "progress"]
    assert (events[-1]["state"], events[-1]["lag_bytes"]) == ("in_sync", 0)

    leader.client.call("SET", "last", "write")
    assert main(["promote", "--drain", "10", *where(follower)]) == 0
    assert "is a leader now, at offset" in capsys.readouterr().out
    assert follower.client.call("GET", "last") == b"write"
    assert follower.client.call("ROLE")[0] == b"master"
    assert leader.client.info("clients").get("blocked_clients") == "0"
    assert leader.client.call("CLIENT", "UNPAUSE") == b"OK"

    assert main(["promote", "--json", *where(follower)]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("redis://:wrong@{leader}", 4, "the leader {leader} refuses: WRONGPASS invalid username-password pair"),
        ("redis://{leader}", 4, "the leader {leader} refuses: NOAUTH Authentication required."),
        ("redis://:secret@{follower}", 4, "{follower} is the server itself"),
        ("redis://{closed}", 4, "cannot connect to {closed}: Connection refused (--no-check if only the server"),
        ("http://{leader}", 2, "a server's URL begins with redis://, rediss:// or unix://"),
        ("unix:///tmp/socket", 2, "a leader is followed over TCP, not over a unix socket"),
    ],
)
def test_a_leader_that_cannot_be_followed_costs_no_data(
    url: str, status: int, said: str, leader: Node, follower: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        names = {
            "leader": leader.url.endpoint,
            "follower": follower.url.endpoint,
            "closed": f"127.0.0.1:{closed.getsockname()[1]}",
        }
        assert main(["follow", url.format(**names), *where(follower)]) == status
    shown = capsys.readouterr()
    assert shown.err.startswith(f"pyredis: {said.format(**names)}")
    assert "wrong" not in shown.err + shown.out
    assert follower.client.call("ROLE")[0] == b"master"


def test_a_server_that_is_not_there(leader: Node, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert main(["follow", leader.url.reveal(), "--json", "--server", f"redis://{address}"]) == 3
        assert main(["promote", "--server", f"redis://{address}"]) == 3
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"] == f"cannot connect to {address}: Connection refused"
    assert shown.err.count(f"pyredis: cannot connect to {address}: Connection refused\n") == 2


def test_a_wait_that_takes_too_long(follower: Node, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        words = [f"redis://127.0.0.1:{deaf.getsockname()[1]}", "--no-check", "--wait", "--timeout", "0.3"]
        assert main(["follow", *words, *where(follower)]) == 5
        assert main(["promote", *where(follower)]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "pyredis: not in sync after 0.3 s (connecting); the server goes on trying",
        "pyredis: warning: the link to the leader is down: what it wrote since then is not here",
    ]


@pytest.mark.skipif(OPENSSL is None, reason=MISSING)
def test_a_leader_over_tls(tmp_path: Path, follower: Node, capsys: pytest.CaptureFixture[str]) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("localhost")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    files = ["--tls-cert-file", pair.cert, "--tls-key-file", pair.key, "--tls-ca-cert-file", authority.cert]
    leader = Node(tmp_path / "tls", "--tls-port", str(port), "--tls-auth-clients", "no", *files, password="pw")
    try:
        leader.client.call("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        words = ["follow", f"rediss://:pw@localhost:{port}", "--wait", "--timeout", "20", *where(follower)]
        assert main(words) == 4
        assert "certificate verify failed" in capsys.readouterr().err
        assert main([*words, "--cacert", authority.cert]) == 1
        assert "tls-cert-file" in capsys.readouterr().err
        own = ["tls-ca-cert-file", authority.cert, "tls-cert-file", pair.cert, "tls-key-file", pair.key]
        follower.client.call("CONFIG", "SET", *own)
        assert main([*words, "--cacert", authority.cert]) == 0, capsys.readouterr().err
        assert follower.client.call("CONFIG", "GET", "tls-replication") == [b"tls-replication", b"yes"]
        assert follower.client.info("replication")["master_port"] == str(port)
        assert main(["promote", "--drain", "5", *where(follower), "--cacert", authority.cert]) == 0
    finally:
        leader.close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_progress_is_one_line() -> None:
    out, err = Terminal(), io.StringIO()
    report = Report(out, err)
    report.progress(Progress(State.CONNECTING), 0.0)
    report.progress(Progress(State.RECEIVING, 512, 1024), 0.2)
    report.progress(Progress(State.IN_SYNC, offset=9, lag=0), 0.4)
    half = f"receiving [{'#' * 20}{'-' * 20}] 50%  512B of 1.00K"
    assert out.getvalue() == f"\rconnecting\x1b[K\r{half}\x1b[K\rin sync at offset 9, 0B behind\x1b[K\n"

    report.progress(Progress(State.CONNECTING), 0.6)
    report.failed("broken")
    assert out.getvalue().endswith("\rconnecting\x1b[K\n")
    assert err.getvalue() == "pyredis: broken\n"


def test_away_from_a_terminal_a_line_is_printed_now_and_then() -> None:
    out = io.StringIO()
    report = Report(out, io.StringIO())
    for tenth in range(100):
        report.progress(Progress(State.RECEIVING, tenth), tenth / 10)
    report.progress(Progress(State.IN_SYNC, offset=9), 10.0)
    assert out.getvalue().splitlines() == [
        "waiting for the leader's snapshot", "receiving 50B", "in sync at offset 9"
    ]  # fmt: skip
