"""Who claims which slots, and what follows for us (cluster.c clusterUpdateSlotsConfigWith)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .node import MASTER, Node
from .slots import slots_in
from .state import SAVE_CONFIG, SYNC_CONFIG, UPDATE_STATE, ClusterState

if TYPE_CHECKING:
    from ..config.config import Config
    from .host import Host
    from .outbox import Outbox

_EVERYTHING = SAVE_CONFIG | UPDATE_STATE | SYNC_CONFIG


class Claims:
    """Takes in what masters claim: the greater epoch wins."""

    def __init__(
        self, state: ClusterState, config: Config, host: Host, outbox: Outbox, set_master: Callable[[Node], None]
    ) -> None:
        self._state = state
        self._config = config
        self._host = host
        self._outbox = outbox
        self._set_master = set_master

    def take_in(self, sender: Node, epoch: int, claimed: int) -> None:
        """*sender* claims the slots of the bitmap *claimed* under *epoch*.

        We follow it if it took the last slot of ours, or of our master; keys of slots that we lost otherwise go.
        """
        state, myself = self._state, self._state.myself
        if sender is myself:
            state.log.notice("Discarding UPDATE message about myself.")
            return
        state.unclaimed = state.unclaimed & ~(claimed & sender.slots) | (sender.slots & ~claimed)
        ours = myself if myself.is_(MASTER) else myself.master
        lost, dirty = self._rebind(sender, epoch, claimed & ~sender.slots, ours)
        grandmaster = myself.master.master if myself.master is not None else None
        if lost and ours is not None and not ours.slots and self._may_migrate(claimed, lost):
            state.log.notice(
                "Configuration change detected. Reconfiguring myself as a replica of "
                f"{sender.name} ({sender.human_name})"
            )
            self._follow(sender)
        elif grandmaster is not None and grandmaster is not myself:
            state.log.notice(
                "I'm a sub-replica! Reconfiguring myself as a replica of grandmaster "
                f"{grandmaster.name} ({grandmaster.human_name})"
            )
            self._follow(grandmaster)
        else:
            for slot in dirty:
                self._host.delete_keys(slot)

    def _may_migrate(self, claimed: int, lost: int) -> bool:
        return self._config.cluster_allow_replica_migration or claimed.bit_count() == lost

    def _follow(self, master: Node) -> None:
        self._set_master(master)
        self._state.schedule(_EVERYTHING)

    def _rebind(self, sender: Node, epoch: int, slots: int, ours: Node | None) -> tuple[int, list[int]]:
        """Give *sender* those *slots* that it may have.

        Returns how many of them *ours* had, and which of our own still hold keys.  Slots being imported wait for
        whoever moves them.
        """
        state = self._state
        before = sender.slots
        lost = 0
        dirty: list[int] = []
        for slot in slots_in(slots):
            owner = state.owners[slot]
            if slot in state.importing:
                continue
            if owner is not None and not state.is_unclaimed(slot) and owner.config_epoch >= epoch:
                continue
            if owner is state.myself and self._host.key_count(slot):
                dirty.append(slot)
            if owner is ours:
                lost += 1
            state.unassign(slot)
            state.assign(slot, sender)
        if sender.slots != before:
            state.schedule(_EVERYTHING)
        return lost, dirty

    def correct(self, sender: Node, epoch: int, claimed: int) -> None:
        """*sender* claims what somebody got by a later decision: tell it, of one such owner."""
        state = self._state
        newer = 0
        for owner in state.nodes.values():
            if owner is not sender and owner.config_epoch > epoch:
                newer |= owner.slots
        slot = next(slots_in(claimed & newer & ~state.unclaimed), None)
        owner_of = None if slot is None else state.owners[slot]
        if owner_of is not None:
            state.log.verbose(
                f"Node {sender.name} has old slots configuration, sending an UPDATE message about {owner_of.name}"
            )
            self._outbox.send_update(sender.link, owner_of)
