from __future__ import annotations

from pathlib import Path

import pytest

from pyredis.cli.program import main
from tests.cli.servers import Node

CASES = [
    ("", [], "redis://127.0.0.1:6379/0"),
    ("requirepass secret", [], "redis://default:secret@127.0.0.1:6379/0"),
    ('requirepass "p@ss w/rd%"', [], "redis://default:p%40ss%20w%2Frd%25@127.0.0.1:6379/0"),
    ("user default on >pw ~* +@all", [], "redis://default:pw@127.0.0.1:6379/0"),
    ("port 7000\nbind 10.1.2.3 -::1", ["--db", "3"], "redis://10.1.2.3:7000/3"),
    ("bind -::1", [], "redis://[::1]:6379/0"),
    ("bind * -::*\nrequirepass x", ["--host", "db.example"], "redis://default:x@db.example:6379/0"),
    ("port 0\ntls-port 6380\nrequirepass x", [], "rediss://default:x@127.0.0.1:6380/0"),
    ("tls-port 6380", [], "redis://127.0.0.1:6379/0"),
    ("tls-port 6380", ["--tls"], "rediss://127.0.0.1:6380/0"),
    ("port 0\nunixsocket /run/r.sock\nrequirepass x", [], "unix://default:x@/run/r.sock?db=0"),
    ("operator-password op", ["--user", "operator"], "redis://operator:op@127.0.0.1:6379/0"),
    (
        "replication-password rp\nreplication-user mirror",
        ["--user", "replication"],
        "redis://mirror:rp@127.0.0.1:6379/0",
    ),
]


@pytest.mark.parametrize(("text", "words", "url"), CASES)
def test_of_a_configuration(
    text: str, words: list[str], url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(text + "\n")
    assert main(["url", str(file), *words]) == 0
    assert capsys.readouterr().out == url + "\n"


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("port 0", [], "the server listens nowhere"),
        ("port 1", ["--user", "operator"], "operator-password is not set"),
        ("nosuch 1", [], "Bad directive or wrong number of arguments"),
    ],
)
def test_no_url(text: str, words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(text + "\n")
    assert main(["url", str(file), *words]) == 1
    assert reason in capsys.readouterr().err
    assert main(["url", str(tmp_path / "absent")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_of_a_running_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node = Node(tmp_path / "node", password="pa ss")
    try:
        for spelling in (
            "redis://pa%20ss@127.0.0.1:{}",
            "redis://:pa%20ss@127.0.0.1:{}",
            "redis://default:pa ss@:{}/0",
        ):
            assert main(["url", "--server", spelling.format(node.url.port)]) == 0
            assert capsys.readouterr().out == f"redis://default:pa%20ss@127.0.0.1:{node.url.port}/0\n"
        assert main(["url", "--server", f"redis://wrong@127.0.0.1:{node.url.port}"]) == 1
        assert "WRONGPASS" in capsys.readouterr().err
    finally:
        node.close()
