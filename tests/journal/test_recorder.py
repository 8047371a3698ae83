"""Recording never waits and never fails."""

from __future__ import annotations

import socket

import pytest

from netprov.boot.reason import Reason
from netprov.journal.event import Event, Kind
from netprov.journal.recorder import Recorder, channel
from netprov.journal.wire import MAX_OCTETS, MESSAGE_OCTETS, decode, separated


def _event(n: int) -> Event:
    return Event(float(n), Kind.DHCP_ACK, Reason.DHCP_OK, text="x" * 300)


def _drain(end: socket.socket) -> list[Event]:
    found = []
    while True:
        try:
            found.append(decode(end.recv(MAX_OCTETS)))
        except BlockingIOError:
            return found


def test_what_finds_no_room_is_counted_and_told_later() -> None:
    workers, writer = channel()
    recorder = Recorder(workers)
    for n in range(100_000):
        recorder.record(_event(n))
        if recorder.lost == 10:
            break
    assert recorder.lost == 10
    kept = _drain(writer)
    assert [event.at for event in kept] == [float(k) for k in range(len(kept))]
    recorder.record(_event(7))
    lost, event = _drain(writer)
    assert (lost.kind, lost.reason, lost.detail) == (Kind.SERVER, Reason.EVENTS_LOST, (("lost", "10"),))
    assert event == _event(7)
    assert recorder.lost == 0
    workers.close()
    writer.close()


def test_the_events_of_a_round_go_together() -> None:
    workers, writer = channel()
    recorder = Recorder(workers)
    recorder.record_all([_event(n) for n in range(300)])
    recorder.record_all([])
    messages = []
    while True:
        try:
            messages.append(writer.recv(MESSAGE_OCTETS))
        except BlockingIOError:
            break
    assert 1 < len(messages) < 10
    assert [decode(data).at for message in messages for data in separated(message)] == list(map(float, range(300)))
    workers.close()
    writer.close()


def test_a_message_that_finds_no_room_counts_all_its_events() -> None:
    workers, writer = channel()
    writer.close()
    recorder = Recorder(workers)
    recorder.record_all([_event(n) for n in range(5)])
    assert recorder.lost == 5
    workers.close()


def test_there_is_room_for_a_burst() -> None:
    workers, writer = channel()
    recorder = Recorder(workers)
    for n in range(1000):
        recorder.record(_event(n))
    assert recorder.lost == 0 or workers.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < 1_000_000
    workers.close()
    writer.close()


@pytest.mark.parametrize("closed", [0, 1])
def test_a_writer_that_is_gone_stops_nobody(closed: int) -> None:
    ends = channel()
    ends[closed].close()
    recorder = Recorder(ends[0])
    recorder.record(_event(1))
    assert recorder.lost == 1
    ends[1 - closed].close()


def test_an_event_made_wrong_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    workers, writer = channel()
    recorder = Recorder(workers)
    recorder.record(Event(1.0, Kind.DHCP_ACK, Reason.DHCP_OK, name=b"octets"))  # type: ignore[arg-type]
    assert "cannot be written" in caplog.text
    recorder.record(_event(2))
    assert [event.reason for event in _drain(writer)] == [Reason.EVENTS_LOST, Reason.DHCP_OK]
    workers.close()
    writer.close()


def test_two_recorders_share_an_end() -> None:
    workers, writer = channel()
    for n in range(10):
        Recorder(workers).record(_event(n))
    assert [event.at for event in _drain(writer)] == [float(n) for n in range(10)]
    workers.close()
    writer.close()
