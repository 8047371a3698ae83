from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_world import CONTENT, Server, World, serving


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is served, with things beside it that must not be."""
    outer = tmp_path_factory.mktemp("http")
    root = outer / "data"
    (root / "sub").mkdir(parents=True)
    (root / "loaders").mkdir()
    (outer / "data-private").mkdir()
    (outer / "secret").write_text("outside")
    (outer / "data-private" / "secret").write_text("outside")
    (root / "file.bin").write_bytes(CONTENT)
    (root / "empty").write_bytes(b"")
    (root / "sub" / "vmlinuz").write_bytes(CONTENT)
    (root / "sub" / "a b+ü%41.txt").write_bytes(b"odd name")
    (root / "loaders" / "shimx64.efi").write_bytes(b"MZ loader")
    (root / "big").write_bytes(os.urandom(1 << 20) * 24)
    (root / "out").symlink_to("../secret")
    (root / "outdir").symlink_to("../data-private")
    (root / "in").symlink_to("sub/vmlinuz")
    return root


@pytest.fixture(scope="session")
def running(root: Path) -> Iterator[Server]:
    with serving(root) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """The running server; what it has told and been asked is forgotten."""
    running.world.events.clear()
    running.world.scripts.asked.clear()
    running.world.scripts.failure = None
    running.world.state.installs.records.clear()
    return running


@pytest.fixture
def world(root: Path) -> World:
    return World(root)
