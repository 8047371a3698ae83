"""Inventories made of a text."""

from pathlib import Path
from textwrap import dedent

import pytest
from inventory_world import Loads, Refuses

from netprov.errors import ConfigError, Problem
from netprov.inventory.load import load
from netprov.inventory.model import Inventory


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with a kernel and a template to name."""
    (tmp_path / "boot-images").mkdir()
    (tmp_path / "boot-images" / "k").write_bytes(b"kernel")
    (tmp_path / "boot-images" / "initrd.img").write_bytes(b"initrd")
    (tmp_path / "autoinstall").mkdir()
    (tmp_path / "autoinstall" / "web.ks").write_bytes(b"text")
    return tmp_path


@pytest.fixture
def loads(base: Path) -> Loads:
    def load_text(text: str) -> Inventory:
        (base / "netprov.yaml").write_text(dedent(text))
        return load(base / "netprov.yaml")

    return load_text


@pytest.fixture
def refuses(loads: Loads) -> Refuses:
    def problems(text: str) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            loads(text)
        return caught.value.problems

    return problems
