"""Our own client, against our server and against servers that misbehave."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tftp_world import World

from netprov.errors import PeerError
from netprov.tftp.client import PLAIN_AFTER, TRIES, Fetch, FetchError, NotFoundError, Wish
from netprov.tftp.codec import ack
from netprov.tftp.fetch import download, fetch
from netprov.tftp.negotiate import REFUSAL


@pytest.mark.parametrize("size", [0, 1, 1468, 300_000])
@pytest.mark.parametrize(("blksize", "windowsize"), [(512, 1), (1468, 1), (1468, 16), (65464, 64), (8, 4)])
def test_fetch(world: World, size: int, blksize: int, windowsize: int) -> None:
    size = min(size, blksize * 2000)
    data = os.urandom(size)
    (world.root / "f").write_bytes(data)
    assert fetch("127.0.0.1", "f", port=world.port, blksize=blksize, windowsize=windowsize) == data


def test_not_found_is_told_from_all_else(world: World) -> None:
    with pytest.raises(NotFoundError) as missing:
        fetch("127.0.0.1", "absent", port=world.port)
    assert (missing.value.code, missing.value.text) == (1, "no such file")
    with pytest.raises(FetchError, match="outside") as outside:
        fetch("127.0.0.1", "../x", port=world.port)
    assert not isinstance(outside.value, NotFoundError)
    with pytest.raises(FetchError, match="does not appear to be"):
        fetch("no.such.host", "f")


def test_limit(world: World) -> None:
    (world.root / "f").write_bytes(bytes(5000))
    with pytest.raises(FetchError, match="5000 octets; 4999 are allowed"):
        download("127.0.0.1", Wish("f", limit=4999), len, world.port)


@contextmanager
def scripted(answers: Sequence[Callable[[bytes], Sequence[bytes]]]) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers packet n with what answers[n] makes of it; each from its own new port until ACKs come."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)

        def serve() -> None:
            for answer in answers:
                try:
                    datagram, peer = sock.recvfrom(1000)
                except OSError:
                    return
                heard.append(datagram)
                for packet in answer(datagram):
                    sock.sendto(packet, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()[1], heard
        thread.join()


DATA1 = b"\0\3\0\1done"


def test_a_server_without_options() -> None:
    with scripted([lambda _: [DATA1], lambda _: []]) as (port, heard):
        assert fetch("127.0.0.1", "f", port=port) == b"done"
    assert heard[0] == b"\0\1f\0octet\0tsize\0000\0blksize\0001468\0windowsize\00016\0"


def test_a_server_that_refuses_options() -> None:
    refusal = b"\0\5\0\x08" + REFUSAL.encode() + b"\0"
    with scripted([lambda _: [refusal], lambda _: [DATA1], lambda _: []]) as (port, heard):
        assert fetch("127.0.0.1", "f", port=port) == b"done"
    assert heard[1] == b"\0\1f\0octet\0"


def test_a_server_without_windowsize_is_served_in_lock_step() -> None:
    oack = b"\0\6blksize\00016\0"
    blocks = [b"\0\3\0\1" + b"a" * 16, b"\0\3\0\2end"]
    with scripted([lambda _: [oack], lambda _: blocks[:1], lambda _: blocks[1:], lambda _: []]) as (port, heard):
        assert fetch("127.0.0.1", "f", port=port) == b"a" * 16 + b"end"
    assert heard[1:] == [ack(0), ack(1), ack(2)]


def test_an_unasked_blksize_is_borne() -> None:
    with scripted([lambda _: [b"\0\6tsize\0004\0utimeout\0009\0"], lambda _: [DATA1], lambda _: []]) as (port, _):
        assert fetch("127.0.0.1", "f", port=port) == b"done"


BAD_ANSWERS = [
    (b"\0\6blksize\0002000\0", "blksize 2000"), (b"\0\6blksize\0007\0", "blksize 7"),
    (b"\0\6windowsize\00099\0", "windowsize 99"),
    (b"\0\6blksize\0abc\0", "not numbers"), (b"\0\5\0\3disk\0", "disk .TFTP error 3"), (b"\0\5\0\0\0", "refuses"),
    (b"\0\3\0\1" + b"x" * 513, "513 octets"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "text"), BAD_ANSWERS)
def test_bad_answers(answer: bytes, text: str) -> None:
    f = Fetch(Wish("f"), len)
    f.start(0.0)
    with pytest.raises(FetchError, match=text):
        f.receive(answer, 0.1)


def test_the_announced_size_is_held_to() -> None:
    f = Fetch(Wish("f"), len)
    f.start(0.0)
    f.receive(b"\0\6tsize\0005\0", 0.1)
    with pytest.raises(FetchError, match="4 octets came of the 5"):
        f.receive(DATA1, 0.2)


def test_silence() -> None:
    f = Fetch(Wish("f"), len)
    packets = f.start(0.0)
    for _ in range(TRIES - 1):
        packets += f.timeout(f.deadline())
    with pytest.raises(FetchError, match="does not answer"):
        f.timeout(f.deadline())
    assert len(packets) == TRIES
    assert len(set(packets[:PLAIN_AFTER])) == 1
    assert packets[PLAIN_AFTER] == b"\0\1f\0octet\0"


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40) | st.binary(max_size=12).map(lambda b: b"\0\6" + b), max_size=12))
def test_only_fetch_error_leaves_it(datagrams: list[bytes]) -> None:
    f = Fetch(Wish("f"), len)
    now = 0.0
    f.start(now)
    try:
        for datagram in datagrams:
            now += 0.5
            f.receive(datagram, now)
            f.timeout(now)
    except PeerError as problem:
        if not isinstance(problem, FetchError):
            raise
