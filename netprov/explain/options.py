"""DHCP options as the field writes them: code, name, value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from uuid import UUID

from netprov.dhcp import pxe
from netprov.dhcp.packet import TYPE_NAMES, Packet
from netprov.dhcpoptions.table import decode_option, name_of
from netprov.errors import PeerError

_VENDOR: Mapping[int, str] = {
    pxe.DISCOVERY_CONTROL: "discovery-control",
    pxe.BOOT_MENU: "boot-menu",
    pxe.MENU_PROMPT: "menu-prompt",
    pxe.BOOT_ITEM: "boot-item",
}
_RELAY: Mapping[int, str] = {
    pxe.CIRCUIT_ID: "circuit-id",
    pxe.REMOTE_ID: "remote-id",
    pxe.LINK_SELECTION: "link-selection",
    pxe.SERVER_OVERRIDE: "server-override",
}
_IPXE: Mapping[int, str] = {pxe.NO_PXEDHCP: "no-pxedhcp"}
_PARTS: Mapping[int, Mapping[int, str]] = {43: _VENDOR, 82: _RELAY, 175: _IPXE}
"""The options that hold options, and the names of those."""

_SECONDS = (51, 58, 59, 108)


@dataclass(frozen=True, slots=True)
class Row:
    """One option of a packet."""

    code: int
    name: str
    value: str


def rows(packet: Packet) -> list[Row]:
    """The options of `packet`, in the order they stand."""
    return [Row(code, name_of(code), text_of(code, data)) for code, data in packet.options.items()]


def text_of(code: int, data: bytes) -> str:
    """The value in `data`; its octets, where it is malformed or of no type that is known."""
    if code in _PARTS and (parts := pxe.sub_options(data)):
        return ", ".join(f"{_PARTS[code].get(part, part)} {_octets(value)}" for part, value in parts.items())
    if code == 97 and len(data) == 17:
        return str(UUID(bytes_le=data[1:]))
    try:
        value = decode_option(code, data)
    except PeerError:
        return _octets(data)
    if code == 53:
        return TYPE_NAMES.get(value, str(value))
    return f"{value} s" if code in _SECONDS else _text(value)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return _octets(value)
    if isinstance(value, tuple):
        if len(value) == 2 and isinstance(value[0], IPv4Network):
            return f"{value[0]} via {value[1]}"
        return ", ".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _octets(data: bytes) -> str:
    """A text where it is one throughout, else hexadecimal."""
    if len(data) > 1 and all(0x20 <= octet < 0x7F for octet in data):
        return repr(data.decode())
    return data.hex(":")
