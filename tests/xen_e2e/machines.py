"""The domUs that netprov knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.served import DISTROS

from . import installer
from .rundisk import NO_KERNEL

DISTRO = "probe"
# each line that a guest says goes through Xen, which TCG pays for
CONSOLE = {"console": "hvc0", "quiet": True}


@dataclass(frozen=True, slots=True)
class Declared:
    """What one server is told, as in netprov.yaml."""

    systems: Mapping[str, Any]
    distros: Mapping[str, Any]
    profiles: Mapping[str, Any]

    def __or__(self, more: Declared) -> Declared:
        return Declared({**self.systems, **more.systems}, {**self.distros, **more.distros},
                        {**self.profiles, **more.profiles})  # fmt: skip


def mac(number: int) -> str:
    return f"00:16:3e:77:00:{number:02x}"


def _system(number: int, network: str = "10.77.0", **fields: Any) -> dict[str, Any]:
    return {"profile": "domu", "interfaces": {"eth0": {"mac": mac(number), "ip": f"{network}.{number}"}}} | fields


_PROBE: tuple[Mapping[str, Any], Mapping[str, Any]] = (
    {DISTRO: DISTROS[DISTRO]},
    {
        "domu": {
            "distro": DISTRO, "install": "install-once", "kernel_options": CONSOLE,
            "virt": {"type": "xenpv", "ram": 128, "bridge": "xenbr0"},
        },
    },
)  # fmt: skip
OUTSIDE = Declared({
    "pv": _system(0x11),
    "twin-pv": _system(0x12),
    "twin-pvh": _system(0x13, virt={"type": "xenpvh"}),
    "phoenix": _system(
        0x14, kernel_options={"netprov.probe": "reboot"},
        virt={"disks": [{"path": "/var/lib/xen/images/phoenix-disk0", "driver": "raw"}]},
    ),
    "lady": _system(0x15),
}, *_PROBE)  # fmt: skip
BROKEN = "broken"
"""A profile whose kernel is none."""
INSIDE = Declared({"inside": _system(0x21, "10.88.0", virt={"bridge": "xenbr1"})}, *_PROBE) | Declared(
    {},
    {BROKEN: {**DISTROS[DISTRO], "kernel": NO_KERNEL}},
    {BROKEN: {"distro": BROKEN, "install": "install-once", "virt": {"type": "xenpv", "ram": 128}}},
)


def with_installer(version: str) -> Declared:
    """OUTSIDE, and a domU that Debian's installer of this version comes up on."""
    virt = {"type": "xenpv", "ram": installer.MEMORY, "bridge": "xenbr0"}
    profile = {"distro": installer.NAME, "install": "install-once", "kernel_options": CONSOLE, "virt": virt}
    systems = {installer.NAME: _system(0x16, profile=installer.NAME)}
    return OUTSIDE | Declared(systems, {installer.NAME: installer.distro(version)}, {installer.NAME: profile})
