"""Profiles of rights: every command and subcommand, allowed or refused, called directly and from scripts."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pyredis.acl.profiles import PROFILES, READABLE, Rights, leaves
from pyredis.acl.rules import every_command
from pyredis.app import build_server, load_commands
from pyredis.config.parameters import BY_NAME
from pyredis.engine.server import Server
from pyredis.registry.command import REGISTRY, Command
from pyredis.registry.flags import GATE_ACL, GATE_PROFILE, NO_AUTH, NOSCRIPT, PROTECTED
from pyredis.util.clock import ManualClock
from tests.conftest import START_NS, Config, Peer

load_commands()

ADMINISTRATION = frozenset({
    "debug", "shutdown", "replicaof", "slaveof", "failover", "save", "bgsave", "bgrewriteaof", "psync", "sync",
    "replconf", "cluster", "module", "acl", "config",
})  # fmt: skip
LEFT_TO_EVERYBODY = frozenset({"acl|whoami", "acl|cat", "acl|dryrun", "config|get"})
NAMES = sorted(leaves())


def denied_in_managed(name: str) -> bool:
    return name.partition("|")[0] in ADMINISTRATION and name not in LEFT_TO_EVERYBODY


def make(profile: str, **settings: object) -> Server:
    config = Config()
    config.save = ()
    config.rights_profile = profile  # type: ignore[assignment]
    config.operator_password, config.replication_password = b"op-secret", b"repl-secret"
    config.enable_debug_command = config.enable_module_command = "yes"
    for name, value in settings.items():
        setattr(config, name, value)
    return build_server(config, clock=ManualClock(START_NS), rng=random.Random(1))


def words_for(name: str) -> list[str]:
    """The command with as many arguments as it needs at least, none of which make much sense."""
    words = name.split("|")
    return words + ["1"] * (find(name).least - len(words))


def find(name: str) -> Command:
    container, _, sub = name.partition("|")
    return (REGISTRY[container].subcommands or {})[sub.encode()] if sub else REGISTRY[container]


def noperm(user: str, name: str) -> bytes:
    return f"-NOPERM User {user} has no permissions to run the '{name}' command\r\n".encode()


@pytest.fixture(scope="module")
def managed() -> Server:
    return make("managed")


@pytest.fixture
def after(managed: Server) -> Iterator[None]:
    """Undo what a command may have done to everybody."""
    yield
    managed.pausing.unpause("client")
    Peer(managed)("FLUSHALL")


# --- managed: the whole table ------------------------------------------------------------------------


def test_the_table_has_every_command() -> None:
    assert len(every_command()) >= 369
    refused = [name for name in NAMES if denied_in_managed(name)]
    assert Rights.of("managed").denied == frozenset(refused)
    assert len(refused) in (57, 58)  # with FAILOVER


@pytest.mark.parametrize("name", NAMES)
def test_managed_direct(name: str, managed: Server, after: None) -> None:
    reply = Peer(managed)(*words_for(name))
    if denied_in_managed(name):
        assert reply == noperm("default", name)
    else:
        assert not reply.startswith((b"-NOPERM", b"-ERR unknown"))


@pytest.mark.parametrize("name", NAMES)
def test_managed_from_a_script(name: str, managed: Server, after: None) -> None:
    reply = Peer(managed)("EVAL", "return redis.pcall(unpack(ARGV))", 0, *words_for(name))
    if find(name).flags & NOSCRIPT:
        assert reply.startswith(b"-ERR This Redis command is not allowed from script")
    elif denied_in_managed(name):
        assert reply.startswith(b"-ERR ACL failure in script: " + noperm("default", name)[8:-2])
    else:
        assert b"ACL failure" not in reply
        assert b"Unknown Redis command" not in reply


@pytest.mark.parametrize("name", [name for name in NAMES if denied_in_managed(name)])
def test_managed_from_a_script_that_may_call_everything(name: str, managed: Server) -> None:
    managed.allow_denied_in_scripts = True  # DEBUG SET-DISABLE-DENY-SCRIPTS: the profile still holds
    try:
        reply = Peer(managed)("EVAL", "return redis.pcall(unpack(ARGV))", 0, *words_for(name))
    finally:
        managed.allow_denied_in_scripts = False
    assert reply.startswith(b"-ERR ACL failure in script: " + noperm("default", name)[8:-2])


@pytest.mark.parametrize("name", [name for name in NAMES if denied_in_managed(name)])
def test_managed_in_a_transaction(name: str, managed: Server) -> None:
    peer = Peer(managed)
    peer("MULTI")
    assert peer(*words_for(name)).startswith((b"-NOPERM", b"-ERR Command not allowed inside a transaction"))
    assert peer("EXEC") == b"-EXECABORT Transaction discarded because of previous errors.\r\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_operator_may_do_everything(name: str, managed: Server) -> None:
    operator = managed.acl.users[b"operator"]
    assert operator.unrestricted
    peer = Peer(managed)
    assert peer("AUTH", "operator", "op-secret") == b"+OK\r\n"
    assert peer("ACL", "DRYRUN", "operator", *words_for(name)) == b"+OK\r\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_replication_user_may_follow_and_nothing_else(name: str, managed: Server) -> None:
    peer = Peer(managed)
    assert peer("AUTH", "replication", "repl-secret") == b"+OK\r\n"
    if name in ("ping", "psync", "replconf") or find(name).flags & NO_AUTH:
        assert managed.acl.may(peer.client, find(name)) or find(name).flags & NO_AUTH
    else:
        prefix = b"-EXECABORT Transaction discarded because of: " if name == "exec" else b"-"
        assert peer(*words_for(name)) == prefix + noperm("replication", name)[1:]


def test_keys_and_channels_are_closed_to_the_replication_user(managed: Server) -> None:
    root = managed.acl.users[b"replication"].root
    assert (root.all_keys, root.keys, root.all_channels, root.channels) == (False, {}, False, {})


# --- what users see ------------------------------------------------------------------------------------


def test_ordinary_commands_of_a_limited_user_take_the_fast_path(managed: Server) -> None:
    client = Peer(managed).client
    assert client.gate & (GATE_PROFILE | GATE_ACL) == GATE_PROFILE
    assert not managed.commands[b"get"].gates & GATE_PROFILE
    assert managed.commands[b"shutdown"].gates & GATE_PROFILE


def test_config_get_answers_harmless_directives_only(managed: Server) -> None:
    peer, operator = Peer(managed), Peer(managed)
    operator("AUTH", "operator", "op-secret")
    assert peer("CONFIG", "GET", "MaxMemory-Policy") == b"*2\r\n$16\r\nMaxMemory-Policy\r\n$10\r\nnoeviction\r\n"
    for name in ("requirepass", "dir", "operator-password", "rights-profile", "masterauth", "aclfile"):
        assert peer("CONFIG", "GET", name) == b"*0\r\n"
        assert operator("CONFIG", "GET", name) != b"*0\r\n"
    everything, shown = operator("CONFIG", "GET", "*"), peer("CONFIG", "GET", "*")
    assert 100 < int(shown[1:4]) // 2 * 2 < int(everything[1:4])
    assert b"slave-priority" in shown  # an alias of a harmless one


def test_readable_directives_exist_and_hold_no_secrets() -> None:
    for name in READABLE:
        parameter = BY_NAME[name.encode()]
        assert parameter.name == name
        assert not parameter.flags & (2 | 8 | 16)  # sensitive, hidden, protected
    assert not any(
        word in name for name in READABLE for word in ("pass", "auth", "file", "master", "bind", "-ip", "dir")
    )


def test_users_made_by_the_operator_read_no_more(managed: Server) -> None:
    operator, other = Peer(managed), Peer(managed)
    operator("AUTH", "operator", "op-secret")
    operator("ACL", "SETUSER", "reader", "on", ">pw", "+config|get")
    operator("ACL", "SETUSER", "chief", "on", ">pw", "+config")
    other("AUTH", "reader", "pw")
    assert other("CONFIG", "GET", "dir") == b"*0\r\n"
    other("AUTH", "chief", "pw")
    assert other("CONFIG", "GET", "dir") != b"*0\r\n"


# --- against users declared elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize("rules", ["+@all", "+@all -get", "+@all -shutdown +shutdown", "allcommands", "+config|set"])
def test_a_user_line_cannot_lift_the_profile(rules: str) -> None:
    server = make("managed")
    assert server.acl.load_at_start([[b"default", b"on", b"nopass", b"~*", b"&*", *rules.encode().split()]])
    root = server.acl.default_user.root
    assert not root.commands & server.acl.rights.denied
    assert Peer(server)("CONFIG", "SET", "maxmemory", "1") == noperm("default", "config|set")


def test_a_user_line_can_take_more_away() -> None:
    server = make("managed")
    server.acl.load_at_start([[b"default", b"on", b"nopass", b"~app:*", b"+@read", b"(+@all", b"~x)"]])
    peer = Peer(server)
    assert peer.client.gate & GATE_ACL
    assert peer("SET", "k", "v").startswith(b"-NOPERM")
    assert peer("SET", "x", "v") == b"+OK\r\n"
    assert peer("CONFIG", "GET", "port").startswith(b"*")  # what the selector allows
    assert peer("SAVE") == noperm("default", "save")


def test_an_acl_file_without_a_default_user_does_not_free_it(tmp_path: object) -> None:
    path = f"{tmp_path}/users.acl"
    with open(path, "wb") as file:
        file.write(b"user alice on >pw +@all ~*\n")
    server = make("managed", aclfile=path)
    assert server.acl.load_at_start([])
    assert Peer(server)("SAVE") == noperm("default", "save")
    operator = Peer(server)
    assert operator("AUTH", "operator", "op-secret") == b"+OK\r\n"
    assert operator("ACL", "LOAD") == b"+OK\r\n"
    assert Peer(server)("SAVE") == noperm("default", "save")
    assert Peer(server)("AUTH", "operator", "op-secret") == b"+OK\r\n"


def test_requirepass_holds_beside_the_profile() -> None:
    server = make("managed", requirepass=b"secret")
    peer = Peer(server)
    assert peer("GET", "k").startswith(b"-NOAUTH")
    assert peer("AUTH", "secret") == b"+OK\r\n"
    assert peer("SAVE") == noperm("default", "save")


def test_passwords_of_the_service_users_can_be_changed() -> None:
    server = make("managed")
    operator, replica = Peer(server), Peer(server)
    operator("AUTH", "operator", "op-secret")
    assert operator("CONFIG", "SET", "replication-password", "new") == b"+OK\r\n"
    assert replica("AUTH", "replication", "repl-secret").startswith(b"-WRONGPASS")
    assert replica("AUTH", "replication", "new") == b"+OK\r\n"
    assert operator("CONFIG", "SET", "replication-password", "") == b"+OK\r\n"
    assert b"replication" not in server.acl.users
    assert replica.client.id not in server.clients


def test_without_passwords_there_are_no_service_users() -> None:
    server = make("managed", operator_password=b"", replication_password=b"")
    assert list(server.acl.users) == [b"default"]


@pytest.mark.parametrize("names", [(b"default", b"r"), (b"x", b"x"), (b"", b"r"), (b"a b", b"r")])
def test_service_users_need_names_of_their_own(names: tuple[bytes, bytes]) -> None:
    config = Config()
    config.operator_user, config.replication_user = names
    assert "operator-user" in (config.refusal() or "")


def test_without_a_profile_nothing_is_limited() -> None:
    server = make("none")
    peer = Peer(server)
    assert not peer.client.gate & (GATE_ACL | GATE_PROFILE)
    assert peer("CONFIG", "GET", "dir") != b"*0\r\n"


# --- providers ---------------------------------------------------------------------------------------------

BLOCKED: dict[str, str] = {
    "aiven": "acl bgrewriteaof bgsave cluster command config debug failover lastsave migrate monitor replicaof save "
    "shutdown slaveof",
    "azure": "acl bgrewriteaof bgsave config debug migrate replicaof save shutdown slaveof cluster|addslots "
    "cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange cluster|failover "
    "cluster|flushslots cluster|forget cluster|meet cluster|replicate cluster|reset cluster|saveconfig "
    "cluster|set-config-epoch cluster|setslot",
    "clevercloud": "config cluster",
    "elasticache": "bgrewriteaof bgsave config debug migrate replicaof save shutdown slaveof sync",
    "memorystore": "acl bgrewriteaof bgsave client cluster command config debug lastsave migrate monitor object "
    "replicaof save shutdown",
    "oci": "acl bgrewriteaof bgsave cluster config|set debug migrate module psync replicaof save shutdown sync",
}
UNKNOWN = {"azure", "elasticache", "memorystore"}


@pytest.mark.parametrize("profile", sorted(BLOCKED))
def test_a_provider_answers_as_it_does(profile: str) -> None:
    server = make(profile)
    blocked = set(BLOCKED[profile].split())
    call = "return redis.pcall(unpack(ARGV))"
    server.allow_denied_in_scripts = True
    for name in NAMES:
        container, _, sub = name.partition("|")
        words = words_for(name)
        if not {name, container} & blocked:
            if find(name).flags & PROTECTED or name in ("shutdown", "quit", "monitor"):
                continue
            assert server.resolve(None, [word.encode() for word in words]).name == name
            assert server.acl.may(Peer(server).client, find(name))
            continue
        reply, scripted = Peer(server)(*words), Peer(server)("EVAL", call, 0, *words)
        if profile not in UNKNOWN:
            assert reply == noperm("default", name)
            assert scripted.startswith(b"-ERR ACL failure in script: ")
            continue
        if container in blocked:
            assert reply.startswith(f"-ERR unknown command '{container}', with args beginning with: ".encode())
        else:
            assert reply == f"-ERR unknown subcommand '{sub}'. Try {container.upper()} HELP.\r\n".encode()
        assert scripted.startswith(b"-ERR Unknown Redis command called from script")


def test_hidden_commands_are_nowhere_to_be_seen_but_open_to_the_operator() -> None:
    server = make("elasticache")
    peer, operator = Peer(server), Peer(server)
    assert b"\r\nconfig\r\n" not in peer("COMMAND", "LIST")
    assert peer("COMMAND", "INFO", "config") == b"*1\r\n$-1\r\n"
    assert peer("ACL", "DRYRUN", "default", "config", "get", "x") == b"-ERR Command 'config' not found\r\n"
    assert operator("AUTH", "operator", "op-secret") == b"+OK\r\n"
    assert operator("CONFIG", "GET", "rights-profile") == b"*2\r\n$14\r\nrights-profile\r\n$11\r\nelasticache\r\n"
    assert operator("config", "nosuch").startswith(b"-ERR unknown subcommand")
    assert peer("config", "nosuch").startswith(b"-ERR unknown command 'config'")
    server.stats.fold()
    assert b"cmdstat_config|get:calls=1," in operator("INFO", "commandstats")


def test_a_hidden_subcommand_is_open_to_the_operator() -> None:
    server = make("azure")
    peer, operator = Peer(server), Peer(server)
    assert peer("CLUSTER", "MEET", "h", "1").startswith(b"-ERR unknown subcommand 'MEET'")
    operator("AUTH", "operator", "op-secret")
    assert operator("CLUSTER", "MEET", "h", "1") == b"-ERR This instance has cluster support disabled\r\n"


def test_before_logging_in_hidden_commands_are_unknown_too() -> None:
    server = make("memorystore", requirepass=b"secret")
    assert Peer(server)("CONFIG", "GET", "x").startswith(b"-ERR unknown command 'CONFIG'")


def test_commands_of_one_server_are_not_hidden_on_another() -> None:
    make("elasticache")
    assert b"config" in make("none").commands


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_rule_names_a_command(name: str) -> None:
    known = set(every_command()) | {"failover"}
    assert {rule[1:].decode() for rule in PROFILES[name].rules} <= known
