"""Who gives way when the record is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netprov.recorder.shares import BOOT, SLACK, STRANGERS, Shares

MIB = 1 << 20


def cut(shares: Shares, bound: int) -> dict[str, int]:
    excess = dict(shares.excess(bound))
    for owner, octets in excess.items():
        shares.take(owner, octets)
    return excess


def of(rows: list[tuple[str, int, bool]]) -> Shares:
    shares = Shares()
    for owner, octets, declared in rows:
        shares.add(owner, octets, declared)
    return shares


def test_while_there_is_room_nothing_is_forgotten():
    assert cut(of([("noisy", MIB, False)]), MIB) == {}


def test_the_noisy_machine_pays_for_itself():
    shares = of([*((f"m{n}", 40_000, True) for n in range(10)), ("noisy", 5 * MIB, True)])
    assert set(cut(shares, 4 * MIB)) == {"noisy"}
    assert shares.octets <= 4 * MIB


def test_a_boots_worth_is_left_to_everyone_as_long_as_there_are_quieter_ones():
    shares = of([("old", BOOT // 2, True), *((f"m{n}", 3 * BOOT, True) for n in range(30))])
    cut(shares, 20 * BOOT)
    left = [name for name in ("old", *(f"m{n}" for n in range(30))) if name in shares._shares]
    assert "old" not in left  # quiet the longest, and even BOOT for each is too much
    assert all(shares[name].octets >= BOOT for name in left)
    assert "m29" in left


def test_invented_machines_push_out_each_other_and_no_declared_one():
    shares = of([*((f"m{n}", 20_000, True) for n in range(20)), *((f"x{n}", 400, False) for n in range(20_000))])
    gone = cut(shares, 4 * MIB)
    assert all(owner.startswith("x") for owner in gone)
    assert "x19999" not in gone
    assert shares.octets > 3 * MIB  # room that no declared one wants is theirs


def test_one_noisy_stranger_does_not_push_out_the_others():
    shares = of([("noisy", 3 * MIB, False), *((f"x{n}", 5_000, False) for n in range(20))])
    assert set(cut(shares, 2 * MIB)) == {"noisy"}


def test_a_stranger_that_is_declared_is_none_any_more():
    shares = of([("lady", 10, False), ("lady", 10, True)])
    assert shares["lady"].declared


ROWS = st.lists(st.tuples(st.integers(1, 40).map(str), st.integers(150, 200_000), st.booleans()), max_size=120)


@given(ROWS, st.integers(MIB, 4 * MIB))
def test_the_bound_is_kept_and_no_more_is_forgotten_than_that_takes(rows, bound):
    shares = of(rows)
    before = shares.octets
    excess = cut(shares, bound)
    assert shares.octets <= bound
    assert shares.octets == before - sum(excess.values())
    if excess:
        assert before > bound
        assert shares.octets >= bound - bound // SLACK - 41 * BOOT
    assert all(octets > 0 for octets in excess.values())


@given(ROWS, st.integers(MIB, 4 * MIB))
def test_who_is_within_the_equal_share_and_declared_loses_nothing(rows, bound):
    shares = of(rows)
    held = {owner: shares[owner].octets for owner in shares._shares}
    declared = {owner for owner in held if shares[owner].declared}
    equal = (bound - bound // SLACK) * (STRANGERS - 1) // STRANGERS // max(1, len(held))
    for owner in dict(shares.excess(bound)):
        assert owner not in declared or held[owner] > min(equal, BOOT)
