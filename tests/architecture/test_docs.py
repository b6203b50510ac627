"""What README and docs/ name is there: files, links, directives.  And files stay of a size that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyredis.config.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
MODULES = sorted((ROOT / "pyredis").rglob("*.py"))
LONGEST = 500

LINK = re.compile(r"\]\(([^()\s]+)\)")
FENCE = re.compile(r"^(?: *)```.*?^ *```$", flags=re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w/.-]*\w+(?:\.(?:py|lua)|/)")
MODULE = re.compile(r"python3? -m ((?:pyredis|tests|benchmarks)[\w.]*)")
NAMES = frozenset(
    {path.relative_to(ROOT).as_posix() for path in ROOT.glob("pyredis/**/*") if path.name != "__pycache__"}
)

NAMES_OF_DIRECTIVES = frozenset(parameter.name for parameter in PARAMETERS)
WORD = re.compile(r"(?<![\w/.-])(?:--)?([a-z]+(?:-[a-z]+)+)(?![\w/.-])")
OURS = ("background-", "backup-", "event-", "log-", "metrics-", "operator-", "rdb-v", "replication-", "rights-")
"""How the names of directives begin that Redis does not have."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_fences(text: str) -> str:
    return FENCE.sub("", text)


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives the headings of *page*."""
    headings = re.findall(r"^#+ (.+)$", without_fences(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def quoted(page: Path) -> list[str]:
    """What *page* sets as code within its text."""
    return CODE.findall(without_fences(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(without_fences(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_are_named_exist(page: Path) -> None:
    """By their path from the root, or, of the package, by the end of it: ``engine/gates.py``, ``gates.py``."""
    missing = []
    for text in quoted(page):
        if FILE.fullmatch(text) and not text.startswith(("/", "-")):
            name = text.rstrip("/")
            if not (ROOT / name).exists() and not any(known.endswith(f"/{name}") for known in NAMES):
                missing.append(text)
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_modules_that_are_to_be_run_exist(page: Path) -> None:
    for name in MODULE.findall(page.read_text(encoding="utf-8")):
        path = ROOT.joinpath(*name.rstrip(".").split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_directives_of_our_own_exist(page: Path) -> None:
    code = [*quoted(page), *FENCE.findall(page.read_text(encoding="utf-8"))]
    words = {word for text in code for word in WORD.findall(text) if word.startswith(OURS)}
    assert words - NAMES_OF_DIRECTIVES == set()


def test_every_directive_of_our_own_is_documented() -> None:
    words = {
        word for page in PAGES if page.parent.name == "docs" for text in quoted(page) for word in WORD.findall(text)
    }
    assert {name for name in NAMES_OF_DIRECTIVES if name.startswith(OURS)} - words == set()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_pages_are_linked_from_the_readme(page: Path) -> None:
    if page.name != "README.md":
        assert f"]({relative(page)})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_modules_are_short_enough_to_read() -> None:
    long = {relative(path): lines for path in MODULES if (lines := len(path.read_bytes().splitlines())) > LONGEST}
    assert long == {}
