"""Passwords: how they are checked, and that nobody but the client who sends one ever sees it."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pytest

from pyredis.acl.rules import apply
from pyredis.acl.users import User
from pyredis.config.parameters import PARAMETERS, SENSITIVE
from pyredis.engine.client import Detached
from pyredis.engine.server import Server
from pyredis.net.admission import PROTECTED, denied
from tests.conftest import Peer

Connect = Callable[[], Peer]
SECRET = "hunter2"

WITH_SECRETS = [
    ["AUTH", SECRET],
    ["auth", "default", SECRET],
    ["AUTH", "nobody", SECRET],
    ["HELLO", "3", "AUTH", "default", SECRET],
    ["HELLO", "2", "SETNAME", "me", "AUTH", "nobody", SECRET],
    ["ACL", "SETUSER", "alice", "on", f">{SECRET}", "+get"],
    ["ACL", "SETUSER", "alice", f"<{SECRET}"],
    ["ACL", "SETUSER", "alice", f">{SECRET}", "nonsense"],
    ["CONFIG", "SET", "requirepass", SECRET],
    ["CONFIG", "SET", "maxmemory", "0", "requirepass", SECRET],
    ["config", "set", "MASTERAUTH", SECRET],
    ["CONFIG", "SET", "tls-key-file-pass", SECRET],
    ["CONFIG", "SET", "tls-client-key-file-pass", SECRET],
    ["CONFIG", "SET", "nosuch", "x", "masterauth", SECRET],
    ["MIGRATE", "127.0.0.1", "1", "k", "0", "10", "AUTH", SECRET],
    ["MIGRATE", "127.0.0.1", "1", "k", "0", "10", "COPY", "AUTH2", "user", SECRET],
]


@pytest.mark.parametrize("words", WITH_SECRETS, ids=" ".join)
@pytest.mark.parametrize("queued", [False, True], ids=["directly", "in MULTI"])
def test_nobody_sees_a_password(
    send: Peer, connect: Connect, server: Server, capsys: pytest.CaptureFixture[str], words: list[str], queued: bool
) -> None:
    server.log.level = 0
    observer, watcher = connect(), connect()
    observer("CONFIG", "SET", "slowlog-log-slower-than", "0")
    watcher("MONITOR")
    for words_sent in (["MULTI"], words, ["EXEC"]) if queued else (words,):
        send(*words_sent)
    observer("PING", "noticed")
    seen = [
        watcher.take(), observer("SLOWLOG", "GET", "-1"), observer("CLIENT", "LIST"), observer("ACL", "LOG"),
        observer("INFO", "everything"), observer("ACL", "LIST"), observer("COMMAND", "LIST"),
    ]  # fmt: skip
    assert SECRET.encode() not in b"".join(seen)
    assert all(b"noticed" in place for place in seen[:2])
    assert SECRET not in "".join(capsys.readouterr())


def test_what_is_shown_instead(send: Peer) -> None:
    send("CONFIG", "SET", "slowlog-log-slower-than", "0")
    send("ACL", "SETUSER", "alice", "on", f">{SECRET}")
    send("CONFIG", "SET", "maxmemory", "0", "masterauth", SECRET)
    words = [line for line in send("SLOWLOG", "GET").split(b"\r\n") if line[:1] not in (b"$", b"*", b":", b"", b"?")]
    assert words == [
        b"CONFIG", b"SET", b"maxmemory", b"0", b"masterauth", b"(redacted)",
        b"ACL", b"SETUSER", b"(redacted)", b"(redacted)", b"(redacted)",
        b"CONFIG", b"SET", b"slowlog-log-slower-than", b"0",
    ]  # fmt: skip


def test_every_directive_with_a_password_is_marked() -> None:
    marked = {parameter.name for parameter in PARAMETERS if parameter.flags & SENSITIVE}
    assert {
        parameter.name for parameter in PARAMETERS if parameter.name.endswith(("pass", "auth", "password"))
    } <= marked


# --- checking ------------------------------------------------------------------------------------


def test_every_password_is_compared_whichever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append(second)
        return real(first, second)

    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    user = User(b"u")
    for rule in (b"on", b">a", b">b", b">c"):
        apply(user, rule)
    for password, accepted in ((b"a", True), (b"b", True), (b"c", True), (b"", False), (b"abc", False)):
        compared.clear()
        assert user.accepts(password) is accepted
        assert compared == list(user.passwords)
    assert all(len(known) == 64 for known in user.passwords)  # hashes, however long the password is


def test_passwords_are_kept_as_hashes_only(send: Peer, server: Server) -> None:
    send("ACL", "SETUSER", "alice", "on", f">{SECRET}", "+@all")
    assert SECRET.encode() not in send("ACL", "GETUSER", "alice") + send("ACL", "LIST")
    assert send("AUTH", "alice", SECRET) == b"+OK\r\n"


@pytest.mark.parametrize("password", [b"simple", b"with spaces", b"\x00\xff\r\n\"'", "pässwörd".encode(), b"x" * 4096])
def test_requirepass(send: Peer, connect: Connect, password: bytes) -> None:
    assert send("CONFIG", "SET", "requirepass", password) == b"+OK\r\n"
    assert send("PING") == b"+PONG\r\n"  # who was here stays
    other = connect()
    assert other("PING") == b"-NOAUTH Authentication required.\r\n"
    assert other("AUTH", password[:-1]).startswith(b"-WRONGPASS invalid username-password pair")
    assert other("AUTH", "").startswith(b"-WRONGPASS ")
    assert other("GET", "k") == b"-NOAUTH Authentication required.\r\n"
    assert other("HELLO", "3").startswith(b"-NOAUTH HELLO must be called with the client already authenticated")
    assert other("AUTH", password) == b"+OK\r\n"
    assert other("GET", "k") == b"$-1\r\n"
    assert connect()("HELLO", "2", "AUTH", "default", password).startswith(b"*14\r\n")
    assert send("CONFIG", "SET", "requirepass", "") == b"+OK\r\n"
    assert connect()("PING") == b"+PONG\r\n"


def test_auth_without_a_password_to_check(send: Peer) -> None:
    text = (
        b"-ERR AUTH <password> called without any password configured for the default user. "
        b"Are you sure your configuration is correct?\r\n"
    )
    assert send("AUTH", "x") == text
    assert send("AUTH", "default", "x") == b"+OK\r\n"
    assert send("AUTH", "a", "b", "c").startswith(b"-ERR ")


# --- who may connect, and do dangerous things ----------------------------------------------------


@pytest.mark.parametrize(
    ("protected", "password", "local", "admitted"),
    [
        ("yes", "", False, False),
        ("yes", "", True, True),
        ("yes", "x", False, True),
        ("no", "", False, True),
    ],
)
def test_protected_mode(send: Peer, server: Server, protected: str, password: str, local: bool, admitted: bool) -> None:
    assert send("CONFIG", "SET", "protected-mode", protected, "requirepass", password) == b"+OK\r\n"
    assert denied(server, local) == (None if admitted else PROTECTED)


def test_protected_mode_counts_the_default_user_only(send: Peer, server: Server) -> None:
    send("ACL", "SETUSER", "alice", "on", ">x", "+@all")
    assert denied(server, False) == PROTECTED
    send("ACL", "SETUSER", "default", ">x")
    assert denied(server, False) is None


class Remote(Detached):
    is_local = False


def from_elsewhere(peer: Peer) -> Peer:
    peer.client.transport = Remote()
    return peer


DEBUG_TEXT = (
    b'-ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a '
    b"local connection, otherwise you need to set this option in the configuration file, and then restart the server."
    b"\r\n"
)
MODULE_TEXT = DEBUG_TEXT.replace(b"DEBUG command", b"MODULE command").replace(b"debug-command", b"module-command")


@pytest.mark.parametrize(("setting", "here", "there"), [("no", 0, 0), ("local", 1, 0), ("yes", 1, 1)])
def test_commands_that_have_to_be_enabled(
    server: Server, send: Peer, connect: Connect, setting: str, here: int, there: int
) -> None:
    server.config.enable_debug_command = server.config.enable_module_command = setting  # type: ignore[assignment]
    remote = from_elsewhere(connect())
    for peer, allowed in ((send, here), (remote, there)):
        assert peer("DEBUG", "SLEEP", "0") == (b"+OK\r\n" if allowed else DEBUG_TEXT)
        assert (peer("MODULE", "LOAD", "x.so") != MODULE_TEXT) is bool(allowed)
        assert peer("MODULE", "LIST") == b"*0\r\n"
    assert send("CONFIG", "SET", "enable-debug-command", "yes").endswith(b"can't set immutable config\r\n")
    assert send("CONFIG", "SET", "enable-module-command", "yes").endswith(b"can't set immutable config\r\n")


@pytest.mark.parametrize(("setting", "here", "there"), [("no", 0, 0), ("local", 1, 0), ("yes", 1, 1)])
@pytest.mark.parametrize(("name", "value"), [("dir", "."), ("dbfilename", "other.rdb")])
def test_directives_that_have_to_be_enabled(
    server: Server, send: Peer, connect: Connect, setting: str, here: int, there: int, name: str, value: str
) -> None:
    server.config.enable_protected_configs = setting  # type: ignore[assignment]
    refusal = (
        f"-ERR CONFIG SET failed (possibly related to argument '{name}') - can't set protected config\r\n".encode()
    )
    remote = from_elsewhere(connect())
    for peer, allowed in ((send, here), (remote, there)):
        assert peer("CONFIG", "SET", name, value) == (b"+OK\r\n" if allowed else refusal)


def test_renamed_commands(server: Server, send: Peer) -> None:
    server.rename_command(b"CONFIG", b"b840fc02d524045429941cc15f59e41cb7be6c52")
    server.rename_command(b"FLUSHALL", b"")
    assert send("CONFIG", "GET", "port").startswith(b"-ERR unknown command 'CONFIG'")
    assert send("FLUSHALL").startswith(b"-ERR unknown command 'FLUSHALL'")
    assert send("b840fc02d524045429941cc15f59e41cb7be6c52", "GET", "port") == b"*2\r\n$4\r\nport\r\n$4\r\n6379\r\n"
    assert send("ACL", "SETUSER", "alice", "+config|get", "-flushall") == b"+OK\r\n"  # rights know original names
