"""Two servers of which one follows the other: state of the link, and whether they hold the same."""

from __future__ import annotations

from ..waiting import until
from .traffic import DATABASES
from .wire import Connection, Node, show_pair

VOLATILE = {b"seen-time", b"active-time", b"radix-tree-keys", b"radix-tree-nodes", b"entries-read", b"lag"}
"""What XINFO STREAM tells of the process, or what Redis does not tell its replicas: XREADGROUP goes out as XCLAIM, and
with it the position of the group, but not how many entries it has read; nor a consumer that has claimed nothing."""

OLD_ENCODINGS = {b"set": b"hashtable", b"list": b"quicklist"}


def info(connection: Connection, section: bytes) -> dict[str, str]:
    """The fields of one section of INFO."""
    _, text = connection.call(b"INFO", section)
    lines = [line.partition(":") for line in text.decode("utf-8", "replace").splitlines()]
    return {name: value for name, colon, value in lines if colon}


def call(connection: Connection, *argv: bytes) -> object:
    """The value of a reply, AssertionError if it is an error."""
    kind, value = connection.call(*argv)
    assert kind != b"-", (argv, value)
    return value


def wait_until_linked(follower: Connection, seconds: float = 15) -> None:
    """Until the follower's link is up."""
    linked = until(lambda: info(follower, b"replication").get("master_link_status") == "up", seconds)
    assert linked, info(follower, b"replication")


def wait_until_level(leader: Connection, follower: Connection, seconds: float = 30) -> None:
    """Until the follower has applied all that the leader has."""

    def level() -> bool:
        theirs = info(follower, b"replication")
        ours = info(leader, b"replication")["master_repl_offset"]
        return theirs["master_link_status"] == "up" and theirs["slave_repl_offset"] == ours

    assert until(level, seconds, pause=0.05), (info(leader, b"replication"), info(follower, b"replication"))


def delete_expired(leader: Connection) -> None:
    """Read every key, so that the leader notices, and tells, which have expired."""
    for db in range(DATABASES):
        call(leader, b"SELECT", b"%d" % db)
        keys = keys_of(leader)
        if keys:
            call(leader, b"EXISTS", *keys)
    call(leader, b"SELECT", b"0")


def keys_of(connection: Connection) -> list[bytes]:
    """The keys of the selected database, in order."""
    _, found = connection.call(b"KEYS", b"*")
    return sorted(name for _, name in found)


def digest(connection: Connection) -> bytes:
    """DEBUG DIGEST: of every key, value and of which keys expire."""
    kind, value = connection.call(b"DEBUG", b"DIGEST")
    assert kind == b"+", value
    return bytes(value)


def contents(connection: Connection) -> dict[tuple[int, bytes], dict[str, Node]]:
    """Type, encoding, time of expiry and value of every key of every database."""
    result: dict[tuple[int, bytes], dict[str, Node]] = {}
    for db in range(DATABASES):
        call(connection, b"SELECT", b"%d" % db)
        for key in keys_of(connection):
            kind = call(connection, b"TYPE", key)
            entry = {
                "type": (b"+", kind),
                "encoding": connection.call(b"OBJECT", b"ENCODING", key),
                "expires": connection.call(b"PEXPIRETIME", key),
                "value": connection.call(*_reading(kind, key)),
            }
            if kind in (b"set", b"hash"):
                entry["value"] = _sorted(entry["value"], 2 if kind == b"hash" else 1)
            if kind == b"stream":
                entry["value"] = _without_volatile(entry["value"])
            result[db, key] = entry
    call(connection, b"SELECT", b"0")
    return result


def _reading(kind: object, key: bytes) -> list[bytes]:
    return {
        b"string": [b"GET", key],
        b"list": [b"LRANGE", key, b"0", b"-1"],
        b"set": [b"SMEMBERS", key],
        b"hash": [b"HGETALL", key],
        b"zset": [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
        b"stream": [b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"],
    }[bytes(kind)]  # type: ignore[call-overload]


def _sorted(node: Node, width: int) -> Node:
    kind, items = node
    rows = sorted(tuple(items[at : at + width]) for at in range(0, len(items), width))
    return kind, [item for row in rows for item in row]


def _as_numbers(node: Node) -> Node:
    kind, items = node
    if not isinstance(items, list):
        return node
    scores = [(b",", b"%r" % float(text)) if at % 2 else (b"$", text) for at, (_, text) in enumerate(items)]
    return kind, scores


def _without_volatile(node: Node) -> Node:
    kind, items = node
    if not isinstance(items, list):
        return node
    kept: list[Node] = []
    skip = False
    for item in items:
        if skip:
            skip = False
        elif item[0] == b"$" and item[1] in VOLATILE:
            skip = True
        elif not _is_idle_consumer(item):
            kept.append(_without_volatile(item))
    return kind, kept


def libraries(connection: Connection) -> list[Node]:
    """FUNCTION LIST WITHCODE, in order."""
    _, found = connection.call(b"FUNCTION", b"LIST", b"WITHCODE")
    return sorted((_sorted_functions(library) for library in found), key=repr)


def _sorted_functions(library: Node) -> Node:
    kind, items = library
    fields = {items[at][1]: items[at + 1] for at in range(0, len(items), 2)}
    functions = fields[b"functions"]
    fields[b"functions"] = functions[0], sorted(functions[1], key=repr)
    return kind, sorted(fields.items())  # type: ignore[return-value]


def differences(
    leader: Connection, follower: Connection, *, same_version: bool = True, encodings: bool = True
) -> list[str]:
    """What is not the same on both, as readable lines; empty if they are equal.

    Without *encodings* for what came in a snapshot: a value that has shrunk is loaded with a smaller encoding.
    7.0 knows no listpacks for sets and lists, and spells doubles with 17 digits, in DEBUG DIGEST, too.
    """
    ours, theirs = contents(leader), contents(follower)
    lines = [f"{key} is on one side only" for key in sorted(ours.keys() ^ theirs.keys())]
    for key in sorted(ours.keys() & theirs.keys()):
        for aspect, node in ours[key].items():
            if aspect == "encoding" and not encodings:
                continue
            other = theirs[key][aspect]
            if not same_version and aspect == "encoding" and other[1] == b"listpack":
                other = b"$", OLD_ENCODINGS.get(theirs[key]["type"][1], b"listpack")
            elif not same_version and ours[key]["type"][1] == b"zset":
                node, other = _as_numbers(node), _as_numbers(other)
            if node != other:
                path, node, other = _first_difference(node, other)
                left, right = show_pair(node, other)
                lines.append(f"{key} {aspect}{path}: leader {left}  follower {right}")
    if libraries(leader) != libraries(follower):
        lines.append("the function libraries differ")
    if same_version and not lines and digest(leader) != digest(follower):
        lines.append("DEBUG DIGEST differs")
    return lines


def _is_idle_consumer(node: Node) -> bool:
    return isinstance(node[1], list) and node[1][-4:-2] == [(b"$", b"pel-count"), (b":", b"0")]


def _first_difference(one: Node, other: Node) -> tuple[str, Node, Node]:
    """Where in nested arrays two replies part, and what is there; the name of a field says more than its number."""
    path = ""
    while isinstance(one[1], list) and isinstance(other[1], list) and len(one[1]) == len(other[1]):
        at = next(at for at, pair in enumerate(zip(one[1], other[1], strict=True)) if pair[0] != pair[1])
        before = one[1][at - 1] if at % 2 else (b"", None)
        path += f"[{before[1].decode('latin-1') if before[0] == b'$' else at}]"
        one, other = one[1][at], other[1][at]
    return path, one, other
