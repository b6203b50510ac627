"""Hand-written edge cases, the same on a real server and on ours; see transcript.py for the format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from .runner import Runner
from .scripts import Script
from .shrink import shrink
from .strategies import ABSENT
from .transcript import read

SCRIPTS = {
    f"{path.stem}: {name}": script
    for path in sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
    for name, script in read(path).items()
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_transcript_agrees(runner: Runner, name: str) -> None:
    agrees(runner, SCRIPTS[name])


@pytest.mark.parametrize("name", [name for name, script in SCRIPTS.items() if script.resp == 2 and not script.stepwise])
def test_transcript_agrees_in_resp3(runner: Runner, name: str) -> None:
    agrees(runner, replace(SCRIPTS[name], resp=3))


def agrees(runner: Runner, script: Script) -> None:
    script = script.without(ABSENT)
    if mismatch := runner.confirm(script):
        pytest.fail(str(shrink(runner, mismatch)), pytrace=False)
