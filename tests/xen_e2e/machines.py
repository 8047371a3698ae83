"""The domUs that netprov knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DISTRO = "probe"
# each line that a guest says goes through Xen, which TCG pays for
CONSOLE = {"console": "hvc0", "quiet": True}

PROFILES: Mapping[str, Any] = {
    "domu": {
        "distro": DISTRO, "install": "install-once", "kernel_options": CONSOLE, "boot_loaders": ["ipxe"],
        "virt": {"type": "xenpv", "ram": 128, "bridge": "xenbr0"},
    },
}  # fmt: skip


def mac(number: int) -> str:
    return f"00:16:3e:77:00:{number:02x}"


def _system(number: int, network: str = "10.77.0", **fields: Any) -> dict[str, Any]:
    return {"profile": "domu", "interfaces": {"eth0": {"mac": mac(number), "ip": f"{network}.{number}"}}, **fields}


OUTSIDE: Mapping[str, Any] = {
    "pv": _system(0x11),
    "twin-pv": _system(0x12),
    "twin-pvh": _system(0x13, virt={"type": "xenpvh"}),
    "phoenix": _system(
        0x14, kernel_options={"netprov.probe": "reboot"},
        virt={"disks": [{"path": "/var/lib/xen/images/phoenix-disk0", "driver": "raw"}]},
    ),
    "lady": _system(0x15),
}  # fmt: skip
INSIDE: Mapping[str, Any] = {"inside": _system(0x21, "10.88.0", virt={"bridge": "xenbr1"})}
