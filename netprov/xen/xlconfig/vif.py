"""A `vif` entry: the spellings of xl, xm and people."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from netprov.mac import Mac, parse_mac

_ALIASES = {"netdev": "gatewaydev"}


@dataclass(frozen=True, slots=True)
class Vif:
    """One interface. Names are those of xl-network-configuration(5); `other` is what none of them is."""

    mac: Mac | None = None
    bridge: str = ""
    type: str = ""
    model: str = ""
    script: str = ""
    ip: str = ""
    vifname: str = ""
    gatewaydev: str = ""
    backend: str = ""
    rate: str = ""
    devid: str = ""
    mtu: str = ""
    other: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As xl takes it: no blanks, small letters."""
        named = [f"{key}={value}" for key in _KEYS if (value := getattr(self, key))]
        return ",".join((*named, *self.other))


_KEYS = tuple(field.name for field in fields(Vif) if field.name != "other")
FLAGS = frozenset({"trusted", "untrusted"})
"""Words of a vif that stand alone."""
_COLO = re.compile(r"colo_[a-z0-9_]+|forwarddev")
XL_PAIRS = frozenset(_KEYS) | frozenset(_ALIASES) | {"accel", "vlan"}
"""What xl knows before = in a vif (parse_nic_config), its pairs for COLO beside."""
KNOWN = XL_PAIRS | FLAGS | {"uuid", "policy"}
"""What may stand before = in a vif, xm's included."""


def is_pair(key: str) -> bool:
    """Whether xl knows `key` before = in a vif."""
    return key in XL_PAIRS or _COLO.fullmatch(key) is not None


def is_xl_mac(text: str) -> bool:
    """Whether xl reads an address in `text`: six octets, any one character between them. Else it makes one up."""
    return re.match(r"[0-9a-f]{1,2}([^0-9a-f][0-9a-f]{1,2}){5}(?![0-9a-f])", text, re.IGNORECASE) is not None


def parse_vif(text: str) -> Vif:
    """The interface that `text` describes: pairs between commas, in any order and case, with blanks or without.

    Raises ValueError for a MAC address that is none, and for a pair given twice with different values.
    """
    values: dict[str, str] = {}
    other: list[str] = []
    for part in text.strip().strip("'\"").split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        name = _ALIASES.get(key.lower(), key.lower())
        if not part.strip():
            continue
        if not equals or name not in _KEYS:
            other.append(f"{name}={value}" if equals else name)
            continue
        value = value.strip("'\"")
        if values.setdefault(name, value) != value:
            raise ValueError(f"{name} appears twice, as {values[name]} and {value}")
    mac = parse_mac(values.pop("mac")) if values.get("mac") else None
    values.pop("mac", None)
    return Vif(mac=mac, other=tuple(other), **values)


def is_vif(text: str) -> bool:
    """Whether `text` is a vif entry as a whole, or a piece of one that was split at its blanks."""
    parts = [part.strip() for part in text.strip().strip("'\"").split(",") if part.strip()]
    return bool(parts) and all(part.partition("=")[0].strip().lower() in KNOWN for part in parts)
