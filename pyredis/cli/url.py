"""``pyredis url``: how to reach a server, as the one spelling every client understands."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..config.config import Config
from ..config.file import ConfigFileError, ConfigFileUnreadable, Loader
from ..util.urls import DEFAULT_HOST, ServerUrl
from .client import ClientError, add_server_option, server_of
from .subcommand import Subcommand

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EVERYWHERE = ("*", "-::*", "0.0.0.0", "::", "-::", "::0")
"""What ``bind`` says for all addresses: no client can connect to that."""


class NoUrl(Exception):
    """``str()`` says why there is no URL."""


def arguments(parser: ArgumentParser) -> None:
    """The words of ``pyredis url``."""
    parser.add_argument("file", nargs="?", metavar="redis.conf", help="a server's configuration, in place of --server")
    parser.add_argument("--host", help="the name clients reach the configured server by")
    parser.add_argument("--db", type=int, metavar="N", help="the database to select")
    parser.add_argument(
        "--user", choices=("default", "operator", "replication"), default="default",
        help="whose URL, as operator-user and replication-user name them",
    )  # fmt: skip
    parser.add_argument("--tls", action="store_true", help="the port for TLS, if the server has both")
    add_server_option(parser)


def run(words: Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print the URL with its password; the exit status."""
    try:
        url = running(words, environment) if words.file is None else configured(words)
    except ClientError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except NoUrl as error:
        sys.stderr.write(f"{words.file}: {error}\n")
        return 1
    print((url if words.db is None else replace(url, db=words.db)).reveal())
    return 0


def running(words: Namespace, environment: Mapping[str, str]) -> ServerUrl:
    """The URL of the server at ``--server``, once it has let us in.  Raises ClientError."""
    with server_of(words, environment) as client:
        client.call("PING")
        return client.url


def configured(words: Namespace) -> ServerUrl:
    """The URL of the server that the file ``words.file`` describes.  Raises NoUrl."""
    config = Config()
    try:
        Loader(config).load(words.file)
    except ConfigFileError as error:
        raise NoUrl(str(error)) from error
    except ConfigFileUnreadable as error:
        raise NoUrl(str(error)) from error
    return url_of(config, host=words.host, user=words.user, tls=words.tls)


def url_of(config: Config, *, host: str | None = None, user: str = "default", tls: bool = False) -> ServerUrl:
    """How the server that *config* describes is reached as *user* (default, operator, replication).  Raises NoUrl."""
    login, password = _login(config, user)
    if not config.port and not config.tls_port:
        if not config.unixsocket:
            raise NoUrl("the server listens nowhere: port, tls-port and unixsocket are all off")
        return ServerUrl(path=config.path(config.unixsocket), user=login, password=password)
    tls = bool(config.tls_port) and (tls or not config.port)
    port = config.tls_port if tls else config.port
    return ServerUrl(host or _address(config), port, login, password, tls=tls)


def _login(config: Config, user: str) -> tuple[str | None, str | None]:
    if user == "default":
        declared = [
            word[1:] for line in config.user_lines if line[0] == b"default" for word in line if word[:1] == b">"
        ]
        return None, _text(declared[-1] if declared else config.requirepass) or None
    name, password = (
        (config.operator_user, config.operator_password)
        if user == "operator"
        else (config.replication_user, config.replication_password)
    )
    if not password:
        raise NoUrl(f"there is no such user: {user}-password is not set")
    return _text(name), _text(password)


def _text(secret: bytes) -> str:
    return secret.decode("utf-8", "surrogateescape")


def _address(config: Config) -> str:
    for address in config.bind:
        if address not in EVERYWHERE:
            return address.removeprefix("-")
    return DEFAULT_HOST


SUBCOMMANDS = (Subcommand("url", "print the URL of a server, password included", arguments, run),)
