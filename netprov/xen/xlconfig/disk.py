"""A `disk` entry: xl's positional and named parameters, and the prefixes that xend wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VDEV = r"(?:xvd[a-z]+\d*|hd[a-z]+\d*|sd[a-z]+\d*|vd[a-z]+\d*|d\d+(?:p\d+)?|ioemu:[a-z]+\d*|0x[0-9a-f]+|\d+)"
_PREFIX = re.compile(r"(tapdisk|tap2|tap|aio|ioemu|file|phy|raw|qcow2|qcow|vhd|qed|iscsi|nbd|enbd|drbd):")
_OLD = re.compile(
    rf"(?P<target>[^,]*),\s*(?P<vdev>{_VDEV})(?::(?P<type>[a-z]+))?\s*,\s*(?P<access>ro|rw|r|w!?)\s*", re.IGNORECASE
)
_FORMATS = frozenset({"raw", "qcow", "qcow2", "vhd", "qed"})
_SCRIPTS = frozenset({"iscsi", "nbd", "enbd", "drbd"})
_ACCESS = {"r": "r", "ro": "r", "w": "rw", "rw": "rw", "w!": "rw"}
_POSITIONS = ("target", "format", "vdev", "access")
_NAMED = frozenset({*_POSITIONS, "devtype", "backend", "backendtype", "script", "specification", "access"})
_FLAGS = frozenset({"cdrom", "discard", "no-discard", "direct-io-safe", "trusted", "untrusted", "colo", "readonly"})
_OTHER_NAMED = frozenset({"colo-host", "colo-port", "colo-export", "active-disk", "hidden-disk"})


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk. `access` is r or rw; `flags` are words and pairs beside these, in order."""

    target: str = ""
    format: str = "raw"
    vdev: str = ""
    access: str = "rw"
    cdrom: bool = False
    script: str = ""
    backend: str = ""
    backendtype: str = ""
    specification: str = ""
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Named parameters, as xl takes them; target= last, as it takes the rest of the text."""
        parts = [f"format={self.format}", f"vdev={self.vdev}", f"access={self.access}"]
        if self.cdrom:
            parts.append("devtype=cdrom")
        named = ("script", "backend", "backendtype", "specification")
        parts += [f"{key}={getattr(self, key)}" for key in named if getattr(self, key)]
        return ",".join((*parts, *self.flags, f"target={self.target}"))


def parse_disk(text: str) -> Disk:
    """Raises ValueError for what xl refuses: no vdev, an unknown parameter, one given twice."""
    plain, format_, script = text.strip(), "", ""
    while prefix := _PREFIX.match(plain):
        if prefix[1] in _FORMATS:
            format_ = prefix[1]
        elif prefix[1] in _SCRIPTS:
            script = f"block-{prefix[1]}"
        plain = plain[prefix.end() :]
    old = _OLD.fullmatch(plain)
    if old is not None:
        cdrom = (old["type"] or "").lower() == "cdrom"
        vdev = old["vdev"].removeprefix("ioemu:")
        access = _ACCESS[old["access"].lower()]
        return Disk(old["target"].strip(), format_ or "raw", vdev, access, cdrom, script)
    return _named(plain, {key: value for key, value in (("format", format_), ("script", script)) if value})


def _named(text: str, values: dict[str, str]) -> Disk:
    flags: list[str] = []
    places = [place for place in _POSITIONS if place not in values]
    rest = text
    while rest:
        if rest.lstrip().startswith("target="):
            _set(values, "target", rest.lstrip().removeprefix("target="))
            break
        part, _, rest = rest.partition(",")
        part = part.strip()
        key, equals, value = part.partition("=")
        if equals and (key in _NAMED or key in _OTHER_NAMED):
            if key in _OTHER_NAMED:
                flags.append(part)
            else:
                _set(values, key, value.strip())
        elif equals:
            raise ValueError(f"{key}= is not a parameter of a disk")
        elif part in _FLAGS:
            if part == "cdrom":
                values["devtype"] = "cdrom"
            else:
                flags.append(part)
        else:
            place = next((place for place in places if not values.get(place)), None)
            if place is None:
                raise ValueError(f"{part!r} is one too many: target, format, vdev and access are there already")
            places.remove(place)
            if part:
                values[place] = part
    return _disk(text, values, flags)


def _set(values: dict[str, str], key: str, value: str) -> None:
    if values.get(key) and values[key] != value:
        raise ValueError(f"{key} appears twice, as {values[key]} and {value}")
    values[key] = value


def _disk(text: str, values: dict[str, str], flags: list[str]) -> Disk:
    vdev, format_ = values.get("vdev", ""), values.get("format") or "raw"
    if not vdev:
        raise ValueError(f"{text!r} names no device of the guest: add vdev=xvda")
    if not re.fullmatch(_VDEV, vdev):
        raise ValueError(f"{vdev!r} is not a device of a guest: write it like xvda, sda1 or hdc")
    if format_ not in _FORMATS:
        raise ValueError(f"{format_!r} is not one of the formats {', '.join(sorted(_FORMATS))}")
    cdrom = values.get("devtype") == "cdrom"
    access = values.get("access") or ("r" if cdrom else "rw")
    if access not in _ACCESS:
        raise ValueError(f"access {access!r} is neither r nor rw")
    return Disk(
        values.get("target", ""),
        format_,
        vdev,
        _ACCESS[access],
        cdrom,
        values.get("script", ""),
        values.get("backend", ""),
        values.get("backendtype", ""),
        values.get("specification", ""),
        tuple(flags),
    )
