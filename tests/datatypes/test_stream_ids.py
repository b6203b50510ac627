"""Stream IDs as texts: what Redis 7.2.4 makes of each."""

from __future__ import annotations

import pytest

from pyredis.datatypes.streams import ids
from pyredis.errors import InvalidEndId, InvalidStartId, InvalidStreamId

TOP = 18446744073709551615


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        (b"0-0", 0, 0),
        (b"5", 5, 0),
        (b"5-7", 5, 7),
        (b"1526919030474-55", 1526919030474, 55),
        (b"%d-%d" % (TOP, TOP), TOP, TOP),
        (b"0005-01", 5, 1),
        (b" 5-+7", 5, 7),
        (b"5-7\x00-9", 5, 7),
        (b"5--0", 5, 0),
        (b"5--9223372036854775809", 5, 9223372036854775807),
    ],
)
def test_parse_and_format(text: bytes, first: int, second: int) -> None:
    entry_id = ids.parse_strict_id(text)
    assert entry_id == ids.make_id(first, second)
    assert ids.parse_id(text) == ids.parse_new_id(text)[0] == entry_id
    assert ids.format_id(entry_id) == b"%d-%d" % (first, second)


@pytest.mark.parametrize(
    "text",
    [b"", b"-", b"+", b"a", b"5-", b"-5", b"5-a", b"5--3", b"5-7 ", b"5-1-1", b"*", b"%d" % (TOP + 1), b"1" * 128],
)
def test_what_is_no_id(text: bytes) -> None:
    with pytest.raises(InvalidStreamId):
        ids.parse_strict_id(text)
    with pytest.raises(InvalidStreamId):
        ids.parse_new_id(text)


def test_missing_sequence() -> None:
    assert ids.parse_strict_id(b"5", ids.MAX_SEQUENCE) == ids.make_id(5, TOP)
    assert ids.parse_strict_id(b" 5", ids.MAX_SEQUENCE) == ids.make_id(5, TOP)
    assert ids.parse_strict_id(b"5-1", ids.MAX_SEQUENCE) == ids.make_id(5, 1)


def test_least_and_greatest() -> None:
    assert ids.parse_id(b"-") == ids.MIN_ID == 0
    assert ids.parse_id(b"+") == ids.MAX_ID == ids.make_id(TOP, TOP)


def test_new_ids_may_leave_the_sequence_open() -> None:
    assert ids.parse_new_id(b"5-*") == (ids.make_id(5, 0), False)
    assert ids.parse_new_id(b"5") == (ids.make_id(5, 0), True)
    for text in (b"-*", b"5-1-*", b"5-**"):
        with pytest.raises(InvalidStreamId):
            ids.parse_new_id(text)


def test_intervals() -> None:
    assert ids.parse_start(b"-") == 0
    assert ids.parse_start(b"5") == ids.make_id(5, 0)
    assert ids.parse_start(b"(5") == ids.make_id(5, 1)
    assert ids.parse_end(b"5") == ids.make_id(5, TOP)
    assert ids.parse_end(b"(5") == ids.make_id(5, TOP - 1)
    assert ids.parse_end(b"(5-0") == ids.make_id(4, TOP)
    for text in (b"(", b"(-", b"(+", b"((5"):
        for parse in (ids.parse_start, ids.parse_end):
            with pytest.raises(InvalidStreamId):
                parse(text)
    with pytest.raises(InvalidStartId):
        ids.parse_start(b"(%d-%d" % (TOP, TOP))
    with pytest.raises(InvalidEndId):
        ids.parse_end(b"(0-0")
