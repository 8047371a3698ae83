"""The table of what can be found has every id, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from netprov import check
from netprov.boot.reason import BY_LABEL
from netprov.check.checks import CHECKS
from netprov.check.reference import FINDS

FOLDER = Path(check.__file__).parent
SERVICES = ("tftp", "http")  # f"{service}-silent"


TABLE = FOLDER / "checks.py"

MAKERS = {"Finding": 0, "_unseen": 1, "_unreadable": 1}
"""Who makes findings, and which argument is the id."""


def written() -> Iterator[str]:
    """Every id that a finding is made with, spelled out."""
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                place = MAKERS[node.func.id]
                id = node.args[place] if len(node.args) > place else None
                if isinstance(id, ast.Constant):
                    yield str(id.value)


def finders() -> Iterator[str]:
    """Every function that others may ask for findings."""
    for path in FOLDER.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "Iterator[Finding]":
                yield from () if node.name.startswith("_") else (node.name,)


def test_every_function_that_finds_is_asked() -> None:
    asked = {node.id for node in ast.walk(ast.parse(TABLE.read_text())) if isinstance(node, ast.Name)}
    assert set(finders()) <= asked
    assert len(set(finders())) > len(CHECKS) // 2


def test_every_id_is_told() -> None:
    told = {id for finds in FINDS.values() for id in finds}
    reasons = {id for id in told if id in BY_LABEL}
    services = {f"{service}-silent" for service in SERVICES}
    assert told == set(written()) | reasons | services


def test_every_check_is_told_in_order() -> None:
    assert list(FINDS) == [one.name for one in CHECKS]
