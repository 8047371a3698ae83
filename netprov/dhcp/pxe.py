"""What network-boot firmware puts in its packets: PXE 2.1, RFC 4578, iPXE, and the relay's option 82."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address

from netprov.boot import domu
from netprov.dhcp.packet import END, PAD, Packet
from netprov.dhcpoptions.types import Type

PXE_CLASS = b"PXEClient"
HTTP_CLASS = b"HTTPClient"

DISCOVERY_CONTROL, BOOT_MENU, MENU_PROMPT, BOOT_ITEM = 6, 9, 10, 71  # sub-options of 43 for PXE clients
USE_BOOTFILE = b"\x08"  # discovery control, bit 3: no menu, no search for boot servers, the file of this packet

NO_PXEDHCP = 0xB0  # sub-option of 175: do not wait for a ProxyDHCP offer

CIRCUIT_ID, REMOTE_ID, LINK_SELECTION, SERVER_OVERRIDE = 1, 2, 5, 11  # sub-options of 82 (RFC 3046, 3527, 5107)

_CLASS_ARCH = re.compile(rb"(?:PXEClient|HTTPClient):Arch:(\d{5})")
_RASPBERRY_MACS = frozenset(
    map(bytes.fromhex, ("28cdc1", "2ccf67", "88a29e", "b827eb", "d83add", "dca632", "e45f01"))
)  # IEEE's registry: Raspberry Pi Foundation, Raspberry Pi (Trading) Ltd
_NOBODY = {
    bytes(16),
    b"\xff" * 16,
    # the UUID that boards leave the factory with when nobody filled in the vendor's: thousands share it
    bytes.fromhex("00020003000400050006000700080009"),
    bytes.fromhex("03000200040005000006000700080009"),
}


def sub_options(data: bytes) -> dict[int, bytes]:
    """The sub-options in `data` (option 43, 82 or 175). What is cut short is left out."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        code = data[at]
        if code == PAD:
            at += 1
            continue
        if code == END or at + 1 >= len(data):
            break
        end = at + 2 + data[at + 1]
        if end > len(data):
            break
        found[code] = found.get(code, b"") + data[at + 2 : end]
        at = end
    return found


def encode_vendor(items: Mapping[int, bytes]) -> bytes:
    """Option 43 of these PXE sub-options. The END belongs to it (PXE 2.1, table 2-1)."""
    return b"".join(bytes((code, len(value))) + value for code, value in items.items()) + b"\xff"


def client_archs(packet: Packet) -> tuple[int, ...]:
    """The client's architectures: option 93 (RFC 4578 §2.1: a list), else the number in its vendor class."""
    data = packet.options.get(93, b"")
    if len(data) >= 2:
        return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data) - 1, 2))
    named = _CLASS_ARCH.match(packet.options.get(60, b""))
    return (int(named[1]),) if named else ()


def client_uuid(packet: Packet) -> str:
    """The machine's UUID from option 97; "" where it is absent, malformed, or one that says nothing.

    PXE ROMs in the field leave it out and expect to boot all the same. SMBIOS keeps the first three fields
    little-endian, and so does the wire. edk2 sends zeros where the board has none.
    """
    data = packet.options.get(97, b"")
    if len(data) != 17 or data[0] != 0 or data[1:] in _NOBODY:
        return ""
    # written out: uuid.UUID takes three microseconds of the thirty a packet has
    octets = (data[4:0:-1] + data[6:4:-1] + data[8:6:-1] + data[9:]).hex()
    return f"{octets[:8]}-{octets[8:12]}-{octets[12:16]}-{octets[16:20]}-{octets[20:]}"


def user_class(packet: Packet) -> tuple[bytes, ...]:
    """The user classes of option 77, in RFC 3004's form or bare."""
    data = packet.options.get(77, b"")
    classes: tuple[bytes, ...] = Type.CLASSES.read(data)
    return classes


def is_ipxe(packet: Packet) -> bool:
    """Whether iPXE (or its forebear gPXE) asks: by its user class, or by its own option 175."""
    data = packet.options.get(77, b"")
    return 175 in packet.options or b"iPXE" in data or b"gPXE" in data


def is_xen(packet: Packet) -> bool:
    """Whether netprov's own bootloader asks, for a domU."""
    return packet.options.get(77) == domu.USER_CLASS


def is_pxe(packet: Packet) -> bool:
    return packet.options.get(60, b"").startswith(PXE_CLASS)


def is_http(packet: Packet) -> bool:
    return packet.options.get(60, b"").startswith(HTTP_CLASS)


def is_raspberry_pi(packet: Packet) -> bool:
    """Whether a Raspberry Pi asks: by its address, or by the UUID that its boot ROM makes up ("RPi4", "RPi5")."""
    return packet.chaddr[:3] in _RASPBERRY_MACS or packet.options.get(97, b"").startswith(b"\0RPi")


def boot_item(packet: Packet) -> bytes:
    """The boot item (sub-option 71 of 43) a client asks a boot server for; b"" for none."""
    return sub_options(packet.options.get(43, b"")).get(BOOT_ITEM, b"")


def relay_info(packet: Packet) -> dict[int, bytes]:
    """The sub-options of option 82. Only a relay's packet has any: a client could write anything there."""
    data = packet.options.get(82)
    return sub_options(data) if data and int(packet.giaddr) else {}


def relay_address(info: Mapping[int, bytes], code: int) -> IPv4Address | None:
    """The address in sub-option `code` of option 82 (link selection, server override)."""
    value = info.get(code, b"")
    return IPv4Address(value) if len(value) == 4 and any(value) else None
