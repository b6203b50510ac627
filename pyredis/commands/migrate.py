"""MIGRATE: keys over to another server, atomically (cluster.c migrateCommand).

The only command that waits for a socket: while keys travel they must not change, so nothing else runs.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

from ..errors import ConfigRefused, InvalidSyntax, MigrateFailed, MigrateKeyNotEmpty, MigrateRefused
from ..keyspace.events import GENERIC
from ..persistence.rdb.dump import dump
from ..persistence.snapshot import save_options
from ..registry.command import Argv, Command, Reply, command
from ..registry.flags import ACCESS, DELETE, MOVES_KEYS, RW, WRITE
from ..registry.keyspecs import after, at, incomplete
from ..resp.encode import OK, array_header, bulks
from ..util.numbers import parse_int

if TYPE_CHECKING:
    import ssl

    from ..engine.client import Client
    from ..engine.server import Server

NO_KEY: Final = b"+NOKEY\r\n"
DEFAULT_TIMEOUT_MS: Final = 1000
MOST_LINKS: Final = 64
IDLE_SECONDS: Final = 10
"""An unused connection is closed after so long."""
_OPTION_WORDS: Final = {b"AUTH": 1, b"AUTH2": 2}
_REPLY_BYTES: Final = 1024


class TimedOut(Exception):
    """The target did not answer in time: there is no use in trying again."""


class Link:
    """A connection to a target, kept for the next MIGRATE."""

    __slots__ = ("_buffer", "_socket", "selected", "used")

    def __init__(self, host: bytes, port: bytes, timeout: float, context: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_connection((host.decode(), int(port)), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self._socket = context.wrap_socket(self._socket)
        self._buffer = b""
        self.selected = -1
        self.used = 0

    def send(self, data: bytes, timeout: float) -> None:
        """Send all of *data*.  Raises OSError."""
        self._socket.settimeout(timeout)
        self._socket.sendall(data)

    def read_line(self, timeout: float) -> bytes:
        """The next reply, which is one line.  Raises OSError, TimedOut."""
        deadline = time.monotonic() + timeout
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > _REPLY_BYTES:
                raise ConnectionError("the reply is too long")
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._socket.recv(16384)
            except TimeoutError:
                raise TimedOut from None
            if not data:
                raise ConnectionError("closed by the target")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def close(self) -> None:
        self._socket.close()


class Links:
    """The connections of one server by (host, port)."""

    __slots__ = ("_links",)

    def __init__(self, server: Server) -> None:
        self._links: dict[tuple[bytes, bytes], Link] = {}
        server.cron.every(1000, self.close_idle)

    def __len__(self) -> int:
        return len(self._links)

    @staticmethod
    def of(server: Server) -> Links:
        """The connections of *server*."""
        links = server.extensions.get("migrate")
        if not isinstance(links, Links):
            links = server.extensions["migrate"] = Links(server)
        return links

    def open(self, server: Server, host: bytes, port: bytes, timeout: float) -> Link:
        """A connection, new or kept.  Raises MigrateFailed."""
        link = self._links.get((host, port))
        if link is None:
            if len(self._links) >= MOST_LINKS:
                self.close(*server.rng.choice(list(self._links)))
            try:
                context = server.tls.connecting() if server.config.tls_cluster else None
                link = Link(host, port, timeout, context)
            except (OSError, ValueError, OverflowError, ConfigRefused):
                raise MigrateFailed("connecting to the client") from None
            self._links[host, port] = link
        link.used = server.now
        return link

    def close(self, host: bytes, port: bytes) -> None:
        """Close the connection, if there is one."""
        link = self._links.pop((host, port), None)
        if link is not None:
            link.close()

    def close_idle(self, server: Server) -> None:
        """Periodic task: close what was not used for a while (migrateCloseTimedoutSockets)."""
        oldest = server.now - IDLE_SECONDS * 1_000_000_000
        for address, link in list(self._links.items()):
            if link.used < oldest:
                self.close(*address)


class Request:
    """The arguments of one MIGRATE."""

    __slots__ = ("copy", "credentials", "index", "keys", "replace", "timeout")

    def __init__(self, client: Client, argv: Argv) -> None:
        self.copy = self.replace = False
        self.credentials: list[bytes] = []
        self.keys = argv[3:4]
        position, end = 6, len(argv)
        secrets: list[int] = []
        while position < end:
            word = argv[position].upper()
            position += 1
            if word == b"COPY":
                self.copy = True
            elif word == b"REPLACE":
                self.replace = True
            elif word in _OPTION_WORDS and position + _OPTION_WORDS[word] <= end:
                self.credentials = argv[position : position + _OPTION_WORDS[word]]
                secrets += range(position, position + _OPTION_WORDS[word])
                client.redact(*secrets)
                position += _OPTION_WORDS[word]
            elif word == b"KEYS":
                if argv[3]:
                    raise MigrateKeyNotEmpty
                self.keys = argv[position:]
                break
            else:
                raise InvalidSyntax
        timeout = parse_int(argv[5])
        self.timeout = (timeout if timeout > 0 else DEFAULT_TIMEOUT_MS) / 1000
        self.index = parse_int(argv[4])


def _migrate_keys(command: Command, argv: Argv) -> list[tuple[int, int]]:
    """The key, or all that follow KEYS (db.c migrateGetKeys)."""
    first, last = 3, 3
    position, end = 6, len(argv)
    while position < end:
        word = argv[position].upper()
        if word == b"KEYS":
            if argv[3]:
                return []
            first, last = position + 1, end - 1
            break
        position += 1 + _OPTION_WORDS.get(word, 0)
    return [(at, RW | ACCESS | DELETE) for at in range(first, last + 1)]


@command(
    "MIGRATE", arity=-6, flags=WRITE | MOVES_KEYS, acl="keyspace dangerous", tips=("nondeterministic_output",),
    keys=(
        at(3, RW | ACCESS | DELETE),
        incomplete(after("KEYS", RW | ACCESS | DELETE, start_from=-2, last=-1)),
    ),
    get_keys=_migrate_keys,
)  # fmt: skip
def migrate(client: Client, argv: Argv) -> Reply:
    """MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key ...]"""
    request = Request(client, argv)
    request.keys = [key for key in request.keys if client.db.read_any(key) is not None]
    if not request.keys:
        return NO_KEY
    server, address = client.server, (argv[1], argv[2])
    links = Links.of(server)
    for attempt in (1, 2):  # a kept connection may have been closed by the target meanwhile
        link = links.open(server, *address, request.timeout)
        activity = "writing"
        try:
            sent, selects = _send(client, link, request)
            activity = "reading"
            return _settle_replies(client, link, request, sent, selects)
        except (OSError, TimedOut) as error:
            links.close(*address)
            timed_out = isinstance(error, (TimedOut, TimeoutError))
            if attempt == 2 or timed_out or isinstance(error, _Interrupted):
                raise MigrateFailed(f"{activity} to target instance") from None
    raise AssertionError("unreachable")


class _Interrupted(OSError):
    """The connection broke after the target had answered for some keys."""


def _send(client: Client, link: Link, request: Request) -> tuple[list[bytes], bool]:
    """Send the keys; those that have not expired meanwhile, and whether SELECT was sent before."""
    db, now = client.db, client.server.now // 1_000_000
    commands: list[list[bytes]] = []
    if request.credentials:
        commands.append([b"AUTH", *request.credentials])
    selects = link.selected != request.index
    if selects:
        commands.append([b"SELECT", b"%d" % request.index])
    options = save_options(client.server)
    name = b"RESTORE" if client.server.cluster is None else b"RESTORE-ASKING"
    sent = []
    for key in request.keys:
        when = db.ttl(key)
        if when is not None and when < now:
            continue
        ttl = 0 if when is None else max(when - now, 1)
        restore = [name, key, b"%d" % ttl, dump(db.data[key], options)]
        commands.append([*restore, b"REPLACE"] if request.replace else restore)
        sent.append(key)
    link.send(b"".join([array_header(len(words)) + bulks(words) for words in commands]), request.timeout)
    return sent, selects


def _settle_replies(client: Client, link: Link, request: Request, sent: list[bytes], selects: bool) -> bytes:
    """Read the replies, and delete what has arrived.  Raises MigrateRefused, OSError, TimedOut."""
    refused: bytes | None = None
    for _ in range(bool(request.credentials) + selects):
        reply = link.read_line(request.timeout)
        if reply.startswith(b"-") and refused is None:
            refused = reply
    preliminary = refused is not None
    arrived: list[bytes] = []
    broken: Exception | None = None
    for at_key, key in enumerate(sent):
        try:
            reply = link.read_line(request.timeout)
        except (OSError, TimedOut) as error:
            if at_key and isinstance(error, OSError):
                error = _Interrupted()
            broken = error
            break
        if preliminary or reply.startswith(b"-"):
            refused = refused or reply
        elif not request.copy:
            arrived.append(key)
    _delete(client, arrived)
    if refused is not None:
        link.selected = -1
        raise MigrateRefused(refused[1:])
    if broken is not None:
        raise broken
    link.selected = request.index
    return OK


def _delete(client: Client, arrived: list[bytes]) -> None:
    db = client.db
    for key in arrived:
        db.remove(key)
        db.changed(key, b"del", GENERIC)
    if arrived:
        client.propagate(b"DEL", *arrived)
