from __future__ import annotations

import pytest

from pyredis.persistence.rdb import dump
from pyredis.persistence.rdb.codes import RdbError
from pyredis.persistence.rdb.options import LoadOptions, SaveOptions
from pyredis.util.crc import crc64

from .samples import LIMITS, every_value, make_hash, make_list, make_set, make_zset, picture

# What DUMP of Redis 7.2.4 answers for small values.
PAYLOADS = [
    (b"1", "00c001"),
    (b"hello", "000568656c6c6f"),
    (make_list(b"a", b"1"), "120102" + "0c0c000000020081610201" + "01ff"),
    (make_set(b"1", b"2"), "0b0c" + "0200000002000000" + "01000200"),
    (make_set(b"a"), "140a" + "0a0000000100816102ff"),
    (make_hash(b"f", b"v"), "100d" + "0d0000000200816602817602ff"),
    (make_zset(m=1.5), "110f" + "0f0000000200816d0283312e3504ff"),
]


@pytest.mark.parametrize(("value", "body"), PAYLOADS)
def test_payloads_are_redis_s(value: object, body: str) -> None:
    data = bytes.fromhex(body) + b"\x0b\x00"
    payload = data + crc64(data).to_bytes(8, "little")
    assert dump.dump(value, SaveOptions()) == payload
    assert dump.verify(payload)
    assert picture(dump.restore(payload, LoadOptions(LIMITS))) == picture(value)


@pytest.mark.parametrize("name", every_value())
@pytest.mark.parametrize("deep", [True, False])
def test_round_trip(name: bytes, deep: bool) -> None:
    value = every_value()[name]
    payload = dump.dump(value, SaveOptions())
    assert dump.verify(payload)
    restored = picture(dump.restore(payload, LoadOptions(LIMITS, deep=deep)))
    assert restored[::2] == picture(value)[::2]


def test_verify() -> None:
    payload = dump.dump(b"value", SaveOptions())
    assert dump.verify(dump.dump(b"value", SaveOptions(version=9)))
    assert not dump.verify(b"")
    assert not dump.verify(payload[:9])
    assert not dump.verify(payload[:-1] + bytes((payload[-1] ^ 1,)))
    assert dump.verify(payload[:-1] + b"?", checksum=False)
    newer = payload[:-10] + b"\x0c\x00"
    newer += crc64(newer).to_bytes(8, "little")
    assert not dump.verify(newer)
    assert not dump.verify(newer, checksum=False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("63", "Unknown RDB encoding type 99"),
        ("0400", "empty key"),
        ("04", "Unexpected end of the payload"),
        ("000a6162", "Unexpected end of the payload"),
    ],
)
def test_bad_data_format(body: str, reason: str) -> None:
    with pytest.raises(RdbError) as caught:
        dump.restore(bytes.fromhex(body), LoadOptions(LIMITS))
    assert caught.value.reason == reason
