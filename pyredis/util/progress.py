"""A bar drawn with characters, for whoever sits in front of a long piece of work."""

from __future__ import annotations

BAR_WIDTH = 40


def bar(done: int, total: int, width: int = BAR_WIDTH) -> str:
    """``[####----] 50%``: how much of *total* is done; a total of 0 counts as all of it."""
    done = max(0, min(done, total))
    filled, percent = (done * width // total, done * 100 // total) if total else (width, 100)
    return f"[{'#' * filled}{'-' * (width - filled)}] {percent}%"
