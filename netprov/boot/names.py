"""The names under which loaders ask for their scripts. There are no such files: they are rendered when asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.boot.request import Loader
from netprov.mac import Mac, parse_mac

PREVIEW = "netprov-preview"
"""The TFTP option, or HTTP header, of who asks as a machine would but must not disturb its install: it is answered the
same, and nothing is written down. Servers that do not know it pass it over."""

PREVIEW_OPTION = 250
"""The DHCP option, one of those for private use (RFC 3942), that holds PREVIEW in such a machine's questions: they are
no rounds of a boot loop, however often they are asked."""

CHECK = "netprov-check"
"""The TFTP option of who fetches a loader to see whether it can be fetched: no machine boots, and the journal is told
nothing."""


@dataclass(frozen=True, slots=True)
class Name:
    """Whose script is asked for. None of mac, uuid, ip: the default one, whoever asks.

    `exact`: the loader goes on to its next name when this one is not there, so only a declared machine's is.
    """

    loader: Loader
    mac: Mac | None = None
    uuid: str = ""
    ip: IPv4Address | None = None
    exact: bool = False


_UUID = r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_DASHED = r"(?P<mac>[0-9a-f]{2}(?:-[0-9a-f]{2}){5})"
_ANY_MAC = r"(?P<mac>[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})"
_HEX_IP = r"(?P<ip>[0-9a-f]{8})"
# Where GRUB's own images look: Debian's signed one under /grub or /EFI/debian, upstream's under /boot/grub.
_GRUB = r"(?:(?:boot/)?grub2?/|efi/[a-z]+/|boot/grub/[a-z0-9_]+-efi/|grub/[a-z0-9_]+-efi/)?"

_TABLE: tuple[tuple[str, Loader, bool], ...] = (
    # PXELINUX: its own directory, then pxelinux.cfg/ with UUID, ARP type and MAC, address, shortened address, default
    (rf"(?:.*/)?pxelinux\.cfg/{_UUID}", Loader.PXELINUX, True),
    (rf"(?:.*/)?pxelinux\.cfg/01-{_DASHED}", Loader.PXELINUX, False),
    (rf"(?:.*/)?pxelinux\.cfg/{_HEX_IP}", Loader.PXELINUX, True),
    (r"(?:.*/)?pxelinux\.cfg/default", Loader.PXELINUX, False),
    (rf"{_GRUB}grub\.cfg-01-{_DASHED}", Loader.GRUB, False),
    (rf"{_GRUB}grub\.cfg-{_HEX_IP}", Loader.GRUB, True),
    (rf"{_GRUB}grub\.cfg", Loader.GRUB, False),
    (rf"grub/system/{_ANY_MAC}", Loader.GRUB, False),  # Cobbler's name; what our own default grub.cfg leads to
    (r"(?:boot|autoexec)\.ipxe", Loader.IPXE, False),  # autoexec.ipxe: what iPXE looks for beside itself in UEFI
    (rf"ipxe/{_ANY_MAC}(?:\.ipxe)?", Loader.IPXE, False),
    (rf"xen/{_ANY_MAC}", Loader.XEN, False),  # netprov-pxeboot's, in dom0
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.ASCII), loader, exact) for pattern, loader, exact in _TABLE)


def parse_name(path: str) -> Name | None:
    """Whose script `path` asks for; None if it is no script's name. Leading slashes and backslashes are allowed."""
    plain = path.replace("\\", "/").lstrip("/")
    if len(plain) > 255 or ".." in plain:
        return None
    for pattern, loader, exact in _COMPILED:
        found = pattern.fullmatch(plain)
        if found is not None:
            parts = found.groupdict()
            mac, ip = parts.get("mac"), parts.get("ip")
            return Name(
                loader,
                mac=parse_mac(mac) if mac else None,
                uuid=(parts.get("uuid") or "").lower(),
                ip=IPv4Address(int(ip, 16)) if ip else None,
                exact=exact,
            )
    return None
