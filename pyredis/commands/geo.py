"""Geographic positions in sorted sets (geo.c).  ``datatypes.geohash`` has the arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from ..datatypes import geohash
from ..datatypes.geohash import Found
from ..datatypes.partialsort import smallest
from ..datatypes.zsets import SortedSet
from ..errors import (
    AnyWithoutCount,
    CommandError,
    GeoCentreMissing,
    GeoCountNotPositive,
    GeoShapeMissing,
    HeightNotNumeric,
    InvalidPosition,
    InvalidSyntax,
    NegativeBox,
    NegativeRadius,
    NotFloat,
    RadiusNotNumeric,
    StoreWithDetails,
    UndecodableMember,
    UnknownUnit,
    WidthNotNumeric,
)
from ..registry.command import Argv, Reply, command
from ..registry.flags import ACCESS, DENYOOM, OW, READONLY, RO, RW, UPDATE, WRITE
from ..registry.keyspecs import after, at
from ..resp.encode import EMPTY_ARRAY, array_header, array_of, array_of_bulks, bulk, integer
from ..util.numbers import format_fixed, format_human, parse_float, parse_int
from .zsets.ranges import store
from .zsets.scores import zadd

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..resp.wire import Wire

_UNITS: Final = {b"M": 1.0, b"KM": 1000.0, b"FT": 0.3048, b"MI": 1609.34}
_SETTINGS: Final = {
    b"WITHDIST": "with_distance",
    b"WITHHASH": "with_hash",
    b"WITHCOORD": "with_position",
    b"ANY": "any",
    b"ASC": "ascending",
    b"DESC": "descending",
}
_nearness: Final = itemgetter(0)


def _farness(point: Found) -> float:
    return -point[0]


# --- positions ------------------------------------------------------------------------------------


@command("GEOADD", arity=-5, flags=WRITE | DENYOOM, keys=at(1, RW | UPDATE), acl="geo")
def geoadd(client: Client, argv: Argv) -> Reply:
    """GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]"""
    first = 2
    while first < len(argv) and argv[first].upper() in (b"NX", b"XX", b"CH"):
        first += 1
    options = {option.upper() for option in argv[2:first]}
    if (len(argv) - first) % 3 or {b"NX", b"XX"} <= options:
        raise InvalidSyntax
    words = [b"ZADD", *argv[1:first]]
    for position in range(first, len(argv), 3):
        words += (b"%d" % geohash.encode(*_position(argv, position)), argv[position + 2])
    server = client.server
    dirty = server.dirty
    reply = zadd(client, words)
    if server.dirty != dirty:
        client.propagate(*words)
    return reply


@command("GEOPOS", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS), acl="geo")
def geopos(client: Client, argv: Argv) -> Reply:
    """GEOPOS key [member [member ...]]"""
    wire = client.wire
    return _for_members(client, argv, wire.null_array, lambda score: _position_reply(wire, *geohash.decode(score)))


@command("GEOHASH", arity=-2, flags=READONLY, keys=at(1, RO | ACCESS), acl="geo")
def geohash_(client: Client, argv: Argv) -> Reply:
    """GEOHASH key [member [member ...]]"""
    return _for_members(client, argv, client.wire.null, lambda score: bulk(geohash.text(score)))


def _for_members(client: Client, argv: Argv, missing: bytes, reply: Callable[[float], bytes]) -> bytes:
    found = client.db.read(argv[1], SortedSet)
    scores = {} if found is None else found.scores
    replies = [missing if (score := scores.get(member)) is None else reply(score) for member in argv[2:]]
    return array_of(replies)


@command("GEODIST", arity=-4, flags=READONLY, keys=at(1, RO | ACCESS), acl="geo")
def geodist(client: Client, argv: Argv) -> Reply:
    """GEODIST key member1 member2 [M | KM | FT | MI]"""
    metres = 1.0
    if len(argv) == 5:
        metres = _unit(argv[4])
    elif len(argv) > 5:
        raise InvalidSyntax
    found = client.db.read(argv[1], SortedSet)
    if found is None:
        return client.wire.null
    one, other = found.scores.get(argv[2]), found.scores.get(argv[3])
    if one is None or other is None:
        return client.wire.null
    return _distance_reply(geohash.distance(*geohash.decode(one), *geohash.decode(other)) / metres)


def _position(argv: Argv, at_longitude: int) -> tuple[float, float]:
    """Longitude and latitude at argv[at_longitude] and after it.  Raises NotFloat, InvalidPosition"""
    longitude, latitude = parse_float(argv[at_longitude]), parse_float(argv[at_longitude + 1])
    if not geohash.is_valid(longitude, latitude):
        raise InvalidPosition(longitude, latitude)
    return longitude, latitude


def _unit(text: bytes) -> float:
    """Metres in the unit *text*."""
    metres = _UNITS.get(text.upper())
    if metres is None:
        raise UnknownUnit
    return metres


def _size(text: bytes, refusal: type[CommandError]) -> float:
    try:
        return parse_float(text)
    except NotFloat:
        raise refusal from None


def _position_reply(wire: Wire, longitude: float, latitude: float) -> bytes:
    x, y = wire.human_double(format_human(longitude)), wire.human_double(format_human(latitude))
    return b"*2\r\n%b%b" % (x, y)


def _distance_reply(distance: float) -> bytes:
    return bulk(format_fixed(distance, 4))


# --- searching ------------------------------------------------------------------------------------


class _Search:
    """What to search a sorted set for, and what to do with what is found (georadiusGeneric)."""

    centre: tuple[float, float] | None = None
    metres = 1.0
    boxed = False
    shape: tuple[float, ...] = ()
    """The radius, or width and height, and the metres in a unit."""
    with_distance = False
    with_hash = False
    with_position = False
    ascending = False
    descending = False
    count = 0
    any = False
    store_key: bytes | None = None
    store_distance = False

    def set_circle(self, argv: Argv, position: int) -> None:
        """Take ``radius unit`` at argv[position]."""
        radius = _size(argv[position], RadiusNotNumeric)
        if radius < 0:
            raise NegativeRadius
        self.metres = _unit(argv[position + 1])
        self.shape = (radius, self.metres)

    def set_box(self, argv: Argv, position: int) -> None:
        """Take ``width height unit`` at argv[position]."""
        width = _size(argv[position], WidthNotNumeric)
        height = _size(argv[position + 1], HeightNotNumeric)
        if width < 0 or height < 0:
            raise NegativeBox
        self.metres = _unit(argv[position + 2])
        self.shape = (width, height, self.metres)
        self.boxed = True

    def take_common(self, option: bytes, argv: Argv, position: int) -> int:
        """Take the *option* at argv[position] if all searches know it; how many words it took, 0 if none."""
        if option == b"COUNT" and position + 1 < len(argv):
            self.count = parse_int(argv[position + 1])
            if self.count <= 0:
                raise GeoCountNotPositive
            return 2
        setting = _SETTINGS.get(option)
        if setting is None:
            return 0
        setattr(self, setting, True)
        if option == b"ASC":
            self.descending = False
        elif option == b"DESC":
            self.ascending = False
        return 1

    def refuse_details(self, what: str) -> None:
        """Details of points cannot be stored."""
        if self.store_key is not None and (self.with_distance or self.with_hash or self.with_position):
            raise StoreWithDetails(what)

    def find(self, points: SortedSet) -> list[Found]:
        """The points inside, in order, at most ``count``."""
        assert self.centre is not None
        area = (geohash.box if self.boxed else geohash.circle)(*self.centre, *self.shape)
        found = area.search(points.order.between, self.count if self.any else 0)
        count = self.count or len(found)
        ascending = self.ascending or (self.count and not self.any and not self.descending)
        if count < len(found) and (ascending or self.descending):
            return smallest(found, _nearness if ascending else _farness, count)
        if ascending or self.descending:
            found.sort(key=_nearness, reverse=self.descending)
        return found[:count]


def _finish(client: Client, search: _Search, points: SortedSet | None, event: bytes) -> Reply:
    """Search *points*, then answer or store what was found."""
    if search.any and not search.count:
        raise AnyWithoutCount
    if search.store_key is not None:
        scores = {}
        if points is not None:
            metres = search.metres
            for distance, member, score, _, _ in search.find(points):
                scores[member] = distance / metres if search.store_distance else score
        result = SortedSet.from_scores(scores, client.server.thresholds) if scores else None
        return store(client, search.store_key, result, event)
    if points is None:
        return EMPTY_ARRAY
    found = search.find(points)
    if not (search.with_distance or search.with_hash or search.with_position):
        return array_of_bulks([entry[1] for entry in found])
    return array_header(len(found)) + b"".join(_details(client.wire, search, found))


def _details(wire: Wire, search: _Search, found: Iterable[Found]) -> list[bytes]:
    """A nested array for each point: member, distance, hash, position."""
    metres = search.metres
    head = b"*%d\r\n" % (1 + search.with_distance + search.with_hash + search.with_position)
    replies = []
    for distance, member, score, longitude, latitude in found:
        parts = [head, bulk(member)]
        if search.with_distance:
            parts.append(_distance_reply(distance / metres))
        if search.with_hash:
            parts.append(integer(int(score)))
        if search.with_position:
            parts.append(_position_reply(wire, longitude, latitude))
        replies.append(b"".join(parts))
    return replies


def _centre_of(points: SortedSet, member: bytes) -> tuple[float, float]:
    score = points.scores.get(member)
    if score is None:
        raise UndecodableMember
    return geohash.decode(score)


# --- GEORADIUS ------------------------------------------------------------------------------------


@command(
    "GEORADIUS", arity=-6, flags=WRITE | DENYOOM, acl="geo",
    keys=(
        at(1, RO | ACCESS),
        after("STORE", OW | UPDATE, start_from=6),
        after("STOREDIST", OW | UPDATE, start_from=6),
    ),
)  # fmt: skip
def georadius(client: Client, argv: Argv) -> Reply:
    """GEORADIUS key longitude latitude radius unit [WITH...] [COUNT n [ANY]] [ASC | DESC] [STORE | STOREDIST key]"""
    return _by_position(client, argv, stores=True)


@command("GEORADIUS_RO", arity=-6, flags=READONLY, keys=at(1, RO | ACCESS), acl="geo")
def georadius_ro(client: Client, argv: Argv) -> Reply:
    """GEORADIUS_RO key longitude latitude radius unit [WITH...] [COUNT n [ANY]] [ASC | DESC]"""
    return _by_position(client, argv, stores=False)


@command(
    "GEORADIUSBYMEMBER", arity=-5, flags=WRITE | DENYOOM, acl="geo",
    keys=(
        at(1, RO | ACCESS),
        after("STORE", OW | UPDATE, start_from=5),
        after("STOREDIST", OW | UPDATE, start_from=5),
    ),
)  # fmt: skip
def georadiusbymember(client: Client, argv: Argv) -> Reply:
    """GEORADIUSBYMEMBER key member radius unit [WITH...] [COUNT n [ANY]] [ASC | DESC] [STORE | STOREDIST key]"""
    return _by_member(client, argv, stores=True)


@command("GEORADIUSBYMEMBER_RO", arity=-5, flags=READONLY, keys=at(1, RO | ACCESS), acl="geo")
def georadiusbymember_ro(client: Client, argv: Argv) -> Reply:
    """GEORADIUSBYMEMBER_RO key member radius unit [WITH...] [COUNT n [ANY]] [ASC | DESC]"""
    return _by_member(client, argv, stores=False)


def _by_position(client: Client, argv: Argv, *, stores: bool) -> Reply:
    points = client.db.read(argv[1], SortedSet)
    search = _Search()
    search.centre = _position(argv, 2)
    search.set_circle(argv, 4)
    _parse_radius_options(search, argv, 6, stores=stores)
    return _finish(client, search, points, b"georadiusstore")


def _by_member(client: Client, argv: Argv, *, stores: bool) -> Reply:
    points = client.db.read(argv[1], SortedSet)
    search = _Search()
    if points is not None:
        search.centre = _centre_of(points, argv[2])
        search.set_circle(argv, 3)
    _parse_radius_options(search, argv, 5, stores=stores)
    return _finish(client, search, points, b"georadiusstore")


def _parse_radius_options(search: _Search, argv: Argv, position: int, *, stores: bool) -> None:
    while position < len(argv):
        option = argv[position].upper()
        taken = search.take_common(option, argv, position)
        if not taken:
            if not stores or option not in (b"STORE", b"STOREDIST") or position + 1 == len(argv):
                raise InvalidSyntax
            search.store_key, search.store_distance = argv[position + 1], option == b"STOREDIST"
            taken = 2
        position += taken
    search.refuse_details("STORE option in GEORADIUS")


# --- GEOSEARCH ------------------------------------------------------------------------------------


@command("GEOSEARCH", arity=-7, flags=READONLY, keys=at(1, RO | ACCESS), acl="geo")
def geosearch(client: Client, argv: Argv) -> Reply:
    """GEOSEARCH key FROMMEMBER member | FROMLONLAT lon lat BYRADIUS r unit | BYBOX w h unit [ASC | DESC] [...]"""
    points = client.db.read(argv[1], SortedSet)
    search = _Search()
    _parse_search_options(search, points, argv, 2, stores=False)
    return _finish(client, search, points, b"geosearchstore")


@command("GEOSEARCHSTORE", arity=-8, flags=WRITE | DENYOOM, keys=(at(1, OW | UPDATE), at(2, RO | ACCESS)), acl="geo")
def geosearchstore(client: Client, argv: Argv) -> Reply:
    """GEOSEARCHSTORE destination source FROMMEMBER ... | FROMLONLAT ... BYRADIUS ... | BYBOX ... [...] [STOREDIST]"""
    points = client.db.read(argv[2], SortedSet)
    search = _Search()
    search.store_key = argv[1]
    _parse_search_options(search, points, argv, 3, stores=True)
    return _finish(client, search, points, b"geosearchstore")


def _parse_search_options(
    search: _Search, points: SortedSet | None, argv: Argv, position: int, *, stores: bool
) -> None:
    by_member = by_position = False
    size = len(argv)
    while position < size:
        option = argv[position].upper()
        if option == b"FROMLONLAT" and position + 2 < size and not by_member:
            search.centre = _position(argv, position + 1)
            by_position = True
            position += 3
        elif option == b"BYRADIUS" and position + 2 < size and not search.boxed:
            search.set_circle(argv, position + 1)
            position += 3
        elif option == b"FROMMEMBER" and position + 1 < size and not by_position:
            if points is not None:
                search.centre = _centre_of(points, argv[position + 1])
            by_member = True
            position += 2
        elif option == b"BYBOX" and position + 3 < size and (search.boxed or not search.shape):
            search.set_box(argv, position + 1)
            position += 4
        elif option == b"STOREDIST" and stores:
            search.store_distance = True
            position += 1
        else:
            taken = search.take_common(option, argv, position)
            if not taken:
                raise InvalidSyntax
            position += taken
    search.refuse_details("GEOSEARCHSTORE")
    if not (by_member or by_position):
        raise GeoCentreMissing(argv[0])
    if not search.shape:
        raise GeoShapeMissing(argv[0])
