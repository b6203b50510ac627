"""A server's whole data set as plain values, in the form in which that of Redis 7.2.4 is recorded."""

from __future__ import annotations

from typing import Any

import redis

Portrait = dict[str, Any]
"""Database -> key in hex -> type, encoding, pexpiretime and value; ``functions`` -> names of libraries."""


def portrait(port: int) -> Portrait:
    """Everything the server on *port* has."""
    result: Portrait = {}
    with redis.Redis(port=port, protocol=2, socket_timeout=30) as client:
        for number in sorted(int(name[2:]) for name in client.info("keyspace")):
            client.execute_command("SELECT", number)
            keys = sorted(client.execute_command("KEYS", "*"))
            result[str(number)] = {key.hex(): _entry(client, key) for key in keys}
        client.execute_command("SELECT", 0)
        result["functions"] = sorted(dict(_pairs(library))[b"library_name"].decode() for library in _libraries(client))
    return result


def _libraries(client: redis.Redis) -> list[Any]:
    """The replies as they come, without redis-py's own reading of them."""
    client.response_callbacks.pop("FUNCTION LIST", None)
    return client.execute_command("FUNCTION", "LIST")


def _entry(client: redis.Redis, key: bytes) -> dict[str, Any]:
    kind = client.type(key).decode()
    return {
        "type": kind,
        "encoding": client.object("ENCODING", key).decode(),
        "pexpiretime": client.execute_command("PEXPIRETIME", key),
        "value": _VALUES[kind](client, key),
    }


def _hash(client: redis.Redis, key: bytes) -> list[list[str]]:
    return sorted([field.hex(), text.hex()] for field, text in client.hgetall(key).items())


def _zset(client: redis.Redis, key: bytes) -> list[list[str]]:
    return [[member.hex(), repr(score)] for member, score in client.zrange(key, 0, -1, withscores=True)]


def _stream(client: redis.Redis, key: bytes) -> dict[str, Any]:
    entries = [
        [at.decode(), [text.hex() for pair in fields.items() for text in pair]] for at, fields in client.xrange(key)
    ]
    info = client.xinfo_stream(key)
    return {
        "entries": entries,
        "info": {name: _plain(info[name]) for name in _STREAM_INFO},
        "groups": [{name: _plain(group[name]) for name in _GROUP_INFO} for group in client.xinfo_groups(key)],
    }


_STREAM_INFO = ("entries-added", "last-generated-id", "length", "max-deleted-entry-id")
_GROUP_INFO = ("consumers", "entries-read", "lag", "last-delivered-id", "name", "pending")


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _pairs(flat: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


_VALUES = {
    "string": lambda client, key: client.get(key).hex(),
    "list": lambda client, key: [item.hex() for item in client.lrange(key, 0, -1)],
    "set": lambda client, key: sorted(item.hex() for item in client.smembers(key)),
    "hash": _hash,
    "zset": _zset,
    "stream": _stream,
}


def pending(port: int) -> dict[str, Any]:
    """What every consumer of every stream still has to acknowledge: entry, owner and count of deliveries."""
    result: dict[str, Any] = {}
    with redis.Redis(port=port, protocol=2, socket_timeout=30) as client:
        for key in client.scan_iter(_type="stream", count=1000):
            for group in client.xinfo_groups(key):
                rows = client.xpending_range(key, group["name"], "-", "+", 1000)
                result[f"{key!r} {group['name']!r}"] = [
                    (row["message_id"], row["consumer"], row["times_delivered"]) for row in rows
                ]
    return result
