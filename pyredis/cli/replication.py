"""``pyredis follow`` and ``pyredis promote``: who leads, and how far a follower has come."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TextIO

from ..util.urls import DEFAULT_USER, ServerUrl
from .client import Client, ClientError, Refused, TlsOptions, add_server_option, server_of, server_url, tls_options
from .subcommand import Subcommand
from .watch import Progress, State, SyncWatch

DONE, REFUSED, UNREACHABLE, BAD_LEADER, NOT_IN_SYNC = 0, 1, 3, 4, 5
"""Exit statuses; 2 is argparse's."""
INTERRUPTED: Final = 130

EXIT_STATUSES: Final = f"""\
exit status: {DONE} done; {REFUSED} the server refused; 2 the words make no sense; {UNREACHABLE} the server cannot be
reached; {BAD_LEADER} the leader cannot be reached, refuses the password or cannot be followed; {NOT_IN_SYNC} not in
sync in time"""

NEWEST_READABLE: Final = {"redis": (7, 2), "valkey": (8, 1)}
"""Leaders up to these versions send snapshots of version 11, which is the newest that can be read."""
POLL_SECONDS: Final = 0.2
PLAIN_SECONDS: Final = 5.0
"""How often a line is printed where no terminal is."""


class Failure(Exception):
    """What to tell the operator, and the exit status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


# --- follow ---------------------------------------------------------------------------------------


def follow_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``pyredis follow``."""
    parser.epilog = EXIT_STATUSES
    parser.add_argument(
        "leader", metavar="URI", help="whom to follow: redis://user:password@host:port; - reads it from standard input"
    )
    parser.add_argument("--wait", action="store_true", help="show the progress and return when in sync")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, help="with --wait: give up after that time")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each step")
    parser.add_argument("--no-check", action="store_true", help="do not look at the leader from here first")
    parser.add_argument("--rewrite", action="store_true", help="keep it in the server's configuration file")
    add_server_option(parser)


def follow(arguments: argparse.Namespace) -> int:
    """``pyredis follow URI``."""
    report = Report(sys.stdout, sys.stderr, as_json=arguments.json)
    try:
        leader_url = _leader_url(arguments.leader)
        with _server(arguments) as server:
            leader = None if arguments.no_check else _look_at(leader_url, server, tls_options(arguments))
            try:
                _order(server, leader_url)
                report.event("following", leader=str(leader_url), server=str(server.url))
                if arguments.rewrite:
                    _call(server, "CONFIG", "REWRITE")
                if arguments.wait:
                    _wait(server, leader, report, arguments.timeout)
            finally:
                if leader is not None:
                    leader.close()
    except Failure as failure:
        report.failed(str(failure))
        return failure.status
    except KeyboardInterrupt:
        report.failed("no longer watched; the server goes on by itself")
        return INTERRUPTED
    return DONE


def _leader_url(text: str) -> ServerUrl:
    try:
        url = server_url(sys.stdin.readline().strip() if text == "-" else text)
    except argparse.ArgumentTypeError as error:
        raise Failure(2, str(error)) from error
    if url.path is not None:
        raise Failure(2, "a leader is followed over TCP, not over a unix socket")
    return url


def _server(arguments: argparse.Namespace) -> Client:
    try:
        return server_of(arguments)
    except ClientError as error:
        raise Failure(UNREACHABLE, str(error)) from error


def _look_at(url: ServerUrl, server: Client, tls: TlsOptions) -> Client:
    """Connect to the leader as a check, before the server throws its data away."""
    url = replace(url, db=0)
    try:
        leader = Client(url, tls=tls)
        try:
            leader.call("PING")
            _check_leader(leader, server)
        except BaseException:
            leader.close()
            raise
    except Refused as error:
        raise Failure(BAD_LEADER, f"the leader {url.endpoint} refuses: {error}") from error
    except ClientError as error:
        raise Failure(BAD_LEADER, f"{error} (--no-check if only the server can reach it)") from error
    return leader


def _check_leader(leader: Client, server: Client) -> None:
    name = leader.url.endpoint
    try:
        offers = leader.call("COMMAND", "INFO", "PSYNC")
        fields = leader.info()
    except Refused as error:
        if error.code != "NOPERM":
            raise
        return  # an account for replication only may well not be allowed to look
    if offers == [None]:
        raise Failure(BAD_LEADER, f"the leader {name} does not offer replication (it has no PSYNC)")
    run_id = fields.get("run_id")
    if run_id is not None and run_id == server.info("server").get("run_id"):
        raise Failure(BAD_LEADER, f"{name} is the server itself")
    kind = "valkey" if "valkey_version" in fields else "redis"
    version = fields.get(f"{kind}_version", "")
    if (numbers := _version(version)) is not None and numbers > NEWEST_READABLE[kind]:
        raise Failure(
            BAD_LEADER,
            f"the leader {name} is {kind.title()} {version}: its snapshots are too new to be read (--no-check to try)",
        )


def _version(text: str) -> tuple[int, int] | None:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        return None
    return int(parts[0]), int(parts[1])


def _order(server: Client, leader: ServerUrl) -> None:
    user = "" if leader.user in (None, DEFAULT_USER) else leader.user
    assert user is not None
    settings = ["masteruser", user, "masterauth", leader.password or ""]
    if leader.tls:
        settings += ["tls-replication", "yes"]
    elif _call(server, "CONFIG", "GET", "tls-replication") == [b"tls-replication", b"yes"]:
        settings += ["tls-replication", "no"]
    try:
        _call(server, "CONFIG", "SET", *settings)
    except Failure as failure:
        if not leader.tls:
            raise
        needs = "over TLS it needs a tls-ca-cert-file, a tls-cert-file and a tls-key-file"
        raise Failure(failure.status, f"{failure} ({needs})") from failure
    _call(server, "REPLICAOF", leader.host, leader.port)
    _call(server, "CLIENT", "UNPAUSE")  # a pause (of --drain, say) would hold the leader's stream back, too


def _call(server: Client, *words: str | int) -> object:
    try:
        return server.call(*words)
    except Refused as error:
        raise Failure(REFUSED, f"the server refuses {words[0]}: {error}") from error
    except ClientError as error:
        raise Failure(UNREACHABLE, str(error)) from error


def _wait(server: Client, leader: Client | None, report: Report, timeout: float | None) -> None:
    watch = SyncWatch()
    began = time.monotonic()
    while True:
        offset = None if leader is None else _offset_of(leader)
        try:
            fields = server.info("replication") | server.info("persistence")
        except ClientError as error:
            raise Failure(UNREACHABLE, str(error)) from error
        now = time.monotonic()
        progress = watch.look(fields, offset, now)
        report.progress(progress, now)
        if progress.state is State.IN_SYNC:
            return
        if progress.state is State.NOT_FOLLOWING:
            raise Failure(REFUSED, "the server follows nobody any more: somebody has promoted it")
        if timeout is not None and now - began >= timeout:
            raise Failure(
                NOT_IN_SYNC, f"not in sync after {timeout:g} s ({progress.as_text()}); the server goes on trying"
            )
        time.sleep(POLL_SECONDS)


def _offset_of(leader: Client) -> int | None:
    try:
        return int(leader.info("replication")["master_repl_offset"])
    except (ClientError, KeyError, ValueError):
        return None


# --- promote --------------------------------------------------------------------------------------


def promote_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``pyredis promote``."""
    parser.epilog = EXIT_STATUSES
    parser.add_argument(
        "--drain", metavar="SECONDS", type=float,
        help="hold the writes of the leader back for up to that time, and promote once everything has arrived",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each step")
    parser.add_argument("--rewrite", action="store_true", help="keep it in the server's configuration file")
    add_server_option(parser)


def promote(arguments: argparse.Namespace) -> int:
    """``pyredis promote``."""
    report = Report(sys.stdout, sys.stderr, as_json=arguments.json)
    try:
        with _server(arguments) as server:
            fields = server.info("replication")
            if fields.get("role") != "slave":
                report.event("leader", server=str(server.url), offset=_offset_of(server), changed=False)
                return DONE
            if arguments.drain is not None:
                _drain(server, fields, report, arguments)
            elif fields.get("master_link_status") != "up":
                report.warn("the link to the leader is down: what it wrote since then is not here")
            _call(server, "REPLICAOF", "NO", "ONE")
            if arguments.rewrite:
                _call(server, "CONFIG", "REWRITE")
            report.event("leader", server=str(server.url), offset=_offset_of(server), changed=True)
    except Failure as failure:
        report.failed(str(failure))
        return failure.status
    except ClientError as error:
        report.failed(str(error))
        return UNREACHABLE
    return DONE


def _drain(server: Client, fields: dict[str, str], report: Report, arguments: argparse.Namespace) -> None:
    """Pause the leader's writes until the follower has them all; the pause stays, so that no write goes astray."""
    with _leader_of(server, fields, tls_options(arguments)) as leader:
        _pause(leader, arguments.drain)
        try:
            _wait(server, leader, report, arguments.drain)
        except BaseException:
            leader.call("CLIENT", "UNPAUSE")
            raise


def _pause(leader: Client, seconds: float) -> None:
    try:
        leader.call("CLIENT", "PAUSE", int(seconds * 1000), "WRITE")
    except ClientError as error:
        raise Failure(BAD_LEADER, f"the leader's writes cannot be held back: {error}") from error


def _leader_of(server: Client, fields: dict[str, str], tls: TlsOptions) -> Client:
    """Connect to the leader as the server itself logs in there."""
    names = ("masteruser", "masterauth", "tls-replication")
    user, password, encrypted = (_setting(server, name) for name in names)
    url = ServerUrl(
        fields["master_host"], int(fields["master_port"]), user or None, password or None, tls=encrypted == "yes"
    )
    try:
        return Client(url, tls=tls)
    except ClientError as error:
        raise Failure(BAD_LEADER, f"the leader's writes cannot be held back: {error}") from error


def _setting(server: Client, name: str) -> str:
    reply = _call(server, "CONFIG", "GET", name)
    assert isinstance(reply, list)
    return reply[1].decode("utf-8", "surrogateescape") if len(reply) == 2 else ""


# --- what is shown --------------------------------------------------------------------------------


class Report:
    """Lines for people or for programs; on a terminal the progress is one line that changes."""

    def __init__(
        self, out: TextIO, err: TextIO, *, as_json: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self._out, self._err, self._json, self._clock = out, err, as_json, clock
        self._live = not as_json and out.isatty()
        self._open = False
        self._shown: tuple[State, float] | None = None

    def event(self, name: str, **details: object) -> None:
        """Something is done."""
        if self._json:
            self._line(json.dumps({"event": name, "time": round(self._clock(), 3), **details}))
        elif name == "following":
            self._line(f"{details['server']} follows {details['leader']}")
        elif details.get("changed"):
            self._line(f"{details['server']} is a leader now, at offset {details['offset']}")
        else:
            self._line(f"{details['server']} is a leader already")

    def progress(self, progress: Progress, now: float) -> None:
        """How far a synchronisation has come."""
        final = progress.state is State.IN_SYNC
        if self._live:
            self._out.write(f"\r{progress.as_text()}\x1b[K" + ("\n" if final else ""))
            self._out.flush()
            self._open = not final
            return
        if not final and self._shown is not None:
            state, when = self._shown
            if state is progress.state and now - when < (1.0 if self._json else PLAIN_SECONDS):
                return
        self._shown = progress.state, now
        self._line(
            json.dumps({"event": "progress", "time": round(self._clock(), 3), **progress.as_dict()})
            if self._json
            else progress.as_text()
        )

    def warn(self, text: str) -> None:
        """Something the operator should know."""
        self._err.write(f"pyredis: warning: {text}\n")

    def failed(self, text: str) -> None:
        """It did not work."""
        if self._open:
            self._line("")
        if self._json:
            self._line(json.dumps({"event": "error", "time": round(self._clock(), 3), "error": text}))
        self._err.write(f"pyredis: {text}\n")

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


SUBCOMMANDS = (
    Subcommand("follow", "make a server follow another one, and watch it synchronise", follow_arguments, follow),
    Subcommand("promote", "make a follower a leader", promote_arguments, promote),
)
