"""SLOWLOG: what is kept of a slow command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.engine.server import Server
from pyredis.engine.slowlog import redacted, trimmed
from tests.conftest import Peer

OK = b"+OK\r\n"
Connect = Callable[[], Peer]


def test_arguments_beyond_32_and_bytes_beyond_128_are_only_counted() -> None:
    argv = [b"SADD", b"k", b"A" * 129, *(b"%d" % n for n in range(30))]
    kept = trimmed(argv)
    assert len(kept) == 32
    assert kept[2] == b"A" * 128 + b"... (1 more bytes)"
    assert kept[-1] == b"... (2 more arguments)"
    assert trimmed(argv[:32]) == [*kept[:31], argv[31]]


def test_redaction_keeps_the_arguments_themselves() -> None:
    argv = [b"AUTH", b"u", b"p"]
    assert redacted(argv, ()) is argv
    assert redacted(argv, (1, 2)) == [b"AUTH", b"(redacted)", b"(redacted)"]
    assert argv == [b"AUTH", b"u", b"p"]


class TestWithThresholdZero:
    @pytest.fixture(autouse=True)
    def log_everything(self, send: Peer) -> None:
        send("CONFIG", "SET", "slowlog-log-slower-than", 0)
        send("SLOWLOG", "RESET")

    def argvs(self, server: Server) -> list[list[bytes]]:
        return [entry.argv for entry in server.slowlog.entries]

    def test_passwords_are_hidden_and_the_next_command_is_not(self, send: Peer, server: Server) -> None:
        send("AUTH", "user", "secret")
        send("SET", "k", "v")
        send("CONFIG", "SET", "masterauth", "secret", "maxmemory-samples", 5)
        send("HELLO", 2, "AUTH", "user", "secret")
        assert self.argvs(server)[:4] == [
            [b"HELLO", b"2", b"AUTH", b"(redacted)", b"(redacted)"],
            [b"CONFIG", b"SET", b"masterauth", b"(redacted)", b"maxmemory-samples", b"5"],
            [b"SET", b"k", b"v"],
            [b"AUTH", b"(redacted)", b"(redacted)"],
        ]

    def test_exec_is_not_logged_but_what_it_runs(self, send: Peer, server: Server) -> None:
        send("MULTI")
        send("SET", "k", "v")
        send("EXEC")
        assert self.argvs(server)[0] == [b"SET", b"k", b"v"]

    def test_a_blocked_command_is_logged_when_served(self, send: Peer, connect: Connect, server: Server) -> None:
        blocked = connect()
        blocked("BLPOP", "l", 0)
        assert [b"BLPOP", b"l", b"0"] not in self.argvs(server)
        send("LPUSH", "l", "x")
        assert self.argvs(server).count([b"BLPOP", b"l", b"0"]) == 1

    def test_a_timeout_serves_too(self, send: Peer, server: Server, advance: Callable[[float], None]) -> None:
        send("BLPOP", "l", 1)
        advance(2)
        assert self.argvs(server)[0] == [b"BLPOP", b"l", b"1"]
        server.stats.fold()
        assert server.commands[b"blpop"].calls == 1

    def test_at_most_max_len_the_newest_first(self, send: Peer, server: Server) -> None:
        send("CONFIG", "SET", "slowlog-max-len", 2)
        for word in ("a", "b", "c"):
            send("ECHO", word)
        assert self.argvs(server) == [[b"ECHO", b"c"], [b"ECHO", b"b"]]
        assert send("SLOWLOG", "LEN") == b":2\r\n"

    def test_an_entry_as_slowlog_get_shows_it(self, send: Peer, server: Server) -> None:
        send("CLIENT", "SETNAME", "me")
        send("SLOWLOG", "RESET")
        send("ECHO", "x")
        number = server.slowlog.entries[0].id
        assert send("SLOWLOG", "GET", 1) == (
            b"*1\r\n*6\r\n:%d\r\n:1700000000\r\n:0\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n$3\r\n?:0\r\n$2\r\nme\r\n" % number
        )

    def test_a_reset_goes_on_counting(self, send: Peer, server: Server) -> None:
        before = server.slowlog.entries[0].id
        assert send("SLOWLOG", "RESET") == OK
        assert server.slowlog.entries[0].id == before + 1


def test_off_below_zero(send: Peer, server: Server) -> None:
    send("CONFIG", "SET", "slowlog-log-slower-than", -1)
    send("ECHO", "x")
    assert not server.slowlog.entries


@pytest.mark.parametrize("count", ["-2", "x", "1.5"])
def test_count_is_a_number_from_minus_one(send: Peer, count: str) -> None:
    assert send("SLOWLOG", "GET", count) == b"-ERR count should be greater than or equal to -1\r\n"


def test_surplus_words(send: Peer) -> None:
    reply = b"-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n"
    assert send("SLOWLOG", "GET", 1, 2) == reply
