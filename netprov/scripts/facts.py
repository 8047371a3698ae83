"""What is known of the machine that boots, for scripts that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from netprov.mac import Mac


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What is unknown is None or empty. `dmi`: SYSVENDOR, SYSPRODUCT, BIOSVENDOR … as SYSAPPEND names them.

    `platform` and `arch` are what the loaders' scripts ask for: GRUB's and iPXE's "efi", GRUB's "pc" … `boot_file` and
    `options` are the DHCP answer's; without options, none was asked for.
    """

    mac: Mac | None = None
    ip: IPv4Address | None = None
    server: IPv4Address | None = None
    gateway: IPv4Address | None = None
    netmask: IPv4Address | None = None
    uuid: str = ""
    cpu: str = ""
    dmi: Mapping[str, str] = field(default_factory=dict)
    platform: str = "xen"
    arch: str = "x86_64"
    boot_file: str = ""
    options: Mapping[int, bytes] = field(default_factory=dict)

    def text(self, option: int) -> str:
        """A DHCP option as text, to its first NUL or control character; "" where there is none."""
        text = self.options.get(option, b"").partition(b"\0")[0].decode("utf-8", "replace")
        return "".join(char for char in text if char >= " ")
