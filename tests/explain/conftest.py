"""A site for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.house import CONFIG, make


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The folder of the site."""
    make(tmp_path, CONFIG)
    return tmp_path
