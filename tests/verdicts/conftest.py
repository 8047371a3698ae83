"""Two running servers before machines that do everything wrong: one gives the addresses, one stands beside dnsmasq."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netprov.inventory.load import load
from netprov.journal.timeline import Timeline, keys
from netprov.journal.verdicts import Context, Judged, Verdict, judge
from netprov.lab import netns
from netprov.lab.accel import Accelerators
from netprov.lab.lab import BRIDGE, Lab, Station, lab
from netprov.state.place import Place
from tests.e2e.served import Served, configuration
from tests.verdicts.healthy import HOUR
from tests.world import put, until

CLIENT = Path(__file__).with_name("netclient.py")
RIVAL = "10.77.0.9"

FILES = {"pxelinux.0": 42_000, "shimx64.efi": 90_000, "grubx64.efi": 90_000, "ipxe.efi": 90_000,
         "k/vmlinuz": 100_000, "k/initrd.img": 300_000, "k/gone": 1,
         "k/slow.img": 1_100_000, "k/long.img": 600_000}  # fmt: skip


FIREWALL = """
table inet wall {
    chain input {
        type filter hook input priority filter
        ip saddr 10.77.0.1 udp sport != { 67, 69 } drop
    }
}
"""
"""As many are: TFTP's port is open, and those of its transfers are not."""


def named(number: int, **fields: Any) -> dict[str, Any]:
    """A declared machine, by the number of its MAC and address."""
    card = {"mac": f"52:54:00:88:00:{number:02x}", "ip": f"10.77.0.{number}/24"}
    return {"profile": "web", "install": "install-once", "interfaces": {"eth0": card}, **fields}


@dataclass(frozen=True)
class Bench:
    """A server, and a station with every machine's address. `walled` is behind a firewall that knows no TFTP."""

    served: Served
    clients: Station
    walled: Station

    def play(self, code: str, where: Station | None = None, timeout: float = 90) -> str:
        """Run a machine's doing to its end."""
        done = (where or self.clients).run([sys.executable, str(CLIENT), code], timeout)
        assert done.returncode == 0, f"{code}\n{done.stderr}\n{self.served.why()}"
        return done.stdout

    def judged(self, machine: str, enough: Callable[[Judged], bool] = bool, **context: Any) -> Judged:
        """The machine's last boot and its verdicts as they stand in an hour: no rule waits longer for more to come."""
        inventory = load(self.served.config)
        found: list[Judged] = []

        def holds() -> bool:
            with Timeline(Place(inventory.settings.server.state).journal) as journal:
                now = Context.of(inventory, time.time() + HOUR)
                found[:] = judge(journal.boots(keys(machine)), now)
            return bool(found) and enough(found[-1])

        self.served.until(holds, f"{machine} boots, and {found}", 20)
        return found[-1]

    def has(self, machine: str, *wanted: str, also: Sequence[str] = ()) -> tuple[Verdict, ...]:
        """The verdicts on the machine's last boot, which are those wanted; the boots before have none but these and
        `also`."""
        boot, found = self.judged(machine, lambda j: {*wanted} <= {v.id for v in j[1]})
        assert {v.id for v in found} == {*wanted}, found
        self.served.troubled[boot.system or boot.machine] = {*wanted, *also}
        return found


def bench(made: Lab, folder: Path, systems: Mapping[str, Any], **dhcp: Any) -> Bench:
    root = folder / "root"
    put(root, {name: bytes(size) for name, size in FILES.items()}, {})
    (folder / "autoinstall").mkdir()
    (folder / "autoinstall" / "broken.ks").write_text(
        "# netprov: template\nuser --name={{ autoinstall_meta.nobody.wrote.this }}\n"
    )
    files = {"kernel": "k/vmlinuz", "initrd": ["k/initrd.img"], "autoinstall": "default.ks"}
    web = {"breed": "redhat", "os_version": "9", "tree": "http://10.77.0.1/trees/x", **files}
    distros = {"scotland": web, "gone": {**web, "kernel": "k/gone"}}
    profiles = {"web": {"distro": "scotland"}, "gone": {"distro": "gone"}}
    config = configuration(folder, root, systems, usual=False, dhcp=dhcp, distros=distros, profiles=profiles)
    clients = made.station(f"clients-{folder.name}", "52:54:00:88:00:01", "10.77.0.30/24")
    walled = made.station(f"walled-{folder.name}", "52:54:00:88:00:02", "10.77.0.40/24")
    for number in (*range(50, 90), *range(200, 251)):  # what dnsmasq may give, too
        netns.ip("-n", clients.namespace, "address", "add", f"10.77.0.{number}/24", "dev", "eth0")
    for address in ("10.77.0.41/24", "172.17.0.1/16"):
        netns.ip("-n", walled.namespace, "address", "add", address, "dev", "eth0")
    built = walled.run(["nft", FIREWALL])
    assert built.returncode == 0, built.stderr
    made.ip("route", "add", "172.17.0.0/16", "dev", BRIDGE)
    return Bench(Served(made, config, folder / "serve.log"), clients, walled)


@pytest.fixture(scope="session")
def can_namespaces() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the lab makes network namespaces")
    for tool in ("ip", "setpriv", "dnsmasq", "nft"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    netns.delete_stale()


@contextmanager
def far_away(made: Lab, mac: str, address: str, seconds: float) -> Iterator[Station]:
    """A station at the end of a cable that hands every packet over `seconds` later."""
    cable = made.spawn([sys.executable, str(CLIENT.with_name("slowwire.py")), "slow0", "slow1", str(seconds)])
    try:
        station = made.station("far-away", "52:54:00:88:00:07")
        netns.ip("-n", station.namespace, "link", "delete", "eth0")
        until(lambda: "slow1" in made.ip("-brief", "link"))
        made.ip("link", "set", "slow0", "master", BRIDGE, "up")
        made.ip("link", "set", "slow1", "address", mac, "netns", station.namespace, "name", "eth0")
        netns.ip("-n", station.namespace, "address", "add", address, "dev", "eth0")
        netns.ip("-n", station.namespace, "link", "set", "eth0", "up")
        yield station
    finally:
        made.stop(cable)


def router(made: Lab, machine: Station) -> Station:
    """A router at 10.77.0.254 to 10.88.0.0/24, where `machine` is at 10.88.0.5. It relays nothing yet."""
    between = made.station("router", "52:54:00:88:00:08", "10.77.0.254/24")
    netns.ip("-n", machine.namespace, "link", "delete", "eth0")
    inner = ("type", "veth", "peer", "name", "eth0", "address", machine.mac, "netns", machine.namespace)
    netns.ip("-n", between.namespace, "link", "add", "eth1", *inner)
    for station, card, address in ((between, "eth1", "10.88.0.1/24"), (machine, "eth0", "10.88.0.5/24")):
        netns.ip("-n", station.namespace, "address", "add", address, "dev", card)
        netns.ip("-n", station.namespace, "link", "set", card, "up")
    netns.ip("-n", machine.namespace, "route", "add", "default", "via", "10.88.0.1")
    made.ip("route", "add", "10.88.0.0/24", "via", "10.77.0.254")
    assert between.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]).returncode == 0
    return between


def dnsmasq(made: Lab, folder: Path) -> Station:
    """Another DHCP server on the wire, with addresses and nothing to boot."""
    rival = made.station(f"rival-{folder.name}", "52:54:00:88:00:09", f"{RIVAL}/24")
    options = ["--keep-in-foreground", "--port=0", "--user=root", "--no-ping", "--dhcp-authoritative"]
    options += ["--dhcp-range=10.77.0.200,10.77.0.250", "--interface=eth0", "--conf-file=/dev/null"]
    options += [f"--dhcp-leasefile={folder}/leases"]
    rival.spawn(["dnsmasq", *options], folder / "dnsmasq.log")
    return rival


@pytest.fixture(scope="module")
def full(can_namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The server that gives the addresses; its range has one."""
    folder = tmp_path_factory.mktemp("full")
    subnets = [{"subnet": "10.77.0.0/24", "range": "10.77.0.199-10.77.0.199", "router": "10.77.0.1"},
               {"subnet": "10.88.0.0/24"}]  # fmt: skip
    far = {"eth0": {"mac": "52:54:00:88:00:fe", "ip": "10.88.0.5/24"}}
    systems = {
        "rejects": named(50), "fetchless": named(51), "walled": named(41), "odd": named(53),
        "circle": named(54, boot_loaders=["ipxe"]), "silent": named(55, boot_loaders=["grub"]), "unsigned": named(56),
        "netless": named(57), "blind": named(58), "again": named(59), "slow": named(92), "rollover": named(61),
        "tls": named(62, boot_loaders=["ipxe"]), "broken": named(63, autoinstall="broken.ks"), "healthy": named(64),
        "arm": named(65), "gone": named(66, profile="gone"), "failed": named(67),
        "http": named(68), "patient": named(69), "wins": named(70), "domu": named(93),
        "far": {"profile": "web", "install": "install-once", "interfaces": far},
    }  # fmt: skip
    with lab(folder, Accelerators(), "verdicts") as made:
        yield bench(made, folder, systems, subnets=subnets)


@pytest.fixture(scope="module")
def proxy(can_namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The server beside dnsmasq."""
    folder = tmp_path_factory.mktemp("proxy")
    systems = {"lone": named(50), "deaf": named(51, boot_loaders=["grub"]), "asker": named(52), "twoid": named(53),
               "healthy": named(54), "grubby": named(55, boot_loaders=["grub"])}  # fmt: skip
    with lab(folder, Accelerators(), "proxied") as made:
        dnsmasq(made, folder)
        yield bench(made, folder, systems, mode="proxy")
