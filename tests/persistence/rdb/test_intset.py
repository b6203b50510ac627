from __future__ import annotations

import pytest

from pyredis.persistence.rdb import intset
from pyredis.persistence.rdb.codes import RdbError


@pytest.mark.parametrize(
    ("members", "encoded"),
    [
        ([-1, 2], "0200000002000000ffff0200"),
        ([1, 40000], "04000000020000000100000040 9c0000"),
        ([-(2**31) - 1], "0800000001000000ffffff7fffffffff"),
    ],
)
def test_width_follows_the_extremes(members: list[int], encoded: str) -> None:
    blob = bytes.fromhex(encoded.replace(" ", ""))
    assert intset.encode(members) == blob
    assert list(intset.decode(blob, "bad")) == members


@pytest.mark.parametrize(
    "blob",
    ["", "0200000000000000", "0300000001000000010000", "02000000020000000100", "020000000200000001000200ff"],
)
def test_damage(blob: str) -> None:
    with pytest.raises(RdbError):
        intset.decode(bytes.fromhex(blob), "bad")


def test_order_is_verified_only_when_deep() -> None:
    blob = bytes.fromhex("020000000200000002000200")
    assert intset.decode(blob, "bad", deep=False) == (2, 2)
    with pytest.raises(RdbError):
        intset.decode(blob, "bad")
