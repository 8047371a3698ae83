"""Which lines are kept, whose they are, and what is told of those left out."""

from __future__ import annotations

import logging
import shutil
import socket
import sqlite3
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from logging.handlers import SysLogHandler
from pathlib import Path

import pytest

from netprov.boot.reason import Reason
from netprov.inventory.model import Interface, Inventory, Target
from netprov.journal.boots import boot_of
from netprov.journal.correlate import Correlator, Placed
from netprov.journal.event import Event, Kind
from netprov.journal.lines import AGAIN, FEW, KEEP, PAUSE, Lines
from netprov.journal.store import Store
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, verdicts
from netprov.mac import Mac
from netprov.state.failure import StateError
from netprov.state.sightings import Sighting
from netprov.state.state import open_state
from netprov.syslog.receiver import ALL_BURST, BURST, RATE, TELL, TOLD, Receiver, Who
from netprov.syslog.worker import Directory, SyslogWorker
from netprov.web.lanes import draw
from tests.journal.scenes import Machine, bios_pxelinux
from tests.world import in_thread, until

MAC = "52:54:00:12:34:56"
LINE = b"<27>Nov 23 15:00:01 anaconda[1]: no disk"


def receiver(mac: str = MAC, system: str = "lady") -> Receiver:
    return Receiver(lambda address: Who(mac, system))


def test_a_line_is_an_event_of_its_machine() -> None:
    event = receiver().receive(LINE, "10.0.0.1", 1_800_000_000.0)
    assert event == Event(
        1_800_000_000.0, Kind.SYSLOG_LINE, Reason.SYSLOG_LINE, "anaconda: no disk", mac=MAC, ip="10.0.0.1",
        system="lady", name="anaconda", detail=(("severity", "err"), ("facility", "daemon")),
    )  # fmt: skip


def test_a_flood_is_cut_and_told_of() -> None:
    receiving = receiver()
    kept = sum(receiving.receive(LINE, "10.0.0.1", 100.0) is not None for _ in range(5000))
    assert kept == BURST
    assert receiving.due(100.0 + TELL / 2) == []
    assert receiving.timer() == 100.0
    (event,) = receiving.due(100.0 + TELL)
    assert (event.kind, event.reason, event.mac) == (Kind.SYSLOG_DROP, Reason.SYSLOG_FLOOD, MAC)
    assert event.text == f"{5000 - BURST} lines of its log left out: they came too fast"
    assert receiving.due(200.0) == []
    assert receiving.timer() is None
    kept = sum(receiving.receive(LINE, "10.0.0.1", 101.0) is not None for _ in range(5000))
    assert kept == RATE


def test_one_machines_flood_is_not_anothers() -> None:
    receiving = receiver()
    for _ in range(5000):
        receiving.receive(LINE, "10.0.0.1", 100.0)
    assert receiving.receive(LINE, "10.0.0.2", 100.0) is not None


def test_all_together_have_a_limit_too() -> None:
    receiving = receiver()
    kept = sum(receiving.receive(LINE, f"10.0.{n % 250}.{n % 50}", 100.0) is not None for n in range(20_000))
    assert kept == ALL_BURST


def test_a_flood_of_invented_addresses_is_one_line() -> None:
    receiving = receiver()
    for n in range(20_000):
        receiving.receive(LINE, f"10.{n % 200}.{n % 7}.{n % 11}", 100.0)
    events = receiving.due(100.0 + TELL)
    assert len(events) == TOLD + 1
    assert (events[-1].ip, events[-1].mac) == ("", "")
    assert "other addresses left out" in events[-1].text


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    receiving = receiver()
    receiving.receive(LINE, "10.0.0.1", 1000.0)
    assert receiving.receive(LINE, "10.0.0.1", 10.0) is not None


# whose they are


class Seen:
    def __init__(self, *sightings: Sighting, broken: bool = False) -> None:
        self._by_ip = {sighting.ip: sighting for sighting in sightings}
        self.asked = 0
        self.broken = broken

    def at(self, ip: IPv4Address) -> Sighting | None:
        self.asked += 1
        if self.broken:
            raise StateError("the disk is full", "make room")
        return self._by_ip.get(ip)


LADY = Target("system", "lady", interfaces=(Interface("eth0", Mac(MAC), IPv4Interface("10.0.0.1/24")),))
INVENTORY = Inventory.of(LADY)


@pytest.mark.parametrize(
    ("seen", "address", "expected"),
    [
        (Seen(Sighting(IPv4Address("10.0.0.9"), MAC, at=900.0)), "10.0.0.9", Who(MAC, "lady")),
        (Seen(Sighting(IPv4Address("10.0.0.9"), "52:54:00:00:00:09", at=900.0)), "10.0.0.9", Who("52:54:00:00:00:09")),
        (Seen(Sighting(IPv4Address("10.0.0.9"), MAC, at=-90_000.0)), "10.0.0.9", Who()),
        (Seen(), "10.0.0.1", Who(MAC, "lady")),
        (Seen(broken=True), "10.0.0.1", Who(MAC, "lady")),
        (Seen(), "10.0.0.77", Who()),
        (Seen(), "fe80::1", Who()),
        (Seen(), "", Who()),
    ],
)
def test_whose_an_address_is(seen: Seen, address: str, expected: Who) -> None:
    directory = Directory(seen, INVENTORY, lambda: 1000.0)
    assert directory.who(address) == expected


def test_the_state_is_not_asked_for_every_line() -> None:
    seen = Seen()
    directory = Directory(seen, INVENTORY, lambda: 1000.0)
    for _ in range(100):
        directory.who("10.0.0.9")
    assert seen.asked == 1
    directory.update(INVENTORY)
    directory.who("10.0.0.9")
    assert seen.asked == 2


def test_an_inventory_that_is_handed_over_before_the_loop_runs_counts() -> None:
    directory = Directory(Seen(), Inventory(), lambda: 1000.0)
    assert directory.who("10.0.0.1") == Who()
    SyslogWorker([], directory, lambda event: None).update(INVENTORY)
    assert directory.who("10.0.0.1") == Who(MAC, "lady")


# in the journal


def line(machine: Machine, text: str) -> Event:
    return machine.say(Kind.SYSLOG_LINE, Reason.SYSLOG_LINE, text, ip=machine.ip, detail=(("severity", "err"),))


def test_lines_join_the_running_boot_and_begin_none() -> None:
    machine, place = Machine(), Correlator().place
    before = line(machine, "before it booted")
    assert place(before).boot == 0
    bios_pxelinux(machine)
    placed = [place(event) for event in machine.events[1:]]
    assert {p.boot for p in placed} == {1}
    machine.wait(7200.0)
    late = place(line(machine, "the installed system"))
    assert (late.machine, late.boot) == (machine.mac, 1)


def test_a_system_that_goes_on_logging_is_rebooted_all_the_same() -> None:
    machine, place = Machine(), Correlator().place
    bios_pxelinux(machine)
    for _ in range(100):
        line(machine.wait(300.0), "still there")
    machine.address("os")  # it booted its disk
    assert [place(event).boot for event in machine.events][-1] == 2


def test_an_installer_that_logs_has_an_address_and_is_stuck_all_the_same() -> None:
    """What it logs is no progress: that it cannot fetch its answers, say."""
    machine = Machine()
    machine.address("ipxe", "x").tftp("x.cfg", "script", named=True)
    promised = machine.events[-1]
    machine.events[-1] = replace(promised, detail=(*promised.detail, ("initrds", "1"), ("answers", "default.ks")))
    machine.tftp("vmlinuz", "kernel", 8_000_000).tftp("initrd", "initrd", 8_000_000)

    def names() -> list[str]:
        return [v.name for v in verdicts(boot_of(machine.mac, 1, machine.events), Context(machine.at + 1000.0))]

    silent = names()
    line(machine.wait(20.0), "anaconda: starting")
    logging_ = names()
    assert [len(silent), len(logging_)] == [1, 1]
    assert silent != logging_


def test_only_the_last_lines_of_a_boot_are_kept(tmp_path: Path) -> None:
    machine, correlator, lines = Machine(), Correlator(), Lines()
    store = Store(tmp_path / "journal.db")
    bios_pxelinux(machine)
    own = len(machine.events)
    for n in range(5 * KEEP):
        line(machine, f"line {n}")
    for at in range(0, len(machine.events), 500):
        store.add(lines.sift([correlator.place(e) for e in machine.events[at : at + 500]]), 10**6, 0.0)
        for found in lines.long():
            store.trim(*found)
    (boot,) = Timeline.read(tmp_path / "journal.db", machine.mac)
    said = [event.text for event in boot.events if event.kind is Kind.SYSLOG_LINE]
    assert KEEP <= len(said) <= 2 * KEEP
    assert said == [f"line {n}" for n in range(5 * KEEP)][-len(said) :]
    assert len(boot.events) - len(said) == own  # nothing else went
    store.close()


def test_the_log_of_a_boot_that_is_over_is_cut_shorter(tmp_path: Path) -> None:
    machine, correlator, lines = Machine(), Correlator(), Lines()
    store = Store(tmp_path / "journal.db")
    for _ in range(2):
        bios_pxelinux(machine)
        for n in range(KEEP // 2):
            line(machine, f"line {n}")
    store.add(lines.sift([correlator.place(event) for event in machine.events]), 10**6, 0.0)
    for found in lines.long():
        store.trim(*found)
    boots = Timeline.read(tmp_path / "journal.db", machine.mac, 2)
    counts = [sum(event.kind is Kind.SYSLOG_LINE for event in boot.events) for boot in boots]
    assert counts == [FEW, KEEP // 2]
    store.close()


def test_a_machine_that_logs_for_ever_costs_nobody_his_history(tmp_path: Path) -> None:
    """What is kept is counted in events that are there."""
    quiet, chatty = Machine(), Machine("52:54:00:00:00:99", "192.168.77.99", "chatty", "", "its own", Machine.at + 100)
    correlator, lines, keep = Correlator(), Lines(), 3 * KEEP
    store = Store(tmp_path / "journal.db")
    bios_pxelinux(quiet)
    bios_pxelinux(chatty)
    own = len(quiet.events) + len(chatty.events)
    for n in range(10 * keep):
        line(chatty, f"line {n}")
    events = [*quiet.events, *chatty.events]
    for at in range(0, len(events), 200):
        store.add(lines.sift([correlator.place(event) for event in events[at : at + 200]]), keep, 0.0)
        for found in lines.long():
            store.trim(*found)
    (boot,) = Timeline.read(tmp_path / "journal.db", quiet.mac)
    assert len(boot.events) == len(quiet.events)
    with sqlite3.connect(tmp_path / "journal.db") as db:
        assert own + KEEP <= db.execute("SELECT count(*) FROM events").fetchone()[0] <= own + 2 * KEEP
        # and then the count holds: others' events push out the oldest, and no more
        for n in range(10):
            chatty.wait(1.0)
            more = [Event(chatty.at, Kind.SERVER, Reason.SERVER_STARTED, str(n))] * keep
            store.add([correlator.place(event) for event in more], keep, 0.0)
        for _ in range(20):
            store.add([], keep, 0.0)
        assert keep <= db.execute("SELECT count(*) FROM events").fetchone()[0] <= keep + 1
        assert db.execute("SELECT count(*) FROM gaps").fetchone()[0] <= 1
    store.close()


def test_the_log_of_who_does_not_boot_is_left_out_and_told_of_now_and_then() -> None:
    lines = Lines()

    def sift(at: float, ip: str = "10.0.0.9") -> list[Reason]:
        event = Event(at, Kind.SYSLOG_LINE, Reason.SYSLOG_LINE, "secret words", ip=ip)
        kept = lines.sift([Placed(event, f"ip {ip}", 0)])
        assert not [place for place in kept if "secret" in place.event.text]
        return [place.event.reason for place in kept]

    assert sift(1000.0) == [Reason.SYSLOG_UNKNOWN]
    assert sift(1001.0) == []
    assert sift(1000.0 + PAUSE, "10.0.0.10") == [Reason.SYSLOG_UNKNOWN]
    assert sift(1001.0 + AGAIN) == [Reason.SYSLOG_UNKNOWN]
    # a flood of invented addresses
    assert sum(len(sift(5000.0 + n / 100, f"10.1.{n // 250}.{n % 250}")) for n in range(10_000)) <= 11


# the sockets


@pytest.fixture
def worker(tmp_path: Path):
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    stream = socket.create_server(("127.0.0.1", 0))
    for sock in (datagrams, stream):
        sock.setblocking(False)
    recorded: list[Event] = []
    with open_state(str(tmp_path)) as state:
        worker = SyslogWorker([datagrams, stream], Directory(state.sightings, INVENTORY), recorded.append)
        with in_thread(worker.run, worker.stop):
            yield worker, datagrams.getsockname(), stream.getsockname(), recorded


def test_datagrams_and_streams(worker) -> None:
    _, udp, tcp, recorded = worker
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for data in (LINE, b"", b"\n", b"\xff\x00\xfe", b"A" * 60_000):
            sock.sendto(data, udp)
    until(lambda: len(recorded) == 3)
    assert recorded[0].text == "anaconda: no disk"
    assert len(recorded[2].text) == 2000
    with socket.create_connection(tcp) as sock:
        sock.sendall(b"40 " + LINE + LINE + b"\n<13>its last words")
    until(lambda: len(recorded) == 6)
    assert [event.text for event in recorded[3:]] == ["anaconda: no disk", "anaconda: no disk", "its last words"]
    assert {event.ip for event in recorded} == {"127.0.0.1"}


def test_connections_have_a_limit_and_give_their_place_back(worker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    running, _, tcp, recorded = worker
    held = [socket.create_connection(tcp) for _ in range(16)]
    for n, sock in enumerate(held):
        sock.sendall(b"<13>line %d\n" % n)
    until(lambda: len(recorded) == 16)
    with socket.create_connection(tcp) as refused:
        refused.settimeout(10)
        assert refused.recv(1) == b""
    held[0].sendall(b"99999999 nonsense")
    held[0].settimeout(10)
    assert held[0].recv(1) == b""
    until(lambda: not running.join("127.0.0.1") or running.leave("127.0.0.1") is None)
    for sock in held:
        sock.close()
    until(lambda: not running._from)


CLIENTS = {
    "logger, RFC 3164 by UDP": ["--udp", "--rfc3164"],
    "logger, RFC 5424 by UDP": ["--udp", "--rfc5424"],
    "logger, RFC 3164 by TCP": ["--tcp", "--rfc3164"],
    "logger, RFC 5424 by TCP": ["--tcp", "--rfc5424"],
    "logger, RFC 5424 by TCP, counted": ["--tcp", "--rfc5424", "--octet-count"],
    "logger, structured data": ["--udp", "--rfc5424", "--sd-id", "x@1", "--sd-param", 'a="b c"'],
}


@pytest.mark.skipif(shutil.which("logger") is None, reason="needs logger: apt-get install bsdutils")
@pytest.mark.parametrize("client", CLIENTS)
def test_util_linux_logger(worker, client: str) -> None:
    _, udp, tcp, recorded = worker
    port = udp[1] if "--udp" in CLIENTS[client] else tcp[1]
    command = ["logger", "--server", "127.0.0.1", "--port", str(port), *CLIENTS[client], "--tag", "anaconda",
               "--priority", "daemon.err", "no disk: ünusual"]  # fmt: skip
    subprocess.run(command, check=True, timeout=20)
    until(lambda: recorded)
    (event,) = recorded
    assert event.text == "anaconda: no disk: ünusual"
    facts = dict(event.detail)
    assert (facts["severity"], facts["facility"]) == ("err", "daemon")
    assert facts["host"].partition(".")[0] == socket.gethostname().partition(".")[0]


def test_pythons_handler(worker) -> None:
    _, udp, _, recorded = worker
    handler = SysLogHandler(udp)
    handler.ident = "prog: "
    handler.emit(logging.LogRecord("x", logging.WARNING, "", 0, "half a disk", (), None))
    handler.close()
    until(lambda: recorded)
    assert recorded[0].text == "prog: half a disk"
    assert ("severity", "warning") in recorded[0].detail


def test_a_log_of_a_thousand_lines_leaves_the_drawing_as_it_is() -> None:
    machine = bios_pxelinux(Machine())
    plain = draw(boot_of(machine.mac, 1, machine.events))
    for n in range(1000):
        line(machine, f"line {n}")
    assert draw(boot_of(machine.mac, 1, machine.events)).lanes == plain.lanes
