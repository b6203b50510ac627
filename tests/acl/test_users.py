"""Users as a whole: their file, the configuration's lines, and what becomes of connections when they change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyredis.engine.client import Detached
from pyredis.engine.server import Server
from tests.conftest import Peer

Connect = Callable[[], Peer]
NOTHING_CHANGED = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"


class Line(Detached):
    """A transport that remembers how it ended."""

    def __init__(self) -> None:
        self.state = "open"

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "cut"


def state(peer: Peer) -> str:
    assert isinstance(peer.client.transport, Line)
    return peer.client.transport.state


@pytest.fixture
def login(connect: Connect) -> Callable[[str], Peer]:
    """A connection of a user."""

    def log_in(name: str) -> Peer:
        peer = connect()
        peer.client.transport = Line()
        assert peer("AUTH", name, "") == b"+OK\r\n"
        return peer

    return log_in


Login = Callable[[str], Peer]


@pytest.fixture
def path(server: Server, tmp_path: Path) -> Path:
    server.config.dir, server.config.aclfile = str(tmp_path), "users.acl"
    return tmp_path / "users.acl"


# --- the file ------------------------------------------------------------------------------------


def test_save_and_load(send: Peer, path: Path) -> None:
    send("ACL", "SETUSER", "alice", "on", ">a", "+get", "~x", "(+set %W~y)")
    before = send("ACL", "LIST")
    assert send("ACL", "SAVE") == b"+OK\r\n"
    assert path.read_bytes() == (
        b"user alice on sanitize-payload #ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb ~x "
        b"resetchannels -@all +get (%W~y resetchannels -@all +set)\n"
        b"user default on nopass sanitize-payload ~* &* +@all\n"
    )
    send("ACL", "DELUSER", "alice")
    send("ACL", "SETUSER", "bob")
    assert send("ACL", "LOAD") == b"+OK\r\n"
    assert send("ACL", "LIST") == before


def test_lines_may_be_spaced_and_spelled_as_people_do(send: Peer, path: Path) -> None:
    path.write_bytes(b"\n  user alice  on  nopass +GET ~a  \r\n\r\n\tuser bob off ( +set ~b ) (+get ~c)\n")
    assert send("ACL", "LOAD") == b"+OK\r\n"
    listing = send("ACL", "LIST")
    assert b"user alice on nopass sanitize-payload ~a resetchannels -@all +get\r\n" in listing
    assert b"user bob off sanitize-payload resetchannels -@all (~b resetchannels -@all +set) (~c " in listing
    assert b"user default on nopass sanitize-payload ~* &* +@all" in listing


BAD_FILES = [
    ("alice on", "{0}:1 should start with user keyword followed by the username. "),
    ("user", "{0}:1 should start with user keyword followed by the username. "),
    ("user a on\nuser a off", "WARNING: Duplicate user 'a' found on line 2. "),
    ("user a on (+get", "{0}:1: Unmatched parenthesis in selector definition."),
    ("user a nonsense", "{0}:1: Syntax error. "),
    ("user a +nosuch", "{0}:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. "),
    ("user a <secret", "{0}:1: The password you are trying to remove from the user does not exist. "),
    ("user a on\n\nuser b what\nuser c +nosuch -nosuch",
     "{0}:3: Syntax error. {0}:4: Error in applying operation '+nosuch': Unknown command or category name in ACL. "
     "{0}:4: Error in applying operation '-nosuch': Unknown command or category name in ACL. "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "errors"), BAD_FILES)
def test_a_bad_line_leaves_all_users_as_they_are(send: Peer, login: Login, path: Path, text: str, errors: str) -> None:
    send("ACL", "SETUSER", "alice", "on", "nopass", "+@all")
    alice = login("alice")
    before = send("ACL", "LIST")
    path.write_text(f"{text}\n")
    assert send("ACL", "LOAD") == f"-ERR {errors.format('users.acl')}{NOTHING_CHANGED}\r\n".encode()
    assert send("ACL", "LIST") == before
    assert (state(alice), alice("ACL", "WHOAMI")) == ("open", b"$5\r\nalice\r\n")


def test_passwords_of_bad_lines_are_not_told(send: Peer, path: Path) -> None:
    path.write_text("user a >hunter2 <hunter3 nonsense\n")
    assert b"hunter" not in send("ACL", "LOAD")


def test_a_missing_file(send: Peer, path: Path) -> None:
    text = b"-ERR Error loading ACLs, opening file 'users.acl': No such file or directory\r\n"
    assert send("ACL", "LOAD") == text


def test_a_file_that_cannot_be_written(send: Peer, server: Server, path: Path) -> None:
    server.config.aclfile = "nowhere/users.acl"
    assert send("ACL", "SAVE").startswith(b"-ERR There was an error trying to save the ACLs.")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("word", ["LOAD", "SAVE"])
def test_without_a_file(send: Peer, word: str) -> None:
    assert send("ACL", word).startswith(b"-ERR This Redis instance is not configured to use an ACL file.")


def test_load_cuts_everybody_but_the_default_user(send: Peer, login: Login, connect: Connect, path: Path) -> None:
    send("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*")
    alice, nobody = login("alice"), connect()
    send("ACL", "SAVE")
    assert send("ACL", "LOAD") == b"+OK\r\n"
    assert state(alice) == "cut"
    assert nobody("PING") == b"+PONG\r\n"


def test_load_changes_the_rights_of_the_default_user(send: Peer, connect: Connect, path: Path) -> None:
    other = connect()
    path.write_text("user default on nopass +get +acl ~a\n")
    assert send("ACL", "LOAD") == b"+OK\r\n"
    assert other("GET", "b") == b"-NOPERM No permissions to access a key\r\n"
    path.write_text("user alice on nopass\n")
    assert send("ACL", "LOAD") == b"+OK\r\n"
    assert other("GET", "b") == b"$-1\r\n"


# --- the configuration's lines -------------------------------------------------------------------


def test_users_of_the_configuration(server: Server, send: Peer) -> None:
    lines = [b"alice on >a +get ~x (+set ~y)", b"default on nopass +@all ~k"]
    assert server.acl.load_at_start([line.split(b" ") for line in lines])
    listing = send("ACL", "LIST")
    assert b"user alice on sanitize-payload #" in listing
    assert b" ~x resetchannels -@all +get (~y resetchannels -@all +set)" in listing
    assert b"user default on nopass sanitize-payload ~k resetchannels +@all" in listing


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        ("alice +nosuch", "Error loading ACL rule '+nosuch' for the user named 'alice': Unknown command"),
        ("alice <hunter2", "Error loading ACL rule '<(redacted)' for the user named 'alice': The password"),
        ("al\0ice on", "Spaces not allowed in ACL usernames"),
    ],
)
def test_bad_users_of_the_configuration(
    server: Server, capsys: pytest.CaptureFixture[str], line: str, logged: str
) -> None:
    assert not server.acl.load_at_start([line.encode().split(b" ")])
    output = capsys.readouterr().out
    assert logged in output
    assert "Critical error while loading ACLs. Exiting." in output
    assert "hunter2" not in output


def test_users_in_both_places(server: Server, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not server.acl.load_at_start([[b"alice", b"on"]])
    assert (
        "define either an ACL file or declare users directly in your redis.conf, but not both"
        in capsys.readouterr().out
    )


# --- connections ---------------------------------------------------------------------------------


def test_deleting_a_user_cuts_its_connections(send: Peer, login: Login, server: Server) -> None:
    send("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*", "&*")
    send("ACL", "SETUSER", "bob", "on", "nopass", "+@all", "~*", "&*")
    idle, blocked, listening, bob = login("alice"), login("alice"), login("alice"), login("bob")
    assert blocked("BLPOP", "l", "0") == b""
    listening("SUBSCRIBE", "c")
    assert send("ACL", "DELUSER", "alice", "nobody") == b":1\r\n"
    assert [state(peer) for peer in (idle, blocked, listening, bob)] == ["cut", "cut", "cut", "open"]
    assert idle.client.id not in server.clients
    assert send("PUBLISH", "c", "x") == b":0\r\n"
    send("RPUSH", "l", "x")
    assert send("LLEN", "l") == b":1\r\n"
    assert send("AUTH", "alice", "").startswith(b"-WRONGPASS ")


def test_who_deletes_itself_gets_its_reply(send: Peer, login: Login) -> None:
    send("ACL", "SETUSER", "alice", "on", "nopass", "+@all")
    alice = login("alice")
    assert alice("ACL", "DELUSER", "alice") == b":1\r\n"
    assert alice.client.closing


def test_the_default_user_stays(send: Peer) -> None:
    assert send("ACL", "DELUSER", "default") == b"-ERR The 'default' user cannot be removed\r\n"


def test_a_disabled_user_keeps_its_connections(send: Peer, login: Login) -> None:
    send("ACL", "SETUSER", "alice", "on", "nopass", "+@all")
    alice = login("alice")
    send("ACL", "SETUSER", "alice", "off")
    assert alice("PING") == b"+PONG\r\n"
    assert send("AUTH", "alice", "").startswith(b"-WRONGPASS ")


@pytest.mark.parametrize(
    ("subscription", "rules", "cut"),
    [
        ("SUBSCRIBE news", "resetchannels", True),
        ("SUBSCRIBE news", "resetchannels &news", False),
        ("SUBSCRIBE news", "resetchannels &n*", False),
        ("SUBSCRIBE news sport", "resetchannels &news", True),
        ("SSUBSCRIBE news", "resetchannels &other", True),
        ("PSUBSCRIBE n*", "resetchannels &n*", False),
        ("PSUBSCRIBE n*", "resetchannels &news", True),
        ("SUBSCRIBE news", "resetchannels (&news +@all)", False),
        ("SUBSCRIBE news", "reset", True),
        ("SUBSCRIBE news", "-subscribe", False),
        ("PING", "resetchannels", False),
    ],
)
def test_subscribers_who_may_no_longer_listen_are_cut(
    send: Peer, login: Login, subscription: str, rules: str, cut: bool
) -> None:
    send("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "&*")
    alice = login("alice")
    alice(*subscription.split(" "))
    assert send("ACL", "SETUSER", "alice", *rules.split(" ")) == b"+OK\r\n"
    assert (state(alice) == "cut") is cut


# --- looking at users ----------------------------------------------------------------------------


def test_getuser(send: Peer) -> None:
    send("ACL", "SETUSER", "alice", "on", ">a", "+get", "%R~x", "&c", "(+set ~y)")
    reply = send("ACL", "GETUSER", "alice").split(b"\r\n")
    values = [line for line in reply if line[:1] not in (b"*", b"$", b"")]
    assert values == [
        b"flags", b"on", b"sanitize-payload", b"passwords",
        b"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", b"commands", b"-@all +get", b"keys",
        b"%R~x", b"channels", b"&c", b"selectors", b"commands", b"-@all +set", b"keys", b"~y", b"channels",
    ]  # fmt: skip
    assert send("ACL", "GETUSER", "bob") == b"$-1\r\n"


def test_whoami_users_and_names(send: Peer, login: Login) -> None:
    send("ACL", "SETUSER", "zoe", "on", "nopass", "+@all")
    assert login("zoe")("ACL", "WHOAMI") == b"$3\r\nzoe\r\n"
    assert send("ACL", "USERS") == b"*2\r\n$7\r\ndefault\r\n$3\r\nzoe\r\n"
    assert send("ACL", "SETUSER", "a b") == b"-ERR Usernames can't contain spaces or null characters\r\n"
    assert send("ACL", "SETUSER", "a\0b") == b"-ERR Usernames can't contain spaces or null characters\r\n"


@pytest.mark.parametrize(("bits", "digits"), [((), 64), (("5",), 2), (("4",), 1), (("4096",), 1024), (("1",), 1)])
def test_genpass(send: Peer, bits: tuple[str, ...], digits: int) -> None:
    reply = send("ACL", "GENPASS", *bits)
    text = reply.split(b"\r\n")[1]
    assert len(text) == digits
    assert set(text) <= set(b"0123456789abcdef")


@pytest.mark.parametrize("bits", ["0", "-1", "4097"])
def test_genpass_out_of_range(send: Peer, bits: str) -> None:
    assert send("ACL", "GENPASS", bits).startswith(b"-ERR ACL GENPASS argument must be the number of bits")


def test_cat(send: Peer) -> None:
    assert b"\r\ndangerous\r\n" in send("ACL", "CAT")
    assert b"\r\nconfig|set\r\n" in send("ACL", "CAT", "Dangerous")
    assert send("ACL", "CAT", "nosuch") == b"-ERR Unknown category 'nosuch'\r\n"
