"""A real server keeps the packets of real boots: tshark reads them, and no secret is in them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from scapy.utils import PcapReader

from netprov.inventory.generation import Reloader
from netprov.lab.accel import Accelerators
from netprov.lab.lab import ADDRESS, BRIDGE, NETWORK, Lab, lab
from netprov.recorder.secrets import secrets_of
from netprov.state.state import open_state

from ..e2e.conftest import namespaces  # noqa: F401
from ..e2e.served import Served
from ..simulate import site
from .tshark import assert_sound, needed, rows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

META, VNC, PROXY, API, LOGIN = "meta secret 1", "vnc secret-2", "proxysecret3", "np_apisecret4", "cookiesecret5"
SYSTEMS: dict[str, dict[str, Any]] = {
    "lady": {"boot_loaders": ["pxelinux"]},
    "duke": {"boot_loaders": ["ipxe"]},
    "tramp": {"boot_loaders": ["grub"]},
    "quiet": {"boot_loaders": ["pxelinux"]},
}
SECRET: dict[str, Any] = {
    "profile": "site", "install": "install-once", "proxy": f"http://me:{PROXY}@10.77.0.9:3128",
    "autoinstall_meta": {"rootpw": META},
    "kernel_options": {"inst.vnc.password": VNC, "rd.note": f"ftp://me:{PROXY}@10.77.0.9/x", "auth_token": META},
}  # fmt: skip


def mac(name: str) -> str:
    return f"52:54:00:77:02:{list(SYSTEMS).index(name):02x}"


def configuration(folder: Path, root: Path) -> Path:
    subnet = {"subnet": NETWORK, "range": "10.77.0.100-10.77.0.199", "router": ADDRESS}
    systems = {
        name: {**SECRET, **fields, "interfaces": {"eth0": {"mac": mac(name), "ip": f"10.77.0.{20 + place}"}}}
        for place, (name, fields) in enumerate(SYSTEMS.items())
    }
    token = {"hash": "sha256:" + hashlib.sha256(API.encode()).hexdigest(), "scopes": ["read", "operate"]}
    path = folder / "netprov.yaml"
    path.write_text(yaml.safe_dump({
        "server": {"interfaces": [BRIDGE], "address": ADDRESS, "state": "state", "capture": "4M",
                   "tokens": {"ci": token}},
        "dhcp": {"mode": "full", "subnets": [subnet]}, "tftp": {"root": str(root)},
        "distros": {"site": site.DISTROS["site"]}, "profiles": {"site": {"distro": "site"}}, "systems": systems,
    }, sort_keys=False))  # fmt: skip
    return path


class Recorded:
    def __init__(self, network: Lab, served: Served, folder: Path) -> None:
        self.lab, self.served, self.folder = network, served, folder

    def boot(self, name: str, kind: str = "bios", code: int = 0) -> None:
        command = [sys.executable, "-m", "netprov", "simulate", name, "--arch", kind, "--via", BRIDGE, "--callback",
                   "--timeout", "3", "-c", str(self.served.config)]  # fmt: skip
        done = self.lab.run(command, timeout=100)
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{self.served.why()}"

    def pcap(self, name: str, *words: str) -> Path:
        """The packets of the machine's last boot, once the recorder has stored them."""
        path = self.folder / f"{name}.pcap"
        time.sleep(1.5)
        self.served.netprov("timeline", name, "--pcap", str(path), *words)
        return path

    def children(self) -> dict[str, int]:
        pids = Path(f"/proc/{self.served.process.pid}/task/{self.served.process.pid}/children").read_text().split()
        names = {int(pid): ("journal", "capture", "dhcp", "tftp", "http")[n] for n, pid in enumerate(pids[:5])}
        return {name: pid for pid, name in names.items()}


@pytest.fixture(scope="module")
def recorded(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:  # noqa: F811
    needed()
    folder = tmp_path_factory.mktemp("recorded")
    root = site.root_in(folder)
    with lab(folder, Accelerators(), "capture") as network:
        served = Served(network, configuration(folder, root), folder / "server.log", {"quiet": {"G8"}})
        yield Recorded(network, served, folder)
        served.stop()


@pytest.fixture(scope="module")
def booted(recorded: Recorded) -> Recorded:
    for name, kind in (("lady", "bios"), ("duke", "bios"), ("tramp", "uefi-x64")):
        recorded.boot(name, kind)
    return recorded


NAMES = ("lady", "duke", "tramp")


@pytest.mark.parametrize("name", NAMES)
def test_wireshark_finds_nothing_wrong(booted: Recorded, name: str) -> None:
    assert_sound(booted.pcap(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_address_is_there_as_it_was_given(booted: Recorded, name: str) -> None:
    said = rows(booted.pcap(name), "dhcp.option.dhcp", "eth.src", "dhcp.hw.mac_addr", "dhcp.ip.your", only="dhcp")
    given = f"10.77.0.{20 + list(SYSTEMS).index(name)}"
    assert [row[0] for row in said[:4]] == ["1", "2", "3", "5"]
    assert {row[2].partition(",")[0] for row in said} == {mac(name)}
    assert said[0][1] == mac(name)
    assert [row[3] for row in said[1:4:2]] == [given, given]


@pytest.mark.parametrize("name", NAMES)
def test_every_transfer_is_there_from_its_request_to_its_last_block(booted: Recorded, name: str) -> None:
    path = booted.pcap(name)
    asked = [row[0] for row in rows(path, "tftp.source_file", only="tftp.opcode == 1")]
    events = booted.served.boots(name)[-1]["events"]
    done = [event for event in events if event["kind"] == "tftp.done"]
    assert done
    assert {event["name"] for event in done} <= set(asked)
    data = rows(path, "udp.dstport", "tftp.block", "frame.len", "frame.cap_len", only="tftp.opcode == 3")
    for event in done:
        port = event["peer"].rpartition(":")[2]
        blksize = int(dict(event["detail"])["blksize"])
        last = event["size"] // blksize + 1
        (final,) = {row for row in data if row[:2] == (port, str(last))}
        assert int(final[2]) == 14 + 20 + 8 + 4 + event["size"] % blksize
    acked = rows(path, "udp.srcport", "tftp.block", only="tftp.opcode == 4")
    assert {(e["peer"].rpartition(":")[2], str(e["size"] // int(dict(e["detail"])["blksize"]) + 1)) for e in done} <= {
        *acked
    }


def test_a_scripts_text_is_there_without_its_secrets(booted: Recorded) -> None:
    with PcapReader(str(booted.pcap("lady"))) as reader:
        octets = b"".join(bytes(packet) for packet in reader)
    assert b"APPEND" in octets.upper()
    assert b"inst.vnc.password=*" in octets
    assert b"site/vmlinuz" in octets


@pytest.mark.parametrize("name", NAMES)
def test_the_heads_of_http_are_there(booted: Recorded, name: str) -> None:
    path = booted.pcap(name)
    asked = rows(path, "http.request.uri", "http.host", only="http.request")
    answered = rows(path, "http.response.code", "http.content_length", only="http.response")
    events = [event for event in booted.served.boots(name)[-1]["events"] if event["kind"].startswith("http.")]
    assert len(asked) == len(answered) == len(events) > 0
    assert [row[0].partition("?")[0] for row in asked if "callback" not in row[0]] == [
        event["name"] for event in events if "callback" not in event["name"]
    ]
    assert {row[0] for row in answered} == {"200"}
    assert all(row[1] for row in answered)


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_of_the_inventory_is_in_it(booted: Recorded, name: str) -> None:
    booted.served.netprov("timeline", name)
    inventory = Reloader(booted.served.config).reload()
    assert inventory is not None
    state = open_state(str(booted.folder / "state"))
    record = state.installs.get(name)
    state.close()
    assert record is not None
    assert len(record.token) > 16
    secrets = {*secrets_of(inventory), record.token, META, VNC, PROXY, API}
    assert len(secrets) >= 6
    held = [booted.pcap(name), *(booted.folder / "state").glob("capture.db*")]
    for octets in (path.read_bytes() for path in held):
        for secret in secrets:
            for form in (secret, quote(secret), quote(secret, safe="")):
                assert form.encode() not in octets, form


def test_who_says_who_he_is_is_not_recorded(booted: Recorded) -> None:
    station = booted.lab.station("duke", mac("duke"), "10.77.0.21/24")
    headers = {"Authorization": f"Bearer {API}", "Cookie": f"session={LOGIN}", "X-Auth-Token": LOGIN, "X-Plain": "seen"}
    ask = (
        "import urllib.request as u, urllib.error as e\n"
        f"q = u.Request('http://{ADDRESS}/files/nowhere?password={LOGIN}&a=1', headers={headers!r})\n"
        "try: u.urlopen(q, timeout=20)\n"
        "except e.HTTPError as error: print(error.code)\n"
    )
    done = station.run([sys.executable, "-c", ask])
    assert done.stdout.strip() == "404", done.stderr
    path = booted.pcap("duke")
    octets = path.read_bytes()
    assert b"/files/nowhere?password=*************&a=1" in octets
    assert b"seen" in octets
    for secret in (API, LOGIN):
        assert secret.encode() not in octets
        assert secret.encode() not in b"".join(p.read_bytes() for p in (booted.folder / "state").glob("capture.db*"))
    assert_sound(path)


def test_it_outlives_its_workers_and_a_restart(recorded: Recorded) -> None:
    recorded.boot("quiet")
    before = len(rows(recorded.pcap("quiet"), "frame.number"))
    workers = recorded.children()
    for name in ("tftp", "dhcp", "http", "capture"):
        os.kill(workers[name], signal.SIGKILL)
        recorded.served.wait_said(f"the {name} worker ended by signal SIGKILL")
        time.sleep(0.5)
    assert len(rows(recorded.pcap("quiet"), "frame.number")) == before
    recorded.served.stop()
    recorded.served.start()
    assert len(rows(recorded.pcap("quiet"), "frame.number")) == before
    recorded.boot("quiet")
    both = recorded.pcap("quiet", "--last", "2")
    assert len(rows(both, "frame.number")) > before
    assert_sound(both)


GARBAGE = (b"", b"\xff" * 2000, bytes(300), bytes(range(256)) * 3, b"\0\1" + b"a" * 600, b"\0\1x\0octet\0")


def test_garbage_does_no_harm(booted: Recorded) -> None:
    station = booted.lab.station("garbage", "52:54:00:77:02:99", "10.77.0.99/24")
    send = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 6000))\n"
        f"for data in {GARBAGE!r}:\n"
        f" for port in (67, 69, 4011): s.sendto(data, ({ADDRESS!r}, port))\n"
    )
    done = station.run([sys.executable, "-c", send])
    assert done.returncode == 0, done.stderr
    booted.boot("tramp", "uefi-x64")
    assert_sound(booted.pcap("tramp"))
    kept = b"".join(path.read_bytes() for path in (booted.folder / "state").glob("capture.db*"))
    assert b"a" * 500 in kept  # they are on record all the same


def test_a_machine_without_packets_is_told_why(booted: Recorded, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "netprov", "timeline", "52:54:00:77:02:77", "--pcap", str(tmp_path / "x.pcap"),
               "-c", str(booted.served.config)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "this machine has not contacted this server yet" in done.stderr
    assert not (tmp_path / "x.pcap").exists()
