"""What is fuzzed: functions of bytes that return, or raise what nothing should raise.

Each has its documented errors caught here; everything else that comes out of one is a bug.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from pyredis.acl.rules import apply, check_declaration, merge_selectors
from pyredis.acl.users import User
from pyredis.cluster.messages import HEADER_BYTES, BadPacket, packet_length
from pyredis.cluster.node import MASTER, Node
from pyredis.cluster.nodes_file import ClusterFileError, NodesFile
from pyredis.config.config import Config
from pyredis.config.file import ConfigFileError, ConfigFileUnreadable, Loader
from pyredis.datatypes.encodings import Thresholds
from pyredis.engine.server import Server
from pyredis.errors import AclRuleError, CommandError
from pyredis.persistence.aof.loader import FormatError, NeedMore, Replayer, parse_command
from pyredis.persistence.aof.manifest import ManifestError, read_manifest
from pyredis.persistence.loading import LoadFailed
from pyredis.persistence.rdb import intset, legacy, listpack, streams
from pyredis.persistence.rdb.codes import RdbError
from pyredis.persistence.rdb.options import LoadOptions
from pyredis.persistence.rdb.reader import Reader
from pyredis.persistence.rdb.sink import Sink
from pyredis.util.crc import crc64
from pyredis.util.glob import match
from pyredis.util.quoting import split_args
from tests.cluster.simulation import Network, SimLink, SimNode
from tests.conftest import Peer

from .harness import Bug, check_replies, make_server, reset

Target = Callable[[bytes], None]


@cache
def server(limited: bool = True) -> Server:
    """The server of this process, made when it is first needed."""
    return make_server(limited=limited)


# --- the protocol ------------------------------------------------------------------------------------


def protocol(data: bytes) -> None:
    """A stream of requests in pieces; the first byte says how long these are."""
    host = server()
    peer, other = Peer(host), Peer(host)
    other("SUBSCRIBE", "c")
    size = (data[0] if data else 0) * 4 + 1
    replies = b""
    for at in range(1, len(data), size):
        replies += peer.raw(data[at : at + size])
        if peer.client.closing:
            break
    check_replies(replies + peer.take())
    check_replies(other.take())
    for db in host.databases:
        for value in db.data.values():
            _check_value(value)
    reset(host)


# --- persistence ---------------------------------------------------------------------------------------


def rdb(data: bytes) -> None:
    """A file without regard to its checksum, in chunks; even first bytes ask for deep verification."""
    first = data[0] if data else 0
    options = LoadOptions(Thresholds(), deep=not first & 1)
    reader = Reader(Sink(), options, now=None, total=len(data) - 1, checksum=False)
    size = 1 << (first >> 4)
    try:
        for at in range(1, len(data), size * 16):
            reader.feed(data[at : at + size * 16])
        reader.finish()
    except RdbError:
        pass
    for values, _ in reader.sink.databases.values():
        for value in values.values():
            _check_value(value)


def dump(data: bytes) -> None:
    """The type and payload of RESTORE, to which footer and checksum are added; then every way to read the value."""
    host = server()
    host.config.sanitize_dump_payload = "yes" if data[:1] < b"\x80" else "no"
    body = data[1:] + b"\x0b\x00"
    payload = body + crc64(body).to_bytes(8, "little")
    peer = Peer(host)
    if peer("RESTORE", "k", "0", payload) == b"+OK\r\n":
        value = host.databases[0].data[b"k"]
        _check_value(value)
        kind = peer("TYPE", "k")
        for words in READS.get(kind, ()):
            check_replies(peer(*words))
        again = peer("DUMP", "k")
        check_replies(again)
        check_replies(peer("DEBUG", "DIGEST-VALUE", "k"))
        for words in WRITES.get(kind, ()):
            check_replies(peer(*words))
        if b"k" in host.databases[0].data:
            _check_value(host.databases[0].data[b"k"])
    reset(host)


READS: dict[bytes, tuple[tuple[str, ...], ...]] = {
    b"+string\r\n": (("GET", "k"), ("STRLEN", "k"), ("BITCOUNT", "k"), ("OBJECT", "ENCODING", "k"), ("PFCOUNT", "k")),
    b"+list\r\n": (("LRANGE", "k", "0", "-1"), ("LPOS", "k", "1"), ("LINDEX", "k", "-1"), ("SORT", "k", "ALPHA")),
    b"+set\r\n": (("SMEMBERS", "k"), ("SRANDMEMBER", "k", "-5"), ("SISMEMBER", "k", "1"), ("SSCAN", "k", "0")),
    b"+hash\r\n": (("HGETALL", "k"), ("HRANDFIELD", "k", "3"), ("HSTRLEN", "k", "a"), ("HSCAN", "k", "0")),
    b"+zset\r\n": (("ZRANGE", "k", "0", "-1", "WITHSCORES"), ("ZRANK", "k", "a"), ("ZRANGEBYLEX", "k", "-", "+")),
    b"+stream\r\n": (("XRANGE", "k", "-", "+"), ("XINFO", "STREAM", "k", "FULL"), ("XREVRANGE", "k", "+", "-")),
}
WRITES: dict[bytes, tuple[tuple[str, ...], ...]] = {
    b"+string\r\n": (("APPEND", "k", "x"), ("INCR", "k"), ("SETRANGE", "k", "3", "y"), ("PFADD", "k", "z")),
    b"+list\r\n": (("RPUSH", "k", "x"), ("LINSERT", "k", "BEFORE", "x", "y"), ("LREM", "k", "0", "x"), ("LPOP", "k")),
    b"+set\r\n": (("SADD", "k", "x"), ("SPOP", "k"), ("SREM", "k", "x")),
    b"+hash\r\n": (("HSET", "k", "f", "v"), ("HINCRBY", "k", "n", "1"), ("HDEL", "k", "f")),
    b"+zset\r\n": (("ZADD", "k", "1", "x"), ("ZPOPMIN", "k"), ("ZINCRBY", "k", "2", "x")),
    b"+stream\r\n": (("XADD", "k", "*", "f", "v"), ("XTRIM", "k", "MAXLEN", "1"), ("XDEL", "k", "1-1")),
}


def _check_value(value: Any) -> None:
    check = getattr(value, "_check", None)
    if check is not None:
        check()


def packs(data: bytes) -> None:
    """The compact sequences inside of values: listpack, ziplist, zipmap, intset, a stream's node."""
    decoders: tuple[Callable[[bytes, str], object], ...] = (
        listpack.decode_raw, legacy.decode_ziplist, legacy.decode_zipmap, intset.decode,
        lambda pack, failure: streams.decode_node(0, pack),
    )  # fmt: skip
    for decode in decoders:
        with suppress(RdbError):
            decode(data, "damaged")
    try:
        items = listpack.decode(data, "damaged")
    except RdbError:
        return
    if listpack.decode(listpack.encode(items), "damaged") != items:
        raise Bug("a listpack does not come back as it was")


def aof(data: bytes) -> None:
    """The file of an append-only log: as text, and replayed."""
    at = 0
    try:
        while at < len(data):
            _, at = parse_command(data, at)
    except (FormatError, NeedMore):
        pass
    host = server()
    home = _home()
    with open(os.path.join(home, "appendonly.aof.1.incr.aof"), "wb") as file:
        file.write(data)
    with open(os.path.join(home, "appendonly.aof.manifest"), "wb") as file:
        file.write(b"file appendonly.aof.1.incr.aof seq 1 type i\n")
    _replay(host, home)
    reset(host)


def manifest(data: bytes) -> None:
    """The manifest of an append-only log."""
    host = server()
    home = _home()
    with open(os.path.join(home, "appendonly.aof.manifest"), "wb") as file:
        file.write(data)
    _replay(host, home)
    reset(host)


@cache
def _home() -> str:
    return tempfile.mkdtemp(prefix="fuzz-")


def _replay(host: Server, home: str) -> None:
    try:
        found = read_manifest(os.path.join(home, "appendonly.aof.manifest"))
        for _ in Replayer(host, home, host.persistence.loading).load(found):
            pass
    except (LoadFailed, ManifestError):
        pass


# --- scripts -----------------------------------------------------------------------------------------------


def lua(data: bytes) -> None:
    """The source of a script."""
    host = server()
    peer = Peer(host)
    check_replies(peer("EVAL", data, "1", "key", "argument", data))
    reset(host)


def function(data: bytes) -> None:
    """The source of a library, then a dump of libraries."""
    host = server()
    peer = Peer(host)
    check_replies(peer("FUNCTION", "LOAD", b"#!lua name=x\n" + data))
    check_replies(peer("FCALL", "f", "0"))
    body = data + b"\x0b\x00"
    check_replies(peer("FUNCTION", "RESTORE", body + crc64(body).to_bytes(8, "little")))
    reset(host)


LIBRARIES = (
    b"return redis.pcall('echo', 'x') and cjson.encode(cjson.decode(ARGV[1]))",
    b"return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))",
    b"return {cmsgpack.unpack_limit(ARGV[1], 3, 1)}",
    b"return {struct.unpack(ARGV[2], ARGV[1])}",
    b"return struct.pack(ARGV[2], 1, 'a', 2, 3)",
    b"return struct.size(ARGV[1])",
    b"return cjson.decode(ARGV[1])",
    b"return {string.format(ARGV[1], 1, 2, 'x', 4), string.find(ARGV[1], ARGV[2]), string.rep(ARGV[1], 3)}",
    b"return {tonumber(ARGV[1]), redis.sha1hex(ARGV[1]), bit.tohex(tonumber(ARGV[2]) or 3)}",
    b"return redis.error_reply(ARGV[1])",
    b"return redis.status_reply(ARGV[1])",
    b"redis.setresp(3); return {map={[ARGV[1]]=ARGV[2]}, double=tonumber(ARGV[1])}",
)


def libraries(data: bytes) -> None:
    """The arguments of cjson, cmsgpack, struct and the rest; a NUL byte divides them."""
    host = server()
    peer = Peer(host)
    first, _, second = data.partition(b"\0")
    for source in LIBRARIES:
        check_replies(peer("EVAL", source, "0", data, second))
        check_replies(peer("EVAL", source, "0", first, second))
    reset(host)


# --- rules and configuration ---------------------------------------------------------------------------------


def acl(data: bytes) -> None:
    """Rules of ACL SETUSER, a line of the configuration and a file of users."""
    host = server()
    user = User(b"fuzz")
    try:
        for rule in merge_selectors(data.split(b" ")):
            try:
                apply(user, rule)
            except AclRuleError:
                continue
    except AclRuleError:
        pass
    patterns = [pattern for each in user.selectors for pattern in (*each.keys, *each.channels)]
    if not any(b")" in pattern for pattern in patterns):  # which ends a selector early, in Redis too
        described = _described_again(user.describe())
        if _described_again(described) != described:  # the first time, %RW~* becomes ~*, which clears what was there
            raise Bug(f"{user.describe()!r} comes back as {described!r}")
    with suppress(AclRuleError):
        check_declaration([b"fuzz", *data.split()])
    host.acl._parse_file("users.acl", data)
    old = host.acl.users.pop(b"fuzz", None)
    assert old is None
    with suppress(CommandError):
        host.acl.set_rules(b"fuzz", data.split(b" "))
    if b"fuzz" in host.acl.users:
        peer = Peer(host)
        host.acl.set_user(peer.client, host.acl.users[b"fuzz"])
        for each in (("GET", data), ("MSET", data, "v", b"k", "v"), ("PUBLISH", data, "m"), ("SUBSCRIBE", data)):
            check_replies(peer(*each))
        peer.client.user = host.acl.default_user
        host.acl.delete(b"fuzz")
    reset(host)


def _described_again(description: bytes) -> bytes:
    user = User(b"fuzz")
    for rule in merge_selectors(description.split(b" ")):
        apply(user, rule)
    return user.describe()


def config(data: bytes) -> None:
    """A configuration file."""
    text = b"\n".join(
        line for line in data.split(b"\n") if not any(word in line.lower() for word in (b"logfile", b"include"))
    )
    with suppress(ConfigFileError, ConfigFileUnreadable):
        Loader(Config()).load(None, text)
    split_args(data)


def pattern(data: bytes) -> None:
    """A glob pattern against a string, divided by a NUL byte."""
    glob, _, text = data.partition(b"\0")
    for nocase in (False, True):
        match(glob, text, nocase)
        match(glob, data, nocase)


# --- the cluster -----------------------------------------------------------------------------------------------

NAMES = ("a" * 40, "b" * 40, "c" * 40)
"""Nodes that the target of packets knows: a master with a link of ours, its replica, one we cannot reach."""


def _member() -> tuple[SimNode, list[SimLink]]:
    network = Network()
    node = network.add()
    node.config.dir = _home()
    known = [Node(name, name[::-1], MASTER, network.now_ms) for name in NAMES]
    for number, other in enumerate(known):
        other.ip, other.tcp_port, other.bus_port = f"10.0.1.{number}", 7000, 17000
        node.state.add_node(other)
    node.take(range(100))
    for slot in range(100, 200):
        node.state.assign(slot, known[0])
    outbound, inbound = SimLink(network, node, known[0], "10.0.1.0"), SimLink(network, node, None, "10.0.1.9")
    known[0].link = outbound
    return node, [inbound, outbound]


def bus(data: bytes) -> None:
    """Packets of the bus, those on our own link and those on another's in turn; then the periodic task."""
    node, links = _member()
    for link in links:
        at = 0
        while at + 8 <= len(data) and not link.closed:
            try:
                length = packet_length(data[at : at + 8])
            except BadPacket:
                break
            if at + length > len(data):
                break
            if not node.member.received(link, data[at : at + length]):
                link.close()
            at += max(length, HEADER_BYTES)
    node.member.cron.before_sleep()
    node.network.now_ms += 60_000
    node.member.cron.turn()
    node.member.cron.before_sleep()
    _save_and_load(node)


def nodes(data: bytes) -> None:
    """The file in which a node keeps what it knows of the cluster."""
    with open(os.path.join(_home(), "nodes.conf"), "wb") as file:
        file.write(data)
    node = Network().add()
    node.config.dir = _home()
    with suppress(ClusterFileError):
        NodesFile(node.config, node.log, node.state).load()  # type: ignore[arg-type]


def _save_and_load(node: SimNode) -> None:
    """What a node knows can be read again after it was written."""
    file = NodesFile(node.config, node.log, node.state)  # type: ignore[arg-type]
    file.save(sync=False)
    again = Network().add()
    again.config.dir = node.config.dir
    try:
        NodesFile(again.config, again.log, again.state).load()  # type: ignore[arg-type]
    except ClusterFileError:
        with open(file.path, "rb") as text:
            raise Bug(f"cannot be read again: {text.read()!r}") from None


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        protocol, rdb, dump, packs, aof, manifest, lua, function, libraries, acl, config, pattern, bus, nodes,
    )
}  # fmt: skip
