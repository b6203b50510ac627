"""Geohashes: figures recorded from Redis 7.2.4, searches against a scan of all points."""

from __future__ import annotations

import random
from math import inf

import pytest

from pyredis.datatypes import geohash

Point = tuple[float, bytes]

PALERMO = (13.361389, 38.115556)
CATANIA = (15.087269, 37.502669)
UNITS = (1.0, 1000.0, 0.3048, 1609.34)


def test_encode_and_decode() -> None:
    assert geohash.encode(*PALERMO) == 3479099956230698
    assert geohash.decode(3479099956230698.0) == (13.361389338970184, 38.1155563954963)
    assert geohash.encode(*CATANIA) == 3479447370796909
    assert geohash.text(3479099956230698.0) == b"sqc8b49rny0"
    assert geohash.text(3479447370796909.0) == b"sqdtr74hyu0"


def test_distance() -> None:
    here, there = (geohash.decode(float(geohash.encode(*place))) for place in (PALERMO, CATANIA))
    assert round(geohash.distance(*here, *there), 4) == 166274.1516
    assert geohash.distance(*here, *here) == 0.0
    assert geohash.distance(10.0, 1.0, 10.0, 2.0) == geohash.distance(10.0, 2.0, 10.0, 1.0) > 0


@pytest.mark.parametrize(
    ("score", "position"),
    [
        (0.0, (-179.9999973177910, -85.0511275126)),
        (-1.0, (180.0, 85.05112878)),
        (2.0**60, (-179.9999973177910, 85.05112878)),
        (2.0**63, (180.0, -85.0511275126)),
        (inf, (-179.9999973177910, -85.0511275126)),
        (-inf, (180.0, -85.0511275126)),
    ],
)
def test_any_score_has_a_position(score: float, position: tuple[float, float]) -> None:
    assert geohash.decode(score) == pytest.approx(position, abs=1e-9)


@pytest.mark.parametrize("longitude", [-180.0, -90.0, 0.0, 179.9999999, 180.0])
@pytest.mark.parametrize("latitude", [-85.05112878, 0.0, 45.0, 85.05112878])
def test_decode_is_near_what_was_encoded(longitude: float, latitude: float) -> None:
    assert geohash.is_valid(longitude, latitude)
    decoded = geohash.decode(float(geohash.encode(longitude, latitude)))
    assert decoded == pytest.approx((longitude, latitude), abs=6e-6)


def test_what_cannot_be_encoded() -> None:
    assert not geohash.is_valid(180.1, 0.0)
    assert not geohash.is_valid(0.0, -85.1)
    assert not geohash.is_valid(0.0, inf)


def search(area: geohash.Area, points: list[Point], limit: int = 0) -> list[geohash.Found]:
    def between(start: float, stop: float) -> tuple[list[float], list[bytes]]:
        inside = [point for point in points if start <= point[0] < stop]
        return [score for score, _ in inside], [member for _, member in inside]

    return area.search(between, limit)


def scan(area: geohash.Area, points: list[Point], metres: float) -> list[geohash.Found]:
    """The points inside *area* by nothing but distances, range by range."""
    found = []
    for start, stop in area.ranges:
        for score, member in points:
            if start <= score < stop:
                lon, lat = geohash.decode(score)
                away = geohash.distance(area.longitude, area.latitude, lon, lat)
                if isinstance(area, geohash.Circle):
                    inside = away <= metres
                else:
                    upright = geohash.distance(area.longitude, area.latitude, area.longitude, lat)
                    level = geohash.distance(lon, lat, area.longitude, lat)
                    inside = upright <= metres and level <= metres
                if inside:
                    found.append((away, member, score, lon, lat))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_searches_against_a_scan(seed: int) -> None:
    chance = random.Random(seed)
    spread = chance.choice((0.01, 1.0, 30.0))
    home = (chance.uniform(-180, 180), chance.uniform(-85, 85))
    points: list[Point] = []
    for number in range(900):
        longitude = min(max(chance.gauss(home[0], spread), -180.0), 180.0)
        latitude = min(max(chance.gauss(home[1], spread), -85.0), 85.0)
        points.append((float(geohash.encode(longitude, latitude)), b"m%d" % number))
    points.sort()
    for _ in range(40):
        centre = geohash.decode(chance.choice(points)[0])
        size, metres = 10 ** chance.uniform(0, 7.5), chance.choice(UNITS)
        for area in (
            geohash.Circle(*centre, size / metres, metres),
            geohash.Box(*centre, 2 * size / metres, 2 * size / metres, metres),
        ):
            expected = scan(area, points, size / metres * metres)
            assert search(area, points) == expected
            limit = chance.randint(1, 200)
            assert search(area, points, limit) == expected[:limit]


def test_a_search_stops_at_the_limit() -> None:
    points = [(float(geohash.encode(10.0, 10.0)), b"%d" % number) for number in range(5)]
    for area in (geohash.Circle(10.0, 10.0, 1.0, 1000.0), geohash.Box(10.0, 10.0, 1.0, 1.0, 1000.0)):
        assert [entry[1] for entry in search(area, points, 2)] == [b"0", b"1"]


def test_areas_without_bounds() -> None:
    assert len(geohash.Circle(0.0, 0.0, inf, 1.0).ranges) == 4
    assert geohash.Circle(0.0, 0.0, 0.0, 1.0).ranges[0] == (3 << 50, (3 << 50) + 1)
    assert geohash.Box(180.0, 85.0, inf, 0.0, 1.0).ranges
