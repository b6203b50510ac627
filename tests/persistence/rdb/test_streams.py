from __future__ import annotations

import random

import pytest

from pyredis.persistence.rdb.codes import RdbError
from pyredis.persistence.rdb.streams import Node, decode_node, encode_node

BASE = 1000 << 64 | 5


def node() -> Node:
    ids = [BASE, BASE + 1, 1001 << 64, (2**64 - 1) << 64 | (2**64 - 1)]
    return Node([b"f", b"g"], ids, [[b"1", b"two"], (b"x", b"y"), [b"", b"-9"], ()], 0b0110)


def test_bytes() -> None:
    small = Node([b"n"], [BASE, BASE + (1 << 64)], [[b"1"], (b"a", b"b")], 0b10)
    assert encode_node(BASE, small).hex() == (
        "2c000000" "1100"
        "0101" "0101" "0101" "816e02" "0001"  # one entry, one deleted, one field, terminator
        "0201" "0001" "0001" "0101" "0401"  # same fields, no distance, value, four elements
        "0101" "0101" "0001" "0101" "816102" "816202" "0601" "ff"  # deleted, 1-0 later, own fields
    )  # fmt: skip


def test_round_trip() -> None:
    assert decode_node(BASE, encode_node(BASE, node())) == node()


def test_ids_must_ascend() -> None:
    wrong = Node([b"f"], [BASE + 1, BASE], [[b"1"], [b"2"]], 0)
    with pytest.raises(RdbError):
        decode_node(BASE, encode_node(BASE, wrong))


def test_empty() -> None:
    with pytest.raises(RdbError) as caught:
        decode_node(BASE, bytes.fromhex("070000000000ff"))
    assert caught.value.reason == "Empty listpack inside stream"


def test_damage() -> None:
    rng = random.Random(11)
    pack = encode_node(BASE, node())
    reasons = set()
    for _ in range(2000):
        damaged = bytearray(pack)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        try:
            decode_node(BASE, bytes(damaged))
        except RdbError as error:
            reasons.add(error.reason)
    assert reasons == {"Stream listpack integrity check failed."}
