"""What never reaches a handler: HTTP, renamed commands, input after QUIT."""

from __future__ import annotations

import pytest

from pyredis.engine.client import Detached
from pyredis.engine.server import Server
from tests.conftest import Peer


class Recorded(Detached):
    peer = b"10.0.0.1:555"

    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1\r\n", b"Host: example.com\r\n"])
def test_http_is_cut_off_without_an_answer(
    send: Peer, server: Server, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    transport = send.client.transport = Recorded()
    assert send.raw(line) == b""
    assert transport.aborted
    log = capsys.readouterr().out
    assert "Possible SECURITY ATTACK detected." in log
    assert "Connection from 10.0.0.1:555 aborted." in log
    send.raw(line)
    assert "SECURITY" not in capsys.readouterr().out  # once a minute is enough


def test_renamed_and_disabled_commands(send: Peer, server: Server) -> None:
    server.rename_command(b"Config", b"secretConfig")
    server.rename_command(b"FLUSHALL", b"")
    assert send("CONFIG", "GET", "port").startswith(b"-ERR unknown command 'CONFIG'")
    assert send("flushall").startswith(b"-ERR unknown command 'flushall'")
    for name in ("SECRETCONFIG", "secretconfig", "secretConfig"):
        assert send(name, "GET", "port") == b"*2\r\n$4\r\nport\r\n$4\r\n6379\r\n"
    assert b"cmdstat_config|get:calls=3" in send("INFO", "commandstats")


def test_nothing_runs_after_quit(send: Peer, server: Server) -> None:
    assert send.raw(b"QUIT\r\nSET k v\r\n") == b"+OK\r\n"
    assert b"k" not in server.databases[0].data


def test_a_wrong_number_of_arguments_spoils_a_transaction(send: Peer) -> None:
    send("MULTI")
    assert send("WATCH") == b"-ERR wrong number of arguments for 'watch' command\r\n"
    assert send("EXEC") == b"-EXECABORT Transaction discarded because of previous errors.\r\n"


def test_reset_ends_tracking(send: Peer, server: Server) -> None:
    send("HELLO", 3)
    send("CLIENT", "TRACKING", "ON", "BCAST")
    assert send("RESET") == b"+RESET\r\n"
    assert send.client.tracking is None
    assert send("CLIENT", "TRACKINGINFO").startswith(b"*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n")
