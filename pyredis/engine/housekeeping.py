"""What a server does besides commands: periodic tasks, and configuration that takes effect (server.c serverCron)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..datatypes.encodings import Thresholds
from ..errors import ConfigRefused
from ..keyspace.expiry import active_cycle
from ..util.collation import is_locale
from .dispatch import settle_turn
from .log import LEVELS

if TYPE_CHECKING:
    from .server import Server


FEWEST_PACKED: Final = 128  # in a turn
MOST_PACKED: Final = 512


def install(server: Server) -> None:
    """Register the periodic tasks and the hooks of directives that the core owns, and apply these once."""
    server.cron.every(0, lambda server: server.shutdown.poll())
    server.expire_more = lambda: expire_more(server)
    server.cron.every(0, expire_keys)
    server.cron.every(100, pack_values)
    server.cron.every(0, server.upkeep.turn)
    server.cron.every(100, fold_statistics)
    server.cron.every(0, server.collector.turn)
    server.cron.every(0, server.collector.report)
    for name in Thresholds.__slots__:
        if hasattr(server.config, name):
            server.config.on_change(name.replace("_", "-"), lambda: apply_thresholds(server))
    server.config.on_change("notify-keyspace-events", lambda: apply_notifications(server))
    server.config.on_change("locale-collate", lambda: check_locale(server))
    server.config.on_change("loglevel", lambda: setattr(server.log, "level", LEVELS[server.config.loglevel]))
    server.config.on_change("log-format", lambda: apply_log_format(server))
    server.config.on_change("slowlog-log-slower-than", server.apply_slow_thresholds)
    server.config.on_change("latency-monitor-threshold", server.apply_slow_thresholds)
    server.config.on_change("proto-max-bulk-len", lambda: apply_longest_bulk(server))
    server.config.on_change("requirepass", lambda: server.acl.set_default_password(server.config.requirepass))
    if server.config.requirepass:
        server.acl.set_default_password(server.config.requirepass)
    apply_thresholds(server)
    apply_notifications(server)
    apply_log_format(server)
    server.apply_slow_thresholds()


def pack_values(server: Server) -> None:
    """Pack some of what commands have unpacked, at most 1 ms a turn; no pages change that a child shares."""
    if server.persistence is not None and server.persistence.children.active:
        return
    for db in server.databases:
        if db.unpacked:
            db.pack_some(max(FEWEST_PACKED, min(MOST_PACKED, len(db.unpacked) >> 6)))


def apply_thresholds(server: Server) -> None:
    """Hand the encoding limits of the configuration to the data types."""
    for name in Thresholds.__slots__:
        if hasattr(server.config, name):
            setattr(server.thresholds, name, getattr(server.config, name))


def apply_notifications(server: Server) -> None:
    """``notify-keyspace-events``."""
    server.notifications.select(server.config.notify_keyspace_events)


def apply_log_format(server: Server) -> None:
    """``log-format``."""
    server.log.structured = server.config.log_format == "json"


def check_locale(server: Server) -> None:
    """``locale-collate``: SORT asks for it by name, so it has to be one."""
    if not is_locale(server.config.locale_collate):
        raise ConfigRefused("Invalid locale name")


def expire_keys(server: Server) -> None:
    """The slow cycle of active expiry."""
    if server.active_expire and not server.expires_paused and not server.loading:
        started = server.clock.monotonic_ns()
        active_cycle(server, False)
        server.latency.add("expire-cycle", server.clock.monotonic_ns() - started)
        settle_turn(server)
        behind, hooks = server.expire_cycle.timed_out, server.before_sleep
        if behind is not (server.expire_more in hooks):
            (hooks.append if behind else hooks.remove)(server.expire_more)


def expire_more(server: Server) -> None:
    """The fast cycle, at the end of each turn of the loop: plugged in while the slow one cannot keep up."""
    if server.active_expire and not server.expires_paused and not server.loading:
        active_cycle(server, True)
        settle_turn(server)


def fold_statistics(server: Server) -> None:
    """Keep the lists of raw durations short."""
    server.stats.fold()
    server.stats.sample()


def apply_longest_bulk(server: Server) -> None:
    """``proto-max-bulk-len``."""
    for client in server.clients.values():
        client.parser.max_bulk = server.config.proto_max_bulk_len
