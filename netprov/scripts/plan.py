"""What a boot loader's script says to do, in one shape whichever loader it was written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import urljoin

from netprov.scripts.messages import ScriptMessage


@dataclass(frozen=True, slots=True)
class Sum:
    """What a file is to be: so many octets, with this SHA-256 in hex. None or "": not said."""

    size: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Boot:
    """Start `kernel`. Names are as the script has them; whoever fetches resolves them (PXELINUX: pxelinux.names).

    Several `initrds` are one ramdisk: `concatenated` says how. `args` is the kernel's command line. `sums` are those of
    files, by name, where the server tells them.
    """

    kernel: str
    initrds: tuple[str, ...] = ()
    args: str = ""
    sums: Mapping[str, Sum] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Local:
    """Boot the machine's own disk. `said`: the words that say so."""

    said: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Another script goes on. `folder`: what its names are then relative to; "" where that does not change.

    `label`: the entry asked for, where it is still to be found there.
    """

    script: str
    folder: str = ""
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A domU cannot boot this. The sentence says what it is and what to write instead; `file` is what it would start,
    where its name tells that."""

    reason: str
    file: str = field(default="", compare=False)


BootPlan = Boot | Local | Chain | Refusal

Files = Callable[[str], str | None]
"""The text of a small file of the boot server, by the name that a script gives it; None: there is none. What else goes
wrong, it raises."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a script. `notes`: what the loader passed over or decided for itself, with file and line, a clause
    each. `modules`: the programs that PXELINUX loads on the way."""

    plan: BootPlan
    notes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


FOREIGN: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("memdisk",),
        "is memdisk, which starts disk images by BIOS calls; a domU has no BIOS: give it a kernel and an initrd, "
        "or make it an HVM guest",
    ),
    (
        ("wimboot", "bootmgr", "bootmgr.exe", "pxeboot.n12", "pxeboot.0", "startrom.0", "startrom.n12", "wdsnbp.com"),
        "starts Windows, which needs an HVM guest: type = 'hvm' and boot = 'nd' in its configuration",
    ),
    (
        ("pxechn.c32", "undionly.kpxe", "undionly.0", "ipxe.lkrn", "ipxe.pxe", "snponly.efi", "ipxe.efi", "gpxe.0"),
        "hands over to another network boot loader, which a domU cannot run: name the kernel itself for this machine",
    ),
    (("reboot.c32", "poweroff.c32", "poweroff.com"), "would restart or stop the machine: it names no kernel"),
    (("hdt.c32", "memtest", "memtest.bin", "memtest86+.bin"), "tests hardware, which a domU does not have"),
)
"""Well-known programs that a domU cannot run: their file names, and what to tell."""

_DISK_IMAGES = (".iso", ".img.gz", ".vhd", ".vmdk", ".qcow2", ".wim")
_FOREIGN_SUFFIXES = {
    ".c32": "is a program for SYSLINUX on a PC's BIOS: a domU needs a Linux kernel",
    ".0": "is another network boot loader, which a domU cannot run: name the kernel itself for this machine",
    ".pxe": "is another network boot loader, which a domU cannot run: name the kernel itself for this machine",
    ".kpxe": "is another network boot loader, which a domU cannot run: name the kernel itself for this machine",
    ".efi": "is a program for UEFI firmware, which PV and PVH guests lack: name the kernel itself for this machine",
    ".com": "is a DOS program: a domU needs a Linux kernel",
    ".cbt": "is a DOS program: a domU needs a Linux kernel",
    ".bin": "is a boot sector: a domU needs a Linux kernel",
    ".bs": "is a boot sector: a domU needs a Linux kernel",
    ".bss": "is a boot sector: a domU needs a Linux kernel",
    ".img": "is a disk image, not a kernel: a domU needs a Linux kernel",
    ".wim": "starts Windows, which needs an HVM guest: type = 'hvm' and boot = 'nd' in its configuration",
    ".iso": "is an ISO image: a domU takes a kernel and an initrd, not a CD; unpack them, or make it an HVM guest",
}


def base_name(name: str) -> str:
    """The last part of a path or URL, in lower case."""
    return name.partition("?")[0].replace("\\", "/").rstrip("/").rpartition("/")[2].lower()


def joined(base: str, name: str) -> str:
    """What `name` means in the file `base`, a URL or a path; "": it stays as it is."""
    scheme = "tftp" if base.startswith("tftp://") else ""  # which urljoin does not know
    try:
        found = urljoin(f"http{base[4:]}" if scheme else base, name)
    except ValueError:  # brackets that hold no IPv6 address
        return name
    return f"tftp{found[4:]}" if scheme and found.startswith(f"http://{base.split('/')[2]}") else found


def refused(kernel: str, initrds: tuple[str, ...], where: str, *, by_suffix: bool = True) -> Refusal | None:
    """Why a domU cannot boot these files, as far as their names tell; None where they look like a kernel's.

    `by_suffix`: the loader goes by the end of the name, as PXELINUX's KERNEL and iPXE's chain do. GRUB's linux and
    PXELINUX's LINUX take vmlinuz-6.1.0 and kernel.img for what they are.
    """
    base = base_name(kernel)
    known = (reason for names, reason in FOREIGN if base in names)
    ends = (reason for suffix, reason in _FOREIGN_SUFFIXES.items() if by_suffix and base.endswith(suffix))
    reason = next(chain(known, ends), "")
    if reason:
        return Refusal(ScriptMessage.FOREIGN.said(where=where, file=kernel, why_a_domu_cannot_run_it=reason), kernel)
    for initrd in initrds:
        if base_name(initrd).endswith(_DISK_IMAGES):
            return Refusal(ScriptMessage.DISK_IMAGE.said(where=where, file=initrd))
    return None


def concatenated(parts: list[bytes]) -> bytes:
    """Several initrds as the kernel wants them in one: each but the last padded with NULs to 4 KiB, as PXELINUX does.

    The kernel skips NULs between archives (Documentation/driver-api/early-userspace/buffer-format.rst).
    """
    padded = [part + bytes(-len(part) % 4096) for part in parts[:-1]]
    return b"".join((*padded, *parts[-1:]))
