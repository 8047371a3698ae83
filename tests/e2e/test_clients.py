"""Real clients against `netprov serve` as a whole: what they are given, and what the state and the timeline hold."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from netprov.lab.accel import Accelerators
from netprov.lab.lab import ADDRESS, Station, lab

from .served import Served, configuration

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

MAC = "02:00:00:77:00:70"
IP = "10.77.0.70"
CONTENT = bytes(range(256)) * 1234
SYSTEMS = {"lady": {"profile": "plain", "interfaces": {"eth0": {"mac": MAC, "ip": IP}}}}

FETCHES = {
    "curl": ["curl", "-sS", "--tftp-blksize", "1428", "-o", "got", f"tftp://{ADDRESS}/vmlinuz"],
    "curl http": ["curl", "-sS", "-o", "got", f"http://{ADDRESS}/files/vmlinuz"],
    "tftp-hpa": ["tftp", "-m", "binary", ADDRESS, "-c", "get", "vmlinuz", "got"],
    "atftp": ["atftp", "--option", "blksize 1428", "-g", "-r", "vmlinuz", "-l", "got", ADDRESS],
    # not -T: it ends in a segmentation fault in Debian 12
    "busybox": ["timeout", "30", "busybox", "tftp", "-g", "-b", "1428", "-r", "vmlinuz", "-l", "got", ADDRESS],
}


@pytest.fixture(scope="module")
def served(namespaces: None, accelerators: Accelerators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("clients")
    (folder / "root").mkdir()
    (folder / "root" / "vmlinuz").write_bytes(CONTENT)
    with lab(folder, accelerators, "clients") as made:
        config = configuration(
            folder, folder / "root", SYSTEMS, distros={"plain": {"kernel": "vmlinuz"}},
            profiles={"plain": {"distro": "plain"}}, usual=False,
        )  # fmt: skip
        served = Served(made, config, folder / "server.log")
        yield served
        served.stop()


@pytest.fixture(scope="module")
def station(served: Served) -> Station:
    return served.lab.station("lady", MAC)


def run(station: Station, command: Sequence[str], folder: Path) -> str:
    """What the client says, which is to end well."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    done = station.run(["env", "-C", str(folder), *command])
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{said}\n{station.lab.why and station.lab.why()}"
    return said


def leases(served: Served) -> dict[str, dict[str, str]]:
    return {lease["mac"]: lease for lease in json.loads(served.netprov("leases", "--json"))}


def test_udhcpc(served: Served, station: Station, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text('#!/bin/sh\necho "$1 ip=$ip mask=$mask router=$router dns=$dns lease=$lease"\n')
    hook.chmod(0o755)
    said = run(station, ["udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", str(hook)], tmp_path)
    assert f"bound ip={IP} mask=24 router={ADDRESS} dns={ADDRESS} lease=3600" in said
    lease = leases(served)[MAC]
    assert (lease["ip"], lease["system"], lease["state"]) == (IP, "lady", "leased")
    served.wait_done("lady", ["address"])


def test_dhclient(served: Served, station: Station, tmp_path: Path) -> None:
    files = ["-lf", str(tmp_path / "leases"), "-pf", str(tmp_path / "pid"), "-cf", "/dev/null", "-sf", "/bin/true"]
    log = tmp_path / "log"
    client = station.spawn(["dhclient", "-4", "-1", "-d", "-v", *files, "eth0"], log)
    served.until(lambda: f"bound to {IP}" in log.read_text(), "dhclient is bound")
    served.lab.stop(client)
    assert leases(served)[MAC]["ip"] == IP


def test_perfdhcp(served: Served) -> None:
    """Fifty clients behind a relay; each has a lease of its own in the end."""
    relay = served.lab.station("relay", "02:00:00:77:00:02", "10.77.0.2/24")
    # it stops when it has sent its last, so an answer or two may come too late for it: status 3
    said = relay.run(["perfdhcp", "-4", "-g", "single", "-r", "25", "-R", "50", "-n", "50", ADDRESS]).stdout
    received = [int(number) for number in re.findall(r"received packets: (\d+)", said)]
    assert len(received) == 2, said
    assert min(received) >= 45, said
    ips = [lease["ip"] for mac, lease in leases(served).items() if mac != MAC]
    assert len(ips) == len(set(ips)) >= 45


@pytest.mark.parametrize("client", FETCHES)
def test_fetch(served: Served, client: str, tmp_path: Path) -> None:
    number = 80 + list(FETCHES).index(client)
    fetcher = served.lab.station(f"f{number}", f"02:00:00:77:00:{number}", f"10.77.0.{number}/24")
    run(fetcher, FETCHES[client], tmp_path)
    assert (tmp_path / "got").read_bytes() == CONTENT
    served.until(lambda: "kernel" in served.done(f"10.77.0.{number}"), f"the timeline shows what {client} fetched")
