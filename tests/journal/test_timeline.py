"""Boots read back, as objects, as JSON and as text."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from netprov.boot.reason import Reason
from netprov.errors import ConfigError
from netprov.journal.boots import STAGES, boot_of
from netprov.journal.correlate import Correlator, Placed
from netprov.journal.event import Event, Kind
from netprov.journal.export import as_json, boot_object
from netprov.journal.show import boot_text, event_text, overview
from netprov.journal.store import Store
from netprov.journal.timeline import Timeline, keys
from netprov.journal.verdicts import Verdict

from .scenes import SCENES, Machine, bios_pxelinux, ignored, ipxe_chain, ipxe_rom_local, uefi_grub


def _journal(path: Path, *machines: Machine) -> Path:
    correlator = Correlator()
    store = Store(path)
    events = sorted((event for machine in machines for event in machine.events), key=lambda event: event.at)
    for event in events:
        store.add([correlator.place(event)], keep=10**6, before=0.0)
    store.close()
    return path


def test_the_newest_boots_of_a_machine_that_boots_again_and_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "journal.db")
    for begin in range(0, 30_000, 1000):
        numbers = range(begin, begin + 1000)
        events = [Event(float(n), Kind.DHCP_ACK, Reason.DHCP_OK, system="s" if n % 2 else "") for n in numbers]
        store.add([Placed(event, "52:54:00:00:00:01", int(event.at) + 1) for event in events], 10**6, 0.0)
    store.close()
    with Timeline(tmp_path / "journal.db") as journal:
        for names, last, numbers in (
            (["52:54:00:00:00:01"], 1, [30_000]),
            (["52:54:00:00:00:01", "s"], 3, [29_998, 29_999, 30_000]),
            (["s"], 2, [29_998, 30_000]),
            (["s"], 1500, list(range(27_002, 30_001, 2))),
            (["52:54:00:00:00:01"], 25_000, list(range(5001, 30_001))),
            (["nobody"], 5, []),
        ):
            assert [boot.number for boot in journal.boots(names, last)] == numbers


def _shown(thing: object, width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, color_system=None).print(thing)
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    lady = uefi_grub(bios_pxelinux(Machine()).wait(60.0))
    stranger = ignored(Machine(mac="52:54:00:99:99:99", ip="192.168.77.9", system="", at=Machine.at + 500))
    return _journal(tmp_path / "journal.db", lady, stranger)


@pytest.mark.parametrize("name", ["lady", "00:16:3e:11:11:11", "00-16-3E-11-11-11", "0016.3e11.1111"])
def test_boots_by_any_name(path: Path, name: str) -> None:
    (boot,) = Timeline.read(path, name)
    assert (boot.system, boot.machine, boot.number) == ("lady", "00:16:3e:11:11:11", 2)
    assert [boot.number for boot in Timeline.read(path, name, last=5)] == [1, 2]


def test_the_stages_in_order(path: Path) -> None:
    for boot in Timeline.read(path, "lady", last=2):
        assert tuple(stage.name for stage in boot.stages) == STAGES
        assert {stage.state for stage in boot.stages} == {"done"}
        assert [stage.at for stage in boot.stages] == sorted(stage.at for stage in boot.stages)


@pytest.mark.parametrize(
    ("scene", "stages"),
    [
        (bios_pxelinux, STAGES),
        (uefi_grub, STAGES),
        (ipxe_chain, STAGES),
        (ipxe_rom_local, ("address", "script")),
        (ignored, ()),
    ],
)
def test_stages_of_every_scene(scene: object, stages: tuple[str, ...]) -> None:
    machine = scene(Machine())  # type: ignore[operator]
    assert tuple(stage.name for stage in boot_of(machine.mac, 1, machine.events).stages) == stages


def _stage(*events: Event) -> list[tuple[str, str]]:
    return [(stage.name, stage.state) for stage in boot_of("m", 1, events).stages]


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ([Kind.TFTP_REQUEST], "started"),
        ([Kind.TFTP_REQUEST, Kind.TFTP_DONE], "done"),
        ([Kind.TFTP_REQUEST, Kind.TFTP_FAIL], "failed"),
        ([Kind.TFTP_REFUSE], "failed"),
        ([Kind.TFTP_REFUSE, Kind.TFTP_DONE], "done"),
        ([Kind.TFTP_DONE, Kind.TFTP_FAIL], "done"),
        ([Kind.TFTP_REQUEST, Kind.TFTP_ABORT], "started"),
        ([Kind.TFTP_FAIL, Kind.TFTP_REQUEST], "started"),
        ([Kind.HTTP_FAIL], "failed"),
    ],
)
def test_how_a_stage_ended(kinds: list[Kind], state: str) -> None:
    events = [Event(float(n), kind, Reason.TFTP_OK, stage="kernel") for n, kind in enumerate(kinds)]
    assert _stage(*events) == [("kernel", state)]


def test_a_size_asked_for_is_no_file() -> None:
    head = Event(1.0, Kind.HTTP_DONE, Reason.HTTP_OK, stage="loader", detail=(("method", "HEAD"),))
    assert _stage(head) == [("loader", "started")]
    assert _stage(head, Event(2.0, Kind.HTTP_DONE, Reason.HTTP_OK, stage="loader")) == [("loader", "done")]


def test_a_failed_install_is_no_success() -> None:
    assert _stage(Event(1.0, Kind.INSTALL, Reason.INSTALL_FAILED, stage="callback")) == [("callback", "failed")]


def test_a_nak_is_no_address() -> None:
    assert _stage(Event(1.0, Kind.DHCP_NAK, Reason.DHCP_TAKEN, stage="address")) == [("address", "failed")]


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert Timeline.read(tmp_path / "journal.db", "lady") == ()
    with Timeline(tmp_path / "journal.db") as timeline:
        assert (timeline.recent(5), timeline.newest(), timeline.after(0), timeline.names()) == ((), 0, [], [])
        _journal(tmp_path / "journal.db", bios_pxelinux(Machine()))
        assert timeline.reopened()
        assert not timeline.reopened()
        assert len(timeline.recent(5)) == 1
    assert sorted(os.listdir(tmp_path)) == ["journal.db"] or (tmp_path / "journal.db-shm").exists()


def test_a_journal_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(ConfigError, match="move the file away"):
        Timeline.read(tmp_path / "journal.db", "lady")


def test_what_only_a_newer_netprov_knows_is_left_out(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET kind = 'sctp.done' WHERE kind = 'tftp.done'")
        db.execute("UPDATE events SET reason = 'no-such' WHERE kind = 'http.done'")
        db.execute("UPDATE events SET detail = '{' WHERE kind = 'install'")
    db.close()
    (boot,) = Timeline.read(path, "lady")
    assert {event.kind for event in boot.events} >= {Kind.DHCP_ACK}
    assert not {event.kind for event in boot.events} & {Kind.TFTP_DONE, Kind.HTTP_DONE, Kind.INSTALL}


def test_new_events_come_after(path: Path) -> None:
    with Timeline(path) as timeline:
        newest = timeline.newest()
        assert timeline.after(newest) == []
        ((number, placed),) = timeline.after(newest - 1)
        assert number == newest
        assert placed.machine == "52:54:00:99:99:99"
        assert timeline.names() == ["00:16:3e:11:11:11", "52:54:00:99:99:99", "lady"]


def test_tokens_are_not_shown(path: Path) -> None:
    boots = Timeline.read(path, "lady", last=9)
    judged = [(boot, ()) for boot in boots]
    shown = as_json(judged) + _shown(overview(judged)) + "".join(_shown(boot_text(boot)) for boot in boots)
    assert Machine.token not in shown
    with Timeline(path) as timeline:
        assert Machine.token not in "".join(map(repr, timeline.after(0)))


def test_json_has_every_key(path: Path) -> None:
    (boot,) = json.loads(as_json([(boot, (VERDICT,)) for boot in Timeline.read(path, "lady")]))
    assert list(boot) == ["machine", "system", "boot", "started", "seconds", "stages", "verdicts", "events"]
    names = "stage state at after began until size seconds retransmits names"
    assert set(boot["stages"][0]) == {*names.split()}
    assert boot["verdicts"] == [
        {"id": "G5", "name": "n", "severity": "error", "sentence": "s", "advice": "a", "at": 5.0,
         "after": round(5.0 - boot["started"], 6)}
    ]  # fmt: skip
    names = "at after kind reason text stage mac uuid client_id xid ip peer relay system name size seconds retransmits"
    for event in boot["events"]:
        assert set(event) == {*names.split(), "trace", "detail"}
        assert isinstance(event["detail"], dict)
    assert boot["events"][0]["after"] == 0.0
    assert [stage["stage"] for stage in boot["stages"]] == list(STAGES)


VERDICT = Verdict("G5", "n", "error", "s", "a", 5.0)
HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\u202egnp.exe\u2066\x00\udcff\x9b31m[bold]&amp;"


def _hostile() -> Machine:
    machine = bios_pxelinux(Machine(system=HOSTILE, mac="00:16:3e:11:11:11"))
    detail = (("blksize", HOSTILE), ("error", HOSTILE), ("loader", HOSTILE), ("arch", HOSTILE))
    machine.events = [
        replace(event, text=HOSTILE, name=HOSTILE, detail=detail, at=Machine.at + n)
        for n, event in enumerate(machine.events)
    ]
    machine.say(Kind.TFTP_REFUSE, Reason.TFTP_NOT_FOUND, HOSTILE, name=HOSTILE, mac=machine.mac)
    machine.say(Kind.DHCP_DROP, Reason.NAME_NOT_OURS, HOSTILE, name=HOSTILE, mac=machine.mac)
    return machine


@pytest.mark.parametrize("width", [20, 80, 120])
def test_what_clients_send_moves_no_cursor(width: int) -> None:
    """No control character, no ANSI sequence, no direction mark, no rich markup reaches the terminal."""
    machine = _hostile()
    correlator = Correlator()
    placed = [correlator.place(event) for event in machine.events]
    boot = boot_of(HOSTILE, 1, machine.events)
    hostile = replace(VERDICT, sentence=HOSTILE, advice=f"{HOSTILE}\n  {HOSTILE}")
    text = _shown(boot_text(boot, [hostile]), width) + _shown(overview([(boot, (hostile,))]), width)
    text += "".join(_shown(event_text(place), width) for place in placed)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "[bold]" in text.replace("\n", "").replace(" ", "")


def test_json_is_ascii_whatever_comes() -> None:
    text = as_json([(boot_of(HOSTILE, 1, _hostile().events), (replace(VERDICT, sentence=HOSTILE),))])
    assert text.isascii()
    assert json.loads(text)[0]["machine"] == HOSTILE


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit(scene: object, width: int) -> None:
    machine = scene(Machine())  # type: ignore[operator]
    text = _shown(boot_text(boot_of(machine.mac, 1, machine.events)), width)
    assert max(map(len, text.splitlines())) <= width


def test_the_text_of_a_boot(path: Path) -> None:
    (boot,) = Timeline.read(path, "lady")
    text = _shown(boot_text(boot))
    lanes = [line.split() for line in text.splitlines() if line.startswith("✓")]
    assert [line[1] for line in lanes] == list(STAGES)
    assert all("━" in "".join(line) or "╸" in line or "╺" in line for line in lanes)
    assert "shimx64.efi grubx64.efi  3.6 MB at 4.1 MB/s" in text
    assert "asks for" not in text  # the line of the transfer says it all
    assert "probe/vmlinuz  8.1 MB, 0.1 s at 81.0 MB/s, blksize 1408" in text
    assert "revocations_sbat.efi: not there, the loader goes on to its next" in text
    assert " 0.000 s  DHCP offer" in text


def test_failures_say_what_to_do() -> None:
    machine = Machine().address("firmware", "pxelinux.0").refused("missing/vmlinuz", "kernel")
    text = _shown(boot_text(boot_of(machine.mac, 1, machine.events)))
    assert "✗ kernel" in text
    assert f"→ {Reason.TFTP_NOT_FOUND.advice}" in text


def test_repetitions_are_counted() -> None:
    text = _shown(boot_text(boot_of("m", 1, ignored(Machine()).events)))
    assert text.count("DHCP drop") == 1
    assert "×4, the last after 28.030 s" in text
    machine = Machine()
    for _ in range(30):
        machine.dhcp(Kind.DHCP_OFFER, "firmware", "x.efi", machine.ip)
        machine.wait(4.0).dhcp(Kind.DHCP_DROP, "firmware")
    text = _shown(boot_text(boot_of("m", 1, machine.events)))
    assert (text.count("×30"), text.count("DHCP")) == (2, 2)


def test_retransmits_are_told() -> None:
    event = Event(1.0, Kind.TFTP_DONE, Reason.TFTP_OK, name="k", size=10**7, seconds=2.0, retransmits=7)
    assert "k  10.0 MB, 2.0 s at 5.0 MB/s, 7 sent again" in _shown(boot_text(boot_of("m", 1, [event])))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lady", ["lady"]),
        ("00163E111111", ["00163E111111", "00:16:3e:11:11:11"]),
        ("192.168.077.9", ["192.168.077.9"]),
        ("192.168.77.9", ["192.168.77.9", "ip 192.168.77.9"]),
    ],
)
def test_keys(text: str, found: list[str]) -> None:
    assert keys(text) == found


def test_boot_object_of_one_event() -> None:
    assert boot_object(boot_of("m", 1, [Event(5.0, Kind.SERVER, Reason.SERVER_STARTED)]))["seconds"] == 0.0


def test_a_mac_is_not_taken_for_a_picture() -> None:
    """rich makes a disc of :cd: in a plain string."""
    machine = ignored(Machine(mac="02:cd:8d:c3:37:92", ip="", system=""))
    assert "02:cd:8d:c3:37:92" in _shown(overview([(boot_of(machine.mac, 1, machine.events), ())]))
