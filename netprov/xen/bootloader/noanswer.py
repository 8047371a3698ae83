"""Nobody answers: where a board's firmware goes on to its disk, and so does a domU that has one to boot."""

from __future__ import annotations

from netprov.errors import PeerError

_SIGNATURES = (
    (510, b"\x55\xaa"),  # a partition table, MBR's or before GPT's
    (0x218, b"LVM2 001"),  # a physical volume
    (0x438, b"\x53\xef"),  # ext2 to ext4 on the whole disk
    (0, b"XFSB"),
    (0x10040, b"_BHRfS_M"),  # btrfs
)
_HEAD = 0x10048


class NoAnswer(PeerError):
    """No DHCP server, none that names a boot file, or no answer from the boot server: no script was had."""


def holds_system(disk: str) -> bool:
    """Whether something was installed on the disk, as far as its first octets tell."""
    if not disk:
        return False
    try:
        with open(disk, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return any(head[at : at + len(mark)] == mark for at, mark in _SIGNATURES)
