"""Entries from a worker to the disk: whole, or refused."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.journal.recorder import channel
from netprov.recorder.entry import MAX_DATA, Entry, What, decode, encode
from netprov.recorder.tap import MAX_OCTETS, Tap

ADDRESSES = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)
PORTS = st.integers(0, 65535)
ENTRIES = st.builds(
    Entry,
    at=st.floats(0, 4e9),
    what=st.sampled_from(What),
    ip=ADDRESSES,
    port=PORTS,
    local=ADDRESSES,
    local_port=PORTS,
    data=st.binary(max_size=600),
    length=st.integers(0, 2**32 - 1),
    checksum=PORTS,
    mac=st.sampled_from(("", "52:54:00:00:00:01")),
    claim=st.sampled_from(("", "192.168.77.114", "fe80::1")),
    secret=st.text(max_size=60),
    declared=st.booleans(),
)
ENTRY = Entry(1.5, What.DHCP_HEARD, bytes(4), 68, bytes(4), 67, b"hello", 5)


@given(st.lists(ENTRIES, max_size=5))
def test_entries_come_back_as_they_were(entries):
    assert list(decode(b"".join(map(encode, entries)))) == entries


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else_happens(octets):
    with suppress(PeerError):
        list(decode(octets))


@given(ENTRIES, st.data())
def test_an_entry_without_its_end_is_refused(entry, data):
    octets = encode(entry)
    with pytest.raises(PeerError):
        list(decode(octets[: data.draw(st.integers(1, len(octets) - 1))]))


def test_what_is_too_long_is_cut_and_says_how_long_it_was():
    (entry,) = decode(encode(Entry(1.0, What.TFTP_HEARD, bytes(4), 1, bytes(4), 69, bytes(60_000), 60_000)))
    assert (len(entry.data), entry.length) == (MAX_DATA, 60_000)


def test_a_tap_sends_at_the_end_of_a_round():
    workers, recorder = channel()
    tap = Tap(workers)
    tap.put(ENTRY)
    tap.put(ENTRY)
    with pytest.raises(BlockingIOError):
        recorder.recv(MAX_OCTETS)
    tap.flush()
    tap.flush()
    assert len(list(decode(recorder.recv(MAX_OCTETS)))) == 2
    with pytest.raises(BlockingIOError):
        recorder.recv(MAX_OCTETS)


def test_a_full_message_goes_out_before_the_end_of_the_round():
    workers, recorder = channel()
    tap = Tap(workers)
    big = Entry(1.0, What.TFTP_HEARD, bytes(4), 1, bytes(4), 69, bytes(MAX_DATA), MAX_DATA)
    tap.put(big)
    tap.put(big)
    assert len(recorder.recv(2 * MAX_OCTETS)) <= MAX_OCTETS


def test_a_recorder_that_does_not_read_stops_nobody(caplog):
    workers, recorder = channel()
    workers.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    tap = Tap(workers)
    for _ in range(5000):
        tap.put(ENTRY)
        tap.flush()
    assert tap.lost > 0
    assert caplog.text.count("does not keep up") == 1
    recorder.close()
    tap.put(ENTRY)
    tap.flush()  # nobody is there any more


@pytest.mark.parametrize("field", [{"port": 70_000}, {"mac": None}, {"length": -1}])
def test_what_is_no_packet_is_dropped_and_its_octets_are_not_logged(field, caplog):
    workers, _recorder = channel()
    tap = Tap(workers)
    values = {name: getattr(ENTRY, name) for name in Entry.__dataclass_fields__}
    tap.put(Entry(**{**values, "data": b"hunter2", **field}))
    assert "cannot be recorded" in caplog.text
    assert "hunter2" not in caplog.text
