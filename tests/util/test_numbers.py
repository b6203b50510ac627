"""Numbers as Redis reads and writes them."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.errors import NotFinite, NotFloat, NotInteger
from pyredis.util.numbers import (
    INT64_MAX,
    INT64_MIN,
    add_long_doubles,
    format_17g,
    format_double,
    format_fixed,
    format_human,
    format_long_double,
    human_bytes,
    is_finite,
    long_double_add,
    long_double_from_int,
    parse_float,
    parse_int,
    parse_int_or_none,
    parse_long_double,
    parse_memory,
    parse_uint,
)

NOT_INTEGERS = [
    b"", b"-", b"--1", b"+1", b"-0", b"00", b"01", b"-01", b" 1", b"1 ", b"1\n", b"1_0", b"1.0", b"1e3", b"0x10",
    b"1\x00", b"\xb2", b"\xd9\xa1", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
    b"99999999999999999999", b"1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_INTEGERS)
def test_parse_int_takes_the_canonical_spelling_only(text):
    assert parse_int_or_none(text) is None
    assert parse_int_or_none(bytearray(text)) is None
    with pytest.raises(NotInteger):
        parse_int(text)


@given(st.integers(INT64_MIN, INT64_MAX) | st.integers(-2000, 2000))
def test_parse_int_reads_every_int64(n):
    text = b"%d" % n
    assert parse_int(text) == parse_int(bytearray(text)) == parse_int_or_none(text) == n


@given(st.text("0123456789+-_ .", max_size=6).map(str.encode))
def test_parse_int_agrees_with_its_definition(text):
    try:
        n = int(text)
    except ValueError:
        n = None
    expected = n if n is not None and b"%d" % n == text else None
    assert parse_int_or_none(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"0", 0),
        (b"18446744073709551615", 2**64 - 1),
        (b"9223372036854775808", 2**63),
        (b" 7", 7),
        (b"\t+007", 7),
        (b"-0", 0),
        (b"12\x00abc", 12),
        (b"-9223372036854775809", 2**64 - 2**63 - 1),
    ],
)
def test_parse_uint_is_as_loose_as_strtoull(text, value):
    assert parse_uint(text) == value


@pytest.mark.parametrize("text", [b"", b"-1", b"-5", b"1 ", b"x", b"18446744073709551616", b"\x001", b"+-1"])
def test_parse_uint_refuses(text):
    with pytest.raises(NotInteger):
        parse_uint(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1", 1.0),
        (b"+1.5e3", 1500.0),
        (b".5", 0.5),
        (b"5.", 5.0),
        (b"inf", math.inf),
        (b"-Infinity", -math.inf),
        (b"+INF", math.inf),
        (b"0x1p3", 8.0),
        (b"0X.8", 0.5),
        (b"-0x1p-1074", -5e-324),
        (b"0x0p-9999", 0.0),
        (b"0e-99999", 0.0),
        (b"3e-324", 5e-324),
        (b"1.7976931348623158e308", 1.7976931348623157e308),
        (bytearray(b"2.5"), 2.5),
    ],
)
def test_parse_float(text, value):
    assert parse_float(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"", b".", b" 1", b"1 ", b"1\n", b"1_0", b"nan", b"-NaN", b"nan(1)", b"1e", b"1d5", b"1e400", b"-1e400",
        b"1e-400", b"2e-324", b"0x", b"0x1p", b"0x1p1024", b"0x1p-1076", b"1\x00", b"infinit", b"1,5", b"\xff",
    ],
)  # fmt: skip
def test_parse_float_refuses(text):
    with pytest.raises(NotFloat):
        parse_float(text)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, b"0"),
        (-0.0, b"-0"),
        (3.0, b"3"),
        (-7.0, b"-7"),
        (0.1, b"0.1"),
        (1.5, b"1.5"),
        (123456.789, b"123456.789"),
        (0.001, b"0.001"),
        (1e-7, b"1e-7"),
        (-1.5e-7, b"-1.5e-7"),
        (1.234e-6, b"1.234e-6"),
        (1e17, b"100000000000000000"),
        (2.0**62, b"4611686018427387904"),
        (2.0**63, b"9223372036854776000"),
        (1e21, b"1e+21"),
        (1e22, b"1e+22"),
        (1.5e22, b"1.5e+22"),
        (1e100, b"1e+100"),
        (1.1e-105, b"1.1e-105"),
        (5e-324, b"5e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (-1.7976931348623157e308, b"-1.7976931348623157e+308"),
        (math.inf, b"inf"),
        (-math.inf, b"-inf"),
        (math.nan, b"nan"),
    ],
)
def test_format_double(x, text):
    assert format_double(x) == text


def test_format_double_is_grisu2_even_where_that_is_not_the_shortest():
    assert format_double(1e23) == b"99999999999999990000000"
    assert repr(1e23) == "1e+23"


@given(st.floats(allow_nan=False))
def test_format_double_reads_back(x):
    again = parse_float(format_double(x))
    assert struct.pack("<d", again) == struct.pack("<d", x)


def test_format_17g_is_c_printf():
    assert format_17g(0.1) == b"0.10000000000000001"
    assert format_17g(1e22) == b"1e+22"
    assert format_17g(-math.inf) == b"-inf"


def test_format_human_has_17_decimals_without_trailing_zeroes():
    assert format_human(0.1) == b"0.10000000000000001"
    assert format_human(13.5) == b"13.5"
    assert format_human(1e-20) == b"0"
    assert format_human(-1e-20) == b"0"
    assert format_human(math.inf) == b"inf"


def test_format_fixed_rounds_the_scaled_double():
    assert format_fixed(0.775, 4) == b"0.7750"
    assert format_fixed(-12.34567, 4) == b"-12.3457"
    assert format_fixed(0.0, 2) == b"0.00"
    assert format_fixed(166274.15156960033, 4) == b"166274.1516"


@pytest.mark.parametrize(
    ("a", "b", "total"),
    [
        (b"10.50", b"0.1", b"10.6"),
        (b"5.0e3", b"2.0e2", b"5200"),
        (b"3", b"0.2", b"3.2"),
        (b"0", b"-0", b"0"),
        (b"1", b"-1", b"0"),
        (b"0", b"-1e-20", b"0"),
        (b"0.1", b"0.2", b"0.3"),
        (b"9223372036854775807", b"1", b"9223372036854775808"),
        (b"18446744073709551615", b"1", b"18446744073709551616"),
        (b"18446744073709551616", b"1", b"18446744073709551616"),
        (b"36893488147419103235", b"0", b"36893488147419103236"),
        (b"17", b"17179869184.25", b"17179869201.25"),
        (b"0x1p4", b"0.5", b"16.5"),
        (b"1e20", b"1e-20", b"100000000000000000000"),
        (b"0.00000000000000005", b"0", b"0.00000000000000005"),
        (b"1234567.12345678901234567890", b"1", b"1234568.12345678901237989"),
        (b"235.9", b"0", b"235.89999999999999999"),
        (b"1e4931", b"-1e4931", b"0"),
        (b"3.6e-4951", b"0", b"0"),
        (b"-6.05371352427e-1", b"0x256a.f379eaa723p-915", b"-0.605371352427"),
        (b"2255797757025005960015", b"0.1462980e24", b"148553797757025005961216"),
        (b"-26611110601", b"-5.9004744551184274e-1", b"-26611110601.5900474451482296"),
        (b"751057.93900871661026031", b"0x1.8p-16446", b"751057.93900871661026031"),
        (b"-231412.3542522138450295", b"6324709.51", b"6093297.15574778615518881"),
        (b"22266966071049011955804", b"9152597.280", b"22266966071049021108224"),
        (b"9223372036854775807", b"61.16691767882296029974", b"9223372036854775868"),
        (b"-8.23666727e34", b"2433200114412501", b"-82366672699999999994291607352377344"),
        (b"8.0673618", b"7171533663720673456182", b"7171533663720673456128"),
        (b"8737696.466096083", b"-9661118337287839", b"-9661118328550142.5341796875"),
        (b"-7254.490370391793476301", b"862985537075", b"862985529820.50962960720062256"),
        (b"-8.2670395255477e13", b"517377740197469795875", b"517377657527074540384"),
        (b"-0.08954e-16", b"780864.8252", b"780864.82519999999999527"),
        (b"-369592422018004632916", b"-78.8118393126734695", b"-369592422018004632992"),
        (b"50067077.70502734929323", b"-4.9156737e3", b"50062162.03132734929386061"),
        (b"-515.3498534595729552", b"-4.214582417e-4809", b"-515.34985345957295522"),
        (b"9223372036854775807", b"-308052746.88106310367584229", b"9223372036546723060"),
        (b"751488797.168327569961547852", b"-39417445931574766440", b"-39417445930823277644"),
        (b"-664076162714793122198959", b"36269589.627", b"-664076162714793085960192"),
        (b"-820997258.79", b"4653596.54382419481578602422", b"-816343662.24617580516496673"),
        (b"203553912358198700", b"-434450465908347993450", b"-434246911995989794752"),
        (b"-29.671213070616", b"-63721.27612314912403235", b"-63750.94733621974003412"),
        (b"-48.41083785667496715", b"-3.90270496e-1102", b"-48.41083785667496715"),
        (b"7360640402861904", b"-4", b"7360640402861900"),
        (b"9160880216846990", b"76715102971828", b"9237595319818818"),
        (b"-53.5834527147908745", b"5.8e30", b"5800000000000000000102005473280"),
        (b"6.0590771e-2839", b"-2122099105", b"-2122099105"),
    ],
)
def test_long_double_add(a, b, total):
    assert long_double_add(a, b) == total


def test_long_double_covers_the_whole_range():
    largest = b"0x1.fffffffffffffffep16383"
    text = long_double_add(largest, b"0")
    assert len(text) == 4933
    assert text.startswith(b"118973149535723176502126385303097020516906332229462420044032373389173700")
    assert long_double_add(b"-" + text, b"0") == b"-" + text
    assert long_double_add(text, b"-" + text) == b"0"
    with pytest.raises(NotFinite):
        long_double_add(largest, largest)
    with pytest.raises(NotFinite):
        long_double_add(b"inf", b"-inf")


def test_long_doubles_by_parts():
    three = add_long_doubles(long_double_from_int(1), parse_long_double(b"2"))
    assert format_long_double(three) == b"3"
    assert is_finite(three)
    assert not is_finite(parse_long_double(b"-inf"))
    assert format_long_double(parse_long_double(b"-Infinity")) == b"-inf"
    assert parse_long_double(b"0e-99999999999") == (0, 0)
    assert format_long_double(parse_long_double(b"0." + b"0" * 4940 + b"1" * 5)) == b"0"


@pytest.mark.parametrize(
    "text",
    [
        b"", b".", b"+", b" 1", b"1 ", b"nan", b"1e", b"0x", b"0x.", b"1_0", b"1\x00", b"1e4933", b"-1e99999999999",
        b"1e-5000", b"0x1p16384", b"0x1p-16446", b"0" * 5120, b"infin", b"1.5.5",
    ],
)  # fmt: skip
def test_parse_long_double_refuses(text):
    with pytest.raises(NotFloat):
        parse_long_double(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b"100", 100),
        (b"1b", 1),
        (b"1k", 1000),
        (b"1KB", 1024),
        (b"3m", 3_000_000),
        (b"100mb", 100 << 20),
        (b"1G", 1_000_000_000),
        (b"1Gb", 1 << 30),
        (b"0", 0),
        (b"", 0),
        (b"99999999999999999999", 2**64 - 1),
    ],
)
def test_parse_memory(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", [b"-1", b"1.5gb", b"1 mb", b"1tb", b"mb1", b"1mb ", b"0x10", b"9" * 128])
def test_parse_memory_refuses(text):
    with pytest.raises(ValueError):
        parse_memory(text)


def test_human_bytes():
    assert human_bytes(0) == "0B"
    assert human_bytes(1023) == "1023B"
    assert human_bytes(1024) == "1.00K"
    assert human_bytes(1536 << 10) == "1.50M"
    assert human_bytes(1 << 30) == "1.00G"
    assert human_bytes(5 << 40) == "5.00T"
    assert human_bytes(1 << 50) == "1.00P"
    assert human_bytes(1 << 60) == "1152921504606846976B"
