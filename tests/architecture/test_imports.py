"""Imports point down only: a module may import what stands below it, never a sibling or what stands above."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "pyredis"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("testing",),
    ("app",),
    ("backup", "console"),
    ("net", "commands"),
    ("cluster",),
    ("replication",),
    ("persistence", "scripting"),
    ("engine",),
    ("effects", "acl"),
    ("keyspace", "registry"),
    ("datatypes",),
    ("resp",),
    ("config",),
    ("util",),
    ("errors",),
)
"""From top to bottom; the members of one layer never import each other."""

DEPTH = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}
MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """``pyredis/engine/client.py`` as ``pyredis.engine.client``."""
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


NAMES = {dotted(path) for path in MODULES} | {
    ".".join(("pyredis", *path.relative_to(PACKAGE).parts)) for path in PACKAGE.rglob("*") if path.is_dir()
}


def is_type_checking(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, imported pyredis module, whether inside a function); TYPE_CHECKING blocks are passed over."""
    own = dotted(path)
    package = own if path.name == "__init__.py" else own.rpartition(".")[0]
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")), package, inside=False)


def _walk(node: ast.AST, package: str, inside: bool) -> Iterator[tuple[int, str, bool]]:
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            assert isinstance(child, ast.If)
            for other in child.orelse:
                yield from _walk(ast.Module([other], []), package, inside)
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                if alias.name.split(".")[0] == "pyredis":
                    yield child.lineno, alias.name, inside
        elif isinstance(child, ast.ImportFrom):
            for name in _imported(child, package):
                yield child.lineno, name, inside
        deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(child, package, deeper)


def _imported(node: ast.ImportFrom, package: str) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        parents = package.split(".")
        parents = parents[: len(parents) - node.level + 1]
        base = ".".join([*parents, *filter(None, [node.module])])
    if base.split(".")[0] != "pyredis":
        return
    for alias in node.names:
        full = f"{base}.{alias.name}"
        yield full if full in NAMES else base


def part(module: str) -> str:
    """The layer member a module belongs to: ``engine`` for ``pyredis.engine.client``."""
    names = module.split(".")
    return names[1] if len(names) > 1 else ""


def test_every_part_of_the_package_has_a_layer() -> None:
    parts = {part(dotted(path)) for path in MODULES} - {""}
    assert parts - DEPTH.keys() == set()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_down(path: Path) -> None:
    own = part(dotted(path))
    wrong = []
    for line, module, _ in imports(path):
        other = part(module)
        if other in ("", own):
            continue  # pyredis/__init__.py holds plain constants
        if not own or DEPTH[other] <= DEPTH[own]:
            wrong.append(f"{path.relative_to(PACKAGE.parent)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_no_import_of_our_own_modules_hides_in_a_function(path: Path) -> None:
    hidden = [f"line {line}: {module}" for line, module, inside in imports(path) if inside]
    assert not hidden, "\n".join(hidden)


def test_only_the_composition_root_imports_commands() -> None:
    importers = {part(dotted(path)) for path in MODULES for _, module, _ in imports(path) if part(module) == "commands"}
    assert importers <= {"app", "commands"}


def test_only_the_composition_root_imports_by_name() -> None:
    dynamic = [
        dotted(path)
        for path in MODULES
        if any(name in path.read_text(encoding="utf-8") for name in ("import_module(", "__import__("))
    ]
    assert set(dynamic) <= {"pyredis.app"}


def test_modules_form_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        own = dotted(path)
        graph[own] = {module for _, module, _ in imports(path) if module in NAMES and module != own}
    try:
        tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
