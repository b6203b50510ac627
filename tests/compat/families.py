"""Command families: which commands meet in one script, on which keys, from which start."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from . import values
from .choices import Choices
from .grammar import Argv, call, documentation, lexical, words_of
from .rules import names
from .scripts import DEFAULTS, Script, Step

TIGHT: dict[str, str] = {
    "hash-max-listpack-entries": "4",
    "hash-max-listpack-value": "16",
    "set-max-intset-entries": "4",
    "set-max-listpack-entries": "5",
    "set-max-listpack-value": "16",
    "zset-max-listpack-entries": "4",
    "zset-max-listpack-value": "16",
    "list-max-listpack-size": "4",
    "list-compress-depth": "1",
}
"""Thresholds so low that a short script crosses them."""

FORBIDDEN = names(
    """migrate wait waitaof object|freq script|debug script|kill script|flush function|kill function|stats
    pfdebug pfselftest"""
)
"""Commands the general grammar leaves out: they block, or depend on the process."""


@dataclass(frozen=True)
class Family:
    """*groups* names COMMAND DOCS groups whose commands belong here; *extra* adds weighted commands."""

    groups: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    weights: dict[str, int] = field(default_factory=dict)
    write: Callable[[Choices, Family], Script] | None = None


# --- start states ------------------------------------------------------------------------------------


def _elements(choices: Choices) -> list[bytes]:
    pool = choices.pick((values.WORDS[:8], values.WORDS[8:14], values.WORDS))
    return choices.several(lambda: choices.pick(pool), 1, 7)


def populate(choices: Choices, kind: str) -> Argv:
    """A command that creates a key of type *kind*."""
    name = choices.pick(values.KEYS[kind])
    words = _elements(choices)
    match kind:
        case "string" | "bitmap":
            return [b"SET", name, choices.pick(words)]
        case "list":
            return [b"RPUSH", name, *words]
        case "set":
            return [b"SADD", name, *words]
        case "hash":
            return [b"HSET", name, *(w for word in words for w in (choices.pick(values.FIELDS), word))]
        case "sorted-set":
            return [b"ZADD", name, *(w for word in words for w in (choices.pick(values.SCORES[:12]), word))]
        case "stream":
            return [b"XADD", name, choices.pick((b"1-1", b"2-1", b"5-5")), b"f", words[0]]
        case "geo":
            place = (choices.pick(values.LONGITUDES), choices.pick(values.LATITUDES), choices.pick(values.WORDS[:4]))
            return [b"GEOADD", name, *place, b"15.087269", b"37.502669", b"b"]
        case _:
            return [b"PFADD", name, *words]


GENERAL = ("del", "exists", "type", "object|encoding", "rename", "copy", "expire", "ttl", "persist", "touch", "unlink")


def members(family: Family) -> list[tuple[int, str]]:
    """The family's commands with their weights."""
    own = list(family.commands)
    for name, docs in documentation().items():
        if docs["group"] in family.groups and name not in FORBIDDEN and name not in BLOCKING and name not in LEXICAL:
            own.append(name)
    unique = dict.fromkeys([*own, *family.extra])
    return [(family.weights.get(name, 4 if name in own else 1), name) for name in unique]


def settings(choices: Choices) -> tuple[tuple[str, str], ...]:
    return tuple({**DEFAULTS, **(TIGHT if choices.chance(50) else {})}.items())


def resp(choices: Choices) -> int:
    return 3 if choices.chance(30) else 2


def follow_up(argv: Argv) -> list[Argv]:
    """Commands that must come after *argv* so that a random outcome does not reach the rest of the script."""
    if argv[0].lower() == b"spop" and len(argv) > 1:
        return [[b"SCARD", argv[1]], [b"DEL", argv[1]]]
    return []


def key_pool(family: Family) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(key for kind in family.keys for key in values.KEYS[kind]))


def plain(choices: Choices, family: Family) -> Script:
    """One connection: some state, then commands of the family."""
    commands, keys = members(family), key_pool(family)
    steps: list[Argv] = choices.several(lambda: populate(choices, choices.pick(family.keys)), 0, 5)
    for _ in range(1 + choices.integer(0, 24)):
        argv = call(choices, choices.weighted(commands), keys)
        steps += [argv, *follow_up(argv)]
    return Script(tuple(Step(tuple(argv)) for argv in steps), resp(choices), 1, settings(choices))


LEXICAL = names("zrangebylex zrevrangebylex zlexcount zremrangebylex")
"""Defined only while all scores are equal, so they have a family of their own."""


def lex(choices: Choices, family: Family) -> Script:
    """Ranges by name over members of one score."""
    commands = [(6, "zadd"), (4, "zrange"), (2, "zrangestore"), (1, "zrem"), (1, "zcard")]
    commands += [(3, name) for name in sorted(LEXICAL)]
    length = 2 + choices.integer(0, 20)
    steps = [lexical(choices, choices.weighted(commands), values.KEYS["sorted-set"]) for _ in range(length)]
    return Script(tuple(Step(tuple(argv)) for argv in steps), resp(choices), 1, settings(choices))


# --- transactions --------------------------------------------------------------------------------------


def transactions(choices: Choices, family: Family) -> Script:
    """MULTI, EXEC, DISCARD, WATCH among commands of every core type, two connections."""
    everything = [entry for name in CORE for entry in members(FAMILIES[name]) if entry[1] != "spop"]
    keys = values.ALL_KEYS
    steps = [Step(tuple(populate(choices, choices.pick(CORE_KEYS)))) for _ in range(choices.integer(0, 4))]
    for _ in range(2 + choices.integer(0, 20)):
        connection = choices.weighted(((4, 0), (1, 1)))
        name = choices.weighted(((5, ""), (2, "multi"), (2, "exec"), (1, "discard"), (2, "watch"), (1, "unwatch")))
        argv = call(choices, name or choices.weighted(everything), keys)
        steps.append(Step(tuple(argv), connection))
    return Script(tuple(steps), resp(choices), 2, settings(choices))


# --- several connections ----------------------------------------------------------------------------------

PUBSUB = (
    (4, "subscribe"), (3, "psubscribe"), (3, "ssubscribe"),
    (2, "unsubscribe"), (2, "punsubscribe"), (2, "sunsubscribe"),
    (6, "publish"), (4, "spublish"), (1, "pubsub|channels"), (1, "pubsub|numsub"), (1, "pubsub|numpat"),
    (1, "pubsub|shardchannels"), (1, "pubsub|shardnumsub"), (1, "ping"), (1, "get"), (1, "multi"), (1, "exec"),
    (1, "set"), (1, "reset"), (1, "discard"),
)  # fmt: skip


def pubsub(choices: Choices, family: Family) -> Script:
    """Subscribers of all three kinds, publishers, and commands refused in subscribed mode."""
    steps = []
    for _ in range(2 + choices.integer(0, 20)):
        argv = call(choices, choices.weighted(PUBSUB), values.KEYS["string"])
        steps.append(Step(tuple(argv), choices.integer(0, 2)))
    return Script(tuple(steps), resp(choices), 3, settings(choices))


def notifications(choices: Choices, family: Family) -> Script:
    """One connection listens to every keyspace event while another runs commands of every type."""
    everything = [entry for name in CORE for entry in members(FAMILIES[name]) if entry[1] != "spop"]
    classes = choices.pick(("AKE", "KEA", "Kg$", "Elshzx", "KEn", "AKEnm", "E$m"))
    steps = [
        Step((b"PSUBSCRIBE", b"__key*__:*"), 1),
        Step((b"CONFIG", b"SET", b"notify-keyspace-events", classes.encode())),
    ]
    for _ in range(2 + choices.integer(0, 15)):
        steps.append(Step(tuple(call(choices, choices.weighted(everything), values.ALL_KEYS))))
    return Script(tuple(steps), resp(choices), 2, settings(choices))


def blocking(choices: Choices, family: Family) -> Script:
    """Clients block on lists and sorted sets while others push, delete, rename, unblock and transact."""
    keys = values.KEYS["list"] + values.KEYS["sorted-set"]
    waits = [(3, name) for name in BLOCKING]
    others = [(2, name) for name in FEEDING] + [(1, name) for name in GENERAL]
    control = [(1, name) for name in ("multi", "exec", "client|unblock", "move", "select", "discard")]
    steps = []
    for _ in range(2 + choices.integer(0, 18)):
        connection = choices.integer(0, 3)
        pool = waits if choices.chance(40) else others + control
        argv = call(choices, choices.weighted(pool), keys)
        if choices.chance(5) and len(argv) > 2 and argv[0].lower().decode("latin-1") in BLOCKING:
            at = 1 if argv[0].lower() in (b"blmpop", b"bzmpop") else len(argv) - 1
            argv[at] = b"0.01"
            steps.append(Step(tuple(argv), connection, wait=0.06))
        else:
            steps.append(Step(tuple(argv), connection))
    return Script(tuple(steps), resp(choices), 4, settings(choices))


BLOCKING = ("blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin", "bzpopmax", "bzmpop")
FEEDING = ("lpush", "rpush", "zadd", "lpop", "lmove", "zpopmin", "rpoplpush", "linsert", "sort", "zunionstore", "lmpop")

CONNECTION = (
    (3, "select"), (2, "client|setname"), (2, "client|getname"), (1, "client|setinfo"),
    (2, "client|tracking"), (1, "client|getredir"), (1, "client|caching"), (1, "client|no-evict"),
    (1, "client|no-touch"), (3, "hello"), (2, "auth"), (3, "ping"), (3, "echo"), (2, "reset"), (1, "multi"),
    (1, "exec"), (1, "client|unblock"), (1, "acl|whoami"), (3, "get"), (3, "set"), (1, "swapdb"), (1, "move"),
    (1, "dbsize"), (1, "flushdb"), (1, "client|help"), (1, "object|help"), (1, "config|help"), (1, "hgetall"),
    (1, "config|get"), (1, "command|count"), (1, "client|reply"), (1, "acl|cat"), (1, "command|list"),
    (1, "command|getkeys"), (1, "client|trackinginfo"),
)  # fmt: skip


def connection(choices: Choices, family: Family) -> Script:
    """State of connections: protocol, name, database, tracking; and containers' errors."""
    steps = []
    for _ in range(2 + choices.integer(0, 20)):
        name = choices.weighted(CONNECTION)
        argv = call(choices, name, values.KEYS["string"])
        if name == "client|reply":
            argv = [b"CLIENT", b"REPLY", choices.pick((b"ON", b"BAD", b"on"))]
        if choices.chance(4):
            argv = [*words_of(name, choices), b"nosuch"]
        steps.append(Step(tuple(argv), choices.integer(0, 1)))
    return Script(tuple(steps), resp(choices), 2, settings(choices))


def tracking(choices: Choices, family: Family) -> Script:
    """Client-side caching: reads by tracking clients, writes by others, invalidations compared."""
    everything = [entry for name in CORE for entry in members(FAMILIES[name]) if entry[1] != "spop"]
    modes: tuple[Argv, ...] = (
        [b"CLIENT", b"TRACKING", b"ON"], [b"CLIENT", b"TRACKING", b"ON", b"NOLOOP"], [b"CLIENT", b"TRACKING", b"OFF"],
        [b"CLIENT", b"TRACKING", b"ON", b"OPTIN"], [b"CLIENT", b"TRACKING", b"ON", b"OPTOUT"],
        [b"CLIENT", b"TRACKING", b"ON", b"BCAST"], [b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", b"s:"],
        [b"CLIENT", b"TRACKING", b"ON", b"REDIRECT", b"{id:1}"], [b"CLIENT", b"CACHING", b"YES"],
        [b"CLIENT", b"CACHING", b"NO"],
    )  # fmt: skip
    steps = [Step(tuple(choices.pick(modes[:7])), 0)]
    for _ in range(2 + choices.integer(0, 20)):
        switch = choices.chance(12)
        argv = choices.pick(modes) if switch else call(choices, choices.weighted(everything), values.ALL_KEYS)
        steps.append(Step(tuple(argv), choices.integer(0, 1)))
    return Script(tuple(steps), 3 if choices.chance(85) else 2, 2, settings(choices))


EXPIRY = (
    "expire", "pexpire", "expireat", "pexpireat", "ttl", "pttl", "expiretime", "pexpiretime", "persist",
    "getex", "exists",
)  # fmt: skip
CORE = ("string", "bitmap", "list", "set", "hash", "zset", "keys", "expire")
CORE_KEYS = ("string", "bitmap", "list", "set", "hash", "sorted-set")

FAMILIES: dict[str, Family] = {
    "string": Family(("string",), keys=("string",), extra=GENERAL, weights={"set": 10, "lcs": 2}),
    "bitmap": Family(
        ("bitmap",), keys=("bitmap",), extra=("set", "get", "append", "setrange", "del", "object|encoding")
    ),
    "list": Family(("list",), keys=("list",), extra=GENERAL),
    "set": Family(("set",), keys=("set",), extra=GENERAL, weights={"sadd": 10}),
    "hash": Family(("hash",), keys=("hash",), extra=GENERAL, weights={"hset": 8}),
    "zset": Family(("sorted-set",), keys=("sorted-set",), extra=(*GENERAL, "sadd"), weights={"zadd": 16, "zrange": 10}),
    "lex": Family(write=lex),
    "keys": Family(
        ("generic",),
        keys=CORE_KEYS,
        commands=("dbsize", "randomkey", "select", "swapdb", "flushdb"),
        extra=("set", "get", "incr", "hset", "lpush", "sadd", "zadd"),
        weights={"sort": 1, "sort_ro": 1, "scan": 1, "flushdb": 1},
    ),
    "expire": Family(
        keys=CORE_KEYS,
        commands=EXPIRY,
        extra=("set", "setex", "psetex", "rename", "copy", "append", "incr", "lpush", "del", "getset", "hset"),
    ),
    "scan": Family(
        keys=CORE_KEYS,
        commands=("scan", "sscan", "hscan", "zscan", "keys", "randomkey"),
        extra=("sadd", "hset", "zadd", "del"),
    ),
    "sort": Family(
        keys=("list", "set", "sorted-set"),
        commands=("sort", "sort_ro"),
        extra=("mset", "hset", "rpush", "sadd", "zadd", "lrange"),
        weights={"sort": 12},
    ),
    "stream": Family(
        ("stream",),
        keys=("stream",),
        extra=("del", "type", "object|encoding"),
        weights={"xadd": 16, "xgroup|create": 12},
    ),
    "geo": Family(("geo",), keys=("geo",), extra=("zadd", "zrange", "del"), weights={"geoadd": 10}),
    "hll": Family(("hyperloglog",), keys=("hyperloglog",), extra=("get", "set", "strlen", "del"), weights={"pfadd": 8}),
    "scripting": Family(
        ("scripting",), keys=("string", "list", "hash"), extra=("get", "set", "del"), weights={"eval": 16}
    ),
    "config": Family(
        keys=CORE_KEYS,
        commands=("config|set",),
        extra=("object|encoding", "hset", "sadd", "zadd", "rpush", "lpush", "hincrby"),
    ),
    "mixed": Family(("string", "bitmap", "list", "set", "hash", "sorted-set", "generic"), keys=CORE_KEYS),
    "transactions": Family(write=transactions),
    "pubsub": Family(write=pubsub),
    "notifications": Family(write=notifications),
    "blocking": Family(write=blocking),
    "connection": Family(write=connection),
    "tracking": Family(write=tracking),
}

FIRST = (
    "string", "bitmap", "list", "set", "hash", "zset", "lex", "keys", "expire", "scan", "sort", "config", "mixed",
    "transactions", "pubsub", "notifications", "blocking", "connection", "tracking",
)  # fmt: skip
"""What the core server must pass; the other families wait for their commands."""


def write(choices: Choices, name: str) -> Script:
    """A script of the family *name*."""
    family = FAMILIES[name]
    return (family.write or plain)(choices, family)


def with_inventories(absent: Collection[str]) -> set[str]:
    """*absent* commands, containers of nothing else, and the commands whose replies count or list all others."""
    present = {name.partition("|")[0] for name in documentation().keys() - set(absent)}
    containers = {name.partition("|")[0] for name in absent} - present
    return {*absent, *containers, "command", "command|list", "command|count", "acl|cat"} if absent else set()
