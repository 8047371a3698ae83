"""Frames made of payloads, as scapy reads them: lengths and checksums are right."""

from __future__ import annotations

import io
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import PcapReader

from netprov.datagram import checksum
from netprov.recorder import pcap
from netprov.recorder.connection import BODY, LARGE, MSS, Connection
from netprov.recorder.entry import Entry, What
from netprov.recorder.frames import ACK, PSH, End, link_address, tcp, udp

MAC = bytes.fromhex("525400000001")
ENDS = {
    4: (End(MAC, ip_address("10.77.0.2").packed, 2070), End(b"\2\0\12\115\0\1", ip_address("10.77.0.1").packed, 69)),
    6: (End(MAC, ip_address("fd00::2").packed, 2070), End(b"\2\0\0\0\0\1", ip_address("fd00::1").packed, 69)),
}


def layers(data: bytes, version: int):
    frame = Ether(data)
    return frame, frame[IP if version == 4 else IPv6]


def right(data: bytes, version: int, kind) -> None:
    """scapy computes what the frame has already."""
    frame = Ether(data)
    ip = frame[IP if version == 4 else IPv6]
    fields = {"IP": ("len", "chksum"), "IPv6": ("plen",), "UDP": ("len", "chksum"), "TCP": ("chksum",)}
    for layer in (ip, frame[kind]):
        for name in fields[layer.name if layer.name != "IPv6" else "IPv6"]:
            layer.delfieldval(name)
    assert bytes(frame) == data


@pytest.mark.parametrize("version", [4, 6])
@given(payload=st.binary(max_size=300))
@example(payload=b"z`~`\xb6\x94\xfe")
def test_a_datagram_is_right(version, payload):
    source, to = ENDS[version]
    frame = udp(1.0, source, to, payload)
    assert frame.length == len(frame.data)
    right(frame.data, version, UDP)
    assert bytes(Ether(frame.data)[UDP].payload) == payload


@pytest.mark.parametrize("version", [4, 6])
@given(payload=st.binary(min_size=5, max_size=300))
def test_a_datagram_of_which_only_the_head_is_kept_has_the_wholes_length_and_checksum(version, payload):
    source, to = ENDS[version]
    whole = udp(1.0, source, to, payload)
    part = udp(1.0, source, to, payload[:4], len(payload), checksum(payload))
    assert part.length == whole.length
    assert whole.data[: len(part.data)] == part.data


def test_a_datagram_of_unknown_checksum_has_none():
    source, to = ENDS[4]
    assert Ether(udp(1.0, source, to, b"abcd", 100).data)[UDP].chksum == 0


@pytest.mark.parametrize("version", [4, 6])
@given(payload=st.binary(max_size=300))
@example(payload=b"z`~`\xb6\x94\xfe")
def test_a_segment_is_right(version, payload):
    source, to = ENDS[version]
    frame = tcp(1.0, source, to, 7, 9, PSH | ACK, payload)
    right(frame.data, version, TCP)
    segment = Ether(frame.data)[TCP]
    assert (segment.seq, segment.ack, str(segment.flags), bytes(segment.payload)) == (7, 9, "PA", payload)


def test_link_addresses():
    assert link_address(b"\xff" * 4) == b"\xff" * 6
    assert link_address(ip_address("10.77.0.2").packed).hex(":") == "02:00:0a:4d:00:02"
    assert link_address(ip_address("fd00::1:2").packed).hex(":") == "02:00:00:01:00:02"


def test_a_capture_file_has_times_and_both_lengths(tmp_path):
    source, to = ENDS[4]
    file = io.BytesIO()
    frames = [udp(1_800_000_000.9999996, source, to, b"a"), udp(1_800_000_001.25, source, to, b"b", 1400)]
    assert pcap.write(file, frames) == 2
    path = tmp_path / "out.pcap"
    path.write_bytes(file.getvalue())
    with PcapReader(str(path)) as reader:
        first, second = reader
    assert (float(first.time), float(second.time)) == (1_800_000_001.0, 1_800_000_001.25)
    assert (second.wirelen, len(bytes(second))) == (14 + 20 + 8 + 1400, 43)


def said(what: What, at: float, data: bytes, length: int = 0) -> Entry:
    return Entry(at, what, b"", 0, b"", 0, data, max(length, len(data)))


def segments(*entries: Entry):
    machine, server = ENDS[4]
    return [Ether(frame.data)[TCP] for frame in Connection(machine, server).frames(entries)]


def flags(found) -> list[str]:
    return [str(segment.flags) for segment in found]


def test_a_conversation_is_counted_through():
    head, body = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", 5000
    found = segments(
        said(What.HTTP_REQUEST, 1.0, b"GET / HTTP/1.1\r\n\r\n"),
        said(What.HTTP_ANSWER, 1.1, head, len(head) + body),
        said(What.HTTP_DONE, 1.2, b""),
        said(What.HTTP_REQUEST, 2.0, b"GET /2 HTTP/1.1\r\n\r\n"),
        said(What.HTTP_ANSWER, 2.1, b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"),
        said(What.HTTP_DONE, 2.1, b""),
    )
    assert flags(found) == ["S", "SA", "A", "PA", "A", "PA", "PA", "A", "PA", "A", "PA", "A", "FA", "FA", "A"]
    ours = [segment for segment in found if segment.sport == 69]
    assert ours[4].seq - ours[1].seq == len(head) + body  # its second request's ACK comes after the whole answer
    assert found[7].ack == 1 + len(head) + body


def test_a_body_whose_end_is_not_on_record_is_counted_all_the_same():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    found = segments(
        said(What.HTTP_REQUEST, 1.0, b"GET / HTTP/1.1\r\n\r\n"),
        said(What.HTTP_ANSWER, 1.1, head, len(head) + 5000),
        said(What.HTTP_REQUEST, 2.0, b"GET /2 HTTP/1.1\r\n\r\n"),
    )
    assert found[-1].seq == 1 + len(head) + 5000


def test_the_body_of_a_request_is_counted_too():
    found = segments(
        said(What.HTTP_REQUEST, 1.0, b"POST / HTTP/1.1\r\n\r\n", 4000),
        said(What.HTTP_ANSWER, 1.1, b"HTTP/1.1 200 OK\r\n\r\n"),
    )
    assert flags(found) == ["S", "SA", "A", "PA", "A", "PA", "A"]
    assert found[4].ack == 4001


@pytest.mark.parametrize(("size", "count"), [(20 * LARGE, 20), (8000 * LARGE, BODY)])
def test_a_long_body_is_spread_over_its_time_and_bounded(size, count):
    machine, server = ENDS[4]
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    size += MSS - len(head)  # what goes with the head
    talk = (
        said(What.HTTP_REQUEST, 1.0, b"GET / HTTP/1.1\r\n\r\n"),
        said(What.HTTP_ANSWER, 2.0, head, len(head) + size),
        said(What.HTTP_DONE, 4.0, b""),
    )
    frames = list(Connection(machine, server).frames(talk))
    body = [frame for frame in frames if frame.length > LARGE and Ether(frame.data)[TCP].sport == 69]
    assert len(body) == count
    assert [frame.at for frame in frames[2:]] == sorted(frame.at for frame in frames[2:])
    assert 2.0 < body[0].at < 2.01 < 3.8 < body[-1].at < 4.0
    assert Ether(frames[-1].data)[TCP].ack == 1 + len(head) + size


def test_a_long_script_is_whole_and_in_segments():
    data = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4000
    found = segments(said(What.HTTP_REQUEST, 1.0, b"GET / HTTP/1.1\r\n\r\n"), said(What.HTTP_ANSWER, 1.1, data))
    assert b"".join(bytes(segment.payload) for segment in found if segment.sport == 69) == data


def test_a_client_that_went_away_resets():
    found = segments(
        said(What.HTTP_REQUEST, 1.0, b"GET / HTTP/1.1\r\n\r\n"),
        said(What.HTTP_CLOSED, 3.0, b""),
        said(What.HTTP_REQUEST, 4.0, b"GET / HTTP/1.1\r\n\r\n"),
    )
    assert flags(found) == ["S", "SA", "A", "PA", "A", "RA", "S", "SA", "A", "PA", "A"]
