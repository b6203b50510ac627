"""Pools of keys, members and numbers: small, so that commands meet each other's work.

A value kind is a function of a ``Draft`` (the command being written) that returns one word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .choices import Choices

KEYS: dict[str, tuple[bytes, ...]] = {
    "string": (b"s:1", b"s:2", b"s:3", b"s:4"),
    "bitmap": (b"b:1", b"b:2", b"s:1"),
    "list": (b"l:1", b"l:2", b"l:3"),
    "set": (b"t:1", b"t:2", b"t:3"),
    "hash": (b"h:1", b"h:2", b"h:3"),
    "sorted-set": (b"z:1", b"z:2", b"z:3"),
    "stream": (b"x:1", b"x:2"),
    "geo": (b"g:1", b"g:2"),
    "hyperloglog": (b"p:1", b"p:2", b"p:3"),
}
ODD_KEYS = (b"nokey", b"", b"k\x00\r\n", b"w_a", b"w_1", b"{tag}k")
ALL_KEYS = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys)) + ODD_KEYS

WORDS = (
    b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"1", b"2", b"3", b"5", b"10", b"-5", b"007", b"1.5",
    b"A", b"", b"hello world", b"\xff\x00\r\n", b"x" * 16, b"y" * 17, b"m" * 64, b"n" * 65, b"100000",
    b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"o" * 200,
)  # fmt: skip
FIELDS = (b"f1", b"f2", b"f3", b"f4", b"f5", b"n1", b"n2", *WORDS[:10])
SMALL = (b"0", b"1", b"2", b"3", b"-1", b"-2", b"5", b"10", b"-100", b"100")
HUGE = (
    b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"-9223372036854775809",
    b"4294967295", b"4294967296", b"2147483647", b"2147483648", b"18446744073709551615",
    b"18446744073709551616", b"9223372036854775", b"9223372036854776", b"536870911", b"536870912",
)  # fmt: skip
NASTY = (
    b"", b"abc", b"1.0", b"+1", b"01", b" 1", b"1 ", b"0x10", b"1e2", b"nan", b"inf", b"-inf", b"+inf", b"1e400",
    b"-0", b"-0.0", b"1e-400", b"infinity", b"--1", b"-", b"+", b"(", b"[", b"(1", b"[a", b"(inf", b"(nan", b"\x00",
    b"1\x00", b"\xff", b"*", b"?", b"[a-c]*", b"#", b"1,2", b"0.1", b"3.0e3", b"1_000", b"\xc2\xb2", b"9" * 40,
    b"0.30000000000000004", b"1e308", b"-1e308", b"1e17", b"123456789012345678", b"5e-324", *HUGE,
)  # fmt: skip
SCORES = (
    b"0", b"1", b"2", b"3", b"-1", b"1.5", b"2.25", b"10", b"100", b"-0.5", b"3.14159", b"1e3", b"inf", b"-inf",
    b"+inf", b"1e20", b"0.1", b"1e-5", b"17179869184", b"9007199254740993", b"-0", b"1e17", b"123456789.123",
    b"1.7976931348623157e308", b"12345678901234567890", b"0x1p3", b"1e21", b"100000000000000000000",
)  # fmt: skip
SCORE_RANGES = (b"-inf", b"+inf", b"0", b"1", b"2", b"3", b"(1", b"(2", b"10", b"(0", b"inf", b"(inf", b"(-inf", b"-1")
LEX_RANGES = (b"-", b"+", b"[a", b"(a", b"[c", b"(c", b"[e", b"[", b"(", b"[b", b"(h", b"[A", b"[1")
PATTERNS = (b"*", b"a*", b"?", b"[a-c]", b"[^a]*", b"*1*", b"l:*", b"\\a", b"[", b"s:?", b"h*llo*", b"**", b"")
CODES = (b"XX", b"NX", b"GT", b"LT", b"CH", b"EX", b"PX", b"KEEPTTL", b"LIMIT", b"COUNT", b"WITHSCORES", b"REV", b"GET")
ENCODINGS = (b"u8", b"i8", b"u1", b"i1", b"u4", b"i5", b"u16", b"i16", b"u32", b"i32", b"u63", b"i64", b"u2")
BAD_ENCODINGS = (b"u64", b"i65", b"u0", b"i0", b"x8", b"u", b"", b"i-1", b"U8", b"u08", b"8")
STREAM_IDS = (
    b"0", b"1", b"2-1", b"5-5", b"5-*", b"10-0", b"0-1", b"3", b"7-2", b"1-18446744073709551615", b"100-1", b"0-0",
)  # fmt: skip
LONGITUDES = (b"13.361389", b"15.087269", b"2.3522", b"-0.1276", b"0", b"180", b"-180", b"179.99", b"-73.9857")
LATITUDES = (b"38.115556", b"37.502669", b"48.8566", b"51.5074", b"0", b"85.05112878", b"-85.05112878", b"40.7484")
CHANNELS = (b"c1", b"c2", b"c3", b"news.a", b"news.b")
CHANNEL_PATTERNS = (b"c*", b"news.*", b"*", b"c?", b"[cn]*")
SCRIPTS = (
    b"return 1", b"return redis.call('GET', KEYS[1])", b"return {1, 2, {3, 'a'}, false, 'b'}", b"return ARGV[1]",
    b"return redis.pcall('INCR', KEYS[1])", b"return redis.call('LPUSH', KEYS[1], ARGV[1])", b"return KEYS",
    b"return redis.error_reply('MY oops')", b"return redis.status_reply('FINE')", b"return {ok='x'}", b"return 3.99",
    b"return redis.call('SET', KEYS[1], ARGV[1])", b"return nosuch", b"return redis.call('NOSUCH')", b"return nil",
    b"redis.call('SET', KEYS[1], 'v'); return redis.call('TYPE', KEYS[1])", b"return tostring(1e15)", b"syntax error(",
    b"return redis.sha1hex(ARGV[1] or '')", b"return cjson.encode({1, 2, a=3})", b"return #ARGV", b"return true",
    b"return redis.call('ZADD', KEYS[1], 1.5, 'a')", b"redis.setresp(3); return redis.call('HGETALL', KEYS[1])",
    b"return redis.call('HGETALL', KEYS[1])", b"return {err='E bad'}",
    b"return redis.call('INCRBYFLOAT', KEYS[1], '0.1')",
)  # fmt: skip


@dataclass
class Draft:
    """A command being written."""

    choices: Choices
    name: str  # "get", "config|get"
    group: str
    keys: Sequence[bytes]
    numkeys: int | None = None
    notes: dict[str, int] = field(default_factory=dict)


Kind = Callable[[Draft], bytes]


def one_of(*options: bytes) -> Kind:
    return lambda draft: draft.choices.pick(options)


def mixed(*weighted: tuple[int, Sequence[bytes]]) -> Kind:
    return lambda draft: draft.choices.pick(draft.choices.weighted(weighted))


def key(draft: Draft) -> bytes:
    choices = draft.choices
    if choices.chance(8):
        return choices.pick(ALL_KEYS)
    return choices.pick(draft.keys)


small = mixed((20, SMALL), (1, HUGE))
count = mixed((8, (b"1", b"2", b"3", b"10", b"0")), (2, (b"-1", b"-2", b"-3", b"100")), (1, HUGE))
index = mixed((12, (b"0", b"-1", b"1", b"2", b"-2", b"3", b"5", b"-5", b"100", b"-100")), (1, HUGE))
number = mixed((6, SMALL), (1, HUGE), (1, NASTY))
floats = mixed((6, SCORES), (2, SMALL), (1, NASTY))
score = mixed((12, SCORES), (1, NASTY))
score_range = mixed((12, SCORE_RANGES), (1, NASTY))
lex_range = mixed((12, LEX_RANGES), (1, (b"a", b"", b"(a-", b"+a", b"-x")))
word = mixed((8, WORDS[:16]), (3, WORDS))
fields = mixed((1, FIELDS))
bit_offset = mixed(
    (12, (b"0", b"1", b"7", b"8", b"9", b"15", b"100", b"63", b"1000")), (1, (b"4294967296", b"-1", b"x"))
)
byte_offset = mixed((12, (b"0", b"1", b"2", b"5", b"10", b"100")), (1, (b"-1", b"536870912", b"x", *HUGE)))
bitfield_offset = mixed(
    (12, (b"0", b"1", b"7", b"#0", b"#1", b"#2", b"8", b"100", b"63")),
    (1, (b"#", b"#-1", b"-1", b"4294967295", b"x")),
)
encodings = mixed((12, ENCODINGS), (1, BAD_ENCODINGS))
seconds = mixed((10, (b"100", b"1000", b"500", b"100000")), (2, (b"-1", b"0", b"-1000")), (1, HUGE), (1, NASTY))
milliseconds = mixed((10, (b"100000", b"1000000", b"500500")), (2, (b"-1", b"0")), (1, HUGE), (1, NASTY))
unix_seconds = mixed(
    (10, (b"4102444800", b"33177117420", b"4102444801")), (2, (b"1", b"0", b"-1")), (1, HUGE), (1, NASTY)
)
unix_milliseconds = mixed((10, (b"4102444800000", b"33177117420001")), (2, (b"1", b"0")), (1, HUGE), (1, NASTY))
timeout = mixed((6, (b"0", b"1000")), (1, (b"-1", b"x", b"1e400", b"nan", b"9223372036854775808", b"9223372036854775")))
pattern = mixed((1, PATTERNS))
stream_id = mixed((12, STREAM_IDS), (2, (b"*", b"-", b"+", b"$", b">")), (1, (b"1-2-3", b"a-1", b"-1", b"(1-1", b"")))
stream_range = mixed((8, (b"-", b"+")), (8, STREAM_IDS), (2, (b"(1-1", b"(2", b"(-", b"(+")), (1, (b"a", b"")))
database = mixed((10, (b"0", b"1", b"2")), (1, (b"15", b"16", b"-1", b"x", b"1000000", b"")))


def numkeys(draft: Draft) -> bytes:
    choices = draft.choices
    draft.numkeys = 1 + choices.integer(0, 2)
    if choices.chance(6):
        return choices.pick((b"0", b"-1", b"x", b"100", b"9223372036854775807", b"2", b"1.5", b""))
    return b"%d" % draft.numkeys


def script(draft: Draft) -> bytes:
    return draft.choices.pick(SCRIPTS)


def password(draft: Draft) -> bytes:
    return draft.choices.pick((b"pw", b"", b"wrong"))


BY_NAME: dict[str, Kind] = {
    "numkeys": numkeys,
    "count": count,
    "index": index,
    "start": index,
    "stop": index,
    "end": index,
    "rank": mixed((10, (b"1", b"-1", b"2", b"-2", b"0")), (1, HUGE)),
    "num-matches": count,
    "len": count,
    "limit": mixed((10, (b"0", b"1", b"2", b"10")), (1, (b"-1", b"x", *HUGE))),
    "offset": mixed((10, (b"0", b"1", b"2", b"5")), (2, (b"-1",)), (1, HUGE)),
    "cursor": mixed((10, (b"0",)), (1, (b"1", b"x", b"-1", b"18446744073709551615", b"18446744073709551616", b"0 "))),
    "increment": number,
    "decrement": number,
    "weight": mixed((8, (b"1", b"2", b"-1", b"0.5", b"0", b"inf", b"-inf")), (1, NASTY)),
    "bit": mixed((10, (b"0", b"1")), (1, (b"2", b"-1", b"x"))),
    "seconds": seconds,
    "milliseconds": milliseconds,
    "unix-time-seconds": unix_seconds,
    "unix-time-milliseconds": unix_milliseconds,
    "ttl": mixed((8, (b"0", b"100000")), (1, (b"-1", b"x", *HUGE))),
    "timeout": timeout,
    "db": database,
    "destination-db": database,
    "index1": database,
    "index2": database,
    "score": score,
    "min": score_range,
    "max": score_range,
    "radius": mixed((8, (b"200", b"1000", b"0", b"20000")), (1, (b"-1", b"nan", b"x"))),
    "width": mixed((8, (b"200", b"1000", b"400")), (1, (b"-1", b"0", b"nan", b"x"))),
    "height": mixed((8, (b"200", b"1000", b"400")), (1, (b"-1", b"0", b"nan", b"x"))),
    "longitude": mixed((10, LONGITUDES), (1, (b"181", b"x", b"nan"))),
    "latitude": mixed((10, LATITUDES), (1, (b"86", b"x", b"-90"))),
    "pattern": pattern,
    "by-pattern": one_of(b"w_*", b"nosort", b"s:*", b"h:1->f1", b"w_*->f", b"*", b"x", b"h:*->n1"),
    "get-pattern": one_of(b"#", b"s:*", b"h:*->f1", b"w_*", b"h:1->f1", b"*->f1", b"x"),
    "field": fields,
    "member": word,
    "element": word,
    "value": word,
    "pivot": word,
    "encoding": encodings,
    "id": stream_id,
    "last-id": stream_id,
    "lastid": stream_id,
    "max-deleted-id": stream_id,
    "entries-added": small,
    "entries-read": small,
    "entriesread": small,
    "min-idle-time": mixed((8, (b"0",)), (1, (b"100000", b"-1", b"x"))),
    "ms": one_of(b"0", b"1000", b"-1"),
    "threshold": mixed((8, (b"0", b"1", b"3", b"10", b"2-1", b"5")), (1, (b"-1", b"x"))),
    "group": one_of(b"g1", b"g2", b"g3"),
    "consumer": one_of(b"c1", b"c2", b"c3"),
    "channel": one_of(*CHANNELS),
    "shardchannel": one_of(*CHANNELS),
    "message": word,
    "script": script,
    "sha1": one_of(b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db", b"0" * 40, b"abc"),
    "function": one_of(b"f1", b"nofunc"),
    "type": one_of(b"string", b"list", b"set", b"hash", b"zset", b"stream", b"STRING", b"nosuch"),
    "protover": one_of(b"2", b"3", b"1", b"4", b"x"),
    "clientname": one_of(b"me", b"bad name", b""),
    "connection-name": one_of(b"me", b"bad name", b"", b"new\nline"),
    "username": one_of(b"default", b"nouser"),
    "password": password,
    "libname": one_of(b"lib", b"bad name", b""),
    "libver": one_of(b"1.0", b"bad ver"),
    "client-id": one_of(b"{id:0}", b"{id:1}", b"999999", b"0", b"-1", b"x"),
    "command-name": one_of(b"get", b"GET", b"nosuch", b"config|get", b"set"),
    "command": one_of(b"get", b"set", b"zunionstore", b"nosuch", b"xread"),
    "category": one_of(b"read", b"string", b"nosuch"),
    "serialized-value": one_of(b"", b"abc", b"\x00\x01a\x0b\x00"),
    "frequency": one_of(b"1", b"255", b"256", b"-1"),
    "parameter": one_of(b"maxmemory", b"hash-max-*", b"nosuch", b"*listpack*", b"port?", b"databases"),
    "version": one_of(b"5", b"6", b"1"),
}
"""Value kinds by the name an argument has in COMMAND DOCS."""

BY_COMMAND: dict[tuple[str, str], Kind] = {
    ("bitfield", "value"): number,
    ("bitfield", "offset"): bitfield_offset,
    ("bitfield_ro", "offset"): bitfield_offset,
    ("setbit", "offset"): bit_offset,
    ("getbit", "offset"): bit_offset,
    ("setbit", "value"): mixed((10, (b"0", b"1")), (1, (b"2", b"-1", b"x", b""))),
    ("setrange", "offset"): byte_offset,
    ("sadd", "member"): mixed((4, WORDS[:8]), (4, WORDS[8:14]), (2, WORDS)),
    ("hincrbyfloat", "increment"): floats,
    ("incrbyfloat", "increment"): floats,
    ("zincrby", "increment"): score,
    ("zrangebylex", "min"): lex_range,
    ("zrangebylex", "max"): lex_range,
    ("zrevrangebylex", "min"): lex_range,
    ("zrevrangebylex", "max"): lex_range,
    ("zremrangebylex", "min"): lex_range,
    ("zremrangebylex", "max"): lex_range,
    ("zlexcount", "min"): lex_range,
    ("zlexcount", "max"): lex_range,
    ("xrange", "start"): stream_range,
    ("xrange", "end"): stream_range,
    ("xrevrange", "start"): stream_range,
    ("xrevrange", "end"): stream_range,
    ("xpending", "start"): stream_range,
    ("xpending", "end"): stream_range,
    ("xautoclaim", "start"): stream_range,
    ("xread", "id"): mixed((10, STREAM_IDS), (3, (b"$",)), (1, (b">", b"-", b"x"))),
    ("xreadgroup", "id"): mixed((10, (b">",)), (4, STREAM_IDS), (1, (b"$", b"x"))),
    ("xadd", "id"): mixed((10, STREAM_IDS), (1, (b"1-2-3", b"-1", b"x"))),
    ("set", "value"): mixed((6, WORDS), (2, SMALL), (1, SCORES)),
    ("append", "value"): mixed((6, WORDS), (2, SMALL)),
    ("config|set", "parameter"): one_of(b"hash-max-listpack-entries", b"zset-max-listpack-value", b"nosuch"),
    ("pubsub|channels", "pattern"): one_of(*CHANNEL_PATTERNS),
    ("pubsub|shardchannels", "pattern"): one_of(*CHANNEL_PATTERNS),
    ("psubscribe", "pattern"): one_of(*CHANNEL_PATTERNS),
    ("punsubscribe", "pattern"): one_of(*CHANNEL_PATTERNS),
    ("georadiusbymember", "member"): one_of(b"a", b"b", b"c", b"nomember"),
    ("scan", "count"): mixed((10, (b"1000",)), (1, (b"0", b"-1", b"x"))),
    ("sscan", "count"): mixed((10, (b"1000",)), (1, (b"0", b"-1", b"x"))),
    ("hscan", "count"): mixed((10, (b"1000",)), (1, (b"0", b"-1", b"x"))),
    ("zscan", "count"): mixed((10, (b"1000",)), (1, (b"0", b"-1", b"x"))),
}

BY_TYPE: dict[str, Kind] = {
    "integer": number,
    "double": floats,
    "string": word,
    "pattern": pattern,
    "unix-time": unix_seconds,
    "key": key,
}
