"""Whose boot it is: from the arguments, from the configuration they name, or from the one that xl was called with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netprov.errors import ConfigError, PeerError
from netprov.mac import Mac
from netprov.xen.bootloader.contract import Call
from netprov.xen.bootloader.kernel import Guest as GuestType
from netprov.xen.bootloader.messages import Message
from netprov.xen.xlconfig import grammar
from netprov.xen.xlconfig.document import Value
from netprov.xen.xlconfig.vif import Vif, parse_vif

_LARGEST = 1 << 20  # octets of a configuration
_EXAMPLE = "00:16:3e:12:34:56"


@dataclass(frozen=True, slots=True)
class Guest:
    """`types`: what the guest may be; both where nothing says which."""

    mac: Mac
    bridge: str = ""
    uuid: str = ""
    types: tuple[GuestType, ...] = (GuestType.PV, GuestType.PVH)


def identify(call: Call, parent_arguments: list[str] | None = None) -> Guest:
    """Raises ConfigError or PeerError, with the line to write, where nothing tells the MAC address.

    `parent_arguments`: the command line of xl; None: it is looked up.
    """
    file = call.config or _xls_file(_parents_arguments() if parent_arguments is None else parent_arguments)
    settings: dict[str, Value] = {}
    if file and (call.config or call.mac is None or Path(file).is_file()):
        settings = _settings(file, strict=bool(call.config) or call.mac is None)
    vif = call.vif
    if vif.mac is None and settings:
        vif = _vif(settings, call.vif_number, file)
    if vif.mac is None:
        raise PeerError(Message.NO_MAC.said(example=_EXAMPLE))
    uuid = settings.get("uuid")
    kind = settings.get("type")
    types = (GuestType(kind),) if kind in ("pv", "pvh") else (GuestType.PV, GuestType.PVH)
    bridge = call.bridge or vif.bridge or (_bridge(settings, vif.mac) if settings else "")
    return Guest(vif.mac, bridge, uuid.lower() if isinstance(uuid, str) else "", types)


def _settings(file: str, strict: bool) -> dict[str, Value]:
    try:
        with Path(file).open(encoding="utf-8", newline="") as opened:
            return dict(grammar.read(opened.read(_LARGEST), file).settings)
    except OSError as error:
        if strict:
            raise PeerError(Message.NO_FILE.said(configuration=file, error=error.strerror)) from None
    except (ConfigError, UnicodeDecodeError):
        if strict:
            raise
    return {}


def _vifs(settings: dict[str, Value]) -> list[str]:
    value = settings.get("vif")
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, tuple) else []


def _vif(settings: dict[str, Value], number: int, file: str) -> Vif:
    entries = _vifs(settings)
    if number >= len(entries):
        raise PeerError(Message.NO_SUCH_VIF.said(file=file, count=len(entries), number=number))
    try:
        vif = parse_vif(entries[number])
    except ValueError as error:
        raise PeerError(Message.BAD_VIF.said(file=file, why=error)) from None
    if vif.mac is None:
        raise PeerError(Message.VIF_WITHOUT_MAC.said(file=file, vif=repr(entries[number]), example=_EXAMPLE))
    return vif


def _bridge(settings: dict[str, Value], mac: Mac) -> str:
    """The bridge of the vif with that address."""
    for entry in _vifs(settings):
        try:
            vif = parse_vif(entry)
        except ValueError:
            continue
        if vif.mac == mac:
            return vif.bridge
    return ""


def _parents_arguments() -> list[str]:
    import os

    try:
        octets = Path(f"/proc/{os.getppid()}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode("utf-8", "replace") for part in octets.split(b"\0") if part]


def _xls_file(arguments: list[str]) -> str:
    """The configuration of `xl … create FILE` or `xl create -f FILE`; "" where it is none."""
    if not arguments or not arguments[0].rpartition("/")[2].startswith("xl") or "create" not in arguments:
        return ""
    rest = arguments[arguments.index("create") + 1 :]
    for before, word in zip(["", *rest], rest, strict=False):
        if before in ("-f", "--defconfig"):
            return word
        if word.startswith("--defconfig="):
            return word.partition("=")[2]
    return next((word for word in rest if not word.startswith("-") and "=" not in word), "")
