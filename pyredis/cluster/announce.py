"""What this node tells others of itself: ports, address, names (the cluster-announce-* directives)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from .node import BUS_PORT_OFFSET, NOFAILOVER, Node
from .state import SAVE_CONFIG, UPDATE_STATE, ClusterState

if TYPE_CHECKING:
    from ..config.config import Config


_NO_ADDRESS: Final = re.compile(r"[^0-9A-Za-z.:_%-]")
_NO_NAME: Final = re.compile(r"""[\s\x00-\x1f"',=\\!#$%&()*+:;<>?@\[\]^{|}~]""")


class Ports(NamedTuple):
    """0 for none."""

    tcp: int
    tls: int
    bus: int


def default_port(config: Config) -> int:
    """The port of clients that the bus' port is reckoned from."""
    return config.tls_port if config.tls_cluster else config.port


def bus_port(config: Config) -> int:
    """Where the bus listens."""
    return config.cluster_port or default_port(config) + BUS_PORT_OFFSET


def announced_ports(config: Config) -> Ports:
    """What the packets say (deriveAnnouncedPorts)."""
    return Ports(
        config.cluster_announce_port or config.port,
        config.cluster_announce_tls_port or config.tls_port,
        config.cluster_announce_bus_port or bus_port(config),
    )


def client_port(node: Node, config: Config) -> int:
    """The port of *node* that MEET and the log name (getNodeDefaultClientPort)."""
    return node.tls_port if config.tls_cluster else node.tcp_port


def valid_address(text: str) -> bool:
    """Whether *text*, which others sent, can stand in nodes.conf as an address or hostname, and be read again.

    Redis writes whatever comes, and then does not start from the file.
    """
    return _NO_ADDRESS.search(text) is None


def set_hostname(state: ClusterState, node: Node, hostname: str) -> None:
    """*node* calls itself so, or nothing (updateAnnouncedHostname)."""
    if node.hostname != hostname and valid_address(hostname):
        node.hostname = hostname
        state.schedule(SAVE_CONFIG)


def set_human_name(state: ClusterState, node: Node, name: str) -> None:
    """The same for the name in the log (updateAnnouncedHumanNodename)."""
    if node.human_name != name and not _NO_NAME.search(name):
        node.human_name = name
        state.schedule(SAVE_CONFIG)


class Announcer:
    """Keeps ``state.myself`` in step with the directives."""

    def __init__(self, state: ClusterState, config: Config) -> None:
        self._state = state
        self._config = config
        self._ip = ""

    def install(self) -> None:
        """Say everything now, and again whenever CONFIG SET changes it."""
        for update, names in (
            (self.update_ports, ("cluster-announce-port", "cluster-announce-tls-port", "cluster-announce-bus-port")),
            (self.update_ip, ("cluster-announce-ip",)),
            (self.update_names, ("cluster-announce-hostname", "cluster-announce-human-nodename")),
            (self.update_flags, ("cluster-replica-no-failover",)),
        ):
            update()
            for name in names:
                self._config.on_change(name, update)

    def update_ports(self) -> None:
        """The ports (clusterUpdateMyselfAnnouncedPorts)."""
        myself = self._state.myself
        myself.tcp_port, myself.tls_port, myself.bus_port = announced_ports(self._config)

    def update_ip(self) -> None:
        """The address; without one it is found out anew (clusterUpdateMyselfIp)."""
        ip = self._config.cluster_announce_ip
        if ip != self._ip:
            self._ip = self._state.myself.ip = ip

    def update_names(self) -> None:
        """Hostname and human name."""
        state = self._state
        set_hostname(state, state.myself, self._config.cluster_announce_hostname)
        set_human_name(state, state.myself, self._config.cluster_announce_human_nodename)

    def update_flags(self) -> None:
        """Whether we would replace a failed master (clusterUpdateMyselfFlags)."""
        state = self._state
        flags = state.myself.flags & ~NOFAILOVER
        if self._config.cluster_replica_no_failover:
            flags |= NOFAILOVER
        if flags != state.myself.flags:
            state.myself.flags = flags
            state.schedule(SAVE_CONFIG | UPDATE_STATE)
