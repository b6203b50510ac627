"""Damaged files and payloads: a refusal each time, never anything else."""

from __future__ import annotations

import random

from pyredis.persistence.rdb import dump
from pyredis.persistence.rdb.codes import RdbError
from pyredis.persistence.rdb.options import LoadOptions, SaveOptions

from .samples import LIMITS, RDB_FILE, every_value, load, picture, save


def _damage(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    choice = rng.random()
    if choice < 0.2:
        return bytes(damaged[: rng.randrange(len(damaged))])
    if choice < 0.3:
        at = rng.randrange(len(damaged))
        del damaged[at : at + rng.randrange(1, 50)]
        return bytes(damaged)
    for _ in range(rng.choice((1, 1, 3, 10))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def test_damaged_files_are_refused() -> None:
    rng = random.Random(2024)
    files = [RDB_FILE.read_bytes(), save(every_value()), save(every_value(), version=9)]
    for _ in range(600):
        data = rng.choice(files)
        damaged = _damage(data, rng)
        try:
            reader = load(damaged, deep=rng.random() < 0.5, chunk=rng.choice((997, 1 << 20)))
        except RdbError as error:
            assert error.reason  # noqa: PT017
        else:
            assert damaged[-8:] == bytes(8) or damaged == data or reader.version < 5


def test_damaged_files_without_checksum_yield_sound_values_or_a_refusal() -> None:
    rng = random.Random(2025)
    files = [save(every_value(), version=version) for version in (9, 10, 11)]
    refused = 0
    for _ in range(200):
        try:
            reader = load(_damage(rng.choice(files), rng), checksum=False)
        except RdbError:
            refused += 1
            continue
        for data, _ in reader.sink.databases.values():
            for value in data.values():
                len(value)
    assert refused > 50


def test_damaged_payloads_yield_sound_values_or_a_refusal() -> None:
    rng = random.Random(2026)
    values = every_value().values()
    payloads = [dump.dump(value, SaveOptions(version=version)) for value in values for version in (9, 10, 11)]
    payloads = [payload for payload in payloads if len(payload) < 4000]
    refused = 0
    for _ in range(4000):
        damaged = bytearray(_damage(rng.choice(payloads), rng)) or bytearray(1)
        if rng.random() < 0.1:
            damaged[0] = rng.randrange(25)
        try:
            value = dump.restore(bytes(damaged), LoadOptions(LIMITS, deep=rng.random() < 0.5))
        except RdbError:
            refused += 1
        else:
            if value.__class__.__name__ != "Stream":
                picture(value)
    assert refused > 1000
