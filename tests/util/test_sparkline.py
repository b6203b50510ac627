"""Graphs in ASCII."""

from __future__ import annotations

from pyredis.util.sparkline import sparkline


def test_lowest_and_highest() -> None:
    assert sparkline([1, 7, 12], ["a", "b", "cd"], columns=80, rows=4).split("\n") == [
        "  #",
        " _|",
        " ||",
        "_||",
        "   ",
        "abc",
        "  d",
        "",
    ]


def test_equal_values_are_flat() -> None:
    assert sparkline([5, 5], ["", ""], columns=80, rows=1) == "__\n  \n"


def test_more_than_fit_go_on_below() -> None:
    graphs = sparkline([1, 2, 3], ["x", "y", "z"], columns=2, rows=1).split("\n\n")
    assert len(graphs) == 2
