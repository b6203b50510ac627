"""CLUSTER ADDSLOTS, SETSLOT and what else is about slots and the keys in them (cluster.c clusterCommand)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...cluster.node import REPLICA, Node
from ...cluster.slots import SLOTS, key_slot
from ...cluster.state import SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE
from ...errors import (
    InvalidSlotOrCount,
    InvalidSlotToCount,
    NodeNotKnown,
    NotSlotOwner,
    SetslotOnReplica,
    SetslotSyntax,
    SlotBusy,
    SlotHoldsKeys,
    SlotOwnerAlready,
    SlotRepeated,
    SlotsNotEmpty,
    SlotsReversed,
    SlotUnassigned,
    TargetNotMaster,
    WrongArity,
)
from ...registry.command import Argv, Reply, command
from ...registry.flags import STALE
from ...resp.encode import OK, array_of_bulks, integer
from ...util.numbers import parse_int
from .common import CHANGES, VARIES, find_node, known_node, of, parse_slot

if TYPE_CHECKING:
    from ...cluster.service import Cluster
    from ...engine.client import Client

# --- assigning ------------------------------------------------------------------------------------


@command("CLUSTER|ADDSLOTS", arity=-3, flags=CHANGES)
def addslots(client: Client, argv: Argv) -> Reply:
    """CLUSTER ADDSLOTS slot [slot ...]"""
    return _update(of(client), _single(argv), add=True)


@command("CLUSTER|DELSLOTS", arity=-3, flags=CHANGES)
def delslots(client: Client, argv: Argv) -> Reply:
    """CLUSTER DELSLOTS slot [slot ...]"""
    return _update(of(client), _single(argv), add=False)


@command("CLUSTER|ADDSLOTSRANGE", arity=-4, flags=CHANGES)
def addslotsrange(client: Client, argv: Argv) -> Reply:
    """CLUSTER ADDSLOTSRANGE start-slot end-slot [start-slot end-slot ...]"""
    cluster = of(client)
    if len(argv) % 2:
        raise WrongArity("cluster|addslotsrange")
    return _update(cluster, _ranges(argv), add=True)


@command("CLUSTER|DELSLOTSRANGE", arity=-4, flags=CHANGES)
def delslotsrange(client: Client, argv: Argv) -> Reply:
    """CLUSTER DELSLOTSRANGE start-slot end-slot [start-slot end-slot ...]"""
    cluster = of(client)
    if len(argv) % 2:
        raise WrongArity("cluster|delslotsrange")
    return _update(cluster, _ranges(argv), add=False)


def _single(argv: Argv) -> Iterator[int]:
    """All arguments are parsed before the first is looked at."""
    return iter([parse_slot(text) for text in argv[2:]])


def _ranges(argv: Argv) -> Iterator[int]:
    for at in range(2, len(argv), 2):
        first, last = parse_slot(argv[at]), parse_slot(argv[at + 1])
        if first > last:
            raise SlotsReversed(first, last)
        yield from range(first, last + 1)


def _update(cluster: Cluster, slots: Iterator[int], *, add: bool) -> bytes:
    """Check all, then take *slots*, or give them up, whoever has them (clusterUpdateSlots)."""
    state = cluster.state
    chosen: dict[int, None] = {}
    for slot in slots:
        if add and state.owners[slot] is not None:
            raise SlotBusy(slot)
        if not add and state.owners[slot] is None:
            raise SlotUnassigned(slot)
        if slot in chosen:
            raise SlotRepeated(slot)
        chosen[slot] = None
    for slot in sorted(chosen):
        state.importing.pop(slot, None)
        if add:
            state.assign(slot, state.myself)
        else:
            state.unassign(slot)
    state.schedule(UPDATE_STATE | SAVE_CONFIG)
    return OK


@command("CLUSTER|FLUSHSLOTS", arity=2, flags=CHANGES)
def flushslots(client: Client, argv: Argv) -> Reply:
    """CLUSTER FLUSHSLOTS"""
    state = of(client).state
    if client.server.databases[0].data:
        raise SlotsNotEmpty
    state.release_all(state.myself)
    state.schedule(UPDATE_STATE | SAVE_CONFIG)
    return OK


# --- moving ---------------------------------------------------------------------------------------


@command("CLUSTER|SETSLOT", arity=-4, flags=CHANGES)
def setslot(client: Client, argv: Argv) -> Reply:
    """CLUSTER SETSLOT slot IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE"""
    cluster = of(client)
    state = cluster.state
    if state.myself.is_(REPLICA):
        raise SetslotOnReplica
    slot = parse_slot(argv[2])
    match argv[3].lower(), len(argv):
        case b"migrating", 5:
            if state.owners[slot] is not state.myself:
                raise NotSlotOwner(slot)
            state.migrating[slot] = _other_master(cluster, argv[4])
        case b"importing", 5:
            if state.owners[slot] is state.myself:
                raise SlotOwnerAlready(slot)
            state.importing[slot] = _other_master(cluster, argv[4])
        case b"stable", 4:
            state.importing.pop(slot, None)
            state.migrating.pop(slot, None)
        case b"node", 5:
            _give(cluster, slot, known_node(cluster, argv[4]))
        case _:
            raise SetslotSyntax
    state.schedule(SAVE_CONFIG | UPDATE_STATE)
    return OK


def _other_master(cluster: Cluster, name: bytes) -> Node:
    node = find_node(cluster, name)
    if node is None:
        raise NodeNotKnown(name)
    if node.is_(REPLICA):
        raise TargetNotMaster
    return node


def _give(cluster: Cluster, slot: int, node: Node) -> None:
    """SETSLOT NODE: *slot* is *node*'s, which ends its move as far as this server takes part in it."""
    state = cluster.state
    myself = state.myself
    if node.is_(REPLICA):
        raise TargetNotMaster
    was_mine = state.owners[slot] is myself
    keys = cluster.key_count(slot)
    if was_mine and node is not myself and keys:
        raise SlotHoldsKeys(slot)
    if not keys:
        state.migrating.pop(slot, None)
    state.unassign(slot)
    state.assign(slot, node)
    if was_mine and node is not myself and not myself.slots and cluster.member.config.cluster_allow_replica_migration:
        state.log.notice(
            "Configuration change detected. Reconfiguring myself as a replica of "
            f"{node.name} ({node.human_name})"
        )  # fmt: skip
        cluster.member.set_master(node)
        state.schedule(SAVE_CONFIG | UPDATE_STATE | SYNC_CONFIG)
    if node is myself and slot in state.importing:
        if state.bump_epoch_without_consensus():
            state.log.notice(f"configEpoch updated after importing slot {slot}")
        del state.importing[slot]
        cluster.member.broadcast_pong()


# --- keys -----------------------------------------------------------------------------------------


@command("CLUSTER|KEYSLOT", arity=3, flags=STALE)
def keyslot(client: Client, argv: Argv) -> Reply:
    """CLUSTER KEYSLOT key"""
    of(client)
    return integer(key_slot(argv[2]))


@command("CLUSTER|COUNTKEYSINSLOT", arity=3, flags=STALE)
def countkeysinslot(client: Client, argv: Argv) -> Reply:
    """CLUSTER COUNTKEYSINSLOT slot"""
    cluster = of(client)
    slot = parse_int(argv[2])
    if not 0 <= slot < SLOTS:
        raise InvalidSlotToCount
    return integer(cluster.keys.count(slot))


@command("CLUSTER|GETKEYSINSLOT", arity=4, flags=STALE, tips=VARIES)
def getkeysinslot(client: Client, argv: Argv) -> Reply:
    """CLUSTER GETKEYSINSLOT slot count"""
    cluster = of(client)
    slot, most = parse_int(argv[2]), parse_int(argv[3])
    if not 0 <= slot < SLOTS or most < 0:
        raise InvalidSlotOrCount
    return array_of_bulks(cluster.keys.some(slot, most))
