"""Facts: declared, carried by the kinds that the table says, and the same for one decision over every protocol."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from netprov.boot.decision import Action, BootDecision, Kernel, Step
from netprov.boot.install import UNDECLARED, Boot, Change, InstallRecord, InstallState
from netprov.boot.reason import Reason
from netprov.boot.request import BootRequest, Loader, Via
from netprov.dhcp.classify import Arrival
from netprov.dhcp.packet import Packet
from netprov.dhcp.report import malformed, report
from netprov.http.outcome import Exchange, Outcome, event_of
from netprov.inventory.load import load
from netprov.inventory.model import Target
from netprov.journal import fact
from netprov.journal.changes import change_installs
from netprov.journal.decided import event_of_decision
from netprov.journal.event import Event, Kind
from netprov.journal.fact import ANSWERS, DECISION, FACTS, INITRDS, LOADER, OPTIONS, Fact, Number, Text
from netprov.journal.recorder import lost_event
from netprov.journal.running import progress_event
from netprov.render.compose import Rendered
from netprov.serve.source import about
from netprov.syslog.message import Message
from netprov.syslog.receiver import Who, line_event
from netprov.tftp.codec import Mode, Request
from netprov.tftp.negotiate import described

ROOT = Path(fact.__file__).parents[1]
MAC = "00:16:3e:11:11:11"


def test_keys_are_not_shared() -> None:
    assert len(FACTS) == sum(isinstance(value, Fact) for value in vars(fact).values())


@pytest.mark.parametrize("key", FACTS.values(), ids=FACTS)
def test_a_row_says_all(key: Fact) -> None:
    assert type(key) in (Text, Number)
    assert key == key.lower().strip()
    assert key.meaning
    assert key.kinds


def _names() -> dict[str, str]:
    """The names by which facts are imported anywhere, with the file."""
    return {
        alias.name: str(path)
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "netprov.journal.fact"
        for alias in node.names
    }


def test_every_fact_is_told_or_read() -> None:
    used = _names()
    assert [name for name, value in vars(fact).items() if isinstance(value, Fact) and name not in used] == []


# what a decision tells, over each protocol


@pytest.fixture
def decision(tmp_path: Path) -> BootDecision:
    (tmp_path / "boot-images").mkdir()
    for name in ("v", "i"):
        (tmp_path / "boot-images" / name).write_bytes(b"x")
    (tmp_path / "netprov.yaml").write_text(
        'distros: {d: {breed: redhat, os_version: "9", arch: x86_64, kernel: v, initrd: [i]}}\n'
        "profiles: {web: {distro: d, autoinstall: default.ks}}\n"
        f'systems: {{lady: {{profile: web, interfaces: {{eth0: {{mac: "{MAC}"}}}}}}}}\n'
    )
    target = load(tmp_path / "netprov.yaml").system("lady")
    assert target is not None
    trace = (Step(Reason.MATCH_MAC, "matched lady; by MAC"), Step(Reason.INSTALL_ARMED, "install state = armed"))
    kernel = Kernel("v", ("i",), autoinstall=True)
    return BootDecision(Action.KERNEL, trace, target, "lady", kernel=kernel, installing=True)


@pytest.fixture
def request_of() -> BootRequest:
    return BootRequest(Via.TFTP, Loader.GRUB, mac=MAC, uuid="4c4c4544-0042-3510-8054-b4c04f595231", arch=7)


def test_one_decision_is_told_alike(decision: BootDecision, request_of: BootRequest) -> None:
    system, mac, uuid, trace, detail = event_of_decision(request_of, decision)
    packet = Packet(options={53: b"\1"}, chaddr=bytes(16))
    arrival = Arrival("eth0", IPv4Address("10.0.0.1"))
    by_dhcp = report(1.0, Kind.DHCP_OFFER, Reason.DHCP_OK, "t", packet, arrival, request_of, decision)
    by_tftp = about(request_of, Rendered(b"", "", decision, "script", "", "TOKEN"))
    for told in (by_dhcp, by_tftp):
        assert (told.system, told.mac, told.uuid, told.trace) == (system, mac, uuid, trace)
        assert {*detail} <= {*told.detail}
    assert (system, mac, trace) == ("lady", MAC, ("matched lady; by MAC", "install state = armed"))
    assert by_dhcp.settled == "install state = armed"
    assert [by_dhcp.fact(key) for key in (LOADER, DECISION, ANSWERS)] == ["grub", "install-armed", "default.ks"]
    assert by_dhcp.number(INITRDS) == 1


def test_a_script_that_boots_no_kernel_promises_nothing(decision: BootDecision, request_of: BootRequest) -> None:
    *_, detail = event_of_decision(request_of, replace(decision, action=Action.LOCAL, kernel=None))
    assert {INITRDS, ANSWERS}.isdisjoint(key for key, _ in detail)


# what the rooms tell

ARRIVAL = Arrival("eth0", IPv4Address("10.0.0.1"), port=4011)
QUERY = Packet(options={53: b"\3", 54: bytes(4)}, chaddr=bytes(16), secs=4)


class Booting:
    """Installs, each of which boots a second time."""

    def apply(self, owners: Mapping[str, Target], event: object, now: float) -> tuple[Change, ...]:
        return tuple((None, InstallRecord(InstallState.BOOTING, "TOKEN", attempts=2)) for _ in owners)


def told_by_the_rooms(decision: BootDecision, asked: BootRequest) -> list[Event]:
    asked = replace(asked, vendor_class="PXEClient", user_class=(b"x",), circuit_id=b"p1")
    dhcp = [
        report(
            1.0, kind, Reason.DHCP_OK, "t", QUERY, ARRIVAL, asked, decision, ip="10.0.0.7", name="f", next_server="n"
        )
        for kind in Kind
        if kind.room == "dhcp"
    ]
    detail = event_of_decision(asked, decision)[-1]
    http = [
        event_of(Exchange("HEAD", "/f", "10.0.0.7", 9, status, asked=((fact.RANGE, "x"),)), Outcome(detail=detail), 1.0)
        for status in (206, 404, 500)
    ]
    http.append(event_of(Exchange("GET", "/f", "10.0.0.7", 9, 200, closed=True, stalled=7, length="9"), Outcome(), 1.0))
    line = Message(severity="err", facility="daemon", host="h", program="p", text="t")
    rest = [
        malformed(1.0, Reason.DHCP_MALFORMED, "t", ARRIVAL),
        change_installs(Booting(), {"lady": UNDECLARED}, Boot(), 1.0, by="root")[0].event,
        line_event(line, "10.0.0.7", Who(), 1.0),
        lost_event(1.0, 3),
        progress_event(dhcp[0], 3, 4.0),
    ]
    return [*dhcp, *filter(None, [*http, *rest])]


def test_each_kind_carries_what_the_table_says(decision: BootDecision, request_of: BootRequest) -> None:
    """TFTP's, another server's and the scenes' are looked at where they are made (scenes.Machine.say)."""
    for event in told_by_the_rooms(decision, request_of):
        wrong = [key for key, _ in event.detail if event.kind not in FACTS[key].kinds]
        assert not wrong, f"{event.kind} is not said to carry {wrong}"


@pytest.mark.parametrize("name", ["initrds", "answers", "decision", "made-up"])
def test_a_client_makes_no_facts(name: str) -> None:
    """A TFTP option may have any name: it is told as what it is."""
    request = Request("f", Mode.OCTET, ((name, "1"), ("BLKSIZE", "1408")))
    assert described(request) == ((OPTIONS, f"{name}=1"), (fact.BLKSIZE, "1408"))


NUMBERS = [("", 7), ("12", 12), ("-1", 7), ("1.5", 7), ("²", 7), ("9" * 5000, 7), ("nan", 7)]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_number(text: str, number: int) -> None:
    event = Event(1.0, Kind.TFTP_REQUEST, Reason.TFTP_OK, detail=((fact.BLKSIZE, text),))
    assert event.number(fact.BLKSIZE, 7) == number
    assert event.fact(fact.BLKSIZE) == text
    assert event.number(fact.WINDOWSIZE, 1) == 1
