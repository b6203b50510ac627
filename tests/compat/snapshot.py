"""The whole keyspace as a client can see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import rules
from .wire import Connection, Node, encode

DATABASES = (b"0", b"1", b"2")

CONTENT: dict[bytes, tuple[bytes, ...]] = {
    b"string": (b"GET", b"{}"),
    b"list": (b"LRANGE", b"{}", b"0", b"-1"),
    b"set": (b"SMEMBERS", b"{}"),
    b"hash": (b"HGETALL", b"{}"),
    b"zset": (b"ZRANGE", b"{}", b"0", b"-1", b"WITHSCORES"),
    b"stream": (b"XRANGE", b"{}", b"-", b"+"),
}


@dataclass(frozen=True)
class Entry:
    """A key as a client can see it."""

    type: bytes
    encoding: Node
    ttl: int
    content: Node

    @property
    def node(self) -> Node:
        return (b"*", [(b"+", self.type), self.encoding, (b":", b"%d" % self.ttl), self.content])

    def differs(self, other: Entry, server: str, version: tuple[int, ...], tainted: bool) -> str | None:
        """Which aspect of the two differs; None where Redis leaves it open."""
        if self.type != other.type:
            return "type"
        if self.encoding != other.encoding and rules.encodings_comparable(server, version, self.type):
            return "encoding"
        if (min(self.ttl, other.ttl) < 0 and self.ttl != other.ttl) or abs(self.ttl - other.ttl) > 2500:
            return "ttl"
        if rules.same_numbers(server, version, self.content, other.content):
            return None
        free = self.type in (b"set", b"hash") and (self.encoding == (b"$", b"hashtable") or tainted)
        free = free or (self.type == b"list" and tainted)
        width = 2 if self.type == b"hash" else 1
        if free and rules.deep_sorted(self.content, width) == rules.deep_sorted(other.content, width):
            return None
        return "content"


def _batch(connection: Connection, commands: Sequence[Sequence[bytes]]) -> list[Node]:
    connection.send(b"".join(map(encode, commands)))
    return [connection.frame() for _ in commands]


def snapshot(connection: Connection) -> dict[tuple[bytes, bytes], Entry]:
    """Every key of the first databases, as replies of reading commands."""
    result: dict[tuple[bytes, bytes], Entry] = {}
    listing = _batch(connection, [command for db in DATABASES for command in ((b"SELECT", db), (b"KEYS", b"*"))])
    for db, (_, found) in zip(DATABASES, listing[1::2], strict=True):
        if not isinstance(found, list) or not found:
            continue
        keys = sorted(name for _, name in found)
        _batch(connection, [(b"SELECT", db)])
        facts = _batch(
            connection,
            [c for key in keys for c in ((b"TYPE", key), (b"OBJECT", b"ENCODING", key), (b"PTTL", key))],
        )
        types = [node[1] for node in facts[0::3]]
        contents = _batch(
            connection,
            [
                tuple(key if word == b"{}" else word for word in CONTENT.get(kind, (b"EXISTS", b"{}")))
                for key, kind in zip(keys, types, strict=True)
            ],
        )
        for key, kind, encoding, ttl, content in zip(keys, types, facts[1::3], facts[2::3], contents, strict=True):
            result[db, key] = Entry(kind, encoding, int(ttl[1]) if ttl[0] == b":" else -9, content)
    _batch(connection, [(b"SELECT", b"0")])
    return result
