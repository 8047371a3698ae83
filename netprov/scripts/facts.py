"""What is known of the machine that boots, for scripts that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from netprov.mac import Mac


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What is unknown is None or empty. `dmi`: SYSVENDOR, SYSPRODUCT, BIOSVENDOR … as SYSAPPEND names them.

    `platform` and `arch` are what the loaders' scripts ask for: GRUB's and iPXE's "efi", GRUB's "pc" …
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
