"""What is done with domUs in the one dom0: every scenario is a function, played by a thread while others are."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.e2e.served import Served

from .channel import Ended
from .foreign import MACHINES as FOREIGN
from .machines import BROKEN
from .rundisk import INSTALLED, KERNEL
from .served_in_dom0 import BRIDGE, CONFIG, ServedInDom0
from .xenlab import LONGEST, Dom0, DomU, guest_said

IMAGES = "/var/lib/xen/images"
EMPTY = "/var/lib/netprov/empty.img"
INSTALLER_TIMEOUT = 1500.0  # seconds
RESTRICTED = "LIBXL_BOOTLOADER_RESTRICT=1"  # Xen 4.17 has no setting for it in configurations
UNKNOWN = "00:16:3e:77:02:02"  # no server knows it

LADY = """\
# a domU of the times of xm, whose configurations were Python
disk_of = "phy:/dev/verona/%s,xvda,w"
name = "lady"
bootloader = "/usr/bin/pypxeboot"
vif = ['vifname=lady,mac=00:16:3E:77:00:15 , bridge=xenbr0' ]
bootargs = vif[0]
memory = 128    # enough
vcpus = 1
disk = [ disk_of % name,
         "file:/opt/swap_%s.img,xvdb,w" % name ]
on_poweroff = 'destroy'
on_reboot = 'restart'
on_crash = 'destroy'
"""
LADYS_DISKS = """\
truncate -s 16M /opt/lady.img /opt/swap_lady.img
mkdir -p /dev/verona
[ -b /dev/loop7 ] || mknod /dev/loop7 b 7 7
losetup /dev/loop7 /opt/lady.img
ln -s /dev/loop7 /dev/verona/lady
"""

LEFT = """\
find /var/lib/xen -name 'bootloader?{domid}?*'
pgrep -af 'bootloader[.]{domid}[.]'
ls /sys/class/net | grep '^vif{domid}[.]'
xl list {domid} 2>/dev/null
"""

PLAIN = """\
name = "{name}"
type = "{type}"
memory = 128
vif = [ "mac={mac},bridge=xenbr0" ]
disk = [ "format=raw,vdev=xvda,access=r,target={empty}" ]
bootloader = "{program}"
bootloader_args = {arguments}
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"
"""


@dataclass(frozen=True, slots=True)
class World:
    """Where the scenarios are played."""

    dom0: Dom0
    outside: Served
    inside: ServedInDom0


@dataclass(frozen=True, slots=True)
class Played:
    """How a domU's life went: what it said, what xl said, and what its bootloader showed in each boot."""

    name: str
    console: str
    xl: Ended
    bootloader: str
    notes: Mapping[str, str] = field(default_factory=dict)
    twin: Played | None = None

    def told(self) -> str:
        """For who reads what a user would have seen."""
        parts = {
            f"xl, exit code {self.xl.code}": self.xl.said, "bootloader": self.bootloader, "console": self.console,
            **self.notes,
        }  # fmt: skip
        return "".join(f"=== {title}\n{text.rstrip()}\n" for title, text in parts.items())


Scenario = Callable[[World], Played]


def plain(name: str, mac: str, *arguments: str, kind: str = "pv", program: str = "netprov-pxeboot") -> str:
    """A configuration as somebody writes it by hand, of a domU without a disk."""
    words = "[ " + ", ".join(f'"{word}"' for word in (f"mac={mac}", *arguments)) + " ]"
    return PLAIN.format(name=name, type=kind, mac=mac, empty=EMPTY, program=program, arguments=words)


def declared(world: World, name: str) -> str:
    return world.outside.netprov("domu", "config", name)


def to_its_end(domu: DomU, **notes: str) -> Played:
    ended = domu.wait_gone()
    found = re.findall(rf"Waiting for domain {domu.name} \(domid (\d+)\)|/bootloader\.(\d+)\.log", ended.said)
    domids = [int(first or second) for first, second in dict.fromkeys(found)]
    logs = "".join(domu.dom0.bootloader_log(domid) for domid in domids)
    left = "".join(left_behind(domu.dom0, domid) for domid in domids)
    return Played(domu.name, domu.said(), ended, logs, {"left behind": left, **notes})


def left_behind(dom0: Dom0, domid: int) -> str:
    """What is still there of a domain and its bootloader: files, processes, interfaces. The bridges' ports of other
    bootloaders have names of no domain: see the last test for them."""
    return dom0.run("sh", "-c", LEFT.format(domid=domid)).out


def outside(name: str) -> Scenario:
    def play(world: World) -> Played:
        return to_its_end(world.dom0.create(name, declared(world, name)))

    return play


def twins(world: World) -> Played:
    """A PV and a PVH guest, created at the same moment."""
    texts = {name: declared(world, name) for name in ("twin-pv", "twin-pvh")}
    first, second = [world.dom0.create(name, text) for name, text in texts.items()]
    return replace(to_its_end(first), twin=to_its_end(second))


def inside(world: World) -> Played:
    """Its bootloader is to read what the server sent as a user who may do nothing."""
    world.inside.start()
    return to_its_end(world.dom0.create("inside", world.inside.netprov("domu", "config", "inside"), RESTRICTED))


def made(name: str, profile: str) -> Scenario:
    """`netprov domu create` in dom0, where the inventory is: all of it, to the end of the install."""

    def play(world: World) -> Played:
        dom0, cfg, folder = world.dom0, f"/etc/xen/{name}.cfg", f"/opt/{name}"
        world.inside.start()
        words = ["domu", "create", profile, "--name", name, "--type", "pv", "--bridge", BRIDGE]
        words += ["--size", "4M", "--disk", f"{folder}/disk.img", "-c", CONFIG]
        ended = dom0.run("netprov", *words, timeout=LONGEST)
        notes = {"config": dom0.read(cfg), "declared": dom0.read(CONFIG)}
        notes["disk"] = dom0.run("stat", "-c", "%s %b", f"{folder}/disk.img").out
        notes["made"] = dom0.run("sh", "-c", f"ls -d {cfg} {folder} 2>/dev/null").out
        until_gone = f"for n in $(seq 60); do xl domid {name} >/dev/null 2>&1 || exit 0; sleep 1; done; exit 1"
        notes["gone"] = str(dom0.run("sh", "-c", until_gone).code == 0)
        return Played(name, guest_said(dom0, name), ended, "", notes)

    return play


def installer(world: World) -> Played:
    """Until it has its preseed: what follows needs a mirror, and is no more the bootloader's."""
    domu = world.dom0.create("installer", declared(world, "installer"))
    deadline = time.monotonic() + INSTALLER_TIMEOUT
    while "autoinstall" not in world.outside.done("installer"):
        waits = time.monotonic() < deadline and not domu.xl.future.done()
        assert waits, f"no preseed:\n{domu.said()[-4000:]}"
        time.sleep(10)  # to look costs a second or two, which the domU could have had
    domu.destroy()
    return to_its_end(domu)


def lady(world: World) -> Played:
    """The Book's: written for xm, its bootloader the program of old."""
    world.dom0.sh(LADYS_DISKS)
    path = world.dom0.write("/root/lady", LADY)
    converted = world.dom0.run("netprov", "domu", "convert", path)
    return to_its_end(world.dom0.create("lady", converted.out), converted=converted.out, told=converted.err)


def phoenix(world: World) -> Played:
    """Installed, it restarts: xl runs the bootloader again, for a new domain."""
    world.dom0.sh(f"mkdir -p {IMAGES} && cp {INSTALLED} {IMAGES}/phoenix-disk0")
    return to_its_end(world.dom0.create("phoenix", declared(world, "phoenix")))


def foreign(world: World) -> Played:
    return to_its_end(world.dom0.create("foreign", plain("foreign", FOREIGN["foreign"].mac, "--bridge=xenbr0")))


def refused(name: str, mac: str = "", *arguments: str) -> Scenario:
    def play(world: World) -> Played:
        return to_its_end(world.dom0.create(name, plain(name, mac or FOREIGN[name].mac, *arguments)))

    return play


def interrupted(name: str, how: Callable[[DomU], None]) -> Scenario:
    """Something happens to the boot while its kernel comes."""

    def play(world: World) -> Played:
        domu = world.dom0.create(name, plain(name, FOREIGN[name].mac))
        domid = _downloading(domu)
        processes = f"pgrep -f 'netprov-pxeboot.*bootloader[.]{domid}[.]'"
        notes = {"before": world.dom0.run("sh", "-c", processes).out}
        how(domu)
        played = to_its_end(domu)
        world.dom0.sh(f"for n in 1 2 3 4 5 6 7 8 9 10; do {processes} || exit 0; sleep 1; done", timeout=60)
        notes["after"] = world.dom0.run("sh", "-c", processes).out
        notes["files"] = world.dom0.run("sh", "-c", f"find /var/lib/xen/bootloader.{domid}.* -name 'netprov*'").out
        # what xl leaves when it is killed is not ours: as its user would
        world.dom0.run("sh", "-c", f"xl destroy {name}; rm -rf /var/lib/xen/bootloader.{domid}.*")
        notes["left behind"] = left_behind(world.dom0, domid)
        return Played(name, "", played.xl, world.dom0.bootloader_log(domid), notes)

    return play


def _downloading(domu: DomU) -> int:
    """The number of a domain whose bootloader has begun to fetch the kernel."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not domu.xl.future.done():
        kernel = "/var/lib/xen/bootloader.$n.d/netprov-kernel.*"
        script = f"n=$(xl domid {domu.name}) && set -- {kernel} && [ -s $1 ] && echo $n"
        found = re.search(r"(\d+)\n$", domu.dom0.run("sh", "-c", script).out)
        if found:
            return int(found[1])
        time.sleep(0.3)
    raise AssertionError(f"{domu.name} does not come to its kernel: {domu.dom0.bootloader_log()}")


def kill_xl(domu: DomU) -> None:
    domu.xl.signal(signal.SIGKILL)


def destroy(domu: DomU) -> None:
    domu.destroy()


RECORDER = f"""\
#!/bin/bash
# a bootloader that says how it was called, and hands over a kernel
printf '%s\\n' "$@" >/root/argv
for word; do case $word in --output=*) output=${{word#*=}} ;; --output-directory=*) folder=${{word#*=}} ;; esac; done
cp {KERNEL} "$folder/kernel"
printf 'kernel %s\\0args console=hvc0 quiet\\0' "$folder/kernel" >"$output"
"""


def contract(world: World) -> Played:
    """xl and a program that only notes its arguments; the domain stays paused."""
    dom0 = world.dom0
    dom0.write("/root/recorder", RECORDER)
    dom0.sh("chmod +x /root/recorder")
    text = plain("contract", "00:16:3e:77:02:01", "two words", kind="pvh", program="/root/recorder")
    notes = {}
    # restricted, Xen 4.17's xl aborts where the configuration has more than one of kernel, ramdisk and extra
    freely: tuple[str, list[str], str] = ("free", [], 'kernel = "/none"\nextra = "x=1 y"\n')
    for how, environment, more in (freely, ("restricted", [RESTRICTED], "")):
        path = dom0.write("/etc/xen/contract.cfg", text + more)
        ended = dom0.run("env", *environment, "xl", "create", "-p", path)
        domid = dom0.sh("xl domid contract").strip()
        notes |= {how: dom0.read("/root/argv"), f"{how} domid": domid}
        dom0.sh("xl destroy contract")
    return Played("contract", "", ended, "", notes)


SCENARIOS: Mapping[str, Scenario] = {
    "contract": contract,
    "installer": installer,
    "pv": outside("pv"),
    "inside": inside,
    "created": made("created", "domu"),
    "uncreated": made("uncreated", BROKEN),
    "foreign": foreign,
    "phoenix": phoenix,
    "twins": twins,
    "lady": lady,
    "unknown": refused("unknown", UNKNOWN),
    "no-server": refused("no-server"),
    "truncated": refused("truncated"),
    "arm64": refused("arm64"),
    "no-label": refused("no-label", "", "--label=nosuch"),
    "destroyed": interrupted("destroyed", destroy),
    "killed": interrupted("killed", kill_xl),
}
"""In the order in which they begin."""
