"""What a demo is to do, and the configuration that it serves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from netprov.lab.firmware import MACHINES, Firmware
from netprov.lab.lab import ADDRESS, BRIDGE, NETWORK

CONFIG = "netprov.yaml"
MOST_GUESTS = 20
QUIET = 150.0
"""Without a word from any guest, neither in the journal nor on a console, for so many seconds, a demo gives up. UEFI
firmware under TCG on a busy machine says nothing for half a minute."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A demo. `folder` holds its configuration, state and consoles; `root` the loaders and the probe."""

    folder: Path
    root: Path
    firmware: Firmware
    guests: int
    kvm: bool  # whether KVM serves here
    quiet: float = QUIET

    @property
    def config(self) -> Path:
        return self.folder / CONFIG

    @property
    def machines(self) -> dict[str, str]:
        """The guests: name → MAC, of QEMU's own range."""
        return {f"guest-{number}": f"52:54:00:77:00:{number:02x}" for number in range(1, self.guests + 1)}

    @property
    def kind(self) -> str:
        """The guests' firmware as a person says it."""
        return "UEFI" if self.firmware is Firmware.UEFI else "BIOS"

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        given = json.loads(text)
        return cls(
            Path(given["folder"]),
            Path(given["root"]),
            Firmware(given["firmware"]),
            given["guests"],
            given["kvm"],
            given["quiet"],
        )


def loaders_of(firmware: Firmware) -> str:
    """The loaders that such guests start, as the manifest names their machines."""
    return MACHINES[firmware].arch.name


_CONFIGURATION = """\
server:
  address: {address}
  interfaces: [{bridge}]
  state: state                  # leases, installs, the journal
dhcp:
  mode: full                    # "proxy": beside another DHCP server
  subnets:
    - {{subnet: {network}, range: 10.77.0.100-10.77.0.199}}
tftp:
  root: {root}
distros:
  probe:                        # fetches its kickstart, reports back
    breed: probe
    kernel: probe/x86_64/vmlinuz
    initrd: probe/x86_64/initrd.img
    kernel_options: {{console: ttyS0, no_timer_check: true}}
profiles:
  demo: {{distro: probe, autoinstall: probe.ks, boot_loaders: [{loader}]}}
systems:
{systems}"""

_SYSTEM = """\
  {name}:
    profile: demo
    install: install-once       # once; after that it boots its own disk
    interfaces: {{eth0: {{mac: "{mac}"}}}}
"""


def configuration(plan: Plan) -> str:
    """The netprov.yaml of the demo, short enough to be read from a screen."""
    loader = next(iter(MACHINES[plan.firmware].arch.loaders))
    systems = "".join(_SYSTEM.format(name=name, mac=mac) for name, mac in plan.machines.items())
    return _CONFIGURATION.format(
        address=ADDRESS, bridge=BRIDGE, network=NETWORK, root=plan.root, loader=loader, systems=systems
    )
