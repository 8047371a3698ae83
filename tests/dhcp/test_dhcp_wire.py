"""The running worker on a wire of its own: real clients, scapy's packets (another codec), kill -9."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dhcp_world import mac_number

from netprov.state.state import open_state

HERE = Path(__file__).parent
pytestmark = pytest.mark.e2e

CLIENT_MAC = "02:00:00:77:00:50"
LADY = {"lady": (CLIENT_MAC, "10.77.0.14/16")}

SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
echo "ip=$ip mask=$subnet router=$router dns=$dns lease=$lease boot_file=$boot_file siaddr=$siaddr"
"""


def udhcpc(wire: Any, tmp_path: Path, *more: str) -> str:
    script = tmp_path / "bound.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    done = wire.run("busybox", "udhcpc", "-i", "cli0", "-f", "-n", "-q", "-t", "3", "-T", "2", "-s", str(script), *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


WAYS = [
    ("arp entry", {}, ()),
    ("frame", {"arp": False}, ()),
    ("frame, bound to the interface", {"arp": False, "interfaces": ["srv0"]}, ()),
    ("bound to the interface", {"interfaces": ["srv0"]}, ()),
    ("broadcast wanted", {}, ("-B",)),
]


@pytest.mark.parametrize(("settings", "more"), [w[1:] for w in WAYS], ids=[w[0] for w in WAYS])
def test_d1_udhcpc(wire: Any, tmp_path: Path, settings: dict[str, Any], more: tuple[str, ...]) -> None:
    served = wire.serve(tmp_path, systems=LADY, **settings)
    out = udhcpc(wire, tmp_path, *more)
    assert "ip=10.77.0.14 mask=255.255.0.0 router=10.77.0.1 dns=10.77.0.1 lease=3600" in out
    kinds = [(event["kind"], event["mac"]) for event in served.events()]
    assert kinds == [("dhcp.offer", CLIENT_MAC), ("dhcp.ack", CLIENT_MAC)]


def test_d12_udhcpc_as_firmware(wire: Any, tmp_path: Path) -> None:
    wire.serve(tmp_path, systems=LADY)
    pxe = ("-V", "PXEClient:Arch:00007:UNDI:003000", "-x", "93:0007", "-x", "97:0000112233445566778899aabbccddeeff")
    assert "boot_file=shimx64.efi siaddr=10.77.0.1" in udhcpc(wire, tmp_path, *pxe, "-O", "67")


def end_by_pid_file(path: Path) -> None:
    """Ends the daemon that dhclient leaves behind; it writes its number after its first process ended."""
    deadline = time.monotonic() + 5
    while not (path.exists() and path.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(int(path.read_text()), signal.SIGKILL)
    path.unlink()


def test_d2_dhclient(wire: Any, tmp_path: Path) -> None:
    served = wire.serve(tmp_path, systems=LADY)
    files = ("-lf", str(tmp_path / "leases"), "-pf", str(tmp_path / "pid"), "-cf", "/dev/null", "-sf", "/bin/true")
    for _ in range(2):  # the second time it asks for the address it had: INIT-REBOOT
        done = wire.run("dhclient", "-4", "-1", "-v", *files, "cli0")
        assert "bound to 10.77.0.14" in done.stderr, done.stderr
        end_by_pid_file(tmp_path / "pid")
    done = wire.run("dhclient", "-4", "-r", "-v", *files, "cli0")
    assert "DHCPRELEASE" in done.stderr
    types = [event["type"] for event in served.events()]
    assert types[:3] == ["discover", "request", "request"]


def test_d20_perfdhcp(wire: Any, tmp_path: Path) -> None:
    """perfdhcp plays a relay from 10.77.0.2."""
    subprocess.run(["ip", "-n", wire.client, "addr", "add", "10.77.0.2/16", "dev", "cli0"], check=True)
    wire.serve(tmp_path, range=("10.77.1.0", "10.77.40.255"), quiet=True)
    command = ("perfdhcp", "-4", "-g", "single", "-r", "200", "-R", "2000", "-n", "600", "10.77.0.1")
    out = wire.run(*command).stdout
    received = [int(n) for n in re.findall(r"received packets: (\d+)", out)]
    drops = [int(n) for n in re.findall(r"^drops: (\d+)", out, re.MULTILINE)]
    assert len(received) == 2, out
    assert min(received) >= 590, out
    assert max(drops) <= 10, out


SCAPY = """
import json
from scapy_client import *
print(json.dumps({code}))
"""


def scapy(wire: Any, code: str) -> Any:
    return json.loads(wire.python(SCAPY.replace("{code}", code)).splitlines()[-1])


def test_d1_d12_scapy(wire: Any, tmp_path: Path) -> None:
    """An independent codec reads every field and option of ours."""
    wire.serve(tmp_path, systems=LADY)
    chosen = '("requested_addr", "10.77.0.14"), ("server_id", "10.77.0.1")'
    asked = '*PXE, ("param_req_list", [1, 3, 6, 15, 67])'
    code = f'[ask("discover", {asked}), ask("request", {chosen}, {asked}), ask("discover", {asked}, flags=0)]'
    offer, ack, unicast = scapy(wire, code)
    assert (offer["message-type"], ack["message-type"]) == ([2], [5])
    for got in (offer, ack, unicast):
        assert (got["yiaddr"], got["siaddr"], got["file"]) == ("10.77.0.14", "10.77.0.1", "shimx64.efi")
        assert got["server_id"] == got["router"] == ["10.77.0.1"]
        assert (got["lease_time"], got["subnet_mask"]) == ([3600], ["255.255.0.0"])
        assert got["vendor_class_id"] == ["PXEClient"]
        assert (got["boot-file-name"], got["tftp_server_name"]) == (["shimx64.efi"], ["10.77.0.1"])
        assert (got["from"], got["sums"]) == (["10.77.0.1", 67], [True])
    assert offer["to"] == ack["to"] == ["ff:ff:ff:ff:ff:ff", "255.255.255.255", 68]
    assert unicast["to"] == [CLIENT_MAC, "10.77.0.14", 68]


def test_d1_a_frame_of_our_own_is_whole(wire: Any, tmp_path: Path) -> None:
    wire.serve(tmp_path, systems=LADY, arp=False)
    offer = scapy(wire, 'ask("discover", flags=0)')
    assert (offer["to"], offer["from"], offer["sums"]) == ([CLIENT_MAC, "10.77.0.14", 68], ["10.77.0.1", 67], [True])


def test_d15_scapy_proxy(wire: Any, tmp_path: Path) -> None:
    subprocess.run(["ip", "-n", wire.client, "addr", "add", "10.77.0.140/16", "dev", "cli0"], check=True)
    served = wire.serve(tmp_path, mode="proxy", systems=LADY)
    code = '[ask("discover", *PXE), ask("discover"), ask_boot_server("10.77.0.140", "10.77.0.1")]'
    offer, plain, ack = scapy(wire, code)
    assert plain is None
    assert (offer["message-type"], ack["message-type"]) == ([2], [5])
    for got in (offer, ack):
        assert (got["yiaddr"], got["siaddr"], got["file"]) == ("0.0.0.0", "10.77.0.1", "ipxe.efi")
        assert (got["vendor_class_id"], got["server_id"]) == (["PXEClient"], ["10.77.0.1"])
        assert "lease_time" not in got
    assert ack["from"] == ["10.77.0.1", 4011]
    assert [event["kind"] for event in served.events()] == ["dhcp.offer", "dhcp.drop", "dhcp.ack"]


ASK = """
from netprov.dhcp.ask import ask
from netprov.dhcp.client import Ask
b = ask("cli0", Ask({mac!r}, {options!r}))
print(b.ip, b.boot_file, b.next_server)
"""


def test_own_client_asks_for_another_machine(wire: Any, tmp_path: Path) -> None:
    """The interface has neither the MAC nor an address: what the Xen bootloader does in dom0."""
    wire.serve(tmp_path, systems={"domu": ("00:16:3e:00:00:01", "10.77.0.20/16")})
    options = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0"}
    out = wire.python(ASK.format(mac="00:16:3e:00:00:01", options=options))
    assert out.split() == ["10.77.0.20", "pxelinux.0", "10.77.0.1"]


def test_own_client_with_a_proxy(wire: Any, tmp_path: Path) -> None:
    """Addresses from dnsmasq, the boot file from us."""
    subprocess.run(["ip", "-n", wire.server, "addr", "add", "10.77.0.3/16", "dev", "srv0"], check=True)
    space = f"{wire.server}d"
    subprocess.run(["ip", "netns", "add", space], check=True)
    try:
        for words in (
            ("link", "add", "br0", "netns", wire.server, "type", "bridge", "forward_delay", "0"),
            ("link", "add", "d0", "netns", wire.server, "type", "veth", "peer", "name", "d1", "netns", space),
            ("-n", wire.server, "link", "set", "d0", "master", "br0", "up"),
            ("-n", wire.server, "addr", "flush", "dev", "srv0"),
            ("-n", wire.server, "link", "set", "srv0", "master", "br0"),
            ("-n", wire.server, "addr", "add", "10.77.0.1/16", "dev", "br0"),
            ("-n", wire.server, "link", "set", "br0", "up"),
            ("-n", space, "addr", "add", "10.77.0.2/16", "dev", "d1"),
            ("-n", space, "link", "set", "d1", "up"),
        ):
            subprocess.run(["ip", *words], check=True)
        plain = ["dnsmasq", "-k", "-p", "0", "-C", "/dev/null", "-i", "d1", "--user=root", "--leasefile-ro"]
        plain += ["--no-ping"]
        plain += ["--dhcp-range=10.77.0.150,10.77.0.160,255.255.0.0,1h", "--pid-file=", "--dhcp-authoritative"]
        wire.processes.append(subprocess.Popen(["ip", "netns", "exec", space, *plain], stderr=subprocess.DEVNULL))
        served = wire.serve(tmp_path, mode="proxy", systems=LADY)
        options = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0"}
        address, name, server = wire.python(ASK.format(mac=CLIENT_MAC, options=options)).split()
        assert address.startswith("10.77.0.1")
        assert (name, server) == ("pxelinux.0", "10.77.0.1")
        asked = [event for event in served.events() if event["kind"] == "dhcp.request"]
        assert asked
        assert asked[0]["ip"] == address
    finally:
        wire.processes[0].kill()
        subprocess.run(["ip", "netns", "del", space], check=False)


def test_d18_kill_9_loses_no_acknowledged_lease(wire: Any, tmp_path: Path) -> None:
    subprocess.run(["ip", "-n", wire.client, "addr", "add", "10.77.0.2/16", "dev", "cli0"], check=True)
    told: dict[str, str] = {}
    for turn in range(3):
        served = wire.serve(tmp_path, range=("10.77.1.0", "10.77.40.255"), quiet=True)
        hammer = wire.start(sys.executable, str(HERE / "dhcp_hammer.py"), str(turn * 10_000))
        lines = [hammer.stdout.readline() for _ in range(60 + 37 * turn)]
        served.kill()
        lines += hammer.stdout.read().splitlines()
        for line in lines:
            client, address = line.split()
            assert address not in told.values(), f"{address} was given twice"
            told[client] = address
    with open_state(str(tmp_path)) as state:
        stored = {str(lease.ip): lease.mac for lease in state.leases.all()}
    assert len(told) >= 180
    assert {address: stored.get(address) for address in told.values()} == {
        address: mac_number(int(client)) for client, address in told.items()
    }
