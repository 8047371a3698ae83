"""A small site for the render tests: one of each breed, and the state a script depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from netprov.boot.names import Name, parse_name
from netprov.boot.request import BootRequest, Loader, Via
from netprov.inventory.model import (
    InstallMode,
    Interface,
    Inventory,
    Menu,
    ServerSettings,
    Settings,
    Subnet,
    Target,
    UnknownPolicy,
)
from netprov.mac import Mac, parse_mac
from netprov.render.compose import Rendered
from netprov.render.generation import Generation
from netprov.render.scripts import Scripts
from tests.world import Installs

MAC = parse_mac("52:54:00:00:00:01")
STRANGER = parse_mac("52:54:00:00:00:99")
UUID = "11111111-2222-3333-4444-555555555555"
SERVER = IPv4Address("10.0.0.1")
DASHED = MAC.replace(":", "-")

LADY = Target(
    "system",
    "lady",
    profile="web",
    distro="scotland",
    hostname="lady.example.org",
    uuid=UUID,
    interfaces=(
        Interface("eth0", mac=MAC, ip=IPv4Interface("10.0.0.5/24"), gateway=IPv4Address("10.0.0.1")),
        Interface("eth1", mac=parse_mac("52:54:00:00:00:02")),
    ),
    breed="redhat",
    os_version="9",
    kernel="scotland/vmlinuz",
    initrd=("scotland/initrd.img",),
    tree="http://10.0.0.1/trees/scotland",
    kernel_options={"console": ("tty0", "ttyS0,115200"), "quiet": None},
    autoinstall="default.ks",
    install=InstallMode.ONCE,
)
WEB = replace(LADY, kind="profile", name="web", profile="", uuid="", hostname="", interfaces=())


def inventory(*targets: Target, **fields: object) -> Inventory:
    """An inventory of these systems and profiles (LADY and WEB without any)."""
    given = targets or (LADY, WEB)
    values: dict[str, object] = {
        "settings": Settings(server=ServerSettings(address=SERVER, unknown=UnknownPolicy.MENU)),
        "subnets": (Subnet(IPv4Network("10.0.0.0/24"), router=(SERVER,), domain="sub.example"),),
    }
    return Inventory.of(*given, **{**values, **fields})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Seen:
    mac: str = ""
    uuid: str = ""
    client_id: bytes = b""
    serial: str = ""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    arch: int | None = None


@dataclass
class Sightings:
    seen: Mapping[IPv4Address, Seen] = field(default_factory=dict)

    def at(self, ip: IPv4Address) -> Seen | None:
        return self.seen.get(ip)


@dataclass
class State:
    installs: Installs = field(default_factory=Installs)
    sightings: Sightings = field(default_factory=Sightings)


@dataclass
class Site:
    """Scripts over an inventory, with a clock that the test moves."""

    inventory: Inventory
    state: State = field(default_factory=State)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.generation = Generation.of(self.inventory)
        self._scripts = Scripts(self.state.installs, self.state.sightings.at, lambda: self.now)

    def ask(self, path: str, *, preview: bool = False, **fields: object) -> Rendered | None:
        """What a machine that asks for `path` gets."""
        name = parse_name(path)
        assert name is not None, path
        via = Via.HTTP if name.loader is Loader.IPXE else Via.TFTP
        request = BootRequest(via, name.loader, path=path, **fields)  # type: ignore[arg-type]
        return self.script(request, name, preview=preview)

    def script(self, request: BootRequest, name: Name, *, preview: bool = False) -> Rendered | None:
        return self._scripts.script(self.generation, request, name, preview=preview)

    def autoinstall(
        self, kind: str, name: str, request: BootRequest, token: str = "", *, preview: bool = False
    ) -> Rendered:
        return self._scripts.autoinstall(self.generation, kind, name, request, token, preview=preview)

    def text(self, path: str, **fields: object) -> str:
        rendered = self.ask(path, **fields)
        assert rendered is not None, path
        return rendered.body.decode()


def names(mac: Mac = MAC) -> dict[Loader, str]:
    """The name under which each loader asks for the script of the machine with `mac`."""
    dashed = mac.replace(":", "-")
    return {
        Loader.PXELINUX: f"pxelinux.cfg/01-{dashed}",
        Loader.GRUB: f"grub/grub.cfg-01-{dashed}",
        Loader.IPXE: f"ipxe/{dashed}",
    }


def menus() -> tuple[Menu, ...]:
    return (Menu("servers", "All servers"), Menu("deep", parent="servers"), Menu("none"))
