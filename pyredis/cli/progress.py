"""What a long piece of work shows of itself to somebody at a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from ..util.progress import bar

_BETWEEN = 0.1
_CLEAR = "\r\x1b[K"


class Bar:
    """A line ``what [####----] 50%`` that is drawn anew as work goes on; nothing if *stream* is no terminal.

    Used as a context manager: the line is gone at the end.
    """

    def __init__(self, what: str, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._shown = not quiet and self._stream.isatty()
        self._next = 0.0

    def __call__(self, done: float, total: float) -> None:
        """*done* of *total* is done."""
        now = time.monotonic()
        if self._shown and (now >= self._next or done >= total):
            self._next = now + _BETWEEN
            self._stream.write(f"\r{self._what} {bar(int(done * 1000), int(total * 1000))}")
            self._stream.flush()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._shown and self._next:
            self._stream.write(_CLEAR)
            self._stream.flush()
