"""The words of the enumerated directives, in the order in which Redis lists them in errors.

Each alias is both the type of the attribute in Config and, through ``get_args``, the words accepted.
"""

from __future__ import annotations

from typing import Literal

MaxmemoryPolicy = Literal[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
]
SyslogFacility = Literal["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]
LogLevel = Literal["debug", "verbose", "notice", "warning", "nothing"]
Supervised = Literal["upstart", "systemd", "auto", "no"]
AppendFsync = Literal["everysec", "always", "no"]
ShutdownFlag = Literal["default", "save", "nosave", "now", "force"]
DisklessLoad = Literal["disabled", "on-empty-db", "swapdb"]
TlsAuthClients = Literal["no", "yes", "optional"]
OomScoreAdj = Literal["no", "yes", "relative", "absolute"]
PubsubDefault = Literal["allchannels", "resetchannels"]
SanitizeDumpPayload = Literal["no", "yes", "clients"]
ProtectedAction = Literal["no", "yes", "local"]
EndpointType = Literal["ip", "hostname", "unknown-endpoint"]
PropagationErrorBehavior = Literal["ignore", "panic", "panic-on-replicas"]
EventLoop = Literal["auto", "uvloop", "asyncio"]
BackgroundSave = Literal["auto", "fork", "slices"]
LogFormat = Literal["plain", "json"]
RightsProfile = Literal["none", "managed", "aiven", "azure", "clevercloud", "elasticache", "memorystore", "oci"]
