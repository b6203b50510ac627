"""nodes.conf: what a node remembers of its cluster, and the lock that keeps two servers from one file (cluster.c).

A line per node as CLUSTER NODES shows it, with auxiliary fields after the address, and a line of variables::

    <id> <ip>:<port>@<bus port>,<hostname>,<field>=<value>... <flags> <master> <ping> <pong> <epoch> <link> <slot>...
    vars currentEpoch 6 lastVoteEpoch 0
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING, Final

from ..persistence.files import remove, sync_directory, write_all
from ..util.quoting import split_args
from .describe import nodes_text, text
from .node import BUS_PORT_OFFSET, FAIL, FLAG_NAMES, HANDSHAKE, MYSELF, REPLICA, Node
from .slots import SLOTS
from .state import ClusterState, valid_name

if TYPE_CHECKING:
    from ..config.config import Config
    from ..engine.log import Log

try:
    import fcntl
except ImportError:  # Windows has no flock, as Solaris has none for Redis
    fcntl = None  # type: ignore[assignment]

FEWEST_FIELDS: Final = 8
_FLAGS: Final = {**{name: flag for flag, name in FLAG_NAMES}, "noflags": 0}
_AUX_FORBIDDEN: Final = frozenset("!#$%&()*+:;<>?@[]^{|}~")
_INTEGER: Final = re.compile(r"\s*([+-]?\d+)")


class ClusterFileError(Exception):
    """The node cannot start with its nodes.conf; the reason has been logged."""


class _Corrupt(Exception):
    """A line makes no sense."""


class NodesFile:
    """The file of one node, locked from ``lock`` until ``unlock``."""

    def __init__(self, config: Config, log: Log, state: ClusterState) -> None:
        self._config = config
        self._log = log
        self._state = state
        self._descriptor = -1

    @property
    def name(self) -> str:
        return self._config.cluster_config_file

    @property
    def path(self) -> str:
        return self._config.path(self.name)

    # --- locking ---------------------------------------------------------------------------------

    def lock(self) -> None:
        """Make the file ours; it is created if it is not there.  Raises ClusterFileError (clusterLockConfig)."""
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            self._log.warning(f"Can't open {self.name} in order to acquire a lock: {error.strerror}")
            raise ClusterFileError from None
        if fcntl is None:
            os.close(descriptor)
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                self._log.warning(
                    f"Sorry, the cluster configuration file {self.name} is already used by a different Redis Cluster "
                    "node. Please make sure that different nodes use different cluster configuration files."
                )
            else:
                self._log.warning(f"Impossible to lock {self.name}: {error.strerror}")
            raise ClusterFileError from None
        self._descriptor = descriptor

    def unlock(self) -> None:
        """Let others have the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # --- writing ---------------------------------------------------------------------------------

    def save(self, *, sync: bool) -> None:
        """Put the state into the file, whole or not at all.  Raises OSError, after logging (clusterSaveConfig).

        The new file is locked before it takes the old one's place, whose lock protects nothing any more.
        """
        state = self._state
        data = text(nodes_text(state, without=HANDSHAKE, aux=True)) + (
            b"vars currentEpoch %d lastVoteEpoch %d\n" % (state.current_epoch, state.last_vote_epoch)
        )
        temporary = f"{self.path}.tmp-{os.getpid()}-{state.now_ms()}"
        doing = "open temp cluster config file"
        descriptor = -1
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0), 0o644
            )
            doing = "write tmp cluster config file"
            written = write_all(descriptor, data)
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if sync:
                doing = "sync tmp cluster config file"
                os.fsync(descriptor)
            if self._descriptor >= 0:
                doing = "lock tmp cluster config file"
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                os.close(descriptor)
                descriptor = -1
            doing = "rename tmp cluster config file"
            os.replace(temporary, self.path)
            if descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor, descriptor = descriptor, -1
            if sync:
                doing = "sync cluster config file dir"
                sync_directory(self.path)
        except OSError as error:
            self._log.warning(f"Could not {doing}: {error.strerror}")
            if descriptor >= 0:
                os.close(descriptor)
            remove(temporary)
            raise

    # --- reading ---------------------------------------------------------------------------------

    def load(self) -> bool:
        """Fill the state from the file; false if there is nothing in it yet.  Raises ClusterFileError."""
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                lines = file.readlines()
        except FileNotFoundError:
            return False
        except OSError as error:
            self._log.warning(f"Loading the cluster node config from {self.name}: {error.strerror}")
            raise ClusterFileError from None
        if not lines:
            return False
        state, myself, line = self._state, None, ""
        try:
            for line in lines:
                node = self._load_line(line)
                if node is not None and node.is_(MYSELF):
                    if myself is not None and myself is not node:
                        raise _Corrupt
                    myself = node
            if myself is None:
                raise _Corrupt
        except _Corrupt:
            self._log.warning(f'Unrecoverable error: corrupted cluster config file "{line}".')
            raise ClusterFileError from None
        state.replace_myself(myself)
        self._log.notice(f"Node configuration loaded, I'm {myself.name}")
        state.current_epoch = max(state.current_epoch, state.max_epoch())
        return True

    def _load_line(self, line: str) -> Node | None:
        """Take in one line: the node it is about, None for others.  Raises _Corrupt."""
        if line in ("\n", ""):
            return None
        split = split_args(line.encode("utf-8", "surrogateescape"))
        if not split:
            raise _Corrupt
        words = [word.decode("utf-8", "surrogateescape") for word in split]
        if words[0].lower() == "vars":
            self._load_variables(words)
            return None
        if len(words) < FEWEST_FIELDS:
            raise _Corrupt
        node = self._node(words[0])
        has_shard = self._load_address(node, words[1])
        self._load_flags(node, words[2])
        self._load_master(node, words[3], has_shard=has_shard)
        now = self._state.now_ms()
        node.ping_sent_ms = now if _atoi(words[4]) else node.ping_sent_ms
        node.pong_received_ms = now if _atoi(words[5]) else node.pong_received_ms
        node.config_epoch = 0 if node.is_(REPLICA) and node.master is not None else max(0, _atoi(words[6]))
        for word in words[8:]:
            self._load_slots(node, word)
        return node

    def _load_variables(self, words: list[str]) -> None:
        if len(words) % 2 == 0:
            raise _Corrupt
        for name, value in zip(words[1::2], words[2::2], strict=True):
            match name.lower():
                case "currentepoch":
                    self._state.current_epoch = max(0, _atoi(value))
                case "lastvoteepoch":
                    self._state.last_vote_epoch = max(0, _atoi(value))
                case _:
                    self._log.notice(f"Skipping unknown cluster config variable '{name}'")

    def _node(self, name: str) -> Node:
        """The node of that name, which may not have had its own line yet."""
        if not valid_name(name):
            raise _Corrupt
        state = self._state
        node = state.lookup(name)
        if node is None:
            node = state.new_node(name, 0)
            state.add_node(node)
        return node

    def _load_address(self, node: Node, field: str) -> bool:
        """Address, ports, names; whether the shard is among them."""
        address, *names = field.split(",")
        node.hostname = names[0] if names else ""
        seen = set()
        for aux in names[1:]:
            name, equals, value = aux.partition("=")
            if not equals or "=" in value or not _AUX_FORBIDDEN.isdisjoint(aux):
                raise _Corrupt
            self._load_aux(node, name, value)
            seen.add(name)
        ip, colon, ports = address.rpartition(":")
        if not colon:
            raise _Corrupt
        node.ip = ip
        port, at, bus_port = ports.partition("@")
        tls = self._config.tls_cluster
        if "tcp-port" not in seen and ("tls-port" in seen or not tls):
            node.tcp_port = _atoi(port)
        elif "tls-port" not in seen:
            node.tls_port = _atoi(port)
        default = node.tls_port if tls else node.tcp_port
        node.bus_port = _atoi(bus_port) if at else default + BUS_PORT_OFFSET
        return "shard-id" in seen

    def _load_aux(self, node: Node, name: str, value: str) -> None:
        match name:
            case "shard-id":
                if not valid_name(value) or any(replica.shard_id != value for replica in node.replicas):
                    raise _Corrupt
                node.shard_id = value
                self._state.join_shard(node)
            case "nodename":
                node.human_name = value
            case "tcp-port":
                node.tcp_port = _aux_port(value)
            case "tls-port":
                node.tls_port = _aux_port(value)
            case _:
                raise _Corrupt

    def _load_flags(self, node: Node, field: str) -> None:
        for name in field.lower().split(","):
            flag = _FLAGS.get(name)
            if flag is None:
                raise _Corrupt
            node.flags |= flag
            if flag == FAIL:
                node.fail_ms = self._state.now_ms()

    def _load_master(self, node: Node, field: str, *, has_shard: bool) -> None:
        state = self._state
        if field.startswith("-"):
            if not has_shard:
                state.join_shard(node)
            return
        master = self._node(field)
        if not has_shard:
            node.shard_id = master.shard_id
            state.join_shard(node)
        elif master.shard_id in state.shards and master.shard_id != node.shard_id:
            raise _Corrupt
        node.master = master
        state.add_replica(master, node)

    def _load_slots(self, node: Node, word: str) -> None:
        if word.startswith("["):
            self._load_open_slot(word)
            return
        first, dash, last = word.partition("-")
        start = _atoi(first)
        stop = _atoi(last) if dash else start
        if not (0 <= start < SLOTS and 0 <= stop < SLOTS):
            raise _Corrupt
        for slot in range(start, stop + 1):
            self._state.assign(slot, node)

    def _load_open_slot(self, word: str) -> None:
        """``[93->-name]`` or ``[93-<-name]``."""
        number, dash, rest = word[1:].partition("-")
        slot = _atoi(number)
        if not dash or not 0 <= slot < SLOTS or "]" not in rest:
            raise _Corrupt
        other = self._node(rest[2:].partition("]")[0])
        (self._state.migrating if rest[0] == ">" else self._state.importing)[slot] = other


def _atoi(word: str) -> int:
    """The number *word* begins with, 0 for none."""
    found = _INTEGER.match(word)
    return int(found[1]) if found else 0


def _aux_port(value: str) -> int:
    port = _atoi(value)
    if not 1 <= len(value) <= 5 or not 0 <= port < 65536:
        raise _Corrupt
    return port
