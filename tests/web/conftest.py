from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web_world import ACCESS, Site

from netprov.web.app import create_app


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """NETPROV_PICTURES=docs/pictures keeps them."""
    folder = Path(os.environ.get("NETPROV_PICTURES", tmp_path))
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Nobody is declared: reading is open."""
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """alice, bob (reads), the tokens watcher (reads) and robot."""
    site = Site(tmp_path, access=ACCESS)
    yield site
    site.close()


@pytest.fixture
def client(site: Site) -> FlaskClient:
    return create_app(site.services).test_client()


@pytest.fixture
def visitor(guarded: Site) -> FlaskClient:
    """A browser at the guarded site, not logged in."""
    return create_app(guarded.services).test_client()
