"""netprov-pxeboot against a real netprov, in namespaces of the test's own: DHCP's mark, the answer, the journal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from test_pxeboot import INITRD, KERNEL, LADY, LORD, World, ip

from tests.verdicts.healthy import assert_verdicts

pytestmark = pytest.mark.e2e

STRANGER = "00:16:3e:11:11:99"


class Site(World):
    """netprov in the server's namespace; with `proxy` beside a dnsmasq that gives addresses and knows no boot."""

    def __init__(self, folder: Path, mode: str, **sections: object) -> None:
        super().__init__(folder)
        self.mode = mode
        self.troubled: dict[str, set[str]] = {}  # the verdicts that a test's boots are to have, by system or MAC
        self.other = f"npx{os.getpid()}o"
        self.config = folder / "netprov.yaml"
        self.put("j", INITRD)
        (folder / "autoinstall").mkdir()
        (folder / "autoinstall" / "probe.ks").write_text("# netprov: template\ntoken {{ token }}\n")
        systems = {
            "lady": {"profile": "p", "install": "install-once", "interfaces": {"eth0": {"mac_address": LADY}}},
            "lord": {"profile": "p", "install": "local", "interfaces": {"eth0": {"mac_address": LORD}}},
        }
        subnet = {"subnet": "10.78.0.0/24"} | ({} if mode == "proxy" else {"range": "10.78.0.10-10.78.0.250"})
        self.config.write_text(yaml.safe_dump({
            "server": {"interfaces": ["eth0"], "address": "10.78.0.1", "state": "state"},
            "dhcp": {"mode": mode, "subnets": [subnet]},
            "tftp": {"root": str(self.root)},
            "distros": {"d": {"breed": "debian", "kernel": "v", "initrd": ["i", "j"], "autoinstall": "probe.ks",
                              "kernel_options": {"console": "hvc0"}}},
            "profiles": {"p": {"distro": "d"}}, "systems": systems, **sections,
        }))  # fmt: skip

    def start(self) -> None:
        for name in (self.dom0, self.server, self.other):
            ip("netns", "add", name)
        ip("-n", self.dom0, "link", "add", "xenbr0", "type", "bridge", "forward_delay", "0")
        ip("-n", self.dom0, "link", "set", "xenbr0", "up")
        for port, namespace, address in (("uplink", self.server, "10.78.0.1"), ("uplink2", self.other, "10.78.0.2")):
            ip("-n", self.dom0, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            ip("-n", self.dom0, "link", "set", port, "master", "xenbr0", "up")
            ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", namespace, "link", "set", "eth0", "up")
            ip("-n", namespace, "link", "set", "lo", "up")
        if self.mode == "proxy":
            self._processes.append(self.popen(self.other, [
                "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
                "--no-ping", "--user=root", f"--dhcp-leasefile={self.folder}/leases", f"--pid-file={self.folder}/pid",
                "--dhcp-range=10.78.0.10,10.78.0.250,1h",
            ]))  # fmt: skip
        serve = [sys.executable, "-m", "netprov", "serve", "-c", str(self.config)]
        self._processes.append(self.popen(self.server, serve))
        deadline = time.monotonic() + 60
        while self.inside("cat /proc/net/tcp | grep -c :0050") in ("", "0") and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)

    def stop(self) -> None:
        super().stop()
        subprocess.run(["ip", "netns", "delete", self.other], check=False, capture_output=True)

    def inside(self, script: str) -> str:
        words = ["ip", "netns", "exec", self.server, "sh", "-c", script]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()

    def netprov(self, *words: str) -> str:
        command = [sys.executable, "-m", "netprov", *words, "-c", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        return done.stdout

    def boots(self, name: str) -> list[dict[str, object]]:
        time.sleep(0.5)  # the journal is written in batches
        said = json.loads(self.netprov("timeline", name, "--json", "--last", "1"))
        found: list[dict[str, object]] = said if isinstance(said, list) else said["boots"]
        return found


def played(folder: Path, mode: str, **sections: object) -> Iterator[Site]:
    if os.geteuid():
        pytest.skip("needs root")
    site = Site(folder, mode, **sections)
    try:
        site.start()
        yield site
    finally:
        site.stop()
    # nobody runs the kernels that were handed over: in an hour these would be missed
    assert_verdicts(site.config, site.troubled, after=0.0)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Site]:
    yield from played(tmp_path, "full")


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Site]:
    yield from played(tmp_path, "proxy")


@pytest.fixture
def menu(tmp_path: Path) -> Iterator[Site]:
    server = {"interfaces": ["eth0"], "address": "10.78.0.1", "state": "state", "unknown": "menu"}
    yield from played(tmp_path, "full", server=server)


@pytest.fixture
def tftp_alone(tmp_path: Path) -> Iterator[Site]:
    yield from played(tmp_path, "full", http={"enabled": False})


def booted(site: Site, name: str = "lady", mac: str = LADY) -> str:
    done = site.boot(name, f"mac={mac}", "--verbose")
    assert done.returncode == 0, done.stderr
    answer = site.answer(name)
    assert Path(answer["kernel"]).read_bytes() == KERNEL
    assert Path(answer["ramdisk"]).read_bytes() == INITRD + bytes(8192 - 5000) + INITRD
    return answer["args"]


def test_the_whole_way(full: Site) -> None:
    args = booted(full)
    url = re.search(r"url=(\S+)", args)
    assert url
    assert url[1].startswith("http://10.78.0.1/autoinstall/lady?token=")
    assert "console=hvc0" in args
    assert full.left_behind()[1:] == ("lo uplink uplink2 xenbr0", "")
    token = url[1].partition("token=")[2]
    fetch = "import urllib.request,sys; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
    for place in (url[1], f"http://10.78.0.1/api/v1/callback/{token}?status=done"):
        full.inside(f"{sys.executable} -c '{fetch}' '{place}'")
    (boot,) = full.boots("lady")
    stages = [stage["stage"] for stage in boot["stages"]]  # type: ignore[attr-defined,index]
    assert stages == ["address", "script", "kernel", "initrd", "handed-over", "autoinstall", "callback"]
    shown = full.netprov("timeline", "lady")
    for word in ("xen-dhcp", "xen-fetch kernel", "kernel and initrd handed to Xen", "autoinstall", "installed"):
        assert word in shown, shown
    # the second boot is its own disk's
    done = full.boot("lady", f"mac={LADY}")
    assert done.returncode == 1
    assert "install state = installed" in done.stderr
    assert_verdicts(full.config)


def test_dry_run(full: Site) -> None:
    """A look changes nothing: the install that is armed is not begun."""
    before = full.netprov("system", "status", "lady")
    for words in ((), ("--json",)):
        done = full.boot("lady", f"mac={LADY}", "--dry-run", *words)
        assert done.returncode == 0, done.stderr
        assert "http://10.78.0.1/files/v" in done.stdout
    assert full.boot("lord", f"mac={LORD}", "--dry-run").stdout.startswith("local: install: local")
    assert json.loads(full.boot("lord", f"mac={LORD}", "--dry-run", "--json").stdout).keys() == {"local"}
    assert full.netprov("system", "status", "lady") == before
    assert full.left_behind() == ([], "lo uplink uplink2 xenbr0", "")


def test_proxy(proxy: Site) -> None:
    assert "console=hvc0" in booted(proxy)


def test_without_http(tftp_alone: Site) -> None:
    assert "console=hvc0" in booted(tftp_alone)


def test_a_label_of_netprovs_menu(menu: Site) -> None:
    """A machine that is not declared has the menu, of which nobody is there to choose but whoever wrote --label."""
    asked = menu.boot("stranger", f"mac={STRANGER}")
    assert asked.returncode == 1
    assert "from a menu (p): declare 00:16:3e:11:11:99 as a system with a profile, or name one" in asked.stderr
    wrong = menu.boot("stranger", f"mac={STRANGER}", "--label=q")
    assert "has no label q; its labels are p" in wrong.stderr
    assert menu.boot("stranger", f"mac={STRANGER}", "--label=p").returncode == 0
    args = menu.answer("stranger")["args"]
    assert "console=hvc0" in args
    assert "token=" not in args
    declared = menu.boot("lady", f"mac={LADY}", "--label=p")
    assert "offers this domU no menu to choose p from" in declared.stderr


@pytest.mark.parametrize("server", ["http://10.78.0.1", "10.78.0.1"])
def test_server_without_dhcp(full: Site, server: str) -> None:
    ip("-n", full.dom0, "address", "add", "10.78.0.3/24", "dev", "xenbr0")
    done = full.boot("lady", f"mac={LADY}", f"--server={server}")
    assert done.returncode == 0, done.stderr
    assert "token=" in full.answer("lady")["args"]


FAILURES = {
    # name: the machine, its kernel, the last line of what is said, and the verdicts
    "not to be installed": (LORD, None, "but has none: add one to disk= of its configuration (install: local", {}),
    "not known": (STRANGER, None, f"{STRANGER} got the address 10.78.0.", {STRANGER: {"G22"}}),
    "not for Xen": (LADY, b"\x7fELF" + bytes(5000), "the kernel http://10.78.0.1/files/v", {"lady": {"G27"}}),
    "no kernel": (LADY, b"", "http://10.78.0.1/files/v", {"lady": {"G26"}}),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures(full: Site, name: str) -> None:
    mac, kernel, error, full.troubled = FAILURES[name]
    if kernel is not None:
        (full.root / "v").unlink()
        if kernel:
            full.put("v", kernel)
    done = full.boot("lady", f"mac={mac}")
    assert done.returncode == 1
    assert error in done.stderr.strip().split("\n")[-1]
    assert full.left_behind() == ([], "lo uplink uplink2 xenbr0", "")
    if kernel is not None:
        full.put("v", KERNEL)  # the commands too check that the files are there
        (boot,) = full.boots("lady")
        states = {stage["stage"]: stage["state"] for stage in boot["stages"]}  # type: ignore[attr-defined,index]
        assert states["handed-over"] == "failed"
        assert "not handed to Xen" in full.netprov("timeline", "lady")
