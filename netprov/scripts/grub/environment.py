"""GRUB's variables: what it sets itself, what configfile leaves behind, and what functions are called with."""

from __future__ import annotations

from dataclasses import dataclass, field

from netprov.scripts.facts import MachineFacts

_FEATURES = (
    "feature_chainloader_bpb", "feature_ntldr", "feature_platform_search_hint", "feature_default_font_path",
    "feature_all_video_module", "feature_menuentry_id", "feature_menuentry_options", "feature_200_final",
    "feature_nativedisk_cmd", "feature_timeout_style",
)  # fmt: skip
"""What every GRUB 2 since 2.02 says of itself (normal/main.c)."""
_INTERFACES = ("efinet0", "pxe")
"""The network card's names under UEFI and BIOS."""


@dataclass(frozen=True, slots=True)
class Device:
    """What stands in parentheses before a path: `kind` http, tftp, hd0 …; `host` for the network's kinds."""

    kind: str
    host: str = ""

    def __str__(self) -> str:
        return f"{self.kind},{self.host}" if self.host else self.kind


def device_of(text: str) -> Device:
    """pxe is GRUB's old name of tftp."""
    kind, _, host = text.partition(",")
    return Device("tftp" if kind == "pxe" else kind, host)


@dataclass(slots=True)
class Environment:
    """One context. `exported`: the names that the next one sees."""

    values: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    size: int = 0  # characters of all values that were set here

    def set(self, name: str, value: str) -> None:
        self.size += len(value) - len(self.values.get(name, ""))
        self.values[name] = value

    def opened(self) -> Environment:
        """The context of a configfile or submenu: it begins with what was exported."""
        return Environment(
            {name: text for name, text in self.values.items() if name in self.exported}, {*self.exported}
        )


def first(facts: MachineFacts, home: Device, folder: str) -> Environment:
    """What a script finds that GRUB loaded from `folder` on `home`."""
    values = {
        "root": str(home),
        "prefix": f"({home}){folder}",
        "grub_cpu": facts.arch,
        "grub_platform": facts.platform,
        "net_default_interface": _INTERFACES[0],
        "net_default_server": str(facts.server or ""),
        "pxe_default_server": str(facts.server or ""),
        "net_default_ip": str(facts.ip or ""),
        "net_default_mac": facts.mac or "",
        **dict.fromkeys(_FEATURES, "y"),
    }
    told = {
        "ip": str(facts.ip or ""),
        "mac": facts.mac or "",
        "hostname": facts.text(12),
        "domain": facts.text(15),
        "rootpath": facts.text(17),
        "extensionspath": facts.text(18),
        "boot_file": facts.boot_file,
        "next_server": str(facts.server or ""),
    }
    values |= {f"net_{card}_{name}": text for card in _INTERFACES for name, text in told.items()}
    values = {name: text for name, text in values.items() if text}
    return Environment(values, set(values))
