"""Every directive of Redis 7.2.4, a line each: name, kind, default, flags, alias (config.c static_configs).

The order within a topic is alphabetical; CONFIG GET and the lines that CONFIG REWRITE adds follow it.
"""

from __future__ import annotations

from .choices import (
    AppendFsync,
    BackgroundSave,
    DisklessLoad,
    EndpointType,
    EventLoop,
    LogFormat,
    LogLevel,
    MaxmemoryPolicy,
    OomScoreAdj,
    PropagationErrorBehavior,
    ProtectedAction,
    PubsubDefault,
    RightsProfile,
    SanitizeDumpPayload,
    ShutdownFlag,
    Supervised,
    SyslogFacility,
    TlsAuthClients,
)
from .kinds import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    UINT_MAX,
    ULONG_MAX,
    Bool,
    Enum,
    Flags,
    Integer,
    Memory,
    MemoryOrPercent,
    Octal,
    Secret,
    String,
)
from .parameter import AnyParameter, Flag, Parameter
from .special import (
    Bind,
    ClientOutputBufferLimits,
    Directory,
    KeyspaceEvents,
    OomScoreAdjValues,
    OutputLimit,
    OutputLimits,
    Percentiles,
    ProcessTitle,
    ReplicaOf,
    Save,
    SavePoint,
    base_name,
    valid_backup_name,
    valid_backup_url,
    valid_hostname,
    valid_node_name,
    valid_schedule,
)

IMMUTABLE = Flag.IMMUTABLE
SENSITIVE = Flag.SENSITIVE
DEBUG = Flag.DEBUG
HIDDEN = Flag.HIDDEN
PROTECTED = Flag.PROTECTED
DENY_LOADING = Flag.DENY_LOADING
VOLATILE = Flag.VOLATILE

MB, GB = 1 << 20, 1 << 30

YES_NO = Bool()
TEXT = String()
OPTIONAL = String(unset=True)
SECRET = Secret()
NATURAL = Integer(0, INT_MAX)
POSITIVE = Integer(1, INT_MAX)
PORT = Integer(0, 65535)
LONG = Integer(0, LONG_MAX)
COUNT = Integer(0, LONG_MAX, unsigned=True)
SIZE = Memory(0, LONG_MAX, unsigned=True)
SHUTDOWN_FLAGS = Flags(
    ShutdownFlag,
    none="default",
    exclusive=("save", "nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"),
)
OUTPUT_LIMITS = OutputLimits(OutputLimit(0, 0, 0), OutputLimit(256 * MB, 64 * MB, 60), OutputLimit(32 * MB, 8 * MB, 60))
NO_DEFRAG = (
    "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc "
    "like the one shipped by default with the Redis source distribution"
)

ALLOCATOR = "none: memory comes from Python's allocator, which moves no object"
DICTIONARIES = "none: Python's dictionaries resize themselves"
HUGE_PAGES = "none: transparent huge pages stay as the system has them"
NO_CIPHERSUITES = "none: refused while TLS is on, for Python's ssl module cannot choose the suites of TLS 1.3"
NO_COW_CHECK = "none: the kernel check it silences is not made"
NO_MEMTEST = "none: a crash report tests no memory"
NO_MODULES = "none: there are no modules to load"
NO_TLS_CACHE = "none: refused while TLS is on, for Python's ssl module cannot size the cache of sessions"
ONE_THREAD = "none: one Python thread reads, executes and writes"

PARAMETERS: tuple[AnyParameter, ...] = (
    # --- network and clients ----------------------------------------------------------------------
    Parameter("bind", Bind(), ("*", "-::*")),
    Parameter("bind-source-addr", OPTIONAL, ""),
    Parameter("client-output-buffer-limit", ClientOutputBufferLimits(), OUTPUT_LIMITS),
    Parameter("client-query-buffer-limit", Memory(MB, LONG_MAX, unsigned=True), GB, DEBUG),
    Parameter("io-threads", Integer(1, 128), 1, IMMUTABLE | DEBUG, effect=ONE_THREAD),
    Parameter("io-threads-do-reads", YES_NO, False, IMMUTABLE | DEBUG, effect=ONE_THREAD),
    Parameter("maxclients", Integer(1, UINT_MAX, unsigned=True), 10000),
    Parameter("maxmemory-clients", MemoryOrPercent(-100, LONG_MAX), 0),
    Parameter("port", PORT, 6379),
    Parameter("protected-mode", YES_NO, True),
    Parameter("proto-max-bulk-len", Memory(MB, LONG_MAX), 512 * MB, DEBUG),
    Parameter("socket-mark-id", Integer(0, UINT_MAX, unsigned=True), 0, IMMUTABLE),
    Parameter("tcp-backlog", NATURAL, 511, IMMUTABLE),
    Parameter("tcp-keepalive", NATURAL, 300),
    Parameter("timeout", NATURAL, 0),
    Parameter("tracking-table-max-keys", COUNT, 1000000),
    Parameter("unixsocket", OPTIONAL, "", IMMUTABLE),
    Parameter("unixsocketperm", Octal(0, 0o777, unsigned=True), 0, IMMUTABLE),
    # --- TLS --------------------------------------------------------------------------------------
    Parameter("tls-auth-clients", Enum(TlsAuthClients), "yes"),
    Parameter("tls-ca-cert-dir", OPTIONAL, "", VOLATILE),
    Parameter("tls-ca-cert-file", OPTIONAL, "", VOLATILE),
    Parameter("tls-cert-file", OPTIONAL, "", VOLATILE),
    Parameter("tls-ciphers", OPTIONAL, ""),
    Parameter("tls-ciphersuites", OPTIONAL, "", effect=NO_CIPHERSUITES),
    Parameter("tls-client-cert-file", OPTIONAL, "", VOLATILE),
    Parameter("tls-client-key-file", OPTIONAL, "", VOLATILE),
    Parameter("tls-client-key-file-pass", OPTIONAL, "", SENSITIVE),
    Parameter("tls-cluster", YES_NO, False),
    Parameter("tls-dh-params-file", OPTIONAL, "", VOLATILE),
    Parameter("tls-key-file", OPTIONAL, "", VOLATILE),
    Parameter("tls-key-file-pass", OPTIONAL, "", SENSITIVE),
    Parameter("tls-port", PORT, 0),
    Parameter("tls-prefer-server-ciphers", YES_NO, False),
    Parameter("tls-protocols", OPTIONAL, ""),
    Parameter("tls-replication", YES_NO, False),
    Parameter("tls-session-cache-size", NATURAL, 20480, effect=NO_TLS_CACHE),
    Parameter("tls-session-cache-timeout", NATURAL, 300, effect=NO_TLS_CACHE),
    Parameter("tls-session-caching", YES_NO, True),
    # --- users and protection ---------------------------------------------------------------------
    Parameter("acl-pubsub-default", Enum(PubsubDefault), "resetchannels"),
    Parameter("aclfile", TEXT, "", IMMUTABLE),
    Parameter("acllog-max-len", LONG, 128),
    Parameter("enable-debug-command", Enum(ProtectedAction), "no", IMMUTABLE),
    Parameter("enable-module-command", Enum(ProtectedAction), "no", IMMUTABLE, effect=NO_MODULES),
    Parameter("enable-protected-configs", Enum(ProtectedAction), "no", IMMUTABLE),
    Parameter("requirepass", SECRET, b"", SENSITIVE),
    # --- the process ------------------------------------------------------------------------------
    Parameter("always-show-logo", YES_NO, False, IMMUTABLE),
    Parameter("aof_rewrite_cpulist", OPTIONAL, "", IMMUTABLE),
    Parameter("bgsave_cpulist", OPTIONAL, "", IMMUTABLE),
    Parameter("bio_cpulist", OPTIONAL, "", IMMUTABLE, effect=ONE_THREAD),
    Parameter("daemonize", YES_NO, False, IMMUTABLE),
    Parameter("databases", POSITIVE, 16, IMMUTABLE),
    Parameter("disable-thp", YES_NO, True, IMMUTABLE, effect=HUGE_PAGES),
    Parameter("dynamic-hz", YES_NO, True),
    Parameter("hz", Integer(0, INT_MAX, within=(1, 500)), 10),
    Parameter("ignore-warnings", TEXT, "", effect=NO_COW_CHECK),
    Parameter("locale-collate", TEXT, ""),
    Parameter("logfile", TEXT, "", IMMUTABLE),
    Parameter("loglevel", Enum(LogLevel), "notice"),
    Parameter("oom-score-adj", Enum(OomScoreAdj, same={"relative": "yes"}), "no"),
    Parameter("oom-score-adj-values", OomScoreAdjValues(), (0, 200, 800)),
    Parameter("pidfile", OPTIONAL, "", IMMUTABLE),
    Parameter("proc-title-template", ProcessTitle(), "{title} {listen-addr} {server-mode}"),
    Parameter("server_cpulist", OPTIONAL, "", IMMUTABLE),
    Parameter("set-proc-title", YES_NO, True, IMMUTABLE),
    Parameter("shutdown-on-sigint", SHUTDOWN_FLAGS, frozenset()),
    Parameter("shutdown-on-sigterm", SHUTDOWN_FLAGS, frozenset()),
    Parameter("shutdown-timeout", NATURAL, 10),
    Parameter("supervised", Enum(Supervised), "no", IMMUTABLE),
    Parameter("syslog-enabled", YES_NO, False, IMMUTABLE),
    Parameter("syslog-facility", Enum(SyslogFacility), "local0", IMMUTABLE),
    Parameter("syslog-ident", TEXT, "redis", IMMUTABLE),
    # --- RDB and AOF ------------------------------------------------------------------------------
    Parameter("aof-disable-auto-gc", YES_NO, False, HIDDEN),
    Parameter("aof-load-truncated", YES_NO, True),
    Parameter("aof-rewrite-incremental-fsync", YES_NO, True),
    Parameter("aof-timestamp-enabled", YES_NO, False),
    Parameter("aof-use-rdb-preamble", YES_NO, True),
    Parameter("appenddirname", base_name("appenddirname", "dirname"), "appendonlydir", IMMUTABLE),
    Parameter("appendfilename", base_name("appendfilename", "filename"), "appendonly.aof", IMMUTABLE),
    Parameter("appendfsync", Enum(AppendFsync), "everysec"),
    Parameter("appendonly", YES_NO, False, DENY_LOADING),
    Parameter("auto-aof-rewrite-min-size", Memory(0, LONG_MAX), 64 * MB),
    Parameter("auto-aof-rewrite-percentage", NATURAL, 100),
    Parameter("dbfilename", base_name("dbfilename", "filename", empty=True), "dump.rdb", PROTECTED),
    Parameter("dir", Directory(), "", PROTECTED | DENY_LOADING),
    Parameter("key-load-delay", Integer(INT_MIN, INT_MAX), 0, HIDDEN),
    Parameter("loading-process-events-interval-bytes", Integer(1024, INT_MAX), 2 * MB, HIDDEN),
    Parameter("no-appendfsync-on-rewrite", YES_NO, False),
    Parameter("rdb-del-sync-files", YES_NO, False),
    Parameter("rdb-key-save-delay", Integer(INT_MIN, INT_MAX), 0, HIDDEN),
    Parameter("rdb-save-incremental-fsync", YES_NO, True),
    Parameter("rdbchecksum", YES_NO, True, IMMUTABLE),
    Parameter("rdbcompression", YES_NO, True),
    Parameter("sanitize-dump-payload", Enum(SanitizeDumpPayload), "no", DEBUG),
    Parameter("save", Save(), (SavePoint(3600, 1), SavePoint(300, 100), SavePoint(60, 10000))),
    Parameter("stop-writes-on-bgsave-error", YES_NO, True),
    # --- replication ------------------------------------------------------------------------------
    Parameter("masterauth", SECRET, b"", SENSITIVE),
    Parameter("masteruser", SECRET, b"", SENSITIVE),
    Parameter("min-replicas-max-lag", NATURAL, 10, alias="min-slaves-max-lag"),
    Parameter("min-replicas-to-write", NATURAL, 0, alias="min-slaves-to-write"),
    Parameter("propagation-error-behavior", Enum(PropagationErrorBehavior), "ignore"),
    Parameter("repl-backlog-size", Memory(1, LONG_MAX), MB),
    Parameter("repl-backlog-ttl", LONG, 3600),
    Parameter("repl-disable-tcp-nodelay", YES_NO, False),
    Parameter("repl-diskless-load", Enum(DisklessLoad), "disabled", DEBUG | DENY_LOADING),
    Parameter("repl-diskless-sync", YES_NO, True, DEBUG),
    Parameter("repl-diskless-sync-delay", NATURAL, 5),
    Parameter("repl-diskless-sync-max-replicas", NATURAL, 0),
    Parameter("repl-ping-replica-period", POSITIVE, 10, alias="repl-ping-slave-period"),
    Parameter("repl-timeout", POSITIVE, 60),
    Parameter("replica-announce-ip", OPTIONAL, "", alias="slave-announce-ip"),
    Parameter("replica-announce-port", PORT, 0, alias="slave-announce-port"),
    Parameter("replica-announced", YES_NO, True),
    Parameter("replica-ignore-disk-write-errors", YES_NO, False),
    Parameter("replica-ignore-maxmemory", YES_NO, True, alias="slave-ignore-maxmemory"),
    Parameter("replica-lazy-flush", YES_NO, False, alias="slave-lazy-flush"),
    Parameter("replica-priority", NATURAL, 100, alias="slave-priority"),
    Parameter("replica-read-only", YES_NO, True, DEBUG, alias="slave-read-only"),
    Parameter("replica-serve-stale-data", YES_NO, True, alias="slave-serve-stale-data"),
    Parameter("replicaof", ReplicaOf(), None, IMMUTABLE, alias="slaveof"),
    # --- memory, eviction and expiry --------------------------------------------------------------
    Parameter("active-defrag-cycle-max", Integer(1, 99), 25, effect=ALLOCATOR),
    Parameter("active-defrag-cycle-min", Integer(1, 99), 1, effect=ALLOCATOR),
    Parameter("active-defrag-ignore-bytes", Memory(1, LONG_MAX, unsigned=True), 100 * MB, effect=ALLOCATOR),
    Parameter("active-defrag-max-scan-fields", Integer(1, LONG_MAX), 1000, effect=ALLOCATOR),
    Parameter("active-defrag-threshold-lower", Integer(0, 1000), 10, effect=ALLOCATOR),
    Parameter("active-defrag-threshold-upper", Integer(0, 1000), 100, effect=ALLOCATOR),
    Parameter("active-expire-effort", Integer(1, 10), 1),
    Parameter("activedefrag", Bool(never=NO_DEFRAG), False, DEBUG, effect=ALLOCATOR),
    Parameter("activerehashing", YES_NO, True, effect=DICTIONARIES),
    Parameter("jemalloc-bg-thread", YES_NO, True, effect=ALLOCATOR),
    Parameter("lazyfree-lazy-eviction", YES_NO, False, DEBUG),
    Parameter("lazyfree-lazy-expire", YES_NO, False, DEBUG),
    Parameter("lazyfree-lazy-server-del", YES_NO, False, DEBUG),
    Parameter("lazyfree-lazy-user-del", YES_NO, False, DEBUG),
    Parameter("lazyfree-lazy-user-flush", YES_NO, False, DEBUG),
    Parameter("lfu-decay-time", NATURAL, 1),
    Parameter("lfu-log-factor", NATURAL, 10),
    Parameter("maxmemory", Memory(0, ULONG_MAX, unsigned=True), 0),
    Parameter("maxmemory-eviction-tenacity", Integer(0, 100), 10),
    Parameter("maxmemory-policy", Enum(MaxmemoryPolicy), "noeviction"),
    Parameter("maxmemory-samples", POSITIVE, 5),
    # --- encodings of values ----------------------------------------------------------------------
    Parameter("hash-max-listpack-entries", COUNT, 512, alias="hash-max-ziplist-entries"),
    Parameter("hash-max-listpack-value", SIZE, 64, alias="hash-max-ziplist-value"),
    Parameter("hll-sparse-max-bytes", SIZE, 3000),
    Parameter("list-compress-depth", NATURAL, 0, DEBUG),
    Parameter("list-max-listpack-size", Integer(INT_MIN, INT_MAX), -2, alias="list-max-ziplist-size"),
    Parameter("set-max-intset-entries", COUNT, 512),
    Parameter("set-max-listpack-entries", COUNT, 128),
    Parameter("set-max-listpack-value", COUNT, 64),
    Parameter("stream-node-max-bytes", SIZE, 4096),
    Parameter("stream-node-max-entries", LONG, 100),
    Parameter("zset-max-listpack-entries", COUNT, 128, alias="zset-max-ziplist-entries"),
    Parameter("zset-max-listpack-value", SIZE, 64, alias="zset-max-ziplist-value"),
    # --- monitoring -------------------------------------------------------------------------------
    Parameter("busy-reply-threshold", LONG, 5000, alias="lua-time-limit"),
    Parameter("crash-log-enabled", YES_NO, True),
    Parameter("crash-memcheck-enabled", YES_NO, True, effect=NO_MEMTEST),
    Parameter("latency-monitor-threshold", LONG, 0),
    Parameter("latency-tracking", YES_NO, True),
    Parameter("latency-tracking-info-percentiles", Percentiles(), (50.0, 99.0, 99.9)),
    Parameter("notify-keyspace-events", KeyspaceEvents(), 0),
    Parameter("slowlog-log-slower-than", Integer(-1, LONG_MAX), 10000),
    Parameter("slowlog-max-len", LONG, 128),
    Parameter("use-exit-on-panic", YES_NO, False, HIDDEN),
    Parameter("watchdog-period", NATURAL, 0, HIDDEN),
    # --- cluster ----------------------------------------------------------------------------------
    Parameter("cluster-allow-pubsubshard-when-down", YES_NO, True),
    Parameter("cluster-allow-reads-when-down", YES_NO, False),
    Parameter("cluster-allow-replica-migration", YES_NO, True),
    Parameter("cluster-announce-bus-port", PORT, 0),
    Parameter("cluster-announce-hostname", String(unset=True, valid=valid_hostname), ""),
    Parameter("cluster-announce-human-nodename", String(unset=True, valid=valid_node_name), ""),
    Parameter("cluster-announce-ip", OPTIONAL, ""),
    Parameter("cluster-announce-port", PORT, 0),
    Parameter("cluster-announce-tls-port", PORT, 0),
    Parameter("cluster-config-file", TEXT, "nodes.conf", IMMUTABLE),
    Parameter("cluster-enabled", YES_NO, False, IMMUTABLE),
    Parameter("cluster-link-sendbuf-limit", Memory(0, ULONG_MAX, unsigned=True), 0),
    Parameter("cluster-migration-barrier", NATURAL, 1),
    Parameter("cluster-node-timeout", LONG, 15000),
    Parameter("cluster-ping-interval", LONG, 0, HIDDEN),
    Parameter("cluster-port", PORT, 0, IMMUTABLE),
    Parameter("cluster-preferred-endpoint-type", Enum(EndpointType), "ip"),
    Parameter("cluster-replica-no-failover", YES_NO, False, alias="cluster-slave-no-failover"),
    Parameter("cluster-replica-validity-factor", NATURAL, 10, alias="cluster-slave-validity-factor"),
    Parameter("cluster-require-full-coverage", YES_NO, True),
    # --- our own: hidden, so that CONFIG GET * answers as Redis does ------------------------------
    Parameter("background-save", Enum(BackgroundSave), "auto", HIDDEN),
    Parameter("backup-dir", OPTIONAL, "", PROTECTED | HIDDEN),
    Parameter("backup-name", String(unset=True, valid=valid_backup_name), "", HIDDEN),
    Parameter("backup-retention-days", NATURAL, 7, HIDDEN),
    Parameter("backup-schedule", String(valid=valid_schedule), "daily", HIDDEN),
    Parameter("backup-url", String(unset=True, valid=valid_backup_url), "", PROTECTED | SENSITIVE | HIDDEN),
    Parameter("event-loop", Enum(EventLoop), "auto", IMMUTABLE | HIDDEN),
    Parameter("log-format", Enum(LogFormat), "plain", HIDDEN),
    Parameter("metrics-bind", Bind(), (), HIDDEN),
    Parameter("metrics-port", PORT, 0, HIDDEN),
    Parameter("operator-password", SECRET, b"", SENSITIVE | HIDDEN),
    Parameter("operator-user", SECRET, b"operator", IMMUTABLE | HIDDEN),
    Parameter("rdb-version", Integer(9, 11), 11, HIDDEN),
    Parameter("replication-password", SECRET, b"", SENSITIVE | HIDDEN),
    Parameter("replication-user", SECRET, b"replication", IMMUTABLE | HIDDEN),
    Parameter("rights-profile", Enum(RightsProfile), "none", IMMUTABLE | HIDDEN),
)

DEPRECATED = frozenset({b"list-max-ziplist-entries", b"list-max-ziplist-value", b"lua-replicate-commands"})
"""Accepted in a configuration file with one value, and ignored."""


def _by_name() -> dict[bytes, AnyParameter]:
    names = {}
    for parameter in PARAMETERS:
        names[parameter.name.encode()] = parameter
        if parameter.alias is not None:
            names[parameter.alias.encode()] = parameter
    return names


BY_NAME = _by_name()
"""Parameters by lower-case name and alias."""
