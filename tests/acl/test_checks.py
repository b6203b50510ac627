"""What users may do: the table of checks, DRYRUN's words, scripts, transactions, SORT, blocking, and the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.registry.flags import GATE_ACL
from tests.conftest import Peer

Connect = Callable[[], Peer]

NO_KEY = b"-NOPERM No permissions to access a key\r\n"
NO_CHANNEL = b"-NOPERM No permissions to access a channel\r\n"


def no_command(user: str, name: str) -> bytes:
    return f"-NOPERM User {user} has no permissions to run the '{name}' command\r\n".encode()


@pytest.fixture
def as_user(send: Peer, connect: Connect) -> Callable[..., Peer]:
    """``as_user("+get ~x")``: a connection of a user with these rules."""

    def make(rules: str, name: str = "alice") -> Peer:
        assert send("ACL", "SETUSER", name, "reset", "on", "nopass", *rules.split(" ")) == b"+OK\r\n"
        peer = connect()
        assert peer("AUTH", name, "") == b"+OK\r\n"
        return peer

    return make


AsUser = Callable[..., Peer]


# --- DRYRUN --------------------------------------------------------------------------------------

COMMAND, KEY, CHANNEL = "command", "key", "channel"
DRYRUNS: list[tuple[str, str, str | None, str]] = [
    ("+get ~a", "get a", None, ""),
    ("+get ~a", "GET a", None, ""),
    ("+get ~a", "get b", KEY, "b"),
    ("~a", "get a", COMMAND, "get"),
    ("+@all ~a", "mset a 1 b 2 c 3", KEY, "b"),
    ("+@all %R~a", "get a", None, ""),
    ("+@all %R~a", "set a 1", KEY, "a"),
    ("+@all %W~a", "set a 1", None, ""),
    ("+@all %W~a", "set a 1 get", KEY, "a"),
    ("+@all %W~a", "get a", KEY, "a"),
    ("+@all %W~a", "strlen a", None, ""),
    ("+@all %R~a %W~b", "copy a b", None, ""),
    ("+@all %R~a %W~b", "copy b a", KEY, "b"),
    ("+@all %RW~a", "getdel a", None, ""),
    ("+@all %R~a (%W~a +@all)", "getdel a", KEY, "a"),
    ("+@all %R~a %W~a", "getdel a", None, ""),
    ("+@all %R~a", "bitfield a get u8 0", None, ""),
    ("+@all %R~a", "bitfield a set u8 0 1", KEY, "a"),
    ("+@all %R~src", "sort src", None, ""),
    ("+@all %R~src", "sort src store dst", KEY, "dst"),
    ("+@all %W~dst %R~a", "zunionstore dst 2 a b", KEY, "b"),
    ("+@all ~a", "eval return 2 a b", KEY, "b"),
    ("+@all ~a", "xread streams a b 0 0", KEY, "b"),
    ("+@all ~a", "lmpop 2 a b left", KEY, "b"),
    ("+@all ~a", "migrate host 1 a 0 10", None, ""),
    ("+@all ~a", "migrate host 1 b 0 10", KEY, "b"),
    ("+@all ~a", "flushall", None, ""),
    ("+@all ~a", "keys *", None, ""),
    ("+@all", "ping", None, ""),
    ("-@all", "auth x", None, ""),
    ("-@all", "hello", None, ""),
    ("-@all", "ping", COMMAND, "ping"),
    ("+config|get", "config get x", None, ""),
    ("+config|get", "config set x y", COMMAND, "config|set"),
    ("+config -config|set", "CONFIG SET x y", COMMAND, "config|set"),
    ("+select|0", "select 0", None, ""),
    ("+select|0", "select 1", COMMAND, "select"),
    ("+get|x ~*", "get X", None, ""),
    ("+@all -select +select|0", "select 0", None, ""),
    ("+publish &news", "publish news x", None, ""),
    ("+publish &news", "publish other x", CHANNEL, "other"),
    ("+spublish &news", "spublish other x", CHANNEL, "other"),
    ("+subscribe &n*", "subscribe news nothing", None, ""),
    ("+subscribe &n*", "subscribe news other", CHANNEL, "other"),
    ("+psubscribe &n*", "psubscribe n*", None, ""),
    ("+psubscribe &n*", "psubscribe news", CHANNEL, "news"),
    ("+psubscribe &n*", "psubscribe ne*", CHANNEL, "ne*"),
    ("+unsubscribe", "unsubscribe anything", None, ""),
    ("+get ~a (+set ~b)", "get a", None, ""),
    ("+get ~a (+set ~b)", "set b 1", None, ""),
    ("+get ~a (+set ~b)", "set a 1", KEY, "a"),
    ("+get ~a (+set ~b)", "del a", COMMAND, "del"),
    ("(+@all ~a &*) (+publish &x)", "publish y m", None, ""),
]


@pytest.mark.parametrize(("rules", "words", "denied", "what"), DRYRUNS)
def test_dryrun(send: Peer, rules: str, words: str, denied: str | None, what: str) -> None:
    assert send("ACL", "SETUSER", "alice", "reset", *rules.split(" ")) == b"+OK\r\n"
    reply = send("ACL", "DRYRUN", "alice", *words.split(" "))
    text = {
        None: None,
        COMMAND: f"User alice has no permissions to run the '{what}' command",
        KEY: f"User alice has no permissions to access the '{what}' key",
        CHANNEL: f"User alice has no permissions to access the '{what}' channel",
    }[denied]
    assert reply == (b"+OK\r\n" if text is None else f"${len(text)}\r\n{text}\r\n".encode())


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("bob get x", b"-ERR User 'bob' not found\r\n"),
        ("default nosuch x", b"-ERR Command 'nosuch' not found\r\n"),
        ("default get", b"-ERR wrong number of arguments for 'get' command\r\n"),
    ],
)
def test_dryrun_of_nonsense(send: Peer, words: str, error: bytes) -> None:
    assert send("ACL", "DRYRUN", *words.split(" ")) == error


# --- commands that are run -----------------------------------------------------------------------


def test_refusals_name_the_command_but_no_key(as_user: AsUser) -> None:
    alice = as_user("+@all -del ~a &c")
    assert alice("SET", "a", "1") == b"+OK\r\n"
    assert alice("GET", "b") == NO_KEY
    assert alice("DEL", "a") == no_command("alice", "del")
    assert alice("PUBLISH", "d", "x") == NO_CHANNEL
    assert alice("SUBSCRIBE", "c", "d") == NO_CHANNEL
    assert not alice.client.channels


def test_nothing_is_checked_for_a_user_who_may_do_everything(as_user: AsUser, server: object) -> None:
    assert not as_user("+@all ~* &*").client.gate & GATE_ACL
    assert as_user("+@all ~* &* -get").client.gate & GATE_ACL
    assert not as_user("-@all (+@all ~* &*)").client.gate & GATE_ACL


def test_rights_change_under_a_connection(send: Peer, as_user: AsUser) -> None:
    alice = as_user("+@all ~* &*")
    assert alice("SET", "k", "v") == b"+OK\r\n"
    send("ACL", "SETUSER", "alice", "-set")
    assert alice("SET", "k", "v") == no_command("alice", "set")
    send("ACL", "SETUSER", "alice", "+set", "resetkeys", "~x")
    assert alice("SET", "k", "v") == NO_KEY
    send("ACL", "SETUSER", "alice", "allkeys")
    assert alice("SET", "k", "v") == b"+OK\r\n"


def test_renamed_commands_keep_their_rights(server, send: Peer, as_user: AsUser) -> None:  # type: ignore[no-untyped-def]
    server.rename_command(b"GET", b"FETCH")
    alice = as_user("+get ~a")
    assert alice("FETCH", "a") == b"$-1\r\n"
    assert alice("FETCH", "b") == NO_KEY
    assert alice("GET", "a").startswith(b"-ERR unknown command 'GET'")
    assert as_user("+@all -get ~*")("FETCH", "a") == no_command("alice", "get")


def test_transactions_check_when_queued_and_again_when_run(send: Peer, as_user: AsUser) -> None:
    alice = as_user("+@all ~a")
    assert alice("MULTI") == b"+OK\r\n"
    assert alice("SET", "b", "1") == NO_KEY
    assert alice("SET", "a", "1") == b"+QUEUED\r\n"
    assert alice("EXEC") == b"-EXECABORT Transaction discarded because of previous errors.\r\n"
    alice("MULTI")
    alice("SET", "a", "2")
    alice("INCR", "a")
    assert alice("PUBLISH", "c", "x") == NO_CHANNEL
    alice("DISCARD")
    alice("MULTI")
    alice("SET", "a", "2")
    alice("INCR", "a")
    send("ACL", "SETUSER", "alice", "-incr")
    reply = alice("EXEC")
    assert reply.startswith(
        b"*2\r\n+OK\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated"
    )
    assert b"no permission to execute the command or subcommand" in reply
    assert send("GET", "a") == b"$1\r\n2\r\n"


def test_exec_after_the_keys_were_taken_away(send: Peer, as_user: AsUser) -> None:
    alice = as_user("+@all ~a &c")
    for words in (["MULTI"], ["SET", "a", "2"], ["PUBLISH", "c", "x"]):
        alice(*words)
    send("ACL", "SETUSER", "alice", "resetkeys", "resetchannels")
    reply = alice("EXEC")
    assert b"no permission to touch the specified keys" in reply
    assert b"no permission to access one of the channels used as arguments" in reply


def test_scripts_may_do_what_their_caller_may(as_user: AsUser, send: Peer) -> None:
    pytest.importorskip("lupa")
    alice = as_user("+@all -incr ~a")
    assert alice("EVAL", "return redis.call('set', KEYS[1], '1')", "1", "a") == b"+OK\r\n"
    assert alice("EVAL", "return 1", "1", "b") == NO_KEY
    assert b"ACL failure in script: No permissions to access a key" in alice(
        "EVAL", "return redis.call('get', 'b')", "0"
    )
    refused = alice("EVAL", "return redis.call('incr', KEYS[1])", "1", "a")
    assert b"ACL failure in script: User alice has no permissions to run the 'incr' command" in refused
    assert alice("EVAL", "return redis.acl_check_cmd('get', 'a')", "0") == b":1\r\n"
    assert alice("EVAL", "return redis.acl_check_cmd('get', 'b')", "0") == b"$-1\r\n"
    assert send("GET", "a") == b"$1\r\n1\r\n"


@pytest.mark.parametrize("word", ["BY", "GET"])
def test_patterns_of_sort_need_every_key(as_user: AsUser, send: Peer, word: str) -> None:
    send("RPUSH", "l", "1")
    denied = f"-ERR {word} option of SORT denied due to insufficient ACL permissions.\r\n".encode()
    assert as_user("+@all %R~l")("SORT", "l", word, "w_*") == denied
    assert as_user("+@all %W~* %R~l")("SORT", "l", word, "w_*") == denied
    assert as_user("+@all %R~*")("SORT", "l", word, "w_*").startswith(b"*1\r\n")
    assert as_user("+@all (%R~* +sort)")("SORT", "l", word, "w_*").startswith(b"*1\r\n")


def test_a_blocked_command_is_checked_again_when_it_is_served(as_user: AsUser, send: Peer) -> None:
    alice = as_user("+@all ~*")
    send("CONFIG", "RESETSTAT")
    assert alice("BLPOP", "l", "0") == b""
    send("ACL", "SETUSER", "alice", "resetkeys")
    send("RPUSH", "l", "x")
    assert alice.take() == NO_KEY
    assert send("LLEN", "l") == b":1\r\n"
    assert alice("PING") == b"+PONG\r\n"
    stats = send("INFO", "commandstats")
    assert b"cmdstat_blpop:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n" in stats


# --- the log -------------------------------------------------------------------------------------


def log(send: Peer, *words: str) -> list[dict[bytes, bytes]]:
    """ACL LOG as dictionaries; integers as their digits."""
    lines = send("ACL", "LOG", *words).split(b"\r\n")
    values = [line.removeprefix(b":") for line in lines if line[:1] not in (b"*", b"$", b"")]
    return [
        dict(zip(values[at : at + 20 : 2], values[at + 1 : at + 20 : 2], strict=True))
        for at in range(0, len(values), 20)
    ]


def test_log_entries(as_user: AsUser, send: Peer, server) -> None:  # type: ignore[no-untyped-def]
    alice = as_user("+get +multi +exec +eval +publish ~a")
    alice("CLIENT", "SETNAME", "nobody")
    alice("GET", "b")
    alice("PUBLISH", "c", "x")
    alice("MULTI")
    alice("GET", "d")
    send("AUTH", "alice2", "wrong")
    entries = log(send)
    seen = [(e[b"reason"], e[b"context"], e[b"object"], e[b"username"]) for e in entries]
    assert seen == [
        (b"auth", b"toplevel", b"AUTH", b"alice2"),
        (b"key", b"multi", b"d", b"alice"),
        (b"channel", b"toplevel", b"c", b"alice"),
        (b"key", b"toplevel", b"b", b"alice"),
        (b"command", b"toplevel", b"client|setname", b"alice"),
    ]
    assert [e[b"entry-id"] for e in entries] == [b"4", b"3", b"2", b"1", b"0"]
    assert b" cmd=publish user=alice " in entries[2][b"client-info"]
    assert b"id=%d " % alice.client.id in entries[2][b"client-info"]
    assert {e[b"count"] for e in entries} == {b"1"}
    assert entries[0][b"timestamp-created"] == b"%d" % (server.now // 1_000_000)


def test_denials_in_scripts_are_logged_as_such(as_user: AsUser, send: Peer) -> None:
    pytest.importorskip("lupa")
    as_user("+@all -incr ~*")("EVAL", "return redis.call('incr', 'k')", "0")
    entry = log(send)[0]
    assert (entry[b"context"], entry[b"object"], entry[b"reason"]) == (b"lua", b"incr", b"command")
    assert b" cmd=eval " in entry[b"client-info"]


def test_alike_denials_of_a_minute_are_one_entry(as_user: AsUser, send: Peer, advance: Callable[[float], None]) -> None:
    alice = as_user("+get ~a")
    for _ in range(3):
        alice("GET", "b")
    alice("GET", "c")
    advance(30)
    alice("GET", "b")
    entries = log(send)
    assert [(e[b"object"], e[b"count"], e[b"entry-id"]) for e in entries] == [(b"b", b"4", b"0"), (b"c", b"1", b"1")]
    assert int(entries[0][b"timestamp-last-updated"]) - int(entries[0][b"timestamp-created"]) == 30_000
    advance(61)
    alice("GET", "b")
    entries = log(send)
    assert [(e[b"object"], e[b"count"]) for e in entries] == [(b"b", b"1"), (b"b", b"4"), (b"c", b"1")]
    assert [e[b"age-seconds"] for e in entries] == [b"0", b"61", b"91"]


def test_the_log_is_limited(as_user: AsUser, send: Peer) -> None:
    send("CONFIG", "SET", "acllog-max-len", "3")
    alice = as_user("+get ~a")
    for number in range(5):
        alice("GET", f"k{number}")
    assert [e[b"object"] for e in log(send)] == [b"k4", b"k3", b"k2"]
    assert [e[b"object"] for e in log(send, "1")] == [b"k4"]
    assert log(send, "0") == []
    assert send("ACL", "LOG", "RESET") == b"+OK\r\n"
    assert log(send) == []
    send("CONFIG", "SET", "acllog-max-len", "0")
    alice("GET", "k")
    assert log(send) == []


def test_denials_are_counted(as_user: AsUser, send: Peer) -> None:
    alice = as_user("+get +publish ~a")
    for words in (["SET", "a", "1"], ["GET", "b"], ["GET", "b"], ["PUBLISH", "c", "x"]):
        alice(*words)
    send("AUTH", "alice2", "wrong")
    stats = send("INFO", "stats")
    for name, count in (("auth", 1), ("cmd", 1), ("key", 2), ("channel", 1)):
        assert b"acl_access_denied_%b:%d\r\n" % (name.encode(), count) in stats
