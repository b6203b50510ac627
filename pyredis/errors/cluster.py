"""Error replies of a node of a cluster: redirections, and what CLUSTER refuses (cluster.c)."""

from __future__ import annotations

from .base import CommandError, printed


class ClusterDisabled(CommandError):
    message = "This instance has cluster support disabled"


class ClusterOnly(CommandError):
    message = "Debug option only available for cluster mode enabled setup!"


# --- redirections (clusterRedirectClient) ---------------------------------------------------------


class Redirection(CommandError):
    """Why a node does not serve a request for keys."""


class CrossSlot(Redirection):
    code, message = "CROSSSLOT", "Keys in request don't hash to the same slot"


class SlotUnstable(Redirection):
    code, message = "TRYAGAIN", "Multiple keys request during rehashing of slot"


class ClusterDown(Redirection):
    code, message = "CLUSTERDOWN", "The cluster is down"


class ClusterReadOnly(Redirection):
    code, message = "CLUSTERDOWN", "The cluster is down and only accepts read commands"


class SlotNotServed(Redirection):
    code, message = "CLUSTERDOWN", "Hash slot not served"


class Moved(Redirection):
    """Another node serves the slot, for good."""

    code = "MOVED"

    def __init__(self, slot: int, endpoint: str, port: int) -> None:
        super().__init__(f"{slot} {endpoint}:{port}")


class Ask(Moved):
    """Another node has this key already."""

    code = "ASK"


# --- scripts (scriptVerifyClusterState) -----------------------------------------------------------


class ScriptInDownCluster(CommandError):
    message = "Script attempted to execute a command while the cluster is down"


class ScriptInReadOnlyCluster(CommandError):
    message = "Script attempted to execute a write command while the cluster is down and readonly"


class ScriptKeyElsewhere(CommandError):
    message = "Script attempted to access a non local key in a cluster node"


class ScriptCrossesSlots(CommandError):
    message = "Script attempted to access keys that do not hash to the same slot"


# --- what a node of a cluster does not do ---------------------------------------------------------


class NotInCluster(CommandError):
    """``SELECT is not allowed in cluster mode``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not allowed in cluster mode")


class CopyInCluster(CommandError):
    message = "Copying to another database is not allowed in cluster mode"


class ReplicaofInCluster(CommandError):
    message = "REPLICAOF not allowed in cluster mode."


class FailoverInCluster(CommandError):
    message = "FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead."


class SortPatternInCluster(CommandError):
    """*option* is BY or GET."""

    def __init__(self, option: str) -> None:
        super().__init__(f"{option} option of SORT denied in Cluster mode.")


# --- CLUSTER: arguments ---------------------------------------------------------------------------


class InvalidSlot(CommandError):
    message = "Invalid or out of range slot"


class InvalidSlotToCount(CommandError):
    message = "Invalid slot"


class InvalidSlotOrCount(CommandError):
    message = "Invalid slot or number of keys"


class InvalidBasePort(CommandError):
    def __init__(self, port: bytes) -> None:
        super().__init__(b"Invalid base port specified: %b" % printed(port, len(port)))


class InvalidBusPort(CommandError):
    def __init__(self, port: bytes) -> None:
        super().__init__(b"Invalid bus port specified: %b" % printed(port, len(port)))


class InvalidNodeAddress(CommandError):
    def __init__(self, ip: bytes, port: bytes) -> None:
        super().__init__(b"Invalid node address specified: %b:%b" % (printed(ip, len(ip)), printed(port, len(port))))


class UnknownNode(CommandError):
    def __init__(self, name: bytes) -> None:
        super().__init__(b"Unknown node %b" % printed(name, len(name)))


class UnknownDirection(CommandError):
    def __init__(self, direction: bytes) -> None:
        super().__init__(b"Unknown direction %b" % printed(direction, len(direction)))


class NodeNotKnown(CommandError):
    """The same, in the words of SETSLOT MIGRATING and IMPORTING."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"I don't know about node %b" % printed(name, len(name)))


class InvalidConfigEpoch(CommandError):
    def __init__(self, epoch: int) -> None:
        super().__init__(f"Invalid config epoch specified: {epoch}")


# --- CLUSTER: slots -------------------------------------------------------------------------------


class SlotUnassigned(CommandError):
    def __init__(self, slot: int) -> None:
        super().__init__(f"Slot {slot} is already unassigned")


class SlotBusy(CommandError):
    def __init__(self, slot: int) -> None:
        super().__init__(f"Slot {slot} is already busy")


class SlotRepeated(CommandError):
    def __init__(self, slot: int) -> None:
        super().__init__(f"Slot {slot} specified multiple times")


class SlotsReversed(CommandError):
    def __init__(self, first: int, last: int) -> None:
        super().__init__(f"start slot number {first} is greater than end slot number {last}")


class SlotsNotEmpty(CommandError):
    message = "DB must be empty to perform CLUSTER FLUSHSLOTS."


class SetslotOnReplica(CommandError):
    message = "Please use SETSLOT only with masters."


class NotSlotOwner(CommandError):
    def __init__(self, slot: int) -> None:
        super().__init__(f"I'm not the owner of hash slot {slot}")


class SlotOwnerAlready(CommandError):
    def __init__(self, slot: int) -> None:
        super().__init__(f"I'm already the owner of hash slot {slot}")


class TargetNotMaster(CommandError):
    message = "Target node is not a master"


class SlotHoldsKeys(CommandError):
    def __init__(self, slot: int) -> None:
        super().__init__(
            f"Can't assign hashslot {slot} to a different node while I still hold keys for this hash slot."
        )


class SetslotSyntax(CommandError):
    message = "Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"


# --- CLUSTER: nodes -------------------------------------------------------------------------------


class CannotForgetMyself(CommandError):
    message = "I tried hard but I can't forget myself..."


class CannotForgetMaster(CommandError):
    message = "Can't forget my master!"


class CannotReplicateMyself(CommandError):
    message = "Can't replicate myself"


class CannotReplicateReplica(CommandError):
    message = "I can only replicate a master, not a replica."


class MasterNotEmpty(CommandError):
    message = "To set a master the node must be empty and without assigned slots."


class NodeNotMaster(CommandError):
    message = "The specified node is not a master"


class ResetWithKeys(CommandError):
    message = "CLUSTER RESET can't be called with master nodes containing keys"


class EpochWithOthers(CommandError):
    message = "The user can assign a config epoch only when the node does not know any other node."


class EpochNotZero(CommandError):
    message = "Node config epoch is already non-zero"


class ConfigNotSaved(CommandError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"error saving the cluster node config: {reason}")


# --- CLUSTER FAILOVER -----------------------------------------------------------------------------


class FailoverOfMaster(CommandError):
    message = "You should send CLUSTER FAILOVER to a replica"


class MasterUnknown(CommandError):
    message = "I'm a replica but my master is unknown to me"


class MasterFailed(CommandError):
    message = "Master is down or failed, please use CLUSTER FAILOVER FORCE"
