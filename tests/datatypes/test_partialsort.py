"""The partial sort puts the least first; in which order it puts equals, test_geo shows."""

from __future__ import annotations

from operator import itemgetter

from hypothesis import given
from hypothesis import strategies as st

from pyredis.datatypes.partialsort import smallest


@given(st.lists(st.integers(0, 30), min_size=2, max_size=150), st.data())
def test_the_smallest_come_in_order(numbers: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(numbers) - 1))
    items = [(float(number), position) for position, number in enumerate(numbers)]
    found = smallest(items, itemgetter(0), count)
    assert [key for key, _ in found] == sorted(map(float, numbers))[:count]
    assert len(set(found)) == count
    assert set(found) <= set(items)
