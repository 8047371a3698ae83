"""One lab with one server for the tests of a module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from netprov.lab.accel import Accelerators
from netprov.lab.lab import lab

from ..e2e.conftest import namespaces  # noqa: F401
from ..e2e.served import Served
from . import rogue
from . import site as sites
from .site import Site


@contextmanager
def made_in(folder: Path, label: str, **dhcp: Any) -> Iterator[Site]:
    root = sites.root_in(folder)
    sites.templates_in(folder)
    config = sites.configuration(folder, root, **dhcp)
    with lab(folder, Accelerators(), label) as network:
        served = Served(network, config, folder / "server.log", dict(sites.TROUBLED))
        yield Site(network, served, folder)
        served.stop()


@pytest.fixture(scope="module")
def site(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: F811
    """netprov gives the addresses. Beside its network there is one without any server (br1), one where somebody
    else's gives addresses and nothing to boot (br2), and one where that gives a boot file without more (br3)."""
    with made_in(tmp_path_factory.mktemp("site"), "site") as made:
        for bridge in ("br1", "br2", "br3"):
            made.lab.ip("link", "add", bridge, "type", "bridge", "forward_delay", "0")
            made.lab.ip("link", "set", bridge, "up")
        made.lab.ip("address", "add", "10.78.0.1/24", "dev", "br2")
        made.lab.spawn([sys.executable, rogue.__file__, "br2", "10.78.0.1", "10.78.0.50"])
        made.lab.ip("address", "add", "10.79.0.1/24", "dev", "br3")
        made.lab.spawn([sys.executable, rogue.__file__, "br3", "10.79.0.1", "10.79.0.50", "boot.efi", "PXEClient"])
        yield made


@pytest.fixture(scope="module")
def proxied(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: F811
    """netprov beside another server, which gives the addresses."""
    with made_in(tmp_path_factory.mktemp("proxied"), "proxied", mode="proxy", subnets=[]) as made:
        station = made.lab.station("rogue", "52:54:00:77:99:01", "10.77.0.2/24")
        station.spawn([sys.executable, rogue.__file__, "eth0", "10.77.0.2", "10.77.0.60"])
        yield made
