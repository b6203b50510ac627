"""Error replies of geo."""

from __future__ import annotations

from .base import CommandError


class InvalidPosition(CommandError):
    def __init__(self, longitude: float, latitude: float) -> None:
        super().__init__(f"invalid longitude,latitude pair {longitude:f},{latitude:f}")


class UnknownUnit(CommandError):
    message = "unsupported unit provided. please use M, KM, FT, MI"


class RadiusNotNumeric(CommandError):
    message = "need numeric radius"


class NegativeRadius(CommandError):
    message = "radius cannot be negative"


class WidthNotNumeric(CommandError):
    message = "need numeric width"


class HeightNotNumeric(CommandError):
    message = "need numeric height"


class NegativeBox(CommandError):
    message = "height or width cannot be negative"


class UndecodableMember(CommandError):
    message = "could not decode requested zset member"


class GeoCountNotPositive(CommandError):
    message = "COUNT must be > 0"


class StoreWithDetails(CommandError):
    """*what*: ``GEOSEARCHSTORE`` or ``STORE option in GEORADIUS``."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")


class GeoCentreMissing(CommandError):
    """*name* as the caller wrote it."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"exactly one of FROMMEMBER or FROMLONLAT can be specified for %b" % name)


class GeoShapeMissing(CommandError):
    """*name* as the caller wrote it."""

    def __init__(self, name: bytes) -> None:
        super().__init__(b"exactly one of BYRADIUS and BYBOX can be specified for %b" % name)


class AnyWithoutCount(CommandError):
    message = "the ANY argument requires COUNT argument"
