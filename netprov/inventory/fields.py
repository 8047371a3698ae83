# ruff: noqa: E501 - a row of the table is a line
"""THE field table: every key of netprov.yaml and the inventory. It drives reading, defaults, the JSON Schema and
docs/reference/configuration.md. Names follow Cobbler's where Cobbler has one; `aliases` are its other spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from netprov.inventory import types as t
from netprov.inventory.model import DhcpMode, Disk, InstallMode, Notice, Scope, UnknownPolicy, Virt
from netprov.inventory.options import CLIENT_OPTIONS, SUBNET_OPTIONS
from netprov.inventory.values import (
    parse_flag,
    parse_gigabytes,
    parse_password_hash,
    parse_secret,
    parse_token_hash,
    parse_url,
)


class Kind(StrEnum):
    """What a field belongs to: an object, a part of one, or a section of the settings."""

    DEFAULTS = "defaults"
    DISTRO = "distro"
    PROFILE = "profile"
    SYSTEM = "system"
    INTERFACE = "interface"
    IMAGE = "image"
    VIRT = "virt"
    DISK = "disk"
    MENU = "menu"
    SUBNET = "subnet"
    SNIPPET = "snippet"
    SERVER = "server"
    USER = "user"
    TOKEN = "token"
    WEBHOOK = "webhook"
    DHCP = "dhcp"
    TFTP = "tftp"
    HTTP = "http"
    SYSLOG = "syslog"


class Merge(StrEnum):
    """What a value does to the inherited one."""

    OVERRIDE = "override"
    DICT = "dict"  # key by key; `!key` removes
    LIST = "list"  # appended, each item once; `!item` removes


class Inherits(StrEnum):
    """Where the value of an unset field comes from."""

    OWN = "own"  # nowhere: the default
    CHAIN = "chain"  # defaults → distro → profile → sub-profile → system; defaults → image → system


@dataclass(frozen=True, slots=True)
class Field:
    """`default` is that of the model's class (a test compares). `boot`: whether it changes what a machine is sent, and
    so what `netprov explain` says; one that does not counts elsewhere, or is a `note`, which nothing reads but people
    and their templates. A test tries each: a field that changes nothing is not one of ours."""

    name: str
    kinds: tuple[Kind, ...]
    type: t.FieldType
    default: object
    help: str
    inherits: Inherits = Inherits.OWN
    merge: Merge = Merge.OVERRIDE
    aliases: tuple[str, ...] = ()
    boot: bool = True
    note: bool = False


class Foreign(NamedTuple):
    """A Cobbler field that says ours in another way. `field` is the path to ours."""

    name: str
    kinds: tuple[Kind, ...]
    field: str
    type: t.LeafType


_CHAIN = (Kind.DEFAULTS, Kind.DISTRO, Kind.PROFILE, Kind.SYSTEM, Kind.IMAGE)
_BOOTED = (Kind.DISTRO, Kind.IMAGE)
_OBJECTS = (Kind.DISTRO, Kind.PROFILE, Kind.SYSTEM, Kind.IMAGE, Kind.MENU)
_SYSTEM = (Kind.SYSTEM,)
_INTERFACE = (Kind.INTERFACE,)
_VIRT = (Kind.VIRT,)
_DISK = (Kind.DISK,)
_SUBNET = (Kind.SUBNET,)
_SERVER = (Kind.SERVER,)
_DHCP = (Kind.DHCP,)
_TFTP = (Kind.TFTP,)
_HTTP = (Kind.HTTP,)
_SYSLOG = (Kind.SYSLOG,)
_WEBHOOK = (Kind.WEBHOOK,)

BREEDS = ("redhat", "fedora", "debian", "ubuntu", "suse", "freebsd", "vmware", "xen", "windows", "generic", "probe")
_BREED_SPELLINGS = {
    **dict.fromkeys(("rhel", "centos", "rocky", "alma", "almalinux", "oracle", "cloudlinux"), "redhat"),
    **dict.fromkeys(("opensuse", "sles", "sle"), "suse"),
}
ARCHES = ("x86_64", "i386", "aarch64", "arm", "riscv64", "loongarch64", "ppc64le", "s390x")
_ARCH_SPELLINGS = {
    "amd64": "x86_64", "x64": "x86_64", "i686": "i386", "x86": "i386", "arm64": "aarch64", "armhf": "arm", "ppc64el": "ppc64le",
}  # fmt: skip
LOADERS = ("ipxe", "pxelinux", "grub")
_LOADER = t.choice(LOADERS, also={"pxe": "pxelinux"})
_MODE = t.choice(tuple(InstallMode), InstallMode)
_UNKNOWN = t.choice(tuple(UnknownPolicy), UnknownPolicy)
_ADDRESSES = t.ListOf(t.ADDRESS)
_SCOPES = t.ListOf(t.choice(tuple(Scope), Scope))
_PASSWORD = t.Type("password hash", parse_password_hash, {"type": "string", "pattern": "^(scrypt|pbkdf2):"})
_TOKEN = t.Type("token hash", parse_token_hash, {"type": "string", "pattern": "^sha256:[0-9A-Fa-f]{64}$"})
_URL = t.Type("http or https URL", parse_url, {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://."})
_SECRET = t.Type("secret", parse_secret, {"type": "string", "minLength": 16})
_NOTICES = t.ListOf(t.choice(tuple(Notice), Notice))
_INSTALL_MODES = "`local`: its own disk. `install-once`: install, then its own disk until armed again. `always`: the kernel every time"

FIELDS: tuple[Field, ...] = (
    # what the objects refer to
    Field("parent", (Kind.PROFILE,), t.NAME, "", "The profile it inherits from, in place of a distro."),
    Field("parent", (Kind.MENU,), t.NAME, "", "The menu that lists it."),
    Field("distro", (Kind.PROFILE,), t.NAME, "", "The distro it installs."),
    Field("profile", _SYSTEM, t.NAME, "", "The profile it boots."),
    Field("image", _SYSTEM, t.NAME, "", "The image it boots, in place of a profile."),
    # who a system is
    Field("hostname", _SYSTEM, t.HOSTNAME, "", "Host name, with its domain."),
    Field("uuid", _SYSTEM, t.UUID, "", "SMBIOS UUID, as the firmware reports it or as the board has it."),
    Field("serial", _SYSTEM, t.TEXT, "", "SMBIOS serial number.", aliases=("serial_number",)),
    Field("client_id", _SYSTEM, t.IDENTIFIER, b"", "DHCP client identifier (option 61), its type octet included."),
    Field("circuit_id", _SYSTEM, t.IDENTIFIER, b"", "The switch port: option 82's circuit-id, as the relay sends it."),
    Field("remote_id", _SYSTEM, t.IDENTIFIER, b"", "The switch: option 82's remote-id, as the relay sends it."),
    Field("interfaces", _SYSTEM, t.Named(Kind.INTERFACE), (), "Its network interfaces by name."),
    Field("mac", _INTERFACE, t.MAC, None, "MAC address.", aliases=("mac_address",)),
    Field("ip", _INTERFACE, t.INTERFACE_ADDRESS, None, "Address and prefix; without a prefix, that of the subnet.", aliases=("ip_address",)),
    Field("netmask", _INTERFACE, t.NETMASK, None, "The prefix of `ip` in Cobbler's spelling."),
    Field("gateway", _INTERFACE, t.ADDRESS, None, "Its own gateway.", aliases=("if_gateway",)),
    Field("dns_name", _INTERFACE, t.HOSTNAME, "", "Its name in DNS, and the host name it is offered (option 12)."),
    Field("mtu", _INTERFACE, t.number(68, 65535), None, "MTU in octets."),
    Field("bridge", _INTERFACE, t.DEVICE, "", "The host's bridge that a guest's interface is put on.", aliases=("virt_bridge",), boot=False),
    Field("management", _INTERFACE, t.FLAG, False, "Whether the machine is managed by this interface.", boot=False),
    Field("gateway", _SYSTEM, t.ADDRESS, None, "Default gateway of the installed system."),
    Field("name_servers", _CHAIN, t.ListOf(t.ADDRESS, True), (), "DNS servers of the installed system.", Inherits.CHAIN, Merge.LIST),
    Field("name_servers_search", _CHAIN, t.ListOf(t.HOSTNAME, True), (), "Its DNS search domains.", Inherits.CHAIN, Merge.LIST),
    # what boots
    Field("breed", _BOOTED, t.choice(BREEDS, also=_BREED_SPELLINGS), "", "The family of the operating system: how its installer is told where its answers are.", Inherits.CHAIN),
    Field("os_version", _BOOTED, t.TEXT, "", "Version, such as 9 or bookworm.", Inherits.CHAIN),
    Field("arch", _BOOTED, t.choice(ARCHES, also=_ARCH_SPELLINGS), "x86_64", "Processor architecture.", Inherits.CHAIN),
    Field("kernel", _BOOTED, t.PATH, "", "Kernel: a path under `tftp.root`, or a URL.", Inherits.CHAIN),
    Field("initrd", _BOOTED, t.ListOf(t.PATH, split=False), (), "Initial RAM disks, likewise, in order.", Inherits.CHAIN),
    Field("tree", _BOOTED, t.TEXT, "", "URL of the install tree.", Inherits.CHAIN, aliases=("install_tree",)),
    Field("kernel_options", _CHAIN, t.KernelOptions(), {}, 'Kernel command line: `{console: [tty0, "ttyS0,115200"], quiet: true}` or `"quiet console=tty0"`. An option with `false`, or `"!option"`, is removed.', Inherits.CHAIN, Merge.DICT, ("kopts",)),
    Field("autoinstall", _CHAIN, t.PATH, "", "The installer's answers (kickstart, preseed, user-data, AutoYaST): a file in the `autoinstall` folder, or one that netprov brings, or a URL. It is a template where its name ends in `.j2`, or its first line says `netprov: template`.", Inherits.CHAIN, aliases=("kickstart", "autoinst")),
    Field("autoinstall_meta", _CHAIN, t.Free(), {}, "Values for that template.", Inherits.CHAIN, Merge.DICT, ("ks_meta",)),
    Field("boot_loaders", _CHAIN, t.ListOf(_LOADER), (), "Loaders to use, the preferred first; without any, the client architecture's default.", Inherits.CHAIN, aliases=("boot_loader",)),
    Field("next_server", _CHAIN, t.ADDRESS, None, "The TFTP server to send clients to; without it, this one.", Inherits.CHAIN, aliases=("next_server_v4",)),
    Field("filename", _CHAIN, t.PATH, "", "The boot file to send in place of the client architecture's loader; BOOTP and plain DHCP clients, switches among them, get it too.", Inherits.CHAIN),
    Field("dhcp_options", _CHAIN, CLIENT_OPTIONS, (), "Further DHCP options, as a subnet's `options`, or a list of such, where `class: TEXT` keeps one to clients whose vendor class begins so: `[{time-offset: 3600}, {class: ciscopnp, 43: hex:0102}]`. 43, 66 and 67 replace the server's own for a class; without one they go to clients that are sent nothing to boot.", Inherits.CHAIN, Merge.LIST),
    Field("install", _CHAIN, _MODE, InstallMode.LOCAL, f"{_INSTALL_MODES}.", Inherits.CHAIN),
    Field("install_attempts", _CHAIN, t.number(1, 1000), 3, "Starts of one install before it counts as failed.", Inherits.CHAIN),
    Field("menu", (Kind.PROFILE,), t.NAME, "", "The menu that lists it.", Inherits.CHAIN),
    Field("enable_menu", (Kind.PROFILE,), t.FLAG, True, "Whether boot menus list it.", Inherits.CHAIN),
    Field("proxy", _CHAIN, t.TEXT, "", "HTTP proxy for the installer.", Inherits.CHAIN),
    Field("virt", _CHAIN, t.Section(Kind.VIRT), Virt(), "The guest to make of it, if it is one.", Inherits.CHAIN, Merge.DICT, boot=False),
    Field("type", _VIRT, t.choice(("xenpv", "xenpvh", "xenfv", "qemu", "kvm", "auto")), "xenpv", "Kind of guest.", boot=False),
    Field("ram", _VIRT, t.MEBIBYTES, 512, "Memory.", boot=False),
    Field("cpus", _VIRT, t.number(1, 4096), 1, "Processors.", boot=False),
    Field("disks", _VIRT, t.Many(Kind.DISK), (), "Disks, in order.", boot=False),
    Field("bridge", _VIRT, t.DEVICE, "", "The host's bridge.", boot=False),
    Field("path", _VIRT, t.PATH, "", "The folder, or volume group, for the disks.", boot=False),
    Field("auto_boot", _VIRT, t.FLAG, False, "Whether it starts with its host.", boot=False),
    Field("size", _DISK, t.OCTETS, 0, "Size.", boot=False),
    Field("path", _DISK, t.PATH, "", "File or device.", boot=False),
    Field("driver", _DISK, t.choice(("raw", "qcow2", "qed", "vdi", "vmdk")), "raw", "Format.", boot=False),
    Field("owners", _CHAIN, t.ListOf(t.NAME, True), (), "Who looks after it.", Inherits.CHAIN, Merge.LIST, boot=False, note=True),
    Field("comment", _OBJECTS, t.PROSE, "", "A note to yourself.", boot=False, note=True),
    # other objects
    Field("display_name", (Kind.MENU,), t.TEXT, "", "Its title."),
    Field("text", (Kind.SNIPPET,), t.PROSE, "", "The template text; `NAME: text` is short for it."),
    # subnets
    Field("subnet", _SUBNET, t.NETWORK, None, "The network, such as 192.168.77.0/24. Required."),
    Field("range", _SUBNET, t.ListOf(t.RANGE, split=False), (), "Addresses to give: `first-last`, or a list of such.", aliases=("ranges",)),
    Field("router", _SUBNET, _ADDRESSES, (), "Default gateways (option 3).", aliases=("gateway", "routers")),
    Field("dns", _SUBNET, _ADDRESSES, (), "DNS servers (option 6).", aliases=("name_servers",)),
    Field("ntp", _SUBNET, _ADDRESSES, (), "NTP servers (option 42)."),
    Field("domain", _SUBNET, t.HOSTNAME, "", "Domain name (option 15)."),
    Field("search", _SUBNET, t.ListOf(t.HOSTNAME), (), "DNS search domains (option 119).", aliases=("name_servers_search",)),
    Field("lease", _SUBNET, t.DURATION, 3600, "Lease time."),
    Field("mtu", _SUBNET, t.number(68, 65535), None, "Interface MTU (option 26)."),
    Field("next_server", _SUBNET, t.ADDRESS, None, "The TFTP server to send clients to; without it, this one.", aliases=("next_server_v4",)),
    Field("profile", _SUBNET, t.NAME, "", "What a machine that nothing matches boots here."),
    Field("unknown", _SUBNET, _UNKNOWN, None, "What a machine that nothing matches gets here; without it, `server.unknown`."),
    Field("v6only", _SUBNET, t.DURATION, None, "V6ONLY_WAIT of RFC 8925 (option 108), for clients that ask for it."),
    Field("options", _SUBNET, SUBNET_OPTIONS, {}, "Further DHCP options by number or name: `{time-offset: 3600, 224: hex:0102}`."),
    # settings
    Field("address", _SERVER, t.ADDRESS, None, "This server's address in what clients are sent; without it, that of the interface they came in by."),
    Field("interfaces", _SERVER, t.ListOf(t.DEVICE), (), "Network devices to serve; without any, all but loopback.", aliases=("interface",)),
    Field("state", _SERVER, t.FOLDER, "/var/lib/netprov", "Folder of the state database."),
    Field("unknown", _SERVER, _UNKNOWN, UnknownPolicy.IGNORE, "What a machine that nothing matches gets: no answer, the `menu`, or `discover`: a boot that only reports its facts."),
    Field("user", _SERVER, t.TEXT, "", "The user to become once the sockets are bound; without it, stay.", boot=False),
    Field("journal_events", _SERVER, t.number(1000, 1_000_000_000), 1_000_000, "How many events to keep.", boot=False),
    Field("journal_age", _SERVER, t.DURATION, 30 * 86400, "How long to keep events.", boot=False),
    Field("capture", _SERVER, t.RECORD, 0, "Keep the packets of machines' boots, without secrets, in a file of this size; `off`: keep none.", boot=False),
    Field("users", _SERVER, t.Named(Kind.USER), (), "Who may log in to the page. With any user or token declared, reading needs one too.", boot=False),
    Field("tokens", _SERVER, t.Named(Kind.TOKEN), (), "What programs use the API with.", boot=False),
    Field("webhooks", _SERVER, t.Named(Kind.WEBHOOK), (), "Programs to tell by HTTP what happens.", boot=False),
    Field("url", _WEBHOOK, _URL, "", "Where to POST it. Required.", boot=False),
    Field("secret", _WEBHOOK, _SECRET, "", "Signs it by HMAC-SHA256 (Standard Webhooks): 16 characters at least, or `whsec_` and Base64.", boot=False),
    Field("events", _WEBHOOK, _NOTICES, (Notice.VERDICT, Notice.INSTALL), "`verdict`: why a boot goes wrong. `install`: the state of an install changed. `boot`: a machine begins to boot. `server`: it started, stopped, refused an edit, lost a worker.", boot=False),
    Field("timeout", _WEBHOOK, t.DURATION, 10, "How long an answer may take.", boot=False),
    Field("password", (Kind.USER,), _PASSWORD, "", "The hash of the password: `netprov token --user NAME` makes it. Required.", boot=False),
    Field("scopes", (Kind.USER,), _SCOPES, (Scope.READ, Scope.OPERATE, Scope.EDIT), "`read`: see everything. `operate`: arm installs, boot locally. `edit`: add systems to the inventory's files, and remove them.", boot=False),
    Field("hash", (Kind.TOKEN,), _TOKEN, "", "The hash of the token: `netprov token NAME` makes both. Required.", boot=False),
    Field("scopes", (Kind.TOKEN,), _SCOPES, (Scope.READ,), "Likewise.", boot=False),
    Field("mode", _DHCP, t.choice(tuple(DhcpMode), DhcpMode), DhcpMode.PROXY, "`full`: a DHCP server. `reserved`: one for declared systems only. `proxy`: beside another DHCP server, never gives an address. `off`."),
    Field("authoritative", _DHCP, t.FLAG, True, "Whether to refuse addresses that this server knows nothing about."),
    Field("offer_hold", _DHCP, t.DURATION, 60, "How long an offered address is kept for its client."),
    Field("decline_probation", _DHCP, t.DURATION, 3600, "How long a declined address is not given to anybody."),
    Field("port", _DHCP, t.PORT, 67, "Server port."),
    Field("proxy_port", _DHCP, t.PORT, 4011, "Port of the PXE boot server."),
    Field("subnets", _DHCP, t.Many(Kind.SUBNET), (), "The networks to give addresses in."),
    Field("enabled", (*_TFTP, *_HTTP), t.FLAG, True, "Whether to serve it."),
    Field("root", _TFTP, t.PATH, Path("boot-images"), "The folder that TFTP and HTTP serve, beside netprov.yaml."),
    Field("port", _TFTP, t.PORT, 69, "Port."),
    Field("single_port", _TFTP, t.FLAG, False, "Whether to answer from port 69 throughout, for clients behind a firewall or NAT."),
    Field("ports", _TFTP, t.PORTS, None, "The range that transfers take their port from; without it, any."),
    Field("blksize", _TFTP, t.number(8, 65464), 65464, "The largest block granted (RFC 2348); the interface's MTU limits it further."),
    Field("windowsize", _TFTP, t.number(1, 65535), 64, "The largest window granted (RFC 7440)."),
    Field("port", _HTTP, t.PORT, 80, "Port."),
    Field("enabled", _SYSLOG, t.FLAG, False, "Whether to receive installers' logs, and to have installers send them."),
    Field("port", _SYSLOG, t.PORT, 514, "Port, by UDP and TCP."),
    Field("workers", (*_TFTP, *_HTTP), t.number(1, 64), 1, "Processes.", boot=False),
)  # fmt: skip


def _armed(text: str) -> InstallMode:
    return InstallMode.ONCE if parse_flag(text) else InstallMode.LOCAL


FOREIGN: tuple[Foreign, ...] = (
    Foreign(
        "netboot_enabled", _CHAIN, "install",
        t.Type("true or false", _armed, t.FLAG.shape),
    ),
    Foreign("virt_type", _CHAIN, "virt.type", t.choice(("xenpv", "xenpvh", "xenfv", "qemu", "kvm", "auto"))),
    Foreign("virt_ram", _CHAIN, "virt.ram", t.MEBIBYTES),
    Foreign("virt_cpus", _CHAIN, "virt.cpus", t.number(1, 4096)),
    Foreign("virt_bridge", _CHAIN, "virt.bridge", t.DEVICE),
    Foreign("virt_path", _CHAIN, "virt.path", t.PATH),
    Foreign("virt_auto_boot", _CHAIN, "virt.auto_boot", t.FLAG),
    Foreign(
        "virt_file_size", _CHAIN, "virt.disks",
        t.Type(
            "sizes in G, like 5 or 5,2",
            lambda text: tuple(Disk(size) for size in parse_gigabytes(text)),
            {"type": ["number", "string"]},
        ),
    ),
)  # fmt: skip

ELSEWHERE: Mapping[str, str] = MappingProxyType({
    "mac": "it belongs to an interface: interfaces: {eth0: {mac: …}}",
    "mac_address": "it belongs to an interface: interfaces: {eth0: {mac: …}}",
    "ip": "it belongs to an interface: interfaces: {eth0: {ip: …}}",
    "ip_address": "it belongs to an interface: interfaces: {eth0: {ip: …}}",
    "name": "the object's name is its key",
    "virt_disk_driver": "it belongs to a disk: virt: {disks: [{size: 4G, driver: qcow2}]}",
    "dhcp_tag": "a subnet is chosen by the address a request comes in on; name its profile under dhcp.subnets",
    "enable_ipxe": "write boot_loaders: [ipxe]",
    "kernel_options_post": "the template sets the installed system's options: give them in autoinstall_meta",
    "server": "the server's address is settings: server: {address: …} in netprov.yaml",
})  # fmt: skip
"""Keys that people bring from Cobbler or guess, and where they belong."""


_NO_REPOS = (
    "netprov does not tell installers about repositories yet: name them in the autoinstall template, and give it their URLs in "
    "autoinstall_meta"
)
_NO_IMAGE_FILE = "netprov does not use an image's file yet: an image boots the kernel: and initrd: that it names"
_NO_IMAGE_MENU = "boot menus list profiles, but no images yet: give a profile's distro the same kernel"

NOT_YET: Mapping[tuple[Kind | None, str], str] = MappingProxyType({
    (None, "repos"): _NO_REPOS,
    **{(kind, "repos"): _NO_REPOS for kind in _CHAIN},
    (Kind.IMAGE, "file"): _NO_IMAGE_FILE,
    (Kind.IMAGE, "image_type"): _NO_IMAGE_FILE,
    (Kind.IMAGE, "menu"): _NO_IMAGE_MENU,
    (Kind.IMAGE, "enable_menu"): _NO_IMAGE_MENU,
})  # fmt: skip
"""What Cobbler has and netprov does not do yet, by the object (None: a section), and what to do instead: a field that is
read and changes nothing would be a promise."""


class Spelled(NamedTuple):
    """What a key may be written as: the field it means, the path of its value, and how to read it."""

    field: Field
    path: tuple[str, ...]
    type: t.FieldType


def _spellings() -> Mapping[Kind, Mapping[str, Spelled]]:
    table: dict[Kind, dict[str, Spelled]] = {kind: {} for kind in Kind}
    for field in FIELDS:
        for kind in field.kinds:
            for name in (field.name, *field.aliases):
                table[kind][name] = Spelled(field, (field.name,), field.type)
    for foreign in FOREIGN:
        path = tuple(foreign.field.split("."))
        for kind in foreign.kinds:
            table[kind][foreign.name] = Spelled(table[kind][path[0]].field, path, foreign.type)
    return MappingProxyType({kind: MappingProxyType(names) for kind, names in table.items()})


SPELLINGS = _spellings()
"""By kind: every key that may stand there → what it means."""


def fields_of(kind: Kind) -> tuple[Field, ...]:
    return tuple(field for field in FIELDS if kind in field.kinds)


MERGES: Mapping[str, Merge] = MappingProxyType({f.name: f.merge for f in FIELDS if f.inherits is Inherits.CHAIN})
"""How each inheritable field merges."""
