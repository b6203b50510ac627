"""CLUSTER MEET, FORGET, REPLICATE, FAILOVER, RESET and the epochs (cluster.c clusterCommand)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cluster.node import BUS_PORT_OFFSET, FAIL, MASTER, REPLICA
from ...cluster.state import SAVE_CONFIG, UPDATE_STATE
from ...errors import (
    CannotForgetMaster,
    CannotForgetMyself,
    CannotReplicateMyself,
    CannotReplicateReplica,
    ConfigNotSaved,
    EpochNotZero,
    EpochWithOthers,
    FailoverOfMaster,
    InvalidBasePort,
    InvalidBusPort,
    InvalidConfigEpoch,
    InvalidNodeAddress,
    InvalidSyntax,
    MasterFailed,
    MasterNotEmpty,
    MasterUnknown,
    ResetWithKeys,
    UnknownNode,
    WrongSubcommandArguments,
)
from ...registry.command import Argv, Reply, command
from ...registry.flags import ADMIN, NOSCRIPT, STALE
from ...resp.encode import OK
from ...util.numbers import parse_int, parse_int_or_none
from .common import CHANGES, VARIES, find_node, known_node, of

if TYPE_CHECKING:
    from ...engine.client import Client

# --- who belongs to it ----------------------------------------------------------------------------


@command("CLUSTER|MEET", arity=-4, flags=CHANGES)
def meet(client: Client, argv: Argv) -> Reply:
    """CLUSTER MEET ip port [cluster-bus-port]"""
    cluster = of(client)
    if len(argv) > 5:
        raise WrongSubcommandArguments("CLUSTER", argv[1])
    port = parse_int_or_none(argv[3])
    if port is None:
        raise InvalidBasePort(argv[3])
    bus_port = port + BUS_PORT_OFFSET if len(argv) == 4 else parse_int_or_none(argv[4])
    if bus_port is None:
        raise InvalidBusPort(argv[4])
    if not cluster.member.meet(argv[2].partition(b"\0")[0].decode("latin-1"), port, bus_port):
        raise InvalidNodeAddress(argv[2], argv[3])
    return OK


@command("CLUSTER|FORGET", arity=3, flags=CHANGES)
def forget(client: Client, argv: Argv) -> Reply:
    """CLUSTER FORGET node-id"""
    cluster = of(client)
    state = cluster.state
    node = find_node(cluster, argv[2])
    if node is None:
        if state.is_forgotten(argv[2].decode("latin-1")):  # others were faster to tell us
            return OK
        raise UnknownNode(argv[2])
    if node is state.myself:
        raise CannotForgetMyself
    if state.myself.is_(REPLICA) and state.myself.master is node:
        raise CannotForgetMaster
    cluster.member.forget(node)
    return OK


@command("CLUSTER|REPLICATE", arity=3, flags=CHANGES)
def replicate(client: Client, argv: Argv) -> Reply:
    """CLUSTER REPLICATE node-id"""
    cluster = of(client)
    state = cluster.state
    node = known_node(cluster, argv[2])
    if node is state.myself:
        raise CannotReplicateMyself
    if node.is_(REPLICA):
        raise CannotReplicateReplica
    if state.myself.is_(MASTER) and (state.myself.slots or client.server.databases[0].data):
        raise MasterNotEmpty
    cluster.member.set_master(node)
    state.schedule(UPDATE_STATE | SAVE_CONFIG)
    return OK


@command("CLUSTER|RESET", arity=-2, flags=ADMIN | NOSCRIPT | STALE)
def reset(client: Client, argv: Argv) -> Reply:
    """CLUSTER RESET [HARD | SOFT]"""
    cluster = of(client)
    if len(argv) > 3:
        raise WrongSubcommandArguments("CLUSTER", argv[1])
    how = argv[2].lower() if len(argv) == 3 else b"soft"
    if how not in (b"hard", b"soft"):
        raise InvalidSyntax
    if cluster.state.myself.is_(MASTER) and client.db.data:
        raise ResetWithKeys
    cluster.member.reset(hard=how == b"hard")
    return OK


# --- failover -------------------------------------------------------------------------------------


@command("CLUSTER|FAILOVER", arity=-2, flags=CHANGES)
def failover(client: Client, argv: Argv) -> Reply:
    """CLUSTER FAILOVER [FORCE | TAKEOVER]"""
    cluster = of(client)
    if len(argv) > 3:
        raise WrongSubcommandArguments("CLUSTER", argv[1])
    how = argv[2].lower() if len(argv) == 3 else b""
    if how not in (b"", b"force", b"takeover"):
        raise InvalidSyntax
    myself = cluster.state.myself
    master = myself.master
    if myself.is_(MASTER):
        raise FailoverOfMaster
    if master is None:
        raise MasterUnknown
    if not how and (master.is_(FAIL) or master.link is None):
        raise MasterFailed
    cluster.member.start_manual_failover(force=how == b"force", takeover=how == b"takeover")
    return OK


# --- epochs ---------------------------------------------------------------------------------------


@command("CLUSTER|BUMPEPOCH", arity=2, flags=CHANGES, tips=VARIES)
def bumpepoch(client: Client, argv: Argv) -> Reply:
    """CLUSTER BUMPEPOCH"""
    state = of(client).state
    result = b"BUMPED" if state.bump_epoch_without_consensus() else b"STILL"
    return b"+%b %d\r\n" % (result, state.myself.config_epoch)


@command("CLUSTER|SET-CONFIG-EPOCH", arity=3, flags=CHANGES)
def set_config_epoch(client: Client, argv: Argv) -> Reply:
    """CLUSTER SET-CONFIG-EPOCH config-epoch"""
    state = of(client).state
    epoch = parse_int(argv[2])
    if epoch < 0:
        raise InvalidConfigEpoch(epoch)
    if len(state.nodes) > 1:
        raise EpochWithOthers
    if state.myself.config_epoch:
        raise EpochNotZero
    state.myself.config_epoch = epoch
    state.log.notice(f"configEpoch set to {epoch} via CLUSTER SET-CONFIG-EPOCH")
    state.current_epoch = max(state.current_epoch, epoch)
    state.schedule(UPDATE_STATE | SAVE_CONFIG)
    return OK


@command("CLUSTER|SAVECONFIG", arity=2, flags=CHANGES)
def saveconfig(client: Client, argv: Argv) -> Reply:
    """CLUSTER SAVECONFIG"""
    cluster = of(client)
    try:
        cluster.file.save(sync=True)
    except OSError as error:
        raise ConfigNotSaved(error.strerror or str(error)) from None
    return OK
