"""The values of all directives as typed attributes."""

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
from .special import OutputLimits, SavePoint


class Settings:
    """One attribute per parameter, named like it with ``_`` for ``-``; parameters.py has the defaults.

    Text of which the file system, sockets or ssl are the users is ``str``, secrets that go over the wire
    are ``bytes``; what is absent is empty.  Sizes are bytes; units of time are the directive's.
    """

    # network and clients
    bind: tuple[str, ...]
    bind_source_addr: str
    client_output_buffer_limit: OutputLimits
    client_query_buffer_limit: int
    io_threads: int
    io_threads_do_reads: bool
    maxclients: int
    maxmemory_clients: int
    port: int
    protected_mode: bool
    proto_max_bulk_len: int
    socket_mark_id: int
    tcp_backlog: int
    tcp_keepalive: int
    timeout: int
    tracking_table_max_keys: int
    unixsocket: str
    unixsocketperm: int

    # TLS
    tls_auth_clients: TlsAuthClients
    tls_ca_cert_dir: str
    tls_ca_cert_file: str
    tls_cert_file: str
    tls_ciphers: str
    tls_ciphersuites: str
    tls_client_cert_file: str
    tls_client_key_file: str
    tls_client_key_file_pass: str
    tls_cluster: bool
    tls_dh_params_file: str
    tls_key_file: str
    tls_key_file_pass: str
    tls_port: int
    tls_prefer_server_ciphers: bool
    tls_protocols: str
    tls_replication: bool
    tls_session_cache_size: int
    tls_session_cache_timeout: int
    tls_session_caching: bool

    # users and protection
    acl_pubsub_default: PubsubDefault
    aclfile: str
    acllog_max_len: int
    enable_debug_command: ProtectedAction
    enable_module_command: ProtectedAction
    enable_protected_configs: ProtectedAction
    requirepass: bytes

    # the process
    always_show_logo: bool
    aof_rewrite_cpulist: str
    bgsave_cpulist: str
    bio_cpulist: str
    daemonize: bool
    databases: int
    disable_thp: bool
    dynamic_hz: bool
    hz: int
    ignore_warnings: str
    locale_collate: str
    logfile: str
    loglevel: LogLevel
    oom_score_adj: OomScoreAdj
    oom_score_adj_values: tuple[int, int, int]
    pidfile: str
    proc_title_template: str
    server_cpulist: str
    set_proc_title: bool
    shutdown_on_sigint: frozenset[ShutdownFlag]
    shutdown_on_sigterm: frozenset[ShutdownFlag]
    shutdown_timeout: int
    supervised: Supervised
    syslog_enabled: bool
    syslog_facility: SyslogFacility
    syslog_ident: str

    # RDB and AOF
    aof_disable_auto_gc: bool
    aof_load_truncated: bool
    aof_rewrite_incremental_fsync: bool
    aof_timestamp_enabled: bool
    aof_use_rdb_preamble: bool
    appenddirname: str
    appendfilename: str
    appendfsync: AppendFsync
    appendonly: bool
    auto_aof_rewrite_min_size: int
    auto_aof_rewrite_percentage: int
    dbfilename: str
    dir: str
    key_load_delay: int
    loading_process_events_interval_bytes: int
    no_appendfsync_on_rewrite: bool
    rdb_del_sync_files: bool
    rdb_key_save_delay: int
    rdb_save_incremental_fsync: bool
    rdbchecksum: bool
    rdbcompression: bool
    sanitize_dump_payload: SanitizeDumpPayload
    save: tuple[SavePoint, ...]
    stop_writes_on_bgsave_error: bool

    # replication
    masterauth: bytes
    masteruser: bytes
    min_replicas_max_lag: int
    min_replicas_to_write: int
    propagation_error_behavior: PropagationErrorBehavior
    repl_backlog_size: int
    repl_backlog_ttl: int
    repl_disable_tcp_nodelay: bool
    repl_diskless_load: DisklessLoad
    repl_diskless_sync: bool
    repl_diskless_sync_delay: int
    repl_diskless_sync_max_replicas: int
    repl_ping_replica_period: int
    repl_timeout: int
    replica_announce_ip: str
    replica_announce_port: int
    replica_announced: bool
    replica_ignore_disk_write_errors: bool
    replica_ignore_maxmemory: bool
    replica_lazy_flush: bool
    replica_priority: int
    replica_read_only: bool
    replica_serve_stale_data: bool
    replicaof: tuple[str, int] | None

    # memory, eviction and expiry
    active_defrag_cycle_max: int
    active_defrag_cycle_min: int
    active_defrag_ignore_bytes: int
    active_defrag_max_scan_fields: int
    active_defrag_threshold_lower: int
    active_defrag_threshold_upper: int
    active_expire_effort: int
    activedefrag: bool
    activerehashing: bool
    jemalloc_bg_thread: bool
    lazyfree_lazy_eviction: bool
    lazyfree_lazy_expire: bool
    lazyfree_lazy_server_del: bool
    lazyfree_lazy_user_del: bool
    lazyfree_lazy_user_flush: bool
    lfu_decay_time: int
    lfu_log_factor: int
    maxmemory: int
    maxmemory_eviction_tenacity: int
    maxmemory_policy: MaxmemoryPolicy
    maxmemory_samples: int

    # encodings of values
    hash_max_listpack_entries: int
    hash_max_listpack_value: int
    hll_sparse_max_bytes: int
    list_compress_depth: int
    list_max_listpack_size: int
    set_max_intset_entries: int
    set_max_listpack_entries: int
    set_max_listpack_value: int
    stream_node_max_bytes: int
    stream_node_max_entries: int
    zset_max_listpack_entries: int
    zset_max_listpack_value: int

    # monitoring
    busy_reply_threshold: int
    crash_log_enabled: bool
    crash_memcheck_enabled: bool
    latency_monitor_threshold: int
    latency_tracking: bool
    latency_tracking_info_percentiles: tuple[float, ...]
    notify_keyspace_events: int
    slowlog_log_slower_than: int
    slowlog_max_len: int
    use_exit_on_panic: bool
    watchdog_period: int

    # cluster
    cluster_allow_pubsubshard_when_down: bool
    cluster_allow_reads_when_down: bool
    cluster_allow_replica_migration: bool
    cluster_announce_bus_port: int
    cluster_announce_hostname: str
    cluster_announce_human_nodename: str
    cluster_announce_ip: str
    cluster_announce_port: int
    cluster_announce_tls_port: int
    cluster_config_file: str
    cluster_enabled: bool
    cluster_link_sendbuf_limit: int
    cluster_migration_barrier: int
    cluster_node_timeout: int
    cluster_ping_interval: int
    cluster_port: int
    cluster_preferred_endpoint_type: EndpointType
    cluster_replica_no_failover: bool
    cluster_replica_validity_factor: int
    cluster_require_full_coverage: bool

    # our own
    background_save: BackgroundSave
    backup_dir: str
    backup_name: str
    backup_retention_days: int
    backup_schedule: str
    backup_url: str
    event_loop: EventLoop
    log_format: LogFormat
    metrics_bind: tuple[str, ...]
    metrics_port: int
    operator_password: bytes
    operator_user: bytes
    rdb_version: int
    replication_password: bytes
    replication_user: bytes
    rights_profile: RightsProfile

    __slots__ = tuple(__annotations__)
