"""A little fuzzing with every run: recorded inputs, mutations of the seeds, and bytes from nowhere."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .recorded import CORPUS, load
from .seeds import seeds
from .targets import TARGETS

FAILURES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
EXAMPLES = {"protocol": 120, "rdb": 100, "lua": 100, "function": 60, "libraries": 60, "aof": 80}
SLOW_IS_FINE = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("path", FAILURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_failed_once(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_recorded(name: str) -> None:
    for data in load(name):
        TARGETS[name](data)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_seeds(name: str) -> None:
    for seed in seeds(name):
        TARGETS[name](seed)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_mutations(name: str) -> None:
    originals = st.sampled_from(seeds(name))

    @settings(SLOW_IS_FINE, max_examples=EXAMPLES.get(name, 200))
    @given(originals, originals, st.randoms(use_true_random=False))
    def check(one: bytes, other: bytes, rng: random.Random) -> None:
        TARGETS[name](mutated(one, other, rng))

    check()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_bytes_from_nowhere(name: str) -> None:
    @settings(SLOW_IS_FINE, max_examples=EXAMPLES.get(name, 200) // 2)
    @given(st.binary(max_size=200))
    def check(data: bytes) -> None:
        TARGETS[name](data)

    check()


LIKELY = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff\xff\xff",
    b"\x81" + b"\xff" * 8,
    b"-1",
    b"9223372036854775808",
    b"*",
)


def mutated(one: bytes, other: bytes, rng: random.Random) -> bytes:
    """*one* with a few bytes flipped, cut, doubled, replaced by likely troublemakers or by a part of *other*."""
    data = bytearray(one)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(data) + 1)
        end = at + rng.choice((1, 1, 2, 4, 16))
        match rng.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end]
            case 3:
                data[at:end] = rng.choice(LIKELY)
            case 4:
                start = rng.randrange(len(other) + 1)
                data[at:end] = other[start : start + rng.randrange(64)]
            case _:
                del data[at:]
    return bytes(data)
