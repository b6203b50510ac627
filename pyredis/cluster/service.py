"""``server.cluster``: this server as a node of a cluster.  Nothing of it is there with ``cluster-enabled no``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..engine.dispatch import settle_turn
from ..registry.flags import GATE_CLUSTER
from ..replication.intake import empty_data
from . import ClusterError
from .announce import default_port
from .bus import Bus, BusError
from .cron import PERIOD_MS
from .describe import info_fields
from .host import ServerHost
from .keys import KeyIndex
from .member import Member
from .node import BUS_PORT_OFFSET, NOADDR, REPLICA
from .nodes_file import ClusterFileError, NodesFile
from .redirect import Routing
from .slots import key_slot, slots_in
from .state import ClusterState

if TYPE_CHECKING:
    from ..engine.server import Server

FORGET_KEYS_MS = 10_000


class Cluster:
    """The parts of a node, plugged into the hooks of *server*.

    ``install`` makes it a node that knows only itself; ``prepare`` gives it nodes.conf and ``open`` the bus.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.host = ServerHost(server)
        self.state = ClusterState(server.rng, self.host.now_ms, server.config, server.log)
        self.member = Member(self.state, server.config, self.host, server.rng)
        self.keys = KeyIndex(server)
        self.routing = Routing(server, self.state)
        self.redirect = self.routing.check
        self.file = NodesFile(server.config, server.log, self.state)
        self.bus: Bus | None = None
        self._saves = False
        self._released: set[int] = set()

    def install(self) -> None:
        """Plug everything in."""
        server, state = self._server, self.state
        state.scheduled = self._wake
        state.slot_released = self._slot_released
        server.cron.every(PERIOD_MS, self._cron)
        server.cron.every(PERIOD_MS, lambda server: self.routing.recheck_blocked())
        server.cron.every(FORGET_KEYS_MS, lambda server: self.keys.forget())
        server.restrict(GATE_CLUSTER)
        self._suspend_pings()

    def _suspend_pings(self) -> None:
        """During a manual failover the stream must end where the replica was told (replicationCron)."""
        leader, pausing, manual = self._server.replication.leader, self._server.pausing, self.member.manual
        otherwise = leader.ping_suspended
        leader.ping_suspended = lambda: bool(otherwise() or (manual.active and pausing.mode))

    def _cron(self, server: Server) -> None:
        """Nothing happens by itself while the data of the start are loaded: others may have our slots by now."""
        if self.bus is not None:
            self.bus.release()
        if not server.loading or self.host.following:
            self.member.cron.turn()

    # --- starting and stopping -------------------------------------------------------------------

    def prepare(self) -> None:
        """Lock and read nodes.conf, or begin one (clusterInit).  Raises ClusterError."""
        server, state = self._server, self.state
        try:
            self.file.lock()
            known = self.file.load()
        except ClusterFileError:
            raise ClusterError from None
        self._saves = True
        if not known:
            server.log.notice(f"No cluster configuration found, I'm {state.myself.name}")
            self._save_first()
        self._check_ports()
        self.member.announcer.install()
        self._resume_role()

    def _resume_role(self) -> None:
        """A replica is one from the start: the data set is loaded as a replica's, and may be gone on from."""
        config, master = self._server.config, self.state.myself.master
        if master is not None and master.ip and not master.is_(NOADDR):
            config.replicaof = (master.ip, master.tls_port if config.tls_replication else master.tcp_port)

    def _save_first(self) -> None:
        try:
            self.file.save(sync=True)
        except OSError:
            self._server.log.warning("Fatal: can't update cluster config file.")
            raise ClusterError from None

    def _check_ports(self) -> None:
        config, log = self._server.config, self._server.log
        if not config.cluster_port and default_port(config) > 65535 - BUS_PORT_OFFSET:
            log.warning(
                "Redis port number too high. Cluster communication port is 10,000 port numbers higher than your Redis "
                "port. Your Redis port number must be 55535 or less."
            )
            raise ClusterError
        if not config.bind:
            log.warning("No bind address is configured, but it is required for the Cluster bus.")
            raise ClusterError

    def open(self, loop: asyncio.AbstractEventLoop, end_turn: Callable[[], None]) -> None:
        """Bind the port of the bus.  Raises ClusterError."""
        self.bus = Bus(self._server, self.member, loop, end_turn)
        try:
            self.bus.open()
        except BusError:
            raise ClusterError from None

    async def start(self) -> None:
        """The data are loaded: see whether they fit, then talk to the others."""
        self.verify_data()
        if self.bus is not None:
            await self.bus.start()

    def verify_data(self) -> None:
        """Take charge of slots that have keys here, as far as nobody else is (verifyClusterConfigWithData)."""
        state, log = self.state, self._server.log
        if state.myself.is_(REPLICA):
            return
        changed = False
        for slot in slots_in(self.keys.used_slots() & ~state.myself.slots):
            owner = state.owners[slot]
            if slot in state.importing:
                continue
            changed = True
            if owner is None:
                log.notice(f"I have keys for unassigned slot {slot}. Taking responsibility for it.")
                state.assign(slot, state.myself)
            else:
                log.notice(
                    f"I have keys for slot {slot}, but the slot is assigned to another node. "
                    "Setting it to importing state."
                )
                state.importing[slot] = owner
        if changed:
            self.save(True)

    def stop(self) -> None:
        """Hang up, and let others have nodes.conf."""
        if self.bus is not None:
            self.bus.close()
        self.file.unlock()

    # --- what ``host`` passes on -----------------------------------------------------------------

    def key_count(self, slot: int) -> int:
        """How many keys are in *slot*."""
        return self.keys.count(slot)

    def delete_keys(self, slot: int) -> None:
        """Delete the keys of *slot*, which others have got."""
        self.keys.delete(slot)
        if self._server.executing is None:
            settle_turn(self._server)

    def empty(self) -> None:
        """Delete everything."""
        empty_data(self._server, lazily=False)

    def save(self, sync: bool) -> None:
        """Write nodes.conf; a node that cannot stops (clusterSaveConfigOrDie)."""
        if not self._saves:
            return
        try:
            self.file.save(sync=sync)
        except OSError:
            self._server.log.warning("Fatal: can't update cluster config file.")
            self._server.persistence.exit()

    # --- figures ---------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """Sockets of the bus, about (getClusterConnectionsCount)."""
        return 2 * (len(self.state.nodes) - 1)

    def info(self) -> list[tuple[str, object]]:
        """The fields of CLUSTER INFO."""
        return info_fields(self.state)

    @property
    def memory(self) -> int:
        """Bytes in the buffers of the bus."""
        return self.bus.memory if self.bus is not None else 0

    # --- the end of a turn of the loop -----------------------------------------------------------

    def _wake(self) -> None:
        """There is something to do before the replies of this turn leave."""
        hooks = self._server.before_sleep
        if self._before_sleep not in hooks:
            hooks.append(self._before_sleep)

    def _before_sleep(self) -> None:
        if self._server.serving:
            return  # a script runs: later
        self.member.cron.before_sleep()
        if self._released:
            self._close_channels()
        if not self.state.todo:
            self._server.before_sleep.remove(self._before_sleep)

    def _slot_released(self, slot: int) -> None:
        if self._server.pubsub.shard_channels:
            self._released.add(slot)
            self._wake()

    def _close_channels(self) -> None:
        """Nobody hears shard channels here whose slots have gone (removeChannelsInSlot)."""
        released, self._released = self._released, set()
        pubsub = self._server.pubsub
        for channel in [channel for channel in pubsub.shard_channels if key_slot(channel) in released]:
            pubsub.close_shard_channel(channel)


def install(server: Server) -> None:
    """Make *server* a node of a cluster."""
    server.cluster = Cluster(server)
    server.cluster.install()
