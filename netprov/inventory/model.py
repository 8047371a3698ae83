"""What the operator declared, resolved: the typed objects every other room reads.

A *target* is what a machine boots: a system, profile or image with everything it inherits already merged in. Its fields
are those of the field table (fields.py); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from types import MappingProxyType

from netprov.errors import Origin, Problem
from netprov.inventory.marks import Marks
from netprov.mac import Mac

Value = str | int | float | bool | None | tuple["Value", ...] | Mapping[str, "Value"]
"""What YAML can hold, frozen: lists are tuples."""


class InstallMode(StrEnum):
    """What a machine does when it boots from the network."""

    LOCAL = "local"  # its own disk
    ONCE = "install-once"  # install, then its own disk until somebody arms it again
    ALWAYS = "always"  # the kernel every time: diskless machines, rescue systems


class UnknownPolicy(StrEnum):
    """What a machine that nothing matches gets."""

    IGNORE = "ignore"
    MENU = "menu"
    DISCOVER = "discover"  # an address and a boot that only reports the machine's facts, then its local disk


class DhcpMode(StrEnum):
    FULL = "full"
    RESERVED = "reserved"  # only declared systems
    PROXY = "proxy"  # never an address
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Interface:
    name: str
    mac: Mac | None = None
    ip: IPv4Interface | None = None
    gateway: IPv4Address | None = None
    dns_name: str = ""
    mtu: int | None = None
    bridge: str = ""
    management: bool = False


@dataclass(frozen=True, slots=True)
class Disk:
    size: int = 0  # octets
    path: str = ""
    driver: str = "raw"


@dataclass(frozen=True, slots=True)
class Virt:
    type: str = "xenpv"
    ram: int = 512  # MiB
    cpus: int = 1
    disks: tuple[Disk, ...] = ()
    bridge: str = ""
    path: str = ""
    auto_boot: bool = False


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """DHCP options for clients whose vendor class (option 60) begins with `vendor_class`; "": for every client."""

    vendor_class: str = ""
    options: tuple[tuple[int, bytes], ...] = ()  # encoded, by code


@dataclass(frozen=True, slots=True)
class Target:
    """What one machine boots: everything inherited is merged in, every unset field has its default.

    `kernel_options` keeps the order written; a value is None (a bare flag) or the strings to give it, one for each time
    it stands on the command line. `origins` says where a field's value (of a merged one: the last part) came from.
    """

    kind: str  # "system", "profile" or "image"
    name: str
    profile: str = ""
    distro: str = ""
    image: str = ""
    hostname: str = ""
    uuid: str = ""
    serial: str = ""
    client_id: bytes = b""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    interfaces: tuple[Interface, ...] = ()
    gateway: IPv4Address | None = None
    name_servers: tuple[IPv4Address, ...] = ()
    name_servers_search: tuple[str, ...] = ()
    breed: str = ""
    os_version: str = ""
    arch: str = "x86_64"
    kernel: str = ""  # a name relative to tftp.root, or a URL
    initrd: tuple[str, ...] = ()
    tree: str = ""
    kernel_options: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    autoinstall: str = ""
    autoinstall_meta: Mapping[str, Value] = field(default_factory=dict)
    boot_loaders: tuple[str, ...] = ()  # of "ipxe", "pxelinux", "grub", the preferred first; empty: the arch's default
    next_server: IPv4Address | None = None
    filename: str = ""  # the NBP to send in place of the table's
    dhcp_options: tuple[ClientOptions, ...] = ()  # a later one's value of an option counts
    install: InstallMode = InstallMode.LOCAL
    install_attempts: int = 3
    menu: str = ""
    enable_menu: bool = True
    virt: Virt = Virt()
    proxy: str = ""
    comment: str = ""
    owners: tuple[str, ...] = ()
    origin: Origin | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Range:
    first: IPv4Address
    last: IPv4Address

    def __contains__(self, ip: object) -> bool:
        return isinstance(ip, IPv4Address) and self.first <= ip <= self.last


@dataclass(frozen=True, slots=True)
class Subnet:
    subnet: IPv4Network
    ranges: tuple[Range, ...] = ()
    router: tuple[IPv4Address, ...] = ()
    dns: tuple[IPv4Address, ...] = ()
    ntp: tuple[IPv4Address, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    lease: int = 3600  # seconds
    mtu: int | None = None
    next_server: IPv4Address | None = None
    profile: str = ""  # what a machine that nothing matches boots here
    unknown: UnknownPolicy | None = None  # None: server.unknown
    v6only: int | None = None  # seconds, RFC 8925 option 108
    options: Mapping[int, bytes] = field(default_factory=dict)  # further options, encoded, by code
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    name: str
    display_name: str = ""
    parent: str = ""
    origin: Origin | None = None


class Scope(StrEnum):
    """What somebody may do over HTTP."""

    READ = "read"
    OPERATE = "operate"  # arm installs, boot locally
    EDIT = "edit"  # add systems to the inventory's files, and remove them


@dataclass(frozen=True, slots=True)
class User:
    """Who may log in to the page."""

    name: str
    password: str = ""  # its hash, as werkzeug.security writes it
    scopes: tuple[Scope, ...] = (Scope.READ, Scope.OPERATE, Scope.EDIT)


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows to use the API."""

    name: str
    hash: str = ""  # "sha256:" and the token's SHA-256 in hex
    scopes: tuple[Scope, ...] = (Scope.READ,)


class Notice(StrEnum):
    """What webhooks are told of."""

    VERDICT = "verdict"  # why a boot goes wrong, once for each boot and verdict
    INSTALL = "install"  # the state of an install changed
    BOOT = "boot"  # a machine begins to boot
    SERVER = "server"  # the server started, stopped, refused an edit, lost a worker


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that is told what happens, by HTTP."""

    name: str
    url: str = ""
    secret: str = ""  # signs what is sent; empty: it is not signed
    events: tuple[Notice, ...] = (Notice.VERDICT, Notice.INSTALL)
    timeout: int = 10  # seconds that an answer may take


@dataclass(frozen=True, slots=True)
class ServerSettings:
    address: IPv4Address | None = None  # None: the address of the interface the request came in on
    interfaces: tuple[str, ...] = ()  # empty: all but loopback
    state: str = "/var/lib/netprov"  # a folder
    unknown: UnknownPolicy = UnknownPolicy.IGNORE
    user: str = ""  # whom to become once the sockets are bound; empty: stay
    journal_events: int = 1_000_000  # the newest so many are kept
    journal_age: int = 30 * 86400  # seconds
    capture: int = 0  # octets of packets that are kept; 0: none are
    users: tuple[User, ...] = ()
    tokens: tuple[Token, ...] = ()
    webhooks: tuple[Webhook, ...] = ()


@dataclass(frozen=True, slots=True)
class DhcpSettings:
    mode: DhcpMode = DhcpMode.PROXY
    authoritative: bool = True
    offer_hold: int = 60  # seconds an offered address is kept for its client
    decline_probation: int = 3600  # seconds a declined address rests
    port: int = 67
    proxy_port: int = 4011


@dataclass(frozen=True, slots=True)
class TftpSettings:
    enabled: bool = True
    root: Path = Path("boot-images")
    port: int = 69
    single_port: bool = False
    ports: tuple[int, int] | None = None  # the range that transfers take theirs from
    blksize: int = 65464  # the most granted; the interface's MTU limits further
    windowsize: int = 64  # the most granted
    workers: int = 1


@dataclass(frozen=True, slots=True)
class HttpSettings:
    enabled: bool = True
    port: int = 80
    workers: int = 1


@dataclass(frozen=True, slots=True)
class SyslogSettings:
    """The receiver of installers' logs."""

    enabled: bool = False
    port: int = 514


@dataclass(frozen=True, slots=True)
class Settings:
    server: ServerSettings = ServerSettings()
    dhcp: DhcpSettings = DhcpSettings()
    tftp: TftpSettings = TftpSettings()
    http: HttpSettings = HttpSettings()
    syslog: SyslogSettings = SyslogSettings()
    templates: Path | None = None  # the user's pxelinux.cfg.templates/; None: beside netprov.yaml where it exists
    autoinstall: Path | None = None  # the user's autoinstall/ folder, likewise


@dataclass(frozen=True, slots=True)
class Inventory:
    """One generation of what the operator declared. Read-only; a reload makes another. of() makes one.

    It is asked for a machine, a profile, a subnet; how it keeps them is its own affair. What comes in rows comes in
    declared order.
    """

    generation: int = 0
    settings: Settings = Settings()
    subnets: tuple[Subnet, ...] = ()
    menus: tuple[Menu, ...] = ()
    snippets: Mapping[str, str] = field(default_factory=dict)  # name → text
    files: tuple[str, ...] = ()  # every file and folder it was read from: what a reload watches
    warnings: tuple[Problem, ...] = ()  # odd, but no reason to refuse it
    _systems: Mapping[str, Target] = field(default_factory=dict)
    _profiles: Mapping[str, Target] = field(default_factory=dict)
    _images: Mapping[str, Target] = field(default_factory=dict)
    _marks: Marks = field(default_factory=Marks)

    @classmethod
    def of(
        cls,
        *targets: Target,
        generation: int = 0,
        settings: Settings = Settings(),
        subnets: tuple[Subnet, ...] = (),
        menus: tuple[Menu, ...] = (),
        snippets: Mapping[str, str] = MappingProxyType({}),
        files: tuple[str, ...] = (),
        warnings: tuple[Problem, ...] = (),
    ) -> Inventory:
        """The inventory of these systems, profiles and images."""
        systems, profiles, images = (
            {target.name: target for target in targets if target.kind == kind}
            for kind in ("system", "profile", "image")
        )
        marks = Marks.of(systems.values())
        return cls(
            generation, settings, subnets, menus, dict(snippets), files, warnings,
            systems, profiles, images, marks,
        )  # fmt: skip

    def system(self, name: str) -> Target | None:
        return self._systems.get(name)

    def profile(self, name: str) -> Target | None:
        return self._profiles.get(name)

    def systems(self) -> Collection[Target]:
        return self._systems.values()

    def profiles(self) -> Collection[Target]:
        return self._profiles.values()

    def images(self) -> Collection[Target]:
        return self._images.values()

    def macs(self) -> Iterable[tuple[Mac, Target]]:
        """Every declared MAC, and the system that has it."""
        return self._marks.macs.items()

    def addresses(self) -> Iterable[tuple[IPv4Address, Target]]:
        """Every address that is declared for a system, and that system."""
        return self._marks.ips.items()

    def system_by_mac(self, mac: Mac) -> Target | None:
        return self._marks.macs.get(mac)

    def system_by_ip(self, ip: IPv4Address) -> Target | None:
        return self._marks.ips.get(ip)

    def system_by_uuid(self, uuid: str) -> Target | None:
        """`uuid`: 36 small characters, its first three fields in either byte order."""
        return self._marks.uuids.get(uuid)

    def system_by_client_id(self, client_id: bytes) -> Target | None:
        return self._marks.client_ids.get(client_id)

    def system_by_serial(self, serial: str) -> Target | None:
        return self._marks.serials.get(serial)

    def system_by_circuit_id(self, circuit_id: bytes) -> Target | None:
        return self._marks.circuit_ids.get(circuit_id)

    def system_by_remote_id(self, remote_id: bytes) -> Target | None:
        return self._marks.remote_ids.get(remote_id)

    def system_by_hostname(self, hostname: str) -> Target | None:
        """`hostname` in any case."""
        return self._marks.hostnames.get(hostname.lower())

    def subnet_of(self, ip: IPv4Address) -> Subnet | None:
        """The most specific declared subnet that holds `ip`."""
        holding = [s for s in self.subnets if ip in s.subnet]
        return max(holding, key=lambda s: s.subnet.prefixlen, default=None)

    def nearest(self, name: str, *, profiles: bool = False) -> str:
        """ "; did you mean web?": the systems, and `profiles` where they count, that are called nearly so; or ""."""
        names = [*self._systems, *(self._profiles if profiles else ())]
        near = get_close_matches(name, names, n=3)
        return f"; did you mean {' or '.join(near)}?" if near else ""

    @property
    def summary(self) -> str:
        """ "2 systems, 1 profile"."""
        counted = (("system", len(self._systems)), ("profile", len(self._profiles)))
        return ", ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counted)
