"""The transfer core by hand: T1, T2, T6, T7, and what it sends before it knows who listens."""

from __future__ import annotations

import pytest

from netprov.errors import PeerError
from netprov.tftp.body import MemoryBody
from netprov.tftp.codec import ack, error
from netprov.tftp.frames import FrameCache, Frames
from netprov.tftp.negotiate import Terms
from netprov.tftp.transfer import OPENING_TRIES, OPENING_TRIES_DATA, State, Transfer


def transfer(
    size: int, blksize: int = 512, windowsize: int = 1, timeout: int | None = None, oack: bool = False
) -> Transfer:
    data = bytes(block % 251 for block in range(size))
    granted = (("blksize", str(blksize)),) if oack or windowsize > 1 else ()
    terms = Terms(blksize, windowsize, timeout, granted)
    return Transfer(Frames(MemoryBody(data), blksize, FrameCache()), terms)


def blocks(runs: object, stride: int = 516) -> list[int]:
    """The block numbers in what a transfer wants sent."""
    numbers = []
    for run in runs:  # type: ignore[attr-defined]
        octets = bytes(run)
        assert octets[:2] == b"\0\3"
        numbers += [int.from_bytes(octets[at + 2 : at + 4], "big") for at in range(0, len(octets), stride)]
    return numbers


def test_t1_lock_step_to_the_end() -> None:
    t = transfer(1024)
    assert blocks(t.start(0.0)) == [1]
    assert blocks(t.receive(ack(1), 0.1)) == [2]
    last = t.receive(ack(2), 0.2)
    assert bytes(last[0]) == b"\0\3\0\3"  # a multiple of 512 ends with an empty block
    assert list(t.receive(ack(3), 0.3)) == []
    assert (t.state, t.octets, t.retransmits, t.seconds) == (State.DONE, 1024, 0, 0.3)


def test_t1_an_empty_file_is_one_empty_block() -> None:
    t = transfer(0)
    assert bytes(t.start(0.0)[0]) == b"\0\3\0\1"
    t.receive(ack(1), 0.1)
    assert t.state is State.DONE


def test_t1_error_is_never_answered() -> None:
    t = transfer(5000)
    t.start(0.0)
    t.receive(ack(1), 0.1)
    assert list(t.receive(error(3, "disk full"), 0.2)) == []
    assert t.state is State.ABORTED
    assert t.peer_error is not None
    assert (t.peer_error.code, t.peer_error.text, t.started) == (3, "disk full", True)
    assert list(t.receive(ack(2), 0.3)) == []
    assert list(t.timeout(99.0)) == []


def test_t1_last_ack_lost() -> None:
    t = transfer(600)
    t.start(0.0)
    assert blocks(t.receive(ack(1), 0.1)) == [2]
    assert blocks(t.timeout(t.deadline())) == [2]
    t.unreachable(5.0)  # the client has all of it and closed its port
    assert t.state is State.DONE


def test_t1_a_port_closed_half_way_is_no_success() -> None:
    t = transfer(5000)
    t.start(0.0)
    t.receive(ack(1), 0.1)
    t.unreachable(0.2)
    assert t.state is State.ABORTED


GARBAGE = [b"", b"\0", b"\0\4", b"\0\4\0", b"\0\3\0\1x", b"\0\1f\0octet\0", b"\0\6\0", b"\xff" * 100]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_t1_garbage_changes_nothing(garbage: bytes) -> None:
    t = transfer(2000)
    t.start(0.0)
    before = t.deadline()
    assert list(t.receive(garbage, 0.1)) == []
    assert (t.state, t.stray, t.deadline()) == (State.OPENING, 1, before)
    assert blocks(t.receive(ack(1), 0.2)) == [2]


def test_t2_duplicate_acks_send_nothing() -> None:
    t = transfer(5000)
    t.start(0.0)
    t.receive(ack(1), 0.1)
    for _ in range(100):
        assert list(t.receive(ack(1), 0.11)) == []
        assert list(t.receive(ack(0), 0.11)) == []
    assert blocks(t.receive(ack(2), 0.2)) == [3]
    assert list(t.receive(ack(1), 0.21)) == []  # delayed
    assert t.retransmits == 0


def test_t2_an_ack_of_what_was_not_sent_is_nothing() -> None:
    t = transfer(5000)
    t.start(0.0)
    for number in (0, 2, 3, 65535):
        assert list(t.receive(ack(number), 0.1)) == []
    assert t.octets == 0


def test_t2_adaptive_timeout_with_backoff() -> None:
    t = transfer(50_000)
    t.start(0.0)
    assert t.deadline() == pytest.approx(1.0)
    now = 0.0
    for block in range(1, 40):
        now += 0.010
        t.receive(ack(block), now)
    assert t.deadline() - now == pytest.approx(0.040)
    waits = []
    for _ in range(9):
        due = t.deadline()
        waits.append(due - now)
        now = due
        assert blocks(t.timeout(now)) == [40]
    assert waits == pytest.approx([0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 4.0, 4.0])
    t.receive(ack(40), now + 0.01)  # of a packet sent many times: no round trip (Karn)
    assert t.deadline() - now - 0.01 == pytest.approx(0.040)


def test_t2_a_slow_link_is_not_taken_for_loss() -> None:
    t = transfer(100_000)
    t.start(0.0)
    now = 0.0
    for block in range(1, 100):
        now += 0.5
        assert t.deadline() > now
        t.receive(ack(block), now)
    assert t.retransmits == 0


def test_t5_the_clients_timeout_is_the_longest_interval() -> None:
    t = transfer(50_000, timeout=1)
    now = 0.0
    t.start(now)
    t.receive(ack(1), 0.01)
    for _ in range(12):
        step = t.deadline() - now
        assert step <= 1.0 + 1e-9
        now = t.deadline()
        t.timeout(now)


def test_t2_it_gives_up() -> None:
    t = transfer(50_000)
    t.start(0.0)
    t.receive(ack(1), 0.01)
    sent = 0
    while not t.ended:
        sent += len(t.timeout(t.deadline()))
    assert t.state is State.FAILED
    assert 20 < t.seconds < 60
    assert sent < 20


@pytest.mark.parametrize(("oack", "tries"), [(True, OPENING_TRIES), (False, OPENING_TRIES_DATA)])
def test_amplification_before_the_first_ack(oack: bool, tries: int) -> None:
    t = transfer(500_000, oack=oack, windowsize=16 if oack else 1)
    packets = [bytes(run) for run in t.start(0.0)]
    while not t.ended:
        packets += [bytes(run) for run in t.timeout(t.deadline())]
    assert len(packets) == tries
    assert len(set(packets)) == 1
    assert len(packets[0]) <= 516
    assert t.state is State.FAILED


def test_t3_oack_then_ack_0_then_the_window() -> None:
    t = transfer(5000, windowsize=4)
    assert [bytes(run) for run in t.start(0.0)] == [b"\0\6blksize\x00512\0"]
    assert list(t.receive(ack(1), 0.1)) == []
    assert [bytes(run) for run in t.timeout(t.deadline())] == [b"\0\6blksize\x00512\0"]
    assert blocks(t.receive(ack(0), 2.0)) == [1, 2, 3, 4]
    assert list(t.receive(ack(0), 2.1)) == []


def test_t3_a_tsize_probe_is_no_failure() -> None:
    t = transfer(5000, oack=True)
    t.start(0.0)
    t.receive(error(8, "User aborted the transfer"), 0.1)
    assert (t.state, t.started) == (State.ABORTED, False)


def test_t6_an_ack_within_the_window_resumes_after_it() -> None:
    t = transfer(512 * 20, windowsize=8)
    t.start(0.0)
    assert blocks(t.receive(ack(0), 0.1)) == list(range(1, 9))
    assert blocks(t.receive(ack(3), 0.2)) == list(range(4, 12))
    assert t.retransmits == 5
    assert list(t.receive(ack(3), 0.21)) == []
    assert blocks(t.receive(ack(11), 0.3)) == list(range(12, 20))
    assert blocks(t.receive(ack(19), 0.4)) == [20, 21]  # the last window is short
    t.receive(ack(21), 0.5)
    assert t.state is State.DONE


def test_t6_a_lost_window_is_sent_again_from_the_acknowledged_block() -> None:
    t = transfer(512 * 20, windowsize=4)
    t.start(0.0)
    t.receive(ack(0), 0.1)
    t.receive(ack(4), 0.2)
    assert blocks(t.timeout(t.deadline())) == [5, 6, 7, 8]
    assert t.retransmits == 4


def test_t6_t7_the_window_goes_over_the_wrap() -> None:
    t = transfer(8 * 65_540, blksize=8, windowsize=64)
    t.start(0.0)
    now = block = 0
    while not t.ended:
        runs = t.receive(ack(block), float(now))
        sent = blocks(runs, stride=12)
        if block == 65_535 - 31:
            assert sent[:35] == [*range(65_505, 65_536), 0, 1, 2, 3]
        block += len(sent)
        now += 1
        if block == 65_536 + 0 and t.octets == 8 * (65_536 - 64):
            runs = t.receive(ack(65_536 - 32), float(now))  # an ACK in the window before the wrap
            assert blocks(runs, stride=12)[0] == (65_536 - 31) & 0xFFFF
            block = 65_536 - 32 + len(blocks(runs, stride=12))
    assert t.state is State.DONE
    assert t.octets == 8 * 65_540


def test_the_server_can_end_it() -> None:
    t = transfer(5000)
    t.start(0.0)
    assert [bytes(run) for run in t.cancel(PeerError("the server stops", 0), 1.0)] == [b"\0\5\0\0the server stops\0"]
    assert t.state is State.FAILED
    assert list(t.cancel(PeerError("again", 0), 2.0)) == []


def test_a_repeated_request_repeats_the_opening_only() -> None:
    t = transfer(5000, oack=True)
    (opening,) = t.start(0.0)
    assert list(t.again(0.1)) == [opening]
    t.receive(ack(0), 0.2)
    assert list(t.again(0.3)) == []
