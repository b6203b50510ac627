"""Who serves a request: this node, or which other one, or nobody (cluster.c getNodeByQuery)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..engine.blocking import finish
from ..errors import (
    Ask,
    ClusterDown,
    ClusterReadOnly,
    CrossSlot,
    Moved,
    Redirection,
    ScriptCrossesSlots,
    ScriptInDownCluster,
    ScriptInReadOnlyCluster,
    ScriptKeyElsewhere,
    SlotNotServed,
    SlotUnstable,
)
from ..registry.flags import ASKING, INCOMPLETE, MOVES_KEYS, PUBSUB, RELAYS_QUEUE, WRITE
from ..registry.keyspecs import iter_keys
from ..resp.encode import encode_error
from .describe import endpoint, port_for
from .node import REPLICA, Node
from .slots import key_slot

if TYPE_CHECKING:
    from ..effects.blocking import Wait
    from ..engine.client import Client
    from ..engine.server import Server
    from ..registry.command import Argv, Command
    from .state import ClusterState

REDIRECTED_WAITS: Final = ("list", "zset", "stream")


class Routing:
    """Sends requests for keys that others have to those others.  Shard channels count as keys."""

    def __init__(self, server: Server, state: ClusterState) -> None:
        self._server = server
        self._state = state
        self._single = {command for command in server.stats.all_commands() if _has_single_key(command)}

    def check(self, client: Client, command: Command, argv: Argv, flags: int) -> None:
        """Raise the redirection that *client* gets for *command*, which does what *flags* say; none: it may run.

        Leaves the slot of its keys in ``client.slot``, -1 without any.
        """
        state = self._state
        if command in self._single:  # the usual case, without lists of keys
            slot = key_slot(argv[1])
            if state.owners[slot] is state.myself and state.health.ok and slot not in state.migrating:
                client.slot = slot
                return
        client.slot = -1
        keys = self._keys(client, command, argv)
        if not keys:
            return
        slot, owner = self._common_slot(keys)
        if not state.health.ok:
            self._refuse_when_down(command, command.flags if command.flags & RELAYS_QUEUE else flags)
        client.slot = slot
        if slot in state.migrating or slot in state.importing:
            if self._serves_open_slot(client, command, flags, keys, owner):
                return
        elif owner is state.myself:
            return
        if not self._reads_from_replica(client, command, flags, owner):
            raise Moved(slot, *self._address(owner))

    def _keys(self, client: Client, command: Command, argv: Argv) -> list[bytes]:
        """The keys of *command*; of EXEC those of all queued commands."""
        if not command.flags & RELAYS_QUEUE:
            return _keys_in(command, argv)
        if client.transaction is None:
            return []
        return [key for queued, queued_argv in client.transaction.commands for key in _keys_in(queued, queued_argv)]

    def _common_slot(self, keys: list[bytes]) -> tuple[int, Node]:
        slot = key_slot(keys[0])
        owner = self._state.owners[slot]
        if owner is None:
            raise SlotNotServed
        for key in keys[1:]:
            if key_slot(key) != slot:
                raise CrossSlot
        return slot, owner

    def _refuse_when_down(self, command: Command, flags: int) -> None:
        config = self._server.config
        if command.flags & PUBSUB:
            if not config.cluster_allow_pubsubshard_when_down:
                raise ClusterDown
        elif not config.cluster_allow_reads_when_down:
            raise ClusterDown
        elif flags & WRITE:
            raise ClusterReadOnly

    def _serves_open_slot(self, client: Client, command: Command, flags: int, keys: list[bytes], owner: Node) -> bool:
        """Whether we serve *keys* of a slot that is on the move, or at rest here.  Raises Ask, SlotUnstable."""
        state, slot = self._state, client.slot
        mine = owner is state.myself
        migrating = mine and slot in state.migrating
        importing = not migrating and slot in state.importing
        if not (migrating or importing):
            return mine
        if command.flags & MOVES_KEYS:
            return True
        missing = existing = 0
        if not command.flags & PUBSUB:
            look = self._server.databases[0].look
            existing = sum(look(key) is not None for key in keys)
            missing = len(keys) - existing
        if migrating and missing:
            if existing:
                raise SlotUnstable
            raise Ask(slot, *self._address(state.migrating[slot]))
        asked = client.asking or (command.flags if command.flags & RELAYS_QUEUE else flags) & ASKING
        if importing and asked:
            if missing and any(key != keys[0] for key in keys):
                raise SlotUnstable
            return True
        return mine

    def _reads_from_replica(self, client: Client, command: Command, flags: int, owner: Node) -> bool:
        """Whether we are a replica of *owner* and the client only wants to read, and said so."""
        myself = self._state.myself
        if not myself.is_(REPLICA) or myself.master is not owner:
            return False
        return bool(client.readonly or command.flags & PUBSUB) and not flags & WRITE

    def _address(self, node: Node) -> tuple[str, int]:
        return endpoint(node, self._server.config), port_for(node, self._server)

    # --- scripts ---------------------------------------------------------------------------------

    def check_in_script(self, client: Client, caller: Client, command: Command, argv: Argv, *, crosses: bool) -> None:
        """Raise what forbids *client*, which a script of *caller* runs on, to use these keys.

        *crosses*: the script may use keys of several slots (scriptVerifyClusterState).
        """
        client.readonly, client.asking = caller.readonly, caller.asking
        try:
            self.check(client, command, argv, command.flags)
        except ClusterReadOnly:
            raise ScriptInReadOnlyCluster from None
        except ClusterDown:
            raise ScriptInDownCluster from None
        except Redirection:
            raise ScriptKeyElsewhere from None
        if client.slot < 0 or crosses:
            return
        if caller.slot < 0:
            caller.slot = client.slot
        elif caller.slot != client.slot:
            raise ScriptCrossesSlots

    # --- blocked clients -------------------------------------------------------------------------

    def recheck_blocked(self) -> None:
        """Let go of clients that wait for keys that will not come here (clusterRedirectBlockedClientIfNeeded)."""
        server = self._server
        for client in list(server.blocking.clients):
            wait = client.wait
            if wait is None or wait.kind not in REDIRECTED_WAITS:
                continue
            error = self._refusal(client, wait)
            if error is not None:
                server.count_error(error)
                if client.command is not None:
                    client.command.failed += 1
                finish(client, wait, encode_error(error))

    def _refusal(self, client: Client, wait: Wait) -> Redirection | None:
        state = self._state
        if not state.health.ok:
            return ClusterDown()
        slot = key_slot(wait.keys[0])
        owner = state.owners[slot]
        if owner is state.myself or slot in state.importing:
            return None
        if owner is None:
            return SlotNotServed()
        command = client.command
        if command is not None and self._reads_from_replica(client, command, command.flags, owner):
            return None
        return Moved(slot, *self._address(owner))


def _keys_in(command: Command, argv: Argv) -> list[bytes]:
    """Keys and shard channels of *command* (db.c getKeysFromCommand)."""
    found = iter_keys(command.key_specs, argv) if command.get_keys is None else command.get_keys(command, argv)
    return [argv[position] for position, _ in found]


def _has_single_key(command: Command) -> bool:
    """Whether the one key of *command* is its first argument."""
    if len(command.key_specs) != 1:
        return False
    spec = command.key_specs[0]
    first = spec.begin == "index" and spec.index == 1 and spec.find == "range" and spec.last == 0
    return first and command.least >= 2 and not spec.flags & INCOMPLETE
