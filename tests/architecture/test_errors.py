"""The catalogue of errors is complete: nobody else words a reply, and no name in it is taken twice."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from pyredis import errors

CATALOGUE = Path(errors.__file__).parent
PACKAGE = CATALOGUE.parent
OTHERS = sorted(path for path in PACKAGE.rglob("*.py") if CATALOGUE not in path.parents)


def test_no_name_is_taken_twice() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in CATALOGUE.glob("*.py")]
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, times in names.items() if times > 1] == []
    assert {name for name in names if not name.startswith("_")} <= vars(errors).keys()


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_errors_are_raised_by_their_class(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    worded = [
        call.lineno for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) == "CommandError"
    ]
    assert worded == []
