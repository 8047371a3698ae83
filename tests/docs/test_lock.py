"""packaging/*.lock: what ./do installs is what pyproject.toml asks for, and each of it is known by its hash."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((TOP / "pyproject.toml").read_text())
RUN = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
TEST = [*RUN, *PROJECT["project"]["optional-dependencies"]["test"]]
WANTED = {"run": RUN, "test": TEST}

_ROW = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; ([^\\\n]+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def locked(name: str) -> Mapping[str, str]:
    return {row[0]: row[1] for row in _ROW.findall((TOP / "packaging" / f"{name}.lock").read_text())}


@pytest.mark.parametrize("name", WANTED)
def test_it_holds_what_pyproject_asks_for(name: str) -> None:
    """Red after a change of the dependencies: `./do lock` makes it anew."""
    rows = locked(name)
    for wanted in map(Requirement, WANTED[name]):
        assert wanted.specifier.contains(rows[canonicalize_name(wanted.name)]), wanted


@pytest.mark.parametrize("name", WANTED)
def test_it_is_rows_with_hashes_and_nothing_else(name: str) -> None:
    """No place to fetch from: that is the machine's own setting."""
    text = (TOP / "packaging" / f"{name}.lock").read_text()
    rest = [line for line in _ROW.sub("", text).splitlines() if line and not line.startswith("#")]
    assert rest == []
    assert "://" not in text


def test_what_runs_is_what_is_tested() -> None:
    tested = locked("test")
    assert {name: tested[name] for name in locked("run")} == locked("run")
