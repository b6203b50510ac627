"""Several nodes in one process, on a network and a clock that tests move."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable

from pyredis.cluster.cron import PERIOD_MS
from pyredis.cluster.member import Member
from pyredis.cluster.node import MASTER, Node
from pyredis.cluster.state import ClusterState
from pyredis.config.config import Config

TIMEOUT_MS = 2000


class Journal:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        self.lines.append(text)

    notice = warning = verbose = debug = write

    def __contains__(self, text: object) -> bool:
        return any(str(text) in line for line in self.lines)


class SimLink:
    """One side of a connection; what is sent waits in the network."""

    def __init__(self, network: Network, owner: SimNode, node: Node | None, other_ip: str) -> None:
        self.network = network
        self.owner = owner
        self.node = node
        self.inbound = node is None
        self.created_ms = network.now_ms
        self.peer_ip = other_ip
        self.local_ip = owner.ip
        self.other: SimLink | None = None
        self.closed = False
        self.queued_bytes = 48

    def send(self, packet: bytes) -> None:
        self.network.queue.append((self, packet))

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.owner.member.link_lost(self)
        if self.other is not None and self.network.reachable(self.owner, self.other.owner):
            self.other.close()


class SimHost:
    """A server that only remembers what the cluster asked of it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.following = False
        self.leader: tuple[str, int] | None = None
        self.offset = 0
        self.silent_ms = 0
        self.keys: dict[int, int] = {}
        self.published: list[tuple[bytes, bytes, bool]] = []
        self.saves: list[bool] = []
        self.paused_ms = 0
        self.emptied = False

    def now_ms(self) -> int:
        return self._network.now_ms

    def disconnected_ms(self) -> int:
        return self.silent_ms

    def follow(self, ip: str, port: int) -> None:
        self.following, self.leader = True, (ip, port)

    def promote(self) -> None:
        self.following, self.leader = False, None

    def pause_writes(self, milliseconds: int) -> None:
        self.paused_ms = milliseconds

    def unpause(self) -> None:
        self.paused_ms = 0

    def publish(self, channel: bytes, message: bytes, *, sharded: bool) -> None:
        self.published.append((channel, message, sharded))

    def key_count(self, slot: int) -> int:
        return self.keys.get(slot, 0)

    def delete_keys(self, slot: int) -> None:
        self.keys.pop(slot, None)

    def empty(self) -> None:
        self.emptied = True

    def save(self, *, sync: bool) -> None:
        self.saves.append(sync)


class SimNode:
    """A member with its address."""

    def __init__(self, network: Network, number: int) -> None:
        self.network = network
        self.ip = f"10.0.0.{number}"
        self.alive = True
        self.config = Config()
        self.config.port = 7000
        self.config.cluster_node_timeout = TIMEOUT_MS
        self.log = Journal()
        self.host = SimHost(network)
        rng = random.Random(number)
        self.state = ClusterState(rng, self.host.now_ms, self.config, self.log)
        self.member = Member(self.state, self.config, self.host, rng)
        self.member.link_maker = self._connect
        self.member.announcer.install()

    def _connect(self, node: Node) -> SimLink:
        link = SimLink(self.network, self, node, node.ip)
        self.network.dialling.append(link)
        return link

    @property
    def me(self) -> Node:
        return self.state.myself

    @property
    def name(self) -> str:
        return self.state.myself.name

    def sees(self, other: SimNode) -> Node:
        """How this node sees *other*."""
        return self.state.nodes[other.name]

    def is_master(self) -> bool:
        return self.me.is_(MASTER)

    def take(self, slots: Iterable[int]) -> None:
        for slot in slots:
            assert self.state.assign(slot, self.me)


class Network:
    """Delivers packets between nodes that can reach each other; time moves in steps of the cron."""

    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000
        self.nodes: list[SimNode] = []
        self.queue: deque[tuple[SimLink, bytes]] = deque()
        self.dialling: list[SimLink] = []
        self.island: set[SimNode] = set()
        """Nodes that only reach each other."""
        self.tap: Callable[[SimNode, SimNode, bytes], None] = lambda sender, receiver, packet: None

    def add(self) -> SimNode:
        node = SimNode(self, len(self.nodes) + 1)
        self.nodes.append(node)
        return node

    def move(self, node: SimNode, ip: str) -> None:
        """*node* is restarted elsewhere."""
        for other in self.nodes:
            for seen in list(other.state.nodes.values()):
                for link in (seen.link, seen.inbound_link):
                    if link is not None and (other is node or seen.name == node.name):
                        link.close()
        node.ip = ip

    def reachable(self, one: SimNode, other: SimNode) -> bool:
        return one.alive and other.alive and (one in self.island) == (other in self.island)

    def _dial(self) -> None:
        dialling, self.dialling = self.dialling, []
        for link in dialling:
            if link.closed or link.node is None:
                continue
            target = next((node for node in self.nodes if node.ip == link.node.ip), None)
            if target is None or not self.reachable(link.owner, target):
                link.node.ping_sent_ms = link.node.ping_sent_ms or self.now_ms
                link.close()
                continue
            link.other = SimLink(self, target, None, link.owner.ip)
            link.other.other = link
            link.owner.member.linked(link)

    def deliver(self) -> None:
        """Hand over what has been sent by now, and let everybody end a turn of the loop."""
        self._dial()
        queue, self.queue = self.queue, deque()
        for link, packet in queue:
            other = link.other
            if other is None or link.closed or other.closed or not self.reachable(link.owner, other.owner):
                continue
            self.tap(link.owner, other.owner, packet)
            if not other.owner.member.received(other, packet):
                other.close()
        for node in self.nodes:
            if node.alive and node.state.todo:
                node.member.cron.before_sleep()

    def settle(self) -> None:
        """Deliver until nobody has anything to say."""
        while self.queue or self.dialling or any(node.state.todo for node in self.nodes if node.alive):
            self.deliver()

    def tick(self, rounds: int = 20) -> None:
        """One turn of the cron everywhere, and then at most so many exchanges: somebody may wait for time to pass."""
        self.now_ms += PERIOD_MS
        for node in self.nodes:
            if node.alive:
                node.member.cron.turn()
        for _ in range(rounds):
            self.deliver()

    def run(self, milliseconds: int) -> None:
        """Let that much time pass."""
        end = self.now_ms + milliseconds
        while self.now_ms < end:
            self.tick()

    def run_until(self, condition: Callable[[], bool], milliseconds: int = 60_000) -> int:
        """Let time pass until *condition* holds; how much.  AssertionError if it takes too long."""
        start = self.now_ms
        while not condition():
            assert self.now_ms - start < milliseconds, "it never happened"
            self.run(PERIOD_MS)
        return self.now_ms - start


def cluster_of(masters: int, replicas: int = 0) -> Network:
    """A cluster that works: *masters* with an equal share of slots, each with so many *replicas*.

    The masters are the first nodes; the replicas of the first come next, and so on.
    """
    network = Network()
    nodes = [network.add() for _ in range(masters * (1 + replicas))]
    for epoch, node in enumerate(nodes, 1):
        node.state.current_epoch = node.me.config_epoch = epoch
    share = 16384 // masters
    for number, node in enumerate(nodes[:masters]):
        last = 16384 if number == masters - 1 else (number + 1) * share
        node.take(range(number * share, last))
    for node in nodes[1:]:
        assert nodes[0].member.meet(node.ip, 7000, 17000)
    network.run_until(lambda: all(len(node.state.nodes) == len(nodes) for node in nodes))
    network.run_until(lambda: not any(other.is_(1 << 5) for node in nodes for other in node.state.nodes.values()))
    for number, node in enumerate(nodes[masters:]):
        master = nodes[number // replicas]
        node.member.set_master(node.sees(master))
        node.host.offset = 100
        node.state.schedule(2)
    for node in nodes[:masters]:
        node.host.offset = 100
    network.run_until(lambda: all(node.state.ok for node in nodes))
    network.run(2000)
    return network
