# ruff: noqa: E501 - a row of a table is a line
"""The install state machine: a table of its transitions, and a model that no order of events can break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.boot.install import (
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
    next_boot,
    refusal,
)
from netprov.inventory.model import InstallMode, Target

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


def machine(mode=InstallMode.LOCAL, kernel="k"):
    return Target("system", "lady", kernel=kernel, install=mode, install_attempts=3)


NO_KERNEL = "has no kernel to boot, so it boots its own disk"


@pytest.mark.parametrize(
    ("mode", "state", "attempts", "with_kernel", "without"),
    [
        (InstallMode.LOCAL, None, 0, "boots its own disk", "boots its own disk"),
        (InstallMode.LOCAL, S.LOCAL, 0, "boots its own disk", "boots its own disk"),
        (InstallMode.LOCAL, S.ARMED, 0, "will be installed at its next network boot", NO_KERNEL),
        (InstallMode.LOCAL, S.BOOTING, 2, "was sent its installer (attempt 2 of 3); another boot starts it again", NO_KERNEL),
        (InstallMode.LOCAL, S.BOOTING, 3, "was sent its installer (attempt 3 of 3); another boot is from its own disk", NO_KERNEL),
        (InstallMode.LOCAL, S.INSTALLING, 1, "is being installed (attempt 1 of 3); another boot starts it again", NO_KERNEL),
        (InstallMode.LOCAL, S.INSTALLED, 1, "is installed and boots its own disk", "is installed and boots its own disk"),
        (InstallMode.LOCAL, S.FAILED, 3, "failed to install: no disk; it boots its own disk", "failed to install: no disk; it boots its own disk"),
        (InstallMode.ONCE, None, 0, "will be installed at its next network boot", NO_KERNEL),
        (InstallMode.ONCE, S.INSTALLED, 1, "is installed and boots its own disk", "is installed and boots its own disk"),
        (InstallMode.ALWAYS, None, 0, "boots its kernel every time", NO_KERNEL),
        (InstallMode.ALWAYS, S.INSTALLED, 1, "boots its kernel every time", NO_KERNEL),
    ],
)  # fmt: skip
def test_one_sentence_says_what_the_next_boot_does(mode, state, attempts, with_kernel, without):
    """Cobbler's `netboot enabled` is a flag of which nobody knows what it means for the next boot."""
    note = "no disk" if state is S.FAILED else ""
    record = InstallRecord(state, attempts=attempts, note=note) if state is not None else None
    assert next_boot(record, machine(mode)) == with_kernel
    assert next_boot(record, machine(mode, kernel="")) == without


@pytest.mark.parametrize("mode", InstallMode)
@pytest.mark.parametrize("state", [None, *S])
def test_the_sentence_is_what_the_state_machine_does(mode, state):
    """Whatever the state: what it says of the next boot is what that boot's script is decided by."""
    record = InstallRecord(state, attempts=3 if state in (S.BOOTING, S.INSTALLING) else 0) if state else None
    said = next_boot(record, machine(mode))
    after = step(record, Boot(), mode=mode, attempts=3)
    starts = mode is InstallMode.ALWAYS or installs(after, mode)
    assert ("own disk" in said) is not starts


@pytest.mark.parametrize(
    ("mode", "state", "event", "why"),
    [
        (InstallMode.ALWAYS, None, Arm(), "has install: always: it boots its kernel every time, and there is nothing to arm"),
        (InstallMode.ALWAYS, S.LOCAL, Arm(), "has install: always: it boots its kernel every time, and there is nothing to arm"),
        (InstallMode.ALWAYS, None, GoLocal(), "has install: always: it boots its kernel every time; write install: local to let it boot its own disk"),
        (InstallMode.ALWAYS, None, Fail(), "has no install under way: it boots its kernel every time"),
        (InstallMode.LOCAL, None, Fail(note="x"), "has no install under way: it boots its own disk"),
        (InstallMode.LOCAL, None, Done(), "has no install under way: it boots its own disk"),
        (InstallMode.LOCAL, S.INSTALLED, Fail(), "has no install under way: it is installed and boots its own disk"),
        (InstallMode.ONCE, S.FAILED, Done(), "has no install under way: it failed to install and boots its own disk"),
        (InstallMode.ONCE, None, Done(), ""),
        (InstallMode.LOCAL, S.ARMED, Fail(), ""),
        (InstallMode.LOCAL, S.INSTALLING, Done(), ""),
        (InstallMode.LOCAL, S.INSTALLED, Done("t"), ""),  # an installer's word is answered, not refused
        (InstallMode.LOCAL, S.LOCAL, GoLocal(), ""),
        (InstallMode.LOCAL, S.INSTALLING, Arm(), ""),
        (InstallMode.ALWAYS, None, Boot(), ""),
        (InstallMode.LOCAL, S.FAILED, Fetched("t"), ""),
    ],
)  # fmt: skip
def test_what_an_operator_cannot_have_is_refused(mode, state, event, why):
    assert refusal(InstallRecord(state) if state else None, event, machine(mode)) == why


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
