"""First inputs for each target, from which fuzzers go on: one of every kind of thing there is."""

from __future__ import annotations

from pathlib import Path

from pyredis.cluster.messages import packet_length
from pyredis.persistence.rdb import intset, legacy, listpack
from pyredis.persistence.rdb.options import SaveOptions
from pyredis.persistence.rdb.saving import save_value
from tests.conftest import encode_command
from tests.persistence.rdb.samples import every_value, save

RECORDED_PACKETS = Path(__file__).parent.parent / "cluster" / "data" / "packets-7.2.4.bin"

COMMANDS = (
    "SET k v EX 10", "GET k", "APPEND k xx", "SETRANGE k 5 y", "GETRANGE k 0 -1", "INCRBYFLOAT n 1.5", "MSET a 1 b 2",
    "BITFIELD b SET u8 #1 200 GET i5 3 OVERFLOW SAT INCRBY u2 0 3", "BITOP AND d b k", "PFADD h a b", "PFCOUNT h",
    "LPUSH l a b c", "LPOS l a RANK -1 COUNT 0", "LMOVE l m LEFT RIGHT", "BLPOP l 0", "LMPOP 2 l m LEFT COUNT 3",
    "HSET hh f v g w", "HRANDFIELD hh -3 WITHVALUES", "HSCAN hh 0 MATCH f* COUNT 5", "SADD s 1 2 3 x", "SPOP s 2",
    "SINTERCARD 2 s t LIMIT 1", "ZADD z 1 a 2 b", "ZADD z GT CH INCR 3 a", "ZRANGE z (1 +inf BYSCORE LIMIT 0 2",
    "ZRANGESTORE d z 0 -1 REV", "ZUNION 2 z s WEIGHTS 2 3 AGGREGATE MAX WITHSCORES", "ZMPOP 1 z MIN", "GEOADD g 1 2 m",
    "GEOSEARCH g FROMLONLAT 1 2 BYBOX 10 10 km ASC COUNT 1 ANY WITHDIST", "XADD x MAXLEN ~ 10 * f v",
    "XRANGE x - +",
    "XGROUP CREATE x g $ MKSTREAM", "XREADGROUP GROUP g c COUNT 1 STREAMS x >", "XAUTOCLAIM x g c 0 0",
    "XINFO STREAM x",
    "SORT l BY w_* GET # GET o_* LIMIT 0 5 ALPHA DESC STORE d", "SCAN 0 MATCH *a* TYPE string", "OBJECT ENCODING k",
    "MULTI", "EXEC", "WATCH k", "SUBSCRIBE c", "PSUBSCRIBE *", "PUBLISH c m", "HELLO 3 AUTH default x SETNAME n",
    "CLIENT TRACKING on BCAST PREFIX a", "CLIENT LIST", "CLIENT REPLY SKIP", "CLIENT KILL TYPE normal", "RESET",
    "EVAL return{KEYS[1],redis.call('get',KEYS[1])} 1 k", "COPY k c REPLACE", "LCS a b IDX WITHMATCHLEN", "EXPIRE k -1",
    "MEMORY USAGE k", "COMMAND DOCS get", "COMMAND GETKEYSANDFLAGS set a b", "LOLWUT", "INFO all", "KEYS *[^a-\\]]*",
    "OBJECT FREQ k", "DUMP k", "WAIT 0 1", "SELECT 3", "SWAPDB 0 1", "MOVE k 2", "GETEX k PERSIST", "SETBIT k 9000 1",
    "ACL CAT read", "LATENCY HISTOGRAM", "SLOWLOG GET 1", "FUNCTION LIST", "SCRIPT LOAD return", "CLUSTER INFO",
)  # fmt: skip

SCRIPTS = (
    b"return redis.call('set', KEYS[1], ARGV[1])",
    b"local t = {} for i = 1, 10 do t[i] = {i, tostring(i)} end return t",
    b"return cjson.encode({a = {1, 2.5, true, cjson.null}, ['b'] = 'x'})",
    b"return redis.pcall('nosuch', unpack(ARGV))",
    b"while true do end",
    b"return setmetatable({}, {__index = function(t, k) return k end}).x",
    b"return {struct.unpack('>i4s', struct.pack('>i4s', 7, 'text'))}",
    b"error({err = 'MYERR mine'})",
    b"return string.gsub(ARGV[1], '(%w+)', '%1 %1'):rep(3)",
    b"redis.setresp(3) return redis.call('hgetall', KEYS[1])",
    b"local f = function(...) return select('#', ...) end return f(f(), nil, f)",
    b"return loadstring('return 1')() + #KEYS",
    b"redis.breakpoint() redis.log(redis.LOG_WARNING, 'x') return redis.sha1hex('')",
    b"#!lua flags=no-writes,allow-stale\nreturn bit.bor(1, 2)",
)

FUNCTIONS = (
    b"redis.register_function('f', function(keys, args) return #keys end)",
    b"redis.register_function{function_name='f', callback=function() return 1 end, flags={'no-writes'}}",
    b"local x = 1 redis.register_function('f', function() x = x + 1 return x end)",
)

VALUES = (
    b'{"a": [1, 2.5e3, true, null, "\\u00e9\\n"], "b": {}}\0>I2s4',
    b"[[[[[[]]]]]]\0<bBhHlLTsx!4d",
    b"\x93\x01\xa1a\xc0\x82\xa1k\xcb?\xf8\x00\x00\x00\x00\x00\x00\xa1l\x90\0i3c4c0",
    b"%5.2f|%q|%-10s|%c\0(%a+)",
    b"-1.5e+10\0 255",
)

RULES = (
    b"on >secret ~a* %R~b* %W~c &ch* +@all -debug +config|get -@dangerous +select|0",
    b"off nopass (~k +get) (+@read %RW~*) clearselectors resetchannels allkeys",
    b"user alice on #" + b"a" * 64 + b" ~* +@all\nuser bob off resetkeys\n",
    b"reset !x <y sanitize-payload nocommands allchannels",
)

CONFIGURATIONS = (
    b'port 7000\nbind 127.0.0.1 -::1\nsave 900 1 300 10\nmaxmemory 100mb\nappendonly yes\nrename-command CONFIG ""\n',
    b"client-output-buffer-limit normal 0 0 0 pubsub 32mb 8mb 60\nuser alice on >pw +get\nnotify-keyspace-events KEA\n",
    b'requirepass "a\\x41\\n"\nrights-profile managed\noom-score-adj-values 0 200 800\ntls-port 0\nhz 10\n',
)

PATTERNS = (b"a*b?c[^d-f]\\*\0axbycz*", b"*****a\0" + b"a" * 40 + b"b", b"[a-\0x", b"[^\0y", b"h[a-c]llo*[!x]\0hello")


A, B, C, S, T = (letter * 40 for letter in "abc57")
NODES_FILE = f"""\
{A} 127.0.0.1:7000@17000,,tls-port=0,shard-id={S} myself,master - 0 0 6 connected 0-5 7 [5->-{B}]
{B} 127.0.0.2:7001@17001,b.example,tls-port=7101,nodename=blue,shard-id={T} master,fail - 5 6 3 disconnected 8
{C} :0@0,,tls-port=0,shard-id={S} slave,noaddr {A} 0 9 0 disconnected
vars currentEpoch 7 lastVoteEpoch 4
""".encode()


def _protocol() -> list[bytes]:
    resp = [encode_command(*text.split(" ")) for text in COMMANDS]
    groups = [b"".join(resp[at : at + 6]) for at in range(0, len(resp), 6)]
    inline = "\r\n".join(COMMANDS[:30]).encode() + b"\r\nSET \"a\\x00b\" 'c d'\r\n"
    odd = [
        b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n",
        b"*2\r\n$3\r\nGET\r\n$-1\r\n",
        b"*1\r\n*1\r\n$4\r\nPING\r\n",
        b"GET / HTTP/1.1\r\n",
    ]
    return [b"\xff" + each for each in groups] + [
        b"\x02" + groups[0],
        b"\x10" + inline,
        *(b"\xff" + each for each in odd),
    ]


def _dumps() -> list[bytes]:
    payloads = []
    for version in (9, 11):
        for value in every_value().values():
            kind, payload = save_value(value, SaveOptions(version=version))
            if len(payload) < 2000:
                payloads.append(b"\x00%c%b" % (kind, payload))
    return payloads


def _packs() -> list[bytes]:
    items = [b"a", b"12", b"-5000", b"x" * 70, b"9223372036854775807", b"", b"127", b"70000", b"-3000000"]
    pairs = b"".join(b"%c%b%c\x00%b" % (len(item), item, 1, b"v") for item in items if len(item) < 60)
    zipmap = b"%c%b\xff" % (5, pairs)
    return [listpack.encode(items), legacy.encode_ziplist(items), zipmap, intset.encode([1, 70000, 1 << 40])]


def _log() -> list[bytes]:
    commands = [encode_command(*text.split(" ")) for text in COMMANDS[:30]]
    transaction = encode_command("MULTI") + commands[0] + encode_command("EXEC")
    return [
        b"".join(commands),
        b"#TS:1700000000\r\n" + transaction + commands[3],
        encode_command("MULTI") + commands[0],
    ]


def _packets() -> list[bytes]:
    """Packets that a real node sent, by themselves and in a row, from nodes the target knows and from strangers."""
    data, packets = RECORDED_PACKETS.read_bytes(), []
    while data:
        length = packet_length(data)
        packets.append(data[:length])
        data = data[length:]
    known = [b"".join((packet[:40], b"a" * 40, packet[80:])) for packet in packets]
    return [*packets, *known, b"".join(known[:3]), b"".join(known[3:])]


def seeds(target: str) -> list[bytes]:
    """The first inputs of *target*."""
    match target:
        case "protocol":
            return _protocol()
        case "bus":
            return _packets()
        case "nodes":
            return [NODES_FILE]
        case "rdb":
            return [b"\xf1" + save(every_value(), version=version) for version in (9, 10, 11)]
        case "dump":
            return _dumps()
        case "packs":
            return _packs()
        case "aof":
            return [*_log(), save(every_value()) + _log()[0]]
        case "manifest":
            return [
                b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
                b'file "a b" seq 2 type h\n# comment\n',
            ]
        case "lua":
            return list(SCRIPTS)
        case "function":
            return list(FUNCTIONS)
        case "libraries":
            return list(VALUES)
        case "acl":
            return list(RULES)
        case "config":
            return list(CONFIGURATIONS)
        case _:
            return list(PATTERNS)
