"""Scripts as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from .choices import Choices
from .families import write
from .scripts import Script


@st.composite
def scripts(draw: st.DrawFn, family: str) -> Script:
    """A script of *family*; every decision is one drawn integer."""
    return write(Choices(lambda low, high: draw(st.integers(low, high))), family)
