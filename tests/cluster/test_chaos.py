"""Clusters that are cut, killed and failed over at random: whatever happens, afterwards all agree."""

from __future__ import annotations

import random

import pytest

from pyredis.cluster.node import REPLICA

from .simulation import Network, SimNode, cluster_of


def owners(node: SimNode) -> tuple[str, ...]:
    return tuple(owner.name if owner is not None else "" for owner in node.state.owners)


def check(network: Network) -> None:
    """What must hold at every moment: tables that are consistent in themselves, and epochs of masters that differ."""
    for node in network.nodes:
        state = node.state
        for other in state.nodes.values():
            assert all(state.owners[slot] is other for slot in (other.slots.bit_length() - 1,) if slot >= 0)
            assert all(replica.master is other for replica in other.replicas)
            assert other.master is None or other in other.master.replicas
            assert not (other.is_(REPLICA) and other.slots)
        assert state.max_epoch() == state.current_epoch
    elected = [node.me.config_epoch for node in network.nodes if node.is_master() and node.me.slots]
    assert len(elected) == len(set(elected))


def disturb(network: Network, rng: random.Random) -> None:
    """One thing that goes wrong, or is set right."""
    node = rng.choice(network.nodes)
    match rng.randrange(6):
        case 0:
            network.island = set(rng.sample(network.nodes, rng.randrange(1, len(network.nodes))))
        case 1:
            network.island = set()
        case 2:
            node.alive = False
        case 3:
            for dead in network.nodes:
                dead.alive = True
        case 4 if node.alive and node.me.master is not None and not node.is_master():
            node.member.start_manual_failover(force=rng.random() < 0.5)
        case 5:
            node.host.offset += rng.randrange(100)


@pytest.mark.parametrize("seed", range(6))
def test_after_the_storm_all_agree(seed: int) -> None:
    rng = random.Random(seed)
    network = cluster_of(3, 1)
    for _ in range(25):
        disturb(network, rng)
        for _ in range(rng.randrange(1, 40)):
            network.tick()
        check(network)
    network.island = set()
    for node in network.nodes:
        node.alive = True
        node.host.offset = 1000
    network.run_until(
        lambda: all(node.state.ok for node in network.nodes) and len(set(map(owners, network.nodes))) == 1, 120_000
    )
    network.run(3000)
    check(network)
    masters = [node for node in network.nodes if node.me.slots]
    assert len(masters) == 3
    assert set(owners(network.nodes[0])) == {node.name for node in masters}
    for node in network.nodes:
        if not node.is_master():
            assert node.host.leader is not None
            assert node.me.master is not None
            assert node.me.master.ip == node.host.leader[0]
