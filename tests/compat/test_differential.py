"""Any script of a family gets the same replies from a real server and from ours, to the byte."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from .families import FIRST
from .runner import Runner
from .scripts import Script
from .shrink import shrink
from .strategies import scripts

EXAMPLES = 60


@pytest.mark.parametrize("family", FIRST)
def test_any_script_agrees(runner: Runner, family: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],  # shrink() works on the script itself
        suppress_health_check=list(HealthCheck),
    )
    @given(script=scripts(family))
    def agrees(script: Script) -> None:
        if mismatch := runner.confirm(script):
            pytest.fail(str(shrink(runner, mismatch)), pytrace=False)

    agrees()
