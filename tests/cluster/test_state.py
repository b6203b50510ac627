"""Who is there, who owns what, and whether that is enough."""

from __future__ import annotations

import random

import pytest

from pyredis.cluster.health import WRITABLE_DELAY_MS
from pyredis.cluster.node import FAIL, HANDSHAKE, MASTER, MIGRATE_TO, PFAIL, REPLICA, Node
from pyredis.cluster.slots import ALL, slots_in
from pyredis.cluster.state import SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE, ClusterState, Counts, valid_name
from pyredis.config.config import Config

from .simulation import Journal


class Clock:
    ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    return ClusterState(random.Random(1), clock, Config(), Journal())


def join(state: ClusterState, flags: int = MASTER) -> Node:
    node = state.new_node(None, flags)
    state.add_node(node)
    state.join_shard(node)
    return node


def test_a_node_alone(state):
    assert valid_name(state.myself.name)
    assert state.lookup(state.myself.name) is state.myself
    assert state.shards == {state.myself.shard_id: [state.myself]}
    assert not state.ok
    assert state.size == 1


@pytest.mark.parametrize("name", ["", "a" * 39, "A" * 40, "a" * 39 + "-"])
def test_names_that_cannot_be(name):
    assert not valid_name(name)


def test_slots_are_given_once(state):
    other = join(state)
    assert state.assign(5, state.myself)
    assert not state.assign(5, other)
    assert state.owners[5] is state.myself
    assert list(slots_in(state.myself.slots)) == [5]


def test_unassigning_tells_whoever_listens(state):
    released = []
    state.slot_released = released.append
    state.assign(5, state.myself)
    state.unclaimed = 1 << 5
    assert state.unassign(5)
    assert not state.unassign(5)
    assert (released, state.myself.slots, state.unclaimed) == ([5], 0, 0)


def test_release_all(state):
    released = []
    state.slot_released = released.append
    for slot in (1, 2, 900):
        state.assign(slot, state.myself)
    assert state.release_all(state.myself) == 3
    assert released == [1, 2, 900]
    assert set(state.owners) == {None}


def test_the_first_slot_attracts_replicas_if_others_have_some(state):
    state.assign(1, state.myself)
    assert not state.myself.is_(MIGRATE_TO)
    master, replica = join(state), join(state, REPLICA)
    state.add_replica(master, replica)
    newcomer = join(state)
    state.assign(2, newcomer)
    assert newcomer.is_(MIGRATE_TO)


def test_replicas_come_and_go(state):
    replica = join(state, REPLICA)
    assert state.add_replica(state.myself, replica)
    assert not state.add_replica(state.myself, replica)
    assert state.myself.is_(MIGRATE_TO)
    assert state.masters_have_replicas()
    assert state.remove_replica(state.myself, replica)
    assert not state.remove_replica(state.myself, replica)
    assert not state.myself.is_(MIGRATE_TO)


def test_following_makes_a_replica_of_the_same_shard(state):
    master = join(state)
    state.migrating[3] = master
    state.follow(master)
    assert state.myself.is_(REPLICA)
    assert not state.myself.is_(MASTER)
    assert state.shards == {master.shard_id: [master, state.myself]}
    assert not state.migrating
    assert state.my_epoch == master.config_epoch


def test_a_replica_becomes_a_master(state):
    master, replica = join(state), join(state, REPLICA)
    state.add_replica(master, replica)
    replica.master = master
    state.set_as_master(replica)
    assert (replica.master, master.replicas) == (None, [])
    assert replica.is_(MASTER)
    assert not replica.is_(REPLICA)
    assert replica.is_(MIGRATE_TO)
    assert state.todo == SAVE_CONFIG | UPDATE_STATE


def test_removing_a_node_leaves_no_trace(state):
    master, other = join(state), join(state)
    replica = join(state, REPLICA)
    state.add_replica(master, replica)
    replica.master = master
    state.assign(7, master)
    state.importing[8], state.migrating[9] = master, master
    other.fail_reports[master] = 1
    state.remove_node(master)
    assert master.name not in state.nodes
    assert replica.master is None
    assert (state.owners[7], state.importing, state.migrating, other.fail_reports) == (None, {}, {}, {})
    assert master.shard_id not in state.shards


def test_removing_a_replica_frees_its_master(state):
    replica = join(state, REPLICA)
    state.add_replica(state.myself, replica)
    replica.master = state.myself
    state.remove_node(replica)
    assert state.myself.replicas == []


def test_a_node_gets_its_real_name(state):
    node = state.new_node(None, HANDSHAKE)
    state.add_node(node)
    old = node.name
    state.rename_node(node, "f" * 40)
    assert state.lookup(old) is None
    assert state.lookup("f" * 40) is node
    assert state.shards[node.shard_id] == [node]


def test_a_shard_moves_with_its_master(state):
    master = join(state)
    state.follow(master)
    state.todo = 0
    state.set_shard(master, "e" * 40)
    assert state.shards == {"e" * 40: [master, state.myself]}
    assert state.todo == SAVE_CONFIG | SYNC_CONFIG


def test_forgotten_nodes_stay_away_for_a_minute(state, clock):
    state.forget_for("c" * 40)
    clock.ms += 60_000
    assert state.is_forgotten("c" * 40)
    clock.ms += 1_000
    assert not state.is_forgotten("c" * 40)
    assert not state.blacklist


def test_epochs(state):
    other = join(state)
    other.config_epoch = 9
    assert state.max_epoch() == 9
    state.current_epoch = 9
    assert state.bump_epoch_without_consensus()
    assert (state.current_epoch, state.myself.config_epoch) == (10, 10)
    assert not state.bump_epoch_without_consensus()
    assert state.todo == SAVE_CONFIG | SYNC_CONFIG


def test_of_two_equal_epochs_the_smaller_name_moves(state):
    saved = []
    state.save_now = lambda: saved.append(1)
    small, great = state.new_node("0" * 40, MASTER), state.new_node("z" * 40, MASTER)
    state.resolve_epoch_collision(small)
    assert state.myself.config_epoch == 0
    state.resolve_epoch_collision(great)
    assert (state.myself.config_epoch, saved) == (1, [1])
    great.config_epoch = 5
    state.resolve_epoch_collision(great)
    assert state.myself.config_epoch == 1


def test_counts(state):
    failed, doubtful = join(state), join(state)
    for slot, node in enumerate((state.myself, state.myself, failed, doubtful, doubtful, doubtful)):
        state.assign(slot, node)
    failed.flags |= FAIL
    doubtful.flags |= PFAIL
    assert state.counts() == Counts(6, 2, 3, 1)


# --- cluster_state --------------------------------------------------------------------------------


def fill(state: ClusterState, *nodes: Node) -> None:
    for slot in slots_in(ALL):
        state.assign(slot, nodes[slot % len(nodes)])


def test_a_new_master_waits_before_it_serves(state, clock):
    fill(state, state.myself)
    state.update()
    assert not state.ok
    clock.ms += WRITABLE_DELAY_MS - 1
    state.update()
    assert not state.ok
    clock.ms += 1
    state.update()
    assert state.ok


def ripe(state: ClusterState, clock: Clock) -> None:
    state.update()
    clock.ms += WRITABLE_DELAY_MS
    state.update()


def test_full_coverage_is_required_unless_told_otherwise(state, clock):
    fill(state, state.myself)
    ripe(state, clock)
    state.unassign(77)
    state.update()
    assert not state.ok
    state.settings.cluster_require_full_coverage = False
    state.update()
    assert state.ok


def test_a_failed_owner_breaks_coverage(state, clock):
    other, third = join(state), join(state)
    fill(state, state.myself, other, third)
    ripe(state, clock)
    assert (state.ok, state.size, state.quorum) == (True, 3, 2)
    other.flags |= PFAIL
    state.update()
    assert state.ok
    other.flags = other.flags & ~PFAIL | FAIL
    state.update()
    assert not state.ok


def test_a_minority_stops_and_waits_before_it_goes_on(state, clock):
    other, third = join(state), join(state)
    fill(state, state.myself, other, third)
    ripe(state, clock)
    for node in (other, third):
        node.flags |= PFAIL
    state.update()
    assert not state.ok
    for node in (other, third):
        node.flags &= ~PFAIL
    clock.ms += 4_999
    state.update()
    assert not state.ok
    clock.ms += 1
    state.update()
    assert state.ok
    assert "Cluster state changed: ok" in state.log


def test_something_to_do_is_announced_once(state):
    calls = []
    state.scheduled = lambda: calls.append(state.todo)
    state.schedule(SAVE_CONFIG)
    state.schedule(UPDATE_STATE)
    assert calls == [0]
