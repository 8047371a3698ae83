"""Events go over the wire and through the database as they are; nothing else gets in."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.errors import PeerError
from netprov.journal.event import Event, Kind
from netprov.journal.export import event_object
from netprov.journal.fact import DECISION, FACTS, HOST, LOADER, Detail
from netprov.journal.wire import FIELDS, MAX_OCTETS, decode, encode, event_of_row, joined, row_of, separated

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_number = st.integers(0, 2**63 - 1)
_seconds = st.floats(-1e12, 1e12)
EVENTS = st.builds(
    Event,
    at=_seconds,
    kind=st.sampled_from(Kind),
    reason=st.sampled_from(list(Reason)),
    xid=_number,
    size=_number,
    retransmits=_number,
    seconds=_seconds,
    trace=st.lists(_text, max_size=4).map(tuple),
    detail=st.lists(st.tuples(st.sampled_from([*FACTS.values()]), _text), max_size=4).map(tuple),
    **{f.name: _text for f in fields(Event) if f.type == "str"},
)


@given(EVENTS)
def test_round_trip(event: Event) -> None:
    assert decode(encode(event)) == event
    assert event_of_row(row_of(event)) == event


def test_every_field_is_carried() -> None:
    assert tuple(field.name for field in fields(Event)) == FIELDS
    assert len(GOOD) == len(FIELDS)
    assert len(PLAIN.split(b"\x1f")) == len(FIELDS) - 2  # `trace` and `detail` are empty


def test_what_no_database_takes_is_spelled_out() -> None:
    detail = ((HOST, "\ud800"),)
    event = Event(1.0, Kind.TFTP_REFUSE, Reason.TFTP_OUTSIDE, name="a\udcffb", text="😀\udc00", detail=detail)
    came = decode(encode(event))
    assert (came.name, came.text, came.detail) == ("a\\udcffb", "😀\\udc00", ((HOST, "\\ud800"),))


@pytest.mark.parametrize("text", ["x" * 100_000, "😀" * 100_000, "\0" * 100_000])
def test_a_long_event_is_cut(text: str) -> None:
    event = Event(
        1.0,
        Kind.HTTP_REFUSE,
        Reason.HTTP_BAD_REQUEST,
        text,
        name=text,
        trace=(text,) * 100,
        detail=((HOST, text),) * 100,
    )
    data = encode(event)
    assert len(data) <= MAX_OCTETS
    came = decode(data)
    assert came.kind is Kind.HTTP_REFUSE
    assert event.text.startswith(came.text)


PLAIN = encode(Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK))
GOOD = json.loads(encode(Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK, text="\x1f")))


@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_several_go_in_one_message(events: list[Event]) -> None:
    assert [decode(data) for data in separated(joined([encode(event) for event in events]))] == events


@pytest.mark.parametrize("text", ["\x1f", "\x1e", "a\x1fb\x1ec", "[", "[1]"])
def test_a_text_with_the_separators_in_it_is_carried(text: str) -> None:
    event = Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK, text, name=text, detail=((HOST, text),))
    assert b"\x1e" not in encode(event)
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"1" * 10_000,
        PLAIN.rpartition(b"\x1f")[0],
        PLAIN + b"\x1fhost",
        PLAIN + b"\x1fundeclared\x1fvalue",
        json.dumps([*GOOD[:-1], [["undeclared", "value"]]]).encode(),
        PLAIN.replace(b"1.0", b"one", 1),
        PLAIN.replace(b"dhcp.ack", b"no.such"),
        PLAIN.replace(b"\x1f0\x1f", b"\x1f-1\x1f", 1),
        PLAIN.replace(b"\x1f0\x1f", b"\x1f" + b"9" * 5000 + b"\x1f", 1),
        PLAIN + b"\xff",
        json.dumps(GOOD[:-1]).encode(),
        json.dumps([*GOOD, 1]).encode(),
        *(json.dumps([*GOOD[:n], bad, *GOOD[n + 1 :]]).encode() for n in range(len(GOOD)) for bad in (None, {}, [[1]])),
        json.dumps([1.0, "no.such", *GOOD[2:]]).encode(),
        json.dumps([1.0, "dhcp.ack", "no-such-reason", *GOOD[3:]]).encode(),
        json.dumps([*GOOD[:8], -1, *GOOD[9:]]).encode(),
        json.dumps([*GOOD[:8], 2**63, *GOOD[9:]]).encode(),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        decode(data)


@given(st.binary(max_size=200))
def test_only_peer_errors_leave(data: bytes) -> None:
    try:
        decode(data)
    except PeerError:
        return


def test_cut_events_are_still_theirs() -> None:
    event = replace(Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK, mac="52:54:00:00:00:01"), text="y" * 20_000)
    assert decode(encode(event)).mac == "52:54:00:00:00:01"


@pytest.mark.parametrize("steps", [("a; b", "c"), ("; ",), ("", ""), ("\x1f", "x")])
@pytest.mark.parametrize("detail", [(), ((LOADER, ""), (HOST, "h"))])
def test_a_trace_is_kept_as_steps(steps: tuple[str, ...], detail: Detail) -> None:
    """Whatever stands in a step: what an operator wrote may hold what once stood between two."""
    event = Event(1.0, Kind.DHCP_OFFER, Reason.DHCP_OK, trace=steps, detail=detail)
    assert decode(encode(event)) == event
    assert event_of_row(row_of(event)).trace == steps
    assert event_object(event, 0.0)["trace"] == [*steps]


def _row(facts: object) -> tuple[object, ...]:
    """As the table has it."""
    return (*row_of(Event(1.0, Kind.DHCP_OFFER, Reason.DHCP_OK))[:-1], json.dumps(facts))


def test_older_journals_are_read() -> None:
    """DHCP and TFTP wrote the trace as one text; HTTP, by the same key, the label of what settled it."""
    dhcp = event_of_row(_row([["loader", "ipxe"], ["decision", "loader-loop"], ["why", "matched lady; no more"]]))
    assert (dhcp.trace, dhcp.settled) == (("matched lady", "no more"), "no more")
    assert dhcp.detail == ((LOADER, "ipxe"), (DECISION, "loader-loop"))
    http = event_of_row(_row([["why", "install-armed"]]))
    assert (http.trace, http.detail) == ((), ((DECISION, "install-armed"),))


def test_programs_still_find_the_trace_in_one_text() -> None:
    event = Event(1.0, Kind.DHCP_OFFER, Reason.DHCP_OK, trace=("a", "b; c"), detail=((LOADER, "ipxe"),))
    assert event_object(event, 0.0)["detail"] == {"loader": "ipxe", "why": "a; b; c"}
    assert event_object(replace(event, trace=()), 0.0)["detail"] == {"loader": "ipxe"}


def test_a_fact_of_another_version_is_left_out() -> None:
    assert event_of_row(_row([["multicast", "1"], ["host", "h"]])).detail == ((HOST, "h"),)


@pytest.mark.parametrize("facts", [None, 1, [1], [["host"]], [["host", "h", "h"]], [[["host"], "h"]], [["why", 1]]])
def test_a_damaged_row_is_refused(facts: object) -> None:
    with pytest.raises(PeerError):
        event_of_row(_row(facts))
