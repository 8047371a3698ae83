"""One Xen for all scenarios: Debian's, with its dom0, in QEMU; what is missing fails and says what to install."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from netprov.bootimages.packages import Archive, default_cache
from netprov.bootimages.probe import Probe
from netprov.lab.accel import Accelerators
from netprov.lab.lab import lab
from tests.conftest import TOLD
from tests.e2e.conftest import accelerators, boot_images, namespaces, probe_x86_64
from tests.e2e.served import Served, configuration

from . import dom0, foreign, installer, rundisk
from .machines import INSIDE, OUTSIDE, with_installer
from .scenarios import EMPTY, SCENARIOS, UNKNOWN, Played, World
from .served_in_dom0 import ServedInDom0
from .stage import Stage
from .xenlab import MEMORY, xen

__all__ = ["accelerators", "boot_images", "namespaces", "probe_x86_64"]

TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs", "dnsmasq": "dnsmasq-base", "tar": "tar"}


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> dom0.Image:
    missing = sorted(package for tool, package in TOOLS.items() if shutil.which(tool) is None)
    if missing:
        pytest.fail(f"needs: apt-get install {' '.join(missing)}")
    began = time.monotonic()
    made = dom0.build(Archive(default_cache()))
    _took(request, "dom0's image", began)
    return made


def _took(request: pytest.FixtureRequest, what: str, began: float) -> None:
    seconds = time.monotonic() - began
    request.config.stash[TOLD].append(lambda: f"{what}: {seconds:.0f} s")


@pytest.fixture(scope="session")
def chosen(request: pytest.FixtureRequest) -> frozenset[str]:
    """The scenarios that the tests of this run look at."""
    return frozenset(mark.args[0] for item in request.session.items for mark in item.iter_markers("plays"))


@pytest.fixture(scope="session")
def world(
    namespaces: None,
    accelerators: Accelerators,
    image: dom0.Image,
    boot_images: Path,
    probe_x86_64: Probe,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    chosen: frozenset[str],
) -> Iterator[World]:
    """dom0 is up; netprov and the foreign server serve outside."""
    folder = tmp_path_factory.mktemp("xen")
    root, declared, memory = folder / "root", OUTSIDE, MEMORY
    for file in (probe_x86_64.kernel, probe_x86_64.initrd):
        to = root / file.relative_to(boot_images)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
    if installer.NAME in chosen:
        archive = Archive(default_cache())
        version = installer.offered(archive)
        installer.put(root, archive, version)
        declared, memory = with_installer(version), MEMORY + installer.MEMORY
    disk = rundisk.make(folder / "run.img", probe_x86_64)
    with lab(folder, accelerators, "xen") as made:
        log = foreign.serve(made, folder, probe_x86_64)
        # only its own machines: others on this network are the foreign server's
        config = configuration(folder, root, usual=False, dhcp={"mode": "reserved"}, **asdict(declared))
        strangers = (UNKNOWN, *(machine.mac for machine in foreign.MACHINES.values()))
        served = Served(made, config, folder / "server.log", {mac: {"G22"} for mac in strangers})
        began = time.monotonic()
        with xen(made, image, disk, memory=memory) as machine:
            _took(request, "dom0's boot", began)
            machine.why = lambda: f"{served.why()}\n\ndnsmasq\n{log.read_text()[-4000:]}"
            machine.sh(f"mkdir -p $(dirname {EMPTY}) && : >{EMPTY}")
            yield World(machine, served, ServedInDom0(machine, INSIDE))
        served.stop()


@pytest.fixture(scope="session")
def stage(
    world: World, chosen: frozenset[str], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Plays the scenarios that the chosen tests look at."""
    made = Stage(world, [name for name in SCENARIOS if name in chosen], tmp_path_factory.mktemp("played"))
    request.config.stash[TOLD].append(made.told)
    yield made
    made.close()


@pytest.fixture
def played(stage: Stage, request: pytest.FixtureRequest) -> Played:
    """How the scenario of the test's mark went."""
    mark = request.node.get_closest_marker("plays")
    assert mark is not None
    return stage.played(mark.args[0])
