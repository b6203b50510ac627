"""Scripts as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from .choices import Choices
from .families import with_inventories, write
from .grammar import documentation
from .report import present
from .scripts import Script

ABSENT = with_inventories(documentation().keys() - present())
"""Commands the server does not have yet; docs/compatibility.md lists them."""


@st.composite
def scripts(draw: st.DrawFn, family: str) -> Script:
    """A script of *family*; every decision is one drawn integer."""
    return write(Choices(lambda low, high: draw(st.integers(low, high))), family).without(ABSENT)
