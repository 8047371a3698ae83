"""decide() as tables: who asks with what → what it gets, and the reason that settled it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from netprov.boot.decide import decide
from netprov.boot.decision import Action
from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.boot.state import BootState
from netprov.errors import Origin
from netprov.inventory.model import (
    DhcpMode,
    DhcpSettings,
    HttpSettings,
    InstallMode,
    Interface,
    Inventory,
    ServerSettings,
    Settings,
    Subnet,
    Target,
    UnknownPolicy,
)

MAC = "52:54:00:12:34:56"
MAC2 = "52:54:00:12:34:57"
STRANGER = "02:00:00:00:00:01"
UUID = "00112233-4455-6677-8899-aabbccddeeff"
UUID_SWAPPED = "33221100-5544-7766-8899-aabbccddeeff"

WEB = Target("profile", "web", profile="web", kernel="d/vmlinuz", initrd=("d/initrd",), autoinstall="web.ks")
LADY = replace(
    WEB,
    kind="system",
    name="lady",
    install=InstallMode.ONCE,
    uuid=UUID,
    serial="S1",
    client_id=b"\xffabc",
    circuit_id=b"port7",
    remote_id=b"switch9",
    interfaces=(
        Interface("eth0", mac=MAC, ip=IPv4Interface("10.0.0.14/24")),
        Interface("eth1", mac=MAC2, ip=IPv4Interface("10.0.1.14/24")),
    ),
    origin=Origin("systems.yaml", 7),
)


def inventory(lady=LADY, mode=DhcpMode.FULL, unknown=UnknownPolicy.IGNORE, subnets=(), profiles=(WEB,), **http):
    return Inventory.of(
        lady,
        *profiles,
        settings=Settings(
            server=ServerSettings(unknown=unknown), dhcp=DhcpSettings(mode=mode), http=HttpSettings(**http)
        ),
        subnets=subnets,
    )


def pxe(mac=MAC, arch=0, loader=Loader.FIRMWARE, via=Via.DHCP, **more):
    return BootRequest(via, loader, mac=mac, arch=arch, **more)


def script(loader=Loader.PXELINUX, mac=MAC, via=Via.TFTP, **more):
    return BootRequest(via, loader, mac=mac, **more)


def record(state, attempts=1):
    return BootState(installs={"lady": InstallRecord(state, token="t", attempts=attempts)})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"mac": STRANGER, "uuid": UUID}, Reason.MATCH_UUID),
        ({"mac": STRANGER, "uuid": UUID_SWAPPED}, Reason.MATCH_UUID),
        ({"mac": MAC2}, Reason.MATCH_MAC),
        ({"mac": STRANGER, "client_id": b"\xffabc"}, Reason.MATCH_CLIENT_ID),
        ({"mac": STRANGER, "serial": "S1"}, Reason.MATCH_SERIAL),
        ({"mac": STRANGER, "circuit_id": b"port7"}, Reason.MATCH_CIRCUIT),
        ({"mac": STRANGER, "remote_id": b"switch9"}, Reason.MATCH_CIRCUIT),
        ({"mac": None, "ip": IPv4Address("10.0.0.14")}, Reason.MATCH_IP),
        ({"mac": MAC, "uuid": UUID, "serial": "S1"}, Reason.MATCH_UUID),
    ],
)
def test_identify_in_order(fields, reason):
    decision = decide(pxe(**fields), inventory(), BootState())
    assert decision.target.name == "lady"
    assert decision.trace[0].reason is reason
    assert decision.trace[0].origin == Origin("systems.yaml", 7)


@pytest.mark.parametrize(
    ("arch", "file", "http"),
    [
        (0, "pxelinux.0", False),
        (None, "pxelinux.0", False),  # ROMs that omit option 93 are BIOS
        (6, "shimia32.efi", False),
        (7, "shimx64.efi", False),
        (9, "shimx64.efi", False),
        (16, "ipxe.efi", True),
        (17, "ipxe.efi", True),
    ],
)
def test_each_architecture_gets_its_loader(arch, file, http):
    decision = decide(pxe(arch=arch), inventory(), BootState())
    assert (decision.action, decision.loader_file, decision.over_http) == (Action.LOADER, file, http)


def test_arm64_machine_with_an_arm64_distro():
    assert decide(pxe(arch=11), inventory(replace(LADY, arch="aarch64")), BootState()).loader_file == "shimaa64.efi"


@pytest.mark.parametrize(
    ("arch", "reason"), [(11, Reason.ARCH_MISMATCH), (19, Reason.ARCH_MISMATCH), (99, Reason.ARCH_UNKNOWN)]
)
def test_what_cannot_run_is_not_sent(arch, reason):
    decision = decide(pxe(arch=arch), inventory(), BootState())
    assert (decision.action, decision.reason) == (Action.LOCAL, reason)


def test_filename_overrides_the_table():
    decision = decide(pxe(arch=99), inventory(replace(LADY, filename="odd.bin")), BootState())
    assert (decision.loader_file, decision.reason) == ("odd.bin", Reason.FILENAME_SET)


@pytest.mark.parametrize(
    ("asking", "action", "reason"),
    [
        (pxe(), Action.LOADER, Reason.FILENAME_SET),
        (pxe(loader=Loader.OS, arch=None), Action.LOADER, Reason.FILENAME_SET),
        (pxe(loader=Loader.OS, arch=None, via=Via.PROXY), Action.IGNORE, Reason.NOT_PXE),
        (pxe(loader=Loader.IPXE), Action.LOCAL, Reason.NO_KERNEL),  # the file is for firmware alone
        (script(), Action.LOCAL, Reason.NO_KERNEL),
    ],
)
def test_a_filename_without_a_kernel(asking, action, reason):
    mode = DhcpMode.PROXY if asking.via is Via.PROXY else DhcpMode.FULL
    decision = decide(asking, inventory(replace(LADY, filename="odd.bin", kernel=""), mode=mode), BootState())
    assert (decision.action, decision.reason) == (action, reason)
    assert decision.loader_file == ("odd.bin" if action is Action.LOADER else "")


@pytest.mark.parametrize(
    ("wanted", "client", "file"),
    [
        ((), Loader.FIRMWARE, "pxelinux.0"),
        (("ipxe",), Loader.FIRMWARE, "undionly.kpxe"),
        (("grub", "ipxe"), Loader.FIRMWARE, "undionly.kpxe"),  # no GRUB for BIOS: the next wish
        (("grub",), Loader.FIRMWARE, "pxelinux.0"),
        ((), Loader.IPXE, "/ipxe/52-54-00-12-34-56"),
        (("ipxe",), Loader.IPXE, "/ipxe/52-54-00-12-34-56"),
        (("grub",), Loader.IPXE, "/ipxe/52-54-00-12-34-56"),
        (("pxelinux",), Loader.IPXE, "pxelinux.0"),  # a network card whose ROM is iPXE
    ],
)
def test_boot_loaders_choose(wanted, client, file):
    decision = decide(pxe(loader=client), inventory(replace(LADY, boot_loaders=wanted)), BootState())
    assert (decision.action, decision.loader_file) == (Action.LOADER, file)


@pytest.mark.parametrize(
    ("arch", "wanted", "file", "warned"),
    [
        (7, (), "ipxe.efi", False),  # GRUB would ask the other server for its files
        (11, (), "shimaa64.efi", True),  # not every release has an iPXE for it
        (7, ("grub",), "shimx64.efi", True),
        (6, (), "shimia32.efi", True),  # there is no iPXE for it
        (0, (), "pxelinux.0", False),
    ],
)
def test_beside_another_dhcp_server_uefi_starts_ipxe(arch, wanted, file, warned):
    lady = replace(LADY, boot_loaders=wanted, arch="aarch64" if arch == 11 else "x86_64")
    decision = decide(pxe(arch=arch, via=Via.PROXY), inventory(lady, mode=DhcpMode.PROXY), BootState())
    assert (decision.action, decision.loader_file) == (Action.LOADER, file)
    assert any("next-server" in step.text for step in decision.trace) is warned
    assert decision.reason is not Reason.MODE_PROXY


def test_ipxe_never_gets_ipxe_again():
    for arch in (0, 7, 9, 16):
        for wanted in ((), ("ipxe",), ("grub",), ("ipxe", "pxelinux")):
            lady = replace(LADY, boot_loaders=wanted)
            decision = decide(pxe(loader=Loader.IPXE, arch=arch), inventory(lady), BootState())
            assert decision.loader_file not in ("ipxe.efi", "undionly.kpxe")


def test_ipxe_without_http_gets_its_script_by_tftp():
    decision = decide(pxe(loader=Loader.IPXE), inventory(enabled=False), BootState())
    assert (decision.loader_file, decision.over_http) == ("ipxe/52-54-00-12-34-56", False)


def test_ipxe_that_hides_its_mac():
    decision = decide(pxe(loader=Loader.IPXE, mac=None, uuid=UUID), inventory(), BootState())
    assert decision.loader_file == "/boot.ipxe"


def test_the_third_time_within_a_minute_breaks_the_loop():
    looping = BootState(given={"pxelinux.0": 2})
    decision = decide(pxe(), inventory(), looping)
    assert (decision.action, decision.reason) == (Action.LOCAL, Reason.LOADER_LOOP)
    assert decide(pxe(), inventory(), BootState(given={"pxelinux.0": 1})).action is Action.LOADER


def test_a_script_is_no_loader_and_may_be_fetched_often():
    often = BootState(given={"/ipxe/52-54-00-12-34-56": 9})
    assert decide(pxe(loader=Loader.IPXE), inventory(), often).action is Action.LOADER


@pytest.mark.parametrize(
    ("mode", "state", "boots"),
    [
        (InstallMode.LOCAL, None, False),
        (InstallMode.ONCE, None, True),
        (InstallMode.ALWAYS, None, True),
        (InstallMode.LOCAL, InstallState.ARMED, True),
        (InstallMode.LOCAL, InstallState.BOOTING, True),
        (InstallMode.LOCAL, InstallState.INSTALLING, True),
        (InstallMode.ONCE, InstallState.INSTALLED, False),
        (InstallMode.ONCE, InstallState.FAILED, False),
        (InstallMode.ONCE, InstallState.LOCAL, False),
        (InstallMode.ALWAYS, InstallState.INSTALLED, True),
    ],
)
def test_install_state_decides_at_every_stage(mode, state, boots):
    facts = record(state) if state else BootState()
    lady = replace(LADY, install=mode)
    loader = decide(pxe(), inventory(lady), facts)
    assert loader.action is (Action.LOADER if boots else Action.LOCAL)
    for asking in (Loader.PXELINUX, Loader.GRUB, Loader.IPXE, Loader.XEN):
        answer = decide(script(asking), inventory(lady), facts)
        assert answer.action is (Action.KERNEL if boots else Action.LOCAL)
        assert answer.installing is (boots and mode is not InstallMode.ALWAYS)


def test_kernel_of_a_script():
    decision = decide(script(), inventory(replace(LADY, kernel_options={"quiet": None})), BootState())
    assert decision.kernel.kernel == "d/vmlinuz"
    assert decision.kernel.initrd == ("d/initrd",)
    assert decision.kernel.options == {"quiet": None}
    assert decision.kernel.autoinstall
    assert decision.record == "lady"


def test_a_target_without_a_kernel_boots_its_disk():
    for request in (pxe(), script()):
        decision = decide(request, inventory(replace(LADY, kernel="")), BootState())
        assert (decision.action, decision.reason) == (Action.LOCAL, Reason.NO_KERNEL)


@pytest.mark.parametrize(
    ("policy", "mode", "via", "action"),
    [
        (UnknownPolicy.IGNORE, DhcpMode.FULL, Via.DHCP, Action.ADDRESS),
        (UnknownPolicy.IGNORE, DhcpMode.RESERVED, Via.DHCP, Action.IGNORE),
        (UnknownPolicy.IGNORE, DhcpMode.PROXY, Via.PROXY, Action.IGNORE),
        (UnknownPolicy.IGNORE, DhcpMode.OFF, Via.DHCP, Action.IGNORE),
        (UnknownPolicy.MENU, DhcpMode.FULL, Via.DHCP, Action.LOADER),
        (UnknownPolicy.MENU, DhcpMode.RESERVED, Via.DHCP, Action.IGNORE),
        (UnknownPolicy.MENU, DhcpMode.PROXY, Via.PROXY, Action.LOADER),
        (UnknownPolicy.DISCOVER, DhcpMode.FULL, Via.DHCP, Action.LOADER),
    ],
)
def test_unknown_machines_at_the_firmware_stage(policy, mode, via, action):
    assert decide(pxe(STRANGER, via=via), inventory(mode=mode, unknown=policy), BootState()).action is action


@pytest.mark.parametrize(
    ("policy", "loader", "action"),
    [
        (UnknownPolicy.IGNORE, Loader.PXELINUX, Action.IGNORE),
        (UnknownPolicy.MENU, Loader.PXELINUX, Action.MENU),
        (UnknownPolicy.MENU, Loader.GRUB, Action.MENU),
        (UnknownPolicy.DISCOVER, Loader.IPXE, Action.LOCAL),
    ],
)
def test_unknown_machines_at_the_script_stage(policy, loader, action):
    assert decide(script(loader, STRANGER), inventory(unknown=policy), BootState()).action is action


def test_discover_boots_ipxe_which_tells_its_serial_number():
    facts = inventory(unknown=UnknownPolicy.DISCOVER)
    assert decide(pxe(STRANGER), facts, BootState()).loader_file == "undionly.kpxe"
    assert "serial=${serial" in decide(pxe(STRANGER, loader=Loader.IPXE), facts, BootState()).loader_file


@pytest.mark.parametrize(
    ("loader", "action"),
    [(Loader.GRUB, Action.IDENTIFY), (Loader.IPXE, Action.IDENTIFY), (Loader.PXELINUX, Action.MENU)],
)
def test_a_default_script_asked_for_by_nobody_known(loader, action):
    asked = script(loader, None, ip=IPv4Address("10.0.0.99"))
    assert decide(asked, inventory(unknown=UnknownPolicy.MENU), BootState()).action is action


@pytest.mark.parametrize(
    ("arch", "entries"),
    [(None, ["web", "web-arm"]), (0, ["web"]), (7, ["web"]), (11, ["web-arm"]), (27, [])],
)
def test_the_menu_shows_what_the_machine_can_run(arch, entries):
    profiles = (WEB, replace(WEB, name="web-arm", arch="aarch64"))
    asked = script(mac=STRANGER, arch=arch)
    decision = decide(asked, inventory(unknown=UnknownPolicy.MENU, profiles=profiles), BootState())
    assert [profile.name for profile in decision.menu] == entries
    assert decision.action is (Action.MENU if entries else Action.LOCAL)


def test_a_menu_without_entries_boots_the_disk():
    decision = decide(script(mac=STRANGER), inventory(unknown=UnknownPolicy.MENU, profiles=()), BootState())
    assert (decision.action, decision.reason) == (Action.LOCAL, Reason.NO_MENU_ENTRIES)


SUBNET = Subnet(IPv4Network("10.0.0.0/24"), profile="web", next_server=IPv4Address("10.0.0.5"))


def test_subnet_default_profile():
    web = replace(WEB, install=InstallMode.ONCE)
    facts = inventory(subnets=(SUBNET,), profiles=(web,))
    for where in ({"relay": IPv4Address("10.0.0.1")}, {"server": IPv4Address("10.0.0.1")}):
        decision = decide(pxe(STRANGER, **where), facts, BootState())
        assert (decision.action, decision.record) == (Action.LOADER, STRANGER)
        assert decision.next_server == IPv4Address("10.0.0.5")
    done = BootState(installs={STRANGER: InstallRecord(InstallState.INSTALLED)})
    assert decide(pxe(STRANGER, server=IPv4Address("10.0.0.1")), facts, done).action is Action.LOCAL
    assert decide(pxe(STRANGER, server=IPv4Address("10.9.0.1")), facts, BootState()).action is Action.ADDRESS


def test_subnet_policy_comes_before_the_servers():
    subnet = replace(SUBNET, profile="", unknown=UnknownPolicy.MENU)
    decision = decide(pxe(STRANGER, server=IPv4Address("10.0.0.1")), inventory(subnets=(subnet,)), BootState())
    assert decision.action is Action.LOADER


@pytest.mark.parametrize(("mac", "ip"), [(MAC, "10.0.0.14"), (MAC2, "10.0.1.14"), (STRANGER, None)])
def test_the_address_is_that_of_the_interface_that_asks(mac, ip):
    decision = decide(pxe(mac, uuid=UUID), inventory(), BootState())
    assert decision.reserved_ip == (IPv4Address(ip) if ip else None)


def test_the_only_address_of_a_system_declared_without_macs():
    lady = replace(LADY, interfaces=(Interface("eth0", ip=IPv4Interface("10.0.0.14/24")),))
    assert decide(pxe(STRANGER, uuid=UUID), inventory(lady), BootState()).reserved_ip == IPv4Address("10.0.0.14")


@pytest.mark.parametrize(("via", "action"), [(Via.DHCP, Action.ADDRESS), (Via.PROXY, Action.IGNORE)])
def test_who_does_not_ask_to_boot_gets_an_address_only(via, action):
    decision = decide(pxe(loader=Loader.OS, via=via), inventory(), BootState())
    assert (decision.action, decision.reason) == (action, Reason.NOT_PXE)
    assert decision.reserved_ip == IPv4Address("10.0.0.14")


def test_every_combination_is_decided_with_a_trace():
    for via in Via:
        for loader in Loader:
            for mac in (MAC, STRANGER, None):
                for arch in (None, 0, 7, 11, 16, 12345):
                    for policy in UnknownPolicy:
                        for mode in DhcpMode:
                            request = BootRequest(via, loader, mac=mac, arch=arch)
                            decision = decide(request, inventory(unknown=policy, mode=mode), BootState())
                            assert decision.trace
                            assert all(step.text for step in decision.trace)
                            assert decide(request, inventory(unknown=policy, mode=mode), BootState()) == decision


@pytest.mark.parametrize("via", [Via.DHCP, Via.PROXY])
@pytest.mark.parametrize("state", [None, InstallState.INSTALLED, InstallState.ARMED])
def test_a_domu_is_told_where_its_answer_is(via: Via, state: InstallState | None) -> None:
    """Whatever it will say: "local" is an answer too. And again and again: a domU that restarts is no loop."""
    records = {"lady": InstallRecord(state)} if state else {}
    mode = DhcpMode.PROXY if via is Via.PROXY else DhcpMode.FULL
    request = BootRequest(via, Loader.XEN, mac=MAC, arch=0)
    for enabled, file in ((True, "/xen/52-54-00-12-34-56"), (False, "xen/52-54-00-12-34-56")):
        decision = decide(request, inventory(mode=mode, enabled=enabled), BootState(records))
        assert decision.action is Action.LOADER
        assert (decision.loader_file, decision.over_http) == (file, enabled)
    stranger = replace(request, mac=STRANGER)
    assert decide(stranger, inventory(mode=mode), BootState(records)).loader_file == ""
