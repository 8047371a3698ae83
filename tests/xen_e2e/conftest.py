"""One Xen for all scenarios: Debian's, with its dom0, in QEMU; what is missing skips and says what to install."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.lab.accel import Accelerators
from netprov.lab.lab import lab
from netprov.media.packages import Archive, default_cache
from netprov.media.probe import Probe
from tests.e2e.conftest import accelerators, boot_images, namespaces, probe_x86_64
from tests.e2e.served import DISTROS, Served, configuration

from . import dom0, foreign, rundisk
from .machines import DISTRO, INSIDE, OUTSIDE, PROFILES
from .scenarios import EMPTY, SCENARIOS, Played, World
from .served_in_dom0 import ServedInDom0
from .stage import Stage
from .xenlab import xen

__all__ = ["accelerators", "boot_images", "namespaces", "probe_x86_64"]

TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs", "dnsmasq": "dnsmasq-base", "tar": "tar"}


@pytest.fixture(scope="session")
def image() -> dom0.Image:
    missing = sorted(package for tool, package in TOOLS.items() if shutil.which(tool) is None)
    if missing:
        pytest.skip(f"needs: apt-get install {' '.join(missing)}")
    return dom0.build(Archive(default_cache()))


@pytest.fixture(scope="session")
def world(
    namespaces: None, accelerators: Accelerators, image: dom0.Image, boot_images: Path, probe_x86_64: Probe,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """dom0 is up; netprov and the foreign server serve outside."""
    folder = tmp_path_factory.mktemp("xen")
    disk = rundisk.make(folder / "run.img", probe_x86_64)
    with lab(folder, accelerators, "xen") as made:
        log = foreign.serve(made, folder, probe_x86_64)
        # only its own machines: others on this network are the foreign server's
        served = Served(made, configuration(
            folder, boot_images, OUTSIDE, profiles=PROFILES, dhcp={"mode": "reserved"}
        ), folder / "server.log")  # fmt: skip
        with xen(made, image, disk) as machine:
            machine.why = lambda: f"{served.why()}\n\ndnsmasq\n{log.read_text()[-4000:]}"
            inside = ServedInDom0(machine, {DISTRO: DISTROS[DISTRO]}, PROFILES, INSIDE)
            machine.sh(f"mkdir -p $(dirname {EMPTY}) && : >{EMPTY}")
            yield World(machine, served, inside)
        served.stop()


@pytest.fixture(scope="session")
def stage(world: World, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Plays the scenarios that the chosen tests look at."""
    chosen = {mark.args[0] for item in request.session.items for mark in item.iter_markers("plays")}
    made = Stage(world, [name for name in SCENARIOS if name in chosen])
    yield made
    made.close()


@pytest.fixture
def played(stage: Stage, request: pytest.FixtureRequest) -> Played:
    """How the scenario of the test's mark went."""
    mark = request.node.get_closest_marker("plays")
    assert mark is not None
    return stage.played(mark.args[0])
