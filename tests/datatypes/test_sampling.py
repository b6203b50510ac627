"""Random choice and scans over a dict."""

from __future__ import annotations

import random
from collections import Counter

from pyredis.datatypes.sampling import Sampler


def names(count: int) -> list[bytes]:
    return [b"k%d" % n for n in range(count)]


def walk(sampler: Sampler, count: int = 10) -> list[bytes]:
    cursor, found = sampler.scan(0, count)
    while cursor:
        cursor, more = sampler.scan(cursor, count)
        found += more
    return found


def test_a_scan_meets_every_key_once() -> None:
    source = dict.fromkeys(names(1000))
    assert sorted(walk(Sampler(source), 7)) == sorted(source)


def test_a_key_deleted_and_added_again_is_found_once() -> None:
    source: dict[bytes, None] = dict.fromkeys(names(3))
    sampler = Sampler(source)
    for _ in range(50):
        del source[b"k1"]
        sampler.add(b"k1")
        source[b"k1"] = None
    assert sorted(walk(sampler)) == [b"k0", b"k1", b"k2"]


def test_choice_stays_uniform_when_keys_come_and_go() -> None:
    source: dict[bytes, None] = dict.fromkeys(names(4))
    sampler = Sampler(source)
    for _ in range(40):
        del source[b"k1"]
        sampler.add(b"k1")
        source[b"k1"] = None
    rng = random.Random(5)
    counts = Counter(sampler.choose(rng) for _ in range(4000))
    assert set(counts) == set(source)
    assert all(900 < count < 1100 for count in counts.values())


def test_choice_of_nothing() -> None:
    assert Sampler({}).choose(random.Random(1)) is None


def test_a_scan_keeps_its_guarantee_whatever_happens_meanwhile() -> None:
    """Keys that are there throughout are met, with other scans, takes and remakes in between."""
    for seed in range(60):
        rng = random.Random(seed)
        lasting = set(names(rng.randrange(1, 300)))
        source: dict[bytes, None] = dict.fromkeys(sorted(lasting, key=lambda _: rng.random()))
        sampler = Sampler(source)
        taken: set[bytes] = set()
        met: set[bytes] = set()
        cursor, fresh = 0, 0
        while True:
            cursor, found = sampler.scan(cursor, rng.randrange(1, 20))
            met.update(found)
            if not cursor:
                break
            for _ in range(rng.randrange(60)):
                action = rng.randrange(5)
                if action == 0 and source:
                    key = sampler.take(rng)
                    del source[key]
                    taken.add(key)
                elif action == 1:
                    sampler.scan(0, 3)
                elif action == 2:
                    sampler.choose(rng)
                else:
                    key = b"n%d" % (rng.randrange(40) if action == 3 else fresh)
                    fresh += 1
                    if source.pop(key, 0) == 0:
                        sampler.add(key)
                        source[key] = None
        assert lasting - taken <= met
        assert set(walk(sampler)) == set(source)
