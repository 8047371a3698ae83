"""Faults of the network, planted beside a real server in a network of its own, and found from a client's side."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netprov.lab import netns
from netprov.lab.accel import Accelerators
from netprov.lab.lab import ADDRESS, BRIDGE, NETWORK, Lab, Station, lab
from tests.e2e.conftest import namespaces  # noqa: F401
from tests.e2e.served import PATIENCE, Served, configuration
from tests.simulate import rogue

from .check_world import INITRD, X86, bzimage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RANGE = {"subnet": NETWORK, "range": "10.77.0.100-10.77.0.199", "router": ADDRESS}
FILES = {"breed": "redhat", "os_version": "9", "kernel": "vmlinuz", "initrd": ["initrd"], "autoinstall": "default.ks",
         "tree": "http://10.77.0.1/t"}  # fmt: skip
LADY = {"profile": "web", "interfaces": {"eth0": {"mac": "52:54:00:88:00:01", "ip": "10.77.0.10"}}}


@dataclass(frozen=True)
class Bench:
    lab: Lab
    served: Served

    def check(self, *only: str, code: int | None = None, where: Sequence[str] = ()) -> dict[str, Any]:
        """What `netprov check --json` says in the lab; what this host always has its own of is not asked for."""
        words = [word for name in only for word in ("--only", name)]
        command = [*where, sys.executable, "-m", "netprov", "check", "-c", str(self.served.config), "--json", *words]
        done = self.lab.run(command, PATIENCE)
        assert done.stdout.startswith("{"), done.stderr
        assert code in (None, done.returncode), f"{done.stdout}\n{self.served.why()}"
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def found(self, *only: str, code: int | None = None) -> list[tuple[str, str, list[str]]]:
        said = self.check(*only, code=code)["findings"]
        return [(row["id"], row["severity"], row["machines"]) for row in said]

    def texts(self, *only: str) -> str:
        return "\n".join(row["text"] for row in self.check(*only)["findings"])

    @contextmanager
    def rival(self, number: int, *boots: str) -> Iterator[str]:
        """Another DHCP server on the bridge; its address."""
        address = f"10.77.0.{number}"
        station = self.lab.station(f"rival{number}", f"52:54:00:77:99:{number:02x}", f"{address}/24")
        offered = f"10.77.0.{number + 50}"
        process = station.spawn([sys.executable, rogue.__file__, "eth0", address, offered, *boots])
        deadline = time.monotonic() + PATIENCE
        while "0043" not in station.run(["cat", "/proc/net/udp"]).stdout:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
        self.lab.stop(process)
        self.lab.stations.remove(station.namespace)
        netns.delete(station.namespace)

    @contextmanager
    def firewall(self, *rules: str) -> Iterator[None]:
        chain = "type filter hook input priority 0; policy accept;"
        text = f"add table inet planted; add chain inet planted input {{ {chain} }}"
        self.nft("; ".join([text, *(f"add rule inet planted input {rule}" for rule in rules)]))
        yield
        self.nft("delete table inet planted")

    def nft(self, text: str) -> None:
        done = self.lab.run(["nft", text])
        assert done.returncode == 0, done.stderr

    def links(self) -> set[str]:
        return {row["ifname"] for row in json.loads(self.lab.ip("-json", "link", "show"))}


@contextmanager
def bench(folder: Path, **settings: Any) -> Iterator[Bench]:
    root = folder / "root"
    (root / "loaders").mkdir(parents=True)
    for name in X86:
        (root / "loaders" / name).write_bytes(b"loader" * 2000)
    (root / "vmlinuz").write_bytes(bzimage())
    (root / "initrd").write_bytes(INITRD)
    distros, profiles = {"d": FILES}, {"web": {"distro": "d"}}
    named = {"distros": distros, "profiles": profiles, "usual": False, **settings}
    config = configuration(folder, root, {"lady": LADY}, **named)
    with lab(folder, Accelerators(), f"check-{folder.name}") as network:
        made = Bench(network, Served(network, config, folder / "server.log"))
        yield made
        made.served.stop()


@pytest.fixture(scope="module")
def full(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:  # noqa: F811
    with bench(tmp_path_factory.mktemp("full"), dhcp={"mode": "full", "subnets": [RANGE]}) as made:
        yield made


@pytest.fixture(scope="module")
def proxy(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:  # noqa: F811
    with bench(tmp_path_factory.mktemp("proxy"), dhcp={"mode": "proxy", "subnets": []}) as made:
        yield made


WIRE = ("interfaces", "subnets", "next server", "ports", "answers", "rivals", "firewall")


def test_nothing_is_found(full: Bench) -> None:
    before = full.links()
    assert full.found(*WIRE, "loaders", "files", "server", "generation", "state", "journal", code=0) == []
    said = full.lab.run([sys.executable, "-m", "netprov", "check", "-c", str(full.served.config), *_only(WIRE)]).stdout
    assert "DHCP, ProxyDHCP, TFTP and HTTP answer a client at br0" in " ".join(said.split())
    assert full.links() == before


def test_nothing_is_left_of_a_check(full: Bench) -> None:
    """No lease, no machine in the timeline, no stranger."""
    full.check("answers")
    assert json.loads(full.served.netprov("leases", "--json")) == []
    assert json.loads(full.served.netprov("timeline", "--json")) == []


def _only(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--only", name)]


def test_g15_another_dhcp_server(full: Bench) -> None:
    with full.rival(2) as address:
        said = full.check("rivals", code=1)["findings"]
        assert [(row["id"], row["severity"], row["machines"]) for row in said] == [("rival-dhcp", "error", ["lady"])]
        assert said[0]["text"] == (
            f"another DHCP server, {address} (52:54:00:77:99:02), offers 10.77.0.52 at br0, with nothing to boot"
        )
        assert said[0]["command"] == f"ip neigh show {address}"


def test_g15_another_dhcp_server_overheard(full: Bench) -> None:
    """It has answered a client, and is not there any more."""
    with full.rival(3):
        full.check("rivals")
    deadline = time.monotonic() + PATIENCE
    while "10.77.0.3" not in (texts := full.texts("rivals")):  # the server listens every five seconds
        assert time.monotonic() < deadline, full.served.why()
        time.sleep(1)
    assert "another DHCP server, 10.77.0.3, offered 10.77.0.53 on br0 at" in texts
    assert "(its MAC is 52:54:00:77:99:03)" in texts
    assert {row[:2] for row in full.found("rivals", code=0)} == {("rival-heard", "warning")}
    assert json.loads(full.served.netprov("timeline", "--json")) == []


SILENT = [
    # what the firewall drops, the ids of what is found by asking, and the service as the rules tell
    (("udp dport 67 drop",), ["dhcp-silent"], "DHCP (UDP 67)"),
    (("udp dport 4011 drop",), ["proxy-silent"], "ProxyDHCP (UDP 4011)"),
    (("udp dport 69 drop",), ["tftp-silent"], "TFTP (UDP 69)"),
    (("udp dport 32768-60999 drop",), ["tftp-silent"], "TFTP's data (UDP 32768-60999)"),
    (("tcp dport 80 drop",), ["http-silent"], "HTTP (TCP 80)"),
    (("tcp dport 80 reject with tcp reset",), ["http-silent"], "HTTP (TCP 80)"),
]


@pytest.mark.parametrize(("rules", "ids", "service"), SILENT)
def test_a_firewall_in_the_way(full: Bench, rules: Sequence[str], ids: list[str], service: str) -> None:
    with full.firewall(*rules):
        said = full.check("answers", "firewall", code=1)["findings"]
        silent = [row["id"] for row in said if row["check"] == "answers"]
        assert silent == ids, said
        dropped = [row for row in said if row["id"] == "firewall-drops"]
        assert [service in row["text"] for row in dropped] == [True], said
        assert dropped[0]["machines"] == ["lady"]
        full.nft(dropped[0]["command"].removeprefix("nft "))  # what fixes it
        assert full.found("firewall", code=0) == []
    assert full.links() == {"lo", BRIDGE}


def test_a_worker_that_hangs(full: Bench) -> None:
    worker = full.served.workers()["dhcp"]
    os.kill(worker, signal.SIGSTOP)
    try:
        ids = [row[0] for row in full.found("answers", code=1)]
        assert ids == ["dhcp-silent", "proxy-silent"] or ids == ["dhcp-silent"]
        ((id, severity, machines),) = full.found("ports", code=1)
        assert (id, severity, machines) == ("port-unread", "error", ["*"])
        assert "octets wait at UDP port 67 and are not read" in full.texts("ports")
    finally:
        os.kill(worker, signal.SIGCONT)
    full.served.until(lambda: full.found("ports", "answers") == [], "it reads again")


HOLD = """
import socket, sys, time
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
sock = socket.socket(socket.AF_INET, kind)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(sys.argv[4]))
sock.bind((sys.argv[2], int(sys.argv[3])))
if kind == socket.SOCK_STREAM: sock.listen()
print("held", flush=True)
time.sleep(1000)
"""


@contextmanager
def held(network: Lab, protocol: str, address: str, port: int, shared: bool = False) -> Iterator[int]:
    log = network.folder / f"held-{port}-{time.monotonic()}.log"
    command = [sys.executable, "-c", HOLD, protocol, address, str(port), str(int(shared))]
    process = network.spawn(command, log)
    deadline = time.monotonic() + PATIENCE
    while "held" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    yield process.pid
    network.stop(process)


def test_a_port_that_another_shares(full: Bench) -> None:
    with held(full.lab, "udp", ADDRESS, 67, shared=True) as pid:
        assert full.found("ports", code=0) == [("port-shared", "warning", ["*"])]
        assert f"python (process {pid})" in full.texts("ports").replace("python3", "python")
    assert full.found("ports", code=0) == []


def test_a_port_changed_without_a_restart(full: Bench) -> None:
    text = full.served.config.read_text()
    full.served.config.write_text(text + "http: {port: 8080}\n")
    try:
        ids = [row[0] for row in full.found("ports", "answers", code=1)]
        assert ids == ["port-missing", "http-silent"]
        assert "TCP port 8080 (http.port)" in full.texts("ports")
    finally:
        full.served.config.write_text(text)
    full.served.until(lambda: full.found("ports", "answers") == [], "all is as before")


TAKEN = [("udp", 67), ("udp", 69), ("udp", 4011), ("tcp", 80)]


def test_ports_that_others_hold(namespaces: None, tmp_path: Path) -> None:  # noqa: F811
    """No server runs: whether it could."""
    with bench(tmp_path, dhcp={"mode": "full", "subnets": [RANGE]}) as made:
        made.served.stop()
        assert made.found("ports", code=0) == []
        for protocol, port in TAKEN:
            with held(made.lab, protocol, "0.0.0.0", port) as pid:
                ((row),) = made.check("ports", code=1)["findings"]
                assert (row["id"], row["machines"]) == ("port-taken", ["*"])
                assert row["text"].startswith(f"{protocol.upper()} port {port} is held by py")
                assert f"(process {pid}): netprov serve cannot start" in row["text"]
        made.lab.ip("link", "set", BRIDGE, "down")
        assert [row[0] for row in made.found("interfaces", code=1)] == ["interface-down"]
        made.lab.ip("link", "delete", BRIDGE)
        assert [row[0] for row in made.found("interfaces", code=1)] == ["interface-missing"]
        made.lab.ip("link", "add", BRIDGE, "type", "bridge")
        made.lab.ip("link", "set", BRIDGE, "up")
        assert [row[0] for row in made.found("interfaces", code=1)] == ["interface-bare"]
        made.served.start()  # for its end


def test_beside_another_server(proxy: Bench) -> None:
    assert proxy.found("rivals", code=1) == [("dhcp-absent", "error", ["lady"])]
    with proxy.rival(2):
        assert proxy.found("rivals", "answers", code=0) == []
        with proxy.rival(3):
            assert proxy.found("rivals", code=0) == [("rival-dhcp", "warning", ["lady"])]


def test_beside_a_server_that_boots_machines_itself(proxy: Bench) -> None:
    with proxy.rival(4, "evil\x1b.0", "PXEClient"):
        rows = proxy.check("rivals", code=0)["findings"]
        assert ("rival-boot-file", "warning") in [(row["id"], row["severity"]) for row in rows]
        command = [sys.executable, "-m", "netprov", "check", "-c", str(proxy.served.config), "--only", "rivals"]
        assert "\x1b" not in proxy.lab.run(command).stdout


def test_next_servers(full: Bench) -> None:
    """One is not there, one is."""
    other = full.lab.station("tftp", "52:54:00:77:99:09", "10.77.0.9/24")
    folder = full.served.config.parent / "root" / "loaders"
    options = ["--keep-in-foreground", "--port=0", "--user=root", "--conf-file=/dev/null"]
    other.spawn(["dnsmasq", *options, "--enable-tftp", f"--tftp-root={folder}"])
    full.served.until(lambda: ":0045" in other.run(["cat", "/proc/net/udp"]).stdout, "dnsmasq serves")
    text = full.served.config.read_text()
    away = {"tramp": {"profile": "web", "next_server": "10.77.0.99", "serial": "X"},
            "siamese": {"profile": "web", "next_server": "10.77.0.9", "serial": "Y"}}  # fmt: skip
    full.served.config.write_text(text + f"inventory: {json.dumps({'systems': away})}\n")
    try:
        assert full.found("next server", code=0) == [("next-server-silent", "warning", ["tramp"])]
    finally:
        full.served.config.write_text(text)
        full.lab.stations.remove(other.namespace)
        netns.delete(other.namespace)


def test_at_a_network_card(full: Bench) -> None:
    """A server behind a card, which no machine can be plugged in at: the wire is asked, and the host itself."""
    host = full.lab.station("host", "52:54:00:77:99:0a", "10.77.0.11/24")
    folder = full.served.config.parent / "host"
    folder.mkdir()
    text = full.served.config.read_text().replace("br0", "eth0").replace(f"address: {ADDRESS}", "address: 10.77.0.11")
    (folder / "netprov.yaml").write_text(text)
    log = folder / "server.log"
    host.spawn([sys.executable, "-m", "netprov", "serve", "-c", str(folder / "netprov.yaml")], log)
    full.served.until(lambda: "netprov: serves " in log.read_text(), "the other server serves")
    try:
        rows = _at(host, folder, "rivals")["findings"]
        assert [(row["id"], row["text"].split(" (")[0]) for row in rows] == [
            ("rival-dhcp", f"another DHCP server, {ADDRESS}")
        ]
        assert _at(host, folder, "answers", "ports")["findings"] == []
        host.run(["nft", "add table inet f; add chain inet f input { type filter hook input priority 0; }; "
                         "add rule inet f input tcp dport 80 drop"])  # fmt: skip
        assert [row["id"] for row in _at(host, folder, "answers")["findings"]] == ["http-silent"]
    finally:
        full.lab.stations.remove(host.namespace)
        netns.delete(host.namespace)


def _at(host: Station, folder: Path, *only: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "netprov", "check", "-c", str(folder / "netprov.yaml"), "--json", *_only(only)]
    said: dict[str, Any] = json.loads(host.run(command).stdout)
    return said


READ = "import sys; from netprov.check.client import tftp_read; print(tftp_read('10.77.0.1', 69, sys.argv[1]).name)"


def test_only_loaders_are_read_unseen(proxy: Bench) -> None:
    """Who reads a kernel as the check reads a loader stands in the journal all the same."""
    for name in ("pxelinux.0", "vmlinuz"):
        assert proxy.lab.run([sys.executable, "-c", READ, name]).stdout == "DATA\n"
    told: list[str] = []

    def written() -> bool:
        boots = json.loads(proxy.served.netprov("timeline", "--json"))
        told[:] = [event["name"] for boot in boots for event in boot["events"]]
        return bool(told)

    proxy.served.until(written, "the journal tells of the kernel", 20)
    assert set(told) == {"vmlinuz"}
