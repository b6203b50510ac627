"""What configuration changes about the process: OOM score, title, system log, number of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyredis.engine.server import Server
from pyredis.errors import ConfigSetFailed
from pyredis.net import tuning
from pyredis.net.tuning import CHILD, Tuning


@pytest.fixture
def score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "oom_score_adj"
    path.write_text("100\n")
    monkeypatch.setattr(tuning, "OOM_SCORE_FILE", str(path))
    return path


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(tuning, "set_process_title", seen.append)
    return seen


def test_the_oom_score_follows_role_and_child(server: Server, score: Path, titles: list[str]) -> None:
    process = Tuning(server, "redis")
    process.install()
    assert score.read_text() == "100\n"
    server.config.set([(b"oom-score-adj-values", b"10 20 30"), (b"oom-score-adj", b"relative")])
    assert score.read_text() == "110\n"
    server.role = b"replica"
    assert score.read_text() == "120\n"
    process.adjust_oom_score(CHILD)
    assert score.read_text() == "130\n"
    server.config.set([(b"oom-score-adj", b"absolute")])
    assert score.read_text() == "20\n"
    server.config.set([(b"oom-score-adj", b"no")])
    assert score.read_text() == "100\n"


def test_a_score_that_cannot_be_set_is_refused(
    server: Server, titles: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "OOM_SCORE_FILE", str(tmp_path / "none" / "file"))
    Tuning(server, "redis").install()
    with pytest.raises(ConfigSetFailed, match="Failed to set current oom_score_adj"):
        server.config.set([(b"oom-score-adj", b"yes")])
    assert server.config.oom_score_adj == "no"


def test_the_title_is_that_of_the_template(server: Server, titles: list[str]) -> None:
    Tuning(server, "redis-server").install()
    server.config.set([(b"proc-title-template", b"{title} on {port}")])
    assert titles == ["redis-server *:6379", "redis-server on 6379"]


def test_maxclients_needs_files(server: Server, titles: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "raise_file_limit", lambda wanted, log: min(wanted, 5000))
    Tuning(server, "redis").install()
    server.config.set([(b"maxclients", b"5000")])
    with pytest.raises(ConfigSetFailed, match="try with 5000"):
        server.config.set([(b"maxclients", b"5001")])
    assert server.config.maxclients == 5000
