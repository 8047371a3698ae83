"""The lab for tests that boot real firmware; what is missing skips the test and says what to install."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.bootimages import manifest, probe
from netprov.bootimages.loaders import install
from netprov.bootimages.packages import Archive, default_cache
from netprov.lab import netns
from netprov.lab.accel import Accelerators
from netprov.lab.firmware import Firmware, missing
from netprov.lab.lab import Lab, lab

ROOT = Path(__file__).parents[2] / "boot-images"
TOOLS = {"ip": "iproute2", "setpriv": "util-linux"}


@pytest.fixture(scope="session")
def accelerators() -> Accelerators:
    return Accelerators()


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Network namespaces can be made here, and no killed run's are left."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the lab makes network namespaces")
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}: apt-get install {package}")
    netns.delete_stale()


@pytest.fixture(name="lab")
def a_lab(namespaces: None, accelerators: Accelerators, tmp_path: Path) -> Iterator[Lab]:
    """A private network with a bridge, gone after the test."""
    with lab(tmp_path, accelerators) as made:
        yield made


@pytest.fixture(scope="session")
def boot_images() -> Path:
    """The TFTP root with every loader in place."""
    install(ROOT, manifest.load(), Archive(default_cache()))
    return ROOT


@pytest.fixture(scope="session")
def probe_x86_64(boot_images: Path) -> probe.Probe:
    return probe.build(boot_images, probe.Arch.X86_64, Archive(default_cache()))


@pytest.fixture(scope="session")
def probe_arm64(boot_images: Path) -> probe.Probe:
    return probe.build(boot_images, probe.Arch.ARM64, Archive(default_cache()))


def needs(firmware: Firmware) -> pytest.MarkDecorator:
    """Marks a test that boots such a machine."""
    packages = missing(firmware)
    return pytest.mark.skipif(bool(packages), reason=f"{firmware} guests need: apt-get install {' '.join(packages)}")
