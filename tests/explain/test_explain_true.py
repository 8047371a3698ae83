"""explain does not lie: what it says is what the server's own rooms send to the machine that asks for real."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from netprov.boot.arch import arch_by_name
from netprov.boot.install import UNDECLARED, Arm, Boot
from netprov.boot.names import parse_name
from netprov.boot.request import BootRequest, Loader, Via
from netprov.dhcp.interfaces import Interface
from netprov.explain import server as server_module
from netprov.explain.server import arrival
from netprov.files.sums import Sums
from netprov.inventory.load import load
from netprov.mac import Mac
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from netprov.state.records import Lease, Sighting
from netprov.state.state import State, open_state
from tests.explain.house import make, told
from tests.world import edit

LADY, STRANGER = Mac("52:54:00:00:00:01"), Mac("52:54:00:00:00:99")
OURS = IPv4Address("10.0.0.1")


@pytest.fixture
def state(house: Path) -> Iterator[State]:
    """Of a server that gave both machines their addresses, and armed lady."""
    with open_state(str(house / "state")) as opened:
        opened.installs.apply({"lady": UNDECLARED}, Arm(), 1.0)
        now = time.time()
        for mac, ip in ((LADY, "10.0.0.14"), (STRANGER, "10.0.0.100")):
            lease = Lease(IPv4Address(ip), mac, expires=now + 900, subnet="10.0.0.0/24")
            opened.leases.commit([lease], [Sighting(IPv4Address(ip), mac, at=now)])
        yield opened


def texts(house: Path, machine: str, *arguments: str) -> dict[str, str]:
    return {stage["stage"]: stage["text"] for stage in told(house, machine, *arguments)["stages"]}


ASKED = [
    # who, its address, what it asks for and over what, and how explain is asked
    ("lady", "10.0.0.14", "pxelinux.cfg/01-52-54-00-00-00-01", Via.TFTP, ()),
    ("lady", "10.0.0.14", "grub/grub.cfg-01-52-54-00-00-00-01", Via.TFTP, ("--arch", "uefi-x64")),
    ("lady", "10.0.0.14", "ipxe/52-54-00-00-00-01", Via.HTTP, ("--loader", "ipxe")),
    ("lady", "10.0.0.14", "xen/52-54-00-00-00-01", Via.HTTP, ("--loader", "xen")),
    (STRANGER, "10.0.0.100", "pxelinux.cfg/01-52-54-00-00-00-99", Via.TFTP, ()),
    (STRANGER, "10.0.0.100", "ipxe/52-54-00-00-00-99", Via.HTTP, ("--loader", "ipxe")),
    ("duke", "10.0.0.15", "pxelinux.cfg/01-52-54-00-00-00-02", Via.TFTP, ("--loader", "pxelinux")),
    ("duke", "10.0.0.15", "pxelinux.cfg/01-52-54-00-00-00-02", Via.TFTP, ("--loader", "pxelinux", "--armed")),
]  # fmt: skip


@pytest.mark.parametrize("unknown", ["menu", "profile"])
@pytest.mark.parametrize(("machine", "ip", "path", "via", "arguments"), ASKED)
def test_scripts(
    house: Path, state: State, unknown: str, machine: str, ip: str, path: str, via: Via, arguments: tuple[str, ...]
) -> None:
    if unknown == "profile":
        edit(house, "lease: 2h}", "lease: 2h, profile: web}")
        edit(house, "autoinstall: default.ks}", "autoinstall: default.ks, install: install-once}")
    inventory = load(house / "netprov.yaml")
    if "--armed" in arguments:
        state.installs.apply({"duke": UNDECLARED}, Arm(), 1.0)
    name = parse_name(path)
    assert name is not None
    generation = Generation.of(inventory)
    scripts = Scripts(state.installs, state.sightings.at, sum_of=Sums().of)
    arch = arch_by_name("uefi-x64" if "uefi-x64" in arguments else "bios").code
    asked = BootRequest(via, name.loader, ip=IPv4Address(ip), server=OURS, arch=arch)
    sent = scripts.script(generation, asked, name, preview=True)
    assert sent is not None
    said = texts(house, machine, *arguments)
    assert said["script"] == sent.body.decode()
    if sent.decision.kernel is None:
        return
    line = next(s["gets"] for s in told(house, machine, *arguments)["stages"] if s["stage"] == "arguments")
    assert line in sent.body.decode() or name.loader is Loader.GRUB  # which quotes
    target = sent.decision.target
    assert target is not None
    fetched = BootRequest(Via.HTTP, Loader.OS, ip=IPv4Address(ip), server=OURS)
    if state.installs.get(sent.decision.record) is None:  # before its first boot no token is drawn
        state.installs.apply({sent.decision.record: target}, Boot(), 1.0)
    token = state.installs.get(sent.decision.record)
    assert token is not None
    answers = scripts.autoinstall(generation, target.kind, target.name, fetched, token.token, preview=True)
    assert texts(house, machine, *arguments)["autoinstall"] == answers.body.decode()


ARRIVALS = [
    # this host's interfaces, server.address, who, the relay; then: the interface, our address there
    ({"br0": "10.0.0.1/24"}, "10.0.0.1", "lady", None, "br0", "10.0.0.1"),
    ({"br0": "10.0.0.1/24", "br1": "10.9.0.1/24"}, "10.9.0.1", "lady", None, "br0", "10.0.0.1"),
    ({"br0": "10.0.0.1/24", "br1": "10.9.0.1/24"}, "10.9.0.1", "lady", "10.0.0.7", "br1", "10.9.0.1"),
    ({"eth0": "10.0.0.77/24"}, "10.0.0.1", "lady", None, "", "10.0.0.1"),  # not the server's host
    ({"br0": "10.0.0.5/24"}, None, "lady", None, "br0", "10.0.0.5"),
    ({"eth0": "192.0.2.5/24"}, None, "lady", None, "", "10.0.0.1"),
    ({}, None, "lady", None, "", "10.0.0.1"),
]


@pytest.mark.parametrize(("held", "address", "name", "relay", "interface", "ours"), ARRIVALS)
def test_how_a_packet_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: dict[str, str], address: str | None, name: str,
    relay: str | None, interface: str, ours: str,
) -> None:  # fmt: skip
    rows = {n: Interface(n, device, (IPv4Interface(ip),)) for n, (device, ip) in enumerate(held.items())}
    monkeypatch.setattr(server_module, "interfaces", lambda: rows)
    make(tmp_path, (
        f"server: {{{f'address: {address}' if address else ''}}}\ndhcp: {{subnets: [{{subnet: 10.0.0.0/24}}]}}\n"
        "tftp: {root: images}\ndistros: {d: {kernel: vmlinuz}}\nprofiles: {web: {distro: d}}\n"
        "systems: {lady: {profile: web, interfaces: {e: {ip: 10.0.0.14/24}}}}\n"
    ))  # fmt: skip
    inventory = load(tmp_path / "netprov.yaml")
    target = inventory.system(name)
    server = server_module.our_address(inventory, target)
    came = arrival(inventory, server, target, IPv4Address(relay) if relay else None)
    assert came is not None
    assert (came.interface, str(came.server)) == (interface, ours)
    assert came.unicast == (relay is not None)
    assert came.server in [a.ip for a in came.addresses]
    assert arrival(inventory, None, target) is None
