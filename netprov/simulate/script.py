"""What a loader's script makes the machine do: the parsers of the domU's bootloader, asked on behalf of any machine."""

from __future__ import annotations

import re
from ipaddress import IPv4Network

from netprov.boot.programs import Runs
from netprov.errors import PeerError
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import config as grubcfg
from netprov.scripts.ipxe import script as ipxescript
from netprov.scripts.plan import Files, Reading, Refusal
from netprov.scripts.pxelinux import boot as pxelinux
from netprov.scripts.straight import NotStraight
from netprov.simulate.machine import Address, Machine

IPXE_MAGIC = b"#!ipxe"


class Unfollowed(PeerError):
    """The script takes decisions that only a running loader can take. It may boot well; this cannot tell."""


def read(runs: Runs, text: str, facts: MachineFacts, name: str, files: Files) -> Reading:
    """What the script does that `runs` was given; `files`: those of the same server that it leads to.

    Raises Unfollowed, and PeerError where nothing can come of it.
    """
    try:
        match runs:
            case Runs.PXELINUX | Runs.XEN:
                return pxelinux.read(text, facts, files, name)
            case Runs.GRUB:
                return grubcfg.read(text, facts, name, files=files)
            case _:
                return ipxescript.read(text, facts, name, files=files)
    except NotStraight as problem:
        raise Unfollowed(problem.text) from None


def facts_of(machine: Machine, address: Address) -> MachineFacts:
    """What the script can ask for."""
    return MachineFacts(
        mac=machine.mac, ip=address.ip, server=address.server or address.answered_by, gateway=address.router,
        netmask=IPv4Network(f"0.0.0.0/{address.prefix}").netmask, uuid=machine.uuid, boot_file=address.boot_file,
        options=address.options,
        dmi={"SYSVENDOR": "netprov", "SYSPRODUCT": "simulate", "SYSSERIAL": machine.serial},
        platform="xen" if machine.kind.starts is Runs.XEN else machine.kind.arch.platform, arch=machine.kind.cpu,
    )  # fmt: skip


def refusal(plan: Refusal, machine: Machine) -> str:
    """Why the simulation ends at what `plan` would start."""
    if machine.kind.starts is Runs.XEN:
        return plan.reason
    what = plan.file or plan.reason.partition(" needs ")[0].partition(", which")[0]
    return f"goes on with {what}, which a simulation does not run"


_ANSWERS: tuple[tuple[str, str], ...] = (
    # the kernel's argument, and what is appended to it
    ("inst.ks", ""), ("ks", ""), ("autoyast", ""), ("netprov.autoinstall", ""), ("autoinstall", ""),
    ("preseed/url", ""), ("url", ""), ("ds", "user-data"),
)  # fmt: skip
_SEED = re.compile(r"nocloud(?:-net)?;(?:.*;)?s(?:eedfrom)?=([^;]+)")
_CALLBACK = re.compile(r"^\s*#\s*netprov-callback:\s*(\S+)", re.MULTILINE)
_CALLBACK_URL = re.compile(r"https?://[^\s\"'<>]+/api/v1/callback/[^\s\"'<>]+status=done")


def answers_url(args: str) -> str:
    """Where the kernel command line sends an installer for its answers; "" for nowhere, or not by network."""
    words = dict(word.partition("=")[::2] for word in reversed(args.replace('"', "").split()))
    for key, file in _ANSWERS:
        value = words.get(key, "")
        if key == "ds":
            seed = _SEED.match(value)
            value = seed[1].rstrip("/") + f"/{file}" if seed else ""
        if key == "url" and value.lower().endswith(".iso"):
            continue  # casper's: the image to install from
        if value.startswith(("http://", "https://", "tftp://")):
            return value
    return ""


def callback_url(answers: str) -> str:
    """Where the installer that follows `answers` reports its end; "" where nowhere is written."""
    found = _CALLBACK.search(answers) or _CALLBACK_URL.search(answers)
    return (found[1] if found.re is _CALLBACK else found[0]).replace("&amp;", "&") if found else ""


def no_kernel(data: bytes) -> str:
    """Why `data` cannot be the beginning of a kernel; "" where it can."""
    if not data:
        return "is empty"
    known = (
        data[0x202:0x206] == b"HdrS",  # Documentation/arch/x86/boot.rst
        data[0x38:0x3C] in (b"ARM\x64", b"RSC\x05"),  # Documentation/arch/arm64/booting.rst, and RISC-V's alike
        data[0x24:0x28] == b"\x18\x28\x6f\x01",  # 32-bit ARM's zImage
        data.startswith((b"\x7fELF", b"MZ", b"\x1f\x8b")),
    )
    return "" if any(known) else f"is not a kernel: it begins with {data[:16]!r}"
