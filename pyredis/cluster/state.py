"""The cluster as this node sees it (cluster.h clusterState), and every change of who owns what."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from .health import Health
from .node import FAIL, MASTER, MIGRATE_TO, MYSELF, NAME_LENGTH, PFAIL, REPLICA, Node
from .slots import SLOTS, slots_in

# What is left to do before the replies of this turn leave (cluster.h CLUSTER_TODO_*).
HANDLE_FAILOVER: Final = 1 << 0
UPDATE_STATE: Final = 1 << 1
SAVE_CONFIG: Final = 1 << 2
SYNC_CONFIG: Final = 1 << 3
HANDLE_MANUAL_FAILOVER: Final = 1 << 4

FORGOTTEN_SECONDS: Final = 60
MESSAGE_TYPES: Final = (
    "ping", "pong", "meet", "fail", "publish", "auth-req", "auth-ack", "update", "mfstart", "module", "publishshard",
)  # fmt: skip
"""Names of the packets by their number, as CLUSTER INFO has them."""
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def valid_name(name: str) -> bool:
    """Whether *name* may be that of a node (cluster.c verifyClusterNodeId)."""
    return len(name) == NAME_LENGTH and _NAME_CHARACTERS.issuperset(name)


class Settings(Protocol):
    """The directives that the state depends on."""

    cluster_node_timeout: int
    cluster_require_full_coverage: bool


class Journal(Protocol):
    """Where the state says what happens to it: the server's log."""

    def notice(self, text: str) -> None: ...

    def warning(self, text: str) -> None: ...

    def verbose(self, text: str) -> None: ...

    def debug(self, text: str) -> None: ...


class Counts(NamedTuple):
    """Slots by the health of their owners, for CLUSTER INFO."""

    assigned: int
    ok: int
    pfail: int
    fail: int


class ClusterState:
    """Nodes, slots and epochs.  Knows neither sockets nor files nor clients.

    A node is in ``nodes`` from ``add_node`` to ``remove_node``; in ``shards`` only once its real name is known
    (``join_shard``).  ``owners`` and the bitmaps of the nodes always say the same.
    """

    def __init__(self, rng: random.Random, now_ms: Callable[[], int], settings: Settings, log: Journal) -> None:
        self._rng = rng
        self.now_ms = now_ms
        self.settings = settings
        self.log = log
        self.myself = self.new_node(None, MYSELF | MASTER)
        self.nodes: dict[str, Node] = {self.myself.name: self.myself}
        self.shards: dict[str, list[Node]] = {self.myself.shard_id: [self.myself]}
        self.current_epoch = 0
        self.last_vote_epoch = 0
        self.health = Health(settings, log, now_ms)
        self.owners: list[Node | None] = [None] * SLOTS
        self.migrating: dict[int, Node] = {}
        self.importing: dict[int, Node] = {}
        self.unclaimed = 0
        """Bitmap of slots whose owner no longer claims them in its pings (owner_not_claiming_slot)."""
        self.blacklist: dict[str, int] = {}
        """Names of forgotten nodes, with the Unix time (s) until which they are not taken up again."""
        self.todo = 0
        """What ``cron.before_sleep`` has to see to."""
        self.slot_released: Callable[[int], None] = lambda slot: None
        """Called before a slot loses its owner (removeChannelsInSlot)."""
        self.scheduled: Callable[[], None] = lambda: None
        """Called when there begins to be something to do."""
        self.save_now: Callable[[], None] = lambda: None
        """Writes nodes.conf and syncs it, at once."""
        self.sent = [0] * len(MESSAGE_TYPES)
        self.received = [0] * len(MESSAGE_TYPES)
        self.failing_nodes = 0
        """Nodes in PFAIL that have an address, as the cron last counted them (stats_pfail_nodes)."""
        self.links_over_limit = 0
        """Links that were cut because too much waited in them."""

    @property
    def ok(self) -> bool:
        """``cluster_state``: whether queries are served."""
        return self.health.ok

    @ok.setter
    def ok(self, ok: bool) -> None:
        self.health.ok = ok

    @property
    def size(self) -> int:
        """Masters with at least one slot, as of the last ``update``."""
        return self.health.size

    @size.setter
    def size(self, size: int) -> None:
        self.health.size = size

    @property
    def quorum(self) -> int:
        """How many masters are a majority."""
        return self.size // 2 + 1

    def schedule(self, flags: int) -> None:
        """Have *flags* done before the replies of this turn leave (clusterDoBeforeSleep)."""
        if not self.todo:
            self.scheduled()
        self.todo |= flags

    # --- nodes -----------------------------------------------------------------------------------

    def random_name(self) -> str:
        """Forty hexadecimal digits."""
        return self._rng.randbytes(20).hex()

    def new_node(self, name: str | None, flags: int) -> Node:
        """A node that is not part of the cluster yet; without *name* it gets a random one (createClusterNode)."""
        return Node(name or self.random_name(), self.random_name(), flags, self.now_ms())

    def lookup(self, name: str) -> Node | None:
        """The node called *name*."""
        return self.nodes.get(name)

    def replace_myself(self, node: Node) -> None:
        """*node*, from nodes.conf, is this server; the random one is forgotten."""
        self.nodes.pop(self.myself.name, None)
        self.leave_shard(self.myself)
        self.myself = node
        if node.name not in self.nodes:
            self.add_node(node)
        self.join_shard(node)

    def add_node(self, node: Node) -> None:
        """Take *node* into ``nodes``, not yet into a shard."""
        self.nodes[node.name] = node

    def remove_node(self, node: Node) -> None:
        """Forget *node*: its slots, its reports of failures, its replicas' master, its links (clusterDelNode)."""
        for table in (self.importing, self.migrating):
            for slot in [slot for slot, other in table.items() if other is node]:
                del table[slot]
        self.release_all(node)
        for other in self.nodes.values():
            other.fail_reports.pop(node, None)
        self.leave_shard(node)
        for replica in node.replicas:
            replica.master = None
        if node.master is not None:
            self.remove_replica(node.master, node)
        del self.nodes[node.name]
        for link in (node.link, node.inbound_link):
            if link is not None:
                link.close()

    def rename_node(self, node: Node, name: str) -> None:
        """A handshake told *node*'s real name; with it, it joins its shard."""
        del self.nodes[node.name]
        node.name = name
        self.add_node(node)
        self.join_shard(node)

    def join_shard(self, node: Node) -> None:
        """List *node* under its shard's id."""
        members = self.shards.setdefault(node.shard_id, [])
        if node not in members:
            members.append(node)

    def leave_shard(self, node: Node) -> None:
        """The reverse; an empty shard goes."""
        members = self.shards.get(node.shard_id)
        if members is None:
            return
        if node in members:
            members.remove(node)
        if not members:
            del self.shards[node.shard_id]

    def set_shard(self, node: Node, shard_id: str) -> None:
        """*node* and its replicas belong to *shard_id* (updateShardId).

        Of the replicas Redis moves only ourselves, and does not start from a file in which others still differ.
        """
        for member in (node, *node.replicas):
            if member.shard_id != shard_id:
                self._move_to_shard(member, shard_id)
                self.schedule(SAVE_CONFIG | SYNC_CONFIG if member is self.myself else SAVE_CONFIG)

    def _move_to_shard(self, node: Node, shard_id: str) -> None:
        self.leave_shard(node)
        node.shard_id = shard_id
        self.join_shard(node)

    def forget_for(self, name: str, seconds: int = FORGOTTEN_SECONDS) -> None:
        """Do not take up a node of that name for so long, whatever others say (clusterBlacklistAddNode)."""
        self._clean_blacklist()
        self.blacklist[name] = self.now_ms() // 1000 + seconds

    def is_forgotten(self, name: str) -> bool:
        """Whether *name* is not to be taken up now (clusterBlacklistExists)."""
        self._clean_blacklist()
        return name in self.blacklist

    def _clean_blacklist(self) -> None:
        now = self.now_ms() // 1000
        for name in [name for name, until in self.blacklist.items() if until < now]:
            del self.blacklist[name]

    # --- roles -----------------------------------------------------------------------------------

    def add_replica(self, master: Node, replica: Node) -> bool:
        """Note that *replica* follows *master*; its ``master`` is up to the caller (clusterNodeAddSlave)."""
        if replica in master.replicas:
            return False
        master.replicas.append(replica)
        master.flags |= MIGRATE_TO
        return True

    def remove_replica(self, master: Node, replica: Node) -> bool:
        """The reverse; a master that lost its last one takes no migrating replica (clusterNodeRemoveSlave)."""
        if replica not in master.replicas:
            return False
        master.replicas.remove(replica)
        if not master.replicas:
            master.flags &= ~MIGRATE_TO
        return True

    def set_as_master(self, node: Node) -> None:
        """*node* is no replica any more (clusterSetNodeAsMaster)."""
        if node.is_(MASTER):
            return
        if node.master is not None:
            self.remove_replica(node.master, node)
            if node is not self.myself:
                node.flags |= MIGRATE_TO
        node.flags = node.flags & ~REPLICA | MASTER
        node.master = None
        self.schedule(SAVE_CONFIG | UPDATE_STATE)

    def follow(self, master: Node) -> None:
        """We are a replica of *master* from now on, as far as this table goes (clusterSetMaster)."""
        myself = self.myself
        if myself.is_(MASTER):
            myself.flags = myself.flags & ~(MASTER | MIGRATE_TO) | REPLICA
            self.close_all_slots()
        elif myself.master is not None:
            self.remove_replica(myself.master, myself)
        myself.master = master
        self.set_shard(myself, master.shard_id)
        self.add_replica(master, myself)

    def masters_have_replicas(self) -> bool:
        """Whether any master has any."""
        return any(node.replicas for node in self.nodes.values() if not node.is_(REPLICA))

    # --- epochs ----------------------------------------------------------------------------------

    def max_epoch(self) -> int:
        """The greatest epoch that we know of."""
        return max(self.current_epoch, *(node.config_epoch for node in self.nodes.values()))

    def bump_epoch_without_consensus(self) -> bool:
        """Make our epoch the greatest, asking nobody; false if it is so already."""
        myself = self.myself
        if myself.config_epoch != 0 and myself.config_epoch == self.max_epoch():
            return False
        self.current_epoch += 1
        myself.config_epoch = self.current_epoch
        self.schedule(SAVE_CONFIG | SYNC_CONFIG)
        self.log.notice(f"New configEpoch set to {myself.config_epoch}")
        return True

    def resolve_epoch_collision(self, sender: Node) -> None:
        """Of two masters with one epoch, the one with the smaller name takes a new one."""
        myself = self.myself
        if sender.config_epoch != myself.config_epoch or not (sender.is_(MASTER) and myself.is_(MASTER)):
            return
        if sender.name <= myself.name:
            return
        self.current_epoch += 1
        myself.config_epoch = self.current_epoch
        self.save_now()
        self.log.verbose(
            f"WARNING: configEpoch collision with node {sender.name} ({sender.human_name}). "
            f"configEpoch set to {myself.config_epoch}"
        )

    @property
    def my_epoch(self) -> int:
        """Our epoch, or our master's."""
        return (self.myself.master or self.myself).config_epoch

    # --- slots -----------------------------------------------------------------------------------

    def assign(self, slot: int, node: Node) -> bool:
        """Give *slot* to *node*, unless somebody has it (clusterAddSlot).

        A master's first slot makes it eligible for migrating replicas if others have replicas (clusterNodeSetSlotBit).
        """
        if self.owners[slot] is not None:
            return False
        first = not node.slots
        node.slots |= 1 << slot
        self.owners[slot] = node
        if first and self.masters_have_replicas():
            node.flags |= MIGRATE_TO
        return True

    def unassign(self, slot: int) -> bool:
        """Take *slot* from its owner; false if there is none (clusterDelSlot)."""
        node = self.owners[slot]
        if node is None:
            return False
        self.slot_released(slot)
        node.slots &= ~(1 << slot)
        self.owners[slot] = None
        self.unclaimed &= ~(1 << slot)
        return True

    def release_all(self, node: Node) -> int:
        """Take all of *node*'s slots from it; how many they were (clusterDelNodeSlots)."""
        slots = list(slots_in(node.slots))
        for slot in slots:
            self.slot_released(slot)
            self.owners[slot] = None
        self.unclaimed &= ~node.slots
        node.slots = 0
        return len(slots)

    def close_all_slots(self) -> None:
        """Nothing is being moved any more (clusterCloseAllSlots)."""
        self.migrating.clear()
        self.importing.clear()

    def is_unclaimed(self, slot: int) -> bool:
        """Whether *slot* has no owner, or one that ceased to claim it (isSlotUnclaimed)."""
        return self.owners[slot] is None or bool(self.unclaimed >> slot & 1)

    def counts(self) -> Counts:
        """The slots by their owners' health."""
        assigned = pfail = fail = 0
        for node in self.nodes.values():
            count = node.slot_count
            assigned += count
            if node.is_(FAIL):
                fail += count
            elif node.is_(PFAIL):
                pfail += count
        return Counts(assigned, assigned - pfail - fail, pfail, fail)

    # --- health ----------------------------------------------------------------------------------

    def update(self) -> None:
        """Judge anew whether the cluster works (clusterUpdateState)."""
        self.todo &= ~UPDATE_STATE
        self.health.update(self.nodes.values(), self.myself)
