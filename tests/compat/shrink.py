"""Makes a failing script short: fewer steps, fewer words, plainer settings."""

from __future__ import annotations

from dataclasses import replace

from .runner import Mismatch, Runner
from .scripts import DEFAULTS, Script, Step


def shrink(runner: Runner, mismatch: Mismatch, budget: int = 150) -> Mismatch:
    """A shorter script with a mismatch of the same group."""
    best = mismatch
    if best.step is not None:
        best = _try(runner, best, best.script.steps[: best.step + 1]) or best
    size = max(1, len(best.script.steps) // 2)
    while budget > 0:
        at, progress = 0, False
        while at < len(best.script.steps) and budget > 0:
            steps = best.script.steps[:at] + best.script.steps[at + size :]
            budget -= 1
            if shorter := _try(runner, best, steps):
                best, progress = shorter, True
            else:
                at += size
        if size == 1 and not progress:
            break
        size = max(1, size // 2)
    return _shrink_words(runner, best, budget)


def _shrink_words(runner: Runner, best: Mismatch, budget: int) -> Mismatch:
    """Drop words, then settings, while the mismatch stays."""
    for number in range(len(best.script.steps) - 1, -1, -1):
        at = len(best.script.steps[number].argv) - 1
        while at > 0 and budget > 0:
            step = best.script.steps[number]
            shorter_step = replace(step, argv=step.argv[:at] + step.argv[at + 1 :])
            budget -= 1
            steps = (*best.script.steps[:number], shorter_step, *best.script.steps[number + 1 :])
            best = _try(runner, best, steps) or best
            at -= 1
    if best.script.resp == 3:
        best = _retry(runner, best, replace(best.script, resp=2)) or best
    if best.script.settings != tuple(DEFAULTS.items()):
        best = _retry(runner, best, replace(best.script, settings=tuple(DEFAULTS.items()))) or best
    return best


def _try(runner: Runner, known: Mismatch, steps: tuple[Step, ...]) -> Mismatch | None:
    if not steps:
        return None
    return _retry(runner, known, replace(known.script, steps=steps))


def _retry(runner: Runner, known: Mismatch, script: Script) -> Mismatch | None:
    found = runner.compare(script)
    return found if found is not None and found.group == known.group else None
