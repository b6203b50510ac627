"""Clusters of server processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType

from ..waiting import until
from .servers import OURS, Server, free_port, version_of
from .wire import Connection

SLOTS = 16384
SHORT_MS = 1000
"""cluster-node-timeout while the nodes get to know each other: masters wait for so long before they serve."""
USUAL_MS = 15000


class Cluster:
    """Masters that share all slots, and replicas of them: node n follows master n modulo *masters*."""

    def __init__(self, commands: Sequence[Sequence[str]], masters: int, *options: str) -> None:
        self.masters = masters
        self.nodes: list[Server] = []
        self._bus_ports: list[int] = []
        try:
            for command in commands:
                bus_port = free_port()
                arguments = ("--cluster-enabled", "yes", "--cluster-port", str(bus_port), *options)
                timeout = ("--cluster-node-timeout", str(SHORT_MS))
                self.nodes.append(Server.start(command, *arguments, *timeout))
                self._bus_ports.append(bus_port)
            self._join()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def call(self, node: int, *argv: bytes | str | int) -> object:
        """The value that node number *node* answers."""
        connection = self.nodes[node].connect()
        try:
            return _call(connection, *argv)
        finally:
            connection.close()

    def address(self, node: int) -> str:
        """``host:port`` of node number *node*."""
        host, port = self.nodes[node].address
        return f"{host}:{port}"

    def _join(self) -> None:
        """Introduce all to the first, deal the slots out, and wait until they serve."""
        host, port = self.nodes[0].address
        share = SLOTS // self.masters
        for number in range(len(self.nodes)):
            self.call(number, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < self.masters:
                last = SLOTS - 1 if number == self.masters - 1 else (number + 1) * share - 1
                self.call(number, "CLUSTER", "ADDSLOTSRANGE", number * share, last)
        for number in range(1, len(self.nodes)):
            self.call(number, "CLUSTER", "MEET", host, port, self._bus_ports[0])
        self.wait(lambda number: self._info(number)["cluster_known_nodes"] == str(len(self.nodes)))
        self.wait(lambda number: b"handshake" not in self._nodes(number))
        for number in range(self.masters, len(self.nodes)):
            self.call(number, "CLUSTER", "REPLICATE", self.name(number % self.masters))
        self.wait(lambda number: self._info(number)["cluster_state"] == "ok")
        for number in range(len(self.nodes)):
            self.call(number, "CONFIG", "SET", "cluster-node-timeout", USUAL_MS)

    def wait(self, condition: Callable[[int], bool], seconds: float = 30) -> None:
        """Until *condition* holds for the number of every node."""
        if not until(lambda: all(map(condition, range(len(self.nodes)))), seconds):
            views = [self._nodes(number).decode() for number in range(len(self.nodes))]
            raise RuntimeError("the nodes do not come to agree:\n" + "\n".join(views))

    def name(self, number: int) -> str:
        """The id of node number *number*."""
        name = self.call(number, "CLUSTER", "MYID")
        assert isinstance(name, bytes)
        return name.decode()

    def _nodes(self, number: int) -> bytes:
        text = self.call(number, "CLUSTER", "NODES")
        assert isinstance(text, bytes)
        return text

    def _info(self, number: int) -> dict[str, str]:
        text = self.call(number, "CLUSTER", "INFO")
        assert isinstance(text, bytes)
        return dict(line.split(":", 1) for line in text.decode().split() if ":" in line)


def ours(masters: int = 3, replicas: int = 0, *options: str) -> Cluster:
    """A cluster of our own servers."""
    return Cluster([OURS] * (masters + replicas), masters, *options)


def release(program: str) -> tuple[int, ...]:
    """The version of the real server that *program* is, without its patch level."""
    server = Server.start([program])
    connection = server.connect()
    found = version_of(connection)[1][:2]
    connection.close()
    server.stop()
    return found


def _call(connection: Connection, *argv: bytes | str | int) -> object:
    words = [word if isinstance(word, bytes) else str(word).encode() for word in argv]
    kind, value = connection.call(*words)
    if kind == b"-":
        raise RuntimeError(f"{argv}: {value!r}")
    return value
