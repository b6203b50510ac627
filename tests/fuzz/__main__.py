"""A coverage-guided fuzzer to run by hand: ``python -m tests.fuzz TARGET [--seconds N] [--work DIR] [--record]``.

Needs atheris.  Each new kind of failure is printed once and kept as DIR/TARGET-failure-N; copied to
corpus/TARGET/ it is replayed with every run of the tests.  So are the inputs in corpus/TARGET.zip, which
``--record`` makes of what earlier runs left in DIR.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pyredis"]):
    from .recorded import CORPUS, load, record
    from .seeds import seeds
    from .targets import TARGETS, Target


class Watched:
    """A target whose failures are collected, one of each kind."""

    def __init__(self, name: str, target: Target, work: Path) -> None:
        self.kinds: set[tuple[str, ...]] = set()
        self.runs = 0
        self.slowest = 0.0
        self._name, self._target, self._work = name, target, work

    def __call__(self, data: bytes) -> None:
        self.runs += 1
        began = time.process_time()
        try:
            self._target(data)
        except Exception as error:
            self._note(error, data)
        took = time.process_time() - began
        if took > max(1.0, 1.5 * self.slowest):
            self.slowest = took
            self._keep(f"slow-{took:.1f}s", data)

    def _note(self, error: Exception, data: bytes) -> None:
        chain: list[BaseException] = [error]
        while chain[-1].__cause__ is not None:
            chain.append(chain[-1].__cause__)
        frames = traceback.extract_tb(chain[-1].__traceback__)
        kind = (type(chain[-1]).__name__, *(f"{frame.filename}:{frame.lineno}" for frame in frames[-2:]))
        if kind not in self.kinds:
            self.kinds.add(kind)
            path = self._keep(f"failure-{len(self.kinds)}", data)
            print(f"\n=== {path}: {error!r} {data[:300]!r}")
            traceback.print_exception(chain[-1])
            sys.stdout.flush()

    def _keep(self, suffix: str, data: bytes) -> Path:
        path = self._work / f"{self._name}-{suffix}"
        path.write_bytes(data)
        return path


def main() -> None:
    """Fuzz one target for a while."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-work")
    parser.add_argument("--record", action="store_true", help="only record what earlier runs have found")
    words = parser.parse_args()
    found = words.work / words.target
    found.mkdir(parents=True, exist_ok=True)
    if words.record:
        print(f"{record(words.target, found)} inputs recorded")
        return
    for number, seed in enumerate([*seeds(words.target), *load(words.target)]):
        (found / f"seed-{number}").write_bytes(seed)
    known = CORPUS / words.target
    known.mkdir(parents=True, exist_ok=True)
    watched = Watched(words.target, TARGETS[words.target], words.work)
    options = [
        f"-max_total_time={words.seconds}",
        "-timeout=1200",
        "-rss_limit_mb=2048",
        "-max_len=4096",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(found), str(known)], watched)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
