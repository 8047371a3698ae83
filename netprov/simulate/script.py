"""What a loader's script makes the machine do: the parsers of the domU's bootloader, asked on behalf of any machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network
from urllib.parse import urljoin

from netprov.boot.programs import Runs
from netprov.errors import PeerError
from netprov.scripts import ipxe as ipxescript
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import config as grubcfg
from netprov.scripts.plan import BootPlan, Refusal
from netprov.scripts.pxelinux import choose, config
from netprov.scripts.straight import NotStraight
from netprov.simulate.machine import Address, Machine

IPXE_MAGIC = b"#!ipxe"

Include = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Script:
    """A script that was read. `modules`: what the loader fetches to show it (PXELINUX's menu)."""

    plan: BootPlan
    modules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Unfollowed(PeerError):
    """The script takes decisions that only a running loader can take. It may boot well; this cannot tell."""


def read(runs: Runs, text: str, facts: MachineFacts, name: str, include: Include) -> Script:
    """What the script does that `runs` was given. Raises Unfollowed, and PeerError where nothing can come of it."""
    try:
        match runs:
            case Runs.PXELINUX | Runs.XEN:
                return _pxelinux(text, facts, name, include)
            case Runs.GRUB:
                return Script(grubcfg.plan(text, facts, name))
            case _:
                return Script(ipxescript.plan(text, facts, name))
    except NotStraight as problem:
        raise Unfollowed(problem.text) from None


def _pxelinux(text: str, facts: MachineFacts, name: str, include: Include) -> Script:
    parsed = config.parse(text, include, name)
    entry = choose.choose(parsed)
    shown = parsed.ui.split()[:1]
    started = entry.kernel.split()[:1]
    notes = list(parsed.notes)
    if shown:
        notes.append(f"a menu of {len(parsed.entries)} entries; with nobody at the keyboard label {entry.label} boots")
    modules = tuple(file for file in (*shown, *started) if file.lower().endswith(".c32"))
    return Script(choose.plan(entry, facts), modules, tuple(notes))


def facts_of(machine: Machine, address: Address) -> MachineFacts:
    """What the script can ask for."""
    return MachineFacts(
        mac=machine.mac, ip=address.ip, server=address.server or address.answered_by, gateway=address.router,
        netmask=IPv4Network(f"0.0.0.0/{address.prefix}").netmask, uuid=machine.uuid,
        dmi={"SYSVENDOR": "netprov", "SYSPRODUCT": "simulate", "SYSSERIAL": machine.serial},
        platform="xen" if machine.kind.starts is Runs.XEN else machine.kind.arch.platform, arch=machine.kind.cpu,
    )  # fmt: skip


def joined(base: str, name: str) -> str:
    """The URL that `name` means in the file at the URL `base`."""
    if base.startswith("tftp://"):  # urljoin knows no such scheme
        found = urljoin("http" + base[4:], name)
        return "tftp" + found[4:] if found.startswith("http://" + base.split("/")[2]) else found
    return urljoin(base, name)


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
    return "" if any(known) else f"is no kernel: it begins with {data[:16]!r}"
