"""Debian's own installer, told by the kernel's arguments where to log to, logs into its boot's timeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.bootimages.packages import Archive, default_cache
from netprov.lab.firmware import Firmware
from netprov.lab.lab import Lab
from tests.e2e.conftest import a_lab, accelerators, namespaces, needs  # noqa: F401 - fixtures
from tests.e2e.served import Served, configuration
from tests.xen_e2e import installer

MAC = "52:54:00:77:05:14"


@pytest.mark.e2e
@pytest.mark.timeout(900)
@needs(Firmware.BIOS)
def test_debian_installer(lab: Lab, tmp_path: Path) -> None:
    archive = Archive(default_cache())
    version = installer.offered(archive)
    root = tmp_path / "root"
    root.mkdir()
    installer.put(root, archive, version)
    config = configuration(
        tmp_path, root, {"di": {"profile": "web", "install": "install-once", "interfaces": {"eth0": {"mac": MAC}}}},
        distros={"di": {**installer.distro(version), "kernel_options": {"console": "ttyS0"}}},
        profiles={"web": {"distro": "di"}}, usual=False,
    )  # fmt: skip
    config.write_text(config.read_text() + "syslog: {enabled: true}\n")
    server = Served(lab, config, tmp_path / "serve.log", troubled={"di": {"G10"}})  # the plug is pulled
    guest = lab.guest(Firmware.BIOS, MAC, memory=installer.MEMORY)
    guest.power_on()

    def lines() -> list[str]:
        boots = server.boots(MAC)
        events = boots[-1]["events"] if boots else []
        return [event["text"] for event in events if event["kind"] == "syslog.line"]

    # what it says once it has a network; before, its syslogd sends into the void
    server.until(lambda: any(line.startswith("netcfg: ") for line in lines()), "the installer logs", 600)
    guest.power_off()
    assert "its own log" in server.netprov("timeline", "di")
    assert "netcfg: " in server.netprov("timeline", "di", "-v")
    server.stop()
