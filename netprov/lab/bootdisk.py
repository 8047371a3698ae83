"""The lab's local disk: its boot sector says on the serial port that it was booted, and halts."""

from __future__ import annotations

from pathlib import Path

MARKER = b"NETPROV-DISK booted\r\n"
COM1 = 0x3F8

# 16-bit code at 0000:7c00. It drives the UART itself: SeaBIOS has no INT 14h for a port it does not know of.
CODE = b"".join(
    (
        b"\xfa",  # cli
        b"\x31\xc0\x8e\xd8",  # xor ax,ax; mov ds,ax
        b"\xfc",  # cld
        b"\xbe\x00\x00",  # mov si,message (filled in below)
        # next:
        b"\xac",  # lodsb
        b"\x84\xc0",  # test al,al
        b"\x74\x12",  # jz halt
        b"\x88\xc4",  # mov ah,al
        b"\xba\xfd\x03",  # mov dx,COM1+5: line status
        # wait:
        b"\xec",  # in al,dx
        b"\xa8\x20",  # test al,20h: transmitter empty
        b"\x74\xfb",  # jz wait
        b"\xba\xf8\x03",  # mov dx,COM1
        b"\x88\xe0",  # mov al,ah
        b"\xee",  # out dx,al
        b"\xeb\xe9",  # jmp next
        # halt:
        b"\xf4",  # hlt
        b"\xeb\xfd",  # jmp halt
    )
)
MESSAGE_AT = 0x7C00 + len(CODE)


def boot_sector() -> bytes:
    """512 bytes: the code, its message, a partition table with one bootable partition, the signature."""
    code = CODE.replace(b"\xbe\x00\x00", b"\xbe" + MESSAGE_AT.to_bytes(2, "little"), 1)
    partition = bytes([0x80, 0, 2, 0, 0x83, 0, 63, 0]) + (1).to_bytes(4, "little") + (2047).to_bytes(4, "little")
    return (code + MARKER + b"\0").ljust(446, b"\0") + partition.ljust(64, b"\0") + b"\x55\xaa"


def write_disk(path: Path) -> Path:
    """A raw disk of 1 MiB with that boot sector."""
    path.write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    return path
