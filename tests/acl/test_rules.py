"""The language of ACL SETUSER: what rules mean, how users are described, and that descriptions make the same user."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyredis.acl.check import Denial, check
from pyredis.acl.rules import apply, every_command, merge_selectors
from pyredis.acl.users import User
from pyredis.app import load_commands
from pyredis.errors import AclRuleError, AclUnmatchedParenthesis
from pyredis.registry.command import REGISTRY
from pyredis.registry.flags import CATEGORIES
from pyredis.util.glob import match
from tests.conftest import Peer

load_commands()

HASH = hashlib.sha256(b"secret").hexdigest()


def make(*rules: str) -> User:
    user = User(b"u")
    for rule in merge_selectors([rule.encode() for rule in rules]):
        apply(user, rule)
    return user


def described(*rules: str) -> str:
    return make(*rules).describe().decode()


def allows(user: User, *words: str) -> Denial:
    argv = [word.encode() for word in words]
    command = REGISTRY[words[0].lower()]
    if command.subcommands:
        command = command.subcommands[argv[1].lower()]
    return check(user, command, argv)[0]


# --- descriptions --------------------------------------------------------------------------------

DESCRIPTIONS = [
    ((), "off sanitize-payload resetchannels -@all"),
    (("on", "nopass"), "on nopass sanitize-payload resetchannels -@all"),
    (("ON", "SKIP-sanitize-payload"), "on skip-sanitize-payload resetchannels -@all"),
    (("+@all", "~*", "&*"), "off sanitize-payload ~* &* +@all"),
    (("allcommands", "allkeys", "allchannels"), "off sanitize-payload ~* &* +@all"),
    (("~a", "%R~b", "%W~c", "%rw~d", "%WR~e"), "off sanitize-payload ~a %R~b %W~c ~d ~e resetchannels -@all"),
    (("%R~a", "%W~a"), "off sanitize-payload ~a resetchannels -@all"),
    (("~a", "%R~a", "~a"), "off sanitize-payload ~a resetchannels -@all"),
    (("&a", "&b*", "&a"), "off sanitize-payload resetchannels &a &b* -@all"),
    (("~a", "resetkeys", "&b", "resetchannels"), "off sanitize-payload resetchannels -@all"),
    (("+GET", "+Config|Get", "-SET"), "off sanitize-payload resetchannels -@all +get +config|get -set"),
    (("+get", "-get", "+get"), "off sanitize-payload resetchannels -@all +get"),
    (("+config|get", "+config"), "off sanitize-payload resetchannels -@all +config"),
    (("+config", "-config|set"), "off sanitize-payload resetchannels -@all +config -config|set"),
    (("+@read", "-@dangerous", "+keys"), "off sanitize-payload resetchannels -@all +@read -@dangerous +keys"),
    (("+get", "+@all", "-set"), "off sanitize-payload resetchannels +@all -set"),
    (("-@all", "+select|0", "+select|1"), "off sanitize-payload resetchannels -@all +select|0 +select|1"),
    (("+get", "(+set ~x)", "(%R~y &c +@set)"),
     "off sanitize-payload resetchannels -@all +get (~x resetchannels -@all +set) (%R~y resetchannels &c -@all +@set)"),
    (("(+set ~x)", "clearselectors"), "off sanitize-payload resetchannels -@all"),
    (("on", ">secret"), f"on sanitize-payload #{HASH} resetchannels -@all"),
    ((f"#{HASH}", "nopass"), "off nopass sanitize-payload resetchannels -@all"),
    (("nopass", ">secret"), f"off sanitize-payload #{HASH} resetchannels -@all"),
    ((">secret", ">other", "<other"), f"off sanitize-payload #{HASH} resetchannels -@all"),
    ((">secret", f"!{HASH}"), "off sanitize-payload resetchannels -@all"),
    ((">secret", "resetpass"), "off sanitize-payload resetchannels -@all"),
    (("on", ">secret", "+@all", "~*", "&*", "(+get)", "skip-sanitize-payload", "reset"),
     "off sanitize-payload resetchannels -@all"),
    (("", "on", ""), "on sanitize-payload resetchannels -@all"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "text"), DESCRIPTIONS)
def test_how_users_are_described(rules: tuple[str, ...], text: str) -> None:
    assert described(*rules) == text


@pytest.mark.parametrize(("rules", "text"), DESCRIPTIONS)
def test_a_description_makes_the_same_user(rules: tuple[str, ...], text: str) -> None:
    assert described("reset", *text.split(" ")) == text


PATTERNS = st.sampled_from(["~*", "~a*", "%R~r?", "%W~[w]", "~", "allkeys", "resetkeys"])
CHANNELS = st.sampled_from(["&*", "&news", "&c*", "&", "allchannels", "resetchannels"])
NAMES = st.sampled_from(
    ["get", "set", "select", "config", "config|get", "client|id", "acl|setuser", "eval", "publish", "object"]
)
COMMANDS = st.one_of(
    st.builds(lambda sign, name: sign + name, st.sampled_from("+-"), NAMES),
    st.builds(lambda sign, name: f"{sign}@{name}", st.sampled_from("+-"), st.sampled_from(sorted(CATEGORIES))),
    st.sampled_from(["+select|0", "+select|1", "+get|x", "+@all", "-@all", "allcommands", "nocommands"]),
)
PERMISSIONS = st.one_of(PATTERNS, CHANNELS, COMMANDS)
SELECTORS = st.lists(PERMISSIONS, max_size=5).map(lambda rules: f"({' '.join(rules)})")
FLAGS = st.sampled_from(
    ["on", "off", "nopass", "resetpass", ">a", ">b", "<a", f"#{HASH}", f"!{HASH}", "sanitize-payload",
     "skip-sanitize-payload", "reset", "clearselectors"]
)  # fmt: skip
RULES = st.lists(st.one_of(PERMISSIONS, SELECTORS, FLAGS), max_size=12)
PROBES = [
    ("get", "a1"), ("set", "a1", "v"), ("set", "w", "v", "get"), ("select", "0"), ("select", "2"),
    ("config", "get", "x"), ("config", "set", "x", "y"), ("publish", "news", "m"),
    ("subscribe", "news", "c1"), ("psubscribe", "c*"), ("client", "id"), ("mget", "r1", "w"), ("flushall",),
]  # fmt: skip


def tolerant(rules: list[str]) -> User:
    """Rules that cannot be applied change nothing, so leave them out."""
    user = User(b"u")
    for rule in rules:
        staged = User(b"u")
        staged.adopt(user)
        try:
            apply(staged, rule.encode())
        except AclRuleError:
            continue
        user = staged
    return user


@given(RULES)
def test_any_user_survives_its_description(rules: list[str]) -> None:
    user = tolerant(rules)
    text = user.describe()
    again = make(*text.decode().split(" "))
    assert again.describe() == text
    assert (again.enabled, again.nopass, again.sanitize, again.passwords) == (
        user.enabled, user.nopass, user.sanitize, user.passwords,
    )  # fmt: skip
    assert again.unrestricted == user.unrestricted
    for words in PROBES:
        assert allows(again, *words) == allows(user, *words), (text, words)


@given(RULES)
def test_unrestricted_means_that_nothing_is_denied(rules: list[str]) -> None:
    user = tolerant(rules)
    if user.unrestricted:
        assert all(allows(user, *words) is Denial.NONE for words in PROBES)


@given(st.lists(COMMANDS, max_size=10))
def test_what_is_allowed_is_what_the_last_rule_about_it_says(rules: list[str]) -> None:
    """Against a naive model: a set of names, changed rule by rule."""
    user = tolerant(rules)
    allowed: set[str] = set()
    for rule in rules:
        sign, name = rule[0], rule[1:]
        if rule in ("allcommands", "+@all"):
            allowed = set(every_command())
        elif rule in ("nocommands", "-@all"):
            allowed = set()
        elif name.startswith("@"):
            bit = CATEGORIES[name[1:]]
            named = {
                each.name
                for top in REGISTRY.values()
                for each in (top, *(top.subcommands or {}).values())
                if each.categories & bit
            }
            allowed = allowed | named if sign == "+" else allowed - named
        elif name in every_command():
            named = {each for each in every_command() if each == name or each.startswith(f"{name}|")}
            allowed = allowed | named if sign == "+" else allowed - named
    root = user.root
    assert {name for name in every_command() if root.all_commands or name in root.commands} == allowed


# --- rules that cannot be ------------------------------------------------------------------------

SYNTAX = "Syntax error"
UNKNOWN = "Unknown command or category name in ACL"
BAD_HASH = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
AFTER_ALL_KEYS = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
    "Try 'resetkeys' to start with an empty list of patterns"
)
AFTER_ALL_CHANNELS = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. "
    "Try 'resetchannels' to start with an empty list of channels"
)
NO_PASSWORD = "The password you are trying to remove from the user does not exist"

BAD_RULES = [
    ((), "nonsense", SYNTAX),
    ((), "%", SYNTAX),
    ((), "%R", SYNTAX),
    ((), "%~x", SYNTAX),
    ((), "%RR~x", SYNTAX),
    ((), "%X~x", SYNTAX),
    ((), "~a b", SYNTAX),
    ((), "&a b", SYNTAX),
    ((), "+nosuch", UNKNOWN),
    ((), "-config|nosuch", UNKNOWN),
    ((), "+config|nosuch", UNKNOWN),
    ((), "+@nosuch", UNKNOWN),
    ((), "+", UNKNOWN),
    ((), "+select|", SYNTAX),
    ((), "+config|get|x", "Allowing first-arg of a subcommand is not supported"),
    ((), "-select|0", UNKNOWN),
    (("~*",), "~x", AFTER_ALL_KEYS),
    (("allkeys",), "%R~x", AFTER_ALL_KEYS),
    (("&*",), "&x", AFTER_ALL_CHANNELS),
    ((), "<nosuch", NO_PASSWORD),
    ((), f"!{HASH}", NO_PASSWORD),
    ((), "#abc", BAD_HASH),
    ((), f"#{HASH.upper()}", BAD_HASH),
    ((), f"!{HASH[:-1]}g", BAD_HASH),
    ((), "(on)", SYNTAX),
    ((), "(>pw)", SYNTAX),
    ((), "(~* ~x)", AFTER_ALL_KEYS),
    ((), "(+nosuch)", UNKNOWN),
]


@pytest.mark.parametrize(("before", "rule", "text"), BAD_RULES)
def test_rules_that_cannot_be(before: tuple[str, ...], rule: str, text: str) -> None:
    user = make(*before)
    with pytest.raises(AclRuleError) as caught:
        apply(user, rule.encode())
    assert caught.value.message == text


@pytest.mark.parametrize(
    ("words", "merged"),
    [
        (["+get"], ["+get"]),
        (["(+get)"], ["(+get)"]),
        (["on", "(+get", "~x)", "off"], ["on", "(+get ~x)", "off"]),
        (["(a", "b", "c)", "(d", "e)"], ["(a b c)", "(d e)"]),
        (["(", ")"], ["( )"]),
    ],
)
def test_selectors_are_put_together(words: list[str], merged: list[str]) -> None:
    assert merge_selectors([word.encode() for word in words]) == [word.encode() for word in merged]


@pytest.mark.parametrize("words", [["(+get"], ["on", "(a", "b"], ["(a)", "(b"]])
def test_a_parenthesis_that_is_never_closed(words: list[str]) -> None:
    with pytest.raises(AclUnmatchedParenthesis, match="Unmatched parenthesis in acl selector starting at"):
        merge_selectors([word.encode() for word in words])


def test_setuser_is_all_or_nothing(send: Peer) -> None:
    assert send("ACL", "SETUSER", "alice", "on", ">a", "+get", "~x") == b"+OK\r\n"
    before = send("ACL", "GETUSER", "alice")
    refusal = b"-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL\r\n"
    assert send("ACL", "SETUSER", "alice", "off", "resetpass", "+nosuch") == refusal
    assert send("ACL", "GETUSER", "alice") == before
    assert send("ACL", "SETUSER", "bob", "on", "%R") == b"-ERR Error in ACL SETUSER modifier '%R': Syntax error\r\n"
    assert send("ACL", "USERS") == b"*2\r\n$5\r\nalice\r\n$7\r\ndefault\r\n"


@pytest.mark.parametrize("setting", ["allchannels", "resetchannels"])
def test_channels_of_a_new_user(send: Peer, setting: str) -> None:
    send("CONFIG", "SET", "acl-pubsub-default", setting)
    send("ACL", "SETUSER", "alice")
    send("ACL", "SETUSER", "bob", "&x")  # refused if there are all channels
    send("ACL", "SETUSER", "bob", "resetchannels", "&x", "reset")
    text = b"&*" if setting == "allchannels" else b"resetchannels"
    for name in (b"alice", b"bob"):
        assert b"user %b off sanitize-payload %b -@all" % (name, text) in send("ACL", "LIST")


# --- keys and channels ---------------------------------------------------------------------------


@given(st.sampled_from(["~", "%R~", "%W~"]), st.text("ab*?[]^-\\", max_size=6), st.text("ab", min_size=1, max_size=4))
def test_key_patterns_are_globs(kind: str, pattern: str, key: str) -> None:
    user = make("+get", "+set", "+getset", f"{kind}{pattern}")
    matches = match(pattern.encode(), key.encode())
    expected = {"get": "%W" not in kind, "set": "%R" not in kind, "getset": kind == "~"}
    for name, possible in expected.items():
        words = (name, key) if name == "get" else (name, key, "v")
        assert (allows(user, *words) is Denial.NONE) is (matches and possible)
