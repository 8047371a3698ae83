"""iPXE's settings: what the machine and the DHCP answer tell, and what a script has set. Source: ipxe.org/cfg."""

from __future__ import annotations

import re
from collections.abc import Mapping

from netprov.errors import Origin
from netprov.mac import octets_of
from netprov.scripts.facts import MachineFacts
from netprov.scripts.ipxe.types import Value, of_number, parsed
from netprov.scripts.straight import LARGEST, LONGEST, NotStraight

_MOST_EXPANSIONS = 200  # in one word: values that name values
_INNERMOST = re.compile(r"\$\{((?:(?!\$\{)[^}])*)\}")
_OWN_CARD = re.compile(r"net[0X](\.(dhcp|dhcpv6|settings))?|dhcp|proxydhcp|smbios")
_TAG = re.compile(r"(\d{1,3})(?:\.(\d{1,3}))?")

_OPTIONS: Mapping[str, tuple[int, str]] = {
    "hostname": (12, "string"), "domain": (15, "string"), "root-path": (17, "string"), "dns": (6, "ipv4"),
    "dhcp-server": (54, "ipv4"), "user-class": (77, "string"), "vendor-class": (60, "string"),
    "ntp-server": (42, "ipv4"),
    "syslog": (7, "ipv4"), "log-server": (7, "ipv4"), "username": (190, "string"), "password": (191, "string"),
    "netmask": (1, "ipv4"), "gateway": (3, "ipv4"), "filename": (67, "string"), "mtu": (26, "int16"),
    "priority": (175, "int8"), "search": (119, "hex"),
}  # fmt: skip
"""Settings that are DHCP options, by name."""

_DMI: Mapping[str, str] = {
    "manufacturer": "SYSVENDOR", "product": "SYSPRODUCT", "serial": "SYSSERIAL", "asset": "MBASSET",
    "board-serial": "MBSERIAL",
}  # fmt: skip

_LOADERS_OWN = frozenset(
    {
        "busid", "busloc", "bustype", "chip", "ssid", "active-scan", "memsize", "unixtime", "version", "sysmac",
        "cpuvendor", "cpumodel", "vram", "dmesg", "errno", "cwuri", "cwduri", "san-drive", "scsi",
    }
)  # fmt: skip
_LOADERS_SCOPES = frozenset({"cpuid", "pci", "memmap", "acpi", "fdt", "peerdist"})
"""What only a running iPXE knows."""


class Settings:
    def __init__(self, facts: MachineFacts) -> None:
        self._facts = facts
        self._told = _told(facts)
        self._set: dict[tuple[str, str], Value] = {}
        self._size = 0  # octets of them

    def expand(self, text: str, origin: Origin) -> str:
        """Settings replaced by their values, the innermost first. One that is not set is empty.

        Raises NotStraight for one that only a running iPXE knows.
        """
        for _ in range(_MOST_EXPANSIONS):
            found = _INNERMOST.search(text)
            if found is None:
                return text
            text = text[: found.start()] + self._text(found[1], origin) + text[found.end() :]
            if len(text) > LONGEST:
                raise NotStraight(origin, f"grows beyond {LONGEST} characters")
        raise NotStraight(origin, "settings refer to settings endlessly")

    def _text(self, name: str, origin: Origin) -> str:
        name, _, kind = name.partition(":")
        value = self.value(name, origin)
        try:
            return value.text(kind) if value is not None else ""
        except ValueError:
            return ""

    def value(self, name: str, origin: Origin) -> Value | None:
        """None where it is not set."""
        scope, last = _scoped(name)
        own = self._set.get((scope, last))
        if own is not None:
            return own
        if scope and not _OWN_CARD.fullmatch(scope):
            if scope.partition(".")[0] in _LOADERS_SCOPES:
                raise NotStraight(origin, f"the value of ${{{name}}} is known only to a running iPXE")
            return None
        tag = _TAG.fullmatch(last)
        if tag is not None:
            return self._option(int(tag[1]), tag[2])
        if last in _LOADERS_OWN or (scope == "smbios" and "." in last):
            raise NotStraight(origin, f"the value of ${{{name}}} is known only to a running iPXE")
        return self._told.get(last)

    def _option(self, code: int, sub: str | None) -> Value | None:
        octets = self._facts.options.get(code)
        if octets is None or sub is None:
            return Value("hex", octets) if octets else None
        at = 0
        while at + 2 <= len(octets):
            kind, length = octets[at], octets[at + 1]
            if kind == int(sub):
                return Value("hex", octets[at + 2 : at + 2 + length])
            at += 2 + length
        return None

    def set(self, name: str, text: str, origin: Origin) -> None:
        """Raises ValueError for a text that its type has not."""
        name, _, kind = name.partition(":")
        scope, last = _scoped(name)
        known = self._told.get(last)
        self._store((scope, last), parsed(kind or (known.kind if known is not None else "string"), text), origin)

    def clear(self, name: str) -> None:
        before = self._set.pop(_scoped(name.partition(":")[0]), None)
        self._size -= len(before.octets) if before is not None else 0

    def increase(self, name: str, by: int, origin: Origin) -> None:
        """Raises ValueError for a text."""
        name, _, kind = name.partition(":")
        before = self.value(name, origin)
        if before is None:
            before = of_number(kind or "int32", 0)
        self._store(_scoped(name), of_number(kind or before.kind, before.number() + by), origin)

    def _store(self, key: tuple[str, str], value: Value, origin: Origin) -> None:
        before = self._set.pop(key, None)
        self._size += len(value.octets) - (len(before.octets) if before is not None else 0)
        if value.octets:
            self._set[key] = value
        if self._size > LARGEST:
            raise NotStraight(origin, f"its settings grow beyond {LARGEST} octets")


def _scoped(name: str) -> tuple[str, str]:
    """net0 and netX, the card opened last, are the same for a machine that boots by one."""
    scope, _, last = name.rpartition("/")
    return re.sub(r"^netX", "net0", scope), last


def _told(facts: MachineFacts) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, (code, kind) in _OPTIONS.items():
        octets = facts.options.get(code)
        if octets:
            found[name] = Value(kind, octets)
    addresses = {
        "ip": facts.ip, "netmask": facts.netmask, "gateway": facts.gateway, "next-server": facts.server,
    }  # fmt: skip
    found |= {name: Value("ipv4", address.packed) for name, address in addresses.items() if address is not None}
    if "dhcp-server" not in found and facts.server is not None:
        found["dhcp-server"] = Value("ipv4", facts.server.packed)
    texts = {name: facts.dmi.get(key, "") for name, key in _DMI.items()}
    texts |= {"filename": facts.boot_file, "platform": facts.platform, "buildarch": facts.arch, "linktype": "Ethernet"}
    found |= {name: Value("string", text.encode()) for name, text in texts.items() if text}
    if facts.mac is not None:
        found["mac"] = Value("hex", octets_of(facts.mac))
    try:
        found |= {"uuid": parsed("uuid", facts.uuid)} if facts.uuid else {}
    except ValueError:
        found["uuid"] = Value("string", facts.uuid.encode())
    return found
