"""What to ask: values for CONFIG SET, configuration files, command lines and rewrites.

``{dir}`` stands for the directory the server runs in.  Text is latin-1, so that a character is a byte.
"""

from __future__ import annotations

from typing import NamedTuple

from pyredis.config.parameter import Flag
from pyredis.config.parameters import PARAMETERS

VALUES = [
    *(
        "",
        "yes",
        "no",
        "YES",
        "nO",
        "maybe",
        "0",
        "1",
        "-1",
        "-0",
        "01",
        "+1",
        " 1",
        "1 ",
        "10",
        "11",
        "99",
        "100",
    ),
    *(
        "1000",
        "500",
        "501",
        "777",
        "0777",
        "65535",
        "65536",
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
    ),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615"),
    *(
        "99999999999999999999999",
        "1k",
        "1KB",
        "1mb",
        "3Gb",
        "1b",
        "1tb",
        "kb",
        "17179869184gb",
        "8589934592gb",
    ),
    *(
        "50%",
        "0%",
        "100%",
        "101%",
        "-5%",
        "%",
        "5 %",
        "x",
        "a/b",
        "a\\b",
        "foo bar",
        '"q"',
        "caf\xc3\xa9",
        "\xff",
    ),
    *("{title}", "{nope}", "{", "{{", "x{port}", "{title} {server-mode}", "{unixsocket}", "host.name-1"),
    *(
        "bad_host",
        "h" * 255,
        "h" * 256,
        "n!x",
        "900 1",
        "900 1 ",
        "900",
        "0 1",
        "1 0",
        "10 99999999999",
        "a b",
    ),
    *("+5 -0", "900  1", "1 2 3", "0 200 800", "-2000 0 2000", "-2001 0 0", "1 2", "\t5 +6 7"),
    *(
        "normal 0 0 0",
        "slave 1mb 2 3 pubsub 1 2 3",
        "replica 1 2 3 slave 4 5 6",
        "master 1 2 3",
        "normal 1 2",
    ),
    *("normal x 1 1", "normal 1 1 -1", "normal 1 1 4294967296", "NORMAL 1k 1K 60", "KEA", "AKE"),
    *(
        "Kg$lshzxetd",
        "KEAnm",
        "gn",
        "q",
        "50 99",
        "50.5 100.0",
        "101",
        "-1 5",
        "nan",
        "1e1",
        "0x10",
        "inf",
        ".5",
    ),
    *("save", "nosave", "now force", "save nosave", "default", "Default NOW", "force  now", "volatile-lru"),
    *("VOLATILE-LFU", "allkeys-random", "noeviction", "debug", "warning", "nothing", "always", "everysec"),
    *(
        "disabled",
        "swapdb",
        "on-empty-db",
        "clients",
        "local",
        "ip",
        "hostname",
        "panic",
        "relative",
        "absolute",
    ),
    *("resetchannels", "allchannels", "{dir}", ".", "..", "nowhere"),
]

APPLIED_AT_ONCE: dict[str, list[str]] = {
    "appendonly": ["x", "no"],
    "bind": [" ".join(["a"] * 17)],
    "bind-source-addr": [],
    "client-query-buffer-limit": ["1mb", "1048575", "2gb", "-1", "x"],
    "dir": ["sub", "..", "{dir}/sub/.", "nowhere", "x" * 300, "", "/dev/null", "{dir}"],
    "locale-collate": [],
    "maxclients": ["0", "-1", "x", "4294967296", "1000"],
    "oom-score-adj": ["bad", "yes no"],
    "port": ["-1", "x", "65536", ""],
    "proto-max-bulk-len": ["1mb", "1048575", "8589934592gb", "-1", "x", "512mb"],
    "repl-backlog-size": ["0", "-1", "x", "1mb", "8589934592gb", "17179869184gb"],
    "tls-cluster": ["x", "no"],
    "tls-port": ["x", "70000"],
    "tls-replication": ["x", "no"],
    "watchdog-period": ["-1", "x"],
}
"""Directives whose good values would change the server that is asked, with the values to try."""

OURS = frozenset(
    {
        "background-save",
        "backup-dir",
        "backup-name",
        "backup-retention-days",
        "backup-schedule",
        "backup-url",
        "event-loop",
        "log-format",
        "metrics-bind",
        "metrics-port",
        "operator-password",
        "operator-user",
        "rdb-version",
        "replication-password",
        "replication-user",
        "rights-profile",
    }
)


def settings() -> list[tuple[str, list[str]]]:
    """Directives with the values to try on them."""
    return [
        (p.name, VALUES[:4] if p.flags & Flag.IMMUTABLE else APPLIED_AT_ONCE.get(p.name, VALUES))
        for p in PARAMETERS
        if p.name not in OURS
    ]


SEVERAL = [
    [("nope", "1")],
    [("maxmemory", "1gb"), ("nope", "1")],
    [("nope", "1"), ("maxmemory", "2gb")],
    [("Daemonize", "yes"), ("nope", "1")],
    [("hz", "20"), ("HZ", "30")],
    [("hz", "20"), ("timeout", "x"), ("save", "1 2")],
    [("replica-priority", "5"), ("slave-priority", "6")],
    [("SLAVE-Priority", "x")],
    [("hz", "30"), ("Port2", "x"), ("daemonize", "no")],
    [("MaxMemory", "x")],
    [
        ("timeout", "5"),
        ("client-output-buffer-limit", "normal 7 7 7"),
        ("latency-tracking-info-percentiles", "101"),
    ],
    [("maxmemory", "10000001"), ("maxmemory-clients", "200%"), ("client-query-buffer-limit", "invalid")],
    [
        ("timeout", "5"),
        ("client-output-buffer-limit", "normal 7 7 7"),
        ("latency-tracking-info-percentiles", "1"),
    ],
]

PATTERNS = [
    ["MAXMEMORY"],
    ["max*", "maxmemory"],
    ["MaxMemory", "max*"],
    ["maxmemory", "MAXMEMORY"],
    ["*list*"],
    ["key-load-delay"],
    ["key*"],
    ["k?y-load-delay"],
    ["[kz]*"],
    ["nosuch"],
    [""],
    ["slaveof", "replica*"],
    ["\\*"],
    ["HZ*"],
    ["*max-*-entries", "tls*"],
]


class Start(NamedTuple):
    """A command line behind ``--port 0 --unixsocket ...`` (or, with a file, on its own)."""

    argv: list[str]
    stdin: str = ""
    files: dict[str, str] = {}


BASE = "port 0\nunixsocket {dir}/s\n"

_ARGUMENTS = [
    *(
        ["--invalid"],
        ["--port"],
        ["--loglevel"],
        ["--port", "6379", "6380"],
        ["--port", "--loglevel", "verbose"],
    ),
    *(["--port", "--bla", "--loglevel", "verbose"], ["--logfile", "--my--log--file", "--loglevel", "--bla"]),
    *(["--shutdown-on-sigint"], ["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"]),
    *(["--replicaof", "127.0.0.1", "abc"], ["--replicaof", "--1", "abc"], ["--replicaof", "--1", "--abc"]),
    *(["--maxmemory 700mb", "--maxmemory-policy volatile-lru"], ["--maxmemory '7mb'", "--hz '7'"]),
    *(["--masteruser", "--x--y", "--hz", "7"], ["--masteruser --x--y", "--hz 7"]),
    *(
        ["--save", "--hz", "7"],
        ["--hz", "7", "--save"],
        ["--save", "", "--hz", "7"],
        ["--hz", "7", "--save", ""],
    ),
    *(["--masteruser", "--save", "--save", "", "--hz", "7"], ["--SAVE", "--hz", "3"], ["--save", "900", "1"]),
    *(["--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm", "nosave force"],),
    *(
        ["--save", "900 1", "--save", "1 2"],
        ["--save", "900 1", "--save", "", "--save", "5 5"],
        ["--save", "900"],
    ),
    *(["--save", "900", "1", "300", "10"], ["--hz", "1000"], ["--hz", "0"], ["--hz", "-5"], ["--"], ["-x"]),
    *(["--", "--hz", "5"], ["--hz ", "5"], ["-"], ["--hz", "5", "-"], ["--masterauth", 'a"b\\c']),
    *(["--maxmemory", "1gb", "--hz 7", "--timeout", "3"], ["--masterauth", "\xff\x01 \n"]),
    *(
        ['--masterauth "a b'],
        ["--masterauth", "a b"],
        ["--bind", "127.0.0.1", "::1"],
        ["--bind", "127.0.0.1 ::1"],
    ),
    *(["--bind", ""], ["--logfile", ""], ["--logfile", "/nonexistent/x"], ["--logfile", "log"]),
    *(["--dir", "/nonexistent"], ["--dir", "sub"], ["--dir", "sub", "--logfile", "here"]),
    *(["--cluster-enabled", "yes", "--replicaof", "a", "1"], ["--loadmodule"], ["--user"], ["--foo.bar"]),
    *(["--include", "nofile"], ["--include", "none*"], ["--list-max-ziplist-entries", "5"]),
    *(["--list-max-ziplist-entries", "5", "6"], ["--latency-tracking-info-percentiles", "50", "99"]),
    *(["--client-output-buffer-limit", "normal", "1", "2", "3", "slave", "4", "5", "6"],),
    *(
        ["--client-output-buffer-limit"],
        ["--client-output-buffer-limit", "normal", "1"],
        ["--activedefrag", "yes"],
    ),
    *(["--client-output-buffer-limit", "normal 1 2 3"], ["--oom-score-adj-values", "1", "2", "3"]),
    *(
        ["--oom-score-adj-values", "1 2"],
        ["--notify-keyspace-events", "KEA"],
        ["--notify-keyspace-events", "Z"],
    ),
    *(
        ["--appendfilename", "a/b"],
        ["--appendfilename", ""],
        ["--appenddirname", ""],
        ["--dbfilename", "x/y"],
    ),
    *(
        ["--unixsocketperm", "789"],
        ["--unixsocketperm", "700"],
        ["--unixsocketperm", "1000"],
        ["--databases", "0"],
    ),
    *(["--io-threads", "129"], ["--enable-debug-command", "local"], ["--shutdown-on-sigterm", ""]),
    *(["--latency-tracking-info-percentiles", ""], ["--shutdown-on-sigterm", "save", "nosave"]),
]

_FILES = {
    "i.conf": "timeout 4",
    "s.conf": "save 4 4\nsave 5 5",
    "bad.conf": "\n\nhz z\n",
    "a.inc": "hz 33\n",
    "b.inc": "timeout 3",
}

_TEXTS = [
    *("", "#c\n\n  \nhz 5\n", "HZ 5", "hz 5 6", "hz", 'hz "5"', "hz '5'", 'hz "5', 'hz "5"x', "hz 5 # c"),
    *(
        "  hz\t7 \r",
        "nope 1",
        "hz x\nfoo",
        '"hz" 5',
        "\v",
        "hz\v5",
        "hz 5\n\x0b\nhz x",
        "masterauth a\0b\nhz 5",
    ),
    *(
        "save 900 1\nsave 300 10",
        'save 900 1\nsave ""',
        'save ""\nsave 1 1',
        "save 900 1\nsave",
        "save",
        'save "a',
    ),
    *('save "900 1 300 10"', 'save " "', "save '900 1'\nsave \"5 5\"", "include i.conf\nsave 1 1\nsave 2 2"),
    *("save 9 9\ninclude i.conf\nsave 1 1", "save 9 9\ninclude s.conf\nsave 1 1\nsave 3 3"),
    *("include bad.conf\nhz 5", "include *.inc", "include nothing*.inc", "include missing.conf"),
    *(
        "dir sub\ninclude ../i.conf",
        "dir sub\ninclude i.conf",
        "dir sub\nlogfile l",
        "logfile /nonexistent/a",
    ),
    *(
        "slaveof 1.2.3.4 6379",
        'slaveof "1.2.3.4 6379"',
        "replicaof no one",
        "replicaof a 70000",
        "replicaof a",
    ),
    *("rename-command get", "sentinel", "sentinel monitor x", "a.b", "cluster-enabled yes\nreplicaof a 1"),
    *("list-max-ziplist-entries 1", "LUA-replicate-commands yes", "lua-replicate-commands", "tls-port x"),
    *(
        'masterauth "\\x41\\n"',
        "maxmemory 1gb\nmaxmemory-clients 10%",
        "maxmemory 5x",
        "maxmemory-clients 101%",
    ),
    *("client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit slave 3 4 5", "supervised maybe"),
    *("bind 127.0.0.1 -::1", 'bind ""', "bind", 'shutdown-on-sigint "save now"', 'shutdown-on-sigint "save'),
    *(
        'proc-title-template "{port}"',
        'proc-title-template "{unixsocket}"',
        'proc-title-template "{server-mode}"',
    ),
    *(
        'proc-title-template ""',
        'masterauth ""\nmasteruser joe',
        "hash-max-ziplist-entries 7",
        "loglevel Verbose",
    ),
]

STARTS = [
    *(Start(["--port", "0", "--unixsocket", "{dir}/s", *words]) for words in _ARGUMENTS),
    Start(["loglevel", "verbose", "--port", "0", "--unixsocket", "{dir}/s"]),
    Start(["nofile", "--port", "0", "--unixsocket", "{dir}/s"]),
    Start(["", "--port", "0", "--unixsocket", "{dir}/s"]),
    Start(["c.conf", "loglevel", "verbose"], files={"c.conf": BASE + "hz 3\n"}),
    Start(["-", "--port", "0", "--unixsocket", "{dir}/s"], "hz 17\n"),
    Start(["--port", "0", "--unixsocket", "{dir}/s", "-"], "hz 17"),
    Start(["c.conf", "-", "--hz", "5"], "timeout 8\n", {"c.conf": BASE + "hz 3\n"}),
    Start(["c.conf", "-"], "timeout 8\n", {"c.conf": BASE + "hz 3\n"}),
    Start(["c.conf", "--hz", "5", "-"], "hz 8\ntimeout 8\nnope", {"c.conf": BASE + "hz 3\n"}),
    Start(["?.conf"], files={"a.conf": BASE, "b.conf": "hz 44"}),
    Start(["sub/../a.conf"], files={"a.conf": BASE}),
    Start([" a.conf "], files={"a.conf": BASE}),
    *(Start(["c.conf"], files={"c.conf": BASE + text, **_FILES}) for text in _TEXTS),
]


class Rewrite(NamedTuple):
    text: str
    sets: list[tuple[str, str]] = []
    force: bool = False


CONTROL = BASE + "enable-protected-configs yes\nenable-debug-command yes\n"

REWRITES = [
    Rewrite(CONTROL),
    Rewrite(CONTROL.rstrip("\n")),
    Rewrite(
        CONTROL + "# hello\n\n\n\nhz 5\n  timeout   4  \n#x\nhz 6\nsave 900 1\nsave 300 10\n\nMaxMemory 1gb\n",
        [("save", "5 5"), ("maxmemory", "0")],
    ),
    Rewrite(CONTROL + "lua-replicate-commands yes\ninclude i*.conf\n", [("hz", "15"), ("timeout", "0")]),
    Rewrite(
        CONTROL + "slave-priority 5\nhash-max-ziplist-entries 9\nclient-output-buffer-limit slave 1mb 2kb 3\n",
        [("slave-read-only", "no")],
    ),
    Rewrite(
        CONTROL + "client-output-buffer-limit normal 5 5 5\n",
        [("client-output-buffer-limit", "normal 0 0 0 pubsub 1025 0 0")],
    ),
    Rewrite(
        CONTROL + 'bind 127.0.0.1\nnotify-keyspace-events ""\n',
        [("notify-keyspace-events", "KEAn"), ("bind", "127.0.0.1 ::1")],
    ),
    Rewrite(
        CONTROL + 'bind 127.0.0.1\nlogfile ""\nmasterauth foo\n',
        [("bind", "* -::*"), ("masterauth", ""), ("masteruser", 'a "b"\xff\n')],
    ),
    Rewrite(
        CONTROL,
        [
            ("maxmemory", "1gb"),
            ("maxmemory-clients", "5%"),
            ("repl-backlog-size", "3mb"),
            ("proto-max-bulk-len", "1048577"),
            ("shutdown-on-sigterm", "save now force"),
            ("latency-tracking-info-percentiles", ""),
            ("oom-score-adj-values", "1 2 3"),
            ("save", ""),
        ],
    ),
    Rewrite(CONTROL + 'maxmemory-clients 5%\nunixsocketperm 700\nreplicaof "127.0.0.1 1"\nslaveof 127.0.0.1 2\n'),
    Rewrite(CONTROL + "user alice on nopass ~* +@all\nuser bob off\n"),
    Rewrite(CONTROL + "dir ./\ndir sub", [("dir", "..")]),
    Rewrite(CONTROL + 'save ""\nsave 5 5\nsave ""', [("save", "7 7 8 8")]),
    Rewrite(
        CONTROL + "hz 5\n# Generated by CONFIG REWRITE\nsave 5 5\n\n\ntimeout 3",
        [("timeout", "4"), ("tcp-keepalive", "5")],
    ),
    Rewrite(
        CONTROL + "sentinel\nlatency-tracking-info-percentiles 1 2\nlatency-tracking-info-percentiles 3",
    ),
    Rewrite(CONTROL + 'hz 5\nreplica-announce-ip "a b"', [("cluster-announce-hostname", "x.y")], force=True),
]
