"""Boots as the rooms tell them: the events of real clients, in order (seen in QEMU)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ARCH, BLKSIZE, FACTS, LOADER, TYPE, WINDOWSIZE


@dataclass
class Machine:
    """A machine whose events are made one after the other; `at` is its clock."""

    mac: str = "00:16:3e:11:11:11"
    ip: str = "192.168.77.114"
    system: str = "lady"
    uuid: str = "4c4c4544-0042-3510-8054-b4c04f595231"
    token: str = "TOKEN-of-lady-0123456789"
    at: float = 1_764_000_000.0
    xid: int = 1
    events: list[Event] = field(default_factory=list)

    def wait(self, seconds: float) -> Machine:
        self.at += seconds
        return self

    def say(self, kind: Kind, reason: Reason, text: str = "", **facts: object) -> Event:
        event = Event(self.at, kind, reason, text, **facts)  # type: ignore[arg-type]
        assert all(kind in FACTS[key].kinds for key, _ in event.detail), f"{kind} has no such fact: {event.detail}"
        self.events.append(event)
        self.at += 0.01
        return event

    def dhcp(self, kind: Kind, loader: str, name: str = "", ip: str = "", reason: Reason = Reason.DHCP_OK) -> Event:
        asked = {Kind.DHCP_OFFER: "discover", Kind.DHCP_ACK: "request", Kind.DHCP_DROP: "discover"}.get(kind, "request")
        trace = (f"matched system {self.system} by MAC",)
        detail = ((TYPE, asked), (LOADER, loader), (ARCH, "bios"))
        verb = {Kind.DHCP_OFFER: "offers", Kind.DHCP_ACK: "confirms"}.get(kind, "drops")
        return self.say(
            kind,
            reason,
            f"{verb} {ip}" + (f", boot {name}" if name else ""),
            stage="loader" if name else "address",
            mac=self.mac,
            uuid=self.uuid if loader != "os" else "",
            xid=self.xid,
            ip=ip,
            peer="0.0.0.0:68",
            system=self.system,
            name=name,
            trace=trace,
            detail=detail,
        )

    def address(self, loader: str, name: str = "") -> Machine:
        """DISCOVER, OFFER, REQUEST, ACK."""
        self.xid += 1
        self.dhcp(Kind.DHCP_OFFER, loader, name, self.ip)
        self.wait(1.0)
        self.dhcp(Kind.DHCP_ACK, loader, name, self.ip)
        return self

    def tftp(self, name: str, stage: str, size: int = 1000, seconds: float = 0.1, *, named: bool = False) -> Machine:
        """A TFTP transfer; `named`: the name says whose it is."""
        facts = {"stage": stage, "ip": self.ip, "peer": f"{self.ip}:2070", "name": name}
        if named:
            facts |= {"mac": self.mac, "system": self.system}
        self.say(Kind.TFTP_REQUEST, Reason.TFTP_OK, f"asks for {name}", **facts)
        self.wait(seconds)
        options = ((BLKSIZE, "1408"), (WINDOWSIZE, "1"))
        text = f"sent {name}, {size} octets in {seconds:.1f} s"
        facts |= {"size": size, "seconds": seconds}
        self.say(Kind.TFTP_DONE, Reason.TFTP_OK, text, detail=options, **facts)
        return self

    def refused(self, name: str, stage: str, reason: Reason = Reason.TFTP_NOT_FOUND) -> Machine:
        text = f"{name}: no such file"
        self.say(Kind.TFTP_REFUSE, reason, text, stage=stage, ip=self.ip, peer=f"{self.ip}:2071", name=name)
        return self

    def broken(self, name: str, stage: str, seconds: float) -> Event:
        """A transfer whose client went away; the event comes `seconds` later. Not appended."""
        text = f"{name}: the client stopped answering after 100 of 9000000 octets"
        facts = {"stage": stage, "ip": self.ip, "peer": f"{self.ip}:2072", "name": name}
        self.say(Kind.TFTP_REQUEST, Reason.TFTP_OK, f"asks for {name}", **facts)
        event = self.say(Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, text, seconds=seconds, size=9_000_000, **facts)
        self.events.pop()
        self.at = event.at
        return replace(event, at=event.at + seconds)

    def http(self, name: str, stage: str, size: int = 2000, seconds: float = 0.05, *, token: bool = False) -> Machine:
        self.wait(seconds)
        self.say(
            Kind.HTTP_DONE,
            Reason.HTTP_OK,
            f"GET {name}: sent",
            stage=stage,
            ip=self.ip,
            peer=f"{self.ip}:40000",
            name=name,
            size=size,
            seconds=seconds,
            token=self.token if token else "",
            system=self.system if token else "",
        )
        return self

    def installer(self) -> Machine:
        """What the kernel does: its own DHCP, its answers, its callback."""
        self.wait(8.0).address("os").wait(1.0).http(f"/autoinstall/{self.system}", "autoinstall", token=True)
        self.wait(2.0)
        self.say(
            Kind.INSTALL,
            Reason.INSTALL_DONE,
            f"{self.system}: installing → installed",
            stage="callback",
            ip=self.ip,
            system=self.system,
            token=self.token,
        )
        return self.http(f"/api/v1/callback/{self.token}", "callback", size=3, token=True)


def bios_pxelinux(machine: Machine) -> Machine:
    """QEMU's iPXE ROM → PXELINUX → kernel → installer."""
    machine.address("ipxe", "pxelinux.0").tftp("pxelinux.0", "loader", 42_000)
    machine.tftp("ldlinux.c32", "loader-file", 120_000)
    machine.refused(f"pxelinux.cfg/{machine.uuid}", "script", Reason.NAME_NOT_OURS)
    machine.tftp("pxelinux.cfg/01-" + machine.mac.replace(":", "-"), "script", 300, named=True)
    machine.tftp("probe/vmlinuz", "kernel", 8_100_000, 1.3).tftp("probe/initrd.img", "initrd", 1_400_000)
    return machine.installer()


def uefi_grub(machine: Machine) -> Machine:
    """OVMF → shim → GRUB → kernel → installer."""
    machine.address("firmware", "shimx64.efi")
    facts = {"stage": "loader", "ip": machine.ip, "peer": f"{machine.ip}:1800", "name": "shimx64.efi"}
    machine.say(Kind.TFTP_REQUEST, Reason.TFTP_OK, "asks for shimx64.efi", **facts)
    machine.say(Kind.TFTP_ABORT, Reason.TFTP_ABORTED, "shimx64.efi: the client wanted the size", **facts)
    machine.tftp("shimx64.efi", "loader", 950_000).refused("revocations_sbat.efi", "loader-file")
    machine.tftp("grubx64.efi", "loader", 2_700_000, 0.8).refused("grub/x86_64-efi/command.lst", "loader-file")
    machine.tftp(f"grub/system/{machine.mac}", "script", 400, named=True)
    return machine.tftp("probe/vmlinuz", "kernel", 8_100_000).tftp("probe/initrd.img", "initrd", 1_400_000).installer()


def ipxe_chain(machine: Machine) -> Machine:
    """Firmware → ipxe.efi → script by HTTP → kernel by HTTP."""
    machine.address("firmware", "ipxe.efi").tftp("ipxe.efi", "loader", 1_000_000).wait(2.0)
    machine.address("ipxe").http("/ipxe/" + machine.mac.replace(":", "-"), "script")
    machine.http("/files/probe/vmlinuz", "kernel", 8_100_000).http("/files/probe/initrd.img", "initrd")
    return machine.installer()


def ipxe_rom_local(machine: Machine) -> Machine:
    """An iPXE ROM is told to boot the disk; the system on it asks for an address."""
    machine.address("ipxe").http("/ipxe/" + machine.mac.replace(":", "-"), "script")
    return machine.wait(20.0).address("os")


def ignored(machine: Machine) -> Machine:
    """Firmware that nobody answers repeats itself."""
    for pause in (4, 8, 16, 32):
        machine.dhcp(Kind.DHCP_DROP, "firmware", reason=Reason.UNKNOWN_IGNORE)
        machine.wait(pause)
    return machine


SCENES = {scene.__name__: scene for scene in (bios_pxelinux, uefi_grub, ipxe_chain, ipxe_rom_local, ignored)}


def in_order(*machines: Machine) -> Iterator[Event]:
    """The events of several machines as time brings them."""
    return iter(sorted((event for machine in machines for event in machine.events), key=lambda event: event.at))
