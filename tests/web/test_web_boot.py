"""The page while real machines boot: every stage shows by itself, and how far each file is."""

from __future__ import annotations

import ctypes
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from chromium import Browser, chromium, needs_chromium
from selenium.common.exceptions import TimeoutException

from netprov.bootimages.probe import Probe
from netprov.lab.accel import Accelerators
from netprov.lab.firmware import Firmware
from netprov.lab.lab import ADDRESS, Lab, lab
from netprov.web.credentials import new_password
from tests.e2e.conftest import accelerators, boot_images, namespaces, needs, probe_x86_64
from tests.e2e.hall import INSTALLED, Machine, declared
from tests.e2e.served import DISTROS, Served, configuration

__all__ = ["accelerators", "boot_images", "namespaces", "probe_x86_64"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), needs_chromium, needs(Firmware.BIOS)]

PASSWORD = "correct horse"
BALLAST = 48 << 20  # octets: a second initrd of zeros, which the kernel skips; it takes some seconds to fetch
CLONE_NEWNET = 0x40000000
MACHINES = (
    Machine("pxelinux", 21, Firmware.BIOS, {"boot_loaders": ["pxelinux"], "install": "local"}, files=[]),
    Machine("ipxe", 22, Firmware.BIOS, {"boot_loaders": ["ipxe"], "install": "local"}, files=[]),
)
WATCH = """
window.seen = {};
const look = () => {
  for (const row of document.querySelectorAll('tr[data-machine]')) {
    const stage = row.querySelector('[data-cell="stage"]').textContent;
    const moving = row.querySelector('.moving:not([hidden]) .moving-text')?.textContent || '';
    const list = window.seen[row.dataset.machine] ||= [];
    const now = stage + '|' + moving;
    if (list.at(-1) !== now) list.push(now);
  }
};
new MutationObserver(look).observe(document.querySelector('main'),
  {subtree: true, childList: true, characterData: true, attributes: true});
return document.marked = Math.random();
"""


@contextmanager
def reached(lab: Lab) -> Iterator[str]:
    """The server's page, from outside of the lab's namespace: a URL on loopback."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with open(f"/run/netns/{lab.namespace}") as namespace:  # this thread alone moves there
            assert ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) == 0
        with suppress(OSError):  # closed
            while True:
                near, _ = listening.accept()
                far = socket.create_connection((ADDRESS, 80), 30)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=relay, args=(source, sink), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def relay(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def served(
    namespaces: None, accelerators: Accelerators, boot_images: Path, probe_x86_64: Probe, tmp_path: Path
) -> Iterator[Served]:
    root = tmp_path / "root"
    shutil.copytree(boot_images, root)
    (root / "ballast.img").write_bytes(bytes(BALLAST))
    probe = DISTROS["probe"]
    distros = {"probe": {**probe, "initrd": [probe["initrd"], "ballast.img"]}}
    users = {"alice": {"password": new_password(PASSWORD)}}
    with lab(tmp_path, accelerators, "page") as made:
        config = configuration(tmp_path, root, declared(MACHINES), distros=distros, server={"users": users})
        served = Served(made, config, tmp_path / "server.log")
        yield served
        served.stop()


def test_a_boot_shows_stage_by_stage(served: Served, pictures: Path) -> None:
    """Armed on the page, switched on, and nothing is touched until both are installed."""
    with reached(served.lab) as url, chromium() as driver:
        browser = Browser(driver, url, pictures)
        browser.show(1280)
        browser.log_in("alice", PASSWORD)
        for machine in MACHINES:
            browser.get(f"/machines/{machine.name}")
            browser.click("#arm summary")
            browser.click("#arm button")
            browser.until("will be installed at its next network boot", ".install")
        browser.get("/")
        browser.live()
        mark = driver.execute_script(WATCH)
        guests = [served.lab.guest(machine.firmware, machine.mac).power_on() for machine in MACHINES]
        try:
            browser.until("ballast.img: ", "tbody", 300)
            browser.picture("boot-1-fetches")
            for machine in MACHINES:
                row = f'tr[data-machine="{machine.name}"]'
                browser.until("callback", f'{row} [data-cell="stage"]', 420)
                browser.until("is installed and boots its own disk", f'{row} [data-cell="says"]')
            browser.picture("boot-2-installed")
        except TimeoutException as late:
            raise AssertionError(f"{late.msg}\n{driver.execute_script('return window.seen')}\n{served.why()}") from None
        finally:
            for guest in guests:
                guest.power_off()
        seen = driver.execute_script("return window.seen")
        assert driver.execute_script("return document.marked") == mark  # nothing was loaded anew
        for machine in MACHINES:
            stages = [text.partition("|")[0].removesuffix(" …") for text in seen[machine.name]]
            passed = [stage for stage in INSTALLED if stage in stages]
            told = f"{machine.name}: {seen[machine.name]}"
            assert {"initrd", "callback"} <= set(passed), told  # what lasts less than a look does is left out
            assert [stage for stage in dict.fromkeys(stages) if stage in INSTALLED] == passed, told
        assert sum("|ballast.img: " in text for texts in seen.values() for text in texts) >= 2, seen
        browser.get("/machines/pxelinux")
        browser.picture("boot-3-timeline")
        assert browser.violations() == []
        assert not browser.complaints()
