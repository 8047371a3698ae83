"""docs/howto/boot-a-domu.md, typed in: xl and virsh are the tests' own, the rest is as it is (see booting.py)."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from pathlib import Path

import pytest
from kernels import PV_NOTES, bzimage, elf, packed

from netprov.mac import Mac
from netprov.web.credentials import new_token
from netprov.xen.create.libvirt import domain_xml
from netprov.xen.domain import Domain, DomainDisk, Nic
from netprov.xen.xlconfig.make import write
from tests.docs.typed import blocks, script, type_in

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "boot-a-domu.md"
BRIDGE = """\
ip link add xenbr0 type bridge forward_delay 0
ip address add 10.77.0.1/24 dev xenbr0
ip link set xenbr0 up
"""
FOLDERS = ("/etc/xen", "/var/lib/xen", "/var/lib/netprov")  # the page writes there; each is hidden meanwhile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("xl", "virsh"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\n" + (Path(__file__).parent / "booting.py").read_text())
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    # type_in puts the environment's own programs first, and those must not be a real xl
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_XEN", str(tmp_path / "fake"))
    (tmp_path / "fake").mkdir()
    images = tmp_path / "boot-images" / "debian"
    images.mkdir(parents=True)
    (images / "linux").write_bytes(bzimage(packed(elf(PV_NOTES), "gzip")))
    (images / "initrd.gz").write_bytes(os.urandom(100_000))
    return tmp_path


def typed(token: str, hashed: str) -> str:
    text = script(PAGE)
    # /sys/class/net is that of the network namespace in which /sys was mounted
    hidden = "mount -t sysfs none /sys\n" + "".join(f"mount -t tmpfs none {name}\n" for name in FOLDERS)
    hidden += "mkdir -p /var/lib/xen/images\n"
    declared = f'  tokens: {{dom0: {{hash: "{hashed}", scopes: [read, operate]}}}}'
    told = f"sed -i 's/^  state: state$/&\\n{declared}/' netprov.yaml\nexport NETPROV_TOKEN={token}\nsleep 1\n"
    at = text.index("netprov domu create trusty")
    return f"{hidden}{BRIDGE}{text[:at]}{told}{text[at:]}\nkill -TERM $server; wait $server"


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("virt-xml-validate") is None, reason="apt-get install libvirt-clients")
def test_boot_a_domu(folder: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root")
    new = [path for path in map(Path, FOLDERS) if not path.exists()]
    for path in new:
        path.mkdir(parents=True)
    try:
        said = type_in(typed(*new_token()), folder, 250)
    finally:
        for path in new:
            path.rmdir()
    assert said.returncode == 0, said.stdout
    text = said.stdout
    for name in ("lady", "tramp", "jock", "trusty"):
        assert f"{name} is installed" in text or re.search(rf"{name}\s.*installed", text), text
    assert "handed to Xen" in text
    assert "/etc/xen/tramp.cfg: it boots its own disk from now on" in text
    assert "<bootloader>pygrub</bootloader>" in text
    assert "local: install: local, and no install is armed" in text
    assert "bootargs is gone" in text
    inventory = (folder / "netprov.yaml").read_text()
    assert re.search(r"tramp:\n\s+profile: web", inventory), inventory


def test_what_is_shown_but_not_typed() -> None:
    """The two lines of a configuration are those that netprov writes."""
    lady = Domain("lady", "pv", 1024, 1, (Nic(Mac("00:16:3e:11:11:11"), "xenbr0"),), (DomainDisk("/x"),))
    (shown,) = (block for block in blocks(PAGE) if block.language == "text" and not block.place)
    assert shown.text in write(lady)
    (xml,) = (block for block in blocks(PAGE) if block.language == "xml")
    written = domain_xml(lady).replace(">netprov-pxeboot<", ">/usr/bin/netprov-pxeboot<")
    assert all(line in written for line in xml.text.splitlines())
