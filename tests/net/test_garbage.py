"""The core leaves no reference cycles behind: the garbage collector of a server looks at next to nothing."""

from __future__ import annotations

import gc

import pytest

from pyredis.net.connection import Connection
from tests.conftest import encode_command

SESSIONS = {
    "strings": ["SET a 1", "GET a", "INCR a", "APPEND a x", "GETDEL a", "MSET a 1 b 2", "MGET a b"],
    "lists": ["RPUSH l a b c", "LRANGE l 0 -1", "LPOP l", "BLPOP nothing 5"],
    "hashes": ["HSET h f v g w", "HRANDFIELD h 5", "HGETALL h", "HSCAN h 0", "HDEL h f g"],
    "sets": ["SADD s a b c", "SPOP s", "SUNIONSTORE t s s", "SRANDMEMBER t 5"],
    "sorted sets": ["ZADD z 1 a 2 b", "ZRANGE z 0 -1 WITHSCORES", "ZPOPMIN z", "ZUNIONSTORE y 1 z"],
    "streams": ["XADD x * f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >", "XTRIM x MAXLEN 0"],
    "transactions": ["WATCH a", "MULTI", "SET a 1", "NOSUCH", "EXEC", "MULTI", "SET a 1", "EXEC"],
    "messages": ["SUBSCRIBE c", "PSUBSCRIBE p*", "UNSUBSCRIBE c"],
    "tracking": ["HELLO 3", "CLIENT TRACKING ON", "GET a", "SET a 2"],
    "scripts": ["EVAL return{redis.call('get','a')} 0", "EVAL error('x') 0"],
    "errors": ["NOSUCH", "GET", "LPUSH a x", "INCR h", "EXPIRE a x"],
    "deletions": ["SET a 1 PX 1", "UNLINK a l h", "FLUSHALL ASYNC"],
}


class Socket:
    """A transport that takes everything."""

    def __init__(self, connection):
        self.connection = connection

    def get_extra_info(self, name):
        return None

    def set_write_buffer_limits(self, high):
        pass

    def write(self, data):
        pass

    def is_closing(self):
        return False

    def get_write_buffer_size(self):
        return 0


def run_session(server, lines):
    connection = Connection(server)
    connection.connection_made(Socket(None))
    for line in lines:
        connection.data_received(encode_command(*line.split()))
    connection.connection_lost(None)


@pytest.mark.parametrize("limited", [False, True])
def test_sessions_leave_no_cycles(server, send, limited):
    if limited:
        send("CONFIG", "SET", "maxmemory", "1gb", "maxmemory-policy", "allkeys-lfu", "maxmemory-clients", "100mb")
    for lines in SESSIONS.values():  # what is made once is none of our business
        run_session(server, lines)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for name, lines in SESSIONS.items():
            for _ in range(3):
                run_session(server, lines)
            gc.collect()
            assert not gc.garbage, (name, sorted({type(found).__name__ for found in gc.garbage}))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
