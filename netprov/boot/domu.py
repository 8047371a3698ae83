"""netprov-pxeboot, the bootloader of domUs in dom0: what it says of itself by DHCP, and where its answer is.

It says it, `explain` and `simulate` say it in its place, and the server knows it by it.
"""

from __future__ import annotations

from uuid import UUID

from netprov.boot.arch import ARCHS
from netprov.mac import Mac, dashed, octets_of

ARCH = ARCHS[0]
"""To every server but netprov's it is a PXE client on a PC."""

USER_CLASS = b"netprov-pxeboot"
"""Option 77: a netprov server gives it no loader but its answer."""

PARAMETERS = bytes((1, 3, 6, 12, 15, 26, 28, 42, 43, 51, 54, 60, 66, 67, 119, 209, 210))
"""Option 55. 209 and 210 are PXELINUX's, in whose place it reads the configuration: dnsmasq and ISC's dhcpd send them
to who asks for them only."""


def dhcp_options(mac: Mac, uuid: str = "", client_id: bytes = b"") -> list[tuple[int, bytes]]:
    """The options beside 50, 53, 54 and 57, in the order it sends them. `client_id`: a declared one, else the MAC's.

    The first three fields of option 97 are little-endian, as firmware sends them (PXE 2.1 §2.2, SMBIOS 2.6).
    """
    known = [(97, b"\0" + UUID(uuid).bytes_le)] if uuid else []
    return [
        (60, ARCH.vendor_class().encode()),
        (61, client_id or b"\x01" + octets_of(mac)),
        (77, USER_CLASS),
        (93, ARCH.code.to_bytes(2, "big")),
        (94, bytes((1, *ARCH.undi))),
        *known,
        (55, PARAMETERS),
    ]


def answer_name(mac: Mac) -> str:
    """Where the answer for a domU is, on a netprov server: relative to the root of TFTP and of HTTP."""
    return f"xen/{dashed(mac)}"
