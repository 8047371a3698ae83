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
from netprov.journal.wire import FIELDS, MAX_OCTETS, decode, encode, event_of_row, row_of

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
    detail=st.lists(st.tuples(_text, _text), max_size=4).map(tuple),
    **{f.name: _text for f in fields(Event) if f.type == "str"},
)


@given(EVENTS)
def test_round_trip(event: Event) -> None:
    assert decode(encode(event)) == event
    assert event_of_row(row_of(event)) == event


def test_every_field_is_carried() -> None:
    assert tuple(field.name for field in fields(Event)) == FIELDS
    assert len(json.loads(encode(Event(1.0, Kind.SERVER, Reason.SERVER_STARTED)))) == len(FIELDS)


def test_what_no_database_takes_is_spelled_out() -> None:
    detail = (("\ud800", "x"),)
    event = Event(1.0, Kind.TFTP_REFUSE, Reason.TFTP_OUTSIDE, name="a\udcffb", text="😀\udc00", detail=detail)
    came = decode(encode(event))
    assert (came.name, came.text, came.detail) == ("a\\udcffb", "😀\\udc00", (("\\ud800", "x"),))


@pytest.mark.parametrize("text", ["x" * 100_000, "😀" * 100_000, "\0" * 100_000])
def test_a_long_event_is_cut(text: str) -> None:
    event = Event(1.0, Kind.HTTP_REFUSE, Reason.HTTP_BAD_REQUEST, text, name=text, detail=((text, text),) * 100)
    data = encode(event)
    assert len(data) <= MAX_OCTETS
    came = decode(data)
    assert came.kind is Kind.HTTP_REFUSE
    assert event.text.startswith(came.text)


GOOD = json.loads(encode(Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK)))


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
