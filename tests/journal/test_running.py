"""How far transfers are: in a table beside the events while they last, and nowhere after."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.boot.reason import Reason
from netprov.journal.correlate import Correlator
from netprov.journal.event import Event, Kind
from netprov.journal.running import STALE, Transfer, Transfers, progress_event
from netprov.journal.store import Store
from netprov.journal.timeline import Timeline
from tests.world import until

from .test_writer import _stored, _writing

NOW = time.time()
MACHINE = "00:16:3e:00:00:01"


def about(number: int = 1, kind: Kind = Kind.TFTP_DONE, at: float = 0.0) -> Event:
    return Event(
        at or NOW, kind, Reason.TFTP_OK, "sent", stage="kernel", mac=f"00:16:3e:00:00:{number:02x}", system="lady",
        ip="10.0.0.1", peer=f"10.0.0.1:{number}", name="k/vmlinuz", size=1000, seconds=2.0,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "journal.db")
    yield store
    store.close()


def known(tmp_path: Path, since: float = 0.0) -> list[tuple[str, int, float]]:
    with Timeline(tmp_path / "journal.db") as timeline:
        return [(transfer.machine, transfer.percent, transfer.rate) for transfer in timeline.running(since)]


def test_a_transfer_is_there_while_it_lasts(tmp_path: Path, store: Store) -> None:
    transfers, correlator = Transfers(), Correlator()
    for sent in (100, 500):
        assert transfers.take(progress_event(about(), sent, 250.4))
        assert transfers.waiting
        store.move(transfers, correlator.where, NOW)
        assert not transfers.waiting
    assert known(tmp_path) == [("00:16:3e:00:00:01", 50, 250.0)]
    assert not transfers.take(about(2))  # another's end
    assert not transfers.waiting
    assert not transfers.take(about())  # its own: an event of the journal as every end is
    store.move(transfers, correlator.where, NOW)
    assert known(tmp_path) == []
    with Timeline(tmp_path / "journal.db") as timeline:
        assert timeline.newest() == 0  # nothing of it is an event


def test_one_that_ends_before_it_is_written_is_never_there(tmp_path: Path, store: Store) -> None:
    transfers = Transfers()
    transfers.take(progress_event(about(), 100, 1.0))
    transfers.take(about(kind=Kind.TFTP_FAIL))
    store.move(transfers, Correlator().where, NOW)
    assert known(tmp_path) == []


def test_what_a_killed_worker_left_is_forgotten(tmp_path: Path, store: Store) -> None:
    transfers = Transfers()
    transfers.take(progress_event(about(1, at=NOW - 3 * STALE), 100, 1.0))
    transfers.take(progress_event(about(2, at=NOW + 3 * STALE), 100, 1.0))  # the clock was set back
    transfers.take(progress_event(about(3), 100, 1.0))
    store.move(transfers, Correlator().where, NOW)
    assert [machine for machine, *_ in known(tmp_path)] == ["00:16:3e:00:00:03"]
    assert known(tmp_path, NOW + 1) == []


def test_odd_words_do_no_harm(tmp_path: Path, store: Store) -> None:
    transfers = Transfers()
    much = (("sent", "9" * 30), ("rate", "1"))
    for number, detail in enumerate([(), (("sent", "x"),), (("sent", "1"), ("rate", "nan")), much, (("sent", "-1"),)]):
        transfers.take(replace(progress_event(about(number), 1, 1.0), detail=detail))
    store.move(transfers, Correlator().where, NOW)
    assert [(percent, rate) for _, percent, rate in known(tmp_path)] == [(0, 0), (0, 0), (0, 0), (100, 1), (0, 0)]


def test_by_the_writer(tmp_path: Path) -> None:
    """Through the workers' channel: the boot of the machine, no event, gone at the end."""
    path = tmp_path / "journal.db"
    with _writing(path) as (recorder, _):
        address = (("loader", "firmware"),)
        at = time.time()
        recorder.record(Event(at, Kind.DHCP_ACK, Reason.DHCP_OK, mac=MACHINE, ip="10.0.0.1", detail=address))

        def running() -> tuple[Transfer, ...]:
            with Timeline(path) as timeline:
                return timeline.running(0.0)

        def placed() -> bool:
            recorder.record(progress_event(about(at=time.time()), 300, 1e6))
            return any(transfer.boot for transfer in running())

        until(placed)
        (transfer,) = running()
        assert (transfer.machine, transfer.boot, transfer.stage) == (MACHINE, 1, "kernel")
        recorder.record(about(at=time.time()))
        until(lambda: not running() and len(_stored(path)) > 1)
        assert [event.kind for event in _stored(path)] == [Kind.DHCP_ACK, Kind.TFTP_DONE]
