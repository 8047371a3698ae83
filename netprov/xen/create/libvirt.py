"""The same domU for libvirt: its domain XML, and virsh.

Source: libvirt's domain.rng (the tests hold every XML against it) and its libxl driver (libxl_conf.c).
"""

from __future__ import annotations

import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from netprov.errors import ConfigError, Problem
from netprov.xen.create.configuration import Configuration
from netprov.xen.create.host import CommandFailed, Host, Stopped
from netprov.xen.create.step import Say
from netprov.xen.create.xl import LOGS, last_words
from netprov.xen.domain import LOCAL_BOOTLOADER, Domain, DomainDisk

URI = "xen:///system"
_BRIDGE = "xenbr0"  # libvirt, unlike xl, has none that it takes by itself
_TYPES = {"pv": ("xenpv", "linux"), "pvh": ("xenpvh", "xenpvh"), "hvm": ("xenfv", "hvm")}


def domain_xml(domain: Domain) -> str:
    """The XML that `virsh define` takes."""
    root = Element("domain", type="xen")
    _leaf(root, "name", domain.name)
    # without one, libvirt makes up another at every definition, and refuses to define the name again; made of the MAC
    # address, so that the same domain has the same XML
    _leaf(root, "uuid", domain.uuid or str(uuid.uuid5(uuid.NAMESPACE_OID, domain.mac)))
    _leaf(root, "memory", str(domain.memory), unit="MiB")
    _leaf(root, "vcpu", str(domain.vcpus))
    if domain.kind != "hvm":
        _bootloader(root, domain)
    machine, kind = _TYPES[domain.kind]
    system = SubElement(root, "os")
    _leaf(system, "type", kind, arch="x86_64", machine=machine)
    if domain.kind == "hvm":
        for device in ("hd",) if domain.local else ("network", "hd"):
            SubElement(system, "boot", dev=device)
        SubElement(SubElement(root, "features"), "acpi")
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        _leaf(root, f"on_{event}", action)
    _devices(SubElement(root, "devices"), domain)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _bootloader(root: Element, domain: Domain) -> None:
    if domain.local:
        _leaf(root, "bootloader", LOCAL_BOOTLOADER)
        return
    _leaf(root, "bootloader", domain.program)
    # one word: the libxl driver means to split at blanks, but splits at a blank, a tab and a line's end in a row
    bridge = f",bridge={domain.bridge}" if domain.bridge else ""
    _leaf(root, "bootloader_args", f"mac={domain.mac}{bridge}")


def _devices(devices: Element, domain: Domain) -> None:
    for disk in domain.disks:
        _disk(devices, disk, domain)
    for nic in domain.nics:
        interface = SubElement(devices, "interface", type="bridge")
        SubElement(interface, "mac", address=nic.mac)
        SubElement(interface, "source", bridge=nic.bridge or _BRIDGE)
        if domain.kind == "hvm":
            SubElement(interface, "model", type="e1000")
    if domain.kind == "hvm":
        SubElement(SubElement(devices, "serial", type="pty"), "target", port="0")
        if domain.graphics:
            SubElement(devices, "graphics", type="vnc", port="-1", autoport="yes", listen="127.0.0.1")
        return
    SubElement(SubElement(devices, "console", type="pty"), "target", type="xen", port="0")


def _disk(devices: Element, disk: DomainDisk, domain: Domain) -> None:
    made = SubElement(devices, "disk", type="block" if disk.device else "file", device="disk")
    if disk.format != "raw":  # without a driver, libxl chooses for itself
        SubElement(made, "driver", name="qemu", type=disk.format)
    SubElement(made, "source", {"dev" if disk.device else "file": disk.path})
    SubElement(made, "target", dev=disk.vdev, bus="ide" if domain.kind == "hvm" else "xen")
    if disk.empty:
        SubElement(made, "readonly")


def _leaf(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text


def virsh(*words: str) -> tuple[str, ...]:
    return ("virsh", "--quiet", "--connect", URI, *words)


class Define(Configuration):
    """Writes the XML, and defines the domain by it."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        super().__init__(path, text)
        self._xml = path
        self._name = name
        self._defined = False

    def shown(self) -> Iterator[str]:
        yield from super().shown()
        yield f"run {' '.join(virsh('define', '--validate', str(self._xml)))}"

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from super().problems(host)
        try:
            names = host.run(*virsh("list", "--all", "--name")).split()
        except CommandFailed as error:
            said = error.said.strip().splitlines()
            text = f"does not reach {URI}: is libvirtd running, with its Xen driver? ({said[-1] if said else ''})"
            yield Problem(None, "virsh", text)
            return
        except ConfigError as error:
            yield from error.problems
            return
        if self._name in names:
            yield Problem(None, f"virsh dominfo {self._name}", "a domain of that name is already defined")

    def do(self, host: Host, say: Say) -> None:
        super().do(host, say)
        try:
            host.run(*virsh("define", "--validate", str(self._xml)))
        except Stopped:
            self._defined = True
            raise
        self._defined = True

    def undo(self, host: Host) -> None:
        if self._defined and self._name in host.run(*virsh("list", "--all", "--name"), undoing=True).split():
            host.run(*virsh("undefine", self._name), undoing=True)
        super().undo(host)


class VirshStart:
    """Starts it; where that fails libvirt does not say why, so that the bootloader's newest log is looked at."""

    def __init__(self, name: str, logs: Path = LOGS) -> None:
        self._name = name
        self._logs = logs
        self._started = False

    def shown(self) -> Iterator[str]:
        yield f"run {' '.join(virsh('start', self._name))}"

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from ()

    def do(self, host: Host, say: Say) -> None:
        say(f"virsh start {self._name}")
        began = time.time() - 1  # file times are a tick behind
        try:
            host.run(*virsh("start", self._name))
        except Stopped:
            self._started = True
            raise
        except CommandFailed as error:
            said = self._last_words(began)
            raise ConfigError(Problem(None, "", said), *error.problems) if said else error from None
        self._started = True

    def _last_words(self, began: float) -> str:
        """Of the bootloader, where one ran since."""
        logs = {path: path.stat().st_mtime for path in self._logs.glob("bootloader.*.log")}
        newest = max(logs, key=lambda path: logs[path], default=None)
        return last_words(newest) if newest is not None and logs[newest] >= began else ""

    def undo(self, host: Host) -> None:
        if self._started and virsh_runs(host, self._name):
            host.run(*virsh("destroy", self._name), undoing=True)


def virsh_runs(host: Host, name: str) -> bool:
    return name in host.run(*virsh("list", "--name"), undoing=True).split()


class Redefine:
    """The domain is as the file says from its next start on; `auto`: it starts with dom0."""

    def __init__(self, name: str, path: Path, auto: bool) -> None:
        self._commands = [virsh("define", "--validate", str(path)), *([virsh("autostart", name)] if auto else [])]

    def shown(self) -> Iterator[str]:
        for words in self._commands:
            yield f"run {' '.join(words)}"

    def problems(self, host: Host) -> Iterator[Problem]:
        yield from ()

    def do(self, host: Host, say: Say) -> None:
        for words in self._commands:
            host.run(*words)

    def undo(self, host: Host) -> None:
        """Nothing: it comes last."""
