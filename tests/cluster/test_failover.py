"""Who takes over, when, and who may not: elections, manual failovers, migrating replicas, contested slots."""

from __future__ import annotations

import pytest

from pyredis.cluster.cron import PERIOD_MS
from pyredis.cluster.failover import Obstacle
from pyredis.cluster.manual_failover import PAUSE_FACTOR
from pyredis.cluster.manual_failover import TIMEOUT_MS as MANUAL_MS
from pyredis.cluster.messages import AUTH_ACK, AUTH_REQUEST, FORCE_ACK, UPDATE, Packet
from pyredis.cluster.node import FAIL, MASTER, NOFAILOVER, REPLICA
from pyredis.cluster.slots import bitmap_of
from pyredis.cluster.state import SYNC_CONFIG

from .simulation import TIMEOUT_MS, Network, SimNode, cluster_of


@pytest.fixture
def six():
    """Three masters with a replica each."""
    return cluster_of(3, 1)


def masters(network: Network) -> list[int]:
    return [number for number, node in enumerate(network.nodes) if node.alive and node.is_master()]


def agree(network: Network) -> bool:
    """Whether all that are alive see the same owners, and that all is well."""
    alive = [node for node in network.nodes if node.alive]
    views = [tuple(owner.name if owner else "" for owner in node.state.owners) for node in alive]
    return len(set(views)) == 1 and all(node.state.ok for node in alive)


# --- elections ------------------------------------------------------------------------------------


def test_a_replica_takes_over(six):
    dead, replica = six.nodes[0], six.nodes[3]
    epochs = {node.state.current_epoch for node in six.nodes}
    dead.alive = False
    took = six.run_until(replica.is_master)
    assert TIMEOUT_MS < took < 3 * TIMEOUT_MS
    six.run_until(lambda: agree(six))
    assert replica.me.slot_count == 5461
    assert not replica.host.following
    assert replica.me.config_epoch == max(epochs) + 1
    assert replica.host.saves[-1] in (True, False)
    assert True in replica.host.saves


def test_the_former_master_comes_back_as_a_replica(six):
    dead, replica = six.nodes[0], six.nodes[3]
    dead.alive = False
    six.run_until(replica.is_master)
    six.run(2000)
    dead.alive = True
    six.run_until(lambda: dead.me.is_(REPLICA))
    assert dead.host.leader == (replica.ip, 7000)
    six.run_until(lambda: agree(six))
    assert masters(six) == [1, 2, 3]


def test_without_a_majority_nobody_takes_over(six):
    for number in (0, 1):
        six.nodes[number].alive = False
    six.run(30_000)
    assert masters(six) == [2]
    assert not six.nodes[2].state.ok


def test_a_partition_of_the_minority_heals(six):
    six.island = {six.nodes[0], six.nodes[3]}
    six.run(20_000)
    assert masters(six) == [0, 1, 2]
    assert not six.nodes[0].state.ok
    six.island = set()
    six.run_until(lambda: agree(six))


def test_a_master_cut_off_from_the_majority_is_replaced_and_gives_in(six):
    six.island = {six.nodes[0]}
    six.run_until(six.nodes[3].is_master)
    assert six.nodes[0].is_master()
    six.nodes[0].host.keys = {5: 1}
    six.island = set()
    six.run_until(lambda: agree(six))
    assert masters(six) == [1, 2, 3]
    assert six.nodes[0].host.keys == {5: 1}  # a replica: the data of its master will replace them


def test_the_replica_with_more_data_stands_first():
    network = cluster_of(3, 2)
    behind, ahead = network.nodes[3], network.nodes[4]
    ahead.host.offset = 200
    network.run(TIMEOUT_MS)
    assert (behind.member.election.current_rank(), ahead.member.election.current_rank()) == (1, 0)
    network.nodes[0].alive = False
    network.run_until(lambda: behind.is_master() or ahead.is_master())
    assert ahead.is_master()
    network.run_until(lambda: behind.me.master is behind.sees(ahead))


def test_replicas_that_do_not_stand_do_not_count():
    network = cluster_of(3, 2)
    behind, ahead = network.nodes[3], network.nodes[4]
    ahead.host.offset = 200
    network.run(TIMEOUT_MS)
    behind.sees(ahead).flags |= NOFAILOVER
    assert behind.member.election.current_rank() == 0


def test_a_replica_that_falls_behind_waits_longer():
    network = cluster_of(3, 2)
    behind, ahead = network.nodes[3], network.nodes[4]
    network.nodes[0].alive = False
    network.run_until(lambda: behind.sees(network.nodes[0]).is_(FAIL))
    election = behind.member.election
    network.run_until(lambda: election.time_ms > network.now_ms)
    time = election.time_ms
    behind.sees(ahead).repl_offset = 999
    election.handle()
    assert (election.time_ms, election.rank) == (time + 1000, 1)
    assert "Replica rank updated to #1, added 1000 milliseconds of delay." in behind.log


def test_no_failover_is_respected(six):
    six.nodes[3].config.cluster_replica_no_failover = True
    six.nodes[0].alive = False
    six.run(30_000)
    assert masters(six) == [1, 2]


def test_old_data_do_not_stand(six):
    replica = six.nodes[3]
    replica.host.silent_ms = 10_000 + TIMEOUT_MS * 11 + 1000
    six.nodes[0].alive = False
    six.run(30_000)
    assert not replica.is_master()
    assert replica.member.election.obstacle is Obstacle.DATA_AGE
    assert "Currently unable to failover: Disconnected from master for longer than allowed." in replica.log
    replica.config.cluster_replica_validity_factor = 0
    six.run_until(replica.is_master)


def test_an_election_without_votes_expires_and_is_repeated(six):
    replica = six.nodes[3]
    for number in (1, 2):
        six.nodes[number].member.packets.drop_filter = AUTH_REQUEST
    six.nodes[0].alive = False
    six.run_until(lambda: replica.member.election.sent)
    first = replica.member.election.epoch
    six.run_until(lambda: replica.member.election.epoch > first)
    for number in (1, 2):
        six.nodes[number].member.packets.drop_filter = -1
    six.run_until(replica.is_master)
    assert "Needed quorum: 2. Number of votes received so far: 0" in replica.log


# --- votes ----------------------------------------------------------------------------------------


def ask(network: Network, voter: SimNode, candidate: SimNode, **changes: int) -> bool:
    """Whether *voter* grants *candidate* a vote."""
    packet = candidate.member.outbox.header(AUTH_REQUEST)
    packet.message_flags = FORCE_ACK
    packet.current_epoch = voter.state.current_epoch
    for name, value in changes.items():
        setattr(packet, name, value)
    before = voter.state.sent[AUTH_ACK]
    voter.member.voter.consider(voter.sees(candidate), packet)
    return voter.state.sent[AUTH_ACK] > before


def test_a_vote_is_kept_on_the_disk(six):
    voter, candidate = six.nodes[1], six.nodes[3]
    voter.host.saves.clear()
    assert ask(six, voter, candidate)
    assert voter.state.last_vote_epoch == voter.state.current_epoch
    assert voter.state.todo & SYNC_CONFIG
    six.settle()
    assert voter.host.saves == [True]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"current_epoch": 0}, "reqEpoch (0) < curEpoch(6)"),
        ({"message_flags": 0}, "its master is up"),
        ({"config_epoch": 0}, "slot 0 epoch (1) > reqEpoch (0)"),
    ],
)
def test_votes_that_are_denied(six, changes, reason):
    assert not ask(six, six.nodes[1], six.nodes[3], **changes)
    assert f"Failover auth denied to {six.nodes[3].name} (): {reason}" in six.nodes[1].log


def test_one_vote_per_epoch(six):
    voter = six.nodes[1]
    assert ask(six, voter, six.nodes[3])
    assert not ask(six, voter, six.nodes[5])
    assert "already voted for epoch 6" in voter.log


def test_one_vote_about_a_master_in_a_while(six):
    voter = six.nodes[1]
    assert ask(six, voter, six.nodes[3])
    voter.state.current_epoch += 1
    assert not ask(six, voter, six.nodes[3])
    assert "can't vote about this master before 4000 milliseconds" in voter.log
    six.now_ms += 2 * TIMEOUT_MS
    assert ask(six, voter, six.nodes[3])


def test_masters_are_not_voted_for_and_replicas_do_not_vote(six):
    assert not ask(six, six.nodes[1], six.nodes[2])
    assert "it is a master node" in six.nodes[1].log
    assert not ask(six, six.nodes[4], six.nodes[3])


def test_votes_of_others_do_not_count(six):
    replica = six.nodes[3]
    election = replica.member.election
    election.epoch = 7
    election.vote_from(replica.sees(six.nodes[4]), 7)  # a replica
    election.vote_from(replica.sees(six.nodes[1]), 6)  # too early
    assert election.votes == 0
    election.vote_from(replica.sees(six.nodes[1]), 7)
    assert election.votes == 1


# --- manual failover ------------------------------------------------------------------------------


def test_a_manual_failover_swaps_the_roles(six):
    master, replica = six.nodes[0], six.nodes[3]
    pauses = []
    master.host.pause_writes = pauses.append
    replica.member.start_manual_failover()
    six.deliver()
    six.deliver()
    assert pauses == [MANUAL_MS * PAUSE_FACTOR]
    assert f"Manual failover requested by replica {replica.name} ()." in master.log
    six.run_until(replica.is_master, 2000)
    six.run_until(lambda: master.me.is_(REPLICA))
    assert master.host.leader == (replica.ip, 7000)
    assert master.host.paused_ms == 0
    assert not master.member.manual.active
    assert not replica.member.manual.active
    six.run_until(lambda: agree(six))


def test_a_manual_failover_waits_for_the_rest_of_the_stream(six):
    master, replica = six.nodes[0], six.nodes[3]
    master.host.offset = 150
    replica.member.start_manual_failover()
    six.run(1000)
    assert replica.member.manual.master_offset == 150
    assert not replica.member.manual.can_start
    replica.host.offset = 150
    six.run_until(replica.is_master, 2000)


def test_a_manual_failover_that_gets_no_answer_times_out(six):
    master, replica = six.nodes[0], six.nodes[3]
    master.member.packets.drop_filter = 8
    replica.member.start_manual_failover()
    six.run(MANUAL_MS + 2 * PERIOD_MS)
    assert not replica.member.manual.active
    assert "Manual failover timed out." in replica.log
    assert not replica.is_master()


def test_a_forced_failover_needs_votes_but_no_master(six):
    six.nodes[0].alive = False
    six.nodes[3].member.start_manual_failover(force=True)
    took = six.run_until(six.nodes[3].is_master)
    assert took < TIMEOUT_MS


def test_a_takeover_asks_nobody(six):
    for number in (0, 1, 2):
        six.nodes[number].alive = False
    replica = six.nodes[3]
    replica.member.start_manual_failover(takeover=True)
    assert replica.is_master()
    assert replica.me.config_epoch == replica.state.current_epoch == replica.state.max_epoch()
    assert replica.me.slot_count == 5461


# --- slots that two claim -------------------------------------------------------------------------


def test_the_greater_epoch_gets_the_slot_and_the_loser_drops_its_keys(six):
    loser, winner = six.nodes[0], six.nodes[1]
    loser.host.keys = {7: 3, 8: 1}
    winner.state.unassign(7)
    winner.state.assign(7, winner.me)
    winner.state.bump_epoch_without_consensus()
    six.run_until(lambda: agree(six))
    assert loser.state.owners[7] is loser.sees(winner)
    assert loser.host.keys == {8: 1}
    assert loser.is_master()


def test_a_slot_being_imported_waits(six):
    one, other = six.nodes[0], six.nodes[1]
    one.state.importing[16383] = one.sees(six.nodes[2])
    six.nodes[2].state.unassign(16383)
    other.state.unassign(16383)
    other.state.assign(16383, other.me)
    other.state.bump_epoch_without_consensus()
    six.run(5000)
    assert one.state.owners[16383] is one.sees(six.nodes[2])
    assert six.nodes[2].state.owners[16383] is six.nodes[2].sees(other)


def test_slots_that_are_no_longer_claimed_stay_bound(six):
    one, other = six.nodes[0], six.nodes[1]
    other.state.unassign(6000)
    six.run_until(lambda: bool(one.state.unclaimed))
    assert one.state.unclaimed == 1 << 6000
    assert one.state.owners[6000] is one.sees(other)
    assert one.state.is_unclaimed(6000)


def test_a_master_that_lost_its_last_slot_follows_the_winner():
    network = cluster_of(3)
    poor, rich = network.nodes[0], network.nodes[1]
    for slot in range(5461):
        rich.state.unassign(slot)
        rich.state.assign(slot, rich.me)
    rich.state.bump_epoch_without_consensus()
    network.run_until(lambda: poor.me.is_(REPLICA))
    assert poor.host.leader == (rich.ip, 7000)


def test_without_replica_migration_it_stays_alone():
    network = cluster_of(3)
    poor, rich = network.nodes[0], network.nodes[1]
    poor.config.cluster_allow_replica_migration = False
    for slot in range(5461):
        rich.state.unassign(slot)
        rich.state.assign(slot, rich.me)
    rich.state.bump_epoch_without_consensus()
    network.run_until(lambda: not poor.me.slots)
    network.run(2000)
    assert poor.is_master()


def test_a_replica_of_a_replica_moves_to_the_grandmaster(six):
    grandmaster, master, replica = six.nodes[0], six.nodes[3], six.nodes[4]
    replica.member.set_master(replica.sees(master))
    replica.member.claims.take_in(replica.sees(six.nodes[1]), 0, bitmap_of(range(5461, 10922)))
    assert replica.me.master is replica.sees(grandmaster)


def test_an_update_tells_that_a_replica_is_a_master_now(six):
    one, replica = six.nodes[1], six.nodes[3]
    packet = Packet(UPDATE, six.nodes[2].name, name=replica.name, epoch=99, claimed=six.nodes[0].me.slots)
    assert one.member.received(one.sees(six.nodes[2]).inbound_link, packet.encode())
    assert one.sees(replica).is_(MASTER)
    assert one.sees(replica).config_epoch == 99
    assert one.state.owners[0] is one.sees(replica)


def test_an_update_about_ourselves_is_discarded(six):
    one = six.nodes[0]
    one.member.claims.take_in(one.me, 99, 0)
    assert one.me.slot_count == 5461
    assert "Discarding UPDATE message about myself." in one.log


# --- migration ------------------------------------------------------------------------------------


def spread() -> Network:
    """Three masters; the first has two replicas, the others one each, of which the second's dies."""
    network = cluster_of(3, 2)
    for number in (6, 8):
        network.nodes[number].alive = False
    one = network.nodes[1]
    network.run_until(lambda: one.sees(network.nodes[6]).is_(FAIL) and one.sees(network.nodes[8]).is_(FAIL))
    return network


def test_a_replica_moves_to_an_orphan():
    network = spread()
    network.run(2000)
    network.nodes[5].alive = False
    orphan = network.nodes[1]
    movers = network.nodes[3:5]
    network.run_until(lambda: any(node.me.master is node.sees(orphan) for node in movers))
    candidate = min(movers, key=lambda node: node.name)
    assert candidate.me.master is candidate.sees(orphan)
    network.run(10_000)
    assert sum(node.me.master is node.sees(orphan) for node in movers) == 1


@pytest.mark.parametrize("directive", ["cluster_allow_replica_migration", "cluster_migration_barrier"])
def test_replicas_stay_if_told_so(directive):
    network = spread()
    for node in network.nodes:
        setattr(node.config, directive, {"cluster_migration_barrier": 2}.get(directive, False))
    network.nodes[5].alive = False
    network.run(30_000)
    assert all(node.me.master is node.sees(network.nodes[0]) for node in network.nodes[3:5])


def test_a_restarted_replica_follows_once_it_knows_where(six):
    replica = six.nodes[3]
    replica.host.promote()
    six.run(PERIOD_MS)
    assert replica.host.leader == (six.nodes[0].ip, 7000)


def test_a_replica_follows_its_master_to_a_new_address(six):
    master, replica = six.nodes[0], six.nodes[3]
    six.move(master, "10.0.0.77")
    six.run_until(lambda: replica.host.leader == ("10.0.0.77", 7000))
