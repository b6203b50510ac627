from __future__ import annotations

import pytest

from pyredis import __version__
from pyredis.cli import check_aof_main, check_rdb_main, main
from pyredis.cli.program import SUBCOMMANDS


def test_the_help_names_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    shown = capsys.readouterr().err
    assert [s.name for s in SUBCOMMANDS if s.name not in shown] == []
    assert len({s.name for s in SUBCOMMANDS}) == len(SUBCOMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"pyredis {__version__}\n"


def test_an_unknown_subcommand_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fly"])
    assert stop.value.code == 2
    assert "fly" in capsys.readouterr().err


@pytest.mark.parametrize("name", [s.name for s in SUBCOMMANDS])
def test_every_subcommand_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: pyredis {name}")


def test_the_checkers_read_their_words_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-rdb"]) == check_rdb_main(["pyredis-check-rdb"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Usage: pyredis check-rdb <rdb-file-name>",
        "Usage: pyredis-check-rdb <rdb-file-name>",
    ]
    assert main(["check-aof"]) == check_aof_main(["pyredis-check-aof"]) == 1
    assert capsys.readouterr().out.startswith("Usage: pyredis check-aof [--fix|")
