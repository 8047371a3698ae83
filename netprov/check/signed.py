"""Signatures in PE images (EFI programs, kernels with an EFI stub): whether there is one, and whose.

Who signed is read from the names in the certificates, nothing is verified: what is not signed, or by nobody that the
loader before it knows, is refused for certain.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_CERTIFICATES = 4  # the data directory's entry: Microsoft's PE Format, "Attribute Certificate Table"
_CN = bytes.fromhex("0603550403")  # OBJECT IDENTIFIER 2.5.4.3, commonName
_STRINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}  # DER's string types
_VENDOR = b".vendor_cert"[:8]  # a section's name has 8 octets; longer ones stand in the string table
_MOST = 1 << 24  # octets of a certificate table or section that are looked at


@dataclass(frozen=True, slots=True)
class Signed:
    """`pe`: it is a PE image at all. `signers`: the common names in its signatures' certificates, subjects and issuers;
    empty where it is not signed. `trusts`: those in the certificate that shim was built with."""

    pe: bool
    signers: frozenset[str] = frozenset()
    trusts: frozenset[str] = frozenset()


def signed(data: bytes) -> Signed:
    """What the file `data`, whole, says of its signatures. A damaged one is not signed."""
    try:
        return _signed(data)
    except struct.error:
        return Signed(False)


def _signed(data: bytes) -> Signed:
    if not data.startswith(b"MZ"):
        return Signed(False)
    (at,) = struct.unpack_from("<I", data, 0x3C)
    if data[at : at + 4] != b"PE\0\0":
        return Signed(False)
    sections, symbols, count, optional = struct.unpack_from("<H4xIIH", data, at + 6)
    header = at + 24
    (magic,) = struct.unpack_from("<H", data, header)
    directory = header + (112 if magic == 0x20B else 96)  # PE32+ or PE32
    where, size = struct.unpack_from("<II", data, directory + 8 * _CERTIFICATES)
    inside = 8 < size <= _MOST and where + size <= len(data)
    signers = _names(data[where : where + size]) if inside else frozenset()
    strings = symbols + count * 18
    vendor = _section(data, header + optional, sections, strings) if symbols else b""
    return Signed(True, signers, _names(vendor or _named(data, header + optional, sections)))


def _section(data: bytes, at: int, count: int, strings: int) -> bytes:
    """shim's section .vendor_cert, whose name of 12 octets stands in the string table ("/4")."""
    for number in range(min(count, 96)):
        name, size, where = struct.unpack_from("<8s8xII", data, at + 40 * number)
        offset = name[1:].rstrip(b"\0")
        if name[:1] == b"/" and offset.isdigit():
            start = strings + int(offset)
            if data[start : start + 13] == b".vendor_cert\0":
                return data[where : where + min(size, _MOST)]
    return b""


def _named(data: bytes, at: int, count: int) -> bytes:
    """The same where the name was cut off."""
    for number in range(min(count, 96)):
        name, size, where = struct.unpack_from("<8s8xII", data, at + 40 * number)
        if name == _VENDOR:
            return data[where : where + min(size, _MOST)]
    return b""


def _names(certificates: bytes) -> frozenset[str]:
    """Every common name in DER data."""
    found = set()
    at = certificates.find(_CN)
    while at >= 0:
        kind, length = certificates[at + 5 : at + 6], certificates[at + 6 : at + 7]
        if kind and length and kind[0] in _STRINGS and length[0] < 0x80:
            text = certificates[at + 7 : at + 7 + length[0]]
            found.add(text.decode(_STRINGS[kind[0]], "replace"))
        at = certificates.find(_CN, at + 1)
    return frozenset(found)
