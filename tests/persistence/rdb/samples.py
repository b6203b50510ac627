"""Values of every type and encoding, and a plain picture of any value to compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyredis.datatypes.encodings import Thresholds
from pyredis.datatypes.hashes import Hash
from pyredis.datatypes.lists import List
from pyredis.datatypes.sets import Set
from pyredis.datatypes.streams import Consumer, Group, Pending, Stream
from pyredis.datatypes.values import encoding, type_name
from pyredis.datatypes.zsets import SortedSet
from pyredis.persistence.rdb.options import LoadOptions, SaveOptions
from pyredis.persistence.rdb.reader import Reader
from pyredis.persistence.rdb.sink import Sink
from pyredis.persistence.rdb.writer import Writer, standard_fields

DATA = Path(__file__).parent / "data"
RDB_FILE = DATA / "redis-7.2.4.rdb"

LIMITS = Thresholds()


def expected() -> dict[str, Any]:
    """What the real server said about the keys of RDB_FILE."""
    return json.loads((DATA / "redis-7.2.4.json").read_text())  # type: ignore[no-any-return]


def picture(value: Any) -> tuple[bytes, bytes, Any]:
    """Type, encoding and contents; asserts the value's invariants."""
    kind = type_name(value)
    if kind == b"string":
        return kind, encoding(value), bytes(value)
    value._check()
    contents: Any
    if kind == b"list":
        contents = list(value.nodes())
    elif kind == b"set":
        contents = sorted(value)
    elif kind == b"hash":
        contents = dict(value)
    elif kind == b"zset":
        contents = list(value)
    else:
        contents = _stream_picture(value)
    return kind, encoding(value), contents


def _stream_picture(stream: Stream) -> Any:
    counters = (stream.length, stream.last_id, stream.first_id, stream.max_deleted_id, stream.entries_added)
    blocks = [(block.first, block.count, block.dead, block.fields, block.columns()) for block in stream.blocks()]
    groups = {
        name: (
            group.last_id,
            group.entries_read,
            [(at, p.consumer, p.delivered, p.deliveries) for at, p in group.pending.since(0)],
            {n: (c.seen_time, c.active_time, [at for at, _ in c.pending.since(0)]) for n, c in group.consumers.items()},
        )
        for name, group in stream.groups.items()
    }
    return counters, blocks, groups


def make_hash(*pairs: bytes) -> Hash:
    value = Hash()
    for field, text in zip(pairs[::2], pairs[1::2], strict=True):
        value.put(field, text, LIMITS)
    return value


def make_list(*items: bytes) -> List:
    value = List()
    value.push_tail(list(items), LIMITS)
    return value


def make_set(*members: bytes) -> Set:
    value = Set()
    for member in members:
        value.add(member, LIMITS)
    return value


def make_zset(**scores: float) -> SortedSet:
    value = SortedSet()
    for member, score in scores.items():
        value.add(member.encode(), float(score), LIMITS)
    return value


def make_stream() -> Stream:
    stream = Stream()
    for n in range(1, 251):
        pairs = [b"n", b"%d" % n] if n % 7 else [b"other", b"x" * n, b"n", b"-%d" % n]
        stream.append((1000 + n) << 64 | n % 3, pairs, 100, 4096)
    stream.delete([(1000 + n) << 64 | n % 3 for n in (1, 2, 50, 249)])
    group = stream.groups[b"workers"] = Group(1100 << 64, 77)
    for name in (b"zoe", b"adam"):
        group.consumers[name] = Consumer(1_700_000_000_000)
    group.consumers[b"adam"].active_time = 1_700_000_000_123
    for n in (90, 80, 91):
        group.add((1000 + n) << 64 | n % 3, Pending(b"adam", 1_700_000_000_001, n))
    group.add(1070 << 64 | 70 % 3, Pending(b"zoe", 1_700_000_000_002))
    stream.groups[b"idle"] = Group(0, -1)
    return stream


def every_value() -> dict[bytes, Any]:
    """One value of each type and encoding, and some at the edges."""
    return {
        b"int": b"12345",
        b"negative": b"-9223372036854775808",
        b"empty": b"",
        b"short": b"hello",
        b"long": bytes(range(256)) * 40,
        b"repeated": b"abc" * 400,
        b"edited": bytearray(b"edited in place"),
        b"list": make_list(b"a", b"1", b"-5", b"300", b"70000", b"5000000000", b"x" * 70, b""),
        b"list-nodes": make_list(*(b"item-%05d" % n for n in range(3000)), b"y" * 9000, b"end"),
        b"set-16": make_set(b"1", b"-2", b"30000"),
        b"set-32": make_set(b"1", b"-70000"),
        b"set-64": make_set(b"1", b"5000000000"),
        b"set-listpack": make_set(b"a", b"3", b"b"),
        b"set-hashtable": make_set(*(b"member-%d" % n for n in range(600))),
        b"hash": make_hash(b"f1", b"v1", b"f2", b"22", b"f3", b""),
        b"hash-hashtable": make_hash(b"f", b"z" * 100, b"g", b"2"),
        b"zset": make_zset(low=float("-inf"), a=1, b=2.5, c=-1e10, d=1e300, high=float("inf"), zero=0.0),
        b"zset-skiplist": make_zset(**{f"m{n}": n * 1.1 for n in range(300)}),
        b"stream": make_stream(),
        b"stream-empty": Stream(),
    }


def save(
    data: dict[bytes, Any], expires: dict[bytes, int] | None = None, *, checksum: bool = True, **options: Any
) -> bytes:
    """A whole file with *data* as database 0."""
    pieces: list[bytes] = []
    writer = Writer(pieces.append, SaveOptions(**options), checksum=checksum)
    writer.begin(standard_fields(1_700_000_000, 1_000_000, version=writer.options.version))
    writer.database(0, data, expires or {})
    writer.end()
    return b"".join(pieces)


def load(data: bytes, *, chunk: int = 1 << 20, deep: bool = True, sink: Sink | None = None, **options: Any) -> Reader:
    """The reader after *data* went through it in chunks; its ``sink`` has the result."""
    reader = Reader(sink or Sink(), LoadOptions(LIMITS, deep=deep), **options)
    for start in range(0, len(data), chunk):
        reader.feed(data[start : start + chunk])
    reader.finish()
    return reader
