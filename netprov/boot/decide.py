"""decide(): what a machine gets, and why. The only place where boot policy lives.

Every room asks here: DHCP and proxyDHCP which loader to send, TFTP and HTTP what a loader's script holds, the Xen
bootloader what to start; `netprov explain` asks the same, so a dry run cannot lie.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from netprov.boot.arch import ARCHS, Arch, Names, is_uboot, names_of
from netprov.boot.chain import By, choose, menu_entries
from netprov.boot.decision import Action, BootDecision, Kernel, Step
from netprov.boot.domu import answer_name
from netprov.boot.identify import identify
from netprov.boot.install import InstallRecord, InstallState, installs
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.state import LOOP_FETCHES, BootState
from netprov.errors import Origin
from netprov.inventory.model import DhcpMode, InstallMode, Inventory, Subnet, Target, UnknownPolicy
from netprov.mac import Mac, dashed


def decide(request: BootRequest, inventory: Inventory, state: BootState) -> BootDecision:
    """The answer to `request`: a pure function of the three. The trace's last step is what settled it."""
    return _Decider(request, inventory, state).decide()


class _Decider:
    """One decision while it is made: the question, and the trace so far."""

    __slots__ = ("inventory", "record_name", "request", "state", "subnet", "target", "trace")

    def __init__(self, request: BootRequest, inventory: Inventory, state: BootState) -> None:
        self.request = request
        self.inventory = inventory
        self.state = state
        self.trace: list[Step] = []
        self.target: Target | None = None
        self.record_name = ""
        self.subnet: Subnet | None = None

    def decide(self) -> BootDecision:
        request = self.request
        if request.via in (Via.DHCP, Via.PROXY) and self.inventory.settings.dhcp.mode is DhcpMode.OFF:
            return self._end(Action.IGNORE, Reason.MODE_OFF, "dhcp.mode is off")
        self.subnet = self._find_subnet()
        policy = self._find_target()
        if request.via is Via.DHCP and self._refused(policy):
            return self._end(Action.IGNORE, Reason.MODE_RESERVED, "dhcp.mode is reserved, and no system matches")
        if request.loader is Loader.OS:
            return self._plain_address()
        if request.loader is Loader.FIRMWARE or request.via in (Via.DHCP, Via.PROXY):
            return self._loader(policy)
        return self._script(policy)

    # who asks

    def _find_subnet(self) -> Subnet | None:
        """The subnet of the relay that passed the question on, else of the client, else of our own interface."""
        for address in (self.request.relay, self.request.ip, self.request.server):
            found = self.inventory.subnet_of(address) if address is not None else None
            if found is not None:
                return found
        return None

    def _find_target(self) -> UnknownPolicy | None:
        """Sets the target and notes how it was found; the policy for unknown machines where there is none."""
        match = identify(self.request, self.inventory)
        if match is not None:
            self.target = match.target
            self.record_name = match.target.name
            self._note(match.reason, f"matched system {match.target.name} by {match.by}", match.target.origin)
            return None
        self._note(Reason.NO_MATCH, f"no declared system matches {self._who()}")
        if self.subnet is not None and self.subnet.profile:
            self.target = self.inventory.profile(self.subnet.profile)
            self.record_name = str(self.request.mac or "")
            text = f"subnet {self.subnet.subnet} gives such machines profile {self.subnet.profile}"
            self._note(Reason.MATCH_SUBNET, text, self.subnet.origin)
            return None
        if self.subnet is not None and self.subnet.unknown is not None:
            return self.subnet.unknown
        return self.inventory.settings.server.unknown

    def _who(self) -> str:
        request = self.request
        parts = []
        if request.mac:
            parts.append(f"MAC {request.mac}")
        if request.uuid:
            parts.append(f"UUID {request.uuid}")
        if request.serial:
            parts.append(f"serial {request.serial!r}")
        if request.ip:
            parts.append(f"address {request.ip}")
        return ", ".join(parts) or "an unidentified machine"

    def _refused(self, policy: UnknownPolicy | None) -> bool:
        return self.inventory.settings.dhcp.mode is DhcpMode.RESERVED and (
            policy is not None or (self.target is not None and self.target.kind != "system")
        )

    # what it gets

    def _plain_address(self) -> BootDecision:
        """For BOOTP clients, switches that set themselves up, and systems that run: an address, and the boot file where
        the operator names one. What such a client does with it is no install, so none need be armed."""
        target = self.target
        if self.request.via is Via.DHCP and target is not None and target.filename:
            self._named(target)
            return self._sent(target.filename, over_http=False)
        if self.request.via is Via.DHCP:
            return self._end(Action.ADDRESS, Reason.NOT_PXE, "the client asks for an address only")
        return self._end(Action.IGNORE, Reason.NOT_PXE, "the client does not ask to boot")

    def _loader(self, policy: UnknownPolicy | None) -> BootDecision:
        arch = self._firmware()
        if policy is UnknownPolicy.IGNORE:
            action = Action.ADDRESS if self.request.via is Via.DHCP else Action.IGNORE
            return self._end(action, Reason.UNKNOWN_IGNORE, "server.unknown is ignore: nothing to boot")
        if policy is UnknownPolicy.MENU:
            self._note(Reason.UNKNOWN_MENU, "server.unknown is menu")
        elif policy is UnknownPolicy.DISCOVER:
            self._note(Reason.UNKNOWN_DISCOVER, "server.unknown is discover")
        elif self.request.loader is not Loader.XEN:
            local = self._stays_local(arch) or self._cannot_run(arch)
            if local is not None:
                return local
        if self.request.loader is Loader.XEN and self.request.mac is not None:
            return self._domu(self.request.mac)
        return self._choose_loader(arch, policy)

    def _firmware(self) -> Arch | None:
        """What firmware asks; a PC's where it says nothing and is not known to be another's."""
        number = self.request.arch
        if number is None:
            return None if is_uboot(self.request.vendor_class) else ARCHS.get(0)
        return ARCHS.get(number)

    def _domu(self, mac: Mac) -> BootDecision:
        """Where the answer for a domU is. What it says, the install's state too, is decided when it is fetched."""
        self._note(Reason.CLIENT_IS_LOADER, "the client is netprov's bootloader for domUs: it asks what to start")
        name = answer_name(mac)
        over_http = self.inventory.settings.http.enabled
        return self._sent(f"/{name}" if over_http else name, over_http=over_http)

    def _stays_local(self, arch: Arch | None = None) -> BootDecision | None:
        """The decision to boot the local disk, where the install state or a missing kernel says so."""
        target = self.target
        assert target is not None
        record = self.state.installs.get(self.record_name) if self.record_name else None
        reason, text = _install_step(target, record)
        origin = target.origins.get("install")
        if reason in (Reason.INSTALL_LOCAL, Reason.INSTALL_DONE, Reason.INSTALL_FAILED):
            return self._end(Action.LOCAL, reason, text, origin)
        self._note(reason, text, origin)
        if not target.kernel and not self._brings_its_own(target, arch):
            text = f"{target.kind} {target.name} has no kernel to boot"
            return self._end(Action.LOCAL, Reason.NO_KERNEL, text, target.origin)
        return None

    def _brings_its_own(self, target: Target, arch: Arch | None) -> bool:
        """Whether what the machine boots is not ours to name: the operator's own boot file, or firmware's own files."""
        if self.request.loader is not Loader.FIRMWARE:
            return False
        return bool(target.filename) or (arch is not None and arch.names is Names.ALL)

    def _cannot_run(self, arch: Arch | None) -> BootDecision | None:
        target = self.target
        assert target is not None
        if arch is None or arch.runs(target.arch) or arch.names is Names.ALL or not target.kernel:
            return None
        text = f"{target.kind} {target.name} is for {target.arch}, the machine's firmware is {arch.name}"
        return self._end(Action.LOCAL, Reason.ARCH_MISMATCH, text, target.origins.get("arch", target.origin))

    def _choose_loader(self, arch: Arch | None, policy: UnknownPolicy | None) -> BootDecision:
        request, target = self.request, self.target
        choice = choose(arch, target, policy, request.via, request.loader)
        names = names_of(arch, request.vendor_class)
        if choice.by is By.FILENAME and names is not Names.ALL:
            assert target is not None
            self._named(target)
            return self._send(choice.file, over_http=arch is not None and arch.http)
        if names is not Names.OURS and request.loader is Loader.FIRMWARE:
            name = arch.name if arch is not None else request.vendor_class
            text = f"{name} asks for {names.value}: it is told the server, and no file"
            return self._end(Action.LOADER, Reason.OWN_NAMES, text)
        if choice.by is By.IPXE_ALREADY:
            self._note(Reason.CLIENT_IS_LOADER, "the client is iPXE already: it gets its script")
            return self._ipxe_script(policy)
        if choice.by is By.NONE_RUNS:
            self._note(Reason.CLIENT_IS_LOADER, "the client is iPXE already, and no loader of boot_loaders runs on it")
            return self._ipxe_script(policy)
        if arch is None or choice.by is By.NOTHING:
            name = arch.name if arch is not None else f"number {request.arch}"
            text = f"no loader is known for client architecture {name}"
            return self._end(Action.LOCAL, Reason.ARCH_UNKNOWN, text)
        if choice.by is By.PREFERENCE:
            text = f"boot_loaders prefers {choice.loader}"
            self._note(Reason.LOADER_CHOSEN, text, target.origins.get("boot_loaders") if target else None)
        if choice.loader is Loader.GRUB and request.via is Via.PROXY:
            text = "GRUB fetches its files from the other DHCP server's next-server: let that name this server"
            self._note(Reason.MODE_PROXY, text)
        self._note(Reason.ARCH_LOADER, f"client architecture {arch.code} ({arch.name}) starts {choice.file}")
        return self._send(choice.file, over_http=arch.http)

    def _named(self, target: Target) -> None:
        text = f"{target.kind} {target.name} has filename {target.filename}"
        self._note(Reason.FILENAME_SET, text, target.origins.get("filename"))

    def _ipxe_script(self, policy: UnknownPolicy | None) -> BootDecision:
        mac = self.request.mac
        name = f"ipxe/{dashed(mac)}" if mac is not None else "boot.ipxe"
        if not self.inventory.settings.http.enabled:
            return self._sent(name, over_http=False)
        # iPXE puts its settings in where a file name has ${…}; a serial number is all that DHCP does not tell already
        facts = "?serial=${serial:uristring}&manufacturer=${manufacturer:uristring}&product=${product:uristring}"
        return self._sent(f"/{name}{facts if policy is UnknownPolicy.DISCOVER else ''}", over_http=True)

    def _send(self, loader_file: str, *, over_http: bool) -> BootDecision:
        given = self.state.given.get(loader_file, 0)
        if given >= LOOP_FETCHES - 1:
            mac = self.request.mac
            text = f"{mac} was given {loader_file} {given} times within a minute: it is in a boot loop"
            return self._end(Action.LOCAL, Reason.LOADER_LOOP, text)
        return self._sent(loader_file, over_http=over_http)

    def _sent(self, loader_file: str, *, over_http: bool) -> BootDecision:
        by = "HTTP" if over_http else "TFTP"
        text = f"sends {loader_file} by {by}"
        return self._end(Action.LOADER, self.trace[-1].reason, text, loader_file=loader_file, over_http=over_http)

    def _script(self, policy: UnknownPolicy | None) -> BootDecision:
        request = self.request
        if policy is not None and request.anonymous and request.loader in (Loader.GRUB, Loader.IPXE):
            return self._end(Action.IDENTIFY, Reason.FOUND_SCRIPT, f"{request.loader} is to ask again with its MAC")
        if policy is UnknownPolicy.IGNORE:
            return self._end(Action.IGNORE, Reason.UNKNOWN_IGNORE, "server.unknown is ignore: no script")
        if policy is UnknownPolicy.DISCOVER:
            text = "server.unknown is discover: it was seen, and boots its own disk"
            return self._end(Action.LOCAL, Reason.UNKNOWN_DISCOVER, text)
        if policy is UnknownPolicy.MENU:
            return self._menu()
        # a domU has no firmware; netprov-pxeboot calls itself a PC everywhere, and looks at the kernel itself
        known = request.arch is not None and request.loader is not Loader.XEN
        arch = ARCHS.get(request.arch) if known and request.arch is not None else None
        local = self._stays_local() or self._cannot_run(arch)
        if local is not None:
            return local
        target = self.target
        assert target is not None
        kernel = Kernel(target.kernel, target.initrd, target.kernel_options, bool(target.autoinstall))
        record = self.state.installs.get(self.record_name) if self.record_name else None
        text = f"boots {target.kernel}" + (f" and {', '.join(target.initrd)}" if target.initrd else "")
        return self._end(
            Action.KERNEL,
            self.trace[-1].reason,
            text,
            target.origins.get("kernel"),
            kernel=kernel,
            installing=bool(self.record_name) and installs(record, target.install),
        )

    def _menu(self) -> BootDecision:
        arch = ARCHS.get(self.request.arch) if self.request.arch is not None else None
        entries = menu_entries(self.inventory, arch)
        if not entries:
            text = f"server.unknown is menu, but no profile{f' for {arch.cpu}' if arch else ''} is in the menu"
            return self._end(Action.LOCAL, Reason.NO_MENU_ENTRIES, text)
        text = f"server.unknown is menu: {len(entries)} entries"
        return self._end(Action.MENU, Reason.UNKNOWN_MENU, text, menu=entries)

    # the answer

    def _note(self, reason: Reason, text: str, origin: Origin | None = None) -> None:
        self.trace.append(Step(reason, text, origin))

    def _end(
        self, action: Action, reason: Reason, text: str, origin: Origin | None = None, **fields: Any
    ) -> BootDecision:
        self._note(reason, text, origin)
        target = self.target
        next_server = target.next_server if target is not None else None
        if next_server is None and self.subnet is not None:
            next_server = self.subnet.next_server
        return BootDecision(
            action,
            tuple(self.trace),
            target=target,
            record=self.record_name,
            subnet=self.subnet,
            reserved_ip=_reserved(target, self.request),
            next_server=next_server,
            **fields,
        )


def _install_step(target: Target, record: InstallRecord | None) -> tuple[Reason, str]:
    """Whether the target's kernel or the local disk boots now, as a step of the trace."""
    if target.install is InstallMode.ALWAYS:
        return Reason.INSTALL_ALWAYS, "install: always boots the kernel every time"
    if record is None:
        if target.install is InstallMode.ONCE:
            return Reason.INSTALL_ARMED, "install: install-once, and it was never installed"
        return Reason.INSTALL_LOCAL, "install: local, and no install is armed"
    match record.state:
        case InstallState.ARMED:
            return Reason.INSTALL_ARMED, "an install is armed"
        case InstallState.BOOTING | InstallState.INSTALLING:
            attempt = f"attempt {record.attempts} of {target.install_attempts}"
            return Reason.INSTALL_RUNNING, f"the install is under way ({record.state}, {attempt})"
        case InstallState.INSTALLED:
            return Reason.INSTALL_DONE, "install state = installed → local boot"
        case InstallState.FAILED:
            return Reason.INSTALL_FAILED, f"install state = failed → local boot ({record.note or 'no reason given'})"
        case InstallState.LOCAL:
            return Reason.INSTALL_LOCAL, "an operator set it to local boot"


def _reserved(target: Target | None, request: BootRequest) -> IPv4Address | None:
    """The address declared for the interface that asks; for a machine known by other than a MAC, its only one."""
    if target is None:
        return None
    declared = [i for i in target.interfaces if i.ip is not None]
    for interface in declared:
        if interface.mac is not None and interface.mac == request.mac:
            return interface.ip.ip if interface.ip else None
    if len(declared) == 1 and declared[0].ip is not None and declared[0].mac is None:
        return declared[0].ip.ip
    return None
