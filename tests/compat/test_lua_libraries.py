"""cjson, cmsgpack, struct, bit and Lua's own formatting, on random input: the same bytes from both servers.

Every example is one EVAL whose arguments are the input; replies are compared to the byte, error texts included.
"""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .runner import Runner
from .wire import show_pair

numbers = st.one_of(
    st.integers(-(2**63), 2**64),
    st.integers(-300, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1, 1e15, 1e14, 123456789012345, 2**53, 2**53 + 1, -0.0, 1e300, 5e-324]),
)
texts = st.one_of(st.text(max_size=12), st.text(alphabet='"\\/\b\f\n\r\t\x00\x1fé€😀', max_size=6))
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(texts, inner, max_size=1)),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> bytes:
    """A good input, or one with a few bytes changed, cut or repeated."""
    data = bytearray(draw(source))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            data[at:at] = draw(st.binary(min_size=1, max_size=3))
        elif kind == 1:
            del data[at : at + draw(st.integers(1, 3))]
        elif kind == 2:
            del data[at:]
        elif at < len(data):
            data[at] = draw(st.integers(0, 255))
    return bytes(data)


json_texts = mutated(documents.map(lambda value: json.dumps(value).encode()))
packed = mutated(
    st.one_of(
        st.binary(max_size=12),
        numbers.map(lambda n: b"\xcb" + struct.pack(">d", float(n))),
        st.integers(-(2**31), 2**31 - 1).map(lambda n: b"\x92\xd2" + struct.pack(">i", n) + b"\xc0"),
        st.binary(max_size=40).map(lambda s: b"\xda" + struct.pack(">H", len(s)) + s),
        st.lists(st.integers(0, 127), max_size=15).map(lambda items: bytes([0x90 | len(items), *items])),
    )
)
letters = st.sampled_from(
    [*"bBhHlLTfdxs", "i1", "I2", "i3", "I4", "i8", "c3", "c0", "!4", "!", ">", "<", " ", "c10", "i16", "z"]
)
formats = st.lists(letters, max_size=5).map(lambda parts: "".join(parts).encode())
printf = st.builds(
    lambda flags, width, precision, letter: f"%{flags}{width}{precision}{letter}".encode(),
    st.text(alphabet="-+ #0", max_size=2),
    st.sampled_from(["", "1", "5", "20"]),
    st.sampled_from(["", ".0", ".3", ".14", ".17"]),
    st.sampled_from("dioxXeEfgGcqsu"),
)
numerals = st.one_of(
    numbers.map(lambda n: repr(n).encode()),
    st.sampled_from(
        [b"nan", b"inf", b"-inf", b"0x1F", b" 12 ", b"1e", b"", b"1_0", b"0x", b"1e400", b"-0", b".5", b"5."]
    ),
)

SCRIPTS = {
    "cjson decodes and encodes": (b"return cjson.encode(cjson.decode(ARGV[1]))", (json_texts,)),
    "cjson decodes to Lua values": (
        b"local v = cjson.decode(ARGV[1]) return type(v) .. tostring(v == cjson.null)",
        (json_texts,),
    ),
    "cjson encodes strings": (
        b"return cjson.encode({ARGV[1], ARGV[2]})",
        (st.binary(max_size=12), st.binary(max_size=3)),
    ),
    "cjson encodes numbers": (b"return cjson.encode(tonumber(ARGV[1]))", (numerals,)),
    "cjson encodes sparse arrays": (
        b"local t = {} for i = 2, #ARGV do t[tonumber(ARGV[i])] = ARGV[1] end return cjson.encode(t)",
        (st.just(b"x"), st.integers(-2, 40).map(lambda n: b"%d" % n), st.integers(1, 9).map(lambda n: b"%d" % n)),
    ),
    "cmsgpack packs what cjson decodes": (b"return cmsgpack.pack(cjson.decode(ARGV[1]))", (json_texts,)),
    "cmsgpack packs numbers": (b"return cmsgpack.pack(tonumber(ARGV[1]), ARGV[1], true, nil)", (numerals,)),
    "cmsgpack unpacks": (
        b"local r = {cmsgpack.unpack(ARGV[1])} local o = {#r}"
        b" for i, v in ipairs(r) do o[#o + 1] = type(v) o[#o + 1] = type(v) == 'table' and #v or tostring(v) end"
        b" return o",
        (packed,),
    ),
    "cmsgpack unpacks a few": (
        b"local r = {cmsgpack.unpack_limit(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))}"
        b" return {#r, type(r[1]), type(r[2])}",
        (packed, st.integers(-1, 3).map(lambda n: b"%d" % n), st.integers(-1, 5).map(lambda n: b"%d" % n)),
    ),
    "struct packs": (
        b"return struct.pack(ARGV[1], unpack(ARGV, 2))",
        (
            formats,
            numerals,
            st.integers(-300, 70000).map(lambda n: b"%d" % n),
            st.integers(0, 9).map(lambda n: b"%d" % n),
        ),
    ),
    "struct unpacks": (
        b"local r = {struct.unpack(ARGV[1], ARGV[2])} for i, v in ipairs(r) do r[i] = tostring(v) end return r",
        (formats, st.binary(max_size=24)),
    ),
    "struct sizes": (b"return struct.size(ARGV[1])", (formats,)),
    "bit operates": (
        b"local a, b = tonumber(ARGV[1]), tonumber(ARGV[2]) local o = {}"
        b" for _, n in ipairs({'band', 'bor', 'bxor', 'lshift', 'rshift', 'arshift', 'rol', 'ror'})"
        b" do o[#o + 1] = tostring(bit[n](a, b)) end"
        b" o[#o + 1] = tostring(bit.bnot(a)) o[#o + 1] = tostring(bit.bswap(a)) o[#o + 1] = tostring(bit.tobit(a))"
        b" o[#o + 1] = bit.tohex(a) o[#o + 1] = bit.tohex(a, b % 16 - 8) return o",
        (st.integers(-(2**40), 2**40).map(lambda n: b"%d" % n), st.integers(-70, 70).map(lambda n: b"%d" % n)),
    ),
    "numbers become text": (
        b"local n = tonumber(ARGV[1]) return {tostring(n), n or 'none', type(n), tostring(n and n * 3)}",
        (numerals,),
    ),
    "string.format": (b"return string.format(ARGV[1], ARGV[2])", (printf, numerals)),
    "sha1hex": (b"return redis.sha1hex(ARGV[1])", (st.binary(max_size=80),)),
}
EXAMPLES = 60


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_library_agrees(runner: Runner, name: str) -> None:
    source, strategies = SCRIPTS[name]
    real, ours = runner.real.server.connect(), runner.ours.server.connect()

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(arguments=st.tuples(*strategies))
    def agrees(arguments: tuple[bytes, ...]) -> None:
        left, right = real.call(b"EVAL", source, b"0", *arguments), ours.call(b"EVAL", source, b"0", *arguments)
        assert left == right, "\n".join([repr(arguments), *show_pair(left, right)])

    agrees()
    real.close()
    ours.close()
