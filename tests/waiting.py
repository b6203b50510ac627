"""Waiting for what happens in another process or thread; everything inside one process takes the injected clock."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE = 0.01


def until(condition: Callable[[], object], seconds: float = 15.0, *, pause: float = PAUSE) -> bool:
    """Whether *condition* comes true in time: asked again and again, so a fast machine does not wait."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
