# ruff: noqa: E501 - tables: a row a line
"""netprov-pxeboot against a real dnsmasq, in namespaces of the test's own: "dom0" with xenbr0, and a server behind it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import PV_NOTES, PVH_NOTES, bzimage, elf, packed

pytestmark = pytest.mark.e2e

LADY, LORD = "00:16:3e:11:11:11", "00:16:3e:11:11:12"
KERNEL = bzimage(packed(elf(PV_NOTES, before=os.urandom(300_000)), "gzip"))
INITRD = os.urandom(5000)


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class World:
    def __init__(self, folder: Path) -> None:
        self.dom0, self.server = f"npx{os.getpid()}d", f"npx{os.getpid()}s"
        self.root = folder / "tftp"
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        (self.root / "pxelinux.cfg").mkdir(parents=True)
        (folder / "dummy.img").touch()
        self.put("v", KERNEL)
        self.put("i", INITRD)
        self.put(
            "pxelinux.cfg/default",
            "DEFAULT a\nLABEL a\nKERNEL v\nINITRD i,i\nAPPEND console=hvc0 x\nIPAPPEND 2\nLABEL local\nLOCALBOOT 0\n",
        )

    def put(self, name: str, body: str | bytes) -> None:
        (self.root / name).write_bytes(body.encode() if isinstance(body, str) else body)

    def start(self) -> None:
        for name in (self.dom0, self.server):
            ip("netns", "add", name)
        ip("-n", self.dom0, "link", "add", "xenbr0", "type", "bridge", "forward_delay", "0")
        ip("-n", self.dom0, "link", "set", "xenbr0", "up")
        ip("-n", self.dom0, "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", self.server)
        ip("-n", self.dom0, "link", "set", "uplink", "master", "xenbr0", "up")
        ip("-n", self.server, "address", "add", "10.78.0.1/24", "dev", "eth0")
        ip("-n", self.server, "link", "set", "eth0", "up")
        ip("-n", self.server, "link", "set", "lo", "up")
        arguments = [
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces", "--no-ping", "--user=root",
            f"--dhcp-leasefile={self.folder}/leases", "--dhcp-range=10.78.0.10,10.78.0.250,1h", "--dhcp-boot=pxelinux.0",
            "--enable-tftp", f"--tftp-root={self.root}", f"--pid-file={self.folder}/pid",
        ]  # fmt: skip
        self._processes.append(self.popen(self.server, arguments))
        web = [sys.executable, "-m", "http.server", "--bind", "10.78.0.1", "--directory", str(self.root), "80"]
        self._processes.append(self.popen(self.server, web))
        time.sleep(0.5)

    def popen(self, namespace: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("ab")
        return subprocess.Popen(["ip", "netns", "exec", namespace, *arguments], stdout=log, stderr=log)

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(10)
        for name in (self.dom0, self.server):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def left_behind(self) -> tuple[list[str], str, str]:
        """Files for libxl, interfaces and addresses of dom0."""
        links = ip("-n", self.dom0, "-o", "link").split("\n")
        return (
            sorted(path.name for path in self.folder.glob("*.d/*")),
            " ".join(sorted(line.split(": ")[1].partition("@")[0] for line in links if line)),
            ip("-n", self.dom0, "-o", "-4", "address"),
        )

    def command(self, name: str, *words: str) -> list[str]:
        """As xl calls it."""
        (self.folder / f"{name}.d").mkdir(exist_ok=True)
        (self.folder / f"{name}.out").touch()
        return [
            "ip", "netns", "exec", self.dom0, sys.executable, "-m", "netprov.xen.bootloader.pxeboot", f"--output={self.folder}/{name}.out",
            "--output-format=simple0", f"--output-directory={self.folder}/{name}.d", *words, f"{self.folder}/dummy.img",
        ]  # fmt: skip

    def boot(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(name, *words), capture_output=True, text=True, timeout=60, check=False)

    def answer(self, name: str) -> dict[str, str]:
        items = (self.folder / f"{name}.out").read_bytes().decode().rstrip("\0").split("\0")
        return {key: value for key, _, value in (item.partition(" ") for item in items) if key}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if os.geteuid():
        pytest.skip("needs root")
    world = World(tmp_path)
    try:
        world.start()
        yield world
    finally:
        world.stop()


CLEAN = "lo uplink xenbr0"


def test_boots_by_mac(world: World) -> None:
    done = world.boot("lady", f"vifname=lady,mac={LADY.upper()},bridge=xenbr0")
    assert done.returncode == 0, done.stderr
    answer = world.answer("lady")
    assert answer["args"] == f"console=hvc0 x BOOTIF=01-{LADY.replace(':', '-')}"
    assert Path(answer["kernel"]).read_bytes() == KERNEL
    assert Path(answer["ramdisk"]).read_bytes() == INITRD + bytes(8192 - 5000) + INITRD
    assert f"netprov-pxeboot: requesting info for MAC address {LADY}" in done.stderr
    assert "getting cfg for IP 10.78.0." in done.stderr
    assert "from server 10.78.0.1" in done.stderr
    assert "downloading kernel v … 0.3 MB in" in done.stderr
    assert world.left_behind()[1:] == (CLEAN, "")


def test_boots_over_http(world: World) -> None:
    world.put(f"pxelinux.cfg/01-{LADY.replace(':', '-')}", "DEFAULT http://10.78.0.1/v initrd=http://10.78.0.1/i y\n")
    done = world.boot("lady", f"mac={LADY}", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert world.answer("lady")["args"] == "y"
    assert Path(world.answer("lady")["ramdisk"]).read_bytes() == INITRD


@pytest.mark.parametrize("option", ["--interface=uplink", "--bridge=uplink"])
def test_an_interface_that_is_no_bridge(world: World, option: str) -> None:
    """The domU is beside it then, by macvlan."""
    ip("-n", world.dom0, "link", "set", "uplink", "nomaster")
    ip("-n", world.dom0, "link", "set", "uplink", "up")
    done = world.boot("lady", f"mac={LADY}", option)
    assert done.returncode == 0, done.stderr
    assert world.answer("lady")["args"] == f"console=hvc0 x BOOTIF=01-{LADY.replace(':', '-')}"
    assert world.left_behind()[1:] == (CLEAN, "")
    world.put("v", b"<html>")
    assert world.boot("lady", f"mac={LADY}", option).returncode == 1
    assert world.left_behind()[1:] == (CLEAN, "")


def test_libvirts_one_word(world: World) -> None:
    done = world.boot("lady", f"mac={LADY} --bridge=xenbr0 --label=a --quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_runas(world: World) -> None:
    """xl's bootloader_restrict: what the server sent is read by a user who may do nothing; the files are root's."""
    done = world.boot("lady", "--runas=20000", f"mac={LADY}", "--verbose")
    assert done.returncode == 0, done.stderr
    kernel = Path(world.answer("lady")["kernel"])
    assert (kernel.read_bytes(), kernel.stat().st_uid, kernel.stat().st_mode & 0o777) == (KERNEL, 0, 0o600)
    assert Path(world.answer("lady")["ramdisk"]).read_bytes() == INITRD + bytes(8192 - 5000) + INITRD
    assert "is a bzImage for x86_64" in done.stderr
    for path in world.folder.glob("*.d/*"):
        path.unlink()
    world.put("v", b"<html>")
    done = world.boot("lord", "--runas=20000", f"mac={LORD}")
    assert done.returncode == 1
    assert "the kernel v is not a kernel: it is a web page" in done.stderr
    assert world.left_behind() == ([], CLEAN, "")


def test_two_at_once_and_beside_a_vif_of_that_mac(world: World) -> None:
    """As at on_reboot=restart, where the old vif is still up."""
    ip("-n", world.dom0, "link", "add", "vif1.0", "type", "veth", "peer", "name", "guest", "address", LADY)
    ip("-n", world.dom0, "link", "set", "vif1.0", "master", "xenbr0", "up")
    ip("-n", world.dom0, "link", "set", "guest", "up")
    calls = [subprocess.Popen(world.command(name, f"mac={mac}")) for name, mac in (("lady", LADY), ("lord", LORD))]
    assert [call.wait(60) for call in calls] == [0, 0]
    assert LORD.replace(":", "-") in world.answer("lord")["args"]
    assert Path(world.answer("lady")["kernel"]) != Path(world.answer("lord")["kernel"])


FAILURES = {
    "no script": ({"pxelinux.cfg/default": None}, (), "the server has no script for this machine"),
    "no label": ({}, ("--label=gone",), "has no label gone; its labels are a, local"),
    "no kernel": ({"v": None}, (), "tftp://10.78.0.1/v"),
    "cut short": ({"v": KERNEL[:-5000]}, (), "the kernel v is cut short"),
    "for arm64": ({"v": bytes(0x38) + b"ARM\x64" + bytes(9000)}, (), "is an image for aarch64; this machine is x86_64"),
    "not for Xen": ({"v": elf({})}, (), "has no Xen notes"),
    "too large": ({}, ("--max-size=1K",), "1024 are allowed"),
    "local boot without a disk": ({}, ("--label=local",), "the domU is to boot its disk, but has none"),
    "no bridge": ({}, ("--bridge=br7",), r"there is no interface br7 (bridges: xenbr0)"),
    "no time": ({}, ("--timeout=0.01",), "gave up after"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_leave_nothing(world: World, name: str) -> None:
    files, words, error = FAILURES[name]
    for file, body in files.items():
        (world.root / file).unlink()
        if body is not None:
            world.put(file, body)
    done = world.boot("lady", f"mac={LADY}", *words)
    assert done.returncode == 1
    assert error in done.stderr.strip().split("\n")[-1]
    assert "Traceback" not in done.stderr
    assert world.answer("lady") == {}
    assert world.left_behind() == ([], CLEAN, "")


def test_no_mac(world: World) -> None:
    done = world.boot("lady")
    assert done.returncode == 1
    assert 'bootloader_args = [ "mac=' in done.stderr


def test_guest_type_of_the_configuration(world: World) -> None:
    world.put("v", elf(PVH_NOTES))
    config = world.folder / "lady.cfg"
    config.write_text(f'name = "lady"\ntype = "pv"\nvif = [ "mac={LADY},bridge=xenbr0" ]\n')
    assert "it can run as type = 'pvh'" in world.boot("lady", f"--config={config}").stderr
    config.write_text(config.read_text().replace('"pv"', '"pvh"'))
    assert world.boot("lady", f"--config={config}").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_stopped(world: World, number: signal.Signals) -> None:
    """xl destroy, the death of xl; and even kill -9 leaves no interface."""
    ip("-n", world.dom0, "link", "set", "uplink", "down")  # nobody answers
    call = subprocess.Popen(world.command("lady", f"mac={LADY}"), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while "npb" not in world.left_behind()[1] and time.monotonic() < deadline:
        time.sleep(0.05)
    call.send_signal(number)  # `ip netns exec` has become it
    _, said = call.communicate(timeout=20)
    assert call.returncode == (1 if number is not signal.SIGKILL else -9)
    assert number is signal.SIGKILL or "stopped" in said
    while "npb" in world.left_behind()[1] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.left_behind() == ([], CLEAN, "")


def test_local_boot_is_pygrubs(world: World) -> None:
    """It gets xl's own arguments and the disk, outside of the namespace, and its exit code is ours."""
    program = world.folder / "pygrub"
    program.write_text(f'#!/bin/sh\necho "$@" >{world.folder}/said\nip -o link >{world.folder}/links\nexit 7\n')
    program.chmod(0o755)
    words = world.command("lady", f"mac={LADY}", "--label=local", "--args=console=hvc0 y", "--quiet")
    path = f"{world.folder}:{os.environ['PATH']}"
    disk = world.folder / "disk.img"
    disk.write_bytes(b"x")
    done = subprocess.run([*words[:-1], str(disk)], env={**os.environ, "PATH": path}, timeout=60, check=False)
    assert done.returncode == 7
    assert (world.folder / "said").read_text() == (
        f"--output={world.folder}/lady.out --output-format=simple0 --output-directory={world.folder}/lady.d "
        f"--args=console=hvc0 y --quiet {disk}\n"
    )
    assert "xenbr0" in (world.folder / "links").read_text()


def test_dry_run(world: World) -> None:
    done = world.boot("lady", f"mac={LADY}", "--dry-run", "--json")
    assert done.returncode == 0
    assert '"kernel": "v"' in done.stdout
    assert world.left_behind() == ([], CLEAN, "")
