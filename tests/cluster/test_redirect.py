"""Which requests a node serves, and where it sends the others (cluster.c getNodeByQuery)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyredis.cluster.node import Node
from pyredis.cluster.slots import key_slot
from pyredis.config.config import Config
from pyredis.engine.server import Server
from tests.conftest import Peer

from .conftest import key_in

THEIRS = key_in(0, 99)
MINE = key_in(100, 16383)
DOWN = b"-CLUSTERDOWN The cluster is down\r\n"
UNSERVED = b"-CLUSTERDOWN Hash slot not served\r\n"
CROSSED = b"-CROSSSLOT Keys in request don't hash to the same slot\r\n"
UNSTABLE = b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n"
NULL = b"$-1\r\n"
OK = b"+OK\r\n"


def moved(key: bytes) -> bytes:
    return b"-MOVED %d 10.0.0.2:7001\r\n" % key_slot(key)


def ask(key: bytes) -> bytes:
    return b"-ASK %d 10.0.0.2:7001\r\n" % key_slot(key)


def tagged(key: bytes, number: int) -> bytes:
    """Another key of the same slot."""
    return b"{%b}%d" % (key, number)


# --- whose keys they are --------------------------------------------------------------------------


def test_a_slot_without_owner_is_not_served(send: Peer) -> None:
    assert send("GET", "k") == UNSERVED
    assert send("PING") == b"+PONG\r\n"


def test_a_cluster_that_is_not_sound_serves_nothing(send: Peer) -> None:
    send("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    assert send("GET", "k") == DOWN
    assert send("DBSIZE") == b":0\r\n"


@pytest.mark.usefixtures("whole")
def test_own_keys_are_served_and_others_redirected(send: Peer, other: Node) -> None:
    assert send("SET", MINE, "v") == OK
    assert send("SET", THEIRS, "v") == moved(THEIRS)
    assert send("GET", THEIRS) == moved(THEIRS)


@pytest.mark.usefixtures("whole")
def test_keys_of_several_slots_are_refused(send: Peer) -> None:
    assert send("MSET", "a", "1", "b", "2") == CROSSED
    assert send("MSET", "{a}1", "1", "{a}2", "2") == OK
    assert send("XREAD", "STREAMS", "a", "b", "0", "0") == CROSSED
    assert send("ZUNIONSTORE", "{a}t", "2", "{a}1", "b") == CROSSED


@pytest.mark.usefixtures("whole", "other")
def test_commands_with_keys_in_odd_places_are_redirected(send: Peer) -> None:
    for words in (
        ("EVAL", "return 1", "1", THEIRS),
        ("OBJECT", "ENCODING", THEIRS),
        ("LMPOP", "1", THEIRS, "LEFT"),
        ("SORT", THEIRS),
        ("SPUBLISH", THEIRS, "m"),
        ("SSUBSCRIBE", THEIRS),
        ("WATCH", THEIRS),
        ("BLPOP", THEIRS, "0"),
    ):
        assert send(*words) == moved(THEIRS), words


@pytest.mark.usefixtures("whole", "other")
def test_channels_and_scripts_without_keys_run_anywhere(send: Peer) -> None:
    assert send("PUBLISH", THEIRS, "m") == b":0\r\n"
    assert send("EVAL", "return 1", "0") == b":1\r\n"


@pytest.mark.usefixtures("whole", "other")
def test_a_redirection_counts_as_a_rejected_call_and_as_an_error(server: Server, send: Peer) -> None:
    send("GET", THEIRS)
    assert b"cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0" in send(
        "INFO", "commandstats"
    )
    assert server.error_counts["MOVED"] == 1


# --- endpoints ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("whole")
def test_redirections_name_the_preferred_endpoint(send: Peer, other: Node) -> None:
    slot = key_slot(THEIRS)
    send("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname")
    assert send("GET", THEIRS) == b"-MOVED %d ?:7001\r\n" % slot
    other.hostname = "b.example"
    assert send("GET", THEIRS) == b"-MOVED %d b.example:7001\r\n" % slot
    send("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
    assert send("GET", THEIRS) == b"-MOVED %d :7001\r\n" % slot


@pytest.mark.usefixtures("whole")
def test_a_cluster_with_tls_names_tls_ports_to_who_has_no_connection(config: Config, send: Peer, other: Node) -> None:
    other.tls_port = 7101
    config.tls_cluster = True
    assert send("GET", THEIRS) == b"-MOVED %d 10.0.0.2:7101\r\n" % key_slot(THEIRS)


# --- transactions ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("whole", "other")
def test_a_redirection_spoils_a_transaction(send: Peer) -> None:
    send("MULTI")
    assert send("SET", THEIRS, "v") == moved(THEIRS)
    assert send("EXEC") == b"-EXECABORT Transaction discarded because of previous errors.\r\n"


@pytest.mark.usefixtures("whole")
def test_exec_is_redirected_when_the_slot_has_gone_meanwhile(server: Server, send: Peer, other: Node) -> None:
    send("MULTI")
    assert send("SET", MINE, "v") == b"+QUEUED\r\n"
    state = server.cluster.state
    state.unassign(key_slot(MINE))
    state.assign(key_slot(MINE), other)
    assert send("EXEC") == moved(MINE)
    assert send("EXEC") == b"-ERR EXEC without MULTI\r\n"


@pytest.mark.usefixtures("whole")
def test_a_transaction_is_confined_to_one_slot(send: Peer) -> None:
    send("MULTI")
    assert send("SET", "a", "1") == b"+QUEUED\r\n"
    assert send("SET", "b", "1") == b"+QUEUED\r\n"
    assert send("EXEC") == CROSSED
    assert send("DBSIZE") == b":0\r\n"


# --- slots on the move ----------------------------------------------------------------------------


@pytest.fixture
def migrating(server: Server, other: Node, whole: None) -> None:
    """The slot of MINE goes to the other node."""
    server.cluster.state.migrating[key_slot(MINE)] = other


@pytest.fixture
def importing(server: Server, other: Node, whole: None) -> None:
    """The slot of THEIRS comes to us."""
    server.cluster.state.importing[key_slot(THEIRS)] = other


@pytest.mark.usefixtures("migrating")
def test_what_has_left_a_migrating_slot_is_asked_for_elsewhere(send: Peer) -> None:
    assert send("GET", MINE) == ask(MINE)
    assert send("MGET", tagged(MINE, 1), tagged(MINE, 2)) == ask(MINE)


def test_what_is_still_in_a_migrating_slot_is_served(send: Peer, whole: None, other: Node, server: Server) -> None:
    send("SET", tagged(MINE, 1), "v")
    server.cluster.state.migrating[key_slot(MINE)] = other
    assert send("GET", tagged(MINE, 1)) == b"$1\r\nv\r\n"
    assert send("MGET", tagged(MINE, 1), tagged(MINE, 2)) == UNSTABLE


@pytest.mark.usefixtures("importing")
def test_an_importing_slot_is_served_to_who_asks(send: Peer) -> None:
    assert send("SET", THEIRS, "v") == moved(THEIRS)
    assert send("ASKING") == OK
    assert send("SET", THEIRS, "v") == OK
    assert send("GET", THEIRS) == moved(THEIRS)
    send("ASKING")
    assert send("MGET", THEIRS, tagged(THEIRS, 1)) == UNSTABLE
    send("ASKING")
    assert send("MGET", THEIRS, THEIRS) == b"*2\r\n$1\r\nv\r\n$1\r\nv\r\n"


@pytest.mark.usefixtures("importing")
def test_asking_holds_for_one_command_even_if_that_is_refused(send: Peer) -> None:
    send("ASKING")
    assert send("GET").startswith(b"-ERR wrong number")
    assert send("GET", THEIRS) == moved(THEIRS)
    send("ASKING")
    assert send("NOSUCH").startswith(b"-ERR unknown command")
    assert send("GET", THEIRS) == moved(THEIRS)


@pytest.mark.usefixtures("importing")
def test_asking_holds_for_a_whole_transaction(send: Peer) -> None:
    send("ASKING")
    send("MULTI")
    assert send("SET", THEIRS, "v") == b"+QUEUED\r\n"
    assert send("GET", THEIRS) == b"+QUEUED\r\n"
    assert send("EXEC") == b"*2\r\n+OK\r\n$1\r\nv\r\n"
    assert send("GET", THEIRS) == moved(THEIRS)


@pytest.mark.usefixtures("importing")
def test_a_command_that_waits_goes_on_asking(send: Peer, connect: Callable[[], Peer]) -> None:
    send("ASKING")
    assert send("BLPOP", THEIRS, "0") == b""
    pusher = connect()
    pusher("ASKING")
    assert pusher("RPUSH", THEIRS, "v") == b":1\r\n"
    assert send.take().startswith(b"*2\r\n")
    assert send("GET", THEIRS) == moved(THEIRS)


@pytest.mark.usefixtures("importing")
def test_restore_asking_needs_no_asking(send: Peer, connect: Callable[[], Peer]) -> None:
    send("SET", MINE, "v")
    payload = send("DUMP", MINE).split(b"\r\n", 1)[1][:-2]
    assert send("RESTORE", THEIRS, "0", payload) == moved(THEIRS)
    assert send("RESTORE-ASKING", THEIRS, "0", payload) == OK


@pytest.mark.usefixtures("migrating")
def test_migrate_works_on_an_open_slot(send: Peer) -> None:
    assert send("MIGRATE", "127.0.0.1", "1", MINE, "0", "100") == b"+NOKEY\r\n"


# --- replicas -------------------------------------------------------------------------------------


@pytest.fixture
def replica(server: Server, whole: None, other: Node, become_replica: Callable[[Node], None]) -> None:
    become_replica(other)


@pytest.mark.usefixtures("replica")
def test_a_replica_serves_reads_to_who_is_content_with_that(send: Peer) -> None:
    assert send("GET", THEIRS) == moved(THEIRS)
    assert send("READONLY") == OK
    assert send("GET", THEIRS) == NULL
    assert send("SET", THEIRS, "v") == moved(THEIRS)
    assert send("EVAL", "#!lua flags=no-writes\nreturn 1", "1", THEIRS) == b":1\r\n"
    assert send("EVAL", "#!lua\nreturn 1", "1", THEIRS) == moved(THEIRS)
    assert send("GET", MINE) == UNSERVED
    assert send("READWRITE") == OK
    assert send("GET", THEIRS) == moved(THEIRS)


@pytest.mark.usefixtures("replica")
def test_a_replica_takes_subscribers_of_shard_channels(send: Peer) -> None:
    assert send("SSUBSCRIBE", THEIRS).startswith(b"*3\r\n$10\r\nssubscribe")


@pytest.mark.usefixtures("replica")
def test_a_transaction_of_reads_runs_on_a_replica(send: Peer) -> None:
    send("READONLY")
    send("MULTI")
    assert send("GET", THEIRS) == b"+QUEUED\r\n"
    assert send("EXEC") == b"*1\r\n$-1\r\n"
    send("MULTI")
    assert send("SET", THEIRS, "v") == moved(THEIRS)


# --- a cluster that is down -----------------------------------------------------------------------


@pytest.fixture
def down(server: Server, whole: None) -> None:
    server.cluster.state.ok = False


@pytest.mark.usefixtures("down")
def test_reads_may_be_allowed_while_the_cluster_is_down(send: Peer) -> None:
    assert send("GET", MINE) == DOWN
    send("CONFIG", "SET", "cluster-allow-reads-when-down", "yes")
    assert send("GET", MINE) == NULL
    assert send("SET", MINE, "v") == b"-CLUSTERDOWN The cluster is down and only accepts read commands\r\n"


@pytest.mark.usefixtures("down")
def test_shard_channels_work_while_the_cluster_is_down_unless_forbidden(send: Peer) -> None:
    assert send("SPUBLISH", MINE, "m") == b":0\r\n"
    send("CONFIG", "SET", "cluster-allow-pubsubshard-when-down", "no")
    assert send("SPUBLISH", MINE, "m") == DOWN


# --- blocked clients ------------------------------------------------------------------------------


@pytest.mark.usefixtures("whole")
def test_blocked_clients_are_sent_after_their_slot(
    server: Server, send: Peer, other: Node, turns: Callable[[float], None]
) -> None:
    assert send("BLPOP", MINE, "0") == b""
    state = server.cluster.state
    state.unassign(key_slot(MINE))
    state.assign(key_slot(MINE), other)
    turns(0.1)
    assert send.take() == moved(MINE)
    assert send("PING") == b"+PONG\r\n"


@pytest.mark.usefixtures("whole")
def test_blocked_clients_are_told_that_the_cluster_is_down(server: Server, send: Peer) -> None:
    assert send("BZPOPMIN", MINE, "0") == b""
    server.cluster.state.ok = False
    server.cluster.routing.recheck_blocked()
    assert send.take() == DOWN


@pytest.mark.usefixtures("whole")
def test_clients_that_wait_for_an_importing_slot_go_on_waiting(server: Server, send: Peer, other: Node) -> None:
    assert send("XREAD", "BLOCK", "0", "STREAMS", MINE, "$") == b""
    state = server.cluster.state
    state.unassign(key_slot(MINE))
    state.assign(key_slot(MINE), other)
    state.importing[key_slot(MINE)] = other
    server.cluster.routing.recheck_blocked()
    assert send.take() == b""


# --- scripts --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("whole", "other")
def test_a_script_cannot_reach_keys_of_others(send: Peer) -> None:
    script = "return redis.call('GET', ARGV[1])"
    assert send("EVAL", script, "0", MINE) == NULL
    assert send("EVAL", script, "0", THEIRS).startswith(
        b"-ERR Script attempted to access a non local key in a cluster node"
    )


@pytest.mark.usefixtures("whole")
def test_a_script_that_declares_flags_is_confined_to_one_slot(send: Peer) -> None:
    two = "redis.call('SET', 'a', 1) redis.call('SET', 'b', 1) return 'done'"
    crossed = b"-ERR Script attempted to access keys that do not hash to the same slot"
    assert send("EVAL", two, "0") == b"$4\r\ndone\r\n"
    assert send("EVAL", f"#!lua\n{two}", "0").startswith(crossed)
    assert send("EVAL", f"#!lua\n{two}", "1", "a").startswith(crossed)
    assert send("EVAL", f"#!lua flags=allow-cross-slot-keys\n{two}", "0") == b"$4\r\ndone\r\n"
    assert send("EVAL", f"#!lua flags=allow-cross-slot-keys\n{two}", "2", "a", "b") == CROSSED


@pytest.mark.usefixtures("whole")
def test_a_script_may_refuse_to_run_in_a_cluster(send: Peer) -> None:
    assert send("EVAL", "#!lua flags=no-cluster\nreturn 1", "0") == (
        b"-ERR Can not run script on cluster, 'no-cluster' flag is set.\r\n"
    )


@pytest.mark.usefixtures("down")
def test_a_script_cannot_use_keys_while_the_cluster_is_down(send: Peer) -> None:
    script = "return redis.call('SET', ARGV[1], 1)"
    assert send("EVAL", script, "0", MINE).startswith(
        b"-ERR Script attempted to execute a command while the cluster is down"
    )
    send("CONFIG", "SET", "cluster-allow-reads-when-down", "yes")
    assert send("EVAL", script, "0", MINE).startswith(
        b"-ERR Script attempted to execute a write command while the cluster is down and readonly"
    )


def test_commands_with_one_key_are_told_apart(server: Server) -> None:
    single = server.cluster.routing._single
    names = {command.name for command in single}
    assert names > {"get", "set", "hset", "zadd", "incrby", "spublish", "xadd"}
    assert names.isdisjoint(
        {"object|encoding", "mget", "eval", "sort", "lmpop", "migrate", "xread", "ssubscribe", "rename", "exec"}
    )
    for command in single:
        argv = [command.wire_name, *(b"a%d" % at for at in range(1, max(command.least, 4)))]
        if command.get_keys is not None:
            assert [position for position, _ in command.get_keys(command, argv)] == [1]


@pytest.mark.usefixtures("whole")
def test_what_follows_a_lost_watch_is_not_even_queued(send: Peer, connect: Callable[[], Peer]) -> None:
    send("WATCH", "a")
    connect()("SET", "a", "1")
    send("MULTI")
    assert send("SET", "a", "1") == b"+QUEUED\r\n"
    assert send("SET", "b", "1") == b"+QUEUED\r\n"
    assert b" multi=0 " in connect()("CLIENT", "LIST")
    assert send("EXEC") == b"*-1\r\n"  # not CROSSSLOT: there is nothing to redirect
