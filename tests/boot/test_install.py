"""The install state machine: a table of its transitions, and a model that no order of events can break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.install import (
    DESCRIBED,
    SAME_BOOT,
    Arm,
    Boot,
    Done,
    Fail,
    Fetched,
    GoLocal,
    InstallRecord,
    InstallState,
    advance,
    installs,
)
from netprov.inventory.model import InstallMode

S = InstallState


def step(record, event, *, mode=InstallMode.LOCAL, attempts=3, now=1000.0, token="fresh"):
    return advance(record, event, mode=mode, attempts=attempts, now=now, token=token)


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (S.LOCAL, Arm(), S.ARMED),
        (S.INSTALLED, Arm(), S.ARMED),
        (S.FAILED, Arm(), S.ARMED),
        (S.INSTALLING, Arm(), S.ARMED),
        (S.ARMED, Boot(), S.BOOTING),
        (S.ARMED, Fetched("t"), S.INSTALLING),
        (S.BOOTING, Fetched("t"), S.INSTALLING),
        (S.BOOTING, Fetched("other"), S.BOOTING),
        (S.BOOTING, Fetched(""), S.BOOTING),
        (S.INSTALLING, Fetched("t"), S.INSTALLING),
        (S.INSTALLING, Done("t"), S.INSTALLED),
        (S.INSTALLING, Done("other"), S.INSTALLING),
        (S.INSTALLING, Done(""), S.INSTALLING),
        (S.INSTALLING, Done(), S.INSTALLED),
        (S.BOOTING, Done("t"), S.INSTALLED),
        (S.INSTALLING, Fail("t", "disk full"), S.FAILED),
        (S.INSTALLING, Fail("x", "disk full"), S.INSTALLING),
        (S.INSTALLED, Boot(), S.INSTALLED),
        (S.INSTALLED, Fetched("t"), S.INSTALLED),
        (S.INSTALLED, Done("t"), S.INSTALLED),
        (S.INSTALLED, Fail("t", "late"), S.INSTALLED),
        (S.FAILED, Boot(), S.FAILED),
        (S.FAILED, Done("t"), S.FAILED),
        (S.LOCAL, Boot(), S.LOCAL),
        (S.LOCAL, Done(), S.LOCAL),
        (S.ARMED, GoLocal(), S.LOCAL),
        (S.INSTALLING, GoLocal(), S.LOCAL),
        (S.INSTALLED, GoLocal(), S.LOCAL),
    ],
)
def test_transitions(before, event, after):
    assert step(InstallRecord(before, token="t"), event).state is after


@pytest.mark.parametrize(
    ("mode", "event", "after"),
    [
        (InstallMode.ONCE, Boot(), S.BOOTING),
        (InstallMode.LOCAL, Boot(), S.LOCAL),
        (InstallMode.LOCAL, Arm(), S.ARMED),
        (InstallMode.ALWAYS, Boot(), S.LOCAL),
    ],
)
def test_first_event_of_a_machine_without_a_record(mode, event, after):
    assert step(None, event, mode=mode).state is after


def test_a_lost_callback_cannot_loop_for_ever():
    record = step(InstallRecord(S.LOCAL), Arm())
    seen = []
    for boot in range(5):
        record = step(record, Boot(), now=1000 + 600 * boot)
        seen.append(record.state)
    assert seen == [S.BOOTING, S.BOOTING, S.BOOTING, S.FAILED, S.FAILED]
    assert "started 3 times" in record.note


def test_a_script_asked_for_again_within_the_same_boot_is_one_attempt():
    record = step(step(None, Arm()), Boot(), now=1000)
    assert step(record, Boot(), now=1000 + SAME_BOOT - 1) == record
    assert step(record, Boot(), now=1000 + SAME_BOOT).attempts == 2


def test_clock_that_jumps_back_counts_an_attempt_and_does_not_stick():
    record = step(step(None, Arm()), Boot(), now=1000)
    assert step(record, Boot(), now=10).attempts == 2


def test_arming_draws_a_new_token_so_that_an_old_callback_is_nothing():
    first = step(None, Arm(), token="one")
    second = step(step(first, Boot()), Arm(), token="two")
    assert step(second, Done("one")) == second
    assert step(second, Done("two")).state is S.INSTALLED


def test_every_state_is_described():
    assert set(DESCRIBED) == set(S)


EVENTS = st.one_of(
    st.just(Boot()),
    st.just(GoLocal()),
    st.just(Done()),
    st.builds(Fetched, st.sampled_from(["t1", "t2", ""])),
    st.builds(Done, st.sampled_from(["t1", "t2", ""])),
    st.builds(Fail, st.sampled_from(["t1", "t2", "", None]), st.text(max_size=5)),
)


@given(
    st.sampled_from([S.INSTALLED, S.FAILED, S.LOCAL]),
    st.sampled_from(InstallMode),
    st.lists(st.tuples(EVENTS, st.floats(-100, 1e6)), max_size=30),
)
def test_no_order_of_events_reinstalls_a_machine_that_nobody_armed(ended, mode, events):
    record = InstallRecord(ended, token="t1")
    now = 1e6
    for event, later in events:
        now += later
        record = step(record, event, mode=mode, now=now)
        assert not installs(record, mode)


@given(st.lists(st.tuples(st.one_of(EVENTS, st.just(Arm())), st.floats(0, 1e4)), max_size=40), st.integers(1, 5))
def test_between_two_arms_at_most_so_many_boots_install(events, attempts):
    record, now, boots, last_boot = None, 0.0, 0, -1e9
    for event, later in events:
        now += later
        if isinstance(event, Arm):
            boots, last_boot = 0, -1e9
        if isinstance(event, Done) and record and record.state is S.INSTALLED:
            assert step(record, event, now=now).state is S.INSTALLED
        record = step(record, event, attempts=attempts, now=now, token="t1")
        if isinstance(event, Boot) and record.state.installs and now - last_boot >= SAME_BOOT:
            boots, last_boot = boots + 1, now
        assert boots <= attempts
