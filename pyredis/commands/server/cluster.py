"""CLUSTER, READONLY, READWRITE, ASKING: declared as Redis has them, refused as with ``cluster-enabled no``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ClusterDisabled
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, FAST, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE

if TYPE_CHECKING:
    from ...engine.client import Client

CHANGES = ADMIN | STALE | NO_ASYNC_LOADING
VARIES = ("nondeterministic_output",)

SUBCOMMANDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("ADDSLOTS", -3, CHANGES, ()),
    ("ADDSLOTSRANGE", -4, CHANGES, ()),
    ("BUMPEPOCH", 2, CHANGES, VARIES),
    ("COUNT-FAILURE-REPORTS", 3, ADMIN | STALE, VARIES),
    ("COUNTKEYSINSLOT", 3, STALE, ()),
    ("DELSLOTS", -3, CHANGES, ()),
    ("DELSLOTSRANGE", -4, CHANGES, ()),
    ("FAILOVER", -2, CHANGES, ()),
    ("FLUSHSLOTS", 2, CHANGES, ()),
    ("FORGET", 3, CHANGES, ()),
    ("GETKEYSINSLOT", 4, STALE, VARIES),
    ("HELP", 2, LOADING | STALE, ()),
    ("INFO", 2, STALE, VARIES),
    ("KEYSLOT", 3, STALE, ()),
    ("LINKS", 2, STALE, VARIES),
    ("MEET", -4, CHANGES, ()),
    ("MYID", 2, STALE, ()),
    ("MYSHARDID", 2, STALE, VARIES),
    ("NODES", 2, STALE, VARIES),
    ("REPLICAS", 3, ADMIN | STALE, VARIES),
    ("REPLICATE", 3, CHANGES, ()),
    ("RESET", -2, ADMIN | NOSCRIPT | STALE, ()),
    ("SAVECONFIG", 2, CHANGES, ()),
    ("SET-CONFIG-EPOCH", 3, CHANGES, ()),
    ("SETSLOT", -4, CHANGES, ()),
    ("SHARDS", 2, LOADING | STALE, VARIES),
    ("SLAVES", 3, ADMIN | STALE, VARIES),
    ("SLOTS", 2, LOADING | STALE, VARIES),
)
"""Name, arity, flags and tips."""


@command("CLUSTER", arity=-2)
def cluster(client: Client, argv: Argv) -> Reply:
    """CLUSTER subcommand"""
    raise AssertionError("reached through its subcommands only")


def refuse(client: Client, argv: Argv) -> Reply:
    """Whatever a CLUSTER subcommand wants, its HELP included (cluster.c clusterCommand)."""
    raise ClusterDisabled


for _name, _arity, _flags, _tips in SUBCOMMANDS:
    command(f"CLUSTER|{_name}", arity=_arity, flags=_flags, tips=_tips)(refuse)


@command("READONLY", arity=1, flags=LOADING | STALE | FAST, acl="connection")
def readonly(client: Client, argv: Argv) -> Reply:
    """READONLY"""
    raise ClusterDisabled


@command("READWRITE", arity=1, flags=LOADING | STALE | FAST, acl="connection")
def readwrite(client: Client, argv: Argv) -> Reply:
    """READWRITE"""
    raise ClusterDisabled


@command("ASKING", arity=1, flags=FAST, acl="connection")
def asking(client: Client, argv: Argv) -> Reply:
    """ASKING"""
    raise ClusterDisabled
