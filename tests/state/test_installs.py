"""The storage of the install state machine; the machine itself is tested in tests/boot."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from netprov.boot.install import (
    UNDECLARED,
    Arm,
    Boot,
    Done,
    Fail,
    Fetched,
    GoLocal,
    InstallEvent,
    InstallRecord,
    InstallState,
)
from netprov.inventory.model import InstallMode, Target
from netprov.state.state import State, open_state


def _apply(
    state: State, event: InstallEvent, now: float = 1000.0, system: str = "lady"
) -> tuple[InstallRecord | None, InstallRecord]:
    (change,) = state.installs.apply({system: UNDECLARED}, event, now)
    return change


def test_one_install_from_arm_to_local(tmp_path: Path) -> None:
    with open_state(str(tmp_path)) as state:
        assert state.installs.get("lady") is None
        before, armed = _apply(state, Arm())
        assert before is None
        assert armed.state is InstallState.ARMED
        assert len(armed.token) >= 20
        assert state.installs.by_token(armed.token) == "lady"
        _apply(state, Boot(), 1001.0)
        _apply(state, Fetched(armed.token), 1002.0)
        before, after = _apply(state, Done(armed.token), 1003.0)
        assert before is not None
        assert (before.state, after.state) == (InstallState.INSTALLING, InstallState.INSTALLED)
    with open_state(str(tmp_path)) as state:
        assert state.installs.get("lady") == after
        assert state.installs.all() == {"lady": after}


def test_every_field_is_kept(tmp_path: Path) -> None:
    with open_state(str(tmp_path)) as state:
        _, armed = _apply(state, Arm())
        _apply(state, Boot(), 1001.5)
        _, failed = _apply(state, Fail(armed.token, "no disk: \udcff\0"), 1002.25)
        kept = state.installs.get("lady")
        assert kept is not None
        assert kept.note == "no disk: \\udcff\\x00"
        assert (kept.attempts, kept.since, kept.boot_at) == (failed.attempts, failed.since, failed.boot_at)


def test_a_wrong_token_changes_nothing(tmp_path: Path) -> None:
    with open_state(str(tmp_path)) as state:
        _, armed = _apply(state, Arm())
        for token in ("", "guess", armed.token[:-1], "\udcff", "' OR 1=1"):
            before, after = _apply(state, Done(token), 1001.0)
            assert before == after == armed
            assert state.installs.by_token(token) is None


def test_a_system_without_a_token_is_nobodys(tmp_path: Path) -> None:
    with open_state(str(tmp_path)) as state:
        _apply(state, GoLocal())
        assert state.installs.by_token("") is None


def test_systems_are_apart(tmp_path: Path) -> None:
    with open_state(str(tmp_path)) as state:
        tokens = {_apply(state, Arm(), system=name)[1].token for name in ("a", "b", "c")}
        assert len(tokens) == 3
        _apply(state, GoLocal(), system="b")
        states = {name: record.state.value for name, record in state.installs.all().items()}
        assert states == {"a": "armed", "b": "local", "c": "armed"}


@pytest.mark.parametrize("armed_first", [True, False])
def test_processes_at_once_lose_no_transition(tmp_path: Path, armed_first: bool) -> None:
    """Every Boot counts an attempt: four processes that each make fifty must count two hundred."""
    if armed_first:
        with open_state(str(tmp_path)) as state:
            _apply(state, Arm(), 0.0)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_boots, args=(str(tmp_path), n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    with open_state(str(tmp_path)) as state:
        record = state.installs.get("lady")
    assert record is not None
    assert (record.attempts, record.state) == (200, InstallState.BOOTING)


def _boots(where: str, worker: int) -> None:
    with open_state(where) as state:
        for n in range(50):
            now = 1000.0 * (1 + n * 4 + worker)  # far enough apart that none repeats another
            state.installs.apply(
                {"lady": Target("system", "", install=InstallMode.ONCE, install_attempts=1000)}, Boot(), now
            )
