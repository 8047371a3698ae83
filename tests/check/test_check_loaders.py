"""check misses exactly the loaders that decide() would send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from pathlib import Path

import pytest

from netprov.boot.arch import ARCHS, arch_by_name
from netprov.boot.chain import Party
from netprov.boot.decide import decide
from netprov.boot.decision import Action
from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.loaders import chain_of
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.state import BootState
from netprov.bootimages.manifest import load
from netprov.check.loaders import missing_loaders, wanted
from netprov.check.subject import Severity
from netprov.inventory.model import (
    DhcpMode,
    DhcpSettings,
    InstallMode,
    Interface,
    Inventory,
    ServerSettings,
    Settings,
    Subnet,
    Target,
    TftpSettings,
    UnknownPolicy,
)
from netprov.mac import parse_mac

MAC, STRANGER = parse_mac("52:54:00:00:00:01"), parse_mac("52:54:00:00:00:02")
ROOT = Path("/nonexistent/root")
MANIFEST = load()
INSIDE, ELSEWHERE = IPv4Address("10.0.0.1"), IPv4Address("10.9.0.1")
PREFERENCES = [(), ("ipxe",), ("pxelinux",), ("grub",), ("grub", "pxelinux"), ("ipxe", "grub"), ("pxelinux", "ipxe")]
SUBNETS = [(), ("profile",), *((policy,) for policy in UnknownPolicy)]
FILENAMES = ["odd.bin", "d/shimx64.efi", "http://10.0.0.2/odd.efi"]
CHOICES = [*product(PREFERENCES, [""]), *product([(), ("grub", "pxelinux")], FILENAMES)]


def inventory(
    mode: DhcpMode, unknown: UnknownPolicy, subnet: tuple[str, ...] = (), root: Path = ROOT, **fields: object
) -> Inventory:
    web = replace(Target("profile", "web", kernel="k", install=InstallMode.ONCE), **fields)  # type: ignore[arg-type]
    lady = replace(web, kind="system", name="lady", interfaces=(Interface("eth0", mac=MAC),))
    here = Subnet(IPv4Network("10.0.0.0/24"))
    if subnet:
        own = {"profile": "web"} if subnet[0] == "profile" else {"unknown": UnknownPolicy(subnet[0])}
        here = replace(here, **own)  # type: ignore[arg-type]
    server, dhcp = ServerSettings(unknown=unknown), DhcpSettings(mode=mode)
    settings = Settings(server=server, dhcp=dhcp, tftp=TftpSettings(root=root))
    return Inventory.of(lady, web, settings=settings, subnets=(here,))


def sent(declared: Inventory) -> Iterator[str]:
    """What decide() sends to anybody at all: a declared system and strangers, of every architecture, their firmware and
    (where no `filename` is for firmware alone) iPXE ROMs; and what follows each loader by itself."""
    via = Via.PROXY if declared.settings.dhcp.mode is DhcpMode.PROXY else Via.DHCP
    state = BootState({"lady": InstallRecord(InstallState.ARMED, token="t")})
    askers = ((MAC, ELSEWHERE), (STRANGER, INSIDE), (STRANGER, ELSEWHERE))
    asks = (Loader.FIRMWARE,) if next(iter(declared.profiles())).filename else (Loader.FIRMWARE, Loader.IPXE)
    for (mac, server), arch, loader in product(askers, ARCHS, asks):
        decision = decide(BootRequest(via, loader, mac=mac, server=server, arch=arch), declared, state)
        file = decision.loader_file
        if decision.action is Action.LOADER and file and not file.startswith("/ipxe/") and "://" not in file:
            yield from (link.name for link in chain_of(file) if not link.optional)


def missed(declared: Inventory) -> set[str]:
    found: set[str] = set()
    for finding in missing_loaders(declared, lambda: MANIFEST):
        assert finding.id == "loader-missing"
        listed = re.search(r": no ([^()]+)", finding.text)
        assert listed is not None, finding.text
        found |= set(listed[1].strip().split(", "))
    return found


@pytest.mark.parametrize("mode", [DhcpMode.FULL, DhcpMode.PROXY, DhcpMode.RESERVED])
@pytest.mark.parametrize("cpu", ["x86_64", "i386", "aarch64", "riscv64", "s390x"])
def test_what_is_missed_is_what_would_be_sent(mode: DhcpMode, cpu: str) -> None:
    for unknown, subnet, (wants, filename) in product(UnknownPolicy, SUBNETS, CHOICES):
        declared = inventory(mode, unknown, subnet, arch=cpu, boot_loaders=wants, filename=filename)
        assert missed(declared) == set(sent(declared)), (unknown, subnet, wants, filename)


def test_discover_wants_ipxe() -> None:
    server = ServerSettings(unknown=UnknownPolicy.DISCOVER)
    declared = Inventory.of(settings=Settings(server=server, tftp=TftpSettings(root=ROOT)))
    assert {"undionly.kpxe", "ipxe.efi"} <= missed(declared)
    text = "bios machines that are not declared cannot boot: no undionly.kpxe (unknown: discover)"
    assert text in [finding.text for finding in missing_loaders(declared, lambda: MANIFEST)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What the packages of every release have."""
    (tmp_path / "loaders").mkdir()
    for name in ("pxelinux.0", "ldlinux.c32", "undionly.kpxe", "ipxe.efi", "shimx64.efi", "grubx64.efi"):
        (tmp_path / "loaders" / name).write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize(
    ("fields", "unknown", "firmware", "severity"),
    [
        # 32-bit x86 UEFI: the newest releases have no shim for it, and hardly anybody such a board
        ({}, UnknownPolicy.IGNORE, "uefi-ia32", Severity.NOTE),
        ({}, UnknownPolicy.MENU, "uefi-arm64", Severity.NOTE),  # the menu has nothing for it
        ({}, UnknownPolicy.DISCOVER, "uefi-arm64", Severity.NOTE),  # its iPXE is not in every release
        ({"arch": "aarch64"}, UnknownPolicy.IGNORE, "uefi-arm64", Severity.ERROR),  # nothing boots it
        ({"arch": "aarch64"}, UnknownPolicy.MENU, "uefi-arm64", Severity.ERROR),
        ({"filename": "own.efi"}, UnknownPolicy.IGNORE, "bios", Severity.ERROR),
    ],
)
def test_how_bad_it_is(
    root: Path, fields: dict[str, str], unknown: UnknownPolicy, firmware: str, severity: Severity
) -> None:
    declared = inventory(DhcpMode.FULL, unknown, root=root, **fields)
    found = [row.severity for row in missing_loaders(declared) if row.text.startswith(f"{firmware} ")]
    assert found[:1] == [severity]


def test_files_of_another_server_are_not_looked_for() -> None:
    party = Party(Target("system", "lady", kernel="k"), next_server=IPv4Address("10.0.0.9"))
    declared = inventory(DhcpMode.FULL, UnknownPolicy.IGNORE)
    assert wanted(arch_by_name("bios"), party, declared) == ()
    assert wanted(arch_by_name("http-x64"), party, declared) == ("ipxe.efi",)  # by HTTP all the same, from here


def test_a_loader_in_a_folder_of_its_own_and_the_next_beside_it(root: Path) -> None:
    declared = inventory(DhcpMode.FULL, UnknownPolicy.IGNORE, root=root, filename="debian/shimx64.efi")
    assert missed(declared) == set()  # by its last part it is the loader of loaders/ (tftp.root)
    (root / "loaders" / "grubx64.efi").unlink()
    assert missed(declared) == {"debian/grubx64.efi"}
