"""Command flags, ACL categories, key-spec flags and gates, as bit masks.

Flags up to ``ASKING`` are those COMMAND reports; the later ones are ours and take the place of
comparisons with a command's name (Redis compares ``cmd->proc`` in such places).
"""

from __future__ import annotations

# --- command flags: the order is that of COMMAND's reply (server.c addReplyFlagsForCommand) --------
WRITE = 1 << 0
READONLY = 1 << 1
DENYOOM = 1 << 2
ADMIN = 1 << 4
PUBSUB = 1 << 5
NOSCRIPT = 1 << 6
BLOCKING = 1 << 7
LOADING = 1 << 8
STALE = 1 << 9
SKIP_MONITOR = 1 << 10
SKIP_SLOWLOG = 1 << 11
ASKING = 1 << 12
FAST = 1 << 13
NO_AUTH = 1 << 14
MAY_REPLICATE = 1 << 15
SENTINEL = 1 << 16
ONLY_SENTINEL = 1 << 17
NO_MANDATORY_KEYS = 1 << 18
PROTECTED = 1 << 19
NO_ASYNC_LOADING = 1 << 21
NO_MULTI = 1 << 22
ALLOW_BUSY = 1 << 23
MOVABLE_KEYS = 1 << 24
TOUCHES_ARBITRARY_KEYS = 1 << 25

IMMEDIATE = 1 << 40
"""Runs at once inside MULTI instead of being queued (EXEC, DISCARD, WATCH, ...)."""
SUBSCRIBED = 1 << 41
"""Allowed to a RESP2 client that is in subscribed mode."""
DIAGNOSTIC = 1 << 42
"""Refused like a write while the disk cannot be written: PING (server.c processCommand)."""
UNPAUSABLE = 1 << 43
"""Never postponed by CLIENT PAUSE."""
RELAYS_SCRIPT = 1 << 44
"""EVAL and FCALL: what they may do is decided by the script's own flags."""
SETS_ONE_SHOT = 1 << 46
"""CLIENT REPLY and CLIENT CACHING: what they set for the next command outlives them."""
REPLIES_BY_PUSH = 1 << 47
"""SUBSCRIBE and its like: what they answer are pushes, which CLIENT REPLY OFF lets through."""
GUARDED = 1 << 51
"""Always takes the guarded path: QUIT, which closes the client; AUTH and HELLO, which hide arguments."""
LOOKS_ONLY = 1 << 52
"""Does not count as a use of its keys: TYPE, TTL, OBJECT ... (db.c LOOKUP_NOTOUCH), and RESTORE, which is told."""
ALWAYS_TOUCHES = 1 << 53
"""TOUCH: counts as a use of its keys even for a client that said CLIENT NO-TOUCH."""
MOVES_KEYS = 1 << 54
"""MIGRATE: in a cluster it works on what is here, whoever shall have the slot (cluster.c getNodeByQuery)."""
SUBSCRIBES = 1 << 48
"""All arguments are channels to subscribe to (db.c commands_with_channels)."""
PUBLISHES = 1 << 49
"""The first argument is a channel to publish to."""
CHANNEL_PATTERNS = 1 << 50
"""The channels are patterns."""
RELAYS_QUEUE = 1 << 45
"""EXEC: what it does is what the queued commands do."""

FLAG_NAMES: tuple[tuple[int, bytes], ...] = (
    (WRITE, b"write"),
    (READONLY, b"readonly"),
    (DENYOOM, b"denyoom"),
    (ADMIN, b"admin"),
    (PUBSUB, b"pubsub"),
    (NOSCRIPT, b"noscript"),
    (BLOCKING, b"blocking"),
    (LOADING, b"loading"),
    (STALE, b"stale"),
    (SKIP_MONITOR, b"skip_monitor"),
    (SKIP_SLOWLOG, b"skip_slowlog"),
    (ASKING, b"asking"),
    (FAST, b"fast"),
    (NO_AUTH, b"no_auth"),
    (NO_MANDATORY_KEYS, b"no_mandatory_keys"),
    (NO_ASYNC_LOADING, b"no_async_loading"),
    (NO_MULTI, b"no_multi"),
    (MOVABLE_KEYS, b"movablekeys"),
    (ALLOW_BUSY, b"allow_busy"),
)

# --- ACL categories: order of acl.c ACLCommandCategories --------------------------------------------
CATEGORY_NAMES: tuple[str, ...] = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
    "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
    "connection", "transaction", "scripting",
)  # fmt: skip
CATEGORIES: dict[str, int] = {name: 1 << position for position, name in enumerate(CATEGORY_NAMES)}

# --- key-spec flags (server.h CMD_KEY_*), in the order COMMAND prints them ----------------------------
RO = 1 << 0
RW = 1 << 1
OW = 1 << 2
RM = 1 << 3
ACCESS = 1 << 4
UPDATE = 1 << 5
INSERT = 1 << 6
DELETE = 1 << 7
NOT_KEY = 1 << 8
INCOMPLETE = 1 << 9
VARIABLE_FLAGS = 1 << 10

KEY_FLAG_NAMES: tuple[tuple[int, bytes], ...] = (
    (RO, b"RO"),
    (RW, b"RW"),
    (OW, b"OW"),
    (RM, b"RM"),
    (ACCESS, b"access"),
    (UPDATE, b"update"),
    (INSERT, b"insert"),
    (DELETE, b"delete"),
    (NOT_KEY, b"not_key"),
    (INCOMPLETE, b"incomplete"),
    (VARIABLE_FLAGS, b"variable_flags"),
)

# --- gates: reasons why a command may not simply run ---------------------------------------------------
# One bit each on client.gate or server.gate; a command's mask says which of them concern it.  A single
# ``&`` on the fast path decides whether engine.gates has to look closer.
GATE_ALWAYS = 1 << 0  # set on every server: containers and commands that want the guarded path
GATE_AUTH = 1 << 1  # client has not authenticated
GATE_MULTI = 1 << 2  # client is inside MULTI
GATE_ACL = 1 << 3  # client's user is restricted
GATE_SUBSCRIBED = 1 << 4  # RESP2 client in subscribed mode
GATE_LOADING = 1 << 5
GATE_READONLY = 1 << 6  # read-only replica
GATE_STALE = 1 << 7  # replica without a link that may not serve stale data
GATE_MEMORY = 1 << 8  # maxmemory is set
GATE_DISK = 1 << 9  # persistence fails and writes must stop
GATE_REPLICAS = 1 << 10  # fewer good replicas than min-replicas-to-write
GATE_PAUSED = 1 << 11
GATE_BUSY = 1 << 12  # a script runs for too long
GATE_MONITORED = 1 << 13  # somebody runs MONITOR
GATE_ARGV = 1 << 14  # this client's next command needs care (CLIENT REPLY, CLIENT CACHING, tracking)
GATE_REPLICA = 1 << 15  # the client is itself a replica
GATE_PROFILE = 1 << 16  # only what the profile of rights denies is forbidden: no other command looks at it
GATE_CLUSTER = 1 << 17  # the server is a node of a cluster: others may have the keys


def gates_for(flags: int, *, container: bool, keyed: bool) -> int:
    """The gates that concern a command with these *flags*; *keyed*: it has keys, or shard channels."""
    gates = GATE_MEMORY | GATE_ACL | GATE_ARGV | GATE_REPLICA
    if keyed or flags & RELAYS_QUEUE:
        gates |= GATE_CLUSTER
    if container or flags & (RELAYS_QUEUE | PROTECTED | GUARDED):
        gates |= GATE_ALWAYS
    if not flags & NO_AUTH:
        gates |= GATE_AUTH
    if not flags & IMMEDIATE:
        gates |= GATE_MULTI
    if not flags & SUBSCRIBED:
        gates |= GATE_SUBSCRIBED
    if not flags & LOADING or flags & (NO_ASYNC_LOADING | RELAYS_QUEUE):
        gates |= GATE_LOADING
    if not flags & STALE or flags & (RELAYS_QUEUE | RELAYS_SCRIPT):
        gates |= GATE_STALE
    if flags & (WRITE | RELAYS_SCRIPT | RELAYS_QUEUE):
        gates |= GATE_READONLY | GATE_DISK | GATE_REPLICAS
    if flags & DIAGNOSTIC:
        gates |= GATE_DISK
    if not flags & UNPAUSABLE:
        gates |= GATE_PAUSED
    if not flags & ALLOW_BUSY:
        gates |= GATE_BUSY
    if not flags & (SKIP_MONITOR | ADMIN) or flags & RELAYS_SCRIPT:
        gates |= GATE_MONITORED
    return gates


def categories_for(flags: int, names: str) -> int:
    """ACL categories named in *names* plus those that follow from *flags* (server.c setImplicitACLCategories)."""
    categories = 0
    for name in names.split():
        categories |= CATEGORIES[name]
    if flags & WRITE:
        categories |= CATEGORIES["write"]
    if flags & READONLY and not categories & CATEGORIES["scripting"]:
        categories |= CATEGORIES["read"]
    if flags & ADMIN:
        categories |= CATEGORIES["admin"] | CATEGORIES["dangerous"]
    if flags & PUBSUB:
        categories |= CATEGORIES["pubsub"]
    if flags & FAST:
        categories |= CATEGORIES["fast"]
    if flags & BLOCKING:
        categories |= CATEGORIES["blocking"]
    if not categories & CATEGORIES["fast"]:
        categories |= CATEGORIES["slow"]
    return categories
