"""A client for subcommands that talk to a server: a plain socket, one command at a time."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import hiredis

from ..resp.encode import array_of_bulks
from ..util.urls import ServerUrl, UrlError

if TYPE_CHECKING:
    import ssl

Info = dict[str, str]
PASSWORD_VARIABLE = "REDISCLI_AUTH"
"""Holds the password of ``--server`` if the URL has none, as for redis-cli."""


class ClientError(Exception):
    """The server cannot be reached, or what it sends makes no sense."""


class Refused(ClientError):
    """The server's answer is an error; ``code`` is its first word."""

    @property
    def code(self) -> str:
        """``NOAUTH``, ``WRONGPASS``, ``ERR`` ..."""
        return str(self).partition(" ")[0]


@dataclass(frozen=True)
class TlsOptions:
    """What redis-cli's options of the same names say about TLS."""

    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """A context for connecting; OSError if a file cannot be read."""
        import ssl

        context = ssl.create_default_context(cafile=self.cacert)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


class Client:
    """A connection to the server at *url*; every failure is a ClientError that names the server, never the password."""

    def __init__(self, url: ServerUrl, *, timeout: float = 5.0, tls: TlsOptions | None = None) -> None:
        self.url = url
        self._reader = hiredis.Reader(replyError=Refused)
        try:
            self._socket = _connect(url, timeout, tls or TlsOptions())
        except OSError as error:
            raise ClientError(f"cannot connect to {url.endpoint}: {_reason(error)}") from error
        try:
            if words := url.auth():
                self.call(*words)
            if url.db:
                self.call(b"SELECT", b"%d" % url.db)
        except ClientError:
            self.close()
            raise

    def call(self, *words: bytes | str | int) -> Any:
        """Send a command and wait for its answer: bytes, int, list or None; Refused for an error."""
        argv = [word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape") for word in words]
        try:
            self._socket.sendall(array_of_bulks(argv))
            while (reply := self._reader.gets()) is False:
                data = self._socket.recv(1 << 16)
                if not data:
                    raise ClientError(f"{self.url.endpoint} closed the connection")
                self._reader.feed(data)
        except OSError as error:
            raise ClientError(f"no answer from {self.url.endpoint}: {_reason(error)}") from error
        except hiredis.ProtocolError as error:
            raise ClientError(f"{self.url.endpoint} does not speak Redis's protocol") from error
        if isinstance(reply, Refused):
            raise reply
        return reply

    def info(self, *sections: str) -> Info:
        """The fields of INFO's *sections*."""
        return parse_info(self.call("INFO", *sections))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def parse_info(text: object) -> Info:
    """INFO's reply as a dict; empty for anything else."""
    if not isinstance(text, bytes):
        return {}
    lines = text.decode("utf-8", "replace").splitlines()
    return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon and name[:1] != "#"}


def add_server_option(parser: argparse.ArgumentParser) -> None:
    """``--server URL`` and what concerns TLS, as redis-cli calls it."""
    parser.add_argument(
        "--server", metavar="URL", type=server_url, default=ServerUrl(),
        help=f"the server to talk to (redis://127.0.0.1:6379); {PASSWORD_VARIABLE} may hold its password",
    )  # fmt: skip
    parser.add_argument("--cacert", metavar="FILE", help="certificates to trust for rediss:// URLs")
    parser.add_argument("--cert", metavar="FILE", help="the certificate to show")
    parser.add_argument("--key", metavar="FILE", help="the key of --cert")
    parser.add_argument("--insecure", action="store_true", help="do not verify certificates")


def tls_options(arguments: argparse.Namespace) -> TlsOptions:
    """What ``add_server_option`` read about TLS."""
    return TlsOptions(arguments.cacert, arguments.cert, arguments.key, arguments.insecure)


def server_of(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Client:
    """Connect to the ``--server`` of *arguments*."""
    url: ServerUrl = arguments.server
    if url.password is None and (password := environment.get(PASSWORD_VARIABLE)):
        url = replace(url, password=password)
    return Client(url, tls=tls_options(arguments))


def server_url(text: str) -> ServerUrl:
    """The type of arguments that are URLs of servers."""
    try:
        return ServerUrl.parse(text)
    except UrlError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _connect(url: ServerUrl, timeout: float, tls: TlsOptions) -> socket.socket:
    if url.path is not None:
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(timeout)
        try:
            plain.connect(url.path)
        except OSError:
            plain.close()
            raise
        return plain
    plain = socket.create_connection((url.host, url.port), timeout)
    if not url.tls:
        return plain
    try:
        return tls.context().wrap_socket(plain, server_hostname=url.host)
    except OSError:
        plain.close()
        raise


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return error.strerror or str(error)
