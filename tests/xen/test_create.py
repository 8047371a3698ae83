# ruff: noqa: E501 - tables: a row a line
"""netprov domu create: what it makes, what it refuses, and that nothing stays where it fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import fakes
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.boot.install import UNDECLARED, Done, Fail, Fetched, GoLocal, InstallEvent, InstallState
from netprov.cli import domucreate
from netprov.cli.domu import domu
from netprov.errors import ConfigError
from netprov.inventory.load import load
from netprov.inventory.model import Disk, Interface, Inventory, Target, Virt
from netprov.mac import Mac
from netprov.state.state import open_state
from netprov.xen.create import install
from netprov.xen.create.configuration import StartsWithDom0
from netprov.xen.create.declare import new_mac
from netprov.xen.create.disks import disk_steps
from netprov.xen.create.host import Host, Stopped
from netprov.xen.create.libvirt import VirshStart, domain_xml
from netprov.xen.create.order import Order, changed, ordered
from netprov.xen.create.step import carry_out, check
from netprov.xen.domain import Domain, DomainDisk, Nic, domain_of
from netprov.xen.xlconfig import grammar
from netprov.xen.xlconfig.lint import lint
from netprov.xen.xlconfig.make import write

LADY = "00:16:3e:11:11:11"
CONFIG = f"""\
# the lab's
server: {{state: state, address: {IPv4Address("10.78.0.1")}}}
distros:
  d: {{breed: debian, kernel: k, initrd: [i], autoinstall: default.preseed}}
profiles:
  web: {{distro: d, virt: {{ram: 1024, disks: [{{size: 4M}}], path: images}}}}  # small
  diskless: {{distro: d, install: always}}
systems:
  lady: {{profile: web, interfaces: {{eth0: {{mac: "{LADY}"}}}}}}
  bare: {{profile: web}}
  live: {{profile: diskless, interfaces: {{eth0: {{mac: "00:16:3e:11:11:13"}}}}}}
  desktop: {{profile: web, virt: {{type: kvm}}, interfaces: {{eth0: {{mac: "00:16:3e:11:11:14"}}}}}}
"""


class Dom0:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = fakes.make(folder / "tools")
        self.config = folder / "netprov.yaml"
        (folder / "boot-images").mkdir()
        for name in ("k", "i"):
            (folder / "boot-images" / name).touch()
        self.config.write_text(CONFIG.replace("images}", f"{folder}/images}}"))
        self.cfg = folder / "domu.cfg"
        self.disk = folder / "images" / "lady-disk0"
        self.before = self.files()

    def files(self) -> dict[str, bytes]:
        """All but what the commands note, and the state."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else b""
            for path in self.folder.rglob("*")
            if not {"tools", "state"} & set(path.relative_to(self.folder).parts)
        }

    @property
    def log(self) -> list[str]:
        return (self.tools / "log").read_text().splitlines()

    @property
    def domains(self) -> list[str]:
        return (self.tools / "domains").read_text().split()

    def command(self, *words: object) -> list[str]:
        return ["create", *map(str, words), "-c", str(self.config), "-o", str(self.cfg), "--bootloader", "true"]

    def run(self, *words: object) -> Result:
        return CliRunner().invoke(domu, self.command(*words))

    def state(self, name: str) -> InstallState | None:
        with open_state(str(self.folder / "state")) as state:
            record = state.installs.get(name)
            return record.state if record is not None else None

    @contextmanager
    def installing(self, name: str, last: Callable[[str], InstallEvent], domain: str = "") -> Iterator[None]:
        """An installer that fetches its answers once the domU runs, and then tells `last` of its token."""

        def act() -> None:
            deadline = time.monotonic() + 20
            while (domain or name) not in self.domains and time.monotonic() < deadline:
                time.sleep(0.02)
            with open_state(str(self.folder / "state")) as state:
                token = getattr(state.installs.get(name), "token", "")
                for event in (Fetched(token), last(token)):
                    state.installs.apply({name: UNDECLARED}, event, time.time())

        thread = threading.Thread(target=act)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def failing(token: str) -> InstallEvent:
    return Fail(token, "no disk found")


@pytest.fixture
def dom0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dom0:
    made = Dom0(tmp_path)
    monkeypatch.setenv("PATH", f"{made.tools}:{os.environ['PATH']}")
    monkeypatch.setattr(install, "_EVERY", 0.05)
    return made


def test_system(dom0: Dom0) -> None:
    with dom0.installing("lady", Done):
        done = dom0.run("lady")
    assert done.exit_code == 0, done.output
    assert dom0.disk.stat().st_size == 4 << 20
    assert dom0.disk.stat().st_blocks == 0
    assert dom0.disk.stat().st_mode & 0o777 == 0o600
    assert dom0.domains == ["lady"]
    assert dom0.state("lady") is InstallState.INSTALLED
    said = grammar.read(dom0.cfg.read_text(), "x").settings
    assert (said["bootloader"], said["memory"]) == ("pygrub", "1024")
    assert "bootloader_args" not in said
    assert lint(dom0.cfg.read_text(), "x") == []
    for line in ("lady will be installed at its next network boot", "lady is installed", "boots its own disk from now"):
        assert line in done.stderr
    assert dom0.config.read_text() == dom0.before["netprov.yaml"].decode()
    again = dom0.run("lady")
    assert again.exit_code == 1
    for problem in (
        f"{dom0.disk}: already exists: --take-disks",
        f"{dom0.cfg}: already exists, with",
        "is already running",
    ):
        assert problem in again.output


def test_what_xl_is_given(dom0: Dom0) -> None:
    done = dom0.run("lady", "--no-wait", "--ram", "2G", "--cpus", "3", "--type", "pvh", "--size", "1.5M")
    assert done.exit_code == 0, done.output
    said = grammar.read(dom0.cfg.read_text(), "x").settings
    assert [said[key] for key in ("type", "memory", "vcpus")] == ["pvh", "2048", "3"]
    assert said["bootloader_args"] == (f"mac={LADY}",)
    assert dom0.disk.stat().st_size == 2 << 20
    assert dom0.log == ["xl list", f"xl create {dom0.cfg}"]
    assert dom0.state("lady") is InstallState.ARMED


def test_profile(dom0: Dom0) -> None:
    with dom0.installing("lord", Done):
        done = dom0.run("web", "--name", "lord", "--size", "3M", "--size", "2G", "--disk", f"file:{dom0.folder}/a.img", "--disk",
                        "phy:/dev/vg0/lord", "--full", "--cpus", "2")  # fmt: skip
    assert done.exit_code == 0, done.output
    lord = load(dom0.config).system("lord")
    assert (lord.profile, lord.virt.cpus, lord.virt.ram) == ("web", 2, 1024)
    assert [(disk.path, disk.size) for disk in lord.virt.disks] == [
        (f"{dom0.folder}/a.img", 3 << 20), ("/dev/vg0/lord", 2 << 30),
    ]  # fmt: skip
    mac = lord.interfaces[0].mac
    assert mac is not None
    assert mac.startswith("00:16:3e:")
    assert (dom0.folder / "a.img").stat().st_blocks * 512 >= 3 << 20
    assert "lvcreate --yes --wipesignatures y --size 2147483648b --name lord vg0" in dom0.log
    assert f"mac={mac}" in dom0.cfg.read_text()
    # the inventory says all that the configuration says
    assert domain_of(lord).disks[0].path in dom0.cfg.read_text()
    text = dom0.config.read_text()
    assert text.startswith("# the lab's")
    assert "# small" in text


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="apt-get install qemu-utils")
def test_qcow2(tmp_path: Path) -> None:
    disk = DomainDisk(str(tmp_path / "a" / "b" / "x.qcow2"), "qcow2", size=64 << 20)
    steps = disk_steps((disk,), take=False, full=False)
    host = Host()
    check(steps, host)
    carry_out(steps, host, lambda said: None)
    assert Path(disk.path).read_bytes()[:4] == b"QFI\xfb"
    assert Path(disk.path).stat().st_mode & 0o777 == 0o600
    for step in reversed(steps):
        step.undo(host)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_appears_meanwhile_is_nobodys_to_remove(tmp_path: Path) -> None:
    for form in ("raw", "qcow2"):
        disk = DomainDisk(str(tmp_path / form), form, size=1 << 20)
        steps = disk_steps((disk,), take=False, full=True)
        Path(disk.path).write_text("another's")
        with pytest.raises(OSError, match="File exists"):
            carry_out(steps, Host(), lambda said: None)
        assert Path(disk.path).read_text() == "another's"


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = DomainDisk(str(tmp_path / "x"), size=1 << 60)
    with pytest.raises(ConfigError, match="is to have 1048576 TiB, and"):
        check(disk_steps((disk,), take=False, full=True), Host())
    check(disk_steps((disk,), take=False, full=False), Host())

    def full(*_words: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=str(tmp_path / "x")):
        carry_out(disk_steps((disk,), take=False, full=True), Host(), lambda said: None)
    assert list(tmp_path.iterdir()) == []


DISKS = [
    # sizes, disks, what comes of the declared 4M in a qcow2 file
    ((), (), [Disk(4 << 20, "/a.img", "qcow2")]),
    ((1 << 30,), (), [Disk(1 << 30, "/a.img", "qcow2")]),
    ((), ("/b.img",), [Disk(4 << 20, "/b.img", "qcow2")]),
    ((), ("phy:/dev/vg0/b",), [Disk(4 << 20, "/dev/vg0/b")]),
    ((1 << 30, 2 << 30), ("/b.img",), [Disk(1 << 30, "/b.img", "qcow2"), Disk(2 << 30)]),
]


@pytest.mark.parametrize(("sizes", "disks", "wanted"), DISKS)
def test_disks_as_declared_but_for_what_is_said(
    sizes: tuple[int, ...], disks: tuple[str, ...], wanted: list[Disk]
) -> None:
    declared = (
        Virt(disks=(Disk(4 << 20, "/a.img", "qcow2"), Disk(9 << 20))) if sizes or disks else Virt(disks=tuple(wanted))
    )
    lady = Target("system", "lady", interfaces=(Interface("eth0", Mac(LADY)),), virt=declared)
    made = changed(lady, Order("lady", sizes=sizes, disks=disks))
    assert list(made.virt.disks) == wanted
    web = Target("profile", "web", virt=declared)
    new = ordered(Order("web", "lord", sizes=sizes, disks=disks), Inventory.of(web))
    assert new.system.virt.disks == made.virt.disks
    assert new.declares is not None
    assert ("virt" in new.declares) == bool(sizes or disks)


def test_another_name(dom0: Dom0) -> None:
    """The domU's name in Xen; the system's is netprov's."""
    with dom0.installing("lady", Done, "lady2"):
        done = dom0.run("lady", "--name", "lady2")
    assert done.exit_code == 0, done.output
    assert (dom0.domains, dom0.state("lady")) == (["lady2"], InstallState.INSTALLED)


def test_hvm(dom0: Dom0) -> None:
    with dom0.installing("lady", Done):
        assert dom0.run("lady", "--type", "hvm", "--nogfx", "--bridge", "lo").exit_code == 0
    said = grammar.read(dom0.cfg.read_text(), "x").settings
    assert (said["boot"], said["vnc"], said["nographic"]) == ("c", "0", "1")
    assert said["vif"] == (f"mac={LADY},bridge=lo,type=ioemu,model=e1000",)


def test_always_is_not_installed(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netprov.xen.domain.EMPTY_DISK", str(dom0.folder / "var" / "empty.img"))
    assert dom0.run("live").exit_code == 0
    assert dom0.state("live") is None
    assert (dom0.folder / "var" / "empty.img").stat().st_size == 0
    assert "netprov-pxeboot" not in dom0.cfg.read_text()
    assert 'bootloader = "true"' in dom0.cfg.read_text()


def test_dry_run(dom0: Dom0) -> None:
    shown = dom0.run("web", "--name", "lord", "--mac", "00:16:3e:00:00:09", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert dom0.files() == dom0.before
    assert dom0.state("lord") is None
    lines = shown.output.splitlines()
    for line in (
        f"declare in {dom0.config}:", f"make the folder {dom0.folder}/images", f"run xl create {dom0.cfg}",
        f"make the file {dom0.folder}/images/lord-disk0: 4 MiB, sparse", f"write {dom0.cfg}:", '    bootloader = "pygrub"',
        f"arm the install of lord ({dom0.folder}/state/state.db)",
    ):  # fmt: skip
        assert line in lines, shown.output
    assert dom0.log == ["xl list"]


REFUSALS: dict[str, tuple[tuple[str, ...], str]] = {
    "nobody": (("ladi",), "did you mean lady?"),
    "a profile without a name": (("web",), "--name: web is a profile"),
    "a name that is taken": (("web", "--name", "lady"), "a system lady is declared already"),
    "a name that is none": (("web", "--name", "../x"), "is not a name"),
    "another MAC address": (("lady", "--mac", "00:16:3e:00:00:01"), f"is declared with the address {LADY}"),
    "a MAC address that is taken": (("web", "--name", "x", "--mac", LADY), "is that of the system lady"),
    "no MAC address": (("bare",), 'declares no MAC address: write one, such as interfaces: {eth0: {mac: "00:16:3e:'),
    "not a Xen guest": (("desktop",), "kvm is not a Xen guest"),
    "no such bridge": (("lady", "--bridge", "xenbr9"), "bridge xenbr9: there is no such bridge"),
    "no size": (("live", "--disk", "/x/y.img"), "/x/y.img: does not exist, and nothing says how large"),
    "no such device": (("lady", "--size", "1G", "--disk", "/dev/no-such"), "/dev/no-such: no such device"),
    "too small": (("lady", "--size", "10K"), "less than 1M"),
    "no program": (("lady", "--bootloader", "/no/such"), "/no/such: is not here"),
    "five IDE disks": (("lady", "--type", "hvm", *["--size=1M"] * 5), "no more than 4"),
    "no URL": (("lady", "--server", "ftp://x"), "is not a URL"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(dom0: Dom0, name: str) -> None:
    words, error = REFUSALS[name]
    command = [*dom0.command(), *words] if "--bootloader" in words else dom0.command(*words)
    got = CliRunner().invoke(domu, command)
    assert got.exit_code != 0
    assert error in got.output
    assert dom0.files() == dom0.before
    assert not [line for line in dom0.log if "create" in line]


def test_no_xen(dom0: Dom0) -> None:
    (dom0.tools / "no-xen").touch()
    got = dom0.run("lady")
    assert "xl: does not work here; this is to be run in dom0, as root (ERROR:  Can't find hypervisor" in got.output
    assert dom0.files() == dom0.before


def test_takes_disks(dom0: Dom0) -> None:
    disk = dom0.folder / "mine.img"
    disk.write_bytes(b"mine" * 1000)
    (dom0.tools / "refuses").write_text("libxl: error: no\n")
    assert "--take-disks" in dom0.run("lady", "--disk", disk).output
    assert dom0.run("lady", "--disk", disk, "--take-disks").exit_code == 1
    assert disk.read_bytes() == b"mine" * 1000
    assert "lvremove" not in str(dom0.log)


def test_an_identical_configuration_is_kept(dom0: Dom0) -> None:
    (dom0.tools / "refuses").write_text("libxl: error: no\n")
    assert dom0.run("lady", "--keep").exit_code == 1
    assert dom0.disk.exists()
    assert dom0.cfg.exists()
    (dom0.tools / "refuses").unlink()
    with dom0.installing("lady", Done):
        assert dom0.run("lady", "--take-disks").exit_code == 0


def test_xl_fails(dom0: Dom0) -> None:
    log = dom0.folder / "tools" / "bootloader.3.log"
    log.write_text("netprov-pxeboot: requesting info\nnetprov-pxeboot: the server has no script for this machine\r\n")
    (dom0.tools / "refuses").write_text(
        "libxl: error: libxl_bootloader.c:641:bootloader_finished: Domain 3:bootloader failed - consult logfile "
        "/var/log/xen/bootloader.3.log\n"
        "libxl: error: libxl_create.c:1265:domcreate_rebuild_done: Domain 3:cannot (re-)build domain: -3\n"
    )
    got = dom0.run("web", "--name", "lord", "--size", "1G", "--disk", "/dev/vg0/lord")
    assert got.exit_code == 1
    assert "cannot (re-)build domain: -3" in got.output
    assert dom0.files() == dom0.before
    assert dom0.state("lord") is InstallState.LOCAL
    assert dom0.log[-1] == "lvremove --yes vg0/lord"
    assert "xl destroy lord" not in dom0.log  # xl has done that itself, and the name may be somebody else's by now


def test_the_bootloaders_own_words(dom0: Dom0) -> None:
    from netprov.xen.create.xl import XlStart

    (dom0.tools / "bootloader.3.log").write_text("x\nnetprov-pxeboot: no\nnetprov-pxeboot: has no label\r\n\n")
    (dom0.tools / "refuses").write_text("bootloader failed - consult logfile /var/log/xen/bootloader.3.log\n")
    dom0.cfg.write_text('name = "lady"\n')
    with pytest.raises(ConfigError, match=f"xl create {dom0.cfg}: netprov-pxeboot: has no label\n"):
        XlStart("lady", dom0.cfg, dom0.tools).do(Host(), print)


def test_the_install_fails(dom0: Dom0) -> None:
    with dom0.installing("lady", failing):
        got = dom0.run("lady")
    assert got.exit_code == 1
    assert "lady failed to install: no disk found" in got.output
    assert dom0.domains == []
    assert dom0.files() == dom0.before


def test_the_install_is_called_off(dom0: Dom0) -> None:
    with dom0.installing("lady", lambda token: GoLocal()):
        got = dom0.run("lady")
    assert "lady is no longer to be installed" in got.output
    assert dom0.files() == dom0.before


def test_the_domain_is_gone(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "_ALIVE_EVERY", 0.05)
    monkeypatch.setattr(install, "_GONE", 0.2)
    crash = threading.Timer(1.0, lambda: (dom0.tools / "domains").write_text(""))
    crash.start()
    try:
        got = dom0.run("lady")
    finally:
        crash.join()
    assert "lady ended before its install was over" in got.output
    assert dom0.files() == dom0.before


def test_the_time_is_up(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    real = domucreate._order
    monkeypatch.setattr(domucreate, "_order", lambda *words: replace(real(*words), timeout=0.3))
    assert "lady is not installed after 0 minutes (--timeout)" in dom0.run("lady").output
    assert dom0.files() == dom0.before


@pytest.mark.parametrize(
    ("while_", "number"), [("creating", signal.SIGINT), ("following", signal.SIGTERM), ("following", signal.SIGHUP)]
)
def test_interrupted(dom0: Dom0, number: signal.Signals, while_: str) -> None:
    if while_ == "creating":
        (dom0.tools / "slow").touch()
    program = "import sys; from netprov.cli import main; sys.argv[0] = 'netprov'; main()"
    words = [sys.executable, "-c", program, "domu", *dom0.command("web", "--name", "lord")]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not ((dom0.tools / "creating").exists() or "lord" in dom0.domains) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert "undoing what was made" in said
    assert dom0.files() == dom0.before
    assert dom0.state("lord") is InstallState.LOCAL
    assert dom0.domains == []


def test_undoing_goes_on(dom0: Dom0) -> None:
    """One step that cannot be undone keeps no other from it."""
    told: list[str] = []

    class Step:
        def __init__(self, name: str) -> None:
            self.name = name

        def do(self, host: Host, say: object) -> None:
            told.append(f"do {self.name}")
            if self.name == "c":
                raise OSError(28, "No space left on device", "/x")

        def undo(self, host: Host) -> None:
            told.append(f"undo {self.name}")
            if self.name == "b":
                raise OSError(5, "Input/output error", "/y")

    with pytest.raises(OSError, match="No space"):
        carry_out([Step("a"), Step("b"), Step("c"), Step("d")], Host(), told.append)  # type: ignore[list-item]
    assert [line for line in told if line[:2] in ("do", "un")] == [
        "do a", "do b", "do c", "undoing what was made", "undo c", "undo b", "undo a",
    ]  # fmt: skip
    assert "could not be undone: [Errno 5] Input/output error: '/y'" in told


def test_declared_meanwhile(dom0: Dom0) -> None:
    """Somebody else's edit of the same file is not undone."""
    (dom0.tools / "refuses").write_text("no\n")
    xl = dom0.tools / "xl"
    xl.write_text(xl.read_text().replace("create)", f"create)\n    echo '# more' >>{dom0.config}", 1))
    before = dom0.config.read_text()
    got = dom0.run("web", "--name", "lord")
    assert got.exit_code == 1
    assert "could not be undone" not in got.output
    assert dom0.config.read_text() == f"{before}# more\n"


def test_removed_meanwhile(dom0: Dom0) -> None:
    (dom0.tools / "refuses").write_text("no\n")
    xl = dom0.tools / "xl"
    xl.write_text(xl.read_text().replace("create)", f"create)\n    sed -i /lord/,/mac:/d {dom0.config}", 1))
    before = dom0.config.read_text()
    got = dom0.run("web", "--name", "lord")
    assert "could not be undone" not in got.output
    assert dom0.config.read_text() == before


def test_starts_with_dom0(tmp_path: Path) -> None:
    cfg = tmp_path / "lady.cfg"
    cfg.touch()
    step = StartsWithDom0(cfg, tmp_path / "auto")
    assert not list(step.problems(Host()))
    step.do(Host(), print)
    assert (tmp_path / "auto" / "lady.cfg").resolve() == cfg
    step.undo(Host())
    assert not (tmp_path / "auto" / "lady.cfg").exists()
    (tmp_path / "auto" / "lady.cfg").write_text("another's")
    assert [problem.text for problem in step.problems(Host())] == ["already exists"]


def test_a_command_that_cannot_stop_is_ended() -> None:
    host = Host()
    with host.heeding_signals():
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        timer.start()
        with pytest.raises(Stopped, match="stopped"):
            host.run("sleep", "30")
        timer.join()
        assert host.run("echo", "x", undoing=True) == "x\n"
        with pytest.raises(Stopped):
            host.pause()


def test_new_mac() -> None:
    assert all(new_mac(()).startswith("00:16:3e:") for _ in range(50))
    drawn = {new_mac(()) for _ in range(50)}
    assert len(drawn) > 45
    assert all(int(mac[9:11], 16) < 0x80 for mac in drawn)


# libvirt

PLAIN = Domain(
    "lady",
    "pv",
    512,
    1,
    (Nic(Mac(LADY), "xenbr0"),),
    (DomainDisk("/srv/lady.img"),),
    program="/usr/bin/netprov-pxeboot",
)
DOMAINS = {
    "pv": PLAIN,
    "pvh": replace(PLAIN, kind="pvh", uuid="5c4c4544-0042-3510-8054-b4c04f595232"),
    "hvm": replace(PLAIN, kind="hvm", disks=(replace(PLAIN.disks[0], vdev="hda", path="/dev/vg0/lady"),)),
    "hvm without a screen": replace(PLAIN, kind="hvm", graphics=False),
    "without a disk": replace(PLAIN, disks=(DomainDisk("/var/lib/netprov/empty.img", empty=True),)),
    "qcow2": replace(PLAIN, disks=(replace(PLAIN.disks[0], format="qcow2"), DomainDisk("/dev/vg0/b", vdev="xvdb"))),
    "two interfaces": replace(PLAIN, nics=(Nic(Mac(LADY)), Nic(Mac("00:16:3e:11:11:12"), "br1"))),
}


@pytest.mark.skipif(shutil.which("virt-xml-validate") is None, reason="apt-get install libvirt-clients")
@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("name", DOMAINS)
def test_xml_is_libvirts(tmp_path: Path, name: str, local: bool) -> None:
    file = tmp_path / "x.xml"
    file.write_text(domain_xml(replace(DOMAINS[name], local=local)))
    done = subprocess.run(["virt-xml-validate", str(file), "domain"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    file.write_text(file.read_text().replace("<vcpu>", "<cpus>").replace("</vcpu>", "</cpus>"))
    assert subprocess.run(["virt-xml-validate", str(file), "domain"], capture_output=True, check=False).returncode


def test_xml_bootloader() -> None:
    text = domain_xml(PLAIN)
    assert "<bootloader>/usr/bin/netprov-pxeboot</bootloader>" in text
    # without a blank: libvirt hands it over as one word
    assert f"<bootloader_args>mac={LADY},bridge=xenbr0</bootloader_args>" in text
    local = domain_xml(replace(PLAIN, local=True))
    assert "<bootloader>pygrub</bootloader>" in local
    assert "bootloader_args" not in local
    hvm = domain_xml(DOMAINS["hvm"])
    assert hvm.index('<boot dev="network"') < hvm.index('<boot dev="hd"')
    assert "network" not in domain_xml(replace(DOMAINS["hvm"], local=True))
    # a domain that is defined again must have the same UUID
    assert text.split("<uuid>")[1][:36] == local.split("<uuid>")[1][:36]


LINE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(path=LINE.map(lambda text: f"/x{text}".rstrip()), local=st.booleans(), kind=st.sampled_from(["pv", "hvm"]))
def test_any_path(path: str, local: bool, kind: str) -> None:
    import xml.etree.ElementTree as ElementTree

    domain = replace(PLAIN, kind=kind, local=local, disks=(DomainDisk(path, vdev="hda"),))
    source = ElementTree.fromstring(domain_xml(domain)).find("devices/disk/source")
    assert source is not None
    assert path in source.attrib.values()
    said = grammar.read(write(domain), "x").settings["disk"]
    assert isinstance(said, tuple)
    assert str(said[0]).endswith(f",target={path}")


@pytest.mark.skipif(shutil.which("virt-xml-validate") is None, reason="apt-get install libvirt-clients")
def test_with_libvirt(dom0: Dom0) -> None:
    with dom0.installing("lady", Done):
        done = dom0.run("lady", "--libvirt")
    assert done.exit_code == 0, done.output
    assert dom0.log == [
        "virsh list --all --name", f"virsh define --validate {dom0.cfg}", "virsh start lady",
        f"virsh define --validate {dom0.cfg}",
    ]  # fmt: skip
    assert "<bootloader>pygrub</bootloader>" in dom0.cfg.read_text()
    again = dom0.run("lady", "--libvirt", "--take-disks")
    assert "virsh dominfo lady: a domain of that name is already defined" in again.output


def test_libvirt_does_not_say_why(dom0: Dom0) -> None:
    old, new = dom0.tools / "bootloader.3.log", dom0.tools / "bootloader.4.log"
    old.write_text("netprov-pxeboot: of another\n")
    os.utime(old, (1000, 1000))
    (dom0.tools / "refuses").touch()
    with pytest.raises(ConfigError, match=r"^virsh"):
        VirshStart("lady", dom0.tools).do(Host(), print)
    new.write_text("netprov-pxeboot: has no label\n")
    os.utime(new, (time.time() + 9, time.time() + 9))
    with pytest.raises(ConfigError, match=r"^netprov-pxeboot: has no label\nvirsh"):
        VirshStart("lady", dom0.tools).do(Host(), print)


@pytest.mark.skipif(shutil.which("virt-xml-validate") is None, reason="apt-get install libvirt-clients")
def test_libvirt_fails(dom0: Dom0) -> None:
    (dom0.tools / "refuses").touch()
    got = dom0.run("lady", "--libvirt")
    assert "Failed to start domain 'lady'" in got.output
    assert dom0.files() == dom0.before
    assert (dom0.tools / "defined").read_text() == ""
    (dom0.tools / "refuses").unlink()
    with dom0.installing("lady", failing):
        assert dom0.run("lady", "--libvirt").exit_code == 1
    assert dom0.log[-3:] == ["virsh destroy lady", "virsh list --all --name", "virsh undefine lady"]
    assert dom0.files() == dom0.before
