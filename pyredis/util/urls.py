"""Where a server is and how to log in, as one line: ``redis://user:password@host:port/db``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 6379
DEFAULT_USER = "default"
MASK = "***"

_SCHEMES = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "unix",
    "redis+unix": "unix",
    "redis+socket": "unix",
}
_HOST_AND_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]*))?")


class UrlError(ValueError):
    """A text that is not a server's URL; the message repeats no secret."""


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """A server's address, the user to log in as and the database to select.

    ``str()`` masks the password, and so does ``repr()``: both may be logged. ``reveal()`` is the URL itself.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    user: str | None = None
    """None: no user was named, which is the user ``default``."""
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False
    path: str | None = None
    """A unix socket, in place of host and port."""

    @classmethod
    def parse(cls, text: str) -> ServerUrl:
        """Read a URL with redis-cli's rules; raises UrlError.

        ``redis://user:password@host:port/db`` with any part left out, ``redis://password@host``, ``rediss://`` for TLS,
        ``unix://user:password@/path?db=1``, or the bare path of a socket. User and password are percent-encoded; what
        they contain unencoded is taken as it is, up to the last ``@``.
        """
        if text.startswith("/"):
            return cls(path=text)
        name, separator, rest = text.partition("://")
        scheme = _SCHEMES.get(name.lower())
        if not separator or scheme is None:
            raise UrlError("a server's URL begins with redis://, rediss:// or unix://")
        userinfo, at, rest = rest.rpartition("@")
        user, password = _credentials(userinfo) if at else (None, None)
        rest, mark, query = rest.partition("?")
        chosen = _database(_parameters(query)["db"]) if mark and query else None
        if scheme == "unix":
            if not rest.startswith("/"):
                raise UrlError("unix:// is followed by an absolute path")
            return cls(path=_decode(rest), user=user, password=password, db=chosen or 0)
        address, _, path = rest.partition("/")
        if not (found := _HOST_AND_PORT.fullmatch(address)):
            raise UrlError("the address is not HOST or HOST:PORT")
        host = found["six"] or _decode(found["host"] or "") or DEFAULT_HOST
        db = _database(path) if chosen is None else chosen
        return cls(host, _port(found["port"]), user, password, db, scheme == "rediss")

    def reveal(self) -> str:
        """The URL with its password, always spelled out: ``redis://USER:PASSWORD@HOST:PORT/DB``."""
        return self._spell(None if self.password is None else _encode(self.password))

    def __str__(self) -> str:
        return self._spell(None if self.password is None else MASK)

    def _spell(self, password: str | None) -> str:
        login = ""
        if password is not None:
            login = f"{_encode(self.user or DEFAULT_USER)}:{password}@"
        if self.path is not None:
            return f"unix://{login}{quote(self.path, errors='surrogateescape')}?db={self.db}"
        return f"{'rediss' if self.tls else 'redis'}://{login}{self.endpoint}/{self.db}"

    @property
    def endpoint(self) -> str:
        """``HOST:PORT`` (IPv6 in brackets) or the socket's path: what a message calls the server."""
        if self.path is not None:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def auth(self) -> list[bytes]:
        """The AUTH command that logs in, with one argument for the user default; empty without a password."""
        if self.password is None:
            return []
        password = self.password.encode("utf-8", "surrogateescape")
        if self.user is None or self.user == DEFAULT_USER:
            return [b"AUTH", password]
        return [b"AUTH", self.user.encode("utf-8", "surrogateescape"), password]


def _credentials(userinfo: str) -> tuple[str | None, str | None]:
    """(user, password): a single word is the password, as redis-cli has it."""
    user, colon, password = userinfo.partition(":")
    if not colon:
        user, password = "", userinfo
    if user and not password:
        raise UrlError("the URL names a user but no password")
    return _decode(user) or None, _decode(password) or None


def _parameters(query: str) -> dict[str, str]:
    name, equals, value = query.partition("=")
    if name != "db" or not equals or "&" in value:
        raise UrlError("the only parameter a server's URL takes is db")
    return {name: value}


def _database(text: str) -> int:
    text = text.rstrip("/")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) >= 2**31:
        raise UrlError("the database is not a number")
    return int(text)


def _port(text: str | None) -> int:
    if not text:
        return DEFAULT_PORT
    if not 0 < int(text[:8]) < 65536:
        raise UrlError("the port is not between 1 and 65535")
    return int(text)


def _encode(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")
