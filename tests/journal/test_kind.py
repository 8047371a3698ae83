"""The table of kinds, and what its readers make of a row."""

from __future__ import annotations

import pytest

from netprov.boot.chance import ABSENT
from netprov.boot.reason import Reason
from netprov.inventory.model import Notice
from netprov.journal.boots import STAGES, boot_of, without_requests
from netprov.journal.correlate import Correlator, Placed
from netprov.journal.event import FAILING, Event, Kind, Severity
from netprov.journal.kind import BY_LABEL, Trait
from netprov.journal.log import log_events
from netprov.notify.news import news_of
from netprov.web.lanes import draw

ROOMS = ("dhcp", "tftp", "http", "syslog", "install", "inventory", "server", "progress", "webhook")
MAC = "00:16:3e:11:11:11"


def event(kind: Kind, reason: Reason = Reason.DHCP_OK, **fields: object) -> Event:
    return Event(1.0, kind, reason, **{"mac": MAC, "ip": "10.0.0.1", "peer": "10.0.0.1:9", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", Kind)
def test_a_row_agrees_with_itself(kind: Kind) -> None:
    assert BY_LABEL[kind.value] is kind
    assert kind.room in ROOMS
    assert kind.meaning
    assert not kind.meaning.endswith(".")
    assert kind.stage in ("", *STAGES)
    assert kind.fetched == (kind.carries and kind.state == "done")
    assert kind.ends or not kind.carries, "octets went out, and no transfer is over"
    assert kind.state is not None or not kind.stage
    assert (kind.state == "failed") <= (kind.severity is Severity.FAILED)
    assert (kind.severity is Severity.FAILED) <= kind.warns
    assert not (kind.still and (kind.asks or kind.claims or kind.ends)), "still, and yet the machine did something"
    assert kind.said <= (kind.notice in (None, Notice.SERVER))


def test_every_trait_tells_kinds_apart() -> None:
    """A column that is the same in every row, or in the very rows of another one, says nothing."""
    columns = {trait: tuple(getattr(kind, str(trait.name).lower()) for kind in Kind) for trait in Trait}
    assert all(len({*column}) == 2 for column in columns.values())
    assert len({*columns.values()}) == len(Trait)


def test_labels_are_not_shared() -> None:
    assert len(BY_LABEL) == len(Kind)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.PROGRESS])
def test_only_what_a_machine_does_begins_a_boot(kind: Kind) -> None:
    placed = Correlator().place(event(kind, stage="loader", system="lady"))
    assert bool(placed.boot) == (not kind.still)


@pytest.mark.parametrize("kind", Kind)
def test_a_boot_is_told_by_what_a_machine_does(kind: Kind) -> None:
    found = [news.type for news in news_of(Placed(event(kind), MAC, 1))]
    assert found == ([kind.notice] if kind.notice else [] if kind.still else [Notice.BOOT])


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.ends])
def test_a_request_whose_transfer_is_over_is_no_line_of_its_own(kind: Kind) -> None:
    """Also one that was refused: the page drew it as under way until the boot's end."""
    asked, ended = event(Kind.TFTP_REQUEST, name="f", stage="loader"), event(kind, name="f", stage="loader")
    assert [found for _, found in without_requests([asked, ended])] == [ended]
    (lane,) = draw(boot_of(MAC, 1, [asked, ended])).lanes
    assert len(lane.spans) == 1


def test_a_request_under_way_is_a_line() -> None:
    asked, other = event(Kind.TFTP_REQUEST, name="f"), event(Kind.TFTP_DONE, name="g")
    assert [number for number, _ in without_requests([asked, other])] == [0, 1]


SEVERITIES = [
    ("the kind's", Kind.TFTP_FAIL, Reason.TFTP_TIMEOUT, Severity.FAILED, True),
    ("a stranger whom nobody answers", Kind.DHCP_DROP, Reason.UNKNOWN_IGNORE, Severity.FAILED, False),
    ("nothing to be done about it", Kind.DHCP_DROP, Reason.MODE_PROXY, Severity.MINOR, False),
    ("asked for on the chance", Kind.TFTP_REFUSE, Reason.TFTP_NOT_FOUND, Severity.MINOR, False),
    ("an install that failed", Kind.INSTALL, Reason.INSTALL_FAILED, Severity.FAILED, True),
    ("dom0 refuses it", Kind.HTTP_DONE, Reason.XEN_REFUSED, Severity.FAILED, True),
    ("a log that is too fast", Kind.SYSLOG_DROP, Reason.SYSLOG_FLOOD, Severity.MINOR, True),
    ("events are missing", Kind.SERVER, Reason.EVENTS_LOST, Severity.FAILED, True),
    ("all is well", Kind.TFTP_DONE, Reason.TFTP_OK, Severity.FINE, False),
]


@pytest.mark.parametrize(
    ("kind", "reason", "severity", "warns"), [row[1:] for row in SEVERITIES], ids=[r[0] for r in SEVERITIES]
)
def test_severity(
    kind: Kind, reason: Reason, severity: Severity, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    found = event(kind, reason, stage="script")
    assert (found.severity, found.warns) == (severity, warns)
    with caplog.at_level("INFO", "netprov.events"):
        log_events([Placed(found, MAC, 1)])
    assert [record.levelname for record in caplog.records] == ["WARNING" if warns else "INFO"]


def test_no_reason_is_both_usual_and_a_failure() -> None:
    assert not FAILING & ABSENT
