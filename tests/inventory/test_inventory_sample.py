"""A realistic inventory of several files, value by value."""

import pickle
from ipaddress import IPv4Address as Ip
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from inventory_world import Loads

from netprov.errors import Origin
from netprov.inventory.load import load
from netprov.inventory.model import DhcpMode, Disk, InstallMode, Inventory, UnknownPolicy, Virt
from netprov.mac import Mac

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(SAMPLE / "netprov.yaml", generation=7)


def test_every_object_is_there_in_declared_order(inventory: Inventory) -> None:
    assert inventory.generation == 7
    assert [system.name for system in inventory.systems()] == ["lady", "lord", "baron", "rescue-stick"]
    assert [profile.name for profile in inventory.profiles()] == ["web", "web-test", "metal"]
    assert [image.name for image in inventory.images()] == ["rescue"]
    assert [(menu.name, menu.parent) for menu in inventory.menus] == [("main", ""), ("rescue", "main")]
    assert inventory.snippets["motd"] == "Welcome to {{ hostname }}\n"
    assert inventory.warnings == ()


def test_files_are_what_a_reload_watches(inventory: Inventory) -> None:
    names = [str(Path(file).relative_to(SAMPLE)) for file in inventory.files]
    folders = ["inventory", "inventory/profiles.yaml", "inventory/rack1", "inventory/rack1/systems.yml"]
    assert names == ["netprov.yaml", *folders]


def test_settings(inventory: Inventory) -> None:
    settings = inventory.settings
    assert settings.server.address == Ip("192.168.77.1")
    assert settings.server.interfaces == ("br0", "eth1")
    assert settings.server.unknown is UnknownPolicy.MENU
    assert settings.dhcp.mode is DhcpMode.FULL
    assert settings.tftp.root == SAMPLE / "boot-images"
    assert settings.tftp.ports == (40000, 40100)
    assert settings.http.port == 8080
    assert settings.autoinstall == SAMPLE / "autoinstall"
    assert settings.templates is None


def test_subnets(inventory: Inventory) -> None:
    first, second = inventory.subnets
    assert first.lease == 5400
    assert Ip("192.168.77.150") in first.ranges[0]
    assert second.options == {2: b"\0\0\x0e\x10", 42: bytes([10, 1, 0, 2, 10, 1, 0, 3]), 224: b"\1\2"}
    assert inventory.subnet_of(Ip("10.1.3.9")) is second


def test_system_inherits_along_the_chain(inventory: Inventory) -> None:
    lady = inventory.system("lady")
    assert (lady.kind, lady.profile, lady.distro, lady.os_version) == ("system", "web", "scotland", "9")
    assert lady.kernel_options == {"console": ("tty0", "ttyS0,115200"), "quiet": None}
    assert list(lady.kernel_options) == ["console", "quiet"]
    assert lady.autoinstall_meta == {"timezone": "UTC", "packages": ("httpd", "git"), "version": "1.10", "debug": "off"}
    assert lady.virt == Virt("xenpv", 1024, 2, (Disk(4 << 30),), "xenbr0")
    assert lady.virt is inventory.profile("web").virt
    assert lady.owners == ("ops",)
    assert lady.interfaces[0].ip == IPv4Interface("192.168.77.114/24")


def test_sub_profile_and_its_system(inventory: Inventory) -> None:
    lord = inventory.system("lord")
    assert lord.kernel_options == {"console": ("tty0", "ttyS0,115200"), "debug": None}
    assert lord.autoinstall_meta["timezone"] == "Europe/Edinburgh"
    assert lord.autoinstall_meta["version"] == "1.10"
    assert lord.virt == Virt("xenpv", 2048, 4, (Disk(4 << 30),), "xenbr0")
    assert lord.install is InstallMode.ONCE
    assert lord.interfaces[0].ip == IPv4Interface("192.168.77.115/24")  # the prefix is the subnet's


def test_cobblers_names(inventory: Inventory) -> None:
    baron = inventory.system("baron")
    assert baron.install is InstallMode.ONCE
    assert baron.autoinstall == "debian.preseed"
    assert baron.arch == "x86_64"
    assert baron.serial == "0042"
    assert baron.client_id == bytes.fromhex("01525400abcdef")
    assert baron.circuit_id == b"Eth1/7"
    assert baron.interfaces[0].mac == "52:54:00:ab:cd:ef"
    assert baron.interfaces[0].ip == IPv4Interface("10.1.0.20/22")
    assert baron.name_servers == (Ip("10.1.0.53"),)
    assert baron.boot_loaders == ("ipxe", "grub")
    assert baron.kernel_options == {"console": ("tty0",), "quiet": None, "net.ifnames": ("0",)}


def test_indexes(inventory: Inventory) -> None:
    assert inventory.system_by_mac(Mac("52:54:00:12:34:56")) is inventory.system("lord")
    assert inventory.system_by_uuid("4c4c4544-0043-3010-8052-b4c04f4a4d31") is inventory.system("lord")
    assert inventory.system_by_hostname("Lady.example.org") is inventory.system("lady")
    assert inventory.system_by_ip(Ip("10.1.0.20")) is inventory.system("baron")
    assert inventory.system_by_serial("0042") is inventory.system("baron")
    assert inventory.system_by_circuit_id(b"Eth1/7") is inventory.system("baron")
    assert inventory.system_by_client_id(bytes.fromhex("01525400abcdef")) is inventory.system("baron")


def test_origins_say_where_a_value_was_written(inventory: Inventory) -> None:
    lord = inventory.system("lord")
    profiles, rack = str(SAMPLE / "inventory/profiles.yaml"), str(SAMPLE / "inventory/rack1/systems.yml")
    assert lord.origins["kernel"] == Origin(str(SAMPLE / "netprov.yaml"), 33)
    assert lord.origins["kernel_options"] == Origin(profiles, 24)
    assert lord.origins["virt"] == Origin(rack, 11)
    assert lord.origin == Origin(rack, 7)


def test_an_inventory_survives_pickle(inventory: Inventory) -> None:
    assert pickle.loads(pickle.dumps(inventory)) == inventory


README = """\
server:
  address: 192.168.77.1        # default: the address of the interface the request came in on
  interfaces: [br0]
  state: /var/lib/netprov
dhcp:
  mode: full
  subnets:
    - subnet: 192.168.77.0/24
      range: 192.168.77.100-192.168.77.200
      router: 192.168.77.1
      dns: [192.168.77.1]
      domain: example.org
      lease: 1h
tftp: {root: boot-images, single_port: false}
http: {port: 80}
inventory: inventory/
distros:
  scotland:
    breed: redhat
    os_version: "9"
    arch: x86_64
    kernel: k
    initrd: [initrd.img]
    tree: http://192.168.77.1/trees/scotland
profiles:
  web:
    distro: scotland
    autoinstall: web.ks
    kernel_options: {console: [tty0, "ttyS0,115200"], quiet: true}
    autoinstall_meta: {timezone: UTC}
    virt: {type: xenpv, ram: 512, cpus: 1, disks: [{size: 4G}], bridge: xenbr0}
systems:
  lady:
    profile: web
    hostname: lady.example.org
    interfaces:
      eth0: {mac: "00:16:3E:11:11:11", ip: 192.168.77.114/24}
"""


def test_the_documented_example(loads: Loads, base: Path) -> None:
    (base / "inventory").mkdir()
    inventory = loads(README)
    assert inventory.warnings == ()
    assert inventory.system("lady").kernel_options == {"console": ("tty0", "ttyS0,115200"), "quiet": None}
