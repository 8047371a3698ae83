"""A small site on disk, and `netprov check` of it."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from netprov.cli import main
from tests.world import free_ports, put

CONFIG = """\
server: {{state: state, interfaces: [lo]}}
dhcp: {{port: {0}, proxy_port: {1}}}
tftp: {{root: images, port: {2}}}
http: {{port: {3}}}
distros: {{d: {{breed: redhat, os_version: "9", kernel: vmlinuz, initrd: [initrd], tree: "http://10.0.0.1/t"}}}}
profiles: {{web: {{distro: d, autoinstall: default.ks, boot_loaders: [grub, pxelinux], ks_meta: {{ssh_keys: k}}}}}}
systems: {{lady: {{profile: web, interfaces: {{eth0: {{mac: "52:54:00:00:00:01"}}}}}}}}
"""
X86 = (
    "pxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi", "ipxe.efi", "shimia32.efi", "grubia32.efi",
)  # fmt: skip
MACHINES = {"i386": 0x14C, "x86_64": 0x8664, "aarch64": 0xAA64}


def pe(machine: str, size: int = 4096, certificates: bytes = b"", vendor: bytes = b"") -> bytes:
    """A PE image: with the signature's `certificates` at its end, and shim's section .vendor_cert."""
    at = 0x80
    data = bytearray(size)
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 0x3C, at)
    data[at : at + 4] = b"PE\0\0"
    struct.pack_into("<HH4xIIHH", data, at + 4, MACHINES[machine], 1, 0x800, 0, 240, 0)
    struct.pack_into("<H", data, at + 24, 0x20B)
    if certificates:
        struct.pack_into("<II", data, at + 24 + 112 + 32, size, len(certificates))
    section = at + 24 + 240
    struct.pack_into("<8s8xII", data, section, b"/4", len(vendor), 0xA00)
    data[0x800 + 4 : 0x800 + 4 + 13] = b".vendor_cert\0"
    data[0xA00 : 0xA00 + len(vendor)] = vendor
    return bytes(data) + certificates


def named(*names: str) -> bytes:
    """What of DER data is looked at: common names."""
    return b"".join(bytes.fromhex("06035504030c") + bytes([len(name)]) + name.encode() for name in names) + bytes(8)


def bzimage(machine: str = "x86_64", missing: int = 0, certificates: bytes = b"") -> bytes:
    """A kernel with an EFI stub; of its end `missing` octets are cut off."""
    data = bytearray(pe(machine, 8192, certificates))
    data[0x1F1] = 1
    struct.pack_into("<I", data, 0x1F4, (8192 - 1024) // 16)
    data[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", data, 0x206, 0x20F)
    return bytes(data[: len(data) - missing])


def arm64_image() -> bytes:
    return bytes(0x38) + b"ARM\x64" + bytes(5000)


INITRD = b"\x1f\x8b" + bytes(500)


def make(folder: Path) -> Path:
    """A configuration that nothing is wrong with, but that no server runs."""
    put(folder / "images", {"vmlinuz": bzimage(), "initrd": INITRD}, dict.fromkeys(X86, b"x"))
    (folder / "netprov.yaml").write_text(CONFIG.format(*free_ports(4)))
    return folder


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", "-c", str(folder / "netprov.yaml"), "--no-probe", *arguments])


def rows(folder: Path, status: int, *only: str) -> list[dict[str, Any]]:
    """What is found, notes and what every machine has its own of left out."""
    result = run(folder, "--json", *(word for name in only for word in ("--only", name)))
    assert result.exit_code == status, result.output
    findings: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    usual = ("server-down", "disk-space", "firewall-drops", "firewall-unread")
    return [row for row in findings if row["severity"] != "note" and row["id"] not in usual]


def found(folder: Path, status: int, *only: str) -> list[tuple[str, str, str]]:
    return [(row["id"], row["severity"], row["text"]) for row in rows(folder, status, *only)]


def machines(folder: Path, status: int, id: str) -> Sequence[str]:
    ((named, *_),) = [row["machines"] and [row["machines"]] for row in rows(folder, status) if row["id"] == id]
    return named
