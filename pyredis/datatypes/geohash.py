"""Geographic positions as 52-bit geohashes, the scores of a sorted set (``redis:src/geohash*.c``, ``geo.c``).

A hash interleaves 26 bits of latitude (even bits) and 26 of longitude (odd bits).  Every double is computed
with Redis's constants in Redis's order of operations: distances and positions agree to the last digit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import asin, ceil, cos, fabs, floor, isfinite, nan, pi, sin, sqrt
from typing import Final

Between = Callable[[float, float], tuple[Sequence[float], list[bytes]]]
Found = tuple[float, bytes, float, float, float]
"""Distance from the centre in metres, member, score, longitude, latitude."""

LATITUDE_MAX: Final = 85.05112878
LONGITUDE_MAX: Final = 180.0

_STEP_MAX: Final = 26
_CELLS: Final = 1 << _STEP_MAX
_LATITUDE_SPAN: Final = LATITUDE_MAX - -LATITUDE_MAX
_LONGITUDE_SPAN: Final = 360.0
_LATITUDE_UNIT: Final = _LATITUDE_SPAN / _CELLS
_LONGITUDE_UNIT: Final = _LONGITUDE_SPAN / _CELLS
_RADIAN: Final = pi / 180.0
_EARTH: Final = 6372797.560856  # radius in metres
_DIAMETER: Final = 2.0 * _EARTH
_MERCATOR_MAX: Final = 20037726.37
_ALPHABET: Final = b"0123456789bcdefghjkmnpqrstuvwxyz"

_EVEN: Final = 0x5555555555555555
_ODD: Final = 0xAAAAAAAAAAAAAAAA
_MASK32: Final = (1 << 32) - 1
_MASK64: Final = (1 << 64) - 1
_2_63: Final = 2.0**63
_2_64: Final = 2.0**64
_ANYWHERE: Final = (0, _ODD, 0, _EVEN)
_MANY: Final = 96  # points up to which a cell is searched one by one

# The bits of a byte spread to the even bits of 16; the even and odd bits of a hexadecimal digit as a digit of
# base 4, since int(digits, 4) takes an interleaved number apart faster than masks and shifts.
_SPREAD: Final = tuple(int(f"{byte:b}", 4) for byte in range(256))
_DIGITS: Final = b"0123456789abcdef"
_EVEN_DIGITS: Final = bytes.maketrans(_DIGITS, bytes(48 + (d & 1 | d >> 1 & 2) for d in range(16)))
_ODD_DIGITS: Final = bytes.maketrans(_DIGITS, bytes(48 + (d >> 1 & 1 | d >> 2 & 2) for d in range(16)))


def is_valid(longitude: float, latitude: float) -> bool:
    """Whether a position can be encoded: the poles cannot."""
    return -LONGITUDE_MAX <= longitude <= LONGITUDE_MAX and -LATITUDE_MAX <= latitude <= LATITUDE_MAX


def encode(longitude: float, latitude: float) -> int:
    """The 52-bit geohash of a valid position."""
    x, y = _cell(longitude, latitude, _STEP_MAX)
    return _spread(x) << 1 | _spread(y)


def decode(score: float) -> tuple[float, float]:
    """Longitude and latitude of the centre of the cell *score*; any score gives some position."""
    if 0.0 <= score < _2_64:
        bits = int(score)
    else:
        # A double outside the range of its integer becomes what the usual processors make of it.
        bits = 0 if score > 0.0 else int(score) & _MASK64 if score >= -_2_63 else 1 << 63
    return _centre(bits)[:2]


@lru_cache(maxsize=8192)  # searches mostly look where others have looked before: 0.1 us instead of 1.2
def _centre(bits: int) -> tuple[float, float, float, float, float]:
    """Longitude and latitude of the centre of a cell, both in radians, and the cosine of the latitude."""
    digits = b"%x" % bits
    x = int(digits.translate(_ODD_DIGITS), 4)
    y = int(digits.translate(_EVEN_DIGITS), 4)
    low, high = x * _LONGITUDE_UNIT, (x + 1 & _MASK32) * _LONGITUDE_UNIT
    longitude = min((-LONGITUDE_MAX + low + (-LONGITUDE_MAX + high)) / 2.0, LONGITUDE_MAX)
    low, high = y * _LATITUDE_UNIT, (y + 1 & _MASK32) * _LATITUDE_UNIT
    latitude = min((-LATITUDE_MAX + low + (-LATITUDE_MAX + high)) / 2.0, LATITUDE_MAX)
    radians = latitude * _RADIAN
    return longitude, latitude, longitude * _RADIAN, radians, cos(radians)


def text(score: float) -> bytes:
    """The standard geohash of *score*, 11 characters of which the last is always 0."""
    longitude, latitude = decode(score)
    x, y = _cell(longitude, latitude, _STEP_MAX, -90.0, 180.0)
    bits = _spread(x) << 1 | _spread(y)
    return bytes([_ALPHABET[bits >> shift & 31] for shift in range(47, 1, -5)]) + b"0"


def distance(longitude1: float, latitude1: float, longitude2: float, latitude2: float) -> float:
    """Great-circle distance in metres (haversine)."""
    v = sin((longitude2 * _RADIAN - longitude1 * _RADIAN) / 2.0)
    if v == 0.0:
        return _EARTH * fabs(latitude2 * _RADIAN - latitude1 * _RADIAN)
    lat1, lat2 = latitude1 * _RADIAN, latitude2 * _RADIAN
    u = sin((lat2 - lat1) / 2.0)
    return _DIAMETER * asin(sqrt(u * u + cos(lat1) * cos(lat2) * v * v))


class Area:
    """Points around a position, to be searched for in a sorted set of geohashes."""

    __slots__ = ("_window", "latitude", "longitude", "ranges")

    def __init__(self, longitude: float, latitude: float, width: float, height: float, reach: float) -> None:
        """*width* and *height* of one half, and the farthest a point inside can be, in metres."""
        self.longitude = longitude
        self.latitude = latitude
        self.ranges = _ranges(longitude, latitude, width, height, reach)
        """Ranges of scores, in the order Redis searches them, that hold every point inside."""
        self._window = _ANYWHERE

    def search(self, between: Between, limit: int = 0) -> list[Found]:
        """The points inside, in Redis's order, at most *limit* (0: all).

        *between* returns scores and members from one score up to, not including, another one.
        """
        found: list[Found] = []
        few_scores: list[float] = []
        few_members: list[bytes] = []
        for start, stop in self.ranges:
            scores, members = between(start, stop)
            if len(members) <= _MANY:
                few_scores += scores
                few_members += members
                continue
            self._scan(few_scores, few_members, found, limit)
            few_scores, few_members = [], []
            if limit and len(found) >= limit:
                return found
            self._divide(int(start), int(stop), scores, members, found, limit)
            if limit and len(found) >= limit:
                return found
        self._scan(few_scores, few_members, found, limit)
        return found

    def _divide(
        self, start: int, stop: int, scores: Sequence[float], members: list[bytes], found: list[Found], limit: int
    ) -> None:
        """Append those points of the cell from *start* to *stop* that lie inside.

        A cell with many points is taken quarter by quarter, in the same order, without the quarters outside.
        """
        if len(members) <= _MANY or stop - start < 4 or self._window is _ANYWHERE:
            self._scan(scores, members, found, limit)
            return
        low_x, high_x, low_y, high_y = self._window
        quarter = (stop - start) >> 2
        for first in range(start, stop, quarter):
            last = first + quarter - 1
            if first & _ODD <= high_x and last & _ODD >= low_x and first & _EVEN <= high_y and last & _EVEN >= low_y:
                begin = bisect_left(scores, float(first))
                end = bisect_left(scores, float(last + 1), begin)
                if begin < end:
                    self._divide(first, last + 1, scores[begin:end], members[begin:end], found, limit)
                    if limit and len(found) >= limit:
                        return

    def _scan(self, scores: Sequence[float], members: list[bytes], found: list[Found], limit: int) -> None:
        """Append the points that lie inside, until there are *limit*.

        0.2 us for a point outside the bounding box, 0.8 to 2 us for others.
        """


class Circle(Area):
    """All points within *radius* units of *metres* metres each around a position."""

    __slots__ = ("_radius",)

    def __init__(self, longitude: float, latitude: float, radius: float, metres: float) -> None:
        self._radius = reach = radius * metres
        super().__init__(longitude, latitude, reach, reach, reach)
        angle = self._radius / _EARTH
        ratio = sin(angle) / cos(latitude * _RADIAN) if angle < 1.0 else 1.0
        if ratio < 1.0:
            self._window = _window(longitude, latitude, asin(ratio), angle)

    def _scan(self, scores: Sequence[float], members: list[bytes], found: list[Found], limit: int) -> None:
        low_x, high_x, low_y, high_y = self._window
        odd, even, centre = _ODD, _EVEN, _centre
        radius = self._radius
        x, y = self.longitude * _RADIAN, self.latitude * _RADIAN
        narrow = cos(y)
        for bits, score, member in zip(map(int, scores), scores, members, strict=True):
            if not (low_x <= bits & odd <= high_x and low_y <= bits & even <= high_y):
                continue
            longitude, latitude, x2, y2, narrow2 = centre(bits)
            v = sin((x2 - x) / 2.0)
            if v == 0.0:
                far = _EARTH * fabs(y2 - y)
            else:
                u = sin((y2 - y) / 2.0)
                far = _DIAMETER * asin(sqrt(u * u + narrow * narrow2 * v * v))
            if far <= radius:
                found.append((far, member, score, longitude, latitude))
                if len(found) == limit:
                    return


class Box(Area):
    """All points within half of *width* and *height* units of *metres* metres each around a position."""

    __slots__ = ("_half_height", "_half_width")

    def __init__(self, longitude: float, latitude: float, width: float, height: float, metres: float) -> None:
        reach = sqrt((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)) * metres
        super().__init__(longitude, latitude, metres * (width / 2.0), metres * (height / 2.0), reach)
        self._half_width = width * metres / 2.0
        self._half_height = height * metres / 2.0
        rise = self._half_height / _EARTH
        narrowest = cos(min(fabs(latitude) * _RADIAN + rise, pi / 2.0))
        angle = self._half_width / _DIAMETER
        ratio = sin(angle) / narrowest if angle < 1.0 else 1.0
        if ratio < 1.0:
            self._window = _window(longitude, latitude, 2.0 * asin(ratio), rise)

    def _scan(self, scores: Sequence[float], members: list[bytes], found: list[Found], limit: int) -> None:
        low_x, high_x, low_y, high_y = self._window
        odd, even, centre = _ODD, _EVEN, _centre
        half_width, half_height = self._half_width, self._half_height
        x, y = self.longitude * _RADIAN, self.latitude * _RADIAN
        narrow = cos(y)
        for bits, score, member in zip(map(int, scores), scores, members, strict=True):
            if not (low_x <= bits & odd <= high_x and low_y <= bits & even <= high_y):
                continue
            longitude, latitude, x2, y2, narrow2 = centre(bits)
            rise = _EARTH * fabs(y - y2)
            if rise > half_height:
                continue
            v = sin((x2 - x) / 2.0)
            if v == 0.0:
                far = rise
            else:
                if _DIAMETER * asin(sqrt(narrow2 * narrow2 * v * v)) > half_width:
                    continue
                u = sin((y2 - y) / 2.0)
                far = _DIAMETER * asin(sqrt(u * u + narrow * narrow2 * v * v))
            found.append((far, member, score, longitude, latitude))
            if len(found) == limit:
                return


@lru_cache(maxsize=1024)
def circle(longitude: float, latitude: float, radius: float, metres: float) -> Circle:
    """A ``Circle``; those asked for last are kept, as making one takes as long as a small search."""
    return Circle(longitude, latitude, radius, metres)


@lru_cache(maxsize=1024)
def box(longitude: float, latitude: float, width: float, height: float, metres: float) -> Box:
    """A ``Box``, likewise."""
    return Box(longitude, latitude, width, height, metres)


def _window(longitude: float, latitude: float, east: float, north: float) -> tuple[int, int, int, int]:
    """Interleaved bounds of the cells within *east* and *north* radians, two cells wider on every side.

    Masked numbers compare like the coordinates they hold, so a point is ruled out without decoding it.
    """
    east, north = east / _RADIAN, north / _RADIAN
    if not (east < 360.0 and north < 180.0):
        return _ANYWHERE
    low_x = floor((longitude - east + LONGITUDE_MAX) / _LONGITUDE_UNIT) - 2
    high_x = ceil((longitude + east + LONGITUDE_MAX) / _LONGITUDE_UNIT) + 2
    low_y = floor((latitude - north + LATITUDE_MAX) / _LATITUDE_UNIT) - 2
    high_y = ceil((latitude + north + LATITUDE_MAX) / _LATITUDE_UNIT) + 2
    if low_x < 0 or high_x > _CELLS:
        # Across the date line the nearest point may be at the other end of the range.
        low_x, high_x = 0, _MASK32
    return _spread(low_x) << 1, _spread(high_x) << 1, _spread(max(low_y, 0)), _spread(high_y)


def _spread(number: int) -> int:
    """The bits of a number below 2**32 moved to the even bits of the result."""
    return (
        _SPREAD[number & 255]
        | _SPREAD[number >> 8 & 255] << 16
        | _SPREAD[number >> 16 & 255] << 32
        | _SPREAD[number >> 24] << 48
    )


def _cell(
    longitude: float, latitude: float, step: int, south: float = -LATITUDE_MAX, span: float = _LATITUDE_SPAN
) -> tuple[int, int]:
    """Column and row, from the south-west, of a position on a grid of 2**step by 2**step cells."""
    cells = 1 << step
    return (
        int((longitude - -LONGITUDE_MAX) / _LONGITUDE_SPAN * cells),
        int((latitude - south) / span * cells),
    )


# --- search areas ---------------------------------------------------------------------------------


def _estimate_step(reach: float, latitude: float) -> int:
    """Bits per coordinate of cells about as wide as *reach* metres."""
    if reach == 0.0:
        return _STEP_MAX
    step = 1
    while reach < _MERCATOR_MAX:
        reach *= 2.0
        step += 1
    step -= 2
    if latitude > 66.0 or latitude < -66.0:
        step -= 1
        if latitude > 80.0 or latitude < -80.0:
            step -= 1
    return min(max(step, 1), _STEP_MAX)


def _degrees(metres: float, latitude: float) -> float:
    """Degrees of longitude that *metres* make at *latitude*."""
    narrow = cos(latitude * _RADIAN) if isfinite(latitude) else nan
    return metres / _EARTH / narrow / _RADIAN


def _ranges(longitude: float, latitude: float, width: float, height: float, reach: float) -> list[tuple[float, float]]:
    """The scores of the centre's cell and of those neighbours that a search must visit.

    Mirrors geohashCalculateAreasByShapeWGS84 and membersOfAllNeighbors, with their oddity that a cell is
    skipped only if it equals the last one visited and that was not the centre.
    """
    rise = height / _EARTH / _RADIAN
    east = _degrees(width, latitude - rise if latitude < 0.0 else latitude + rise)
    min_lon, min_lat, max_lon, max_lat = longitude - east, latitude - rise, longitude + east, latitude + rise
    step = _estimate_step(reach, latitude)
    x, y = _cell(longitude, latitude, step)
    if step > 1 and _neighbours_fall_short(x, y, step, min_lon, min_lat, max_lon, max_lat):
        step -= 1
        x, y = _cell(longitude, latitude, step)
    cells = 1 << step
    centre_x, centre_y = _spread(x) << 1, _spread(y)
    west = east_x = south = north = None
    if step < 2 or not -LONGITUDE_MAX + x / cells * _LONGITUDE_SPAN < min_lon:
        west = _spread(x - 1 & cells - 1) << 1
    if step < 2 or not -LONGITUDE_MAX + (x + 1) / cells * _LONGITUDE_SPAN > max_lon:
        east_x = _spread(x + 1 & cells - 1) << 1
    if step < 2 or not -LATITUDE_MAX + y / cells * _LATITUDE_SPAN < min_lat:
        south = _spread(y - 1 & cells - 1)
    if step < 2 or not -LATITUDE_MAX + (y + 1) / cells * _LATITUDE_SPAN > max_lat:
        north = _spread(y + 1 & cells - 1)
    shift = 52 - 2 * step
    bits = centre_x | centre_y
    ranges = [(float(bits << shift), float(bits + 1 << shift))]
    last = -1
    for column, row in (
        (centre_x, north),
        (centre_x, south),
        (east_x, centre_y),
        (west, centre_y),
        (east_x, north),
        (west, north),
        (east_x, south),
        (west, south),
    ):
        if column is not None and row is not None and (bits := column | row) != last:
            ranges.append((float(bits << shift), float(bits + 1 << shift)))
            last = bits
    return ranges


def _neighbours_fall_short(
    x: int, y: int, step: int, min_lon: float, min_lat: float, max_lon: float, max_lat: float
) -> bool:
    """Whether the far edge of a neighbour, wrapped round at the edges of the world, is inside the bounds."""
    cells = 1 << step
    last = cells - 1
    return (
        -LATITUDE_MAX + ((y + 1 & last) + 1) / cells * _LATITUDE_SPAN < max_lat
        or -LATITUDE_MAX + (y - 1 & last) / cells * _LATITUDE_SPAN > min_lat
        or -LONGITUDE_MAX + ((x + 1 & last) + 1) / cells * _LONGITUDE_SPAN < max_lon
        or -LONGITUDE_MAX + (x - 1 & last) / cells * _LONGITUDE_SPAN > min_lon
    )
