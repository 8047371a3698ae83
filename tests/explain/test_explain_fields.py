# ruff: noqa: E501 - a row of a table is a line
"""Whatever field of whatever object is changed, explain says something else; or the field table says that it does not
count for a boot, and then explain says the same, and test_explain_elsewhere.py finds what it changes. (bootimus#116: a
setting that is stored and never applied.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from netprov.boot.arch import arch_by_name
from netprov.boot.install import UNDECLARED, Arm, Boot
from netprov.explain.answers import captured_row
from netprov.explain.captured import answered
from netprov.explain.change import Changes, Documents, change
from netprov.explain.rows import stage_row
from netprov.explain.server import our_address
from netprov.explain.state import kept
from netprov.explain.walked import Imagined, walked
from netprov.inventory.fields import FIELDS, Kind
from netprov.inventory.load import load
from netprov.inventory.model import Inventory
from netprov.inventory.reference import reference
from netprov.render.environment import Templates
from netprov.render.generation import Generation
from netprov.state.state import open_state
from netprov.web.credentials import token_hash
from tests.explain.house import make

CONFIG = """\
server: {state: state, address: 10.0.0.1, unknown: menu}
dhcp:
  mode: full
  subnets:
    - {subnet: 10.0.0.0/24, range: 10.0.0.100}
    - {subnet: 10.1.0.0/24, range: 10.1.0.100-10.1.0.109, profile: web}
tftp: {root: images}
distros:
  d: {breed: redhat, os_version: "9", kernel: vmlinuz, initrd: [initrd], tree: "http://10.0.0.1/t", autoinstall: all.ks}
  e: {breed: debian, kernel: vmlinuz, initrd: [initrd]}
profiles:
  web: {distro: d, menu: m}
  sub: {parent: web}
  alt: {distro: e}
images:
  rescue: {breed: redhat, os_version: "9", kernel: vmlinuz, tree: "http://10.0.0.1/t", autoinstall: all.ks}
  other: {kernel: initrd}
menus: {m: , top: }
snippets: {s: hello}
systems:
  lady: {profile: sub, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:01", ip: 10.0.0.14}}}
  guest: {image: rescue, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:02", ip: 10.0.0.15/24}}}
  port: {profile: web, circuit_id: port7}
  switch: {profile: web, remote_id: switch9}
  ghost: {profile: web, serial: S1}
  done: {profile: web, install: install-once, interfaces: {eth0: {mac: "52:54:00:00:00:09"}}}
"""
ANSWERS = """\
# netprov: template
# {{ name_servers | join(' ') }} {{ name_servers_search | join(' ') }} {{ proxy }} {{ netmask }}
# {{ note | default('none') }} {{ gateway }}
{% include 'snippets/s' %}
"""
LADY, STRANGER, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:77", "52:54:00:00:00:78"

WALKS = [
    # who, the firmware, what runs, the relay
    ("lady", "bios", "none", ""), ("lady", "uefi-x64", "none", ""), ("lady", "http-x64", "none", ""),
    ("lady", "bios", "xen", ""), ("guest", "bios", "none", ""), ("guest", "bios", "ipxe", ""), ("done", "bios", "none", ""),
    (STRANGER, "bios", "ipxe", ""), (STRANGER, "bios", "none", "10.1.0.1"), ("port", "bios", "none", "10.0.0.1"),
    ("switch", "bios", "none", "10.0.0.1"), ("ghost", "bios", "none", ""),
]  # fmt: skip

INHERITED = [
    # every field of the chain but where another value must do for an object
    ("name_servers", "10.0.0.9"), ("name_servers_search", "a.example.org"), ("kernel_options", "splash"), ("autoinstall", "default.ks"),
    ("autoinstall_meta", "{note: hello}"), ("boot_loaders", "ipxe"), ("next_server", "10.0.0.9"), ("filename", "own.0"),
    ("dhcp_options", "{224: hex:01}"),
    ("install", "always"), ("install_attempts", "9"), ("proxy", "http://proxy:3128"),
]  # fmt: skip
BOOTED = [
    ("breed", "suse"), ("os_version", "6"), ("arch", "aarch64"), ("kernel", "initrd"), ("initrd", "[initrd, vmlinuz]"), ("tree", "http://10.0.0.9/t"),
]  # fmt: skip
HOLDERS = {
    Kind.DEFAULTS: "defaults",
    Kind.DISTRO: "distros.d",
    Kind.PROFILE: "profiles.web",
    Kind.SYSTEM: "systems.lady",
    Kind.IMAGE: "images.rescue",
}
WEB = "subnets.10.0.0.0/24"

Row = tuple[Sequence[str], str]
"""The changes that make the world one in which it counts; the change itself."""

ROWS: dict[tuple[Kind, str], Row] = {
    **{(kind, name): ((), f"{holder}.{name}={value}") for kind, holder in HOLDERS.items() for name, value in INHERITED},
    **{(kind, name): ((), f"{HOLDERS[kind]}.{name}={value}") for kind in (Kind.DISTRO, Kind.IMAGE) for name, value in BOOTED},
    # what a nearer object has already is not inherited
    (Kind.DEFAULTS, "autoinstall"): (("distros.d.autoinstall=", "images.rescue.autoinstall="), "defaults.autoinstall=default.ks"),
    (Kind.DEFAULTS, "install"): (("systems.done.install=",), "defaults.install=always"),
    (Kind.DISTRO, "install"): (("systems.done.install=",), "distros.d.install=always"),
    (Kind.PROFILE, "install"): (("systems.done.install=",), "profiles.web.install=always"),
    (Kind.IMAGE, "install"): (("systems.guest.install=",), "images.rescue.install=always"),
    (Kind.PROFILE, "parent"): ((), "profiles.sub.parent=alt"),
    (Kind.PROFILE, "distro"): ((), "profiles.web.distro=e"),
    (Kind.PROFILE, "menu"): ((), "profiles.web.menu=top"),
    (Kind.PROFILE, "enable_menu"): ((), "profiles.web.enable_menu=false"),
    (Kind.MENU, "parent"): ((), "menus.m.parent=top"),
    (Kind.MENU, "display_name"): ((), "menus.m.display_name=Machines"),
    (Kind.SNIPPET, "text"): ((), "snippets.s.text=bye"),
    (Kind.SYSTEM, "profile"): ((), "systems.lady.profile=alt"),
    (Kind.SYSTEM, "image"): ((), "systems.guest.image=other"),
    (Kind.SYSTEM, "hostname"): ((), "systems.lady.hostname=lady.example.org"),
    (Kind.SYSTEM, "uuid"): ((), "systems.lady.uuid=4c4c4544-0043-3010-8052-b4c04f4a4d31"),
    (Kind.SYSTEM, "serial"): ((), "systems.ghost.serial=S2"),
    (Kind.SYSTEM, "client_id"): ((), "systems.lady.client_id=01:02:03"),
    (Kind.SYSTEM, "circuit_id"): ((), "systems.port.circuit_id=port8"),
    (Kind.SYSTEM, "remote_id"): ((), "systems.switch.remote_id=switch8"),
    (Kind.SYSTEM, "interfaces"): ((), "systems.lady.interfaces={eth1: {mac: 52:54:00:00:00:05}}"),
    (Kind.SYSTEM, "gateway"): ((), "systems.lady.gateway=10.0.0.253"),
    (Kind.INTERFACE, "mac"): ((), "systems.lady.interfaces.eth0.mac=52:54:00:00:00:05"),
    (Kind.INTERFACE, "ip"): ((), "systems.lady.interfaces.eth0.ip=10.0.0.16"),
    (Kind.INTERFACE, "netmask"): ((), "systems.lady.interfaces.eth0.netmask=255.255.0.0"),
    (Kind.INTERFACE, "gateway"): ((), "systems.lady.interfaces.eth0.gateway=10.0.0.253"),
    (Kind.INTERFACE, "dns_name"): ((), "systems.lady.interfaces.eth0.dns_name=lady.example.org"),
    (Kind.INTERFACE, "mtu"): ((), "systems.guest.interfaces.eth0.mtu=1400"),
    (Kind.SUBNET, "subnet"): ((), "subnets.10.1.0.0/24.subnet=10.1.0.0/25"),
    (Kind.SUBNET, "range"): ((), "subnets.10.1.0.0/24.range=10.1.0.50-10.1.0.59"),
    (Kind.SUBNET, "router"): ((), f"{WEB}.router=10.0.0.254"),
    (Kind.SUBNET, "dns"): ((), f"{WEB}.dns=10.0.0.9"),
    (Kind.SUBNET, "ntp"): ((), f"{WEB}.ntp=10.0.0.9"),
    (Kind.SUBNET, "domain"): ((), f"{WEB}.domain=example.org"),
    (Kind.SUBNET, "search"): ((), f"{WEB}.search=a.example.org"),
    (Kind.SUBNET, "lease"): ((), f"{WEB}.lease=3h"),
    (Kind.SUBNET, "mtu"): ((), f"{WEB}.mtu=1400"),
    (Kind.SUBNET, "next_server"): ((), f"{WEB}.next_server=10.0.0.9"),
    (Kind.SUBNET, "profile"): ((), f"{WEB}.profile=alt"),
    (Kind.SUBNET, "unknown"): ((), f"{WEB}.unknown=ignore"),
    (Kind.SUBNET, "v6only"): ((), f"{WEB}.v6only=1h"),
    (Kind.SUBNET, "options"): ((), f"{WEB}.options={{224: hex:0102}}"),
    (Kind.SERVER, "address"): ((), "server.address=10.0.0.5"),
    (Kind.SERVER, "interfaces"): (("server.address=", "dhcp.subnets=[]", "systems.lady.interfaces=", "systems.guest.interfaces="), "server.interfaces=lo"),
    (Kind.SERVER, "state"): ((), "server.state=running"),
    (Kind.SERVER, "unknown"): ((), "server.unknown=discover"),
    (Kind.DHCP, "mode"): ((), "dhcp.mode=proxy"),
    (Kind.DHCP, "authoritative"): ((), "dhcp.authoritative=false"),
    (Kind.DHCP, "offer_hold"): ((), "dhcp.offer_hold=20"),
    (Kind.DHCP, "decline_probation"): ((), "dhcp.decline_probation=60"),
    (Kind.DHCP, "port"): ((), "dhcp.port=6767"),
    (Kind.DHCP, "proxy_port"): (("dhcp.mode=proxy",), "dhcp.proxy_port=14011"),
    (Kind.DHCP, "subnets"): ((), "dhcp.subnets=[{subnet: 10.0.0.0/24, range: 10.0.0.60}, {subnet: 10.1.0.0/24}]"),
    (Kind.TFTP, "enabled"): ((), "tftp.enabled=false"),
    (Kind.TFTP, "root"): ((), "tftp.root=others"),
    (Kind.TFTP, "port"): ((), "tftp.port=6969"),
    (Kind.TFTP, "single_port"): ((), "tftp.single_port=true"),
    (Kind.TFTP, "ports"): ((), "tftp.ports=40000-40100"),
    (Kind.TFTP, "blksize"): ((), "tftp.blksize=1024"),
    (Kind.TFTP, "windowsize"): ((), "tftp.windowsize=8"),
    (Kind.HTTP, "enabled"): ((), "http.enabled=false"),
    (Kind.HTTP, "port"): ((), "http.port=8080"),
    (Kind.SYSLOG, "enabled"): ((), "syslog.enabled=true"),
    (Kind.SYSLOG, "port"): (("syslog.enabled=true",), "syslog.port=5140"),
}  # fmt: skip

HASH = f"sha256:{'0' * 64}"
PASSWORD = f"pbkdf2:sha256:1000$salt${'0' * 64}"
OTHER_PASSWORD = f"pbkdf2:sha256:1000$salt${'1' * 64}"
SECRET = "0123456789abcdef"
DISKS = "systems.lady.virt.disks=[{size: 4G}]"


def _users(password: str = PASSWORD, more: str = "") -> str:
    return f"server.users={{alice: {{password: '{password}'{more}}}}}"


def _tokens(hash_: str, more: str = "") -> str:
    return f"server.tokens={{robot: {{hash: '{hash_}'{more}}}}}"


def _webhooks(url: str = "http://10.0.0.9/", more: str = "") -> str:
    return f"server.webhooks={{chat: {{url: '{url}'{more}}}}}"


TOKEN_HASH = token_hash("np_robot")
UNSENT: dict[tuple[Kind, str], Row] = {
    **{(kind, "virt"): ((), f"{HOLDERS[kind]}.virt={{ram: 2G}}") for kind in HOLDERS},
    (Kind.INTERFACE, "bridge"): ((), "systems.lady.interfaces.eth0.bridge=br9"),
    (Kind.INTERFACE, "management"): ((), "systems.lady.interfaces.eth0.management=true"),
    (Kind.VIRT, "type"): ((), "systems.lady.virt.type=xenfv"),
    (Kind.VIRT, "ram"): ((), "systems.lady.virt.ram=2G"),
    (Kind.VIRT, "cpus"): ((), "systems.lady.virt.cpus=2"),
    (Kind.VIRT, "disks"): ((), DISKS),
    (Kind.VIRT, "bridge"): ((), "systems.lady.virt.bridge=br9"),
    (Kind.VIRT, "path"): ((DISKS,), "systems.lady.virt.path=/srv"),
    (Kind.VIRT, "auto_boot"): ((DISKS,), "systems.lady.virt.auto_boot=true"),
    (Kind.DISK, "size"): ((DISKS,), "systems.lady.virt.disks=[{size: 5G}]"),
    (Kind.DISK, "path"): ((DISKS,), "systems.lady.virt.disks=[{size: 4G, path: /srv/lady.img}]"),
    (Kind.DISK, "driver"): ((DISKS,), "systems.lady.virt.disks=[{size: 4G, driver: qcow2}]"),
    (Kind.SERVER, "user"): ((), "server.user=nobody"),
    (Kind.SERVER, "journal_events"): ((), "server.journal_events=1000"),
    (Kind.SERVER, "journal_age"): ((), "server.journal_age=1d"),
    (Kind.SERVER, "capture"): ((), "server.capture=64M"),
    (Kind.SERVER, "users"): ((), _users()),
    (Kind.USER, "password"): ((_users(),), _users(OTHER_PASSWORD)),
    (Kind.USER, "scopes"): ((_users(),), _users(more=", scopes: read")),
    (Kind.SERVER, "tokens"): ((), _tokens(TOKEN_HASH)),
    (Kind.TOKEN, "hash"): ((_tokens(TOKEN_HASH),), _tokens(HASH)),
    (Kind.TOKEN, "scopes"): ((_tokens(TOKEN_HASH),), _tokens(TOKEN_HASH, ", scopes: operate")),
    (Kind.SERVER, "webhooks"): ((), _webhooks()),
    (Kind.WEBHOOK, "url"): ((_webhooks(),), _webhooks("http://10.0.0.8/")),
    (Kind.WEBHOOK, "secret"): ((_webhooks(),), _webhooks(more=f", secret: {SECRET}")),
    (Kind.WEBHOOK, "events"): ((_webhooks(),), _webhooks(more=", events: boot")),
    (Kind.WEBHOOK, "timeout"): ((_webhooks(),), _webhooks(more=", timeout: 5s")),
    (Kind.TFTP, "workers"): ((), "tftp.workers=2"),
    (Kind.HTTP, "workers"): ((), "http.workers=2"),
}  # fmt: skip
NOTES: dict[tuple[Kind, str], Row] = {
    **{(kind, "owners"): ((), f"{HOLDERS[kind]}.owners=me") for kind in HOLDERS},
    **{(kind, "comment"): ((), f"{HOLDERS[kind]}.comment=hello") for kind in HOLDERS if kind is not Kind.DEFAULTS},
    (Kind.MENU, "comment"): ((), "menus.m.comment=hello"),
}


def asks(mac: str, kind: str, *options: tuple[str, object], at: float, giaddr: str = "") -> object:
    boot = BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), flags=0x8000, giaddr=giaddr or "0.0.0.0")
    ip = IP(src=giaddr, dst="10.0.0.1") if giaddr else IP(src="0.0.0.0", dst="255.255.255.255")
    told = [("message-type", kind), *options, (55, bytes((1, 3, 26, 42, 108, 119))), "end"]
    packet = Ether() / ip / UDP(sport=67 if giaddr else 68, dport=67) / boot / DHCP(options=told)
    packet.time = 1_700_000_000 + at
    return packet


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, and a capture of machines that want the one address of its range."""
    folder = tmp_path_factory.mktemp("fields")
    make(folder, CONFIG)
    (folder / "others").mkdir()
    for name in ("vmlinuz", "initrd"):
        (folder / "others" / name).write_bytes(b"y")
    (folder / "autoinstall").mkdir()
    (folder / "autoinstall" / "all.ks").write_text(ANSWERS)
    mine = (("server_id", "10.0.0.1"), ("requested_addr", "10.0.0.100"))
    wrpcap(str(folder / "x.pcap"), [
        asks(STRANGER, "discover", at=0),
        asks(OTHER, "discover", at=30, giaddr="10.0.0.7"),  # is the offer still held?
        asks(STRANGER, "discover", at=150),
        asks(STRANGER, "request", *mine, at=151),
        asks(STRANGER, "decline", *mine, at=152),
        asks(OTHER, "discover", at=300),  # does the address still rest?
        asks(OTHER, "request", ("requested_addr", "10.0.0.50"), at=400),  # nobody knows of it
        asks(LADY, "discover", at=401),
    ])  # fmt: skip
    with open_state(str(folder / "running")) as state:
        for event in (Arm(), Boot()):
            state.installs.apply({"done": UNDECLARED}, event, 1.0)
    return folder


Say = Callable[[Sequence[str]], str]


@pytest.fixture(scope="module")
def say(world: Path) -> Iterator[Say]:
    """Everything that explain says of the site with these changes, each text once worked out, each template once
    compiled (four fifths of the time otherwise)."""
    known: dict[tuple[str, ...], str] = {}
    compiled: dict[object, Templates] = {}

    def kept_templates(inventory: Inventory) -> Templates:
        settings = inventory.settings
        key = (settings.templates, settings.autoinstall, *inventory.snippets.items())
        return compiled.setdefault(key, Templates(settings.templates, settings.autoinstall, inventory.snippets))

    def everything(changes: Sequence[str]) -> str:
        key = tuple(changes)
        if key not in known:
            known[key] = json.dumps(list(outputs(world, changed(world, changes))), indent=1)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Templates, "of", kept_templates)
        yield everything


def changed(folder: Path, changes: Sequence[str]) -> Inventory:
    config = folder / "netprov.yaml"
    documents = Documents()
    load(config, edit=documents)
    made = Changes([change(text, documents.names, "") for text in changes], str(config))
    found = load(config, edit=made)
    made.check()
    return found


def outputs(folder: Path, inventory: Inventory) -> Iterator[object]:
    """What stands in lines and files of its own counts; where it stands does not."""
    yield str(our_address(inventory))
    with kept(inventory) as known:
        for machine, firmware, loader, relay in WALKS:
            imagined = Imagined(arch_by_name(firmware), loader, relay=_address(relay))
            found = walked(machine, Generation.of(inventory), known, imagined, now=1_700_000_000.0)
            yield [stage_row(stage, lambda origin: None) for stage in found.stages]
        row = captured_row(answered(folder / "x.pcap", "", inventory, known, Imagined()))
        for answer in row["answers"]:
            for step in answer["why"]:
                step["origin"] = None
            for option in (answer["reply"] or {}).get("options", ()):
                option["origin"] = None
        yield row


def _address(text: str) -> IPv4Address | None:
    return IPv4Address(text) if text else None


SENT = {(kind, field.name) for field in FIELDS if field.boot for kind in field.kinds}
NOT_SENT = {(kind, field.name) for field in FIELDS if not field.boot for kind in field.kinds}


def test_every_field_has_a_row() -> None:
    assert ROWS.keys() == SENT
    assert UNSENT.keys() | NOTES.keys() == NOT_SENT
    assert NOTES.keys() == {(kind, field.name) for field in FIELDS if field.note for kind in field.kinds}


@pytest.mark.parametrize("key", sorted(ROWS), ids=lambda key: f"{key[0]}.{key[1]}")
def test_a_field_that_is_sent_changes_what_explain_says(key: tuple[Kind, str], say: Say) -> None:
    before, change_ = ROWS[key]
    assert say((*before, change_)) != say(before)


@pytest.mark.parametrize("key", sorted(UNSENT | NOTES), ids=lambda key: f"{key[0]}.{key[1]}")
def test_a_field_that_is_not_sent_does_not(key: tuple[Kind, str], say: Say) -> None:
    before, change_ = (UNSENT | NOTES)[key]
    assert say((*before, change_)) == say(before)


def test_the_reference_page_says_which() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    for mark, keys in (("*Not sent.*", UNSENT), ("*A note.*", NOTES)):
        assert {line.split("`")[1] for line in rows if mark in line} == {name for _, name in keys}
