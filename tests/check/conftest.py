from __future__ import annotations

from pathlib import Path

import pytest

from .check_world import make


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make(tmp_path)
