"""What the server says on standard error: lines for a person, objects for who collects logs."""

from __future__ import annotations

import json
import logging

import pytest

from netprov.boot.reason import Reason
from netprov.journal.correlate import Placed
from netprov.journal.event import Event, Kind
from netprov.journal.log import EVENTS, boot_id, log_events
from netprov.serve.logs import JsonLines, Lines, configure
from tests.web.hostile import HOSTILE

MAC = "52:54:00:12:34:56"
KEYS = ["time", "level", "text", "reason", "kind", "machine", "mac", "ip", "system", "boot", "stage", "name"]
ACK = Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK, "confirms 10.0.0.5", stage="address", mac=MAC, ip="10.0.0.5",
            system="lady", name="ipxe.efi")  # fmt: skip


def record(text: str, *arguments: object, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("netprov", level, "", 0, text, arguments, None)
    made.created = 1_800_000_000.25
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_what_the_server_itself_says() -> None:
    said = json.loads(JsonLines().format(record("webhook %s fails", "ops", level=30, reason=Reason.WEBHOOK_FAILED)))
    assert list(said) == KEYS
    assert said == dict.fromkeys(KEYS, "") | {
        "time": "2027-01-15T08:00:00.250Z", "level": "warning", "text": "webhook ops fails", "reason": "webhook-failed",
    }  # fmt: skip


def test_an_event_says_whose_it_is() -> None:
    said = json.loads(JsonLines().format(record("lady dhcp.ack confirms", placed=Placed(ACK, MAC, 3))))
    assert list(said) == KEYS
    assert said == {
        "time": "2027-01-15T08:00:00.250Z", "level": "info", "text": "confirms 10.0.0.5", "reason": "dhcp-ok",
        "kind": "dhcp.ack", "machine": MAC, "mac": MAC, "ip": "10.0.0.5", "system": "lady", "boot": f"{MAC}/3",
        "stage": "address", "name": "ipxe.efi",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("machine", "boot", "expected"), [(MAC, 3, f"{MAC}/3"), (MAC, 0, ""), ("", 0, ""), ("ip ::1", 1, "ip ::1/1")]
)
def test_boot_id(machine: str, boot: int, expected: str) -> None:
    assert boot_id(machine, boot) == expected


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_string_is_one_harmless_line(text: str) -> None:
    event = Event(1.0, Kind.TFTP_REFUSE, Reason.TFTP_NOT_FOUND, text, ip=text, name=text, system=text)
    for made in (record("%s", text), record("asks", placed=Placed(event, f"ip {text}", 1))):
        line = JsonLines().format(made)
        assert line.isascii()
        assert line.isprintable()
        assert all(value.isprintable() for value in json.loads(line).values())
        assert Lines().format(made).isprintable()
        assert len(line) < 20_000


def test_a_traceback_is_lines_of_their_own() -> None:
    try:
        raise ValueError("\x1b[2J\nnetprov: serves evil")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    made = record("it failed", level=logging.ERROR, exc_info=info)
    lines = Lines().format(made).split("\n")
    assert lines[0] == "netprov: it failed"
    assert "ValueError: \\x1b[2J" in lines
    said = json.loads(JsonLines().format(made))
    assert "ValueError: \\x1b[2J" in said["traceback"]
    assert said["level"] == "error"


CASES = [
    (ACK, "INFO"),
    (Event(1.0, Kind.TFTP_REFUSE, Reason.TFTP_NOT_FOUND, "x"), "INFO"),  # loaders ask on the chance
    (Event(1.0, Kind.TFTP_REFUSE, Reason.TFTP_UNREADABLE, "x"), "WARNING"),
    (Event(1.0, Kind.INSTALL, Reason.INSTALL_FAILED, "x"), "WARNING"),
    (Event(1.0, Kind.SERVER, Reason.EVENTS_LOST, "x"), "WARNING"),
    (Event(1.0, Kind.SERVER, Reason.SERVER_STARTED, "x"), None),  # the supervisor says so itself
    (Event(1.0, Kind.WEBHOOK, Reason.WEBHOOK_FAILED, "x"), None),
]


@pytest.mark.parametrize(("event", "level"), CASES)
def test_which_events_are_said(event: Event, level: str | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, EVENTS)
    log_events([Placed(event, "", 0)])
    assert [record.levelname for record in caplog.records] == ([level] if level else [])


def test_tokens_are_not_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, EVENTS)
    event = Event(1.0, Kind.HTTP_DONE, Reason.HTTP_OK, "GET /callback/SECRET", token="SECRET", name="/callback/SECRET")
    log_events([Placed(event, MAC, 1)])
    for formatter in (JsonLines(), Lines()):
        assert "SECRET" not in formatter.format(caplog.records[0])


@pytest.mark.parametrize(
    ("format", "verbose", "events", "level"),
    [("text", False, False, logging.INFO), ("text", True, True, logging.DEBUG), ("json", False, True, logging.INFO)],
)
def test_configure(format: str, verbose: bool, events: bool, level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    root, told = logging.getLogger(), logging.getLogger(EVENTS)
    monkeypatch.setattr(root, "handlers", [])
    before = root.level, told.level
    try:
        configure(format, verbose)  # type: ignore[arg-type]
        assert root.level == level
        assert told.isEnabledFor(logging.INFO) is events
    finally:
        root.setLevel(before[0])
        told.setLevel(before[1])
