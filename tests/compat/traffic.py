"""Random writes of every family: scripts, functions, transactions, blocking pops, expiries ..."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from .wire import Connection, encode

Argv = list[bytes]
LONG_MS = 10_000_000
"""Time to live of keys that outlive a test."""
SHORT_MS = 900
"""Time to live of keys that expire in the middle of one, at most."""

DATABASES = 3
BLOCKED_LISTS = [b"bl:0", b"bl:1"]
BLOCKED_ZSETS = [b"bz:0", b"bz:1"]

SCRIPTS = [
    "redis.call('INCR', KEYS[1]); redis.call('APPEND', KEYS[2], ARGV[1]); return redis.status_reply('done')",
    "local t = redis.call('TIME'); redis.call('RPUSH', KEYS[3], t[1], t[2], ARGV[1]); return #t",
    "local m = redis.call('SPOP', KEYS[4]); if m then redis.call('SADD', KEYS[4] .. ':popped', m) end; return m",
    "for i = 1, 5 do redis.call('HSET', KEYS[5], 'f' .. i, ARGV[1] .. i) end; return redis.call('HLEN', KEYS[5])",
    "redis.call('XADD', KEYS[6], 'MAXLEN', '~', '20', '*', 'a', ARGV[1]); redis.call('PEXPIRE', KEYS[1], 500)",
    "redis.call('SET', KEYS[1], ARGV[1]); redis.call('NO-SUCH-COMMAND')",
    "redis.call('SELECT', '1'); redis.call('SET', KEYS[1], ARGV[1]); return redis.call('DEL', KEYS[2])",
]
LIBRARY = """#!lua name=lib%d
redis.register_function('put%d', function(keys, args)
  redis.call('SET', keys[1], args[1] .. '%d')
  redis.call('ZADD', keys[1] .. ':z', math.random(100), args[1])
  return redis.call('TIME')[1]
end)
redis.register_function{function_name='look%d', callback=function() return 1 end, flags={'no-writes'}}
"""


class Traffic:
    """Commands from one source of chance.  Keys of a type share a prefix, so that most commands find what they need."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._makers: list[Callable[[], Argv | list[Argv]]] = [
            self._string, self._string, self._number, self._bits, self._list, self._list, self._hash, self._hash,
            self._set, self._set, self._zset, self._zset, self._stream, self._stream, self._group, self._geo,
            self._hyperloglog, self._expiry, self._expiry, self._generic, self._store, self._script, self._function,
            self._transaction, self._wake, self._wake, self._wrong,
        ]  # fmt: skip
        self._rare: list[Callable[[], Argv | list[Argv]]] = [self._flush, self._swap, self._copy_of]

    def batch(self, count: int) -> list[Argv]:
        """*count* steps, most of them one command; begins in a database of its own choice."""
        commands = [[b"SELECT", b"%d" % self._rng.choice([0, 0, 1, 2])]]
        for _ in range(count):
            makers = self._rare if self._rng.random() < 0.004 else self._makers
            made = self._rng.choice(makers)()
            commands += [made] if isinstance(made[0], bytes) else made
        return commands

    # --- words -----------------------------------------------------------------------------------

    def _key(self, kind: bytes, among: int = 12) -> bytes:
        return b"%b:%d" % (kind, self._rng.randrange(among))

    def _int(self, below: int) -> bytes:
        return b"%d" % self._rng.randrange(below)

    def _value(self) -> bytes:
        rng = self._rng
        match rng.randrange(6):
            case 0:
                return self._int(1000)
            case 1:
                return rng.randbytes(rng.randrange(12))
            case 2:
                return bytes([97 + rng.randrange(26)]) * rng.randrange(200)
            case _:
                return b"v%d" % rng.randrange(60)

    def _float(self) -> bytes:
        return b"%.3f" % self._rng.uniform(-50, 50)

    def _millis(self) -> bytes:
        return b"%d" % (self._rng.randrange(1, SHORT_MS) if self._rng.random() < 0.6 else LONG_MS)

    def _one(self, *choices: Argv) -> Argv:
        return self._rng.choice(choices)

    # --- families --------------------------------------------------------------------------------

    def _string(self) -> Argv:
        key, other, value = self._key(b"s"), self._key(b"s"), self._value()
        return self._one(
            [b"SET", key, value], [b"SET", key, value, b"PX", self._millis()], [b"SET", key, value, b"KEEPTTL", b"GET"],
            [b"SETEX", key, b"1", value], [b"SETNX", key, value], [b"APPEND", key, value], [b"GETSET", key, value],
            [b"SETRANGE", key, self._int(30), value], [b"GETDEL", key], [b"GETEX", key, b"PX", self._millis()],
            [b"GETEX", key, b"PERSIST"], [b"MSET", key, value, other, b"m"], [b"MSETNX", key, value, other, b"m"],
            [b"SET", key, value, b"NX"], [b"LCS", key, other],
        )  # fmt: skip

    def _number(self) -> Argv:
        key = self._key(b"n")
        return self._one(
            [b"INCR", key], [b"DECRBY", key, self._int(9)], [b"INCRBYFLOAT", key, self._float()], [b"SET", key, b"5"]
        )

    def _bits(self) -> Argv:
        key, other = self._key(b"b"), self._key(b"b")
        return self._one(
            [b"SETBIT", key, self._int(400), self._int(2)], [b"BITOP", b"XOR", self._key(b"b"), key, other],
            [b"BITFIELD", key, b"SET", b"u7", self._int(60), self._int(99), b"INCRBY", b"i5", b"#3", b"1"],
        )  # fmt: skip

    def _list(self) -> Argv:
        key, other, value = self._key(b"l", 6), self._key(b"l", 6), self._value()
        return self._one(
            [b"RPUSH", key, value, self._value(), b"x"], [b"LPUSH", key, *(self._value() for _ in range(8))],
            [b"LPUSHX", key, value], [b"LPOP", key, self._int(3)], [b"RPOP", key],
            [b"LMOVE", key, other, b"LEFT", b"RIGHT"],
            [b"RPOPLPUSH", key, key], [b"LSET", key, self._int(9), value], [b"LREM", key, b"0", b"x"],
            [b"LINSERT", key, b"BEFORE", b"x", value], [b"LTRIM", key, b"0", b"150"], [b"LTRIM", key, b"0", b"4"],
            [b"LMPOP", b"2", key, other, b"RIGHT", b"COUNT", b"2"], [b"BLPOP", key, other, b"0.01"],
        )  # fmt: skip

    def _hash(self) -> Argv:
        key, field = self._key(b"h", 6), b"f%d" % self._rng.randrange(150)
        return self._one(
            [b"HSET", key, field, self._value(), b"g", b"1"], [b"HSETNX", key, field, self._value()],
            [b"HDEL", key, field],
            [b"HSET", key, field, self._value(), b"x%b" % field, self._value()],
            [b"HINCRBY", key, b"count", self._int(9)],
            [b"HINCRBYFLOAT", key, b"float", self._float()], [b"HMSET", key, field, b"m"], [b"DEL", key],
        )  # fmt: skip

    def _set(self) -> Argv:
        key, other = self._key(b"t", 6), self._key(b"t", 6)
        numbers = [self._int(700) for _ in range(3)]
        return self._one(
            [b"SADD", key, *numbers], [b"SADD", key, *numbers], [b"SADD", key, self._value(), b"m"],
            [b"SPOP", key], [b"SPOP", key, b"3"], [b"SREM", key, *numbers], [b"SMOVE", key, other, numbers[0]],
            [b"SINTERSTORE", self._key(b"t", 6), key, other], [b"SUNIONSTORE", self._key(b"t", 6), key, other],
            [b"SDIFFSTORE", self._key(b"t", 6), key, other], [b"SPOP", key, b"9999"],
        )  # fmt: skip

    def _zset(self) -> Argv:
        key, other, member = self._key(b"z", 6), self._key(b"z", 6), b"m%d" % self._rng.randrange(160)
        return self._one(
            [b"ZADD", key, self._float(), member, b"1", b"one"], [b"ZADD", key, b"GT", b"CH", self._float(), member],
            [b"ZADD", key, b"INCR", self._float(), member], [b"ZINCRBY", key, self._float(), member],
            [b"ZREM", key, member], [b"ZPOPMIN", key], [b"ZPOPMAX", key, b"2"],
            [b"ZREMRANGEBYRANK", key, b"0", b"2"], [b"ZREMRANGEBYSCORE", key, b"-5", b"(0"],
            [b"ZUNIONSTORE", self._key(b"z", 6), b"2", key, other, b"WEIGHTS", b"2", b"0.5", b"AGGREGATE", b"MAX"],
            [b"ZINTERSTORE", self._key(b"z", 6), b"2", key, other],
            [b"ZDIFFSTORE", self._key(b"z", 6), b"2", key, other],
            [b"ZRANGESTORE", self._key(b"z", 6), key, b"0", b"20"], [b"ZMPOP", b"1", key, b"MIN"],
            [b"BZPOPMIN", key, other, b"0.01"],
        )  # fmt: skip

    def _stream(self) -> Argv:
        key, value = self._key(b"x", 4), self._value()
        return self._one(
            [b"XADD", key, b"*", b"field", value], [b"XADD", key, b"*", b"field", value, b"other", b"x"],
            [b"XADD", key, b"MAXLEN", b"~", b"110", b"*", b"field", value],
            [b"XADD", key, b"MAXLEN", b"30", b"*", b"f", value],
            [b"XADD", key, b"NOMKSTREAM", b"*", b"field", value], [b"XTRIM", key, b"MAXLEN", b"~", b"50"],
            [b"XTRIM", key, b"MINID", b"~", b"1700000000000-0", b"LIMIT", b"5"], [b"XDEL", key, b"1-1"],
            [b"XADD", b"xs", b"%d-*" % self._rng.randrange(1 << 40), b"f", value],
        )  # fmt: skip

    def _group(self) -> Argv | list[Argv]:
        key, consumer = self._key(b"x", 4), b"c%d" % self._rng.randrange(3)
        read = [b"XREADGROUP", b"GROUP", b"g", consumer, b"COUNT", b"3", b"STREAMS", key, b">"]
        return self._rng.choice([
            [b"XGROUP", b"CREATE", key, b"g", b"0", b"MKSTREAM"], read, read, [*read[:6], b"NOACK", *read[6:]],
            [b"XAUTOCLAIM", key, b"g", consumer, b"0", b"0", b"COUNT", b"2"],
            [b"XGROUP", b"CREATECONSUMER", key, b"g", consumer], [b"XGROUP", b"DELCONSUMER", key, b"g", b"c2"],
            [b"XGROUP", b"SETID", key, b"g", b"0", b"ENTRIESREAD", b"0"],
            [b"EVAL", b"local p = redis.call('XPENDING', KEYS[1], 'g', '-', '+', 2); for _, e in ipairs(p) do "
             b"redis.call('XACK', KEYS[1], 'g', e[1]); redis.call('XDEL', KEYS[1], e[1]) end; return #p",
             b"1", key],
            [b"EVAL", b"local p = redis.call('XPENDING', KEYS[1], 'g', '-', '+', 1); if #p > 0 then return "
             b"redis.call('XCLAIM', KEYS[1], 'g', 'c1', 0, p[1][1]) end", b"1", key],
        ])  # fmt: skip

    def _geo(self) -> Argv:
        key = self._key(b"g", 3)
        return self._one(
            [b"GEOADD", key, self._float(), self._float(), b"p%d" % self._rng.randrange(40)],
            [b"GEOSEARCHSTORE", self._key(b"g", 3), key, b"FROMLONLAT", b"0", b"0", b"BYRADIUS", b"4000", b"km"],
        )

    def _hyperloglog(self) -> Argv:
        key = self._key(b"p", 4)
        return self._one(
            [b"PFADD", key, self._value(), self._value()], [b"PFMERGE", key, self._key(b"p", 4)], [b"PFCOUNT", key]
        )

    def _expiry(self) -> Argv:
        key = self._key(self._rng.choice([b"s", b"l", b"h", b"t", b"z", b"n"]), 8)
        return self._one(
            [b"PEXPIRE", key, self._millis()], [b"EXPIRE", key, b"1"], [b"PERSIST", key], [b"EXPIRE", key, b"-1"],
            [b"EXPIRE", key, b"%d" % LONG_MS, b"GT"], [b"PEXPIRE", key, self._millis(), b"NX"], [b"GET", key],
            [b"EXPIREAT", key, b"1700000000"], [b"PEXPIREAT", key, b"4100000000123"], [b"TTL", key],
        )  # fmt: skip

    def _generic(self) -> Argv:
        kind = self._rng.choice([b"s", b"l", b"h", b"t", b"z", b"x"])
        key, other = self._key(kind, 6), self._key(kind, 6)
        return self._one(
            [b"RENAME", key, other], [b"RENAMENX", key, other], [b"COPY", key, other, b"REPLACE"],
            [b"UNLINK", key, other],
            [b"DEL", key], [b"COPY", key, other, b"DB", b"1"], [b"MOVE", key, b"2"], [b"TOUCH", key],
        )  # fmt: skip

    def _store(self) -> Argv:
        key = self._key(b"t", 6)
        dump = (
            b"local d = redis.call('DUMP', KEYS[1]); "
            b"if d then redis.call('RESTORE', KEYS[2], ARGV[1], d, 'REPLACE') end"
        )
        source = self._key(self._rng.choice([b"s", b"l", b"h", b"t", b"z", b"x"]), 6)
        return self._one(
            [b"SORT", key, b"ALPHA", b"STORE", self._key(b"l", 6)],
            [b"EVAL", dump, b"2", source, b"r:" + source, self._rng.choice([b"0", b"%d" % LONG_MS])],
        )

    def _script(self) -> Argv:
        keys = [self._key(kind, 6) for kind in (b"n", b"s", b"l", b"t", b"h", b"x")]
        return [b"EVAL", self._rng.choice(SCRIPTS).encode(), b"6", *keys, self._value()]

    def _function(self) -> Argv:
        number = self._rng.randrange(3)
        load = (LIBRARY % (number, number, self._rng.randrange(100), number)).encode()
        call = [b"FCALL", b"put%d" % number, b"1", self._key(b"f"), self._value()]
        return self._one(
            call, call, call, call, [b"FUNCTION", b"LOAD", b"REPLACE", load], [b"FUNCTION", b"DELETE", b"lib2"]
        )

    def _transaction(self) -> list[Argv]:
        rng = self._rng
        inner = [self._string, self._list, self._hash, self._set, self._expiry, self._script, self._number]
        commands = [rng.choice(inner)() for _ in range(rng.randrange(5))]
        opening = [[b"WATCH", self._key(b"s")]] if rng.random() < 0.3 else []
        return [*opening, [b"MULTI"], *commands, [b"EXEC"] if rng.random() < 0.9 else [b"DISCARD"]]

    def _wake(self) -> Argv:
        """Something for clients that wait in database 0."""
        return self._one(
            [b"RPUSH", self._rng.choice(BLOCKED_LISTS), self._value()],
            [b"ZADD", self._rng.choice(BLOCKED_ZSETS), self._float(), self._value()],
        )

    def _wrong(self) -> Argv:
        """An error that changes nothing."""
        return self._one([b"INCR", self._key(b"l", 6)], [b"LPUSH", self._key(b"s"), b"x"], [b"SET", b"k"], [b"NO-SUCH"])

    def _flush(self) -> Argv:
        return self._one([b"FLUSHDB"], [b"FUNCTION", b"FLUSH"], [b"SCRIPT", b"FLUSH"])

    def _swap(self) -> Argv:
        return [b"SWAPDB", b"1", b"2"]

    def _copy_of(self) -> Argv:
        return [b"SET", b"big", self._rng.randbytes(70_000)]


def drive(connection: Connection, traffic: Traffic, commands: int) -> int:
    """Send a batch in one go and pass over its replies; how many commands it was."""
    batch = traffic.batch(commands)
    connection.send(b"".join(map(encode, batch)) + encode([b"ECHO", b"-the-end-of-the-batch-"]))
    connection.until(b"-the-end-of-the-batch-")
    return len(batch)


def blocking_calls(rng: random.Random) -> Iterator[Argv]:
    """Commands for a client that waits again and again for what ``Traffic`` pushes."""
    while True:
        yield rng.choice([
            [b"BLPOP", *BLOCKED_LISTS, b"0.2"], [b"BRPOP", *BLOCKED_LISTS, b"0.2"],
            [b"BLMOVE", BLOCKED_LISTS[0], b"l:moved", b"LEFT", b"RIGHT", b"0.2"],
            [b"BRPOPLPUSH", BLOCKED_LISTS[1], b"l:moved", b"0.2"], [b"LTRIM", b"l:moved", b"0", b"40"],
            [b"BLMPOP", b"0.2", b"2", *BLOCKED_LISTS, b"LEFT", b"COUNT", b"3"],
            [b"BZPOPMIN", *BLOCKED_ZSETS, b"0.2"], [b"BZMPOP", b"0.2", b"2", *BLOCKED_ZSETS, b"MAX"],
            [b"XREADGROUP", b"GROUP", b"g", b"waiter", b"BLOCK", b"100", b"STREAMS", b"x:1", b">"],
        ])  # fmt: skip
