"""Where Redis itself is free (order, chance, time), declared command by command.

Everything else must be equal to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .wire import Node

Argv = Sequence[bytes]


def names(text: str) -> frozenset[str]:
    """A set of command names, written as one text."""
    return frozenset(text.split())


CONTAINERS = names(
    "acl client cluster command config debug function latency memory module object pubsub script slowlog xgroup xinfo"
)

ALWAYS_UNORDERED = names(
    """keys pubsub|channels pubsub|shardchannels command command|list command|info acl|cat acl|users config|get
    function|list"""
)
"""Replies that walk a hash table of the server."""

UNORDERED_FROM_HASHTABLE = names("smembers sinter sunion sdiff hkeys hvals hgetall sort sort_ro eval eval_ro")
"""Replies whose order is free only while a set or hash involved has the encoding hashtable."""

UNORDERED_STORES = names("sinterstore sunionstore sdiffstore sort")
"""Commands that may carry a hash table's order into a value of another encoding."""

RANDOM = names("srandmember hrandfield zrandmember spop randomkey")
"""Chance decides which elements; their number and types must agree."""

OPAQUE = names(
    """time lastsave client|id client|list client|info info memory|usage memory|stats memory|doctor lolwut acl|genpass
    client|getredir slowlog|get slowlog|len acl|log latency|latest latency|history latency|histogram latency|doctor
    hello dump client|trackinginfo object|freq command|docs"""
)
"""Only the outer shape of the reply is compared."""

NEAR: dict[str, int] = {
    "ttl": 2, "pttl": 2500, "expiretime": 2, "pexpiretime": 2500, "object|idletime": 2,
}  # fmt: skip
"""Integers that depend on the clock, with the difference allowed."""

SCANS: dict[str, int] = {"scan": 1, "sscan": 1, "hscan": 2, "zscan": 2}
"""Cursor replies, with the number of words per element."""


def canonical(argv: Argv) -> str:
    """``get``, ``config|get``: the command's name as COMMAND prints it."""
    if not argv:
        return ""
    name = argv[0].decode("latin-1").lower()
    if name in CONTAINERS and len(argv) > 1:
        return f"{name}|{argv[1].decode('latin-1').lower()}"
    return name


def is_error(node: Node | None) -> bool:
    return node is not None and node[0] in b"-!"


def shape(node: Node) -> tuple[object, ...]:
    """Types and lengths, without contents."""
    kind, value = node
    if isinstance(value, list):
        return (kind, len(value))
    if is_error(node):
        return (kind, value)
    return (kind, value is None)


def deep_sorted(node: Node, width: int = 1) -> Node:
    """*node* with the elements (groups of *width*) of every aggregate in one fixed order."""
    kind, value = node
    if not isinstance(value, list):
        return node
    items = [deep_sorted(item) for item in value]
    step = 2 if kind in b"%|" else width
    groups = sorted((items[at : at + step] for at in range(0, len(items), step)), key=repr)
    return (kind, [item for group in groups for item in group])


@dataclass(frozen=True)
class Verdict:
    """What the rules say about two unequal replies."""

    equal: bool
    order_only: bool = False


SAME, DIFFERENT, ORDER = Verdict(True), Verdict(False), Verdict(False, order_only=True)


def judge(argv: Argv, left: Node, right: Node) -> Verdict:
    """Compare the real server's reply *left* with *right*, both to the command *argv*."""
    if left == right:
        return SAME
    if is_error(left) or is_error(right):
        return DIFFERENT
    name = canonical(argv)
    if name in SCANS:
        return _judge_scan(argv, left, right, SCANS[name])
    if name in OPAQUE:
        return SAME if left[0] == right[0] and (left[1] is None) == (right[1] is None) else DIFFERENT
    if name in RANDOM:
        return SAME if shape(left) == shape(right) else DIFFERENT
    if name in NEAR:
        return SAME if _near(left, right, NEAR[name]) else DIFFERENT
    if name in ("sort", "sort_ro") and sorts_by_chance(argv):
        return ORDER if shape(left) == shape(right) else DIFFERENT
    width = 2 if name in ("hgetall", "config|get") else 1
    if name in ALWAYS_UNORDERED or name in UNORDERED_FROM_HASHTABLE:
        if deep_sorted(left, width) != deep_sorted(right, width):
            return DIFFERENT
        return SAME if name in ALWAYS_UNORDERED else ORDER
    return DIFFERENT


def sorts_by_chance(argv: Argv) -> bool:
    """SORT whose result depends on the order of its source: BY a constant, or ties of BY and ALPHA."""
    upper = [word.upper() for word in argv]
    patterns = [argv[at + 1] for at, word in enumerate(upper[:-1]) if word == b"BY"]
    return bool(patterns) and (b"ALPHA" in upper or not all(b"*" in pattern for pattern in patterns))


def is_reply(node: Node) -> bool:
    """Whether a frame answers a command; the other ones are messages."""
    kind, value = node
    if kind != b">":
        return True
    return bool(value) and isinstance(value[0][1], bytes) and value[0][1].endswith(b"subscribe")


def _near(left: Node, right: Node, tolerance: int) -> bool:
    if left[0] != b":" or right[0] != b":":
        return False
    one, other = int(left[1]), int(right[1])
    return one >= 0 and other >= 0 and abs(one - other) <= tolerance


def _judge_scan(argv: Argv, left: Node, right: Node, width: int) -> Verdict:
    """Complete iterations must agree as sets; an interrupted one may stop anywhere."""
    if shape(left) != shape(right) or len(left[1]) != 2:
        return DIFFERENT
    if argv[1 if argv[0].lower() == b"scan" else 2] != b"0":
        return ORDER
    (_, here), (_, there) = left[1][0], right[1][0]
    if here == there == b"0":
        return SAME if deep_sorted(left[1][1], width) == deep_sorted(right[1][1], width) else DIFFERENT
    upper = [word.upper() for word in argv]
    counts = [argv[at + 1] for at, word in enumerate(upper[:-1]) if word == b"COUNT"]
    whole = any(count.isdigit() and int(count) >= 1000 for count in counts)
    return DIFFERENT if whole else SAME


def left_errno(before: Iterable[Argv], argv: Argv, left: Node) -> bool:
    """Whether 7.2.4 may refuse a SORT because of an earlier command.

    sortCommandGeneric looks at errno without clearing it, so a number out of range that any command
    parsed before makes it report a score that cannot be converted.
    """
    if canonical(argv) not in ("sort", "sort_ro") or not is_error(left) or b"converted" not in left[1]:
        return False
    return any(_out_of_range(word) for earlier in before for word in earlier)


def _out_of_range(word: bytes) -> bool:
    try:
        size = abs(float(word))
    except ValueError:
        return False
    digits = word.lower().partition(b"e")[0]
    return (size < 2.3e-308 and digits.strip(b"+-0.") != b"") or (size == float("inf") and b"inf" not in word.lower())


def deliveries_agree(cause: Argv, expected: list[Node], found: list[Node]) -> bool:
    """Whether two runs of frames are equal, where one command may reach a client in several orders.

    The patterns that match a message, and the channels that UNSUBSCRIBE without arguments leaves,
    come in the order of a hash table.
    """
    if expected == found:
        return True
    name = canonical(cause)
    if name in ("publish", "exec", "unsubscribe", "punsubscribe", "sunsubscribe"):
        if sorted(map(repr, expected)) == sorted(map(repr, found)):
            return True
        counts = [[node[1][2:] if isinstance(node[1], list) else node for node in side] for side in (expected, found)]
        names = [sorted(repr(node[1][:2]) for node in side if isinstance(node[1], list)) for side in (expected, found)]
        return len(cause) == 1 and name.endswith("unsubscribe") and counts[0] == counts[1] and names[0] == names[1]
    return False


def signature(node: Node | None) -> str:
    """A reply reduced to what makes mismatches alike."""
    if node is None:
        return "nothing"
    kind, value = node[0], node[1]
    mark: str = kind.decode("latin-1")
    if kind in b"-!":
        return mark + str(value, "latin-1")[:70].split("'")[0].split("`")[0]
    if kind == b"+":
        return mark + str(value, "latin-1")[:20]
    if isinstance(value, list):
        return f"{mark}{len(value) if len(value) < 2 else 'n'}"
    if value is None:
        return mark + "nil"
    return mark


Known = Callable[[str, tuple[int, ...]], bool]


@dataclass(frozen=True)
class Difference:
    """A difference between 7.2.4 and another real server that is not ours to follow."""

    applies: Known
    reason: str
    commands: frozenset[str]
    argument: bytes = b""
    """Only calls that have this word (any case) among their arguments."""
    reply: bytes = b""
    """Only where one of the two replies contains this."""

    def covers(self, server: str, version: tuple[int, ...], argv: Argv, replies: Sequence[Node | None]) -> bool:
        if not self.applies(server, version) or canonical(argv) not in self.commands:
            return False
        if self.argument and self.argument not in [word.upper() for word in argv]:
            return False
        return not self.reply or any(self.reply in repr(node).encode() for node in replies)


def _redis_7_0(server: str, version: tuple[int, ...]) -> bool:
    return server == "redis" and version < (7, 2)


def _valkey(server: str, version: tuple[int, ...]) -> bool:
    return server == "valkey"


def _other(server: str, version: tuple[int, ...]) -> bool:
    return (server, version) != ("redis", (7, 2, 4))


_BLOCKING = names("blpop brpop blmove brpoplpush blmpop bzpopmin bzpopmax bzmpop")
_RANGES = names("zrange zrangestore zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex")
_SCANNING = names("scan sscan hscan zscan")

KNOWN: tuple[Difference, ...] = (
    Difference(
        _other,
        "help texts change with every version",
        names("object|help client|help config|help command|help pubsub|help"),
    ),
    Difference(
        _other,
        "the set of commands and of their flags differs",
        names("command command|list command|count command|info acl|cat"),
    ),
    Difference(_redis_7_0, "thresholds of sets in listpacks came with 7.2", names("config|set config|get")),
    Difference(_redis_7_0, "WITHSCORE came with 7.2", names("zrank zrevrank")),
    Difference(_redis_7_0, "the subcommand came with 7.2", names("client|no-touch client|setinfo")),
    Difference(_redis_7_0, "keyless commands were refused by arity", names("command|getkeys command|getkeysandflags")),
    Difference(_redis_7_0, "timeouts beyond the range of a long were not refused", _BLOCKING, reply=b"timeout"),
    Difference(_redis_7_0, "small lists and sets were not kept in listpacks", names("object|encoding")),
    Difference(_redis_7_0, "an index beyond 32 bits wraps in the listpacks of 7.2", names("lset lindex")),
    Difference(_redis_7_0, "a rank of LONG_MIN was accepted", names("lpos"), reply=b"out of range"),
    Difference(_redis_7_0, "the name was checked after the password", names("hello"), argument=b"SETNAME"),
    Difference(_redis_7_0, "a publisher got its own message before the reply", names("publish spublish")),
    Difference(_valkey, "nothing to unsubscribe from is an error", names("unsubscribe punsubscribe sunsubscribe")),
    Difference(_valkey, "the option came with 8.0", names("hscan"), argument=b"NOVALUES"),
    Difference(_valkey, "another text", names("multi watch"), reply=b"transaction"),
    Difference(_valkey, "unknown types are refused", names("scan"), argument=b"TYPE"),
    Difference(_valkey, "cursors are parsed with other limits", _SCANNING, reply=b"invalid cursor"),
    Difference(_valkey, "a start without an end is allowed", names("bitcount bitpos")),
    Difference(_valkey, "a negative offset of LIMIT skips nothing", _RANGES, argument=b"LIMIT"),
    Difference(_valkey, "a time in the past deletes without an event", names("set getex"), reply=b"message"),
    Difference(_valkey, "a count of LONG_MIN is refused", names("lrem"), reply=b"out of range"),
)


def known_difference(server: str, version: tuple[int, ...], argv: Argv, replies: Sequence[Node | None]) -> str | None:
    """Why the two may differ here; None if they may not.  7.2.4 knows no exceptions."""
    for difference in KNOWN:
        if difference.covers(server, version, argv, replies):
            return difference.reason
    return None


def lenient(server: str, version: tuple[int, ...]) -> bool:
    """Whether sets may come in another order: encodings and hash tables differ between versions."""
    return _other(server, version)


def same_numbers(server: str, version: tuple[int, ...], left: Node, right: Node) -> bool:
    """7.0 prints a double with 17 digits, 7.2 with as few as identify it; valkey keeps the sign of -0."""
    if left == right:
        return True
    if not _other(server, version) or left[0] != right[0]:
        return False
    one, other = left[1], right[1]
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same_numbers(server, version, *pair) for pair in pairs)
    try:
        return float(one) == float(other)
    except (TypeError, ValueError):
        return False


def encodings_comparable(server: str, version: tuple[int, ...], type_name: bytes) -> bool:
    """Only strings keep the same encodings across versions."""
    return type_name == b"string" or not _other(server, version)
