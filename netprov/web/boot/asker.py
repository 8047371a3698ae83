"""Who asks: the BootRequest of an HTTP request."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address

from flask import Request

from netprov.boot.arch import arch_by_name, arch_of_ipxe
from netprov.boot.names import PREVIEW
from netprov.boot.request import BootRequest, Loader, Via
from netprov.inventory.model import Inventory
from netprov.mac import Mac, parse_mac

TEXT = "text/plain; charset=utf-8"

MAX_VALUE = 255
"""Characters of a value in the query that are looked at: SMBIOS and DNS know none that is longer."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PROVISIONING_MAC = re.compile(r"x-rhn-provisioning-mac-[0-9]+", re.IGNORECASE | re.ASCII)


def boot_request(request: Request, loader: Loader, inventory: Inventory) -> BootRequest:
    """The request as decide() takes it. What is malformed in the query counts as not said.

    Of the MACs that Anaconda sends with inst.ks.sendmac (`X-RHN-Provisioning-MAC-0: eth0 52:54:00:12:34:56`, one for
    each interface) the first that the inventory knows counts, or else the first.
    """
    query = request.args
    said = _mac(query.get("mac", ""))
    sent = [] if said else _provisioning_macs(request)
    known = next((mac for mac in sent if inventory.system_by_mac(mac) is not None), None)
    uuid = query.get("uuid", "").lower()
    return BootRequest(
        via=Via.HTTP,
        loader=loader,
        mac=said or known or (sent[0] if sent else None),
        uuid=uuid if _UUID.fullmatch(uuid) else "",
        serial=query.get("serial", "")[:MAX_VALUE],
        ip=_ipv4(request.environ.get("REMOTE_ADDR", "")),
        server=_ipv4(request.environ.get("SERVER_NAME", "")),
        arch=_arch(query.get("arch", ""), query.get("platform", "")),
        vendor_class=request.headers.get("User-Agent", "")[:MAX_VALUE],
        path=request.path,
    )


def previews(request: Request) -> bool:
    """Whether the answer is only to be looked at: it must change nothing."""
    return request.method == "HEAD" or PREVIEW in request.headers


def _provisioning_macs(request: Request) -> list[Mac]:
    values = [value for name, value in sorted(request.headers.items()) if _PROVISIONING_MAC.fullmatch(name)]
    macs = (_mac(value.split()[-1]) for value in values if value.split())
    return [mac for mac in macs if mac]


def _mac(text: str) -> Mac | None:
    try:
        return parse_mac(text)
    except ValueError:
        return None


def _ipv4(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def _arch(name: str, platform: str) -> int | None:
    if platform:
        row = arch_of_ipxe(name, platform)
        return row.code if row is not None else None
    try:
        return arch_by_name(name).code
    except KeyError:
        return None
