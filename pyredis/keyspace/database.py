"""One database: a dict of values, a dict of expiry times, and the rules of looking up and storing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..datatypes.hashes import Hash, PackedHash
from ..datatypes.sampling import Sampler
from ..datatypes.sets import PackedSet, Set
from ..datatypes.zsets import PackedSortedSet, SortedSet
from ..errors import WrongType
from .events import EXPIRED, KEY_MISS, NEW
from .expiry import remember_own

if TYPE_CHECKING:
    from .keyspace import Keyspace

V = TypeVar("V")

MOST_UNPACKED: Final = 1 << 18
"""So many keys are kept in mind for packing; values unpacked faster than they are packed again stay unpacked."""

_UNPACKED: Final[dict[type, type]] = {PackedHash: Hash, PackedSet: Set, PackedSortedSet: SortedSet}
_PACKABLE: Final = frozenset(_UNPACKED.values())


class Database:
    """Keys and values.  All methods are O(1) unless they say otherwise.

    ``read`` and ``edit`` are the two ways in: they apply expiry and check the type, and return None
    for a key that is not there.  A write ends with ``changed``, once per changed key.
    String values are ``bytes`` or, where a command edits them in place, ``bytearray``.
    """

    __slots__ = (
        "access",
        "average_ttl",
        "blocked",
        "data",
        "expire_sampler",
        "expires",
        "index",
        "sampler",
        "server",
        "unpacked",
        "watched",
    )

    def __init__(self, server: Keyspace, index: int) -> None:
        self.server = server
        self.index = index
        self.data: dict[bytes, Any] = {}
        self.expires: dict[bytes, int] = {}  # ms since the epoch
        self.access: dict[bytes, int] = {}  # last use or frequency; kept by keyspace.access while bound
        self.sampler: Sampler | None = None
        self.expire_sampler: Sampler | None = None
        self.average_ttl = 0
        self.unpacked: deque[bytes] = deque(maxlen=MOST_UNPACKED)
        """Keys of values that may be worth packing (again): the periodic task sees to them."""
        self.watched: dict[bytes, Any] = {}  # key -> watching clients; kept by effects.watching
        self.blocked: dict[bytes, Any] = {}  # key -> waiting clients; kept by effects.blocking

    # --- looking up ------------------------------------------------------------------------------

    def read(self, key: bytes, kind: type[V]) -> V | None:
        """The value of *key* for a command that only reads.  Raises WrongType."""
        value = self.data.get(key)
        if value is None or key in self.expires:
            value = self._read_carefully(key)
            if value is None:
                return None
        else:
            self.server.keyspace_hits += 1
        if type(value) is not kind and not (kind is bytes and isinstance(value, (bytes, bytearray))):
            self._unpack(key, value, kind)
        return value  # type: ignore[return-value]

    def read_whole(self, key: bytes, kind: type[V]) -> V | None:
        """As ``read``, for a command that looks at all of the value or at none of it: a packed one stays packed."""
        value = self.data.get(key)
        if value is None or key in self.expires:
            value = self._read_carefully(key)
        else:
            self.server.keyspace_hits += 1
        if value is None or isinstance(value, kind):
            return value
        raise WrongType

    def read_any(self, key: bytes) -> Any:
        """The value of *key*, of whatever type; counts as a hit or miss."""
        value = self.data.get(key)
        if value is None or key in self.expires:
            return self._read_carefully(key)
        self.server.keyspace_hits += 1
        return value

    def edit(self, key: bytes, kind: type[V]) -> V | None:
        """The value of *key* for a command that may change it.  Raises WrongType."""
        value = self.data.get(key)
        if value is None:
            return None
        if key in self.expires and self.expire_for_write(key):
            return None
        if type(value) is not kind and not (kind is bytes and isinstance(value, (bytes, bytearray))):
            self._unpack(key, value, kind)
        return value  # type: ignore[return-value]

    def edit_any(self, key: bytes) -> Any:
        """The value of *key* for a write, of whatever type."""
        if key in self.expires and self.expire_for_write(key):
            return None
        return self.data.get(key)

    def peek(self, key: bytes) -> Any:
        """The value of *key* without counting a hit or touching its access time; None if expired."""
        if key in self.expires and self.expire_if_due(key):
            return None
        return self.data.get(key)

    def look(self, key: bytes) -> Any:
        """The value of *key*, None if expired; unlike ``peek`` nothing is ever deleted (LOOKUP_NOEFFECTS)."""
        if key in self.expires and self.expires[key] <= self.server.now // 1_000_000:
            return None
        value = self.data.get(key)
        if type(value) is PackedSortedSet:  # those who wait for one look at the type
            self._unpack(key, value, SortedSet)
        return value

    def __contains__(self, key: bytes) -> bool:
        return self.peek(key) is not None

    def _read_carefully(self, key: bytes) -> Any:
        server = self.server
        value = None if key in self.expires and self.expire_if_due(key) else self.data.get(key)
        if value is None:
            server.keyspace_misses += 1
            if server.notify_flags & KEY_MISS and server.notify is not None:
                server.notify(self, KEY_MISS, b"keymiss", key)
        else:
            server.keyspace_hits += 1
        return value

    # --- packed values ---------------------------------------------------------------------------

    def _unpack(self, key: bytes, value: Any, kind: type) -> None:
        """Unpack *value* for a command that wants a *kind*.  Raises WrongType."""
        if kind is not _UNPACKED.get(type(value)):
            raise WrongType
        value.unpack()
        self.unpacked.append(key)
        if type(self.data) is not dict:
            self.remeasure(key)

    def remeasure(self, key: bytes) -> None:
        """What the value of *key* takes has changed, the value has not."""
        remeasure = getattr(self.data, "remeasure", None)
        if remeasure is not None:
            remeasure(key)

    def pack_some(self, count: int) -> None:
        """Pack up to *count* values, those first that were unpacked first."""
        waiting, find = self.unpacked, self.data.get
        for _ in range(min(count, len(waiting))):
            key = waiting.popleft()
            value: Any = find(key)
            if type(value) in _PACKABLE and value.pack():
                self.remeasure(key)

    # --- expiry ----------------------------------------------------------------------------------

    def expire_if_due(self, key: bytes) -> bool:
        """True if *key* is past its time; deletes it where this server may (db.c expireIfNeeded)."""
        server = self.server
        if self.expires[key] >= server.now // 1_000_000 or server.sees_expired:
            return False
        if not server.keeps_expired and not server.expires_paused:
            self.delete_expired(key)
        return True

    def expire_for_write(self, key: bytes) -> bool:
        """The same for a write: a replica that takes writes of its own cannot leave the old value there."""
        server = self.server
        if self.expires[key] >= server.now // 1_000_000 or server.sees_expired:
            return False
        if not server.expires_paused and not (server.keeps_expired and server.config.replica_read_only):
            self.delete_expired(key)
        return True

    def delete_expired(self, key: bytes) -> None:
        """Delete *key* because its time has come: event, propagation, statistics."""
        server = self.server
        self.remove(key, lazily=server.config.lazyfree_lazy_expire)
        server.expired_keys += 1
        self.changed(key, b"expired", EXPIRED, 0)
        if server.deletion_sink is not None:
            server.deletion_sink(self, key)

    def ttl(self, key: bytes) -> int | None:
        """Expiry of *key* in ms since the epoch; None if it has none."""
        return self.expires.get(key)

    def expire_at(self, key: bytes, when: int) -> None:
        """Let the existing *key* expire at *when* (ms since the epoch)."""
        if self.expire_sampler is not None and key not in self.expires:
            self.expire_sampler.add(key)
        self.expires[key] = when
        server = self.server
        if server.keeps_expired and not server.sees_expired:
            remember_own(server, self.index, key)

    def persist(self, key: bytes) -> bool:
        """Take the expiry off *key*; false if it had none."""
        return self.expires.pop(key, None) is not None

    # --- storing ---------------------------------------------------------------------------------

    def store(self, key: bytes, value: Any, *, keep_ttl: bool = False) -> None:
        """Set *key* to *value* whatever was there, and drop its expiry unless told otherwise."""
        server = self.server
        if (self.sampler is not None or server.notify_flags & NEW) and key not in self.data:
            self._announce_new(key)
        if server.frees_overwritten and server.free_later is not None and self.data.get(key) is not value:
            server.free_later(self.data.get(key))
        self.data[key] = value
        if self.expires and not keep_ttl:
            self.expires.pop(key, None)

    def add(self, key: bytes, value: Any) -> None:
        """Store *value* under *key*, which does not exist."""
        if self.sampler is not None or self.server.notify_flags & NEW:
            self._announce_new(key)
        self.data[key] = value

    def _announce_new(self, key: bytes) -> None:
        if self.sampler is not None:
            self.sampler.add(key)
        server = self.server
        if server.notify_flags & NEW and server.notify is not None:
            server.notify(self, NEW, b"new", key)

    def remove(self, key: bytes, *, lazily: bool = False) -> bool:
        """Take *key* out of the database, without any event; false if it was not there.

        *lazily*: what takes long to free is freed later, a bit at a time.
        """
        value = self.data.pop(key, None)
        if value is None:
            return False
        self.expires.pop(key, None)
        if self.access:
            self.access.pop(key, None)
        if lazily and self.server.free_later is not None:
            self.server.free_later(value)
        return True

    def take(self, key: bytes) -> Any:
        """Take the existing *key* out as ``remove`` does, to store its value elsewhere."""
        self.expires.pop(key, None)
        if self.access:
            self.access.pop(key, None)
        return self.data.pop(key)

    def flush(self, *, lazily: bool = False) -> int:
        """Empty this database without events; the number of keys it had.  O(1) plus freeing, unless *lazily*."""
        count = len(self.data)
        freed = self.data
        self.data, self.expires, self.access = type(freed)(), {}, {}
        self.sampler = self.expire_sampler = None
        self.average_ttl = 0
        if lazily and count and self.server.free_later is not None:
            self.server.free_later(freed)
        return count

    def exchange(self, other: Database) -> None:
        """Swap contents with *other*; indexes, watchers and blocked clients stay."""
        for name in ("data", "expires", "access", "sampler", "expire_sampler", "average_ttl", "unpacked"):
            mine = getattr(self, name)
            setattr(self, name, getattr(other, name))
            setattr(other, name, mine)

    # --- telling the others ----------------------------------------------------------------------

    def changed(self, key: bytes, event: bytes | None, kind: int, count: int = 1) -> None:
        """*key* was changed: dirty counter, WATCH, tracking, keyspace event, blocked clients.

        *event* and *kind* (a class of ``keyspace.events``) name the keyspace event, None for none.
        *count* is what the command adds to ``server.dirty``.
        """
        server = self.server
        server.dirty += count
        if server.observers:
            for observer in server.observers:
                observer(self, key, event, kind)

    def event(self, key: bytes, event: bytes, kind: int) -> None:
        """Publish one more keyspace event for a key that ``changed`` has been called for."""
        notify = self.server.notify
        if notify is not None:
            notify(self, kind, event, key)

    # --- choosing and walking --------------------------------------------------------------------

    def key_sampler(self) -> Sampler:
        """Random choice and scans over all keys; built in O(n) when first asked for."""
        if self.sampler is None:
            self.sampler = Sampler(self.data)
        return self.sampler

    def expiring_sampler(self) -> Sampler:
        """The same over the keys with an expiry."""
        if self.expire_sampler is None:
            self.expire_sampler = Sampler(self.expires)
        return self.expire_sampler

    def random_key(self) -> bytes | None:
        """A uniformly chosen key, expired ones included; None in an empty database."""
        return self.key_sampler().choose(self.server.rng)

    def walk(self, visit: Callable[[bytes, Any], None]) -> None:
        """Call *visit* for each key that is not expired.  O(n)"""
        for key in list(self.data):
            value = self.peek(key)
            if value is not None:
                visit(key, value)
