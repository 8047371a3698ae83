"""docs/architecture.md is true: its picture is that of the imports, and what it names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.house import drawn, floors, stairs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
CITING = (PAGE, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "decisions").glob("*.md")))

FOLDERS = ("netprov", "tests", "docs", "bench", "boot-images", "pxelinux.cfg.templates", "packaging")
"""What a path may begin with; `/files/` and the like are the server's own."""


class Named(NamedTuple):
    """A function that a walk names, and the file that it stands in."""

    walk: str
    path: str
    name: str


def spans(text: str) -> list[str]:
    """What stands in backquotes, over the ends of lines too."""
    return [
        " ".join(span.split())
        for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.S))
    ]


def part(heading: str) -> str:
    """The text beneath a heading of the second level."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    assert found is not None, heading
    return found[1]


def sections(heading: str) -> dict[str, str]:
    """Those of the third level beneath it."""
    _, *pieces = re.split(r"^### (.*)\n", part(heading), flags=re.M)
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def walked() -> Iterator[Named]:
    for walk, text in sections("Five walks").items():
        path = ""
        for span in spans(text):
            if span.startswith("netprov/"):
                path = span
            elif span.endswith("()"):
                yield Named(walk, path, span.removesuffix("()"))


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def defined(path: str) -> set[str]:
    """Every function of a file, those of classes by their own name and by `Class.name`, and those in functions."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{one.name}"
                for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found


def used(path: str) -> set[str]:
    """Every name that a file's code mentions."""
    nodes = list(ast.walk(tree(path)))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


# the picture


def test_the_picture_is_that_of_the_imports() -> None:
    assert f"```text\n{drawn()}\n```" in PAGE.read_text(), "draw it anew: python -m tests.docs.house"


def test_a_room_stands_above_what_it_imports() -> None:
    rooms = {name: frozenset(others) for name, others in {"a": "", "b": "a", "c": "ab", "d": "", "e": "cd"}.items()}
    assert floors(rooms) == [["a", "d"], ["b"], ["c"], ["e"]]
    assert [stairs(rooms, room) for room in "abcde"] == [[], ["a"], ["b"], [], ["c", "d"]]


def test_every_room_says_what_it_is() -> None:
    silent = [line for line in drawn().splitlines() if re.fullmatch(r"\s*(\d+|gr\.)?\s+\w+\s*", line)]
    assert not silent


# the walks


def test_there_are_five_walks_and_five_recipes() -> None:
    assert [len(sections(heading)) for heading in ("Five walks", "Recipes")] == [5, 5]


@pytest.mark.parametrize("named", sorted(set(walked())), ids=lambda named: f"{named.path}:{named.name}")
def test_a_walks_function_is_there(named: Named) -> None:
    assert named.path, f"{named.name}() stands behind no file"
    assert named.name in defined(named.path)


@pytest.mark.parametrize("walk", sections("Five walks"))
def test_a_walks_functions_are_called_on_it(walk: str) -> None:
    """Each, but for where it begins, in one of the walk's files or where the workers are put together."""
    steps = [named for named in walked() if named.walk == walk]
    files = {named.path for named in steps} | {
        "netprov/serve/roles.py",
        "netprov/serve/run.py",
        "netprov/serve/worker.py",
    }
    calls = set().union(*(used(path) for path in files))
    assert not [named for named in steps[1:] if named.name.rpartition(".")[2] not in calls]


# what is cited


def cited(page: Path) -> list[str]:
    """Every path of the project that a page names: without what stands behind ::, with a .py where none is written."""
    paths = [span.partition("::")[0].split()[-1] for span in spans(page.read_text())]
    return [path for path in paths if re.match(rf"({'|'.join(map(re.escape, FOLDERS))})/", path)]


@pytest.mark.parametrize("page", CITING, ids=lambda page: page.name)
def test_every_path_is_there(page: Path) -> None:
    assert not [path for path in cited(page) if not (ROOT / path).exists()]


@pytest.mark.parametrize("page", CITING, ids=lambda page: page.name)
def test_files_are_named_from_the_top(page: Path) -> None:
    """`connections.py` and `http/application.py` are found by nobody who does not know the room."""
    short = [
        span for span in spans(page.read_text()) if re.fullmatch(r"[\w./-]+\.py", span) and span not in cited(page)
    ]
    assert not short


def promised() -> Iterator[str]:
    """The tests that the recipes name."""
    yield from (span for span in spans(part("Recipes")) if "::" in span)


@pytest.mark.parametrize("test", sorted(set(promised())))
def test_a_recipes_test_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert name in defined(path)


@pytest.mark.parametrize("name", sections("Recipes"))
def test_each_recipe_names_its_files_and_its_tests(name: str) -> None:
    text = sections("Recipes")[name]
    assert any(span.startswith("netprov/") for span in spans(text))
    assert "✗" in text
    assert all(f"✗ `{test}`" in " ".join(text.split()) for test in spans(text) if "::" in test)


@pytest.mark.parametrize("page", [PAGE, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_lines_fit(page: Path) -> None:
    assert not [line for line in page.read_text().splitlines() if len(line) > 120]
