"""The one way to change installs: all or none, what cannot be is refused, and the journal is told what changed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from netprov.boot.install import UNDECLARED, Arm, Boot, Done, Fail, GoLocal, InstallRefused, InstallState
from netprov.boot.reason import Reason
from netprov.inventory.model import InstallMode, Target
from netprov.journal.changes import change_installs
from netprov.journal.event import Kind
from netprov.state.state import State, open_state

LADY = Target("system", "lady", kernel="k")
TRAMP = Target("system", "tramp", kernel="k", install_attempts=1)
LIVE = Target("system", "live", kernel="k", install=InstallMode.ALWAYS)
HOUSE = Path(__file__).parents[2] / "netprov"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(str(tmp_path))


def test_several_at_once(state: State) -> None:
    lady, tramp = change_installs(state.installs, {"lady": LADY, "tramp": TRAMP}, Arm(), 5.0, by="me")
    assert state.installs.all() == {"lady": lady.record, "tramp": tramp.record}
    assert lady.record.token != tramp.record.token
    assert lady.event is not None
    assert (lady.event.kind, lady.event.reason, lady.event.text) == (Kind.INSTALL, Reason.INSTALL_ARMED, "lady: armed")
    assert (lady.event.at, lady.event.system, lady.event.mac) == (5.0, "lady", "")
    assert dict(lady.event.detail) == {"state": "armed", "by": "me"}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Arm(), "live has install: always: it boots its kernel every time, and there is nothing to arm"),
        (
            Fail(),
            "lady has no install under way: it boots its own disk; "
            "live has no install under way: it boots its kernel every time",
        ),
    ],
)
def test_one_that_cannot_be_changed_keeps_all_as_they_are(state: State, event: Arm | Fail, said: str) -> None:
    change_installs(state.installs, {"tramp": TRAMP}, Arm(), 1.0)
    before = state.installs.all()
    with pytest.raises(InstallRefused) as refused:
        change_installs(state.installs, {"tramp": TRAMP, "lady": LADY, "live": LIVE}, event, 2.0)
    assert refused.value.text == said
    assert state.installs.all() == before


def test_what_changes_nothing_is_not_told(state: State) -> None:
    change_installs(state.installs, {"lady": LADY}, GoLocal(), 1.0)
    (again,) = change_installs(state.installs, {"lady": LADY}, GoLocal(), 2.0)
    (late,) = change_installs(state.installs, {"lady": LADY}, Done("guess"), 3.0)
    assert again.event is late.event is None
    assert again.record.since == 1.0


def test_the_attempts_are_the_targets_own(state: State) -> None:
    change_installs(state.installs, {"tramp": TRAMP, "lady": LADY}, Arm(), 1.0)
    for at in (100.0, 200.0):
        tramp, lady = change_installs(state.installs, {"tramp": TRAMP, "lady": LADY}, Boot(), at, stage="script")
    assert (tramp.record.state, lady.record.state) == (InstallState.FAILED, InstallState.BOOTING)
    assert lady.event is not None
    assert lady.event.text == "lady: booting (attempt 2)"
    assert lady.event.stage == "script"


def test_a_machine_that_nothing_declares_goes_by_its_mac(state: State) -> None:
    mac = "52:54:00:00:00:09"
    (changed,) = change_installs(state.installs, {mac: UNDECLARED}, Arm(), 1.0)
    assert changed.event is not None
    assert (changed.event.mac, changed.event.system) == (mac, "")


def test_nothing_else_changes_an_install() -> None:
    """Every surface comes by change_installs(), the only one to ask the store, and to make the event."""
    callers = {
        str(path.relative_to(HOUSE))
        for path in HOUSE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("installs.apply"))
        or (isinstance(node, ast.keyword) and node.arg == "kind" and ast.unparse(node.value) == "Kind.INSTALL")
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "advance")
    }
    assert callers == {"journal/changes.py", "state/installs.py"}
