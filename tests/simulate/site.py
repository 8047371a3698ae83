"""A small site in a lab: files that look like loaders and kernels, one system for each way a boot can go."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from netprov.lab.lab import ADDRESS, BRIDGE, NETWORK, Lab

from ..e2e.served import Served
from ..world import put

REPOSITORY = Path(__file__).parents[2]
LOADERS = (
    "pxelinux.0", "ldlinux.c32", "menu.c32", "libutil.c32", "undionly.kpxe", "ipxe.efi", "shimx64.efi", "grubx64.efi",
    "shimaa64.efi", "grubaa64.efi",
)  # fmt: skip
KERNEL = bytes(0x202) + b"HdrS" + bytes(200_000)
ARM_KERNEL = bytes(0x38) + b"ARM\x64" + bytes(100_000)

DISTROS: dict[str, Any] = {
    "site": {
        "breed": "probe", "kernel": "site/vmlinuz", "initrd": ["site/initrd.img", "site/more.img"],
        "autoinstall": "probe.ks",
    },
    "arm": {
        "breed": "redhat", "os_version": "9", "arch": "aarch64", "kernel": "site/arm", "initrd": "site/initrd.img",
        "autoinstall": "default.ks",
    },
    "gone": {"kernel": "site/gone", "initrd": "site/initrd.img"},
    "text": {"kernel": "site/text", "initrd": "site/initrd.img"},
    "noinitrd": {"kernel": "site/vmlinuz", "initrd": "site/gone.img"},
}  # fmt: skip
PROFILES: dict[str, Any] = {name: {"distro": name} for name in DISTROS}

ONCE: dict[str, Any] = {"profile": "site", "install": "install-once"}
SYSTEMS: dict[str, dict[str, Any]] = {
    "pxe": {**ONCE, "boot_loaders": ["pxelinux"], "uuid": "12345678-1234-1234-1234-123456789abc"},
    "undionly": {**ONCE, "boot_loaders": ["ipxe"]},
    "rom": {**ONCE, "boot_loaders": ["ipxe"]},
    "grub": {**ONCE, "boot_loaders": ["grub"]},
    "efi": {**ONCE, "boot_loaders": ["ipxe"]},
    "http": ONCE,
    "arm": {**ONCE, "profile": "arm"},
    "domu": ONCE,
    "counted": ONCE,
    "disk": {"profile": "site"},
    "no-loader": {**ONCE, "filename": "nowhere.0"},
    "wrong-server": {**ONCE, "next_server": "10.77.0.99"},
    "broken-http": {**ONCE, "boot_loaders": ["ipxe"]},
    "broken-tftp": {**ONCE, "boot_loaders": ["grub"]},
    "gone": {**ONCE, "profile": "gone"},
    "text": {**ONCE, "profile": "text"},
    "no-initrd": {**ONCE, "profile": "noinitrd"},
    "no-answers": {**ONCE, "autoinstall": "http://10.77.0.1/files/nowhere.ks"},
    **{name: {**ONCE, "boot_loaders": ["ipxe"]} for name in ("shown", "card", "seen", "looked-at")},
    "looping": {**ONCE, "install": "always", "boot_loaders": ["ipxe"]},
    "text-shown": {**ONCE, "profile": "text", "boot_loaders": ["ipxe"]},
    "options-pxe": {**ONCE, "boot_loaders": ["pxelinux"]},
    "options-grub": {**ONCE, "boot_loaders": ["grub"]},
}
"""By name; the MAC's last octet is its place. A test has its own: a third boot within a minute is taken for a loop."""


TROUBLED: dict[str, set[str]] = {
    "no-loader": {"G26"}, "wrong-server": {"G4"}, "broken-http": {"G23"}, "broken-tftp": {"G23"}, "gone": {"G26"},
    "text": {"G9"}, "text-shown": {"G9"}, "no-initrd": {"G26"}, "no-answers": {"G10"}, "looping": {"G8"},
    "arm": {"G25"},  # with --all --arch ipxe
}  # fmt: skip
"""The verdicts that boots of these are to have; the others' have none."""


def mac(name: str) -> str:
    return f"52:54:00:77:01:{list(SYSTEMS).index(name):02x}"


def systems() -> dict[str, Any]:
    return {
        name: {**fields, "interfaces": {"eth0": {"mac": mac(name), "ip": f"10.77.0.{10 + place}"}}}
        for place, (name, fields) in enumerate(SYSTEMS.items())
    }


def root_in(folder: Path) -> Path:
    """tftp.root."""
    root = folder / "root"
    files = {"vmlinuz": KERNEL, "arm": ARM_KERNEL, "gone": KERNEL, "gone.img": b"x", "text": b"<html>no kernel</html>"}
    files |= {"initrd.img": b"initrd" * 10_000, "more.img": b"more" * 128}
    put(root, {f"site/{name}": data for name, data in files.items()}, {name: name.encode() * 500 for name in LOADERS})
    return root


def templates_in(folder: Path) -> None:
    """The user's templates: with the two broken systems they end in an error."""
    for loader, name in (("ipxe", "kernel.ipxe"), ("grub", "kernel.cfg")):
        place = folder / "pxelinux.cfg.templates" / loader
        place.mkdir(parents=True)
        shutil.copytree(REPOSITORY / "pxelinux.cfg.templates" / loader, place, dirs_exist_ok=True)
        text = (place / name).read_text()
        first, rest = text.split("\n", 1)
        (place / name).write_text(f"{first}\n{{% if 'broken' in title %}}{{{{ no_such_value }}}}{{% endif %}}\n{rest}")


def configuration(folder: Path, root: Path, **dhcp: Any) -> Path:
    """netprov.yaml."""
    subnet = {"subnet": NETWORK, "range": "10.77.0.100-10.77.0.199", "router": ADDRESS, "dns": ADDRESS}
    path = folder / "netprov.yaml"
    path.write_text(yaml.safe_dump({
        "server": {"interfaces": [BRIDGE], "address": ADDRESS, "state": "state", "unknown": "menu"},
        "dhcp": {"mode": "full", "subnets": [subnet], **dhcp},
        "tftp": {"root": str(root)}, "distros": DISTROS, "profiles": PROFILES, "systems": systems(),
    }, sort_keys=False))  # fmt: skip
    return path


@dataclass(frozen=True)
class Site:
    lab: Lab
    served: Served
    folder: Path

    def simulate(self, *arguments: str, code: int = 0, via: str = "br0", config: Path | None = None) -> str:
        """What `netprov simulate` prints, in the lab's namespace; it is to end with `code`."""
        chosen = ["--via", via, "-c", str(config or self.served.config)]
        done = self.lab.run([sys.executable, "-m", "netprov", "simulate", *chosen, *arguments], timeout=100)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}\n{self.served.why()}"
        return done.stdout

    def boot(self, name: str, kind: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        said = self.simulate(name, "--arch", kind, "--json", "--timeout", "3", *arguments, code=code)
        boot: dict[str, Any] = json.loads(said)
        return boot

    def links(self) -> list[str]:
        return sorted(row["ifname"] for row in json.loads(self.lab.ip("-json", "link", "show")))
