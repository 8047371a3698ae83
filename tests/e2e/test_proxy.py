"""proxyDHCP: another server gives the addresses, `netprov serve` only says what to boot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.lab.accel import Accelerators
from netprov.lab.firmware import Firmware
from netprov.lab.lab import ADDRESS, lab

from ..turns import Turns
from .conftest import needs
from .hall import INSTALLED, Hall, Machine, declared, fetched, in_order
from .served import Served, configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

KERNEL, INITRD = "probe/x86_64/vmlinuz", "probe/x86_64/initrd.img"
MACHINES = (
    # iPXE takes what the offer says; UEFI asks once more, on port 4011, from the address that it has by then
    Machine("bios", 21, Firmware.BIOS, {"boot_loaders": ["pxelinux"]}, ["pxelinux.0", KERNEL, INITRD], INSTALLED[1:]),
    Machine("uefi", 22, Firmware.UEFI, {}, ["ipxe.efi", f"files/{KERNEL}", f"files/{INITRD}"]),
    Machine("uefi-grub", 23, Firmware.UEFI, {"boot_loaders": ["grub"]}, ["shimx64.efi", KERNEL, INITRD]),
)
DNSMASQ = (
    "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--leasefile-ro",
    "--log-dhcp", "--log-facility=-", "--no-ping", "--user=root", "--dhcp-range=10.77.0.50,10.77.0.90,1h",
    # GRUB takes its files from the next-server of whoever gave the address: there it has to be named
    f"--dhcp-host={MACHINES[2].mac},set:grub", f"--dhcp-boot=tag:grub,,,{ADDRESS}",
)  # fmt: skip


@pytest.fixture(scope="module")
def hall(
    namespaces: None,
    accelerators: Accelerators,
    boot_images: Path,
    probe_x86_64: object,
    tmp_path_factory: pytest.TempPathFactory,
    turns: Turns,
    request: pytest.FixtureRequest,
) -> Iterator[Hall]:
    if shutil.which("dnsmasq") is None:
        pytest.skip("needs dnsmasq: apt-get install dnsmasq-base")
    folder = tmp_path_factory.mktemp("proxy")
    chosen = [item.callspec.params.get("machine") for item in request.session.items if hasattr(item, "callspec")]
    with lab(folder, accelerators, "proxy") as made:
        other = made.station("dhcp", "02:00:00:77:00:02", "10.77.0.2/24")
        other.spawn(DNSMASQ, folder / "dnsmasq.log")
        served = Served(made, configuration(
            folder, boot_images, declared(MACHINES), dhcp={"mode": "proxy", "subnets": []}
        ), folder / "server.log")  # fmt: skip
        yield Hall(served, [machine for machine in MACHINES if machine in chosen], turns)
        served.stop()


@pytest.mark.parametrize("machine", [pytest.param(m, id=m.name, marks=needs(m.firmware)) for m in MACHINES])
def test_boots_beside_another_dhcp_server(hall: Hall, machine: Machine) -> None:
    served, guest = hall.served, hall.guest(machine)
    given = guest.wait_for(r"^NETPROV-PROBE network .* ip=(10\.77\.0\.\d+) from=10\.77\.0\.2$", 1)
    for marker in ("ks sha256=", "callback ok", "done"):
        guest.wait_for(f"^NETPROV-PROBE {marker}", 1)
    served.wait_done(machine.name, machine.stages)
    assert served.status(machine.name) == "installed"
    (boot,) = served.boots(machine.name, last=9)
    assert in_order(machine.files, fetched(boot)), served.why()
    addresses = {event["ip"] for event in boot["events"] if event["stage"] == "kernel"}
    assert addresses == {given[1]}, served.why()
    assert served.netprov("leases", "--json").strip() in ("", "[]")  # none is ours
