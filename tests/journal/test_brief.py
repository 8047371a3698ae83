"""A boot in brief is the same boot: its stages, its last event, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netprov.journal.boots import Boot
from netprov.journal.correlate import Correlator
from netprov.journal.store import Store
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, verdicts

from .scenes import SCENES, Machine

NAMES = ("lady", "00:16:3e:11:11:11")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Callable[..., Timeline]]:
    store, correlator = Store(tmp_path / "journal.db"), Correlator()
    journal = Timeline(tmp_path / "journal.db")

    def keep(*machines: Machine) -> Timeline:
        for machine in machines:
            store.add([correlator.place(event) for event in machine.events], 10**6, 0.0)
        return journal

    yield keep
    journal.close()
    store.close()


def told(boot: Boot | None, after: float = 3600.0) -> tuple[object, ...]:
    assert boot is not None
    found = verdicts(boot, Context(boot.events[-1].at + after, address="10.0.0.1"))
    return boot.machine, boot.number, boot.started, boot.events[-1], boot.stages, [verdict.id for verdict in found]


@pytest.mark.parametrize("name", SCENES)
def test_the_same_boot(kept: Callable[..., Timeline], name: str) -> None:
    machine = Machine()
    for _ in range(2):
        SCENES[name](machine)
        machine.wait(2000)
    journal = kept(machine)
    (whole,) = journal.boots(NAMES)
    assert told(journal.latest_of(NAMES)) == told(whole) == told(journal.latest_of(NAMES[1:]))
    assert [told(boot) for boot in journal.briefly(NAMES, 5)] == [told(boot) for boot in journal.boots(NAMES, 5)]


@pytest.mark.parametrize("upto", [8, 12, None])
def test_thousands_of_packages_are_left_out(kept: Callable[..., Timeline], upto: int | None) -> None:
    machine = SCENES["bios_pxelinux"](Machine())
    machine.events = machine.events[:upto]
    for number in range(3000):
        machine.http(f"/files/Packages/{number}.rpm", "file", 50_000)
    journal = kept(machine)
    (whole,) = journal.boots(NAMES)
    brief = journal.latest_of(NAMES)
    assert brief is not None
    assert len(whole.events) > 3000
    assert len(brief.events) < 40
    assert told(brief)[:4] == told(whole)[:4]
    assert [stage.name for stage in brief.stages] == [stage.name for stage in whole.stages]


def test_an_installed_system_renews_its_lease_for_months(kept: Callable[..., Timeline]) -> None:
    machine = SCENES["bios_pxelinux"](Machine())
    for _ in range(1000):
        machine.wait(1800).address("os")
    brief = kept(machine).latest_of(NAMES)
    assert brief is not None
    assert len(brief.events) == 420
    assert brief.events[-1] == machine.events[-1]
    assert brief.stages[-1].name == "callback"


def test_others(kept: Callable[..., Timeline]) -> None:
    stranger = SCENES["bios_pxelinux"](Machine(mac="52:54:00:99:99:99", ip="10.0.0.9", system="", uuid="", token="t"))
    journal = kept(SCENES["bios_pxelinux"](Machine()), stranger)
    assert [boot.machine for boot in journal.recent_others(9, NAMES[1].__eq__)] == ["52:54:00:99:99:99"]
    assert journal.latest_of(["nobody", ""]) is None
