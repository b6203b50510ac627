"""Profiles of rights: what the default user may do on a managed server, as data.

A profile is a row of ACL rules.  ``managed`` is what providers have in common; the other rows are what
one provider documents as blocked, so that a test suite can run as it would there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..registry.command import REGISTRY, Command
from .rules import apply, apply_to_selector, every_command, look_up
from .users import Selector, User

REPLICATION_RULES = (b"reset", b"on", b"resetchannels", b"+ping", b"+psync", b"+replconf")
"""Enough to follow, and for nothing else; AUTH and HELLO are open to everybody."""

OPERATOR_RULES = (b"reset", b"on", b"~*", b"&*", b"+@all")


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules for the commands of the default user, in the order in which they apply after +@all.

    *hides*: what is denied is answered as an unknown command, as where commands were renamed away,
    instead of NOPERM.
    """

    rules: tuple[bytes, ...] = ()
    hides: bool = False


def _without(names: str, *, hides: bool = False) -> Profile:
    return Profile(tuple(b"-" + name.encode() for name in names.split()), hides)


CLUSTER_WRITES = (
    "cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange cluster|failover "
    "cluster|flushslots cluster|forget cluster|meet cluster|replicate cluster|reset cluster|saveconfig "
    "cluster|set-config-epoch cluster|setslot"
)

PROFILES: dict[str, Profile] = {
    "none": Profile(),
    "managed": Profile((
        b"-debug", b"-shutdown", b"-replicaof", b"-slaveof", b"-failover", b"-save", b"-bgsave", b"-bgrewriteaof",
        b"-psync", b"-sync", b"-replconf", b"-cluster", b"-module", b"-acl", b"-config",
        b"+acl|whoami", b"+acl|cat", b"+acl|dryrun", b"+config|get",
    )),
    # By provider: what its documentation lists as blocked.
    "aiven": _without(
        "acl bgrewriteaof bgsave cluster command config debug failover lastsave migrate monitor replicaof save "
        "shutdown slaveof"
    ),
    "azure": _without(  # documents SLAVEOF, of which REPLICAOF is the later name
        f"acl bgrewriteaof bgsave config debug migrate replicaof save shutdown slaveof {CLUSTER_WRITES}", hides=True
    ),
    "clevercloud": _without("cluster config"),
    "elasticache": _without(
        "bgrewriteaof bgsave config debug migrate replicaof save slaveof shutdown sync", hides=True
    ),
    "memorystore": _without(
        "acl bgrewriteaof bgsave client cluster command config debug lastsave migrate monitor object replicaof save "
        "shutdown",
        hides=True,
    ),
    "oci": _without(
        "acl bgrewriteaof bgsave cluster config|set debug migrate module psync replicaof save shutdown sync"
    ),
}  # fmt: skip

READABLE = frozenset({
    "acl-pubsub-default", "acllog-max-len", "active-expire-effort", "activedefrag", "activerehashing",
    "aof-timestamp-enabled", "aof-use-rdb-preamble", "appendfsync", "appendonly",
    "auto-aof-rewrite-min-size", "auto-aof-rewrite-percentage",
    "busy-reply-threshold", "client-output-buffer-limit", "client-query-buffer-limit", "cluster-enabled", "databases",
    "hash-max-listpack-entries", "hash-max-listpack-value", "hll-sparse-max-bytes", "hz", "latency-monitor-threshold",
    "latency-tracking", "latency-tracking-info-percentiles", "lazyfree-lazy-eviction", "lazyfree-lazy-expire",
    "lazyfree-lazy-server-del", "lazyfree-lazy-user-del", "lazyfree-lazy-user-flush", "lfu-decay-time",
    "lfu-log-factor", "list-compress-depth", "list-max-listpack-size", "maxclients", "maxmemory", "maxmemory-clients",
    "maxmemory-policy", "maxmemory-samples", "notify-keyspace-events", "port", "proto-max-bulk-len", "rdbchecksum",
    "rdbcompression", "replica-priority", "replica-read-only", "replica-serve-stale-data", "save",
    "set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value", "slowlog-log-slower-than",
    "slowlog-max-len", "stop-writes-on-bgsave-error", "stream-node-max-bytes", "stream-node-max-entries",
    "tcp-keepalive", "timeout", "tls-port", "tracking-table-max-keys", "zset-max-listpack-entries",
    "zset-max-listpack-value",
})  # fmt: skip
"""Directives that CONFIG GET answers to those who may not CONFIG SET: no path, address, name or secret."""


@dataclass(frozen=True, slots=True)
class Rights:
    """A profile worked out for the commands there are; *denied* are the full names of those it takes away."""

    name: str = "none"
    rules: tuple[bytes, ...] = ()
    hides: bool = False
    denied: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str) -> Rights:
        """The rights of the profile *name*; all commands have to be declared by now."""
        profile = PROFILES[name]
        rules = tuple(rule for rule in profile.rules if look_up(rule[1:]) is not None)
        user = User(b"")
        for rule in (b"+@all", *rules):
            apply(user, rule)
        return cls(name, rules, profile.hides, leaves() - user.root.commands)

    def limit(self, user: User) -> None:
        """Take from *user* what is denied; nothing is added.  O(commands)"""
        if self.rules:
            for selector in user.selectors:
                self._limit_selector(selector)
            user.refresh()

    def _limit_selector(self, selector: Selector) -> None:
        if selector.all_commands:
            for rule in self.rules:
                apply_to_selector(selector, rule)
            return
        for name in sorted((selector.commands | selector.first_args.keys()) & self.denied):
            apply_to_selector(selector, b"-" + name.encode())

    def conceal(self, commands: dict[bytes, Command]) -> dict[bytes, Command]:
        """Take what is denied out of a server's table; what was taken out, by name, ``config|set`` included."""
        concealed: dict[bytes, Command] = {}
        for command in dict.fromkeys(commands.values()):
            subs = command.subcommands or {}
            hidden = [sub for sub, each in subs.items() if each.name in self.denied]
            if len(hidden) < len(subs):
                for sub in hidden:
                    concealed[command.wire_name + b"|" + sub] = subs.pop(sub)
            elif subs or command.name in self.denied:
                concealed[command.wire_name] = command
        gone = set(concealed.values())
        for name in [name for name, command in commands.items() if command in gone]:
            del commands[name]
        return concealed


def leaves() -> frozenset[str]:
    """Full names of everything that can be run: commands without subcommands, and subcommands."""
    containers = {name for name, command in REGISTRY.items() if command.subcommands is not None}
    return frozenset(every_command()) - containers
