"""maxmemory-clients: who is disconnected when clients hold too much."""

from __future__ import annotations

import pytest

from pyredis.engine.client import Client, Detached
from pyredis.engine.describe import memory


class Slow(Detached):
    """The transport of a client that reads nothing: *unsent* bytes wait."""

    def __init__(self, unsent):
        self.unsent = unsent
        self.aborted = False

    def buffered(self):
        return self.unsent

    def abort(self):
        self.aborted = True


@pytest.fixture
def slow(server):
    def make(unsent):
        client = Client(server, Slow(unsent))
        server.clients[client.id] = client
        return client

    return make


@pytest.fixture
def clients(server):
    return server.make_room.__self__.memory.clients


def gone(*clients):
    return [client.transport.aborted for client in clients]


def test_the_largest_go_until_the_rest_fits(server, send, slow, clients):
    small, large, larger = slow(1 << 20), slow(2 << 20), slow(4 << 20)
    server.config.maxmemory_clients = 2 << 20
    clients.refresh()
    clients.evict()
    assert gone(small, large, larger) == [False, True, True]
    assert server.stats.evicted_clients == 2
    assert large.id not in server.clients
    clients.evict()
    assert gone(small) == [False]


def test_no_evict_protects(server, slow, clients):
    protected, other = slow(4 << 20), slow(1 << 20)
    protected.no_evict = True
    server.config.maxmemory_clients = 3 << 20
    clients.refresh()
    clients.evict()
    assert gone(protected, other) == [False, True]


def test_a_percentage_of_maxmemory(server, clients):
    server.config.maxmemory = 100 << 20
    server.config.maxmemory_clients = -5
    assert clients.limit() == 5 << 20
    server.config.maxmemory_clients = 1
    assert clients.limit() == 128 << 10
    server.config.maxmemory_clients = 0
    assert clients.limit() == 0


def test_the_limit_takes_effect_after_the_command_that_sets_it(server, send, slow, advance):
    client = slow(4 << 20)
    assert send("CONFIG", "SET", "maxmemory-clients", "1mb") == b"+OK\r\n"
    assert gone(client) == [False]
    advance(0.001)
    assert gone(client) == [True]


def test_what_clients_hold_counts_as_used(server, slow, clients):
    before = server.used_memory()
    slow(3 << 20)
    assert server.used_memory() - before > 3 << 20
    assert server.buffer_memory()["mem_clients_normal"] > 3 << 20


@pytest.mark.parametrize(
    "grow",
    [
        lambda client: client.watched.update({(client.db, b"%d" % n): False for n in range(1000)}),
        lambda client: client.channels.update(dict.fromkeys(b"%d" % n for n in range(1000))),
        lambda client: client.out.append(b"x" * 100_000),
    ],
)
def test_watched_keys_subscriptions_and_replies_count(server, slow, grow):
    client = slow(0)
    before = memory(client)
    grow(client)
    assert memory(client) - before >= 8000
