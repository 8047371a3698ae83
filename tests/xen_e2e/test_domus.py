"""domUs of a real Xen boot from the network through netprov-pxeboot: netprov outside, netprov in dom0, and a foreign
PXE server; and what becomes of those that cannot. (Issue: Xen, part D; the numbers are its scenarios'.)"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest

from .dom0 import FIRST_USER
from .foreign import ADDRESS, APPEND, MACHINES, NOBODY
from .machines import mac
from .rundisk import FROM_DISK
from .scenarios import EMPTY, UNKNOWN, Played, World
from .stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.xen, pytest.mark.timeout(3600)]

STAGES = ["address", "script", "kernel", "initrd", "handed-over", "autoinstall", "callback"]
NAME = "netprov-pxeboot"


def installed(played: Played, number: int, server: str, rendered: str) -> None:
    """The domU of MAC address and address `number` came up as an installer's first boot does."""
    assert played.notes["left behind"] == "", played.told()
    network = server.rpartition(".")[0]
    for fact in (
        r"cmdline .*\bconsole=hvc0\b", rf"network eth0 mac={mac(number)} ip={network}.{number} from={server}$",
        r"ks sha256=", r"callback ok", r"done$",
    ):  # fmt: skip
        assert re.search(f"^NETPROV-PROBE {fact}", played.console, re.MULTILINE), played.console
    told = re.search(r"^NETPROV-PROBE ks sha256=(\w+)", played.console, re.MULTILINE)
    assert told is not None
    assert told[1] == hashlib.sha256(rendered.encode()).hexdigest(), rendered


def installed_from_outside(world: World, played: Played, number: int, done: list[str] | None = None) -> None:
    served = world.outside
    assert re.search(rf"^{NAME}: requesting info for MAC address {mac(number)}$", played.bootloader, re.MULTILINE)
    installed(played, number, "10.77.0.1", served.netprov("render", "autoinstall", played.name))
    served.wait_done(played.name, done or STAGES)
    assert served.status(played.name) == "installed", served.why()


def failed(played: Played) -> None:
    """xl did, because its bootloader did as it should; xl names the file where the reason stands."""
    assert played.xl.code > 0, played.xl
    assert "bootloader failed - consult logfile /var/log/xen/bootloader." in played.xl.said, played.xl
    assert re.search(r"bootloader \[\d+\] exited with error status 1$", played.xl.said, re.MULTILINE), played.xl
    assert "Traceback" not in played.bootloader, played.bootloader
    assert played.notes["left behind"] == "", played.told()


def refusal(played: Played) -> str:
    """What the bootloader said last."""
    failed(played)
    last = played.bootloader.splitlines()[-1]
    assert last.startswith(f"{NAME}: "), played.bootloader
    return last.removeprefix(f"{NAME}: ")


@pytest.mark.plays("contract")
def test_xl_calls_a_bootloader_so(played: Played) -> None:
    for how, before in (
        ("free", ["--kernel=/none", "--args=x=1 y"]),
        ("restricted", [f"--runas={FIRST_USER + int(played.notes['restricted domid'])}", "--quiet"]),
    ):
        files = f"/var/lib/xen/bootloader.{played.notes[f'{how} domid']}"
        assert played.notes[how].splitlines() == [
            *before, f"--output={files}.out", "--output-format=simple0", f"--output-directory={files}.d",
            "mac=00:16:3e:77:02:01", "two words", EMPTY,
        ]  # fmt: skip


@pytest.mark.plays("pv")
def test_1_pv_from_outside(world: World, played: Played) -> None:
    installed_from_outside(world, played, 0x11)
    assert len(world.outside.boots("pv", last=9)) == 1, world.outside.why()


@pytest.mark.plays("inside")
def test_1_pv_from_dom0_its_bootloader_restricted(world: World, played: Played) -> None:
    served = world.inside
    assert played.bootloader == ""  # --quiet
    installed(played, 0x21, "10.88.0.1", served.netprov("render", "autoinstall", "inside"))
    assert served.done("inside") == STAGES
    assert served.status("inside") == "installed"


@pytest.mark.plays("created")
def test_create_makes_installs_and_switches_to_the_disk(world: World, played: Played) -> None:
    """`netprov domu create` (part C): from a profile to an installed domU that boots its own disk from now on."""
    served = world.inside
    assert played.xl.code == 0, played.told()
    assert "Traceback" not in played.xl.said
    (number,) = re.findall(r'"mac=(00:16:3e:[\da-f:]+),bridge=xenbr1"', played.notes["config"])
    assert number in played.notes["declared"].partition("\n  created:\n")[2]
    for line in (
        r"declared created in /etc/netprov/netprov\.yaml:\d+", r"wrote /etc/xen/created\.cfg",
        r"xl create /etc/xen/created\.cfg", r".* kernel and initrd handed to Xen .*", r"created is installed",
        r"wrote /etc/xen/created\.cfg: it boots its own disk from now on",
    ):  # fmt: skip
        assert re.search(f"^{line}$", played.xl.err, re.MULTILINE), (line, played.xl.err)
    assert played.notes["disk"].split() == [str(4 << 20), "0"]  # sparse, and the probe writes nothing on it
    assert 'bootloader = "pygrub"' in played.notes["config"]
    assert re.search(rf"^NETPROV-PROBE network eth0 mac={number} ", played.console, re.MULTILINE), played.console
    assert "NETPROV-PROBE callback ok" in played.console, played.console
    assert served.done("created") == STAGES
    assert served.status("created") == "installed"
    assert played.notes["gone"] == "True"


@pytest.mark.plays("uncreated")
def test_create_undoes_what_it_made(played: Played) -> None:
    """The profile's kernel is none: xl's bootloader refuses it, which create passes on."""
    assert played.xl.code == 1, played.told()
    assert "Traceback" not in played.xl.said
    assert re.search(rf"^Error: xl create /etc/xen/uncreated.cfg: {NAME}: .*kernel", played.xl.err, re.MULTILINE)
    assert "undoing what was made" in played.xl.err
    assert "could not be undone" not in played.xl.err
    assert "uncreated" not in played.notes["declared"]
    assert played.notes["made"] == ""
    assert played.notes["gone"] == "True"


@pytest.mark.plays("foreign")
def test_2_foreign_pxe_server(played: Played) -> None:
    machine = MACHINES["foreign"]
    assert f"from server {ADDRESS}" in played.bootloader
    assert re.search(rf"^NETPROV-PROBE cmdline .*{re.escape(APPEND)}", played.console, re.MULTILINE), played.console
    network = f"network eth0 mac={machine.mac} ip={machine.address} from={ADDRESS}"
    assert f"NETPROV-PROBE {network}" in played.console, played.console


@pytest.mark.plays("twins")
def test_3_pvh_and_4_two_at_once(world: World, played: Played) -> None:
    assert played.twin is not None
    for twin, number, kind in ((played, 0x12, "pv"), (played.twin, 0x13, "pvh")):
        assert twin.name == f"twin-{kind}"
        installed_from_outside(world, twin, number)
        others = "twin-pvh" if kind == "pv" else "twin-pv?"
        assert not re.search(rf"autoinstall/{others}\b", twin.console), twin.console


@pytest.mark.plays("phoenix")
def test_5_second_boot_is_the_disks_and_9_a_reboot_runs_the_bootloader_again(world: World, played: Played) -> None:
    first, second = played.console.split("NETPROV-PROBE up")[1:]
    rendered = world.outside.netprov("render", "autoinstall", "phoenix")
    installed(replace(played, console=f"NETPROV-PROBE up{first}"), 0x14, "10.77.0.1", rendered)
    assert "dropping to pygrub for local boot" in played.bootloader
    assert re.search(rf"^NETPROV-PROBE cmdline .*{re.escape(FROM_DISK)}", second, re.MULTILINE), second
    assert "NETPROV-PROBE done" in second
    assert world.outside.status("phoenix") == "installed"


@pytest.mark.plays("lady")
def test_7_the_books_lady(world: World, played: Played) -> None:
    assert 'bootloader_args = [ "mac=00:16:3e:77:00:15" ]' in played.notes["converted"]
    assert "bootargs" not in re.sub("#.*", "", played.notes["converted"])
    installed_from_outside(world, played, 0x15)


@pytest.mark.plays("installer")
def test_10_debians_installer_fetches_its_preseed(world: World, played: Played) -> None:
    served = world.outside
    assert served.done("installer") == ["address", "script", "kernel", "initrd", "handed-over", "autoinstall"]
    assert served.status("installer") == "installing"


UNBOOTABLE: dict[str, str] = {
    "unknown": rf"{UNKNOWN} on xenbr0: no DHCP server answered: .*",
    "no-server": rf"tftp://{re.escape(NOBODY)}/pxelinux.cfg/.*",
    "truncated": r"the kernel truncated .*",
    "arm64": r"the kernel arm64 is an image for aarch64; this machine is x86_64: .*",
    "no-label": r".*nosuch.*install.*local.*",
}
"""What the bootloader's last line is."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.plays(name)) for name in UNBOOTABLE])
def test_6_what_cannot_boot_says_why(played: Played, name: str) -> None:
    assert re.fullmatch(UNBOOTABLE[name], refusal(played)), played.bootloader


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.plays(name)) for name in ("destroyed", "killed")]
)
def test_8_interrupted_while_it_downloads(played: Played, name: str) -> None:
    if name == "destroyed":
        failed(played)  # its last line nobody sees: libxl reads no more of its terminal, and then ends it
    else:
        assert played.xl.code == -9, played.told()
    assert played.notes["before"].strip()
    assert played.notes["after"].strip() == "", "the bootloader runs on"
    assert played.notes["files"].strip() == "", "the kernel's file is left"


def test_nothing_is_left_in_dom0(world: World, stage: Stage) -> None:
    """Files, interfaces, namespaces, addresses, processes: after all that was played here."""
    stage.all_played()
    dom0 = world.dom0
    assert dom0.sh("find /var/lib/xen -name 'bootloader*' -o -name 'netprov*'") == ""
    assert set(dom0.sh("ls /sys/class/net").split()) == {"lo", "eth0", "xenbr0", "xenbr1"}
    assert dom0.sh("lsns -t net -n -o NS").split() == dom0.sh("stat -Lc %i /proc/1/ns/net").split()
    addresses = re.findall(r"inet (\S+)", dom0.sh("ip address"))
    assert addresses == ["127.0.0.1/8", "10.88.0.1/24"]
    assert dom0.run("pgrep", "-f", NAME).out == ""
    assert dom0.sh("find /tmp /root -newer /proc/1/comm -name 'netprov*'") == ""
