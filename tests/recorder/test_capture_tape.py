"""What is kept of a TFTP transfer: all of a short one, of a long one what matters."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import pairwise

import pytest

from netprov.datagram import checksum
from netprov.errors import PeerError
from netprov.recorder.entry import Entry, What
from netprov.tftp.body import MemoryBody
from netprov.tftp.codec import Request, ack, error
from netprov.tftp.frames import FrameCache, Frames
from netprov.tftp.negotiate import Limits, negotiate
from netprov.tftp.tap import EVERY, FIRST, MOST, SCRIPT, Talk, Tape, TftpTap
from netprov.tftp.transfer import Transfer

OURS = ip_address("10.77.0.1")
PEER = ("10.77.0.2", 2070)


class Kept:
    """Stands for a Tap."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def put(self, entry: Entry) -> None:
        self.entries.append(entry)

    def flush(self) -> None:
        pass


class Line:
    """A transfer of `size` octets and its tape; the client answers as it is told."""

    def __init__(self, size: int, windowsize: int = 1, script: bytes | None = None) -> None:
        self.kept = Kept()
        options = (("blksize", "512"), ("windowsize", str(windowsize)))
        data = script if script is not None else bytes(size)
        terms = negotiate(Request("file", options=options), len(data), Limits(1400, 64))
        self.transfer = Transfer(Frames(MemoryBody(data), terms.blksize, FrameCache()), terms)
        talk = Talk(PEER, OURS, 4001, "52:54:00:00:00:01", "token", True)
        self.tape = Tape(self.kept, talk, self.transfer.stride, script, 1000.0, 0.0)
        self.now = 0.0
        self._step(self.transfer.start(0.0))

    def _step(self, runs) -> None:
        self.tape.step(self.transfer, runs, self.now)

    def hear(self, datagram: bytes, after: float = 0.001) -> None:
        self.now += after
        self.tape.heard = datagram
        self._step(self.transfer.receive(datagram, self.now))

    def time_out(self) -> None:
        self.now = self.transfer.deadline()
        self._step(self.transfer.timeout(self.now))

    def to_the_end(self, after: float = 0.001, until: int = 10**9) -> None:
        self.hear(ack(0))
        while not self.transfer.ended and self.transfer._sent < until:
            self.hear(ack(self.transfer._sent), after)

    def blocks(self, what: What = What.TFTP_SENT) -> list[int]:
        code = b"\0\3" if what is What.TFTP_SENT else b"\0\4"
        return [
            int.from_bytes(entry.data[2:4], "big")
            for entry in self.kept.entries
            if entry.what is what and entry.data[:2] == code
        ]


def test_a_short_transfer_is_kept_to_the_last_packet():
    line = Line(2000)
    line.to_the_end()
    assert line.kept.entries[0].data[:2] == b"\0\6"  # OACK
    assert line.blocks() == [1, 2, 3, 4]
    assert line.blocks(What.TFTP_HEARD) == [0, 1, 2, 3, 4]


def test_of_data_only_the_header_is_kept_with_the_wholes_length_and_checksum():
    line = Line(2000)
    line.to_the_end()
    data = [entry for entry in line.kept.entries if entry.data[:2] == b"\0\3"]
    assert {len(entry.data) for entry in data} == {4}
    assert [entry.length for entry in data] == [516, 516, 516, 468]
    assert data[-1].checksum == checksum(b"\0\3\0\4" + bytes(464))


def test_who_and_when():
    line = Line(600)
    line.to_the_end()
    assert {(e.ip, e.port, e.local, e.local_port, e.mac, e.declared) for e in line.kept.entries} == {
        (ip_address(PEER[0]).packed, PEER[1], OURS.packed, 4001, "52:54:00:00:00:01", True)
    }
    times = [entry.at for entry in line.kept.entries]
    assert times == sorted(times)
    assert times[0] == 1000.0


@pytest.mark.parametrize("windowsize", [1, 16])
def test_of_a_long_transfer_the_beginning_and_the_end_are_kept(windowsize):
    line = Line(5_000_000, windowsize)
    line.to_the_end()
    last = line.transfer.blocks
    blocks = line.blocks()
    assert blocks[:3] == [1, 2, 3]
    assert blocks[-1] == last
    assert line.blocks(What.TFTP_HEARD)[-1] == last
    assert len(line.kept.entries) < FIRST + 20 + 3 * line.now / EVERY


def test_a_second_without_trouble_leaves_one_step():
    line = Line(50_000)
    line.to_the_end(after=0.5)
    blocks = line.blocks()
    assert all(after - before <= 3 for before, after in pairwise(blocks))


def test_a_packet_that_is_sent_twice_is_kept_with_what_was_before_it():
    line = Line(500_000)
    line.to_the_end(until=200)
    line.time_out()
    line.time_out()
    assert line.blocks()[-3:] == [200, 200, 200]
    line.hear(ack(200))
    line.hear(ack(201))
    assert line.blocks()[-3:] == [200, 200, 200]


def test_blocks_lost_in_a_window_are_seen():
    line = Line(500_000, windowsize=8)
    line.to_the_end(until=200)
    line.hear(ack(195))
    assert line.blocks()[-2:] == [196, 203]
    assert line.blocks(What.TFTP_HEARD)[-1] == 195


def test_the_clients_error_is_kept_whole_with_what_was_before_it():
    line = Line(500_000)
    line.to_the_end(until=200)
    line.hear(error(0, "User aborted the transfer"))
    assert line.kept.entries[-1].data == error(0, "User aborted the transfer")
    assert line.blocks()[-1] == 200


def test_our_error_is_kept_whole():
    line = Line(500_000)
    line.to_the_end(until=100)
    runs = line.transfer.cancel(PeerError("the server stops", 0), line.now)
    line.tape.step(line.transfer, runs, line.now)
    assert line.kept.entries[-1].data == error(0, "the server stops")


def test_garbage_in_a_transfer_is_kept_whole():
    line = Line(500_000)
    line.to_the_end(until=100)
    line.hear(b"\xff" * 100)
    assert line.kept.entries[-1].data == b"\xff" * 100


def test_a_transfer_that_loses_packets_all_the_way_is_bounded():
    line = Line(5_000_000)
    line.hear(ack(0))
    for _ in range(3000):
        line.time_out()
        line.hear(ack(line.transfer._sent))
    assert len(line.kept.entries) < MOST + 10


def test_a_scripts_text_is_kept_once_and_before_its_packets():
    text = b"#!ipxe\n" + b"kernel vmlinuz\n" * 100
    line = Line(0, script=text)
    line.to_the_end()
    first, *rest = line.kept.entries
    assert (first.what, first.data, first.length, first.secret) == (What.TFTP_SCRIPT, text, 512, "token")
    assert not any(entry.what is What.TFTP_SCRIPT for entry in rest)


def test_a_long_script_is_cut_at_a_lines_end():
    text = b"kernel vmlinuz\n" * 3000
    kept = Line(0, script=text).kept.entries[0].data
    assert SCRIPT - 15 <= len(kept) <= SCRIPT
    assert text.startswith(kept)
    assert kept.endswith(b"\n")


def test_what_belongs_to_no_transfer_is_kept_whole():
    kept = Kept()
    tap = TftpTap(kept, lambda: 5.0, lambda: 1005.0)
    tap.heard(b"\xff\xff", ("::ffff:10.77.0.2", 2070, 0, 0), None, 69, 4.0)
    tap.sent(error(4, "what?"), PEER, OURS, 69)
    first, second = kept.entries
    assert first.at == 1004.0
    assert (first.data, first.ip, first.local) == (b"\xff\xff", ip_address("10.77.0.2").packed, bytes(4))
    assert (second.data, second.at, second.local_port) == (error(4, "what?"), 1005.0, 69)
