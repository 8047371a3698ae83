"""Each verdict on a machine that really does it, before the real server; and none on those that do it right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.journal.boots import STAGES
from netprov.journal.verdicts import absent
from netprov.journal.verdicts.table import RULES, SILENT
from tests.world import until

from . import test_stalls
from .conftest import CLIENT, RIVAL, Bench, dnsmasq, far_away, router

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

INSTALL = """
m = Machine({n})
url = m.to_installer()
m.address(NOBODY)
ks = m.get(url)
done = next(line for line in ks.splitlines() if "netprov-callback:" in line).split()[-1]
"""


def test_a_healthy_boot_has_none(full: Bench) -> None:
    full.play(INSTALL.format(n=64) + "m.get(done)")
    _, found = full.judged("healthy", lambda j: len(j[0].stages) == len(STAGES))
    assert found == (), found


def test_g6_asking_for_the_size_is_no_trouble(full: Bench) -> None:
    code = "m = Machine(69); m.address(BIOS); [m.size_of(b'pxelinux.0') for _ in range(4)]"
    full.play(code + "; m.fetch(b'pxelinux.0'); m.fetch(b'pxelinux.cfg/01-' + m.mac.hex('-').encode())")
    boot, found = full.judged("patient", lambda j: any(s.name == "script" for s in j[0].stages))
    assert [event.kind for event in boot.events].count("tftp.abort") == 4
    assert found == (), found


# the table: what the machine does, and the verdicts on it

DOES = [
    ("G1", "rejects", "m = Machine(50)\nfor wait in (1.7, 1.7, 0): m.ask(DISCOVER, UEFI); time.sleep(wait)"),
    ("G4", "fetchless", "Machine(51).address(BIOS)"),
    ("G7", "odd", r"m = Machine(53); m.address(BIOS); m.try_fetch(b'pxelinux.0\xff')"),
    ("G8", "circle", "m = Machine(54)\nfor _ in range(3):\n  m.address(UEFI); m.fetch(b'ipxe.efi')"),
    ("G9", "silent", "m = Machine(55); m.address(UEFI); m.size_of(b'shimx64.efi'); m.fetch(b'shimx64.efi')\n"
     "m.try_fetch(b'revocations.efi'); m.fetch(b'grubx64.efi')"),
    ("G9", "unsigned", "m = Machine(56); m.to_script(); m.fetch(b'k/vmlinuz', b'blksize', b'1428')"),
    ("G10", "netless", "Machine(57).to_installer()"),
    ("G10", "blind", "m = Machine(58); m.to_installer(); m.address(NOBODY)"),
    ("G11", "again", INSTALL.format(n=59) + "m.get(done); time.sleep(0.5); m.get(url)"),
    ("G13", "rollover", "m = Machine(61); m.to_script()\n"
     "m.fetch(b'k/long.img', b'blksize', b'8', b'windowsize', b'64', stop_at=65535)"),
    ("G17", "http", "m = Machine(68); m.address(HTTP_IA32)"),
    ("G18", "tls", "m = Machine(62); m.address(IPXE); m.tls()"),
    ("G21", "failed", INSTALL.format(n=67) + "m.get(done.replace('status=done', 'status=failed&note=no+disk'))"),
    ("G23", "broken", "m = Machine(63); url = m.to_installer(); m.address(NOBODY); m.refused(url)"),
    ("G25", "arm", "Machine(65).address(ARM64)"),
]  # fmt: skip


@pytest.mark.parametrize(("id", "name", "code"), DOES, ids=[f"{id}-{name}" for id, name, _ in DOES])
def test_full(full: Bench, id: str, name: str, code: str) -> None:
    full.play(code)
    # who goes round with a loader leaves boots behind that ended at it
    full.has(name, id, also=["G9"] if id == "G8" else [])


def test_g26_a_kernel_is_gone(full: Bench) -> None:
    """The configuration names no kernel that is not there: it goes while the server runs."""
    kernel = full.served.config.parent / "root" / "k" / "gone"
    kernel.rename(kernel.with_suffix(".away"))
    try:
        full.play("m = Machine(66); m.to_script(); m.try_fetch(b'k/gone')")
    finally:
        kernel.with_suffix(".away").rename(kernel)
    full.has("gone", "G26")


def test_g5_a_firewall_drops_the_data_port(full: Bench) -> None:
    """nftables. The server gives up on it: an OACK five times, none heard."""
    ask = "m.try_fetch(b'pxelinux.0', b'tsize', b'0', b'timeout', b'1')"
    full.play(f"m = Machine(41); m.address(BIOS); {ask}", full.walled)
    full.has("walled", "G5")
    shown = full.served.netprov("timeline", "walled")
    assert "tftp: {single_port: true}" in shown


def test_g20_a_containers_bridge(full: Bench) -> None:
    ask = "m = Machine(2, '172.17.0.1')\nfor _ in range(3): m.try_fetch(b'pxelinux.0', patience=0.2)"
    full.play(ask, full.walled)
    full.has("172.17.0.1", "G20")


def test_g22_g24_strangers(full: Bench) -> None:
    """One gets the only address and no boot, the next not even that."""
    full.play("Machine(90).address(BIOS)")
    full.has("52:54:00:88:00:5a", "G22")
    full.play("Machine(91).ask(DISCOVER, BIOS, patience=0.5)")
    full.has("52:54:00:88:00:5b", "G22", "G24")
    rows = full.served.netprov("status")
    assert "52:54:00:88:00:5a" in rows


def test_g12_512_octets_at_a_time_over_a_slow_path(full: Bench, tmp_path: Path) -> None:
    """tftp-hpa, which asks for no other size, 10 ms away."""
    made = full.served.lab
    with far_away(made, "52:54:00:88:00:5c", "10.77.0.92/24", 0.005) as station:
        done = station.run([sys.executable, str(CLIENT), "m = Machine(92); m.to_script()"])
        assert done.returncode == 0, done.stderr
        fetch = ["tftp", "-m", "binary", "10.77.0.1", "-c", "get", "k/slow.img", str(tmp_path / "got")]
        assert station.run(fetch, timeout=120).returncode == 0
        assert (tmp_path / "got").stat().st_size == 1_100_000
        (verdict,) = full.has("slow", "G12")
    assert "blocks of 512 octets" in verdict.sentence


def test_g16_a_subnet_without_a_relay(full: Bench) -> None:
    """A machine behind a router asks in vain; with a relay there, it boots, and the verdict is gone."""
    lady = full.served.lab.station("beyond", "52:54:00:88:00:fe")
    between = router(full.served.lab, lady)
    ask = "m = Machine(0xfe, '10.88.0.5'); sys.exit(not m.ask(DISCOVER, BIOS, patience=2))"
    assert lady.run([sys.executable, str(CLIENT), ask]).returncode == 1
    assert "ip helper-address 10.77.0.1" in full.served.netprov("timeline", "far")
    rows = full.served.netprov("status", "far")
    assert "never seen" in rows
    assert "10.88.0.0/24" in rows.replace("\n", "")
    between.spawn(["dnsmasq", "--keep-in-foreground", "--port=0", "--user=root", "--conf-file=/dev/null",
                   "--dhcp-relay=10.88.0.1,10.77.0.1", "--interface=eth1", "--interface=eth0"])  # fmt: skip
    until(lambda: lady.run([sys.executable, str(CLIENT), ask]).returncode == 0)
    code = INSTALL.format(n="0xfe, '10.88.0.5'") + "m.get(done)"
    done = lady.run([sys.executable, str(CLIENT), code])
    assert done.returncode == 0, done.stderr
    _, found = full.judged("far", lambda j: len(j[0].stages) == len(STAGES))
    assert found == (), found
    assert "10.88.0.0/24" not in full.served.netprov("status", "far")


def test_g27_dom0_cannot_start_it(full: Bench, tmp_path: Path) -> None:
    """The real bootloader, sent a kernel that is none."""
    ours = ["--mac=52:54:00:88:00:5d", "--interface=eth0", f"--output-directory={tmp_path}", "--output=-"]
    done = full.clients.run([sys.executable, "-m", "netprov.xen.bootloader.pxeboot", *ours])
    assert done.returncode == 1, done.stderr
    (verdict,) = full.has("domu", "G27")
    said = done.stderr.strip().splitlines()[-1].partition(": ")[2]
    assert said in verdict.sentence, done.stderr


def test_g15_a_second_server(full: Bench, tmp_path: Path) -> None:
    """A real dnsmasq, which the machine prefers. The last test here: dnsmasq stays."""
    dnsmasq(full.served.lab, tmp_path)
    full.play(f"m = Machine(70)\nfor _ in range(20):\n  if m.ask(DISCOVER, BIOS, wants='{RIVAL}', patience=1): break")
    full.play(f"m = Machine(70); m.address(BIOS, wants='{RIVAL}')")
    (verdict,) = full.has("wins", "G15")
    assert RIVAL in verdict.sentence


# beside another server

PROXIED = [
    ("G1", "lone", "m = Machine(50)\nfor wait in (1.7, 1.7, 0): m.ask(DISCOVER, UEFI, wants=SERVER); time.sleep(wait)"),
    ("G2", "deaf", f"m = Machine(51); m.address(UEFI, wants='{RIVAL}')"),
    ("G3", "asker", f"m = Machine(52); m.address(UEFI, wants='{RIVAL}')\n"
     "for _ in range(3): m.ask(REQUEST, UEFI, (SERVER, 4011), 4011, 1, ciaddr=m.ip)"),
    ("G14", "twoid", f"m = Machine(53); m.address(BIOS, wants='{RIVAL}', client_id=b'\\0one')\n"
     "m.ip = '10.77.0.53'; m.fetch(b'pxelinux.0'); m.fetch(b'pxelinux.cfg/01-' + m.mac.hex('-').encode())\n"
     "m.fetch(b'k/vmlinuz', b'blksize', b'1428'); m.fetch(b'k/initrd.img', b'blksize', b'1428')\n"
     f"m.address(NOBODY, wants='{RIVAL}', client_id=b'\\1' + b'another')"),
    ("G9", "grubby", f"m = Machine(55); m.ip = dotted(m.address(UEFI, wants='{RIVAL}')[0])\n"
     "m.ask(REQUEST, UEFI, (SERVER, 4011), 4011, ciaddr=m.ip); m.fetch(b'shimx64.efi'); m.fetch(b'grubx64.efi')"),
]  # fmt: skip


@pytest.mark.parametrize(("id", "name", "code"), PROXIED, ids=[id for id, _, _ in PROXIED])
def test_proxy(proxy: Bench, id: str, name: str, code: str) -> None:
    proxy.play(code)
    proxy.has(name, id)


def test_a_healthy_boot_beside_dnsmasq_has_none(proxy: Bench) -> None:
    """PXELINUX from a ProxyOFFER, its address another's, to the callback."""
    code = INSTALL.format(n=54).replace("m.to_installer()", f"m.to_installer(wants='{RIVAL}')")
    proxy.play(code.replace("m.address(NOBODY)", f"m.address(NOBODY, wants='{RIVAL}')") + "m.get(done)")
    boot, found = proxy.judged("healthy", lambda j: j[0].stages[-1].name == "callback")
    assert {stage.name for stage in boot.stages} >= {"loader", "script", "kernel", "initrd", "autoinstall"}
    assert found == (), found


def test_the_whole_catalogue_is_reproduced() -> None:
    """By a test or a row of a table here, or beside: transfers that stall."""
    tests = [name for name in (*globals(), *vars(test_stalls)) if name.startswith("test_")]
    ids = {f"G{number}" for name in tests for number in re.findall(r"g(\d+)_", name)}
    catalogue = {*(rule.id for rule in RULES), absent.ID, *(id for id, *_ in SILENT)}
    assert {f"G{n}" for n in range(1, 21)} <= catalogue
    assert catalogue <= ids | {id for id, *_ in (*DOES, *PROXIED)}


def test_the_lines_for_dnsmasq_are_its_own(proxy: Bench, tmp_path: Path) -> None:
    """dnsmasq reads what the verdict tells to paste."""
    _, found = proxy.judged("deaf", lambda j: bool(j[1]))
    lines = found[0].advice.split("dnsmasq:\n")[1].split("ISC dhcpd:")[0]
    config = tmp_path / "dnsmasq.conf"
    config.write_text("\n".join(line.strip() for line in lines.splitlines()) + "\n")
    assert "shimx64.efi,,10.77.0.1" in config.read_text() or "ipxe.efi,,10.77.0.1" in config.read_text()
    done = subprocess.run(["dnsmasq", "--test", "-C", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
