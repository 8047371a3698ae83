"""How far a transfer is: told while it goes on, not of what is quick, and never as an end."""

from __future__ import annotations

import os
import time

import pytest
from tftp_world import World

from netprov.journal.event import Kind
from netprov.tftp import progress


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.02)


def test_a_slow_transfer_is_told_of(often: None, world: World) -> None:
    data = os.urandom(20 * 512)
    (world.root / "f").write_bytes(data)
    with world.client() as client:
        client.rrq(b"f")
        for block in range(1, 15):
            client.ack(block)
            client.hear_block(block + 1)
            time.sleep(0.02)
        told = world.told(Kind.PROGRESS)
        for block in range(15, 21):
            client.ack(block)
            client.hear_block(block + 1)
        client.ack(21)
        world.told(Kind.TFTP_DONE)
    (done,) = world.told(Kind.TFTP_DONE)
    sent = [int(dict(event.detail)["sent"]) for event in told]
    assert sent == sorted(sent)
    assert 0 < sent[0] <= sent[-1] <= len(data)
    last = told[-1]
    assert (last.name, last.peer, last.size, last.stage) == (done.name, done.peer, len(data), done.stage)
    assert all(float(dict(event.detail)["rate"]) >= 0 for event in told)
    assert last.seconds > 0


def test_what_is_quick_is_not(world: World) -> None:
    (world.root / "f").write_bytes(os.urandom(100_000))
    with world.client() as client:
        client.get(b"f", b"blksize", b"1408")
    world.told(Kind.TFTP_DONE)
    assert not [event for event in world.events if event.kind is Kind.PROGRESS]


def test_who_has_not_answered_is_not(often: None, world: World) -> None:
    """A request may be forged."""
    (world.root / "f").write_bytes(os.urandom(100_000))
    with world.client() as client, world.client() as other:
        client.rrq(b"f")
        for _ in range(10):
            other.get(b"f", b"blksize", b"8192")
            time.sleep(0.01)
        assert {event.peer for event in world.events if event.kind is Kind.PROGRESS} == set()


def test_of_very_many_each_has_its_turn(often: None, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AT_ONCE", 2)
    (world.root / "f").write_bytes(os.urandom(100 * 512))
    clients = [world.client() for _ in range(5)]
    for client in clients:
        client.rrq(b"f")
    deadline = time.monotonic() + 20
    block = 1
    while len({event.peer for event in world.events if event.kind is Kind.PROGRESS}) < 5:
        assert time.monotonic() < deadline
        if block < 90:
            for client in clients:
                client.ack(block)
                client.hear_block(block + 1)
            block += 1
        time.sleep(0.02)
    for client in clients:
        client.sock.close()
