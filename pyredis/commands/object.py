"""OBJECT: how a value is kept (object.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..datatypes.values import SHARED_REFERENCES, encoding, is_shared_integer
from ..errors import FrequencyUntracked, IdleTimeUntracked
from ..registry.command import Argv, Reply, command
from ..registry.flags import LOADING, LOOKS_ONLY, READONLY, RO, STALE
from ..registry.keyspecs import at
from ..resp.encode import ONE, bulk, integer
from .help import help_reply

if TYPE_CHECKING:
    from ..engine.client import Client

UNSTABLE: Final = ("nondeterministic_output",)

HELP: Final = (
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
)


def _look(client: Client, key: bytes) -> Any:
    """The value of *key*: counted as a hit or miss, but without an event or a new access time."""
    value = client.db.peek(key)
    if value is None:
        client.server.keyspace_misses += 1
    else:
        client.server.keyspace_hits += 1
    return value


@command("OBJECT", arity=-2)
def object_(client: Client, argv: Argv) -> Reply:
    """OBJECT subcommand"""
    return help_reply("OBJECT", HELP)


@command("OBJECT|HELP", arity=2, flags=LOADING | STALE, acl="keyspace")
def object_help(client: Client, argv: Argv) -> Reply:
    """OBJECT HELP"""
    return help_reply("OBJECT", HELP)


@command("OBJECT|ENCODING", arity=3, flags=READONLY | LOOKS_ONLY, keys=at(2, RO), acl="keyspace", tips=UNSTABLE)
def object_encoding(client: Client, argv: Argv) -> Reply:
    """OBJECT ENCODING key"""
    value = _look(client, argv[2])
    return client.wire.null if value is None else bulk(encoding(value))


@command("OBJECT|REFCOUNT", arity=3, flags=READONLY | LOOKS_ONLY, keys=at(2, RO), acl="keyspace", tips=UNSTABLE)
def object_refcount(client: Client, argv: Argv) -> Reply:
    """OBJECT REFCOUNT key"""
    value = _look(client, argv[2])
    if value is None:
        return client.wire.null
    config = client.server.config
    shares = config.maxmemory == 0 or not config.maxmemory_policy.endswith(("lru", "lfu"))
    return integer(SHARED_REFERENCES) if shares and is_shared_integer(value) else ONE


@command("OBJECT|IDLETIME", arity=3, flags=READONLY | LOOKS_ONLY, keys=at(2, RO), acl="keyspace", tips=UNSTABLE)
def object_idletime(client: Client, argv: Argv) -> Reply:
    """OBJECT IDLETIME key"""
    server = client.server
    if _look(client, argv[2]) is None:
        return client.wire.null
    if server.config.maxmemory_policy.endswith("lfu"):
        raise IdleTimeUntracked
    server.accesses.ask()
    return integer(server.idle_ms(client.db, argv[2]) // 1000)


@command("OBJECT|FREQ", arity=3, flags=READONLY | LOOKS_ONLY, keys=at(2, RO), acl="keyspace", tips=UNSTABLE)
def object_freq(client: Client, argv: Argv) -> Reply:
    """OBJECT FREQ key"""
    server = client.server
    if _look(client, argv[2]) is None:
        return client.wire.null
    if not server.config.maxmemory_policy.endswith("lfu"):
        raise FrequencyUntracked
    return integer(server.frequency(client.db, argv[2]))
